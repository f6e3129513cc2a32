//! Whether a condition can hold: by trying every region into which the constants of a condition cut the values that it
//! compares. What is compared with no constant is unknown, and taken for anything.

use crate::schema::{Column, ColumnId, StoreSchema, Table};
use crate::sema::expr::Comparison;
use crate::sema::{Expr, Leg, Predicate};
use crate::value::{Collation, Type, Value, compare, convert};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// More combinations than this are not tried; then nothing is said.
const MOST: usize = 20_000;

/// What a condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It depends, or is not known.
    Depends,
    /// True for every row.
    Always,
    /// True for no row.
    Never,
}

/// A condition, with the names under which its cells are known.
pub(super) struct Space<'a> {
    vars: Vec<Var<'a>>,
    opaque: Vec<String>,
}

struct Var<'a> {
    name: String,
    column: Option<&'a Column>,
    nullable: bool,
    collation: Collation,
    /// Sorted; each once.
    constants: Vec<Value>,
    /// It is this and nothing else.
    fixed: Option<Value>,
}

enum Formula {
    And(Vec<Formula>),
    Or(Vec<Formula>),
    Not(Box<Formula>),
    Known(Option<bool>),
    Compare(usize, Comparison, Value),
    In(usize, Vec<Value>, bool),
    IsNull(usize),
    True(usize),
    /// Anything; whether null too.
    Opaque(usize),
}

/// How a leg's cells are named: cells of one name are one value.
pub(super) type Names<'n> = &'n dyn Fn(usize, ColumnId) -> Option<String>;

impl<'a> Space<'a> {
    pub(super) fn new() -> Space<'a> {
        Space { vars: vec![], opaque: vec![] }
    }

    fn var(&mut self, name: String, column: Option<&'a Column>, nullable: bool) -> usize {
        if let Some(i) = self.vars.iter().position(|v| v.name == name) {
            return i;
        }
        let collation = column.map_or(Collation::Exact, |c| c.collation);
        self.vars.push(Var { name, column, nullable, collation, constants: vec![], fixed: None });
        self.vars.len() - 1
    }

    /// Says that a value is this.
    pub(super) fn fix(&mut self, name: String, column: &'a Column, value: Value) {
        let i = self.var(name, Some(column), true);
        self.constant(i, &value);
        self.vars[i].fixed = Some(value);
    }

    fn constant(&mut self, var: usize, value: &Value) {
        let v = &mut self.vars[var];
        if !value.is_null() && v.constants.iter().all(|c| compare(c, value, v.collation) != Some(Ordering::Equal)) {
            v.constants.push(value.clone());
        }
    }

    fn formula(&mut self, e: &Expr, leg: &Leg, schema: &'a StoreSchema, names: Names<'_>) -> Formula {
        let mut all = |items: &[Expr]| items.iter().map(|x| self.formula(x, leg, schema, names)).collect();
        match e {
            Expr::And(items) => Formula::And(all(items)),
            Expr::Or(items) => Formula::Or(all(items)),
            Expr::Not(x) => Formula::Not(Box::new(self.formula(x, leg, schema, names))),
            Expr::Constant(Value::Boolean(b)) => Formula::Known(Some(*b)),
            Expr::Constant(_) => Formula::Known(None),
            Expr::Compare(op, _, a, b) => match (&**a, &**b) {
                (Expr::Constant(a), Expr::Constant(b)) => {
                    Formula::Known(compare(a, b, Collation::Exact).map(|o| op.holds(o)))
                }
                (x, Expr::Constant(v)) => self.compared(x, *op, v, leg, schema, names),
                (Expr::Constant(v), x) => self.compared(x, op.turned(), v, leg, schema, names),
                _ => self.unknown(e, leg),
            },
            Expr::In(x, _, items) => {
                let var = self.value(x, leg, schema, names);
                items.iter().for_each(|v| self.constant(var, v));
                Formula::In(var, items.clone(), items.iter().any(Value::is_null))
            }
            Expr::IsNull(x) => Formula::IsNull(self.value(x, leg, schema, names)),
            Expr::Slot(_) => {
                let var = self.value(e, leg, schema, names);
                self.constant(var, &Value::Boolean(true));
                Formula::True(var)
            }
            _ => self.unknown(e, leg),
        }
    }

    fn compared(
        &mut self,
        x: &Expr,
        op: Comparison,
        v: &Value,
        leg: &Leg,
        schema: &'a StoreSchema,
        names: Names<'_>,
    ) -> Formula {
        let var = self.value(x, leg, schema, names);
        self.constant(var, v);
        Formula::Compare(var, op, v.clone())
    }

    fn unknown(&mut self, e: &Expr, leg: &Leg) -> Formula {
        let text = format!("{leg:p} {e:?}");
        let i = self.opaque.iter().position(|o| *o == text).unwrap_or_else(|| {
            self.opaque.push(text);
            self.opaque.len() - 1
        });
        Formula::Opaque(i)
    }

    fn value(&mut self, x: &Expr, leg: &Leg, schema: &'a StoreSchema, names: Names<'_>) -> usize {
        match x {
            Expr::Convert(x, Type::Decimal { .. }) if matches!(**x, Expr::Slot(_)) => self.value(x, leg, schema, names),
            Expr::Slot(cell) => {
                let Some((from, id)) = leg.read.columns.get(*cell) else {
                    return self.var(format!("{leg:p} {cell}"), None, true);
                };
                let table = match from.checked_sub(1) {
                    None => leg.read.table,
                    Some(j) => leg.read.joins[j].table,
                };
                let column = schema.get(table).column(*id);
                let name = names(*from, *id).unwrap_or_else(|| match from.checked_sub(1) {
                    None => format!("{}.{}", leg.source.store, id.0),
                    Some(j) => format!("{}.{}/{}.{}", leg.source.store, leg.joins[j].text, table.0, id.0),
                });
                let nullable = *from != 0 || !column.required || column.blank.is_some();
                self.var(name, Some(column), nullable)
            }
            other => self.var(format!("{leg:p} {other:?}"), None, true),
        }
    }

    /// What the conditions of these legs come to, all together, over what was said so far.
    pub(super) fn decide(mut self, conditions: &[(&Leg, &'a StoreSchema, Names<'_>)]) -> (Verdict, Vec<String>) {
        let formulas: Vec<Formula> = conditions
            .iter()
            .filter_map(|(leg, schema, names)| Some(self.formula(&leg.filter.as_ref()?.condition, leg, schema, names)))
            .collect();
        self.settle(&Formula::And(formulas))
    }

    /// What a condition on the own columns of one row comes to.
    pub(super) fn decide_row(mut self, table: &'a Table, condition: &Predicate) -> (Verdict, Vec<String>) {
        let formula = self.of_row(table, condition);
        self.settle(&formula)
    }

    fn of_row(&mut self, table: &'a Table, condition: &Predicate) -> Formula {
        match condition {
            Predicate::And(items) => Formula::And(items.iter().map(|x| self.of_row(table, x)).collect()),
            Predicate::Or(items) => Formula::Or(items.iter().map(|x| self.of_row(table, x)).collect()),
            Predicate::Not(x) => Formula::Not(Box::new(self.of_row(table, x))),
            Predicate::Compare(c, op, v) => {
                let var = self.own(table, *c);
                self.constant(var, v);
                Formula::Compare(var, *op, v.clone())
            }
            Predicate::IsNull(c) => Formula::IsNull(self.own(table, *c)),
            Predicate::In(c, items) => {
                let var = self.own(table, *c);
                items.iter().for_each(|v| self.constant(var, v));
                Formula::In(var, items.clone(), items.iter().any(Value::is_null))
            }
        }
    }

    fn own(&mut self, table: &'a Table, id: ColumnId) -> usize {
        let column = table.column(id);
        self.var(format!("{}", id.0), Some(column), !column.required || column.blank.is_some())
    }

    fn settle(mut self, all: &Formula) -> (Verdict, Vec<String>) {
        let mut seen = BTreeSet::new();
        let columns: Vec<String> = self
            .vars
            .iter()
            .filter_map(|v| v.column)
            .map(|c| c.name.clone())
            .filter(|n| seen.insert(n.clone()))
            .collect();
        let mut options: Vec<Vec<Option<usize>>> = self.vars.iter_mut().map(Var::options).collect();
        // An unknown condition is true, false or null.
        options.extend(self.opaque.iter().map(|_| vec![None, Some(0), Some(1)]));
        let count = options.iter().try_fold(1usize, |n, o| n.checked_mul(o.len()).filter(|n| *n <= MOST));
        if count.is_none() {
            return (Verdict::Depends, columns);
        }
        let (mut ever, mut always) = (false, true);
        let mut at = vec![0; options.len()];
        loop {
            if options.iter().all(|o| !o.is_empty()) {
                let row: Vec<Option<usize>> = options.iter().zip(&at).map(|(o, i)| o[*i]).collect();
                match self.truth(all, &row) {
                    Some(true) => ever = true,
                    _ => always = false,
                }
            }
            let Some(next) = (0..at.len()).find(|i| at[*i] + 1 < options[*i].len()) else { break };
            at[next] += 1;
            at[..next].iter_mut().for_each(|i| *i = 0);
        }
        let verdict = match (ever, always) {
            (false, _) => Verdict::Never,
            (true, true) => Verdict::Always,
            _ => Verdict::Depends,
        };
        (verdict, columns)
    }

    fn truth(&self, f: &Formula, row: &[Option<usize>]) -> Option<bool> {
        let rank = |var: usize, v: &Value| {
            let var = &self.vars[var];
            var.constants.iter().position(|c| compare(c, v, var.collation) == Some(Ordering::Equal)).map(|i| 2 * i + 1)
        };
        match f {
            Formula::Known(b) => *b,
            Formula::And(items) => fold(items.iter().map(|x| self.truth(x, row)), false),
            Formula::Or(items) => fold(items.iter().map(|x| self.truth(x, row)), true),
            Formula::Not(x) => self.truth(x, row).map(|b| !b),
            Formula::Compare(var, op, v) => {
                let (here, there) = (row[*var]?, rank(*var, v)?);
                Some(op.holds(here.cmp(&there)))
            }
            Formula::In(var, items, null) => {
                let here = row[*var]?;
                let hit = items.iter().filter_map(|v| rank(*var, v)).any(|r| r == here);
                if hit { Some(true) } else { (!null).then_some(false) }
            }
            Formula::IsNull(var) => Some(row[*var].is_none()),
            Formula::True(var) => Some(row[*var]? == rank(*var, &Value::Boolean(true))?),
            Formula::Opaque(i) => row[self.vars.len() + i].map(|x| x == 1),
        }
    }
}

/// `and` (`end` = false) or `or` in three-valued logic.
fn fold(items: impl Iterator<Item = Option<bool>>, end: bool) -> Option<bool> {
    let mut unknown = false;
    for item in items {
        match item {
            Some(b) if b == end => return Some(end),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(!end) }
}

impl Var<'_> {
    /// Where the value may lie: none = null; 2i+1 = the i-th constant; 2i = before it, 2n = after the last.
    fn options(&mut self) -> Vec<Option<usize>> {
        let collation = self.collation;
        self.constants.sort_by(|a, b| compare(a, b, collation).unwrap_or(Ordering::Equal));
        if let Some(v) = &self.fixed {
            let at = self.constants.iter().position(|c| compare(c, v, collation) == Some(Ordering::Equal));
            return vec![at.map(|i| 2 * i + 1)];
        }
        let mut out: Vec<Option<usize>> = if self.nullable { vec![None] } else { vec![] };
        let n = self.constants.len();
        for rank in 0..=2 * n {
            let possible = if rank % 2 == 1 {
                self.holds_constant(&self.constants[rank / 2])
            } else {
                let below = (rank / 2).checked_sub(1).map(|i| &self.constants[i]);
                self.has_between(below, self.constants.get(rank / 2))
            };
            if possible {
                out.push(Some(rank));
            }
        }
        out
    }

    fn holds_constant(&self, v: &Value) -> bool {
        let Some(column) = self.column else { return true };
        if column.blank.as_ref() == Some(v) {
            return false;
        }
        match (&column.ty, v) {
            (Type::Text { .. } | Type::Integer | Type::Decimal { .. } | Type::Choice(_), v) => {
                convert(v.clone(), &column.ty).is_ok()
            }
            _ => true,
        }
    }

    fn has_between(&self, low: Option<&Value>, high: Option<&Value>) -> bool {
        let inside = |v: &Value| {
            low.is_none_or(|l| compare(v, l, self.collation) == Some(Ordering::Greater))
                && high.is_none_or(|h| compare(v, h, self.collation) == Some(Ordering::Less))
        };
        let Some(column) = self.column else { return true };
        match &column.ty {
            Type::Boolean => [true, false].iter().any(|b| inside(&Value::Boolean(*b))),
            Type::Choice(c) => c.members.iter().any(|m| inside(&Value::Integer(m.value))),
            Type::Integer => match (low, high) {
                (Some(Value::Integer(l)), Some(Value::Integer(h))) => h.saturating_sub(*l) > 1,
                _ => true,
            },
            Type::Text { .. } => !matches!(high, Some(Value::Text(t)) if t.is_empty()),
            _ => true,
        }
    }
}
