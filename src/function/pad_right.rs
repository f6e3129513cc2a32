//! `pad_right`: The text filled up on the right to `length` characters with `fill` (a blank, if not given).

use super::support::{pad, padded};
use super::{Function, NullRule, Takes};

pub(super) static F: Function = Function {
    name: "pad_right",
    signature: "pad_right(text, length, fill) -> text",
    doc: "The text filled up on the right to `length` characters with `fill` (a blank, if not given). A longer text \
          stays as it is.",
    arity: (2, 3),
    takes: &[Takes::TEXT, Takes::INTEGER, Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| padded(&F.accept(a)?),
    call: |_, a| pad(a, false),
    inverse: None,
    examples: &[("pad_right('ab', 4, '.')", "'ab..'"), ("pad_right('ab', 4)", "'ab  '")],
};
