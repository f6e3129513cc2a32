//! `trunc`: The number without its digits after the first `scale` after the point (0, if not given).

use super::rounding::{rounded, rounded_type};
use super::{Function, NullRule, Takes};
use crate::value::Rounding;

pub(super) static F: Function = Function {
    name: "trunc",
    signature: "trunc(number, scale) -> number",
    doc: "The number without its digits after the first `scale` after the point (0, if not given). For texts see \
          `truncate`.",
    arity: (1, 2),
    takes: &[Takes::NUMBER, Takes::SCALE],
    nulls: NullRule::Strict,
    typed: |a| rounded_type(&F.accept(a)?),
    call: |_, a| rounded(a, Rounding::Down),
    inverse: None,
    examples: &[("trunc(2.9)", "2"), ("trunc(-2.9)", "-2"), ("trunc(2.39, 1)", "2.3")],
};
