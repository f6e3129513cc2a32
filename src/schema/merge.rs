//! Brings tables from real metadata into a schema file that is there: new ones at the end, sketched ones in their place,
//! with the keys and lookups that the metadata does not know.

use super::write::{NewSchema, NewTable};
use super::{StoreSchema, Table, load};
use crate::source::Sources;
use crate::value::Collation;
use crate::yaml;

/// What a merge made of a schema file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The file's text.
    pub text: String,
    /// Tables that were added.
    pub added: Vec<String>,
    /// Tables that were replaced.
    pub replaced: Vec<String>,
    /// Tables that were there and were left as they are.
    pub left: Vec<String>,
    /// What got lost or is doubtful.
    pub doubts: Vec<String>,
}

/// Merges `new` into `existing` (none = there is no file yet). Tables that are there are replaced only where `replace`
/// says so. The error says why it cannot.
pub fn merge(existing: Option<&str>, mut new: NewSchema, replace: bool) -> Result<Merged, String> {
    let mut out = Merged::default();
    let Some(text) = existing.filter(|t| !t.trim().is_empty()) else {
        out.added = new.tables.iter().map(|t| t.name.clone()).collect();
        out.text = new.text();
        return proven(out);
    };
    let old = read(text)?;
    let (document, _) = yaml::parse(text, Default::default());
    let tables = document.root.as_ref().and_then(|r| r.get("tables")).map(|n| &n.value);
    let Some((node, entries)) = tables.and_then(|n| Some((n, n.entries()?))).filter(|(n, _)| !n.flow) else {
        return Err("`tables` is not an indented block".into());
    };
    let mut starts: Vec<usize> = entries.iter().map(|e| block_start(text, e.key_span.start as usize)).collect();
    let end = entries.last().map_or(text.len(), |e| line_end(text, e.value.span.end.max(e.key_span.end) as usize));
    starts.push(end.max(line_end(text, node.span.end as usize)).min(text.len()));
    let mut blocks: Vec<String> = starts.windows(2).map(|w| text[w[0]..w[1]].to_string()).collect();
    let mut added = vec![];
    for mut t in std::mem::take(&mut new.tables) {
        let at = old.table(&t.name).or_else(|| {
            old.tables.iter().position(|o| o.name.eq_ignore_ascii_case(&t.name)).map(|i| super::TableId(i as u32))
        });
        let Some(id) = at else {
            out.added.push(t.name.clone());
            added.push(t);
            continue;
        };
        let was = old.get(id);
        if !replace {
            out.left.push(was.name.clone());
            continue;
        }
        inherit(&mut t, was, &old, &mut out.doubts);
        if let Some(i) = entries.iter().position(|e| e.key.text == was.name) {
            let one = NewSchema { tables: vec![t], ..NewSchema::default() };
            let gap = if blocks[i].ends_with("\n\n") { "\n" } else { "" };
            blocks[i] = format!("{}{gap}", one.tables_text());
            out.replaced.push(was.name.clone());
        }
    }
    out.text = format!("{}{}{}", &text[..starts[0]], blocks.concat(), &text[starts[starts.len() - 1]..]);
    if !added.is_empty() {
        let tail = NewSchema { tables: added, ..NewSchema::default() }.tables_text();
        out.text = format!("{}\n\n{tail}", out.text.trim_end());
    }
    proven(out)
}

/// What metadata does not say and the table had: its name, keys, lookups, company.
fn inherit(t: &mut NewTable, was: &Table, old: &StoreSchema, doubts: &mut Vec<String>) {
    t.name.clone_from(&was.name);
    let spelled =
        |t: &NewTable, name: &str| t.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)).map(|c| c.name.clone());
    for key in was.keys() {
        let names: Option<Vec<String>> = key.iter().map(|c| spelled(t, &was.column(*c).name)).collect();
        if let Some(names) = names.filter(|n| *n != t.primary_key && !t.alternate_keys.contains(n)) {
            t.alternate_keys.push(names);
        }
    }
    for lookup in &was.lookups {
        let targets: Vec<(String, Vec<String>)> =
            lookup.targets.iter().map(|l| (old.get(l.table).name.clone(), vec![])).collect();
        let plain = lookup.targets.iter().all(|l| l.columns.len() == 1 && l.key == old.get(l.table).primary_key);
        if let Some(c) = t.columns.iter_mut().find(|c| c.name.eq_ignore_ascii_case(&lookup.name))
            && c.lookup.is_empty()
            && plain
        {
            c.lookup = targets;
            c.ty = "uuid".into();
            c.type_column = lookup.type_column.map(|x| was.column(x).name.clone());
        }
    }
    for c in t.columns.iter_mut().filter(|c| c.ty.starts_with("text") && c.choice.is_empty()) {
        let before = was.columns.iter().find(|w| w.name.eq_ignore_ascii_case(&c.name));
        c.no_case |= before.is_some_and(|w| w.collation == Collation::NoCase);
    }
    if t.company.is_none() {
        t.company = was.company.and_then(|c| spelled(t, &was.column(c).name));
    }
    let lost: Vec<&str> = was
        .columns
        .iter()
        .filter(|c| {
            spelled(t, &c.name).is_none()
                && !was.lookups.iter().any(|l| l.type_column.is_some_and(|x| was.column(x).name == c.name))
        })
        .map(|c| c.name.as_str())
        .collect();
    if !lost.is_empty() {
        doubts.push(format!("`{}`: the metadata does not have {}", was.name, lost.join(", ")));
    }
}

fn read(text: &str) -> Result<StoreSchema, String> {
    let mut sources = Sources::new();
    let file = sources.add("schema", text);
    let (schema, findings) = load(&sources, file);
    match findings.first() {
        None => Ok(schema),
        Some(d) => {
            let line = d.span().map_or(0, |s| sources.file(file).place(s.start).line);
            Err(format!("line {line}: {}", d.message))
        }
    }
}

fn proven(out: Merged) -> Result<Merged, String> {
    read(&out.text).map(|_| out)
}

/// Where a table's block begins: its line, and the comment lines right before it.
fn block_start(text: &str, key: usize) -> usize {
    let mut at = text[..key].rfind('\n').map_or(0, |i| i + 1);
    while at > 0 {
        let before = text[..at - 1].rfind('\n').map_or(0, |i| i + 1);
        if !text[before..at].trim_start().starts_with('#') || !text[before..at].starts_with(' ') {
            break;
        }
        at = before;
    }
    at
}

fn line_end(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    if at > 0 && text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |i| at + i + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::schema::csv;

    #[test]
    fn a_sketch_gives_way() {
        let sketch = "# mine\nstore: f\nnames: case-insensitive\n\ntables:\n  # Entity `Depots`.\n  Depots:\n    \
            primary_key: [DEPOTNUMBER]\n    alternate_keys: [[NAME]]\n    columns:\n      DEPOTNUMBER: text\n      NAME: text\n      \
            GONE: text\n      PARENT: { type: text, lookup: Depots }\n\n  Others:\n    primary_key: [A]\n    columns:\n      A: text   # keep\n";
        let (t, _) =
            csv("Depots", "column,type,length,key\nDepotNumber,Edm.String,20,key 1\nName,Edm.String,60,\n").unwrap();
        let new = |t: NewTable| NewSchema { store: "f".into(), tables: vec![t], ..NewSchema::default() };
        let same = merge(Some(sketch), new(t.clone()), false).unwrap();
        assert_eq!((same.text.as_str(), same.left.len()), (sketch, 1));
        let m = merge(Some(sketch), new(t.clone()), true).unwrap();
        assert!(m.text.starts_with("# mine\nstore: f"), "{}", m.text);
        assert!(
            m.text.contains("  Depots:\n    primary_key: [DepotNumber]\n    alternate_keys: [[Name]]\n"),
            "{}",
            m.text
        );
        assert!(m.text.contains("\n\n  Others:\n") && m.text.contains("A: text   # keep"), "{}", m.text);
        assert_eq!(m.doubts, ["`Depots`: the metadata does not have GONE, PARENT"]);
        let more = merge(Some(sketch), new(NewTable { name: "More".into(), ..t }), true).unwrap();
        assert_eq!(more.added, ["More"]);
        assert!(
            more.text.ends_with(
                "    columns:\n      DepotNumber: { type: text(20), required: true }\n      Name: text(60)\n"
            )
        );
    }
}
