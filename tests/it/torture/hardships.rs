//! Signals, a second engine, and a disk that is full.

use super::world::Site;
use super::writers::Writers;
use super::{Running, seed, settle};
use std::process::Command;
use std::time::{Duration, Instant};

fn signal(engine: &Running, name: &str) {
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success(), "kill -{name}");
}

fn log(site: &Site) -> String {
    std::fs::read_to_string(site.dir.join("run.log")).unwrap_or_default()
}

/// How often the project was taken over, by store.
fn epochs(site: &Site) -> Vec<i64> {
    let epoch = |s: &str| site.rows(s, "select max(epoch) from _tablemap_lease")[0][0].parse().unwrap();
    ["a", "b"].map(epoch).into()
}

/// Asked to end while writers are at work: what it began it finishes, and it ends with 0.
#[test]
fn asked_to_end_it_ends_with_0_under_writers() {
    let root = tempfile::tempdir().unwrap();
    let site = Site::new(&root.path().join("site"), 300);
    assert_eq!(site.run(&["sync"]).0, 0);
    let writers = Writers::start(&site, &["a", "b"], seed() + 2, Duration::from_millis(40), 300);
    for n in 0..4 {
        let mut engine = Running::start(&site, &["run"], &[]);
        // Before it says so it does not listen yet.
        let began = Instant::now();
        while log(&site).matches("running 4 maps").count() <= n {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not start\n{}", log(&site));
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(150 * n as u64));
        signal(&engine, "TERM");
        let began = Instant::now();
        while engine.0.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not end\n{}", log(&site));
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(engine.0.wait().unwrap().code(), Some(0), "{}", log(&site));
    }
    let last = writers.end();
    settle(&site, &last);
}

/// Stopped like a laptop that is closed, taken over by an engine elsewhere, and woken up: the one that was taken over
/// does no harm, and says why it ends.
#[test]
fn taken_over_while_it_was_stopped() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("site");
    let site = Site::new(&data, 300);
    assert_eq!(site.run(&["sync"]).0, 0);
    let writers = Writers::start(&site, &["a", "b"], seed() + 3, Duration::from_millis(40), 300);
    let mut sites = vec![site];
    let mut engine = Running::start(&sites[0], &["run"], &[]);
    for n in 1..=3 {
        std::thread::sleep(Duration::from_millis(400 + 130 * n));
        // Another folder: the lock of the first does not hold there.
        let next = Site::beside(&root.path().join(format!("beside{n}")), &data);
        let before = epochs(&next);
        signal(&engine, "STOP");
        let mut other = Running::start(&next, &["run"], &[]);
        let began = Instant::now();
        while epochs(&next).iter().zip(&before).any(|(now, before)| now <= before) {
            if other.0.try_wait().unwrap().is_some() {
                // The one that sleeps holds a store locked: it has to finish its transaction first.
                assert!(log(&next).contains("locked"), "{}", log(&next));
                signal(&engine, "CONT");
                std::thread::sleep(Duration::from_millis(200));
                signal(&engine, "STOP");
                other = Running::start(&next, &["run"], &[]);
                continue;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not take over\n{}", log(&next));
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        signal(&engine, "CONT");
        let began = Instant::now();
        while engine.0.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(30), "the one taken over goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
        let old = sites.last().unwrap();
        assert_eq!(engine.0.wait().unwrap().code(), Some(1), "{}", log(old));
        assert!(log(old).contains("another engine has taken over project `torture`"), "{}", log(old));
        engine = other;
        sites.push(next);
    }
    let last = writers.end();
    signal(&engine, "TERM");
    assert_eq!(engine.0.wait().unwrap().code(), Some(0), "{}", log(&sites[3]));
    settle(&sites[3], &last);
}

/// Files may not grow: the run ends with words, no record is blamed, and what was written is whole.
#[test]
fn a_disk_that_is_full_is_no_records_fault() {
    let root = tempfile::tempdir().unwrap();
    let site = Site::new(&root.path().join("site"), 20);
    assert_eq!(site.run(&["sync"]).0, 0);
    site.open("a")
        .execute_batch(
            "with recursive n(i) as (select 100 union all select i + 1 from n where i < 4000)
               insert into orders select i, 'O' || i, 'order ' || i, '1.25', 1, null, null from n",
        )
        .unwrap();
    for store in ["a", "b"] {
        site.open(store).query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    }
    let mut refused = 0;
    for kib in [8, 64, 200, 300] {
        // Without the signal that ends a process whose file grows too large, the write fails.
        let run = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" -C \"$1\" run --once");
        let mut c = Command::new("bash");
        c.args(["-c", &run, env!("CARGO_BIN_EXE_tablemap")]).arg(&site.dir);
        let o = c.output().unwrap();
        let said = String::from_utf8(o.stderr).unwrap();
        if o.status.code() != Some(0) {
            refused += 1;
            assert_eq!(o.status.code(), Some(3), "{kib} KiB: {:?} {said}", o.status);
            assert!(said.contains("store `"), "{said}");
        }
        for store in ["a", "b"] {
            assert_eq!(site.rows(store, "pragma integrity_check"), [["ok"]]);
        }
        assert!(site.rows("b", "select message from _tablemap_quarantine").is_empty());
    }
    assert!(refused > 0, "the files were small enough");
    assert_eq!(site.run(&["run", "--once"]).0, 0);
    assert_eq!(site.differences(), Vec::<String>::new());
}
