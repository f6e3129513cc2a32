//! A table's metadata as CSV: `column,type,length,required,key,values,note,source`, one table in a file.

use super::write::{NewColumn, NewTable};

/// Reads one table; what is not understood is said, with its line.
pub fn csv(name: &str, text: &str) -> Result<(NewTable, Vec<String>), String> {
    let mut records = records(text)?.into_iter();
    let Some((_, header)) = records.next() else { return Err("the file is empty".into()) };
    let header: Vec<String> = header.iter().map(|h| h.trim().trim_start_matches('\u{feff}').to_lowercase()).collect();
    let at = |name: &str| header.iter().position(|h| h == name);
    let (Some(column_at), Some(type_at)) = (at("column"), at("type")) else {
        return Err("line 1: the header must name `column` and `type`".into());
    };
    let mut table = NewTable { name: name.to_string(), ..NewTable::default() };
    let mut doubts = vec![];
    let mut key: Vec<(u32, String)> = vec![];
    let mut unknown: Vec<String> = vec![];
    for (line, record) in records {
        let cell = |i: Option<usize>| i.and_then(|i| record.get(i)).map_or("", |c| c.trim());
        let name = cell(Some(column_at));
        if name.is_empty() {
            doubts.push(format!("line {line}: no column is named; left out"));
            continue;
        }
        if table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name)) {
            doubts.push(format!("line {line}: `{name}` is there twice; the first one counts"));
            continue;
        }
        let written = cell(Some(type_at));
        let (ty, known) = ty(written, cell(at("length")));
        let mut c = NewColumn { name: name.to_string(), ty, ..NewColumn::default() };
        let members = members(cell(at("values")));
        if !known && members.is_empty() {
            c.comment = Some(if written.is_empty() {
                "no type is said".into()
            } else {
                format!("type `{written}` is not known")
            });
            unknown.push(format!("{name} (line {line})"));
        }
        if !members.is_empty() {
            c.by_name = written.contains('.');
            c.choice = members;
        }
        let required = cell(at("required")).to_lowercase();
        // A service fills in 0 where a number that is "not nullable" is not given.
        let given = !written.starts_with("Edm.") || matches!(c.ty.as_str(), "uuid") || c.ty.starts_with("text");
        c.required = given && ["systemrequired", "nullable=false", "true", "yes"].contains(&required.as_str());
        let note = cell(at("note")).to_lowercase();
        c.read_only = note.contains("read-only") || note.contains("read only");
        let keyed = cell(at("key")).to_lowercase();
        if let Some(place) = keyed.strip_prefix("key ").and_then(|n| n.trim().parse().ok()) {
            key.push((place, name.to_string()));
        } else if keyed == "primary" || keyed == "key" {
            key.push((key.len() as u32 + 1, name.to_string()));
        } else if keyed.starts_with("alternate") || keyed == "unique" {
            table.alternate_keys.push(vec![name.to_string()]);
        }
        if c.ty == "uuid" && (keyed == "primary" || keyed == "key") {
            c.generated = true;
        }
        table.columns.push(c);
    }
    if !unknown.is_empty() {
        doubts.push(format!("`{}`: of no known type, taken for text: {}", table.name, unknown.join(", ")));
    }
    finish(&mut table, key, &mut doubts)?;
    Ok((table, doubts))
}

/// The key of a table, and its company.
pub(super) fn finish(
    table: &mut NewTable,
    mut key: Vec<(u32, String)>,
    doubts: &mut Vec<String>,
) -> Result<(), String> {
    if table.columns.is_empty() {
        return Err("no column is described".into());
    }
    key.sort();
    table.primary_key = key.into_iter().map(|(_, n)| n).collect();
    if table.primary_key.is_empty() {
        let company = |c: &&NewColumn| c.name.eq_ignore_ascii_case("dataAreaId");
        let first = table.columns.iter().find(|c| !company(c)).or(table.columns.first());
        let guess = table.columns.iter().filter(company).chain(first).map(|c| c.name.clone());
        table.primary_key = guess.collect();
        table.primary_key.dedup();
        doubts.push(format!("`{}`: no key is said; {} is a guess", table.name, table.primary_key.join(", ")));
        table.comment = Some("The key is a guess.".into());
    }
    for c in &mut table.columns {
        if table.primary_key.contains(&c.name) {
            c.required = true;
        }
    }
    table.company = table.columns.iter().find(|c| c.name.eq_ignore_ascii_case("dataAreaId")).map(|c| c.name.clone());
    Ok(())
}

/// A type of Dataverse or of OData as ours, and whether it is known.
pub(super) fn ty(written: &str, length: &str) -> (String, bool) {
    let n: Option<u32> = length.parse().ok().filter(|n| *n > 0 && *n < 1_000_000);
    let text = n.map_or("text".to_string(), |n| format!("text({n})"));
    let word = written.rsplit('.').next().unwrap_or(written).to_lowercase();
    let ours = match word.as_str() {
        "string" | "memo" | "nvarchar" | "varchar" | "text" | "entityname" => text,
        "uniqueidentifier" | "guid" | "uuid" | "lookup" | "customer" | "owner" => "uuid".into(),
        "biginteger" | "integer" | "int" | "int16" | "int32" | "int64" | "bigint" | "byte" | "sbyte" => {
            "integer".into()
        }
        "picklist" | "state" | "status" => "integer".into(),
        "decimal" | "money" | "numeric" | "real" => "decimal".into(),
        "double" | "float" | "single" => "float".into(),
        "boolean" | "bool" | "bit" => "boolean".into(),
        "date" | "dateonly" => "date".into(),
        "datetime" | "datetimeoffset" | "utcdatetime" => "datetime".into(),
        "binary" | "stream" | "image" | "file" | "varbinary" => "binary".into(),
        _ => return (text, false),
    };
    (ours, true)
}

/// `No(0);Yes(1)`
fn members(text: &str) -> Vec<(String, i64)> {
    let one = |part: &str| {
        let (name, number) = part.trim().strip_suffix(')')?.rsplit_once('(')?;
        Some((name.trim().to_string(), number.trim().parse().ok()?))
    };
    let mut out: Vec<(String, i64)> = vec![];
    for (name, number) in text.split(';').filter_map(one) {
        if !name.is_empty() && !out.iter().any(|(n, v)| n.eq_ignore_ascii_case(&name) || *v == number) {
            out.push((name, number));
        }
    }
    out
}

/// The records of a CSV text, each with the line it begins on.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut out: Vec<(usize, Vec<String>)> = vec![];
    let (mut record, mut cell, mut line, mut start) = (vec![], String::new(), 1, 1);
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' => {
                line += 1;
                if quoted {
                    cell.push(c);
                    continue;
                }
                record.push(std::mem::take(&mut cell));
                if record.iter().any(|c: &String| !c.trim().is_empty()) {
                    out.push((start, std::mem::take(&mut record)));
                }
                record.clear();
                start = line;
            }
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(format!("line {start}: a text in quotes is not closed"));
    }
    record.push(cell);
    if record.iter().any(|c| !c.trim().is_empty()) {
        out.push((start, record));
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        let text = "column,type,length,required,key,values,note,source\n\
                    dataAreaId,Edm.String,,Nullable=false,key 1,,,\"a, b\"\n\
                    Number,Edm.String,20,Nullable=false,key 2,,,x\n\
                    IsOpen,Microsoft.Dynamics.DataEntities.NoYes,,,,No(0);Yes(1),,x\n\
                    Area,Edm.Decimal,,,,,read-only,\"it \"\"is\"\"\nlong\"\n\
                    Odd,XyzThing,,,,,,\n";
        let (t, doubts) = csv("Depots", text).unwrap();
        assert_eq!(t.primary_key, ["dataAreaId", "Number"]);
        assert_eq!(t.company.as_deref(), Some("dataAreaId"));
        let shown: Vec<&str> = t.columns.iter().map(|c| c.ty.as_str()).collect();
        assert_eq!(shown, ["text", "text(20)", "text", "decimal", "text"]);
        assert_eq!(t.columns[2].choice.len(), 2);
        assert!(t.columns[3].read_only && t.columns[1].required);
        assert_eq!(doubts, ["`Depots`: of no known type, taken for text: Odd (line 7)"]);
        assert!(csv("x", "a,b\n1,2\n").is_err() && csv("x", "column,type\n\"a").is_err() && csv("x", "").is_err());
    }
}
