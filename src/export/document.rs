//! The document of a map: the one it came from with what has changed, or a new one.

use super::line::{self, Words, set_text};
use super::refuse::{self, cannot};
use super::{Exported, Source, filter};
use crate::diagnostic::{Code, Diagnostic};
use crate::import::json::{self, Json, Kind, Text};
use crate::import::{self, Imported, Options, names};
use crate::schema::StoreSchema;
use crate::syntax::ast::{Arrow, Expr, ExprKind, Line, LiteralKind, Map, Side};

/// Writes a map. The error is what dual-write cannot say.
pub fn export(source: &Source<'_>) -> Result<Exported, Vec<Diagnostic>> {
    let map = source.map;
    let Some(tables) = map.tables.as_ref().map(|t| &t.it) else {
        return Err(vec![cannot(map.at, "the map does not name its tables", "write `tables`")]);
    };
    let base = source.kept.and_then(|k| imported(k, map));
    let mut wrong = refuse::statements(map, base.as_ref().map(|b| &b.map));
    let mut lines: Vec<(Words, &Line)> = vec![];
    for l in map.key.iter().chain(&map.fields) {
        match line::words(source, l, tables.arrow) {
            Ok(w) => lines.push((w, l)),
            Err(d) => wrong.push(*d),
        }
    }
    let mut filters = [None, None];
    for (i, side) in [Side::Left, Side::Right].into_iter().enumerate() {
        let now = map.filter.iter().find(|f| f.it.0 == side);
        let before = base.as_ref().and_then(|b| b.map.filter.iter().find(|f| f.it.0 == side));
        let same = match (now, before) {
            (None, None) => true,
            // A filter that an import held back until a person writes it: the original stays.
            (Some(a), _) if is_false(&a.it.1) => true,
            (Some(a), Some(b)) => filter::same(source, side, &a.it.1, &b.it.1),
            _ => false,
        };
        filters[i] = match now {
            _ if same && base.is_some() => None,
            None => Some(String::new()),
            Some(f) => match filter::write(source, side, &f.it.1) {
                Ok(text) => Some(text),
                Err(why) => {
                    wrong.push(cannot(f.at, why, "write the filter as comparisons of the row's own columns"));
                    None
                }
            },
        };
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut out = match (source.kept, &base) {
        (Some(kept), Some(base)) => {
            let mut json = kept.clone();
            let change = Change { source, base, lines: &lines, filters: &filters };
            change.all(&mut json);
            json
        }
        _ => fresh(source, &lines, &filters),
    };
    if source.kept.is_none() && source.record {
        out = record(map, &out);
    }
    comes_back(source, &lines, &out)?;
    Ok(Exported { json: out, notes: left_behind(source, base.as_ref()) })
}

fn is_false(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Literal(l) if l.kind == LiteralKind::Boolean(false))
}

/// The map that a document makes, with the key and the stores of this one.
fn imported(json: &Json, map: &Map) -> Option<Imported> {
    let tables = &map.tables.as_ref()?.it;
    let (told, _) = import::kept(json, "");
    let mut fields: Vec<String> = map
        .key
        .iter()
        .filter_map(|l| match &l.right.kind {
            ExprKind::Path(p) => Some(names::path_text(p)),
            _ => None,
        })
        .collect();
    if let Some(c) = &map.company
        && let ExprKind::Path(p) = &c.it.right.kind
    {
        fields.push(names::path_text(p));
    }
    let keys = [(tables.right.table.text.clone(), fields)];
    let options = Options {
        stores: [&tables.left.store.text, &tables.right.store.text],
        keys: &keys,
        known: [None, None],
        taken: &[],
    };
    import::import(told, &options).maps.into_iter().next()
}

fn lines_of(map: &Map) -> impl Iterator<Item = &Line> {
    map.key.iter().chain(&map.fields)
}

fn arrow(map: &Map) -> Arrow {
    map.tables.as_ref().map_or(Arrow::Both, |t| t.it.arrow)
}

/// What a document is changed by.
struct Change<'a> {
    source: &'a Source<'a>,
    base: &'a Imported,
    lines: &'a [(Words, &'a Line)],
    filters: &'a [Option<String>; 2],
}

impl Change<'_> {
    /// Changes a document, or what a text holds; whether anything did.
    fn all(&self, json: &mut Json) -> bool {
        match &json.kind {
            Kind::Text(text) => {
                let (inner, _) = json::parse(&text.value);
                let Some(mut inner) = inner else { return false };
                let changed = self.all(&mut inner);
                if changed {
                    *json = Json::text_of(&inner.compact());
                }
                changed
            }
            Kind::Array(_) => {
                let Kind::Array(items) = &mut json.kind else { return false };
                let mut changed = false;
                items.iter_mut().for_each(|i| changed |= self.all(i));
                changed
            }
            _ if json.get("legs").is_some() => self.document(json),
            _ => {
                let mut changed = self.record(json);
                for key in ["msdyn_mapping", "value", "entityMappingTasks"] {
                    if let Some(inner) = json.get_mut(key) {
                        changed |= self.all(inner);
                    }
                }
                changed
            }
        }
    }

    fn record(&self, json: &mut Json) -> bool {
        let mut changed = false;
        let version = self.source.map.version.as_ref().map(|v| v.it.as_str());
        let before = self.base.map.version.as_ref().map(|v| v.it.as_str());
        if let Some(v) = version.filter(|v| Some(*v) != before) {
            json.set("msdyn_version", Json::text_of(v));
            changed = true;
        }
        let skip = |m: &Map| matches!(&m.initial, Some(n) if n.it.is_none());
        let now = skip(self.source.map);
        if now != skip(&self.base.map)
            && let Some(p) = json.get_mut("msdyn_properties")
        {
            let mut inner = match &p.kind {
                Kind::Text(t) => json::parse(&t.value).0,
                _ => Some(p.clone()),
            };
            if let Some(inner) = &mut inner {
                inner.set("SkipInitialSync", Json::made(Kind::Boolean(now)));
                let text = matches!(p.kind, Kind::Text(_));
                *p = if text { Json::text_of(&inner.compact()) } else { inner.clone() };
                changed = true;
            }
        }
        changed
    }

    fn document(&self, json: &mut Json) -> bool {
        let mut changed = false;
        let (entity, set) = tables(self.source.map);
        let (entity_before, set_before) = tables(&self.base.map);
        if (&entity, &set) != (&entity_before, &set_before) {
            set_text(json, "name", &format!("{entity} - {set}"));
            changed = true;
        }
        let Some(leg) = json.get_mut("legs").and_then(|l| match &mut l.kind {
            Kind::Array(items) => items.first_mut(),
            _ => None,
        }) else {
            return changed;
        };
        if entity != entity_before {
            set_text(leg, "sourceSchema", &entity);
        }
        if set != set_before {
            set_text(leg, "destinationSchema", &set);
        }
        for (key, text) in ["sourceFilter", "reversedSourceFilter"].into_iter().zip(self.filters) {
            if let Some(text) = text {
                set_text(leg, key, text);
                changed = true;
            }
        }
        let Some(Json { kind: Kind::Array(items), .. }) = leg.get_mut("fieldMappings") else { return changed };
        let (new, differs) = self.mappings(items);
        if differs {
            *items = new;
        }
        changed | differs
    }

    /// The field mappings, those as they were whose line says the same.
    fn mappings(&self, old: &[Json]) -> (Vec<Json>, bool) {
        let from: Vec<usize> = self.base.key_from.iter().chain(&self.base.fields_from).copied().collect();
        let before: Vec<(Option<Words>, usize)> = lines_of(&self.base.map)
            .zip(from)
            .map(|(l, i)| (line::words(self.source, l, arrow(&self.base.map)).ok(), i))
            .collect();
        let mut used = vec![false; before.len()];
        let mut place: Vec<Option<(usize, bool)>> = vec![None; self.lines.len()];
        let equal = |a: &Words, b: &Option<Words>| b.as_ref() == Some(a);
        let near = |a: &Words, b: &Option<Words>| {
            b.as_ref().is_some_and(|b| b.source.eq_ignore_ascii_case(&a.source) && b.destination == a.destination)
        };
        for exact in [true, false] {
            for (i, (w, _)) in self.lines.iter().enumerate() {
                if place[i].is_some() {
                    continue;
                }
                let found = before
                    .iter()
                    .enumerate()
                    .position(|(j, (b, _))| !used[j] && if exact { equal(w, b) } else { near(w, b) });
                if let Some(j) = found {
                    used[j] = true;
                    place[i] = Some((before[j].1, exact));
                }
            }
        }
        let gone: Vec<usize> = before.iter().zip(&used).filter(|(_, u)| !**u).map(|((_, i), _)| *i).collect();
        let mut differs = !gone.is_empty();
        let mut out = vec![];
        for (index, item) in old.iter().enumerate() {
            if gone.contains(&index) {
                continue;
            }
            match place.iter().position(|p| p.is_some_and(|(at, _)| at == index)) {
                Some(i) if place[i].is_some_and(|(_, exact)| !exact) => {
                    differs = true;
                    out.push(line::mapping(&self.lines[i].0, Some(item), related(self.source, self.lines[i].1)));
                }
                Some(_) => out.push(item.clone()),
                // What the import left out stays, unless a line says it now.
                None => {
                    let text = |key: &str| item.get(key).and_then(Json::text).unwrap_or_default().to_string();
                    let (s, d) = (text("sourceField"), text("destinationField"));
                    let said = |(w, _): &&(Words, &Line)| w.source.eq_ignore_ascii_case(&s) && w.destination == d;
                    if self.lines.iter().zip(&place).any(|(l, p)| p.is_none() && said(&l)) {
                        differs = true;
                    } else {
                        out.push(item.clone());
                    }
                }
            }
        }
        for ((w, l), p) in self.lines.iter().zip(&place) {
            if p.is_none() {
                differs = true;
                out.push(line::mapping(w, None, related(self.source, l)));
            }
        }
        (out, differs)
    }
}

/// The entity's display name and the entity set, from the map's name and tables.
fn tables(map: &Map) -> (String, String) {
    let Some(t) = map.tables.as_ref().map(|t| &t.it) else { return Default::default() };
    let set = t.right.table.text.clone();
    let shown = map.name.as_ref().map_or("", |n| n.text.as_str());
    let entity = shown.rsplit_once(" (").map_or(shown, |(e, _)| e);
    let entity = if names::table(entity) == t.left.table.text { entity } else { &t.left.table.text };
    (entity.to_string(), set)
}

/// The entity set that a line's lookup refers to; none for a lookup to the table itself.
fn related(source: &Source<'_>, line: &Line) -> Option<String> {
    let ExprKind::Path(p) = &line.right.kind else { return None };
    let first = p.steps.first().filter(|_| p.steps.len() > 1)?;
    let schema: &StoreSchema = source.schemas[1]?;
    let table = schema.table(&source.map.tables.as_ref()?.it.right.table.text)?;
    match schema.lookup(table, &first.name.text)?.targets.as_slice() {
        [one] if one.table != table => Some(schema.get(one.table).name.clone()),
        _ => None,
    }
}

/// A document of a map that came from none.
fn fresh(source: &Source<'_>, lines: &[(Words, &Line)], filters: &[Option<String>; 2]) -> Json {
    let (entity, set) = tables(source.map);
    let text = Json::text_of;
    let object = |entries: Vec<(&str, Json)>| {
        Json::made(Kind::Object(entries.into_iter().map(|(k, v)| (Text::new(k), v)).collect()))
    };
    let mappings = lines.iter().map(|(w, l)| line::mapping(w, None, related(source, l))).collect();
    let filter = |i: usize| text(filters[i].as_deref().unwrap_or_default());
    let leg = object(vec![
        ("id", text("001")),
        ("sourceEnvironment", text("")),
        ("sourceEnvironmentType", text("AX")),
        ("sourceSchema", text(&entity)),
        ("destinationEnvironment", text("")),
        ("destinationEnvironmentType", text("CRM")),
        ("destinationSchema", text(&set)),
        ("sourceFilter", filter(0)),
        ("reversedSourceFilter", filter(1)),
        ("deleteNonMatchingData", Json::made(Kind::Boolean(false))),
        ("entityFileFormat", Json::made(Kind::Number("0".into()))),
        ("fieldMappings", Json::made(Kind::Array(mappings))),
    ]);
    object(vec![
        ("name", text(&format!("{entity} - {set}"))),
        ("order", Json::made(Kind::Number("0".into()))),
        ("leftEnvironmentType", text("AX")),
        ("centerEnvironmentType", text("CRM")),
        ("rightEnvironmentType", text("UNDEFINED")),
        ("leftEnvironment", text("")),
        ("centerEnvironment", text("")),
        ("legs", Json::made(Kind::Array(vec![leg]))),
    ])
}

/// The row of the table that holds table maps.
fn record(map: &Map, document: &Json) -> Json {
    let (entity, set) = tables(map);
    let skip = matches!(&map.initial, Some(n) if n.it.is_none());
    let properties = format!("{{\"IsDualWriteProject\":true,\"SkipInitialSync\":{skip},\"TargetTypeList\":[3,1]}}");
    let entries = [
        ("msdyn_displayname", format!("{set} - {entity}")),
        ("msdyn_version", map.version.as_ref().map_or("1.0.0.0".to_string(), |v| v.it.clone())),
        ("msdyn_mapping", document.compact()),
        ("msdyn_properties", properties),
    ];
    Json::made(Kind::Object(entries.iter().map(|(k, v)| (Text::new(k), Json::text_of(v))).collect()))
}

/// Every line must come back when the document is imported again.
fn comes_back(source: &Source<'_>, lines: &[(Words, &Line)], json: &Json) -> Result<(), Vec<Diagnostic>> {
    let Some(again) = imported(json, source.map) else {
        return Err(vec![cannot(
            source.map.at,
            "the document would not be read again",
            "please report this with the map",
        )]);
    };
    let mut found: Vec<Words> =
        lines_of(&again.map).filter_map(|l| line::words(source, l, arrow(&again.map)).ok()).collect();
    let mut wrong = vec![];
    for (w, l) in lines {
        match found.iter().position(|f| same(f, w)) {
            Some(i) => drop(found.remove(i)),
            None => wrong.push(cannot(
                l.at,
                format!("`{} – {}` would not come back as it is", w.source, w.destination),
                "dual-write knows one two-way line for each field, and pairs that tell every value apart",
            )),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Pairs of nothing with nothing say nothing.
fn same(a: &Words, b: &Words) -> bool {
    let pairs = |w: &Words| {
        w.pairs.as_ref().map(|p| p.iter().filter(|(l, r, _)| !l.is_empty() || r.is_some()).cloned().collect::<Vec<_>>())
    };
    let (mut x, mut y) = (a.clone(), b.clone());
    (x.pairs, y.pairs) = (pairs(a), pairs(b));
    let lower = |t: &mut Option<String>| {
        if let Some(t) = t
            && (t.eq_ignore_ascii_case("true") || t.eq_ignore_ascii_case("false"))
        {
            t.make_ascii_lowercase();
        }
    };
    for w in [&mut x, &mut y] {
        lower(&mut w.default);
        w.pairs.iter_mut().flatten().for_each(|(_, r, _)| lower(r));
    }
    x == y
}

/// What of the map has its place elsewhere in dual-write.
fn left_behind(source: &Source<'_>, base: Option<&Imported>) -> Vec<Diagnostic> {
    let map = source.map;
    let mut out = vec![];
    let mut note = |at, text: &str| out.push(Diagnostic::new(Code::TM1306, at, text.to_string()));
    if let Some(k) = map.key.first() {
        note(
            k.at.0,
            "the key stays here: dual-write keeps integration keys in the environment (`--keys FILE` writes them)",
        );
    }
    if let Some(c) = &map.company {
        note(c.at.0, "the company stays here: in dual-write it is part of the integration key");
    }
    let changed = |a: Option<_>, b: Option<_>| a.is_some() && a != b;
    if changed(map.conflict.as_ref().map(|c| c.it), base.and_then(|b| b.map.conflict.as_ref().map(|c| c.it))) {
        note(
            map.conflict.as_ref().map_or(map.at.0, |c| c.at.0),
            "`conflict` stays here: dual-write has no rule for conflicts",
        );
    }
    if let Some(n) = &map.needs {
        note(n.at.0, "`needs` stays here: dual-write finds related maps by their lookups");
    }
    if base.is_none() && !source.record && (map.version.is_some() || map.initial.is_some()) {
        note(map.at.0, "version and initial sync stay here: `--record` writes them too");
    }
    out
}
