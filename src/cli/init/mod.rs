//! `init`: a project to start from. It checks, tests and runs at once, and its comments teach.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::out::{HELP, paint, shell};
use super::{open, sql};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make a small project that checks and runs at once
#[derive(clap::Args)]
#[command(
    after_help = "Two SQLite stores with a few rows, a schema each, one map with its tests. Nothing that is there is replaced.\n\nExamples:\n  \
    tablemap init my-project\n  \
    tablemap init my-project --empty     without databases: bring your own\n  \
    cd my-project && tablemap check && tablemap sync"
)]
pub(super) struct Args {
    /// Make no databases
    #[arg(long)]
    empty: bool,
    /// Where to put it; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

const FILES: &[(&str, &str)] = &[
    ("tablemap.yaml", include_str!("files/tablemap.yaml")),
    ("schemas/crm.schema.yaml", include_str!("files/crm.schema.yaml")),
    ("schemas/erp.schema.yaml", include_str!("files/erp.schema.yaml")),
    ("maps/customers.tmap", include_str!("files/customers.tmap")),
    (".gitignore", "# State of tablemap, and the databases of the trial.\n.tablemap/\ndata/\n"),
];
const ROWS: &[(&str, &str)] = &[("crm", include_str!("files/crm.sql")), ("erp", include_str!("files/erp.sql"))];

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let dir = if args.dir.is_absolute() { args.dir.clone() } else { context.dir.join(&args.dir) };
    let databases = ROWS.iter().map(|(store, _)| format!("data/{store}.db"));
    let all = FILES.iter().map(|(name, _)| name.to_string()).filter(|n| n != ".gitignore").chain(databases);
    for name in all {
        if dir.join(&name).exists() {
            return Err(Failure::new(format!("`{}` is there already; nothing was written", dir.join(&name).display()))
                .help("name a folder that holds no project"));
        }
    }
    let out = &context.out;
    let mut written = Vec::new();
    for (name, text) in FILES {
        let path = dir.join(name);
        if path.exists() {
            continue;
        }
        write(&path, &text.replace("PROJECT", &project_name(&dir)))?;
        written.push((*name).to_string());
    }
    if !args.empty {
        let loaded = open::load_dir(context, &dir)?;
        for (store, rows) in ROWS {
            let Some((_, schema)) = loaded.checked.stores.iter().find(|(name, _)| name == store) else { continue };
            let path = dir.join("data").join(format!("{store}.db"));
            sql::create(store, &path, schema.clone())?;
            sql::script(&path, rows)?.map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
            written.push(format!("data/{store}.db"));
        }
    }
    let shown = args.dir.display();
    let at = if args.dir == Path::new(".") { String::new() } else { format!(" -C {}", shell(&shown.to_string())) };
    out.json(&json!({ "dir": shown.to_string(), "written": written }));
    out.line(format!("A project in {shown}:"));
    for name in &written {
        out.line(format!("  {name}"));
    }
    if args.empty {
        out.line(
            "\nThe stores' databases are yours to bring: data/crm.db and data/erp.db, with the tables of the schemas.",
        );
    }
    out.line("\nNext:");
    for (command, what) in [
        ("check", "the map against both schemas"),
        ("test", "the map's own tests, in memory"),
        ("sync", "copy everything once"),
        ("run", "carry over what changes, until Ctrl-C"),
    ] {
        let command = format!("tablemap {command}{at}");
        out.line(format!("  {}  {what}", paint(HELP, format!("{command:<width$}", width = 14 + at.chars().count()))));
    }
    Ok(Code::Fine)
}

/// The folder's name as a project's name.
fn project_name(dir: &Path) -> String {
    let name = std::path::absolute(dir).ok().and_then(|d| d.file_name().map(|n| n.to_string_lossy().into_owned()));
    let plain: String = name
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .take(60)
        .collect();
    if plain.trim_matches('-').is_empty() { "tablemap".into() } else { plain }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Failure::io("make", folder, &e))?;
    }
    std::fs::write(path, text).map_err(|e| Failure::io("write", path, &e))
}
