//! Markdown and the HTML that stands in it: rows of tables, and the plain text of cells and headings.

/// A row of a table: where it stands, and its cells as written.
#[derive(Clone, Debug)]
pub struct Row {
    /// The byte of the file at which it begins.
    pub start: usize,
    /// How many bytes it has.
    pub len: usize,
    /// Its cells.
    pub cells: Vec<String>,
}

impl Row {
    /// A row of a Markdown table.
    pub fn of_line(start: usize, line: &str) -> Row {
        Row { start, len: line.len(), cells: cells(line) }
    }
    /// A cell, empty where the row breaks off before it.
    pub fn cell(&self, i: usize) -> &str {
        self.cells.get(i).map_or("", String::as_str)
    }
}

/// Whether a line parts the head of a table from its rows.
pub fn is_rule(line: &str) -> bool {
    line.contains('-') && line.contains('|') && line.chars().all(|c| matches!(c, '-' | '|' | ':' | ' ' | '\t'))
}

/// The cells of a row; a bar in backticks or behind a backslash parts nothing.
fn cells(row: &str) -> Vec<String> {
    let trimmed = row.trim();
    let body = trimmed.strip_prefix('|').unwrap_or(trimmed);
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let lone = body.matches('`').count() % 2 == 1;
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(last) = cells.last_mut() else { break };
        match c {
            '`' if !lone => {
                quoted = !quoted;
                last.push(c);
            }
            '\\' if chars.peek() == Some(&'|') => last.extend(chars.next()),
            '|' if !quoted => cells.push(String::new()),
            c => last.push(c),
        }
    }
    cells
}

/// The rows of the HTML table that begins at this byte, with cells that go over several rows or columns in each of them;
/// and where it ends.
pub fn html_table(text: &str, from: usize) -> (Vec<Row>, usize) {
    let lower = text.to_ascii_lowercase();
    let end = lower.get(from..).and_then(|t| t.find("</table")).map_or(text.len(), |i| from + i);
    let mut rows: Vec<Row> = vec![];
    // Cells of rows before that reach down: column, how many rows more, text.
    let mut below: Vec<(usize, usize, String)> = vec![];
    let mut at = from;
    while let Some(row) = tag(&lower[..end], at, "tr") {
        let close = ["</tr", "<tr"].iter().filter_map(|t| lower[row.inner..end].find(t)).min();
        let stop = close.map_or(end, |i| row.inner + i);
        let mut cells: Vec<String> = vec![];
        let mut left = std::mem::take(&mut below);
        let mut fill = |cells: &mut Vec<String>, below: &mut Vec<(usize, usize, String)>| {
            while let Some(i) = left.iter().position(|(c, ..)| *c == cells.len()) {
                let (column, rows, text) = left.swap_remove(i);
                cells.push(text.clone());
                if rows > 1 {
                    below.push((column, rows - 1, text));
                }
            }
        };
        let mut inside = row.inner;
        while let Some(cell) = [tag(&lower[..stop], inside, "td"), tag(&lower[..stop], inside, "th")]
            .into_iter()
            .flatten()
            .min_by_key(|t| t.start)
        {
            fill(&mut cells, &mut below);
            let close = ["</td", "</th", "<td", "<th"].iter().filter_map(|t| lower[cell.inner..stop].find(t)).min();
            let until = close.map_or(stop, |i| cell.inner + i);
            let content = text[cell.inner..until].trim().replace(['\n', '\r'], " ");
            let attributes = &lower[cell.start..cell.inner];
            for _ in 0..span(attributes, "colspan") {
                let rows = span(attributes, "rowspan");
                if rows > 1 {
                    below.push((cells.len(), rows - 1, content.clone()));
                }
                cells.push(content.clone());
            }
            inside = until;
        }
        fill(&mut cells, &mut below);
        if !cells.is_empty() {
            rows.push(Row { start: row.start, len: stop - row.start, cells });
        }
        at = stop;
    }
    (rows, end)
}

/// An opening tag: where it begins, and where what it holds does.
struct Tag {
    start: usize,
    inner: usize,
}

/// The next tag of this name; `text` is in small letters.
fn tag(text: &str, from: usize, name: &str) -> Option<Tag> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find(&format!("<{name}"))?;
        let after = start + 1 + name.len();
        let ends = text.get(after..)?.starts_with(|c: char| c == '>' || c.is_ascii_whitespace());
        match text.get(after..)?.find('>') {
            Some(i) if ends => return Some(Tag { start, inner: after + i + 1 }),
            _ => at = after,
        }
    }
}

/// How many rows or columns a cell goes over; no table of mappings has more than a few hundred.
fn span(attributes: &str, name: &str) -> usize {
    let digits = attributes.split_once(name).map_or("", |(_, rest)| rest.trim_start_matches(['=', '"', '\'', ' ']));
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(1).clamp(1, 500)
}

/// A cell's or heading's plain text: without tags, links, emphasis and backticks.
pub fn inline(text: &str) -> String {
    let text = entities(&cut_tags(text));
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|n| n.is_ascii_punctuation()) => out.extend(chars.next()),
            '`' => {}
            c => out.push(c),
        }
    }
    let out = unlinked(&out);
    out.split_whitespace().collect::<Vec<_>>().join(" ").trim_matches('*').trim().to_string()
}

/// `[text](address)` as its text.
fn unlinked(text: &str) -> String {
    let link = || {
        let open = text.find('[')?;
        let middle = open + text[open..].find("](")?;
        let close = middle + text[middle..].find(')')?;
        Some((open, middle, close))
    };
    match link() {
        Some((open, middle, close)) => {
            format!("{}{}{}", &text[..open], &text[open + 1..middle], unlinked(&text[close + 1..]))
        }
        None => text.to_string(),
    }
}

/// The characters that entities stand for; one that is not known stays as it is.
pub fn entities(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(i) = rest.find('&') {
        out.push_str(&rest[..i]);
        rest = &rest[i..];
        let end = rest.find(';').filter(|e| *e <= 9);
        match end.and_then(|e| Some((entity(&rest[1..e])?, e))) {
            Some((c, e)) => {
                out.push(c);
                rest = &rest[e + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse().ok(), |h| u32::from_str_radix(h, 16).ok())?;
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "rarr" => '→',
        "larr" => '←',
        "harr" => '↔',
        "rArr" => '⇒',
        "lArr" => '⇐',
        "hArr" => '⇔',
        "equals" => '=',
        "vert" | "verbar" => '|',
        _ => return None,
    })
}

/// Text without the tags around it. Where a translation stands beside the original, the original is taken.
pub fn cut_tags(text: &str) -> String {
    let original = text.find("sxs-lookup").and_then(|i| text[i..].find('>').map(|e| &text[i + e + 1..]));
    let mut out = String::new();
    let mut rest = original.unwrap_or(text);
    while let Some(i) = rest.find('<') {
        if let Some(comment) = rest[i..].strip_prefix("<!--") {
            out.push_str(&rest[..i]);
            rest = comment.find("-->").map_or("", |e| &comment[e + 3..]);
            continue;
        }
        let name = rest[i + 1..].trim_start_matches('/');
        let len = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let tag = matches!(
            name[..len].to_ascii_lowercase().as_str(),
            "span" | "a" | "p" | "b" | "i" | "u" | "em" | "strong" | "code" | "div" | "sup" | "sub" | "font" | "nobr"
        );
        match rest[i..].find('>') {
            Some(end) if tag => {
                out.push_str(&rest[..i]);
                rest = &rest[i + end + 1..];
            }
            _ => {
                out.push_str(&rest[..=i]);
                rest = &rest[i + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}
