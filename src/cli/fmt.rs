//! `fmt`: the canonical layout of both notations.

use super::Context;
use super::failure::Outcome;
use super::files;
use super::open::code_of;
use super::out::many;
use crate::source::Sources;
use serde_json::json;
use std::path::PathBuf;

/// Give map files their canonical layout
#[derive(clap::Args)]
#[command(after_help = "Comments are kept. A file with errors is left as it is.\n\nExamples:\n  \
    tablemap fmt                     every map of the project\n  \
    tablemap fmt maps/orders.tmap    one file\n  \
    tablemap fmt --check             for CI: lists what is not in layout, changes nothing")]
pub(super) struct Args {
    /// Change nothing; exit with 1 if a file is not in layout
    #[arg(long)]
    check: bool,
    /// Files, or folders with map files below them; none = the project's maps
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut sources = Sources::new();
    let (files, broken) = files::read(context, &args.paths, &mut sources)?;
    let mut changed = Vec::new();
    for f in &files {
        let text = files::write_checked(&f.ast, f.notation, &f.path)?;
        if text == sources.file(f.file).text {
            continue;
        }
        if !args.check {
            files::replace(&f.path, &text)?;
        }
        let name = sources.file(f.file).name.clone();
        context.out.line(if args.check { format!("not in layout: {name}") } else { format!("written: {name}") });
        changed.push(name);
    }
    context.out.json(&json!({ "format": 1, "checked": files.len(), "changed": changed, "broken": broken }));
    if broken {
        context.out.note("files with errors were left as they are");
    }
    context.out.note(match (changed.len(), args.check) {
        (0, _) if files.is_empty() => return Ok(code_of(broken)),
        (0, _) => format!("{}: in layout", many(files.len(), "file")),
        (n, true) => format!("{} of {} not in layout; `tablemap fmt` writes them", n, many(files.len(), "file")),
        (n, false) => format!("{} of {} written", n, many(files.len(), "file")),
    });
    Ok(code_of(broken || (args.check && !changed.is_empty())))
}
