//! Brings what a live store has into its schema file: adds tables and columns, leaves alone what people wrote.

use super::{LiveColumn, LiveForeignKey, LiveTable, StoreSchema, Table, load};
use crate::source::Sources;
use crate::value::{Collation, DateTimeKind, Dec, Type, Uuid, parse_date, parse_datetime};
use crate::yaml::{self, Node, quoted, reads_back};
use std::fmt::Write;

/// What a pull made of a schema file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// The file's text.
    pub text: String,
    /// What went in: the line of the new text it begins at (from 1), and its lines.
    pub added: Vec<(usize, String)>,
    /// Tables that were added.
    pub tables: Vec<String>,
    /// Columns that were added to tables that were there, as `TABLE.COLUMN`.
    pub columns: Vec<String>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// Adds to `existing` (none = there is no file yet) what `live` has and it has not. The error says why it cannot.
pub fn pull(store: &str, existing: Option<&str>, live: &[LiveTable]) -> Result<Pulled, String> {
    let head = format!(
        "# Pulled from the store. What is a guess says so; choices, blanks, companies and labels are for people to add.\n\
         store: {}\nnames: case-insensitive\n\ntables:\n",
        word(store)
    );
    let (text, fresh) = match existing {
        Some(text) if !text.trim().is_empty() => (text.strip_prefix('\u{feff}').unwrap_or(text), false),
        _ => (head.as_str(), true),
    };
    // A lookup that the file's own tables make impossible is written as a comment.
    let mut why = String::new();
    for lookups in [true, false] {
        let mut pulled = attempt(text, fresh, live, lookups)?;
        let (_, findings) = read(&pulled.text);
        match findings.first() {
            None => {
                pulled.added.sort();
                return Ok(pulled);
            }
            Some(first) => why.clone_from(first),
        }
        if pulled.added.is_empty() {
            break;
        }
    }
    Err(why)
}

fn read(text: &str) -> (StoreSchema, Vec<String>) {
    let mut sources = Sources::new();
    let file = sources.add("schema", text);
    let (schema, findings) = load(&sources, file);
    let shown = findings.iter().map(|d| match d.span() {
        Some(span) => format!("line {}: {}", sources.file(file).place(span.start).line, d.message),
        None => d.message.clone(),
    });
    let shown = shown.collect();
    (schema, shown)
}

fn attempt(text: &str, fresh: bool, live: &[LiveTable], lookups: bool) -> Result<Pulled, String> {
    let mut out = Pulled::default();
    let mut schema = StoreSchema { case_insensitive_names: true, ..StoreSchema::default() };
    if !fresh {
        let (found, findings) = read(text);
        if let Some(first) = findings.first() {
            return Err(format!("the file has findings of its own: {first}"));
        }
        schema = found;
    }
    let (document, _) = yaml::parse(text, Default::default());
    let tables = document.root.as_ref().and_then(|r| r.get("tables"));
    let here = |name: &str| schema.tables.iter().find(|t| t.stored_name().eq_ignore_ascii_case(name));
    let mut added: Vec<&LiveTable> = Vec::new();
    for t in live.iter().filter(|t| here(&t.name).is_none()) {
        let taken = |n: &Table| n.name.eq_ignore_ascii_case(&t.name);
        if let Some(other) = schema.tables.iter().find(|n| taken(n)) {
            out.left_out.push(format!(
                "table `{}`: the file has that name for the table `{}`",
                t.name,
                other.stored_name()
            ));
        } else if t.columns.is_empty() || key_of(t).is_none() {
            out.left_out.push(format!("table `{}`: it has no primary key and no unique index", t.name));
        } else {
            added.push(t);
        }
    }
    let known = Known { schema: &schema, added: &added, live, lookups };
    let mut edits: Vec<(usize, String)> = Vec::new();
    for t in live {
        let Some(table) = here(&t.name) else { continue };
        let missing = |c: &&LiveColumn| !table.columns.iter().any(|h| h.name.eq_ignore_ascii_case(&c.name));
        let columns: Vec<&LiveColumn> = t.columns.iter().filter(missing).collect();
        let node = tables.and_then(|n| n.value.get(&table.name)).and_then(|n| n.value.get("columns"));
        let Some(node) = node.filter(|_| !columns.is_empty()) else { continue };
        let entries = node.value.entries().unwrap_or_default();
        let mut lines = Vec::new();
        for c in &columns {
            out.columns.push(format!("{}.{}", table.name, c.name));
            lines.push(column(c, t, &known));
        }
        if node.value.flow {
            let parts: Vec<String> = lines.iter().map(|(line, _)| flow(line)).collect();
            let inside = node.value.span.end as usize - 1;
            // Behind the last value, so that a blank before the brace stays.
            let at = entries.last().map_or(inside, |e| e.value.span.end as usize);
            let comma = if entries.is_empty() { "" } else { ", " };
            edits.push((at, format!("{comma}{}", parts.join(", "))));
        } else {
            let Some(first) = entries.first() else { continue };
            let indent = indent_of(text, first.key_span.start as usize);
            edits.push((after(text, &node.value), joined(&lines, indent)));
        }
    }
    if !added.is_empty() {
        let entries = tables.and_then(|n| n.value.entries()).unwrap_or_default();
        if let Some(n) = tables.filter(|n| n.value.flow && !entries.is_empty()) {
            let line = text[..n.key_span.start as usize].matches('\n').count() + 1;
            return Err(format!("line {line}: `tables` stands in braces; write it as an indented block first"));
        }
        let indent = entries.first().map_or(2, |e| indent_of(text, e.key_span.start as usize));
        let deeper = entries.iter().find_map(|e| e.value.entries()?.first().map(|f| f.key_span.start as usize));
        let step = deeper.map_or(2, |d| indent_of(text, d).saturating_sub(indent).max(1));
        let mut block = String::new();
        for (i, t) in added.iter().enumerate() {
            if i > 0 || !entries.is_empty() {
                block.push('\n');
            }
            block.push_str(&table(t, &known, indent, step));
            out.tables.push(t.name.clone());
        }
        let at = match tables {
            Some(n) if !entries.is_empty() => after(text, &n.value),
            Some(n) => line_end(text, n.value.span.end.max(n.key_span.end) as usize),
            None => text.len(),
        };
        edits.push((at, block));
    }
    edits.sort_by_key(|(at, _)| *at);
    let mut from = 0;
    for (at, new) in edits {
        out.text.push_str(&text[from..at]);
        let whole_lines = new.ends_with('\n');
        if whole_lines && !out.text.is_empty() && !out.text.ends_with('\n') {
            out.text.push('\n');
        }
        let line = out.text.matches('\n').count() + 1;
        let new = if text.contains("\r\n") { new.replace('\n', "\r\n") } else { new };
        out.text.push_str(&new);
        out.added.push((line, new));
        from = at;
    }
    out.text.push_str(&text[from..]);
    if tables.is_some_and(|n| n.value.flow && n.value.entries().is_some_and(<[_]>::is_empty)) {
        // `tables: {}` gives way to the block.
        if let Some(n) = tables {
            let (s, e) = (n.value.span.start as usize, n.value.span.end as usize);
            out.text.replace_range(s..e, "");
        }
    }
    Ok(out)
}

/// What lookups may point to.
struct Known<'a> {
    schema: &'a StoreSchema,
    added: &'a [&'a LiveTable],
    live: &'a [LiveTable],
    lookups: bool,
}

/// The key a table goes by: the primary one, else a unique one.
fn key_of(t: &LiveTable) -> Option<&[String]> {
    if !t.primary_key.is_empty() {
        return Some(&t.primary_key);
    }
    let sure = |k: &&Vec<String>| k.iter().all(|c| t.column(c).is_some_and(|c| !c.nullable));
    t.unique.iter().find(sure).or(t.unique.first()).map(Vec::as_slice)
}

fn table(t: &LiveTable, known: &Known<'_>, indent: usize, step: usize) -> String {
    let key = key_of(t).unwrap_or_default();
    let (at, inner, deep) = (" ".repeat(indent), " ".repeat(indent + step), indent + 2 * step);
    let mut s = format!("{at}{}:\n", word(&t.name));
    let doubt = if t.primary_key.is_empty() { "   # a guess: the table has no primary key" } else { "" };
    let _ = writeln!(s, "{inner}primary_key: {}{doubt}", list(key));
    if let Some(said) = &t.description {
        let _ = writeln!(s, "{inner}description: {}", quoted(&said.replace(['\n', '\r'], " ")));
    }
    let others: Vec<String> = t.unique.iter().filter(|u| u.as_slice() != key).map(|u| list(u)).collect();
    if !others.is_empty() {
        let _ = writeln!(s, "{inner}alternate_keys: [{}]", others.join(", "));
    }
    let mut names: Vec<String> = Vec::new();
    let mut lookups = String::new();
    for f in t.foreign_keys.iter().filter(|f| f.columns.len() > 1) {
        let Some((to, referred)) = known.target(f) else { continue };
        let mut name = to.clone();
        while names.contains(&name) || t.column(&name).is_some() {
            name.push('_');
        }
        let mark = if known.lookups { "" } else { "# " };
        let key = list(&referred);
        let columns = list(&f.columns);
        let _ = writeln!(
            lookups,
            "{}{mark}{}: {{ columns: {columns}, table: {}, key: {key} }}",
            " ".repeat(deep),
            word(&name),
            word(&to)
        );
        names.push(name);
    }
    if !lookups.is_empty() {
        let _ = write!(s, "{inner}{}lookups:\n{lookups}", if known.lookups { "" } else { "# " });
    }
    let _ = writeln!(s, "{inner}columns:");
    let lines: Vec<_> = t.columns.iter().map(|c| column(c, t, known)).collect();
    s.push_str(&joined(&lines, deep));
    s
}

fn joined(lines: &[(String, Option<String>)], indent: usize) -> String {
    let mut s = String::new();
    for (line, comment) in lines {
        let _ = write!(s, "{}{line}", " ".repeat(indent));
        if let Some(c) = comment {
            let _ = write!(s, "   # {}", c.replace(['\n', '\r'], " "));
        }
        s.push('\n');
    }
    s
}

/// A column's line, and what is to be said behind it.
fn column(c: &LiveColumn, t: &LiveTable, known: &Known<'_>) -> (String, Option<String>) {
    let mut parts: Vec<String> = Vec::new();
    let mut doubts: Vec<String> = c.doubt.iter().cloned().collect();
    if !c.nullable || t.primary_key.contains(&c.name) {
        parts.push("required: true".into());
    }
    if c.computed {
        parts.push("read_only: true".into());
    }
    let mut generated = c.generated;
    if let Some(default) = c.default.as_deref().filter(|_| !c.computed) {
        let known = if c.words.is_empty() { constant(default, &c.ty) } else { None };
        match known {
            Some(None) => {}
            Some(Some(value)) => parts.push(format!("default: {value}")),
            None => {
                generated = true;
                doubts.push(format!("where none is given: {default}"));
            }
        }
    }
    if generated {
        parts.push("generated: true".into());
    }
    match c.collation {
        Some(Collation::NoCase) if matches!(c.ty, Type::Text { .. }) => {
            parts.push("collation: case-insensitive".into())
        }
        None => doubts.push("it compares in a way that no schema can say".into()),
        _ => {}
    }
    let single = |f: &&LiveForeignKey| f.columns.len() == 1 && f.columns[0].eq_ignore_ascii_case(&c.name);
    if let Some((to, referred)) = t.foreign_keys.iter().find(single).and_then(|f| known.target(f)) {
        let lookup = match known.is_primary(&to, &referred) {
            true => format!("lookup: {}", word(&to)),
            false => format!("lookup: {{ table: {}, key: {} }}", word(&to), list(&referred)),
        };
        if known.lookups {
            parts.push(lookup);
        } else {
            doubts.push(lookup);
        }
    }
    if let Some(said) = &c.description {
        parts.push(format!("description: {}", quoted(&said.replace(['\n', '\r'], " "))));
    }
    let name = word(&c.name);
    let ty = match c.ty {
        Type::DateTime { kind: DateTimeKind::Civil } => "datetime(civil)".into(),
        ref ty => ty.to_string(),
    };
    let ty = match choice(&c.words) {
        Some(choice) => choice,
        None if parts.is_empty() => return (format!("{name}: {ty}"), told(doubts)),
        None => {
            if ty.contains(',') {
                format!("type: \"{ty}\"")
            } else {
                format!("type: {ty}")
            }
        }
    };
    parts.insert(0, ty);
    let line = format!("{name}: {{ {} }}", parts.join(", "));
    (line, told(doubts))
}

fn told(doubts: Vec<String>) -> Option<String> {
    (!doubts.is_empty()).then(|| doubts.join("; "))
}

/// A choice of these words, numbered in their order; none where they cannot be told apart as members.
fn choice(words: &[String]) -> Option<String> {
    let alike = |i: usize, w: &String| words[..i].iter().any(|e| e.eq_ignore_ascii_case(w));
    if words.is_empty() || words.iter().enumerate().any(|(i, w)| w.trim().is_empty() || alike(i, w)) {
        return None;
    }
    let members: Vec<String> = words.iter().enumerate().map(|(i, w)| format!("{}: {}", word(w), i + 1)).collect();
    Some(format!("choice: {{ {} }}, stored_as: name", members.join(", ")))
}

impl Known<'_> {
    /// The schema's name of the table a foreign key points to, and the columns of the key it means.
    fn target(&self, f: &LiveForeignKey) -> Option<(String, Vec<String>)> {
        let live = self.live.iter().find(|t| t.name.eq_ignore_ascii_case(&f.table))?;
        let referred = if f.referred.is_empty() { live.primary_key.clone() } else { f.referred.clone() };
        let names: Vec<&str> = referred.iter().map(String::as_str).collect();
        if referred.len() != f.columns.len() || !live.is_unique(&names) {
            return None;
        }
        let stored = |t: &&Table| t.stored_name().eq_ignore_ascii_case(&live.name);
        let name = match self.schema.tables.iter().find(stored) {
            Some(t) => t.name.clone(),
            None => self.added.iter().find(|t| t.name == live.name)?.name.clone(),
        };
        Some((name, referred))
    }
    fn is_primary(&self, table: &str, key: &[String]) -> bool {
        let same = |k: &[String]| k.len() == key.len() && k.iter().zip(key).all(|(a, b)| a.eq_ignore_ascii_case(b));
        match self.schema.tables.iter().find(|t| t.name == table) {
            Some(t) => {
                let names: Vec<String> = t.primary_key.iter().map(|c| t.column(*c).name.clone()).collect();
                same(&names)
            }
            None => self.added.iter().any(|t| t.name == table && same(key_of(t).unwrap_or_default())),
        }
    }
}

/// A constant default as the schema writes it; `Some(None)` is null, none is no constant of the type.
#[allow(clippy::option_option)]
fn constant(sql: &str, ty: &Type) -> Option<Option<String>> {
    let mut sql = sql.trim();
    while let Some(inner) = sql.strip_prefix('(').and_then(|s| s.strip_suffix(')')) {
        sql = inner.trim();
    }
    if sql.eq_ignore_ascii_case("null") {
        return Some(None);
    }
    let text = match sql.strip_prefix('\'').and_then(|s| s.strip_suffix('\'')) {
        Some(inner) if !inner.replace("''", "").contains('\'') => Some(inner.replace("''", "'")),
        _ => None,
    };
    let bare = text.as_deref().unwrap_or(sql);
    let written = match ty {
        Type::Text { max } => {
            let text = text.filter(|t| max.is_none_or(|m| t.chars().count() <= m as usize))?;
            quoted(&text)
        }
        Type::Integer => bare.parse::<i64>().ok()?.to_string(),
        Type::Decimal { limits } => {
            let d = Dec::parse(bare)?;
            limits.is_none_or(|(p, s)| d.fits(p.into(), s.into())).then(|| d.to_string())?
        }
        Type::Float => {
            bare.parse::<f64>().ok().filter(|f| f.is_finite())?;
            bare.to_string()
        }
        Type::Boolean => match bare.to_ascii_lowercase().as_str() {
            "0" | "false" => "false".into(),
            "1" | "true" => "true".into(),
            _ => return None,
        },
        Type::Date => parse_date(&text?).map(|d| quoted(&d.to_string()))?,
        Type::DateTime { .. } => {
            let text = text?;
            parse_datetime(&text).map(|_| quoted(&text))?
        }
        Type::Uuid => {
            let text = text?;
            Uuid::try_parse(&text).ok().map(|u| quoted(&u.to_string()))?
        }
        _ => return None,
    };
    Some(Some(written))
}

/// A name as a key or as a word inside brackets.
pub(super) fn word(name: &str) -> String {
    if reads_back(name) && !name.contains([',', '[', ']', '{', '}']) && !name.contains(':') {
        name.to_string()
    } else {
        quoted(name)
    }
}

pub(super) fn list(names: &[String]) -> String {
    format!("[{}]", names.iter().map(|n| word(n)).collect::<Vec<_>>().join(", "))
}

/// A column's line between braces.
fn flow(line: &str) -> String {
    match line.split_once(": ") {
        Some((name, ty)) if ty.contains(',') && !ty.starts_with('{') => format!("{name}: \"{ty}\""),
        _ => line.to_string(),
    }
}

/// Where what follows a block begins: the line after its last value.
fn after(text: &str, node: &Node) -> usize {
    line_end(text, end_of(node))
}

fn end_of(node: &Node) -> usize {
    if node.flow {
        return node.span.end as usize;
    }
    match (node.entries().and_then(<[_]>::last), node.items().and_then(<[_]>::last)) {
        (Some(e), _) => end_of(&e.value).max(e.key_span.end as usize),
        (_, Some(i)) => end_of(&i.value),
        _ => node.span.end as usize,
    }
}

fn line_end(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    if at > 0 && text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |i| at + i + 1)
}

fn indent_of(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |i| i + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::schema::Holds;

    fn c(name: &str, ty: Type, nullable: bool) -> LiveColumn {
        LiveColumn {
            name: name.into(),
            declared: String::new(),
            ty,
            doubt: None,
            holds: Holds::Anything,
            nullable,
            default: None,
            generated: false,
            computed: false,
            collation: Some(Collation::Exact),
            words: vec![],
            description: None,
        }
    }

    fn live() -> Vec<LiveTable> {
        let text = |n| Type::Text { max: Some(n) };
        vec![
            LiveTable {
                name: "Projects".into(),
                columns: vec![
                    c("company", text(4), false),
                    c("id", text(20), false),
                    LiveColumn { default: Some("'it''s'".into()), ..c("name", text(60), true) },
                    LiveColumn { doubt: Some("a guess".into()), ..c("on", Type::Boolean, true) },
                ],
                primary_key: vec!["company".into(), "id".into()],
                unique: vec![vec!["name".into()]],
                ..LiveTable::default()
            },
            LiveTable {
                name: "Lines".into(),
                columns: vec![
                    LiveColumn { generated: true, ..c("nr", Type::Integer, false) },
                    c("company", text(4), true),
                    c("project", text(20), true),
                    c("project name", text(60), true),
                    c("amount", Type::Decimal { limits: Some((12, 2)) }, true),
                    LiveColumn { default: Some("CURRENT_TIMESTAMP".into()), ..c("at", text(30), false) },
                ],
                primary_key: vec!["nr".into()],
                foreign_keys: vec![
                    LiveForeignKey {
                        columns: vec!["company".into(), "project".into()],
                        table: "projects".into(),
                        referred: vec![],
                    },
                    LiveForeignKey {
                        columns: vec!["project name".into()],
                        table: "Projects".into(),
                        referred: vec!["name".into()],
                    },
                ],
                ..LiveTable::default()
            },
            LiveTable { name: "Heap".into(), columns: vec![c("x", text(1), true)], ..LiveTable::default() },
        ]
    }

    #[test]
    fn a_new_file() {
        let p = pull("s", None, &live()).unwrap();
        assert_eq!(
            p.text.split_once("tables:\n").unwrap().1,
            "  Projects:\n    primary_key: [company, id]\n    alternate_keys: [[name]]\n    columns:\n      \
             company: { type: text(4), required: true }\n      id: { type: text(20), required: true }\n      \
             name: { type: text(60), default: \"it's\" }\n      \"on\": boolean   # a guess\n\n  \
             Lines:\n    primary_key: [nr]\n    lookups:\n      \
             Projects: { columns: [company, project], table: Projects, key: [company, id] }\n    columns:\n      \
             nr: { type: integer, required: true, generated: true }\n      company: text(4)\n      project: text(20)\n      \
             project name: { type: text(60), lookup: { table: Projects, key: [name] } }\n      amount: decimal(12,2)\n      \
             at: { type: text(30), required: true, generated: true }   # where none is given: CURRENT_TIMESTAMP\n"
        );
        assert_eq!(p.left_out, ["table `Heap`: it has no primary key and no unique index"]);
        assert_eq!(pull("s", Some(&p.text), &live()[..2]).unwrap().text, p.text, "a second pull changes nothing");
    }

    #[test]
    fn what_people_wrote_stays() {
        let text = "# mine\nstore: s\nblank: { text: \"\" }\ntables:\n  P:   # projects\n    stored: projects\n    \
                    primary_key: [company, id]\n    columns:\n        company: text(4)  # legal entity\n        \
                    id: { type: text(20), blank: null }  # the last one\n        # and no more\n\n# the end\n";
        let p = pull("s", Some(text), &live()).unwrap();
        let mut at = 0;
        for line in text.lines() {
            at += p.text[at..].find(line).unwrap_or_else(|| panic!("lost or moved: {line}\n{}", p.text)) + line.len();
        }
        assert_eq!(p.columns, ["P.name", "P.on"]);
        assert_eq!(p.tables, ["Lines"]);
        assert!(p.text.contains("# the last one\n        name: { type: text(60)"), "{}", p.text);
        let flow = "store: s\ntables:\n  Projects: { primary_key: [company, id], columns: { company: text(4), id: text(20) } }";
        let p = pull("s", Some(flow), &live()).unwrap();
        assert!(
            p.text
                .contains("id: text(20), name: { type: text(60), default: \"it's\" }, \"on\": boolean } }\n\n  Lines:"),
            "{}",
            p.text
        );
        assert!(pull("s", Some("store: s\ntables: {}\n"), &live()).unwrap().text.contains("tables: \n  Projects:\n"));
        assert!(pull("s", Some("store: s\ntables:\n  A: {}\n"), &live()).is_err());
    }
}
