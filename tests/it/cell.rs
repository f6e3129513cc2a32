//! Values that SQLite holds, as tests write them.

use rusqlite::types::ValueRef;

/// Null as `-`.
pub fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_string(),
        ValueRef::Integer(i) => i.to_string(),
        ValueRef::Real(f) => f.to_string(),
        ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
        ValueRef::Blob(b) => format!("{b:?}"),
    }
}
