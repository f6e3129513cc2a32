//! The pages of the codes: each has its headings, its wrong example gives its code, its right one does not.
//!
//! The examples of a page are files of one project: ```` ```tmap ```` is `maps/example.tmap`, ```` ```yaml map ```` is
//! `maps/example.map.yaml`, ```` ```yaml PATH ```` the file of that name. Beside them lie the schemas of the corpus, and
//! a `tablemap.yaml` with a store for each schema. ```` ```text ```` is shown, not run. `also TM0303` names further codes
//! that the example gives.

use std::collections::BTreeSet;
use std::path::Path;
use tablemap::diagnostic::{Diagnostic, all_codes};
use tablemap::source::Sources;
use tablemap::{check, project, sema};

/// Codes whose example is a message, as those of the live store, of imports, of merges and of records: no text of a map, schema or project
/// gives them.
const SHOWN: &[&str] = &["TM0118", "TM0151", "TM0167", "TM1401"];

/// A section of a page: heading and text.
fn sections(page: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = vec![];
    let mut code = false;
    for line in page.lines() {
        code ^= line.starts_with("```");
        match line.strip_prefix("## ").filter(|_| !code) {
            Some(heading) => all.push((heading.to_string(), String::new())),
            None => {
                if let Some((_, text)) = all.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    all
}

/// Fenced blocks with their info string.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut all = vec![];
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.to_string(), String::new())),
            (Some(_), Some(_)) => all.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    all
}

/// The findings of a project made of these blocks; none where nothing is to be run. And the codes that may come, too.
fn run(blocks: &[(String, String)]) -> Option<(Sources, Vec<Diagnostic>, Vec<String>)> {
    if blocks.iter().all(|(info, _)| info == "text") {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/check");
    let mut stores = BTreeSet::new();
    for store in ["crm", "erp"] {
        let file = format!("{store}.schema.yaml");
        write(&format!("schemas/{file}"), &std::fs::read_to_string(corpus.join(file)).unwrap());
        stores.insert(store.to_string());
    }
    let mut also = vec![];
    let mut own_project = false;
    for (info, text) in blocks {
        let (info, more) = info.split_once(" also ").unwrap_or((info, ""));
        also.extend(more.split_whitespace().map(str::to_string));
        let path = match info {
            "tmap" => "maps/example.tmap",
            "yaml map" => "maps/example.map.yaml",
            other => other.strip_prefix("yaml ").unwrap_or_else(|| panic!("what is ```{other}?")),
        };
        if let Some(store) = path.strip_prefix("schemas/").and_then(|p| p.strip_suffix(".schema.yaml")) {
            stores.insert(store.to_string());
        }
        own_project |= path == "tablemap.yaml";
        write(path, text);
    }
    if !own_project {
        let lines = stores.iter().map(|s| format!("  {s}: {{ kind: memory, schema: schemas/{s}.schema.yaml }}\n"));
        write("tablemap.yaml", &format!("stores:\n{}", lines.collect::<String>()));
        also.push("TM0169".into());
    } else if !blocks.iter().any(|(info, _)| info.starts_with("tmap")) {
        also.push("TM0169".into());
    }
    let mut sources = Sources::new();
    let (project, mut findings) = project::load_with(dir.path(), &mut sources, &|_| None);
    let project = project.unwrap();
    let stores: Vec<_> = project.stores.iter().map(|s| (s.name.clone(), s.schema.clone())).collect();
    let files: Vec<_> = project.maps.iter().map(|m| (m.file, m.ast.clone())).collect();
    let input = sema::Input {
        sources: &sources,
        stores: &stores,
        files: &files,
        companies: project.companies.as_deref(),
        time_zone: project.time_zone.clone(),
    };
    findings.extend(check::check(&input).1);
    let findings = check::allow(&sources, &files, findings).findings;
    Some((sources, findings, also))
}

#[test]
fn every_code_has_a_page() {
    let without: Vec<&str> =
        all_codes().iter().filter(|(c, _, _)| check::page(*c).is_none()).map(|(c, _, _)| c.0).collect();
    assert!(without.is_empty(), "write src/check/pages/CODE.md and name it in src/check/pages.rs: {without:?}");
}

#[test]
fn the_examples_of_the_pages_are_what_they_say() {
    let mut problems = vec![];
    for (code, _, title) in all_codes() {
        let Some(page) = check::page(*code) else { continue };
        if page.lines().next() != Some(format!("# {code}: {title}").as_str()) {
            problems.push(format!("{code}: the first line is not `# {code}: {title}`"));
        }
        let sections = sections(page);
        let headings: Vec<&str> = sections.iter().map(|(h, _)| h.as_str()).collect();
        if !matches!(
            headings.as_slice(),
            ["What it means", "Wrong", "Right"] | ["What it means", "Wrong", "Right", "Why"]
        ) {
            problems.push(format!("{code}: its headings are {headings:?}"));
            continue;
        }
        if page.lines().any(|l| l.trim_end() != l) || !page.ends_with('\n') || page.contains("\n\n\n") {
            problems.push(format!("{code}: blanks at a line's end, or empty lines"));
        }
        let shown = |findings: &[Diagnostic], sources: &Sources| -> String {
            findings.iter().map(|d| tablemap::diagnostic::render::human::render(sources, d, false) + "\n").collect()
        };
        for (section, wrong) in [(1, true), (2, false)] {
            let blocks = blocks(&sections[section].1);
            if blocks.is_empty() {
                problems.push(format!("{code}: no example under {}", headings[section]));
            }
            let Some((sources, findings, also)) = run(&blocks) else {
                if !SHOWN.contains(&code.0) && !["TM12", "TM13", "TM90"].iter().any(|a| code.0.starts_with(a)) {
                    problems.push(format!("{code}: its example is not run"));
                }
                continue;
            };
            let has = findings.iter().any(|d| d.code == *code);
            let other = |d: &&Diagnostic| d.code != *code && !also.iter().any(|a| a == d.code.0);
            if has != wrong || findings.iter().any(|d| other(&d)) {
                problems.push(format!("{code}, {}:\n{}", headings[section], shown(&findings, &sources)));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

const CHECKS: &str = "\
# Checks

`tablemap check` reads project, schemas and maps, and needs no store; `check --live` looks into the stores as well, for
what the maps need there. Every finding has a code that keeps its meaning for ever; `tablemap explain CODE` prints its
page. The examples of the pages read the two schemas in
[tests/corpus/check](../tests/corpus/check). How the rules of dual-write are found again here is in
[dual-write-checks.md](dual-write-checks.md), how messages are written in [messages.md](messages.md).

## Levels

A project may give a code another level, in `tablemap.yaml`:

```yaml
checks:
  TM0303: allow   # not told
  TM0609: deny    # an error: the map does not run
  TM1101: warn    # a warning
```

Warnings can be lowered and raised. Errors stay errors: to lower one is a finding (TM0168). Levels hold for every command,
so a map with a denied finding neither runs nor is tested.

## Comments that silence a finding

```text
SHORT < name  # allow TM0303: names are at most 8 characters here

# allow TM0703, TM0704: the other states are set by nobody
STATUS << status {
  'Active' < 'Open'
}
```

At the end of a line the comment covers what begins on that line; on a line of its own, the statement or field line right
below, as far as it reaches. It works in both notations and in project and schema files. The reason is required (TM1110).
Warnings only: an error cannot be allowed (TM1112). A warning that the project denies is silenced all the same, since
somebody gave a reason. `check` counts what was silenced; a comment that silences nothing is a finding itself (TM1111),
told as soon as the maps have no errors.

## All codes

Made from the registry by `UPDATE=1 cargo nextest run checks_are_listed`.
";

/// docs/checks.md, made from the registry.
fn list() -> String {
    let mut text = CHECKS.to_string();
    let mut area = "";
    for (code, severity, title) in all_codes() {
        if check::area(*code) != area {
            area = check::area(*code);
            text.push_str(&format!("\n### {}{}\n\n", area[..1].to_uppercase(), &area[1..]));
            text.push_str("| code | severity | title |\n|---|---|---|\n");
        }
        let severity = format!("{severity:?}").to_lowercase();
        text.push_str(&format!("| [{code}](../src/check/pages/{code}.md) | {severity} | {title} |\n"));
    }
    text
}

#[test]
fn checks_are_listed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, list()).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == list(),
        "docs/checks.md is stale: UPDATE=1 cargo nextest run checks_are_listed"
    );
}
