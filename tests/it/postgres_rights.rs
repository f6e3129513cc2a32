//! `grants`: a role that got what it prints, and no more, does everything that the maps ask for; and `check --live` says
//! what is missing.

use crate::cluster::{Cluster, PASSWORD, Sql, left_out};
use crate::postgres::{Side, World, customers};

/// Runs the binary as a role.
fn run_as(world: &World, role: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut c = world.command(args);
    for store in ["crm", "fin"] {
        let url = world.url(store).unwrap().replace("//tester:", &format!("//{role}:"));
        c.env(format!("{}_URL", store.to_uppercase()), url);
    }
    let done = c.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.code(), said)
}

#[test]
fn a_role_with_the_printed_rights_and_no_more() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    let world = World::new(Side::Postgres(&cluster), Side::Postgres(&cluster));
    customers(&world);
    world.insert(0, 300);
    let role = format!("engine_{}", uuid::Uuid::new_v4().simple());
    // One who was not made yet.
    assert!(world.run(&["grants", "--role", &role]).contains(&format!("CREATE ROLE \"{role}\" LOGIN;")));
    cluster.sql("postgres").run(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")).unwrap();
    let (code, said) = run_as(&world, &role, &["check", "--live"]);
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "TM1208",
        "may not SELECT on `invoice` (store `crm`, used by `invoices`)",
        &format!("let the owner run: GRANT SELECT ON \"public\".\"invoice\" TO \"{role}\""),
        &format!("CREATE SCHEMA \"tablemap\" AUTHORIZATION \"{role}\""),
        "may not INSERT (",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let told = world.run(&["grants", "--role", &role]);
    let mut store = "";
    for line in told.lines() {
        match line.strip_prefix("-- store ") {
            Some(name) => store = name.trim(),
            None if line.ends_with(';') => world.sql(store, line),
            None => {}
        }
    }
    let (_, said) = run_as(&world, &role, &["check", "--live"]);
    assert!(!said.contains("TM1208"), "{said}");
    let left = world.run(&["grants", "--role", &role, "--missing"]);
    assert!(left.contains("nothing is missing") && !left.contains("GRANT"), "{left}");
    let (code, said) = run_as(&world, &role, &["sync"]);
    assert_eq!(code, Some(0), "{said}");
    world.agrees();
    world.insert(300, 380);
    world.sql("crm", "UPDATE invoice SET amount = 77 WHERE number IN ('I1', 'I2')");
    world.sql("crm", "UPDATE invoice SET status = 0 WHERE number = 'I6'");
    world.sql("crm", "UPDATE customer SET account = 'C3new' WHERE id = 3");
    world.sql("fin", "UPDATE bill SET paid = NOT paid WHERE number IN ('I11', 'I12')");
    for _ in 0..2 {
        let (code, said) = run_as(&world, &role, &["run", "--once"]);
        assert_eq!(code, Some(0), "{said}");
    }
    world.agrees();
    // No more than that.
    let engine = |store: &str| Sql::open(&world.url(store).unwrap().replace("//tester:", &format!("//{role}:")));
    for (store, sql) in [
        ("crm", "DELETE FROM invoice WHERE number = 'I1'"),
        ("crm", "UPDATE invoice SET customer = 1 WHERE number = 'I1'"),
        ("crm", "UPDATE customer SET account = 'x'"),
        ("crm", "CREATE TABLE mine (a int)"),
        ("fin", "TRUNCATE bill"),
    ] {
        let refused = engine(store).run(sql).unwrap_err();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
    // What is taken away is told where it is missed.
    world.sql("fin", &format!("REVOKE DELETE ON bill FROM {role}"));
    let (code, said) = run_as(&world, &role, &["check", "--live"]);
    assert!(code == Some(1) && said.contains(&format!("GRANT DELETE ON \"public\".\"bill\" TO \"{role}\"")), "{said}");
    world.sql("fin", &format!("GRANT DELETE ON bill TO {role}"));
    for store in ["crm", "fin"] {
        world.sql(store, &format!("DROP OWNED BY {role} CASCADE"));
    }
    let _ = cluster.sql("postgres").run(&format!("DROP ROLE {role}"));
}
