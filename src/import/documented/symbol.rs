//! The cell of a map type: its symbol, and the pairs of a value map below it.

use super::super::model::PairOf;
use super::super::note;
use super::markup::{cut_tags, entities};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// A map type.
pub struct Symbol {
    /// The symbol of the reference: `=`, `><`, `>`, `<`, `>>` or `<<`.
    pub sign: &'static str,
    /// What stands there instead of it.
    pub instead: Option<String>,
    /// The pairs, as written.
    pub pairs: Vec<String>,
}

/// The map type of a cell; none where it is no such cell.
pub fn symbol(cell: &str) -> Option<Symbol> {
    let mut parts = parts(cell).into_iter();
    let first = parts.next()?;
    // A pair may stand on the line of the symbol.
    let (head, more) = match first.split_once('`') {
        Some((head, more)) if !head.trim().is_empty() => (head.trim().to_string(), Some(format!("`{more}"))),
        _ => (first, None),
    };
    let head = head.trim().trim_matches(['`', '*']).trim();
    let plain = head.replace('＝', "=").replace('＞', ">").replace('＜', "<");
    let sign = match plain.as_str() {
        "=" => "=",
        "><" => "><",
        ">" => ">",
        "<" => "<",
        ">>" | "→" | "⇒" => ">>",
        "<<" | "←" | "⇐" => "<<",
        // Not of the reference; people who draw maps by hand write them.
        "<<<" => "<<",
        ">>>" => ">>",
        "==" | "<>" | "<->" | "<-->" | "<=>" | "↔" | "⇔" | "⇄" | "⇆" | "⟷" => "=",
        "->" | "-->" | "=>" | "⟶" | "➔" | "➜" => ">",
        "<-" | "<--" | "<=" | "⟵" => "<",
        _ => return None,
    };
    let known = ["=", "><", ">", "<", ">>", "<<", "→", "⇒", "←", "⇐"].contains(&plain.as_str());
    Some(Symbol { sign, instead: (!known).then(|| plain.clone()), pairs: more.into_iter().chain(parts).collect() })
}

/// The lines of a cell, as plain text.
fn parts(cell: &str) -> Vec<String> {
    let text = cell.replace("<code>", "`").replace("</code>", "`").replace("\\<", "<").replace("\\>", ">");
    // Where `>` stands for itself beside tags, tags go first; an entity is never part of one.
    split_breaks(&text).iter().map(|p| entities(&cut_tags(p))).collect()
}

fn split_breaks(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut rest = text;
    while let Some(i) = rest.to_ascii_lowercase().find("<br") {
        let Some(end) = rest[i..].find('>') else { break };
        if let Some(last) = out.last_mut() {
            last.push_str(&rest[..i]);
        }
        out.push(String::new());
        rest = &rest[i + end + 1..];
    }
    if let Some(last) = out.last_mut() {
        last.push_str(rest);
    }
    out
}

/// The pairs of a cell that is nothing else: a value map that goes on below its row. None where it is not that.
pub fn only_pairs(cell: &str) -> Option<Vec<String>> {
    let parts: Vec<String> = parts(cell).into_iter().filter(|p| !p.trim().is_empty()).collect();
    (!parts.is_empty() && parts.iter().all(|p| p.contains('`') && halves(p).is_some())).then_some(parts)
}

/// Reads pairs; what is decided, or is none, is told.
pub fn pairs(parts: &[String], at: Span, findings: &mut Vec<Diagnostic>) -> Vec<PairOf> {
    let mut pairs = Vec::new();
    for text in parts.iter().flat_map(|p| several(p)) {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let Some((left, right)) = halves(text) else {
            findings.push(
                Diagnostic::new(Code::TM1301, at, format!("`{text}` is no pair of a value map"))
                    .help("a pair is written `` `Yes` : `true` ``; this one was left out"),
            );
            continue;
        };
        // Beside a value in quotes a word without them is "blank", in some language; two such words are values.
        let bare = !text.contains('`');
        let mut value = |half: &str| {
            let half = half.trim();
            let inner = half.trim_matches('`');
            let whole = half.starts_with('`') && half.ends_with('`');
            if inner.eq_ignore_ascii_case("blank") && !whole {
                return None;
            }
            if inner.len() == half.len() && (!bare || half.is_empty()) {
                if !half.is_empty() {
                    findings.push(note::decided(at, format!("`{half}` stands without quotes: taken for blank")));
                }
                return None;
            }
            Some(inner.to_string())
        };
        let (left, right) = (value(left), value(right));
        pairs.push(PairOf { left, right, at });
    }
    pairs
}

/// Several pairs on one line, parted by commas or semicolons.
fn several(text: &str) -> Vec<&str> {
    let all = split(text, &[',', ';']);
    let whole = |p: &&str| p.trim().is_empty() || halves(p).is_some();
    if all.len() > 1 && text.matches('`').count().is_multiple_of(2) && all.iter().all(whole) { all } else { vec![text] }
}

fn split<'t>(text: &'t str, at: &[char]) -> Vec<&'t str> {
    let (mut out, mut from, mut inside) = (vec![], 0, false);
    for (i, c) in text.char_indices() {
        match c {
            '`' => inside = !inside,
            c if !inside && at.contains(&c) => {
                out.push(&text[from..i]);
                from = i + c.len_utf8();
            }
            _ => {}
        }
    }
    out.push(&text[from..]);
    out
}

/// The two values of a pair: parted by a colon that stands in no backticks, or where one of those is lost, by ` : `; some
/// write `=` or an arrow.
fn halves(text: &str) -> Option<(&str, &str)> {
    let quoted = text.contains('`');
    if let Some(halves) = text.split_once(" : ").filter(|_| !quoted) {
        return Some(halves);
    }
    if let [left, .., _] = split(text, &[':', '：']).as_slice() {
        let rest = &text[left.len()..];
        return Some((left, rest.strip_prefix([':', '：'])?));
    }
    if !quoted || text.contains(" : ") {
        return text.split_once(" : ");
    }
    let ascii = ["=>", "->"].iter().find_map(|s| text.split_once(&format!("` {s} `")));
    if let Some((left, right)) = ascii {
        let (l, r) = (left.len() + 1, text.len() - right.len() - 1);
        return Some((&text[..l], &text[r..]));
    }
    match split(text, &['=', '→', '⇒', '↔']).as_slice() {
        [left, right] => Some((left, right)),
        _ => None,
    }
}
