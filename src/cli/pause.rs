//! `pause`, `resume`, `stop`: what the legs of maps are to do. A running engine sees it before its next cycle.

use super::Context;
use super::failure::{Code, Outcome};
use super::open;
use super::out::{WARN, paint};
use crate::engine::EngineError;
use serde_json::json;

/// Let maps rest; what changes meanwhile waits
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap pause customers-v3-accounts     one map, both directions\n  \
    tablemap pause                           all maps")]
pub(super) struct Args {
    /// Maps by id, name or label; none = all
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

/// Let paused maps go on
#[derive(clap::Args)]
#[command(
    after_help = "What changed meanwhile is carried over, in its latest state. A map that stopped itself after too many failures\n\
    goes on too.\n\nExamples:\n  \
    tablemap resume customers-v3-accounts\n  \
    tablemap resume                          all maps\n  \
    tablemap resume --skip customers-v3-accounts   without what changed meanwhile"
)]
pub(super) struct ResumeArgs {
    /// Leave out what changed meanwhile: it is kept as `skipped` (`errors list`), and can be retried
    #[arg(long)]
    skip: bool,
    /// Maps by id, name or label; none = all
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

/// Stop maps for good; a later `sync` starts them again
#[derive(clap::Args)]
#[command(
    after_help = "Nothing is kept for a stopped map: `tablemap sync MAP` starts it again, from the beginning.\n\nExamples:\n  \
    tablemap stop customers-v3-accounts\n  \
    tablemap stop                            all maps"
)]
pub(super) struct StopArgs {
    /// Every map, which is what no name means too
    #[arg(long, conflicts_with = "maps", hide = true)]
    all: bool,
    /// Maps by id, name or label; none = all
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

pub(super) fn pause(args: &Args, context: &Context) -> Outcome {
    say(&args.maps, context, "pause", "paused")
}

pub(super) fn resume(args: &ResumeArgs, context: &Context) -> Outcome {
    match args.skip {
        true => say(&args.maps, context, "skip", "running, without what was pending"),
        false => say(&args.maps, context, "run", "running"),
    }
}

pub(super) fn stop(args: &StopArgs, context: &Context) -> Outcome {
    say(&args.maps, context, "stop", "stopped")
}

fn say(names: &[String], context: &Context, desired: &str, now: &str) -> Outcome {
    let loaded = open::load(context)?;
    let maps = loaded.visible(names)?;
    let engine = loaded.engine(open::env(false)?)?;
    let out = &context.out;
    let mut done = Vec::new();
    let mut refused = false;
    for m in maps {
        let id = &loaded.checked.maps[m].id;
        let done_as = match desired {
            "skip" => engine.skip_pending(&[m]),
            _ => engine.set_desired(&[m], desired),
        };
        match done_as {
            Ok(0) => {
                let why = "never ran, so there is nothing to do; `tablemap sync` starts it";
                if !names.is_empty() {
                    refused = true;
                }
                out.note(format!("{id}: {why}"));
                done.push(json!({ "map": id, "legs": 0, "state": "never ran" }));
            }
            Ok(legs) => {
                out.line(format!("{id}: {now} ({legs} direction{})", if legs == 1 { "" } else { "s" }));
                done.push(json!({ "map": id, "legs": legs, "state": now }));
            }
            Err(EngineError::Refused(reason)) => {
                refused = true;
                out.error(&format!("{} {reason}", paint(WARN, "left as it is:")));
                done.push(json!({ "map": id, "legs": 0, "state": "stopped" }));
            }
            Err(e) => return Err(e.into()),
        }
    }
    out.json(&json!({ "maps": done }));
    Ok(if refused { Code::Findings } else { Code::Fine })
}
