//! Planted bugs: switches that break the engine or a store at one place each, so that a run of the tests shows that they
//! would have been seen. `tests/mutants.txt` says what each breaks and which test finds it; `tests/mutants` runs them.
//!
//! Without the feature `mutants`, which no build for people has, every switch is `false` and leaves no trace.

/// Whether a planted bug is switched on, by its id: `TABLEMAP_MUTANT` names it.
#[cfg(feature = "mutants")]
pub(crate) fn on(id: &str) -> bool {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<String> = OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("TABLEMAP_MUTANT").unwrap_or_default()) == id
}

/// Never.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub(crate) const fn on(_: &str) -> bool {
    false
}

/// `mutant!("id")`: whether this planted bug is switched on.
macro_rules! mutant {
    ($id:literal) => {
        $crate::mutants::on($id)
    };
}
