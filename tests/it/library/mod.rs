//! The library of maps: without findings, in the documented order, their own tests pass, their pages are fresh.

mod page;

use crate::cli::tablemap;
use crate::corpus::shown;
use page::{Kept, Shelf};
use std::path::{Path, PathBuf};
use tablemap::source::Sources;
use tablemap::syntax::ast;
use tablemap::{check, project, sema};

/// The maps in the order in which the documentation of Project Operations starts them: prerequisites, its own maps,
/// stocked products, and last the maps that do what programs do there.
const SHELVES: &[Shelf] = &[
    (
        "What everything else needs",
        "To be started first, in this order.",
        &[
            "legal-entities-companies",
            "cds-exchange-rates",
            "ledger",
            "units",
            "payment-days",
            "payment-schedules",
            "terms-of-payment",
            "customers-v3-contacts",
            "customers-v3-accounts",
        ],
    ),
    (
        "Project Operations",
        "In the documented order. Two maps run later than they stand here, because they look up what a later one brings: \
         contract lines name projects, and links name actuals.",
        &[
            "project-resource-roles",
            "project-operations-transaction-relationships",
            "project-contract-headers",
            "project-contract-lines",
            "project-funding-source",
            "projects-v2",
            "project-tasks",
            "project-invoice-proposal-v2",
            "project-operations-integration-actuals",
            "project-contract-line-milestones",
            "project-vendor-invoice-export-v2",
            "project-vendor-invoice-line-export",
            "project-invoice-proposal-export",
        ],
    ),
    (
        "Stocked products",
        "Reference data that projects with stocked products need.",
        &[
            "product-colors",
            "product-styles",
            "sites",
            "warehouses",
            "tracking-dimension-groups",
            "product-dimension-groups",
        ],
    ),
    (
        "Derived maps",
        "Both tables lie in one store: these maps do what programs do in the original.",
        &[
            "billed-sales-at-confirmation",
            "unbilled-sales-reversal",
            "billed-sales-connections",
            "import-from-staging",
            "posting-back-to-staging",
        ],
    ),
];

/// They stand earlier in the documented list than they can run: both look up rows of a map behind them.
const RUN_LATER: &[&str] = &["project-operations-transaction-relationships", "project-contract-lines"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The library as its project file says, and in which order its maps run.
fn library() -> (Vec<Kept>, Vec<String>) {
    let mut sources = Sources::new();
    let (loaded, mut findings) = project::load(&root().join("maps/project-operations"), &mut sources);
    let loaded = loaded.expect("the library is a project");
    let stores: Vec<_> = loaded.stores.iter().map(|s| (s.name.clone(), s.schema.clone())).collect();
    let files: Vec<_> = loaded.maps.iter().map(|m| (m.file, m.ast.clone())).collect();
    let input = sema::Input {
        sources: &sources,
        stores: &stores,
        files: &files,
        companies: loaded.companies.as_deref(),
        time_zone: loaded.time_zone.clone(),
    };
    let (checked, found) = check::check(&input);
    findings.extend(found);
    // Warnings are explained at their lines.
    let told = check::allow(&sources, &files, findings).findings;
    assert!(told.is_empty(), "{}", shown(&sources, &told));
    let order = checked.order.iter().map(|m| checked.maps[*m].id.clone()).collect();
    let values: Vec<ast::ValuesDecl> = files.iter().flat_map(|(_, f)| f.values.clone()).collect();
    let mut all = vec![];
    for (file, tree) in files {
        let [map] = tree.maps.as_slice() else { panic!("one map in a file") };
        let name = Path::new(&sources.file(file).name).file_name().unwrap().to_string_lossy().into_owned();
        // What stands on top of the file is the map's header, whatever comes first in it.
        let first = tree.values.iter().filter(|v| v.at.0.start < map.at.0.start).map(|v| &v.trivia).next();
        let header = first.unwrap_or(&map.trivia).before.clone();
        all.push(Kept { file: name, header, map: map.clone(), values: values.clone() });
    }
    (all, order)
}

#[test]
fn every_map_of_the_library_has_its_place() {
    let (maps, order) = library();
    let listed: Vec<&str> = SHELVES.iter().flat_map(|(_, _, ids)| ids.iter().copied()).collect();
    let there: Vec<&str> = maps.iter().map(Kept::id).collect();
    for id in &there {
        assert_eq!(listed.iter().filter(|l| l == &id).count(), 1, "`{id}` belongs on one shelf");
    }
    assert_eq!(listed.len(), there.len(), "a shelf names a map that is not there");
    for map in &maps {
        assert_eq!(map.file, format!("{}.tmap", map.id()), "a file has the name of its map's id");
        assert!(map.map.tests.len() >= 2, "`{}` has too few tests of its own", map.id());
        assert!(map.map.labels.iter().all(|l| !l.it.1.is_empty()));
    }
    // What the documentation starts first also runs first.
    let place = |id: &str| order.iter().position(|o| o == id).unwrap();
    for (_, _, ids) in &SHELVES[..2] {
        let kept: Vec<usize> = ids.iter().filter(|id| !RUN_LATER.contains(id)).map(|id| place(id)).collect();
        let mut sorted = kept.clone();
        sorted.sort_unstable();
        assert_eq!(kept, sorted, "they run as {order:?}");
    }
}

#[test]
fn the_tests_of_the_library_pass() {
    let at = root().join("maps/project-operations");
    let done = tablemap(&["-C", at.to_str().unwrap(), "test"]);
    done.says(0, &["tests passed"]);
    assert!(!at.join("data").exists(), "tests open no store");
}

/// `UPDATE=1` writes the pages.
#[test]
fn map_pages_are_fresh() {
    let (maps, order) = library();
    let folder = root().join("docs/maps");
    let update = std::env::var_os("UPDATE").is_some();
    let mut pages: Vec<(PathBuf, String)> =
        maps.iter().map(|m| (folder.join(format!("{}.md", m.id())), page::of(m))).collect();
    pages.push((folder.join("README.md"), page::index(SHELVES, &maps, &order)));
    if update {
        std::fs::create_dir_all(&folder).unwrap();
        for (path, text) in &pages {
            std::fs::write(path, text).unwrap();
        }
    }
    for (path, text) in &pages {
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == *text, "{} is stale: UPDATE=1 cargo nextest run map_pages_are_fresh", path.display());
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(pages.iter().any(|(p, _)| *p == path), "{}: no map of the library has this page", path.display());
    }
}
