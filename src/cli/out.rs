//! Printing: results on stdout, everything else on stderr. A reader that goes away ends the printing, not the work.

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const HELP: Style = AnsiColor::Cyan.on_default();

/// Text in a style; the stream takes it off where there is no terminal.
pub(super) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Where a command prints.
pub(super) struct Out {
    json: bool,
    /// For programs, in whatever form: nothing for people.
    program: bool,
    quiet: bool,
    closed: AtomicBool,
}

impl Out {
    pub fn new(json: bool, program: bool, quiet: bool) -> Out {
        Out { json, program, quiet, closed: AtomicBool::new(false) }
    }
    /// Whether a program reads the results.
    pub fn is_for_program(&self) -> bool {
        self.program
    }
    pub fn is_json(&self) -> bool {
        self.json
    }
    /// Whether progress and notes are wanted.
    pub fn talks(&self) -> bool {
        !self.quiet && !self.program
    }
    /// A result for people.
    pub fn line(&self, text: impl Display) {
        if !self.program {
            self.stdout(&format!("{text}\n"));
        }
    }
    /// A result as it is, whatever the format.
    pub fn raw(&self, text: &str) {
        self.stdout(text);
    }
    /// The result for programs.
    pub fn json(&self, value: &impl Serialize) {
        if self.json {
            match serde_json::to_string_pretty(value) {
                Ok(text) => self.stdout(&format!("{text}\n")),
                Err(e) => self.error(&format!("error: the result cannot be written as JSON: {e}")),
            }
        }
    }
    /// A word on the side.
    pub fn note(&self, text: impl Display) {
        if self.talks() {
            self.error(&text.to_string());
        }
    }
    /// What must be seen.
    pub fn error(&self, text: &str) {
        // Without stderr there is nobody to tell.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
    fn stdout(&self, text: &str) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let mut stdout = anstream::stdout().lock();
        if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }
}

/// An aligned table; a column whose title begins with `>` stands to the right.
pub(super) fn table(titles: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(titles.iter().map(|t| t.trim_start_matches('>')));
    for row in rows {
        table.add_row(row);
    }
    for (column, title) in table.column_iter_mut().zip(titles) {
        column.set_padding((0, 2));
        if title.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let text = table.to_string();
    let mut lines: Vec<String> = text.lines().map(|l| l.trim_end().to_string()).collect();
    if let Some(first) = lines.first_mut() {
        *first = paint(BOLD, &first);
    }
    lines.join("\n")
}

/// The lines of a text, each moved to the right.
pub(super) fn indent(text: &str, by: usize) -> String {
    let blanks = " ".repeat(by);
    text.lines()
        .map(|l| if l.is_empty() { String::new() } else { format!("{blanks}{l}") })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Lines of at most `width` characters, broken at blanks.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (i, line) in text.lines().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let mut used = 0;
        for word in line.split(' ') {
            let n = word.chars().count();
            if used > 0 && used + 1 + n > width {
                out.push('\n');
                used = 0;
            } else if used > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += n;
        }
    }
    out
}

/// `12,345`
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(d);
    }
    text
}

/// `1 map`, `2 maps`
pub(super) fn many(n: usize, word: &str) -> String {
    format!("{} {word}{}", number(n as u64), if n == 1 { "" } else { "s" })
}

/// Seconds for people.
pub(super) fn seconds(s: f64) -> String {
    match s {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}
