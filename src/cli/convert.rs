//! `convert`: one notation into the other, without loss.

use super::Context;
use super::failure::{Failure, Outcome};
use super::files::{self, Notation};
use super::open::code_of;
use crate::diagnostic::{Code, Diagnostic, render};
use crate::source::Sources;
use crate::syntax::{ast, dsl};
use std::path::{Path, PathBuf};

/// Write map files in the other notation
#[derive(clap::Args)]
#[command(after_help = "Comments are kept; nothing is lost on the way there and back.\n\nExamples:\n  \
    tablemap convert --to yaml maps/orders.tmap            to stdout\n  \
    tablemap convert --to yaml --out maps/orders.tmap      beside it: maps/orders.map.yaml\n  \
    tablemap convert --to dsl --out=converted maps         every map below maps/ into converted/")]
pub(super) struct Args {
    /// The notation to write
    #[arg(long, value_enum)]
    to: Notation,
    /// Write files: beside the ones read, or into this folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    out: Option<Option<PathBuf>>,
    /// Replace files that are there
    #[arg(long, requires = "out")]
    force: bool,
    /// Files, or folders with map files below them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut sources = Sources::new();
    let (files, mut broken) = files::read(context, &args.paths, &mut sources)?;
    // All is worked out before the first file is written.
    let mut done: Vec<(PathBuf, String)> = Vec::new();
    for f in &files {
        if f.ast.maps.is_empty() && f.ast.values.is_empty() {
            broken = true;
            context
                .out
                .error(&format!("`{}` holds no map, so there is nothing to convert\n", sources.file(f.file).name));
            continue;
        }
        let lost = if args.to == Notation::Dsl { dsl::unwritable(&f.ast) } else { vec![] };
        if !lost.is_empty() {
            broken = true;
            for d in &lost {
                context.out.error(&render::human::render(&sources, d, true));
            }
            continue;
        }
        if let Some(d) = twice(&f.ast).filter(|_| args.to == Notation::Yaml) {
            broken = true;
            context.out.error(&render::human::render(&sources, &d, true));
            continue;
        }
        let parts = split(&f.ast, args.to);
        if parts.len() > 1 && args.out.is_none() {
            return Err(Failure::new(format!(
                "`{}` holds {} maps, and a YAML file holds one",
                sources.file(f.file).name,
                parts.len()
            ))
            .help("write files with `--out`: one for each map"));
        }
        let several = parts.len() > 1;
        for part in parts {
            let text = files::write_checked(&part, args.to, &f.path)?;
            let stem = match part.maps.first().and_then(|m| m.id.as_ref()) {
                Some(id) if several => id.it.clone(),
                _ => stem(&f.path),
            };
            let name = format!("{stem}{}", args.to.ending());
            let path = match &args.out {
                Some(Some(dir)) => dir.join(name),
                _ => f.path.with_file_name(name),
            };
            done.push((path, text));
        }
    }
    match &args.out {
        None => done.iter().for_each(|(_, text)| context.out.raw(text)),
        Some(dir) => {
            if let Some((path, _)) = done.iter().find(|(p, _)| p.exists()).filter(|_| !args.force) {
                return Err(Failure::new(format!("`{}` is there already", path.display()))
                    .help("`--force` replaces it; nothing was written"));
            }
            if let Some(dir) = dir {
                std::fs::create_dir_all(dir).map_err(|e| Failure::io("make", dir, &e))?;
            }
            for (path, text) in &done {
                files::replace(path, text)?;
                context.out.line(format!("written: {}", path.display()));
            }
            let written: Vec<String> = done.iter().map(|(p, _)| p.display().to_string()).collect();
            context.out.json(&serde_json::json!({ "format": 1, "written": written, "broken": broken }));
        }
    }
    Ok(code_of(broken))
}

/// One file for each map where the notation has room for one only; the shared value maps go with the first.
fn split(file: &ast::File, to: Notation) -> Vec<ast::File> {
    if to == Notation::Dsl || file.maps.len() < 2 {
        return vec![file.clone()];
    }
    let last = file.maps.len() - 1;
    file.maps
        .iter()
        .enumerate()
        .map(|(i, map)| ast::File {
            values: if i == 0 { file.values.clone() } else { vec![] },
            maps: vec![map.clone()],
            end: if i == last { file.end.clone() } else { ast::Trivia::default() },
        })
        .collect()
}

/// The second of two shared value maps of one name: a mapping of YAML has a key once.
fn twice(file: &ast::File) -> Option<Diagnostic> {
    let mut all = file.values.iter().enumerate();
    let (first, second) = all.find_map(|(i, v)| {
        let first = file.values[..i].iter().find(|w| w.name.text == v.name.text)?;
        Some((first, v))
    })?;
    let message = format!("there is a value map `{}` already, and a YAML file holds one of a name", second.name.text);
    let d = Diagnostic::new(Code::TM0210, second.name.at.0, message).related(first.name.at.0, "here");
    Some(d.help("use the one, or rename the other: value maps are shared by the whole project"))
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let cut = [".tmap", ".map.yaml", ".map.yml"].iter().find_map(|e| name.strip_suffix(e));
    cut.unwrap_or(&name).to_string()
}
