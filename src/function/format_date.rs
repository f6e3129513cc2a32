//! `format_date`: The date in a form of its own: `%Y` year, `%y` its last two digits, `%m` month, `%b` `%B` its
//! English name in three letters or in full, `%d` day, `%H` `%M` `%S` time of day, `%%` a percent sign.

use super::calendar::{datetime_of, format_arg, format_len, pieces, says_a_day};
use super::support::{text, text_type, text_value};
use super::{Function, NullRule, Takes, calendar};
use crate::value::Type;

pub(super) static F: Function = Function {
    name: "format_date",
    signature: "format_date(date, format) -> text",
    doc: "The date in a form of its own: `%Y` year, `%y` its last two digits, `%m` month, `%b` `%B` its English name \
          in three letters or in full, `%d` day, `%H` `%M` `%S` time of day, `%%` a percent sign. The format is a \
          literal.",
    arity: (2, 2),
    takes: &[Takes::DAY, Takes::FORMAT],
    nulls: NullRule::Strict,
    typed: |a| Ok(text_type(Some(format_len(&format_arg(&F.accept(a)?[1])?)))),
    call: |_, a| text_value(calendar::format(datetime_of(&a[0])?, &pieces(text(&a[1])?)?)?),
    inverse: Some(|a| {
        // Only where the format keeps all of the value: year, month and day of a date.
        let exact = matches!(a.first()?.ty, Type::Date) && says_a_day(&format_arg(a.get(1)?).ok()?);
        exact.then(|| Some(("parse_date", vec![a[1].literal.clone()?])))?
    }),
    examples: &[
        ("format_date(date('2026-11-20'), '%d.%m.%Y')", "'20.11.2026'"),
        ("format_date(datetime('2026-03-02T08:05:00'), '%d %b %y, %H:%M')", "'02 Mar 26, 08:05'"),
    ],
};
