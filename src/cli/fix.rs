//! `check --fix`: applies fixes to the files, or shows them as a diff.

use super::Context;
use super::failure::Failure;
use super::files;
use super::open::{self, Cache, Loaded};
use super::unified;
use crate::diagnostic::apply::{self, Checked, Done, Outcome, Texts};
use crate::diagnostic::render::json::Mended;
use crate::source::Sources;
use std::path::Path;

/// What is to be done with fixes.
pub(super) struct Wish {
    /// The unsafe ones too.
    pub unsafe_too: bool,
    /// Shown, not written.
    pub diff: bool,
}

/// What was done.
pub(super) struct Fixed {
    pub mended: Mended,
    /// The project afterwards; with `--diff` as it would be.
    pub loaded: Loaded,
    /// Whether something is to be changed that was only shown.
    pub shown: bool,
}

/// Applies the fixes of a project.
pub(super) fn run(context: &Context, loaded: Loaded, wish: &Wish) -> Result<Fixed, Failure> {
    let first = Checked { sources: loaded.sources, findings: loaded.findings };
    let cache = Cache::keeping();
    let mut look = |texts: &Texts| {
        let sources = Sources::with_instead(texts.clone());
        let l = open::load_from(&context.dir, sources, &cache).ok()?;
        Some(Checked { sources: l.sources, findings: l.findings })
    };
    let outcome = apply::apply(first, wish.unsafe_too, &mut look);
    let diff = wish.diff.then(|| difference(&outcome));
    if !wish.diff {
        for (name, text) in &outcome.texts {
            write(Path::new(name), text)?;
        }
    }
    let loaded = open::load_from(&context.dir, Sources::with_instead(outcome.texts.clone()), &cache)
        .map_err(|_| Failure::new("the project cannot be read after its fixes"))?;
    let Outcome { texts, applied, refused, more_unsafe, .. } = outcome;
    let mended = Mended { fixed: applied, not_fixed: refused, more_with_unsafe_fixes: more_unsafe, diff };
    Ok(Fixed { mended, loaded, shown: wish.diff && !texts.is_empty() })
}

/// The files as they are beside their new texts.
fn difference(outcome: &Outcome) -> String {
    let old = |name: &str| std::fs::read_to_string(name).unwrap_or_default();
    outcome
        .texts
        .iter()
        .map(|(name, new)| unified::unified(name, old(name).trim_start_matches('\u{feff}'), new))
        .collect()
}

/// Writes a text; a byte order mark of the file stays.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mark = std::fs::read(path).is_ok_and(|b| b.starts_with("\u{feff}".as_bytes()));
    if mark { files::replace(path, &format!("\u{feff}{text}")) } else { files::replace(path, text) }
}

/// What is told to people: each fix on a line, then the sum.
pub(super) fn tell(context: &Context, mended: &Mended, wish: &Wish) {
    let verb = if wish.diff { "would fix" } else { "fixed" };
    let one = |d: &Done, verb: &str| format!("{verb} {} in {}: {}", d.code, d.file, d.title);
    for d in &mended.fixed {
        context.out.note(one(d, verb));
    }
    for d in &mended.not_fixed {
        context.out.note(format!("{}, since there would be more errors after it", one(d, "not fixed:")));
    }
    let mut sum = format!("{} {}", mended.fixed.len(), if wish.diff { "to be fixed" } else { "fixed" });
    if !mended.not_fixed.is_empty() {
        sum.push_str(&format!(", {} not, which would make it worse", mended.not_fixed.len()));
    }
    if mended.more_with_unsafe_fixes > 0 {
        sum.push_str(&format!(", {} more with `--unsafe-fixes`", mended.more_with_unsafe_fixes));
    }
    context.out.line(sum);
}
