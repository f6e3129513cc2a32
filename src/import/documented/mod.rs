//! The tables of a mapping reference in Markdown: `field | map type | column | default value`, one or more tables for each
//! map, in whatever language the text around them is. `markup` gives rows and plain text, `columns` says which column is
//! which, `symbol` reads map types and value maps.

mod columns;
mod markup;
mod symbol;

use super::model::{Mapping, PairOf, Spelled, TableMap};
use super::text::Mapped;
use super::{filter, note};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::Flow;
use columns::Columns;
use markup::{Row, cut_tags, inline};

/// "No field" in the first and third column, in the languages the reference is translated to.
const NONE: &[&str] = &[
    "none", "geen", "keine", "keiner", "kein", "aucun", "aucune", "ninguno", "ninguna", "nessuno", "nessuna", "nenhum",
    "nenhuma", "ingen", "inget", "brak", "yok", "нет", "なし", "无", "無", "없음",
];

/// Whether a field's cell says that there is none.
fn none(text: &str) -> bool {
    let drawn = ["", "-", "–", "—", "\"\"", "''", "n/a"];
    let text = text.to_lowercase();
    drawn.contains(&text.as_str()) || NONE.contains(&text.as_str())
}

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
        let next = lines.get(i + 1).map_or("", |(_, next)| next.trim());
        let underlined = next.len() >= 3 && (next.chars().all(|c| c == '=') || next.chars().all(|c| c == '-'));
        let bold = line.trim().strip_prefix("**").and_then(|l| l.strip_suffix("**"));
        if line.trim_start().starts_with('#') {
            reader.heading(start, line);
        } else if let Some(table) = line.to_ascii_lowercase().find("<table") {
            let (rows, end) = markup::html_table(text, start + table);
            if let Some((header, rows)) = rows.split_first() {
                reader.table(header, rows);
            }
            i += lines[i + 1..].iter().take_while(|(at, _)| *at <= end).count() + 1;
            continue;
        } else if markup::is_rule(next) && line.contains('|') {
            let first = i + 2;
            let more = lines.iter().skip(first).take_while(|(_, l)| l.contains('|')).count();
            let rows: Vec<Row> = lines[first..first + more].iter().map(|(at, l)| Row::of_line(*at, l)).collect();
            reader.table(&Row::of_line(start, line), &rows);
            i = first + more;
            continue;
        } else if !line.trim().is_empty() && (underlined || bold.is_some_and(|b| !b.contains("**"))) {
            // A heading by another way to write it; what names no tables is a paragraph.
            if !reader.heading(start, line) {
                reader.paragraph(start, line);
            }
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
    section: Option<Section>,
}

/// What stands below a heading that names two tables.
struct Section {
    map: TableMap,
    /// How deep the heading stands.
    depth: usize,
    /// Which map it is, once there was a table.
    made: Option<usize>,
}

impl Reader {
    fn span(&self, start: usize, len: usize) -> Span {
        Span::new(self.file, start, start + len)
    }

    /// Whether the heading names two tables.
    fn heading(&mut self, start: usize, line: &str) -> bool {
        let hashes = line.trim_start().chars().take_while(|c| *c == '#').count();
        // A line that is underlined or bold stands wherever a heading could.
        let depth = if hashes == 0 { usize::MAX } else { hashes };
        let shown = inline(line.trim_start_matches([' ', '#'])).replace(['（', '）'], " ");
        let brackets = inline(line).contains('（');
        let words: Vec<&str> = shown.split_whitespace().collect();
        let set_like = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let set_of = |w: &&str| w.strip_prefix('(').and_then(|w| w.strip_suffix(')')).filter(|w| set_like(w)).is_some();
        // In some languages words follow the second table.
        let last = words.iter().rposition(|w| w.is_ascii()).map_or(0, |i| i + 1);
        let named = match (words.iter().rposition(&set_of), &words[..last]) {
            (Some(i), _) if i > 0 => Some((words[..i].join(" "), words[i].trim_matches(['(', ')']))),
            (_, [entity @ .., set]) if brackets && set_like(set) && !entity.is_empty() => {
                Some((entity.join(" "), *set))
            }
            // `Customers V3 to accounts`; the word between them is translated.
            (_, [entity @ .., _, set]) if set_like(set) && !entity.is_empty() => Some((entity.join(" "), *set)),
            _ => None,
        };
        let certain = brackets || words.iter().any(set_of);
        let inside = self.section.as_ref().is_some_and(|s| s.depth < depth);
        let at = self.span(start, line.len());
        match named {
            // Below the heading of a map other headings part what belongs to it.
            _ if inside && !certain => false,
            Some((entity, set)) if hashes > 0 || certain => {
                let map = TableMap {
                    entity: Spelled { text: entity, at },
                    set: Spelled { text: set.to_string(), at },
                    documented: true,
                    at,
                    ..TableMap::default()
                };
                self.section = Some(Section { map, depth: hashes.max(1), made: None });
                true
            }
            _ => {
                if hashes > 0 {
                    self.section = None;
                }
                false
            }
        }
    }

    /// A paragraph before a table: a filter, or words.
    fn paragraph(&mut self, start: usize, line: &str) {
        let Some(section) = &mut self.section else { return };
        let map = section.made.and_then(|i| self.maps.get_mut(i)).unwrap_or(&mut section.map);
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
        let slot = if reversed { &mut map.reversed_filter } else { &mut map.source_filter };
        *slot = Some(text);
    }

    fn table(&mut self, header: &Row, rows: &[Row]) {
        let Some(columns) = columns::find(header, rows) else { return };
        let at = self.span(header.start, header.len);
        let Some(section) = &mut self.section else {
            let d = Diagnostic::new(
                Code::TM1301,
                at,
                "a table of field mappings without a heading that names its two tables",
            )
            .help("put `## Entity (table)` before it");
            self.findings.push(d);
            return;
        };
        // Some maps are documented in several tables.
        let mut map = match section.made.and_then(|i| self.maps.get_mut(i)) {
            Some(map) => std::mem::take(map),
            None => std::mem::take(&mut section.map),
        };
        let made = section.made;
        if columns.turned {
            let message =
                "Dataverse stands before finance here: what is drawn to the right was taken to run to finance";
            map.findings.push(note::decided(at, message));
        }
        let mut above: Option<Mapping> = None;
        for row in rows.iter().filter(|r| r.cells.iter().any(|c| !inline(c).is_empty())) {
            let at = self.span(row.start, row.len);
            let empty = |c: usize| inline(row.cell(c)).is_empty();
            // A value map may go on in the rows below.
            if let (Some(pairs), Some(last)) = (symbol::only_pairs(row.cell(columns.sign)), map.mappings.last_mut())
                && empty(columns.left)
                && empty(columns.right)
            {
                let more = self.pairs(&pairs, at, &columns, &mut map.findings);
                last.values.get_or_insert_default().extend(more);
                continue;
            }
            match self.row(map.mappings.len(), at, row, &columns, above.as_ref(), &mut map.findings) {
                Ok(mapping) => {
                    above = Some(mapping.clone());
                    map.mappings.push(mapping);
                }
                Err(why) => {
                    let d = Diagnostic::new(Code::TM1301, at, why)
                        .help("a row is `FIELD | = | column |`; this one was left out");
                    map.findings.push(d);
                }
            }
        }
        map.at = map.entity.at;
        match made.and_then(|i| self.maps.get_mut(i)) {
            Some(there) => *there = map,
            None => {
                if let Some(section) = &mut self.section {
                    section.made = Some(self.maps.len());
                }
                self.maps.push(map);
            }
        }
    }

    fn row(
        &self,
        index: usize,
        at: Span,
        row: &Row,
        columns: &Columns,
        above: Option<&Mapping>,
        findings: &mut Vec<Diagnostic>,
    ) -> Result<Mapping, String> {
        if row.cells.len() <= columns.sign.max(columns.left).max(columns.right) {
            return Err("the row has fewer columns than the table".into());
        }
        let kind = row.cell(columns.sign);
        let Some(symbol) = symbol::symbol(kind) else {
            return Err(format!("`{}` is no map type", inline(kind)));
        };
        let sign = symbol.sign;
        if let Some(instead) = &symbol.instead {
            findings.push(note::decided(at, format!("`{instead}` is no map type; taken for `{sign}`")));
        }
        let flow = match (sign, columns.turned) {
            ("=" | "><", _) => Flow::Both,
            (">" | ">>", false) | ("<" | "<<", true) => Flow::ToRight,
            _ => Flow::ToLeft,
        };
        let default = columns.default.map(|c| inline(row.cell(c))).filter(|t| !t.is_empty());
        let field = |column: usize| {
            let text = inline(row.cell(column));
            (!none(&text)).then_some(Spelled { text, at })
        };
        let (mut source, mut destination) = (field(columns.left), field(columns.right));
        // An empty cell without a constant goes on with what stands above it.
        let joined = |c: usize| default.is_none() && inline(row.cell(c)).is_empty();
        let said =
            |field: &Spelled| note::decided(at, format!("the cell is empty: taken for `{}` as above", field.text));
        if let Some(field) = above.and_then(|a| a.source.as_ref()).filter(|_| source.is_none() && joined(columns.left))
        {
            findings.push(said(field));
            source = Some(Spelled { text: field.text.clone(), at });
        } else if let Some(field) =
            above.and_then(|a| a.destination.as_ref()).filter(|_| destination.is_none() && joined(columns.right))
        {
            findings.push(said(field));
            destination = Some(Spelled { text: field.text.clone(), at });
        }
        let pairs = self.pairs(&symbol.pairs, at, columns, findings);
        let doubled = sign.len() > 1;
        let constant = source.is_none() || destination.is_none();
        let values = match (pairs.is_empty(), doubled, &default) {
            (false, ..) => Some(pairs),
            // The document says that there is a value map, and not which.
            (true, true, None) if !constant => Some(vec![]),
            _ => None,
        };
        let notes =
            columns.notes.iter().map(|(c, header)| (header, inline(row.cell(*c)))).filter(|(_, t)| !t.is_empty());
        let notes = notes.map(|(header, text)| if header.is_empty() { text } else { format!("{header}: {text}") });
        Ok(Mapping {
            index,
            source,
            destination,
            flow,
            values,
            default: default.map(|text| Spelled { text, at }),
            unknown: None,
            related: None,
            notes: notes.collect(),
            at,
        })
    }

    /// The pairs of a value map, finance's value first.
    fn pairs(&self, parts: &[String], at: Span, columns: &Columns, findings: &mut Vec<Diagnostic>) -> Vec<PairOf> {
        let mut pairs = symbol::pairs(parts, at, findings);
        // Where the columns stand the other way round pairs do too, unless the values say otherwise: Dataverse's are
        // numbers of members, or true and false.
        let number = |v: &Option<String>| {
            v.as_ref()
                .is_none_or(|t| t.parse::<i64>().is_ok() || ["true", "false"].contains(&t.to_lowercase().as_str()))
        };
        let (lefts, rights) = (pairs.iter().all(|p| number(&p.left)), pairs.iter().all(|p| number(&p.right)));
        if columns.turned && (!rights || lefts) {
            pairs.iter_mut().for_each(|p| std::mem::swap(&mut p.left, &mut p.right));
        }
        pairs
    }
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
        assert!(["", "–", "\"\"", "N/A", "Keine"].into_iter().all(none) && !none("NAME"));
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

    /// Mappings as `FIELD sign column {pairs} default; notes`.
    fn shown(m: &TableMap) -> Vec<String> {
        let field = |f: &Option<Spelled>| f.as_ref().map_or("none".into(), |s| s.text.clone());
        let value = |v: &Option<String>| v.clone().unwrap_or("blank".into());
        let one = |m: &Mapping| {
            let sign = match m.flow {
                Flow::Both => "=",
                Flow::ToRight => ">",
                Flow::ToLeft => "<",
            };
            let mut text = format!("{} {sign} {}", field(&m.source), field(&m.destination));
            if let Some(pairs) = &m.values {
                let pairs: Vec<_> = pairs.iter().map(|p| format!("{}:{}", value(&p.left), value(&p.right))).collect();
                text += &format!(" {{{}}}", pairs.join(","));
            }
            text += &m.default.as_ref().map_or(String::new(), |d| format!(" default {}", d.text));
            text + &m.notes.iter().map(|n| format!("; {n}")).collect::<String>()
        };
        m.mappings.iter().map(one).collect()
    }

    /// What one table becomes, and how many findings there are.
    fn table(text: &str) -> (Vec<String>, usize) {
        let (maps, findings) = maps(&format!("## Depots (xyz_depots)\n\n{text}"));
        assert_eq!(maps.len(), 1, "{findings:?}");
        (shown(&maps[0]), findings.len() + maps[0].findings.len())
    }

    #[test]
    fn columns_are_found_wherever_they_stand() {
        let more = "| Nr. | Finance-Feld | Richtung | Dataverse-Spalte | Standardwert | Kommentar |\n|---:|:--|:-:|---|---|---|\n\
                    | 1 | NUMBER | = | xyz_number | | Schlüssel |\n| 2 | keine | >> | xyz_kind | 3 | |\n";
        assert_eq!(
            table(more),
            (vec!["NUMBER = xyz_number; Kommentar: Schlüssel".into(), "none > xyz_kind default 3".into()], 0)
        );
        let last = "Field | Column | Map type\n---|---|---\nNUMBER | xyz_number | =\nNAME | xyz_name | <\n";
        assert_eq!(table(last), (vec!["NUMBER = xyz_number".into(), "NAME < xyz_name".into()], 0));
        // Dataverse first: what is drawn to the right runs to finance, and values stand as the columns do.
        let turned = "Dataverse column | Map type | Finance field | Default\n---|---|---|---\n\
                      xyz_name | > | NAME |\nxyz_open | ><<br>`true` : `Yes`<br>`false` : `No` | ISOPEN |\n";
        assert_eq!(table(turned), (vec!["NAME < xyz_name".into(), "ISOPEN = xyz_open {Yes:true,No:false}".into()], 1));
    }

    #[test]
    fn map_types_of_other_hands() {
        let signs = ["==", "<->", "↔", "->", "=>", "<-", "**=**", "＝", "&#62;", "&harr;", "`>`", "\\>\\>", "→"];
        let rows: String = signs.iter().enumerate().map(|(i, s)| format!("A{i} | {s} | xyz_a{i} | 0\n")).collect();
        let (lines, decided) = table(&format!("F | T | C | Default\n---|---|---|---\n{rows}"));
        let flows: String = lines.iter().filter_map(|l| l.split(' ').nth(1)).collect();
        assert_eq!((flows.as_str(), decided), ("===>><==>=>>>", 7), "{lines:?}");
    }

    #[test]
    fn value_maps_of_other_hands() {
        let head = "F | T | C | Default\n---|---|---|---\n";
        for (cell, pairs) in [
            ("><<br>`a` : `1`, `b` : `2`", "{a:1,b:2}"),
            ("><<br/>Yes : true<br />No : false", "{Yes:true,No:false}"),
            ("><<br>`1` = `100`<br>`2` → `200`<br>`3` -> `300`", "{1:100,2:200,3:300}"),
            ("><<br>leer : `0`", "{blank:0}"),
            ("><<br>`a, b` : `1`<br>`12:30` : `2`", "{a, b:1,12:30:2}"),
            ("><<br><code>Yes</code> : <code>true</code>", "{Yes:true}"),
            ("`x` : `1`", ""),
        ] {
            let (lines, _) = table(&format!("{head}NAME | = | xyz_name |\nA | {cell} | xyz_a |\n"));
            let last = lines.get(1).map_or("", |l| l.trim_start_matches("A = xyz_a").trim());
            assert_eq!(last, pairs, "{cell}");
        }
        // Cells that are left empty go on with what stands above.
        let (lines, _) = table(
            "| F | T | C | Default |\n|---|---|---|---|\n| KIND | ><<br>`a` : `1` | xyz_kind | |\n| | `b` : `2` | | |\n\
             | | > | xyz_other | |\n| | | | |\n| X | < | xyz_x | |\n",
        );
        assert_eq!(lines, ["KIND = xyz_kind {a:1,b:2}", "KIND > xyz_other", "X < xyz_x"]);
    }

    #[test]
    fn html_tables_and_merged_cells() {
        let html = "<table>\n<tr><th>Finance</th><th>Type</th><th>Dataverse</th></tr>\n\
                    <tr><td rowspan=\"2\">NUMBER</td><td>=</td><td>xyz_number</td></tr>\n<tr><td>&gt;</td><td>xyz_copy</td></tr>\n\
                    <tr><td>OPEN</td><td>&gt;&lt;<br><code>Yes</code> : <code>true</code></td><td>xyz_open</td></tr>\n</table>\n";
        let (lines, findings) = table(html);
        assert_eq!(
            (lines, findings),
            (vec!["NUMBER = xyz_number".into(), "NUMBER > xyz_copy".into(), "OPEN = xyz_open {Yes:true}".into()], 0)
        );
    }

    #[test]
    fn headings_and_several_tables() {
        let rows = "F | T | C\n---|---|---\nNUMBER | = | xyz_number\n";
        for heading in [
            "## Depots to xyz_depots",
            "### <a name=\"7\"></a>Depots (xyz\\_depots)",
            "## Depots (xyz_depots) mapping",
            "**Depots (xyz_depots)**",
            "Depots (xyz_depots)\n---",
            "## Depots から xyz_depots へ",
            "## Depots（xyz_depots）",
            "## [Depots](depots.md) (xyz_depots)",
        ] {
            let (maps, findings) = maps(&format!("{heading}\n\n{rows}"));
            assert!(findings.is_empty(), "{heading}: {findings:?}");
            assert_eq!(maps[0].name(), "Depots (xyz_depots)", "{heading}");
        }
        // Tables and headings below the heading of a map belong to it.
        let (maps, _) = maps(&format!(
            "## Depots (xyz_depots)\n\n{rows}\n### Notes for people to read\n\nF | T | C\n---|---|---\nNAME | > | xyz_name\n\n\
             ## Plain words\n\na | b | c\n---|---|---\n1 | 2 | 3\n"
        ));
        assert_eq!(maps.iter().map(shown).collect::<Vec<_>>(), [["NUMBER = xyz_number", "NAME > xyz_name"]]);
    }
}
