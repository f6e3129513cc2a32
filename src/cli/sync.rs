//! `sync`: the initial sync.

use super::Context;
use super::failure::{Failure, Outcome};
use super::lock::EngineLock;
use super::open::{self, Loaded, code_of};
use super::{legs, progress::Progress};
use crate::diagnostic::did_you_mean;
use crate::engine::Master;
use crate::syntax::ast::Side;

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
    let master = args.master.as_deref().map(|m| master(m, &loaded)).transpose()?;
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

fn master(word: &str, loaded: &Loaded) -> Result<Master, Failure> {
    match word {
        "left" => Ok(Master::Side(Side::Left)),
        "right" => Ok(Master::Side(Side::Right)),
        store if loaded.project.store(store).is_some() => Ok(Master::Store(store.to_string())),
        other => {
            let names = loaded.project.stores.iter().map(|s| s.name.as_str()).chain(["left", "right"]);
            let help = did_you_mean(other, names.clone())
                .unwrap_or_else(|| format!("write one of: {}", names.collect::<Vec<_>>().join(", ")));
            Err(Failure::usage(format!("`--master {other}` is no side and no store")).help(help))
        }
    }
}
