//! One test: empty stores, given rows, the map's legs, expectations.

use super::super::open::Loaded;
use super::expect::{Problem, Table};
use super::given::Given;
use crate::engine::{Engine, Env, Limits, Quiet};
use crate::schema::StoreSchema;
use crate::sema::{CheckedMap, CheckedProject, Company};
use crate::source::Span;
use crate::store::{QuarantineKind, Store};
use crate::syntax::ast::{Cell, Path, Row, Side, Test, TestWhat};
use std::sync::Arc;
use std::time::Instant;

/// How a test ended.
pub(super) struct Verdict {
    /// The step at fault (none = the test as a whole), and what is wrong.
    pub problems: Vec<(Option<Span>, Problem)>,
    /// Messages of what went to quarantine.
    pub quarantine: Vec<String>,
    pub seconds: f64,
}

impl Verdict {
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Runs a test of a map.
pub(super) fn run(loaded: &Loaded, map: usize, test: &Test) -> Verdict {
    let began = Instant::now();
    let mut verdict = Verdict { problems: vec![], quarantine: vec![], seconds: 0.0 };
    if let Err((at, message)) = attempt(loaded, &loaded.checked.maps[map], test, &mut verdict) {
        verdict.problems.push((at, message.into()));
    }
    verdict.seconds = began.elapsed().as_secs_f64();
    verdict
}

type Stopped = (Option<Span>, String);

/// An empty store of this process alone.
#[cfg(feature = "sqlite")]
fn fresh(name: &str, schema: &Arc<StoreSchema>) -> Result<Arc<dyn Store>, String> {
    let store = crate::store::memory::open(name, schema.clone()).map_err(|e| e.to_string())?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "sqlite"))]
fn fresh(_: &str, _: &Arc<StoreSchema>) -> Result<Arc<dyn Store>, String> {
    Err("tests need a build with the feature `sqlite`".into())
}

fn attempt(loaded: &Loaded, map: &Arc<CheckedMap>, test: &Test, verdict: &mut Verdict) -> Result<(), Stopped> {
    let checked = alone(&loaded.checked, map);
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for (name, schema) in &checked.stores {
        stores.push(fresh(name, schema).map_err(|e| (None, e))?);
    }
    let engine = Engine::new("test", checked, stores, Env::default(), Limits::default());
    let run = || engine.run_once(Some(&[0]), &Quiet).map_err(|e| (None, e.to_string()));
    let whole = |e: String| (None, e);

    // On empty stores, so that what is given comes to both legs as news.
    run()?;
    let mut given = Given::new(&engine.maps.stores, engine.maps.companies.as_deref());
    let mut rows = Vec::new();
    for step in test.steps.iter().filter(|s| s.it.given) {
        let at = |e| (Some(step.at.0), e);
        match &step.it.what {
            TestWhat::Row(side, row) => {
                let t = if *side == Side::Left { map.left } else { map.right };
                rows.push((t.store, t.table, true, row));
            }
            TestWhat::Other(path, row) => {
                let (store, table) = other(loaded, path).map_err(at)?;
                rows.push((store, table, false, row));
            }
            TestWhat::NoRow(_) | TestWhat::Parked | TestWhat::Error => {
                return Err(at("only rows can be given".to_string()));
            }
        }
    }
    given.take(&rows).map_err(whole)?;
    given.insert(&engine.stores).map_err(whole)?;
    run()?;

    let errors = engine.errors(&[0]).map_err(|e| (None, e.to_string()))?;
    let parked = errors.iter().filter(|(_, e)| e.kind == QuarantineKind::Parked).count();
    let failed =
        errors.iter().filter(|(_, e)| !matches!(e.kind, QuarantineKind::Parked | QuarantineKind::Debt)).count();
    let text_of = |c: &Cell| loaded.sources.text(c.path.at.0).to_string();
    for step in test.steps.iter().filter(|s| !s.it.given) {
        let table = |side: Side| {
            let t = if side == Side::Left { map.left } else { map.right };
            Table { store: engine.stores[t.store].as_ref(), index: t.store, table: t.table, given: &given }
        };
        let result = match &step.it.what {
            TestWhat::Row(side, row) => table(*side).row(row, &text_of),
            TestWhat::NoRow(side) => table(*side).none(),
            TestWhat::Other(path, row) => other_row(loaded, &engine.stores, &given, path, row, &text_of),
            TestWhat::Parked if parked > 0 => Ok(()),
            TestWhat::Parked => Err("no record is parked".to_string().into()),
            TestWhat::Error if failed > 0 => Ok(()),
            TestWhat::Error => Err("no record failed".to_string().into()),
        };
        if let Err(problem) = result {
            verdict.problems.push((Some(step.at.0), problem));
        }
    }
    if !test.steps.iter().any(|s| !s.it.given) {
        verdict.problems.push((None, "the test expects nothing".to_string().into()));
    }
    verdict.quarantine = errors.into_iter().map(|(_, e)| e.message).collect();
    Ok(())
}

/// A project of this map only. Rows of any company are its business, unless it makes one for each.
fn alone(project: &CheckedProject, map: &Arc<CheckedMap>) -> CheckedProject {
    let each = map.legs().any(|l| matches!(l.company, Company::Each(_)));
    let mut one = CheckedMap::clone(map);
    one.needs.clear();
    CheckedProject {
        maps: vec![Arc::new(one)],
        order: vec![0],
        companies: if each { project.companies.clone() } else { None },
        ..project.clone()
    }
}

/// The table of `STORE.TABLE`.
fn other(loaded: &Loaded, path: &Path) -> Result<(usize, crate::schema::TableId), String> {
    use crate::diagnostic::did_you_mean;
    let [store, table] = path.steps.as_slice() else {
        return Err("a table is named as `STORE.TABLE`".into());
    };
    let stores = &loaded.checked.stores;
    let hint = |h: Option<String>| h.map_or(String::new(), |h| format!("; {h}"));
    let Some(s) = stores.iter().position(|(name, _)| *name == store.name.text) else {
        let near = did_you_mean(&store.name.text, stores.iter().map(|(n, _)| n.as_str()));
        return Err(format!("no store is called `{}`{}", store.name.text, hint(near)));
    };
    let schema = &stores[s].1;
    match schema.table(&table.name.text) {
        Some(t) => Ok((s, t)),
        None => {
            let near = did_you_mean(&table.name.text, schema.tables.iter().map(|t| t.name.as_str()));
            Err(format!("store `{}` has no table `{}`{}", store.name.text, table.name.text, hint(near)))
        }
    }
}

fn other_row(
    loaded: &Loaded,
    stores: &[Arc<dyn Store>],
    given: &Given,
    path: &Path,
    row: &Row,
    text_of: &dyn Fn(&Cell) -> String,
) -> Result<(), Problem> {
    let (index, table) = other(loaded, path)?;
    Table { store: stores[index].as_ref(), index, table, given }.row(row, text_of)
}
