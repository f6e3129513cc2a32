//! Files of a project: reading with limits, finding by pattern.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read unless the project says otherwise: 8 MiB.
pub const DEFAULT_SIZE: u64 = 8 * 1024 * 1024;

/// The most files the patterns of a project may find.
const MAX_FILES: usize = 100_000;

/// Reads a text file of at most `limit` bytes into `sources`; a byte order mark is taken off. A finding stands at
/// `blame`, the place that names the file, if there is one.
pub fn read_text(
    path: &Path,
    limit: u64,
    sources: &mut Sources,
    blame: Option<Span>,
) -> Result<FileId, Box<Diagnostic>> {
    let name = shown(path);
    if let Some(text) = sources.instead(&name) {
        let text = text.to_string();
        return Ok(sources.add(name, text));
    }
    // Where nothing names the file, the finding stands in the file itself: in what there is of its text.
    let place = |sources: &mut Sources, text: String, at: usize| {
        blame.unwrap_or_else(|| {
            let end = at + text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
            Span::new(sources.add(name.as_str(), text), at, end)
        })
    };
    let finding = |code: Code, span: Span, message: String, help: &str| {
        let d = Diagnostic::new(code, span, message);
        Box::new(if help.is_empty() { d } else { d.help(help) })
    };
    let unreadable = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => "it does not exist".to_string(),
        ErrorKind::PermissionDenied => "permission denied".to_string(),
        ErrorKind::IsADirectory => "it is a folder".to_string(),
        _ => e.to_string().to_lowercase(),
    };
    let mut bytes = vec![];
    let read = std::fs::File::open(path).and_then(|f| f.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    if let Err(e) = read {
        let message = format!("`{name}` cannot be read: {}", unreadable(e));
        return Err(finding(Code::TM0150, place(sources, String::new(), 0), message, ""));
    }
    if bytes.len() as u64 > limit.min(u64::from(u32::MAX) - 1) {
        let message = format!("`{name}` is larger than {}", size(limit));
        let at = place(sources, String::new(), 0);
        return Err(finding(Code::TM0152, at, message, "split it, or raise `limits: { map_size: … }` for maps"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let message = format!("`{name}` is UTF-16, not UTF-8");
        let at = place(sources, String::new(), 0);
        return Err(finding(Code::TM0151, at, message, "save it as UTF-8"));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => {
            let good = e.utf8_error().valid_up_to();
            let line = e.as_bytes()[..good].iter().filter(|b| **b == b'\n').count() + 1;
            let message = format!("`{name}` is not UTF-8: line {line} holds a byte that is no character");
            let at = place(sources, String::from_utf8_lossy(e.as_bytes()).into_owned(), good);
            return Err(finding(Code::TM0151, at, message, "save it as UTF-8"));
        }
    };
    let text = text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text);
    Ok(sources.add(name, text))
}

/// The path as the user would write it: from the current folder where it lies below.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(&here).unwrap_or(path);
    let text = if short.as_os_str().is_empty() { ".".into() } else { short.to_string_lossy() };
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// The size for people.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    match bytes {
        b if b >= MIB && b.is_multiple_of(MIB) => format!("{} MiB", b / MIB),
        b if b >= 1024 && b.is_multiple_of(1024) => format!("{} KiB", b / 1024),
        b => format!("{b} bytes"),
    }
}

/// The files the patterns find below `root`, sorted, each once.
pub(super) fn matching(root: &Path, patterns: &[(String, Span)], findings: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let base = glob::Pattern::escape(&root.to_string_lossy());
    let mut found = std::collections::BTreeSet::new();
    let mut seen = std::collections::HashMap::new();
    for (pattern, span) in patterns {
        if Path::new(pattern).is_absolute() {
            let d = Diagnostic::new(Code::TM0153, *span, "a pattern begins at the project's folder")
                .help("write it without the leading `/`");
            findings.push(d);
            continue;
        }
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let paths = match glob::glob_with(&format!("{base}/{pattern}"), options) {
            Ok(paths) => paths,
            Err(e) => {
                let d = Diagnostic::new(
                    Code::TM0153,
                    *span,
                    format!("`{pattern}` is no pattern: {}", e.msg.to_lowercase()),
                )
                .help("write it like `maps/**/*.tmap`");
                findings.push(d);
                continue;
            }
        };
        for path in paths.take(MAX_FILES) {
            match path {
                // A link to nothing is a map that cannot be read; a file met twice over links is one map.
                Ok(p) if p.is_file() || (p.is_symlink() && !p.exists()) => {
                    let real = p.canonicalize().unwrap_or_else(|_| p.clone());
                    let shorter = |old: &PathBuf| old.components().count() <= p.components().count();
                    match seen.get(&real) {
                        Some(old) if shorter(old) => {}
                        Some(old) => {
                            found.remove(old);
                            found.insert(p.clone());
                            seen.insert(real, p);
                        }
                        None => {
                            found.insert(p.clone());
                            seen.insert(real, p);
                        }
                    }
                }
                Ok(_) => {}
                Err(e) => {
                    let d = Diagnostic::new(Code::TM0150, *span, format!("`{}` cannot be read", shown(e.path())));
                    findings.push(d);
                }
            }
        }
    }
    if let (true, Some((_, span))) = (found.is_empty(), patterns.first()) {
        let d = Diagnostic::new(Code::TM0169, *span, "no map is found here")
            .help("maps end in `.tmap` or `.map.yaml` and lie below the project's folder");
        findings.push(d);
    }
    found.into_iter().collect()
}
