//! `run` between two databases while people write on both sides, its connections are cut every second and the server is
//! killed and started every ten; at the end both sides say the same, and every record was made once.
//!
//! Once with triggers, once with a replication slot, each for half of the time. `TABLEMAP_TORTURE_SECONDS=180` lets it run that long.

use crate::cluster::{Cluster, PASSWORD, Sql, left_out};
use crate::postgres::{Side, World, customers};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tablemap'";

/// Statements of one person, again where the server was away; transactions are whole or nothing.
fn write(url: &str, stop: &AtomicBool, mut next: impl FnMut(u64) -> String) {
    let (mut n, mut sql) = (0, None);
    while !stop.load(Ordering::Relaxed) {
        let connection: &Sql = match &sql {
            Some(c) => c,
            None => match Sql::try_open(url) {
                Ok(c) => sql.insert(c),
                Err(_) => {
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                }
            },
        };
        match connection.run(&next(n)) {
            Ok(()) => n += 1,
            // Refused or cut: it may have been committed all the same, and does no harm again.
            Err(_) => sql = None,
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

#[test]
fn cuts_and_restarts_under_load() {
    torture("");
}

#[test]
fn cuts_and_restarts_with_a_replication_slot() {
    torture("&capture=logical");
}

fn torture(way: &'static str) {
    if left_out() {
        return;
    }
    let seconds = std::env::var("TABLEMAP_TORTURE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(30u64);
    tortured(&mut Cluster::own(&[("fsync", "on")]), way, seconds / 2);
}

fn tortured(cluster: &mut Cluster, way: &'static str, seconds: u64) {
    let world = World { way, ..World::new(Side::Postgres(cluster), Side::Postgres(cluster)) };
    customers(&world);
    world.insert(0, 400);
    // Whoever makes a bill is counted.
    world.sql(
        "fin",
        "CREATE TABLE made (number text, op text); \
         CREATE FUNCTION count_made() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO made VALUES (coalesce(NEW.number, OLD.number), TG_OP); RETURN NULL; END $$; \
         CREATE TRIGGER count_made AFTER INSERT OR DELETE ON bill FOR EACH ROW EXECUTE FUNCTION count_made()",
    );
    world.run(&["sync"]);
    let mut engine = world.command(&["run"]).spawn().unwrap();
    // Until it is at work: one that cannot begin ends.
    world.insert(400, 405);
    let begun = Instant::now();
    while world.rows("fin", "count(*)", "bill") != ["324"] && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let stop = AtomicBool::new(false);
    let (crm, fin) = (world.url("crm").unwrap().clone(), world.url("fin").unwrap().clone());
    let mut early = false;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write(&crm, &stop, |n| {
                format!(
                    "INSERT INTO invoice (id, number, customer, amount, status, issued, paid) \
                     SELECT md5('n{n}-' || i)::uuid, 'N{n}-' || i, i % 7, i, 1, '2026-02-01', false \
                     FROM generate_series(1, 3) i ON CONFLICT DO NOTHING"
                )
            });
        });
        scope.spawn(|| {
            write(&crm, &stop, |n| {
                format!(
                    "UPDATE invoice SET amount = {n} WHERE number IN ('I{}', 'I{}', 'I{}')",
                    n * 7 % 400,
                    n * 3 % 400,
                    n % 50
                )
            });
        });
        scope.spawn(|| {
            write(&fin, &stop, |n| format!("UPDATE bill SET paid = NOT paid WHERE number = 'I{}'", n * 11 % 400))
        });
        let began = Instant::now();
        let mut restarted = Instant::now();
        while began.elapsed() < Duration::from_secs(seconds) {
            std::thread::sleep(Duration::from_secs(1));
            if restarted.elapsed() >= Duration::from_secs(10) {
                cluster.stop("QUIT");
                std::thread::sleep(Duration::from_millis(200));
                cluster.start();
                restarted = Instant::now();
            } else if let Ok(sql) = Sql::try_open(&cluster.url("postgres")) {
                let _ = sql.run(CUT);
            }
            early |= engine.try_wait().unwrap().is_some();
            if early {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    if !early {
        Command::new("kill").arg(engine.id().to_string()).status().unwrap();
    }
    let said = engine.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(!early, "the engine ended: {said}");
    assert!(!said.contains(PASSWORD), "{said}");
    for _ in 0..3 {
        world.run(&["run", "--once"]);
    }
    world.agrees();
    let twice = "SELECT number FROM made GROUP BY number HAVING count(*) <> 1";
    assert_eq!(Sql::open(&fin).rows(twice), Vec::<String>::new(), "{said}");
    let made = world.rows("fin", "count(*)", "bill")[0].parse::<u64>().unwrap();
    assert!(made > 400, "nobody came to write: {made} rows");
    let open = world.run(&["errors", "list"]);
    assert!(!open.contains("TM90"), "{open}");
}
