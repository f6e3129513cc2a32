//! What a test expects, held against the stores.

use super::given::Given;
use super::path::{Hop, Wrong, resolve, target, typed};
use crate::schema::{StoreSchema, TableId};
use crate::store::{Join, ReadPlan, Rows, Store};
use crate::syntax::ast;
use crate::value::{Collation, Type, Value, compare};
use serde::Serialize;
use std::cmp::Ordering;

/// One cell that is not as expected.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Difference {
    pub column: String,
    pub expected: String,
    pub found: String,
}

/// Why an expectation does not hold.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Problem {
    pub message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Difference>,
}

impl From<Wrong> for Problem {
    fn from(message: Wrong) -> Problem {
        Problem { message, cells: vec![] }
    }
}

/// A table of a store, with the test's own rows.
pub(super) struct Table<'a> {
    pub store: &'a dyn Store,
    pub index: usize,
    pub table: TableId,
    pub given: &'a Given,
}

struct Wanted {
    /// Index among the plan's columns.
    slot: usize,
    text: String,
    value: Value,
    ty: Type,
    collation: Collation,
}

impl Table<'_> {
    fn schema(&self) -> &StoreSchema {
        self.store.schema()
    }
    fn name(&self) -> String {
        format!("{}.{}", self.store.name(), self.schema().get(self.table).name)
    }

    /// All rows of the plan.
    fn rows(&self, plan: &ReadPlan) -> Result<Rows, Wrong> {
        let keys = self.schema().get(self.table).primary_key.len();
        let mut snapshot = self.store.snapshot().map_err(|e| e.to_string())?;
        let mut rows = Rows::of(plan);
        loop {
            let before = rows.len();
            let after = (before > 0).then(|| rows.row(before - 1)[..keys].to_vec());
            snapshot.scan(plan, after.as_deref(), 1000, &mut rows).map_err(|e| e.to_string())?;
            if rows.len() < before + 1000 {
                return Ok(rows);
            }
        }
    }

    fn plan(&self) -> ReadPlan {
        let columns = self.schema().get(self.table).primary_key.iter().map(|c| (0, *c)).collect();
        ReadPlan { table: self.table, joins: vec![], columns }
    }

    /// `expect SIDE none`: no row but those the test put there for other rows to look up.
    pub fn none(&self) -> Result<(), Problem> {
        let plan = self.plan();
        let rows = self.rows(&plan)?;
        let keys = plan.columns.len();
        let left: Vec<String> = (0..rows.len())
            .map(|i| &rows.row(i)[..keys])
            .filter(|key| !self.given.made(self.index, self.table, key))
            .map(|key| key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            .collect();
        match left.as_slice() {
            [] => Ok(()),
            [one] => Err(format!("there is a row in {}: {one}", self.name()).into()),
            some => Err(format!("there are {} rows in {}; the first: {}", some.len(), self.name(), some[0]).into()),
        }
    }

    /// `expect SIDE { … }`: some row matches all cells; else the nearest one, cell by cell.
    pub fn row(&self, row: &ast::Row, text_of: &dyn Fn(&ast::Cell) -> String) -> Result<(), Problem> {
        let schema = self.schema();
        let mut plan = self.plan();
        let keys = plan.columns.len();
        let mut followed: Vec<(usize, Hop)> = Vec::new();
        let mut wanted = Vec::new();
        for cell in &row.cells {
            let at = resolve(schema, self.table, &cell.path)?;
            let value = typed(schema, &at, &cell.value)?;
            let (mut from, mut table) = (0, self.table);
            for hop in &at.hops {
                let to = target(schema, table, *hop);
                from = match followed.iter().position(|f| *f == (from, *hop)) {
                    Some(known) => known + 1,
                    None => {
                        let type_column = schema.get(table).lookups[hop.lookup].type_column;
                        let when = type_column.map(|c| (c, Value::text(&schema.get(to.table).name)));
                        let (columns, key) = (to.columns.clone(), to.key.clone());
                        plan.joins.push(Join { from, columns, table: to.table, key, when });
                        followed.push((from, *hop));
                        followed.len()
                    }
                };
                table = to.table;
            }
            let column = schema.get(at.table).column(at.column);
            plan.columns.push((from, at.column));
            wanted.push(Wanted {
                slot: plan.columns.len() - 1,
                text: text_of(cell),
                value,
                ty: column.ty.clone(),
                collation: column.collation,
            });
        }
        let rows = self.rows(&plan)?;
        let same = |w: &Wanted, found: &Value| {
            w.value == *found || compare(&w.value, found, w.collation) == Some(Ordering::Equal)
        };
        let mut best: Option<(bool, usize, usize)> = None;
        for i in 0..rows.len() {
            let cells = rows.row(i);
            let hits = wanted.iter().filter(|w| same(w, &cells[w.slot])).count();
            if hits == wanted.len() {
                return Ok(());
            }
            let own = !self.given.made(self.index, self.table, &cells[..keys]);
            if best.is_none_or(|(o, h, _)| (own, hits) > (o, h)) {
                best = Some((own, hits, i));
            }
        }
        let Some((_, hits, i)) = best else {
            return Err(format!("there is no row in {}", self.name()).into());
        };
        let cells = rows.row(i);
        let differ = wanted.iter().filter(|w| !same(w, &cells[w.slot]));
        Err(Problem {
            message: format!(
                "no row of {} is like this; the nearest differs in {} of {} cells",
                self.name(),
                wanted.len() - hits,
                wanted.len()
            ),
            cells: differ
                .map(|w| Difference {
                    column: w.text.clone(),
                    expected: shown(&w.value, &w.ty),
                    found: shown(&cells[w.slot], &w.ty),
                })
                .collect(),
        })
    }
}

/// A value as a map would write it: a choice by its member's name.
fn shown(value: &Value, ty: &Type) -> String {
    match (value, ty) {
        (Value::Integer(i), Type::Choice(choice)) => match choice.by_value(*i) {
            Some(member) => format!("'{}'", member.name),
            None => i.to_string(),
        },
        (Value::Date(_) | Value::DateTime(_) | Value::Uuid(_), _) => format!("'{value}'"),
        _ => value.to_string(),
    }
}
