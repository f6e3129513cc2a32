//! The bench of live sync: how long a change takes, how many are carried, and that the time follows from the changes and
//! not from the table. Run by `benches/run --live`; what it measures and why stands in docs/performance.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod invoices;

use invoices::{Rng, fresh, generate, median};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A project with a filled source, copied.
struct Bench<'a> {
    dir: &'a Path,
    tablemap: &'a Path,
    /// Keys of rows that the filter lets through.
    ids: Vec<String>,
}

/// `tablemap run`, ended with the measure.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What something took: wall time, and processor time of the engine.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
}

/// Fields of a process's `stat`: clock ticks, of which Linux tells a hundred per second.
fn ticks(pid: &str, fields: [usize; 2]) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, r)| r);
    let all: Vec<&str> = rest.split_whitespace().collect();
    fields.iter().filter_map(|f| all.get(*f)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// User and system time of a running process.
fn cpu_of(child: &Child) -> f64 {
    ticks(&child.id().to_string(), [11, 12])
}

/// The same of all commands that were waited for.
fn cpu_of_ended() -> f64 {
    ticks("self", [13, 14])
}

impl<'a> Bench<'a> {
    fn new(dir: &'a Path, tablemap: &'a Path, rows: u64) -> Bench<'a> {
        eprintln!("making {rows} invoices");
        generate(dir, rows);
        fresh(dir);
        let bench = Bench { dir, tablemap, ids: vec![] };
        bench.done(&["sync"]);
        let src = bench.open("src");
        let mut s = src.prepare("SELECT id FROM invoice WHERE status IN (1, 2, 3, 4) ORDER BY number").unwrap();
        let mut ids: Vec<String> = s.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
        let mut r = Rng(7);
        for i in (1..ids.len()).rev() {
            ids.swap(i, r.below(i as u64 + 1) as usize);
        }
        Bench { ids, ..bench }
    }

    fn open(&self, name: &str) -> Connection {
        let c = Connection::open(self.dir.join(format!("{name}.db"))).unwrap();
        c.busy_timeout(Duration::from_secs(60)).unwrap();
        c.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536").unwrap();
        c
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(self.tablemap);
        c.arg("-C").arg(self.dir).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        c
    }

    fn done(&self, args: &[&str]) -> Took {
        let (began, before) = (Instant::now(), cpu_of_ended());
        assert!(self.command(args).status().unwrap().success(), "{args:?}");
        Took { wall: began.elapsed().as_secs_f64(), cpu: cpu_of_ended() - before }
    }

    fn start(&self) -> Running {
        let running = Running(self.command(&["run"]).spawn().unwrap());
        std::thread::sleep(Duration::from_secs(1));
        running
    }

    /// Changes `n` records, from the `from`th on, in transactions of a thousand; each is marked with `mark`.
    fn change(&self, c: &Connection, from: usize, n: usize, mark: &str) {
        let mut s =
            c.prepare("UPDATE invoice SET po_number = ?2, region = 'R99', city = 'Utrecht' WHERE id = ?1").unwrap();
        let ids: Vec<&String> = self.ids.iter().cycle().skip(from % self.ids.len()).take(n).collect();
        for part in ids.chunks(1000) {
            c.execute_batch("BEGIN IMMEDIATE").unwrap();
            for id in part {
                s.execute((id, mark)).unwrap();
            }
            c.execute_batch("COMMIT").unwrap();
        }
    }

    /// How many rows on the other side carry a mark.
    fn carried(&self, mark: &str) -> usize {
        let c = Connection::open_with_flags(self.dir.join("dst.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        c.query_row("SELECT count(*) FROM fin_invoice WHERE po_reference = ?1", [mark], |r| r.get::<_, i64>(0)).unwrap()
            as usize
    }

    /// From the commit of a change to its commit on the other side, seen there by a connection that does nothing else.
    fn latency(&self, per_second: u32, seconds: u32) {
        let running = self.start();
        let n = (per_second * seconds) as usize;
        let (told, changes) = channel::<(usize, Instant)>();
        let before = cpu_of(&running.0);
        let mut waits = std::thread::scope(|scope| {
            let seen = scope.spawn(move || self.watch(&changes));
            let c = self.open("src");
            let mut s = c.prepare("UPDATE invoice SET po_number = ?2 WHERE id = ?1").unwrap();
            let began = Instant::now();
            for i in 0..n {
                let due = began + Duration::from_secs(1) * i as u32 / per_second;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                s.execute((&self.ids[i % self.ids.len()], format!("L{i}"))).unwrap();
                told.send((i, Instant::now())).unwrap();
            }
            drop(told);
            seen.join().unwrap()
        });
        let cpu = cpu_of(&running.0) - before;
        waits.sort_by(f64::total_cmp);
        let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
        println!(
            "| {per_second} changes/s for {seconds} s | {:.1} ms | {:.1} ms | {:.1} ms | {:.0}% of a CPU |",
            at(0.5),
            at(0.99),
            at(1.0),
            cpu / f64::from(seconds) * 100.0
        );
    }

    /// Milliseconds from each change to the moment when it is seen on the other side.
    fn watch(&self, changes: &Receiver<(usize, Instant)>) -> Vec<f64> {
        let c = self.open("dst");
        let mut s = c.prepare("SELECT po_reference FROM fin_invoice WHERE invoice_id = ?1").unwrap();
        let mut waits = vec![];
        for (i, at) in changes {
            let mark = format!("L{i}");
            loop {
                let there: Option<String> = s.query_row([&self.ids[i % self.ids.len()]], |r| r.get(0)).unwrap();
                if there.as_deref() == Some(&mark) {
                    break;
                }
                assert!(at.elapsed() < Duration::from_secs(30), "change {i} does not arrive");
                std::thread::sleep(Duration::from_micros(300));
            }
            waits.push(at.elapsed().as_secs_f64() * 1000.0);
        }
        waits
    }

    /// `run --once` with `n` changes pending.
    fn pending(&self, n: usize, round: usize) -> Took {
        let mark = format!("P{n}.{round}");
        self.change(&self.open("src"), round * 131_071, n, &mark);
        let took = self.done(&["run", "--once"]);
        assert_eq!(self.carried(&mark), n.min(self.ids.len()), "changes are missing on the other side");
        took
    }

    /// A writer that changes records as fast as it can for some seconds, `run` beside it.
    fn steady(&self, seconds: u64) {
        let running = self.start();
        let c = self.open("src");
        let (began, before) = (Instant::now(), cpu_of(&running.0));
        let mut n = 0;
        while began.elapsed() < Duration::from_secs(seconds) && n + 1000 <= self.ids.len() {
            self.change(&c, n, 1000, "S");
            n += 1000;
        }
        let wrote = began.elapsed().as_secs_f64();
        while self.carried("S") < n {
            assert!(began.elapsed() < Duration::from_secs(300), "the changes do not arrive");
            std::thread::sleep(Duration::from_millis(50));
        }
        let all = began.elapsed().as_secs_f64();
        let cpu = cpu_of(&running.0) - before;
        println!(
            "| `run`, a writer at full speed ({n} records in {wrote:.1} s, {:.0}/s) | {all:.2} s | {cpu:.2} s | {:.0} | {:.0} |",
            n as f64 / wrote,
            n as f64 / all,
            n as f64 / cpu
        );
    }
}

fn measure(dir: &Path, tablemap: &Path, rows: u64, rounds: usize) {
    let counts = [1_000, 10_000, 100_000];
    let mut lines = vec![];
    for rows in [rows / 10, rows] {
        let bench = Bench::new(dir, tablemap, rows);
        if lines.is_empty() {
            println!(
                "\n| from commit to commit | median | 99th percentile | worst | engine |\n|---|---:|---:|---:|---:|"
            );
            bench.latency(200, 20);
        }
        let nothing = median(&(0..rounds).map(|_| bench.done(&["run", "--once"]).cpu).collect::<Vec<_>>());
        for n in counts.into_iter().filter(|n| *n <= bench.ids.len()) {
            let tooks: Vec<Took> = (0..rounds).map(|r| bench.pending(n, r)).collect();
            let wall = median(&tooks.iter().map(|t| t.wall).collect::<Vec<_>>());
            let cpu = median(&tooks.iter().map(|t| t.cpu).collect::<Vec<_>>());
            lines.push(format!(
                "| {rows} | {n} | {wall:.2} s | {cpu:.2} s | {:.1} µs |",
                (cpu - nothing).max(0.0) * 1e6 / n as f64
            ));
        }
        if bench.ids.len() >= 200_000 {
            println!(
                "\n| changes carried | wall | CPU | records/s | records per CPU second |\n|---|---:|---:|---:|---:|"
            );
            let n = 200_000;
            let tooks: Vec<Took> = (0..rounds).map(|r| bench.pending(n, rounds + r)).collect();
            let wall = median(&tooks.iter().map(|t| t.wall).collect::<Vec<_>>());
            let cpu = median(&tooks.iter().map(|t| t.cpu).collect::<Vec<_>>());
            println!(
                "| `run --once`, {n} pending | {wall:.2} s | {cpu:.2} s | {:.0} | {:.0} |",
                n as f64 / wall,
                n as f64 / cpu
            );
            bench.steady(10);
        }
    }
    println!(
        "\n| rows in the table | changed | wall | CPU | CPU per change, without starting |\n|---:|---:|---:|---:|---:|"
    );
    lines.iter().for_each(|l| println!("{l}"));
}

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let folder = |s: &str| std::path::absolute(PathBuf::from(s)).unwrap();
    match args.as_slice() {
        [dir, tablemap, rows, rounds] => {
            let (Ok(rows), Ok(rounds)) = (rows.parse(), rounds.parse()) else {
                eprintln!("usage: live DIR TABLEMAP ROWS ROUNDS");
                return ExitCode::from(2);
            };
            measure(&folder(dir), &folder(tablemap), rows, rounds);
        }
        _ => eprintln!("benches/run --live runs this bench; see docs/performance.md"),
    }
    ExitCode::SUCCESS
}
