//! What legs did, as a table.

use super::open::Loaded;
use super::out::{Out, WARN, number, paint, seconds, table, table_by};
use crate::engine::{LegReport, Report};

/// The counts of legs as a table.
pub(super) fn counts(loaded: &Loaded, legs: &[LegReport]) -> String {
    let rows = legs
        .iter()
        .map(|l| {
            let mut row = vec![l.map.clone(), loaded.target(&l.map, &l.into)];
            let counts =
                [l.read, l.filtered_out, l.created, l.updated, l.deleted, l.unchanged, l.parked, l.quarantined];
            row.extend(counts.map(number));
            row.push(seconds(l.seconds));
            row
        })
        .collect();
    table(
        &[
            "map",
            "into",
            ">read",
            ">filtered",
            ">created",
            ">updated",
            ">deleted",
            ">unchanged",
            ">parked",
            ">failed",
            ">time",
        ],
        rows,
    )
}

/// Prints a report: the table on stdout, what needs attention on stderr.
pub(super) fn print(out: &Out, loaded: &Loaded, report: &Report) {
    out.json(report);
    if report.legs.is_empty() {
        out.line("nothing was to be done");
    } else {
        out.line(counts(loaded, &report.legs));
    }
    for s in &report.stopped {
        out.error(&format!(
            "{} map `{}` into {}: {}",
            paint(WARN, "stopped:"),
            s.map,
            loaded.target(&s.map, &s.into),
            s.reason
        ));
    }
    let sum = |f: fn(&LegReport) -> u64| report.legs.iter().map(f).sum::<u64>();
    let (parked, failed) = (sum(|l| l.parked), sum(|l| l.quarantined));
    if failed > 0 {
        let records = if failed == 1 { "1 record".into() } else { format!("{} records", number(failed)) };
        out.note(format!("{} {records} failed; `tablemap errors list` says why", paint(WARN, "note:")));
    }
    if parked > 0 {
        let records = if parked == 1 { "1 record waits".into() } else { format!("{} records wait", number(parked)) };
        out.note(format!("note: {records} for a record that has not arrived; they go on by themselves when it does"));
    }
}

/// The counts that matter to a reader of a story, to stand two columns to the right.
pub(super) fn brief(loaded: &Loaded, legs: &[LegReport]) -> String {
    let rows = legs
        .iter()
        .map(|l| {
            let some = |n: u64| if n == 0 { "·".into() } else { number(n) };
            let mut row = vec![l.map.clone(), loaded.target(&l.map, &l.into)];
            row.extend([l.created, l.updated, l.parked, l.quarantined].map(some));
            row
        })
        .collect();
    table_by(2, &["map", "into", ">created", ">updated", ">parked", ">failed"], rows)
}
