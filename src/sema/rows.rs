//! Checks the rows in a map's tests: their columns, and the literals in them.

use super::env::{Env, SideAt};
use super::ir::TableAt;
use super::reader::Reader;
use super::report::Report;
use super::typing::literal_of;
use crate::diagnostic::Code;
use crate::syntax::ast::{Path, Row, TestWhat};

/// Checks every test of the map.
pub(crate) fn check(env: &Env<'_>, report: &mut Report<'_>) {
    for test in &env.map.tests {
        for step in &test.steps {
            match &step.it.what {
                TestWhat::Row(side, row) => cells(env.side(*side), row, report),
                TestWhat::Other(path, row) => {
                    if let Some(at) = table(env, path, report) {
                        cells(at, row, report);
                    }
                }
                TestWhat::NoRow(_) | TestWhat::Parked | TestWhat::Error if step.it.given => report.help(
                    Code::TM0120,
                    step.at,
                    "only rows can be given",
                    "every store is empty before a test; write `expect` if this is how it should end",
                ),
                TestWhat::NoRow(_) | TestWhat::Parked | TestWhat::Error => {}
            }
        }
    }
}

fn table<'a>(env: &Env<'a>, path: &Path, report: &mut Report<'_>) -> Option<SideAt<'a>> {
    let [store, table] = path.steps.as_slice() else {
        report.at(Code::TM0604, path.at, "a table is named by its store: `STORE.TABLE`");
        return None;
    };
    let stores = env.input.stores;
    let Some(index) = stores.iter().position(|(n, _)| *n == store.name.text) else {
        let message = format!("the project has no store `{}`", store.name.text);
        let known = stores.iter().map(|(n, _)| n.as_str());
        report.unknown(Code::TM0201, store.name.at, message, &store.name.text, known);
        return None;
    };
    let (name, schema) = &stores[index];
    let Some(id) = schema.table(&table.name.text) else {
        let message = format!("store `{name}` has no table `{}`", table.name.text);
        let known = schema.tables.iter().map(|t| t.name.as_str());
        report.unknown(Code::TM0202, table.name.at, message, &table.name.text, known);
        return None;
    };
    Some(SideAt { at: TableAt { store: index, table: id }, store: name, schema })
}

fn cells(at: SideAt<'_>, row: &Row, report: &mut Report<'_>) {
    for cell in &row.cells {
        let mut reader = Reader::new(at.schema, at.id());
        if let Some(typed) = reader.path(&cell.path, report) {
            literal_of(&cell.value, &typed.ty, Code::TM0305, report);
        }
    }
}
