//! Whether the files of a project changed since they were read: looked at by time and length, not read.

use super::{FILE, Project, files};
use std::path::PathBuf;
use std::time::SystemTime;

/// What the files of a project looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Stamp {
    /// The project file, the schemas, and whatever the patterns of maps find now.
    pub fn of(project: &Project) -> Stamp {
        let mut paths = vec![project.root.join(FILE)];
        paths.extend(project.stores.iter().map(|s| s.schema_path.clone()));
        // Patterns that find nothing are a finding of whoever reads the project.
        paths.extend(files::matching(&project.root, &project.patterns, &mut Vec::new()));
        let look = |path: PathBuf| {
            let meta = std::fs::metadata(&path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
            (path, meta)
        };
        Stamp(paths.into_iter().map(look).collect())
    }
}
