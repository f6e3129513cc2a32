//! Guards: what `direct` does not allow becomes a fence in the store.

use super::env::Env;
use super::expr::Expr;
use super::leg::condition;
use super::reader::{Reader, no_column};
use super::report::Report;
use crate::diagnostic::Code;
use crate::schema::ColumnId;
use crate::store::{Comparison, GuardSpec, Op, Predicate, ReadPlan};
use crate::syntax::ast::{Direct, GuardMode, Operation, Path, Side};
use crate::value::{Type, Value, convert};

/// The guards of a map: index of the store, what to install.
pub(crate) fn guards<'a>(env: &Env<'a>, id: &str, name: &str, report: &mut Report<'a>) -> Vec<(usize, GuardSpec)> {
    let mut out = vec![];
    for side in [Side::Left, Side::Right] {
        let mode = env.map.guard.iter().find(|g| g.it.0 == side);
        let Some(direct) = env.map.direct.iter().find(|d| d.it.0 == side) else {
            if let Some(g) = mode {
                let word = side.word();
                report.help(
                    Code::TM0415,
                    g.at,
                    format!("without `direct {word}` every direct change is allowed, so this guard has nothing to do"),
                    format!("say which direct changes are allowed: `direct {word}: update`"),
                );
            }
            continue;
        };
        let at = env.side(side);
        let when = env.map.filter.iter().find(|f| f.it.0 == side).and_then(|f| {
            let mut reader = Reader::new(at.schema, at.id());
            let typed = report.silently(|quiet| condition(&mut reader, &f.it.1, quiet))?;
            let found = predicate(&typed.expr, &reader.plan, at.table());
            if found.is_none() {
                report.help(
                    Code::TM0803,
                    f.it.1.at,
                    format!(
                        "`direct {}` makes this a guard's filter, and a guard sees only the columns of `{}`",
                        side.word(),
                        at.table().name
                    ),
                    "compare the table's own columns with literals, without paths and functions",
                );
            }
            found
        });
        let reject = mode.is_some_and(|m| m.it.1 == GuardMode::Reject);
        for op in [Operation::Create, Operation::Update, Operation::Delete] {
            let allowed: Vec<&Direct> = direct.it.1.iter().filter(|d| d.operation == op).collect();
            if allowed.iter().any(|d| d.columns.is_none()) {
                continue;
            }
            let mut except = vec![];
            for path in allowed.iter().flat_map(|d| d.columns.iter().flatten()) {
                if op != Operation::Update {
                    report.help(
                        Code::TM0415,
                        path.at,
                        "only `update` is limited to columns",
                        "write the operation without columns",
                    );
                } else if let Some(c) = own_column(env, side, path, report) {
                    except.push(c);
                }
            }
            if op != Operation::Update && !allowed.is_empty() {
                continue;
            }
            let spec = GuardSpec {
                map: id.to_string(),
                map_name: name.to_string(),
                table: at.id(),
                op: match op {
                    Operation::Create => Op::Insert,
                    Operation::Update => Op::Update,
                    Operation::Delete => Op::Delete,
                },
                message: message(env, side, op, &except, name),
                except,
                when: when.clone(),
                reject,
            };
            out.push((at.at.store, spec));
        }
    }
    out
}

fn own_column(env: &Env<'_>, side: Side, path: &Path, report: &mut Report<'_>) -> Option<ColumnId> {
    let at = env.side(side);
    let [step] = path.steps.as_slice() else {
        let message = format!("a column of `{}` itself is expected here", at.table().name);
        report.help(Code::TM0604, path.at, message, "name the column alone: a guard sees no other row");
        return None;
    };
    let found = at.schema.column(at.id(), &step.name.text);
    if found.is_none() {
        no_column(at.schema, at.id(), step, true, report);
    }
    found
}

/// Why, and what to do instead.
fn message(env: &Env<'_>, side: Side, op: Operation, except: &[ColumnId], name: &str) -> String {
    let (here, there) = (env.side(side), env.side(side.other()));
    let table = &here.table().name;
    let (doing, does) = match op {
        Operation::Create => ("creating", "create"),
        Operation::Update => ("changing", "change"),
        Operation::Delete => ("deleting", "delete"),
    };
    let what = if except.is_empty() {
        format!("{doing} rows in {table} directly")
    } else {
        let names: Vec<&str> = except.iter().map(|c| here.column(*c).name.as_str()).collect();
        format!("{doing} other columns of {table} than {} directly", names.join(", "))
    };
    if env.has_leg(side) {
        format!("{what} is not allowed: map \"{name}\" fills this table from {}; {does} the record there", there.name())
    } else {
        format!("{what} is not allowed: map \"{name}\" takes its rows to {}, which relies on them", there.name())
    }
}

/// A condition as a store can check it: the base table's own columns against constants.
fn predicate(e: &Expr, plan: &ReadPlan, table: &crate::schema::Table) -> Option<Predicate> {
    let all = |items: &[Expr]| items.iter().map(|i| predicate(i, plan, table)).collect::<Option<Vec<_>>>();
    let column = |e: &Expr| match e {
        Expr::Slot(i) => plan.columns.get(*i).filter(|(from, _)| *from == 0).map(|(_, c)| *c),
        _ => None,
    };
    // In the form that the column's type has, so that a store need not know how numbers meet.
    let value = |c: ColumnId, v: &Value| match (&table.column(c).ty, v) {
        (Type::Text { .. } | Type::Decimal { .. }, Value::Text(_) | Value::Decimal(_)) => Some(v.clone()),
        (ty, v) => convert(v.clone(), ty).ok(),
    };
    Some(match e {
        Expr::And(items) => Predicate::And(all(items)?),
        Expr::Or(items) => Predicate::Or(all(items)?),
        Expr::Not(x) => Predicate::Not(Box::new(predicate(x, plan, table)?)),
        Expr::Constant(Value::Boolean(true)) => Predicate::And(vec![]),
        Expr::Constant(Value::Boolean(false)) => Predicate::Or(vec![]),
        Expr::Slot(_) => Predicate::Compare(column(e)?, Comparison::Eq, Value::Boolean(true)),
        Expr::IsNull(x) => Predicate::IsNull(column(x)?),
        Expr::In(x, _, items) => {
            let c = column(x)?;
            Predicate::In(c, items.iter().map(|v| value(c, v)).collect::<Option<_>>()?)
        }
        Expr::Compare(op, _, a, b) => match (&**a, &**b) {
            (Expr::Slot(_), Expr::Constant(v)) => {
                let c = column(a)?;
                Predicate::Compare(c, *op, value(c, v)?)
            }
            (Expr::Constant(v), Expr::Slot(_)) => {
                let c = column(b)?;
                Predicate::Compare(c, op.turned(), value(c, v)?)
            }
            _ => return None,
        },
        _ => return None,
    })
}
