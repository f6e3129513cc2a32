//! Which tables lookups refer to: by what the file says, by well-known columns, by names.

use super::lines::Draft;
use super::{names, note};
use crate::schema::StoreSchema;
use crate::syntax::ast::{Path, Side};

/// A column that only one table of Dataverse has as its key.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("isocurrencycode", "transactioncurrencies"),
    ("cdm_companycode", "cdm_companies"),
    ("accountnumber", "accounts"),
    ("msdyn_vendoraccountnumber", "msdyn_vendors"),
];

/// A step through a lookup: the column, what it refers to, and whether that is a guess.
#[derive(Clone, Debug)]
pub struct Through {
    /// The table that holds the lookup.
    pub table: String,
    /// The lookup column.
    pub column: String,
    /// The table referred to.
    pub to: String,
    /// What is used of that table: a column, or a lookup of its own.
    pub used: String,
    /// Whether the table is a guess.
    pub guess: bool,
    /// Whether it is one of several tables.
    pub several: bool,
}

/// The tables of the import and what is known beside it.
pub struct Tables<'a> {
    /// Entity sets of the maps.
    pub sets: &'a [String],
    /// The schema of Dataverse, where one is known.
    pub known: Option<&'a StoreSchema>,
}

impl Tables<'_> {
    /// The table of a name as files write it: an entity set, a logical name, a display name.
    fn named(&self, name: &str) -> String {
        let plural = names::plural(&name.to_lowercase());
        let of_schema = self.known.into_iter().flat_map(|s| s.tables.iter().map(|t| t.name.as_str()));
        let all = self.sets.iter().map(String::as_str).chain(of_schema).chain(WELL_KNOWN.iter().map(|(_, t)| *t));
        let mut all = all.filter(|t| t.eq_ignore_ascii_case(name) || t.eq_ignore_ascii_case(&plural));
        let lower = name.to_lowercase();
        all.next().map_or_else(|| if lower.ends_with('s') { lower } else { plural }, str::to_string)
    }

    fn exists(&self, name: &str) -> bool {
        self.sets.iter().any(|s| s == name) || self.known.is_some_and(|s| s.table(name).is_some())
    }

    /// The table that a lookup column of a table refers to; whether it is a guess.
    fn target(&self, table: &str, column: &str, used: &str, related: Option<&str>) -> (String, bool) {
        if let Some(s) = self.known
            && let Some(l) = s.table(table).and_then(|t| s.lookup(t, column))
            && let [only] = l.targets.as_slice()
        {
            return (s.get(only.table).name.clone(), false);
        }
        if let Some(related) = related {
            return (self.named(related), false);
        }
        if let Some((_, t)) = WELL_KNOWN.iter().find(|(c, _)| *c == used) {
            return ((*t).to_string(), false);
        }
        let stem = column.strip_suffix("id").filter(|s| s.len() > 3 && !s.ends_with('_')).unwrap_or(column);
        let stem = stem.trim_end_matches('_');
        let by_name = [names::plural(stem), names::plural(column)];
        if let Some(t) = by_name.iter().find(|t| self.exists(t)) {
            return (t.clone(), true);
        }
        // `msdyn_hierarchy` of `msdyn_productcategories`: the table whose name ends alike and begins like this one.
        let own = names::singular(names::bare(table));
        let tail = names::plural(names::bare(stem));
        let kin = |s: &&String| names::bare(s).ends_with(&tail) && names::bare(s).starts_with(&own);
        let near = self.sets.iter().filter(kin).min_by_key(|s| s.len());
        (near.unwrap_or(&by_name[0]).clone(), true)
    }
}

/// Resolves the lookups of a draft: what it reads and writes through, with the names in its paths set right.
pub fn resolve(d: &mut Draft, tables: &Tables<'_>) -> Vec<Through> {
    let mut out = vec![];
    let right = d.right.clone();
    let mut remarks = vec![];
    let documented = d.source.documented;
    for line in d.key.iter_mut().chain(&mut d.lines) {
        let related = line.related.clone();
        let into_right = line.flow().into(Side::Right);
        let at = line.at;
        if let crate::syntax::ast::ExprKind::Path(path) = &mut line.line.right.kind {
            let before = out.len();
            // Without a related table a lookup of an export is one to its own table.
            let own = (!documented && related.is_none() && tables.known.is_none()).then_some(right.as_str());
            walk(path, &right, related.as_deref().or(own), tables, &mut out);
            let guessed = out[before..].iter().find(|t| t.guess && !tables.exists(&t.to));
            if let Some(t) = guessed.filter(|_| into_right) {
                let known = remarks.iter().any(|(c, _): &(String, String)| *c == t.column);
                if !known {
                    let message = format!("`{}.{}` may refer to `{}`: a guess from its name", t.table, t.column, t.to);
                    d.findings.push(note::decided(at, message.clone()));
                    remarks.push((t.column.clone(), message));
                }
            }
        }
    }
    if let Some(path) = &mut d.company {
        walk(path, &right, None, tables, &mut out);
    }
    out
}

fn walk(path: &mut Path, table: &str, related: Option<&str>, tables: &Tables<'_>, out: &mut Vec<Through>) {
    let polymorphic = path.steps.iter().any(|s| s.inner.is_some());
    if polymorphic {
        let Some(column) = path.steps.first().map(|s| s.name.text.clone()) else { return };
        for step in path.steps.iter_mut().skip(1) {
            let to = tables.named(&step.name.text);
            step.name.text.clone_from(&to);
            let Some(inner) = &mut step.inner else { continue };
            let used = inner.steps.first().map_or(String::new(), |s| s.name.text.clone());
            out.push(Through {
                table: table.to_string(),
                column: column.clone(),
                to: to.clone(),
                used,
                guess: false,
                several: true,
            });
            walk(inner, &to, None, tables, out);
        }
        return;
    }
    let mut table = table.to_string();
    let mut related = related;
    for pair in path.steps.windows(2) {
        let (column, used) = (pair[0].name.text.clone(), pair[1].name.text.clone());
        let (to, guess) = tables.target(&table, &column, &used, related.take());
        out.push(Through { table: table.clone(), column, to: to.clone(), used, guess, several: false });
        table = to;
    }
}
