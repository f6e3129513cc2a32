//! Both notations mean the same: twins are equal, every shipped map goes there and back without loss.

use std::path::{Path, PathBuf};
use tablemap::source::Sources;
use tablemap::syntax::{ast, dsl, yaml};

fn read(sources: &mut Sources, path: &Path) -> ast::File {
    let text = std::fs::read_to_string(path).unwrap();
    parse(sources, &path.display().to_string(), &text)
}

fn parse(sources: &mut Sources, name: &str, text: &str) -> ast::File {
    let file = sources.add(name, text);
    let (ast, findings) = if name.ends_with(".tmap") { dsl::parse(sources, file) } else { yaml::parse(sources, file) };
    let shown: Vec<String> =
        findings.iter().map(|d| tablemap::diagnostic::render::human::render(sources, d, false)).collect();
    assert!(shown.is_empty(), "{name}:\n{}", shown.join("\n"));
    ast
}

fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("maps");
    let mut all: Vec<PathBuf> =
        glob::glob(&format!("{}/**/*.tmap", root.display())).unwrap().map(Result::unwrap).collect();
    all.sort();
    assert!(all.len() >= 9, "{all:?}");
    all
}

#[test]
fn every_shipped_map_converts_there_and_back() {
    for path in shipped() {
        let mut sources = Sources::new();
        let text = std::fs::read_to_string(&path).unwrap();
        let first = read(&mut sources, &path);
        assert_eq!(dsl::write(&first), text, "{} is not in canonical layout", path.display());
        let as_yaml = yaml::write(&first);
        let second = parse(&mut sources, "x.map.yaml", &as_yaml);
        assert_eq!(first, second, "{}", path.display());
        // Comments travel too: the text comes back as it was.
        assert_eq!(dsl::write(&second), text, "{} through YAML", path.display());
        assert_eq!(yaml::write(&second), as_yaml, "{} as YAML is not stable", path.display());
    }
}

#[test]
fn twins_in_both_notations_are_equal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for id in ["project-invoice-proposal-v2", "project-operations-integration-actuals"] {
        let mut sources = Sources::new();
        let one = read(&mut sources, &root.join(format!("maps/project-operations/{id}.tmap")));
        let other = read(&mut sources, &root.join(format!("tests/notations/{id}.map.yaml")));
        assert_eq!(one, other, "{id}");
    }
}

/// Every map file of the corpora that can be read: also those that other checks find wrong.
fn corpus() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all: Vec<PathBuf> = ["tmap", "map.yaml"]
        .iter()
        .flat_map(|ending| glob::glob(&format!("{}/**/*.{ending}", root.display())).unwrap().map(Result::unwrap))
        .collect();
    all.sort();
    assert!(all.len() > 200, "{}", all.len());
    all
}

#[test]
fn every_map_of_the_corpus_converts_there_and_back() {
    let mut wrong = vec![];
    let mut tried = 0;
    for path in corpus() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let mut sources = Sources::new();
        let name = path.display().to_string();
        let file = sources.add(name.as_str(), text.as_str());
        let is_dsl = name.ends_with(".tmap");
        let (first, findings) = if is_dsl { dsl::parse(&sources, file) } else { yaml::parse(&sources, file) };
        let broken = findings.iter().any(|d| d.severity == tablemap::diagnostic::Severity::Error);
        // One YAML file has room for one map, and for one value map of a name.
        let twice = |i: usize| first.values[..i].iter().any(|v| v.name.text == first.values[i].name.text);
        let no_room = first.maps.len() > 1 || (0..first.values.len()).any(twice);
        if broken || no_room || first == ast::File::default() {
            continue;
        }
        tried += 1;
        let write = |to_dsl: bool, tree: &ast::File| if to_dsl { dsl::write(tree) } else { yaml::write(tree) };
        let mut tree = first.clone();
        // There and back, and once more; texts are compared with the canonical one of their notation.
        for (round, to_dsl) in [!is_dsl, is_dsl, !is_dsl, is_dsl].into_iter().enumerate() {
            let text = write(to_dsl, &tree);
            let file = sources.add(if to_dsl { "x.tmap" } else { "x.map.yaml" }, text.as_str());
            let (again, findings) = if to_dsl { dsl::parse(&sources, file) } else { yaml::parse(&sources, file) };
            let broken: Vec<String> = findings
                .iter()
                .filter(|d| d.severity == tablemap::diagnostic::Severity::Error)
                .map(|d| tablemap::diagnostic::render::concise::render(&sources, d))
                .collect();
            if !broken.is_empty() || again != first {
                wrong.push(format!("{name} (round {round}):\n{}\n{text}", broken.join("\n")));
                break;
            }
            if to_dsl == is_dsl && text != write(is_dsl, &first) {
                wrong.push(format!("{name} (round {round}): the text changed\n{}\n---\n{text}", write(is_dsl, &first)));
                break;
            }
            tree = again;
        }
    }
    assert!(tried > 200, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn what_a_test_gives_and_expects_may_stand_in_any_order() {
    let head = "map \"M\" {\n  id m\n  tables a.T <- b.t\n  key K = k\n\n  fields {\n    N < n\n  }\n\n";
    let text = format!(
        "{head}  test \"t\" {{\n    expect left none # last\n    given right {{ k = 007 }} # first\n    expect parked\n    \
         given left {{ K = -0.50 }}\n  }}\n}}\n"
    );
    let mut sources = Sources::new();
    let first = parse(&mut sources, "x.tmap", &text);
    let as_yaml = yaml::write(&first);
    let second = parse(&mut sources, "x.map.yaml", &as_yaml);
    assert_eq!(first, second, "{as_yaml}");
    let back = dsl::write(&second);
    assert_eq!(back, dsl::write(&first));
    for kept in ["# last", "# first", "{ k = 7 }", "-0.50", "expect parked"] {
        assert!(back.contains(kept), "no {kept}\n{back}");
    }
}
