//! `replace`: Every occurrence of `from`, from left to right, replaced by `to`.

use super::support::{check_size, max, text, text_type, text_value};
use super::{Arg, Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "replace",
    signature: "replace(text, from, to) -> text",
    doc: "Every occurrence of `from`, from left to right, replaced by `to`. An empty `from` occurs nowhere. Letters \
          of another case are other letters.",
    arity: (3, 3),
    takes: &[Takes::TEXT, Takes::TEXT, Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        let chars = |a: &Arg| match &a.literal {
            Some(Value::Text(t)) => u32::try_from(t.chars().count()).ok(),
            _ => None,
        };
        // Never longer than if every `from` that fits were replaced.
        let grown = |max: u32| match (chars(&a[1])?, chars(&a[2])?) {
            (0, _) => Some(max),
            (from, to) if to <= from => Some(max),
            (from, to) => (max / from).checked_mul(to - from)?.checked_add(max),
        };
        Ok(text_type(max(&a[0]).and_then(grown)))
    },
    call: |_, a| {
        let (t, from, to) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
        if from.is_empty() || !t.contains(from) {
            return Ok(a[0].clone());
        }
        // Before it is built: a result may be far longer than all arguments.
        let found = t.matches(from).count();
        check_size((t.len() - found * from.len()).saturating_add(found.saturating_mul(to.len())))?;
        text_value(t.replace(from, to))
    },
    inverse: None,
    examples: &[("replace('1-2-3', '-', '')", "'123'"), ("replace('abc', '', 'x')", "'abc'")],
};
