//! `check`: the findings of all files.

use super::Context;
use super::failure::Outcome;
use super::open;
use super::out::{DIM, ERROR, GOOD, WARN, many, number, paint};
use crate::diagnostic::{Diagnostic, Severity};

/// Check project, schemas and maps; no store is needed
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap check                          the project of this folder\n  \
    tablemap check -C demo --format json    for CI\n  \
    tablemap check --strict                 warnings count as errors")]
pub(super) struct Args {
    /// Exit with 1 for warnings too
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
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

fn files_with(findings: &[Diagnostic]) -> usize {
    let mut files: Vec<_> = findings.iter().map(|d| d.span().map(|s| s.file)).collect();
    files.sort_unstable();
    files.dedup();
    files.len()
}
