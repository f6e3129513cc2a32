//! Related rows: `exists every count sum min max` over a table of the same store.
//!
//! The condition holds at least one equality of a column of the table with a column of the row outside (`this.…`), by
//! which the rows are found, and by which a changed one finds the rows that depend on it.

use super::expr::{EvalError, Expr};
use super::reader::{Reader, Typed};
use super::report::named;
use super::typing::Typer;
use crate::diagnostic::Code;
use crate::function::Context;
use crate::schema::ColumnId;
use crate::source::At;
use crate::store::{Comparison, ReadPlan};
use crate::syntax::ast::{self, Name, Path};
use crate::value::{Collation, Dec, Type, Value, compare, convert};
use std::cmp::Ordering;

/// What is asked of related rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// Whether there is one.
    Exists,
    /// Whether a second condition is true for each of them; true where there is none.
    Every,
    /// How many there are.
    Count,
    /// The sum of their values; null where there is none.
    Sum,
    /// The least value; null where there is none.
    Min,
    /// The greatest value; null where there is none.
    Max,
}

impl Aggregate {
    fn of_word(word: &str) -> Option<Aggregate> {
        Some(match word {
            "exists" => Aggregate::Exists,
            "every" => Aggregate::Every,
            "count" => Aggregate::Count,
            "sum" => Aggregate::Sum,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            _ => return None,
        })
    }
}

/// A question about related rows. A row of theirs is read as: the columns of `read`, one found flag per join, one value
/// per inner question, then the cells of the row outside that the expressions read.
#[derive(Clone, Debug)]
pub struct Related {
    /// What is asked.
    pub what: Aggregate,
    /// Its text, for messages.
    pub text: String,
    /// What is read of the table: its primary key first.
    pub read: ReadPlan,
    /// How its rows are found: a column of theirs, the equal cell of the row outside, and the column in that cell.
    pub by: Vec<(ColumnId, usize, ColumnId)>,
    /// The cells of the row outside that its expressions read.
    pub outer: Vec<usize>,
    /// Questions of its rows about rows related to them.
    pub related: Vec<Related>,
    /// Which rows count.
    pub condition: Expr,
    /// What is asked of each: a condition of `every`, a value of `sum`, `min` and `max`.
    pub of: Option<Expr>,
    /// How the values of `min` and `max` compare.
    pub collation: Collation,
    /// The type of the answer.
    pub ty: Type,
}

impl Related {
    /// The answer for rows as the type says; those the condition does not hold for are left out.
    pub fn answer<'r>(&self, context: &Context, rows: impl Iterator<Item = &'r [Value]>) -> Result<Value, EvalError> {
        let mut count = 0i64;
        let mut all = true;
        let mut best: Option<Value> = None;
        for row in rows {
            if !self.condition.holds(context, row)? {
                continue;
            }
            count += 1;
            let Some(of) = &self.of else { continue };
            let value = of.eval(context, row)?.into_owned();
            match self.what {
                Aggregate::Every => all &= value == Value::Boolean(true),
                _ if value.is_null() => {}
                _ => {
                    best = Some(match best {
                        None => value,
                        Some(b) => self.with(b, value)?,
                    });
                }
            }
        }
        Ok(match self.what {
            Aggregate::Exists => Value::Boolean(count > 0),
            Aggregate::Every => Value::Boolean(all),
            Aggregate::Count => Value::Integer(count),
            Aggregate::Min | Aggregate::Max => best.unwrap_or(Value::Null),
            Aggregate::Sum => match best {
                None => Value::Null,
                Some(sum) => convert(sum.clone(), &self.ty).map_err(|reason| EvalError {
                    reason: format!("the sum is {reason}"),
                    value: Some(sum),
                    remedy: "correct the values, or sum them in a wider type: `sum(… : decimal(x))`".into(),
                })?,
            },
        })
    }

    fn with(&self, best: Value, value: Value) -> Result<Value, EvalError> {
        let takes = |wanted: Ordering| compare(&value, &best, self.collation) == Some(wanted);
        let kept = match self.what {
            Aggregate::Min => !takes(Ordering::Less),
            Aggregate::Max => !takes(Ordering::Greater),
            _ => return sum(&best, &value),
        };
        Ok(if kept { best } else { value })
    }
}

fn sum(a: &Value, b: &Value) -> Result<Value, EvalError> {
    let dec = |v: &Value| match v {
        Value::Integer(i) => Some(Dec::from_i64(*i)),
        Value::Decimal(d) => Some(d.clone()),
        _ => None,
    };
    let whole = match (a, b) {
        (Value::Integer(x), Value::Integer(y)) => Some(x.checked_add(*y).map(Value::Integer)),
        _ => None,
    };
    let sum = whole.unwrap_or_else(|| dec(a)?.checked_add(&dec(b)?).map(Value::Decimal));
    sum.ok_or_else(|| EvalError {
        reason: "the sum has more digits than a number may have".into(),
        value: Some(b.clone()),
        remedy: "correct the value, or round it first".into(),
    })
}

/// How deep one question may stand in another.
const DEPTH: usize = 2;

impl<'a> Typer<'_, 'a> {
    /// `exists(T where C)` and the like.
    pub(super) fn related(
        &mut self,
        name: &Name,
        table: &Path,
        condition: &ast::Expr,
        of: Option<&ast::Expr>,
        at: At,
    ) -> Option<Typed> {
        let what = Aggregate::of_word(&name.text)?;
        if self.reader.depth() >= DEPTH {
            self.report.help(
                Code::TM0614,
                at,
                format!("`{}` stands three deep in questions about related rows", name.text),
                "one may stand inside another, not deeper; let a derived map keep the inner result in a column",
            );
            return None;
        }
        self.reader.go_in(table, self.report)?;
        let inside = self.inside(what, name, condition, of, at);
        let inner = self.reader.go_out();
        let (condition, of) = inside?;
        let (by, other) = found_by(&condition, &inner, self.reader);
        if by.is_empty() {
            let tables = self.report.text(table.at);
            let help = match other {
                Some((a, b)) => format!(
                    "compare columns of one type that regard case alike; here it is {} with {}",
                    named(&a),
                    named(&b)
                ),
                None => format!(
                    "add an equality, `{tables}.COLUMN` being a column of the related table: `COLUMN == this.COLUMN`"
                ),
            };
            let message = format!("nothing says which rows of `{tables}` belong to a row");
            self.report.help(Code::TM0214, at, message, help);
            return None;
        }
        let (ty, nullable) = match (what, &of) {
            (Aggregate::Exists | Aggregate::Every, _) => (Type::Boolean, false),
            (Aggregate::Count, _) | (_, None) => (Type::Integer, false),
            // A sum too has the type of its values; one that does not fit it is an error of the record.
            (_, Some(t)) => (t.ty.clone(), true),
        };
        let collation = of.as_ref().map_or(Collation::Exact, |t| t.collation);
        let related = Related {
            what,
            text: self.report.text(at),
            by,
            outer: vec![],
            related: vec![],
            condition: condition.expr,
            of: of.map(|t| t.expr),
            read: ReadPlan::default(),
            collation,
            ty: ty.clone(),
        };
        let expr = self.reader.ask(related, inner);
        let collation = if matches!(ty, Type::Text { .. }) { collation } else { Collation::Exact };
        Some(Typed { expr, ty, collation, nullable })
    }

    /// The expressions inside, typed over the related table.
    fn inside(
        &mut self,
        what: Aggregate,
        name: &Name,
        condition: &ast::Expr,
        of: Option<&ast::Expr>,
        at: At,
    ) -> Option<(Typed, Option<Typed>)> {
        let typed = self.boolean(condition);
        let wants = !matches!(what, Aggregate::Exists | Aggregate::Count);
        let of = match (wants, of) {
            (true, None) => {
                let example = if what == Aggregate::Every { "CONDITION" } else { "COLUMN" };
                let help = format!("write it after a colon: `{}(TABLE where … : {example})`", name.text);
                self.report.help(Code::TM0307, at, format!("`{}` has nothing to look at in each row", name.text), help);
                return None;
            }
            (false, Some(e)) => {
                let message = format!("`{}` counts rows and looks at no value", name.text);
                self.report.help(
                    Code::TM0307,
                    e.at,
                    message,
                    "take the part from `:` on away, or add it to the condition",
                );
                return None;
            }
            (_, None) => None,
            (_, Some(e)) if what == Aggregate::Every => Some(self.boolean(e)?),
            (_, Some(e)) if what == Aggregate::Sum => Some(self.number(e, "sum")?),
            (_, Some(e)) => {
                let t = self.infer(e, None)?;
                if matches!(t.ty, Type::Binary | Type::Json | Type::Boolean | Type::Choice(_)) {
                    let message = format!("`{}` asks for an order, and {} has none", name.text, named(&t.ty));
                    self.report.at(Code::TM0307, e.at, message);
                    return None;
                }
                Some(t)
            }
        };
        Some((typed?, of))
    }
}

/// The equalities of a condition between a column of the table and one of the row outside; where types keep one from
/// being used, those.
#[allow(clippy::type_complexity)]
fn found_by(
    condition: &Typed,
    inner: &Reader<'_>,
    outer: &Reader<'_>,
) -> (Vec<(ColumnId, usize, ColumnId)>, Option<(Type, Type)>) {
    let (mut by, mut other) = (vec![], None);
    let one = std::slice::from_ref(&condition.expr);
    let parts = match &condition.expr {
        Expr::And(items) => items.as_slice(),
        _ => one,
    };
    for part in parts {
        let Expr::Compare(Comparison::Eq, _, a, b) = part else { continue };
        let (Expr::Slot(a), Expr::Slot(b)) = (&**a, &**b) else { continue };
        for (a, b) in [(*a, *b), (*b, *a)] {
            let cell = inner.outer_cell(b);
            let (Some(c), Some(cell)) = (inner.own_column(a), cell) else { continue };
            // Over a lookup it would not say which row it is.
            let Some(o) = outer.own_column(cell) else { continue };
            let same = std::mem::discriminant(&c.1.ty) == std::mem::discriminant(&o.1.ty);
            if same && c.1.collation == o.1.collation && c.1.choice_by_name == o.1.choice_by_name {
                by.push((c.0, cell, o.0));
            } else {
                other = Some((c.1.ty.clone(), o.1.ty.clone()));
            }
        }
    }
    by.sort_by_key(|(c, ..)| *c);
    by.dedup_by_key(|(c, ..)| *c);
    (by, other)
}
