//! Dates and times as text.

use super::{Date, DateTime};

/// Reads `2026-11-20`, nothing else.
pub fn parse_date(s: &str) -> Option<Date> {
    if s.len() != 10 {
        return None;
    }
    s.parse().ok()
}

/// Reads `2026-11-20T10:00:00`, with a blank for the `T`, with up to nine fractional digits, with an optional `Z`
/// (dropped: the column's type says whether it is UTC), or a bare date (midnight). An offset other than `Z` is refused.
pub fn parse_datetime(s: &str) -> Option<DateTime> {
    let s = s.strip_suffix('Z').unwrap_or(s);
    if s.len() == 10 {
        return Some(parse_date(s)?.at(0, 0, 0, 0));
    }
    if s.len() < 16 || s[10..].contains(['+', '-']) {
        return None;
    }
    s.parse().ok()
}

/// The one text form: `2026-11-20T10:00:00`, with fractional digits only where there are any.
pub fn write_datetime(d: DateTime) -> String {
    d.to_string()
}
