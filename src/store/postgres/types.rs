//! The boundary: what PostgreSQL stores, and what the house calls a value. Everything crosses as text, in the forms of
//! the server's own input and output functions, so that no digit is lost and every type can. What does not fit is told.

use crate::schema::Column;
use crate::value::{
    Collation, DateTime, Dec, Float, Text, Type, Uuid, Value, date_text, datetime_text, parse_date, parse_datetime,
    stored_decimal, uuid_text,
};
use std::borrow::Cow;
use tokio_postgres::types::{Format, IsNull, ToSql, to_sql_checked};

/// What a column of PostgreSQL holds; a domain is what it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number of so many bytes.
    Int(u8),
    /// Precision and scale, where it is declared with them.
    Numeric(Option<(u32, u32)>),
    Float4,
    Float8,
    Boolean,
    /// Text of at most so many characters.
    Text(Option<u32>),
    /// Text filled up with blanks.
    Char(Option<u32>),
    /// Text that compares without regard to case.
    Citext,
    Json,
    Jsonb,
    Uuid,
    Date,
    Timestamp,
    Timestamptz,
    Bytea,
    /// One of these words.
    Enum(Vec<String>),
    /// Anything else, by the server's text.
    Other,
}

impl Kind {
    pub fn is_text(&self) -> bool {
        matches!(self, Kind::Text(_) | Kind::Char(_) | Kind::Citext)
    }
    pub fn is_number(&self) -> bool {
        matches!(self, Kind::Int(_) | Kind::Numeric(_) | Kind::Float4 | Kind::Float8)
    }
    /// Whether values of both compare without a cast.
    pub fn compares_with(&self, other: &Kind) -> bool {
        let moment = |k: &Kind| matches!(k, Kind::Date | Kind::Timestamp | Kind::Timestamptz);
        self == other
            || (self.is_text() && other.is_text())
            || (self.is_number() && other.is_number())
            || (moment(self) && moment(other))
    }
    /// Whether the type has an order and an equality of its own.
    pub fn compares(&self) -> bool {
        !matches!(self, Kind::Json | Kind::Other)
    }
}

/// A parameter, as text that the server reads for the type it needs.
#[derive(Debug)]
pub(super) struct Param<'a>(pub Option<Cow<'a, str>>);

impl<'a> Param<'a> {
    pub fn number(n: impl ToString) -> Param<'a> {
        Param(Some(Cow::Owned(n.to_string())))
    }
}
impl<'a> From<&'a str> for Param<'a> {
    fn from(s: &'a str) -> Param<'a> {
        Param(Some(Cow::Borrowed(s)))
    }
}
impl<'a> From<&'a String> for Param<'a> {
    fn from(s: &'a String) -> Param<'a> {
        Param(Some(Cow::Borrowed(s)))
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        _: &tokio_postgres::types::Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            None => Ok(IsNull::Yes),
            Some(s) => {
                out.extend_from_slice(s.as_bytes());
                Ok(IsNull::No)
            }
        }
    }
    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        true
    }
    fn encode_format(&self, _: &tokio_postgres::types::Type) -> Format {
        Format::Text
    }
    to_sql_checked!();
}

/// A list as the server reads arrays.
pub(super) fn array<'a>(items: impl Iterator<Item = Option<Cow<'a, str>>>) -> Param<'static> {
    let mut s = String::from("{");
    for (i, item) in items.enumerate() {
        if i > 0 {
            s.push(',');
        }
        match item {
            None => s.push_str("NULL"),
            Some(text) => {
                s.push('"');
                for c in text.chars() {
                    if c == '"' || c == '\\' {
                        s.push('\\');
                    }
                    s.push(c);
                }
                s.push('"');
            }
        }
    }
    s.push('}');
    Param(Some(Cow::Owned(s)))
}

/// Why a value does not fit, in words that follow "the value": "is no date".
pub(super) type Reason = Cow<'static, str>;

/// What is stored, as a value of the column's type; a stored blank is null.
pub(super) fn decode(stored: Option<&str>, column: &Column, kind: &Kind) -> Result<Value, Reason> {
    let Some(stored) = stored else { return Ok(Value::Null) };
    let stored = if matches!(kind, Kind::Char(_)) { stored.trim_end_matches(' ') } else { stored };
    let value = decode_typed(stored, column, kind)?;
    match &column.blank {
        Some(blank) if *blank == value => Ok(Value::Null),
        _ => Ok(value),
    }
}

fn decode_typed(s: &str, column: &Column, kind: &Kind) -> Result<Value, Reason> {
    match &column.ty {
        Type::Null => Err("stands in a column of no type".into()),
        Type::Text { max } => match max {
            Some(max) if s.len() > *max as usize && s.chars().count() > *max as usize => {
                Err(format!("is longer than {max} characters").into())
            }
            _ => Ok(Value::Text(Text::new(s))),
        },
        Type::Json => Ok(Value::Text(Text::new(s))),
        Type::Integer => integer(s).map(Value::Integer).ok_or_else(|| "is no whole number of 64 bits".into()),
        Type::Decimal { limits } => {
            let d = match kind {
                Kind::Float4 | Kind::Float8 => s.parse().ok().and_then(Dec::from_f64_shortest),
                _ => Dec::parse(s),
            };
            let Some(d) = d else { return Err("is no decimal".into()) };
            stored_decimal(d, *limits).map_err(Reason::from)
        }
        Type::Float => {
            s.parse().ok().and_then(Float::new).map(Value::Float).ok_or_else(|| "is no finite number".into())
        }
        Type::Boolean => match s {
            "true" | "t" | "1" => Ok(Value::Boolean(true)),
            "false" | "f" | "0" => Ok(Value::Boolean(false)),
            _ if s.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            _ if s.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
            _ => Err("is neither true nor false".into()),
        },
        Type::Date => match (parse_date(s), moment(s)) {
            (Some(d), _) => Ok(Value::Date(d)),
            (None, Some(at)) if at.time() == jiff::civil::Time::midnight() => Ok(Value::Date(at.date())),
            (None, Some(_)) => Err("is a date with a time of day".into()),
            (None, None) => Err("is no date".into()),
        },
        Type::DateTime { .. } => moment(s).map(Value::DateTime).ok_or_else(|| "is no date and time".into()),
        Type::Uuid => match Uuid::try_parse(s) {
            Ok(u) if s.len() == 36 => Ok(Value::Uuid(u)),
            _ => Err("is no uuid".into()),
        },
        Type::Choice(choice) if column.choice_by_name => match choice.by_name(s) {
            Some(m) => Ok(Value::Integer(m.value)),
            None => Err(format!("is no member of `{}`", column.name).into()),
        },
        Type::Choice(choice) => match integer(s) {
            Some(i) if choice.by_value(i).is_some() => Ok(Value::Integer(i)),
            // A blank need not be a member.
            Some(i) if column.blank == Some(Value::Integer(i)) => Ok(Value::Integer(i)),
            _ => Err(format!("is no member of `{}`", column.name).into()),
        },
        Type::Binary => match s.strip_prefix("\\x").and_then(unhex) {
            Some(bytes) if *kind == Kind::Bytea => Ok(Value::Binary(bytes.into())),
            _ => Err("is no bytes".into()),
        },
    }
}

fn integer(s: &str) -> Option<i64> {
    s.parse().ok().or_else(|| {
        let d = Dec::parse(s)?;
        d.fits_scale(0).then(|| d.to_i64()).flatten()
    })
}

/// A moment as columns and JSON show it: the session's zone is UTC.
fn moment(s: &str) -> Option<DateTime> {
    let bare = s.strip_suffix("+00:00").or_else(|| s.strip_suffix("+00")).unwrap_or(s);
    parse_datetime(bare)
}

fn unhex(s: &str) -> Option<Vec<u8>> {
    s.as_bytes().chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok()).collect()
}

/// The value as the server reads it; null becomes the column's blank. The error is the reason in words.
pub(super) fn encode<'a>(value: &'a Value, column: &'a Column, kind: &Kind) -> Result<Option<Cow<'a, str>>, String> {
    match (value, &column.blank) {
        (Value::Null, Some(blank)) => encode_value(blank, column, kind),
        _ => encode_value(value, column, kind),
    }
}

fn encode_value<'a>(value: &'a Value, column: &'a Column, kind: &Kind) -> Result<Option<Cow<'a, str>>, String> {
    let wrong = |what: &str| Err(format!("cannot stand in `{}`, which {what}", column.name));
    let own = |s: String| Ok(Some(Cow::Owned(s)));
    match value {
        Value::Null => Ok(None),
        Value::Boolean(b) => match kind {
            Kind::Boolean => Ok(Some(Cow::Borrowed(if *b { "true" } else { "false" }))),
            Kind::Int(_) | Kind::Numeric(_) => Ok(Some(Cow::Borrowed(if *b { "1" } else { "0" }))),
            k if k.is_text() => text(if *b { "true" } else { "false" }, column, kind),
            _ => wrong("holds no truth values"),
        },
        Value::Integer(i) => match &column.ty {
            Type::Choice(choice) if column.choice_by_name => match choice.by_value(*i) {
                Some(m) => text(&m.name, column, kind),
                None => Err(format!("{i} is no member of `{}`", column.name)),
            },
            _ => number(&Dec::from_i64(*i), column, kind).and_then(|n| match kind {
                k if k.is_text() && !matches!(column.ty, Type::Decimal { .. }) => {
                    wrong("is declared as text; make the column bigint")
                }
                _ => own(n),
            }),
        },
        Value::Decimal(d) => number(d, column, kind).and_then(own),
        Value::Float(f) => {
            let shortest = format!("{:e}", f.get());
            match kind {
                Kind::Float8 => own(shortest),
                Kind::Float4 if f64::from(f.get() as f32) == f.get() => own(shortest),
                Kind::Float4 if (f.get() as f32).to_string().parse() == Ok(f.get()) => own(shortest),
                Kind::Float4 => {
                    Err(format!("would not be stored exactly in `{}`; make the column float8", column.name))
                }
                Kind::Numeric(_) => match Dec::from_f64_shortest(f.get()) {
                    Some(d) => number(&d, column, kind).and_then(own),
                    None => wrong("cannot hold so large or small a number"),
                },
                _ => wrong("holds no floats"),
            }
        }
        Value::Text(t) => text(t, column, kind),
        Value::Date(d) => {
            if d.year() < 1 {
                return Err("is before the year 1".into());
            }
            match (kind, &column.ty) {
                (Kind::Date, _) => own(date_text(*d).into()),
                (Kind::Timestamp | Kind::Timestamptz, _) | (_, Type::DateTime { .. }) => {
                    at(d.at(0, 0, 0, 0), column, kind)
                }
                (k, _) if k.is_text() => own(date_text(*d).into()),
                _ => wrong("holds no dates"),
            }
        }
        Value::DateTime(d) => at(*d, column, kind),
        Value::Uuid(u) => match kind {
            Kind::Uuid => own(uuid_text(*u).into()),
            k if k.is_text() => own(uuid_text(*u).into()),
            _ => wrong("holds no uuids"),
        },
        Value::Binary(b) => match kind {
            Kind::Bytea => own(b.iter().fold(String::from("\\x"), |mut s, x| {
                let _ = std::fmt::Write::write_fmt(&mut s, format_args!("{x:02x}"));
                s
            })),
            _ => wrong("holds no bytes"),
        },
    }
}

fn at<'a>(d: DateTime, column: &Column, kind: &Kind) -> Result<Option<Cow<'a, str>>, String> {
    if d.year() < 1 {
        return Err("is before the year 1".into());
    }
    match kind {
        Kind::Timestamp | Kind::Timestamptz if d.subsec_nanosecond() % 1000 != 0 => {
            Err("has a fraction of a second finer than PostgreSQL keeps (six digits); cut it off in the map".into())
        }
        Kind::Timestamp => Ok(Some(Cow::Owned(datetime_text(d).into()))),
        Kind::Timestamptz => Ok(Some(Cow::Owned(format!("{}Z", datetime_text(d))))),
        Kind::Date if d.time() == jiff::civil::Time::midnight() => Ok(Some(Cow::Owned(date_text(d.date()).into()))),
        Kind::Date => Err(format!("has a time of day, and `{}` is a date", column.name)),
        k if k.is_text() => {
            let zone = match column.ty {
                Type::DateTime { kind: crate::value::DateTimeKind::Instant } => "Z",
                _ => "",
            };
            Ok(Some(Cow::Owned(format!("{}{zone}", datetime_text(d)))))
        }
        _ => Err(format!("cannot stand in `{}`, which holds no times", column.name)),
    }
}

fn number(d: &Dec, column: &Column, kind: &Kind) -> Result<String, String> {
    let whole = || d.fits_scale(0).then(|| d.to_i64()).flatten();
    match kind {
        Kind::Int(bytes) => {
            let bound = 1i128 << (u32::from(*bytes) * 8 - 1);
            match whole() {
                Some(i) if (-bound..bound).contains(&i128::from(i)) => Ok(i.to_string()),
                Some(_) => Err(format!("is too large for `{}`, a whole number of {bytes} bytes", column.name)),
                None => Err(format!("has digits that `{}`, a whole number, cannot hold", column.name)),
            }
        }
        Kind::Numeric(None) => Ok(d.to_string()),
        Kind::Numeric(Some((p, s))) if d.fits(*p, *s) => Ok(d.to_string()),
        Kind::Numeric(Some((p, s))) => Err(format!("does not fit `{}`, a numeric({p},{s})", column.name)),
        Kind::Float8 if Dec::from_f64_shortest(d.to_f64()).as_ref() == Some(d) => Ok(format!("{:e}", d.to_f64())),
        Kind::Float8 | Kind::Float4 => {
            Err(format!("would not be stored exactly in `{}`; make the column numeric", column.name))
        }
        k if k.is_text() => Ok(d.to_string()),
        Kind::Boolean => match whole() {
            Some(i @ (0 | 1)) => Ok((if i == 1 { "true" } else { "false" }).to_string()),
            _ => Err(format!("cannot stand in `{}`, a boolean", column.name)),
        },
        _ => Err(format!("cannot stand in `{}`, which holds no numbers", column.name)),
    }
}

fn text<'a>(t: &'a str, column: &Column, kind: &Kind) -> Result<Option<Cow<'a, str>>, String> {
    if t.contains('\0') {
        return Err("holds a character of code 0, which PostgreSQL cannot keep".into());
    }
    match kind {
        Kind::Text(Some(max)) | Kind::Char(Some(max))
            if t.len() > *max as usize && t.chars().count() > *max as usize =>
        {
            Err(format!("is longer than the {max} characters of `{}`", column.name))
        }
        Kind::Enum(labels) if !labels.iter().any(|l| l == t) => {
            Err(format!("is no value of `{}`'s enum type ({})", column.name, labels.join(", ")))
        }
        Kind::Uuid if Uuid::try_parse(t).is_err() => Err(format!("is no uuid, as `{}` needs", column.name)),
        Kind::Date if parse_date(t).is_none() => Err(format!("is no date, as `{}` needs", column.name)),
        Kind::Timestamp | Kind::Timestamptz => match parse_datetime(t) {
            Some(d) => at(d, column, kind),
            None => Err(format!("is no date and time, as `{}` needs", column.name)),
        },
        k if k.is_number() => match Dec::parse(t) {
            Some(d) => number(&d, column, kind).map(|n| Some(Cow::Owned(n))),
            None => Err(format!("is no number, as `{}` needs", column.name)),
        },
        Kind::Boolean | Kind::Bytea => Err(format!("is text, and `{}` is none", column.name)),
        _ => Ok(Some(Cow::Borrowed(t))),
    }
}

/// The stored value for a message, cut to 200 characters.
pub(super) fn readable(stored: Option<&str>, kind: &Kind) -> String {
    let Some(s) = stored else { return "null".into() };
    if kind.is_number() || *kind == Kind::Boolean {
        return s.to_string();
    }
    match s.char_indices().nth(200) {
        Some((i, _)) => format!("'{}…'", &s[..i]),
        None => format!("'{s}'"),
    }
}

/// An identifier in SQL.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal in SQL; `standard_conforming_strings` or not.
pub(super) fn text_literal(s: &str) -> String {
    let quoted = s.replace('\0', " ").replace('\'', "''");
    if quoted.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A literal in SQL.
pub(super) fn literal(v: Option<&str>) -> String {
    v.map_or_else(|| "NULL".into(), text_literal)
}

/// How equality of a column is brought about as its schema has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// By the column as it is.
    Plain,
    /// Exactly, though the column's own comparison is looser.
    Exactly,
    /// `lower(column COLLATE "C")`: ASCII letters only.
    LowerC,
    /// `lower(column)`, as an index has it.
    Lower,
    /// By its text: the type has no equality of its own.
    AsText,
}

impl Fold {
    /// Which one a column needs.
    pub fn of(column: &Column, kind: &Kind, deterministic: bool, lower_index: bool) -> Fold {
        match (column.collation, kind) {
            (_, k) if !k.compares() => Fold::AsText,
            (_, k) if !k.is_text() => Fold::Plain,
            (Collation::NoCase, Kind::Citext) => Fold::Plain,
            (Collation::NoCase, _) if !deterministic => Fold::Plain,
            (Collation::NoCase, _) if lower_index => Fold::Lower,
            (Collation::NoCase, _) => Fold::LowerC,
            (Collation::Exact, Kind::Citext) => Fold::Exactly,
            (Collation::Exact, _) if !deterministic => Fold::Exactly,
            (Collation::Exact, _) => Fold::Plain,
        }
    }
}
