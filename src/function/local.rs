//! `local`: The wall-clock time of a zone (the project's, if not given) at a point in time.

use super::calendar::{check_zone, datetime_of, fixed_zone_inverse, to_local, zone};
use super::{Function, Kind, NullRule, Takes};
use crate::value::{DateTimeKind, Type, Value};

pub(super) static F: Function = Function {
    name: "local",
    signature: "local(instant, zone) -> datetime",
    doc: "The wall-clock time of a zone (the project's, if not given) at a point in time.",
    arity: (1, 2),
    takes: &[INSTANT, Takes::ZONE],
    nulls: NullRule::Strict,
    typed: |a| {
        check_zone(F.accept(a)?.get(1))?;
        Ok(Type::DateTime { kind: DateTimeKind::Civil })
    },
    call: |c, a| Ok(Value::DateTime(to_local(datetime_of(&a[0])?, &zone(c, a.get(1))?)?)),
    inverse: Some(|a| fixed_zone_inverse(a, "utc")),
    examples: &[("local('2026-11-20T23:30:00Z', 'Europe/Copenhagen')", "datetime('2026-11-21T00:30:00')")],
};

const INSTANT: Takes = Takes::new(&[Kind::Instant], "a datetime that is a point in time");
