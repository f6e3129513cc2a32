//! Reading a tree by hand: each helper says what is wrong and where, and goes on.

use super::{Entry, Item, Kind, Node, Plain, Scalar, quoted, reads_differently, resolve};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

/// The codes a reader uses.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    /// A value is of another kind than expected.
    pub shape: Code,
    /// A key nobody knows.
    pub unknown: Code,
    /// A key that must be there is not.
    pub missing: Code,
}

/// Collects findings while a tree is read.
#[derive(Debug)]
pub struct Reader {
    /// The findings so far.
    pub findings: Vec<Diagnostic>,
    codes: Codes,
    /// Whether the file broke off, so that missing keys are not told.
    broken: bool,
}

/// The entries of a mapping whose keys are known.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The mapping.
    pub node: &'a Node,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The entry of that key, also where its value is nothing.
    pub fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|e| e.key.text == key)
    }
    /// The value of that key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|e| &e.value)
    }
    /// All entries in file order.
    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }
}

impl Reader {
    /// A reader that reports with these codes.
    pub fn new(codes: Codes, broken: bool) -> Reader {
        Reader { findings: vec![], codes, broken }
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// The value is not what it must be.
    pub fn wrong(&mut self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.what());
        self.add(Diagnostic::new(self.codes.shape, head(node), message));
    }

    /// The value is of the right kind but cannot stand.
    pub fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.add(Diagnostic::new(self.codes.shape, span, message).help(help));
    }

    /// A mapping of known keys; others are findings.
    pub fn fields<'a>(&mut self, node: &'a Node, what: &str, known: &[&str]) -> Option<Fields<'a>> {
        let entries = self.mapping(node, what)?;
        for e in entries {
            let key = e.key.text.as_str();
            if known.contains(&key) || key == "<<" {
                continue;
            }
            let mut d = Diagnostic::new(self.codes.unknown, e.key_span, format!("unknown key `{key}` in {what}"));
            let near = did_you_mean(key, known.iter().copied());
            d = d.help(near.unwrap_or_else(|| format!("known are {}", list(known))));
            if let Some(best) = crate::diagnostic::nearest(key, known.iter().copied()).first() {
                d = d.fix(format!("write `{best}`"), e.key_span, *best, false);
            }
            self.add(d);
        }
        Some(Fields { node, entries })
    }

    /// A mapping of any keys.
    pub fn mapping<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Entry]> {
        match &node.kind {
            Kind::Mapping(entries) => Some(entries),
            _ => {
                self.wrong(node, &format!("a mapping for {what}"));
                None
            }
        }
    }

    /// A list.
    pub fn sequence<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Item]> {
        match &node.kind {
            Kind::Sequence(items) => Some(items),
            _ => {
                self.wrong(node, &format!("a list for {what}"));
                None
            }
        }
    }

    /// A key that must be there.
    pub fn require<'a>(&mut self, fields: &Fields<'a>, key: &str, what: &str) -> Option<&'a Node> {
        let found = fields.get(key);
        if found.is_none() && !self.broken {
            let place = head(fields.node);
            self.add(
                Diagnostic::new(self.codes.missing, place, format!("{what} has no `{key}`"))
                    .help(format!("add `{key}: …`")),
            );
        }
        found
    }

    /// A text. Bare words that other readers take for something else are findings with a fix, but read.
    pub fn text<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a Scalar> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong(node, &format!("a text for {what}"));
            return None;
        };
        match resolve(scalar) {
            Plain::Text if scalar.style == super::Style::Plain && reads_differently(&scalar.text) => {
                self.add(quote_this(node, scalar));
                Some(scalar)
            }
            Plain::Text => Some(scalar),
            Plain::Null => {
                self.wrong(node, &format!("a text for {what}"));
                None
            }
            _ => {
                let d = Diagnostic::new(
                    self.codes.shape,
                    node.span,
                    format!("expected a text for {what}, found {}", node.what()),
                )
                .help("put it into quotes")
                .fix("quote it", node.span, quoted(&scalar.text), true);
                self.add(d);
                None
            }
        }
    }

    /// A text that is not empty.
    pub fn name<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a Scalar> {
        let scalar = self.text(node, what)?;
        if scalar.text.trim().is_empty() {
            self.add(Diagnostic::new(self.codes.shape, node.span, format!("{what} is empty")));
            return None;
        }
        Some(scalar)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong(node, &format!("`true` or `false` for {what}"));
            return None;
        };
        match resolve(scalar) {
            Plain::Boolean(b) => Some(b),
            _ => {
                let meant = match scalar.text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" => Some("true"),
                    "no" | "off" | "n" | "false" => Some("false"),
                    _ => None,
                };
                let mut d = Diagnostic::new(
                    self.codes.shape,
                    node.span,
                    format!("expected `true` or `false` for {what}, found `{}`", scalar.text),
                )
                .help("only `true` and `false` are booleans");
                if let Some(meant) = meant {
                    d = d.fix(format!("write `{meant}`"), node.span, meant, true);
                }
                self.add(d);
                None
            }
        }
    }

    /// A whole number.
    pub fn integer(&mut self, node: &Node, what: &str) -> Option<i64> {
        let number = node.scalar().filter(|s| resolve(s) == Plain::Integer);
        let Some(scalar) = number else {
            self.wrong(node, &format!("a whole number for {what}"));
            return None;
        };
        let digits = scalar.text.strip_prefix(['-', '+']).unwrap_or(&scalar.text);
        if digits.len() > 1 && digits.starts_with('0') {
            self.add(
                Diagnostic::new(self.codes.shape, node.span, format!("`{}` is read in two ways", scalar.text))
                    .help("write the number without the leading zero"),
            );
            return None;
        }
        let parsed = scalar.text.parse();
        if parsed.is_err() {
            self.add(Diagnostic::new(self.codes.shape, node.span, format!("{what} does not fit into 64 bits")));
        }
        parsed.ok()
    }

    /// A list of texts; a single one may stand alone.
    pub fn texts<'a>(&mut self, node: &'a Node, what: &str) -> Vec<(&'a Scalar, Span)> {
        match &node.kind {
            Kind::Sequence(items) => {
                items.iter().filter_map(|i| self.name(&i.value, what).map(|s| (s, i.value.span))).collect()
            }
            _ => self.name(node, what).map(|s| (s, node.span)).into_iter().collect(),
        }
    }
}

/// The finding for a bare word that other readers take for something else.
fn quote_this(node: &Node, scalar: &Scalar) -> Diagnostic {
    let message = format!("`{}` without quotes is not a text for every reader of YAML", scalar.text);
    Diagnostic::new(Code::TM0139, node.span, message).help("put it into quotes").fix(
        "quote it",
        node.span,
        quoted(&scalar.text),
        true,
    )
}

/// The place to point at for a node that may be long: its first line.
fn head(node: &Node) -> Span {
    match &node.kind {
        Kind::Mapping(entries) if !node.flow => entries.first().map_or(node.span, |e| e.key_span),
        Kind::Sequence(items) if !node.flow => items.first().map_or(node.span, |i| head(&i.value)),
        _ => node.span,
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
