//! A test of a map whose expectation is wrong: found by `tablemap test`, run over the shipped maps with one wrong
//! expectation in each at a time.

use super::super::cli::tablemap;
use super::world::{World, range};
use std::collections::BTreeMap;
use tablemap::syntax::ast::{self, LiteralKind, TestWhat};

/// A wrong expectation: the place, the new text, the test, and the column that must be told of (none: an outcome).
struct Wrong {
    at: std::ops::Range<usize>,
    with: String,
    test: String,
    column: Option<String>,
}

fn wrong(w: &World, file: usize, map: &ast::Map) -> Vec<Wrong> {
    let mut out = vec![];
    for t in &map.tests {
        for s in t.steps.iter().filter(|s| !s.it.given) {
            let mut add = |at, with: String, column| {
                out.push(Wrong { at, with, test: t.name.text.clone(), column });
            };
            match &s.it.what {
                TestWhat::Parked => add(range(s.at), "expect error".to_string(), None),
                TestWhat::Error => add(range(s.at), "expect parked".to_string(), None),
                TestWhat::NoRow(_) => add(range(s.at), "expect parked".to_string(), None),
                TestWhat::Row(_, row) => {
                    for c in &row.cells {
                        // Numbers and truths have another value of the same type; so has text that is no choice, date or
                        // uuid, which its form tells.
                        let with = match &c.value.kind {
                            // Another last digit: one more might not fit the column's scale.
                            LiteralKind::Number(n) if n.contains('.') => {
                                format!("{}{}", &n[..n.len() - 1], if n.ends_with('1') { '2' } else { '1' })
                            }
                            LiteralKind::Number(n) => format!("{n}1"),
                            LiteralKind::Boolean(b) => (!b).to_string(),
                            LiteralKind::Text(x) if plain_text(w, map, &s.it.what, &c.path, x.chars().count()) => {
                                format!("'{x}x'")
                            }
                            _ => continue,
                        };
                        add(range(c.value.at), with, Some(w.text(file, range(c.path.at)).to_string()));
                    }
                }
                TestWhat::Other(..) => {}
            }
        }
    }
    out
}

fn plain_text(w: &World, map: &ast::Map, what: &TestWhat, path: &ast::Path, length: usize) -> bool {
    let TestWhat::Row(side, _) = what else { return false };
    let Some(m) = w.maps().into_iter().find(|m| std::ptr::eq(m.map, map)) else { return false };
    super::world::end(m.side(*side), path).is_some_and(|e| {
        // Long enough for one letter more.
        matches!(&e.column.ty, tablemap::value::Type::Text { max } if max.is_none_or(|n| n as usize > length))
    })
}

#[test]
fn wrong_expectations_are_found_by_test() {
    const ROUNDS: usize = 4;
    let w = World::read("shipped", "maps/project-operations/schemas", "maps/project-operations");
    let (mut planted, mut found, mut missed) = (0, 0, vec![]);
    for round in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("tablemap.yaml"),
            "stores:\n  finance: { kind: memory, schema: finance.schema.yaml }\n  \
             dataverse: { kind: memory, schema: dataverse.schema.yaml }\nmaps: [\"*.tmap\"]\n\
             companies: [USPM, USSI, GBSI]\n",
        )
        .unwrap();
        let mut wanted: BTreeMap<String, Wrong> = BTreeMap::new();
        for (i, f) in w.files.iter().enumerate() {
            let mut text = f.text.clone();
            if let Some(m) = w.maps().into_iter().find(|m| m.file == i) {
                let mut all = wrong(&w, i, m.map);
                let (most, step) = (all.len(), all.len().max(ROUNDS));
                let n = round * step / ROUNDS;
                if n < most {
                    let one = all.remove(n);
                    text.replace_range(one.at.clone(), &one.with);
                    wanted.insert(m.map.id.as_ref().unwrap().it.clone(), one);
                }
            }
            std::fs::write(dir.path().join(&f.name), text).unwrap();
        }
        let done = tablemap(&["-C", dir.path().to_str().unwrap(), "test", "--format", "json"]);
        assert_eq!(done.code, 1, "{}{}", done.out, done.err);
        let report = done.json();
        planted += wanted.len();
        for (map, wrong) in wanted {
            let failed: Vec<&serde_json::Value> = report["tests"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|t| t["map"] == map.as_str() && t["passed"] == false)
                .collect();
            let told = |t: &serde_json::Value| match &wrong.column {
                Some(c) => t["problems"].to_string().contains(c.as_str()),
                None => !t["problems"].as_array().unwrap().is_empty(),
            };
            match failed.as_slice() {
                [t] if t["test"] == wrong.test.as_str() && told(t) => found += 1,
                other => {
                    missed.push(format!("{map}, \"{}\", {} at {:?}: {other:?}", wrong.test, wrong.with, wrong.column))
                }
            }
        }
    }
    println!("| a test whose expectation is wrong | {planted} | {found} |");
    assert!(found * 100 >= planted * 95, "{found} of {planted}\n{}", missed.join("\n"));
}
