//! Unified diffs, as `patch` and `git apply` read them.

use crate::source::SourceFile;
use similar::TextDiff;

/// The diff of a file, with stars for secrets; empty where nothing differs.
pub(super) fn unified(name: &str, old: &str, new: &str) -> String {
    let (old, new) = (SourceFile::new(name, old), SourceFile::new(name, new));
    let (old, new) = (old.masked(), new.masked());
    let name = name.strip_prefix('/').unwrap_or(name);
    TextDiff::from_lines(&*old, &*new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}
