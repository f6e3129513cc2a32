//! `utc`: The point in time at which a zone's clocks (the project's, if not given) show this wall-clock time.

use super::calendar::{check_zone, datetime_of, fixed_zone_inverse, to_utc, zone};
use super::{Function, Kind, NullRule, Takes};
use crate::value::{DateTimeKind, Type, Value};

pub(super) static F: Function = Function {
    name: "utc",
    signature: "utc(datetime, zone) -> instant",
    doc: "The point in time at which a zone's clocks (the project's, if not given) show this wall-clock time. Where \
          they show it twice it is the first; a time that they skip counts as if they had not been put forward yet \
          (02:30 becomes 03:30 of summer time).",
    arity: (1, 2),
    takes: &[CIVIL, Takes::ZONE],
    nulls: NullRule::Strict,
    typed: |a| {
        check_zone(F.accept(a)?.get(1))?;
        Ok(Type::DateTime { kind: DateTimeKind::Instant })
    },
    call: |c, a| Ok(Value::DateTime(to_utc(datetime_of(&a[0])?, &zone(c, a.get(1))?)?)),
    inverse: Some(|a| fixed_zone_inverse(a, "local")),
    examples: &[
        ("utc('2026-11-21T00:30:00', 'Europe/Copenhagen')", "datetime('2026-11-20T23:30:00')"),
        ("utc('2026-10-25T02:30:00', 'Europe/Copenhagen')", "datetime('2026-10-25T00:30:00')"),
    ],
};

const CIVIL: Takes = Takes::new(&[Kind::Civil], "a datetime of no zone (of a date, `datetime(x)`)");
