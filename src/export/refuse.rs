//! What dual-write has no words for.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::At;
use crate::syntax::ast::{ExprKind, Line, Map, RunMode, Side};

/// A refusal.
pub fn cannot(at: At, what: impl Into<String>, help: &str) -> Diagnostic {
    Diagnostic::new(Code::TM1308, at.0, what).help(help)
}

/// A refusal, in a box.
pub fn cannot_box(at: At, what: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(cannot(at, what, help))
}

/// Statements of the map that change what is moved, and that the format does not have; `base` is the map as the document
/// says it.
pub fn statements(map: &Map, base: Option<&Map>) -> Vec<Diagnostic> {
    let mut out = vec![];
    let rule = "dual-write has no such rule: what may be done follows from directions and filters";
    let operations = base.map_or_else(Vec::new, |b| b.operations.clone());
    for o in &map.operations {
        // What an import writes since a looked-up key carries no deletes.
        let through = |l: &Line| matches!(&l.right.kind, ExprKind::Path(p) if p.steps.len() > 1);
        let own = map.key.iter().any(through) && o.it.0 == Side::Left && o.it.1.len() == 2;
        if !own && !operations.contains(o) {
            out.push(cannot(
                o.at,
                format!("`operations {}`: {rule}", o.it.0.word()),
                "take the statement away, or keep the map here",
            ));
        }
    }
    for d in &map.direct {
        out.push(cannot(
            d.at,
            format!("`direct {}`: {rule}", d.it.0.word()),
            "take the statement away, or keep the map here",
        ));
    }
    for g in &map.guard {
        out.push(cannot(
            g.at,
            format!("`guard {}`: dual-write guards nothing", g.it.0.word()),
            "take the statement away",
        ));
    }
    for e in map.on_exit.iter().filter(|e| e.it.1) {
        let message = format!("`on exit {}: delete`: there a row that leaves its filter just stays", e.it.0.word());
        out.push(cannot(e.at, message, "take the statement away"));
    }
    if let Some(r) = map.run.as_ref().filter(|r| r.it != RunMode::Live) {
        out.push(cannot(r.at, "`run`: dual-write runs with every change", "take the statement away"));
    }
    if let Some(e) = &map.extends {
        out.push(cannot(
            e.at,
            "an overlay: dual-write knows whole maps only",
            "export the map that it makes of its base",
        ));
    }
    out
}
