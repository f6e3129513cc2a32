//! `check`: the findings of all files.

use super::Context;
use super::failure::{Failure, Outcome};
use super::open::{self, Loaded};
use super::out::{DIM, ERROR, GOOD, WARN, many, number, paint};
use crate::check::live;
use crate::diagnostic::{Diagnostic, Severity};

/// Check project, schemas and maps; no store is needed, unless `--live` asks for them
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap check                          the project of this folder\n  \
    tablemap check -C demo --format json    for CI\n  \
    tablemap check --strict                 warnings count as errors\n  \
    tablemap check --live                   also whether the stores have what the maps need")]
pub(super) struct Args {
    /// Exit with 1 for warnings too
    #[arg(long)]
    strict: bool,
    /// Look into the stores too: tables, columns, keys and indexes that the maps use
    #[arg(long)]
    live: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut loaded = open::load(context)?;
    if args.live
        && let Err(failure) = look(&mut loaded)
    {
        // What is known without the stores is told all the same.
        if !context.out.is_json() {
            open::print_findings(context, &loaded.sources, &loaded.findings, loaded.silenced);
        }
        return Err(failure);
    }
    open::print_findings(context, &loaded.sources, &loaded.findings, loaded.silenced);
    let count = |s: Severity| loaded.findings.iter().filter(|d| d.severity == s).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let maps: usize = loaded.files.iter().map(|(_, f)| f.maps.len()).sum();
    let what = format!(
        "{} in {}, {}",
        many(maps, "map"),
        many(loaded.files.len(), "file"),
        many(loaded.project.stores.len(), "store schema")
    );
    let verdict = match (errors, warnings) {
        (0, 0) => paint(GOOD, "no findings"),
        _ => {
            let mut parts = Vec::new();
            if errors > 0 {
                parts.push(paint(ERROR, many(errors, "error")));
            }
            if warnings > 0 {
                parts.push(paint(WARN, many(warnings, "warning")));
            }
            format!("{} in {}", parts.join(", "), many(files_with(&loaded.findings), "file"))
        }
    };
    let silenced = match loaded.silenced {
        0 => String::new(),
        n => paint(DIM, format!(" ({} silenced)", number(n as u64))),
    };
    context.out.line(format!("{what}: {verdict}{silenced}"));
    open::hint(context, &loaded.findings);
    Ok(open::code_of(errors > 0 || (args.strict && warnings > 0)))
}

/// Adds what the live stores lack.
fn look(loaded: &mut Loaded) -> Result<(), Failure> {
    let mut found = Vec::new();
    for (i, store) in loaded.stores()?.iter().enumerate() {
        found.extend(live::findings(&loaded.checked, i, &store.describe()?));
    }
    let found = loaded.project.at_levels(found);
    loaded.findings.extend(found);
    loaded.findings.sort_by_key(|d| d.span().map(|s| (s.file, s.start)));
    Ok(())
}

fn files_with(findings: &[Diagnostic]) -> usize {
    let mut files: Vec<_> = findings.iter().map(|d| d.span().map(|s| s.file)).collect();
    files.sort_unstable();
    files.dedup();
    files.len()
}
