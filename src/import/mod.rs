//! Brings in table maps of others: dual-write's JSON and solutions, and documented tables in Markdown. `documented`,
//! `dual_write` and `solution` read them; `lines`, `keys`, `lookups` and `typing` make maps of ours; `sketch` makes the
//! schemas they can be checked against. Nothing here reads files: texts and bytes come in, trees and texts go out.

mod assemble;
mod documented;
mod dual_write;
mod filter;
pub mod json;
mod keys;
mod lines;
mod lookups;
mod model;
pub mod names;
mod note;
mod sketch;
mod solution;
mod text;
mod typing;

pub use dual_write::keys as integration_keys;
pub use model::TableMap;
pub use text::Mapped;

use crate::diagnostic::Diagnostic;
use crate::schema::{NewSchema, StoreSchema};
use crate::source::{FileId, Sources};
use crate::syntax::ast;
use json::Json;

/// A table map as a file told it.
pub struct Told {
    /// What it says.
    map: TableMap,
    /// The document it came from, for export.
    original: Option<Json>,
    /// The file, as the user calls it.
    from: String,
}

/// What is the same for a whole import.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The names of the finance store and the Dataverse store.
    pub stores: [&'a str; 2],
    /// Integration keys: table and columns.
    pub keys: &'a [(String, Vec<String>)],
    /// The schemas of both stores, where they are known.
    pub known: [Option<&'a StoreSchema>; 2],
    /// Ids of maps that are there already.
    pub taken: &'a [String],
}

/// One map that was imported.
pub struct Imported {
    /// Its id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// The map, with comments where something was decided or is to be.
    pub map: ast::Map,
    /// The document it came from: what export needs to lose nothing.
    pub original: Option<Json>,
    /// For each line of the key, which field mapping it came from.
    pub key_from: Vec<usize>,
    /// For each line of the fields, which field mapping it came from.
    pub fields_from: Vec<usize>,
    /// How many field mappings there were.
    pub mappings: usize,
    /// What was found, decided, and left to decide.
    pub findings: Vec<Diagnostic>,
    /// The file it came from.
    pub from: String,
}

/// A whole import.
pub struct Import {
    /// The maps.
    pub maps: Vec<Imported>,
    /// Schemas of finance and Dataverse for what no schema is known of.
    pub schemas: [NewSchema; 2],
}

/// Reads the documented maps of a Markdown file.
pub fn documented(sources: &Sources, file: FileId) -> (Vec<Told>, Vec<Diagnostic>) {
    let (maps, findings) = documented::read(sources, file);
    let from = base(&sources.file(file).name);
    (maps.into_iter().map(|map| Told { map, original: None, from: from.clone() }).collect(), findings)
}

/// Reads the maps of an exported JSON or of a `customizations.xml`.
pub fn dual_write(sources: &Sources, file: FileId) -> (Vec<Told>, Vec<Diagnostic>) {
    let source = sources.file(file);
    let (found, findings) = if source.text.trim_start().starts_with('<') {
        solution::xml(sources, file)
    } else {
        dual_write::read(&Mapped::whole(&source.text, file))
    };
    (told(found, &source.name), findings)
}

/// Reads the maps of a solution's zip.
pub fn solution(name: &str, bytes: &[u8], sources: &mut Sources) -> (Vec<Told>, Vec<Diagnostic>) {
    let (found, findings) = solution::zip(name, bytes, sources);
    (told(found, name), findings)
}

/// Reads a document that an earlier import kept.
pub fn kept(json: &Json, name: &str) -> (Vec<Told>, Vec<Diagnostic>) {
    let (found, findings) = dual_write::of_json(json);
    (told(found, name), findings)
}

fn told(found: Vec<dual_write::Found>, name: &str) -> Vec<Told> {
    let from = base(name);
    found.into_iter().map(|f| Told { map: f.map, original: Some(f.original), from: from.clone() }).collect()
}

fn base(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or(name).to_string()
}

/// Makes maps and schemas of what was told.
pub fn import(mut told: Vec<Told>, options: &Options<'_>) -> Import {
    let older = older_versions(&mut told);
    let mut drafts: Vec<lines::Draft> = told.iter_mut().map(|t| lines::draft(std::mem::take(&mut t.map))).collect();
    for (i, d) in older {
        if let Some(draft) = drafts.get_mut(i) {
            draft.findings.push(d);
        }
    }
    let referred: Vec<(String, String)> = drafts.iter().flat_map(keys::referred).collect();
    for d in &mut drafts {
        keys::choose(d, options.keys, options.known, &referred);
    }
    let sets: Vec<String> = drafts.iter().map(|d| d.right.clone()).collect();
    let tables = lookups::Tables { sets: &sets, known: options.known[1] };
    let mut through = vec![];
    for d in &mut drafts {
        through.extend(lookups::resolve(d, &tables));
    }
    let columns = typing::Columns::gather(&drafts, &through, options.known);
    for d in &mut drafts {
        columns.settle(d);
    }
    let schemas = sketch::sketch(&drafts, &through, &columns, options.stores, options.known);
    let mut taken: Vec<String> = options.taken.to_vec();
    let mut maps = vec![];
    for (d, t) in drafts.iter().zip(told) {
        let (mut id, mut name) = (names::id(&d.source.name()), d.source.name());
        let mut n = 1;
        while taken.contains(&id) {
            n += 1;
            id = format!("{}-{n}", names::id(&d.source.name()));
            name = format!("{} {n}", d.source.name());
        }
        taken.push(id.clone());
        let map = assemble::assemble(d, &id, &name, options.stores, head(d, &t.from));
        maps.push(Imported {
            key_from: d.key.iter().map(|l| l.index).collect(),
            fields_from: d.lines.iter().map(|l| l.index).collect(),
            mappings: d.source.mappings.len(),
            findings: d.findings.clone(),
            original: t.original,
            from: t.from,
            id,
            name,
            map,
        });
    }
    Import { maps, schemas }
}

/// The comments before a map.
fn head(d: &lines::Draft, from: &str) -> Vec<String> {
    let mut out = vec![];
    if let Some(text) = &d.source.description {
        out.extend(text.lines().map(|l| l.trim().to_string()).filter(|l| !l.is_empty()));
    }
    let lines = d.key.len() + d.lines.len();
    let of = d.source.mappings.len();
    let filters = match d.filters.len() {
        0 => String::new(),
        1 => " and 1 filter".into(),
        n => format!(" and {n} filters"),
    };
    out.push(format!("Imported from {from}: {lines} of {of} field mappings{filters}."));
    out
}

/// Of several versions of one map the highest is taken; the others are told at it.
fn older_versions(told: &mut Vec<Told>) -> Vec<(usize, Diagnostic)> {
    let number = |v: &str| v.split('.').map(|p| p.trim().parse::<u64>().unwrap_or(0)).collect::<Vec<_>>();
    let version = |t: &Told| t.map.version.as_deref().map(number);
    let mut out: Vec<(String, Diagnostic)> = vec![];
    let mut keep: Vec<Told> = vec![];
    for t in told.drain(..) {
        let same = |o: &Told| o.map.name().eq_ignore_ascii_case(&t.map.name()) && o.map.version.is_some();
        let Some(at) = keep.iter().position(same).filter(|_| t.map.version.is_some()) else {
            keep.push(t);
            continue;
        };
        let newer = version(&t) > version(&keep[at]);
        let (winner, loser) = if newer { (&t, &keep[at]) } else { (&keep[at], &t) };
        let shown = |t: &Told| t.map.version.clone().unwrap_or_default();
        let message = format!(
            "`{}`: version {} was taken, the highest; {} was left out",
            t.map.name(),
            shown(winner),
            shown(loser)
        );
        out.push((t.map.name(), note::decided(loser.map.at, message)));
        if newer {
            keep[at] = t;
        }
    }
    *told = keep;
    out.into_iter().filter_map(|(n, d)| Some((told.iter().position(|t| t.map.name() == n)?, d))).collect()
}
