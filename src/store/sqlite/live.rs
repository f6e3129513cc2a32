//! Describes the tables as they stand in the file, for `schema pull` and `schema diff`.

use super::describe::column_names;
use super::types::{Affinity, ident};
use crate::schema::{Holds, LiveColumn, LiveForeignKey, LiveIndex, LiveTable, LiveTrigger};
use crate::value::{Collation, DateTimeKind, Type};
use rusqlite::{Connection, OptionalExtension, Result};

/// Every table that is neither SQLite's nor ours, by name.
pub(super) fn describe(conn: &Connection) -> Result<Vec<LiveTable>> {
    let sql = "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_tablemap\\_%' ESCAPE '\\' ORDER BY name";
    let mut s = conn.prepare(sql)?;
    let names: Vec<(String, bool)> = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_>>()?;
    names.into_iter().map(|(name, without_rowid)| table(conn, name, without_rowid)).collect()
}

fn table(conn: &Connection, name: String, without_rowid: bool) -> Result<LiveTable> {
    let mut t = LiveTable { name, ..LiveTable::default() };
    let mut s = conn.prepare(&format!("PRAGMA main.table_xinfo({})", ident(&t.name)))?;
    let mut keyed: Vec<(i64, String)> = Vec::new();
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        let (column, declared): (String, String) = (r.get(1)?, r.get::<_, Option<String>>(2)?.unwrap_or_default());
        let (not_null, place, hidden): (bool, i64, i64) = (r.get(3)?, r.get(5)?, r.get(6)?);
        if hidden == 1 {
            continue;
        }
        if place > 0 {
            keyed.push((place, column.clone()));
        }
        let (_, collation, ..) = conn.column_metadata(Some("main"), t.name.as_str(), column.as_str())?;
        let collation = match collation.map(|c| c.to_bytes().to_ascii_uppercase()).as_deref() {
            None | Some(b"BINARY") => Some(Collation::Exact),
            Some(b"NOCASE") => Some(Collation::NoCase),
            Some(_) => None,
        };
        // A declared type may go on with `GENERATED ALWAYS`.
        let declared = match declared.to_ascii_uppercase().find("GENERATED ALWAYS") {
            Some(at) => declared[..at].trim().to_string(),
            None => declared,
        };
        let (ty, doubt) = schema_type(&declared);
        t.columns.push(LiveColumn {
            ty,
            doubt,
            holds: match Affinity::of(&declared) {
                Affinity::Text => Holds::Text,
                Affinity::Numeric | Affinity::Integer => Holds::Numbers,
                Affinity::Real => Holds::Floats,
                Affinity::Blob | Affinity::None => Holds::Anything,
            },
            nullable: !not_null,
            default: r.get(4)?,
            generated: false,
            computed: hidden == 2 || hidden == 3,
            collation,
            words: vec![],
            description: None,
            name: column,
            declared,
        });
    }
    keyed.sort();
    t.primary_key = keyed.into_iter().map(|(_, c)| c).collect();
    let has_pk_index = indexes(conn, &mut t)?;
    if !t.primary_key.is_empty() && !has_pk_index && !without_rowid {
        for c in t.columns.iter_mut().filter(|c| t.primary_key.contains(&c.name)) {
            // Another name of the row id: never null, and made where none is given.
            (c.generated, c.nullable) = (true, false);
        }
    }
    t.foreign_keys = foreign_keys(conn, &t.name)?;
    t.triggers = triggers(conn, &t.name)?;
    t.rows = rows_of(conn, &t.name, without_rowid)?;
    Ok(t)
}

/// Reads the indexes; whether the primary key has one of its own.
fn indexes(conn: &Connection, t: &mut LiveTable) -> Result<bool> {
    let mut s = conn.prepare(&format!("PRAGMA main.index_list({})", ident(&t.name)))?;
    let listed: Vec<(String, bool, String, bool)> =
        s.query_map([], |r| Ok((r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))?.collect::<Result<_>>()?;
    let mut has_pk_index = false;
    for (name, unique, origin, partial) in listed.into_iter().rev() {
        let mut info = conn.prepare(&format!("PRAGMA main.index_info({})", ident(&name)))?;
        let columns: Vec<Option<String>> = info.query_map([], |r| r.get(2))?.collect::<Result<_>>()?;
        has_pk_index |= origin == "pk";
        if unique && !partial && origin != "pk" {
            let key: Option<Vec<String>> = columns.iter().cloned().collect();
            t.unique.extend(key);
        }
        t.indexes.push(LiveIndex { name, columns, unique, partial });
    }
    Ok(has_pk_index)
}

fn foreign_keys(conn: &Connection, table: &str) -> Result<Vec<LiveForeignKey>> {
    let mut s = conn.prepare(&format!("PRAGMA main.foreign_key_list({})", ident(table)))?;
    let listed: Vec<(i64, String, String, Option<String>)> =
        s.query_map([], |r| Ok((r.get(0)?, r.get(2)?, r.get(3)?, r.get(4)?)))?.collect::<Result<_>>()?;
    let mut all: Vec<(i64, LiveForeignKey)> = Vec::new();
    for (id, to, column, referred) in listed {
        let i = match all.iter().position(|(n, _)| *n == id) {
            Some(i) => i,
            None => {
                all.push((id, LiveForeignKey { columns: vec![], table: to, referred: vec![] }));
                all.len() - 1
            }
        };
        all[i].1.columns.push(column);
        all[i].1.referred.extend(referred);
    }
    // SQLite lists the last one first.
    all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    Ok(all.into_iter().map(|(_, k)| k).collect())
}

fn triggers(conn: &Connection, table: &str) -> Result<Vec<LiveTrigger>> {
    let columns = column_names(conn, table)?;
    let mut s = conn.prepare(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?1) ORDER BY name",
    )?;
    let listed: Vec<(String, String)> = s.query_map([table], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_>>()?;
    let named = |sql: &str| {
        let words = words(sql);
        columns.iter().filter(|c| words.iter().any(|w| w.eq_ignore_ascii_case(c))).cloned().collect()
    };
    let read = |(name, sql): (String, String)| LiveTrigger {
        ours: name.starts_with("_tablemap_"),
        columns: named(&sql),
        name,
    };
    Ok(listed.into_iter().map(read).collect())
}

/// The names in a statement, with quotes and without; what stands in text literals is no name.
fn words(sql: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        let close = match c {
            '"' | '`' | '\'' => c,
            '[' => ']',
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_' || *c == '$') {
                    word.push(c);
                }
                all.push(word);
                continue;
            }
            _ => continue,
        };
        let mut word = String::new();
        while let Some(c) = chars.next() {
            if c == close && (close == ']' || chars.next_if_eq(&close).is_none()) {
                break;
            }
            word.push(c);
        }
        if close != '\'' {
            all.push(word);
        }
    }
    all
}

/// What ANALYZE noted, else the highest row id: neither reads the table.
fn rows_of(conn: &Connection, table: &str, without_rowid: bool) -> Result<Option<u64>> {
    let analysed = conn.prepare("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")?.exists([])?;
    if analysed {
        let noted: Option<Option<String>> = conn
            .prepare("SELECT stat FROM sqlite_stat1 WHERE tbl = ?1 LIMIT 1")?
            .query_row([table], |r| r.get(0))
            .optional()?;
        let n = noted.flatten().and_then(|s| s.split(' ').next()?.parse().ok());
        if n.is_some() {
            return Ok(n);
        }
    }
    if without_rowid || column_names(conn, table)?.iter().any(|n| n.eq_ignore_ascii_case("rowid")) {
        return Ok(None);
    }
    let highest: Option<i64> =
        conn.query_row(&format!("SELECT max(rowid) FROM main.{}", ident(table)), [], |r| r.get(0))?;
    Ok(Some(highest.unwrap_or(0).max(0).unsigned_abs()))
}

/// The schema's type for a declared one, and what is doubtful about it.
fn schema_type(declared: &str) -> (Type, Option<String>) {
    let upper = declared.trim().to_ascii_uppercase();
    let (word, args) = match upper.split_once('(') {
        Some((w, a)) => (w.trim().to_string(), Some(a.split(')').next().unwrap_or(a).to_string())),
        None => (upper.clone(), None),
    };
    let numbers: Vec<u32> = args.iter().flat_map(|a| a.split(',')).filter_map(|n| n.trim().parse().ok()).collect();
    let guess = |ty: Type| (ty, Some(format!("a guess: declared {declared}")));
    let first = |w: &str| word == w || word.starts_with(&format!("{w} "));
    if first("BOOL") || first("BOOLEAN") {
        return guess(Type::Boolean);
    }
    if first("DATE") {
        return guess(Type::Date);
    }
    if first("DATETIME") || first("TIMESTAMP") || first("TIMESTAMPTZ") || first("DATETIME2") {
        return guess(Type::DateTime { kind: DateTimeKind::Instant });
    }
    if first("UUID") || first("GUID") || first("UNIQUEIDENTIFIER") {
        return guess(Type::Uuid);
    }
    if matches!(word.as_str(), "CHAR" | "CHARACTER" | "NCHAR") && numbers == [36] {
        return guess(Type::Uuid);
    }
    if first("JSON") || first("JSONB") {
        return guess(Type::Json);
    }
    match Affinity::of(declared) {
        Affinity::Integer => (Type::Integer, None),
        Affinity::Text => (Type::Text { max: numbers.first().copied().filter(|n| *n > 0) }, None),
        Affinity::Blob => (Type::Binary, None),
        Affinity::None => (Type::Text { max: None }, Some("a guess: declared without a type".into())),
        Affinity::Real => (Type::Float, None),
        Affinity::Numeric => {
            let limits = match numbers.as_slice() {
                [p] if (1..=76).contains(p) => Some((*p as u8, 0)),
                [p, s] if (1..=76).contains(p) && s <= p => Some((*p as u8, *s as u8)),
                _ => None,
            };
            let known = ["NUMERIC", "DECIMAL", "DEC", "NUMBER", "MONEY"].iter().any(|w| first(w));
            let doubt = match limits {
                _ if !known => Some(format!("a guess: declared {declared}")),
                Some((p, _)) if p <= 15 => None,
                _ => Some("SQLite keeps 15 digits of it; declared as TEXT it would keep all".into()),
            };
            (Type::Decimal { limits }, doubt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types() {
        let shown = |d: &str| {
            let (ty, doubt) = schema_type(d);
            format!("{ty}{}", if doubt.is_some() { "?" } else { "" })
        };
        for (declared, ty) in [
            ("INTEGER", "integer"),
            ("bigint", "integer"),
            ("TEXT", "text"),
            ("varchar(20)", "text(20)"),
            ("NVARCHAR(MAX)", "text"),
            ("CHAR(36)", "uuid?"),
            ("REAL", "float"),
            ("DOUBLE PRECISION", "float"),
            ("DECIMAL(12, 2)", "decimal(12,2)"),
            ("NUMERIC(32,16)", "decimal(32,16)?"),
            ("NUMERIC", "decimal?"),
            ("BOOLEAN", "boolean?"),
            ("DATE", "date?"),
            ("TIMESTAMP WITH TIME ZONE", "datetime?"),
            ("UUID", "uuid?"),
            ("BLOB", "binary"),
            ("", "text?"),
            ("JSON", "json?"),
            ("GEOMETRY", "decimal?"),
        ] {
            assert_eq!(shown(declared), ty, "{declared}");
        }
    }

    #[test]
    fn words_are_names_not_texts() {
        assert_eq!(words("NEW.\"a b\" = 'c \"d\" ''e' OR [f g].h"), ["NEW", "a b", "OR", "f g", "h"]);
    }
}
