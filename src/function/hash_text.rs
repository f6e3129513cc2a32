//! `hash_text`: The SHA-256 of the text's UTF-8 bytes, in 64 small hexadecimal digits.

use super::support::{text, text_type};
use super::{Function, NullRule, Takes};
use crate::value::Value;
use sha2::{Digest, Sha256};

pub(super) static F: Function = Function {
    name: "hash_text",
    signature: "hash_text(text) -> text",
    doc: "The SHA-256 of the text's UTF-8 bytes, in 64 small hexadecimal digits.",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| text_type(Some(64))),
    call: |_, a| {
        use std::fmt::Write;
        let mut out = String::with_capacity(64);
        for byte in Sha256::digest(text(&a[0])?) {
            // Writing to a String does not fail.
            let _ = write!(out, "{byte:02x}");
        }
        Ok(Value::text(out))
    },
    inverse: None,
    examples: &[("hash_text('abc')", "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'")],
};
