//! `status`: where every map stands. Takes no lock: it works while `run` runs.

use super::Context;
use super::failure::{Code, Outcome};
use super::open;
use super::out::{GOOD, WARN, many, number, paint, seconds, table};
use crate::engine::status::LegStatus;
use serde_json::json;

/// Where every map stands
#[derive(clap::Args)]
#[command(
    after_help = "pending: changes not yet looked at · failed: records in quarantine · parked: records that wait for one they look up\n\nExamples:\n  \
    tablemap status\n  \
    tablemap status project-invoice-proposal-v2\n  \
    tablemap status --format json | jq '.legs[] | select(.quarantined > 0)'"
)]
pub(super) struct Args {
    /// Maps by id, name or label; none = all
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let maps = loaded.visible(&args.maps)?;
    let engine = loaded.engine(open::env(false)?)?;
    let mut legs = engine.status()?;
    legs.retain(|l| maps.iter().any(|m| loaded.checked.maps[*m].id == l.map));
    let out = &context.out;
    let logs = engine.log_sizes()?;
    let sizes: Vec<_> = logs
        .iter()
        .map(|(store, l)| json!({ "store": store, "rows": l.rows, "oldest": l.oldest, "bytes": l.bytes, "held_back": l.held_back }))
        .collect();
    out.json(&json!({ "legs": legs, "logs": sizes }));
    let rows = legs
        .iter()
        .map(|l| {
            let lag = if l.pending == 0 { "–".into() } else { seconds(l.lag_seconds) };
            let applied = if l.last_applied_at.is_empty() { "never".into() } else { time(&l.last_applied_at) };
            vec![
                l.map.clone(),
                loaded.target(&l.map, &l.into),
                l.state.clone(),
                number(l.pending),
                number(l.quarantined),
                number(l.parked),
                applied,
                lag,
            ]
        })
        .collect();
    if legs.is_empty() {
        out.line("the project has no maps that could run; `tablemap check` says why");
    } else {
        let titles = ["map", "into", "state", ">pending", ">failed", ">parked", "last applied (UTC)", ">lag"];
        out.line(table(&titles, rows));
    }
    for (store, log) in logs.iter().filter(|(_, l)| l.rows > 0) {
        out.line(format!(
            "\nlog of {store}: {} rows, about {}, the oldest from {}",
            number(log.rows),
            size(log.bytes),
            time(&log.oldest)
        ));
    }
    for (store, log) in &logs {
        if let Some(bytes) = log.held_back {
            out.line(format!("\n{store} keeps {} of WAL for its replication slot", size(bytes)));
        }
    }
    out.line(format!("\n{}", verdict(&legs)));
    let broken = loaded.findings.iter().filter(|d| d.severity == crate::diagnostic::Severity::Error).count();
    if broken > 0 {
        out.note(format!("{} maps with errors are left out; `tablemap check` shows them", paint(WARN, "note:")));
    }
    Ok(Code::Fine)
}

/// One line that says what to do.
fn verdict(legs: &[LegStatus]) -> String {
    let failed: u64 = legs.iter().map(|l| l.quarantined).sum();
    let rests = legs.iter().filter(|l| !matches!(l.state.as_str(), "running" | "copying" | "never ran")).count();
    if legs.iter().all(|l| l.state == "never ran") {
        return "nothing ran yet; begin with `tablemap sync`".into();
    }
    let never = legs.iter().filter(|l| l.state == "never ran").count();
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(paint(WARN, format!("{} failed: `tablemap errors list`", many(failed as usize, "record"))));
    }
    if rests > 0 {
        parts.push(paint(WARN, format!("{rests} of {} directions do not run", legs.len())));
    }
    let mut edited: Vec<&str> = legs.iter().filter(|l| l.edited).map(|l| l.map.as_str()).collect();
    edited.dedup();
    if !edited.is_empty() {
        parts.push(format!(
            "edited since the last copy: {}; `tablemap sync --changed` brings old rows along",
            edited.join(", ")
        ));
    }
    if never > 0 {
        parts.push(format!("{never} of {} directions never ran; `tablemap sync` copies them", legs.len()));
    }
    if parts.is_empty() { paint(GOOD, "all is well") } else { parts.join("; ") }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// `2026-11-20T10:00:00.000Z` as `2026-11-20 10:00:00`.
pub(super) fn time(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}
