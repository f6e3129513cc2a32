//! `demo`: copies the example, fills both stores, and plays the invoice flow as people would see it.

mod content;
mod story;

use super::Context;
use super::failure::{Failure, Outcome};
use super::lock::EngineLock;
use super::open;
use crate::project;
use std::path::{Path, PathBuf};

/// Play the invoice flow: two stores, nine maps, from draft to posted
#[derive(clap::Args)]
#[command(
    after_help = "Makes a project of its own that you can go on with: edit a map, check it, run it.\n\nExamples:\n  \
    tablemap demo                    in ./tablemap-demo; an earlier demo there is replaced\n  \
    tablemap demo --dir /tmp/flow"
)]
pub(super) struct Args {
    /// Where to put it: a folder that is not there, is empty, or holds an earlier demo
    #[arg(long, value_name = "DIR", default_value = "tablemap-demo")]
    dir: PathBuf,
}

/// Marks a folder as a demo's.
const MARK: &str = ".tablemap-demo";

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let dir = if args.dir.is_absolute() { args.dir.clone() } else { context.dir.join(&args.dir) };
    make(&dir)?;
    let loaded = open::load_dir(context, &dir)?;
    let filled = project::in_parallel(&loaded.checked.stores, |(name, schema)| {
        let path = database(&dir, name);
        super::sql::create(name, &path, schema.clone())?;
        let seed = content::text(&format!("seed/{name}.sql"));
        super::sql::script(&path, seed)?.map_err(|e| Failure::new(format!("seed/{name}.sql: {e}")))
    });
    filled.into_iter().collect::<Result<Vec<u64>, Failure>>()?;
    let _lock = EngineLock::take(&loaded.project.state)?;
    story::play(context, &loaded, &args.dir, &dir)
}

fn database(dir: &Path, store: &str) -> PathBuf {
    dir.join("data").join(format!("{store}.db"))
}

/// The folder with the project's files in it.
fn make(dir: &Path) -> Result<(), Failure> {
    let mark = dir.join(MARK);
    if mark.is_file() {
        // Nobody may be at work in it.
        drop(EngineLock::take(&dir.join(".tablemap"))?);
        for part in ["data", "expected", "maps", "schemas", "seed", "steps", ".tablemap"] {
            let path = dir.join(part);
            if path.exists() {
                std::fs::remove_dir_all(&path).map_err(|e| Failure::io("remove", &path, &e))?;
            }
        }
    } else if dir.is_file() {
        return Err(Failure::new(format!("`{}` is a file", dir.display())).help("name a folder with `--dir`"));
    } else if dir.exists() {
        let mut entries = std::fs::read_dir(dir).map_err(|e| Failure::io("use", dir, &e))?;
        if entries.next().is_some() {
            return Err(Failure::new(format!("`{}` is not empty and holds no earlier demo", dir.display()))
                .help("name another folder with `--dir`"));
        }
    }
    let write = |name: &str, text: &str| -> Result<(), Failure> {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Failure::io("make", folder, &e))?;
        }
        std::fs::write(&path, text).map_err(|e| Failure::io("write", &path, &e))
    };
    write(MARK, "This folder was made by `tablemap demo`; the next demo here replaces it.\n")?;
    write("tablemap.yaml", &content::project())?;
    content::FILES.iter().try_for_each(|(name, text)| write(name, text))
}
