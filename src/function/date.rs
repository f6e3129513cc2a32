//! `date`: The day of a text (`2026-11-20`), of a datetime, or of a point in time: its day in `zone`, or in the
//! project's time zone.

use super::calendar::{check_zone, to_local, zone};
use super::support::{shown, text};
use super::{Arg, Function, Kind, NullRule, Reason, Takes};
use crate::value::{DateTimeKind, Type, Value, parse_date};

pub(super) static F: Function = Function {
    name: "date",
    signature: "date(x, zone) -> date",
    doc: "The day of a text (`2026-11-20`), of a datetime, or of a point in time: its day in `zone`, or in the \
          project's time zone.",
    arity: (1, 2),
    takes: &[TAKES, Takes::ZONE],
    nulls: NullRule::Strict,
    typed: |a| {
        check_zone(F.accept(a)?.get(1))?;
        Ok(Type::Date)
    },
    call: |c, a| match (&a[0], a.get(1)) {
        (Value::DateTime(d), Some(zone_name)) => Ok(Value::Date(to_local(*d, &zone(c, Some(zone_name))?)?.date())),
        (Value::DateTime(_), None) => Err("it is not said in which zone".into()),
        (other, _) => read(other),
    },
    inverse: Some(|a| match a.first()?.ty {
        Type::Date => Some(("date", vec![])),
        Type::Text { .. } => Some(("text", vec![])),
        _ => None,
    }),
    examples: &[
        ("date('2026-11-20')", "date('2026-11-20')"),
        ("date(datetime('2026-11-20T23:30:00'))", "date('2026-11-20')"),
        ("date(utc('2026-11-20T23:30:00', 'UTC'), 'Europe/Copenhagen')", "date('2026-11-21')"),
    ],
};

const TAKES: Takes = Takes::new(
    &[Kind::Text, Kind::Date, Kind::Civil, Kind::Instant],
    "text of the form 2026-11-20, a date or a datetime",
);

/// Says in which zone the day of a datetime is meant, since the call no longer sees whether it is a point in time.
pub(super) fn settle_zone(args: &mut Vec<Arg>) -> Result<(), Reason> {
    let zone = |name: &str| Arg { ty: Type::Text { max: Some(3) }, literal: Some(Value::text(name)) };
    match (&args[0].ty, args.get(1).and_then(|a| a.literal.as_ref())) {
        // '' is the project's.
        (Type::DateTime { kind: DateTimeKind::Instant }, None) => args.push(zone("")),
        (Type::DateTime { kind: DateTimeKind::Instant }, Some(_)) => {}
        // A datetime of no zone keeps its day, as UTC does.
        (Type::DateTime { kind: DateTimeKind::Civil }, None) => args.push(zone("UTC")),
        (Type::DateTime { kind: DateTimeKind::Civil }, Some(Value::Text(t))) if t == "UTC" => {}
        (_, None) => {}
        (_, Some(_)) => return Err("only a point in time has another day in another zone".into()),
    }
    Ok(())
}

pub(super) fn read(v: &Value) -> Result<Value, Reason> {
    match v {
        Value::Date(d) => Ok(Value::Date(*d)),
        other => {
            let t = text(other)?;
            parse_date(t).map(Value::Date).ok_or_else(|| format!("{} is no date of the form 2026-11-20", shown(t)))
        }
    }
}
