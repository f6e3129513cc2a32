//! What a run says about itself.

use serde::Serialize;

/// Counts of one leg in one run; the JSON form of `sync` and `run --once` (format documented in docs/json.md).
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct LegReport {
    /// The map's id.
    pub map: String,
    /// `left` or `right`.
    pub into: String,
    /// Source records looked at.
    pub read: u64,
    /// Records that the filter, or a company that is not configured, kept back.
    pub filtered_out: u64,
    /// Rows inserted.
    pub created: u64,
    /// Rows changed.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Records whose target row is already as it should be, or must not be touched.
    pub unchanged: u64,
    /// Records that wait for one they look up.
    pub parked: u64,
    /// Records that failed.
    pub quarantined: u64,
    /// Wall time.
    pub seconds: f64,
}

impl LegReport {
    /// Adds another leg's counts (the same leg in a later cycle).
    pub fn add(&mut self, other: &LegReport) {
        self.read += other.read;
        self.filtered_out += other.filtered_out;
        self.created += other.created;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
        self.parked += other.parked;
        self.quarantined += other.quarantined;
        self.seconds += other.seconds;
    }
    /// Rows written.
    pub fn written(&self) -> u64 {
        self.created + self.updated + self.deleted
    }
    /// Whether anything happened.
    pub fn moved(&self) -> bool {
        self.written() + self.parked + self.quarantined > 0
    }
}

/// A whole run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One entry per leg that ran.
    pub legs: Vec<LegReport>,
    /// Legs that stopped themselves, or did not run, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<StoppedLeg>,
}

/// A leg that did not run to its end.
#[derive(Clone, Debug, Serialize)]
pub struct StoppedLeg {
    /// The map's id.
    pub map: String,
    /// `left` or `right`.
    pub into: String,
    /// Why, and what to do.
    pub reason: String,
}

impl Report {
    /// Adds a leg's counts to its entry.
    pub fn add(&mut self, leg: &LegReport) {
        match self.legs.iter_mut().find(|l| l.map == leg.map && l.into == leg.into) {
            Some(l) => l.add(leg),
            None => self.legs.push(leg.clone()),
        }
    }
    /// Whether some record failed or some leg stopped.
    pub fn failed(&self) -> bool {
        !self.stopped.is_empty() || self.legs.iter().any(|l| l.quarantined > 0)
    }
}

/// Who wants to see progress.
pub trait Observer: Send + Sync {
    /// A leg begins; how many source rows there are, if known.
    fn leg_started(&self, _map: &str, _into: &str, _total: Option<u64>) {}
    /// So many more source rows are done.
    fn advanced(&self, _rows: u64) {}
    /// The leg is done.
    fn leg_finished(&self, _report: &LegReport) {}
    /// Whether `run` is to end softly, since other maps are ready.
    fn interrupts(&self) -> bool {
        false
    }
    /// Something worth a line.
    fn note(&self, _text: &str) {}
}

/// Nobody looks.
pub struct Quiet;
impl Observer for Quiet {}
