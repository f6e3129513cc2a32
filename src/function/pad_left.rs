//! `pad_left`: The text filled up on the left to `length` characters with `fill` (a blank, if not given).

use super::support::{pad, padded};
use super::{Function, NullRule, Takes};

pub(super) static F: Function = Function {
    name: "pad_left",
    signature: "pad_left(text, length, fill) -> text",
    doc: "The text filled up on the left to `length` characters with `fill` (a blank, if not given). A longer text \
          stays as it is.",
    arity: (2, 3),
    takes: &[Takes::TEXT, Takes::INTEGER, Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| padded(&F.accept(a)?),
    call: |_, a| pad(a, true),
    inverse: None,
    examples: &[("pad_left('42', 6, '0')", "'000042'"), ("pad_left('1234', 2)", "'1234'")],
};
