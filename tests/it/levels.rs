//! `explain`, levels of a project, comments that silence: what the real binary makes of them.

use crate::cli::{Project, tablemap};

/// A project of `init` in which one text may be too long.
fn with_a_warning() -> Project {
    let p = Project::new();
    p.edit(
        "maps/customers.tmap",
        "name | trim() | truncate(60)  # 100 characters into 60: cut, because we say so",
        "name",
    );
    p.run(&["check"]).says(0, &["warning[TM0303]", "1 warning in 1 file", "for more: tablemap explain TM0303"]);
    p
}

fn level(p: &Project, level: &str) {
    let text = p.read("tablemap.yaml");
    let text = text.split("\nchecks:").next().unwrap();
    p.write("tablemap.yaml", format!("{text}\nchecks: {{ {level} }}\n"));
}

#[test]
fn pages_are_printed() {
    tablemap(&["explain", "TM0203"])
        .says(0, &["TM0203 (error) unknown column", "What it means", "    NAME < nmae", "Right"]);
    tablemap(&["explain", "tm0203"]).says(0, &["TM0203"]);
    tablemap(&["explain", "TM0302x"]).says(2, &["no finding has the code `TM0302x`", "did you mean `TM0302`"]);
    tablemap(&["explain", "nonsense"]).says(2, &["--list"]);
    tablemap(&["explain"]).says(2, &["CODE"]);
    let page = tablemap(&["explain", "TM0303", "--format", "json"]).json();
    assert_eq!((page["code"].as_str(), page["severity"].as_str()), (Some("TM0303"), Some("warning")));
    assert_eq!(page["area"], "types");
    assert!(page["page"].as_str().unwrap().starts_with("# TM0303: "));
    tablemap(&["explain", "--list"]).says(0, &["TM0101  error", "TM9010", "round trip"]);
    let all = tablemap(&["explain", "--list", "--format", "json"]).json();
    assert_eq!(all["codes"].as_array().unwrap().len(), tablemap::diagnostic::all_codes().len());
}

#[test]
fn a_project_has_levels_of_its_own() {
    let p = with_a_warning();
    level(&p, "TM0303: allow");
    p.run(&["check", "--strict"]).says(0, &["no findings"]);
    level(&p, "TM0303: warn");
    p.run(&["check"]).says(0, &["1 warning"]);
    p.run(&["check", "--strict"]).says(1, &["1 warning"]);
    // Denied, it keeps the map from being tested and from running.
    level(&p, "TM0303: deny");
    p.run(&["check"]).says(1, &["error[TM0303]", "1 error in 1 file"]);
    assert_eq!(p.run(&["check", "--format", "json"]).json()["errors"], 1);
    p.run(&["test"]).says(1, &["error[TM0303]", "nothing was run"]);
    p.run(&["sync"]).says(1, &["error[TM0303]", "nothing was run", "for more: tablemap explain TM0303"]);
    // An error stays one.
    level(&p, "TM0404: warn");
    p.run(&["check"]).says(1, &["error[TM0168]", "`TM0404` is an error and stays one"]);
    level(&p, "TM0333: deny");
    p.run(&["check"]).says(1, &["error[TM0168]", "no check has the code `TM0333`", "did you mean `TM0303`"]);
}

#[test]
fn a_comment_silences_with_a_reason() {
    let p = with_a_warning();
    let line = "NAME        << name";
    p.edit("maps/customers.tmap", line, "NAME << name  # allow TM0303: 60 are enough");
    p.run(&["check"]).says(0, &["no findings (1 silenced)"]);
    let json = p.run(&["check", "--format", "json"]).json();
    assert_eq!((json["silenced"].as_u64(), json["warnings"].as_u64()), (Some(1), Some(0)));
    // Somebody gave a reason, so it holds where the project denies the code, too.
    level(&p, "TM0303: deny");
    p.run(&["check"]).says(0, &["1 silenced"]);
    p.run(&["test", "--name", "prospect"]).says(0, &["1 test passed"]);
    level(&p, "");
    // `fmt` keeps the comment where it works; so does the other notation.
    p.run(&["fmt"]).says(0, &[]);
    p.run(&["check"]).says(0, &["no findings (1 silenced)"]);
    let map = p.path("maps/customers.tmap");
    p.run(&["convert", "--to", "yaml", "--out", map.to_str().unwrap()]).says(0, &[]);
    let text = p.read("maps/customers.tmap");
    std::fs::remove_file(&map).unwrap();
    p.run(&["check"]).says(0, &["no findings (1 silenced)"]);
    std::fs::remove_file(p.path("maps/customers.map.yaml")).unwrap();
    p.write("maps/customers.tmap", text);
    p.edit("maps/customers.tmap", ": 60 are enough", "");
    p.run(&["check"]).says(0, &["TM0303", "TM1110", "2 warnings"]);
}

#[test]
fn an_allow_that_silences_nothing_is_told() {
    let p = Project::new();
    p.edit("maps/customers.tmap", "# written on create", "# allow TM0303: short. Written on create");
    p.run(&["check"]).says(0, &["warning[TM1111]", "1 warning"]);
    p.run(&["check", "--strict"]).says(1, &[]);
    level(&p, "TM1111: allow");
    p.run(&["check", "--strict"]).says(0, &["no findings"]);
}
