//! `export`: maps in the format of another product.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::files;
use super::open::{self, Loaded};
use super::out::{DIM, WARN, many, paint};
use crate::diagnostic::render;
use crate::export::{self, Exported, Source};
use crate::import::json::{self, Json, Kind};
use crate::import::{Mapped, names};
use crate::source::FileId;
use crate::syntax::ast::{self, ExprKind};
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write maps in the format of another product
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap export dual-write customers-v3-accounts\n  \
    tablemap export dual-write customers-v3-accounts --out exported")]
pub(super) struct Args {
    #[command(subcommand)]
    to: To,
}

#[derive(Subcommand)]
enum To {
    /// The JSON of dual-write's table maps
    #[command(
        name = "dual-write",
        after_help = "Where the map was imported, `ID.dual-write.json` beside it is written back with what the map says otherwise;\n\
        else a new document. What dual-write cannot say is refused, with the reason.\n\nExamples:\n  \
        tablemap export dual-write customers-v3-accounts                one map, on stdout\n  \
        tablemap export dual-write --out exported                       every map of the project, a file each\n  \
        tablemap export dual-write --out exported --keys keys.json      with the integration keys"
    )]
    DualWrite {
        /// Maps, by id or name; none = all
        #[arg(value_name = "MAP")]
        maps: Vec<String>,
        /// Write a file for each map into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Write the integration keys into this file
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
        /// For maps that were not imported: a whole record, with version and properties
        #[arg(long)]
        record: bool,
        /// Replace files that are there
        #[arg(long)]
        force: bool,
    },
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let To::DualWrite { maps, out, keys, record, force } = &args.to;
    let loaded = open::load(context)?;
    let all: Vec<(FileId, &ast::Map)> =
        loaded.files.iter().flat_map(|(f, t)| t.maps.iter().map(move |m| (*f, m))).collect();
    let id = |m: &ast::Map| m.id.as_ref().map_or(String::new(), |i| i.it.clone());
    let chosen: Vec<(FileId, &ast::Map)> = match loaded.select(maps)? {
        None => all,
        Some(ids) => ids.iter().filter_map(|i| all.iter().find(|(_, m)| id(m) == *i).copied()).collect(),
    };
    if chosen.is_empty() {
        return Err(Failure::new("the project has no maps"));
    }
    let values: Vec<&ast::ValuesDecl> = loaded.files.iter().flat_map(|(_, f)| &f.values).collect();
    let mut done: Vec<(String, Exported)> = vec![];
    let mut refused = vec![];
    for (file, map) in &chosen {
        let kept = kept(&loaded, *file, &id(map))?;
        let source =
            Source { map, values: &values, schemas: schemas(&loaded, map), kept: kept.as_ref(), record: *record };
        match export::export(&source) {
            Ok(e) => done.push((id(map), e)),
            Err(why) => refused.extend(why),
        }
    }
    if !refused.is_empty() {
        open::print_findings(context, &loaded.sources, &refused, 0);
        let n = chosen.len() - done.len();
        return Err(Failure::new(format!(
            "{} cannot be said in dual-write's format; nothing was written",
            many(n, "map")
        ))
        .help("mend what is named, or name the maps that are to be exported"));
    }
    let mut files: Vec<(PathBuf, String)> = vec![];
    if let Some(dir) = out {
        files.extend(done.iter().map(|(id, e)| (dir.join(format!("{id}.json")), e.json.pretty())));
    }
    if let Some(path) = keys {
        files.push((path.clone(), integration_keys(&chosen)));
    }
    if let Some((path, _)) = files.iter().find(|(p, _)| p.exists()).filter(|_| !force) {
        return Err(Failure::new(format!("`{}` is there already", path.display()))
            .help("`--force` replaces it; nothing was written"));
    }
    for (path, text) in &files {
        if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(|e| Failure::io("make", dir, &e))?;
        }
        files::replace(path, text)?;
    }
    match (out, done.as_slice()) {
        (None, [(_, one)]) => context.out.raw(&one.json.pretty()),
        (None, several) => {
            let items = several.iter().map(|(_, e)| e.json.clone()).collect();
            context.out.raw(&Json::made(Kind::Array(items)).pretty());
        }
        (Some(_), _) => {
            let written: Vec<String> = files.iter().map(|(p, _)| p.display().to_string()).collect();
            written.iter().for_each(|w| context.out.line(format!("written: {w}")));
            context.out.json(&json!({
                "format": 1, "written": written,
                "maps": done.iter().map(|(id, e)| json!({
                    "id": id,
                    "notes": e.notes.iter().map(|n| n.message.as_str()).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            }));
        }
    }
    for (_, e) in &done {
        for d in &e.notes {
            context.out.note(format!("{} {}", paint(WARN, "note:"), render::concise::render(&loaded.sources, d)));
        }
    }
    if out.is_some() {
        context.out.note(paint(DIM, format!("{} exported", many(done.len(), "map"))));
    }
    Ok(Code::Fine)
}

/// The document that an import kept beside the map.
fn kept(loaded: &Loaded, file: FileId, id: &str) -> Result<Option<Json>, Failure> {
    let map = loaded.project.maps.iter().find(|m| m.file == file).map(|m| m.path.clone());
    let Some(dir) = map.as_deref().and_then(Path::parent) else { return Ok(None) };
    let path = dir.join(format!("{id}.dual-write.json"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::io("read", &path, &e)),
    };
    match json::parse(&Mapped::made(&text)) {
        (Some(json), None) => Ok(Some(json)),
        (_, broken) => {
            let why = broken.map_or(String::new(), |b| format!(": {}", b.message));
            Err(Failure::new(format!("`{}` cannot be read{why}", path.display()))
                .help("take it from version control, import the map again, or remove it to write a new document"))
        }
    }
}

fn schemas<'a>(loaded: &'a Loaded, map: &ast::Map) -> [Option<&'a crate::schema::StoreSchema>; 2] {
    let Some(tables) = map.tables.as_ref().map(|t| &t.it) else { return [None, None] };
    [&tables.left, &tables.right].map(|t| loaded.project.store(&t.store.text).map(|s| s.schema.as_ref()))
}

/// The keys of maps, as the environment takes them.
fn integration_keys(maps: &[(FileId, &ast::Map)]) -> String {
    let mut keys = serde_json::Map::new();
    for (_, map) in maps {
        let Some(tables) = map.tables.as_ref().map(|t| &t.it) else { continue };
        let path = |e: &ast::Expr| match &e.kind {
            ExprKind::Path(p) => Some(names::path_text(p)),
            _ => None,
        };
        let mut fields: Vec<String> = map.key.iter().filter_map(|l| path(&l.right)).collect();
        fields.extend(map.company.iter().filter_map(|c| path(&c.it.right)));
        keys.entry(tables.right.table.text.clone()).or_insert(json!(fields));
    }
    format!("{:#}\n", json!({ "integrationKeys": keys }))
}
