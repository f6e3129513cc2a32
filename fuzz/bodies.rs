//! What each fuzz target does with an input. The fuzzer (`fuzz_targets/`) and the test that replays what was found
//! (`tests/it/fuzz_corpus.rs`) both include this file; a finding is a panic.

mod exchange;

pub use exchange::{documented, dual_write, versions};

use std::path::Path;
use std::sync::{Arc, OnceLock};
use tablemap::diagnostic::Diagnostic;
use tablemap::schema::StoreSchema;
use tablemap::sema::Input;
use tablemap::source::{FileId, Sources, Span};
use tablemap::syntax::{ast, dsl as tmap, yaml as map_yaml};
use tablemap::yaml as tree;
use tablemap::{check as checks, function, project, schema as schemas, sema};

/// Larger inputs find nothing that smaller ones do not, and take long.
const LIMIT: usize = 64 * 1024;

type Parse = fn(&Sources, FileId) -> (ast::File, Vec<Diagnostic>);
type Write = fn(&ast::File) -> String;

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok().filter(|t| t.len() <= LIMIT)
}

fn read(parse: Parse, text: &str) -> (ast::File, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("input", text);
    let (ast, findings) = parse(&sources, file);
    in_bounds(&sources, &findings);
    (ast, findings)
}

/// Every place lies in the text and does not cut a character; every finding can be shown.
fn in_bounds(sources: &Sources, findings: &[Diagnostic]) {
    let fits = |s: Span, what: &str| {
        let text = &sources.file(s.file).text;
        let (start, end) = (s.start as usize, s.end as usize);
        assert!(start <= end && text.get(start..end).is_some(), "{what}: {start}..{end} of {}", text.len());
    };
    for d in findings {
        d.primary.iter().chain(&d.related).for_each(|l| fits(l.span, d.code.0));
        d.fixes.iter().flat_map(|f| &f.edits).for_each(|e| fits(e.span, d.code.0));
        assert!(!d.message.is_empty());
    }
    for d in findings.iter().take(20) {
        tablemap::diagnostic::render::human::render(sources, d, false);
    }
}

/// What is read without a finding is written, read back equal, and written the same again.
fn there_and_back(parse: Parse, write: Write, text: &str) -> Option<(ast::File, String)> {
    let (first, findings) = read(parse, text);
    if !findings.is_empty() {
        return None;
    }
    let written = write(&first);
    let (second, findings) = read(parse, &written);
    assert!(findings.is_empty(), "written: {written}\nfindings: {findings:?}");
    same(&first, &second, &written);
    assert_eq!(written, write(&second), "not the same twice");
    Some((first, written))
}

/// Two trees that must be equal; else the first line in which they differ.
fn same(first: &ast::File, second: &ast::File, written: &str) {
    if first == second {
        return;
    }
    let shown = |f: &ast::File| {
        let text = format!("{f:#?}");
        text.lines().filter(|l| !l.contains("@")).map(str::to_string).collect::<Vec<_>>()
    };
    let (a, b) = (shown(first), shown(second));
    let at = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    let around = |l: &[String]| l[at.saturating_sub(6)..(at + 3).min(l.len())].join("\n");
    panic!("read back otherwise\n{}\n--- not\n{}\n--- written\n{written}", around(&b), around(&a));
}

/// The DSL: never a panic; what is read well is written and read back.
pub fn dsl(data: &[u8]) {
    if let Some(text) = text(data) {
        there_and_back(tmap::parse, tmap::write, text);
    }
}

/// The YAML notation, as [`dsl`].
pub fn yaml(data: &[u8]) {
    if let Some(text) = text(data) {
        let mut sources = Sources::new();
        let file = sources.add("input", text);
        let (document, findings) = tree::parse(text, file);
        in_bounds(&sources, &findings);
        if let Some(root) = &document.root {
            node_in_bounds(root, text);
        }
        there_and_back(map_yaml::parse, map_yaml::write, text);
    }
}

fn node_in_bounds(node: &tree::Node, text: &str) {
    let fits = |s: Span| assert!(text.get(s.start as usize..s.end as usize).is_some(), "{s:?} of {}", text.len());
    let scalar = |s: &tree::Scalar| {
        for (i, _) in s.text.char_indices().chain([(s.text.len(), ' ')]) {
            assert!(text.is_char_boundary(s.offset(i)), "byte {i} of {:?} is at {}", s.text, s.offset(i));
        }
    };
    fits(node.span);
    match &node.kind {
        tree::Kind::Scalar(s) => scalar(s),
        tree::Kind::Mapping(entries) => entries.iter().for_each(|e| {
            fits(e.key_span);
            scalar(&e.key);
            node_in_bounds(&e.value, text);
        }),
        tree::Kind::Sequence(items) => items.iter().for_each(|i| node_in_bounds(&i.value, text)),
    }
}

/// An expression: read, written, typed, and worked out where it reads no columns; the value is of the type.
pub fn expr(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut sources = Sources::new();
    let file = sources.add("expression", text);
    let (parsed, findings) = tmap::parse_expr(tmap::Fragment { text, file, offset: &|o| o });
    in_bounds(&sources, &findings);
    let Some(parsed) = parsed.filter(|_| findings.is_empty()) else { return };
    let written = tmap::write_expr(&parsed);
    let (again, findings) = tmap::parse_expr(tmap::Fragment { text: &written, file, offset: &|o| o });
    assert!(findings.is_empty(), "written: {written}\nfindings: {findings:?}");
    assert_eq!(Some(&parsed), again.as_ref(), "written: {written}");
    match sema::constant_expression(&sources, &parsed) {
        Err(findings) => {
            assert!(!findings.is_empty(), "no type and no finding");
            in_bounds(&sources, &findings);
        }
        Ok((checked, ty)) => {
            let context = function::Context { time_zone: jiff::tz::TimeZone::UTC };
            let Ok(value) = checked.eval(&context, &[]) else { return };
            // A value outside its type would reach a column unchecked: where the type fits, nothing asks per record.
            let fits = tablemap::value::convert(value.clone().into_owned(), &ty);
            assert_eq!(fits.as_ref(), Ok(&*value), "is not of the type {ty} it was told to have");
        }
    }
}

/// `fmt` in both notations: the same twice, and every comment is still there.
pub fn fmt(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some((_, written)) = there_and_back(tmap::parse, tmap::write, text) {
        assert_eq!(comments_of_dsl(text), comments_of_dsl(&written), "comments\nwritten: {written}");
    }
    if let Some((_, written)) = there_and_back(map_yaml::parse, map_yaml::write, text) {
        assert_eq!(comments_of_yaml(text), comments_of_yaml(&written), "comments\nwritten: {written}");
    }
}

/// What stands behind `#`, outside of quotes; sorted, since layout may move a comment over another.
fn comments_of_dsl(text: &str) -> Vec<String> {
    let mut all = vec![];
    for line in text.split('\n') {
        let mut quote = None;
        for (i, c) in line.char_indices() {
            match (quote, c) {
                (None, '#') => {
                    all.push(line[i + 1..].trim().to_string());
                    break;
                }
                (None, '\'' | '"') => quote = Some(c),
                (Some(q), c) if c == q => quote = None,
                _ => {}
            }
        }
    }
    all.sort();
    all
}

/// Comments on lines of their own, seen without the help of the tree's own comments.
fn comments_of_yaml(text: &str) -> Vec<String> {
    fn scalars(node: &tree::Node, out: &mut Vec<Span>) {
        match &node.kind {
            tree::Kind::Scalar(_) => out.push(node.span),
            tree::Kind::Mapping(entries) => entries.iter().for_each(|e| {
                out.push(e.key_span);
                scalars(&e.value, out);
            }),
            tree::Kind::Sequence(items) => items.iter().for_each(|i| scalars(&i.value, out)),
        }
    }
    let (document, _) = tree::parse(text, FileId(0));
    let mut spans = vec![];
    if let Some(root) = &document.root {
        scalars(root, &mut spans);
    }
    let mut all = vec![];
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let inside = |s: &Span| (s.start as usize) < start && start < s.end as usize;
        if let Some(comment) = line.trim().strip_prefix('#').filter(|_| !spans.iter().any(inside)) {
            all.push(comment.trim().to_string());
        }
    }
    all.sort();
    all
}

/// `convert`: through the other notation and back, equal, comments too.
pub fn convert(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (first, findings) = read(tmap::parse, text);
    // A YAML file holds one map, and one value map of a name (two are TM0210 in any notation).
    let twice = |f: &ast::File| {
        f.values.iter().enumerate().any(|(i, v)| f.values[..i].iter().any(|w| w.name.text == v.name.text))
    };
    if findings.is_empty() && first.maps.len() <= 1 && !twice(&first) {
        through(&first, map_yaml::parse, map_yaml::write);
        let back = read(map_yaml::parse, &map_yaml::write(&first)).0;
        let (want, got) = (comments_of_dsl(&tmap::write(&first)), comments_of_dsl(&tmap::write(&back)));
        assert_eq!(want, got, "comments through YAML:\n{}", map_yaml::write(&first));
    }
    let (first, findings) = read(map_yaml::parse, text);
    // What only YAML can hold is refused by `convert`.
    if findings.is_empty() && tmap::unwritable(&first).is_empty() {
        through(&first, tmap::parse, tmap::write);
    }
}

fn through(first: &ast::File, parse: Parse, write: Write) {
    if first.maps.is_empty() {
        return;
    }
    let written = write(first);
    let (second, findings) = read(parse, &written);
    assert!(findings.is_empty(), "written: {written}\nfindings: {findings:?}");
    same(first, &second, &written);
}

/// Store schemas and project files.
pub fn schema(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut sources = Sources::new();
    let file = sources.add("input", text);
    let (schema, findings) = schemas::load(&sources, file);
    in_bounds(&sources, &findings);
    let columns = |t: &schemas::Table| t.columns.len() as u32;
    for t in &schema.tables {
        if findings.is_empty() {
            assert!(!t.primary_key.is_empty() && !t.columns.is_empty(), "table {}", t.name);
        }
        assert!(t.keys().flatten().chain(&t.company).all(|c| c.0 < columns(t)), "keys of {}", t.name);
    }
    let set = |name: &str| name.len().is_multiple_of(2).then(|| "value".to_string());
    let (_, findings) = project::read(&sources, file, Path::new("."), &set);
    in_bounds(&sources, &findings);
}

/// The stores of the corpus of checks, as the first files of `sources`.
fn corpus_stores(sources: &mut Sources) -> &'static [(String, Arc<StoreSchema>)] {
    static STORES: OnceLock<Vec<(String, Arc<StoreSchema>)>> = OnceLock::new();
    let files = [
        ("crm", include_str!("../tests/corpus/check/crm.schema.yaml")),
        ("erp", include_str!("../tests/corpus/check/erp.schema.yaml")),
    ];
    let ids: Vec<FileId> = files.iter().map(|(name, text)| sources.add(format!("{name}.schema.yaml"), *text)).collect();
    STORES.get_or_init(|| {
        let load =
            |(id, (name, _)): (&FileId, &(&str, &str))| (name.to_string(), Arc::new(schemas::load(sources, *id).0));
        ids.iter().zip(&files).map(load).collect()
    })
}

/// The findings about a map file, in the order of `check`; the maps that were left out.
fn look(text: &str) -> (Sources, Vec<Diagnostic>, usize) {
    let mut sources = Sources::new();
    let stores = corpus_stores(&mut sources);
    let file = sources.add("input.tmap", text);
    let (ast, mut findings) = tmap::parse(&sources, file);
    // An overlay and its base are one.
    let maps = ast.maps.iter().filter(|m| m.extends.is_none()).count();
    let asts = [(file, Arc::new(ast))];
    let time_zone = jiff::tz::TimeZone::UTC;
    let input = Input { sources: &sources, stores, files: &asts, companies: None, time_zone };
    let (checked, found) = checks::check(&input);
    findings.extend(found);
    in_bounds(&sources, &findings);
    let left_out = maps.saturating_sub(checked.maps.len());
    (sources, findings, left_out)
}

/// Everything `check` does with a map file of the corpus' stores.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (_, findings, left_out) = look(text);
    let error = |d: &Diagnostic| d.severity == tablemap::diagnostic::Severity::Error;
    assert!(left_out == 0 || findings.iter().any(error), "a map is left out without a word");
}

/// `check --fix`: no more errors than before, and where the text was read before and is after, no comment lost.
pub fn fix(data: &[u8]) {
    use tablemap::diagnostic::{Severity, apply};
    let Some(text) = text(data).filter(|t| t.len() <= 8 * 1024) else { return };
    let errors = |all: &[Diagnostic]| {
        let errors = all.iter().filter(|d| d.severity == Severity::Error);
        (errors.clone().filter(|d| d.code.0.starts_with("TM01")).count(), errors.count())
    };
    let checked = |text: &str| {
        let (sources, findings, _) = look(text);
        apply::Checked { sources, findings }
    };
    let before = look(text).1;
    for unsafe_too in [false, true] {
        let mut again = |texts: &apply::Texts| Some(checked(texts.get("input.tmap").map_or(text, String::as_str)));
        let done = apply::apply(checked(text), unsafe_too, &mut again);
        let after = done.texts.get("input.tmap").map_or(text, String::as_str);
        let left = look(after).1;
        assert!(errors(&left) <= errors(&before), "worse after {:?}:\n{after}", done.applied);
        assert_eq!(errors(&left), errors(&done.left.findings), "not what was told");
        assert!(done.applied.is_empty() == done.texts.is_empty(), "{:?}", done.applied);
        // An unsafe fix may take away what nobody uses, and what is said inside it.
        let removed = done.applied.iter().any(|f| !f.safe && f.title.starts_with("remove"));
        if errors(&before).0 == 0 && errors(&left).0 == 0 && !removed {
            let kept = comments_of_dsl(after);
            let lost: Vec<String> = comments_of_dsl(text).into_iter().filter(|c| !kept.contains(c)).collect();
            assert!(lost.is_empty(), "comments lost: {lost:?}\n{after}");
        }
    }
}
