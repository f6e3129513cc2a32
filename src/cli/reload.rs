//! Hot reload: `run` looks at the project's files. Maps without errors take over between two cycles; with errors the
//! maps before go on.

use super::Context;
use super::failure::Failure;
use super::open::{self, Cache, Loaded};
use super::progress::Progress;
use crate::diagnostic::{Diagnostic, Severity};
use crate::engine::{Engine, Env, LegReport, Observer};
use crate::project::Stamp;
use crate::source::Sources;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often the files are looked at while they stay as they are.
const EVERY: Duration = Duration::from_secs(1);
/// And once they changed: who saves several of them is not read half way.
const SETTLE: Duration = Duration::from_millis(500);

/// A project that is ready to take over.
pub(super) struct Next {
    pub loaded: Loaded,
    pub engine: Engine,
    pub select: Option<Vec<usize>>,
}

/// What is known of the files.
pub(super) struct Files {
    /// As they were read last.
    read: Stamp,
    /// As they were at the last look: a file is read when it did not change between two looks.
    seen: Stamp,
    looked: Instant,
    cache: Cache,
}

impl Files {
    pub fn of(loaded: &Loaded) -> Files {
        let read = Stamp::of(&loaded.project);
        Files { seen: read.clone(), read, looked: Instant::now(), cache: Cache::keeping() }
    }
}

/// Watches the engine work, and the files.
pub(super) struct Watching<'a> {
    progress: Progress<'a>,
    context: &'a Context,
    loaded: &'a Loaded,
    names: &'a [String],
    env: Env,
    files: Mutex<&'a mut Files>,
    next: Mutex<Option<Next>>,
}

impl<'a> Watching<'a> {
    pub fn new(context: &'a Context, loaded: &'a Loaded, names: &'a [String], env: Env, files: &'a mut Files) -> Self {
        let progress = Progress::new(&context.out, loaded, true);
        Watching { progress, context, loaded, names, env, files: Mutex::new(files), next: Mutex::new(None) }
    }

    /// The project that is to take over, if there is one.
    pub fn next(self) -> Option<Next> {
        self.next.into_inner().ok().flatten()
    }

    /// Whether the files changed and hold a project that can run. What is wrong with one that cannot is said once.
    fn look(&self) -> bool {
        let Ok(mut files) = self.files.lock() else { return false };
        let every = if files.seen == files.read { EVERY } else { SETTLE };
        if files.looked.elapsed() < every {
            return false;
        }
        files.looked = Instant::now();
        let now = Stamp::of(&self.loaded.project);
        if now == files.read || now != files.seen {
            files.seen = now;
            return false;
        }
        files.read = now;
        match self.read(&files.cache) {
            Ok(found) => {
                if let Ok(mut next) = self.next.lock() {
                    *next = Some(found);
                }
                true
            }
            Err(failure) => {
                self.progress.note(&format!("the files changed, the maps before go on: {}", failure.message));
                false
            }
        }
    }

    fn read(&self, cache: &Cache) -> Result<Next, Failure> {
        let loaded = open::load_from(&self.loaded.project.root, Sources::new(), cache).map_err(|none| {
            let (sources, findings) = *none;
            self.tell(&sources, &findings);
            Failure::new("the project cannot be read")
        })?;
        let errors: Vec<Diagnostic> =
            loaded.findings.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        if !errors.is_empty() {
            self.tell(&loaded.sources, &errors);
            return Err(Failure::new(super::out::many(errors.len(), "error")));
        }
        if loaded.project.name != self.loaded.project.name || loaded.project.state != self.loaded.project.state {
            return Err(Failure::new("another `name` or `state` of the project needs a new start"));
        }
        let select = loaded.runnable(self.context, self.names)?;
        let engine = loaded.engine(self.env.clone())?;
        Ok(Next { loaded, engine, select })
    }

    /// Findings, on stderr: stdout is for the report.
    fn tell(&self, sources: &Sources, findings: &[Diagnostic]) {
        for d in findings {
            self.progress.note(&crate::diagnostic::render::human::render(sources, d, false));
        }
    }
}

impl Observer for Watching<'_> {
    fn leg_started(&self, map: &str, into: &str, total: Option<u64>) {
        self.progress.leg_started(map, into, total);
    }
    fn advanced(&self, rows: u64) {
        self.progress.advanced(rows);
    }
    fn leg_finished(&self, report: &LegReport) {
        self.progress.leg_finished(report);
    }
    fn note(&self, text: &str) {
        self.progress.note(text);
    }
    fn interrupts(&self) -> bool {
        self.look()
    }
}

/// What a new project changes, for people.
pub(super) fn changes(before: &Loaded, after: &Loaded) -> String {
    let id = |l: &Loaded| l.checked.maps.iter().map(|m| (m.id.clone(), m.hash.clone())).collect::<Vec<_>>();
    let (old, new) = (id(before), id(after));
    let names = |all: Vec<&String>| all.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
    let has = |l: &[(String, String)], id: &String| l.iter().any(|(i, _)| i == id);
    let mut parts = Vec::new();
    for (word, list) in [
        ("added", new.iter().filter(|(i, _)| !has(&old, i)).map(|(i, _)| i).collect::<Vec<_>>()),
        ("removed", old.iter().filter(|(i, _)| !has(&new, i)).map(|(i, _)| i).collect()),
        ("edited", new.iter().filter(|n| has(&old, &n.0) && !old.contains(n)).map(|(i, _)| i).collect()),
    ] {
        if !list.is_empty() {
            parts.push(format!("{word}: {}", names(list)));
        }
    }
    if parts.is_empty() {
        return "nothing that matters to the maps".into();
    }
    let edited = parts.iter().any(|p| p.starts_with("edited"));
    let rest = if edited { "; rows that do not change stay as they are until `tablemap sync --changed`" } else { "" };
    format!("{}{rest}", parts.join("; "))
}
