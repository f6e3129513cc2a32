//! The bench with PostgreSQL on either side: the same million invoices and the same map as `workload`, beside what
//! `psql` and `sqlite3` do with one hand-written statement; and live changes from one database to another. Run by
//! `benches/run --postgres`; what it measures and why stands in docs/performance.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/it/cluster.rs"]
mod cluster;
#[path = "workload.rs"]
#[allow(dead_code)]
mod workload;

use cluster::{Cluster, Sql};
use rusqlite::Connection;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use workload::invoices::{self, median};
use workload::{COLUMNS, Taken, timed};

/// As a server that somebody has set up, apart from what makes a single run depend on the one before.
const SETTINGS: &[(&str, &str)] = &[
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
    ("synchronous_commit", "off"),
    ("fsync", "on"),
    ("full_page_writes", "on"),
];

const MAPPED: &str = "id, number, customer, CASE status WHEN 1 THEN 'Draft' WHEN 2 THEN 'Open' WHEN 3 THEN 'Paid' \
    WHEN 4 THEN 'Cancelled' ELSE 'Unknown' END, amount, coalesce(currency, 'EUR'), date, due_date, tax, discount, \
    salesperson, country || '-' || city, region, po_number, modified_at";
const WHERE: &str = "WHERE status IN (1, 2, 3, 4)";
const CHECK: &str = "SELECT count(*), CAST(sum(round(total_amount * 100)) AS bigint), \
    CAST(sum(round(tax_amount * 100)) AS bigint), CAST(sum(round(discount_amount * 100)) AS bigint), \
    sum(length(status_code)), sum(length(currency_code)), sum(length(location)) FROM fin_invoice";

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// What the target holds when a run begins.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Empty,
    /// One row that no map knows: nothing can be taken for empty.
    OneRow,
    /// All rows, as they shall be.
    Full,
}

#[derive(Clone, Copy, PartialEq)]
enum Candidate {
    /// Into a table that only the run sees, then one `INSERT … ON CONFLICT DO UPDATE`.
    Limit,
    /// COPY into the target: right for an empty one only.
    Direct,
    Tablemap,
}

impl Candidate {
    fn name(self) -> &'static str {
        match self {
            Candidate::Limit => "limit",
            Candidate::Direct => "limit, COPY into the target",
            Candidate::Tablemap => "tablemap sync",
        }
    }
}

struct Bench<'a> {
    dir: &'a Path,
    tablemap: &'a Path,
    src: String,
    dst: String,
}

fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

impl Bench<'_> {
    fn project(&self, source: Kind, target: Kind) {
        let store = |name: &str, kind: Kind| match kind {
            Kind::Sqlite => format!("  {name}: {{ kind: sqlite, path: {name}.db, schema: {name}.schema.yaml }}\n"),
            Kind::Postgres => format!(
                "  {name}: {{ kind: postgres, url: \"${{{}_URL}}\", schema: {name}.schema.yaml }}\n",
                name.to_uppercase()
            ),
        };
        let text = format!("stores:\n{}{}maps: [\"*.tmap\"]\n", store("src", source), store("dst", target));
        std::fs::write(self.dir.join("tablemap.yaml"), text).unwrap();
    }

    /// Nothing of the run before is left: neither progress nor triggers.
    fn prepare(&self, source: Kind, target: Kind, start: Start) {
        for (url, kind) in [(&self.src, source), (&self.dst, target)] {
            if kind == Kind::Postgres {
                Sql::open(url).run("DROP SCHEMA IF EXISTS tablemap CASCADE").unwrap();
            }
        }
        if source == Kind::Sqlite {
            invoices::remove(&self.dir.join("src.db"));
            std::fs::copy(self.dir.join("kept-src.db"), self.dir.join("src.db")).unwrap();
        }
        let stranger = "INSERT INTO fin_invoice (invoice_id, invoice_no, customer_account, status_code, total_amount, \
                        currency_code, invoice_date, tax_amount, discount_amount, location) \
                        VALUES ('00000000-0000-4000-8000-000000000000', 'x', 'x', 'Open', 0, 'EUR', '2020-01-01', 0, 0, 'x')";
        match target {
            Kind::Sqlite => {
                let db = self.dir.join("dst.db");
                invoices::remove(&db);
                let c = Connection::open(&db).unwrap();
                c.execute_batch(&format!("PRAGMA journal_mode=WAL; {};", invoices::TARGET)).unwrap();
                if start == Start::OneRow {
                    c.execute_batch(stranger).unwrap();
                }
            }
            Kind::Postgres => {
                let sql = Sql::open(&self.dst);
                sql.run(&format!("DROP TABLE IF EXISTS fin_invoice; {}", invoices::TARGET)).unwrap();
                match start {
                    Start::Empty => {}
                    Start::OneRow => sql.run(stranger).unwrap(),
                    Start::Full => sql.run("INSERT INTO fin_invoice SELECT * FROM kept").unwrap(),
                }
                sql.run("VACUUM ANALYZE fin_invoice").unwrap();
                sql.run("CHECKPOINT").unwrap();
            }
        }
    }

    /// The limit as a line of shell.
    fn limit(&self, source: Kind, target: Kind, direct: bool) -> String {
        let columns = COLUMNS.join(",");
        let set: Vec<String> = COLUMNS[1..].iter().map(|c| format!("{c}=excluded.{c}")).collect();
        let upsert = format!("ON CONFLICT(invoice_id) DO UPDATE SET {}", set.join(","));
        let select = format!("SELECT {MAPPED} FROM invoice {WHERE}");
        let psql = |url: &str| format!("psql -qAtX -v ON_ERROR_STOP=1 -d '{}'", bare(url));
        let from = match source {
            Kind::Sqlite => format!("sqlite3 -csv -readonly src.db \"{select}\""),
            Kind::Postgres => {
                let csv = if target == Kind::Sqlite { " (FORMAT csv)" } else { "" };
                format!("{} -c \"COPY ({select}) TO STDOUT{csv}\"", psql(&self.src))
            }
        };
        let csv = if source == Kind::Sqlite { " (FORMAT csv)" } else { "" };
        let to = match target {
            Kind::Sqlite => format!(
                "sqlite3 dst.db 'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-262144; \
                 PRAGMA temp_store=MEMORY;' 'CREATE TEMP TABLE stage({columns})' '.import --csv /dev/stdin stage --schema temp' \
                 'BEGIN IMMEDIATE; INSERT INTO fin_invoice({columns}) SELECT {columns} FROM temp.stage WHERE true {upsert}; COMMIT;'"
            ),
            Kind::Postgres if direct => format!("{} -c 'COPY fin_invoice({columns}) FROM STDIN{csv}'", psql(&self.dst)),
            Kind::Postgres => format!(
                "{} -1 -c 'CREATE TEMP TABLE stage (LIKE fin_invoice) ON COMMIT DROP' -c 'COPY stage({columns}) FROM STDIN{csv}' \
                 -c 'INSERT INTO fin_invoice({columns}) SELECT {columns} FROM stage {upsert}'",
                psql(&self.dst)
            ),
        };
        format!("set -o pipefail; {from} | {to}")
    }

    fn run(&self, candidate: Candidate, source: Kind, target: Kind) -> Taken {
        let mut command = match candidate {
            Candidate::Tablemap => {
                let mut c = Command::new(self.tablemap);
                c.arg("-C").arg(self.dir).args(["--format", "json", "sync"]);
                c
            }
            _ => {
                let mut c = Command::new("bash");
                c.arg("-c").arg(self.limit(source, target, candidate == Candidate::Direct)).current_dir(self.dir);
                c
            }
        };
        command.env("SRC_URL", &self.src).env("DST_URL", &self.dst);
        timed(&mut command, &self.dir.join("out.txt"))
    }

    /// What a run left, in numbers.
    fn check(&self, target: Kind, start: Start) -> String {
        let but = if start == Start::OneRow { " WHERE invoice_no <> 'x'" } else { "" };
        match target {
            Kind::Postgres => Sql::open(&self.dst).rows(&format!("{CHECK}{but}")).remove(0),
            Kind::Sqlite => {
                let c = Connection::open(self.dir.join("dst.db")).unwrap();
                c.query_row(&format!("{CHECK}{but}"), [], |r| {
                    let cells: rusqlite::Result<Vec<String>> =
                        (0..7).map(|i| Ok(r.get::<_, i64>(i)?.to_string())).collect();
                    Ok(cells?.join("|"))
                })
                .unwrap()
            }
        }
    }

    fn pair(&self, name: &str, (source, target): (Kind, Kind), start: Start, rounds: usize) {
        self.project(source, target);
        let mut candidates = vec![Candidate::Limit, Candidate::Tablemap];
        if start == Start::Empty && target == Kind::Postgres {
            candidates.insert(1, Candidate::Direct);
        }
        let mut seconds = vec![vec![]; candidates.len()];
        let mut memory = 0f64;
        let mut expected: Option<String> = None;
        for round in 0..rounds {
            for n in 0..candidates.len() {
                let i = (n + round) % candidates.len();
                self.prepare(source, target, start);
                let taken = self.run(candidates[i], source, target);
                let found = self.check(target, start);
                let expected = expected.get_or_insert_with(|| found.clone());
                assert_eq!(&found, expected, "{name}: {} gives another result; {}", candidates[i].name(), taken.out);
                eprintln!("{name}, round {}: {:28} {:7.2} s", round + 1, candidates[i].name(), taken.seconds);
                if candidates[i] == Candidate::Tablemap {
                    memory = memory.max(taken.peak_mib.unwrap_or(f64::NAN));
                }
                seconds[i].push(taken.seconds);
                if target == Kind::Postgres && candidates[i] == Candidate::Tablemap {
                    let differs = Sql::open(&self.dst).rows(&format!(
                        "SELECT count(*) FROM kept AS k LEFT JOIN fin_invoice AS f USING (invoice_id) WHERE {}",
                        COLUMNS[1..]
                            .iter()
                            .map(|c| format!("f.{c} IS DISTINCT FROM k.{c}"))
                            .collect::<Vec<_>>()
                            .join(" OR ")
                    ));
                    assert_eq!(differs, ["0"], "{name}: rows differ from the limit's");
                }
            }
        }
        let limit = median(&seconds[0]);
        for (candidate, s) in candidates.iter().zip(&seconds) {
            let peak = if *candidate == Candidate::Tablemap { format!("{memory:.0}") } else { String::new() };
            println!(
                "| {name} | {} | {:.2} | {:.2} – {:.2} | {:.2} | {peak} |",
                candidate.name(),
                median(s),
                s.iter().copied().fold(f64::INFINITY, f64::min),
                s.iter().copied().fold(0.0, f64::max),
                median(s) / limit,
            );
        }
    }

    /// Live changes from one database to the other.
    fn live(&self, rows: u64) {
        self.project(Kind::Postgres, Kind::Postgres);
        self.prepare(Kind::Postgres, Kind::Postgres, Start::Empty);
        let (src, dst) = (format!("{}&notify=on", self.src), format!("{}&notify=on", self.dst));
        let command = |args: &[&str]| {
            let mut c = Command::new(self.tablemap);
            c.arg("-C").arg(self.dir).args(args).env("SRC_URL", &src).env("DST_URL", &dst);
            c.stdout(Stdio::null()).stderr(Stdio::null());
            c
        };
        assert!(command(&["sync"]).status().unwrap().success());
        let mut engine = command(&["run"]).spawn().unwrap();
        let (crm, fin) = (Sql::open(&self.src), Sql::open(&self.dst));
        let ids: Vec<String> = crm.rows("SELECT id FROM invoice WHERE status = 1 ORDER BY id LIMIT 130");
        let mut waits = vec![];
        for (i, id) in ids.iter().enumerate() {
            crm.run(&format!("UPDATE invoice SET salesperson = 'w{i}' WHERE id = '{id}'")).unwrap();
            let began = Instant::now();
            let there = format!("SELECT 1 FROM fin_invoice WHERE invoice_id = '{id}' AND sales_rep = 'w{i}'");
            while fin.rows(&there).is_empty() && began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_micros(300));
            }
            if i >= 30 {
                waits.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            std::thread::sleep(Duration::from_millis(7 + (i as u64 * 13) % 40));
        }
        waits.sort_by(f64::total_cmp);
        println!(
            "\nFrom a commit to the commit on the other side: median {:.1} ms, 95% {:.1} ms, longest {:.1} ms (of {})",
            median(&waits),
            waits[waits.len() * 95 / 100],
            waits[waits.len() - 1],
            waits.len()
        );
        let step = 1_000;
        let began = Instant::now();
        let upto = rows.min(200_000);
        crm.run("CREATE INDEX IF NOT EXISTS invoice_number ON invoice (number)").unwrap();
        for from in (0..upto).step_by(step) {
            crm.run(&format!(
                "UPDATE invoice SET amount = amount + 1, salesperson = 'sustained' \
                 WHERE number >= 'INV-{from:08}' AND number < 'INV-{:08}'",
                from + step as u64
            ))
            .unwrap();
        }
        let written = began.elapsed().as_secs_f64();
        let wanted = crm.rows("SELECT count(*) FROM invoice WHERE salesperson = 'sustained' AND status IN (1,2,3,4)");
        while fin.rows("SELECT count(*) FROM fin_invoice WHERE sales_rep = 'sustained'") != wanted
            && began.elapsed() < Duration::from_secs(300)
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(fin.rows("SELECT count(*) FROM fin_invoice WHERE sales_rep = 'sustained'"), wanted);
        println!(
            "{upto} records changed, 1,000 in a transaction: committed in {written:.1} s, there after {seconds:.1} s: \
             {:.0} changed records/s",
            upto as f64 / seconds
        );
        engine.kill().unwrap();
        engine.wait().unwrap();
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [dir, tablemap, rows, rounds, only @ ..] = args.as_slice() else {
        eprintln!("benches/run --postgres runs this bench; see docs/performance.md");
        return ExitCode::from(if args.is_empty() { 0 } else { 2 });
    };
    let (dir, tablemap) = (std::path::absolute(dir).unwrap(), std::path::absolute(tablemap).unwrap());
    let (rows, rounds): (u64, usize) = (rows.parse().unwrap(), rounds.parse().unwrap());
    std::fs::create_dir_all(&dir).unwrap();
    eprintln!("making {rows} invoices");
    invoices::generate(&dir, rows);
    std::fs::rename(dir.join("src.db"), dir.join("kept-src.db")).unwrap();
    let cluster = Cluster::own(SETTINGS);
    let bench = Bench { dir: &dir, tablemap: &tablemap, src: cluster.database(), dst: cluster.database() };
    Sql::open(&bench.src).run(invoices::SOURCE).unwrap();
    // The amounts with both their digits, which SQLite does not keep.
    let money = |c: &str| format!("printf('%.2f', {c})");
    let load = format!(
        "set -o pipefail; sqlite3 -csv -readonly kept-src.db \"SELECT id, number, customer, status, {}, currency, date, due_date, \
         {}, {}, {}, salesperson, region, city, country, notes, created_at, modified_at, version, po_number FROM invoice\" \
         | psql -qAtX -v ON_ERROR_STOP=1 -d '{}' -c 'COPY invoice FROM STDIN (FORMAT csv)'",
        money("amount"),
        money("tax"),
        money("discount"),
        money("net"),
        bare(&bench.src)
    );
    assert!(Command::new("bash").arg("-c").arg(load).current_dir(&dir).status().unwrap().success());
    Sql::open(&bench.src).run("VACUUM ANALYZE invoice").unwrap();
    let kept = format!("SET client_min_messages = error; {}", invoices::TARGET.replace("fin_invoice", "kept"));
    Sql::open(&bench.dst).run(&kept).unwrap();
    let fill = bench.limit(Kind::Postgres, Kind::Postgres, true).replace("fin_invoice", "kept");
    assert!(Command::new("bash").arg("-c").arg(fill).current_dir(&dir).status().unwrap().success());
    println!("\n| | candidate | seconds (median) | least – most | ratio to the limit | peak memory MiB |");
    println!("|---|---|---:|---:|---:|---:|");
    let (s, p) = (Kind::Sqlite, Kind::Postgres);
    for (word, name, pair, start) in [
        ("pp", "PostgreSQL → PostgreSQL, empty", (p, p), Start::Empty),
        ("pp1", "PostgreSQL → PostgreSQL, one row there", (p, p), Start::OneRow),
        ("ppf", "PostgreSQL → PostgreSQL, all rows there", (p, p), Start::Full),
        ("sp", "SQLite → PostgreSQL, empty", (s, p), Start::Empty),
        ("sp1", "SQLite → PostgreSQL, one row there", (s, p), Start::OneRow),
        ("ps", "PostgreSQL → SQLite, empty", (p, s), Start::Empty),
    ] {
        if only.is_empty() || only.contains(&word) {
            bench.pair(name, pair, start, rounds);
        }
    }
    if only.is_empty() || only.contains(&"live") {
        bench.live(rows);
    }
    ExitCode::SUCCESS
}
