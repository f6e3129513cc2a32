//! Results kept from one check to the next are those that a new check would give, whatever was edited between them.

use crate::corpus::files;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tablemap::sema::{CheckedMap, How, Input, Kept};
use tablemap::source::Sources;
use tablemap::{check, project, schema, syntax};

/// A project as texts by name.
#[derive(Clone)]
struct World {
    schemas: BTreeMap<String, String>,
    maps: BTreeMap<String, String>,
    companies: Option<Vec<String>>,
    zone: &'static str,
}

impl World {
    fn shipped() -> World {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("maps/project-operations");
        let read = |dir: &Path, end: &str| -> BTreeMap<String, String> {
            let named = |p: std::path::PathBuf| {
                (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap())
            };
            files(dir, end).into_iter().map(named).collect()
        };
        let schemas = read(&dir.join("schemas"), ".schema.yaml");
        World { schemas, maps: read(&dir, ".tmap"), companies: None, zone: "UTC" }
    }

    /// Everything that a check gives, as text.
    fn look(&self, kept: Option<&Kept>) -> String {
        let mut sources = Sources::new();
        let mut stores = vec![];
        for (name, text) in &self.schemas {
            let file = sources.add(name.as_str(), text.as_str());
            stores.push((name.replace(".schema.yaml", ""), Arc::new(schema::load(&sources, file).0)));
        }
        let mut asts = vec![];
        for (name, text) in &self.maps {
            let file = sources.add(name.as_str(), text.as_str());
            asts.push((file, std::sync::Arc::new(syntax::dsl::parse(&sources, file).0)));
        }
        let time_zone = jiff::tz::TimeZone::get(self.zone).unwrap();
        let companies = self.companies.as_deref();
        let input = Input { sources: &sources, stores: &stores, files: &asts, companies, time_zone };
        let how = if kept.is_some() { How { each: &project::each, kept } } else { How::default() };
        let (project, findings) = check::check_as(&input, how);
        // The hash is that of all a map means; beside it, what means nothing and is shown.
        let shown = |m: &CheckedMap| {
            let lines: Vec<_> = m.legs().flat_map(|l| &l.lines).map(|l| l.at.0).collect();
            format!("{} {} {} {:?} {:?} {:?} {lines:?}", m.id, m.hash, m.file, m.needs, m.name, m.version)
        };
        let maps: Vec<String> = project.maps.iter().map(|m| shown(m)).collect();
        format!("{:?}\n{findings:#?}\n{}", project.order, maps.join("\n"))
    }

    fn map(&mut self, name: &str, from: &str, to: &str) {
        let text = self.maps.get_mut(&format!("{name}.tmap")).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        *text = text.replacen(from, to, 1);
    }
}

#[test]
fn kept_results_are_those_of_a_new_check() {
    let actuals = "project-operations-integration-actuals";
    let proposal = "project-invoice-proposal-v2";
    type Edit<'a> = (&'a str, Box<dyn Fn(&mut World) + 'a>);
    let edits: Vec<Edit<'_>> = vec![
        ("nothing", Box::new(|_| ())),
        ("a misspelt column", Box::new(|w| w.map(actuals, "msdyn_quantity", "msdyn_quantty"))),
        ("another beside it", Box::new(|w| w.map(proposal, "transactioncurrencyid", "transactioncurencyid"))),
        ("mended", Box::new(|w| w.map(actuals, "msdyn_quantty", "msdyn_quantity"))),
        (
            "an overlay",
            Box::new(|w| {
                let id = "map \"Ours\" extends project-operations-integration-actuals {\n  version 9.9\n}\n";
                w.maps.insert("zz-ours.tmap".into(), id.into());
            }),
        ),
        ("its base changes", Box::new(|w| w.map(actuals, "msdyn_quantity", "msdyn_quantty"))),
        ("and is mended", Box::new(|w| w.map(actuals, "msdyn_quantty", "msdyn_quantity"))),
        (
            "the overlay takes another's place",
            Box::new(|w| {
                w.map("zz-ours", "project-operations-integration-actuals", "project-invoice-proposal-v2");
            }),
        ),
        ("the overlay changes", Box::new(|w| w.map("zz-ours", "9.9", "9.9\n  filter left: NO_SUCH == 1"))),
        ("the overlay goes", Box::new(|w| drop(w.maps.remove("zz-ours.tmap")))),
        ("a schema moves down", Box::new(|w| w.schemas.values_mut().next().unwrap().insert_str(0, "# more\n"))),
        (
            "a column of a schema goes",
            Box::new(|w| {
                let text = w.schemas.get_mut("dataverse.schema.yaml").unwrap();
                assert!(text.contains("msdyn_quantity:"));
                *text = text.replacen("msdyn_quantity:", "msdyn_amount_of_it:", 1);
            }),
        ),
        ("a pair of a shared value map goes", Box::new(|w| w.map(actuals, "'NonChargeable' = 192350000\n", ""))),
        (
            "a file is renamed",
            Box::new(|w| {
                let text = w.maps.remove(&format!("{proposal}.tmap")).unwrap();
                w.maps.insert("zz.tmap".into(), text);
            }),
        ),
        (
            "a file comes first",
            Box::new(|w| {
                w.maps.insert("aa.tmap".into(), "map \"First\" {\n  id first\n}\n".into());
            }),
        ),
        ("companies", Box::new(|w| w.companies = Some(vec!["USPM".into()]))),
        ("the time zone", Box::new(|w| w.zone = "Europe/Copenhagen")),
        (
            "a prerequisite goes",
            Box::new(|w| {
                w.maps.remove("zz.tmap");
            }),
        ),
        (
            "a map takes the id of another",
            Box::new(|w| {
                w.maps.insert("bb.tmap".into(), w.maps[&format!("{actuals}.tmap")].clone());
            }),
        ),
    ];
    let kept = Kept::default();
    let mut world = World::shipped();
    assert_eq!(world.look(Some(&kept)), world.look(None), "at first");
    let mut before = world.look(None);
    for (what, edit) in edits {
        edit(&mut world);
        let fresh = world.look(None);
        let may_be_equal = matches!(what, "nothing" | "companies" | "the time zone");
        assert!(may_be_equal || fresh != before, "{what}: the edit makes no difference");
        // Twice: what was kept this time holds the next time, too.
        for _ in 0..2 {
            let found = world.look(Some(&kept));
            let differs = found.lines().zip(fresh.lines()).find(|(a, b)| a != b);
            assert!(found == fresh, "{what}: {differs:?}");
        }
        before = fresh;
    }
}
