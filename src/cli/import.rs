//! `import`: table maps of others as a project.

use super::Context;
use super::failure::{Failure, Outcome};
use super::files::{self, Notation};
use super::open::{self, code_of};
use super::out::{DIM, ERROR, GOOD, HELP, WARN, many, paint, shell};
use crate::diagnostic::{Code, Diagnostic, Severity, render};
use crate::import::{self, Imported, Mapped, Options, Told};
use crate::project;
use crate::schema::{self, NewSchema, StoreSchema};
use crate::source::{Sources, Span};
use crate::syntax::{ast, dsl};
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bring in table maps of others, as a project that checks at once
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap import dual-write solution.zip --out my-project\n  \
    tablemap import documented mapping-reference.md --out my-project\n\n\
    docs/import.md says what is carried over, what is decided, and what is left to a person.")]
pub(super) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    /// Maps of dual-write: exported JSON, `customizations.xml`, or the solution zip that holds it
    #[command(
        name = "dual-write",
        after_help = "Beside each map lies `ID.dual-write.json`, the document it came from: `export dual-write` writes it\n\
        back with the changes of the map, and nothing is lost on the way.\n\nExamples:\n  \
        tablemap import dual-write customers.json --out my-project\n  \
        tablemap import dual-write solution.zip --keys integration-keys.json --out my-project\n  \
        tablemap import dual-write exports/ --out my-project --force --format json"
    )]
    DualWrite {
        #[command(flatten)]
        wish: Wish,
        /// Integration keys of the environment, as JSON: `{ "integrationKeys": { "accounts": ["accountnumber"] } }`
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Mapping-reference tables in Markdown, in any language
    #[command(
        after_help = "A table `field | map type | column | default value` below a heading `Entity (table)`.\n\nExamples:\n  \
        tablemap import documented mapping-tables.md --out my-project\n  \
        tablemap import documented includes/ --out my-project"
    )]
    Documented {
        #[command(flatten)]
        wish: Wish,
    },
}

#[derive(clap::Args)]
struct Wish {
    /// Files, or folders with such files below them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The project's folder; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The name of the finance store
    #[arg(long, value_name = "STORE", default_value = "finance")]
    left: String,
    /// The name of the Dataverse store
    #[arg(long, value_name = "STORE", default_value = "dataverse")]
    right: String,
    /// The notation of the maps
    #[arg(long, value_enum, default_value = "dsl")]
    notation: Notation,
    /// Replace maps that are there
    #[arg(long)]
    force: bool,
}

/// The largest file that is read.
const LIMIT: u64 = 64 * 1024 * 1024;

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut sources = Sources::new();
    let mut findings = vec![];
    let (wish, told, keys) = match &args.from {
        From::Documented { wish } => {
            let mut told = vec![];
            for path in found(&wish.paths, &["md", "markdown"])? {
                match project::read_text(&path, LIMIT, &mut sources, None) {
                    Ok(file) => {
                        let (more, found) = import::documented(&sources, file);
                        // Other documents may lie in a folder; a file that was named should hold maps.
                        if more.is_empty() && found.is_empty() && wish.paths.contains(&path) {
                            let at = Span::new(file, 0, 0);
                            let d = Diagnostic::new(Code::TM1301, at, "the file holds no table of field mappings");
                            findings.push(d.help(
                                "a map is a heading `Entity (table)` and below it `field | map type | column | default value`",
                            ));
                        }
                        add(&mut told, &mut findings, (more, found));
                    }
                    Err(d) => findings.push(*d),
                }
            }
            (wish, told, vec![])
        }
        From::DualWrite { wish, keys } => {
            let mut told = vec![];
            for path in found(&wish.paths, &["json", "xml", "zip"])? {
                if is_zip(&path) {
                    let bytes = bytes(&path)?;
                    add(&mut told, &mut findings, import::solution(&path.to_string_lossy(), &bytes, &mut sources));
                    continue;
                }
                match project::read_text(&path, LIMIT, &mut sources, None) {
                    Ok(file) => add(&mut told, &mut findings, import::dual_write(&sources, file)),
                    Err(d) => findings.push(*d),
                }
            }
            let keys = match keys {
                Some(path) => read_keys(path, &mut sources, &mut findings)?,
                None => vec![],
            };
            (wish, told, keys)
        }
    };
    bring(wish, told, &keys, findings, sources, context)
}

fn add(told: &mut Vec<Told>, findings: &mut Vec<Diagnostic>, (more, found): (Vec<Told>, Vec<Diagnostic>)) {
    told.extend(more);
    findings.extend(found);
}

fn is_zip(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let size = std::fs::metadata(path).map_err(|e| Failure::io("read", path, &e))?.len();
    if size > LIMIT {
        return Err(Failure::new(format!("`{}` is larger than {} MiB", path.display(), LIMIT / 1024 / 1024))
            .help("export the maps in a solution of their own"));
    }
    std::fs::read(path).map_err(|e| Failure::io("read", path, &e))
}

pub(super) fn read_keys(
    path: &Path,
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let file = project::read_text(path, LIMIT, sources, None).map_err(|d| Failure::new(d.message))?;
    let (keys, more) = import::integration_keys(&Mapped::whole(&sources.file(file).text, file));
    findings.extend(more);
    Ok(keys)
}

/// The files of these paths; in folders those with one of the endings.
fn found(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = vec![];
    for path in paths {
        if path.is_dir() {
            let before = all.len();
            folder(path, endings, 0, &mut all)?;
            if all.len() == before {
                return Err(Failure::new(format!("`{}` holds no file to import", path.display()))
                    .help(format!("looked for: .{}", endings.join(", ."))));
            }
        } else {
            all.push(path.clone());
        }
    }
    Ok(all)
}

fn folder(path: &Path, endings: &[&str], depth: usize, all: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(path).map_err(|e| Failure::io("read", path, &e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for p in paths {
        if p.is_dir() && !p.is_symlink() && depth < 16 {
            folder(&p, endings, depth + 1, all)?;
        } else if p.extension().is_some_and(|e| endings.iter().any(|w| e.eq_ignore_ascii_case(w))) {
            all.push(p);
        }
    }
    Ok(())
}

/// Where the files of a project go.
struct Place {
    root: PathBuf,
    /// Whether there is a project already.
    there: bool,
    schemas: [PathBuf; 2],
    known: [Option<Arc<StoreSchema>>; 2],
}

fn place(wish: &Wish, context: &Context) -> Result<Place, Failure> {
    let root = if wish.out.is_absolute() { wish.out.clone() } else { context.dir.join(&wish.out) };
    let stores = [&wish.left, &wish.right];
    if wish.left == wish.right {
        return Err(Failure::usage("`--left` and `--right` name the same store"));
    }
    if let Some(name) = stores.iter().find(|s| s.is_empty() || !s.chars().all(|c| c.is_alphanumeric() || c == '_')) {
        return Err(Failure::usage(format!("`{name}` cannot name a store")).help("letters, digits and `_` only"));
    }
    let mut place = Place {
        schemas: stores.map(|s| root.join("schemas").join(format!("{s}.schema.yaml"))),
        known: [None, None],
        there: root.join("tablemap.yaml").exists(),
        root,
    };
    if place.there {
        let loaded = open::load_dir(context, &place.root)?;
        for (i, name) in stores.iter().enumerate() {
            let Some(config) = loaded.project.store(name) else {
                return Err(Failure::usage(format!("the project there has no store `{name}`"))
                    .help("say which stores the maps are about: `--left STORE --right STORE`"));
            };
            place.schemas[i].clone_from(&config.schema_path);
            if config.schema_path.exists() {
                place.known[i] = Some(config.schema.clone());
            }
        }
        return Ok(place);
    }
    for (i, path) in place.schemas.clone().iter().enumerate() {
        if !path.exists() {
            continue;
        }
        let mut sources = Sources::new();
        let file = project::read_text(path, LIMIT, &mut sources, None).map_err(|d| Failure::new(d.message))?;
        let (schema, findings) = schema::load(&sources, file);
        if let Some(d) = findings.first() {
            return Err(Failure::new(format!("`{}` has findings of its own: {}", path.display(), d.message)));
        }
        place.known[i] = Some(Arc::new(schema));
    }
    Ok(place)
}

fn bring(
    wish: &Wish,
    told: Vec<Told>,
    keys: &[(String, Vec<String>)],
    mut findings: Vec<Diagnostic>,
    sources: Sources,
    context: &Context,
) -> Outcome {
    let place = place(wish, context)?;
    let options = Options {
        stores: [&wish.left, &wish.right],
        keys,
        known: [place.known[0].as_deref(), place.known[1].as_deref()],
        taken: &[],
    };
    let done = import::import(told, &options);
    let mut texts: Vec<(PathBuf, String)> = vec![];
    let mut maps: Vec<(&Imported, String)> = vec![];
    for m in &done.maps {
        findings.extend(m.findings.iter().cloned());
        let tree = ast::File { maps: vec![m.map.clone()], ..ast::File::default() };
        let lost = if wish.notation == Notation::Dsl { dsl::unwritable(&tree) } else { vec![] };
        if let Some(d) = lost.first() {
            findings.push(Diagnostic::nowhere(Code::TM1301, format!("`{}` was not imported: {}", m.name, d.message)));
            continue;
        }
        let name = format!("maps/{}{}", m.id, wish.notation.ending());
        let path = place.root.join(&name);
        texts.push((path.clone(), files::write_checked(&tree, wish.notation, &path)?));
        if let Some(original) = &m.original {
            texts.push((place.root.join(format!("maps/{}.dual-write.json", m.id)), original.pretty()));
        }
        maps.push((m, name));
    }
    let wrong = maps.is_empty();
    if !wrong {
        let taken: Vec<String> =
            texts.iter().filter(|(p, _)| p.exists()).map(|(p, _)| p.display().to_string()).collect();
        if let Some(first) = taken.first().filter(|_| !wish.force) {
            let more = if taken.len() > 1 { format!(" (and {} more)", taken.len() - 1) } else { String::new() };
            return Err(Failure::new(format!("`{first}`{more} is there already; nothing was written"))
                .help("`--force` replaces it; schemas are never replaced, only added to"));
        }
        for (i, schema) in done.schemas.iter().enumerate() {
            texts.extend(schema_text(&place, i, schema)?);
        }
        if !place.there {
            texts.push((place.root.join("tablemap.yaml"), project_file(wish)));
        }
        for (path, text) in &texts {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir).map_err(|e| Failure::io("make", dir, &e))?;
            }
            files::replace(path, text)?;
        }
    }
    let failed = findings.iter().any(|d| d.severity == Severity::Error);
    let written: Vec<String> = texts
        .iter()
        .filter(|_| !wrong)
        .map(|(p, _)| p.strip_prefix(&place.root).unwrap_or(p).display().to_string())
        .collect();
    context.out.json(&report(&sources, &maps, &findings, &written));
    tell(context, wish, &sources, &maps, &findings);
    if wrong {
        return Err(Failure::new("no map could be imported; nothing was written"));
    }
    Ok(code_of(failed))
}

/// A new schema file, or what is added to the one that is there.
fn schema_text(place: &Place, i: usize, schema: &NewSchema) -> Result<Option<(PathBuf, String)>, Failure> {
    let path = &place.schemas[i];
    let new = if place.known[i].is_some() {
        if schema.tables.is_empty() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(path).map_err(|e| Failure::io("read", path, &e))?;
        format!(
            "{}\n\n  # Sketched from what table maps say; types are guesses.\n{}",
            text.trim_end(),
            schema.tables_text()
        )
    } else {
        schema.text()
    };
    let mut sources = Sources::new();
    let file = sources.add(path.to_string_lossy(), new.as_str());
    let (_, findings) = schema::load(&sources, file);
    match findings.first() {
        None => Ok(Some((path.clone(), new))),
        Some(d) => Err(Failure::new(format!("`{}` cannot be written: {}", path.display(), d.message))
            .help("if the file is yours, bring its tables into block style; else please report this")),
    }
}

fn project_file(wish: &Wish) -> String {
    let (l, r) = (&wish.left, &wish.right);
    format!(
        "# Imported table maps. The stores are placeholders: say where yours are, and replace the sketched schemas.\n\
         stores:\n  {l}: {{ kind: sqlite, path: data/{l}.db, schema: schemas/{l}.schema.yaml }}\n  \
         {r}: {{ kind: sqlite, path: data/{r}.db, schema: schemas/{r}.schema.yaml }}\n\
         maps: [\"maps/**/*.tmap\", \"maps/**/*.map.yaml\"]\n"
    )
    .replace(", \"maps/**/*.map.yaml\"", if wish.notation == Notation::Yaml { ", \"maps/**/*.map.yaml\"" } else { "" })
    .replace("\"maps/**/*.tmap\", ", if wish.notation == Notation::Yaml { "" } else { "\"maps/**/*.tmap\", " })
}

fn report(
    sources: &Sources,
    maps: &[(&Imported, String)],
    findings: &[Diagnostic],
    written: &[String],
) -> serde_json::Value {
    let told = |of: &[Diagnostic], codes: &[Code]| -> Vec<serde_json::Value> {
        let of = of.iter().filter(|d| codes.contains(&d.code));
        of.map(|d| json!({ "code": d.code.0, "message": d.message, "at": d.span().map(|s| sources.at(s)) })).collect()
    };
    let maps: Vec<serde_json::Value> = maps
        .iter()
        .map(|(m, file)| {
            json!({
                "id": m.id, "name": m.name, "file": file, "from": m.from,
                "carried_over": {
                    "mappings": m.mappings, "key": m.key_from.len(), "lines": m.fields_from.len(),
                    "filters": m.map.filter.len(),
                },
                "decided": told(&m.findings, &[Code::TM1306]),
                "to_decide": told(&m.findings, &[Code::TM1303, Code::TM1305, Code::TM1307]),
                "left_out": told(&m.findings, &[Code::TM1301, Code::TM1302, Code::TM1304]),
            })
        })
        .collect();
    let all = serde_json::to_value(render::json::report(sources, findings, 0, None)).unwrap_or_default();
    json!({ "format": 1, "written": written, "maps": maps, "findings": all["findings"] })
}

fn tell(context: &Context, wish: &Wish, sources: &Sources, maps: &[(&Imported, String)], findings: &[Diagnostic]) {
    let out = &context.out;
    for d in findings.iter().filter(|d| d.severity == Severity::Error) {
        out.line(format!("{}\n", render::human::render(sources, d, true)));
    }
    let decide = |f: &[Diagnostic]| f.iter().filter(|d| d.severity == Severity::Warning).count();
    for (m, file) in maps {
        let errors = m.findings.iter().filter(|d| d.severity == Severity::Error).count();
        let mut parts = vec![];
        if errors > 0 {
            parts.push(paint(ERROR, format!("{errors} left out")));
        }
        match decide(&m.findings) {
            0 => {}
            n => parts.push(paint(WARN, format!("{n} to decide"))),
        }
        if parts.is_empty() {
            parts.push(paint(GOOD, "all carried over"));
        }
        let lines = format!("{} of {}", m.key_from.len() + m.fields_from.len(), many(m.mappings, "mapping"));
        out.line(format!("{file}  {}  {}", paint(DIM, lines), parts.join(", ")));
    }
    if maps.is_empty() {
        return;
    }
    let n = decide(findings);
    let at = wish.out.display().to_string();
    out.line(format!(
        "{}, {}; {} to a person",
        many(maps.len(), "map"),
        paint(GOOD, format!("in {at}")),
        many(n, "question")
    ));
    out.line("The questions stand in the maps as `# decide: …`, what the import settled as `# decided: …`.");
    out.line(format!("Next: {}", paint(HELP, format!("tablemap check -C {}", shell(&at)))));
}
