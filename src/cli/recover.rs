//! `recover`: a store that was restored from a backup, or replaced.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::lock::EngineLock;
use super::open;
use super::out::{WARN, indent, number, paint, table};
use super::progress::Progress;
use crate::diagnostic::did_you_mean;
use serde_json::json;

/// Compare stores after a backup was restored or a store replaced, and go on from there
#[derive(clap::Args)]
#[command(
    after_help = "It compares through the maps. One way: what the source has is written again. Both ways: rows that agree go on; where\n\
    they differ the map's `conflict` decides, or the record is held. Rows that only one side has are told: a one-way map makes\n\
    what its target lacks, nothing else is made, and nothing is deleted.\n\nExamples:\n  \
    tablemap recover --dry-run       what differs; nothing is written\n  \
    tablemap recover                 every map that needs it\n  \
    tablemap recover finance         every map of a store, whatever its state"
)]
pub(super) struct Args {
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Every map that has this store on a side; none = the maps that need it
    #[arg(value_name = "STORE")]
    store: Option<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    loaded.runnable(context, &[])?;
    let store = match &args.store {
        None => None,
        Some(name) => match loaded.checked.stores.iter().position(|(n, _)| n == name) {
            Some(s) => Some(s),
            None => {
                let names = loaded.checked.stores.iter().map(|(n, _)| n.as_str());
                let failure = Failure::usage(format!("no store is called `{name}`"));
                return Err(match did_you_mean(name, names) {
                    Some(help) => failure.help(help),
                    None => failure,
                });
            }
        },
    };
    let _lock = EngineLock::take(&loaded.project.state)?;
    let engine = loaded.engine(open::env(true)?)?;
    let out = &context.out;
    let done = engine.recover(store, args.dry_run, &Progress::new(out, &loaded, false))?;
    out.json(&json!({ "dry_run": args.dry_run, "legs": done.legs }));
    if done.legs.is_empty() {
        out.line("no map needs it: every store is where progress left it");
        return Ok(Code::Fine);
    }
    let cell = |n: Option<u64>| n.map_or("–".to_string(), number);
    let rows = done
        .legs
        .iter()
        .map(|l| {
            let c = &l.counts;
            let mut row = vec![c.map.clone(), loaded.target(&c.map, &c.into)];
            row.extend([c.read, c.created, c.updated, l.conflicts, c.quarantined].map(number));
            row.extend([cell(Some(l.only_in_source)), cell(l.only_in_target)]);
            row
        })
        .collect();
    let titles =
        ["map", "into", ">read", ">created", ">updated", ">conflicts", ">waiting", ">only source", ">only target"];
    out.line(table(&titles, rows));
    for l in done.legs.iter().filter(|l| !l.examples.is_empty()) {
        let left_out = (l.only_in_source + l.only_in_target.unwrap_or(0)).saturating_sub(l.examples.len() as u64);
        out.line(format!(
            "\n{} into {}: only on one side, left as they are",
            l.counts.map,
            loaded.target(&l.counts.map, &l.counts.into)
        ));
        out.line(indent(&l.examples.join("\n"), 2));
        if left_out > 0 {
            out.line(format!("  and {} more", number(left_out)));
        }
    }
    let held: u64 = done.legs.iter().map(|l| l.counts.quarantined).sum();
    if args.dry_run {
        out.note("nothing was written; `tablemap recover` does it");
    } else if held > 0 {
        out.note(format!(
            "{} `tablemap conflicts list` and `tablemap errors list` show what waits",
            paint(WARN, "note:")
        ));
    }
    Ok(if held > 0 { Code::Findings } else { Code::Fine })
}
