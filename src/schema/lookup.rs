//! Lookups of a schema file: which columns refer to which key of which table.

use super::load::{column_named, key};
use super::{ColumnId, Lookup, LookupTarget, StoreSchema, TableId};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::value::Type;
use crate::yaml::{Entry, Node, Reader};
use std::mem::discriminant;

/// A lookup as written, before the tables it names are known.
pub(super) struct Draft<'a> {
    name: &'a str,
    span: Span,
    /// None = the column of that name.
    columns: Option<&'a Node>,
    /// Table, its place, and the key asked for.
    targets: Vec<(&'a str, Span, Option<&'a Node>)>,
    type_column: Option<(&'a str, Span)>,
}

/// `lookup:` of a column: a table, `{table, key}`, or `{tables, type_column}`.
pub(super) fn of_column<'a>(r: &mut Reader, n: &'a Node, column: &'a Entry, out: &mut Vec<Draft<'a>>) {
    let mut draft =
        Draft { name: &column.key.text, span: column.key_span, columns: None, targets: vec![], type_column: None };
    if n.scalar().is_some() {
        if let Some(s) = r.name(n, "`lookup`") {
            draft.targets.push((&s.text, n.span, None));
            out.push(draft);
        }
        return;
    }
    if described(r, n, "a lookup", &["table", "key", "tables", "type_column"], &mut draft) {
        out.push(draft);
    }
}

/// `lookups:` of a table: lookups over several columns.
pub(super) fn named<'a>(r: &mut Reader, n: &'a Node, out: &mut Vec<Draft<'a>>) {
    for e in r.mapping(n, "`lookups`").unwrap_or_default() {
        let what = format!("lookup `{}`", e.key.text);
        let mut draft =
            Draft { name: &e.key.text, span: e.key_span, columns: None, targets: vec![], type_column: None };
        let known = ["columns", "table", "key", "tables", "type_column"];
        if !described(r, &e.value, &what, &known, &mut draft) {
            continue;
        }
        match e.value.get("columns") {
            Some(c) => draft.columns = Some(&c.value),
            None => {
                let d = Diagnostic::new(Code::TM0155, e.key_span, format!("{what} has no `columns`"))
                    .help("name the columns of this table that make the reference");
                r.add(d);
                continue;
            }
        }
        if let Some(first) = out.iter().find(|d| d.name == e.key.text) {
            let d = Diagnostic::new(Code::TM0160, e.key_span, format!("two lookups of the name `{}`", e.key.text))
                .related(first.span, "the other one")
                .help("give this one another name");
            r.add(d);
            continue;
        }
        out.push(draft);
    }
}

fn described<'a>(r: &mut Reader, n: &'a Node, what: &str, known: &[&str], draft: &mut Draft<'a>) -> bool {
    let Some(f) = r.fields(n, what, known) else { return false };
    if let Some(t) = f.get("type_column") {
        draft.type_column = r.name(t, "`type_column`").map(|s| (s.text.as_str(), t.span));
    }
    let asked = f.get("key");
    match (f.get("table"), f.get("tables")) {
        (Some(t), None) => {
            if let Some(s) = r.name(t, "`table`") {
                draft.targets.push((&s.text, t.span, asked));
            }
        }
        (None, Some(list)) => {
            if let Some(k) = asked {
                r.refuse(k.span, "`key` beside `tables`", "write `{ table: NAME, key: [COLUMN] }` in the list");
            }
            for item in r.sequence(list, "`tables`").unwrap_or_default() {
                if item.value.scalar().is_some() {
                    if let Some(s) = r.name(&item.value, "a table") {
                        draft.targets.push((&s.text, item.value.span, None));
                    }
                } else if let Some(f) = r.fields(&item.value, "a table of a lookup", &["table", "key"])
                    && let Some(t) = r.require(&f, "table", "a table of a lookup")
                    && let Some(s) = r.name(t, "`table`")
                {
                    draft.targets.push((&s.text, t.span, f.get("key")));
                }
            }
            if list.items().is_some_and(|i| i.is_empty()) {
                r.refuse(list.span, "a lookup to no table", "name at least one table");
            }
            if draft.type_column.is_none() && list.items().is_some_and(|i| i.len() > 1) {
                r.require(&f, "type_column", "a lookup to several tables");
            }
        }
        (Some(_), Some(t)) => {
            r.refuse(t.span, "both `table` and `tables`", "keep one of the two");
        }
        (None, None) => {
            r.require(&f, "table", what);
        }
    }
    !draft.targets.is_empty()
}

/// Finds tables, columns and keys of a table's lookups.
/// `sound` says of every table whether its keys were understood; nothing is told about lookups to the others.
pub(super) fn resolve(r: &mut Reader, schema: &mut StoreSchema, i: usize, drafts: &[Draft<'_>], sound: &[bool]) {
    let own = TableId(i as u32);
    let mut lookups = vec![];
    for d in drafts {
        let columns = match d.columns {
            Some(n) => key(r, schema, own, n, "`columns`"),
            None => schema.column(own, d.name).into_iter().collect(),
        };
        let type_column = d.type_column.and_then(|(name, span)| column_named(r, schema, own, name, span));
        if columns.is_empty() {
            continue;
        }
        let targets: Vec<LookupTarget> =
            d.targets.iter().filter_map(|t| target(r, schema, own, d, &columns, *t, sound)).collect();
        if let Some(c) = type_column {
            members(r, schema, own, c, d, &targets);
        }
        if !targets.is_empty() {
            lookups.push(Lookup { name: d.name.to_string(), span: d.span, targets, type_column });
        }
    }
    schema.tables[i].lookups = lookups;
}

/// A type column that is a choice tells the tables apart by its members: each table has one of its name.
fn members(
    r: &mut Reader,
    schema: &StoreSchema,
    own: TableId,
    column: ColumnId,
    draft: &Draft<'_>,
    targets: &[LookupTarget],
) {
    let column = schema.get(own).column(column);
    let Type::Choice(choice) = &column.ty else { return };
    for t in targets.iter().map(|t| &schema.get(t.table).name) {
        if choice.by_name(t).is_none() {
            let d = Diagnostic::new(
                Code::TM0163,
                draft.span,
                format!("`{}` says which table `{}` points to, and has no member `{t}`", column.name, draft.name),
            )
            .related(column.span, "the choice")
            .help("name its members like the tables");
            r.add(d);
        }
    }
}

fn target(
    r: &mut Reader,
    schema: &StoreSchema,
    own: TableId,
    draft: &Draft<'_>,
    columns: &[ColumnId],
    (name, span, asked): (&str, Span, Option<&Node>),
    sound: &[bool],
) -> Option<LookupTarget> {
    let Some(id) = schema.table(name) else {
        let mut d =
            Diagnostic::new(Code::TM0158, span, format!("lookup `{}` points to an unknown table `{name}`", draft.name));
        if let Some(near) = did_you_mean(name, schema.tables.iter().map(|t| t.name.as_str())) {
            d = d.help(near);
        }
        r.add(d);
        return None;
    };
    let (here, there) = (schema.get(own), schema.get(id));
    if there.columns.is_empty() || !sound.get(id.0 as usize).copied().unwrap_or(false) {
        return None;
    }
    let named = match asked {
        Some(n) => {
            let k = key(r, schema, id, n, "`key`");
            if k.is_empty() {
                return None;
            }
            Some((k, n.span))
        }
        None => None,
    };
    let place = named.as_ref().map_or(span, |(_, s)| *s);
    // which key it is, and whether the company's column has to be added to what was named
    let has = |key: &[ColumnId], named: &[ColumnId], company: Option<ColumnId>| {
        key.len() == named.len() + usize::from(company.is_some())
            && key.iter().all(|c| named.contains(c) || Some(*c) == company)
    };
    let company = there.company;
    let (key, names): (Vec<ColumnId>, Vec<ColumnId>) = match named {
        Some((named, _)) => {
            let found = there.keys().find(|k| has(k, &named, None)).or_else(|| {
                there
                    .keys()
                    .find(|k| company.is_some_and(|c| k.contains(&c) && !named.contains(&c)) && has(k, &named, company))
            });
            let Some(found) = found else {
                let d = Diagnostic::new(Code::TM0162, place, format!("these columns are no key of `{}`", there.name))
                    .help("add them to `alternate_keys` there, if they are unique");
                r.add(d);
                return None;
            };
            (found.to_vec(), named)
        }
        None => {
            let key = there.primary_key.clone();
            let without = || key.iter().copied().filter(|c| Some(*c) != company).collect::<Vec<_>>();
            let names = if columns.len() == key.len() { key.clone() } else { without() };
            (key, names)
        }
    };
    if names.len() != columns.len() {
        let d = Diagnostic::new(
            Code::TM0162,
            place,
            format!(
                "lookup `{}` has {} column{}, the key of `{}` has {}",
                draft.name,
                columns.len(),
                if columns.len() == 1 { "" } else { "s" },
                there.name,
                names.len()
            ),
        )
        .help("describe it under the table's `lookups:` with all its columns, or name another `key`");
        r.add(d);
        return None;
    }
    let mut paired = vec![];
    for k in &key {
        let own_column = match names.iter().position(|n| n == k) {
            Some(i) => columns[i],
            None => match here.company {
                Some(c) => c,
                None => {
                    let d = Diagnostic::new(
                        Code::TM0162,
                        place,
                        format!(
                            "rows of `{}` belong to a company, and table `{}` has no `company`",
                            there.name, here.name
                        ),
                    )
                    .help("name the company's column of this table, or describe the lookup with all its columns");
                    r.add(d);
                    return None;
                }
            },
        };
        let (a, b) = (here.column(own_column), there.column(*k));
        if discriminant(&a.ty) != discriminant(&b.ty) {
            let d = Diagnostic::new(
                Code::TM0162,
                draft.span,
                format!("`{}` is `{}`, but `{}.{}` it points to is `{}`", a.name, a.ty, there.name, b.name, b.ty),
            )
            .related(b.span, "the column it points to")
            .help("give both the same type");
            r.add(d);
        }
        paired.push(own_column);
    }
    Some(LookupTarget { table: id, columns: paired, key })
}
