//! `run`: the live sync.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::lock::EngineLock;
use super::open::{self, Loaded, code_of};
use super::out::{Out, many};
use super::reload::{self, Files, Next, Watching};
use super::{legs, progress::Progress};
use crate::engine::{Engine, EngineError, Env, Report};
use crate::store::StoreError;

/// Live sync: carry over what changes, until stopped
#[derive(clap::Args)]
#[command(after_help = "Edited maps take over while it runs; with errors in them the ones before go on.\n\
    Ctrl-C or SIGTERM ends it between two transactions, with exit code 0; a second one ends it at once.\n\nExamples:\n  \
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
    let env = open::env(true)?;
    let engine = loaded.engine(env.clone())?;
    let out = &context.out;
    let progress = Progress::new(out, &loaded, !args.once);
    if args.once {
        return match engine.run_once(select.as_deref(), &progress) {
            Ok(report) => {
                legs::print(out, &loaded, &report);
                resting(&engine, &loaded, select.as_deref(), out)?;
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
    drop(progress);
    live(Next { loaded, engine, select }, env, args, context)
}

/// Runs until stopped; edited maps take over on the way.
fn live(mut now: Next, env: Env, args: &Args, context: &Context) -> Outcome {
    let out = &context.out;
    let n = now.select.as_ref().map_or(now.loaded.checked.maps.len(), Vec::len);
    out.note(format!("running {}; stop with Ctrl-C", many(n, "map")));
    let mut files = Files::of(&now.loaded);
    let mut all = Report::default();
    loop {
        let watching = Watching::new(context, &now.loaded, &args.maps, env.clone(), &mut files);
        let report = match now.engine.run(now.select.as_deref(), &watching) {
            Ok(report) => report,
            Err(EngineError::Cancelled) => Report::default(),
            Err(e) => return Err(e.into()),
        };
        report.legs.iter().for_each(|l| all.add(l));
        let Some(next) = watching.next().filter(|_| !env.cancelled()) else { break };
        if let Err(e) = next.engine.widen_from(&now.engine) {
            out.note(format!("the files changed, the maps before go on: {e}"));
            continue;
        }
        match now.engine.settle(now.select.as_deref(), &Progress::new(out, &now.loaded, true)) {
            Ok(settled) => settled.legs.iter().for_each(|l| all.add(l)),
            // What could not be carried over stays in the log, for the maps that come now.
            Err(EngineError::Store(e @ (StoreError::Unreachable { .. } | StoreError::Lost { .. }))) => {
                out.note(e.to_string());
            }
            Err(e) => return Err(e.into()),
        }
        out.note(format!("the files changed: {}", reload::changes(&now.loaded, &next.loaded)));
        now = next;
    }
    out.note("stopped on request; what was done is kept");
    legs::print(out, &now.loaded, &all);
    Ok(Code::Fine)
}

/// Says which maps were left out because they rest.
fn resting(engine: &Engine, loaded: &Loaded, select: Option<&[usize]>, out: &Out) -> Result<(), Failure> {
    if !out.talks() {
        return Ok(());
    }
    let mut said: Vec<String> = Vec::new();
    for leg in engine.status()? {
        let chosen = select.is_none_or(|s| s.iter().any(|m| loaded.checked.maps[*m].id == leg.map));
        let (what, command) = match leg.state.as_str() {
            "paused" => ("is paused", "resume"),
            "too many failures" => ("stopped itself after too many failures", "resume"),
            "stopped" => ("was stopped", "sync"),
            _ => continue,
        };
        let text = format!("note: map `{}` {what}; `tablemap {command} {}`", leg.map, leg.map);
        if chosen && !said.contains(&text) {
            out.note(&text);
            said.push(text);
        }
    }
    Ok(())
}
