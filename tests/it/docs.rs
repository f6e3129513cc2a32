//! The documents: every relative link leads somewhere, and no path of one machine stands in them.

use std::path::{Path, PathBuf};

fn documents() -> Vec<PathBuf> {
    let found = files(&["md"]);
    assert!(found.len() > 8, "the documents were not found");
    found
}

/// Files of the project that end in one of these.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text without fenced code and code spans.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|m| trimmed.starts_with(m));
        match (fence, mark) {
            (None, Some(m)) => fence = Some(m),
            (Some(open), Some(m)) if open == m => fence = None,
            (None, None) => {
                for (n, part) in line.split('`').enumerate() {
                    out.push_str(if n % 2 == 0 { part } else { " " });
                }
            }
            _ => {}
        }
        out.push('\n');
    }
    out
}

/// The targets of `[text](target)`; titles after a blank are cut off.
fn links(prose: &str) -> Vec<String> {
    let mut all = vec![];
    for (i, _) in prose.match_indices("](") {
        let rest = &prose[i + 2..];
        if let Some(end) = rest.find(')') {
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            all.push(target.trim_matches(|c| c == '<' || c == '>').to_string());
        }
    }
    all
}

/// The anchor that a heading gets where the documents are shown.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn anchors(text: &str) -> Vec<String> {
    let mut code = false;
    text.lines()
        .filter(|l| {
            code ^= l.trim_start().starts_with("```");
            !code && l.starts_with('#')
        })
        .map(anchor)
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = vec![];
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in links(&prose(&text)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let there = target.exists()
                && (fragment.is_empty()
                    || target.extension().is_none_or(|e| e != "md")
                    || anchors(&std::fs::read_to_string(&target).unwrap()).iter().any(|a| a == fragment));
            if !there {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n  {}", broken.join("\n  "));
}

/// Fenced blocks by their info string: its first word, what follows it, and the block with its line.
fn blocks(text: &str) -> Vec<(String, String, usize)> {
    let mut all = vec![];
    let mut open: Option<(String, String, usize)> = None;
    for (n, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.trim().to_string(), String::new(), n + 1)),
            (Some(_), Some("")) => all.extend(open.take()),
            (Some((_, block, _)), _) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    all
}

/// ```` ```tmap ```` is a file, ```` ```tmap map ```` statements of a map, ```` ```tmap fields ```` lines of one.
#[test]
fn examples_in_the_documents_can_be_read() {
    let mut problems = vec![];
    let mut read = 0;
    // The examples of the pages are run, the wrong ones too, by tests/it/pages.rs.
    for path in documents().into_iter().filter(|p| !p.parent().is_some_and(|d| d.ends_with("check/pages"))) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (info, block, line) in blocks(&text) {
            let dsl = match info.as_str() {
                "tmap" => block,
                "tmap map" => format!("map \"m\" {{\n{block}}}\n"),
                "tmap fields" => format!("map \"m\" {{\nfields {{\n{block}}}\n}}\n"),
                _ => continue,
            };
            let mut sources = tablemap::source::Sources::new();
            let file = sources.add(format!("{}:{line}", path.display()), dsl);
            let (_, findings) = tablemap::syntax::dsl::parse(&sources, file);
            let shown = findings.iter().map(|d| tablemap::diagnostic::render::human::render(&sources, d, false));
            problems.extend(shown);
            read += 1;
        }
    }
    assert!(read > 10, "the examples were not found");
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// Codes that the documents name are in the registry.
#[test]
fn codes_in_the_documents_exist() {
    let known: Vec<&str> = tablemap::diagnostic::all_codes().iter().map(|(c, _, _)| c.0).collect();
    let mut unknown = vec![];
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (i, _) in text.match_indices("TM") {
            let code: String = text[i..].chars().take(6).collect();
            if code.len() == 6 && code[2..].chars().all(|c| c.is_ascii_digit()) && !known.contains(&code.as_str()) {
                unknown.push(format!("{}: {code}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "codes that do not exist:\n  {}", unknown.join("\n  "));
}

/// A clean clone is all there is: nothing outside of it is named.
#[test]
fn nothing_outside_the_project_is_named() {
    let outside = [concat!("..", "/shared"), concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut named = vec![];
    for path in files(&["md", "rs", "toml", "yaml", "yml", "json", "tmap", "sql", "pest", "sh"]) {
        // Cases of wrong texts need not be UTF-8.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        named.extend(outside.iter().filter(|o| text.contains(**o)).map(|o| format!("{}: {o}", path.display())));
    }
    assert!(named.is_empty(), "paths outside of the project:\n  {}", named.join("\n  "));
}

#[test]
fn links_are_found_in_prose_only() {
    let text = "[a](b.md#c) `[x](y)`\n```\n[p](q)\n```\n[t](<u v> \"title\") ![i](j.png)";
    assert_eq!(links(&prose(text)), ["b.md#c", "u", "j.png"]);
    assert_eq!(anchor("## Who may know whom?"), "who-may-know-whom");
}
