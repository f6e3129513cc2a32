//! `guard`: fences inside the stores against changes that a map does not allow.

use super::Context;
use super::failure::{Code, Outcome};
use super::open;
use super::out::{many, table};
use super::status::time;
use clap::Subcommand;
use serde_json::json;

/// The fences that keep people from changing what maps fill
#[derive(clap::Args)]
#[command(after_help = "A guard is a trigger in the store, made from the maps' `direct` and `guard` statements. It is a fence, not a security\n\
    boundary.\n\nExamples:\n  \
    tablemap guard install\n  \
    tablemap guard status\n  \
    tablemap guard remove        leaves no trace")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Install the guards of all maps, replacing earlier ones
    #[command(after_help = "Examples:\n  tablemap guard install")]
    Install,
    /// Take every guard away
    #[command(after_help = "Examples:\n  tablemap guard remove")]
    Remove,
    /// What is installed, and what `report` guards saw
    #[command(after_help = "Examples:\n  tablemap guard status --format json")]
    Status,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let out = &context.out;
    match args.action {
        Action::Install => {
            loaded.runnable(context, &[])?;
            let n = loaded.engine(open::env(false)?)?.install_guards()?;
            out.json(&json!({ "installed": n }));
            out.line(format!("{} installed", many(n, "guard")));
        }
        Action::Remove => {
            let mut n = 0;
            for store in loaded.stores()? {
                n += store.remove_guards(&loaded.project.name)?;
            }
            out.json(&json!({ "removed": n }));
            out.line(format!("{} removed", many(n, "guard")));
        }
        Action::Status => {
            let mut installed = Vec::new();
            let mut reports = Vec::new();
            for store in loaded.stores()? {
                let status = store.guards(&loaded.project.name)?;
                let name = store.name().to_string();
                installed.extend(status.installed.into_iter().map(|g| (name.clone(), g)));
                reports.extend(status.reports.into_iter().map(|r| (name.clone(), r)));
            }
            out.json(&json!({
                "installed": installed.iter().map(|(store, (map, table, op, mode))| {
                    json!({ "store": store, "table": table, "operation": op, "mode": mode, "map": map })
                }).collect::<Vec<_>>(),
                "reports": reports.iter().map(|(store, (at, map, table, op, key))| {
                    json!({ "at": at, "store": store, "table": table, "operation": op, "key": key, "map": map })
                }).collect::<Vec<_>>(),
            }));
            let wanted: usize = loaded.checked.maps.iter().map(|m| m.guards.len()).sum();
            if installed.is_empty() {
                out.line(match wanted {
                    0 => "the maps ask for no guards".into(),
                    n => format!("no guard is installed; the maps ask for {n}: `tablemap guard install`"),
                });
            } else {
                let rows = installed
                    .into_iter()
                    .map(|(store, (map, table, op, mode))| vec![format!("{store}.{table}"), op, mode, map])
                    .collect();
                out.line(table(&["table", "operation", "mode", "map"], rows));
            }
            if !reports.is_empty() {
                let rows = reports
                    .into_iter()
                    .map(|(store, (at, map, table, op, key))| vec![time(&at), format!("{store}.{table}"), op, key, map])
                    .collect();
                out.line(format!("\nchanges that were not allowed:\n{}", table(&["when (UTC)", "table", "operation", "key", "map"], rows)));
            }
        }
    }
    Ok(Code::Fine)
}
