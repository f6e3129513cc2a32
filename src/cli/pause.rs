//! `pause`, `resume`, `stop`: what the legs of maps are to do. A running engine sees it before its next cycle.

use super::Context;
use super::failure::{Code, Outcome};
use super::out::{WARN, paint};
use super::{open, side};
use crate::engine::EngineError;
use serde_json::json;

/// Let maps rest; what changes meanwhile waits
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap pause customers-v3-accounts     one map, both directions\n  \
    tablemap pause --into dataverse          what all maps write into dataverse\n  \
    tablemap pause                           all maps")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
}

/// Which legs are meant.
#[derive(clap::Args)]
struct Which {
    /// Only the direction into this side: `left`, `right`, or a store by name
    #[arg(long, value_name = "left|right|STORE")]
    into: Option<String>,
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
    tablemap resume --into left customers-v3-accounts   one direction of it\n  \
    tablemap resume --skip customers-v3-accounts   without what changed meanwhile"
)]
pub(super) struct ResumeArgs {
    /// Leave out what changed meanwhile: it is kept as `skipped` (`errors list`), and can be retried
    #[arg(long)]
    skip: bool,
    #[command(flatten)]
    which: Which,
}

/// Stop maps for good; a later `sync` starts them again
#[derive(clap::Args)]
#[command(
    after_help = "Nothing is kept for a stopped map: `tablemap sync MAP` starts it again, from the beginning. Where one direction\n\
    of a two-way map is stopped, the other one writes over what changed there, as a one-way map does.\n\nExamples:\n  \
    tablemap stop customers-v3-accounts\n  \
    tablemap stop --into dataverse customers-v3-accounts   finance goes on hearing of it, Dataverse does not\n  \
    tablemap stop                            all maps"
)]
pub(super) struct StopArgs {
    /// Every map, which is what no name means too
    #[arg(long, conflicts_with_all = ["maps", "into"], hide = true)]
    all: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn pause(args: &Args, context: &Context) -> Outcome {
    say(&args.which, context, "pause", "paused")
}

pub(super) fn resume(args: &ResumeArgs, context: &Context) -> Outcome {
    match args.skip {
        true => say(&args.which, context, "skip", "running, without what was pending"),
        false => say(&args.which, context, "run", "running"),
    }
}

pub(super) fn stop(args: &StopArgs, context: &Context) -> Outcome {
    say(&args.which, context, "stop", "stopped")
}

fn say(which: &Which, context: &Context, desired: &str, now: &str) -> Outcome {
    let loaded = open::load(context)?;
    let names = &which.maps;
    let maps = loaded.visible(names)?;
    let into = which.into.as_deref().map(|word| side::named("--into", word, &loaded)).transpose()?;
    let engine = loaded.engine(open::env(false)?)?;
    let out = &context.out;
    let mut done = Vec::new();
    let mut refused = false;
    for m in maps {
        let id = &loaded.checked.maps[m].id;
        let into = into.as_ref().map(|named| named.side_of(&loaded.checked, &loaded.checked.maps[m]));
        if into.is_some_and(|side| side.and_then(|s| loaded.checked.maps[m].leg(s)).is_none()) {
            if !names.is_empty() {
                refused = true;
                let word = which.into.as_deref().unwrap_or_default();
                out.error(&format!("map `{id}` has no direction of its own into `{word}`"));
                done.push(json!({ "map": id, "legs": 0, "state": "no such direction" }));
            }
            continue;
        }
        let done_as = match desired {
            "skip" => engine.skip_pending(m, into.flatten()),
            _ => engine.set_desired(m, into.flatten(), desired),
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
