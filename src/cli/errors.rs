//! `errors`: what is in quarantine, why, and what to do with it. Takes no lock: it works while `run` runs.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::open::{self, Loaded};
use super::out::{BOLD, DIM, indent, many, paint, table, text_width, wrap};
use super::status::time;
use crate::store::{QuarantineKind, Quarantined};
use crate::value::Key;
use clap::Subcommand;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// Records that failed or wait, and why
#[derive(clap::Args)]
#[command(
    after_help = "A record that waits for another one (parked) is tried again by itself when that one arrives. One that failed is tried\n\
    again when it changes, by itself after a while where that may help, and by `errors retry`.\n\nExamples:\n  \
    tablemap errors list\n  \
    tablemap errors show 3f9a01c2\n  \
    tablemap errors retry --all && tablemap run --once\n  \
    tablemap errors drop 3f9a01c2"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// One line for each record
    #[command(
        after_help = "Examples:\n  tablemap errors list\n  tablemap errors list project-invoice-proposal-v2 --kind failed"
    )]
    List {
        /// Only these: `failed`, `parked`, `held`, `skipped`, `circle`
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// Maps by id, name or label; none = all
        #[arg(value_name = "MAP")]
        maps: Vec<String>,
    },
    /// All there is to know about a record
    #[command(after_help = "Examples:\n  tablemap errors show 3f9a01c2")]
    Show {
        /// Ids from `errors list`
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Try records again with the next cycle
    #[command(
        after_help = "Examples:\n  tablemap errors retry 3f9a01c2\n  tablemap errors retry --map project-invoice-proposal-v2\n  tablemap errors retry --all"
    )]
    Retry(Which),
    /// Forget records: they stay as they are on the other side until they change again
    #[command(
        after_help = "Examples:\n  tablemap errors drop 3f9a01c2\n  tablemap errors drop --map project-invoice-proposal-v2"
    )]
    Drop(Which),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Ids from `errors list`
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All of a map, by id, name or label
    #[arg(long, value_name = "MAP")]
    map: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

/// An entry with its id.
struct Entry {
    id: String,
    map: usize,
    it: Quarantined,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let names: Vec<String> = match &args.action {
        Action::List { maps, .. } => maps.clone(),
        Action::Retry(w) | Action::Drop(w) => w.map.iter().cloned().collect(),
        Action::Show { .. } => vec![],
    };
    let maps = loaded.visible(&names)?;
    let engine = loaded.engine(open::env(false)?)?;
    let mut entries: Vec<Entry> = engine
        .errors(&maps)?
        .into_iter()
        .filter(|(_, e)| e.kind != QuarantineKind::Debt)
        .map(|(map, it)| Entry { id: id(&it), map, it })
        .collect();
    let out = &context.out;
    match &args.action {
        Action::List { kind, .. } => {
            if let Some(word) = kind {
                let Some(kind) = QuarantineKind::from_word(word) else {
                    return Err(Failure::usage(format!("no kind is called `{word}`"))
                        .help("failed, parked, held, skipped or circle"));
                };
                entries.retain(|e| e.it.kind == kind);
            }
            out.json(&json!({ "errors": entries.iter().map(|e| as_json(&loaded, e)).collect::<Vec<_>>() }));
            list(context, &loaded, &entries);
        }
        Action::Show { ids } => {
            let hits = pick(&entries, ids)?;
            out.json(&json!({ "errors": hits.iter().map(|e| as_json(&loaded, e)).collect::<Vec<_>>() }));
            for (i, e) in hits.iter().enumerate() {
                if i > 0 {
                    out.line("");
                }
                show(context, &loaded, e);
            }
        }
        Action::Retry(which) => {
            let hits = chosen(&entries, which)?;
            let n = engine.retry(&hits)?;
            out.json(&json!({ "retried": n }));
            out.line(format!("{} tried again with the next cycle", are(n)));
            out.note("a running `tablemap run` does it now; without one: `tablemap run --once`");
        }
        Action::Drop(which) => {
            let hits = chosen(&entries, which)?;
            let n = engine.drop_entries(&hits)?;
            out.json(&json!({ "dropped": n }));
            out.line(format!("{} forgotten; they are looked at again when they change", are(n)));
        }
    }
    Ok(Code::Fine)
}

fn are(n: usize) -> String {
    if n == 1 { "1 record is".into() } else { format!("{} are", many(n, "record")) }
}

/// A short id that stays the same as long as the entry does.
fn id(e: &Quarantined) -> String {
    let hash = Sha256::digest(format!("{}\0{}\0{}", e.leg, e.key, e.company).as_bytes());
    hash.iter().take(4).map(|b| format!("{b:02x}")).collect()
}

fn chosen(entries: &[Entry], which: &Which) -> Result<Vec<Quarantined>, Failure> {
    if which.ids.is_empty() {
        return Ok(entries.iter().map(|e| e.it.clone()).collect());
    }
    Ok(pick(entries, &which.ids)?.into_iter().map(|e| e.it.clone()).collect())
}

fn pick<'a>(entries: &'a [Entry], ids: &[String]) -> Result<Vec<&'a Entry>, Failure> {
    let mut hits = Vec::new();
    for id in ids {
        let before = hits.len();
        hits.extend(entries.iter().filter(|e| id.len() >= 4 && e.id.starts_with(id.as_str())));
        if hits.len() == before {
            return Err(Failure::usage(format!("no record in quarantine has the id `{id}`"))
                .help("`tablemap errors list` shows the ids; a record that arrived meanwhile is no longer there"));
        }
    }
    Ok(hits)
}

/// `left` or `right`, and the source table of an entry.
fn place(loaded: &Loaded, e: &Entry) -> (String, String) {
    let map = &loaded.checked.maps[e.map];
    let into = e.it.leg.rsplit('/').next().unwrap_or_default().to_string();
    let at = if into == "left" { map.right } else { map.left };
    let (store, schema) = &loaded.checked.stores[at.store];
    (into, format!("{store}.{}", schema.get(at.table).name))
}

/// The record's key for people.
fn key(loaded: &Loaded, e: &Entry) -> String {
    let map = &loaded.checked.maps[e.map];
    let at = if e.it.leg.ends_with("/left") { map.right } else { map.left };
    let table = loaded.checked.stores[at.store].1.get(at.table);
    let types: Vec<_> = table.primary_key.iter().map(|c| table.column(*c).ty.clone()).collect();
    let named = |k: Key| {
        let names = table.primary_key.iter().map(|c| table.column(*c).name.as_str());
        names.zip(k.0.iter()).map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(", ")
    };
    let mut text = Key::parse(&e.it.key, &types).map_or_else(|| e.it.key.clone(), named);
    if !e.it.company.is_empty() {
        text.push_str(&format!(" in {}", e.it.company));
    }
    text
}

fn as_json(loaded: &Loaded, e: &Entry) -> Json {
    let (into, table) = place(loaded, e);
    json!({
        "id": e.id, "map": loaded.checked.maps[e.map].id, "into": into, "kind": e.it.kind.word(), "code": e.it.code,
        "record": { "table": table, "key": key(loaded, e), "company": e.it.company },
        "line": e.it.line, "column": e.it.column, "value": e.it.value, "message": e.it.message,
        "tries": e.it.tries, "since": e.it.since, "next_try": e.it.next_try,
    })
}

fn list(context: &Context, loaded: &Loaded, entries: &[Entry]) {
    let out = &context.out;
    if entries.is_empty() {
        out.line("nothing is in quarantine");
        return;
    }
    let rows = entries
        .iter()
        .map(|e| {
            let (_, table) = place(loaded, e);
            let column = if e.it.column.is_empty() { "–".into() } else { e.it.column.clone() };
            vec![
                e.id.clone(),
                e.it.kind.word().into(),
                e.it.code.clone(),
                loaded.checked.maps[e.map].id.clone(),
                short(&format!("{table} {}", key(loaded, e)), 70),
                short(&column, 30),
                time(&e.it.since),
            ]
        })
        .collect();
    out.line(table(&["id", "kind", "code", "map", "record", "column", "since (UTC)"], rows));
    let count = |k: QuarantineKind| entries.iter().filter(|e| e.it.kind == k).count();
    let parts: Vec<String> = [
        QuarantineKind::Failed,
        QuarantineKind::Parked,
        QuarantineKind::Held,
        QuarantineKind::Skipped,
        QuarantineKind::Circle,
    ]
    .iter()
    .filter(|k| count(**k) > 0)
    .map(|k| format!("{} {}", count(*k), k.word()))
    .collect();
    out.line(format!("\n{}; `tablemap errors show ID` says why and what to do", parts.join(", ")));
}

fn show(context: &Context, loaded: &Loaded, e: &Entry) {
    let out = &context.out;
    let (_, table) = place(loaded, e);
    let map = &loaded.checked.maps[e.map];
    out.line(format!("{}  {} {}", paint(BOLD, &e.id), e.it.kind.word(), e.it.code));
    out.line(indent(&wrap(&e.it.message, text_width(2)), 2));
    let next = match (e.it.next_try.as_str(), e.it.kind) {
        ("", QuarantineKind::Parked) => "when what it waits for arrives".to_string(),
        ("", _) => "when it changes, or by `tablemap errors retry`".into(),
        (at, _) => format!("{} UTC", time(at)),
    };
    for (what, text) in [
        ("map", format!("{} ({})", map.id, map.name)),
        ("record", format!("{table} {}", key(loaded, e))),
        ("line", e.it.line.clone()),
        ("column", e.it.column.clone()),
        ("value", e.it.value.clone()),
        ("since", format!("{} UTC, tried {}", time(&e.it.since), many(e.it.tries.max(0) as usize, "time"))),
        ("again", next),
    ] {
        if !text.is_empty() {
            out.line(format!("  {} {text}", paint(DIM, format!("{what:<7}"))));
        }
    }
}

/// Cut for a table; `errors show` has it whole.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
