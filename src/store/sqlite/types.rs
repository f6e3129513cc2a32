//! The boundary: what SQLite stores, and what the house calls a value. Nothing is cast here: what does not fit is told.

use crate::schema::Column;
use crate::value::{
    Collation, Date, DateTime, DateTimeKind, Dec, Float, Text, Type, Uuid, Value, date_text, datetime_text, parse_date,
    parse_datetime, stored_decimal, uuid_text,
};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use std::borrow::Cow;

/// What SQLite does with a value on its way into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    /// Numbers become text.
    Text,
    /// Text that reads as a number becomes one.
    Numeric,
    /// As numeric.
    Integer,
    /// As numeric, and whole numbers become reals.
    Real,
    /// Declared as a blob: nothing changes.
    Blob,
    /// Declared as nothing: nothing changes.
    None,
}

impl Affinity {
    /// SQLite's rule for the declared type.
    pub fn of(declared: &str) -> Affinity {
        let d = declared.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|w| d.contains(w));
        if has(&["INT"]) {
            Affinity::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Affinity::Text
        } else if has(&["BLOB"]) {
            Affinity::Blob
        } else if d.trim().is_empty() {
            Affinity::None
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Affinity::Real
        } else {
            Affinity::Numeric
        }
    }
    fn turns_text_into_numbers(self) -> bool {
        matches!(self, Affinity::Numeric | Affinity::Integer | Affinity::Real)
    }
}

/// A value as it is bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bound<'a> {
    Null,
    Int(i64),
    Real(f64),
    Str(&'a str),
    Text(Text),
    Bytes(&'a [u8]),
    Uuid([u8; 16]),
}

impl<'a> Bound<'a> {
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Bound::Null => ValueRef::Null,
            Bound::Int(i) => ValueRef::Integer(*i),
            Bound::Real(f) => ValueRef::Real(*f),
            Bound::Str(s) => ValueRef::Text(s.as_bytes()),
            Bound::Text(t) => ValueRef::Text(t.as_bytes()),
            Bound::Bytes(b) => ValueRef::Blob(b),
            Bound::Uuid(b) => ValueRef::Blob(b),
        }
    }
}

impl ToSql for Bound<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.as_ref()))
    }
}

/// Why a value does not fit, in words that follow "the value": "is no date".
pub(super) type Reason = Cow<'static, str>;

/// What is stored, as a value of the column's type; a stored blank is null.
#[inline]
pub(super) fn decode(stored: ValueRef<'_>, column: &Column) -> Result<Value, Reason> {
    let value = match stored {
        ValueRef::Null => return Ok(Value::Null),
        stored => decode_typed(stored, column)?,
    };
    match &column.blank {
        Some(blank) if *blank == value => Ok(Value::Null),
        _ => Ok(value),
    }
}

fn decode_typed(stored: ValueRef<'_>, column: &Column) -> Result<Value, Reason> {
    match (&column.ty, stored) {
        (Type::Text { max }, ValueRef::Text(bytes)) => {
            let s = utf8(bytes)?;
            match max {
                Some(max) if s.len() > *max as usize && s.chars().count() > *max as usize => {
                    Err(format!("is longer than {max} characters").into())
                }
                _ => Ok(Value::Text(Text::new(s))),
            }
        }
        (Type::Json, ValueRef::Text(bytes)) => Ok(Value::Text(Text::new(utf8(bytes)?))),
        (Type::Integer, ValueRef::Integer(i)) => Ok(Value::Integer(i)),
        (Type::Integer, ValueRef::Real(f)) => match whole(f) {
            Some(i) => Ok(Value::Integer(i)),
            None => Err("is no whole number".into()),
        },
        (Type::Decimal { limits }, stored) => {
            let d = match stored {
                ValueRef::Text(bytes) => Dec::parse_bytes(bytes),
                ValueRef::Integer(i) => Some(Dec::from_i64(i)),
                ValueRef::Real(f) => Dec::from_f64_shortest(f),
                _ => None,
            };
            let Some(d) = d else {
                return Err("is no decimal".into());
            };
            stored_decimal(d, *limits).map_err(Reason::from)
        }
        (Type::Float, ValueRef::Real(f)) => Float::new(f).map(Value::Float).ok_or_else(|| "is no finite number".into()),
        (Type::Float, ValueRef::Integer(i)) => match exact_real(i) {
            Some(f) => Float::new(f).map(Value::Float).ok_or_else(|| "is no finite number".into()),
            None => Err("is a whole number that a float cannot hold".into()),
        },
        (Type::Boolean, ValueRef::Integer(i @ (0 | 1))) => Ok(Value::Boolean(i == 1)),
        (Type::Boolean, ValueRef::Text(t)) if t.eq_ignore_ascii_case(b"true") => Ok(Value::Boolean(true)),
        (Type::Boolean, ValueRef::Text(t)) if t.eq_ignore_ascii_case(b"false") => Ok(Value::Boolean(false)),
        (Type::Date, ValueRef::Text(t)) => {
            let s = utf8(t)?;
            if let Some(d) = parse_date(s) {
                return Ok(Value::Date(d));
            }
            match parse_datetime(s) {
                Some(at) if at.time() == jiff::civil::Time::midnight() => Ok(Value::Date(at.date())),
                Some(_) => Err("is a date with a time of day".into()),
                None => Err("is no date".into()),
            }
        }
        (Type::DateTime { .. }, ValueRef::Text(t)) => {
            parse_datetime(utf8(t)?).map(Value::DateTime).ok_or_else(|| "is no date and time".into())
        }
        (Type::Uuid, ValueRef::Text(t)) => uuid_of(t).map(Value::Uuid).ok_or_else(|| "is no uuid".into()),
        (Type::Uuid, ValueRef::Blob(b)) => Uuid::from_slice(b).map(Value::Uuid).map_err(|_| "is no uuid".into()),
        (Type::Choice(choice), ValueRef::Text(t)) if column.choice_by_name => {
            let name = utf8(t)?;
            match choice.by_name(name) {
                Some(m) => Ok(Value::Integer(m.value)),
                None => Err(format!("is no member of `{}`", column.name).into()),
            }
        }
        (Type::Choice(choice), ValueRef::Integer(i)) if !column.choice_by_name => match choice.by_value(i) {
            Some(_) => Ok(Value::Integer(i)),
            // A blank need not be a member.
            None if column.blank == Some(Value::Integer(i)) => Ok(Value::Integer(i)),
            None => Err(format!("is no member of `{}`", column.name).into()),
        },
        (Type::Binary, ValueRef::Blob(b)) => Ok(Value::Binary(b.into())),
        (Type::Null, _) => Err("stands in a column of no type".into()),
        (ty, _) => Err(format!("is stored as {}, not as {ty}", kind(stored)).into()),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| "is no valid UTF-8".into())
}

/// The usual form with hyphens, in either case.
fn uuid_of(t: &[u8]) -> Option<Uuid> {
    if t.len() == 36 { Uuid::try_parse_ascii(t).ok() } else { None }
}

fn whole(f: f64) -> Option<i64> {
    // Beyond 2^53 a real does not say which whole number it is.
    (f.fract() == 0.0 && f.abs() <= 9_007_199_254_740_992.0).then_some(f as i64)
}

fn exact_real(i: i64) -> Option<f64> {
    (i.unsigned_abs() <= 1 << 53).then_some(i as f64)
}

fn kind(v: ValueRef<'_>) -> &'static str {
    match v {
        ValueRef::Null => "null",
        ValueRef::Integer(_) => "a whole number",
        ValueRef::Real(_) => "a real number",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "bytes",
    }
}

/// The value as it is stored; null becomes the column's blank. The error is the reason in words.
#[inline]
pub(super) fn encode<'a>(value: &'a Value, column: &'a Column, affinity: Affinity) -> Result<Bound<'a>, String> {
    match (value, &column.blank) {
        (Value::Null, Some(blank)) => encode_value(blank, column, affinity),
        _ => encode_value(value, column, affinity),
    }
}

fn encode_value<'a>(value: &'a Value, column: &'a Column, affinity: Affinity) -> Result<Bound<'a>, String> {
    Ok(match value {
        Value::Null => Bound::Null,
        Value::Boolean(b) => {
            if affinity == Affinity::Text {
                Bound::Str(if *b { "true" } else { "false" })
            } else {
                Bound::Int(i64::from(*b))
            }
        }
        Value::Integer(i) => match &column.ty {
            Type::Choice(choice) if column.choice_by_name => match choice.by_value(*i) {
                Some(m) => Bound::Str(&m.name),
                None => return Err(format!("{i} is no member of `{}`", column.name)),
            },
            Type::Decimal { .. } => return decimal(&Dec::from_i64(*i), column, affinity),
            _ if affinity == Affinity::Text => {
                return Err(format!("`{}` is declared as text; make the column INTEGER", column.name));
            }
            _ if affinity == Affinity::Real && exact_real(*i).is_none() => {
                return Err(format!("would not be stored exactly in `{}`; make the column INTEGER", column.name));
            }
            _ => Bound::Int(*i),
        },
        Value::Decimal(d) => return decimal(d, column, affinity),
        Value::Float(f) => {
            if affinity == Affinity::Text {
                return Err(format!("`{}` is declared as text; make the column REAL", column.name));
            }
            Bound::Real(f.get())
        }
        Value::Text(t) => {
            if affinity.turns_text_into_numbers() && reads_as_number(t) {
                return Err(format!("would be stored as a number in `{}`; make the column TEXT", column.name));
            }
            Bound::Str(t)
        }
        Value::Date(d) => Bound::Text(date(*d, column)),
        Value::DateTime(d) => Bound::Text(datetime(*d, column)),
        Value::Uuid(u) => {
            if affinity == Affinity::Blob {
                Bound::Uuid(*u.as_bytes())
            } else {
                Bound::Text(uuid_text(*u))
            }
        }
        Value::Binary(b) => Bound::Bytes(b),
    })
}

fn date(d: Date, column: &Column) -> Text {
    match column.ty {
        Type::DateTime { .. } => datetime(d.at(0, 0, 0, 0), column),
        _ => date_text(d),
    }
}

fn datetime(d: DateTime, column: &Column) -> Text {
    let mut t = datetime_text(d);
    if matches!(column.ty, Type::DateTime { kind: DateTimeKind::Instant }) {
        t.push('Z');
    }
    t
}

fn decimal<'a>(d: &Dec, column: &Column, affinity: Affinity) -> Result<Bound<'a>, String> {
    if !affinity.turns_text_into_numbers() {
        return Ok(Bound::Text(compact_str::format_compact!("{d}")));
    }
    // At most 15 significant digits survive the way through a real and back.
    if let Some((m, scale)) = d.to_parts()
        && scale > 0
        && scale <= 22
        && m.unsigned_abs() < 1_000_000_000_000_000
    {
        return Ok(Bound::Real(d.to_f64()));
    }
    if let Some(i) = d.to_i64()
        && (affinity != Affinity::Real || exact_real(i).is_some())
    {
        return Ok(Bound::Int(i));
    }
    let f = d.to_f64();
    if Dec::from_f64_shortest(f).as_ref() == Some(d) {
        return Ok(Bound::Real(f));
    }
    Err(format!("would not be stored exactly in `{}`; make the column TEXT", column.name))
}

fn reads_as_number(t: &str) -> bool {
    let t = t.trim_matches(|c: char| c.is_ascii_whitespace());
    t.bytes().any(|b| b.is_ascii_digit()) && t.parse::<f64>().is_ok()
}

/// How often a key value of this column is bound in an equality: the forms in which one value may stand stored.
pub(super) fn form_count(column: &Column, affinity: Affinity) -> usize {
    match column.ty {
        Type::Uuid if affinity != Affinity::Blob => 2,
        Type::Date => 5,
        Type::DateTime { .. } => 8,
        _ => 1,
    }
}

/// The other forms in which the value that is written as `canonical` may stand stored, [`form_count`] less one.
pub(super) fn other_forms(canonical: &str, column: &Column) -> Vec<Text> {
    match column.ty {
        Type::Uuid => vec![Text::from(canonical.to_ascii_uppercase())],
        Type::Date => ["T00:00:00", " 00:00:00", "T00:00:00Z", " 00:00:00.000"]
            .iter()
            .map(|t| Text::from(format!("{canonical}{t}")))
            .collect(),
        Type::DateTime { .. } => {
            let bare = canonical.trim_end_matches('Z');
            let (day, time) = bare.split_once('T').unwrap_or((bare, "00:00:00"));
            let millis = match time.split_once('.') {
                None => format!("{time}.000"),
                Some((s, f)) => format!("{s}.{f:0<3}"),
            };
            let mut all = Vec::with_capacity(8);
            for t in [time, millis.as_str()] {
                for mark in ['T', ' '] {
                    for zone in ["", "Z"] {
                        all.push(Text::from(format!("{day}{mark}{t}{zone}")));
                    }
                }
            }
            if let Some(i) = all.iter().position(|f| f == canonical) {
                all.remove(i);
            }
            all.truncate(7);
            all
        }
        _ => vec![],
    }
}

/// Whether a stored key value stands in a form in which an equality finds it again.
pub(super) fn is_findable(stored: ValueRef<'_>, value: &Value, column: &Column, affinity: Affinity) -> bool {
    let ValueRef::Text(stored) = stored else {
        return true;
    };
    if form_count(column, affinity) == 1 || value.is_null() {
        return true;
    }
    match encode_value(value, column, affinity) {
        Ok(Bound::Text(t)) => t.as_bytes() == stored || other_forms(&t, column).iter().any(|f| f.as_bytes() == stored),
        _ => true,
    }
}

/// The stored value for a message, cut to 200 characters.
pub(super) fn readable(v: ValueRef<'_>) -> String {
    match v {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(i) => i.to_string(),
        ValueRef::Real(f) => f.to_string(),
        ValueRef::Text(t) => {
            let s = String::from_utf8_lossy(t);
            match s.char_indices().nth(200) {
                Some((i, _)) => format!("'{}…'", &s[..i]),
                None => format!("'{s}'"),
            }
        }
        ValueRef::Blob(b) => {
            let hex: String = b.iter().take(32).map(|x| format!("{x:02x}")).collect();
            format!("0x{hex}{}", if b.len() > 32 { "…" } else { "" })
        }
    }
}

/// An identifier in SQL.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal in SQL.
pub(super) fn text_literal(s: &str) -> String {
    if s.contains('\0') {
        let hex: String = s.bytes().map(|x| format!("{x:02X}")).collect();
        return format!("CAST(X'{hex}' AS TEXT)");
    }
    format!("'{}'", s.replace('\'', "''"))
}

/// A literal in SQL.
pub(super) fn literal(v: ValueRef<'_>) -> String {
    match v {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(i) => i.to_string(),
        ValueRef::Real(f) => format!("{f:e}"),
        ValueRef::Text(t) => text_literal(&String::from_utf8_lossy(t)),
        ValueRef::Blob(b) => format!("X'{}'", b.iter().map(|x| format!("{x:02X}")).collect::<String>()),
    }
}

/// The collation SQLite must compare a column by.
pub(super) fn collation_word(c: Collation) -> &'static str {
    match c {
        Collation::Exact => "BINARY",
        Collation::NoCase => "NOCASE",
    }
}
