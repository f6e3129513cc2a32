//! What was read from texts, kept for the next time the project is read in the same process.

use crate::diagnostic::Diagnostic;
use crate::schema::StoreSchema;
use crate::source::{FileId, Sources};
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// Maps and schemas as read before. Empty, it keeps nothing: a command that reads once has no use for it.
#[derive(Default)]
pub struct Cache {
    pub(super) maps: Kept<Arc<ast::File>>,
    pub(super) schemas: Kept<Arc<StoreSchema>>,
}

impl Cache {
    /// A cache that keeps what is read.
    pub fn keeping() -> Cache {
        Cache { maps: Kept { keeps: true, ..Kept::default() }, schemas: Kept { keeps: true, ..Kept::default() } }
    }
}

/// A file's text, and what it was read as.
type Read<T> = (String, T, Vec<Diagnostic>);

/// By file. Spans hold the file's number, so the same text counts under the same number only.
pub(super) struct Kept<T> {
    keeps: bool,
    read: RwLock<HashMap<FileId, Read<T>>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept { keeps: false, read: RwLock::default() }
    }
}

impl<T: Clone> Kept<T> {
    /// What `read` gives for a file, or gave before.
    pub(super) fn get(
        &self,
        sources: &Sources,
        file: FileId,
        read: impl FnOnce() -> (T, Vec<Diagnostic>),
    ) -> (T, Vec<Diagnostic>) {
        if !self.keeps {
            return read();
        }
        let text = &sources.file(file).text;
        if let Ok(kept) = self.read.read()
            && let Some((_, it, findings)) = kept.get(&file).filter(|(t, _, _)| t == text)
        {
            return (it.clone(), findings.clone());
        }
        let (it, findings) = read();
        if let Ok(mut kept) = self.read.write() {
            kept.insert(file, (text.clone(), it.clone(), findings.clone()));
        }
        (it, findings)
    }
}
