//! How the analysis is done: at once where the caller can, and not again for maps that are as they were.
//!
//! What a map's analysis gives follows from the text of its file and from what all maps share: the stores, the companies,
//! the time zone, the value maps. So a result is kept under the file's text, and all are let go of when anything shared
//! changes. Texts are compared, not trees: findings hold places. An overlay is made of several files: its results are kept
//! under the texts of all of them.

use super::Input;
use super::ir::CheckedMap;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::syntax::ast::File;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Does a piece of work for each number below the first, in any order, at once where it can.
pub type Each<'a> = &'a dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// One after the other.
pub fn one_by_one(count: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(work);
}

/// How the work is done.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Goes over the maps.
    pub each: Each<'a>,
    /// Results of the last time.
    pub kept: Option<&'a Kept>,
}

impl Default for How<'_> {
    fn default() -> Self {
        How { each: &one_by_one, kept: None }
    }
}

/// What the analysis of one map gave; the map is none where it has errors.
#[derive(Clone)]
pub(super) struct Analysed {
    pub map: Option<Arc<CheckedMap>>,
    pub findings: Vec<Diagnostic>,
}

/// Results kept for the next analysis in the same process.
#[derive(Default)]
pub struct Kept(Mutex<All>);

#[derive(Default)]
struct All {
    shared: Option<Shared>,
    /// By file.
    files: HashMap<FileId, OfFile>,
}

/// What the maps of a file gave.
struct OfFile {
    /// Name and text of the file, and of those that its overlays stand on.
    texts: Vec<(String, String)>,
    /// Which maps of the file they were: a base whose place is taken is not among them.
    maps: Vec<Span>,
    results: Vec<Analysed>,
}

/// For files with overlays: the other files that those stand on.
pub type MadeOf = HashMap<FileId, Vec<FileId>>;

impl OfFile {
    /// Whether it is still about this file as it is.
    fn holds(&self, input: &Input<'_>, made_of: &MadeOf, id: FileId, file: &File) -> bool {
        let texts = texts(input, made_of, id);
        self.maps.iter().copied().eq(file.maps.iter().map(|m| m.at.0))
            && self.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).eq(texts)
    }
}

fn texts<'a>(input: &'a Input<'_>, made_of: &MadeOf, id: FileId) -> impl Iterator<Item = (&'a str, &'a str)> {
    let others = made_of.get(&id).cloned().unwrap_or_default();
    std::iter::once(id).chain(others).map(|id| {
        let file = input.sources.file(id);
        (file.name.as_str(), file.text.as_str())
    })
}

/// What all maps depend on.
#[derive(PartialEq)]
struct Shared {
    stores: Vec<String>,
    companies: Option<Vec<String>>,
    time_zone: jiff::tz::TimeZone,
    /// Every text that is not that of a map alone: project file, schemas, files with value maps.
    texts: Vec<(FileId, String, String)>,
}

impl Shared {
    fn of(input: &Input<'_>) -> Shared {
        let own: HashMap<FileId, bool> = input.files.iter().map(|(id, f)| (*id, f.values.is_empty())).collect();
        let texts = input.sources.iter().filter(|(id, _)| !own.get(id).copied().unwrap_or(false));
        Shared {
            stores: input.stores.iter().map(|(name, _)| name.clone()).collect(),
            companies: input.companies.map(<[String]>::to_vec),
            time_zone: input.time_zone.clone(),
            texts: texts.map(|(id, f)| (id, f.name.clone(), f.text.clone())).collect(),
        }
    }
}

impl Kept {
    /// The results that still hold, by map in the order of the files.
    pub(super) fn known(&self, input: &Input<'_>, made_of: &MadeOf) -> Vec<Option<Analysed>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = Shared::of(input);
        if all.shared.as_ref() != Some(&shared) {
            *all = All { shared: Some(shared), files: HashMap::new() };
        }
        let mut out = vec![];
        for (id, file) in input.files {
            let kept = all.files.get(id).filter(|of| of.holds(input, made_of, *id, file));
            out.extend((0..file.maps.len()).map(|i| kept.and_then(|of| of.results.get(i).cloned())));
        }
        out
    }

    /// Keeps the results of all maps, in the order of the files. The rest is that of [`Kept::known`].
    pub(super) fn keep(&self, input: &Input<'_>, made_of: &MadeOf, results: &[Analysed]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = results;
        for (id, file) in input.files {
            let (own, others) = rest.split_at(file.maps.len().min(rest.len()));
            rest = others;
            match all.files.get_mut(id) {
                Some(of) if of.holds(input, made_of, *id, file) => of.results = own.to_vec(),
                _ => {
                    let texts = texts(input, made_of, *id).map(|(name, text)| (name.to_string(), text.to_string()));
                    let maps = file.maps.iter().map(|m| m.at.0).collect();
                    all.files.insert(*id, OfFile { texts: texts.collect(), maps, results: own.to_vec() });
                }
            }
        }
    }
}
