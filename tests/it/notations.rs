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
