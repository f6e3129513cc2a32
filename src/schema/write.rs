//! A new schema file as text: what importers make of metadata, or of maps where no metadata is at hand.

use super::pull::{list, word};
use crate::yaml::quoted;
use std::fmt::Write;

/// A line of a schema file longer than this is broken.
const WIDTH: usize = 118;

/// A schema file to be.
#[derive(Clone, Debug, Default)]
pub struct NewSchema {
    /// Comment lines at its head, without `#`.
    pub head: Vec<String>,
    /// The store's name.
    pub store: String,
    /// Whether names match without regard to case.
    pub case_insensitive: bool,
    /// What stands for null in all texts and dates of the store.
    pub blanks: bool,
    /// Its tables, in order.
    pub tables: Vec<NewTable>,
}

/// A table of a schema file to be.
#[derive(Clone, Debug, Default)]
pub struct NewTable {
    /// Its name.
    pub name: String,
    /// A comment before it, without `#`.
    pub comment: Option<String>,
    /// Its company column.
    pub company: Option<String>,
    /// Its primary key.
    pub primary_key: Vec<String>,
    /// Further keys.
    pub alternate_keys: Vec<Vec<String>>,
    /// Its columns, in order.
    pub columns: Vec<NewColumn>,
}

/// A column of a schema file to be.
#[derive(Clone, Debug, Default)]
pub struct NewColumn {
    /// Its name.
    pub name: String,
    /// Its type as schemas write it; not used for choices.
    pub ty: String,
    /// The members of a choice: name and number.
    pub choice: Vec<(String, i64)>,
    /// Whether a choice is stored by its members' names.
    pub by_name: bool,
    /// Whether a row must have a value.
    pub required: bool,
    /// Whether only the store writes it.
    pub read_only: bool,
    /// Whether it is written on create only.
    pub create_only: bool,
    /// Whether the store makes a value of its own.
    pub generated: bool,
    /// Whether its text compares without regard to case.
    pub no_case: bool,
    /// What it refers to: table and, where it is not the primary key, the key's columns.
    pub lookup: Vec<(String, Vec<String>)>,
    /// For a lookup to several tables: the column that names the table.
    pub type_column: Option<String>,
    /// A comment behind it, without `#`.
    pub comment: Option<String>,
}

impl NewSchema {
    /// The whole file.
    pub fn text(&self) -> String {
        let mut s = String::new();
        for line in &self.head {
            let _ = writeln!(s, "{}", format!("# {line}").trim_end());
        }
        let names = if self.case_insensitive { "case-insensitive" } else { "case-sensitive" };
        let _ = writeln!(s, "store: {}\nnames: {names}", word(&self.store));
        if self.blanks {
            s.push_str("blank: { text: \"\", date: 1900-01-01 }\n");
        }
        s.push_str("\ntables:\n");
        s.push_str(&self.tables_text());
        s
    }

    /// Its tables alone, as they stand below `tables:`.
    pub fn tables_text(&self) -> String {
        self.tables.iter().map(table).collect::<Vec<_>>().join("\n")
    }
}

fn comment(s: &mut String, text: Option<&String>) {
    if let Some(text) = text {
        let _ = write!(s, "   # {}", text.replace(['\n', '\r'], " "));
    }
    s.push('\n');
}

fn table(t: &NewTable) -> String {
    let mut s = String::new();
    if let Some(text) = &t.comment {
        let _ = writeln!(s, "  # {}", text.replace(['\n', '\r'], " "));
    }
    let _ = writeln!(s, "  {}:", word(&t.name));
    if let Some(company) = &t.company {
        let _ = writeln!(s, "    company: {}", word(company));
    }
    let _ = writeln!(s, "    primary_key: {}", list(&t.primary_key));
    if !t.alternate_keys.is_empty() {
        let keys: Vec<String> = t.alternate_keys.iter().map(|k| list(k)).collect();
        let _ = writeln!(s, "    alternate_keys: [{}]", keys.join(", "));
    }
    s.push_str("    columns:\n");
    for c in &t.columns {
        column(&mut s, c);
    }
    s
}

fn column(s: &mut String, c: &NewColumn) {
    let mut parts: Vec<String> = Vec::new();
    if c.choice.is_empty() {
        parts.push(format!("type: {}", if c.ty.contains(',') { quoted(&c.ty) } else { c.ty.clone() }));
    } else {
        let members: Vec<String> = c.choice.iter().map(|(n, v)| format!("{}: {v}", member(n))).collect();
        parts.push(format!("choice: {{ {} }}", members.join(", ")));
        if c.by_name {
            parts.push("stored_as: name".into());
        }
    }
    for (word, on) in [
        ("required", c.required),
        ("read_only", c.read_only),
        ("create_only", c.create_only),
        ("generated", c.generated),
    ] {
        if on {
            parts.push(format!("{word}: true"));
        }
    }
    if c.no_case {
        parts.push("collation: case-insensitive".into());
    }
    parts.extend(lookup(c));
    let name = word(&c.name);
    match parts.as_slice() {
        [only] if c.choice.is_empty() => {
            let _ = write!(s, "      {name}: {}", if c.ty.contains(',') { &c.ty } else { &only[6..] });
        }
        _ => {
            let line = format!("      {name}: {{ {} }}", parts.join(", "));
            if line.chars().count() <= WIDTH {
                s.push_str(&line);
            } else {
                return broken(s, c, &name, &parts);
            }
        }
    }
    comment(s, c.comment.as_ref());
}

/// A column that is too long for one line.
fn broken(s: &mut String, c: &NewColumn, name: &str, parts: &[String]) {
    let _ = write!(s, "      {name}:");
    comment(s, c.comment.as_ref());
    for part in parts {
        if part.starts_with("choice: ") && part.chars().count() + 8 > WIDTH {
            s.push_str("        choice:\n");
            for (n, v) in &c.choice {
                let _ = writeln!(s, "          {}: {v}", member(n));
            }
        } else {
            let _ = writeln!(s, "        {part}");
        }
    }
}

/// A member's name as a key: quoted where a reader could take it for something else.
fn member(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain { word(name) } else { quoted(name) }
}

fn lookup(c: &NewColumn) -> Option<String> {
    let one = |(table, key): &(String, Vec<String>)| match key.is_empty() {
        true => word(table),
        false => format!("{{ table: {}, key: {} }}", word(table), list(key)),
    };
    match c.lookup.as_slice() {
        [] => None,
        [to] => Some(format!("lookup: {}", one(to))),
        several => {
            let tables: Vec<String> = several.iter().map(one).collect();
            let ty = c.type_column.as_ref().map_or(String::new(), |t| format!(", type_column: {}", word(t)));
            Some(format!("lookup: {{ tables: [{}]{ty} }}", tables.join(", ")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::schema::load;
    use crate::source::Sources;

    #[test]
    fn what_is_written_is_read_back() {
        let text = |n: &str| NewColumn { name: n.into(), ty: "text".into(), ..NewColumn::default() };
        let many: Vec<(String, i64)> = (0..30).map(|i| (format!("Member {i}"), i)).collect();
        let schema = NewSchema {
            head: vec!["A sketch.".into()],
            store: "crm".into(),
            case_insensitive: true,
            blanks: true,
            tables: vec![
                NewTable {
                    name: "yes".into(),
                    primary_key: vec!["E-MAIL".into()],
                    columns: vec![
                        NewColumn { required: true, no_case: true, ..text("E-MAIL") },
                        NewColumn { ty: "decimal(12,2)".into(), comment: Some("money".into()), ..text("a") },
                        NewColumn { ty: "decimal(12,2)".into(), required: true, ..text("b") },
                        NewColumn { choice: many, ..text("c") },
                        NewColumn { choice: vec![("No".into(), 0), ("a: b".into(), 1)], ..text("d") },
                    ],
                    ..NewTable::default()
                },
                NewTable {
                    name: "t".into(),
                    comment: Some("of its own".into()),
                    company: Some("co".into()),
                    primary_key: vec!["id".into()],
                    alternate_keys: vec![vec!["co".into(), "n".into()]],
                    columns: vec![
                        NewColumn { ty: "uuid".into(), required: true, generated: true, ..text("id") },
                        text("co"),
                        text("n"),
                        NewColumn { lookup: vec![("yes".into(), vec!["E-MAIL".into()])], ..text("l") },
                        NewColumn {
                            lookup: vec![("yes".into(), vec![]), ("t".into(), vec!["n".into(), "co".into()])],
                            type_column: Some("n".into()),
                            ..text("m")
                        },
                    ],
                },
            ],
        };
        let mut sources = Sources::new();
        let text = schema.text();
        let file = sources.add("s", text.as_str());
        let (read, findings) = load(&sources, file);
        // The last lookup is wrong on purpose: one column for a key of two.
        assert!(findings.iter().all(|d| d.code.0 == "TM0162"), "{findings:?}\n{text}");
        assert_eq!(read.tables.len(), 2, "{text}");
        assert_eq!(
            read.tables[0].columns.iter().map(|c| c.ty.to_string()).collect::<Vec<_>>().join(" "),
            "text decimal(12,2) decimal(12,2) choice choice"
        );
        assert!(text.contains("      a: decimal(12,2)   # money\n"), "{text}");
        assert_eq!(read.tables[1].company, read.column(crate::schema::TableId(1), "co"));
    }
}
