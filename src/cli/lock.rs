//! One engine at a time in a project's folder: a lock of the operating system, gone with the process.

use super::failure::Failure;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The lock, held until dropped.
pub(super) struct EngineLock {
    _file: File,
}

impl EngineLock {
    /// Takes the lock in the project's state folder.
    pub fn take(state: &Path) -> Result<EngineLock, Failure> {
        std::fs::create_dir_all(state).map_err(|e| Failure::io("make", state, &e))?;
        let ignore = state.join(".gitignore");
        if !ignore.exists() {
            // Only a courtesy to users of git.
            let _ = std::fs::write(&ignore, "*\n");
        }
        let path = state.join("engine.lock");
        let held_by = state.join("engine.pid");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Failure::io("open", &path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = std::fs::read_to_string(&held_by).unwrap_or_default();
                let who = match pid.trim() {
                    "" => "another process".to_string(),
                    pid => format!("process {pid}"),
                };
                return Err(Failure::new(format!("{who} is already moving records of this project"))
                    .help("stop it (Ctrl-C, or `kill` with its number), or leave it the work; `tablemap status` works meanwhile"));
            }
            Err(TryLockError::Error(e)) => return Err(Failure::io("lock", &path, &e)),
        }
        // The number is for the message above alone.
        let _ = std::fs::write(&held_by, std::process::id().to_string());
        Ok(EngineLock { _file: file })
    }
}
