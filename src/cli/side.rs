//! Sides as people name them: `left`, `right`, or the store that lies there.

use super::failure::Failure;
use super::open::Loaded;
use crate::diagnostic::did_you_mean;
use crate::engine::Master;
use crate::syntax::ast::Side;

/// What `option WORD` names.
pub(super) fn named(option: &str, word: &str, loaded: &Loaded) -> Result<Master, Failure> {
    match word {
        "left" => Ok(Master::Side(Side::Left)),
        "right" => Ok(Master::Side(Side::Right)),
        store if loaded.project.store(store).is_some() => Ok(Master::Store(store.to_string())),
        other => {
            let names = loaded.project.stores.iter().map(|s| s.name.as_str()).chain(["left", "right"]);
            let help = did_you_mean(other, names.clone())
                .unwrap_or_else(|| format!("write one of: {}", names.collect::<Vec<_>>().join(", ")));
            Err(Failure::usage(format!("`{option} {other}` is no side and no store")).help(help))
        }
    }
}
