//! The YAML notation: parse and write.
//!
//! A key is the DSL's keyword, its scalar the same text; pieces of DSL text go through the DSL's own parser, their
//! offsets mapped through the scalar they stand in.

mod cases;
mod decode;
mod lines;
mod trivia;
mod write;

use super::ast::File;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use crate::yaml::{self, Codes, Reader};

pub use write::write;

/// Reads a `.map.yaml` file; what can be understood is returned even where there are findings.
pub fn parse(sources: &Sources, file: FileId) -> (File, Vec<Diagnostic>) {
    let text = &sources.file(file).text;
    let (document, findings) = yaml::parse(text, file);
    let codes = Codes { shape: Code::TM0141, unknown: Code::TM0142, missing: Code::TM0143 };
    let mut reader = Reader::new(codes, document.broken);
    reader.findings = findings;
    let mut decoder = decode::Decoder { r: reader, text };
    let mut out = File::default();
    match &document.root {
        Some(root) => decoder.file(root, &document, &mut out),
        None => {
            out.end.before = trivia::lines(&document.end);
            if !document.broken {
                let span = Span::new(file, 0, 0);
                let d = Diagnostic::new(Code::TM0143, span, "the file holds no map").help("begin with `map: NAME`");
                decoder.r.add(d);
            }
        }
    }
    let mut findings = decoder.r.findings;
    findings.sort_by_key(|d| d.span().map(|s| s.start));
    (out, findings)
}

/// Where the comments of a YAML text stand, from `#` to the last character, in order.
pub fn comments(text: &str) -> Vec<(usize, usize)> {
    yaml::comments(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
