//! Changes for people: as text, and as Markdown for a pull request.

use super::diff::{Change, Detail, Kind, MapChanges};

/// Lines of text, a heading for each map.
pub fn text(all: &[MapChanges]) -> String {
    let mut out = String::new();
    for map in all {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{}\n", heading(map, "")));
        let words = map.changes.iter().map(|c| word(c).chars().count()).max().unwrap_or(0);
        for c in &map.changes {
            let mark = match c.kind {
                Kind::Added => '+',
                Kind::Removed => '-',
                Kind::Changed => '~',
            };
            let head = word(c);
            let texts = |t: &Option<super::diff::Said>| {
                let text = t.as_ref().map_or(String::new(), |s| s.text.clone());
                text.lines().map(str::to_string).collect::<Vec<_>>()
            };
            let (before, after) = (texts(&c.before), texts(&c.after));
            let column = format!("  {mark} {head:words$}  ");
            match c.kind {
                Kind::Changed => {
                    let about: Vec<String> = c.details.iter().map(|d| detail(d, "`")).collect();
                    let about = if about.is_empty() {
                        c.subject.clone()
                    } else {
                        format!("{}: {}", c.subject, about.join("; "))
                    };
                    out.push_str(format!("{column}{about}").trim_end());
                    out.push('\n');
                    lines(&mut out, "      was  ", &before);
                    lines(&mut out, "      now  ", &after);
                }
                Kind::Added => lines(&mut out, &column, &after),
                Kind::Removed => lines(&mut out, &column, &before),
            }
        }
    }
    out
}

fn lines(out: &mut String, lead: &str, lines: &[String]) {
    for (i, line) in lines.iter().enumerate() {
        let lead = if i == 0 { lead.to_string() } else { " ".repeat(lead.chars().count()) };
        out.push_str(&format!("{lead}{line}\n"));
    }
}

fn word(c: &Change) -> String {
    c.what.to_string()
}

fn heading(map: &MapChanges, mark: &str) -> String {
    match (map.id.as_str(), map.name.as_str()) {
        ("", _) => "shared value maps".into(),
        (id, name) if name.is_empty() || name == id => format!("{mark}{id}{mark}"),
        (id, name) => format!("{mark}{id}{mark} \"{name}\""),
    }
}

/// `direction: both ways → into left`, `pair 'Hold' < 3 added`
fn detail(d: &Detail, mark: &str) -> String {
    let code = |t: &str| code(t, mark);
    match d.kind {
        Kind::Added => format!("{} {} added", d.what, code(&d.after)),
        Kind::Removed => format!("{} {} removed", d.what, code(&d.before)),
        Kind::Changed => format!("{} {} → {}", d.what, code(&d.before), code(&d.after)),
    }
}

/// A table for each map.
pub fn markdown(all: &[MapChanges]) -> String {
    let mut out = String::new();
    for map in all {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!(
            "### {}\n\n| | what | before | after |\n|---|---|---|---|\n",
            cell_text(&heading(map, "`"))
        ));
        for c in &map.changes {
            let kind = match c.kind {
                Kind::Added => "added",
                Kind::Removed => "removed",
                Kind::Changed => "changed",
            };
            let about: Vec<String> = c.details.iter().map(|d| cell_text(&detail(d, "`"))).collect();
            // An added or removed line says all by itself.
            let subject = match (c.kind, c.subject.as_str()) {
                (_, "") => String::new(),
                (Kind::Changed, s) => format!(" {}", cell_text(&code(s, "`"))),
                (_, s) if matches!(c.what, "test" | "values") => format!(" {}", cell_text(&code(s, "`"))),
                _ => String::new(),
            };
            let about = if about.is_empty() { String::new() } else { format!(": {}", about.join("; ")) };
            let cell = |said: &Option<super::diff::Said>| {
                let text = said.as_ref().map_or("", |s| s.text.as_str());
                let lines: Vec<String> = text.lines().map(|l| cell_text(&code(l.trim_start(), "`"))).collect();
                lines.join("<br>")
            };
            out.push_str(&format!(
                "| {kind} | {}{subject}{about} | {} | {} |\n",
                c.what,
                cell(&c.before),
                cell(&c.after)
            ));
        }
    }
    if out.is_empty() { "No map says anything else than before.\n".into() } else { out }
}

/// Text in code marks; marks in it make them longer, as Markdown wants it.
fn code(text: &str, mark: &str) -> String {
    match text.contains('`') {
        true => format!("{mark}{mark} {text} {mark}{mark}"),
        false => format!("{mark}{text}{mark}"),
    }
}

/// A `|` ends a cell even in code.
fn cell_text(text: &str) -> String {
    text.replace('|', "\\|")
}
