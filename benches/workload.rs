//! The bench: one million invoices through one map, beside the same work in one hand-written SQL statement. Run by
//! `benches/run`; what it measures and why stands in docs/performance.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod invoices;

use invoices::{fresh, generate, median, remove};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

pub(crate) const COLUMNS: &[&str] = &[
    "invoice_id",
    "invoice_no",
    "customer_account",
    "status_code",
    "total_amount",
    "currency_code",
    "invoice_date",
    "due_date",
    "tax_amount",
    "discount_amount",
    "sales_rep",
    "location",
    "region_code",
    "po_reference",
    "modified",
];

/// The limit: what a good engineer writes by hand for this one map.
fn limit_sql(source: &Path, mmap: bool) -> String {
    let columns = COLUMNS.join(", ");
    let set: Vec<String> = COLUMNS[1..].iter().map(|c| format!("{c} = excluded.{c}")).collect();
    format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-262144; PRAGMA temp_store=MEMORY; \
         PRAGMA mmap_size={}; ATTACH 'file:{}?mode=ro' AS s; BEGIN IMMEDIATE; \
         INSERT INTO fin_invoice({columns}) SELECT id, number, customer, CASE status WHEN 1 THEN 'Draft' WHEN 2 THEN \
         'Open' WHEN 3 THEN 'Paid' WHEN 4 THEN 'Cancelled' ELSE 'Unknown' END, amount, coalesce(currency, 'EUR'), \
         date, due_date, tax, discount, salesperson, country || '-' || city, region, po_number, modified_at \
         FROM s.invoice WHERE status IN (1, 2, 3, 4) ON CONFLICT(invoice_id) DO UPDATE SET {}; COMMIT;",
        if mmap { 1 << 30 } else { 0 },
        source.display(),
        set.join(", "),
    )
}

#[derive(Clone, Debug, PartialEq)]
struct Check {
    rows: i64,
    cents: [i64; 3],
    lengths: [i64; 3],
}

fn check(db: &Path) -> Check {
    let c = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    c.query_row(
        "SELECT count(*), sum(CAST(round(total_amount * 100) AS INTEGER)), sum(CAST(round(tax_amount * 100) AS INTEGER)), \
         sum(CAST(round(discount_amount * 100) AS INTEGER)), sum(length(status_code)), sum(length(currency_code)), \
         sum(length(location)) FROM fin_invoice",
        [],
        |r| Ok(Check { rows: r.get(0)?, cents: [r.get(1)?, r.get(2)?, r.get(3)?], lengths: [r.get(4)?, r.get(5)?, r.get(6)?] }),
    )
    .unwrap()
}

/// Rows of `a` that are not the same, column by column, in `b`, and the other way round.
pub(crate) fn differing(a: &Path, b: &Path) -> i64 {
    let c = Connection::open_with_flags(a, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI).unwrap();
    c.execute_batch(&format!("PRAGMA cache_size=-262144; ATTACH 'file:{}?mode=ro' AS b", b.display())).unwrap();
    let same: Vec<String> = COLUMNS.iter().map(|c| format!("x.{c} IS y.{c}")).collect();
    let sql = format!(
        "SELECT count(*) FROM main.fin_invoice AS x LEFT JOIN b.fin_invoice AS y ON y.invoice_id = x.invoice_id \
         WHERE NOT ({})",
        same.join(" AND ")
    );
    c.query_row(&sql, [], |r| r.get(0)).unwrap()
}

/// Highest resident size of a running process in KiB, as the system keeps it; none where there is no /proc.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().trim_end_matches("kB").trim().parse().ok()
}

pub(crate) struct Taken {
    pub(crate) seconds: f64,
    pub(crate) peak_mib: Option<f64>,
    pub(crate) out: String,
}

/// Runs a command to its end: wall time, start and end of the process included, and its highest resident size, looked
/// at every two milliseconds.
pub(crate) fn timed(command: &mut Command, log: &Path) -> Taken {
    let out = std::fs::File::create(log).unwrap();
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(out).spawn().expect("the command starts");
    let mut highest = None;
    let status = loop {
        highest = peak(child.id()).or(highest);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} ended with {status}");
    Taken {
        seconds,
        peak_mib: highest.map(|k| k as f64 / 1024.0),
        out: std::fs::read_to_string(log).unwrap_or_default(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Candidate {
    /// The limit in the `sqlite3` program, no mmap.
    Limit,
    /// The same with 1 GiB of mmap.
    LimitMmap,
    /// The limit in the SQLite that tablemap is built with, no mmap.
    LimitBundled,
    /// `tablemap sync`.
    Tablemap,
    /// `tablemap sync` with a page cache as large as the limit's.
    TablemapLarge,
}

impl Candidate {
    fn name(self) -> &'static str {
        match self {
            Candidate::Limit => "limit (sqlite3 program)",
            Candidate::LimitMmap => "limit (sqlite3 program), mmap 1 GiB",
            Candidate::LimitBundled => "limit (SQLite as bundled)",
            Candidate::Tablemap => "tablemap sync",
            Candidate::TablemapLarge => "tablemap sync, cache 256 MiB",
        }
    }
    fn ours(self) -> bool {
        matches!(self, Candidate::Tablemap | Candidate::TablemapLarge)
    }
    fn command(self, dir: &Path, tablemap: &Path) -> Command {
        let sqlite3 = |mmap: bool| {
            let mut c = Command::new("sqlite3");
            c.arg(dir.join("dst.db")).arg(limit_sql(&dir.join("src.db"), mmap));
            c
        };
        match self {
            Candidate::Limit => sqlite3(false),
            Candidate::LimitMmap => sqlite3(true),
            Candidate::LimitBundled => {
                let mut c = Command::new(std::env::current_exe().unwrap());
                c.arg("limit").arg(dir);
                c
            }
            Candidate::Tablemap | Candidate::TablemapLarge => {
                let mut c = Command::new(tablemap);
                c.arg("-C").arg(dir).args(["--format", "json", "sync"]);
                if self == Candidate::TablemapLarge {
                    c.env("TABLEMAP_CACHE_KIB", "262144");
                }
                c
            }
        }
    }
}

fn sqlite3_version() -> Option<String> {
    let out = Command::new("sqlite3").arg("--version").stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).split_whitespace().next()?.to_string())
}

fn bulk(dir: &Path, tablemap: &Path, rows: u64, rounds: usize) {
    eprintln!("making {rows} invoices");
    generate(dir, rows);
    let size = std::fs::metadata(dir.join("src.db")).unwrap().len();
    let program = sqlite3_version();
    let mut candidates = vec![Candidate::LimitBundled, Candidate::Tablemap, Candidate::TablemapLarge];
    match &program {
        Some(_) => candidates.splice(0..0, [Candidate::Limit, Candidate::LimitMmap]).for_each(drop),
        None => eprintln!("no sqlite3 program here: the limit runs in the bundled SQLite only"),
    }
    let mut seconds = vec![vec![]; candidates.len()];
    let mut peaks = vec![vec![]; candidates.len()];
    let mut expected: Option<Check> = None;
    let kept = dir.join("limit.db");
    for round in 0..rounds {
        for n in 0..candidates.len() {
            // Nobody always goes after the same one.
            let i = (n + round) % candidates.len();
            let candidate = candidates[i];
            fresh(dir);
            let taken = timed(&mut candidate.command(dir, tablemap), &dir.join("out.txt"));
            let found = check(&dir.join("dst.db"));
            match &expected {
                None => expected = Some(found.clone()),
                Some(e) => assert_eq!(&found, e, "{} gives another result", candidate.name()),
            }
            eprintln!(
                "round {}: {:36} {:7.2} s  peak {:6.0} MiB  {} rows",
                round + 1,
                candidate.name(),
                taken.seconds,
                taken.peak_mib.unwrap_or(f64::NAN),
                found.rows
            );
            if candidate.ours() {
                let said: serde_json::Value = serde_json::from_str(&taken.out).expect("sync prints JSON");
                assert_eq!(said["legs"][0]["created"].as_i64(), Some(found.rows), "what sync says: {}", taken.out);
            }
            if round + 1 == rounds && candidate == Candidate::LimitBundled {
                remove(&kept);
                std::fs::copy(dir.join("dst.db"), &kept).unwrap();
            }
            if round + 1 == rounds && candidate == Candidate::Tablemap {
                remove(&dir.join("ours.db"));
                std::fs::copy(dir.join("dst.db"), dir.join("ours.db")).unwrap();
            }
            seconds[i].push(taken.seconds);
            peaks[i].push(taken.peak_mib.unwrap_or(f64::NAN));
        }
    }
    let n = differing(&kept, &dir.join("ours.db"));
    assert_eq!(n, 0, "{n} rows are not the same as the limit's, column by column");
    let written = expected.map_or(0, |e| e.rows);
    println!(
        "\n{rows} rows of 20 columns ({} MB), {written} written, {rounds} rounds; sqlite3 {}, bundled SQLite {}\n",
        size / 1_000_000,
        program.as_deref().unwrap_or("not there"),
        rusqlite::version()
    );
    println!("| candidate | seconds (median) | least – most | rows/s | ratio to each limit | peak memory MiB |");
    println!("|---|---:|---:|---:|---:|---:|");
    let limits: Vec<f64> = candidates.iter().zip(&seconds).filter(|(c, _)| !c.ours()).map(|(_, s)| median(s)).collect();
    for ((candidate, s), p) in candidates.iter().zip(&seconds).zip(&peaks) {
        let m = median(s);
        let ratios: Vec<String> = limits.iter().map(|l| format!("{:.2}", m / l)).collect();
        println!(
            "| {} | {m:.2} | {:.2} – {:.2} | {:.0} | {} | {:.0} |",
            candidate.name(),
            s.iter().copied().fold(f64::INFINITY, f64::min),
            s.iter().copied().fold(0.0, f64::max),
            written as f64 / m,
            ratios.join(" / "),
            p.iter().copied().fold(0.0, f64::max),
        );
    }
    println!("\nEvery row is the same as the limit's, column by column.");
}

fn demo(dir: &Path, tablemap: &Path, rounds: usize) {
    let mut seconds = vec![];
    for round in 0..rounds {
        let place = dir.join(format!("demo{round}"));
        let mut c = Command::new(tablemap);
        c.arg("demo").arg("--dir").arg(&place);
        seconds.push(timed(&mut c, &dir.join("demo.txt")).seconds);
        let _ = std::fs::remove_dir_all(&place);
    }
    println!("\n`tablemap demo`: {:.2} s (median of {rounds})", median(&seconds));
}

/// Processor time of `tablemap run` while nothing happens: a project of `init`, synced, then watched.
fn idle(dir: &Path, tablemap: &Path, seconds: u64) {
    let place = dir.join("idle");
    let _ = std::fs::remove_dir_all(&place);
    let done = |args: &[&str]| {
        let mut c = Command::new(tablemap);
        assert!(c.args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success(), "{args:?}");
    };
    let project = place.to_str().unwrap();
    done(&["init", project]);
    done(&["-C", project, "sync"]);
    let mut running = Command::new(tablemap)
        .args(["-C", project, "run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    // User and system time in clock ticks, of which Linux tells a hundred per second.
    let ticks = || -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.id())).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let (began, before) = (Instant::now(), ticks());
    std::thread::sleep(Duration::from_secs(seconds));
    match (before, ticks()) {
        (Some(before), Some(after)) => println!(
            "\n`tablemap run` when idle: {:.2}% of one CPU (over {seconds} s, two stores)",
            (after - before) as f64 / began.elapsed().as_secs_f64()
        ),
        _ => println!("\n`tablemap run` when idle: only Linux tells"),
    }
    // A wake-up: from a commit in the crm to the row in the erp.
    let crm = Connection::open(place.join("data/crm.db")).unwrap();
    let erp = Connection::open(place.join("data/erp.db")).unwrap();
    let mut wakes = vec![];
    for i in 0..20 {
        let name = format!("wake {i}");
        crm.execute("UPDATE accounts SET name = ?1 WHERE number = 'A-1001'", [&name]).unwrap();
        let began = Instant::now();
        let there = || erp.query_row("SELECT count(*) FROM CUSTOMERS WHERE NAME = ?1", [&name], |r| r.get::<_, i64>(0));
        while there().unwrap() == 0 && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        wakes.push(began.elapsed().as_secs_f64() * 1000.0);
        std::thread::sleep(Duration::from_millis(37));
    }
    println!("from a commit to the row on the other side: {:.0} ms (median of 20)", median(&wakes));
    running.kill().unwrap();
    running.wait().unwrap();
    let _ = std::fs::remove_dir_all(&place);
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: workload run DIR TABLEMAP ROWS ROUNDS | demo DIR TABLEMAP ROUNDS | idle DIR TABLEMAP SECONDS | generate DIR ROWS | limit DIR"
    );
    ExitCode::from(2)
}

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |s: &str| s.replace('_', "").parse::<u64>().ok().filter(|n| *n > 0);
    let folder = |s: &str| std::path::absolute(PathBuf::from(s)).unwrap();
    match args.as_slice() {
        ["run", dir, tablemap, rows, rounds] => match (number(rows), number(rounds)) {
            (Some(rows), Some(rounds)) => bulk(&folder(dir), &folder(tablemap), rows, rounds as usize),
            _ => return usage(),
        },
        ["demo", dir, tablemap, rounds] => match number(rounds) {
            Some(rounds) => demo(&folder(dir), &folder(tablemap), rounds as usize),
            None => return usage(),
        },
        ["idle", dir, tablemap, seconds] => match number(seconds) {
            Some(seconds) => idle(&folder(dir), &folder(tablemap), seconds),
            None => return usage(),
        },
        ["generate", dir, rows] => match number(rows) {
            Some(rows) => generate(&folder(dir), rows),
            None => return usage(),
        },
        ["limit", dir] => {
            let dir = folder(dir);
            let c = Connection::open(dir.join("dst.db")).unwrap();
            c.execute_batch(&limit_sql(&dir.join("src.db"), false)).unwrap();
        }
        // `cargo bench` by itself says how it is meant.
        [] => eprintln!("benches/run runs this bench; see docs/performance.md"),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}
