//! Reads `STORE.schema.yaml`.

use super::column::{self, Choices};
use super::lookup::{self, Draft};
use super::{ColumnId, StoreSchema, Table};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::{FileId, Sources, Span};
use crate::value::{Date, parse_date};
use crate::yaml::{self, Codes, Entry, Fields, Node, Reader};

const TOP: &[&str] = &["store", "names", "blank", "choices", "tables", "label", "description"];
const TABLE: &[&str] =
    &["stored", "company", "primary_key", "alternate_keys", "filled", "label", "description", "lookups", "columns"];

/// What stands for null in every column of a kind.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreBlank {
    pub(super) text: Option<String>,
    pub(super) date: Option<Date>,
}

/// Reads the store schema in `file`; what can be understood is returned even where there are findings.
pub fn load(sources: &Sources, file: FileId) -> (StoreSchema, Vec<Diagnostic>) {
    let (document, findings) = yaml::parse(&sources.file(file).text, file);
    let codes = Codes { shape: Code::TM0153, unknown: Code::TM0154, missing: Code::TM0155 };
    let mut r = Reader::new(codes, document.broken);
    r.findings = findings;
    let schema = match &document.root {
        Some(root) => store(&mut r, root),
        None => {
            if !document.broken {
                let d = Diagnostic::new(Code::TM0155, Span::new(file, 0, 0), "the schema is empty")
                    .help("begin with `store: NAME` and `tables:`");
                r.add(d);
            }
            StoreSchema::default()
        }
    };
    r.findings.sort_by_key(|d| d.span().map(|s| s.start));
    (schema, r.findings)
}

fn store(r: &mut Reader, root: &Node) -> StoreSchema {
    let mut schema = StoreSchema::default();
    let Some(top) = r.fields(root, "a store schema", TOP) else { return schema };
    if let Some(n) = r.require(&top, "store", "the schema") {
        schema.name = r.name(n, "`store`").map(|s| s.text.clone()).unwrap_or_default();
    }
    if let Some(n) = top.get("names") {
        schema.case_insensitive_names =
            word(r, n, "`names`", &["case-sensitive", "case-insensitive"]) == Some("case-insensitive");
    }
    label(r, &top);
    let blank = top.get("blank").map(|n| store_blank(r, n)).unwrap_or_default();
    let choices = top.get("choices").map(|n| column::shared(r, n)).unwrap_or_default();
    let Some(tables) = r.require(&top, "tables", "the schema").and_then(|n| r.mapping(n, "`tables`")) else {
        return schema;
    };
    let fold = schema.case_insensitive_names;
    unique(r, tables, "table", fold);
    let mut drafts: Vec<(&Entry, Option<Fields<'_>>, Vec<Draft<'_>>)> = vec![];
    for entry in tables {
        let mut table = Table { name: entry.key.text.clone(), span: entry.key_span, ..Table::default() };
        let what = format!("table `{}`", table.name);
        let fields = r.fields(&entry.value, &what, TABLE);
        let mut lookups = vec![];
        if let Some(f) = &fields {
            head(r, f, &mut table);
            columns(r, f, entry, &mut table, (&blank, &choices, fold), &mut lookups);
            if let Some(n) = f.get("lookups") {
                lookup::named(r, n, &mut lookups);
            }
        }
        schema.tables.push(table);
        drafts.push((entry, fields, lookups));
    }
    let mut sound = vec![false; drafts.len()];
    for (i, (entry, fields, _)) in drafts.iter().enumerate() {
        if let Some(f) = fields {
            let before = r.findings.len();
            keys(r, f, entry, &mut schema, i);
            sound[i] = r.findings.len() == before;
        }
    }
    for (i, (_, _, lookups)) in drafts.iter().enumerate() {
        lookup::resolve(r, &mut schema, i, lookups, &sound);
    }
    schema
}

/// `stored`, `filled`, labels.
fn head(r: &mut Reader, f: &Fields<'_>, table: &mut Table) {
    table.stored = f.get("stored").and_then(|n| r.name(n, "`stored`")).map(|s| s.text.clone());
    if let Some(n) = f.get("filled") {
        table.filled_elsewhere = word(r, n, "`filled`", &["elsewhere"]).is_some();
    }
    label(r, f);
}

fn columns<'a>(
    r: &mut Reader,
    f: &Fields<'a>,
    entry: &Entry,
    table: &mut Table,
    (blank, choices, fold): (&StoreBlank, &Choices, bool),
    lookups: &mut Vec<Draft<'a>>,
) {
    let what = format!("table `{}`", entry.key.text);
    let Some(list) = r.require(f, "columns", &what).and_then(|n| r.mapping(n, "`columns`")) else { return };
    unique(r, list, "column", fold);
    if list.is_empty() {
        r.add(Diagnostic::new(Code::TM0155, entry.key_span, format!("{what} has no columns")));
    }
    for c in list {
        let (column, lookup) = column::read(r, c, blank, choices, fold);
        if let Some(node) = lookup {
            lookup::of_column(r, node, c, lookups);
        }
        table.columns.push(column);
    }
}

/// `company`, `primary_key`, `alternate_keys`: they name columns of the table.
fn keys(r: &mut Reader, f: &Fields<'_>, entry: &Entry, schema: &mut StoreSchema, i: usize) {
    let id = super::TableId(i as u32);
    let company = f.get("company").and_then(|n| r.name(n, "`company`").map(|s| (s.text.as_str(), n.span)));
    let company = company.and_then(|(name, span)| column_named(r, schema, id, name, span));
    let mut primary = vec![];
    match f.get("primary_key") {
        Some(n) => primary = key(r, schema, id, n, "`primary_key`"),
        None => {
            let d =
                Diagnostic::new(Code::TM0159, entry.key_span, format!("table `{}` has no primary key", entry.key.text))
                    .help("add `primary_key: [COLUMN]`");
            r.add(d);
        }
    }
    if f.get("primary_key").is_some_and(|n| n.items().is_some_and(|i| i.is_empty())) {
        r.add(
            Diagnostic::new(Code::TM0159, entry.key_span, format!("the primary key of `{}` is empty", entry.key.text))
                .help("name at least one column"),
        );
    }
    if primary.is_empty() && !schema.tables[i].columns.is_empty() {
        primary.push(ColumnId(0));
    }
    let mut alternate = vec![];
    let nodes: Vec<&Node> = match f.get("alternate_keys") {
        None => vec![],
        Some(n) => match (n.items(), n.entries()) {
            (Some(items), _) => items.iter().map(|i| &i.value).collect(),
            (_, Some(entries)) => entries.iter().map(|e| &e.value).collect(),
            _ => {
                r.wrong(n, "a list of keys, or a mapping from name to key, for `alternate_keys`");
                vec![]
            }
        },
    };
    for n in nodes {
        if r.sequence(n, "an alternate key").is_none() {
            continue;
        }
        let columns = key(r, schema, id, n, "an alternate key");
        if columns.is_empty() {
            r.refuse(n.span, "an alternate key without columns", "name at least one column");
        } else {
            alternate.push(columns);
        }
    }
    let table = &mut schema.tables[i];
    table.company = company;
    table.primary_key = primary;
    table.alternate_keys = alternate;
}

/// The columns a key names.
pub(super) fn key(r: &mut Reader, schema: &StoreSchema, table: super::TableId, n: &Node, what: &str) -> Vec<ColumnId> {
    let mut out: Vec<ColumnId> = vec![];
    for (name, span) in r.texts(n, what) {
        let Some(c) = column_named(r, schema, table, &name.text, span) else { continue };
        if out.contains(&c) {
            r.add(Diagnostic::new(Code::TM0160, span, format!("column `{}` is named twice", name.text)));
        } else {
            out.push(c);
        }
    }
    out
}

/// The column of that name, or a finding.
pub(super) fn column_named(
    r: &mut Reader,
    schema: &StoreSchema,
    table: super::TableId,
    name: &str,
    span: Span,
) -> Option<ColumnId> {
    let found = schema.column(table, name);
    if found.is_none() {
        let t = schema.get(table);
        let mut d = Diagnostic::new(Code::TM0157, span, format!("table `{}` has no column `{name}`", t.name));
        if let Some(near) = did_you_mean(name, t.columns.iter().map(|c| c.name.as_str())) {
            d = d.help(near);
        }
        r.add(d);
    }
    found
}

/// Two names that are one under the store's rule. (Names that are equal to the letter are the tree's finding.)
pub(super) fn unique(r: &mut Reader, entries: &[Entry], what: &str, fold: bool) {
    let mut seen: std::collections::HashMap<String, &Entry> = std::collections::HashMap::new();
    for e in entries {
        if e.key.text.trim().is_empty() {
            r.refuse(e.key_span, format!("a {what} without a name"), "give it a name");
        }
        let folded = if fold { e.key.text.to_ascii_lowercase() } else { continue };
        if let Some(first) = seen.get(&folded)
            && first.key.text != e.key.text
        {
            let d = Diagnostic::new(
                Code::TM0160,
                e.key_span,
                format!("{what}s `{}` and `{}` are one: names of this store have no case", first.key.text, e.key.text),
            )
            .related(first.key_span, "the first one");
            r.add(d);
            continue;
        }
        seen.insert(folded, e);
    }
}

/// One of a few words.
pub(super) fn word<'w>(r: &mut Reader, n: &Node, what: &str, words: &[&'w str]) -> Option<&'w str> {
    let text = r.text(n, what)?;
    let found = words.iter().find(|w| **w == text.text).copied();
    if found.is_none() {
        let known = words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" or ");
        let help = did_you_mean(&text.text, words.iter().copied()).unwrap_or_else(|| format!("write {known}"));
        r.refuse(n.span, format!("{what} is {known}, not `{}`", text.text), &help);
    }
    found
}

/// `label: text` or `label: {LANGUAGE: text}`, and `description: text`; nothing but people read them.
pub(super) fn label(r: &mut Reader, f: &Fields<'_>) {
    if let Some(n) = f.get("label") {
        match n.entries() {
            Some(entries) => entries.iter().for_each(|e| {
                r.text(&e.value, "a label");
            }),
            None => {
                r.text(n, "`label`");
            }
        }
    }
    if let Some(n) = f.get("description") {
        r.text(n, "`description`");
    }
}

fn store_blank(r: &mut Reader, n: &Node) -> StoreBlank {
    let mut blank = StoreBlank::default();
    let Some(f) = r.fields(n, "`blank`", &["text", "date"]) else { return blank };
    blank.text = f.get("text").and_then(|n| r.text(n, "`blank: text`")).map(|s| s.text.clone());
    if let Some(n) = f.get("date")
        && let Some(s) = r.text(n, "`blank: date`")
    {
        blank.date = parse_date(&s.text);
        if blank.date.is_none() {
            let d = Diagnostic::new(Code::TM0161, n.span, format!("`{}` is not a date", s.text))
                .help("write it as `1900-01-01`");
            r.add(d);
        }
    }
    blank
}
