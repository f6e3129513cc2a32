//! The real `tablemap run`, and what other processes do to it and to its stores meanwhile.

use crate::cli::{Done, tablemap};
use rusqlite::Connection;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A project of one map from `a.s` into `b.t`.
struct Site {
    dir: tempfile::TempDir,
}

/// `tablemap run`, ended with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const MAP: &str = "map \"M\" {\n  id m\n  label zh-CN '映射'\n  label bg 'Карта на таблица'\n  label da 'Tabelkort (æøå)'\n  label lv 'Tabulu karte'\n  label fi 'Taulukartta (ä)'\n  tables b.t <- a.s\n  key ID = id\n  fields { V < v }\n}\n";

impl Site {
    fn new(statements: &str) -> Site {
        let site = Site { dir: tempfile::tempdir().unwrap() };
        let column = "id: { type: integer, required: true }\n      v: text(9)\n";
        site.write(
            "a.schema.yaml",
            &format!(
                "store: a\ntables:\n  s:\n    filled: elsewhere\n    primary_key: [id]\n    columns:\n      {column}"
            ),
        );
        site.write(
            "b.schema.yaml",
            &format!(
                "store: b\ntables:\n  t:\n    primary_key: [ID]\n    columns:\n      {}",
                column.replace("id", "ID").replace("v:", "V:")
            ),
        );
        site.write("m.tmap", &MAP.replace("  key", &format!("  {statements}\n  key")));
        site.write(
            "tablemap.yaml",
            "stores:\n  a: { kind: sqlite, path: \"${TABLEMAP_TEST_DIR}/a.db\", schema: a.schema.yaml }\n  b: { kind: sqlite, path: b.db, schema: b.schema.yaml }\nmaps: [\"*.tmap\"]\n",
        );
        site.open("a")
            .execute_batch("pragma journal_mode = wal; create table s(id integer primary key, v text)")
            .unwrap();
        site.open("b")
            .execute_batch("pragma journal_mode = wal; create table t(ID integer primary key, V text)")
            .unwrap();
        site
    }
    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }
    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }
    fn open(&self, store: &str) -> Connection {
        let c = Connection::open(self.path(&format!("{store}.db"))).unwrap();
        c.busy_timeout(Duration::from_secs(5)).unwrap();
        c
    }
    fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
        c.env("TABLEMAP_TEST_DIR", self.dir.path())
            .env("TABLEMAP_BUSY_MS", "300")
            .arg("-C")
            .arg(self.dir.path())
            .args(args);
        c
    }
    fn run(&self, args: &[&str]) -> Done {
        let o = self.command(args).output().unwrap();
        Done {
            code: o.status.code().unwrap_or(-1),
            out: String::from_utf8(o.stdout).unwrap(),
            err: String::from_utf8(o.stderr).unwrap(),
        }
    }
    fn daemon(&self) -> Daemon {
        let log = std::fs::File::create(self.path("run.log")).unwrap();
        let d = Daemon(self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        wait("the start", || self.state() == "running");
        d
    }
    fn state(&self) -> String {
        let status = self.run(&["status", "--format", "json"]);
        if status.code != 0 {
            return String::new();
        }
        status.json()["legs"][0]["state"].as_str().unwrap_or_default().to_string()
    }
    fn log(&self) -> String {
        std::fs::read_to_string(self.path("run.log")).unwrap()
    }
}

fn wait(what: &str, done: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
    began.elapsed()
}

fn v(c: &Connection, id: i64) -> Option<String> {
    use rusqlite::OptionalExtension;
    c.query_row("select V from t where ID = ?1", [id], |r| r.get::<_, Option<String>>(0)).optional().unwrap().flatten()
}

fn terminate(d: &mut Daemon) -> Option<i32> {
    assert!(Command::new("kill").args(["-TERM", &d.0.id().to_string()]).status().unwrap().success());
    wait("the end", || {
        std::fs::read_to_string(format!("/proc/{}/stat", d.0.id())).map_or(true, |s| s.contains(") Z "))
    });
    d.0.wait().unwrap().code()
}

#[test]
fn a_commit_wakes_it_and_a_signal_ends_it_softly() {
    let site = Site::new("");
    let (a, b) = (site.open("a"), site.open("b"));
    let mut d = site.daemon();
    let mut times = vec![];
    for i in 0..10 {
        a.execute("insert into s values (?1, 'x')", [i]).unwrap();
        times.push(wait("a row", || v(&b, i).is_some()));
        std::thread::sleep(Duration::from_millis(15));
    }
    times.sort();
    eprintln!("from commit to commit: median {:?}, worst {:?}", times[5], times[9]);
    assert!(times[5] < Duration::from_secs(1), "{times:?}");
    // Two engines: the second is refused, by name of the first; looking is allowed.
    site.run(&["run", "--once"]).says(1, &[&format!("process {}", d.0.id())]);
    assert_eq!(site.state(), "running");
    // A signal in the middle of a load: what is done is done whole, the rest comes later.
    a.execute_batch("with recursive n(i) as (select 100 union all select i + 1 from n where i < 30000) insert into s select i, 'y' from n").unwrap();
    assert_eq!(terminate(&mut d), Some(0), "{}", site.log());
    site.run(&["run", "--once"]).says(0, &[]);
    let n: i64 = b.query_row("select count(*) from t", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 29_911);
}

#[test]
fn pause_resume_and_stop_are_obeyed_while_it_runs() {
    let site = Site::new("");
    let (a, b) = (site.open("a"), site.open("b"));
    let _d = site.daemon();
    site.run(&["pause", "Tabelkort (æøå)"]).says(0, &["m: paused"]);
    a.execute("insert into s values (1, 'x')", []).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(v(&b, 1), None);
    let status = site.run(&["status", "--format", "json"]).json();
    assert_eq!((status["legs"][0]["state"].as_str(), status["legs"][0]["pending"].as_u64()), (Some("paused"), Some(1)));
    for label in ["映射", "Карта на таблица", "Tabulu karte", "Taulukartta (ä)"] {
        site.run(&["status", label]).says(0, &["paused"]);
    }
    site.run(&["resume", "m"]).says(0, &["m: running"]);
    let took = wait("the row after resume", || v(&b, 1).is_some());
    assert!(took < Duration::from_secs(3), "{took:?}");
    site.run(&["stop", "m"]).says(0, &["m: stopped"]);
    a.execute("insert into s values (2, 'x')", []).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!((v(&b, 2), site.state().as_str()), (None, "stopped"));
    site.run(&["resume", "m"]).says(1, &["tablemap sync m"]);
}

#[test]
fn edited_maps_take_over_while_it_runs() {
    let site = Site::new("");
    let (a, b) = (site.open("a"), site.open("b"));
    a.execute("insert into s values (1, 'x')", []).unwrap();
    let mut d = site.daemon();
    wait("the first row", || v(&b, 1).is_some());
    let good = std::fs::read_to_string(site.path("m.tmap")).unwrap();
    // With an error in it the map before goes on.
    site.write("m.tmap", &good.replace("V < v", "V < vv"));
    wait("the finding", || site.log().contains("the maps before go on"));
    assert!(site.log().contains("TM0203"), "{}", site.log());
    a.execute("insert into s values (2, 'y')", []).unwrap();
    wait("the second row", || v(&b, 2).as_deref() == Some("y"));
    // A sound one takes over; rows that do not change stay.
    site.write("m.tmap", &good.replace("V < v", "V << upper(v)"));
    wait("the edited map", || site.log().contains("edited: m"));
    a.execute("insert into s values (3, 'z')", []).unwrap();
    wait("the third row", || v(&b, 3).as_deref() == Some("Z"));
    assert_eq!(v(&b, 1).as_deref(), Some("x"));
    site.run(&["status"]).says(0, &["edited since the last copy: m"]);
    // A new map is copied and runs, an old one ends.
    b.execute_batch("create table u(ID integer primary key, V text)").unwrap();
    let schema = std::fs::read_to_string(site.path("b.schema.yaml")).unwrap();
    let table = schema.split_once("  t:").unwrap().1;
    site.write("b.schema.yaml", &format!("{schema}  u:{table}"));
    site.write("n.tmap", "map \"N\" {\n  id n\n  tables b.u <- a.s\n  key ID = id\n  fields { V < v }\n}\n");
    wait("the new map", || site.log().contains("added: n"));
    let in_u = || b.query_row("select count(*) from u", [], |r| r.get::<_, i64>(0)).unwrap();
    wait("its rows", || in_u() == 3);
    std::fs::remove_file(site.path("n.tmap")).unwrap();
    wait("its end", || site.log().contains("removed: n"));
    // Nothing is lost while maps take over from each other.
    for i in 10..400 {
        a.execute("insert into s values (?1, 'w')", [i]).unwrap();
        if i % 130 == 0 {
            let into = if i % 260 == 0 { "V << lower(v)" } else { "V << upper(v)" };
            site.write("m.tmap", &good.replace("V < v", into));
        }
        std::thread::sleep(Duration::from_millis(8));
    }
    wait("all rows", || b.query_row("select count(*) from t", [], |r| r.get::<_, i64>(0)).unwrap() == 393);
    assert_eq!(in_u(), 3);
    assert_eq!(terminate(&mut d), Some(0), "{}", site.log());
    let changed: usize = site.log().matches("edited: m").count();
    assert!(changed >= 2, "{}", site.log());
}

#[test]
fn a_schedule_fires_and_errors_are_retried_by_command() {
    let site = Site::new("run every 1s");
    let (a, b) = (site.open("a"), site.open("b"));
    a.execute("insert into s values (1, 'x'), (2, 'y')", []).unwrap();
    b.execute_batch("create trigger no before insert on t when new.ID = 2 begin select raise(abort, 'not now'); end")
        .unwrap();
    let _d = site.daemon();
    wait("the first turn", || v(&b, 1).is_some());
    a.execute("update s set v = 'z' where id = 1", []).unwrap();
    wait("the next turn", || v(&b, 1).as_deref() == Some("z"));
    b.execute_batch("drop trigger no").unwrap();
    site.run(&["errors", "list"]).says(0, &["failed", "id=2"]);
    site.run(&["errors", "retry", "--all"]).says(0, &["1 record is tried again"]);
    wait("the retried record", || v(&b, 2).is_some());
    site.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
}

#[test]
fn a_locked_target_is_the_stores_trouble_not_the_records() {
    let site = Site::new("");
    let (a, b) = (site.open("a"), site.open("b"));
    site.run(&["sync"]).says(0, &[]);
    a.execute("insert into s values (1, 'x')", []).unwrap();
    // Somebody holds the target longer than the engine waits.
    b.execute_batch("begin immediate; update t set V = V").unwrap();
    for command in [["run", "--once"].as_slice(), &["sync"]] {
        let done = site.run(command);
        done.says(3, &["store `b` cannot be reached", "locked", "end what writes to it"]);
        assert!(done.out.is_empty() || !done.out.contains("created"), "{}", done.out);
    }
    b.execute_batch("rollback").unwrap();
    site.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
    // The daemon waits for it.
    let mut d = site.daemon();
    wait("the row", || v(&b, 1).is_some());
    b.execute_batch("begin immediate; update t set V = V").unwrap();
    a.execute("insert into s values (2, 'x')", []).unwrap();
    wait("the note", || site.log().contains("cannot be reached"));
    b.execute_batch("rollback").unwrap();
    wait("the row after the lock", || v(&b, 2).is_some());
    wait("the second note", || site.log().contains("reached again"));
    // A table that goes away ends it with words, and it goes on when the table is back.
    a.execute("insert into s values (3, 'x')", []).unwrap();
    wait("the third row", || v(&b, 3).is_some());
    b.execute_batch("alter table t rename to gone").unwrap();
    a.execute("insert into s values (4, 'x')", []).unwrap();
    let status = d.0.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{}", site.log());
    assert!(site.log().contains("store `b`") && site.log().contains('t'), "{}", site.log());
    b.execute_batch("alter table gone rename to t").unwrap();
    site.run(&["run", "--once"]).says(0, &[]);
    assert_eq!(v(&b, 4).as_deref(), Some("x"));
}

#[test]
fn a_variable_that_is_not_set_and_a_store_that_is_not_there() {
    let site = Site::new("");
    let done = tablemap(&["-C", site.dir.path().to_str().unwrap(), "sync"]);
    done.says(3, &["TABLEMAP_TEST_DIR", "not set"]);
    tablemap(&["-C", site.dir.path().to_str().unwrap(), "check"]).says(0, &[]);
    std::fs::remove_file(site.path("b.db")).unwrap();
    site.run(&["sync"]).says(3, &["store `b`", "does not exist"]);
}

#[test]
fn a_store_that_may_not_be_changed_is_polled() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.path("tablemap.yaml")).unwrap();
    let polled = |settings: &str| {
        site.write("tablemap.yaml", &text.replace("a.schema.yaml }", &format!("a.schema.yaml, poll: {settings} }}")));
    };
    polled("{ every: 5s, modified: { S: id, s: w } }");
    let unknown = ["the store has no table `S`", "table `s` has no column `w`"];
    site.run(&["check", "--format", "concise"]).says(1, &unknown);
    polled("{ every: 20ms }");
    let (a, b) = (site.open("a"), site.open("b"));
    a.execute_batch("pragma journal_mode = delete; insert into s values (1, 'x'), (2, 'y')").unwrap();
    site.run(&["sync"]).says(0, &[]);
    assert_eq!((v(&b, 1), v(&b, 2)), (Some("x".into()), Some("y".into())));
    a.execute_batch("update s set v = 'z' where id = 1; delete from s where id = 2").unwrap();
    site.run(&["run", "--once"]).says(0, &[]);
    assert_eq!((v(&b, 1), v(&b, 2)), (Some("z".into()), None));
    let _d = site.daemon();
    a.execute("insert into s values (3, 'new')", []).unwrap();
    wait("a row found by a look", || v(&b, 3).is_some());
    let left: String = a.query_row("select group_concat(name) from sqlite_master", [], |r| r.get(0)).unwrap();
    let mode: String = a.query_row("pragma journal_mode", [], |r| r.get(0)).unwrap();
    assert_eq!((left.as_str(), mode.as_str()), ("s", "delete"), "nothing is put into it");
    // Nothing may be written to it either, and the checker says so.
    polled("{}");
    let map = std::fs::read_to_string(site.path("m.tmap")).unwrap();
    site.write("m.tmap", &map.replace("b.t <- a.s", "b.t -> a.s").replace("V < v", "V > v"));
    site.run(&["check", "--format", "concise"]).says(1, &["read-only"]);
}
