//! The real process, killed with SIGKILL at seeded moments of `sync` and of `run`, before, in and after COMMIT, ends
//! where an undisturbed run ends; the progress is read by SQL from the target.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PROJECT: &str = "
name: kill
stores:
  src: { kind: sqlite, path: src.db, schema: src.schema.yaml }
  dst: { kind: sqlite, path: dst.db, schema: dst.schema.yaml }
maps: [\"*.tmap\"]
";

const SRC: &str = "
store: src
tables:
  invoice:
    primary_key: [id]
    columns:
      id: text(36)
      number: { type: text(20), required: true }
      customer: { type: integer, lookup: customer }
      amount: decimal(18,2)
      status: integer
    alternate_keys: [[number]]
  customer:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      account: { type: text(20), required: true }
    alternate_keys: [[account]]
";

const DST: &str = "
store: dst
tables:
  fin:
    primary_key: [number]
    columns:
      number: { type: text(20), required: true }
      account: text(20)
      amount: decimal(18,2)
      note: text(20)
  notes:
    primary_key: [number]
    columns:
      number: { type: text(20), required: true }
      note: text(20)
";

const MAPS: &str = "
map \"Invoices\" {
  id invoices
  tables dst.fin <-> src.invoice
  operations left: create, update, delete
  operations right: update
  key number = number
  filter right: status > 0
  on exit left: delete
  initial right wins
  conflict right wins
  fields {
    account < customer.account
    amount  = amount
  }
}

map \"Notes\" {
  id notes
  tables dst.notes <- dst.fin
  operations left: create, update, delete
  key number = number
  fields {
    note << concat('n', number)
  }
}
";

/// How often a process died at which place of the protocol.
#[derive(Debug, Default)]
struct Kills {
    before: u32,
    inside: u32,
    after: u32,
    finished: u32,
    early: u32,
}

struct Rng(u64);
impl Rng {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn tablemap(dir: &Path) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
    c.arg("-C").arg(dir).env("TABLEMAP_CHUNK_ROWS", "150").env("TABLEMAP_LIVE_ROWS", "40");
    c.stdout(Stdio::null()).stderr(Stdio::piped());
    c
}

fn finish(dir: &Path, args: &[&str]) {
    let out = tablemap(dir).args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Starts the command, waits for the `n`th word in its points file, waits `delay`, kills. Says where it died.
fn kill_at(dir: &Path, args: &[&str], word: &str, n: usize, delay: Duration, kills: &mut Kills) {
    let points = dir.join("points");
    let _ = std::fs::remove_file(&points);
    let mut child = tablemap(dir).args(args).env("TABLEMAP_POINTS", &points).spawn().unwrap();
    let started = Instant::now();
    let mut text = String::new();
    loop {
        text.clear();
        if let Ok(mut f) = std::fs::File::open(&points) {
            let _ = f.read_to_string(&mut text);
        }
        if text.lines().filter(|l| *l == word).count() >= n {
            break;
        }
        if child.try_wait().unwrap().is_some() || started.elapsed() > Duration::from_secs(60) {
            break;
        }
    }
    let until = Instant::now() + delay;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    let ended = child.try_wait().unwrap();
    let _ = child.kill();
    let status = child.wait().unwrap();
    if ended.is_some() {
        assert!(status.success() || status.code().is_none(), "{args:?} failed by itself: {status:?}");
        kills.finished += 1;
        return;
    }
    let text = std::fs::read_to_string(&points).unwrap_or_default();
    match text.lines().last() {
        Some("in commit") => kills.inside += 1,
        Some("after commit") => kills.after += 1,
        Some("in transaction" | "before commit") => kills.before += 1,
        // Dead before its first transaction: no kill at all as far as the protocol goes.
        _ => kills.early += 1,
    }
}

fn database(path: &Path) -> rusqlite::Connection {
    let c = rusqlite::Connection::open(path).unwrap();
    c.busy_timeout(Duration::from_secs(10)).unwrap();
    c
}

fn dump(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for (db, sql) in [
        ("dst.db", "select number || '|' || ifnull(account,'-') || '|' || ifnull(amount,'-') from fin order by 1"),
        ("dst.db", "select number || '|' || note from notes order by 1"),
        ("src.db", "select number || '|' || amount || '|' || status from invoice order by 1"),
        ("dst.db", "select 'quarantine ' || message from _tablemap_quarantine"),
        ("src.db", "select 'quarantine ' || message from _tablemap_quarantine"),
    ] {
        let c = database(&dir.join(db));
        let mut s = c.prepare(sql).unwrap();
        let rows: Vec<String> = s.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
        all.extend(rows);
    }
    all
}

fn seed(dir: &Path) {
    for (name, text) in
        [("tablemap.yaml", PROJECT), ("src.schema.yaml", SRC), ("dst.schema.yaml", DST), ("maps.tmap", MAPS)]
    {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let c = database(&dir.join("src.db"));
    c.execute_batch(
        "create table customer(id integer primary key, account text not null unique);
         create table invoice(id text primary key not null, number text not null unique, customer integer, amount text, status integer);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 50)
           insert into customer select i, 'C' || i from n;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
           insert into invoice select printf('%08x', (i * 2654435761) % 4294967296), 'N' || i, 1 + i % 50,
             printf('%d.%02d', i, i % 100), i % 7 from n;",
    )
    .unwrap();
    let c = database(&dir.join("dst.db"));
    c.execute_batch(
        "create table fin(number text primary key not null, account text, amount text, note text);
         create table notes(number text primary key not null, note text);",
    )
    .unwrap();
}

/// People at work on both sides.
fn change(dir: &Path, round: i64) {
    let c = database(&dir.join("src.db"));
    c.execute_batch(&format!(
        "update invoice set amount = printf('%d.5', rowid) where rowid % 11 = {round};
         update invoice set status = 1 - min(status, 1) where rowid % 13 = {round};
         delete from invoice where rowid % 97 = {round};
         update customer set account = 'K{round}-' || id where id % 9 = {round};
         insert into invoice select printf('new%d-%d', {round}, id), 'R{round}-' || id, id, '1', 1 from customer;",
    ))
    .unwrap();
    let c = database(&dir.join("dst.db"));
    c.execute_batch(&format!("update fin set amount = '77.{round}' where rowid % 17 = {round};")).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment_it_ends_where_an_undisturbed_run_ends() {
    let root = tempfile::tempdir().unwrap();
    let start = root.path().join("start");
    std::fs::create_dir_all(&start).unwrap();
    seed(&start);

    // Undisturbed.
    let calm = root.path().join("calm");
    copy(&start, &calm);
    finish(&calm, &["sync"]);
    let after_sync = dump(&calm);
    assert!(after_sync.len() > 7000, "{}", after_sync.len());

    let seed = std::env::var("TABLEMAP_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_120);
    let mut rng = Rng(seed);
    let mut kills = Kills::default();
    let words = ["in transaction", "before commit", "in commit", "after commit"];
    let mut total = 0;
    let mut round = 0;
    while kills.before + kills.inside + kills.after < 50 || kills.before < 5 || kills.inside < 5 || kills.after < 5 {
        round += 1;
        assert!(round < 60, "not enough kills at every place with seed {seed}: {kills:?}");
        let wild = root.path().join(format!("wild{round}"));
        copy(&start, &wild);
        // Several kills of one sync, each resumed.
        for _ in 0..4 {
            let word = words[rng.below(4) as usize];
            let n = 1 + rng.below(9) as usize;
            kill_at(&wild, &["sync"], word, n, Duration::from_micros(rng.below(400)), &mut kills);
            total += 1;
            // What is committed is whole: progress and rows moved together.
            let c = database(&wild.join("dst.db"));
            let integrity: String = c.query_row("pragma integrity_check", [], |r| r.get(0)).unwrap();
            assert_eq!(integrity, "ok");
        }
        finish(&wild, &["run", "--once"]);
        finish(&wild, &["sync"]);
        assert_eq!(dump(&wild), after_sync, "after sync, seed {seed}, round {round}");

        // The same with live changes.
        let (mut expected, tag) = (Vec::new(), rng.below(7) as i64);
        for (dir, disturbed) in [(&calm, false), (&wild, true)] {
            let copy_of = root.path().join(format!("live{round}{disturbed}"));
            checkpoint(dir);
            copy(dir, &copy_of);
            change(&copy_of, tag);
            if disturbed {
                for _ in 0..4 {
                    let word = words[rng.below(4) as usize];
                    let n = 1 + rng.below(9) as usize;
                    kill_at(&copy_of, &["run", "--once"], word, n, Duration::from_micros(rng.below(400)), &mut kills);
                    total += 1;
                }
            }
            finish(&copy_of, &["run", "--once"]);
            let c = database(&copy_of.join("dst.db"));
            let state: String = c
                .query_row("select group_concat(phase || ' ' || state) from _tablemap_progress", [], |r| r.get(0))
                .unwrap();
            assert!(!state.contains("initial"), "{state}");
            match disturbed {
                false => expected = dump(&copy_of),
                true => assert_eq!(dump(&copy_of), expected, "after run, seed {seed}, round {round}"),
            }
        }
    }
    println!("seed {seed}: {total} kills, {kills:?}");
}

fn checkpoint(dir: &Path) {
    for db in ["src.db", "dst.db"] {
        let c = database(&dir.join(db));
        c.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    }
}
