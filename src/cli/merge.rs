//! `merge`: one file of two versions that began as one, by meaning; also as a merge driver of git.

use super::Context;
use super::failure::{Failure, Outcome};
use super::files::{self, Notation};
use super::open::{self, code_of};
use super::out::many;
use crate::change;
use crate::diagnostic::{Diagnostic, Severity, render};
use crate::project;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{ast, dsl};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make one of two versions of a map file, by meaning
#[derive(clap::Args)]
#[command(
    after_help = "What only one side changed is taken. Where both changed the same, MINE stays, with the other versions\n\
    in comments above it, and the exit code is 1. The result has the notation of MINE.\n\nExamples:\n  \
    tablemap merge base.tmap mine.tmap theirs.tmap                    to stdout\n  \
    tablemap merge base.tmap mine.tmap theirs.tmap --out mine.tmap\n  \
    git config merge.tablemap.driver 'tablemap merge %O %A %B --out %A --path %P'\n  \
    echo '*.tmap merge=tablemap' >> .gitattributes                    as git's merge driver"
)]
pub(super) struct Args {
    /// The version both began as
    base: PathBuf,
    /// One version: what stays where both changed the same
    mine: PathBuf,
    /// The other version
    theirs: PathBuf,
    /// Write this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The name the file has, where those given say neither notation nor place (`%P` of git)
    #[arg(long, value_name = "NAME")]
    path: Option<PathBuf>,
}

/// A version.
struct Version {
    notation: Notation,
    file: FileId,
    ast: ast::File,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut sources = Sources::new();
    let mut read = |path: &Path| version(context, args, path, &mut sources);
    let versions = (read(&args.base)?, read(&args.mine)?, read(&args.theirs)?);
    let (Some(base), Some(mine), Some(theirs)) = versions else {
        return Err(Failure::new("a version cannot be read, so nothing was merged").help("mend it first"));
    };
    let merged = change::merge(&base.ast, &mine.ast, &theirs.ast, Span::new(mine.file, 0, 0));
    let same = |a: &Version, b: &Version| {
        a.notation == mine.notation
            && b.notation == mine.notation
            && sources.file(a.file).text == sources.file(b.file).text
    };
    // Where one side changed nothing, the other's file is the result to the letter.
    let text = if same(&base, &theirs) || same(&mine, &theirs) {
        sources.file(mine.file).text.clone()
    } else if same(&base, &mine) && theirs.notation == mine.notation {
        sources.file(theirs.file).text.clone()
    } else {
        let lost = if mine.notation == Notation::Dsl { dsl::unwritable(&merged.file) } else { vec![] };
        if let Some(d) = lost.first() {
            context.out.error(&render::human::render(&sources, d, true));
            return Err(Failure::new("the result cannot be written in the notation of the first side"));
        }
        if mine.notation == Notation::Yaml && merged.file.maps.len() > 1 {
            return Err(Failure::new("the result holds several maps, and a YAML file holds one")
                .help("merge in the other notation: `tablemap convert --to dsl`"));
        }
        files::write_checked(&merged.file, mine.notation, &args.mine)?
    };
    match &args.out {
        Some(path) => files::replace(path, &text)?,
        None if !context.out.is_for_program() => context.out.raw(&text),
        None => {}
    }
    let conflicts = &merged.conflicts;
    if context.out.is_for_program() {
        context.out.json(&json!({
            "format": 1,
            "conflicts": render::json::report(&sources, conflicts, 0, None),
            "out": args.out.as_ref().map(|p| p.display().to_string()),
            "text": if args.out.is_none() { Some(&text) } else { None },
        }));
    } else {
        // The file goes to stdout.
        for d in conflicts {
            context.out.error(&format!("{}\n", render::human::render(&sources, d, true)));
        }
        open::hint(context, conflicts);
        if !conflicts.is_empty() {
            context.out.error(&format!("{} to decide", many(conflicts.len(), "conflict")));
        }
    }
    Ok(code_of(!conflicts.is_empty()))
}

/// Reads a version; findings of its syntax are told.
fn version(context: &Context, args: &Args, path: &Path, sources: &mut Sources) -> Result<Option<Version>, Failure> {
    let file = match project::read_text(path, project::DEFAULT_SIZE, sources, None) {
        Ok(file) => file,
        Err(d) => {
            context.out.error(&render::human::render(sources, &d, true));
            return Ok(None);
        }
    };
    let text = sources.file(file).text.clone();
    let known = Notation::of(path).or_else(|| args.path.as_deref().and_then(Notation::of));
    // Files of git have names that say nothing.
    let notation = known.unwrap_or_else(|| {
        let whole = |n: Notation| !n.parse(sources, file).1.iter().any(|d| d.severity == Severity::Error);
        if !whole(Notation::Dsl) && whole(Notation::Yaml) { Notation::Yaml } else { Notation::Dsl }
    });
    // There was none yet.
    if text.trim().is_empty() {
        return Ok(Some(Version { notation, file, ast: ast::File::default() }));
    }
    let (ast, findings) = notation.parse(sources, file);
    let errors: Vec<&Diagnostic> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
    for d in &errors {
        context.out.error(&render::human::render(sources, d, true));
    }
    Ok(errors.is_empty().then_some(Version { notation, file, ast }))
}
