//! Evaluates checked expressions. Null follows SQL's three-valued logic: what depends on an unknown is unknown.
//!
//! Numbers stay exact. Sums, differences and products never round; what needs more than 76 digits (or, among integers,
//! more than 64 bits) is an error of the record, never a wrap. A quotient is rounded half away from zero to the scale
//! that its node names: the larger of both operands' scales, at least [`DIVISION_SCALE`].

use super::expr::ast_op::Arithmetic;
use super::expr::{EvalError, Expr, FunctionRef, Otherwise, ValueMap};
use crate::function::{Context, NullRule};
use crate::value::{Collation, Dec, Rounding, Type, Value, compare, convert};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The fewest digits after the point of a quotient.
pub const DIVISION_SCALE: u8 = 10;

static TRUE: Value = Value::Boolean(true);
static FALSE: Value = Value::Boolean(false);
static NULL: Value = Value::Null;

type Out<'a> = Result<Cow<'a, Value>, EvalError>;

fn truth<'a>(b: Option<bool>) -> Cow<'a, Value> {
    Cow::Borrowed(match b {
        Some(true) => &TRUE,
        Some(false) => &FALSE,
        None => &NULL,
    })
}

fn as_truth(v: &Value) -> Option<bool> {
    match v {
        Value::Boolean(b) => Some(*b),
        _ => None,
    }
}

fn failed(reason: impl Into<String>, value: Option<Value>, remedy: impl Into<String>) -> EvalError {
    EvalError { reason: reason.into(), value, remedy: remedy.into() }
}

impl Expr {
    /// The value for a row; borrowed where it passes unchanged.
    pub fn eval<'a>(&'a self, context: &Context, row: &'a [Value]) -> Out<'a> {
        Ok(match self {
            Expr::Constant(v) => Cow::Borrowed(v),
            Expr::Slot(i) | Expr::Related(i) => Cow::Borrowed(row.get(*i).unwrap_or(&NULL)),
            Expr::FirstFound(ways) => {
                let found = |flag: usize| matches!(row.get(flag), Some(Value::Boolean(true)));
                let cell = ways.iter().find(|(flag, _)| found(*flag)).and_then(|(_, cell)| row.get(*cell));
                Cow::Borrowed(cell.unwrap_or(&NULL))
            }
            Expr::Call(f, args) => return call(*f, args, context, row),
            Expr::Negate(x) => return negate(&*x.eval(context, row)?).map(Cow::Owned),
            Expr::Not(x) => truth(as_truth(&*x.eval(context, row)?).map(|b| !b)),
            Expr::And(items) => truth(all(items, false, context, row)?),
            Expr::Or(items) => truth(all(items, true, context, row)?),
            Expr::Compare(op, collation, a, b) => {
                let (a, b) = (a.eval(context, row)?, b.eval(context, row)?);
                truth(compare(&a, &b, *collation).map(|o| op.holds(o)))
            }
            Expr::IsNull(x) => truth(Some(x.eval(context, row)?.is_null())),
            Expr::In(x, collation, items) => truth(among(&*x.eval(context, row)?, *collation, items)),
            Expr::Like(x, collation, pattern) => match &*x.eval(context, row)? {
                Value::Text(t) => truth(Some(like(t, pattern, *collation))),
                _ => truth(None),
            },
            Expr::Arithmetic(op, a, b) => {
                let (a, b) = (a.eval(context, row)?, b.eval(context, row)?);
                return arithmetic(*op, &a, &b).map(Cow::Owned);
            }
            Expr::Case(arms, otherwise) => {
                for (condition, result) in arms {
                    if condition.holds(context, row)? {
                        return result.eval(context, row);
                    }
                }
                return otherwise.as_ref().map_or(Ok(Cow::Borrowed(&NULL)), |e| e.eval(context, row));
            }
            Expr::Convert(x, ty) => {
                let v = x.eval(context, row)?;
                if passes(&v, ty) {
                    return Ok(v);
                }
                let value = v.into_owned();
                match convert(value.clone(), ty) {
                    Ok(v) => Cow::Owned(v),
                    Err(reason) => {
                        return Err(failed(reason, Some(value), format!("give a value that fits {ty}")));
                    }
                }
            }
            Expr::Map(map) => return map.eval(context, row),
            Expr::Default(x, default) => {
                let v = x.eval(context, row)?;
                if v.is_null() { Cow::Borrowed(default) } else { v }
            }
        })
    }
}

/// Whether [`convert`] would give the very same value, without asking it.
fn passes(v: &Value, ty: &Type) -> bool {
    matches!(
        (v, ty),
        (Value::Null, _)
            | (Value::Text(_), Type::Text { max: None })
            | (Value::Integer(_), Type::Integer)
            | (Value::Decimal(_), Type::Decimal { limits: None })
            | (Value::Boolean(_), Type::Boolean)
            | (Value::Date(_), Type::Date)
            | (Value::DateTime(_), Type::DateTime { .. })
            | (Value::Uuid(_), Type::Uuid)
    )
}

/// `and` (`end` = false) or `or` (`end` = true): the first that equals `end` decides; else a null makes it unknown.
fn all(items: &[Expr], end: bool, context: &Context, row: &[Value]) -> Result<Option<bool>, EvalError> {
    let mut unknown = false;
    for item in items {
        match as_truth(&*item.eval(context, row)?) {
            Some(b) if b == end => return Ok(Some(end)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(!end) })
}

fn among(v: &Value, collation: Collation, items: &[Value]) -> Option<bool> {
    if v.is_null() {
        return None;
    }
    if items.iter().any(|i| compare(v, i, collation).is_some_and(Ordering::is_eq)) {
        return Some(true);
    }
    if items.iter().any(Value::is_null) { None } else { Some(false) }
}

/// `%` is any run of characters, `_` one character; no escape. Linear but for backtracking to the last `%`.
pub(super) fn like(text: &str, pattern: &str, collation: Collation) -> bool {
    let same = |a: char, b: char| match collation {
        Collation::Exact => a == b,
        Collation::NoCase => a.eq_ignore_ascii_case(&b),
    };
    let (mut t, mut p) = (text.chars(), pattern.chars());
    let mut back: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (mut t_next, mut p_next) = (t.clone(), p.clone());
        match (t_next.next(), p_next.next()) {
            (_, Some('%')) => {
                back = Some((t.clone(), p_next.clone()));
                p = p_next;
                continue;
            }
            (None, None) => return true,
            (Some(a), Some(b)) if b == '_' || same(a, b) => {
                (t, p) = (t_next, p_next);
                continue;
            }
            (None, Some(_)) => return false,
            _ => {}
        }
        // Here it does not go on: let the last `%` take one character more.
        let Some((from, rest)) = &mut back else { return false };
        if from.next().is_none() {
            return false;
        }
        (t, p) = (from.clone(), rest.clone());
    }
}

fn negate(v: &Value) -> Result<Value, EvalError> {
    match v {
        Value::Integer(i) => match i.checked_neg() {
            Some(n) => Ok(Value::Integer(n)),
            None => Err(overflow(v)),
        },
        Value::Decimal(d) => Ok(Value::Decimal(d.neg())),
        _ => Ok(Value::Null),
    }
}

fn overflow(v: &Value) -> EvalError {
    failed("the result has more digits than a number may have", Some(v.clone()), "correct the value, or round it first")
}

fn dec(v: &Value) -> Option<Cow<'_, Dec>> {
    match v {
        Value::Integer(i) => Some(Cow::Owned(Dec::from_i64(*i))),
        Value::Decimal(d) => Some(Cow::Borrowed(d)),
        _ => None,
    }
}

fn arithmetic(op: Arithmetic, a: &Value, b: &Value) -> Result<Value, EvalError> {
    if let (Value::Integer(x), Value::Integer(y)) = (a, b) {
        let n = match op {
            Arithmetic::Add => Some(x.checked_add(*y)),
            Arithmetic::Subtract => Some(x.checked_sub(*y)),
            Arithmetic::Multiply => Some(x.checked_mul(*y)),
            Arithmetic::Divide { .. } => None,
        };
        if let Some(n) = n {
            return n.map(Value::Integer).ok_or_else(|| overflow(a));
        }
    }
    let (Some(x), Some(y)) = (dec(a), dec(b)) else {
        return Ok(Value::Null);
    };
    let result = match op {
        Arithmetic::Add => x.checked_add(&y),
        Arithmetic::Subtract => x.checked_sub(&y),
        Arithmetic::Multiply => x.checked_mul(&y),
        Arithmetic::Divide { .. } if y.is_zero() => {
            return Err(failed("divided by zero", Some(a.clone()), "guard it: `if(x == 0, null, y / x)`"));
        }
        Arithmetic::Divide { scale } => x.checked_div(&y, u32::from(scale), Rounding::HalfUp),
    };
    result.map(Value::Decimal).ok_or_else(|| overflow(a))
}

fn call<'a>(f: FunctionRef, args: &'a [Expr], context: &Context, row: &'a [Value]) -> Out<'a> {
    let mut values = Vec::with_capacity(args.len());
    for a in args {
        let v = a.eval(context, row)?;
        if v.is_null() && f.0.nulls == NullRule::Strict {
            return Ok(Cow::Borrowed(&NULL));
        }
        values.push(v.into_owned());
    }
    match (f.0.call)(context, &values) {
        Ok(v) => Ok(Cow::Owned(v)),
        Err(reason) => Err(failed(
            format!("`{}`: {reason}", f.0.name),
            values.into_iter().next(),
            format!("correct the value, or the line: `{}`", f.0.signature),
        )),
    }
}

impl ValueMap {
    fn eval<'a>(&'a self, context: &Context, row: &'a [Value]) -> Out<'a> {
        let v = self.of.eval(context, row)?;
        if v.is_null() {
            return Ok(self.null.as_ref().map_or(Cow::Borrowed(&NULL), Cow::Borrowed));
        }
        let hit = match (&*v, self.collation) {
            (Value::Text(_), Collation::NoCase) => self.pairs.get(&self.collation.fold(&v)),
            (v, _) => self.pairs.get(v),
        };
        match (hit, &self.otherwise) {
            (Some(to), _) => Ok(Cow::Borrowed(to)),
            (None, Otherwise::Value(to)) => Ok(Cow::Borrowed(to)),
            (None, Otherwise::Pass) => Ok(v),
            (None, Otherwise::Error) => {
                let member = match (&self.choice, &*v) {
                    (Some(c), Value::Integer(n)) => c.by_value(*n),
                    _ => None,
                };
                let what = member.map_or("it".to_string(), |m| format!("'{}', which that number stands for", m.name));
                Err(failed(
                    format!("the value map `{}` has no pair for {what}", self.name),
                    Some(v.into_owned()),
                    "add a pair to the value map, or an `else`",
                ))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
#[path = "eval_tests.rs"]
mod tests;
