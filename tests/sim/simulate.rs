//! A seeded simulator on real SQLite files: people write SQL on both sides, the engine syncs, runs, is paused, crashes
//! at its crash points and starts again, with small limits in some seeds. At rest a model that shares nothing with the
//! engine but the templates' texts says what the tables must hold.
//!
//! `TABLEMAP_CASES` sets how many seeds each template gets, `TABLEMAP_SEED` runs one seed and prints its steps.
//! With `TABLEMAP_SIM_FIRST` a template ends at its first failure, which is not cut down.
//! `TABLEMAP_SIM_POSTGRES=all` puts every store into PostgreSQL, `=mixed` every one but the first.

mod any;
mod chain;
mod companies;
mod faults;
mod hold;
mod mixed;
mod moved;
mod one_way;
#[cfg(feature = "postgres")]
mod people;
mod references;
mod ring;
mod steps;
mod two_way;
mod upheaval;
mod world;

pub use crate::rng::Rng;
use std::collections::BTreeMap;
use steps::{Make, Points};
pub use world::Sim;

/// A family of projects with their people and their model.
pub trait Template {
    /// Stores, maps, companies.
    fn project(&mut self, rng: &mut Rng) -> Project;
    /// One thing that people do: store and SQL.
    fn act(&mut self, rng: &mut Rng) -> (String, String);
    /// Mends what is wrong in the data, so that nothing needs to wait.
    fn heal(&mut self) -> Vec<(String, String)> {
        vec![]
    }
    /// Whether a record may wait although nothing is wrong in the source.
    fn may_stay(&self, _waiting: &world::Quarantined) -> bool {
        false
    }
    /// Before the engine works, without a crash that people's writes follow.
    fn before_run(&mut self, _sim: &Sim) {}
    /// The engine came to rest.
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String>;
    /// Whether people may write while tables are copied. A record whose key changes twice then may leave a row behind
    /// (docs/guarantees.md, known gaps).
    fn amid_copies(&self) -> bool {
        false
    }
    /// Whether after a crash people may write before the engine starts again.
    fn loose(&self) -> bool {
        true
    }
    /// Whether a crash with writes after it happened: an exact model cannot follow.
    fn lost_track(&mut self) {}
    /// Whether the model can follow restored files, windows, edited maps and changes that are put aside.
    fn follows_upheaval(&self) -> bool {
        false
    }
    /// Other maps.
    fn edited(&mut self, _rng: &mut Rng) -> Option<Vec<String>> {
        None
    }
    /// They are at work.
    fn reloaded(&mut self, _maps: &[String]) {}
    /// The engine went through tables anew: what it deletes nothing for may have stayed.
    fn began_anew(&mut self, _sim: &Sim) {}
}

pub struct Project {
    pub schemas: Vec<(&'static str, String)>,
    pub maps: Vec<String>,
    pub companies: Option<Vec<String>>,
}

/// What happened, over all seeds of a template.
#[derive(Default, Debug)]
pub struct Stats(pub BTreeMap<&'static str, u64>);

impl Stats {
    pub fn add(&mut self, what: &'static str, n: u64) {
        *self.0.entry(what).or_default() += n;
    }
}

/// Which seeds of a template are played here.
pub struct Share {
    name: &'static str,
    /// How many, unless the environment says otherwise.
    cases: u64,
    /// Times `TABLEMAP_CASES`.
    weight: u64,
    /// Of so many equal parts this one.
    part: (u64, u64),
    /// Seeds that found something with all faults: always played.
    met: &'static [u64],
    /// Seeds whose findings are not mended yet (docs/guarantees.md): played by `TABLEMAP_SEED` only.
    open: &'static [u64],
}

impl Share {
    pub fn of(name: &'static str, cases: u64) -> Share {
        Share { name, cases, weight: 1, part: (0, 1), met: &[], open: &[] }
    }
}

/// Plays the seeds of a template; every counter named must have moved. Kept seeds were found without the faults that
/// came later, and are played without them.
fn simulate(share: &Share, kept: &[u64], counters: &[&str], make: Make) {
    let number = |v: &str| std::env::var(v).ok().and_then(|s| s.parse::<u64>().ok());
    let name = share.name;
    let cases = number("TABLEMAP_CASES").map_or(share.cases, |n| n * share.weight);
    let from = number("TABLEMAP_FROM").unwrap_or(0);
    let seeds: Vec<(u64, bool)> = match number("TABLEMAP_SEED") {
        Some(seed) => vec![(seed, false), (seed, true)],
        None => {
            let drawn = (from..from + cases).filter(|s| s % share.part.1 == share.part.0 && !share.open.contains(s));
            let with_faults = share.met.iter().copied().chain(drawn).map(|s| (s, true));
            kept.iter().map(|s| (*s, false)).chain(with_faults).collect()
        }
    };
    // Fewer seeds than usual need not show everything.
    let all = cases >= share.cases && number("TABLEMAP_SEED").is_none();
    #[cfg(feature = "postgres")]
    let _server = people::shared();
    let (mut stats, mut points) = (Stats::default(), Points::default());
    let mut failures: Vec<(u64, String)> = Vec::new();
    for (seed, faults) in &seeds {
        match steps::play(*seed, *faults, make, &mut stats, &mut points) {
            Ok(()) => {}
            Err(e) => failures.push((*seed, e)),
        }
        if failures.len() >= if std::env::var("TABLEMAP_SIM_FIRST").is_ok() { 1 } else { 5 } {
            break;
        }
    }
    println!("{name}: {} seeds, {stats:?}, left out: {:?}", seeds.len(), share.open);
    report(share, seeds.len(), &stats, &points);
    if let Some((_, first)) = failures.iter().min_by_key(|(_, e)| e.len()) {
        let seeds: Vec<u64> = failures.iter().map(|(s, _)| *s).collect();
        panic!("{name}: {} seeds failed: {seeds:?}\nthe shortest: {first}", failures.len());
    }
    for c in counters.iter().filter(|_| all) {
        assert!(stats.0.get(c).is_some_and(|n| *n > 0), "{name}: `{c}` never happened: {stats:?}");
    }
}

/// For `tests/simulate`, which adds up what the templates tell.
fn report(share: &Share, cases: usize, stats: &Stats, points: &Points) {
    let Ok(folder) = std::env::var("TABLEMAP_SIM_REPORT") else { return };
    let mut text = format!("cases {cases}\n");
    stats.0.iter().for_each(|(what, n)| text += &format!("count {n} {what}\n"));
    points.seen.iter().for_each(|call| text += &format!("seen {call}\n"));
    for (call, after) in &points.died {
        text += &format!("died {call} {}\n", if *after { "after" } else { "before" });
    }
    let file = format!("{}-{}.txt", share.name.replace(' ', "-"), share.part.0);
    std::fs::write(std::path::Path::new(&folder).join(file), text).unwrap();
}
