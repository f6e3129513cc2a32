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

/// Columns of the terminal that stdout is; none = a file or a pipe, where lines may be long.
pub(super) fn width() -> Option<usize> {
    let table = Table::new();
    if !table.is_tty() {
        return None;
    }
    // A terminal that tells nonsense is as wide as it was in 1978.
    Some(table.width().map_or(80, usize::from)).map(|w| if w < 40 { 80 } else { w })
}

/// The width for running text that stands `by` to the right.
pub(super) fn text_width(by: usize) -> usize {
    width().unwrap_or(100).min(100).saturating_sub(by + 1)
}

/// An aligned table; a column whose title begins with `>` stands to the right. Where it is wider than the terminal
/// (less `by`, by which it will be moved), the first columns of each row stand on a line of their own.
pub(super) fn table_by(by: usize, titles: &[&str], rows: Vec<Vec<String>>) -> String {
    let Some(width) = width().map(|w| w.saturating_sub(by)) else { return grid(titles, rows) };
    folded(width, titles, rows)
}

/// [`table_by`] at the left edge.
pub(super) fn table(titles: &[&str], rows: Vec<Vec<String>>) -> String {
    table_by(0, titles, rows)
}

fn folded(width: usize, titles: &[&str], rows: Vec<Vec<String>>) -> String {
    let wide = |text: &str| text.lines().map(columns).max().unwrap_or(0);
    let whole = grid(titles, rows.clone());
    if wide(&whole) <= width {
        return whole;
    }
    for head in 1..titles.len() {
        let tails: Vec<Vec<String>> = rows.iter().map(|r| r.get(head..).unwrap_or_default().to_vec()).collect();
        let tail = grid(&titles[head..], tails);
        if wide(&tail) + 2 > width && head + 1 < titles.len() {
            continue;
        }
        let title: Vec<String> = titles[..head].iter().map(|t| t.trim_start_matches('>').to_string()).collect();
        let mut out = Vec::new();
        for (i, line) in tail.lines().enumerate() {
            let head = match i {
                0 => Some(paint(BOLD, title.join("  "))),
                _ => rows.get(i - 1).and_then(|r| r.get(..head)).map(|cells| wrap(&cells.join("  "), width)),
            };
            out.extend(head);
            out.push(indent(line, 2));
        }
        return out.join("\n");
    }
    whole
}

/// Columns a line takes, styles left out.
fn columns(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

/// A word as a shell takes it.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn grid(titles: &[&str], rows: Vec<Vec<String>>) -> String {
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
            let n = columns(word);
            if used > 0 && used + 1 + n > width {
                out.truncate(out.trim_end_matches(' ').len());
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

#[cfg(test)]
mod tests {
    use super::{columns, folded, shell, wrap};

    #[test]
    fn a_table_wider_than_the_terminal_is_folded() {
        let row = |a: &str, b: &str, n: &str| vec![a.to_string(), b.to_string(), n.to_string()];
        let rows = vec![row("first", "dataverse.msdyn_actuals", "1,000"), row("second", "finance.Lines", "·")];
        let titles = ["map", "into", ">created"];
        let wide = folded(80, &titles, rows.clone());
        assert_eq!(wide.lines().count(), 3);
        let narrow = folded(37, &titles, rows.clone());
        assert_eq!(narrow.lines().count(), 6);
        assert!(narrow.lines().all(|l| columns(l) <= 37), "{narrow}");
        let all: Vec<&str> = narrow.split_whitespace().collect();
        for word in ["first", "dataverse.msdyn_actuals", "1,000", "second", "finance.Lines", "·"] {
            assert!(all.contains(&word), "{narrow}");
        }
    }

    #[test]
    fn styles_take_no_room() {
        assert_eq!(wrap("\u{1b}[1mone\u{1b}[0m two three", 7), "\u{1b}[1mone\u{1b}[0m two\nthree");
    }

    #[test]
    fn a_path_goes_to_a_shell_as_it_is() {
        assert_eq!(shell("a/b-c.d"), "a/b-c.d");
        assert_eq!(shell("my demo"), "'my demo'");
        assert_eq!(shell("it's"), "'it'\\''s'");
        assert_eq!(shell(""), "''");
    }
}
