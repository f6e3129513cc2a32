//! The only place in the engine that sees a clock, randomness, cancellation and crash points.

use super::runtime::{EngineError, Result};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The world, as the engine sees it.
#[derive(Clone)]
pub struct Env {
    cancel: Arc<AtomicBool>,
    points: Option<Arc<Mutex<File>>>,
    /// How many crash points are left until one fails; none = never.
    fuse: Option<Arc<AtomicI64>>,
    /// What a test does at crash points.
    at_points: Option<AtPoint>,
    /// How far the clock is put forward.
    forward: Duration,
    started: Instant,
}

/// What a test does at a crash point, by its name.
type AtPoint = Arc<dyn Fn(&str) + Send + Sync>;

impl Default for Env {
    fn default() -> Env {
        Env::new(Arc::new(AtomicBool::new(false)))
    }
}

impl Env {
    /// A world whose cancellation flag is `cancel`.
    pub fn new(cancel: Arc<AtomicBool>) -> Env {
        Env { cancel, points: None, fuse: None, at_points: None, forward: Duration::ZERO, started: Instant::now() }
    }
    /// Lets every crash point write its name and number into a file, so that a test that kills the process knows where.
    pub fn with_points(mut self, path: &std::path::Path) -> std::io::Result<Env> {
        let file = File::options().append(true).create(true).open(path)?;
        self.points = Some(Arc::new(Mutex::new(file)));
        Ok(self)
    }
    /// Lets the `n`th crash point, and every one after it, end the engine's work with an error, as a killed process
    /// would end it.
    pub fn failing_at(mut self, n: u32) -> Env {
        self.fuse = Some(Arc::new(AtomicI64::new(i64::from(n))));
        self
    }
    /// Does something at each crash point, as people would who go on while the engine works.
    pub fn at_points(mut self, act: impl Fn(&str) + Send + Sync + 'static) -> Env {
        self.at_points = Some(Arc::new(act));
        self
    }
    /// Puts the clock forward, so that what waits for a time is due.
    pub fn forward(mut self, by: Duration) -> Env {
        self.forward = by;
        self
    }
    /// Now, in UTC, as state tables hold it: `2026-11-20T10:00:00.000Z`.
    pub fn now(&self) -> String {
        self.later(Duration::ZERO)
    }
    /// The time `after` from now, in the same form.
    pub fn later(&self, after: Duration) -> String {
        let now = jiff::Timestamp::now();
        let after = jiff::SignedDuration::try_from(after + self.forward).unwrap_or_default();
        Self::format(now.checked_add(after).unwrap_or(now))
    }
    /// Seconds between a time in that form and now; none where the text is no such time.
    pub fn seconds_since(&self, time: &str) -> Option<f64> {
        let then: jiff::Timestamp = time.parse().ok()?;
        Some((jiff::Timestamp::now().duration_since(then).as_secs_f64()) + self.forward.as_secs_f64())
    }
    fn format(t: jiff::Timestamp) -> String {
        t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }
    /// Time on a clock that only goes forward.
    pub fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
    /// A new id.
    pub fn id(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
    /// Whether somebody asked the engine to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
    /// Waits; a cancellation ends it early (looked at every few milliseconds by the caller's loop).
    pub fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
    /// A point at which a test may kill the process, or let it fail. Says so, if anybody listens.
    pub fn point(&self, name: &str) -> Result<()> {
        if let Some(points) = &self.points
            && let Ok(mut file) = points.lock()
        {
            // A test instrument: a line that cannot be written only blinds the test, which then fails.
            let _ = file.write_all(format!("{name}\n").as_bytes());
        }
        if let Some(act) = &self.at_points {
            act(name);
        }
        match &self.fuse {
            Some(fuse) if fuse.fetch_sub(1, Ordering::Relaxed) <= 1 => Err(EngineError::Cancelled),
            _ => Ok(()),
        }
    }
}
