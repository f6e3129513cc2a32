//! `parse_date`: The date that a text of that form names, as `format_date` writes it, digit by digit.

use super::calendar::{format_arg, pieces, says_a_day};
use super::support::{shown, text};
use super::{Function, NullRule, Takes, calendar};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "parse_date",
    signature: "parse_date(text, format) -> date",
    doc: "The date that a text of that form names, as `format_date` writes it, digit by digit. The format is a \
          literal and holds year (`%Y`), month (`%m`, `%b` or `%B`) and day (`%d`), and no time.",
    arity: (2, 2),
    takes: &[Takes::TEXT, Takes::FORMAT],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        if !says_a_day(&format_arg(&a[1])?) {
            return Err("the format must hold %Y, a month (%m, %b or %B) and %d, and neither %y nor a time".into());
        }
        Ok(Type::Date)
    },
    call: |_, a| {
        let t = text(&a[0])?;
        let format = text(&a[1])?;
        let date = calendar::parse(t, &pieces(format)?);
        date.map(Value::Date).ok_or_else(|| format!("{} is no date of the form {}", shown(t), shown(format)))
    },
    inverse: Some(|a| {
        // What it reads, `format_date` writes in the same way: the forms have one spelling.
        Some(("format_date", vec![a.get(1)?.literal.clone()?]))
    }),
    examples: &[
        ("parse_date('20.11.2026', '%d.%m.%Y')", "date('2026-11-20')"),
        ("parse_date('20261120', '%Y%m%d')", "date('2026-11-20')"),
    ],
};
