//! The whole sentence about a record that could not be applied: map, line, record, column, value, reason, remedy.

use super::apply::Failure;
use super::runtime::LegRt;
use crate::schema::StoreSchema;
use crate::sema::CheckedProject;

/// The sentence, and the line's place.
pub(super) fn sentence(project: &CheckedProject, leg: &LegRt, record: &str, f: &Failure) -> (String, String) {
    let l = leg.leg();
    let (store, schema): &(String, std::sync::Arc<StoreSchema>) = &project.stores[l.source.store];
    let table = &schema.get(l.source.table).name;
    let place = match (&f.place, f.line) {
        (Some(p), _) => p.clone(),
        (None, Some(i)) => l.lines[i].place.clone(),
        (None, None) => String::new(),
    };
    let mut s = format!("map `{}`", leg.map.id);
    if !place.is_empty() {
        s += &format!(", {place}");
    }
    if let Some(i) = f.line {
        s += &format!(" `{}`", l.lines[i].text);
    }
    s += &format!(": record {store}.{table} {record}");
    if !f.column.is_empty() {
        s += &format!(", column `{}`", f.column);
    }
    if let Some(v) = &f.value {
        s += &format!(", value {}", shorten(v));
    }
    s += &format!(": {}", f.reason);
    if !f.remedy.is_empty() {
        s += &format!("; {}", f.remedy);
    }
    (s, place)
}

/// At most 120 characters of a value.
pub(super) fn shorten(v: &str) -> String {
    if v.chars().count() <= 120 {
        return v.to_string();
    }
    let cut: String = v.chars().take(117).collect();
    format!("{cut}…")
}

/// The record as people name it: key columns with their values.
pub(super) fn record(project: &CheckedProject, leg: &LegRt, key: &[crate::value::Value]) -> String {
    let l = leg.leg();
    let table = project.stores[l.source.store].1.get(l.source.table);
    let parts: Vec<String> =
        table.primary_key.iter().zip(key).map(|(c, v)| format!("{}={v}", table.column(*c).name)).collect();
    parts.join(", ")
}
