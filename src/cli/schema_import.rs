//! `schema import`: schema files from real metadata.

use super::Context;
use super::failure::{Failure, Outcome};
use super::files::replace;
use super::out::{WARN, many, paint};
use crate::project;
use crate::schema::{NewSchema, NewTable, csdl, csv, merge};
use crate::source::Sources;
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write schema files from real metadata
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    /// The `$metadata` of an OData service
    #[command(after_help = "Examples:\n  \
        tablemap schema import csdl metadata.xml --store dataverse --table accounts --table contacts\n  \
        tablemap schema import csdl metadata.xml --store dataverse --force     sketched tables give way")]
    Csdl {
        /// The document
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Entity sets; none = those that the schema file has, or all where there is none
        #[arg(long = "table", value_name = "TABLE")]
        tables: Vec<String>,
        #[command(flatten)]
        to: To,
    },
    /// One table a file: `column,type,length,required,key,values,note,source`
    #[command(after_help = "A table is called like its file, without `.csv`.\n\nExamples:\n  \
        tablemap schema import csv CustomersV3.csv ProjectsV2.csv --store finance\n  \
        tablemap schema import csv account.csv --table accounts --store dataverse --force")]
    Csv {
        /// The files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The table's name where it is not the file's
        #[arg(long, value_name = "TABLE")]
        table: Option<String>,
        #[command(flatten)]
        to: To,
    },
}

#[derive(clap::Args)]
struct To {
    /// The store, as tablemap.yaml names it
    #[arg(long, value_name = "STORE")]
    store: String,
    /// Another file than the project's
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace tables that the file has; keys and lookups of theirs that still fit are kept
    #[arg(long)]
    force: bool,
}

/// `$metadata` of finance is tens of megabytes.
const LIMIT: u64 = 256 * 1024 * 1024;

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let read = |path: &Path| {
        let mut sources = Sources::new();
        let file = project::read_text(path, LIMIT, &mut sources, None).map_err(|d| Failure::new(d.message))?;
        Ok::<String, Failure>(sources.file(file).text.clone())
    };
    let bad = |path: &Path, why: String| Failure::new(format!("`{}`: {why}", path.display()));
    match &args.from {
        From::Csdl { file, tables, to } => {
            let text = read(file)?;
            let (path, existing) = target(to, context)?;
            let mut only = tables.clone();
            if only.is_empty()
                && let Some(text) = &existing
            {
                let mut sources = Sources::new();
                let id = sources.add("schema", text.as_str());
                only.extend(crate::schema::load(&sources, id).0.tables.into_iter().map(|t| t.name));
            }
            let (found, doubts) = csdl(&text, &only).map_err(|why| bad(file, why))?;
            put(to, context, &path, existing.as_deref(), found, doubts)
        }
        From::Csv { files, table, to } => {
            if table.is_some() && files.len() > 1 {
                return Err(Failure::usage("`--table` names one table, and there are several files"));
            }
            let (path, existing) = target(to, context)?;
            let (mut found, mut doubts) = (vec![], vec![]);
            for file in files {
                let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
                let name = table.clone().unwrap_or(stem);
                let (t, more) = csv(&name, &read(file)?).map_err(|why| bad(file, why))?;
                doubts.extend(more.into_iter().map(|d| format!("{}: {d}", file.display())));
                found.push(t);
            }
            put(to, context, &path, existing.as_deref(), found, doubts)
        }
    }
}

/// The schema file, and what is in it.
fn target(to: &To, context: &Context) -> Result<(PathBuf, Option<String>), Failure> {
    let path = match &to.out {
        Some(path) => path.clone(),
        None => {
            let (project, _) = project::load(&context.dir, &mut Sources::new());
            let Some(project) = project else {
                return Err(Failure::new("there is no project here").help("name the schema file with `--out`"));
            };
            let known = project.stores.iter().find(|s| s.name == to.store);
            match known.filter(|s| !s.schema_path.as_os_str().is_empty()) {
                Some(s) => s.schema_path.clone(),
                None => {
                    return Err(Failure::usage(format!("no store is called `{}`", to.store))
                        .help("`--store` names a store of tablemap.yaml"));
                }
            }
        }
    };
    let existing = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Failure::io("read", &path, &e)),
    };
    Ok((path, existing))
}

fn put(
    to: &To,
    context: &Context,
    path: &Path,
    existing: Option<&str>,
    tables: Vec<NewTable>,
    mut doubts: Vec<String>,
) -> Outcome {
    let shown = path.strip_prefix(&context.dir).unwrap_or(path).display().to_string();
    // Entities of finance belong to companies by this column, and finance has no null.
    let finance = tables.iter().any(|t| t.company.is_some());
    let new = NewSchema {
        head: vec!["Imported from metadata; companies, blanks and labels are for people to look at.".into()],
        store: to.store.clone(),
        case_insensitive: finance,
        blanks: finance,
        tables,
    };
    let merged = merge(existing, new, to.force).map_err(|why| {
        Failure::new(format!("`{shown}` was left as it is: {why}")).help("`tablemap check` shows all")
    })?;
    if existing != Some(merged.text.as_str()) {
        if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(|e| Failure::io("make", dir, &e))?;
        }
        replace(path, &merged.text)?;
    }
    doubts.extend(merged.doubts);
    context.out.json(&json!({
        "format": 1, "store": to.store, "file": shown, "added": merged.added, "replaced": merged.replaced,
        "left": merged.left, "doubts": doubts,
    }));
    for d in &doubts {
        context.out.note(format!("{} {d}", paint(WARN, "doubt:")));
    }
    if !merged.left.is_empty() {
        let message = format!("left as they are: {}; `--force` replaces them", merged.left.join(", "));
        context.out.note(message);
    }
    let (added, replaced) = (many(merged.added.len(), "table"), many(merged.replaced.len(), "table"));
    context.out.line(format!("{shown}: {added} added, {replaced} replaced"));
    Ok(super::failure::Code::Fine)
}
