//! `grants`: the least rights that maps need in their stores, as SQL for the owner of the tables.

use super::Context;
use super::failure::{Code, Outcome};
use super::open;
use super::out::{GOOD, paint};
use crate::check::rights;
use serde_json::json;

/// The least rights that the maps need in their stores, as SQL
#[derive(clap::Args)]
#[command(
    after_help = "The statements are for the owner of the tables to run; the stores are only read. SQLite files know no rights.\n\n\
    Examples:\n  \
    tablemap grants                              for the users of the stores' urls\n  \
    tablemap grants invoices --role engine       one map, for another user\n  \
    tablemap grants --missing                    only what has yet to be granted"
)]
pub(super) struct Args {
    /// Maps, by id, name or label; none = all
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
    /// Whom the rights are for; none = each store's user
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only rights that the role has not got
    #[arg(long)]
    missing: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let which = loaded.runnable(context, &args.maps)?;
    let maps: Vec<_> = match &which {
        None => loaded.checked.maps.iter().collect(),
        Some(which) => which.iter().filter_map(|i| loaded.checked.maps.get(*i)).collect(),
    };
    let out = &context.out;
    let mut told = Vec::new();
    for (i, store) in loaded.stores()?.iter().enumerate() {
        let uses = rights::uses(&loaded.checked, i, maps.iter().copied());
        if uses.is_empty() {
            continue;
        }
        let grants = store.grants(&uses, args.role.as_deref())?;
        let some: Vec<_> = grants.iter().filter(|g| g.missing || !args.missing).collect();
        told.extend(some.iter().map(|g| {
            let table = g.table.map(|t| loaded.checked.stores[i].1.get(t).name.clone());
            json!({ "store": store.name(), "table": table, "sql": g.sql, "missing": g.missing })
        }));
        let why = match (grants.is_empty(), some.is_empty()) {
            (true, _) => format!("-- store {}: nothing to grant; whoever may open it may do all", store.name()),
            (_, true) => format!("-- store {}: {}", store.name(), paint(GOOD, "nothing is missing")),
            _ => format!("-- store {}", store.name()),
        };
        out.line(why);
        for grant in some {
            out.line(format!("{};", grant.sql));
        }
    }
    out.json(&json!({ "grants": told }));
    Ok(Code::Fine)
}
