//! The recipes in `examples`: the commands of their README are run as they stand, with the real binary.

use crate::cli::tablemap;
use std::path::{Path, PathBuf};
use tablemap::source::Sources;
use tablemap::syntax::{ast, dsl};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// The lines of the `sh` blocks of a README.
fn commands(readme: &str) -> Vec<String> {
    let mut inside = false;
    let mut all = vec![];
    for line in readme.lines() {
        match line.strip_prefix("```") {
            Some(info) => inside = !inside && info == "sh",
            None if inside => all.push(line.to_string()),
            None => {}
        }
    }
    all
}

/// Every row that the statements of a script give, as text.
fn sqlite3(database: &Path, script: &Path) -> Vec<String> {
    let c = rusqlite::Connection::open(database).unwrap();
    let text = std::fs::read_to_string(script).unwrap();
    let mut found = vec![];
    let mut statements = rusqlite::Batch::new(&c, &text);
    while let Some(mut statement) = rusqlite::fallible_iterator::FallibleIterator::next(&mut statements).unwrap() {
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> =
                (0..columns).map(|i| format!("{:?}", row.get::<_, rusqlite::types::Value>(i).unwrap())).collect();
            found.push(cells.join(" | "));
        }
    }
    found
}

/// Runs a line of a README in its folder.
fn run(at: &Path, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["mkdir", "-p", folders @ ..] => folders.iter().for_each(|f| std::fs::create_dir_all(at.join(f)).unwrap()),
        ["cp", from, to] => {
            std::fs::copy(at.join(from), at.join(to)).unwrap();
        }
        ["rm", file] => std::fs::remove_file(at.join(file)).unwrap(),
        ["sqlite3", database, "<", script] => {
            assert_eq!(sqlite3(&at.join(database), &at.join(script)), Vec::<String>::new(), "{line}");
        }
        ["tablemap", args @ ..] => {
            let mut all = vec!["-C", at.to_str().unwrap()];
            all.extend(args);
            tablemap(&all).says(0, &[]);
        }
        _ => panic!("the test cannot run `{line}`"),
    }
}

fn rows(at: &Path, sql: &str) -> i64 {
    let c = rusqlite::Connection::open(at).unwrap();
    c.query_row(&format!("select count(*) from ({sql})"), [], |r| r.get(0)).unwrap()
}

#[test]
fn the_milestone_cut_over_works_as_its_readme_says() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    copy(&example("milestone-cut-over"), at);
    let steps = commands(&std::fs::read_to_string(at.join("README.md")).unwrap());
    assert!(steps.len() > 20, "the steps were not found");
    for line in &steps {
        run(at, line);
    }
    // Dataverse billed the old milestones too, so there was something that could have arrived.
    assert_eq!(rows(&at.join("data/dataverse.db"), "select * from msdyn_actuals"), 3);
    assert!(!at.join("maps/milestone-status.tmap").exists(), "the delivered version is back");
}

/// Without the stop in the middle the old invoices would have arrived: the expectations can fail.
#[test]
fn the_milestone_cut_over_needs_its_stop() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    copy(&example("milestone-cut-over"), at);
    let steps = commands(&std::fs::read_to_string(at.join("README.md")).unwrap());
    let end = steps.iter().position(|l| l.ends_with("expected/2-nothing.sql")).unwrap();
    let stop = "tablemap stop project-contract-line-milestones project-operations";
    assert!(steps[end - 1] == "tablemap run --once" && steps[..end].iter().any(|l| l.starts_with(stop)));
    for line in steps[..end - 1].iter().filter(|l| !l.starts_with(stop)) {
        run(at, line);
    }
    // The temporary version refuses the status that confirmation gave the milestones.
    tablemap(&["-C", at.to_str().unwrap(), "run", "--once"]).says(1, &[]);
    let wrong = sqlite3(&at.join("data/finance.db"), &at.join("expected/2-nothing.sql"));
    assert!(wrong.iter().any(|w| w.contains("INV-OLD")), "{wrong:?}");
    assert!(wrong.iter().any(|w| w.contains("staging")), "{wrong:?}");
}

/// The milestone map of the recipe is that of the library; the temporary version has one line more.
#[test]
fn the_temporary_version_differs_by_one_line() {
    let mut sources = Sources::new();
    let mut read = |path: PathBuf| -> ast::Map {
        let file = sources.add(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        let (tree, findings) = dsl::parse(&sources, file);
        assert!(findings.is_empty(), "{findings:?}");
        tree.maps.into_iter().next().unwrap()
    };
    let name = "project-contract-line-milestones.tmap";
    let library = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("maps/project-operations").join(name));
    let delivered = read(example("milestone-cut-over").join("maps").join(name));
    let temporary = read(example("milestone-cut-over").join("cut-over/milestone-status.tmap"));
    assert!(
        (&library.fields, &library.version, &library.key) == (&delivered.fields, &delivered.version, &delivered.key)
    );
    assert_eq!(temporary.extends.map(|n| n.text), delivered.id.map(|i| i.it));
    assert!(temporary.version.map(|v| v.it) > delivered.version.map(|v| v.it));
    let [ast::Edit::Add(line)] = temporary.edits.as_slice() else { panic!("{:?}", temporary.edits) };
    assert_eq!(dsl::write_expr(&line.left), "TRANSSTATUS");
}
