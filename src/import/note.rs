//! What an import says about what it did: decisions of its own, and questions to a person.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// Something the import decided, and why.
pub fn decided(at: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::TM1306, at, message)
}

/// Something a person must decide.
pub fn decide(at: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::TM1307, at, message)
}
