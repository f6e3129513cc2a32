//! Who watches the engine work: a bar on a terminal, plain lines otherwise.

use super::open::Loaded;
use super::out::{Out, many, number, seconds};
use crate::engine::{LegReport, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often a plain line is written about a long copy.
const EVERY: Duration = Duration::from_secs(5);

/// The observer of a command.
pub(super) struct Progress<'a> {
    out: &'a Out,
    /// Says what moves in live sync, line by line.
    live: bool,
    terminal: bool,
    targets: HashMap<(String, String), String>,
    now: Mutex<Option<Copying>>,
}

struct Copying {
    name: String,
    total: Option<u64>,
    done: u64,
    began: Instant,
    said: Instant,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    pub fn new(out: &'a Out, loaded: &Loaded, live: bool) -> Progress<'a> {
        let mut targets = HashMap::new();
        for map in &loaded.checked.maps {
            for into in ["left", "right"] {
                targets.insert((map.id.clone(), into.to_string()), loaded.target(&map.id, into));
            }
        }
        Progress { out, live, terminal: std::io::stderr().is_terminal(), targets, now: Mutex::new(None) }
    }
    fn name(&self, map: &str, into: &str) -> String {
        let key = (map.to_string(), into.to_string());
        format!("{map} → {}", self.targets.get(&key).map_or(into, String::as_str))
    }
    fn say(&self, text: &str) {
        let now = self.now.lock();
        match now.as_ref().ok().and_then(|n| n.as_ref()).and_then(|c| c.bar.as_ref()) {
            Some(bar) => bar.suspend(|| self.out.note(text)),
            None => self.out.note(text),
        }
    }
}

impl Observer for Progress<'_> {
    fn leg_started(&self, map: &str, into: &str, total: Option<u64>) {
        if !self.out.talks() {
            return;
        }
        let name = self.name(map, into);
        let bar = self.terminal.then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
            let template = "[{bar:20}] {human_pos}/{human_len}  {rate}  {eta} left  {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                let rate = |state: &ProgressState, w: &mut dyn std::fmt::Write| {
                    // A bar that cannot be drawn is none.
                    let _ = write!(w, "{}/s", number(state.per_sec() as u64));
                };
                bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
            }
            bar.set_message(name.clone());
            bar
        });
        if let Ok(mut now) = self.now.lock() {
            *now = Some(Copying { name, total, done: 0, began: Instant::now(), said: Instant::now(), bar });
        }
    }
    fn advanced(&self, rows: u64) {
        let Ok(mut now) = self.now.lock() else { return };
        let Some(c) = now.as_mut() else { return };
        c.done += rows;
        match &c.bar {
            Some(bar) => bar.inc(rows),
            None if c.said.elapsed() >= EVERY => {
                c.said = Instant::now();
                let rate = c.done as f64 / c.began.elapsed().as_secs_f64().max(0.001);
                let rest = match c.total {
                    Some(t) if t > c.done && rate > 0.0 => {
                        format!(" of {}, {} left", number(t), seconds((t - c.done) as f64 / rate))
                    }
                    _ => String::new(),
                };
                self.out.note(format!("{}: {} rows{rest} ({}/s)", c.name, number(c.done), number(rate as u64)));
            }
            None => {}
        }
    }
    fn leg_finished(&self, report: &LegReport) {
        let copied = self.now.lock().ok().and_then(|mut n| n.take());
        if let Some(c) = &copied {
            if let Some(bar) = &c.bar {
                bar.finish_and_clear();
            }
            if self.out.talks() && (report.read > 0 || !self.terminal) {
                let rate = report.read as f64 / report.seconds.max(0.001);
                self.out.note(format!(
                    "{}: {} read in {} ({}/s)",
                    c.name,
                    many(report.read as usize, "row"),
                    seconds(report.seconds),
                    number(rate as u64)
                ));
            }
            return;
        }
        if self.live && report.moved() {
            self.say(&format!("{}: {}", self.name(&report.map, &report.into), moved(report)));
        }
    }
    fn note(&self, text: &str) {
        self.say(text);
    }
}

/// `3 created, 1 parked`
pub(super) fn moved(l: &LegReport) -> String {
    let parts: Vec<String> = [
        (l.created, "created"),
        (l.updated, "updated"),
        (l.deleted, "deleted"),
        (l.parked, "parked"),
        (l.quarantined, "failed"),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", number(*n)))
    .collect();
    if parts.is_empty() { "nothing to change".into() } else { parts.join(", ") }
}
