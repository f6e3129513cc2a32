//! TM1201 to TM1207 (TM1208 is in `rights`): what a live store has, against what its schema says and the maps need.

use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{Column, ColumnId, Holds, LiveColumn, LiveTable, Table, TableId};
use crate::sema::{CheckedProject, LineTarget, ReadPlan, ReferenceInput, Related};
use crate::source::Span;
use crate::value::{Collation, Type};
use std::collections::{BTreeMap, BTreeSet};

/// How much a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Maps that use it cannot run, or every record fails.
    Breaks,
    /// Some records may fail, or work is slow.
    Risk,
    /// Worth knowing.
    Note,
}

impl Weight {
    /// `breaks`, `risk` or `note`.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Breaks => "breaks",
            Weight::Risk => "risk",
            Weight::Note => "note",
        }
    }
}

/// One difference between a schema and the live store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The code `check --live` gives it; none = it is never a finding.
    pub code: Option<Code>,
    /// How much it matters to the maps as they are.
    pub weight: Weight,
    /// The table.
    pub table: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// The place in the schema file, where it has one.
    pub span: Option<Span>,
    /// What differs.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Ids of the maps that use the table, or the column.
    pub used_by: Vec<String>,
}

pub(super) type Ids = BTreeSet<String>;

/// What the maps ask of a store.
#[derive(Default)]
pub(super) struct Used {
    pub(super) tables: BTreeMap<TableId, Ids>,
    columns: BTreeMap<(TableId, ColumnId), Ids>,
    /// Columns by which rows are found.
    found_by: BTreeMap<(TableId, Vec<ColumnId>), Ids>,
    /// Columns that refer to other rows, by which the rows that use those are found.
    referring: BTreeMap<(TableId, Vec<ColumnId>), Ids>,
    /// Per map that creates rows: table, columns it writes, and which of them may get null.
    pub(super) creates: Vec<(TableId, String, BTreeSet<ColumnId>)>,
    nulls: BTreeMap<(TableId, ColumnId), Ids>,
    /// Columns that maps which change rows may write.
    pub(super) writes: BTreeMap<TableId, BTreeSet<ColumnId>>,
}

impl Used {
    fn column(&mut self, t: TableId, c: ColumnId, map: &str) {
        self.tables.entry(t).or_default().insert(map.into());
        self.columns.entry((t, c)).or_default().insert(map.into());
    }
    fn find(&mut self, t: TableId, by: &[ColumnId], map: &str) {
        by.iter().for_each(|c| self.column(t, *c, map));
        if !by.is_empty() {
            self.found_by.entry((t, by.to_vec())).or_default().insert(map.into());
        }
    }
    fn refer(&mut self, t: TableId, by: Vec<ColumnId>, map: &str) {
        by.iter().for_each(|c| self.column(t, *c, map));
        self.referring.entry((t, by)).or_default().insert(map.into());
    }
    fn plan(&mut self, plan: &ReadPlan, map: &str) {
        let table = |from: usize| if from == 0 { plan.table } else { plan.joins[from - 1].table };
        for (from, c) in &plan.columns {
            self.column(table(*from), *c, map);
        }
        for j in &plan.joins {
            self.find(j.table, &j.key, map);
            self.refer(table(j.from), j.columns.clone(), map);
        }
    }
    /// Related rows are found by some of their columns, and what depends on them by the columns these equal.
    fn related(&mut self, outside: TableId, all: &[Related], map: &str) {
        for r in all {
            self.plan(&r.read, map);
            self.refer(r.read.table, r.by.iter().map(|(c, ..)| *c).collect(), map);
            self.refer(outside, r.by.iter().map(|(.., c)| *c).collect(), map);
            self.related(r.read.table, &r.related, map);
        }
    }
}

pub(super) fn used<'a>(
    project: &CheckedProject,
    store: usize,
    maps: impl Iterator<Item = &'a std::sync::Arc<crate::sema::CheckedMap>>,
) -> Used {
    let mut used = Used::default();
    let schema = &project.stores[store].1;
    for map in maps {
        for leg in map.legs() {
            let id = map.id.as_str();
            if leg.source.store == store {
                used.find(leg.read.table, &schema.get(leg.read.table).primary_key, id);
                used.plan(&leg.read, id);
                used.related(leg.read.table, &leg.related, id);
            }
            if leg.target.store == store {
                let t = leg.target.table;
                used.find(t, &schema.get(t).primary_key, id);
                used.find(t, &leg.key, id);
                let mut written: BTreeSet<ColumnId> = leg.key.iter().copied().collect();
                for line in &leg.lines {
                    if let LineTarget::Column(c) = line.target {
                        written.insert(c);
                        if line.nullable {
                            used.nulls.entry((t, c)).or_default().insert(id.into());
                        }
                    }
                }
                for reference in &leg.references {
                    written.extend(reference.type_column);
                    for target in &reference.targets {
                        let by: Vec<ColumnId> = target.by.iter().map(|(c, _)| *c).collect();
                        used.find(target.table, &by, id);
                        let own = !target.by.iter().any(|(_, i)| matches!(i, ReferenceInput::Nested(_)));
                        for (there, here) in &target.writes {
                            used.column(target.table, *there, id);
                            written.insert(*here);
                            if reference.nullable && own {
                                used.nulls.entry((t, *here)).or_default().insert(id.into());
                            }
                        }
                    }
                }
                written.iter().for_each(|c| used.column(t, *c, id));
                if leg.operations.update {
                    used.writes.entry(t).or_default().extend(written.iter().copied());
                }
                if leg.operations.create {
                    used.creates.push((t, id.into(), written));
                }
            }
        }
    }
    used
}

/// What differs between the schema of a store (by its index) and `live`, the weightiest first within each table.
pub fn drift(project: &CheckedProject, store: usize, live: &[LiveTable]) -> Vec<Drift> {
    let used = used(project, store, project.maps.iter());
    let schema = &project.stores[store].1;
    let mut out = vec![];
    for (i, t) in schema.tables.iter().enumerate() {
        let id = TableId(i as u32);
        let ids = used.tables.get(&id).cloned().unwrap_or_default();
        let Some(l) = live.iter().find(|l| l.name.eq_ignore_ascii_case(t.stored_name())) else {
            let message = format!("the live store has no table `{}`", t.stored_name());
            let help = "create it, say under `stored:` how the store calls it, or take it out of the schema";
            out.push(item(Code::TM1201, Weight::Breaks, t, None, message, help, &ids));
            continue;
        };
        let mut here = vec![];
        columns(&used, id, t, l, &mut here);
        keys(&used, id, t, l, &ids, &mut here);
        indexes(&used, id, t, l, &mut here);
        filled(&used, id, t, l, &mut here);
        extras(t, l, &mut here);
        triggers(t, l, &ids, &mut here);
        here.sort_by_key(|d| d.weight);
        out.append(&mut here);
    }
    for l in live {
        if !schema.tables.iter().any(|t| t.stored_name().eq_ignore_ascii_case(&l.name)) {
            out.push(Drift {
                code: None,
                weight: Weight::Note,
                table: l.name.clone(),
                column: None,
                span: None,
                message: format!("the schema has no table `{}`", l.name),
                help: None,
                used_by: vec![],
            });
        }
    }
    out
}

/// The differences that matter to the maps, as findings.
pub fn findings(project: &CheckedProject, store: usize, live: &[LiveTable]) -> Vec<Diagnostic> {
    let name = &project.stores[store].0;
    drift(project, store, live)
        .into_iter()
        .filter(|d| !d.used_by.is_empty() && d.weight != Weight::Note)
        .filter_map(|d| {
            let message = format!("{} (store `{name}`, used by {})", d.message, some(&d.used_by));
            let found = Diagnostic::new(d.code?, d.span?, message);
            Some(match d.help {
                Some(help) => found.help(help),
                None => found,
            })
        })
        .collect()
}

pub(super) fn some(ids: &[String]) -> String {
    let mut text = ids.iter().take(3).map(|i| format!("`{i}`")).collect::<Vec<_>>().join(", ");
    if ids.len() > 3 {
        text.push_str(&format!(" and {} more", ids.len() - 3));
    }
    text
}

fn item(
    code: Code,
    weight: Weight,
    t: &Table,
    column: Option<&Column>,
    message: String,
    help: &str,
    ids: &Ids,
) -> Drift {
    Drift {
        code: Some(code),
        weight: if ids.is_empty() { Weight::Note } else { weight },
        table: t.name.clone(),
        column: column.map(|c| c.name.clone()),
        span: Some(column.map_or(t.span, |c| c.span)),
        message,
        help: Some(help.to_string()).filter(|h| !h.is_empty()),
        used_by: ids.iter().cloned().collect(),
    }
}

fn columns(used: &Used, id: TableId, t: &Table, l: &LiveTable, out: &mut Vec<Drift>) {
    for (i, c) in t.columns.iter().enumerate() {
        let at = (id, ColumnId(i as u32));
        let ids = used.columns.get(&at).cloned().unwrap_or_default();
        let full = format!("{}.{}", t.name, c.name);
        let Some(lc) = l.column(&c.name) else {
            let message = format!("the live table `{}` has no column `{}`", l.name, c.name);
            let near = crate::diagnostic::did_you_mean(&c.name, l.columns.iter().map(|c| c.name.as_str()));
            let help = near.unwrap_or_else(|| "add it to the store, or take it out of the schema".into());
            out.push(item(Code::TM1202, Weight::Breaks, t, Some(c), message, &help, &ids));
            continue;
        };
        let declared = if lc.declared.is_empty() { "without a type".into() } else { lc.declared.clone() };
        if !keeps(c, lc) {
            let message = format!("`{full}` is `{}`, but the live column is declared {declared}", c.ty);
            let help = "values would not stay what they are; change the column's declaration, or its type here";
            out.push(item(Code::TM1203, Weight::Breaks, t, Some(c), message, help, &ids));
        } else if let Some(what) = narrower(c, lc) {
            let message = format!("`{full}` is `{}`, but the live column is declared {declared}: {what}", c.ty);
            out.push(item(Code::TM1204, Weight::Risk, t, Some(c), message, "", &ids));
        }
        let nulls = used.nulls.get(&at).cloned().unwrap_or_default();
        if !lc.nullable && !c.required && !lc.generated && c.blank.is_none() {
            let message = format!("`{full}` may be null in the schema, but not in the live store");
            let help = "write `required: true`, or give it a `blank`";
            out.push(item(Code::TM1204, Weight::Risk, t, Some(c), message, help, &nulls));
        }
        if lc.nullable && c.required && !t.primary_key.contains(&at.1) {
            let message = format!("`{full}` is required, but the live store lets it be null");
            out.push(item(Code::TM1204, Weight::Note, t, Some(c), message, "", &ids));
        }
        if matches!(c.ty, Type::Text { .. }) && lc.collation != Some(c.collation) {
            let word = |c: Option<Collation>| match c {
                Some(Collation::Exact) => "`exact`",
                Some(Collation::NoCase) => "`case-insensitive`",
                None => "a collation that schemas do not know",
            };
            let message = format!(
                "`{full}` compares {} in the schema, {} in the live store",
                word(Some(c.collation)),
                word(lc.collation)
            );
            let help = "rows are found by the schema's rule, without the help of an index; give both the same";
            out.push(item(Code::TM1204, Weight::Risk, t, Some(c), message, help, &ids));
        }
        if lc.computed && !c.read_only {
            let message = format!("the live column `{full}` is computed, and the schema lets maps write it");
            out.push(item(Code::TM1204, Weight::Risk, t, Some(c), message, "write `read_only: true`", &ids));
        }
    }
}

/// Whether values of the schema's type stay what they are in the live column.
fn keeps(c: &Column, l: &LiveColumn) -> bool {
    match (&c.ty, l.holds) {
        (_, Holds::Anything) => true,
        (Type::Text { .. } | Type::Json, h) => h == Holds::Text || matches!(l.ty, Type::Json),
        (Type::Integer | Type::Float, h) => h != Holds::Text,
        (Type::Choice(_), h) => (h == Holds::Text) == c.choice_by_name,
        _ => true,
    }
}

/// What of the schema's type the live declaration is too narrow for.
fn narrower(c: &Column, l: &LiveColumn) -> Option<String> {
    match (&c.ty, &l.ty) {
        (Type::Decimal { limits }, _) if matches!(l.holds, Holds::Numbers | Holds::Floats) => match limits {
            Some((p, _)) if *p <= 15 => None,
            _ => Some("it keeps 15 digits; declare it as TEXT to keep all".into()),
        },
        (Type::Text { max: Some(here) }, Type::Text { max: Some(there) }) if here > there => {
            Some(format!("{there} characters, fewer than the schema's"))
        }
        (Type::Text { max: None }, Type::Text { max: Some(there) }) => Some(format!("at most {there} characters")),
        _ => None,
    }
}

fn names<'a>(t: &'a Table, columns: &[ColumnId]) -> Vec<&'a str> {
    columns.iter().map(|c| t.column(*c).name.as_str()).collect()
}

fn keys(used: &Used, id: TableId, t: &Table, l: &LiveTable, ids: &Ids, out: &mut Vec<Drift>) {
    let there = |key: &[ColumnId]| names(t, key).iter().all(|n| l.column(n).is_some());
    for (i, key) in t.keys().enumerate() {
        let by = names(t, key);
        if !there(key) || l.is_unique(&by) {
            continue;
        }
        let same =
            |k: &&(TableId, Vec<ColumnId>)| k.0 == id && k.1.len() == key.len() && k.1.iter().all(|c| key.contains(c));
        let mut users: Ids = used.found_by.iter().filter(|(k, _)| same(k)).flat_map(|(_, m)| m.clone()).collect();
        if i == 0 {
            users.extend(ids.clone());
        }
        // The engine asks every key of a table it uses to be unique before it begins.
        let weight = if users.is_empty() { Weight::Risk } else { Weight::Breaks };
        let users = if users.is_empty() { ids.clone() } else { users };
        let what = if i == 0 { "the primary key" } else { "the key" };
        let message = format!("{what} ({}) of `{}` has no unique index in the live store", by.join(", "), t.name);
        let help = format!("`CREATE UNIQUE INDEX … ON {} ({})`", l.name, by.join(", "));
        out.push(item(Code::TM1206, weight, t, None, message, &help, &users));
    }
    let primary = names(t, &t.primary_key);
    let same = primary.len() == l.primary_key.len()
        && primary.iter().all(|n| l.primary_key.iter().any(|k| k.eq_ignore_ascii_case(n)));
    if !same && l.is_unique(&primary) {
        let message = format!(
            "the primary key of `{}` is ({}) in the schema, ({}) in the live store",
            t.name,
            primary.join(", "),
            l.primary_key.join(", ")
        );
        out.push(Drift { code: None, ..item(Code::TM1206, Weight::Note, t, None, message, "", ids) });
    }
}

fn indexes(used: &Used, id: TableId, t: &Table, l: &LiveTable, out: &mut Vec<Drift>) {
    let mut told: BTreeSet<Vec<ColumnId>> = BTreeSet::new();
    let asked = used.referring.iter().map(|(k, m)| (k, m, "refer to other rows"));
    let found = used.found_by.iter().map(|(k, m)| (k, m, "are what rows are found by"));
    for ((table, columns), ids, why) in asked.chain(found) {
        if *table != id || t.keys().any(|k| k.len() == columns.len() && columns.iter().all(|c| k.contains(c))) {
            continue;
        }
        let by = names(t, columns);
        if by.iter().any(|n| l.column(n).is_none()) || l.is_indexed(&by) || !told.insert(columns.clone()) {
            continue;
        }
        let message =
            format!("({}) of `{}` {why}, and no index of the live store begins with them", by.join(", "), t.name);
        let help = format!("`CREATE INDEX … ON {} ({})`", l.name, by.join(", "));
        out.push(item(Code::TM1207, Weight::Risk, t, None, message, &help, ids));
    }
}

fn filled(used: &Used, id: TableId, t: &Table, l: &LiveTable, out: &mut Vec<Drift>) {
    for lc in l.columns.iter().filter(|c| !c.nullable && c.default.is_none() && !c.generated && !c.computed) {
        let known = t.columns.iter().position(|c| c.name.eq_ignore_ascii_case(&lc.name));
        let writes = |w: &BTreeSet<ColumnId>| known.is_some_and(|i| w.contains(&ColumnId(i as u32)));
        let ids: Ids =
            used.creates.iter().filter(|(table, _, w)| *table == id && !writes(w)).map(|(_, m, _)| m.clone()).collect();
        if ids.is_empty() {
            continue;
        }
        let column = known.map(|i| &t.columns[i]);
        let message = format!(
            "the live column `{}.{}` must have a value, and nobody gives it one when a row is made",
            t.name, lc.name
        );
        let help = match column {
            Some(_) => "write the column in the map, or give it a default in the store",
            None => "add it to the schema and the map, or give it a default in the store",
        };
        let mut d = item(Code::TM1205, Weight::Breaks, t, column, message, help, &ids);
        d.column = Some(lc.name.clone());
        out.push(d);
    }
}

fn extras(t: &Table, l: &LiveTable, out: &mut Vec<Drift>) {
    for lc in &l.columns {
        if t.columns.iter().any(|c| c.name.eq_ignore_ascii_case(&lc.name)) {
            continue;
        }
        let message = format!("the schema has no column `{}.{}`", t.name, lc.name);
        out.push(Drift {
            code: None,
            column: Some(lc.name.clone()),
            ..item(Code::TM1202, Weight::Note, t, None, message, "", &Ids::new())
        });
    }
}

/// What stands in the way of a migration.
fn triggers(t: &Table, l: &LiveTable, ids: &Ids, out: &mut Vec<Drift>) {
    for ours in [true, false] {
        let all: Vec<_> = l.triggers.iter().filter(|g| g.ours == ours && !g.columns.is_empty()).collect();
        if all.is_empty() {
            continue;
        }
        let columns: BTreeSet<&str> = all.iter().flat_map(|g| g.columns.iter().map(String::as_str)).collect();
        let columns: Vec<&str> = columns.into_iter().collect();
        let list: Vec<String> = all.iter().map(|g| format!("`{}`", g.name)).collect();
        let message = format!(
            "`ALTER TABLE {} DROP COLUMN` is refused for {}: {} {} name {}",
            l.name,
            columns.join(", "),
            if ours { "tablemap's triggers" } else { "the triggers" },
            list.join(", "),
            if columns.len() == 1 { "it" } else { "them" }
        );
        let help = match ours {
            true => {
                "`tablemap capture suspend` takes them off for the migration, `tablemap capture resume` puts them on and looks at every row"
            }
            false => "",
        };
        out.push(Drift { code: None, ..item(Code::TM1202, Weight::Note, t, None, message, help, ids) });
    }
}

/// Whether a code is found in live stores only.
pub fn is_live(code: Code) -> bool {
    code.0.starts_with("TM12")
}
