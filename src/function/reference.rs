//! The page of all functions, generated.

use super::{Function, NullRule, all};
use std::fmt::Write;

/// The reference of all functions in Markdown: a table, then each function with its null rule, inverse and examples.
/// It is committed as `docs/functions.md`.
pub fn reference() -> String {
    let mut out = String::from(
        "<!-- Generated from src/function. To renew: UPDATE=1 cargo test reference_is_fresh -->\n\
         # Functions\n\n\
         `f(value, x)` may also be written `value | f(x)`. Arguments of the wrong type, and literals that can be seen \
         to be wrong, are found by `check`; what goes wrong with a single record puts that record in quarantine with \
         the reason.\n\n\
         * Characters are Unicode scalar values; positions begin at 1.\n\
         * *Null in, null out* means that any null argument makes the result null.\n\
         * A function with an inverse may stand on a two-way line. The inverse gives back exactly what went in; where \
         that depends on the arguments, `check` says so.\n\
         * Texts longer than 1 MiB are refused as results.\n\
         * `lookup_type(path)` is described with lookups: it takes a path, not a value.\n\n\
         | Function | Result |\n|---|---|\n",
    );
    for f in all() {
        let doc = f.doc.split_once(". ").map_or(f.doc, |(first, _)| first);
        let doc = doc.split_once(": ").filter(|(first, _)| first.len() > 40).map_or(doc, |(first, _)| first);
        // Writing to a String does not fail.
        let _ =
            writeln!(out, "| [`{}`](#{}) | {} |", f.signature, f.name, doc.trim_end_matches('.').replace('|', "\\|"));
    }
    for f in all() {
        let _ = write!(out, "\n## {}\n\n```\n{}\n```\n\n{}\n\n{}", f.name, f.signature, f.doc, rules(f));
        out.push_str("\n| Example | Result |\n|---|---|\n");
        for (expression, result) in f.examples {
            let cell = |t: &str| t.replace('|', "\\|");
            let _ = writeln!(out, "| `{}` | `{}` |", cell(expression), cell(result));
        }
    }
    out
}

fn rules(f: &Function) -> String {
    let nulls = match f.nulls {
        NullRule::Strict => "null in, null out",
        NullRule::Own => "as described",
    };
    let inverse = if f.inverse.is_some() { super::accept::inverse_words(f) } else { "none".into() };
    format!("* Null: {nulls}\n* Inverse: {inverse}\n")
}
