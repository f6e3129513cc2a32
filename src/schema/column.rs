//! Columns of a schema file: types, choices, defaults, blanks.

use super::Column;
use super::load::{StoreBlank, label, unique, word};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::value::{
    Choice, Collation, DateTimeKind, Dec, Float, Member, Type, Uuid, Value, convert, parse_date, parse_datetime,
};
use crate::yaml::{Entry, Fields, Node, Plain, Reader, quoted, resolve};
use std::collections::HashMap;
use std::sync::Arc;

/// Choices the store's columns share.
pub(super) type Choices = HashMap<String, Arc<Choice>>;

const COLUMN: &[&str] = &[
    "type",
    "required",
    "read_only",
    "create_only",
    "generated",
    "default",
    "tracked",
    "collation",
    "blank",
    "lookup",
    "choice",
    "stored_as",
    "label",
    "description",
];
const TYPES: &[&str] =
    &["text", "integer", "decimal", "float", "boolean", "date", "datetime", "uuid", "choice", "binary", "json"];

/// Reads one column, in its short form (`NAME: text(20)`) or as a mapping; also says where its lookup is described.
pub(super) fn read<'a>(
    r: &mut Reader,
    entry: &'a Entry,
    blank: &StoreBlank,
    choices: &Choices,
    fold: bool,
) -> (Column, Option<&'a Node>) {
    let mut column = Column {
        name: entry.key.text.clone(),
        span: entry.key_span,
        ty: Type::Text { max: None },
        required: false,
        read_only: false,
        create_only: false,
        generated: false,
        default: None,
        tracked: true,
        collation: Collation::Exact,
        blank: None,
        choice_by_name: false,
    };
    if entry.value.scalar().is_some() {
        if let Some(ty) = written_type(r, &entry.value) {
            match ty {
                Some(ty) => column.ty = ty,
                None => no_members(r, &entry.value),
            }
            column.blank = store_blank(blank, &column.ty);
        }
        return (column, None);
    }
    let what = format!("column `{}`", column.name);
    let Some(f) = r.fields(&entry.value, &what, COLUMN) else { return (column, None) };
    let understood = set_type(r, &f, &mut column, &what, choices, fold);
    for (key, flag) in [
        ("required", &mut column.required),
        ("read_only", &mut column.read_only),
        ("create_only", &mut column.create_only),
        ("generated", &mut column.generated),
        ("tracked", &mut column.tracked),
    ] {
        if let Some(n) = f.get(key)
            && let Some(b) = r.boolean(n, &format!("`{key}`"))
        {
            *flag = b;
        }
    }
    if let Some(n) = f.get("collation")
        && word(r, n, "`collation`", &["exact", "case-insensitive"]) == Some("case-insensitive")
    {
        column.collation = Collation::NoCase;
        if understood && !matches!(column.ty, Type::Text { .. }) {
            r.refuse(n.span, format!("a `{}` has no collation", column.ty), "take `collation` away");
        }
    }
    if let Some(n) = f.get("stored_as") {
        column.choice_by_name = word(r, n, "`stored_as`", &["name", "value"]) == Some("name");
        if understood && !matches!(column.ty, Type::Choice(_)) {
            r.refuse(n.span, "`stored_as` is for choices", "take it away, or give the column a `choice`");
        }
    }
    label(r, &f);
    if understood {
        column.default = f.get("default").and_then(|n| value(r, n, &column.ty, "default"));
        column.blank = match f.get("blank") {
            Some(n) => value(r, n, &column.ty, "blank"),
            None => store_blank(blank, &column.ty),
        };
    }
    (column, f.get("lookup"))
}

/// The column's type and choice; false where it could not be understood.
fn set_type(r: &mut Reader, f: &Fields<'_>, column: &mut Column, what: &str, choices: &Choices, fold: bool) -> bool {
    let named = match f.get("choice") {
        Some(n) => match (n.entries(), n.scalar()) {
            (Some(entries), _) => Some((n, Some(members(r, n, entries, fold)))),
            (None, Some(_)) => {
                let name = r.name(n, "`choice`").map(|s| s.text.as_str()).unwrap_or("");
                let found = choices.get(name).cloned();
                if found.is_none() && !name.is_empty() {
                    let help = did_you_mean(name, choices.keys().map(String::as_str))
                        .unwrap_or_else(|| "describe it under `choices:`, or write its members here".into());
                    r.add(Diagnostic::new(Code::TM0163, n.span, format!("no choice `{name}`")).help(help));
                }
                Some((n, found))
            }
            _ => {
                r.wrong(n, "the name of a choice or its members for `choice`");
                Some((n, None))
            }
        },
        None => None,
    };
    let Some(n) = f.get("type") else {
        return match named {
            Some((_, Some(choice))) => {
                column.ty = Type::Choice(choice);
                true
            }
            Some(_) => false,
            None => {
                r.require(f, "type", what);
                false
            }
        };
    };
    let Some(ty) = written_type(r, n) else { return false };
    match (ty, named) {
        (Some(ty), None) => column.ty = ty,
        (None, Some((_, Some(choice)))) => column.ty = Type::Choice(choice),
        (None, Some((_, None))) => return false,
        (None, None) => {
            no_members(r, n);
            return false;
        }
        (Some(ty), Some((at, _))) => {
            r.refuse(at.span, format!("a `{ty}` has no members"), "write `type: choice`, or take `choice` away");
            column.ty = ty;
        }
    }
    true
}

fn no_members(r: &mut Reader, n: &Node) {
    let d = Diagnostic::new(Code::TM0163, n.span, "a choice without members")
        .help("write `{ choice: { Open: 4, Posted: 5 } }`, or the name of one under `choices:`");
    r.add(d);
}

/// A type as written; inside, none is `choice`.
#[allow(clippy::option_option)]
fn written_type(r: &mut Reader, n: &Node) -> Option<Option<Type>> {
    let text = r.name(n, "a type")?.text.trim();
    let (word, args) = match text.split_once('(') {
        None => (text, None),
        Some((word, rest)) => (word.trim(), Some(rest.strip_suffix(')'))),
    };
    let args = match args {
        None => None,
        Some(Some(args)) => Some(args),
        Some(None) => {
            let d = Diagnostic::new(Code::TM0156, n.span, format!("the type `{text}` breaks off"))
                .help("inside `{ … }` a comma ends the value: put the type into quotes, `\"decimal(32,6)\"`");
            r.add(d);
            return None;
        }
    };
    let numbers: Option<Vec<u32>> = match args {
        None => Some(vec![]),
        Some(a) => a.split(',').map(|n| n.trim().parse().ok()).collect(),
    };
    let numbers = numbers.as_deref();
    let bad = |r: &mut Reader, help: &str| {
        r.add(Diagnostic::new(Code::TM0156, n.span, format!("`{text}` is not a type")).help(help));
        None
    };
    let simple = |ty: Type, r: &mut Reader| {
        if args.is_none() { Some(Some(ty)) } else { bad(r, &format!("`{word}` takes nothing in parentheses")) }
    };
    match word {
        "text" => match (args, numbers) {
            (None, _) => Some(Some(Type::Text { max: None })),
            (_, Some([max])) if *max > 0 => Some(Some(Type::Text { max: Some(*max) })),
            _ => bad(r, "write `text`, or `text(60)` with the longest length in characters"),
        },
        "decimal" => match (args, numbers) {
            (None, _) => Some(Some(Type::Decimal { limits: None })),
            (_, Some([p, s])) if (1..=Dec::MAX_DIGITS as u32).contains(p) && s <= p => {
                Some(Some(Type::Decimal { limits: Some((*p as u8, *s as u8)) }))
            }
            _ => bad(r, "write `decimal(PRECISION,SCALE)`: at most 76 digits, and no more of them after the point"),
        },
        "datetime" => match args.map(str::trim) {
            None => Some(Some(Type::DateTime { kind: DateTimeKind::Instant })),
            Some("civil") => Some(Some(Type::DateTime { kind: DateTimeKind::Civil })),
            Some(_) => bad(r, "write `datetime` for a point in time, `datetime(civil)` for one of no time zone"),
        },
        "integer" => simple(Type::Integer, r),
        "float" => simple(Type::Float, r),
        "boolean" => simple(Type::Boolean, r),
        "date" => simple(Type::Date, r),
        "uuid" => simple(Type::Uuid, r),
        "binary" => simple(Type::Binary, r),
        "json" => simple(Type::Json, r),
        "choice" if args.is_none() => Some(None),
        _ => {
            let help = match word {
                "string" | "varchar" | "nvarchar" | "char" => "did you mean `text`?".into(),
                "int" | "bigint" | "smallint" => "did you mean `integer`?".into(),
                "bool" => "did you mean `boolean`?".into(),
                "numeric" | "money" => "did you mean `decimal`?".into(),
                "timestamp" => "did you mean `datetime`?".into(),
                "guid" => "did you mean `uuid`?".into(),
                "enum" => "did you mean `choice`?".into(),
                _ => did_you_mean(word, TYPES.iter().copied())
                    .unwrap_or_else(|| format!("known are `{}`", TYPES.join("`, `"))),
            };
            bad(r, &help)
        }
    }
}

/// `choices:` of the store.
pub(super) fn shared(r: &mut Reader, n: &Node) -> Choices {
    let entries = r.mapping(n, "`choices`").unwrap_or_default();
    entries
        .iter()
        .filter_map(|e| {
            let list = r.mapping(&e.value, &format!("choice `{}`", e.key.text))?;
            Some((e.key.text.clone(), members(r, &e.value, list, false)))
        })
        .collect()
}

/// `{Open: 4, Posted: {value: 5, label: Posted}}`.
fn members(r: &mut Reader, n: &Node, entries: &[Entry], fold: bool) -> Arc<Choice> {
    if entries.is_empty() {
        no_members(r, n);
    }
    unique(r, entries, "member", fold);
    let mut choice = Choice::default();
    for e in entries {
        let number = match e.value.entries() {
            None => r.integer(&e.value, &format!("member `{}`", e.key.text)),
            Some(_) => {
                let what = format!("member `{}`", e.key.text);
                let Some(f) = r.fields(&e.value, &what, &["value", "label", "description"]) else { continue };
                label(r, &f);
                r.require(&f, "value", &what).and_then(|n| r.integer(n, "`value`"))
            }
        };
        let Some(value) = number else { continue };
        if let Some(first) = choice.by_value(value) {
            let d = Diagnostic::new(
                Code::TM0163,
                e.value.span,
                format!("members `{}` and `{}` share the number {value}", first.name, e.key.text),
            )
            .help("give every member a number of its own");
            r.add(d);
            continue;
        }
        choice.members.push(Member { value, name: e.key.text.clone() });
    }
    Arc::new(choice)
}

fn store_blank(blank: &StoreBlank, ty: &Type) -> Option<Value> {
    match ty {
        Type::Text { .. } => blank.text.as_deref().map(Value::text),
        Type::Date => blank.date.map(Value::Date),
        Type::DateTime { .. } => blank.date.map(|d| Value::DateTime(d.at(0, 0, 0, 0))),
        _ => None,
    }
}

/// A default or blank of the column's type; `null` says there is none.
fn value(r: &mut Reader, n: &Node, ty: &Type, what: &str) -> Option<Value> {
    if n.is_null() {
        return None;
    }
    let Some(scalar) = n.scalar() else {
        r.wrong(n, &format!("a single value for `{what}`"));
        return None;
    };
    let text = scalar.text.as_str();
    let bare = resolve(scalar);
    let number = matches!(bare, Plain::Integer | Plain::Number);
    let made = match ty {
        Type::Text { .. } | Type::Json if bare == Plain::Text => Some(Value::text(text)),
        Type::Text { .. } | Type::Json | Type::Null | Type::Binary => None,
        Type::Boolean => match bare {
            Plain::Boolean(b) => Some(Value::Boolean(b)),
            _ => None,
        },
        Type::Integer if bare == Plain::Integer => text.parse().ok().map(Value::Integer),
        Type::Integer => None,
        Type::Decimal { .. } => Dec::parse(text).filter(|_| number || bare == Plain::Text).map(Value::Decimal),
        Type::Float if number => text.parse().ok().and_then(Float::new).map(Value::Float),
        Type::Float => None,
        Type::Date => parse_date(text).map(Value::Date),
        Type::DateTime { .. } => parse_datetime(text).map(Value::DateTime),
        Type::Uuid => Uuid::try_parse(text).ok().map(Value::Uuid),
        Type::Choice(c) if bare == Plain::Integer => {
            text.parse().ok().filter(|v| c.by_value(*v).is_some()).map(Value::Integer)
        }
        Type::Choice(c) => c.by_name(text).map(|m| Value::Integer(m.value)),
    };
    let problem = match made.map(|v| convert(v, ty)) {
        Some(Ok(v)) => return Some(v),
        Some(Err(reason)) => reason,
        None => format!("not a value of `{ty}`"),
    };
    let mut d = Diagnostic::new(Code::TM0161, n.span, format!("the {what} `{text}` does not fit: {problem}"));
    d = match ty {
        Type::Text { .. } if bare != Plain::Text => {
            d.help("put the text into quotes").fix("quote it", n.span, quoted(text), true)
        }
        Type::Date => d.help("write it as `1900-01-01`"),
        Type::DateTime { .. } => d.help("write it as `1900-01-01T00:00:00`"),
        Type::Choice(c) => match did_you_mean(text, c.members.iter().map(|m| m.name.as_str())) {
            Some(near) => d.help(near),
            None => d.help("write a member's name or number"),
        },
        _ => d.help(format!("write a `{ty}`, or take `{what}` away")),
    };
    r.add(d);
    None
}
