//! `text`: The text form: digits without trailing zeros after the point, `true` or `false`, `2026-11-20`,
//! `2026-11-20T10:00:00`, a uuid in small letters.

use super::support::{text_form, text_len, text_type, text_value};
use super::{Function, Kind, NullRule, Takes};
use crate::value::{DateTimeKind, Type, Value};

pub(super) static F: Function = Function {
    name: "text",
    signature: "text(x) -> text",
    doc: "The text form: digits without trailing zeros after the point, `true` or `false`, `2026-11-20`, \
          `2026-11-20T10:00:00`, a uuid in small letters. A point in time stands in UTC, without a `Z`. A choice has \
          none: use a value map.",
    arity: (1, 1),
    takes: &[ANY_FORM],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|a| text_type(text_len(&a[0].ty))),
    call: |_, a| text_value(text_form(&a[0])?),
    inverse: Some(|a| {
        let mut rest = vec![];
        if let Type::Decimal { limits: Some((_, scale)) } = a.first()?.ty {
            // With the scale, so that the result fits the column it came from.
            rest.push(Value::Integer(scale.into()));
        }
        Some((
            match a.first()?.ty {
                Type::Text { .. } | Type::Json => "text",
                Type::Integer => "integer",
                Type::Decimal { .. } => "decimal",
                Type::Float => "float",
                Type::Boolean => "boolean",
                Type::Date => "date",
                Type::DateTime { kind: DateTimeKind::Civil } => "datetime",
                Type::Uuid => "uuid",
                _ => return None,
            },
            rest,
        ))
    }),
    examples: &[("text(1.50)", "'1.5'"), ("text(date('2026-11-20'))", "'2026-11-20'"), ("text(true)", "'true'")],
};

const ANY_FORM: Takes = Takes::new(
    &[
        Kind::Text,
        Kind::Integer,
        Kind::Decimal,
        Kind::Float,
        Kind::Boolean,
        Kind::Date,
        Kind::Civil,
        Kind::Instant,
        Kind::Uuid,
        Kind::Json,
    ],
    "something with a text form",
);
