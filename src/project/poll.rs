//! `poll` of a store: how it is looked at where nothing may be put into it.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::source::Span;
use crate::yaml::{Node, Reader};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a store that may not be changed is looked at. What it holds is compared with a copy; it is only read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollConfig {
    /// The time between two looks. Default: 1 s.
    pub every: Duration,
    /// The time between two comparisons of all rows, for tables in `modified`. Default: 10 min.
    pub full: Duration,
    /// Table and column, as written: the column grows with each change of a row.
    pub modified: Vec<(Name, Name)>,
}

/// A name in the project file.
pub type Name = (String, Span);

/// Reads `poll`.
pub(super) fn read(r: &mut Reader, n: &Node) -> Option<PollConfig> {
    let f = r.fields(n, "`poll`", &["every", "full", "modified"])?;
    let mut poll = PollConfig { every: Duration::from_secs(1), full: Duration::from_secs(600), modified: Vec::new() };
    for (key, to) in [("every", &mut poll.every), ("full", &mut poll.full)] {
        if let Some(d) = f.get(key).and_then(|n| duration(r, n)) {
            *to = d;
        }
    }
    for e in f.get("modified").and_then(|n| r.mapping(n, "`modified`")).unwrap_or_default() {
        if let Some(column) = r.text(&e.value, "a column") {
            poll.modified.push(((e.key.text.clone(), e.key_span), (column.text.clone(), e.value.span)));
        }
    }
    Some(poll)
}

fn duration(r: &mut Reader, n: &Node) -> Option<Duration> {
    let text = r.text(n, "a time, `30s`")?.text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit = match &text[digits..] {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let ms = unit.and_then(|u| text[..digits].parse::<u64>().ok()?.checked_mul(u)).filter(|ms| *ms > 0);
    if ms.is_none() {
        r.refuse(n.span, format!("`{text}` is no time"), "write a number with `ms`, `s`, `m`, `h` or `d`: `30s`");
    }
    ms.map(Duration::from_millis)
}

impl PollConfig {
    /// The columns of `modified` in the store's schema, with what is wrong about them.
    pub fn columns(&self, schema: &StoreSchema) -> (BTreeMap<TableId, ColumnId>, Vec<Diagnostic>) {
        let (mut found, mut findings) = (BTreeMap::new(), Vec::new());
        let mut unknown = |code, what: &str, (name, span): &Name, known: &mut dyn Iterator<Item = &String>| {
            let help = did_you_mean(name, known.map(String::as_str)).unwrap_or("see the store's schema file".into());
            findings.push(Diagnostic::new(code, *span, format!("{what} `{name}`")).help(help));
        };
        for (table, column) in &self.modified {
            let Some(t) = schema.table(&table.0) else {
                unknown(Code::TM0202, "the store has no table", table, &mut schema.tables.iter().map(|t| &t.name));
                continue;
            };
            match schema.column(t, &column.0) {
                Some(c) => {
                    found.insert(t, c);
                }
                None => {
                    let what = format!("table `{}` has no column", schema.get(t).name);
                    unknown(Code::TM0203, &what, column, &mut schema.get(t).columns.iter().map(|c| &c.name));
                }
            }
        }
        (found, findings)
    }
}
