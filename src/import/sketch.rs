//! Store schemas from what maps say: a sketch that lets them be checked at once, and that real metadata replaces.

use super::lines::{Draft, DraftLine};
use super::lookups::Through;
use super::names;
use super::typing::{Columns, Holds};
use crate::schema::{NewColumn, NewSchema, NewTable, StoreSchema};
use crate::syntax::ast::{Expr, ExprKind, Path, Side};

/// The company column of finance entities.
pub const COMPANY: &str = "DATAAREAID";

/// Sketches both schemas. Tables of known schemas are left out.
pub fn sketch(
    drafts: &[Draft],
    through: &[Through],
    columns: &Columns,
    stores: [&str; 2],
    known: [Option<&StoreSchema>; 2],
) -> [NewSchema; 2] {
    let head = |what: &str| {
        vec![
            format!("A sketch of {what}, made from what table maps say of it: types are guesses, lengths are not known,"),
            "and only what maps use is here. Replace it by real metadata: `tablemap schema import csdl`, `schema import csv`"
                .into(),
            "or `schema pull`.".into(),
        ]
    };
    let mut finance = NewSchema {
        head: head("finance"),
        store: stores[0].into(),
        case_insensitive: true,
        blanks: true,
        tables: vec![],
    };
    let mut dataverse = NewSchema {
        head: head("Dataverse"),
        store: stores[1].into(),
        case_insensitive: false,
        blanks: false,
        tables: vec![],
    };
    for d in drafts {
        left_table(&mut finance, d, columns);
        right_table(&mut dataverse, d, columns);
    }
    for t in through {
        lookup(&mut dataverse, t, columns);
    }
    for d in drafts {
        references(&mut dataverse, d, through);
    }
    for t in &mut dataverse.tables {
        let own = drafts.iter().filter(|d| d.right == t.name);
        let paths = own.flat_map(|d| d.key.iter().chain(&d.lines)).filter(|l| l.flow().into(Side::Right));
        let written: Vec<&str> = paths
            .filter_map(DraftLine::right_path)
            .filter_map(|p| p.steps.first().map(|s| s.name.text.as_str()))
            .collect();
        settle(t, &written);
        // A path through one of several tables ends in a column of theirs.
        let NewTable { alternate_keys, columns, .. } = t;
        let has = |name: &String| columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
        alternate_keys.retain(|key| key.iter().all(has));
    }
    let has = |s: Option<&StoreSchema>, t: &NewTable| s.is_some_and(|s| s.table(&t.name).is_some());
    finance.tables.retain(|t| !has(known[0], t));
    dataverse.tables.retain(|t| !has(known[1], t));
    [finance, dataverse]
}

fn table<'s>(schema: &'s mut NewSchema, name: &str) -> &'s mut NewTable {
    let at = match schema.tables.iter().position(|t| t.name.eq_ignore_ascii_case(name)) {
        Some(at) => at,
        None => {
            schema.tables.push(NewTable { name: name.to_string(), ..NewTable::default() });
            schema.tables.len() - 1
        }
    };
    &mut schema.tables[at]
}

fn column<'t>(t: &'t mut NewTable, name: &str) -> &'t mut NewColumn {
    let at = match t.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)) {
        Some(at) => at,
        None => {
            t.columns.push(NewColumn { name: name.to_string(), ty: "text".into(), ..NewColumn::default() });
            t.columns.len() - 1
        }
    };
    &mut t.columns[at]
}

/// A column as its values have it.
fn described(t: &mut NewTable, side: Side, name: &str, columns: &Columns) {
    let id = (side, t.name.to_lowercase(), name.to_lowercase());
    let holds = columns.holds(&id);
    let no_case = columns.no_case(&id);
    let c = column(t, name);
    if !c.lookup.is_empty() {
        return;
    }
    c.ty = match &holds {
        Holds::Text => "text",
        Holds::Integer => "integer",
        Holds::Decimal => "decimal",
        Holds::Boolean => "boolean",
        Holds::Date => "date",
        Holds::DateTime => "datetime",
        Holds::Uuid => "uuid",
        Holds::Choice(_) => "choice",
    }
    .into();
    c.no_case = no_case && holds == Holds::Text;
    if let Holds::Choice(members) = holds {
        c.choice = members.into_iter().map(|(n, name)| (name, n)).collect();
        c.by_name = side == Side::Left;
        c.comment = Some(match side {
            Side::Left => "the number is a guess".into(),
            Side::Right => "names: those of finance".into(),
        });
    }
}

fn left_table(schema: &mut NewSchema, d: &Draft, columns: &Columns) {
    let t = table(schema, &d.left);
    if t.comment.is_none() && d.left != d.source.entity.text {
        t.comment = Some(format!("Entity `{}`.", d.source.entity.text));
    }
    if d.company.is_some() {
        t.company = Some(COMPANY.into());
        described(t, Side::Left, COMPANY, columns);
        column(t, COMPANY).required = true;
    }
    for l in d.key.iter().chain(&d.lines) {
        if let Some(c) = l.left_column() {
            described(t, Side::Left, c, columns);
        }
    }
    for (side, e, _) in &d.filters {
        if *side == Side::Left {
            filtered(e, &mut |c| described(t, Side::Left, c, columns));
        }
    }
    let mut key: Vec<String> = d.company.iter().map(|_| COMPANY.to_string()).collect();
    key.extend(d.key.iter().filter_map(DraftLine::left_column).map(str::to_string));
    // Two mappings may fill parts of a key from one field.
    let mut seen: Vec<String> = vec![];
    key.retain(|k| {
        let new = !seen.contains(&k.to_lowercase());
        seen.push(k.to_lowercase());
        new
    });
    for k in &key {
        column(t, k).required = true;
    }
    if d.key.is_empty() {
        // A table must have a key; that this one is none is told where the map lacks its own.
        key = t.columns.first().map(|c| vec![c.name.clone()]).unwrap_or_default();
    }
    if key.is_empty() {
        column(t, "RECID").ty = "integer".into();
        key = vec!["RECID".into()];
    }
    add_key(t, key);
}

fn add_key(t: &mut NewTable, key: Vec<String>) {
    if key.is_empty() {
        return;
    }
    if t.primary_key.is_empty() {
        t.primary_key = key;
    } else if t.primary_key != key && !t.alternate_keys.contains(&key) {
        t.alternate_keys.push(key);
    }
}

fn right_table(schema: &mut NewSchema, d: &Draft, columns: &Columns) {
    primary(schema, &d.right, columns);
    let t = table(schema, &d.right);
    let lines = d.key.iter().chain(&d.lines);
    for p in lines.filter_map(DraftLine::right_path) {
        if let [only] = p.steps.as_slice() {
            described(t, Side::Right, &only.name.text, columns);
        }
    }
    for (side, e, _) in &d.filters {
        if *side == Side::Right {
            filtered(e, &mut |c| described(t, Side::Right, c, columns));
        }
    }
    let first = |p: &Path| p.steps.first().map(|s| s.name.text.clone());
    let mut key: Vec<String> = vec![];
    if let Some(company) = d.company.as_ref().and_then(first) {
        column(t, &company).ty = "uuid".into();
        t.company = Some(company.clone());
        key.push(company);
    }
    for c in d.key.iter().filter_map(|l| l.right_path().and_then(first)) {
        if !key.contains(&c) {
            key.push(c);
        }
    }
    if t.primary_key != key && !key.is_empty() && !t.alternate_keys.contains(&key) {
        t.alternate_keys.push(key);
    }
}

/// The id that every table of Dataverse has.
fn primary(schema: &mut NewSchema, name: &str, columns: &Columns) {
    let t = table(schema, name);
    if !t.primary_key.is_empty() {
        return;
    }
    let mut id = names::row_id(name);
    // Where maps hold something else in the column of that name, the id is called otherwise.
    if columns.knows(&(Side::Right, name.to_lowercase(), id.to_lowercase()), &Holds::Uuid) == Some(false) {
        id.push_str("_row");
    }
    t.primary_key = vec![id.clone()];
    let c = column(t, &id);
    c.ty = "uuid".into();
    (c.required, c.generated) = (true, true);
}

fn lookup(schema: &mut NewSchema, through: &Through, columns: &Columns) {
    primary(schema, &through.table, columns);
    primary(schema, &through.to, columns);
    let guess = through.guess.then(|| "what it refers to is a guess from its name".to_string());
    let t = table(schema, &through.table);
    let c = column(t, &through.column);
    c.ty = "uuid".into();
    (c.no_case, c.choice) = (false, vec![]);
    if !c.lookup.iter().any(|(to, _)| *to == through.to) {
        c.lookup.push((through.to.clone(), vec![]));
        c.comment = c.comment.take().or(guess);
    }
    // Maps may disagree on where a column leads: then it says where in each row.
    if through.several || c.lookup.len() > 1 {
        let ty = format!("{}type", through.column);
        c.type_column = Some(ty.clone());
        column(t, &ty).ty = "text".into();
    }
    let used = &through.used;
    let to = table(schema, &through.to);
    let is_lookup = to.columns.iter().any(|c| c.name.eq_ignore_ascii_case(used) && !c.lookup.is_empty());
    if !is_lookup {
        described(to, Side::Right, used, columns);
    }
}

/// What references are found by is a key of the table they refer to.
fn references(schema: &mut NewSchema, d: &Draft, through: &[Through]) {
    let mut groups: Vec<(String, Vec<&Path>)> = vec![];
    let into_right = d.key.iter().chain(&d.lines).filter(|l| l.flow().into(Side::Right));
    for p in into_right.filter_map(DraftLine::right_path).chain(&d.company) {
        let Some(first) = p.steps.first().filter(|_| p.steps.len() > 1) else { continue };
        match groups.iter_mut().find(|(c, _)| *c == first.name.text) {
            Some((_, paths)) => paths.push(p),
            None => groups.push((first.name.text.clone(), vec![p])),
        }
    }
    for (column, paths) in groups {
        let polymorphic = paths.iter().any(|p| p.steps.iter().any(|s| s.inner.is_some()));
        if polymorphic {
            for s in paths.iter().flat_map(|p| p.steps.iter().skip(1)) {
                if let Some(inner) = &s.inner {
                    group(schema, &s.name.text, &[inner], through, 0);
                }
            }
            continue;
        }
        let Some(t) = through.iter().find(|t| t.table == d.right && t.column == column && !t.several) else { continue };
        let rest: Vec<Path> =
            paths.iter().map(|p| Path { this: false, steps: p.steps[1..].to_vec(), at: p.at }).collect();
        group(schema, &t.to, &rest.iter().collect::<Vec<_>>(), through, 0);
    }
}

/// The first steps of these paths are a key of the table.
fn group(schema: &mut NewSchema, name: &str, paths: &[&Path], through: &[Through], depth: usize) {
    let mut key: Vec<String> = vec![];
    for p in paths {
        if let Some(s) = p.steps.first()
            && !key.contains(&s.name.text)
        {
            key.push(s.name.text.clone());
        }
    }
    let t = table(schema, name);
    // The record's company is part of what a row of a company is found by.
    let company = t.company.clone().filter(|c| !key.contains(c));
    let with: Vec<String> = company.iter().cloned().chain(key.iter().cloned()).collect();
    let has = |k: &[String]| t.primary_key == k || t.alternate_keys.iter().any(|a| a.iter().all(|c| k.contains(c)));
    if !has(&key) && !has(&with) {
        t.alternate_keys.push(key.clone());
    }
    if depth > 8 {
        return;
    }
    for k in key {
        let deeper: Vec<Path> = paths
            .iter()
            .filter(|p| p.steps.len() > 1 && p.steps[0].name.text == k)
            .map(|p| Path { this: false, steps: p.steps[1..].to_vec(), at: p.at })
            .collect();
        let to = through.iter().find(|t| t.table == name && t.column == k).map(|t| t.to.clone());
        if let (Some(to), false) = (to, deeper.is_empty()) {
            group(schema, &to, &deeper.iter().collect::<Vec<_>>(), through, depth + 1);
        }
    }
}

/// A column that is the key by itself needs no second one; the store makes an id of its own where no map brings one.
fn settle(t: &mut NewTable, written: &[&str]) {
    let primary = t.primary_key.clone();
    t.alternate_keys.retain(|k| *k != primary);
    let Some(c) = t.columns.iter_mut().find(|c| primary == [c.name.clone()]) else { return };
    if written.contains(&c.name.as_str()) {
        c.generated = false;
    }
}

fn filtered(e: &Expr, f: &mut impl FnMut(&str)) {
    match &e.kind {
        ExprKind::Path(p) => {
            if let Some(s) = p.steps.first() {
                f(&s.name.text);
            }
        }
        ExprKind::Binary(_, a, b) => {
            filtered(a, f);
            filtered(b, f);
        }
        ExprKind::Not(x) | ExprKind::Negate(x) => filtered(x, f),
        ExprKind::IsNull { of, .. } | ExprKind::In { of, .. } => filtered(of, f),
        ExprKind::Call(c) => c.args.iter().for_each(|a| filtered(a, f)),
        _ => {}
    }
}
