//! Named cases of the engine, which run on two SQLite files elsewhere, with PostgreSQL on one side and on both, with
//! triggers and with a replication slot: the same tests, in a process that is told so. With
//! `TABLEMAP_TEST_PAIR=postgres TABLEMAP_TEST_POSTGRES=postgres://USER:PASSWORD@HOST:PORT` others can be asked, too.

use crate::cluster::{Cluster, PASSWORD, left_out};
use std::process::Command;

/// What only SQLite has, in what people write or in what is expected: REPLACE, columns that hold anything, row numbers.
const OF_SQLITE: &[&str] = &["bad_records", "replace", "two_way_a_primary_key_used_again", "an_edit_that_comes_after"];

fn run(pair: &str, names: &[&str]) {
    if left_out() {
        return;
    }
    let cluster = Cluster::own(&[("max_connections", "200")]);
    // People write 1 for true.
    let truth =
        "UPDATE pg_cast SET castcontext = 'a' WHERE castsource = 'int4'::regtype AND casttarget = 'bool'::regtype";
    cluster.sql("postgres").run(truth).unwrap();
    let url = cluster.url("");
    let base = url.split("/?").next().unwrap_or_default();
    let mut c = Command::new(std::env::current_exe().unwrap());
    c.args(names).args(["--test-threads", "4"]);
    OF_SQLITE.iter().for_each(|name| {
        c.args(["--skip", name]);
    });
    let done = c.env("TABLEMAP_TEST_PAIR", pair).env("TABLEMAP_TEST_POSTGRES", base).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("test result: ok"), "{}", said.replace(PASSWORD, "…"));
}

#[test]
fn with_triggers() {
    run("postgres", &["engine::", "features::identity::", "features::references::", "features::lookups::"]);
}

#[test]
fn from_postgres_into_sqlite() {
    run("postgres-sqlite", &["engine::"]);
}

#[test]
fn with_a_replication_slot() {
    run("logical", &["engine::two_way", "engine::references", "engine::the_winner", "engine::a_changed_key"]);
}
