//! `sync`: the initial sync.

use super::Context;
use super::failure::Outcome;
use super::lock::EngineLock;
use super::open::{self, code_of};
use super::{legs, progress::Progress, side};

/// Initial sync: copy everything once, then what changed meanwhile
#[derive(clap::Args)]
#[command(
    after_help = "Maps run in the order of what is looked up first. A sync that was killed goes on where it was.\n\nExamples:\n  \
    tablemap sync                               all maps that run live\n  \
    tablemap sync customers-v3-accounts         one map, by id, name or label\n  \
    tablemap sync --changed                     maps edited since they were last copied\n  \
    tablemap sync --master finance              finance decides where both sides have the record\n  \
    tablemap sync --format json | jq .legs      counts for programs"
)]
pub(super) struct Args {
    /// The side that wins: `left`, `right`, or a store by name. Without it each map's `initial` says
    #[arg(long, value_name = "left|right|STORE")]
    master: Option<String>,
    /// Copy only maps that were edited since they were last copied; the others work off what changed
    #[arg(long)]
    changed: bool,
    /// Maps by id, name or label; none = all that run live
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let select = loaded.runnable(context, &args.maps)?;
    let master = args.master.as_deref().map(|m| side::named("--master", m, &loaded)).transpose()?;
    let _lock = EngineLock::take(&loaded.project.state)?;
    let engine = loaded.engine(open::env(true)?)?;
    let progress = Progress::new(&context.out, &loaded, false);
    let report = match args.changed {
        true => engine.sync_changed(select.as_deref(), master.as_ref(), &progress)?,
        false => engine.sync(select.as_deref(), master.as_ref(), &progress)?,
    };
    legs::print(&context.out, &loaded, &report);
    Ok(code_of(report.failed()))
}
