//! The list of planted bugs is what the sources hold, and names tests that are there. (`tests/mutants` runs them.)

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One bug of the list.
struct Planted {
    id: String,
    rule: String,
    what: String,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn list() -> Vec<Planted> {
    let text = std::fs::read_to_string(root().join("tests/mutants.txt")).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    let read = |line: &str| {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, rule, what, tests] = fields.as_slice() else { panic!("id | rule | what | tests: {line}") };
        let tests = tests.split(',').map(str::trim).filter(|t| !t.is_empty()).map(String::from).collect();
        Planted { id: id.to_string(), rule: rule.to_string(), what: what.to_string(), tests }
    };
    lines.map(read).collect()
}

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false => all.push(path),
        }
    }
}

/// Every switch of the sources, and in how many places it stands.
fn switches() -> BTreeMap<String, usize> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs") && !f.ends_with("src/mutants.rs")) {
        for rest in std::fs::read_to_string(file).unwrap().split("mutant!(\"").skip(1) {
            *found.entry(rest.split('"').next().unwrap().to_string()).or_default() += 1;
        }
    }
    found
}

#[test]
fn the_list_is_what_the_sources_hold() {
    let list = list();
    let listed: BTreeSet<&str> = list.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(listed.len(), list.len(), "an id stands twice");
    assert!(list.len() >= 40, "{} planted bugs", list.len());
    let switches = switches();
    let planted: BTreeSet<&str> = switches.keys().map(String::as_str).collect();
    assert_eq!(listed, planted, "tests/mutants.txt and the switches in src");
    let twice: Vec<_> = switches.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "one bug, one place: {twice:?}");
    for p in &list {
        assert!(!p.rule.is_empty() && !p.what.is_empty(), "{}: no rule, or nothing said", p.id);
    }
}

#[test]
fn the_named_tests_are_there() {
    for p in list() {
        for test in &p.tests {
            let (module, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("{}: {test} has no module", p.id));
            let place = module.replace("::", "/");
            let files = ["tests/it", "tests/sim", "src"].map(|base| root().join(base).join(format!("{place}.rs")));
            let there = files.iter().filter_map(|f| std::fs::read_to_string(f).ok());
            let marked = format!("#[test]\nfn {name}(");
            assert!(there.into_iter().any(|text| text.contains(&marked)), "{}: there is no test {test}", p.id);
        }
    }
}

#[test]
fn no_build_for_people_holds_them() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let asks = |line: &&str| line.contains("mutants") && !line.starts_with('#');
    assert_eq!(manifest.lines().filter(asks).collect::<Vec<_>>(), ["mutants = []"], "a feature asks for them");
}

#[test]
fn the_guarantees_tell_of_each() {
    let told = std::fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let untold: Vec<String> =
        list().into_iter().map(|p| p.id).filter(|id| !told.contains(&format!("| `{id}` |"))).collect();
    assert!(untold.is_empty(), "docs/guarantees.md has no row of {untold:?}; `tests/mutants` prints them");
}
