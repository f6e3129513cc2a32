//! SARIF 2.1.0: one run, a rule for each code that is found, results with places, related places and fixes. Columns
//! count UTF-16 units, as the format wants; paths are relative to the folder the tool ran in, `%SRCROOT%`.

use super::{fingerprints, with_help};
use crate::diagnostic::{Code, Diagnostic, Fix, Severity};
use crate::source::{Sources, Span};
use serde_json::{Map, Value, json};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name under which findings of two runs are known to be the same; its form has a number.
const FINGERPRINT: &str = "tablemapFinding/v1";

/// The help of a rule: plain text, Markdown.
pub type Help<'a> = &'a dyn Fn(Code) -> Option<(String, String)>;

/// The whole log. `help` gives a rule's page, where there is one.
pub fn report(sources: &Sources, findings: &[Diagnostic], help: Help<'_>) -> Value {
    let mut codes: Vec<Code> = findings.iter().map(|d| d.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let prints = fingerprints(sources, findings);
    let results: Vec<Value> = findings
        .iter()
        .zip(prints)
        .map(|(d, print)| result(sources, d, codes.binary_search(&d.code).unwrap_or(0), &print))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tablemap",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|c| rule(*c, help)).collect::<Vec<_>>(),
            } },
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code, help: Help<'_>) -> Value {
    let see = format!("`tablemap explain {code}` prints a page about it.");
    let (text, markdown) = help(code).unwrap_or_else(|| (see.replace('`', ""), see.clone()));
    json!({
        "id": code.0,
        "shortDescription": { "text": sentence(code.title()) },
        "help": { "text": text, "markdown": markdown },
        "defaultConfiguration": { "level": level(code.severity()) },
        "properties": { "tags": [area(code)] },
    })
}

/// GitHub asks for a sentence.
fn sentence(title: &str) -> String {
    let mut chars = title.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// The area of a code, by its range.
fn area(code: Code) -> &'static str {
    match code.0.get(2..4) {
        Some("01") => "syntax",
        Some("02") => "names",
        Some("03") => "types",
        Some("04") => "directions",
        Some("05") => "keys",
        Some("06") => "lookups",
        Some("07") => "value-maps",
        Some("08") => "filters",
        Some("09") => "round-trip",
        Some("10") => "set-of-maps",
        Some("11") => "hygiene",
        _ => "records",
    }
}

fn result(sources: &Sources, d: &Diagnostic, rule: usize, print: &str) -> Value {
    let mut out = Map::new();
    out.insert("ruleId".into(), json!(d.code.0));
    out.insert("ruleIndex".into(), json!(rule));
    out.insert("level".into(), json!(level(d.severity)));
    out.insert("message".into(), json!({ "text": with_help(d) }));
    if let Some(p) = &d.primary {
        out.insert("locations".into(), json!([location(sources, p.span, &p.message, None)]));
    }
    if !d.related.is_empty() {
        let related = d.related.iter().enumerate().map(|(i, l)| location(sources, l.span, &l.message, Some(i)));
        out.insert("relatedLocations".into(), related.collect());
    }
    out.insert("partialFingerprints".into(), json!({ FINGERPRINT: print }));
    if !d.fixes.is_empty() {
        out.insert("fixes".into(), d.fixes.iter().map(|f| fix(sources, f)).collect());
    }
    Value::Object(out)
}

fn location(sources: &Sources, span: Span, message: &str, id: Option<usize>) -> Value {
    let mut physical = json!({
        "artifactLocation": artifact(&sources.file(span.file).name),
        "region": region(sources, span),
    });
    let text = sources.masked(span);
    if !text.is_empty() && text.len() <= 4096 {
        physical["region"]["snippet"] = json!({ "text": text });
    }
    let mut out = Map::new();
    if let Some(id) = id {
        out.insert("id".into(), json!(id + 1));
    }
    out.insert("physicalLocation".into(), physical);
    if !message.is_empty() {
        out.insert("message".into(), json!({ "text": message }));
    }
    Value::Object(out)
}

fn region(sources: &Sources, span: Span) -> Value {
    let file = sources.file(span.file);
    let (start, end) = (file.place_utf16(span.start), file.place_utf16(span.end.max(span.start)));
    json!({
        "startLine": start.line, "startColumn": start.column,
        "endLine": end.line, "endColumn": end.column,
    })
}

fn fix(sources: &Sources, f: &Fix) -> Value {
    let mut changes: Vec<(&str, Vec<Value>)> = vec![];
    for e in &f.edits {
        let name = sources.file(e.span.file).name.as_str();
        let mut replacement = json!({ "deletedRegion": region(sources, e.span) });
        if !e.replacement.is_empty() {
            replacement["insertedContent"] = json!({ "text": e.replacement });
        }
        match changes.iter_mut().find(|(n, _)| *n == name) {
            Some((_, list)) => list.push(replacement),
            None => changes.push((name, vec![replacement])),
        }
    }
    let changes: Vec<Value> = changes
        .into_iter()
        .map(|(name, list)| json!({ "artifactLocation": artifact(name), "replacements": list }))
        .collect();
    let title = if f.safe { f.title.clone() } else { format!("{} (unsafe)", f.title) };
    json!({ "description": { "text": title }, "artifactChanges": changes })
}

/// A file as a URI: relative to `%SRCROOT%` where its name is relative.
fn artifact(name: &str) -> Value {
    if name.starts_with('/') {
        return json!({ "uri": format!("file://{}", uri(name)) });
    }
    if name.as_bytes().get(1) == Some(&b':') {
        return json!({ "uri": format!("file:///{}", uri(name)) });
    }
    json!({ "uri": uri(name), "uriBaseId": "%SRCROOT%" })
}

/// Percent-encodes what may not stand in the path of a URI.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for b in path.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(artifact("maps/a b.tmap")["uri"], "maps/a%20b.tmap");
        assert_eq!(artifact("maps/ä:1.tmap")["uri"], "maps/%C3%A4%3A1.tmap");
        assert_eq!(artifact("/x/y.tmap"), json!({ "uri": "file:///x/y.tmap" }));
        assert_eq!(artifact("C:/x.tmap"), json!({ "uri": "file:///C%3A/x.tmap" }));
    }
}
