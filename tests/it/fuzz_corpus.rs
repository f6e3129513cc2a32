//! What fuzzing found stays found: the inputs of `tests/corpus/fuzz/TARGET/` go through the fuzz targets' own functions.

use std::path::Path;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

type Body = fn(&[u8]);

const TARGETS: &[(&str, Body)] = &[
    ("dsl", bodies::dsl),
    ("yaml", bodies::yaml),
    ("expr", bodies::expr),
    ("fmt", bodies::fmt),
    ("schema", bodies::schema),
    ("convert", bodies::convert),
    ("check", bodies::check),
    ("fix", bodies::fix),
    ("documented", bodies::documented),
    ("dual_write", bodies::dual_write),
    ("versions", bodies::versions),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cases below a folder `TARGET/`, each through its target; all that fail are told.
fn replay(corpus: &Path) {
    let mut failed = vec![];
    for folder in std::fs::read_dir(corpus).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (_, body) = TARGETS.iter().find(|(t, _)| *t == name).unwrap_or_else(|| panic!("no target `{name}`"));
        for case in std::fs::read_dir(&folder).unwrap() {
            let case = case.unwrap().path();
            let data = std::fs::read(&case).unwrap();
            eprintln!("== {}", case.display());
            if std::panic::catch_unwind(|| body(&data)).is_err() {
                failed.push(case.display().to_string());
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn findings_of_fuzzing_stay_found() {
    replay(&root().join("tests/corpus/fuzz"));
}

/// `TABLEMAP_FUZZ=fuzz/artifacts cargo nextest run what_the_fuzzer_left` shows what a run of the fuzzer found.
#[test]
fn what_the_fuzzer_left() {
    if let Some(folder) = std::env::var_os("TABLEMAP_FUZZ") {
        replay(Path::new(&folder));
    }
}

#[test]
fn seeds_pass_all_targets() {
    for pattern in ["maps/**/*.tmap", "tests/corpus/**/*.tmap", "tests/**/*.map.yaml", "maps/**/*.schema.yaml"] {
        for path in glob::glob(&root().join(pattern).to_string_lossy()).unwrap() {
            let path = path.unwrap();
            println!("{}", path.display());
            let data = std::fs::read(&path).unwrap();
            TARGETS.iter().for_each(|(_, body)| body(&data));
        }
    }
}
