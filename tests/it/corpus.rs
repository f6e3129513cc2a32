//! The corpus of checks: cases are files, no Rust needed to add one.
//!
//! `tests/corpus/check/bad/*` (`.tmap` or `.map.yaml`) begin with two comment lines for each finding, `# expect CODE "text under
//! the span"` and `# says MESSAGE`; `UPDATE=1` writes the messages, for people to read in the change. `tests/corpus/check/ok/*` have none.
//! All cases see the schemas beside the folders; each file is a project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tablemap::diagnostic::Diagnostic;
use tablemap::schema::StoreSchema;
use tablemap::sema::Input;
use tablemap::source::Sources;
use tablemap::{check, schema, syntax};

pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/check")
}

pub fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|f| f.unwrap().path())
        .filter(|p| p.to_string_lossy().ends_with(end))
        .collect();
    all.sort();
    all
}

/// The stores of a folder's schema files, named as the files are.
pub fn stores(sources: &mut Sources, dir: &Path) -> Vec<(String, Arc<StoreSchema>)> {
    let mut stores = vec![];
    for path in files(dir, ".schema.yaml") {
        let name = path.file_name().unwrap().to_string_lossy().replace(".schema.yaml", "");
        let file = sources.add(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        let (schema, findings) = schema::load(sources, file);
        assert!(findings.is_empty(), "{}", shown(sources, &findings));
        stores.push((name, Arc::new(schema)));
    }
    stores
}

fn check_files(sources: &mut Sources, schemas: &Path, maps: &[PathBuf]) -> Vec<Diagnostic> {
    let stores = stores(sources, schemas);
    let mut findings = vec![];
    let mut asts = vec![];
    for path in maps {
        let file = sources.add(path.display().to_string(), std::fs::read_to_string(path).unwrap());
        let yaml = path.extension().is_some_and(|e| e == "yaml");
        let (ast, found) = if yaml { syntax::yaml::parse(sources, file) } else { syntax::dsl::parse(sources, file) };
        findings.extend(found);
        asts.push((file, std::sync::Arc::new(ast)));
    }
    // `# companies USPM, USSI`
    let told = sources
        .iter()
        .find_map(|(_, f)| f.text.lines().find_map(|l| l.strip_prefix("# companies ").map(str::to_string)));
    let companies: Option<Vec<String>> = told.map(|l| l.split(", ").map(str::to_string).collect());
    let companies = companies.as_deref();
    let input = Input { sources, stores: &stores, files: &asts, companies, time_zone: jiff::tz::TimeZone::UTC };
    findings.extend(check::check(&input).1);
    check::allow(sources, &asts, findings).findings
}

pub fn shown(sources: &Sources, findings: &[Diagnostic]) -> String {
    let show = |d: &Diagnostic| tablemap::diagnostic::render::human::render(sources, d, false);
    findings.iter().map(show).collect::<Vec<_>>().join("\n")
}

/// A finding: its code, the text of its place, its message.
type Expected = (String, String, String);

/// `# expect TM0203 "COLOUR"` and `# says …` at the top of a case.
fn expected(text: &str) -> Vec<Expected> {
    let mut all: Vec<Expected> = vec![];
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("# expect ") {
            let (code, rest) = line.split_once(' ').unwrap_or((line, "\"\""));
            let rest = rest.trim();
            let text = rest.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or(rest);
            all.push((code.to_string(), text.to_string(), String::new()));
        } else if let (Some(message), Some(last)) = (line.strip_prefix("# says "), all.last_mut()) {
            last.2 = message.to_string();
        } else {
            break;
        }
    }
    all
}

/// Writes the messages of a case at its top, in the order in which the findings are expected there.
fn state_messages(path: &Path, got: &[Expected]) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut left = got.to_vec();
    let mut top = String::new();
    for (code, place, _) in expected(&text) {
        top.push_str(&format!("# expect {code} \"{place}\"\n"));
        if let Some(i) = left.iter().position(|(c, p, _)| (c, p) == (&code, &place)) {
            top.push_str(&format!("# says {}\n", left.remove(i).2));
        }
    }
    let head = |l: &&str| l.starts_with("# expect ") || l.starts_with("# says ");
    let rest: String = text.split_inclusive('\n').skip_while(head).collect();
    std::fs::write(path, top + &rest).unwrap();
}

#[test]
fn bad_maps_are_found() {
    let mut wrong = vec![];
    let mut seen = BTreeSet::new();
    let dir = corpus().join("bad");
    for path in files(&dir, ".tmap").into_iter().chain(files(&dir, ".map.yaml")) {
        let mut sources = Sources::new();
        let findings = check_files(&mut sources, &corpus(), std::slice::from_ref(&path));
        let mut want = expected(&std::fs::read_to_string(&path).unwrap());
        let place = |d: &Diagnostic| d.span().map_or(String::new(), |s| sources.text(s).to_string());
        let mut got: Vec<Expected> =
            findings.iter().map(|d| (d.code.to_string(), place(d), d.message.clone())).collect();
        if std::env::var_os("UPDATE").is_some() {
            state_messages(&path, &got);
            want = expected(&std::fs::read_to_string(&path).unwrap());
        }
        seen.extend(want.iter().map(|(c, ..)| c.clone()));
        want.sort();
        got.sort();
        if want != got || want.is_empty() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(format!("{name}\n  want {want:?}\n  got  {got:?}\n{}", shown(&sources, &findings)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // Every code that sema and check can give has a case.
    let areas = "TM02".to_string()..="TM1199".to_string();
    let without: Vec<&str> = tablemap::diagnostic::all_codes()
        .iter()
        .map(|(c, _, _)| c.0)
        .filter(|c| areas.contains(&c.to_string()) && !seen.contains(*c))
        .collect();
    assert!(without.is_empty(), "codes without a case in tests/corpus/check/bad: {without:?}");
}

/// What docs/messages.md asks of every message, as far as a program can tell.
#[test]
fn messages_are_written_by_the_page() {
    let mut wrong = vec![];
    let dir = corpus().join("bad");
    for path in files(&dir, ".tmap").into_iter().chain(files(&dir, ".map.yaml")) {
        let mut sources = Sources::new();
        for d in check_files(&mut sources, &corpus(), std::slice::from_ref(&path)) {
            let labels = d.related.iter().map(|l| &l.message);
            for text in [&d.message].into_iter().chain(&d.help).chain(labels) {
                let begins = text.chars().next().is_some_and(|c| !c.is_uppercase());
                let ends = !text.ends_with(['.', '!', ' ']);
                let lower = text.split('`').step_by(2).collect::<String>().to_lowercase();
                let plain = !["invalid", "illegal", "bad ", "node", "token"].iter().any(|w| lower.contains(w));
                if !(begins && ends && plain) {
                    wrong.push(format!("{}: {text}", d.code));
                }
            }
            if d.span().is_none_or(|s| sources.text(s).is_empty()) {
                wrong.push(format!("{}: it has no place", d.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Findings show what one needs to see besides: the schema's column or table, the first of two lines.
#[test]
fn related_places_are_shown() {
    for (case, expected) in [
        ("unknown-column-read.tmap", &["accounts"] as &[&str]),
        ("unknown-column-on-a-path.tmap", &["currencies"]),
        ("makes-no-sense.tmap", &["SINCE", "onhold"]),
        ("lossy-decimal.tmap", &["CENTS", "credit"]),
        ("text-may-be-too-long.tmap", &["NAME", "longname"]),
        ("read-only-written.tmap", &["BALANCE"]),
        ("required-without-source.tmap", &["kind"]),
        ("key-not-unique.tmap", &["Customers"]),
        ("no-lookup.tmap", &["name"]),
        ("lookup-to-several-tables.tmap", &["customer"]),
        ("lookup-to-another-table.tmap", &["customer"]),
        ("nobody-fills.tmap", &["regions"]),
        ("written-twice.tmap", &["NAME"]),
        ("lookup-written-twice.tmap", &["uuid_of('x', NAME) >> currency"]),
        ("written-twice-through-a-lookup.tmap", &["CURRENCY > currency.iso"]),
        ("exit-without-delete.tmap", &["operations left: create, update"]),
        ("against-the-map.tmap", &["tables     erp.Customers <- crm.accounts"]),
    ] {
        let mut sources = Sources::new();
        let findings = check_files(&mut sources, &corpus(), &[corpus().join("bad").join(case)]);
        let shown: Vec<&str> = findings[0].related.iter().map(|l| sources.text(l.span)).collect();
        assert_eq!(shown, expected, "{case}");
    }
}

#[test]
fn good_maps_have_no_findings() {
    let dir = corpus().join("ok");
    for path in files(&dir, ".tmap").into_iter().chain(files(&dir, ".map.yaml")) {
        let mut sources = Sources::new();
        let findings = check_files(&mut sources, &corpus(), std::slice::from_ref(&path));
        assert!(findings.is_empty(), "{}", shown(&sources, &findings));
    }
}

/// Whatever is written: no panic, and a map that is left out has an error.
#[test]
fn maps_with_a_line_missing_are_judged_too() {
    let mut sources = Sources::new();
    let stores = stores(&mut sources, &corpus());
    for path in files(&corpus().join("bad"), ".tmap").iter().chain(&files(&corpus().join("ok"), ".tmap")) {
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        for gap in 0..lines.len() {
            let mut rest = lines.clone();
            rest.remove(gap);
            let mut sources = Sources::new();
            let file = sources.add(path.display().to_string(), rest.join("\n"));
            let (ast, mut findings) = syntax::dsl::parse(&sources, file);
            // An overlay and its base are one.
            let maps = ast.maps.iter().filter(|m| m.extends.is_none()).count();
            let asts = [(file, std::sync::Arc::new(ast))];
            let time_zone = jiff::tz::TimeZone::UTC;
            let input = Input { sources: &sources, stores: &stores, files: &asts, companies: None, time_zone };
            let (project, found) = check::check(&input);
            findings.extend(found);
            let error = findings.iter().any(|d| d.severity == tablemap::diagnostic::Severity::Error);
            assert!(error || project.maps.len() == maps, "{} without line {gap}", path.display());
            assert_eq!(project.order.len(), project.maps.len());
        }
    }
}

/// An overlay that says nothing, or what the base says, is the base.
#[test]
fn overlays_that_change_nothing_are_their_bases() {
    use tablemap::source::At;
    use tablemap::syntax::ast::{Edit, Map, Name};
    let mut seen = 0;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("maps/project-operations");
    for dir in [corpus().join("ok"), shipped] {
        for path in files(&dir, ".tmap") {
            let mut sources = Sources::new();
            let schemas = if dir.ends_with("ok") { corpus() } else { dir.join("schemas") };
            let stores = stores(&mut sources, &schemas);
            let file = sources.add(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
            let ast = std::sync::Arc::new(syntax::dsl::parse(&sources, file).0);
            if ast.maps.iter().any(|m| m.extends.is_some()) {
                continue;
            }
            let check = |asts: &[(tablemap::source::FileId, std::sync::Arc<syntax::ast::File>)]| {
                let time_zone = jiff::tz::TimeZone::UTC;
                let input = Input { sources: &sources, stores: &stores, files: asts, companies: None, time_zone };
                let (project, findings) = check::check(&input);
                let maps: Vec<_> =
                    project.maps.iter().map(|m| (m.id.clone(), m.name.clone(), m.hash.clone())).collect();
                (maps, shown(&sources, &findings))
            };
            let before = check(&[(file, ast.clone())]);
            for restated in [false, true] {
                let overlay = |m: &Map| Map {
                    extends: m.id.as_ref().map(|id| Name { text: id.it.clone(), at: At::default() }),
                    tables: m.tables.clone().filter(|_| restated),
                    filter: if restated { m.filter.clone() } else { vec![] },
                    edits: match restated {
                        true => {
                            m.fields.iter().map(|l| Edit::Set(Box::new(l.clone()), Some(Box::new(l.clone())))).collect()
                        }
                        false => vec![],
                    },
                    at: m.at,
                    ..Map::default()
                };
                let over = syntax::ast::File { maps: ast.maps.iter().map(overlay).collect(), ..Default::default() };
                seen += over.maps.len();
                assert_eq!(check(&[(file, ast.clone()), (file, over.into())]), before, "{}", path.display());
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn shipped_maps_have_no_findings() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("maps/project-operations");
    let mut maps = files(&dir, ".tmap");
    maps.extend(files(&dir, ".map.yaml"));
    let mut sources = Sources::new();
    let findings = check_files(&mut sources, &dir.join("schemas"), &maps);
    assert!(findings.is_empty(), "{}", shown(&sources, &findings));
}
