//! What comes in from others and goes back, and versions of maps: the bodies of `documented`, `dual_write` and `versions`.

use super::{Input, in_bounds, read, same, text};
use tablemap::import::{self, Import, Options, Told};
use tablemap::source::{FileId, Sources, Span};
use tablemap::syntax::{ast, dsl as tmap};
use tablemap::{change, check as checks, export, schema as schemas};

/// Mapping tables in Markdown: what comes of them is a project that can be checked.
pub fn documented(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut sources = Sources::new();
    let file = sources.add("input.md", text);
    let (told, findings) = import::documented(&sources, file);
    in_bounds(&sources, &findings);
    if told.is_empty() {
        return;
    }
    brought(&mut sources, told);
}

/// Dual-write's JSON and XML: what comes of them is a project that can be checked, and an unchanged map goes back as it was.
pub fn dual_write(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut sources = Sources::new();
    let file = sources.add("input.json", text);
    let (told, findings) = import::dual_write(&sources, file);
    in_bounds(&sources, &findings);
    if told.is_empty() {
        return;
    }
    let (done, stores) = brought(&mut sources, told);
    for m in &done.maps {
        let source = export::Source {
            map: &m.map,
            values: &[],
            schemas: [Some(&stores[0]), Some(&stores[1])],
            kept: m.original.as_ref(),
            record: false,
        };
        match export::export(&source) {
            Err(why) => {
                panic!("an imported map cannot go back: {:?}", why.iter().map(|d| &d.message).collect::<Vec<_>>())
            }
            Ok(back) => {
                let was = m.original.as_ref().map(import::json::Json::compact);
                assert_eq!(Some(back.json.compact()), was, "not the document it was");
            }
        }
    }
}

/// Maps of an import can be written and read, their schemas too.
fn brought(sources: &mut Sources, told: Vec<Told>) -> (Import, [schemas::StoreSchema; 2]) {
    let names = ["finance", "dataverse"];
    let done = import::import(told, &Options { stores: names, keys: &[], known: [None, None], taken: &[] });
    let mut stores = vec![];
    for s in &done.schemas {
        let text = s.text();
        let file = sources.add("sketch.schema.yaml", text.as_str());
        let (schema, findings) = schemas::load(sources, file);
        assert!(findings.is_empty(), "{text}\n{findings:?}");
        stores.push(schema);
    }
    let mut files = vec![];
    for m in &done.maps {
        in_bounds(sources, &m.findings);
        let tree = ast::File { maps: vec![m.map.clone()], ..ast::File::default() };
        // A text with a line break has a form in YAML only, and the command says so.
        if !tmap::unwritable(&tree).is_empty() {
            continue;
        }
        let written = tmap::write(&tree);
        let file = sources.add(format!("{}.tmap", m.id), written.as_str());
        let (again, findings) = tmap::parse(sources, file);
        assert!(findings.is_empty(), "{written}\n{findings:?}");
        same(&tree, &again, &written);
        assert_eq!(written, tmap::write(&again), "not the same twice");
        files.push((file, std::sync::Arc::new(again)));
    }
    let Ok(loaded) = <[schemas::StoreSchema; 2]>::try_from(stores) else { panic!("two schemas") };
    let shared: Vec<_> =
        names.iter().zip(&loaded).map(|(n, s)| (n.to_string(), std::sync::Arc::new(s.clone()))).collect();
    let time_zone = jiff::tz::TimeZone::UTC;
    let input = Input { sources, stores: &shared, files: &files, companies: None, time_zone };
    let (_, found) = checks::check(&input);
    // What is brought in may be wrong in itself: the check says so.
    in_bounds(sources, &found);
    (done, loaded)
}

/// Three versions of a file, apart by NUL characters: the laws of `diff` and `merge`; what `merge` makes is read back.
pub fn versions(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut parts = text.split('\0');
    let (Some(base), Some(mine), Some(theirs)) = (parts.next(), parts.next(), parts.next()) else { return };
    let mut all = vec![];
    for part in [base, mine, theirs] {
        let (tree, findings) = read(tmap::parse, part);
        if !findings.is_empty() {
            return;
        }
        all.push(tree);
    }
    let [base, mine, theirs] = all.as_slice() else { return };
    let at = Span::new(FileId(0), 0, 0);
    for one in [base, mine, theirs] {
        assert!(change::diff(&[one], &[one]).is_empty(), "a file differs from itself");
    }
    for (old, new) in [(base, mine), (mine, theirs)] {
        let changes = change::diff(&[old], &[new]);
        let _ = (change::text(&changes), change::markdown(&changes));
    }
    for (b, m, t, want) in [(base, mine, base, mine), (base, base, theirs, theirs), (base, mine, mine, mine)] {
        let merged = change::merge(b, m, t, at);
        assert!(merged.conflicts.is_empty(), "a conflict of one side: {:?}", merged.conflicts);
        same(want, &merged.file, &tmap::write(&merged.file));
    }
    let merged = change::merge(base, mine, theirs, at);
    if !tmap::unwritable(&merged.file).is_empty() {
        return;
    }
    let written = tmap::write(&merged.file);
    let (again, findings) = read(tmap::parse, &written);
    assert!(findings.is_empty(), "{written}\n{findings:?}");
    same(&merged.file, &again, &written);
    // The other way round the same things are in conflict.
    let turned = change::merge(base, theirs, mine, at).conflicts.len();
    assert_eq!(turned, merged.conflicts.len(), "conflicts of the other side\n{written}");
}
