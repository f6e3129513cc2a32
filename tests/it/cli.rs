//! The real binary: exit codes, JSON shapes, what it says to people.

use assert_cmd::Command;
use rusqlite::Connection;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A project made by `init`.
pub struct Project {
    dir: tempfile::TempDir,
}

/// What a command did.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }
    #[track_caller]
    pub fn says(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        for part in parts {
            assert!(self.out.contains(part) || self.err.contains(part), "no `{part}` in\n{}\n{}", self.out, self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

pub fn tablemap(args: &[&str]) -> Done {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tablemap")).env("TABLEMAP_BUSY_MS", "300").args(args).output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Project {
    pub fn new() -> Project {
        let dir = tempfile::tempdir().unwrap();
        tablemap(&["init", dir.path().to_str().unwrap()]).says(0, &["tablemap check"]);
        Project { dir }
    }
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }
    pub fn run(&self, args: &[&str]) -> Done {
        let mut all = vec!["-C", self.dir.path().to_str().unwrap()];
        all.extend(args);
        tablemap(&all)
    }
    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }
    pub fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(file), bytes).unwrap();
    }
    /// Replaces a piece of a file, which must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{from}");
        self.write(file, text.replacen(from, to, 1));
    }
    pub fn sql(&self, store: &str, sql: &str) -> rusqlite::Result<()> {
        Connection::open(self.path(&format!("data/{store}.db"))).unwrap().execute_batch(sql)
    }
    pub fn query(&self, store: &str, sql: &str) -> String {
        let conn = Connection::open(self.path(&format!("data/{store}.db"))).unwrap();
        conn.query_row(sql, [], |r| r.get::<_, rusqlite::types::Value>(0)).map(|v| format!("{v:?}")).unwrap()
    }
}

fn keys(object: &Json) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

const COUNTS: &[&str] = &[
    "map",
    "into",
    "read",
    "filtered_out",
    "created",
    "updated",
    "deleted",
    "unchanged",
    "parked",
    "quarantined",
    "seconds",
];

#[test]
fn every_command_helps_with_examples() {
    let help = tablemap(&["--help"]);
    help.says(0, &["demo", "init", "check", "Exit codes"]);
    let listed = help.out.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    let mut n = 0;
    for command in listed.filter_map(|l| l.split_whitespace().next()).filter(|c| *c != "help") {
        tablemap(&[command, "--help"]).says(0, &["Usage: tablemap", "Examples:"]);
        n += 1;
    }
    assert!(n >= 15, "{n}");
    for (command, action) in [("errors", "list"), ("errors", "retry"), ("guard", "install")] {
        tablemap(&[command, action, "--help"]).says(0, &["Examples:"]);
    }
    tablemap(&["completions", "bash"]).says(0, &["_tablemap()"]);
    tablemap(&["--version"]).says(0, &["tablemap "]);
    tablemap(&["frobnicate"]).says(2, &["frobnicate"]);
    tablemap(&["sync", "-C", "/nowhere/at/all"]).says(2, &["there is no folder"]);
}

#[test]
fn a_new_project_checks_tests_and_runs() {
    let p = Project::new();
    p.run(&["check", "--strict"]).says(0, &["no findings"]);
    p.run(&["test"]).says(0, &["3 tests passed"]);
    p.run(&["fmt", "--check"]).says(0, &[]);
    p.run(&["status"]).says(0, &["never ran", "begin with `tablemap sync`"]);

    let sync = p.run(&["sync", "--format", "json"]);
    sync.says(0, &[]);
    let json = sync.json();
    assert_eq!(keys(&json), ["legs"]);
    assert_eq!(json["legs"].as_array().unwrap().len(), 2);
    for leg in json["legs"].as_array().unwrap() {
        assert_eq!(keys(leg), COUNTS);
    }
    let left = &json["legs"][0];
    assert_eq!((&left["map"], &left["into"]), (&"customers".into(), &"left".into()));
    assert_eq!(
        (&left["read"], &left["filtered_out"], &left["created"], &left["updated"]),
        (&4.into(), &2.into(), &1.into(), &1.into())
    );

    let status = p.run(&["status", "--format", "json"]).json();
    for leg in status["legs"].as_array().unwrap() {
        assert_eq!(
            keys(leg),
            [
                "map",
                "into",
                "state",
                "edited",
                "pending",
                "quarantined",
                "parked",
                "skipped",
                "last_applied_at",
                "lag_seconds"
            ]
        );
        assert_eq!((&leg["state"], &leg["pending"]), (&"running".into(), &0.into()));
    }

    p.sql("crm", "UPDATE accounts SET name = 'Contoso A/S' WHERE number = 'A-1001'").unwrap();
    let status = p.run(&["status", "--format", "json"]).json();
    assert_eq!(status["legs"][0]["pending"], 1);
    let once = p.run(&["run", "--once", "--format", "json"]);
    once.says(0, &[]);
    for leg in once.json()["legs"].as_array().unwrap() {
        assert_eq!(keys(leg), COUNTS);
    }
    assert_eq!(once.json()["legs"][0]["updated"], 1);
    assert_eq!(p.query("erp", "SELECT NAME FROM CUSTOMERS WHERE ACCOUNT = 'A-1001'"), "Text(\"Contoso A/S\")");
    // A second time there is nothing to do, and people are told in a table.
    p.run(&["run", "--once"]).says(0, &["map", "customers"]);
}

#[test]
fn init_replaces_nothing() {
    let p = Project::new();
    let before = p.read("maps/customers.tmap");
    tablemap(&["init", p.path("").to_str().unwrap()]).says(1, &["is there already; nothing was written"]);
    assert_eq!(before, p.read("maps/customers.tmap"));
}

#[test]
fn a_map_is_named_by_id_name_or_label() {
    let p = Project::new();
    p.edit("maps/customers.tmap", "  tables ", "  label      da 'Kunder på række'\n  tables ");
    for name in ["customers", "Customers", "Kunder på række"] {
        p.run(&["run", "--once", name]).says(0, &["customers"]);
    }
    for command in ["sync", "status", "pause", "test"] {
        p.run(&[command, "custmers"]).says(2, &["no map is called `custmers`", "did you mean", "`customers`"]);
    }
    let second = p.read("maps/customers.tmap").replace("id         customers", "id         customers-two");
    p.write("maps/second.tmap", second.split("  test ").next().unwrap().to_string() + "}\n");
    p.run(&["status", "Kunder på række"]).says(2, &["2 maps are called", "customers, customers-two"]);
    p.run(&["sync", "--master", "epr"]).says(1, &["TM0"]);
    std::fs::remove_file(p.path("maps/second.tmap")).unwrap();
    p.run(&["sync", "--master", "epr"]).says(2, &["is no side and no store", "did you mean `erp`"]);
    p.run(&["sync", "--master", "erp"]).says(0, &[]);
}

#[test]
fn nothing_runs_while_a_map_of_the_project_has_errors() {
    let p = Project::new();
    let other = "map \"Other\" {\n  id other\n  tables erp.CUSTOMERS <- crm.acounts\n  key ACCOUNT = number\n  fields { NAME < name }\n}\n";
    p.write("maps/other.tmap", other);
    let all = p.run(&["sync"]);
    all.says(1, &["TM0202", "acounts", "did you mean `accounts`", "nothing was run"]);
    assert_eq!(p.query("erp", "SELECT count(*) FROM sqlite_master WHERE name LIKE '_tablemap%'"), "Integer(0)");
    p.run(&["sync", "other"]).says(1, &["TM0202"]);
    // Nor a sound one by name: the others' captures would be let go.
    p.run(&["sync", "customers"]).says(1, &["TM0202", "nothing was run"]);
    p.run(&["status"]).says(0, &["customers", "left out"]);
}

#[test]
fn what_failed_is_listed_shown_retried_and_dropped() {
    let p = Project::new();
    p.sql("crm", "UPDATE accounts SET creditlimit = 'a lot' WHERE number = 'A-1002'").unwrap();
    p.run(&["sync"]).says(1, &["1 record failed", "tablemap errors list"]);
    p.run(&["status"]).says(0, &["1 record failed"]);
    let list = p.run(&["errors", "list", "--format", "json"]).json();
    let error = &list["errors"][0];
    assert_eq!(
        (&error["map"], &error["into"], &error["kind"]),
        (&"customers".into(), &"left".into(), &"failed".into())
    );
    let id = error["id"].as_str().unwrap();
    assert_eq!(id.len(), 8);
    p.run(&["errors", "list"]).says(0, &[id, "TM9001", "crm.accounts"]);
    p.run(&["errors", "list", "--kind", "parked"]).says(0, &["nothing is in quarantine"]);
    p.run(&["errors", "list", "--kind", "lost"]).says(2, &["no kind is called `lost`"]);
    p.run(&["errors", "show", id]).says(0, &["a lot", "creditlimit", "crm.accounts", "tried 1 time"]);
    p.run(&["errors", "show", "00000000"]).says(2, &["no record in quarantine has the id"]);
    p.run(&["errors", "retry"]).says(2, &["--all"]);
    p.run(&["errors", "retry", id]).says(0, &["1 record is tried again"]);
    p.run(&["run", "--once"]).says(1, &[]);
    p.sql("crm", "UPDATE accounts SET creditlimit = '5.0000' WHERE number = 'A-1002'").unwrap();
    p.run(&["run", "--once"]).says(0, &[]);
    p.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
    p.sql("crm", "UPDATE accounts SET creditlimit = 'a lot' WHERE number = 'A-1001'").unwrap();
    p.run(&["run", "--once"]).says(1, &[]);
    p.run(&["errors", "drop", "--map", "customers"]).says(0, &["1 record is forgotten"]);
    p.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
}

#[test]
fn pause_resume_and_stop() {
    let p = Project::new();
    p.run(&["pause", "customers"]).says(1, &["never ran"]);
    p.run(&["sync"]).says(0, &[]);
    p.run(&["pause"]).says(0, &["customers: paused (2 directions)"]);
    p.sql("crm", "UPDATE accounts SET name = 'Later' WHERE number = 'A-1001'").unwrap();
    p.run(&["run", "--once"]).says(0, &[]);
    let status = p.run(&["status", "--format", "json"]).json();
    assert_eq!((&status["legs"][0]["state"], &status["legs"][0]["pending"]), (&"paused".into(), &1.into()));
    p.run(&["resume", "customers"]).says(0, &["customers: running"]);
    p.run(&["run", "--once"]).says(0, &[]);
    assert_eq!(p.query("erp", "SELECT NAME FROM CUSTOMERS WHERE ACCOUNT = 'A-1001'"), "Text(\"Later\")");
    p.run(&["stop", "--format", "json"]).says(0, &["\"stopped\""]);
    p.run(&["resume"]).says(1, &["tablemap sync customers"]);
    p.run(&["sync", "customers"]).says(0, &[]);
    p.run(&["status"]).says(0, &["running"]);
}

#[test]
fn guards_come_and_go_without_a_trace() {
    let p = Project::new();
    p.run(&["guard", "status"]).says(0, &["no guard is installed", "guard install"]);
    p.run(&["sync"]).says(0, &[]);
    p.run(&["guard", "install"]).says(0, &["2 guards installed"]);
    p.run(&["guard", "status"]).says(0, &["erp.CUSTOMERS", "create", "reject"]);
    let refused = p.sql("erp", "DELETE FROM CUSTOMERS").unwrap_err().to_string();
    assert!(refused.contains("Customers") && refused.contains("not allowed"), "{refused}");
    p.sql("crm", "UPDATE accounts SET name = 'Through the map' WHERE number = 'A-1001'").unwrap();
    p.run(&["run", "--once"]).says(0, &[]);
    p.run(&["guard", "remove"]).says(0, &["2 guards removed"]);
    assert_eq!(
        p.query(
            "erp",
            "SELECT count(*) FROM sqlite_master WHERE name LIKE '_tablemap_guard\\_%' ESCAPE '\\' AND type = 'trigger'"
        ),
        "Integer(0)"
    );
    p.sql("erp", "DELETE FROM CUSTOMERS").unwrap();
}

#[test]
fn layout_and_the_other_notation() {
    let p = Project::new();
    let original = p.read("maps/customers.tmap");
    p.run(&["fmt", "--check"]).says(0, &["in layout"]);
    p.edit("maps/customers.tmap", "    NAME        << name", "    NAME  <  name");
    let untidy = p.read("maps/customers.tmap");
    p.run(&["fmt", "--check"]).says(1, &["not in layout", "customers.tmap"]);
    assert_eq!(untidy, p.read("maps/customers.tmap"));
    p.run(&["fmt"]).says(0, &["written"]);
    assert_eq!(original, p.read("maps/customers.tmap"));
    let file = p.path("maps/customers.tmap");
    let file = file.to_str().unwrap();
    tablemap(&["convert", "--to", "yaml", file]).says(0, &["map: Customers", "fields:"]);
    tablemap(&["convert", "--to", "yaml", "--out", file]).says(0, &["customers.map.yaml"]);
    tablemap(&["convert", "--to", "yaml", "--out", file]).says(1, &["is there already"]);
    let there = p.path("back");
    let yaml = p.path("maps/customers.map.yaml");
    let out = format!("--out={}", there.display());
    tablemap(&["convert", "--to", "dsl", &out, yaml.to_str().unwrap()]).says(0, &[]);
    assert_eq!(original, p.read("back/customers.tmap"));
    // The YAML file alone is a project that runs.
    std::fs::remove_file(p.path("maps/customers.tmap")).unwrap();
    p.run(&["test"]).says(0, &["3 tests passed"]);
    p.run(&["sync"]).says(0, &[]);
    // What only YAML can hold is told with its place; nothing is written.
    let yaml = p.path("maps/customers.map.yaml");
    let good = p.read("maps/customers.map.yaml");
    p.write("maps/customers.map.yaml", good.replacen("\" Contoso \"", "\"Con\\ntoso\"", 1));
    let out = format!("--out={}", p.path("none").display());
    tablemap(&["convert", "--to", "dsl", &out, yaml.to_str().unwrap()])
        .says(1, &["TM0118", "customers.map.yaml:", "line break"]);
    assert!(!p.path("none/customers.tmap").exists());
    p.write("maps/customers.map.yaml", good);
    tablemap(&["fmt", "Cargo.toml"]).says(2, &["is no map file"]);
    tablemap(&["convert", "--to", "dsl", "nowhere.tmap"]).says(1, &["nowhere.tmap", "does not exist"]);
}

#[test]
fn a_failing_test_shows_cell_by_cell_what_differs() {
    let p = Project::new();
    p.edit("maps/customers.tmap", "NAME        = 'Contoso'", "NAME        = 'Fabrikam'");
    p.edit("maps/customers.tmap", "expect left none", "expect left { ACCOUNT = 'A-2' }");
    p.edit("maps/customers.tmap", "expect right { number", "expect parked\n    expect right { number");
    let done = p.run(&["test"]);
    done.says(
        1,
        &[
            "FAIL",
            "customers.tmap:",
            "the nearest differs in 1 of 6 cells",
            "'Fabrikam'",
            "'Contoso'",
            "there is no row in erp.CUSTOMERS",
            "no record is parked",
            "3 tests failed",
        ],
    );
    let json = p.run(&["test", "--format", "json"]).json();
    assert_eq!((&json["passed"], &json["failed"]), (&0.into(), &3.into()));
    assert_eq!(json["tests"][0]["problems"][0]["cells"][0]["found"], "'Contoso'");
    p.run(&["test", "--name", "balance"]).says(1, &["1 test failed"]);
    let wrong = p.read("maps/customers.tmap").replace("companyid.code = 'DK01'", "companyid.cod = 'DK01'");
    p.write("maps/customers.tmap", wrong);
    p.run(&["test"]).says(1, &["cod"]);
}

#[test]
fn one_engine_at_a_time_and_a_soft_end() {
    let p = Project::new();
    let mut running = std::process::Command::new(env!("CARGO_BIN_EXE_tablemap"))
        .args(["-C", p.path("").to_str().unwrap(), "run"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = running.id().to_string();
    let wait = |what: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing happens");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait(&|| p.run(&["status", "--format", "json"]).out.contains("\"running\""));
    p.run(&["sync"]).says(1, &[&format!("process {pid} is already moving records"), "status"]);
    p.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
    p.sql("crm", "UPDATE accounts SET name = 'Live' WHERE number = 'A-1001'").unwrap();
    wait(&|| p.query("erp", "SELECT NAME FROM CUSTOMERS WHERE ACCOUNT = 'A-1001'").contains("Live"));
    p.run(&["pause"]).says(0, &[]);
    p.run(&["resume"]).says(0, &[]);
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = running.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    p.run(&["sync"]).says(0, &[]);
}

#[test]
fn a_reader_that_goes_away_does_no_harm() {
    let p = Project::new();
    for args in [vec!["status"], vec!["sync"], vec!["completions", "zsh"], vec!["check", "--format", "json"]] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tablemap"))
            .args(["-C", p.path("").to_str().unwrap()])
            .args(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {err}");
        assert!(!err.contains("panicked"), "{args:?}: {err}");
    }
    assert_eq!(p.query("erp", "SELECT count(*) FROM CUSTOMERS"), "Integer(2)");
}

#[test]
fn the_demo_ends_as_expected() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("flow");
    let at = at.to_str().unwrap();
    let demo = tablemap(&["demo", "--dir", at, "--format", "json"]);
    demo.says(0, &[]);
    let json = demo.json();
    assert_eq!(json["as_expected"], true);
    let steps = json["steps"].as_array().unwrap();
    let refused: Vec<&str> = steps.iter().filter_map(|s| s["refused"].as_str()).collect();
    assert_eq!(refused.len(), 3);
    assert!(refused[0].contains("Project invoice proposal V2"), "{refused:?}");
    let waits = steps.iter().find(|s| s["step"] == "what waits").unwrap();
    assert_eq!(waits["failed"].as_array().unwrap().len(), 2);
    let message = waits["failed"].to_string();
    for part in ["project-invoice-proposal-v2.tmap:", "DESCRIPTION", "invoiceid", "longer than 60"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    // The project goes on by itself, and an earlier demo is replaced.
    tablemap(&["status", "-C", at]).says(0, &["1 record failed"]);
    std::fs::write(Path::new(at).join("maps/billed-sales-connections.tmap"), "oops").unwrap();
    tablemap(&["check", "-C", at]).says(1, &["TM01"]);
    tablemap(&["demo", "--dir", at]).says(0, &["as expected", "refused:", "Try next"]);
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("mine"), "x").unwrap();
    tablemap(&["demo", "--dir", other.to_str().unwrap()]).says(1, &["is not empty and holds no earlier demo"]);
}

/// A project whose map has two mistakes: one that is mended safely, one that is not.
fn with_mistakes() -> Project {
    let project = Project::new();
    let text = project.read("maps/customers.tmap");
    let broken = text.replace(" == ", " = ").replace(" name", " nmae");
    assert_ne!(broken, text);
    std::fs::write(project.path("maps/customers.tmap"), broken).unwrap();
    project
}

#[test]
fn check_shows_and_applies_fixes() {
    let project = Project::new();
    let path = project.path("maps/customers.tmap");
    let good = project.read("maps/customers.tmap");
    let bad = good.replace("  NAME        << name", "  # here\n    NAME <- name").replace("status ==", "status =");
    assert_ne!(bad, good);
    std::fs::write(&path, format!("\u{feff}{bad}")).unwrap();
    project.run(&["check"]).says(1, &["error[TM0105]"]);
    project.run(&["check", "--unsafe-fixes"]).says(2, &["--fix"]);
    let diff = project.run(&["check", "--diff"]);
    diff.says(1, &["--- a/", "+++ b/", "@@", "to be fixed"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("\u{feff}{bad}"));
    let json = project.run(&["check", "--diff", "--format", "json"]).json();
    assert!(json["diff"].as_str().unwrap().contains("@@"), "{json}");
    assert_eq!(json["fixed"].as_array().map(Vec::len), Some(2), "{json}");
    project.run(&["check", "--fix"]).says(0, &["fixed", "no findings"]);
    let now = std::fs::read_to_string(&path).unwrap();
    assert!(now.starts_with('\u{feff}') && now.contains("# here") && !now.contains("NAME <-"), "{now}");
    project.run(&["check", "--fix"]).says(0, &["0 fixed"]);
}

#[test]
fn check_speaks_every_format() {
    let project = with_mistakes();
    let run = |format: &str| project.run(&["check", "--format", format]);
    let concise = run("concise");
    assert_eq!(concise.code, 1);
    assert!(concise.out.lines().all(|l| l.contains("customers.tmap:") && l.contains(" TM")), "{}", concise.out);
    let sarif = run("sarif").json();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
    assert!(!run("gitlab").json().as_array().unwrap().is_empty());
    run("junit").says(1, &["<testsuites", "<failure"]);
    run("github").says(1, &["::error file=", "title=TM"]);
    project.run(&["status", "--format", "sarif"]).says(2, &["is for `check` only"]);
    let empty = tempfile::tempdir().unwrap();
    let none = tablemap(&["-C", empty.path().to_str().unwrap(), "check", "--format", "sarif"]);
    assert_eq!(none.json()["runs"][0]["results"][0]["ruleId"], "TM0167");
}

#[test]
fn fmt_writes_the_schemas_spelling_and_shows_a_diff() {
    let project = Project::new();
    let schema = project.path("schemas/erp.schema.yaml");
    let schema = if schema.exists() { schema } else { project.path("erp.schema.yaml") };
    let text = std::fs::read_to_string(&schema).unwrap();
    assert!(text.contains("names: case-insensitive"), "{text}");
    let map = project.read("maps/customers.tmap");
    let lower = map.replacen("NAME ", "name ", 1);
    assert_ne!(lower, map);
    std::fs::write(project.path("maps/customers.tmap"), &lower).unwrap();
    project.run(&["fmt", "--check", "--diff"]).says(1, &["not in layout", "+++ b/", "\n-", "\n+"]);
    assert_eq!(project.read("maps/customers.tmap"), lower);
    project.run(&["fmt"]).says(0, &["written"]);
    assert_eq!(project.read("maps/customers.tmap"), map);
    // Without a project names are left alone.
    let alone = tempfile::tempdir().unwrap();
    let file = alone.path().join("customers.tmap");
    std::fs::write(&file, &lower).unwrap();
    tablemap(&["fmt", "--check", file.to_str().unwrap()]).says(0, &["in layout"]);
}

#[test]
fn unsafe_fixes_are_shown_and_applied_only_when_asked_for() {
    let project = with_mistakes();
    let bad = project.read("maps/customers.tmap");
    let diff = project.run(&["check", "--diff"]);
    diff.says(1, &["+++ b/", "more with `--unsafe-fixes`"]);
    assert!(!diff.out.contains("+  NAME") && !diff.out.contains("-    NAME"), "{}", diff.out);
    let shown = project.run(&["check", "--unsafe-fixes", "--diff"]);
    shown.says(1, &["+++ b/", " nmae", "to be fixed"]);
    assert_eq!(project.read("maps/customers.tmap"), bad);
    project.run(&["check", "--fix"]).says(1, &["1 fixed", "more with `--unsafe-fixes`", "TM0203"]);
    assert!(project.read("maps/customers.tmap").contains("nmae"));
    project.run(&["check", "--fix", "--unsafe-fixes"]).says(0, &["fixed", "no findings"]);
    assert!(!project.read("maps/customers.tmap").contains("nmae"));
}

/// The table in the README: every command is in it, and nothing that is none.
#[test]
fn the_readme_knows_the_commands() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let help = tablemap(&["--help"]).out;
    let listed = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    let mut real: Vec<&str> = listed.filter_map(|l| l.split_whitespace().next()).filter(|c| *c != "help").collect();
    let rows = readme.lines().skip_while(|l| !l.starts_with("| command |")).skip(2).take_while(|l| l.starts_with("| "));
    let mut told = vec![];
    for row in rows {
        let cell = row.trim_start_matches("| ").split(" | ").next().unwrap();
        for code in cell.split('`').skip(1).step_by(2) {
            let mut words = code.split(' ');
            let command = words.next().unwrap();
            told.push(command);
            let action = words.clone().next().filter(|w| w.starts_with(char::is_lowercase));
            let actions: Vec<&str> =
                action.map_or(vec![], |a| a.split('|').map(|a| a.trim_end_matches('\\')).collect());
            for action in &actions {
                tablemap(&[command, action, "--help"]).says(0, &["Usage: tablemap"]);
            }
            let of = if let [one] = actions[..] { vec![command, one, "--help"] } else { vec![command, "--help"] };
            let help = tablemap(&of).out;
            for option in code.split(['[', ']', ' ']).filter(|w| w.starts_with("--")) {
                assert!(help.contains(option), "`{command}` has no `{option}`");
            }
        }
    }
    told.sort_unstable();
    told.dedup();
    real.sort_unstable();
    assert_eq!(told, real);
}
