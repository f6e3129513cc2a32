//! Unified diffs, as `patch` and `git apply` read them.

use similar::TextDiff;

/// The diff of a file; empty where nothing differs.
pub(super) fn unified(name: &str, old: &str, new: &str) -> String {
    let name = name.strip_prefix('/').unwrap_or(name);
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}
