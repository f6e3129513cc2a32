//! Wiring: project, findings, checked maps, stores, engine.

use super::failure::{Code, Failure};
use super::out::{HELP, many, paint};
use super::{Context, Format};
use crate::check;
use crate::diagnostic::{Diagnostic, Severity, did_you_mean, render};
use crate::engine::{Engine, Env, Limits};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::project::StoreKind;
use crate::project::{self, Location, Project, StoreConfig};
use crate::schema::StoreSchema;
use crate::sema::{self, CheckedProject};
use crate::source::{FileId, Sources};
use crate::store::Store;
use crate::syntax::ast;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A project as loaded and checked.
pub(super) struct Loaded {
    pub sources: Sources,
    pub project: Project,
    pub findings: Vec<Diagnostic>,
    /// How many findings comments in the files silenced.
    pub silenced: usize,
    pub checked: CheckedProject,
    /// The map files' trees, in the order of the project.
    pub files: Vec<(FileId, Arc<ast::File>)>,
}

/// What is kept from one reading of a project to the next in the same process; empty, it keeps nothing.
#[derive(Default)]
pub(super) struct Cache {
    read: project::Cache,
    analysed: Option<sema::Kept>,
}

impl Cache {
    /// A cache that keeps what is read and analysed.
    pub fn keeping() -> Cache {
        Cache { read: project::Cache::keeping(), analysed: Some(sema::Kept::default()) }
    }
}

/// A map as its file says it, with errors or without.
struct Named<'a> {
    id: &'a str,
    names: Vec<&'a str>,
}

/// Loads and checks the project of `--project`. The error is for the case that there is none.
pub(super) fn load(context: &Context) -> Result<Loaded, Failure> {
    load_dir(context, &context.dir)
}

/// [`load`] of a folder.
pub(super) fn load_dir(context: &Context, dir: &Path) -> Result<Loaded, Failure> {
    load_from(dir, Sources::new(), &Cache::default()).map_err(|none| {
        let (sources, mut findings) = *none;
        // One finding without a place is said as the error itself.
        if context.out.is_for_program() || !matches!(findings.as_slice(), [d] if d.primary.is_none()) {
            print_findings(context, &sources, &findings, 0);
            hint(context, &findings);
        }
        let n = findings.len();
        match findings.pop() {
            Some(d) if n == 1 && d.primary.is_none() => {
                let failure = Failure::new(d.message);
                match d.help {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
            _ => Failure::new("the project cannot be read"),
        }
    })
}

/// Loads and checks the project of a folder; some texts may stand in for files. The error is for the case that there is
/// none: what was read, and what was found.
pub(super) fn load_from(
    dir: &Path,
    mut sources: Sources,
    cache: &Cache,
) -> Result<Loaded, Box<(Sources, Vec<Diagnostic>)>> {
    let (project, mut findings) = project::load_cached(dir, &mut sources, &cache.read);
    let Some(project) = project else { return Err(Box::new((sources, findings))) };
    let stores: Vec<(String, Arc<StoreSchema>)> =
        project.stores.iter().map(|s| (s.name.clone(), s.schema.clone())).collect();
    let files: Vec<(FileId, Arc<ast::File>)> = project.maps.iter().map(|m| (m.file, m.ast.clone())).collect();
    let input = sema::Input {
        sources: &sources,
        stores: &stores,
        files: &files,
        companies: project.companies.as_deref(),
        time_zone: project.time_zone.clone(),
    };
    let how = sema::How { each: &project::each, kept: cache.analysed.as_ref() };
    let (checked, more) = check::check_as(&input, how);
    findings.extend(more);
    let findings = check::without_echoes(&sources, &files, findings);
    let allowed = check::allow(&sources, &files, findings);
    let mut findings = project.at_levels(allowed.findings);
    findings.sort_by_key(|d| d.span().map(|s| (s.file, s.start)));
    Ok(Loaded { sources, project, findings, silenced: allowed.silenced, checked, files })
}

impl Loaded {
    /// What was analysed.
    pub fn input(&self) -> sema::Input<'_> {
        sema::Input {
            sources: &self.sources,
            stores: &self.checked.stores,
            files: &self.files,
            companies: self.project.companies.as_deref(),
            time_zone: self.project.time_zone.clone(),
        }
    }

    fn named(&self) -> Vec<Named<'_>> {
        let maps: Vec<&ast::Map> = self.files.iter().flat_map(|(_, f)| &f.maps).collect();
        let mut all: Vec<Named<'_>> = Vec::new();
        for map in &maps {
            let id = sema::id_of(&maps, map).unwrap_or("");
            let mut names: Vec<&str> = map.name.iter().map(|n| n.text.as_str()).collect();
            names.extend(map.labels.iter().map(|l| l.it.1.as_str()));
            names.extend(map.id.iter().map(|n| n.it.as_str()).filter(|own| *own != id));
            // A base and its overlays are one map with all their names.
            let of_overlay = maps.iter().any(|m| m.extends.is_some());
            match all.iter_mut().find(|n| of_overlay && !id.is_empty() && n.id == id) {
                Some(one) => one.names.extend(names),
                None => all.push(Named { id, names }),
            }
        }
        all
    }

    /// Ids of the maps that were named, by id, name or any label; none = all.
    pub fn select(&self, names: &[String]) -> Result<Option<Vec<String>>, Failure> {
        if names.is_empty() {
            return Ok(None);
        }
        let all = self.named();
        let mut ids: Vec<String> = Vec::new();
        for name in names {
            let mut hits: Vec<&Named> = all.iter().filter(|m| m.id == name).collect();
            if hits.is_empty() {
                hits = all.iter().filter(|m| m.names.contains(&name.as_str())).collect();
            }
            match hits.as_slice() {
                [] => {
                    let known = all.iter().flat_map(|m| m.names.iter().copied().chain([m.id]));
                    let help = did_you_mean(name, known).unwrap_or_else(|| match all.as_slice() {
                        [] => "the project has no maps".into(),
                        some => {
                            let ids: Vec<&str> = some.iter().take(12).map(|m| m.id).collect();
                            format!("the project has: {}{}", ids.join(", "), if some.len() > 12 { ", …" } else { "" })
                        }
                    });
                    return Err(Failure::usage(format!("no map is called `{name}`")).help(help));
                }
                [one] if one.id.is_empty() => {
                    return Err(Failure::new(format!("the map `{name}` has no id")).help("`tablemap check` says where"));
                }
                [one] => {
                    if !ids.iter().any(|i| i == one.id) {
                        ids.push(one.id.to_string());
                    }
                }
                several => {
                    let ids: Vec<&str> = several.iter().map(|m| m.id).collect();
                    return Err(Failure::usage(format!("{} maps are called `{name}`", several.len()))
                        .help(format!("name one of them by its id: {}", ids.join(", "))));
                }
            }
        }
        Ok(Some(ids))
    }

    /// Indexes of the named maps among the checked ones (none = all), or, with the findings printed, a failure if any map
    /// of the project has errors, named or not: what runs lets go of everything that no sound map of the project asks
    /// for, the change log of a broken one's tables included.
    pub fn runnable(&self, context: &Context, names: &[String]) -> Result<Option<Vec<usize>>, Failure> {
        let ids = self.select(names)?;
        let findings: Vec<Diagnostic> =
            self.findings.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        if !findings.is_empty() {
            print_findings(context, &self.sources, &findings, self.silenced);
            hint(context, &findings);
            return Err(Failure::new(format!(
                "nothing was run: {} to be mended first",
                if findings.len() == 1 {
                    "1 error has".into()
                } else {
                    format!("{} have", many(findings.len(), "error"))
                }
            ))
            .help("`tablemap check` shows all findings"));
        }
        let Some(ids) = ids else { return Ok(None) };
        let mut indexes = Vec::new();
        for id in ids {
            let Some(i) = self.checked.maps.iter().position(|m| m.id == id) else {
                return Err(Failure::new(format!("map `{id}` cannot run")).help("`tablemap check` says why"));
            };
            indexes.push(i);
        }
        Ok(Some(indexes))
    }

    /// The same for commands that only look: maps with errors are left out.
    pub fn visible(&self, names: &[String]) -> Result<Vec<usize>, Failure> {
        let ids = self.select(names)?;
        let wanted = |m: &str| ids.as_ref().is_none_or(|ids| ids.iter().any(|i| i == m));
        let hits: Vec<usize> =
            self.checked.maps.iter().enumerate().filter(|(_, m)| wanted(&m.id)).map(|(i, _)| i).collect();
        if let Some(ids) = &ids
            && let Some(id) = ids.iter().find(|id| !self.checked.maps.iter().any(|m| m.id == **id))
        {
            return Err(Failure::new(format!("map `{id}` has errors")).help("`tablemap check` shows them"));
        }
        Ok(hits)
    }

    /// The stores, in the order of the checked project.
    pub fn stores(&self) -> Result<Vec<Arc<dyn Store>>, Failure> {
        let mut stores = Vec::new();
        for (name, schema) in &self.checked.stores {
            let Some(config) = self.project.store(name) else {
                return Err(Failure::new(format!("store `{name}` is not in tablemap.yaml")));
            };
            stores.push(store(config, schema.clone(), &self.project.state)?);
        }
        Ok(stores)
    }

    /// The engine over this project.
    pub fn engine(&self, env: Env) -> Result<Engine, Failure> {
        let stores = self.stores()?;
        Ok(Engine::new(&self.project.name, self.checked.clone(), stores, env, limits()?))
    }

    /// `STORE.TABLE` that a leg writes.
    pub fn target(&self, map: &str, into: &str) -> String {
        let Some(map) = self.checked.maps.iter().find(|m| m.id == map) else { return into.to_string() };
        let at = if into == "left" { map.left } else { map.right };
        let (store, schema) = &self.checked.stores[at.store];
        format!("{store}.{}", schema.get(at.table).name)
    }
}

/// Opens a store.
pub(super) fn store(config: &StoreConfig, schema: Arc<StoreSchema>, state: &Path) -> Result<Arc<dyn Store>, Failure> {
    match (config.kind, &config.location) {
        (_, Location::Unset(variable)) => Err(unset(config, variable)),
        #[cfg(feature = "sqlite")]
        (StoreKind::Sqlite, Location::Path(path)) => sqlite(config, path, schema, state),
        #[cfg(feature = "sqlite")]
        (StoreKind::Memory, _) => Ok(Arc::new(crate::store::memory::open(&config.name, schema)?)),
        #[cfg(feature = "postgres")]
        (StoreKind::Postgres, Location::Url(url)) => {
            use crate::store::postgres::{Options, PostgresStore};
            let mut options = Options::default();
            if let Some(ms) = from_env("TABLEMAP_BUSY_MS")? {
                options.busy_ms = u32::try_from(ms).unwrap_or(u32::MAX);
            }
            if let Some(seconds) = from_env("TABLEMAP_STATEMENT_SECONDS")? {
                options.statement_secs = u32::try_from(seconds).unwrap_or(u32::MAX);
            }
            Ok(Arc::new(PostgresStore::open(&config.name, url.reveal(), schema, options)?))
        }
        _ => {
            let _ = (schema, state);
            Err(unsupported(config))
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(
    config: &StoreConfig,
    path: &Path,
    schema: Arc<StoreSchema>,
    state: &Path,
) -> Result<Arc<dyn Store>, Failure> {
    use crate::store::sqlite::{Options, Poll, PolledStore, SqliteStore};
    let mut options = Options::default();
    if let Some(kib) = from_env("TABLEMAP_CACHE_KIB")? {
        options.cache_kib = u32::try_from(kib).unwrap_or(u32::MAX);
    }
    if let Some(ms) = from_env("TABLEMAP_BUSY_MS")? {
        options.busy_ms = u32::try_from(ms).unwrap_or(u32::MAX);
    }
    let Some(poll) = &config.poll else {
        return Ok(Arc::new(SqliteStore::open(&config.name, path, schema, options)?));
    };
    let poll = Poll { every: poll.every, full: poll.full, modified: poll.columns(&schema).0 };
    std::fs::create_dir_all(state)
        .map_err(|e| Failure::new(format!("the folder `{}` cannot be made: {e}", state.display())))?;
    let copy = state.join(format!("{}.copy.db", config.name));
    Ok(Arc::new(PolledStore::open(&config.name, path, &copy, schema, poll, options)?))
}

fn unset(config: &StoreConfig, variable: &str) -> Failure {
    Failure::unreachable(format!(
        "store `{}` cannot be opened: the environment variable `{variable}` is not set",
        config.name
    ))
    .help(format!("set it, for example `{variable}=… tablemap …`"))
}

fn unsupported(config: &StoreConfig) -> Failure {
    Failure::unreachable(format!(
        "store `{}` is of kind `{}`, which this build cannot open",
        config.name,
        config.kind.word()
    ))
    .help("maps can be checked and tested against its schema all the same")
}

/// A number from the environment, for tests.
fn from_env(name: &str) -> Result<Option<usize>, Failure> {
    match std::env::var(name) {
        Err(_) => Ok(None),
        Ok(text) => match text.trim().parse::<usize>() {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(Failure::usage(format!("the environment variable `{name}` holds `{text}`, not a number above 0"))),
        },
    }
}

/// The engine's limits; tests make them small through the environment.
fn limits() -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    if let Some(n) = from_env("TABLEMAP_CHUNK_ROWS")? {
        limits.chunk_rows = n;
        limits.batch_rows = limits.batch_rows.min(n);
    }
    if let Some(n) = from_env("TABLEMAP_LIVE_ROWS")? {
        limits.live_rows = n;
        limits.apart_rows = 2 * n;
    }
    Ok(limits)
}

/// The world of a command: its cancellation flag is raised by Ctrl-C and SIGTERM if `stops` says so.
pub(super) fn env(stops: bool) -> Result<Env, Failure> {
    use std::sync::atomic::{AtomicBool, Ordering};
    let cancel = Arc::new(AtomicBool::new(false));
    if stops {
        let flag = cancel.clone();
        let handled = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                // Asked twice: at once. Stores undo what is not committed.
                std::process::exit(130);
            }
        });
        handled.map_err(|e| Failure::new(format!("signals cannot be handled: {e}")))?;
    }
    let env = Env::new(cancel);
    match std::env::var_os("TABLEMAP_POINTS") {
        None => Ok(env),
        Some(path) => {
            let path = PathBuf::from(path);
            env.with_points(&path).map_err(|e| Failure::io("write", &path, &e))
        }
    }
}

/// Prints findings: for people to stdout with excerpts, for programs as a report. `silenced` is how many are not among
/// them since comments silence them.
pub(super) fn print_findings(context: &Context, sources: &Sources, findings: &[Diagnostic], silenced: usize) {
    report(context, sources, findings, silenced, false, None);
}

/// [`print_findings`] with what was mended; if `strict`, warnings are failures.
pub(super) fn report(
    context: &Context,
    sources: &Sources,
    findings: &[Diagnostic],
    silenced: usize,
    strict: bool,
    mended: Option<render::json::Mended>,
) {
    let lines = |one: fn(&Sources, &Diagnostic) -> String| {
        findings.iter().for_each(|d| context.out.raw(&format!("{}\n", one(sources, d))));
    };
    let document = |value: &serde_json::Value| match serde_json::to_string_pretty(value) {
        Ok(text) => context.out.raw(&format!("{text}\n")),
        Err(e) => context.out.error(&format!("error: the result cannot be written as JSON: {e}")),
    };
    match context.format {
        Format::Human | Format::Markdown => {
            for d in findings {
                context.out.line(render::human::render(sources, d, true));
                context.out.line("");
            }
        }
        Format::Json => context.out.json(&render::json::report(sources, findings, silenced, mended)),
        Format::Concise => lines(render::concise::render),
        Format::Github => lines(render::github::render),
        Format::Gitlab => document(&render::gitlab::report(sources, findings)),
        Format::Sarif => document(&render::sarif::report(sources, findings, &check::help)),
        Format::Junit => match render::junit::report(sources, findings, strict) {
            Ok(text) => context.out.raw(&text),
            Err(e) => context.out.error(&format!("error: the result cannot be written as JUnit XML: {e}")),
        },
    }
}

/// Says, once in a run, where to read on about its findings.
pub(super) fn hint(context: &Context, findings: &[Diagnostic]) {
    if let Some(d) = findings.iter().rev().max_by_key(|d| d.severity) {
        context.out.note(format!("{} tablemap explain {}", paint(HELP, "for more:"), d.code));
    }
}

/// The exit code of a report.
pub(super) fn code_of(failed: bool) -> Code {
    if failed { Code::Findings } else { Code::Fine }
}
