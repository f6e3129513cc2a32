//! The solution that table maps travel in: `customizations.xml`, alone or inside its zip. Nothing is unpacked to disk,
//! no entity is expanded, and both have limits.

use super::dual_write::{self, Found};
use super::json::{Json, Kind, Text, escaped};
use super::text::Mapped;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::Read;

/// The largest `customizations.xml` that is taken out of a zip.
pub const MAX_XML: u64 = 64 * 1024 * 1024;
/// The most files a zip may hold.
const MAX_ENTRIES: usize = 20_000;
/// The record of a table map.
const RECORD: &[u8] = b"msdyn_dualwriteentitymap";

/// Reads the table maps of a zip. `name` is how the user calls the file.
pub fn zip(name: &str, bytes: &[u8], sources: &mut Sources) -> (Vec<Found>, Vec<Diagnostic>) {
    let at = Span::new(sources.add(name, ""), 0, 0);
    let mut findings = vec![];
    let broken = |message: String| Diagnostic::new(Code::TM1301, at, message).help("export the solution again");
    let mut archive = match zip::ZipArchive::new(std::io::Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(e) => return (vec![], vec![broken(format!("`{name}` cannot be read as a zip: {e}"))]),
    };
    if archive.len() > MAX_ENTRIES {
        return (vec![], vec![broken(format!("`{name}` holds more than {MAX_ENTRIES} files"))]);
    }
    let mut wanted = vec![];
    for i in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(i) else {
            findings.push(broken(format!("file {} of `{name}` cannot be read", i + 1)));
            continue;
        };
        let inside = entry.name().map(|n| n.into_owned()).unwrap_or_default();
        if entry.enclosed_name().is_none() {
            let message = format!("`{name}` holds a file `{inside}`, which leads outside of it");
            findings.push(Diagnostic::new(Code::TM1301, at, message).help("it was not read; do not unpack such a zip"));
            continue;
        }
        let last = inside.rsplit(['/', '\\']).next().unwrap_or_default();
        if last.eq_ignore_ascii_case("customizations.xml") {
            wanted.push((i, inside));
        }
    }
    if wanted.is_empty() {
        findings.push(broken(format!("`{name}` holds no `customizations.xml`")));
    }
    let mut found = vec![];
    for (i, inside) in wanted {
        let mut bytes = vec![];
        let read = archive.by_index(i).map(|entry| entry.take(MAX_XML + 1).read_to_end(&mut bytes));
        if let Err(e) = read.map_err(std::io::Error::other).and_then(|r| r) {
            findings.push(broken(format!("`{inside}` of `{name}` cannot be unpacked: {e}")));
            continue;
        }
        if bytes.len() as u64 > MAX_XML {
            let message = format!("`{inside}` of `{name}` is larger than {} MiB", MAX_XML / 1024 / 1024);
            findings.push(
                Diagnostic::new(Code::TM1301, at, message).help("take the maps out of it into a smaller solution"),
            );
            continue;
        }
        let Ok(text) = String::from_utf8(bytes) else {
            findings.push(broken(format!("`{inside}` of `{name}` is not UTF-8")));
            continue;
        };
        let text = text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text);
        let file = sources.add(format!("{name}!{inside}"), text);
        let (more, told) = xml(sources, file);
        found.extend(more);
        findings.extend(told);
    }
    (found, findings)
}

/// Reads the table maps of a `customizations.xml`.
pub fn xml(sources: &Sources, file: FileId) -> (Vec<Found>, Vec<Diagnostic>) {
    let text = &sources.file(file).text;
    let mut reader = Reader::from_str(text);
    let (mut found, mut findings) = (vec![], vec![]);
    // The record that is open, the column in it, where its content begins, and how deep below it we are.
    let mut record: Option<Json> = None;
    let mut column: Option<(String, usize)> = None;
    let mut below = 0;
    let mut records = 0;
    loop {
        let before = reader.buffer_position() as usize;
        match reader.read_event() {
            Ok(Event::DocType(_)) => findings.push(
                Diagnostic::new(
                    Code::TM1301,
                    Span::new(file, before, reader.buffer_position() as usize),
                    "the XML declares a document type: entities of its own are not expanded",
                )
                .help("a solution has none; do not trust this file"),
            ),
            Ok(Event::Start(e)) if record.is_none() && e.local_name().as_ref() == RECORD => {
                record = Some(Json { kind: Kind::Object(vec![]), span: Span::new(file, before, before), cut: false });
            }
            Ok(Event::Start(e)) if record.is_some() => {
                if column.is_none() {
                    column = Some((
                        String::from_utf8_lossy(e.local_name().as_ref()).into_owned(),
                        reader.buffer_position() as usize,
                    ));
                } else {
                    below += 1;
                }
            }
            Ok(Event::End(e)) if record.is_some() => {
                if below > 0 {
                    below -= 1;
                } else if let Some((name, start)) = column.take() {
                    let value = content(text, file, start, before, &mut findings);
                    if let Some(Json { kind: Kind::Object(entries), .. }) = &mut record {
                        let raw = escaped(&value.text);
                        let span = Span::new(file, start, before);
                        let json = Json { kind: Kind::Text(Text { value, raw }), span, cut: false };
                        entries.push((Text::new(&name), json));
                    }
                } else if e.local_name().as_ref() == RECORD
                    && let Some(json) = record.take()
                {
                    records += 1;
                    if json.get("msdyn_mapping").is_some() {
                        let (more, told) = dual_write::of_json(&json);
                        found.extend(more);
                        findings.extend(told);
                    } else {
                        let d = Diagnostic::new(
                            Code::TM1301,
                            json.span,
                            "the record of a table map has no `msdyn_mapping`",
                        );
                        findings.push(d);
                    }
                }
            }
            Ok(Event::Eof) => {
                if let Some(json) = &record {
                    findings.push(broken_off(json.span));
                }
                break;
            }
            Ok(_) => {}
            Err(e) => {
                let at = (reader.error_position() as usize).min(text.len());
                let message = format!("the XML cannot be read on from here: {e}");
                let d = Diagnostic::new(Code::TM1301, Span::new(file, at, at), message);
                findings.push(d.help("what stands before it was imported; export the solution again"));
                break;
            }
        }
    }
    if records == 0 && findings.is_empty() {
        findings.push(
            Diagnostic::new(Code::TM1301, Span::new(file, 0, 0), "the file holds no table map of dual-write")
                .help("table maps are in `<msdyn_dualwriteentitymaps>`"),
        );
    }
    (found, findings)
}

fn broken_off(at: Span) -> Diagnostic {
    Diagnostic::new(Code::TM1301, at, "the XML breaks off inside the record that begins here")
        .help("what stands before it was imported; export the solution again")
}

/// The text of an element, its references and CDATA resolved.
fn content(text: &str, file: FileId, start: usize, end: usize, findings: &mut Vec<Diagnostic>) -> Mapped {
    let mut out = Mapped::in_file(Some(file));
    let mut at = start;
    while let Some(c) = text.get(at..end).and_then(|t| t.chars().next()) {
        let rest = &text[at..end];
        if let Some(body) = rest.strip_prefix("<![CDATA[") {
            let len = body.find("]]>").unwrap_or(body.len());
            body[..len].char_indices().for_each(|(i, c)| out.push(c, (at + 9 + i) as u32));
            at += (9 + len + 3).min(rest.len());
        } else if rest.starts_with("<!--") {
            at += rest.find("-->").map_or(rest.len(), |i| i + 3);
        } else if c == '<' {
            at += rest.find('>').map_or(rest.len(), |i| i + 1);
        } else if c == '&'
            && let Some(len) = rest.find(';').filter(|l| *l < 12)
        {
            match reference(&rest[1..len]) {
                Some(c) => out.push(c, at as u32),
                None => {
                    let span = Span::new(file, at, at + len + 1);
                    let message = format!("`{}` is no entity of XML", &rest[..=len]);
                    findings.push(Diagnostic::new(Code::TM1301, span, message).help("it was left out"));
                }
            }
            at += len + 1;
        } else {
            out.push(c, at as u32);
            at += c.len_utf8();
        }
    }
    out.end(end as u32);
    out
}

fn reference(name: &str) -> Option<char> {
    match name {
        "quot" => Some('"'),
        "apos" => Some('\''),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    const MAP: &str = r#"{"name":"Depots - xyz_depots","legs":[{"sourceSchema":"Depots","destinationSchema":"xyz_depots","fieldMappings":[{"sourceField":"A","destinationField":"b","syncDirection":"3","x":1}]}]}"#;

    fn solution(more: &str) -> String {
        let quoted = MAP.replace('"', "&quot;");
        format!(
            "<?xml version=\"1.0\"?>{more}\n<ImportExportXml><msdyn_dualwriteentitymaps>\n\
             <msdyn_dualwriteentitymap msdyn_dualwriteentitymapid=\"{{1}}\">\n<msdyn_displayname>xyz_depots - Depots</msdyn_displayname>\n\
             <msdyn_version>1.0.0.2</msdyn_version><msdyn_mapping>{quoted}</msdyn_mapping>\n\
             <msdyn_properties><![CDATA[{{\"SkipInitialSync\":true,\"Description\":\"x\"}}]]></msdyn_properties>\n\
             </msdyn_dualwriteentitymap></msdyn_dualwriteentitymaps></ImportExportXml>"
        )
    }

    #[test]
    fn records_of_a_solution() {
        let mut sources = Sources::new();
        let file = sources.add("customizations.xml", solution(""));
        let (found, findings) = xml(&sources, file);
        assert!(findings.is_empty(), "{findings:?}");
        let map = &found[0].map;
        assert_eq!((map.name().as_str(), map.version.as_deref()), ("Depots (xyz_depots)", Some("1.0.0.2")));
        assert!(map.skip_initial);
        assert_eq!(sources.text(map.findings[0].span().unwrap()), "1", "the unknown key's place in the XML");
    }

    #[test]
    fn bombs_and_broken_ends() {
        let mut sources = Sources::new();
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
        let file = sources.add("b.xml", solution(bomb).replace("xyz_depots - Depots", "&b;"));
        let (found, findings) = xml(&sources, file);
        assert_eq!((found.len(), findings.len()), (1, 2), "{findings:?}");
        let whole = solution("");
        let cut = whole.len() - 120;
        let file = sources.add("c.xml", &whole[..cut]);
        let (found, findings) = xml(&sources, file);
        assert_eq!((found.len(), findings.len()), (0, 1), "{findings:?}");
    }

    #[test]
    fn zips() {
        let mut zip_file = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in [("../evil.txt", "x".to_string()), ("customizations.xml", solution(""))] {
            zip_file.start_file(name, options).unwrap();
            zip_file.write_all(text.as_bytes()).unwrap();
        }
        let bytes = zip_file.finish().unwrap().into_inner();
        let mut sources = Sources::new();
        let (found, findings) = zip("s.zip", &bytes, &mut sources);
        assert_eq!(found.len(), 1);
        assert!(findings[0].message.contains("leads outside"), "{findings:?}");
        let (found, findings) = zip("s.zip", &bytes[..bytes.len() / 2], &mut sources);
        assert_eq!((found.len(), findings.len()), (0, 1));
    }
}
