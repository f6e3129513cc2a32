//! What the grammar expected, said so that the author of a map understands it.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use super::scan::{Kind, Scan};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

/// Words that are never names.
pub(super) const RESERVED: &[&str] =
    &["and", "or", "not", "in", "is", "like", "null", "true", "false", "case", "when", "then", "else", "end", "this"];

/// Where the grammar gave up, as an offset of its slice.
pub(super) fn offset(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) => at,
        InputLocation::Span((at, _)) => at,
    }
}

/// What stands at an offset of the text: its range and how to call it.
pub(super) struct Found<'t> {
    pub start: usize,
    pub end: usize,
    pub text: Option<&'t str>,
}

/// The token at or after `at`; at a line's end the empty place after the last token.
pub(super) fn found<'t>(scan: &Scan, raw: &'t str, at: usize) -> Found<'t> {
    let n = scan.tokens.partition_point(|t| t.end <= at);
    let place = match scan.tokens.get(n) {
        Some(t) if t.kind != Kind::NewLine => {
            return Found { start: at.max(t.start), end: t.end, text: None }.with(raw);
        }
        Some(t) => t.start,
        None => raw.len(),
    };
    let end = n.checked_sub(1).and_then(|n| scan.tokens.get(n)).map_or(0, |t| t.end).min(place);
    Found { start: end, end, text: None }
}

impl<'t> Found<'t> {
    fn with(mut self, raw: &'t str) -> Found<'t> {
        self.text = raw.get(self.start..self.end);
        // An operator is more than one character: take what belongs together.
        if self.text.is_some_and(|t| t.len() == 1 && OPERATOR.contains(t)) {
            let more = raw[self.end..].bytes().take_while(|b| OPERATOR.as_bytes().contains(b)).count().min(2);
            self.end += more;
            self.text = raw.get(self.start..self.end);
        }
        self
    }
    fn shown(&self, raw: &str) -> String {
        match self.text {
            Some(text) => shown(text),
            None if raw[self.end..].trim().is_empty() => "the end of the text".into(),
            None => "the end of the line".into(),
        }
    }
}

/// A piece of text as messages show it: shortened, and by number where it cannot be seen.
pub(super) fn shown(text: &str) -> String {
    if text.chars().all(|c| c.is_control() || (c.is_whitespace() && c != ' ')) {
        return format!("the character U+{:04X}", text.chars().next().map_or(0, |c| c as u32));
    }
    if text.chars().count() > 40 {
        return format!("`{}…`", text.chars().take(40).collect::<String>());
    }
    format!("`{text}`")
}

const OPERATOR: &str = "<>=!&|";

/// The finding for a place where the grammar gave up while reading `rule`.
pub(super) fn finding(
    error: &Error<Rule>,
    rule: Rule,
    base: usize,
    scan: &Scan,
    raw: &str,
    span: &dyn Fn(usize, usize) -> Span,
) -> Diagnostic {
    let at = base + offset(error);
    let mut found = found(scan, raw, at);
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let message = "this statement is nested too deep to be read";
        return Diagnostic::new(Code::TM0108, span(base, found.end), message);
    };
    let has = |r: Rule| positives.contains(&r);
    let ends = has(Rule::eol) || has(Rule::EOI);
    if let Some((code, what, form)) = [
        (Rule::version, Code::TM0111, "a version", "numbers with dots between them, `1.0.0.22`"),
        (Rule::slug, Code::TM0112, "an id", "letters, digits and single hyphens, `project-invoices`"),
        (Rule::duration, Code::TM0117, "a duration", "a number with `s`, `m`, `h` or `d`, `15m`"),
    ]
    .into_iter()
    .find_map(|(r, c, w, f)| (has(r) && found.text.is_some()).then_some((c, w, f)))
    {
        let rest = &raw[found.start..];
        found.end = found.start + rest.find(|c: char| c.is_whitespace() || ",{}#".contains(c)).unwrap_or(rest.len());
        found.end = found.end.max(found.start + rest.chars().next().map_or(0, char::len_utf8));
        found.text = raw.get(found.start..found.end);
        let message = format!("{} is not {what}", found.shown(raw));
        return Diagnostic::new(code, span(found.start, found.end), message).help(format!("expected {form}"));
    }
    let here = span(found.start, found.end);
    let word = found.text.unwrap_or("");
    let names = [Rule::operand, Rule::arith, Rule::name, Rule::path, Rule::unary, Rule::path_step, Rule::expr];
    if RESERVED.contains(&word) && names.iter().any(|r| has(*r)) {
        let message = format!("`{word}` is a reserved word, not a name");
        let quoted = format!("\"{word}\"");
        return Diagnostic::new(Code::TM0114, here, message)
            .help("a column of that name is written in double quotes")
            .fix(format!("write `{quoted}`"), here, quoted, false);
    }
    let message = match expected(positives) {
        Some(expected) => format!("expected {expected}, found {}", found.shown(raw)),
        None => format!("did not expect {} here", found.shown(raw)),
    };
    let finding = Diagnostic::new(Code::TM0101, here, message);
    let finding = match hint(word, positives, raw, &found) {
        Some(help) => return finding.help(help),
        None => finding,
    };
    let is_line = matches!(rule, Rule::line | Rule::s_key | Rule::s_set | Rule::s_add | Rule::s_company);
    match word {
        ";" => finding.help("a line ends without `;`").fix("remove `;`", here, "", true),
        "||" if is_line => finding.help("a pipe is a single `|`; `or` stands in conditions, in parentheses"),
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "<>" | "=" | "and" | "or" | "is" | "like" | "in" | "not" | "&&"
            if is_line && ends =>
        {
            finding.help("a comparison, `and`, `or` and `not` stand in parentheses in a line")
        }
        "default" | "on" | "once" | "values" | "|" | "{" if is_line && ends => {
            finding.help("a line's tails stand in this order: `| f(x)`, a value map, `default`, `on missing`, `once`")
        }
        _ => finding,
    }
}

/// What was probably meant, where it is a habit of other places.
fn hint(word: &str, positives: &[Rule], raw: &str, found: &Found<'_>) -> Option<String> {
    let has = |r: Rule| positives.contains(&r);
    if word.starts_with(['‘', '’', '‚', '‛', '′', '´', '`']) {
        return Some("a text stands between straight quotes: `'…'`".into());
    }
    if word.starts_with(['“', '”', '„', '‟', '″', '«', '»']) {
        return Some("straight quotes are meant: `'…'` around a text, `\"…\"` around a name".into());
    }
    if word == "/" && raw[found.end..].starts_with('/') || word == "--" {
        return Some("a comment begins with `#`".into());
    }
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    if word == "," && digit(raw[..found.start].chars().next_back()) && digit(raw[found.end..].chars().next()) {
        return Some("the decimal sign is a point: `1.5`".into());
    }
    if has(Rule::side) || has(Rule::side_column) {
        return Some("sides are named by where they stand in `tables LEFT <-> RIGHT`, not by their store".into());
    }
    if has(Rule::op) || has(Rule::direct_op) {
        return did_you_mean(word, ["create", "update", "delete", "none"]);
    }
    None
}

/// "`)` or an operator"; where the line or a bracket could have ended, that is what matters.
fn expected(rules: &[Rule]) -> Option<String> {
    use Rule::{EOI, comma, eol, kw_end, kw_then, rbrace, rparen, sign};
    let closers = [eol, EOI, rparen, rbrace, comma, kw_then, kw_end, sign];
    let ends = closers.iter().any(|r| rules.contains(r));
    let mut names: Vec<String> = vec![];
    for rule in rules {
        let name = match format!("{rule:?}").strip_prefix("kw_") {
            Some(word) => format!("`{word}`"),
            None => describe(*rule).to_string(),
        };
        let shown = !(ends && is_optional(*rule));
        if shown && !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > 1 {
        names.retain(|n| *n != "an operator");
    }
    names.sort_by_cached_key(|n| (!n.starts_with('`'), n == "the end of the line", n.clone()));
    let last = names.pop()?;
    Some(if names.is_empty() { last.to_string() } else { format!("{} or {last}", names.join(", ")) })
}

/// What may follow a complete line but need not be named.
fn is_optional(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        arith_op
            | bool_op
            | pipe
            | values
            | default
            | on_missing
            | once
            | compare
            | is_null
            | in_list
            | like
            | dot
            | bar
            | pairs
            | kw_was
            | columns
            | cmp_op
            | bad_cmp
            | lparen
            | args
            | kw_on
            | kw_default
            | kw_values
            | kw_not
            | kw_in
            | kw_is
            | kw_like
            | lbrace
    )
}

fn describe(rule: Rule) -> &'static str {
    use Rule::*;
    match rule {
        eol | EOI => "the end of the line",
        nl | file | COMMENT | WHITESPACE => "",
        bad_sign | bad_cmp | bad_and | bad_or | bad_not | bad_text | bad_name | bad_call | bad_equals => "",
        lbrace | pairs | row => "`{`",
        rbrace => "`}`",
        lparen | args | columns => "`(`",
        rparen => "`)`",
        comma => "`,`",
        colon => "`:`",
        dot => "`.`",
        bar | pipe => "`|`",
        equals => "`=`",
        sign => "a sign (`=`, `<`, `>`)",
        arrow => "an arrow (`<->`, `<-`, `->`)",
        side | side_column | winner => "`left` or `right`",
        op | direct_op => "`create`, `update` or `delete`",
        guard_mode => "`report` or `reject`",
        exit_mode => "`leave` or `delete`",
        missing_mode => "`park`, `null` or `error`",
        else_action => "`error`, `pass`",
        operand | arith | unary | expr | cond | minus | not_op => "a column or a value",
        aggregate | aggregate_word | call | case | paren => "a column or a value",
        path => "a column",
        name | word | path_step => "a name",
        qname => "a name in double quotes",
        text => "a text in single quotes",
        literal | plain | number => "a value",
        slug => "an id",
        version => "a version",
        duration => "a duration",
        arith_op | bool_op | cmp_op | compare | is_null | in_list | like => "an operator",
        pair | else_pair | of_pair => "a pair (`'a' = 1`)",
        cell => "a cell (`column = value`)",
        line | line_body | key_line => "a field line",
        step => "`given` or `expect`",
        arm => "`when`",
        values => "a value map",
        default => "`default`",
        on_missing => "`on missing`",
        once => "`once`",
        merge => "`merge`",
        every => "`every`",
        _ => "",
    }
}
