//! `diff`: what changed between two versions of maps, in the words of maps.

use super::failure::{Failure, Outcome};
use super::files;
use super::open::code_of;
use super::out::many;
use super::{Context, Format};
use crate::change::{self, Change, MapChanges, Said};
use crate::source::Sources;
use crate::syntax::ast;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What changed between two versions of maps
#[derive(clap::Args)]
#[command(
    after_help = "Layout, order and comments are no changes; either version may be in either notation.\n\nExamples:\n  \
    tablemap diff old/orders.tmap maps/orders.tmap           two files\n  \
    tablemap diff delivered maps                             two folders; maps are paired by their ids\n  \
    git show main:maps/orders.tmap > old.tmap\n  \
    tablemap diff old.tmap maps/orders.tmap --format markdown   for a pull request"
)]
pub(super) struct Args {
    /// Exit with 1 if anything changed
    #[arg(long)]
    exit_code: bool,
    /// The old version: a map file, or a folder with map files below it
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The new one
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut sources = Sources::new();
    let (old, broken) = files::read(context, std::slice::from_ref(&args.old), &mut sources)?;
    let (new, also) = files::read(context, std::slice::from_ref(&args.new), &mut sources)?;
    if broken || also {
        return Err(Failure::new("a version cannot be read, so nothing was compared").help("mend it first"));
    }
    let trees = |files: &[files::Read]| -> Vec<ast::File> { files.iter().map(|f| f.ast.clone()).collect() };
    let (old, new) = (trees(&old), trees(&new));
    let all = change::diff(&old.iter().collect::<Vec<_>>(), &new.iter().collect::<Vec<_>>());
    let count: usize = all.iter().map(|m| m.changes.len()).sum();
    match context.format {
        Format::Markdown => context.out.raw(&change::markdown(&all)),
        _ => context.out.line(match count {
            0 => "no changes".to_string(),
            _ => format!("{}\n{} in {}", change::text(&all), many(count, "change"), many(all.len(), "map")),
        }),
    }
    context.out.json(&json!({
        "format": 1,
        "maps": all.iter().map(|m| map(&sources, m)).collect::<Vec<_>>(),
        "changes": count,
    }));
    Ok(code_of(args.exit_code && count > 0))
}

fn map(sources: &Sources, m: &MapChanges) -> Value {
    json!({
        "map": if m.id.is_empty() { Value::Null } else { m.id.as_str().into() },
        "name": if m.name.is_empty() { Value::Null } else { m.name.as_str().into() },
        "changes": m.changes.iter().map(|c| one(sources, c)).collect::<Vec<_>>(),
    })
}

fn one(sources: &Sources, c: &Change) -> Value {
    let text = |s: &Option<Said>| s.as_ref().map(|s| s.text.clone());
    let at = |s: &Option<Said>| s.as_ref().map(|s| sources.at(s.at.0));
    let or_null = |t: &str| if t.is_empty() { Value::Null } else { t.into() };
    json!({
        "change": c.kind,
        "what": c.what,
        "subject": or_null(&c.subject),
        "before": text(&c.before),
        "after": text(&c.after),
        "before_at": at(&c.before),
        "after_at": at(&c.after),
        "details": c.details.iter().map(|d| json!({
            "change": d.kind, "what": d.what, "before": or_null(&d.before), "after": or_null(&d.after),
        })).collect::<Vec<_>>(),
    })
}
