//! `capture`: migration windows. Takes no lock: it works while `run` runs.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::open::{self, Loaded};
use super::out::{WARN, many, paint, table};
use crate::diagnostic::did_you_mean;
use crate::engine::{CapturedTable, Engine};
use clap::Subcommand;
use serde_json::json;

/// Migration windows: take capture off tables so that they can be rebuilt
#[derive(clap::Args)]
#[command(
    after_help = "While capture is suspended nothing is logged, and maps that read or write the tables wait. Afterwards they go through the\n\
    tables once more: one-way maps copy, two-way maps compare both sides by their `conflict`.\n\nExamples:\n  \
    tablemap capture suspend finance CustomersV3\n  \
    sqlite3 finance.db 'ALTER TABLE CustomersV3 DROP COLUMN OLD'\n  \
    tablemap capture resume finance CustomersV3"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Which tables are captured, and for which maps
    #[command(after_help = "Examples:\n  tablemap capture status\n  tablemap capture status finance --format json")]
    Status(Which),
    /// Take the triggers off; the maps that use the tables wait
    #[command(
        after_help = "Examples:\n  tablemap capture suspend finance CustomersV3\n  tablemap capture suspend finance"
    )]
    Suspend(Which),
    /// Put the triggers on again; the tables are gone through once more
    #[command(after_help = "Examples:\n  tablemap capture resume\n  tablemap capture resume finance CustomersV3")]
    Resume(Which),
}

#[derive(clap::Args)]
struct Which {
    /// The store; none = all
    #[arg(value_name = "STORE")]
    store: Option<String>,
    /// Its tables; none = all that are captured
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let which = match &args.action {
        Action::Status(w) | Action::Suspend(w) | Action::Resume(w) => w,
    };
    if !matches!(args.action, Action::Status(_)) {
        loaded.runnable(context, &[])?;
    }
    let engine = loaded.engine(open::env(false)?)?;
    let chosen = chosen(&loaded, &engine, which)?;
    let out = &context.out;
    let named = |t: &CapturedTable| {
        let (store, schema) = &loaded.checked.stores[t.store];
        (store.clone(), schema.get(t.table).name.clone())
    };
    match &args.action {
        Action::Status(_) => {
            let state = |t: &CapturedTable| if t.suspended { "suspended" } else { "captured" };
            out.json(&json!({ "tables": chosen.iter().map(|t| {
                let (store, table) = named(t);
                json!({ "store": store, "table": table, "state": state(t), "maps": t.maps })
            }).collect::<Vec<_>>() }));
            if chosen.is_empty() {
                out.line("no map captures a table there");
                return Ok(Code::Fine);
            }
            let rows = chosen.iter().map(|t| {
                let (store, table) = named(t);
                vec![format!("{store}.{table}"), state(t).into(), t.maps.join(", ")]
            });
            out.line(table(&["table", "state", "maps"], rows.collect()));
        }
        Action::Suspend(_) | Action::Resume(_) => {
            let suspend = matches!(args.action, Action::Suspend(_));
            let todo: Vec<&CapturedTable> = chosen.iter().filter(|t| t.suspended != suspend).collect();
            for s in 0..engine.stores.len() {
                let tables: Vec<_> = todo.iter().filter(|t| t.store == s).map(|t| t.table).collect();
                if tables.is_empty() {
                    continue;
                }
                match suspend {
                    true => engine.suspend(s, &tables)?,
                    false => engine.resume_capture(s, &tables)?,
                }
            }
            let word = if suspend { "suspended" } else { "resumed" };
            out.json(&json!({ word: todo.iter().map(|t| {
                let (store, table) = named(t);
                json!({ "store": store, "table": table, "maps": t.maps })
            }).collect::<Vec<_>>() }));
            let mut maps: Vec<&str> = todo.iter().flat_map(|t| &t.maps).map(String::as_str).collect();
            maps.sort_unstable();
            maps.dedup();
            for t in &todo {
                let (store, table) = named(t);
                out.line(format!("{store}.{table}: capture {word}"));
            }
            match (todo.is_empty(), suspend) {
                (true, true) => out.line("capture of these tables is suspended already"),
                (true, false) => out.line("capture of no such table is suspended"),
                (_, true) => {
                    out.line(format!(
                        "{} now: {}",
                        if maps.len() == 1 {
                            "1 map waits".into()
                        } else {
                            format!("{} wait", many(maps.len(), "map"))
                        },
                        maps.join(", ")
                    ));
                    guards(context, &engine, &todo, &loaded)?;
                    out.note("nothing that changes now is logged; `tablemap capture resume` ends the window");
                }
                (_, false) => {
                    out.note("a running `tablemap run` goes through the tables now; without one: `tablemap run --once`")
                }
            }
        }
    }
    Ok(Code::Fine)
}

fn chosen(loaded: &Loaded, engine: &Engine, which: &Which) -> Result<Vec<CapturedTable>, Failure> {
    let store = match &which.store {
        None => None,
        Some(name) => match loaded.checked.stores.iter().position(|(n, _)| n == name) {
            Some(s) => Some(s),
            None => {
                let failure = Failure::usage(format!("no store is called `{name}`"));
                return Err(match did_you_mean(name, loaded.checked.stores.iter().map(|(n, _)| n.as_str())) {
                    Some(help) => failure.help(help),
                    None => failure,
                });
            }
        },
    };
    let all = engine.captured(store)?;
    if which.tables.is_empty() {
        return Ok(all);
    }
    let mut hits = Vec::new();
    for name in &which.tables {
        let is = |t: &CapturedTable| loaded.checked.stores[t.store].1.get(t.table).name == *name;
        match all.iter().find(|t| is(t)) {
            Some(t) => hits.push(t.clone()),
            None => {
                let known = all.iter().map(|t| loaded.checked.stores[t.store].1.get(t.table).name.as_str());
                let failure = Failure::usage(format!("no map captures a table `{name}` there"));
                return Err(match did_you_mean(name, known) {
                    Some(help) => failure.help(help),
                    None => failure.help("`tablemap capture status` shows the tables"),
                });
            }
        }
    }
    Ok(hits)
}

/// Guards are triggers too.
fn guards(context: &Context, engine: &Engine, tables: &[&CapturedTable], loaded: &Loaded) -> Result<(), Failure> {
    for t in tables {
        let name = &loaded.checked.stores[t.store].1.get(t.table).name;
        let installed = engine.stores[t.store].guards(&loaded.project.name)?.installed;
        if installed.iter().any(|(_, table, ..)| table == name) {
            context.out.note(format!(
                "{} guards stand on `{name}` and may be in the way as well: `tablemap guard remove`, later `guard install`",
                paint(WARN, "note:")
            ));
        }
    }
    Ok(())
}
