//! `test`: the maps' own tests, in memory, by the same engine as everything else.

mod expect;
mod given;
mod path;
mod trial;

use super::Context;
use super::failure::{Code, Outcome};
use super::open::{self, Loaded, code_of};
use super::out::{BOLD, DIM, ERROR, GOOD, indent, many, paint, seconds, table_by, text_width, wrap};
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use trial::Verdict;

/// Run the maps' own tests, in memory
#[derive(clap::Args)]
#[command(
    after_help = "Each test runs on empty stores made from the schemas; the stores of the project are not touched.\n\nExamples:\n  \
    tablemap test                                   all maps\n  \
    tablemap test customers-v3-accounts             one map, by id, name or label\n  \
    tablemap test --name 'waits for'                tests whose name contains this\n  \
    tablemap test --format json                     for CI"
)]
pub(super) struct Args {
    /// Only tests whose name contains this text
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Maps by id, name or label; none = all
    #[arg(value_name = "MAP")]
    maps: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let select = loaded.runnable(context, &args.maps)?;
    let mut todo: Vec<(usize, usize)> = Vec::new();
    for (m, map) in loaded.checked.maps.iter().enumerate() {
        if select.as_ref().is_some_and(|s| !s.contains(&m)) {
            continue;
        }
        let wanted = |name: &str| args.name.as_ref().is_none_or(|n| name.contains(n.as_str()));
        todo.extend(map.tests.iter().enumerate().filter(|(_, t)| wanted(&t.name.text)).map(|(t, _)| (m, t)));
    }
    let began = Instant::now();
    let verdicts = all(&loaded, &todo);
    let failed = verdicts.iter().filter(|v| !v.passed()).count();
    print(context, &loaded, &todo, &verdicts);
    let passed = verdicts.len() - failed;
    context.out.json(&json!({
        "format": 1,
        "tests": todo.iter().zip(&verdicts).map(|((m, t), v)| {
            let map = &loaded.checked.maps[*m];
            json!({
                "map": map.id, "test": map.tests[*t].name.text, "at": loaded.sources.at(map.tests[*t].name.at.0),
                "passed": v.passed(), "problems": v.problems.iter().map(|(_, p)| p).collect::<Vec<_>>(),
                "quarantine": v.quarantine, "seconds": v.seconds,
            })
        }).collect::<Vec<_>>(),
        "passed": passed, "failed": failed,
    }));
    let out = &context.out;
    if verdicts.is_empty() {
        out.line("no tests; a map carries its own: test \"…\" { given … expect … }");
        return Ok(Code::Fine);
    }
    let time = seconds(began.elapsed().as_secs_f64());
    let summary = match failed {
        0 => paint(GOOD, format!("{} passed", many(passed, "test"))),
        n => format!("{}, {passed} passed", paint(ERROR, format!("{} failed", many(n, "test")))),
    };
    out.line(format!("\n{summary} ({time})"));
    Ok(code_of(failed > 0))
}

/// Runs them on all processors, in any order; verdicts come in the order of `todo`.
fn all(loaded: &Loaded, todo: &[(usize, usize)]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Verdict)>> = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(todo.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some((m, t)) = todo.get(i) else { return };
                    let verdict = trial::run(loaded, *m, &loaded.checked.maps[*m].tests[*t]);
                    if let Ok(mut done) = done.lock() {
                        done.push((i, verdict));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, v)| v).collect()
}

fn print(context: &Context, loaded: &Loaded, todo: &[(usize, usize)], verdicts: &[Verdict]) {
    let out = &context.out;
    let mut last = None;
    for ((m, t), v) in todo.iter().zip(verdicts) {
        let map = &loaded.checked.maps[*m];
        let test = &map.tests[*t];
        if last != Some(*m) {
            out.line(paint(BOLD, &map.id));
            last = Some(*m);
        }
        if v.passed() {
            out.line(format!("  {}    {}", paint(GOOD, "ok"), test.name.text));
            continue;
        }
        let at = loaded.sources.at(test.name.at.0);
        out.line(format!("  {}  {}  {}", paint(ERROR, "FAIL"), test.name.text, paint(DIM, at)));
        for (at, p) in &v.problems {
            // The file stands in the line above.
            let line =
                at.map_or(String::new(), |s| format!("line {}: ", loaded.sources.file(s.file).place(s.start).line));
            out.line(indent(&wrap(&format!("{line}{}", p.message), text_width(8)), 8));
            if !p.cells.is_empty() {
                let rows =
                    p.cells.iter().map(|c| vec![c.column.clone(), c.expected.clone(), c.found.clone()]).collect();
                out.line(indent(&table_by(10, &["column", "expected", "found"], rows), 10));
            }
        }
        for message in &v.quarantine {
            out.line(indent(&wrap(&format!("in quarantine: {message}"), text_width(8)), 8));
        }
        if v.quarantine.is_empty() && v.problems.iter().any(|(at, p)| at.is_some() && p.cells.is_empty()) {
            out.line(indent(
                &paint(DIM, "nothing is in quarantine; look at the map's filters, operations and companies"),
                8,
            ));
        }
    }
}
