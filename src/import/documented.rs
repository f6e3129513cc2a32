//! The tables of a mapping reference in Markdown: `field | map type | column | default value`, one table for each map, in
//! whatever language the text around them is.

use super::model::{Mapping, PairOf, Spelled, TableMap};
use super::text::Mapped;
use super::{filter, note};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::Flow;

/// "No field" in the first and third column, in the languages the reference is translated to.
const NONE: &[&str] = &[
    "none", "geen", "keine", "keiner", "kein", "aucun", "aucune", "ninguno", "ninguna", "nessuno", "nessuna", "nenhum",
    "nenhuma", "ingen", "inget", "brak", "yok", "нет", "なし", "无", "無", "없음",
];

/// Reads every table map of a Markdown file, and says what of it could not be read.
pub fn read(sources: &Sources, file: FileId) -> (Vec<TableMap>, Vec<Diagnostic>) {
    let text = &sources.file(file).text;
    let mut reader = Reader { file, maps: vec![], findings: vec![], section: None };
    let mut lines: Vec<(usize, &str)> = vec![];
    let mut at = 0;
    for line in text.split('\n') {
        lines.push((at, line.trim_end_matches('\r')));
        at += line.len() + 1;
    }
    let mut i = 0;
    while let Some((start, line)) = lines.get(i).copied() {
        let ruled = lines.get(i + 1).is_some_and(|(_, next)| is_rule(next));
        if line.trim_start().starts_with('#') {
            reader.heading(start, line);
        } else if ruled && line.contains('|') {
            let first = i + 2;
            let more = lines.iter().skip(first).take_while(|(_, l)| l.contains('|')).count();
            reader.table(start, line, &lines[first..first + more]);
            i = first + more;
            continue;
        } else if !line.trim().is_empty() {
            reader.paragraph(start, line);
        }
        i += 1;
    }
    (reader.maps, reader.findings)
}

struct Reader {
    file: FileId,
    maps: Vec<TableMap>,
    findings: Vec<Diagnostic>,
    /// What the heading and the paragraphs since then say.
    section: Option<TableMap>,
}

impl Reader {
    fn span(&self, start: usize, len: usize) -> Span {
        Span::new(self.file, start, start + len)
    }

    fn heading(&mut self, start: usize, line: &str) {
        let shown = inline(line.trim_start_matches([' ', '#']));
        let words: Vec<&str> = shown.split_whitespace().collect();
        let set_like = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let in_brackets = words.last().and_then(|w| w.strip_prefix('(')).and_then(|w| w.strip_suffix(')'));
        let (entity, set) = match (in_brackets, words.as_slice()) {
            (Some(set), [entity @ .., _]) if set_like(set) && !entity.is_empty() => (entity, set),
            // `Customers V3 to accounts`; the word between them is translated.
            (_, [entity @ .., _, set]) if set_like(set) && !entity.is_empty() => (entity, *set),
            _ => {
                self.section = None;
                return;
            }
        };
        let at = self.span(start, line.len());
        self.section = Some(TableMap {
            entity: Spelled { text: entity.join(" "), at },
            set: Spelled { text: set.to_string(), at },
            documented: true,
            at,
            ..TableMap::default()
        });
    }

    /// A paragraph before a table: a filter, or words.
    fn paragraph(&mut self, start: usize, line: &str) {
        let Some(section) = &mut self.section else { return };
        let Some((word, rest)) = line.split_once([':', '：']) else { return };
        let from = start + line.len() - rest.trim_start().len();
        let body = cut_tags(rest.trim());
        let body = body.trim().trim_matches('`').trim();
        if body.is_empty() {
            return;
        }
        // Where the text is as it stands in the file, its places are known to the byte.
        let in_file = line.get(from - start..).and_then(|l| l.find(body)).map(|i| from + i);
        let text = match in_file {
            Some(at) => {
                let mut text = Mapped::in_file(Some(self.file));
                body.char_indices().for_each(|(i, c)| text.push(c, (at + i) as u32));
                text.end((at + body.len()) as u32);
                text
            }
            None => Mapped::made(body),
        };
        let word = cut_tags(word).trim().to_ascii_lowercase();
        let reads = |d| matches!(filter::parse(&text, d), Ok(Some(_)));
        let reversed = match word.as_str() {
            "reversed source filter" => true,
            "source filter" => false,
            // Another language: what it is shows in the filter itself.
            _ if word.split_whitespace().count() <= 5 && reads(filter::Dialect::OData) => true,
            _ if word.split_whitespace().count() <= 5 && reads(filter::Dialect::Xpp) => false,
            _ => return,
        };
        let slot = if reversed { &mut section.reversed_filter } else { &mut section.source_filter };
        *slot = Some(text);
    }

    fn table(&mut self, start: usize, header: &str, rows: &[(usize, &str)]) {
        if cells(header).len() < 3 || !rows.iter().any(|(_, r)| cells(r).get(1).is_some_and(|c| symbol(c).is_some())) {
            return;
        }
        let Some(mut map) = self.section.take() else {
            let d = Diagnostic::new(
                Code::TM1301,
                self.span(start, header.len()),
                "a table of field mappings without a heading that names its two tables",
            )
            .help("put `## Entity (table)` before it");
            self.findings.push(d);
            return;
        };
        for (index, (at, row)) in rows.iter().enumerate() {
            match self.row(index, *at, row, &mut map.findings) {
                Ok(mapping) => map.mappings.push(mapping),
                Err(why) => {
                    let d = Diagnostic::new(Code::TM1301, self.span(*at, row.len()), why)
                        .help("a row is `FIELD | = | column |`; this one was left out");
                    map.findings.push(d);
                }
            }
        }
        map.at = map.entity.at;
        self.maps.push(map);
    }

    fn row(&self, index: usize, start: usize, row: &str, findings: &mut Vec<Diagnostic>) -> Result<Mapping, String> {
        let at = self.span(start, row.len());
        let cells = cells(row);
        let [left, kind, right, rest @ ..] = cells.as_slice() else {
            return Err("the row has fewer than three columns".into());
        };
        let Some((sign, pairs)) = symbol(kind) else {
            return Err(format!("`{}` is no map type", inline(kind)));
        };
        let field = |cell: &str| {
            let text = inline(cell);
            let none = text.is_empty() || text == "-" || NONE.contains(&text.to_lowercase().as_str());
            (!none).then_some(Spelled { text, at })
        };
        let default = rest.first().map(|c| inline(c)).filter(|t| !t.is_empty());
        if sign == "<<<" {
            findings.push(note::decided(at, "`<<<` is no map type; taken for `<<`"));
        }
        let flow = match sign {
            "=" | "><" => Flow::Both,
            ">" | ">>" => Flow::ToRight,
            _ => Flow::ToLeft,
        };
        let (source, destination) = (field(left), field(right));
        let pairs = self.pairs(&pairs, at, findings);
        let doubled = sign.len() > 1;
        let constant = source.is_none() || destination.is_none();
        let values = match (pairs.is_empty(), doubled, &default) {
            (false, ..) => Some(pairs),
            // The document says that there is a value map, and not which.
            (true, true, None) if !constant => Some(vec![]),
            _ => None,
        };
        Ok(Mapping {
            index,
            source,
            destination,
            flow,
            values,
            default: default.map(|text| Spelled { text, at }),
            unknown: None,
            related: None,
            at,
        })
    }

    fn pairs(&self, parts: &[String], at: Span, findings: &mut Vec<Diagnostic>) -> Vec<PairOf> {
        let mut pairs = Vec::new();
        for part in parts {
            let text = part.trim();
            if text.is_empty() {
                continue;
            }
            let Some((left, right)) = halves(text) else {
                findings.push(
                    Diagnostic::new(Code::TM1301, at, format!("`{text}` is no pair of a value map"))
                        .help("a pair is written `` `Yes` : `true` ``; this one was left out"),
                );
                continue;
            };
            let mut value = |half: &str| {
                let bare = half.trim();
                let inner = bare.trim_matches('`');
                let whole = bare.starts_with('`') && bare.ends_with('`');
                if inner.len() == bare.len() || (inner.eq_ignore_ascii_case("blank") && !whole) {
                    if !bare.is_empty() && !inner.eq_ignore_ascii_case("blank") {
                        findings.push(note::decided(at, format!("`{bare}` stands without quotes: taken for blank")));
                    }
                    return None;
                }
                Some(inner.to_string())
            };
            let (left, right) = (value(left), value(right));
            pairs.push(PairOf { left, right, at });
        }
        pairs
    }
}

/// The two values of a pair: parted by a colon that stands in no backticks, or where one of those is lost, by ` : `.
fn halves(text: &str) -> Option<(&str, &str)> {
    let mut inside = false;
    for (i, c) in text.char_indices() {
        match c {
            '`' => inside = !inside,
            ':' if !inside => return Some((&text[..i], &text[i + 1..])),
            _ => {}
        }
    }
    text.split_once(" : ")
}

/// The map type of a cell, and the pairs of its value map.
fn symbol(cell: &str) -> Option<(&'static str, Vec<String>)> {
    let text = cell.replace("&lt;", "<").replace("&gt;", ">").replace("\\<", "<").replace("\\>", ">");
    let mut parts = split_breaks(&text).into_iter();
    let first = cut_tags(&parts.next()?);
    let first = first.trim().trim_matches('`').trim();
    let sign = match first {
        "=" => "=",
        "><" => "><",
        ">" => ">",
        "<" => "<",
        ">>" | "→" | "⇒" => ">>",
        "<<" | "←" | "⇐" => "<<",
        "<<<" => "<<<",
        _ => return None,
    };
    Some((sign, parts.map(|p| cut_tags(&p)).collect()))
}

fn split_breaks(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut rest = text;
    while let Some(i) = rest.to_ascii_lowercase().find("<br") {
        let Some(end) = rest[i..].find('>') else { break };
        if let Some(last) = out.last_mut() {
            last.push_str(&rest[..i]);
        }
        out.push(String::new());
        rest = &rest[i + end + 1..];
    }
    if let Some(last) = out.last_mut() {
        last.push_str(rest);
    }
    out
}

fn is_rule(line: &str) -> bool {
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

/// A cell's or heading's plain text.
fn inline(text: &str) -> String {
    let text = cut_tags(text).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|n| n.is_ascii_punctuation()) => out.extend(chars.next()),
            '`' => {}
            c => out.push(c),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without the tags around it. Where a translation stands beside the original, the original is taken.
fn cut_tags(text: &str) -> String {
    let original = text.find("sxs-lookup").and_then(|i| text[i..].find('>').map(|e| &text[i + e + 1..]));
    let mut out = String::new();
    let mut rest = original.unwrap_or(text);
    while let Some(i) = rest.find('<') {
        let name = rest[i + 1..].trim_start_matches('/');
        let len = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let tag = matches!(
            name[..len].to_ascii_lowercase().as_str(),
            "span" | "a" | "p" | "b" | "i" | "em" | "strong" | "code" | "div"
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn maps(text: &str) -> (Vec<TableMap>, Vec<Diagnostic>) {
        let mut sources = Sources::new();
        let file = sources.add("t.md", text);
        read(&sources, file)
    }

    #[test]
    fn every_quirk() {
        let text = "# Words\n\n## <a name=\"101\"></a>Depots V2 (xyz_depots)\n\nThis template synchronizes data: always.\n\n\
            Source filter: ((DepotKind  ==  \"Outdoor\"))\n\nReversed source filter: xyz_kind eq 2\n\n\
            Finance and operations field | Map type | Customer engagement column | Default value\n---|---|---|---\n\
            DEPOTNUMBER | = | xyz_number |\n\
            SURFACE | ><<br>`gravel` : `100000000`<br>`1/1/1900` : blank`<br>blank : `754400002`<br> `a:b` : `1` | xyz_surface |\n\
            none | >> | xyz_origin | none\n\
            AREA | <<< | xyz_area | 0\n\
            `A\\_B` | &gt;&lt; | xyz_a\\|b |\n\
            | X |\n\
            MORE | ~ | xyz_more |\n\n\
            ## Plain words\n\n|a|b|c|\n|---|---|---|\n|1|2|3|\n";
        let (maps, findings) = maps(text);
        assert!(findings.is_empty(), "{findings:?}");
        let m = &maps[0];
        assert_eq!((m.name().as_str(), maps.len()), ("Depots V2 (xyz_depots)", 1));
        assert_eq!(m.source_filter.as_ref().unwrap().text, "((DepotKind  ==  \"Outdoor\"))");
        assert_eq!(m.reversed_filter.as_ref().unwrap().text, "xyz_kind eq 2");
        let shown = |v: &Option<String>| v.clone().unwrap_or("-".into());
        let pairs = m.mappings[1].values.as_ref().unwrap();
        let pairs: Vec<String> = pairs.iter().map(|p| format!("{}={}", shown(&p.left), shown(&p.right))).collect();
        assert_eq!(pairs.join(" "), "gravel=100000000 1/1/1900=- -=754400002 a:b=1");
        let constant = &m.mappings[2];
        assert!(constant.source.is_none() && constant.default.as_ref().unwrap().text == "none");
        assert_eq!(m.mappings[3].flow, Flow::ToLeft);
        assert_eq!(m.mappings[4].source.as_ref().unwrap().text, "A_B");
        assert_eq!(m.mappings[4].destination.as_ref().unwrap().text, "xyz_a|b");
        assert_eq!(m.mappings[4].values.as_ref().map(Vec::len), Some(0));
        let codes: Vec<&str> = m.findings.iter().map(|d| d.code.0).collect();
        assert_eq!(codes, ["TM1306", "TM1301", "TM1301"], "{:?}", m.findings);
    }

    #[test]
    fn other_languages() {
        let both = "<span data-ttu-id=\"a-1\">Klanten V3 naar rekeningen</span><span class=\"sxs-lookup\">\
                    <span data-stu-id=\"a-1\">Customers V3 to accounts</span></span>";
        let text = format!(
            "## {both}\n\nBronfilter: ((PartyType == \"Organization\"))\n\nOmgekeerd bronfilter: customertypecode eq 3\n\n\
             <span data-ttu-id=\"a-2\">Veld</span> | Type | Ander veld | Standaard\n---|---|---|---\n\
             <span data-ttu-id=\"a-3\">X</span><span class=\"sxs-lookup\"><span data-stu-id=\"a-3\">NAME</span></span> | = | name |\n\
             geen | >> | address1_addresstypecode | 2\n"
        );
        let (maps, _) = maps(&text);
        assert_eq!(maps[0].name(), "Customers V3 (accounts)");
        assert!(maps[0].source_filter.is_some() && maps[0].reversed_filter.is_some());
        assert_eq!(maps[0].mappings[0].source.as_ref().unwrap().text, "NAME");
        assert!(maps[0].mappings[1].source.is_none());
    }
}
