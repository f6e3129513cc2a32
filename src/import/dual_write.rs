//! The JSON of dual-write's table maps: one map, a list of them, records of the table that holds them; each also as a
//! text that holds JSON itself.

use super::json::{self, Json, Kind, Text};
use super::model::{Mapping, PairOf, Spelled, TableMap};
use super::note;
use super::text::Mapped;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::Flow;

/// A table map and the JSON that it came from.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it says.
    pub map: TableMap,
    /// The document: nothing of it is lost.
    pub original: Json,
}

/// What is known of each object; other keys are kept.
const ROOT: &[&str] = &[
    "name",
    "order",
    "leftEnvironmentType",
    "centerEnvironmentType",
    "rightEnvironmentType",
    "leftEnvironment",
    "centerEnvironment",
    "legs",
    "entityName",
    "connectionSetName",
    "leftPartitionName",
    "centerPartitionName",
];
const LEG: &[&str] = &[
    "id",
    "sourceEnvironment",
    "destinationEnvironment",
    "sourceEnvironmentType",
    "destinationEnvironmentType",
    "sourceSchema",
    "destinationSchema",
    "sourceFilter",
    "reversedSourceFilter",
    "fieldMappings",
    "deleteNonMatchingData",
    "entityFileFormat",
    "sourceSchemaDistinctName",
    "destinationSchemaDistinctName",
    "isSourceFilterEditable",
    "sourceMQuery",
    "mashup",
    "sourceEntitySchema",
    "sourceProjectName",
    "entityFile",
    "entityFileInfo",
];
const MAPPING: &[&str] = &[
    "sourceField",
    "destinationField",
    "syncDirection",
    "destinationLookupFieldRelatedEntity",
    "valueTransforms",
    "isSystemGenerated",
];
const TRANSFORM: &[&str] = &["$type", "transformType", "valueMap", "createValuesOnDestination", "defaultValue"];

/// Reads all table maps of a text.
pub fn read(text: &Mapped) -> (Vec<Found>, Vec<Diagnostic>) {
    let (json, broken) = json::parse(text);
    let mut findings = vec![];
    findings.extend(broken.map(|b| {
        Diagnostic::new(Code::TM1301, b.span, b.message)
            .help("what stands before it was imported; export the map again")
    }));
    let mut found = vec![];
    match &json {
        Some(json) => collect(json, 0, &mut found, &mut findings),
        None if findings.is_empty() => {
            findings.push(Diagnostic::new(Code::TM1301, text.span(0, 0), "the file is empty"));
        }
        None => {}
    }
    (found, findings)
}

/// Reads one document (as an earlier import kept it).
pub fn of_json(json: &Json) -> (Vec<Found>, Vec<Diagnostic>) {
    let (mut found, mut findings) = (vec![], vec![]);
    collect(json, 0, &mut found, &mut findings);
    (found, findings)
}

/// The JSON that a text holds; the text itself is what is kept.
pub fn inner(text: &Text) -> (Option<Json>, Option<json::Broken>) {
    json::parse(&text.value)
}

fn collect(json: &Json, depth: usize, found: &mut Vec<Found>, findings: &mut Vec<Diagnostic>) {
    match &json.kind {
        Kind::Text(text) if depth < 4 => {
            let (value, broken) = inner(text);
            let before = found.len();
            if let Some(value) = &value {
                collect(value, depth + 1, found, findings);
            }
            if let Some(b) = broken {
                findings.push(Diagnostic::new(Code::TM1301, b.span, b.message));
            }
            // One map keeps its wrapping; of several, each stands for itself.
            if let [one] = &mut found[before..] {
                one.original = json.clone();
            }
        }
        Kind::Array(items) => items.iter().for_each(|i| collect(i, depth, found, findings)),
        Kind::Object(_) if json.get("legs").is_some() => {
            found.extend(map(json, findings).map(|map| Found { map, original: json.clone() }));
        }
        Kind::Object(_) if json.get("msdyn_mapping").is_some() => {
            found.extend(record(json, findings).map(|map| Found { map, original: json.clone() }));
        }
        Kind::Object(_) => {
            let lists = ["value", "entityMappingTasks"].iter().find_map(|k| json.get(k)).and_then(Json::items);
            match lists {
                Some(items) => items.iter().for_each(|i| collect(i, depth, found, findings)),
                None => findings.push(
                    Diagnostic::new(
                        Code::TM1301,
                        json.span,
                        "this object is no table map: it has neither `legs` nor `msdyn_mapping`",
                    )
                    .help("export the map as JSON, or take the solution that holds it"),
                ),
            }
        }
        _ => findings.push(Diagnostic::new(
            Code::TM1301,
            json.span,
            format!("{} stands where a table map is expected", json.word()),
        )),
    }
}

/// A row of the table that holds table maps: the map as text, and what is said about it.
fn record(json: &Json, findings: &mut Vec<Diagnostic>) -> Option<TableMap> {
    let holder = json.get("msdyn_mapping")?;
    let mut found = vec![];
    match &holder.kind {
        Kind::Text(_) | Kind::Object(_) => collect(holder, 0, &mut found, findings),
        _ => findings.push(Diagnostic::new(Code::TM1301, holder.span, "`msdyn_mapping` holds no table map")),
    }
    let mut map = found.into_iter().next()?.map;
    map.version = json.get("msdyn_version").and_then(Json::text).map(str::to_string);
    let properties = json.get("msdyn_properties").and_then(|p| match &p.kind {
        Kind::Text(t) => {
            let (value, broken) = inner(t);
            if let Some(b) = broken.filter(|_| !t.value.text.trim().is_empty()) {
                map.findings.push(Diagnostic::new(Code::TM1301, b.span, b.message));
            }
            value
        }
        Kind::Object(_) => Some(p.clone()),
        _ => None,
    });
    if let Some(p) = properties {
        map.description =
            p.get("Description").and_then(Json::text).map(str::trim).filter(|t| !t.is_empty()).map(str::to_string);
        map.skip_initial = matches!(p.get("SkipInitialSync").map(|v| &v.kind), Some(Kind::Boolean(true)));
    }
    Some(map)
}

/// Document 5.3 of the format.
fn map(json: &Json, findings: &mut Vec<Diagnostic>) -> Option<TableMap> {
    let legs = json.get("legs").and_then(Json::items).unwrap_or_default();
    let Some(leg) = legs.first() else {
        let d = Diagnostic::new(Code::TM1301, json.span, "the table map has no leg: it moves nothing")
            .help("`legs` holds one object, with `sourceSchema`, `destinationSchema` and `fieldMappings`");
        findings.push(d);
        return None;
    };
    let spelled = |key: &str| {
        leg.get(key)
            .and_then(|v| Some(Spelled { text: v.text()?.trim().to_string(), at: v.span }))
            .filter(|s| !s.text.is_empty())
    };
    let (Some(entity), Some(set)) = (spelled("sourceSchema"), spelled("destinationSchema")) else {
        if !leg.cut {
            findings.push(
                Diagnostic::new(Code::TM1301, leg.span, "the leg does not name its two tables")
                    .help("`sourceSchema` is the finance entity, `destinationSchema` the Dataverse entity set"),
            );
        }
        return None;
    };
    let mut out = TableMap { at: entity.at, entity, set, ..TableMap::default() };
    if let Some(second) = legs.get(1) {
        out.findings.push(note::decide(second.span, "a second leg: dual-write has one only; it is kept, not run"));
    }
    for (key, side) in [("sourceEnvironmentType", "ax"), ("destinationEnvironmentType", "crm")] {
        if let Some(v) = leg.get(key)
            && v.text().is_some_and(|t| !t.is_empty() && !t.eq_ignore_ascii_case(side))
        {
            let message =
                format!("`{key}` is not `{}`: the sides of this map are not those of dual-write", side.to_uppercase());
            out.findings.push(note::decide(v.span, message));
        }
    }
    out.source_filter = filter(leg.get("sourceFilter"));
    out.reversed_filter = filter(leg.get("reversedSourceFilter"));
    for key in ["sourceFilter", "reversedSourceFilter"] {
        if let Some(v) = leg.get(key).filter(|v| !v.is_null() && v.text().is_none()) {
            let message = format!("`{key}` is {}, not a text: kept, not run", v.word());
            out.findings.push(note::decide(v.span, message));
        }
    }
    if matches!(leg.get("deleteNonMatchingData").map(|v| (&v.kind, v.span)), Some((Kind::Boolean(true), _))) {
        let at = leg.get("deleteNonMatchingData").map_or(leg.span, |v| v.span);
        out.findings
            .push(note::decide(at, "`deleteNonMatchingData` is on; nobody documents what it does: kept, not run"));
    }
    unknown(json, ROOT, "the map", &mut out.findings);
    unknown(leg, LEG, "the leg", &mut out.findings);
    match leg.get("fieldMappings").map(|m| (m, m.items())) {
        Some((_, Some(items))) => {
            for (index, item) in items.iter().enumerate() {
                // What breaks off has been told of.
                if !item.cut
                    && let Some(m) = mapping(index, item, &mut out.findings)
                {
                    out.mappings.push(m);
                }
            }
        }
        Some((m, None)) => {
            out.findings.push(Diagnostic::new(Code::TM1301, m.span, "`fieldMappings` is no list"));
        }
        None if leg.cut => {}
        None => out.findings.push(Diagnostic::new(Code::TM1301, leg.span, "the leg has no `fieldMappings`")),
    }
    Some(out)
}

fn filter(value: Option<&Json>) -> Option<Mapped> {
    match value.map(|v| &v.kind) {
        Some(Kind::Text(t)) if !t.value.text.trim().is_empty() => Some(t.value.clone()),
        _ => None,
    }
}

/// Keys that nobody knows are kept in the side file; the report says so.
fn unknown(json: &Json, known: &[&str], what: &str, findings: &mut Vec<Diagnostic>) {
    let Kind::Object(entries) = &json.kind else { return };
    for (key, value) in entries {
        if !known.contains(&key.value.text.as_str()) && !value.is_null() {
            let message = format!("{what} has a key `{}` that is not known: kept for export, not run", key.value.text);
            findings.push(note::decided(value.span, message));
        }
    }
}

fn mapping(index: usize, json: &Json, findings: &mut Vec<Diagnostic>) -> Option<Mapping> {
    let refuse = |span: Span, message: String, help: &str| {
        Diagnostic::new(Code::TM1302, span, message).help(format!("{help}; the mapping was left out"))
    };
    if !matches!(json.kind, Kind::Object(_)) {
        findings.push(refuse(
            json.span,
            format!("{} is no field mapping", json.word()),
            "a field mapping is an object",
        ));
        return None;
    }
    let field = |key: &str| {
        json.get(key)
            .and_then(|v| Some(Spelled { text: v.text()?.trim().to_string(), at: v.span }))
            .filter(|s| !s.text.is_empty())
    };
    let (source, destination) = (field("sourceField"), field("destinationField"));
    let shown = format!(
        "{} – {}",
        source.as_ref().map_or("(nothing)", |s| &s.text),
        destination.as_ref().map_or("(nothing)", |s| &s.text)
    );
    let Some(direction) = json.get("syncDirection") else {
        findings.push(refuse(json.span, format!("{shown}: `syncDirection` is missing"), "write 1, 2 or 3"));
        return None;
    };
    let written = match &direction.kind {
        Kind::Number(n) => n.clone(),
        Kind::Text(t) => t.value.text.trim().to_string(),
        _ => direction.word().to_string(),
    };
    let flow = match written.as_str() {
        "1" => Flow::ToRight,
        "2" => Flow::ToLeft,
        "3" => Flow::Both,
        _ => {
            let help = "1 is finance to Dataverse, 2 the other way, 3 both";
            findings.push(refuse(direction.span, format!("{shown}: `{written}` is no sync direction"), help));
            return None;
        }
    };
    let mut out = Mapping {
        index,
        source,
        destination,
        flow,
        values: None,
        default: None,
        unknown: None,
        notes: vec![],
        related: json
            .get("destinationLookupFieldRelatedEntity")
            .and_then(Json::text)
            .filter(|t| !t.is_empty())
            .map(str::to_string),
        at: json.span,
    };
    unknown(json, MAPPING, &shown, findings);
    let given = json.get("valueTransforms");
    // Some tools write the list as a text that holds it, or its only member alone.
    let encoded = given.and_then(|v| match &v.kind {
        Kind::Text(t) => inner(t).0,
        _ => None,
    });
    match encoded.as_ref().or(given) {
        Some(Json { kind: Kind::Array(items), .. }) => {
            items.iter().for_each(|t| transform(t, &shown, &mut out, findings));
        }
        Some(one @ Json { kind: Kind::Object(_), .. }) => transform(one, &shown, &mut out, findings),
        Some(Json { kind: Kind::Text(t), .. }) if t.value.text.trim().is_empty() => {}
        None | Some(Json { kind: Kind::Null, .. }) => {}
        // Without its transform the line would bring over what it should not.
        Some(other) => {
            let help = "it is a list of transforms";
            findings.push(refuse(other.span, format!("{shown}: `valueTransforms` is {}", other.word()), help));
            return None;
        }
    }
    Some(out)
}

fn transform(json: &Json, shown: &str, out: &mut Mapping, findings: &mut Vec<Diagnostic>) {
    let named = json.get("transformType").and_then(Json::text).map(str::to_string).or_else(|| {
        let ty = json.get("$type").and_then(Json::text)?;
        ["ValueMap", "Default"].iter().find(|w| ty.contains(&format!(".{w}"))).map(|w| w.to_string())
    });
    let name = named.unwrap_or_else(|| "(unnamed)".into());
    unknown(json, TRANSFORM, shown, findings);
    if name.eq_ignore_ascii_case("ValueMap") && out.values.is_none() {
        let entries = match json.get("valueMap").map(|v| &v.kind) {
            Some(Kind::Object(entries)) => entries.as_slice(),
            _ => {
                findings.push(note::decide(json.span, format!("{shown}: the value map has no pairs; fill them in")));
                &[]
            }
        };
        let plain = |v: &Json| match &v.kind {
            Kind::Null => None,
            Kind::Text(t) => Some(t.value.text.clone()).filter(|t| !t.is_empty()),
            _ => Some(v.compact()),
        };
        let nothing = |t: &str| Some(t.to_string()).filter(|t| !t.is_empty());
        let pairs = entries.iter().map(|(k, v)| PairOf {
            left: nothing(&k.value.text),
            right: plain(v),
            at: Span { end: v.span.end.max(v.span.start), ..k.value.span(0, 0).to(v.span) },
        });
        out.values = Some(pairs.collect());
        if let Some(v) = json.get("createValuesOnDestination")
            && matches!(v.kind, Kind::Boolean(true))
        {
            let message =
                format!("{shown}: `createValuesOnDestination` is on; nobody documents what it does: kept, not run");
            findings.push(note::decide(v.span, message));
        }
    } else if name.eq_ignore_ascii_case("Default") && out.default.is_none() {
        let value = json.get("defaultValue");
        let text = match value.map(|v| &v.kind) {
            Some(Kind::Text(t)) => t.value.text.clone(),
            Some(Kind::Null) | None => String::new(),
            Some(_) => value.map_or(String::new(), Json::compact),
        };
        out.default = Some(Spelled { text, at: value.map_or(json.span, |v| v.span) });
    } else {
        out.unknown = Some(name);
        out.at = json.span;
    }
}

/// Integration keys, from the document that the environment keeps them in: table and columns.
pub fn keys(text: &Mapped) -> (Vec<(String, Vec<String>)>, Vec<Diagnostic>) {
    let (json, broken) = json::parse(text);
    let mut findings: Vec<Diagnostic> =
        broken.into_iter().map(|b| Diagnostic::new(Code::TM1301, b.span, b.message)).collect();
    let mut out = vec![];
    if let Some(json) = &json {
        keys_of(json, 0, &mut out);
    }
    if out.is_empty() && findings.is_empty() {
        findings.push(
            Diagnostic::new(Code::TM1301, text.span(0, 0), "the file holds no integration keys")
                .help("it is an object: `{ \"integrationKeys\": { \"accounts\": [\"accountnumber\"] } }`"),
        );
    }
    (out, findings)
}

fn keys_of(json: &Json, depth: usize, out: &mut Vec<(String, Vec<String>)>) {
    if depth > 6 {
        return;
    }
    let texts = |v: &Json| match &v.kind {
        Kind::Array(items) => Some(items.iter().filter_map(Json::text).map(str::to_string).collect::<Vec<_>>()),
        Kind::Text(t) => {
            Some(t.value.text.split(',').map(|p| p.trim().to_string()).filter(|p| !p.is_empty()).collect())
        }
        _ => None,
    };
    match &json.kind {
        Kind::Text(t) => {
            if let Some(inner) = inner(t).0 {
                keys_of(&inner, depth + 1, out);
            }
        }
        Kind::Array(items) => items.iter().for_each(|i| keys_of(i, depth + 1, out)),
        Kind::Object(entries) => {
            let table = json.get("name").and_then(Json::text);
            // `{ name, keys: [{ fields, isIntegrationKey }] }`
            if let (Some(table), Some(keys)) = (table, json.get("keys").and_then(Json::items)) {
                let integration =
                    |k: &&Json| matches!(k.get("isIntegrationKey").map(|v| &v.kind), Some(Kind::Boolean(true)));
                if let Some(fields) = keys.iter().find(integration).and_then(|k| k.get("fields")).and_then(texts) {
                    out.push((table.to_string(), fields));
                }
                return;
            }
            let known = ["integrationKeys", "environments", "schemas", "value"];
            let nested: Vec<&Json> = known.iter().filter_map(|k| json.get(k)).collect();
            if !nested.is_empty() {
                nested.iter().for_each(|n| keys_of(n, depth + 1, out));
                return;
            }
            for (k, v) in entries {
                if let Some(fields) = texts(v).filter(|f| !f.is_empty()) {
                    out.push((k.value.text.clone(), fields));
                }
            }
        }
        _ => {}
    }
}
