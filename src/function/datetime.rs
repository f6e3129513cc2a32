//! `datetime`: The datetime of no zone that a text is (`2026-11-20T10:00:00`, with or without seconds and fraction; a
//! `Z` at its end is read over), or the beginning of a day.

use super::calendar::datetime_of;
use super::support::{shown, text};
use super::{Function, Kind, NullRule, Reason, Takes};
use crate::value::{DateTimeKind, Type, Value, parse_datetime};

pub(super) static F: Function = Function {
    name: "datetime",
    signature: "datetime(x) -> datetime",
    doc: "The datetime of no zone that a text is (`2026-11-20T10:00:00`, with or without seconds and fraction; a `Z` \
          at its end is read over), or the beginning of a day. To make a point in time of it, use `utc`.",
    arity: (1, 1),
    takes: &[TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::DateTime { kind: DateTimeKind::Civil }),
    call: |_, a| read(&a[0]),
    inverse: Some(|a| match a.first()?.ty {
        Type::Date => Some(("date", vec![])),
        Type::DateTime { .. } => Some(("datetime", vec![])),
        // A text has more than one spelling of a time.
        _ => None,
    }),
    examples: &[
        ("datetime('2026-11-20 10:00')", "datetime('2026-11-20T10:00:00')"),
        ("datetime(date('2026-11-20'))", "datetime('2026-11-20T00:00:00')"),
    ],
};

const TAKES: Takes = Takes::new(
    &[Kind::Text, Kind::Date, Kind::Civil],
    "text of the form 2026-11-20T10:00:00, a date or a datetime of no zone",
);

pub(super) fn read(v: &Value) -> Result<Value, Reason> {
    match v {
        Value::DateTime(_) | Value::Date(_) => datetime_of(v).map(Value::DateTime),
        other => {
            let t = text(other)?;
            let read = parse_datetime(t).map(Value::DateTime);
            read.ok_or_else(|| format!("{} is no datetime of the form 2026-11-20T10:00:00", shown(t)))
        }
    }
}
