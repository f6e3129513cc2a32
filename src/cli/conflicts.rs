//! `conflicts`: records that changed on both sides, and who is right. Takes no lock: it works while `run` runs.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::open::{self, Loaded};
use super::out::{BOLD, DIM, WARN, paint, table};
use super::status::time;
use crate::engine::Resolution;
use crate::store::ConflictRow;
use crate::syntax::ast::Side;
use clap::Subcommand;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// Records that changed on both sides, and who is right
#[derive(clap::Args)]
#[command(
    after_help = "A map with `conflict hold` or `conflict merge else hold` keeps such a record back, in both directions, until somebody\n\
    decides. Other policies decide by themselves; what they decided is kept too.\n\nExamples:\n  \
    tablemap conflicts list\n  \
    tablemap conflicts show 3f9a01c2\n  \
    tablemap conflicts resolve 3f9a01c2 --left\n  \
    tablemap conflicts resolve 3f9a01c2 --merge --set NAME=right"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// One line for each conflict that waits
    #[command(after_help = "Examples:\n  tablemap conflicts list\n  tablemap conflicts list customers --all")]
    List {
        /// Those that are decided too
        #[arg(long)]
        all: bool,
        /// Maps by id, name or label; none = all
        #[arg(value_name = "MAP")]
        maps: Vec<String>,
    },
    /// What stood in each column before, and what stands on each side
    #[command(after_help = "Examples:\n  tablemap conflicts show 3f9a01c2")]
    Show {
        /// Ids from `conflicts list`
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Decide; both directions then go on
    #[command(
        after_help = "The decision holds for the values there are when it is applied. Columns may be named as on either side.\n\nExamples:\n  \
        tablemap conflicts resolve 3f9a01c2 --left\n  \
        tablemap conflicts resolve 3f9a01c2 --left --set CITY=right\n  \
        tablemap conflicts resolve 3f9a01c2 --merge --set NAME=left"
    )]
    Resolve(Decide),
}

#[derive(clap::Args)]
#[group(id = "who", required = true, multiple = true)]
struct Decide {
    /// Ids from `conflicts list`
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The record becomes what it is on the left
    #[arg(long, group = "who", conflicts_with_all = ["right", "merge"])]
    left: bool,
    /// The record becomes what it is on the right
    #[arg(long, group = "who", conflicts_with = "merge")]
    right: bool,
    /// What changed on one side only is kept; `--set` says who is right about the rest
    #[arg(long, group = "who")]
    merge: bool,
    /// Who is right about one column
    #[arg(long, value_name = "COLUMN=left|right", group = "who")]
    set: Vec<String>,
}

/// A conflict with its id.
struct Entry {
    id: String,
    map: usize,
    row: ConflictRow,
    told: Told,
}

/// What the row's texts say.
struct Told {
    key: Json,
    lines: Vec<Line>,
    /// The side that has the record no more.
    deleted: Option<Side>,
}

/// A two-way line.
struct Line {
    left: String,
    right: String,
    conflict: bool,
    base: [Json; 2],
    now: [Json; 2],
}

impl Line {
    fn is(&self, column: &str) -> bool {
        self.left == column || self.right == column
    }
    /// Whether the conflict is about it: it changed on both sides, or one side has the record no more.
    fn at_stake(&self, told: &Told) -> bool {
        self.conflict || told.deleted.is_some()
    }
}

impl Entry {
    fn is_open(&self) -> bool {
        self.row.outcome == "held"
    }
    /// The columns in conflict, for people.
    fn columns(&self) -> String {
        match self.told.deleted {
            Some(side) => format!("deleted on the {}, changed on the {}", side.word(), side.other().word()),
            None => {
                let of =
                    |l: &Line| if l.left == l.right { l.left.clone() } else { format!("{} = {}", l.left, l.right) };
                self.told.lines.iter().filter(|l| l.conflict).map(of).collect::<Vec<_>>().join(", ")
            }
        }
    }
    /// The record by the key that the map knows it by.
    fn record(&self) -> String {
        let pairs = self.told.key.as_object().into_iter().flatten();
        pairs.map(|(c, v)| format!("{c}={}", shown(v))).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let (names, all) = match &args.action {
        Action::List { maps, all } => (maps.clone(), *all),
        Action::Show { .. } | Action::Resolve(_) => (vec![], true),
    };
    let maps = loaded.visible(&names)?;
    let engine = loaded.engine(open::env(false)?)?;
    let mut entries: Vec<Entry> = engine
        .conflicts(&maps, all)?
        .into_iter()
        .map(|(map, row)| Entry { id: id(&row), map, told: told(&row), row })
        .collect();
    entries.sort_by(|a, b| a.row.at.cmp(&b.row.at));
    let out = &context.out;
    match &args.action {
        Action::List { .. } => {
            out.json(&json!({ "conflicts": entries.iter().map(|e| as_json(&loaded, e)).collect::<Vec<_>>() }));
            list(context, &loaded, &entries, all);
        }
        Action::Show { ids } => {
            let hits = pick(&entries, ids)?;
            out.json(&json!({ "conflicts": hits.iter().map(|e| as_json(&loaded, e)).collect::<Vec<_>>() }));
            for (i, e) in hits.iter().enumerate() {
                if i > 0 {
                    out.line("");
                }
                show(context, &loaded, e);
            }
        }
        Action::Resolve(decide) => {
            let hits = pick(&entries, &decide.ids)?;
            let mut decisions = Vec::new();
            for e in &hits {
                decisions.push(decision(e, decide)?);
            }
            for (e, d) in hits.iter().zip(&decisions) {
                engine.resolve(&e.row, d)?;
                out.line(format!(
                    "{}  {} {}: decided, {}",
                    e.id,
                    loaded.checked.maps[e.map].id,
                    e.record(),
                    d.to_text()
                ));
            }
            out.json(&json!({ "resolved": hits.len() }));
            out.note("a running `tablemap run` applies it now; without one: `tablemap run --once`");
        }
    }
    Ok(Code::Fine)
}

/// A short id that stays the same.
fn id(row: &ConflictRow) -> String {
    let hash = Sha256::digest(format!("{}\0{}\0{}", row.leg, row.id, row.at).as_bytes());
    hash.iter().take(4).map(|b| format!("{b:02x}")).collect()
}

fn told(row: &ConflictRow) -> Told {
    let read = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let (base, left, right) = (read(&row.base), read(&row.left), read(&row.right));
    let line = |l: &Json| {
        let name = |side: &str| l[side].as_str().unwrap_or_default().to_string();
        let (a, b) = (name("left"), name("right"));
        Line {
            conflict: l["conflict"] == true,
            base: [base["left"][&a].clone(), base["right"][&b].clone()],
            now: [left[&a].clone(), right[&b].clone()],
            left: a,
            right: b,
        }
    };
    let deleted = match (left.is_null(), right.is_null()) {
        (true, false) => Some(Side::Left),
        (false, true) => Some(Side::Right),
        _ => None,
    };
    Told {
        key: base["key"].clone(),
        lines: base["lines"].as_array().into_iter().flatten().map(line).collect(),
        deleted,
    }
}

fn pick<'a>(entries: &'a [Entry], ids: &[String]) -> Result<Vec<&'a Entry>, Failure> {
    let mut hits = Vec::new();
    for id in ids {
        let before = hits.len();
        hits.extend(entries.iter().filter(|e| id.len() >= 4 && e.id.starts_with(id.as_str())));
        if hits.len() == before {
            return Err(Failure::usage(format!("no conflict has the id `{id}`"))
                .help("`tablemap conflicts list --all` shows the ids"));
        }
    }
    Ok(hits)
}

/// What the command line says about one conflict.
fn decision(e: &Entry, decide: &Decide) -> Result<Resolution, Failure> {
    if !e.is_open() {
        return Err(Failure::new(format!("conflict {} does not wait: {}", e.id, e.row.outcome))
            .help("change the record on either side; the change travels"));
    }
    let mut set = Vec::new();
    for word in &decide.set {
        let side = |w: &str| [Side::Left, Side::Right].into_iter().find(|s| s.word() == w);
        let Some((column, Some(side))) = word.rsplit_once('=').map(|(c, s)| (c.trim(), side(s.trim()))) else {
            return Err(Failure::usage(format!("`--set {word}` is not COLUMN=left or COLUMN=right")));
        };
        if !e.told.lines.iter().any(|l| l.is(column)) {
            let known: Vec<&str> = e.told.lines.iter().map(|l| l.left.as_str()).collect();
            return Err(Failure::usage(format!("no two-way line of the map has a column `{column}`"))
                .help(format!("two-way columns: {}", known.join(", "))));
        }
        set.push((column.to_string(), side));
    }
    let all = match (decide.left, decide.right) {
        (true, _) => Some(Side::Left),
        (_, true) => Some(Side::Right),
        _ => None,
    };
    if all.is_none() {
        if let Some(side) = e.told.deleted {
            return Err(Failure::usage(format!("the record of conflict {} was deleted on the {}", e.id, side.word()))
                .help(format!(
                    "`--{}` deletes it on the other side too, `--{}` makes it again",
                    side.word(),
                    side.other().word()
                )));
        }
        let open = e.told.lines.iter().filter(|l| l.conflict && !set.iter().any(|(c, _)| l.is(c)));
        let open: Vec<String> = open.map(|l| format!("--set {}=left|right", l.left)).collect();
        if !open.is_empty() {
            return Err(Failure::usage(format!("conflict {} has columns that changed on both sides", e.id))
                .help(format!("say who is right about each: {}", open.join(" "))));
        }
    }
    Ok(Resolution { all, set })
}

fn as_json(loaded: &Loaded, e: &Entry) -> Json {
    let columns: Vec<Json> = e
        .told
        .lines
        .iter()
        .map(|l| {
            json!({
                "left": l.left, "right": l.right, "conflict": l.at_stake(&e.told),
                "base": { "left": l.base[0], "right": l.base[1] },
                "now": { "left": l.now[0], "right": l.now[1] },
            })
        })
        .collect();
    json!({
        "id": e.id, "map": loaded.checked.maps[e.map].id, "record": e.told.key, "at": e.row.at,
        "open": e.is_open(), "outcome": e.row.outcome, "deleted": e.told.deleted.map_or("", Side::word),
        "columns": columns,
    })
}

fn list(context: &Context, loaded: &Loaded, entries: &[Entry], all: bool) {
    let out = &context.out;
    if entries.is_empty() {
        out.line(if all { "there was no conflict" } else { "no conflict waits for a decision" });
        return;
    }
    let rows = entries
        .iter()
        .map(|e| {
            let map = loaded.checked.maps[e.map].id.clone();
            let mut row = vec![e.id.clone(), map, e.record(), e.columns(), time(&e.row.at)];
            if all {
                row.push(e.row.outcome.clone());
            }
            row
        })
        .collect();
    let mut titles = vec!["id", "map", "record", "in conflict", "since (UTC)"];
    if all {
        titles.push("outcome");
    }
    out.line(table(&titles, rows));
    let open = entries.iter().filter(|e| e.is_open()).count();
    out.line(format!(
        "\n{} for a decision; `tablemap conflicts show ID` shows the values",
        if open == 1 { "1 waits".into() } else { format!("{open} wait") }
    ));
}

fn show(context: &Context, loaded: &Loaded, e: &Entry) {
    let out = &context.out;
    let map = &loaded.checked.maps[e.map];
    out.line(format!("{}  {} {}", paint(BOLD, &e.id), map.id, e.record()));
    for (what, text) in
        [("since", format!("{} UTC", time(&e.row.at))), ("outcome", e.row.outcome.clone()), ("about", e.columns())]
    {
        out.line(format!("  {} {text}", paint(DIM, format!("{what:<8}"))));
    }
    let side = |at: crate::sema::TableAt| {
        let (store, schema) = &loaded.checked.stores[at.store];
        format!("{store}.{}", schema.get(at.table).name)
    };
    let gone = |s: Side, v: &Json| if e.told.deleted == Some(s) { "(deleted)".into() } else { shown(v) };
    let rows = e
        .told
        .lines
        .iter()
        .map(|l| {
            let base = match (&l.base[0], &l.base[1]) {
                (a, b) if a == b || b.is_null() => shown(a),
                (a, b) if a.is_null() => shown(b),
                (a, b) => format!("{} = {}", shown(a), shown(b)),
            };
            let name = if l.left == l.right { l.left.clone() } else { format!("{} = {}", l.left, l.right) };
            let mark = if l.conflict { paint(WARN, "both changed") } else { String::new() };
            vec![name, base, gone(Side::Left, &l.now[0]), gone(Side::Right, &l.now[1]), mark]
        })
        .collect();
    let (left, right) = (format!("left: {}", side(map.left)), format!("right: {}", side(map.right)));
    out.line("");
    out.line(table(&["column", "before", &left, &right, ""], rows));
    if e.is_open() {
        let merge = if e.told.deleted.is_some() { "" } else { ", or `--merge --set COLUMN=left|right`" };
        out.line(format!("\n`tablemap conflicts resolve {} --left` or `--right`{merge} decides", e.id));
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "–".into(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
