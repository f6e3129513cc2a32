//! A server that stops in the middle of a batch: the engine gives it up after the time limit, says so, tries again, and
//! does everything once, also when the stopped process goes on later.

use crate::cluster::{Cluster, PASSWORD, Sql, left_out};
use crate::postgres::{Side, World, customers};
use std::process::Command;
use std::time::{Duration, Instant};

fn signal(name: &str, pid: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), pid]).status().unwrap().success());
}

fn wait(what: &str, seconds: u64, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !done() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_server_that_stops_in_the_middle_of_a_batch() {
    if left_out() {
        return;
    }
    let cluster = Cluster::own(&[]);
    let world = World::new(Side::Postgres(&cluster), Side::Postgres(&cluster));
    customers(&world);
    world.insert(0, 50);
    // A batch takes long enough to be met, and whoever makes a bill is counted.
    world.sql(
        "fin",
        "CREATE TABLE made (number text); \
         CREATE FUNCTION count_made() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM pg_sleep(0.01); INSERT INTO made VALUES (NEW.number); RETURN NULL; END $$; \
         CREATE TRIGGER count_made AFTER INSERT ON bill FOR EACH ROW EXECUTE FUNCTION count_made()",
    );
    world.run(&["sync"]);
    let mut engine =
        world.command(&["run"]).env("TABLEMAP_STATEMENT_SECONDS", "1").env("TABLEMAP_BUSY_MS", "500").spawn().unwrap();
    world.insert(50, 60);
    wait("the engine is not at work", 30, || world.rows("fin", "count(*)", "bill") == ["48"]);
    let fin = Sql::open(world.url("fin").unwrap());
    let writing = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tablemap' AND datname = current_database() \
                   AND backend_xid IS NOT NULL";
    for (round, (from, to)) in [(60, 200), (200, 340)].into_iter().enumerate() {
        world.insert(from, to);
        let mut pid = String::new();
        wait("nobody writes", 30, || {
            pid = fin.rows(writing).pop().unwrap_or_default();
            !pid.is_empty()
        });
        signal("STOP", &pid);
        // Longer than the limit of a statement and what is waited for the server's own answer.
        let stopped = Instant::now();
        while stopped.elapsed() < Duration::from_secs(8) {
            assert!(engine.try_wait().unwrap().is_none(), "the engine ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        // The first one goes on where it was, whatever was sent to it; the second one never comes back.
        signal(if round == 0 { "CONT" } else { "KILL" }, &pid);
        wait("the engine did not go on", 60, || {
            Sql::try_open(world.url("fin").unwrap())
                .is_ok_and(|sql| sql.rows("SELECT count(*) FROM bill") == [(to * 4 / 5).to_string()])
        });
    }
    signal("TERM", &engine.id().to_string());
    let said = engine.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.contains("did not answer within 6 s") && !said.contains(PASSWORD), "{said}");
    world.run(&["run", "--once"]);
    world.agrees();
    let made = Sql::open(world.url("fin").unwrap());
    assert_eq!(made.rows("SELECT number FROM made GROUP BY number HAVING count(*) <> 1"), Vec::<String>::new());
    assert_eq!(made.rows("SELECT count(*) FROM made"), ["272"]);
}
