//! How a command ends.

use super::out::{ERROR, HELP, Out, paint};
use crate::engine::EngineError;
use crate::store::StoreError;

/// Exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Fine = 0,
    Findings = 1,
    Usage = 2,
    Unreachable = 3,
}

/// A command's result.
pub(super) type Outcome = Result<Code, Failure>;

/// Why a command could not do its work: what happened, and what to do.
#[derive(Debug)]
pub(super) struct Failure {
    pub message: String,
    pub help: Option<String>,
    pub code: Code,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), help: None, code: Code::Findings }
    }
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: Code::Usage, ..Failure::new(message) }
    }
    pub fn unreachable(message: impl Into<String>) -> Failure {
        Failure { code: Code::Unreachable, ..Failure::new(message) }
    }
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
    /// A file that could not be read or written.
    pub fn io(doing: &str, path: &std::path::Path, e: &std::io::Error) -> Failure {
        let reason = match e.kind() {
            std::io::ErrorKind::NotFound => "it does not exist".to_string(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
            _ => e.to_string(),
        };
        Failure::new(format!("cannot {doing} `{}`: {reason}", path.display()))
    }
    pub fn print(&self, out: &Out) {
        if out.is_json() {
            let mut error = serde_json::json!({ "message": self.message });
            if let Some(help) = &self.help {
                error["help"] = help.as_str().into();
            }
            out.error(&serde_json::json!({ "error": error, "exit": self.code as u8 }).to_string());
            return;
        }
        out.error(&format!("{} {}", paint(ERROR, "error:"), self.message));
        if let Some(help) = &self.help {
            out.error(&format!(" {} {help}", paint(HELP, "help:")));
        }
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Failure {
        let message = e.to_string();
        match e {
            StoreError::Unreachable { .. } => Failure::unreachable(message),
            StoreError::Lost { .. } => {
                Failure::unreachable(message).help("nothing of that transaction happened; run the command again")
            }
            StoreError::Schema { store, problems } => {
                let mut message = format!("store `{store}` does not have what its schema says");
                for p in problems.iter().take(20) {
                    message.push_str(&format!("\n  - {p}"));
                }
                if problems.len() > 20 {
                    message.push_str(&format!("\n  … and {} more", problems.len() - 20));
                }
                Failure::new(message).help(format!(
                    "create what is missing in the store, correct its schema file, or correct where \
                     tablemap.yaml says that `{store}` lies"
                ))
            }
            StoreError::Fenced { .. } => {
                Failure::new(message).help("one engine at a time works for a project; stop the other, or leave it the work")
            }
            _ => Failure::new(message),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(e: EngineError) -> Failure {
        match e {
            EngineError::Store(e) => e.into(),
            EngineError::Refused(reason) => Failure::new(reason),
            EngineError::Cancelled => {
                Failure::new("stopped on request").help("what was done is kept; the same command goes on from here")
            }
        }
    }
}
