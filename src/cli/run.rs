//! `run`: the live sync.

use super::Context;
use super::failure::{Code, Outcome};
use super::lock::EngineLock;
use super::open::{self, code_of};
use super::out::many;
use super::{legs, progress::Progress};
use crate::engine::{EngineError, Report};

/// Live sync: carry over what changes, until stopped
#[derive(clap::Args)]
#[command(after_help = "Ctrl-C or SIGTERM ends it between two transactions, with exit code 0; a second one ends it at once.\n\nExamples:\n  \
    tablemap run                              until stopped; scheduled maps run when they are due\n  \
    tablemap run --once                       work off what is pending, then end\n  \
    tablemap run --once import-from-staging   one map, even if it runs by schedule or by hand")]
pub(super) struct Args {
    /// Work off what is pending and end
    #[arg(long)]
    once: bool,
    /// Maps by id, name or label; none = all that run live or by schedule
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let select = loaded.runnable(context, &args.maps)?;
    let _lock = EngineLock::take(&loaded.project.state)?;
    let engine = loaded.engine(open::env(true)?)?;
    let out = &context.out;
    let progress = Progress::new(out, &loaded, !args.once);
    if args.once {
        return match engine.run_once(select.as_deref(), &progress) {
            Ok(report) => {
                legs::print(out, &loaded, &report);
                Ok(code_of(report.failed()))
            }
            Err(EngineError::Cancelled) => {
                out.json(&Report::default());
                out.note("stopped on request; what was done is kept");
                Ok(Code::Fine)
            }
            Err(e) => Err(e.into()),
        };
    }
    let n = select.as_ref().map_or(loaded.checked.maps.len(), Vec::len);
    out.note(format!("running {}; stop with Ctrl-C", many(n, "map")));
    let report = match engine.run(select.as_deref(), &progress) {
        Ok(report) => report,
        Err(EngineError::Cancelled) => Report::default(),
        Err(e) => return Err(e.into()),
    };
    out.note("stopped on request; what was done is kept");
    legs::print(out, &loaded, &report);
    Ok(Code::Fine)
}
