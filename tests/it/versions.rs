//! Overlays, `diff` and `merge` with the real binary.

use super::cli::{Done, Project, tablemap};
use std::path::Path;
use std::process::Command;

const OURS: &str = "\
# What is different here.
map \"Our customers\" extends customers {
  version 1.0.1
  filter  right: status == 'Customer' and number != 'A-1003'

  # shouted
  set  NAME << name | trim() | truncate(60) | upper()
  # more of them
  add  left.BLOCKED { 'All' < null }  # nothing said
  drop left.EMAIL

  test \"a customer arrives\" {
    given  right { number = 'A-1', companyid.code = 'DK01', status = 'Customer', name = ' Contoso ' }
    expect left  { COMPANY = 'DK01', ACCOUNT = 'A-1', NAME = 'CONTOSO', EMAIL = null, BLOCKED = 'No' }
  }
}
";

fn with_overlay() -> Project {
    let p = Project::new();
    p.write("maps/ours.tmap", OURS);
    p
}

#[test]
fn an_overlay_takes_the_place_of_its_base() {
    let p = Project::new();
    p.run(&["sync"]).says(0, &[]);
    let before = p.query("erp", "SELECT NAME FROM CUSTOMERS WHERE ACCOUNT = 'A-1001'");
    p.write("maps/ours.tmap", OURS);
    p.run(&["check", "--strict"]).says(0, &["no findings"]);
    p.run(&["test"]).says(0, &["3 tests passed"]);
    // The map is known by all its names, and has run already.
    let status = p.run(&["status"]);
    status.says(0, &["customers"]);
    assert!(!status.out.contains("never ran"), "{}", status.out);
    for name in ["customers", "Customers", "Our customers"] {
        p.run(&["pause", name]).says(0, &["customers"]);
        p.run(&["resume", name]).says(0, &["customers"]);
    }
    p.run(&["test", "Kunden"]).says(2, &["no map is called"]);
    p.sql("crm", "UPDATE accounts SET name = name || '!' WHERE number = 'A-1001'").unwrap();
    p.run(&["run", "--once"]).says(0, &[]);
    let after = p.query("erp", "SELECT NAME FROM CUSTOMERS WHERE ACCOUNT = 'A-1001'");
    assert_ne!(before, after);
    assert_eq!(after, after.replace("Text", "TEXT").to_uppercase().replace("TEXT", "Text"));
    // Taken away again, the base is as it was.
    std::fs::remove_file(p.path("maps/ours.tmap")).unwrap();
    p.run(&["test"]).says(0, &["3 tests passed"]);
    p.run(&["run", "--once"]).says(0, &[]);
}

#[test]
fn an_overlay_may_be_in_the_other_notation() {
    let p = with_overlay();
    p.run(&["fmt"]).says(0, &[]);
    let formatted = p.read("maps/ours.tmap");
    for comment in ["# What is different here.", "# shouted", "# more of them", "  # nothing said"] {
        assert!(formatted.contains(comment), "{formatted}");
    }
    p.run(&["fmt", "--check"]).says(0, &[]);
    tablemap(&["convert", "--to", "yaml", "--out", p.path("maps/ours.tmap").to_str().unwrap()]).says(0, &[]);
    std::fs::remove_file(p.path("maps/ours.tmap")).unwrap();
    p.run(&["check", "--strict"]).says(0, &["no findings"]);
    p.run(&["test"]).says(0, &["3 tests passed"]);
    p.run(&["fmt", "--check"]).says(0, &[]);
    let yaml = p.path("maps/ours.map.yaml");
    let back = tablemap(&["convert", "--to", "dsl", yaml.to_str().unwrap()]);
    assert_eq!(back.out, formatted);
}

#[test]
fn was_is_noted_and_compared() {
    for notation in ["dsl", "yaml"] {
        let p = with_overlay();
        let file = if notation == "yaml" { "maps/ours.map.yaml" } else { "maps/ours.tmap" };
        if notation == "yaml" {
            tablemap(&["convert", "--to", "yaml", "--out", p.path("maps/ours.tmap").to_str().unwrap()]).says(0, &[]);
            std::fs::remove_file(p.path("maps/ours.tmap")).unwrap();
        }
        p.run(&["fmt", "--was"]).says(0, &[file]);
        assert!(p.read(file).contains("name | trim() | truncate(60) | upper()"));
        assert!(p.read(file).contains("was"), "{}", p.read(file));
        p.run(&["fmt", "--was", "--check"]).says(0, &[]);
        p.run(&["check", "--strict"]).says(0, &["no findings"]);
        // A new delivery.
        p.edit(
            "maps/customers.tmap",
            "NAME        << name | trim() | truncate(60)",
            "NAME        << name | truncate(60)",
        );
        let found = p.run(&["check"]);
        found.says(0, &["TM0219", "is `NAME << name | truncate(60)` now", "the base's line", "1 warning"]);
        assert!(found.out.contains(file) && found.out.contains("customers.tmap"), "{}", found.out);
        p.run(&["fmt", "--was"]).says(0, &[file]);
        p.run(&["check", "--strict"]).says(0, &["no findings"]);
        // And one without the line.
        p.edit("maps/customers.tmap", "    NAME        << name | truncate(60)", "    # NAME");
        p.run(&["check"]).says(1, &["TM0217", "no line of the base writes `NAME` into left"]);
        p.run(&["sync"]).says(1, &["nothing was run"]);
    }
}

#[test]
fn findings_stand_where_the_text_stands() {
    let p = with_overlay();
    p.edit("maps/customers.tmap", "<< creditlimit default", "<< creditlimt default");
    p.edit("maps/ours.tmap", "name | trim()", "nmae | trim()");
    let done = p.run(&["check", "--format", "json"]);
    let json = done.json();
    let places: Vec<(&str, &str)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["at"]["file"].as_str().unwrap(), f["at"]["text"].as_str().unwrap()))
        .collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places[0].0.ends_with("customers.tmap") && places[0].1 == "creditlimt", "{places:?}");
    assert!(places[1].0.ends_with("ours.tmap") && places[1].1 == "nmae", "{places:?}");
    // Fixes are applied where they belong.
    p.run(&["check", "--fix", "--unsafe-fixes"]).says(0, &["no findings"]);
    assert!(p.read("maps/ours.tmap").contains("<< name | trim()"));
    assert!(p.read("maps/customers.tmap").contains("<< creditlimit default"));
}

fn diff(old: &Path, new: &Path, more: &[&str]) -> Done {
    let mut args = vec!["diff", old.to_str().unwrap(), new.to_str().unwrap()];
    args.extend(more);
    tablemap(&args)
}

#[test]
fn diff_tells_what_changed() {
    let p = Project::new();
    let (old, new) = (p.path("maps/customers.tmap"), p.path("new.tmap"));
    diff(&old, &old, &["--exit-code"]).says(0, &["no changes"]);
    std::fs::copy(&old, &new).unwrap();
    p.edit("new.tmap", "'All' < true", "'All' < true, else 'Invoice'");
    p.edit("new.tmap", "BALANCE     >  balance", "BALANCE     =  balance");
    p.edit("new.tmap", "# what the maps", "# whatever the maps");
    let told = diff(&old, &new, &[]);
    told.says(
        0,
        &[
            "~ line  left.BLOCKED: pair `else 'Invoice'` added",
            "direction `into right` → `both ways`",
            "2 changes in 1 map",
        ],
    );
    diff(&old, &new, &["--exit-code"]).says(1, &[]);
    let json = diff(&old, &new, &["--format", "json"]).json();
    assert_eq!(json["changes"], 2);
    let line = &json["maps"][0]["changes"][1];
    assert_eq!((line["what"].as_str(), line["change"].as_str()), (Some("line"), Some("changed")));
    assert_eq!(line["details"][0]["what"], "direction");
    assert!(line["after_at"].as_str().unwrap().contains("new.tmap:"), "{line}");
    diff(&old, &new, &["--format", "markdown"])
        .says(0, &["### `customers` \"Customers\"", "| changed | line `left.BLOCKED`"]);
    tablemap(&["check", "--format", "markdown"]).says(2, &["for `diff` only"]);
    // Folders, notations, what cannot be read.
    tablemap(&["convert", "--to", "yaml", "--out", new.to_str().unwrap()]).says(0, &[]);
    let yaml = p.path("new.map.yaml");
    diff(&new, &yaml, &[]).says(0, &["no changes"]);
    std::fs::create_dir(p.path("moved")).unwrap();
    std::fs::rename(&yaml, p.path("moved/elsewhere.map.yaml")).unwrap();
    diff(&p.path("maps"), &p.path("moved"), &[]).says(0, &["2 changes in 1 map"]);
    p.write("broken.tmap", "map {");
    diff(&old, &p.path("broken.tmap"), &[]).says(1, &["TM0103", "nothing was compared"]);
    diff(&old, &p.path("nothing.tmap"), &[]).says(1, &["nothing.tmap"]);
    diff(&old, &p.path("tablemap.yaml"), &[]).says(2, &["is no map file"]);
}

fn merge(p: &Project, more: &[&str]) -> Done {
    let paths = ["base.tmap", "mine.tmap", "theirs.tmap"].map(|f| p.path(f).to_str().unwrap().to_string());
    let mut args = vec!["merge"];
    args.extend(paths.iter().map(String::as_str));
    args.extend(more);
    tablemap(&args)
}

#[test]
fn merge_makes_one_of_two() {
    let p = Project::new();
    let base = p.read("maps/customers.tmap");
    for f in ["base.tmap", "mine.tmap", "theirs.tmap"] {
        p.write(f, &base);
    }
    assert_eq!(merge(&p, &[]).out, base);
    // Neighbours, which a merge of text lines would not take.
    p.edit("mine.tmap", "EMAIL       << email | lower()", "EMAIL       << email | lower() | trim()  # tidy");
    p.edit("theirs.tmap", "truncate(60)  # 100 characters into 60: cut, because we say so", "truncate(50)");
    p.edit("theirs.tmap", "'All' < true }", "'All' < true, 'Invoice' < null }");
    p.edit("mine.tmap", "'No' < false,", "'No' < false, else 'Invoice',");
    let out = p.path("out.tmap");
    merge(&p, &["--out", out.to_str().unwrap()]).says(0, &[]);
    let text = p.read("out.tmap");
    for part in ["email | lower() | trim()", "# tidy", "truncate(50)", "'Invoice' < null", "else 'Invoice'"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    p.write("maps/customers.tmap", &text);
    p.run(&["fmt", "--check"]).says(0, &[]);
    // Both the same line.
    p.edit("mine.tmap", "name | trim()", "name | ltrim()");
    let done = merge(&p, &["--out", out.to_str().unwrap()]);
    done.says(1, &["TM1401", "both changed the line of `left.NAME`", "mine.tmap:22", "1 conflict to decide"]);
    let text = p.read("out.tmap");
    assert!(text.contains("# conflict: theirs NAME << name | trim() | truncate(50)\n"), "{text}");
    tablemap(&["fmt", "--check", out.to_str().unwrap()]).says(0, &[]);
    let json = merge(&p, &["--format", "json"]);
    assert_eq!(json.code, 1);
    assert_eq!(json.json()["conflicts"]["findings"][0]["code"], "TM1401");
    // The other notation on one side.
    tablemap(&["convert", "--to", "yaml", "--out", p.path("theirs.tmap").to_str().unwrap()]).says(0, &[]);
    let path = |f: &str| p.path(f).to_str().unwrap().to_string();
    let done = tablemap(&["merge", &path("base.tmap"), &path("mine.tmap"), &path("theirs.map.yaml")]);
    assert_eq!((done.code, done.out), (1, text));
    // What cannot be read leaves everything as it is.
    p.write("theirs.tmap", "map {");
    let before = p.read("out.tmap");
    merge(&p, &["--out", out.to_str().unwrap()]).says(1, &["TM0103", "nothing was merged"]);
    assert_eq!(p.read("out.tmap"), before);
}

#[test]
fn git_merges_by_it() {
    let p = Project::new();
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .current_dir(p.path(""))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"])
            .args(args)
            .output();
        done.ok().map(|o| o.status.success())
    };
    let Some(true) = git(&["init", "-q"]) else { return };
    let driver = format!("'{}' merge %O %A %B --out %A --path %P", env!("CARGO_BIN_EXE_tablemap"));
    git(&["config", "merge.tablemap.driver", &driver]);
    p.write(".gitattributes", "*.tmap merge=tablemap\n*.map.yaml merge=tablemap\n");
    let commit = || {
        git(&["add", "-A"]);
        assert_eq!(git(&["commit", "-qm", "x"]), Some(true));
    };
    commit();
    git(&["checkout", "-qb", "other"]);
    p.edit("maps/customers.tmap", "email | lower()", "email | lower() | trim()");
    commit();
    git(&["checkout", "-q", "main"]);
    p.edit("maps/customers.tmap", "truncate(60)", "truncate(50)");
    commit();
    assert_eq!(git(&["merge", "-q", "-m", "m", "other"]), Some(true));
    let text = p.read("maps/customers.tmap");
    assert!(text.contains("truncate(50)") && text.contains("lower() | trim()"), "{text}");
    // A conflict stays open.
    git(&["checkout", "-q", "other"]);
    p.edit("maps/customers.tmap", "default 1000", "default 2000");
    commit();
    git(&["checkout", "-q", "main"]);
    p.edit("maps/customers.tmap", "default 1000", "default 3000");
    commit();
    assert_eq!(git(&["merge", "-q", "-m", "m", "other"]), Some(false));
    let text = p.read("maps/customers.tmap");
    assert!(text.contains("# conflict: theirs CREDITLIMIT << creditlimit default 2000 once"), "{text}");
    assert!(text.contains("default 3000 once"), "{text}");
    // Nothing runs before it is decided.
    p.run(&["check"]).says(1, &["TM1402", "1 error"]);
    let decided: String = text.lines().filter(|l| !l.contains("# conflict:")).map(|l| format!("{l}\n")).collect();
    p.write("maps/customers.tmap", decided);
    p.run(&["check"]).says(0, &["no findings"]);
}
