//! TM1102: a password, key or token that stands in a file. The finding names where, never what.

use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedProject, Input};
use crate::source::{FileId, Span};

/// Words before a `:` or `=` that a secret follows.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "client_secret",
    "clientsecret",
    "api_key",
    "apikey",
    "access_token",
    "accesstoken",
    "accountkey",
    "sharedaccesskey",
    "private_key",
];

pub(super) fn check(input: &Input<'_>, _: &CheckedProject) -> Vec<Diagnostic> {
    let mut out = vec![];
    for (id, file) in input.sources.iter() {
        let mut start = 0;
        let project =
            !file.name.ends_with(".tmap") && !file.name.contains(".map.y") && !file.name.contains(".schema.y");
        for line in file.text.split_inclusive('\n') {
            for (from, to) in
                address(line).into_iter().chain(project.then(|| setting(line)).flatten()).chain(connection(line))
            {
                out.push(told(id, start + from, start + to));
            }
            start += line.len();
        }
    }
    out.dedup_by_key(|d| d.span());
    out
}

fn told(file: FileId, from: usize, to: usize) -> Diagnostic {
    Diagnostic::new(Code::TM1102, Span::new(file, from, to), "a secret stands in this file")
        .help("keep it in the environment, and write `${NAME}` here; then change it, since it was in a file")
}

/// `scheme://user:password@host`: where the password stands.
fn address(line: &str) -> Option<(usize, usize)> {
    let scheme = line.find("://")?;
    let from = scheme + 3;
    let rest = &line[from..];
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/' | '?' | '#')).unwrap_or(rest.len());
    let (credentials, _) = rest[..end].rsplit_once('@')?;
    let (user, password) = credentials.split_once(':')?;
    hidden(password).then(|| (from + user.len() + 1, from + credentials.len()))
}

/// `password: …` as a setting.
fn setting(line: &str) -> Option<(usize, usize)> {
    let text = line.trim_start().trim_start_matches(['{', '-', ' ']);
    let at = line.len() - text.len();
    let (key, value) = text.split_once(':')?;
    let word = key.trim().trim_matches(['"', '\'']).to_ascii_lowercase().replace('-', "_");
    if !WORDS.contains(&word.as_str()) {
        return None;
    }
    let from = at + key.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.split(" #").next().unwrap_or(value).trim();
    let bare = value.trim_matches(['"', '\'', '}', ' ']);
    hidden(bare).then(|| (from, from + value.len()))
}

/// `…;Password=…;…` of a connection string.
fn connection(line: &str) -> Option<(usize, usize)> {
    let lower = line.to_ascii_lowercase();
    WORDS.iter().find_map(|w| {
        let key = lower.find(&format!("{w}="))?;
        // A word of its own, not the end of a column's name, and not a comparison.
        let before = lower[..key].chars().next_back();
        if before.is_none_or(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == ' ') {
            return None;
        }
        let from = key + w.len() + 1;
        let rest = &line[from..];
        let end = rest.find([';', '&', '"', '\'', ' ', '\n']).unwrap_or(rest.len());
        hidden(&rest[..end]).then_some((from, from + end))
    })
}

/// Whether a text is a secret, and not the name of a variable, or stars.
fn hidden(text: &str) -> bool {
    let masked = text.chars().all(|c| matches!(c, '*' | '.' | '…' | 'x' | 'X'));
    !text.is_empty() && !masked && !text.contains("${") && !(text.starts_with('<') && text.ends_with('>'))
}

#[cfg(test)]
mod tests {
    use super::{address, connection, setting};

    #[test]
    fn secrets_are_found_and_variables_are_not() {
        let cut = |line: &str, at: Option<(usize, usize)>| at.map(|(a, b)| line[a..b].to_string());
        let l = "  crm: { kind: postgres, url: \"postgres://tablemap:hunter2@db.example.com/crm\" }\n";
        assert_eq!(cut(l, address(l)).as_deref(), Some("hunter2"));
        let l = "    password: hunter2  # of the test system\n";
        assert_eq!(cut(l, setting(l)).as_deref(), Some("hunter2"));
        let l = "    url: \"Server=db;User Id=sa;Password=hunter2;\"\n";
        assert_eq!(cut(l, connection(l)).as_deref(), Some("hunter2"));
        for fine in [
            "  url: \"${CRM_URL}\"\n",
            "  url: postgres://user:${PASSWORD}@db/crm\n",
            "  url: postgres://user@db/crm\n",
            "  password: \"${PASSWORD}\"\n",
            "    PASSWORD = password\n",
            "  see https://example.com/a:b@c\n",
        ] {
            assert_eq!(cut(fine, address(fine).or(setting(fine)).or(connection(fine))), None, "{fine}");
        }
    }
}
