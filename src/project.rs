//! `tablemap.yaml`, environment variables, secrets; reading files is here too, since nothing below does I/O.

mod cache;
mod files;
mod parallel;
mod poll;
mod read;
mod secret;
mod stamp;

pub use cache::Cache;
pub use files::{DEFAULT_SIZE, read_text};
pub use parallel::{each, in_parallel};
pub use poll::PollConfig;
pub use read::read;
pub use secret::Secret;
pub use stamp::Stamp;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::schema::StoreSchema;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{ast, dsl, yaml};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the project file.
pub const FILE: &str = "tablemap.yaml";

/// A project: what `tablemap.yaml` says, with its schemas and maps.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name: begins the names of its legs in the stores' state tables. Default: `tablemap`.
    pub name: String,
    /// The folder of `tablemap.yaml`.
    pub root: PathBuf,
    /// `tablemap.yaml` itself.
    pub file: FileId,
    /// The stores, in file order.
    pub stores: Vec<StoreConfig>,
    /// The companies that maps may move; none = all.
    pub companies: Option<Vec<String>>,
    /// The zone of wall-clock times that name none. Default: UTC.
    pub time_zone: jiff::tz::TimeZone,
    /// The folder for state that belongs to no store. Default: `.tablemap`.
    pub state: PathBuf,
    /// Limits.
    pub limits: Limits,
    /// Levels of checks that differ from their own, by code.
    pub checks: Vec<(Code, Level)>,
    /// The patterns of map files.
    pub patterns: Vec<(String, Span)>,
    /// The map files, sorted by path.
    pub maps: Vec<MapFile>,
}

/// A store of the project.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The name maps use.
    pub name: String,
    /// Its place in the project file.
    pub span: Span,
    /// What kind of store it is.
    pub kind: StoreKind,
    /// Where it is.
    pub location: Location,
    /// Set where nothing may be put into the store: it is compared with a copy, and only read.
    pub poll: Option<PollConfig>,
    /// The schema file.
    pub schema_path: PathBuf,
    /// The schema; without tables where it could not be read.
    pub schema: Arc<StoreSchema>,
    /// The place of the schema's path in the project file.
    schema_span: Span,
}

/// Kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// A SQLite file.
    Sqlite,
    /// A PostgreSQL database.
    Postgres,
    /// An OData service.
    Odata,
    /// Tables in memory, for trials.
    Memory,
}

impl StoreKind {
    /// The word in the project file.
    pub fn word(self) -> &'static str {
        match self {
            StoreKind::Sqlite => "sqlite",
            StoreKind::Postgres => "postgres",
            StoreKind::Odata => "odata",
            StoreKind::Memory => "memory",
        }
    }
}

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file.
    Path(PathBuf),
    /// An address, which may hold a password.
    Url(Secret),
    /// Nowhere: it needs no place.
    Nowhere,
    /// Not known, since this environment variable is not set. The store can be checked against but not opened.
    Unset(String),
}

/// Limits of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest map file in bytes. Default: 8 MiB.
    pub map_size: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { map_size: DEFAULT_SIZE }
    }
}

/// The level of a check in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// An error.
    Deny,
    /// A warning.
    Warn,
    /// Not told.
    Allow,
}

/// A map file as read.
#[derive(Clone, Debug)]
pub struct MapFile {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub file: FileId,
    /// What it says.
    pub ast: Arc<ast::File>,
}

impl Project {
    /// The store of that name.
    pub fn store(&self, name: &str) -> Option<&StoreConfig> {
        self.stores.iter().find(|s| s.name == name)
    }
    /// The findings at the levels of this project; what it allows is gone.
    pub fn at_levels(&self, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let level = |c: Code| self.checks.iter().find(|(code, _)| *code == c).map(|(_, l)| *l);
        findings
            .into_iter()
            .filter_map(|mut d| {
                match level(d.code) {
                    None => {}
                    Some(Level::Deny) => d.severity = Severity::Error,
                    Some(Level::Warn) => d.severity = Severity::Warning,
                    Some(Level::Allow) => return None,
                }
                Some(d)
            })
            .collect()
    }
}

/// The project file in `dir` or the nearest folder above it.
pub fn find(dir: &Path) -> Option<PathBuf> {
    let dir = std::path::absolute(dir).ok()?;
    dir.ancestors().map(|d| d.join(FILE)).find(|f| f.is_file())
}

/// Loads the project `dir` lies in, with its schemas and maps; none only where there is no project file to be read. The
/// findings are not yet at the project's levels ([`Project::at_levels`]): comments that silence some come first.
pub fn load(dir: &Path, sources: &mut Sources) -> (Option<Project>, Vec<Diagnostic>) {
    load_with(dir, sources, &|name| std::env::var(name).ok())
}

/// [`load`] that takes from `cache` what was read from the same texts before.
pub fn load_cached(dir: &Path, sources: &mut Sources, cache: &Cache) -> (Option<Project>, Vec<Diagnostic>) {
    load_from(dir, sources, &|name| std::env::var(name).ok(), cache)
}

/// [`load`] with another environment.
pub fn load_with(
    dir: &Path,
    sources: &mut Sources,
    environment: &dyn Fn(&str) -> Option<String>,
) -> (Option<Project>, Vec<Diagnostic>) {
    load_from(dir, sources, environment, &Cache::default())
}

fn load_from(
    dir: &Path,
    sources: &mut Sources,
    environment: &dyn Fn(&str) -> Option<String>,
    cache: &Cache,
) -> (Option<Project>, Vec<Diagnostic>) {
    let Some(path) = find(dir) else {
        let d = Diagnostic::nowhere(Code::TM0167, format!("no `{FILE}` in `{}` or above", files::shown(dir)))
            .help("go into a project's folder, or make one with `tablemap init`");
        return (None, vec![d]);
    };
    let file = match read_text(&path, DEFAULT_SIZE, sources, None) {
        Ok(file) => file,
        Err(d) => return (None, vec![*d]),
    };
    let root = path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let (mut project, mut findings) = read(sources, file, &root, environment);
    schemas(&mut project, sources, cache, &mut findings);
    maps(&mut project, sources, cache, &mut findings);
    (Some(project), findings)
}

/// The stores of the project of this project file, without its maps; nothing where it cannot be read.
pub fn load_stores(path: &Path, sources: &mut Sources) -> Vec<(String, Arc<StoreSchema>)> {
    let Ok(file) = read_text(path, DEFAULT_SIZE, sources, None) else { return vec![] };
    let root = path.parent().unwrap_or(Path::new("."));
    let (mut project, _) = read(sources, file, root, &|name| std::env::var(name).ok());
    schemas(&mut project, sources, &Cache::default(), &mut vec![]);
    project.stores.into_iter().map(|s| (s.name, s.schema)).collect()
}

fn schemas(project: &mut Project, sources: &mut Sources, cache: &Cache, findings: &mut Vec<Diagnostic>) {
    let mut read: Vec<(usize, FileId)> = vec![];
    for (i, store) in project.stores.iter().enumerate() {
        if store.schema_path.as_os_str().is_empty() {
            continue;
        }
        let file = match read_text(&store.schema_path, DEFAULT_SIZE, sources, Some(store.schema_span)) {
            Ok(file) => file,
            Err(d) => {
                let d = if d.code == Code::TM0150 {
                    d.help("write the file, or name the one that is meant; `tablemap init` makes two to learn from")
                } else {
                    *d
                };
                findings.push(d);
                continue;
            }
        };
        read.push((i, file));
    }
    let load = |(_, file): &(usize, FileId)| {
        cache.schemas.get(sources, *file, || {
            let (schema, findings) = crate::schema::load(sources, *file);
            (Arc::new(schema), findings)
        })
    };
    let loaded = in_parallel(&read, load);
    for ((i, _), (schema, mut more)) in read.into_iter().zip(loaded) {
        let store = &mut project.stores[i];
        findings.append(&mut more);
        if !schema.name.is_empty() && schema.name != store.name {
            let d = Diagnostic::new(
                Code::TM0170,
                store.schema_span,
                format!("this is the schema of `{}`, the store is `{}`", schema.name, store.name),
            )
            .help(format!("write `store: {}` there, or name another schema here", store.name));
            findings.push(d);
        }
        store.schema = schema;
        if let Some(poll) = &store.poll {
            findings.extend(poll.columns(&store.schema).1);
            // What is only read says so at each line that would write it.
            let columns = Arc::make_mut(&mut store.schema).tables.iter_mut().flat_map(|t| &mut t.columns);
            columns.for_each(|c| c.read_only = true);
        }
    }
}

fn maps(project: &mut Project, sources: &mut Sources, cache: &Cache, findings: &mut Vec<Diagnostic>) {
    let paths = files::matching(&project.root, &project.patterns, findings);
    let mut read: Vec<(PathBuf, FileId, bool)> = vec![];
    for path in paths {
        let name = path.to_string_lossy();
        let is_yaml = name.ends_with(".map.yaml") || name.ends_with(".map.yml");
        if !is_yaml && !name.ends_with(".tmap") {
            let d = Diagnostic::nowhere(Code::TM0169, format!("`{}` is no map file", files::shown(&path)))
                .help("maps end in `.tmap` or `.map.yaml`; make the patterns under `maps` narrower");
            findings.push(d);
            continue;
        }
        let file = match read_text(&path, project.limits.map_size, sources, None) {
            Ok(file) => file,
            Err(d) => {
                findings.push(*d);
                continue;
            }
        };
        read.push((path, file, is_yaml));
    }
    let parse = |(_, file, is_yaml): &(PathBuf, FileId, bool)| {
        let parse = || {
            let (ast, findings) = if *is_yaml { yaml::parse(sources, *file) } else { dsl::parse(sources, *file) };
            (Arc::new(ast), findings)
        };
        cache.maps.get(sources, *file, parse)
    };
    let parsed = in_parallel(&read, parse);
    for ((path, file, _), (ast, mut more)) in read.into_iter().zip(parsed) {
        if ast.maps.is_empty() && ast.values.is_empty() && more.is_empty() {
            let d = Diagnostic::new(Code::TM0119, Span::new(file, 0, 0), "this file holds no map")
                .help("write one (`map \"…\" { … }`, in YAML `map: …`), or take the file away");
            findings.push(d);
        }
        findings.append(&mut more);
        project.maps.push(MapFile { path, file, ast });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
