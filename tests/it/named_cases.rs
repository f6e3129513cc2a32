//! The named cases of the engine (`features`, `protocol`, `engine`), which run on two SQLite files elsewhere, with PostgreSQL
//! on both sides, once with triggers and once with a replication slot: the same tests, in a process that is told so.

use crate::cluster::{Cluster, PASSWORD, left_out};
use std::process::Command;

/// What only SQLite has, in what people write or in what is asked: REPLACE, PRAGMA, columns without types, files.
const OF_SQLITE: &[&str] = &[];

fn run(pair: &str) {
    if left_out() {
        return;
    }
    let cluster = Cluster::own(&[("max_connections", "200")]);
    // People write 1 for true.
    let truth = "UPDATE pg_cast SET castcontext = 'a' WHERE castsource = 'int4'::regtype AND casttarget = 'bool'::regtype";
    cluster.sql("postgres").run(truth).unwrap();
    let url = cluster.url("");
    let base = url.split("/?").next().unwrap_or_default();
    let mut c = Command::new(std::env::current_exe().unwrap());
    c.args(["features::", "protocol::", "engine::", "--test-threads", "4"]);
    OF_SQLITE.iter().for_each(|name| {
        c.args(["--skip", name]);
    });
    let done = c.env("TABLEMAP_TEST_PAIR", pair).env("TABLEMAP_TEST_POSTGRES", base).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("test result: ok"), "{}", said.replace(PASSWORD, "…"));
}

#[test]
fn with_triggers() {
    run("postgres");
}

#[test]
fn with_a_replication_slot() {
    run("logical");
}
