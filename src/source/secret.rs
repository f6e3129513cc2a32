//! Where passwords, keys and tokens stand in a text, so that they are told of and never printed.

use super::SourceFile;

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

impl SourceFile {
    /// Byte ranges of what looks like a secret.
    pub fn secrets(&self) -> Vec<(usize, usize)> {
        // In maps and schemas `password` is a column like others.
        let settings =
            !self.name.ends_with(".tmap") && !self.name.contains(".map.y") && !self.name.contains(".schema.y");
        let mut out = vec![];
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let setting = settings.then(|| setting(line)).flatten();
            if let Some((from, to)) = address(line).or(setting).or_else(|| connection(line)) {
                out.push((start + from, start + to));
            }
            start += line.len();
        }
        out
    }
    /// The text with stars for secrets; offsets stay what they are.
    pub fn masked(&self) -> std::borrow::Cow<'_, str> {
        let secrets = self.secrets();
        if secrets.is_empty() {
            return self.text.as_str().into();
        }
        let mut text = self.text.clone();
        for (from, to) in secrets {
            text.replace_range(from..to, &"*".repeat(to - from));
        }
        text.into()
    }
    /// [`SourceFile::masked`] from byte `start` to before byte `end`, looking at these lines only.
    pub fn masked_between(&self, start: usize, end: usize) -> String {
        let end = end.min(self.text.len());
        if self.text.get(start..end).is_none() {
            return String::new();
        }
        let from = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let to = self.text[end..].find('\n').map_or(self.text.len(), |i| end + i);
        let lines = SourceFile::new(self.name.as_str(), &self.text[from..to]);
        lines.masked().get(start - from..end - from).unwrap_or("").to_string()
    }
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

/// `password: …` as a setting, also one that was commented out (then one word: prose is none).
fn setting(line: &str) -> Option<(usize, usize)> {
    let text = line.trim_start().trim_start_matches(['{', '-', ' ', '#']);
    let comment = line.trim_start().starts_with('#');
    let at = line.len() - text.len();
    let (key, value) = text.split_once(':')?;
    let word = key.trim().trim_matches(['"', '\'']).to_ascii_lowercase().replace('-', "_");
    if !WORDS.contains(&word.as_str()) {
        return None;
    }
    let from = at + key.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.split(" #").next().unwrap_or(value).trim();
    let bare = value.trim_matches(['"', '\'', '}', ' ']);
    (hidden(bare) && !(comment && bare.contains(' '))).then(|| (from, from + value.len()))
}

/// `…;Password=…;…` of a connection string.
fn connection(line: &str) -> Option<(usize, usize)> {
    // `Word=value` without blanks, which no line of a map has.
    if !line.as_bytes().windows(2).any(|w| w[0].is_ascii_alphanumeric() && w[1] == b'=') {
        return None;
    }
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
    let named = text.contains("${") || (text.starts_with('<') && text.ends_with('>'));
    !(text.is_empty() || masked || named)
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
            "  # password: see the vault\n",
            "    PASSWORD = password\n",
            "  see https://example.com/a:b@c\n",
        ] {
            assert_eq!(cut(fine, address(fine).or(setting(fine)).or(connection(fine))), None, "{fine}");
        }
    }
}
