//! Map files that `fmt` and `convert` were asked for.

use super::Context;
use super::failure::Failure;
use crate::diagnostic::{Diagnostic, Severity};
use crate::project;
use crate::schema::StoreSchema;
use crate::source::{FileId, Sources};
use crate::syntax::{ast, dsl, yaml};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The two notations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Notation {
    /// The language of `.tmap` files
    Dsl,
    /// `.map.yaml` files
    Yaml,
}

impl Notation {
    /// By the file's name.
    pub fn of(path: &Path) -> Option<Notation> {
        let name = path.file_name()?.to_string_lossy();
        if name.ends_with(".tmap") {
            Some(Notation::Dsl)
        } else if name.ends_with(".map.yaml") || name.ends_with(".map.yml") {
            Some(Notation::Yaml)
        } else {
            None
        }
    }
    pub fn parse(self, sources: &Sources, file: FileId) -> (ast::File, Vec<Diagnostic>) {
        match self {
            Notation::Dsl => dsl::parse(sources, file),
            Notation::Yaml => yaml::parse(sources, file),
        }
    }
    pub fn write(self, file: &ast::File) -> String {
        match self {
            Notation::Dsl => dsl::write(file),
            Notation::Yaml => yaml::write(file),
        }
    }
    pub fn ending(self) -> &'static str {
        match self {
            Notation::Dsl => ".tmap",
            Notation::Yaml => ".map.yaml",
        }
    }
}

/// A map file that was read.
pub(super) struct Read {
    pub path: PathBuf,
    pub notation: Notation,
    pub file: FileId,
    pub ast: ast::File,
}

/// Reads these files and folders; none = the map files of the project. Files with errors are told, not returned;
/// the bool says whether there were any.
pub(super) fn read(context: &Context, paths: &[PathBuf], sources: &mut Sources) -> Result<(Vec<Read>, bool), Failure> {
    let mut limit = project::DEFAULT_SIZE;
    let mut found: Vec<PathBuf> = Vec::new();
    if paths.is_empty() {
        let (project, findings) = project::load(&context.dir, &mut Sources::new());
        let Some(project) = project else {
            let d = findings.into_iter().next();
            return Err(Failure::new(d.map_or("the project cannot be read".into(), |d| d.message))
                .help("go into a project's folder, or name files"));
        };
        limit = project.limits.map_size;
        found.extend(project.maps.into_iter().map(|m| m.path));
    }
    for path in paths {
        if path.is_dir() {
            folder(path, &mut found)?;
        } else if Notation::of(path).is_some() {
            found.push(path.clone());
        } else {
            return Err(Failure::usage(format!("`{}` is no map file", path.display()))
                .help("map files end in `.tmap` or `.map.yaml`"));
        }
    }
    let mut all = Vec::new();
    let mut broken = false;
    for path in found {
        let Some(notation) = Notation::of(&path) else { continue };
        let (ast, file, findings) = match project::read_text(&path, limit, sources, None) {
            Ok(file) => {
                let (ast, findings) = notation.parse(sources, file);
                (ast, file, findings)
            }
            Err(d) => (ast::File::default(), FileId::default(), vec![*d]),
        };
        let errors: Vec<&Diagnostic> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
        if errors.is_empty() {
            all.push(Read { path, notation, file, ast });
            continue;
        }
        broken = true;
        for d in errors {
            context.out.error(&format!("{}\n", crate::diagnostic::render::human::render(sources, d, true)));
        }
    }
    Ok((all, broken))
}

/// The stores of a project: name, schema.
type Stores = Vec<(String, Arc<StoreSchema>)>;

/// The schemas of the projects that files lie in.
#[derive(Default)]
pub(super) struct Schemas {
    /// By project file.
    known: Vec<(PathBuf, Stores)>,
}

impl Schemas {
    /// The stores of the project around `path`; none where there is no project, or where it cannot be read.
    pub fn of(&mut self, path: &Path) -> &[(String, Arc<StoreSchema>)] {
        let Some(project) = path
            .parent()
            .and_then(|d| if d.as_os_str().is_empty() { project::find(Path::new(".")) } else { project::find(d) })
        else {
            return &[];
        };
        let at = match self.known.iter().position(|(p, _)| *p == project) {
            Some(at) => at,
            None => {
                let stores = project::load_stores(&project, &mut Sources::new());
                self.known.push((project, stores));
                self.known.len() - 1
            }
        };
        &self.known[at].1
    }
}

fn folder(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(path).map_err(|e| Failure::io("read", path, &e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for p in paths {
        let hidden = p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if p.is_dir() && !p.is_symlink() {
            folder(&p, found)?;
        } else if Notation::of(&p).is_some() {
            found.push(p);
        }
    }
    Ok(())
}

/// The canonical text of a tree, made sure of by reading it back: what it means must not change.
pub(super) fn write_checked(tree: &ast::File, notation: Notation, path: &Path) -> Result<String, Failure> {
    let text = notation.write(tree);
    let mut sources = Sources::new();
    let file = sources.add(path.to_string_lossy(), text.as_str());
    let (again, findings) = notation.parse(&sources, file);
    if again != *tree || findings.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::new(format!(
            "`{}` would not mean the same after writing; it was left as it is",
            path.display()
        ))
        .help("this is a fault of tablemap: please report it with the file"));
    }
    Ok(text)
}

/// Writes a file whole or not at all.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        if let Ok(meta) = std::fs::metadata(path) {
            file.set_permissions(meta.permissions())?;
        }
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|e| {
        // What is left of the attempt.
        let _ = std::fs::remove_file(&new);
        Failure::io("write", path, &e)
    })
}
