//! `fmt`: the canonical layout of both notations.

use super::Context;
use super::failure::Outcome;
use super::files;
use super::open::{self, code_of};
use super::out::many;
use super::unified;
use crate::sema;
use crate::source::Sources;
use serde_json::json;
use std::path::PathBuf;

/// Give map files their canonical layout
#[derive(clap::Args)]
#[command(after_help = "Comments are kept. A file with errors is left as it is.\n\nExamples:\n  \
    tablemap fmt                     every map of the project\n  \
    tablemap fmt maps/orders.tmap    one file\n  \
    tablemap fmt --check --diff      for CI: lists what is not in layout and how it would be, changes nothing\n  \
    tablemap fmt --was               after the base of an overlay was looked at\n\n\
    Names are written as the project's schemas spell them, where a store does not tell case apart.")]
pub(super) struct Args {
    /// Change nothing; exit with 1 if a file is not in layout
    #[arg(long)]
    check: bool,
    /// Show what would change as a diff; change nothing
    #[arg(long)]
    diff: bool,
    /// In overlays, note at each `set` which line of the base it replaces now
    #[arg(long)]
    was: bool,
    /// Files, or folders with map files below them; none = the project's maps
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut sources = Sources::new();
    let (mut files, broken) = files::read(context, &args.paths, &mut sources)?;
    let look = args.check || args.diff;
    let mut changed = Vec::new();
    let mut diffs = String::new();
    let mut schemas = files::Schemas::default();
    let project = if args.was { Some(open::load(context)?) } else { None };
    for f in &mut files {
        if let Some(project) = &project {
            let input = project.input();
            f.ast.maps.iter_mut().for_each(|m| sema::note_replaced(&input, m));
        }
        sema::spell(schemas.of(&f.path), &mut f.ast);
        let text = files::write_checked(&f.ast, f.notation, &f.path)?;
        let file = sources.file(f.file);
        if text == file.text {
            continue;
        }
        if args.diff {
            let diff = unified::unified(&file.name, &file.text, &text);
            if !context.out.is_for_program() {
                context.out.raw(&diff);
            }
            diffs.push_str(&diff);
        }
        if !look {
            files::replace(&f.path, &text)?;
        }
        let name = file.name.clone();
        match (look, args.diff) {
            (true, true) => context.out.note(format!("not in layout: {name}")),
            (true, false) => context.out.line(format!("not in layout: {name}")),
            (false, _) => context.out.line(format!("written: {name}")),
        }
        changed.push(name);
    }
    let mut report = json!({ "format": 1, "checked": files.len(), "changed": changed, "broken": broken });
    if args.diff {
        report["diff"] = json!(diffs);
    }
    context.out.json(&report);
    if broken {
        context.out.note("files with errors were left as they are");
    }
    context.out.note(match (changed.len(), look) {
        (0, _) if files.is_empty() => return Ok(code_of(broken)),
        (0, _) => format!("{}: in layout", many(files.len(), "file")),
        (n, true) => format!("{} of {} not in layout; `tablemap fmt` writes them", n, many(files.len(), "file")),
        (n, false) => format!("{} of {} written", n, many(files.len(), "file")),
    });
    Ok(code_of(broken || (look && !changed.is_empty())))
}
