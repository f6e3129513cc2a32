//! The bench of `check`: a generated project of 1,000 maps of 40 lines, each between two tables of its own, so that both
//! schemas have as many tables as there are maps. Run by `benches/run --check`; docs/performance.md says what it means.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tablemap::sema::{How, Input, Kept};
use tablemap::source::Sources;
use tablemap::{check, project};

const COLUMNS: usize = 20;

/// The schema of one store; `left` names are upper case and read without regard to case, as finance's are.
fn schema(store: &str, tables: usize) -> String {
    let mut out = format!("store: {store}\n");
    if store == "fin" {
        out.push_str("names: case-insensitive\n");
    }
    out.push_str("tables:\n");
    for t in 0..tables {
        let elsewhere = if store == "crm" { "    filled: elsewhere\n" } else { "" };
        let (table, id, parent) = if store == "fin" {
            (format!("TABLE{t:04}"), "RECID", "PARENTID")
        } else {
            (format!("crm_table{t:04}"), "rowid", "parentid")
        };
        let up = t / 10;
        let target = if store == "fin" { format!("TABLE{up:04}") } else { format!("crm_table{up:04}") };
        write!(
            out,
            "  {table}:\n{elsewhere}    primary_key: [{id}]\n    columns:\n      {id}: {{ type: uuid, required: true }}\n      \
             {parent}: {{ type: uuid, lookup: {target} }}\n      {}: {{ type: choice, choice: {store}_status }}\n",
            if store == "fin" { "STATUS" } else { "statecode" },
        )
        .unwrap();
        for c in 0..COLUMNS {
            let name = if store == "fin" { format!("COLUMN{c:02}") } else { format!("crm_column{c:02}") };
            let ty = ["text(60)", "integer", "decimal(18,2)", "date", "boolean"][c % 5];
            writeln!(out, "      {name}: {{ type: \"{ty}\" }}").unwrap();
        }
    }
    writeln!(out, "choices:\n  {store}_status:\n    Open: 1\n    Posted: 2\n    Closed: 3").unwrap();
    out
}

/// A map of 40 lines.
fn map(n: usize) -> String {
    let mut out = format!(
        "# Generated for the bench.\nmap \"Bench map {n:04}\" {{\n  id         bench-{n:04}\n  version    1.0.0.{n}\n  \
         tables     fin.TABLE{n:04} <-> crm.crm_table{n:04}\n  operations left: create, update\n  \
         operations right: update\n  key        RECID = rowid\n  \
         filter     right: crm_column04 == true and (crm_column01 > 10 or crm_column00 is not null)\n  \
         conflict   left wins\n\n  fields {{\n    STATUS           >< statecode {{\n      'Open'   = 'Open'\n      \
         'Posted' = 'Posted'\n      'Closed' = 'Closed'\n    }}\n    PARENTID         <  parentid\n"
    );
    for c in 0..COLUMNS {
        let (left, right) = (format!("COLUMN{c:02}"), format!("crm_column{c:02}"));
        let line = match c {
            0 => format!("{left}         << {right} | trim() | truncate(60)"),
            5 => format!("{left}         << coalesce({right}, 'none') default 'x'   # never empty"),
            6 => format!("{left}         << {right} * 2 + crm_column01"),
            7 => format!("{left}         << case when crm_column04 then {right} else 0.00 end"),
            10 => format!("{left}         << {right} | upper() once"),
            15 | 16 => format!("{left}         >  {right}"),
            _ => format!("{left}         =  {right}"),
        };
        writeln!(out, "    {line}").unwrap();
    }
    out.push_str("  }\n}\n");
    out
}

fn generate(dir: &Path, maps: usize) {
    std::fs::create_dir_all(dir.join("maps")).unwrap();
    let project = "stores:\n  fin: { kind: memory, schema: fin.schema.yaml }\n  \
                   crm: { kind: memory, schema: crm.schema.yaml }\n";
    std::fs::write(dir.join("tablemap.yaml"), project).unwrap();
    for store in ["fin", "crm"] {
        std::fs::write(dir.join(format!("{store}.schema.yaml")), schema(store, maps)).unwrap();
    }
    for n in 0..maps {
        std::fs::write(dir.join(format!("maps/m{n:04}.tmap")), map(n)).unwrap();
    }
}

/// Highest resident size of a running process in KiB; none where there is no /proc.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Processor seconds of this process and of those it waited for, in steps of 10 ms; 0 where there is no /proc.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(4).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// One run: seconds by the clock and of processors, MiB.
struct Run {
    seconds: f64,
    cpu: f64,
    memory: f64,
}

/// One `check`, which must have no findings.
fn timed(dir: &Path, tablemap: &Path) -> Run {
    let (before, started) = (cpu(), Instant::now());
    let mut child = Command::new(tablemap)
        .args(["check", "--color", "never"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(dir.join("out.txt")).unwrap())
        .spawn()
        .expect("the command starts");
    let mut highest = None;
    let status = loop {
        highest = peak(child.id()).or(highest);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let out = std::fs::read_to_string(dir.join("out.txt")).unwrap();
    assert!(status.success() && out.contains("no findings"), "{out}");
    Run { seconds, cpu: cpu() - before, memory: highest.unwrap_or(0) as f64 / 1024.0 }
}

/// The same in a process that has read the project before (as the rounds of `check --fix` do): seconds beyond reading
/// and finding the files.
fn again(dir: &Path, round: usize) -> Run {
    let (cache, kept) = (project::Cache::keeping(), Kept::default());
    let look = |sources: &mut Sources| {
        let (project, findings) = project::load_cached(dir, sources, &cache);
        let project = project.unwrap();
        assert!(findings.is_empty());
        let stores: Vec<_> = project.stores.iter().map(|s| (s.name.clone(), s.schema.clone())).collect();
        let files: Vec<_> = project.maps.iter().map(|m| (m.file, m.ast.clone())).collect();
        let time_zone = project.time_zone.clone();
        let input = Input { sources, stores: &stores, files: &files, companies: None, time_zone };
        let how = How { each: &project::each, kept: Some(&kept) };
        let (checked, findings) = check::check_as(&input, how);
        assert!(findings.is_empty() && !checked.maps.is_empty());
    };
    look(&mut Sources::new());
    std::fs::write(dir.join("maps/m0007.tmap"), map(7).replace("# Generated", &format!("# Again {round}"))).unwrap();
    let (before, started) = (cpu(), Instant::now());
    look(&mut Sources::new());
    let (whole, spent) = (started.elapsed().as_secs_f64(), cpu() - before);
    let (before, started) = (cpu(), Instant::now());
    let mut sources = Sources::new();
    let mut paths: Vec<PathBuf> = glob::glob(&format!("{}/maps/**/*.tmap", dir.display())).unwrap().flatten().collect();
    paths.extend(["fin", "crm"].map(|s| dir.join(format!("{s}.schema.yaml"))));
    for path in &paths {
        project::read_text(path, u64::from(u32::MAX), &mut sources, None).unwrap();
    }
    let (reading, read) = (started.elapsed().as_secs_f64(), cpu() - before);
    Run { seconds: (whole - reading).max(0.0), cpu: (spent - read).max(0.0), memory: 0.0 }
}

fn row(name: &str, mut runs: Vec<Run>) {
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let memory = runs.iter().map(|r| r.memory).fold(0.0, f64::max);
    let cpu = runs.iter().map(|r| r.cpu).sum::<f64>() / runs.len() as f64 * 1e3;
    let ms = |i: usize| runs[i].seconds * 1e3;
    let (middle, first, last) = (ms(runs.len() / 2), ms(0), ms(runs.len() - 1));
    println!("| {name} | {middle:.0} | {first:.0} – {last:.0} | {cpu:.0} | {memory:.0} |");
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [dir, tablemap, maps, rounds] = args.as_slice() else {
        eprintln!("benches/run --check runs this bench; see docs/performance.md");
        return ExitCode::SUCCESS;
    };
    let (maps, rounds): (usize, usize) = (maps.parse().unwrap(), rounds.parse().unwrap());
    let dir = std::path::absolute(PathBuf::from(dir)).unwrap().join(format!("check-{maps}"));
    let tablemap = std::path::absolute(PathBuf::from(tablemap)).unwrap();
    generate(&dir, maps);
    timed(&dir, &tablemap);
    println!(
        "\n| {maps} maps | median ms | least – most | processor ms (mean) | peak MiB |\n|---|---:|---:|---:|---:|"
    );
    row("everything", (0..rounds).map(|_| timed(&dir, &tablemap)).collect());
    let changed = |i: usize| {
        let text = map(7).replace("# Generated", &format!("# Round {i}: generated"));
        std::fs::write(dir.join("maps/m0007.tmap"), text).unwrap();
        timed(&dir, &tablemap)
    };
    row("one map changed", (0..rounds).map(changed).collect());
    row("the same, in one process, without reading files", (0..rounds).map(|i| again(&dir, i)).collect());
    row("nothing changed", (0..rounds).map(|_| timed(&dir, &tablemap)).collect());
    ExitCode::SUCCESS
}
