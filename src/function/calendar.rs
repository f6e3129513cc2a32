//! What the functions of days and times share: days out of values, time zones, date formats.

use super::{Arg, Context, Reason};
use crate::value::{Date, DateTime, Type, Value, kind};
use jiff::tz::TimeZone;

/// The day of a date or datetime.
pub(super) fn day_of(v: &Value) -> Result<Date, Reason> {
    match v {
        Value::Date(d) => Ok(*d),
        Value::DateTime(d) => Ok(d.date()),
        other => Err(format!("a date is expected, not {}", kind(other))),
    }
}

/// A datetime argument.
pub(super) fn datetime_of(v: &Value) -> Result<DateTime, Reason> {
    match v {
        Value::DateTime(d) => Ok(*d),
        Value::Date(d) => Ok(d.at(0, 0, 0, 0)),
        other => Err(format!("a datetime is expected, not {}", kind(other))),
    }
}

/// The time zone of that name, else the project's.
pub(super) fn zone(context: &Context, v: Option<&Value>) -> Result<TimeZone, Reason> {
    match v {
        Some(Value::Text(name)) if !name.is_empty() => find_zone(name),
        _ => Ok(context.time_zone.clone()),
    }
}

pub(super) fn find_zone(name: &str) -> Result<TimeZone, Reason> {
    TimeZone::get(name).map_err(|_| format!("there is no time zone {}", super::support::shown(name)))
}

/// Refuses an unknown zone already when the call is typed.
pub(super) fn check_zone(arg: Option<&Arg>) -> Result<(), Reason> {
    match arg.and_then(|a| a.literal.as_ref()) {
        Some(Value::Text(name)) if !name.is_empty() => find_zone(name).map(drop),
        _ => Ok(()),
    }
}

/// The wall clock of a zone at a point in time kept in UTC.
pub(super) fn to_local(utc: DateTime, zone: &TimeZone) -> Result<DateTime, Reason> {
    let timestamp = TimeZone::UTC.to_timestamp(utc).map_err(|_| out_of_range())?;
    Ok(zone.to_datetime(timestamp))
}

/// The point in time, in UTC, at which a zone's wall clock shows this.
pub(super) fn to_utc(local: DateTime, zone: &TimeZone) -> Result<DateTime, Reason> {
    let timestamp = zone.to_timestamp(local).map_err(|_| out_of_range())?;
    Ok(TimeZone::UTC.to_datetime(timestamp))
}

pub(super) fn out_of_range() -> Reason {
    "the result lies outside the years -9999 to 9999".into()
}

/// The inverse of `local` and `utc` in each other: only where the zone never changes its clocks.
pub(super) fn fixed_zone_inverse(args: &[Arg], other: &'static str) -> Option<(&'static str, Vec<Value>)> {
    let name = args.get(1)?.literal.clone()?;
    let Value::Text(text) = &name else { return None };
    find_zone(text).ok()?.to_fixed_offset().ok()?;
    Some((other, vec![name]))
}

/// A month away from a day or datetime; the last day of a shorter month stands for a day it does not have.
pub(super) fn shift(v: &Value, span: jiff::Span) -> Result<Value, Reason> {
    match v {
        Value::Date(d) => d.checked_add(span).map(Value::Date),
        Value::DateTime(d) => d.checked_add(span).map(Value::DateTime),
        other => return Err(format!("a date is expected, not {}", kind(other))),
    }
    .map_err(|_| out_of_range())
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A piece of a date format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// `%Y`, four digits.
    Year,
    /// `%y`, two digits.
    ShortYear,
    /// `%m`
    Month,
    /// `%b`, `%B`: English, three letters or in full.
    MonthName {
        full: bool,
    },
    /// `%d`
    Day,
    /// `%H`
    Hour,
    /// `%M`
    Minute,
    /// `%S`
    Second,
}

/// Reads a format: `%Y %y %m %b %B %d %H %M %S %%` and plain text.
pub(super) fn pieces(format: &str) -> Result<Vec<Piece<'_>>, Reason> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let mut chars = rest[at + 1..].chars();
        pieces.push(match chars.next() {
            Some('Y') => Piece::Year,
            Some('y') => Piece::ShortYear,
            Some('m') => Piece::Month,
            Some('b') => Piece::MonthName { full: false },
            Some('B') => Piece::MonthName { full: true },
            Some('d') => Piece::Day,
            Some('H') => Piece::Hour,
            Some('M') => Piece::Minute,
            Some('S') => Piece::Second,
            Some('%') => Piece::Text("%"),
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!("`%{other}` is no part of a format; there are %Y %y %m %b %B %d %H %M %S %%"));
            }
        });
        rest = chars.as_str();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Whether a format says a day in full and nothing more, so that it can be read back exactly.
pub(super) fn says_a_day(pieces: &[Piece]) -> bool {
    let has = |test: fn(&Piece) -> bool| pieces.iter().any(test);
    has(|p| *p == Piece::Year)
        && has(|p| matches!(p, Piece::Month | Piece::MonthName { .. }))
        && has(|p| *p == Piece::Day)
        && !has(|p| matches!(p, Piece::ShortYear | Piece::Hour | Piece::Minute | Piece::Second))
}

/// The most characters a format makes.
pub(super) fn format_len(pieces: &[Piece]) -> u32 {
    let len = |p: &Piece| match p {
        Piece::Text(t) => t.chars().count() as u32,
        Piece::Year => 4,
        Piece::MonthName { full: true } => 9,
        Piece::MonthName { full: false } => 3,
        _ => 2,
    };
    pieces.iter().map(len).sum()
}

pub(super) fn format(at: DateTime, pieces: &[Piece]) -> Result<String, Reason> {
    use std::fmt::Write;
    if at.year() < 0 {
        return Err("years before 0 cannot be formatted".into());
    }
    let mut out = String::new();
    for piece in pieces {
        // Writing to a String does not fail.
        let _ = match piece {
            Piece::Text(t) => out.write_str(t),
            Piece::Year => write!(out, "{:04}", at.year()),
            Piece::ShortYear => write!(out, "{:02}", at.year() % 100),
            Piece::Month => write!(out, "{:02}", at.month()),
            Piece::MonthName { full } => {
                let name = MONTHS[at.month() as usize - 1];
                out.write_str(if *full { name } else { &name[..3] })
            }
            Piece::Day => write!(out, "{:02}", at.day()),
            Piece::Hour => write!(out, "{:02}", at.hour()),
            Piece::Minute => write!(out, "{:02}", at.minute()),
            Piece::Second => write!(out, "{:02}", at.second()),
        };
    }
    Ok(out)
}

/// Reads a day back, exactly as [`format()`] writes it.
pub(super) fn parse(text: &str, pieces: &[Piece]) -> Option<Date> {
    let (mut year, mut month, mut day) = (None, None, None);
    let mut rest = text;
    for piece in pieces {
        let (slot, value, after) = match piece {
            Piece::Text(t) => {
                rest = rest.strip_prefix(t)?;
                continue;
            }
            Piece::Year => digits(rest, 4).map(|(n, after)| (&mut year, n, after))?,
            Piece::Month => digits(rest, 2).map(|(n, after)| (&mut month, n, after))?,
            Piece::Day => digits(rest, 2).map(|(n, after)| (&mut day, n, after))?,
            Piece::MonthName { full } => {
                let name = |m: &'static str| if *full { m } else { &m[..3] };
                let at = MONTHS.iter().position(|m| rest.starts_with(name(m)))?;
                (&mut month, at as i16 + 1, &rest[name(MONTHS[at]).len()..])
            }
            _ => return None,
        };
        if slot.is_some_and(|said| said != value) {
            return None;
        }
        *slot = Some(value);
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    Date::new(year?, month?.try_into().ok()?, day?.try_into().ok()?).ok()
}

fn digits(s: &str, n: usize) -> Option<(i16, &str)> {
    let head = s.get(..n)?;
    if !head.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((head.parse().ok()?, &s[n..]))
}

/// The pieces of the format argument.
pub(super) fn format_arg(arg: &Arg) -> Result<Vec<Piece<'_>>, Reason> {
    match &arg.literal {
        Some(Value::Text(t)) => pieces(t),
        _ => Err("the format must be a text in quotes".into()),
    }
}

/// What a function of days gives: the same type as its first argument, or a date.
pub(super) fn same_or_date(ty: &Type) -> Type {
    if *ty == Type::Null { Type::Date } else { ty.clone() }
}
