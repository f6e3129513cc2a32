//! `schema`: store schemas against live stores.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::files::replace;
use super::open::{self, Loaded, code_of};
use super::out::{DIM, ERROR, GOOD, HELP, WARN, many, paint};
use crate::check::live::{self, Drift, Weight};
use crate::diagnostic::did_you_mean;
use crate::project::StoreConfig;
use crate::schema::{LiveTable, Pulled, pull};
use clap::Subcommand;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// Compare the schema files with the live stores, or write them from there
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap schema pull finance                  new tables and columns into schemas/finance.schema.yaml\n  \
    tablemap schema pull finance Customers --dry-run\n  \
    tablemap schema import csdl metadata.xml --store dataverse\n  \
    tablemap schema diff")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add to a schema file what the live store has and it has not
    #[command(after_help = "What people wrote in the file stays as it is; nothing is taken out.\n\nExamples:\n  \
        tablemap schema pull finance\n  \
        tablemap schema pull finance Customers Projects --dry-run")]
    Pull {
        /// The store, as tablemap.yaml names it
        #[arg(value_name = "STORE")]
        store: String,
        /// Tables; none = all
        #[arg(value_name = "TABLE")]
        tables: Vec<String>,
        /// Another file than the project's
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Write nothing; show what would be added
        #[arg(long)]
        dry_run: bool,
    },
    /// Write schema files from real metadata
    Import(super::schema_import::Args),
    /// What differs between schema files and live stores, and what is in the way of a migration
    #[command(
        after_help = "breaks: maps cannot run, or every record of one fails (exit code 1) · risk: some may fail, or work is slow ·\n\
        note: worth knowing\n\nExamples:\n  \
        tablemap schema diff\n  \
        tablemap schema diff finance --format json"
    )]
    Diff {
        /// The store, as tablemap.yaml names it; none = all
        #[arg(value_name = "STORE")]
        store: Option<String>,
    },
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    if let Action::Import(args) = &args.action {
        return super::schema_import::run(args, context);
    }
    let loaded = open::load(context)?;
    match &args.action {
        Action::Import(_) => Ok(Code::Fine),
        Action::Pull { store, tables, out, dry_run } => {
            let config = named(&loaded, store)?;
            run_pull(context, &loaded, config, tables, out.as_ref(), *dry_run)
        }
        Action::Diff { store } => run_diff(context, &loaded, store.as_deref()),
    }
}

fn named<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a StoreConfig, Failure> {
    loaded.project.store(name).ok_or_else(|| {
        let known = || loaded.project.stores.iter().map(|s| s.name.as_str());
        let help = did_you_mean(name, known())
            .unwrap_or_else(|| format!("the project has: {}", known().collect::<Vec<_>>().join(", ")));
        Failure::usage(format!("no store is called `{name}`")).help(help)
    })
}

fn run_pull(
    context: &Context,
    loaded: &Loaded,
    config: &StoreConfig,
    tables: &[String],
    to: Option<&PathBuf>,
    dry_run: bool,
) -> Outcome {
    let mut live = open::store(config, config.schema.clone(), &loaded.project.state)?.describe()?;
    for name in tables {
        if !live.iter().any(|t| t.name.eq_ignore_ascii_case(name)) {
            let failure = Failure::usage(format!("store `{}` has no table `{name}`", config.name));
            return Err(match did_you_mean(name, live.iter().map(|t| t.name.as_str())) {
                Some(near) => failure.help(near),
                None => failure,
            });
        }
    }
    if !tables.is_empty() {
        live.retain(|t| tables.iter().any(|n| n.eq_ignore_ascii_case(&t.name)));
    }
    let path = match to {
        Some(path) => path.clone(),
        None if config.schema_path.as_os_str().is_empty() => {
            loaded.project.root.join("schemas").join(format!("{}.schema.yaml", config.name))
        }
        None => config.schema_path.clone(),
    };
    let existing = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Failure::io("read", &path, &e)),
    };
    let shown = path.strip_prefix(&loaded.project.root).unwrap_or(&path).display().to_string();
    let pulled = pull(&config.name, existing.as_deref(), &live).map_err(|why| {
        Failure::new(format!("`{shown}` was left as it is: {why}")).help("`tablemap check` shows all")
    })?;
    let changed = existing.as_deref() != Some(pulled.text.as_str());
    if dry_run {
        context.out.line(diff(&shown, existing.as_deref(), &pulled));
    } else if changed {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| Failure::io("make", folder, &e))?;
        }
        replace(&path, &pulled.text)?;
    }
    context.out.json(&json!({
        "format": 1, "store": config.name, "file": shown, "written": changed && !dry_run,
        "tables": pulled.tables, "columns": pulled.columns, "left_out": pulled.left_out,
    }));
    for line in &pulled.left_out {
        context.out.note(format!("{} {line}", paint(WARN, "left out:")));
    }
    let what = format!(
        "{} and {} of tables that were there",
        many(pulled.tables.len(), "table"),
        many(pulled.columns.len(), "column")
    );
    context.out.line(match (changed, dry_run) {
        (false, _) => format!("{shown} has all that the store has"),
        (true, true) => format!("would be added to {shown}: {what}"),
        (true, false) => format!("added to {shown}: {what}"),
    });
    Ok(Code::Fine)
}

/// What was added, as a diff without context.
fn diff(name: &str, existing: Option<&str>, pulled: &Pulled) -> String {
    let mut text = format!("--- {}\n+++ {name}", if existing.is_some() { name } else { "/dev/null" });
    let whole = [(1, pulled.text.clone())];
    let parts: &[(usize, String)] = if existing.is_some() { &pulled.added } else { &whole };
    for (line, added) in parts {
        text.push_str(&format!("\n{}", paint(DIM, format!("@@ line {line} @@"))));
        // An addition inside a line is shown with its line.
        let lines: Vec<&str> = if added.ends_with('\n') {
            added.lines().collect()
        } else {
            pulled.text.lines().skip(line - 1).take(1).collect()
        };
        for l in lines {
            text.push_str(&format!("\n{}", paint(GOOD, format!("+{l}"))));
        }
    }
    text
}

fn run_diff(context: &Context, loaded: &Loaded, only: Option<&str>) -> Outcome {
    if let Some(name) = only {
        named(loaded, name)?;
    }
    let mut all: Vec<(String, Vec<LiveTable>, Vec<Drift>)> = Vec::new();
    for (i, (name, schema)) in loaded.checked.stores.iter().enumerate() {
        if only.is_some_and(|o| o != name) {
            continue;
        }
        let Some(config) = loaded.project.store(name) else { continue };
        let live = open::store(config, schema.clone(), &loaded.project.state)?.describe()?;
        let drift = live::drift(&loaded.checked, i, &live);
        all.push((name.clone(), live, drift));
    }
    let out = &context.out;
    out.json(&json!({
        "format": 1,
        "stores": all.iter().map(|(name, live, drift)| json!({
            "store": name, "tables": live.len(), "drift": drift.iter().map(as_json).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    }));
    for (name, live, drift) in &all {
        for d in drift {
            let style = match d.weight {
                Weight::Breaks => ERROR,
                Weight::Risk => WARN,
                Weight::Note => DIM,
            };
            let code = d.code.filter(|_| d.weight != Weight::Note).map_or(String::new(), |c| format!(" {c}"));
            let place = d.span.map_or(String::new(), |s| format!("  {}", paint(DIM, loaded.sources.at(s))));
            out.line(format!("{}{code} {name}: {}{place}", paint(style, d.weight.word()), d.message));
            if !d.used_by.is_empty() && d.weight != Weight::Note {
                out.line(format!("  used by {}", d.used_by.join(", ")));
            }
            if let Some(help) = &d.help {
                out.line(format!("  {} {help}", paint(HELP, "help:")));
            }
        }
        let count = |w: Weight| drift.iter().filter(|d| d.weight == w).count();
        let counts = [Weight::Breaks, Weight::Risk, Weight::Note].map(|w| (w, count(w)));
        let parts: Vec<String> =
            counts.iter().filter(|(_, n)| *n > 0).map(|(w, n)| format!("{n} {}", w.word())).collect();
        let verdict = if parts.is_empty() { paint(GOOD, "no drift") } else { parts.join(", ") };
        out.line(format!("{name}: {} in the store: {verdict}", many(live.len(), "table")));
    }
    Ok(code_of(all.iter().any(|(_, _, drift)| drift.iter().any(|d| d.weight == Weight::Breaks))))
}

fn as_json(d: &Drift) -> Json {
    json!({
        "severity": d.weight.word(), "code": d.code.map(|c| c.0), "table": d.table, "column": d.column,
        "message": d.message, "help": d.help, "used_by": d.used_by,
    })
}
