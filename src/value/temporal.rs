//! Dates and times as text: one grammar, read without allocation, and one form to write.

use super::{Date, DateTime, Text};

/// Reads `2026-11-20`, nothing else.
pub fn parse_date(s: &str) -> Option<Date> {
    date(s.as_bytes())
}

/// Reads `2026-11-20T10:00:00`, with a blank for the `T`, with up to nine fractional digits, with an optional `Z`
/// (dropped: the column's type says whether it is UTC), without the seconds, or a bare date (midnight). `t` and `z` may
/// be small. An offset other than `Z` is refused, as are the leap second and hour 24: both would change the value.
pub fn parse_datetime(s: &str) -> Option<DateTime> {
    let s = s.as_bytes();
    let s = match s {
        [rest @ .., b'Z' | b'z'] => rest,
        _ => s,
    };
    let day = date(s.get(..10)?)?;
    let (hour, minute, rest) = match &s[10..] {
        [] => return Some(day.at(0, 0, 0, 0)),
        [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] => (two(*h1, *h2)?, two(*m1, *m2)?, rest),
        _ => return None,
    };
    let (second, fraction) = match rest {
        [] => (0, &[][..]),
        [b':', s1, s2] => (two(*s1, *s2)?, &[][..]),
        [b':', s1, s2, b'.', fraction @ ..] if (1..=9).contains(&fraction.len()) => (two(*s1, *s2)?, fraction),
        _ => return None,
    };
    let mut nanos = 0i32;
    for i in 0..9 {
        nanos = nanos * 10 + i32::from(fraction.get(i).map_or(Some(0), |b| digit(*b))?);
    }
    DateTime::new(day.year(), day.month(), day.day(), hour, minute, second, nanos).ok()
}

/// The one text form: `2026-11-20T10:00:00`, with fractional digits only where there are any.
pub fn write_datetime(d: DateTime) -> String {
    datetime_text(d).into()
}

/// `2026-11-20`; never allocates.
pub fn date_text(d: Date) -> Text {
    let mut out = Line::default();
    out.date(d);
    out.text()
}

/// [`write_datetime`] as a text of a value; without a fraction it never allocates.
pub fn datetime_text(d: DateTime) -> Text {
    let mut out = Line::default();
    out.date(d.date());
    for (mark, part) in [(b'T', d.hour()), (b':', d.minute()), (b':', d.second())] {
        out.push(mark);
        out.digits(part.into(), 2);
    }
    let mut nanos = d.subsec_nanosecond();
    if nanos != 0 {
        let mut width = 9;
        while nanos % 10 == 0 {
            nanos /= 10;
            width -= 1;
        }
        out.push(b'.');
        out.digits(nanos, width);
    }
    out.text()
}

/// A text in the making; the longest, `-009999-12-31T23:59:59.999999999`, has 32 bytes.
#[derive(Default)]
struct Line {
    bytes: [u8; 32],
    len: usize,
}

impl Line {
    fn push(&mut self, b: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = b;
            self.len += 1;
        }
    }
    fn digits(&mut self, mut n: i32, width: usize) {
        let end = (self.len + width).min(self.bytes.len());
        for slot in self.bytes[self.len..end].iter_mut().rev() {
            *slot = b'0' + (n % 10) as u8;
            n /= 10;
        }
        self.len = end;
    }
    fn date(&mut self, d: Date) {
        if d.year() < 0 {
            // Before the year 0: six digits and a sign, as ISO 8601 has it.
            self.push(b'-');
            self.digits(i32::from(d.year()).abs(), 6);
        } else {
            self.digits(d.year().into(), 4);
        }
        self.push(b'-');
        self.digits(d.month().into(), 2);
        self.push(b'-');
        self.digits(d.day().into(), 2);
    }
    fn text(&self) -> Text {
        // Only ASCII was pushed.
        std::str::from_utf8(&self.bytes[..self.len]).map(Text::new).unwrap_or_default()
    }
}

fn digit(b: u8) -> Option<i8> {
    b.is_ascii_digit().then(|| (b - b'0') as i8)
}

fn two(a: u8, b: u8) -> Option<i8> {
    Some(digit(a)? * 10 + digit(b)?)
}

fn date(s: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *s else {
        return None;
    };
    let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
    Date::new(year, two(m1, m2)?, two(d1, d2)?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_dates() {
        assert_eq!(parse_date("2026-11-20").unwrap().to_string(), "2026-11-20");
        for s in ["", "2026-02-30", "2026-1-02", "20261120", "2026-11-20 ", "2026/11/20", "-026-11-20", "2026-11-2é"] {
            assert!(parse_date(s).is_none(), "{s}");
        }
    }

    #[test]
    fn reads_datetimes() {
        for (s, expected) in [
            ("2026-11-20", "2026-11-20T00:00:00"),
            ("2026-11-20T10:00", "2026-11-20T10:00:00"),
            ("2026-11-20 10:00:59Z", "2026-11-20T10:00:59"),
            ("2026-11-20t10:00:59z", "2026-11-20T10:00:59"),
            ("2026-11-20T10:00:00.1234567Z", "2026-11-20T10:00:00.1234567"),
            ("2026-11-20T10:00:00.000", "2026-11-20T10:00:00"),
            ("2026-11-20T10:00:00.000000001", "2026-11-20T10:00:00.000000001"),
        ] {
            assert_eq!(write_datetime(parse_datetime(s).unwrap()), expected, "{s}");
        }
        for s in [
            "",
            "Z",
            "2026-11-20T",
            "2026-11-20T10",
            "2026-11-20T10:00:60",
            "2026-11-20T24:00:00",
            "2026-11-20T10:00:00+01:00",
            "2026-11-20T10:00:00-00:00",
            "2026-11-20T10:00:00.",
            "2026-11-20T10:00:00.1234567890",
            "2026-11-20T10:00:00[UTC]",
            "2026-11-20é10:00:00",
            "2026-11-2é",
        ] {
            assert!(parse_datetime(s).is_none(), "{s}");
        }
    }

    proptest! {
        #[test]
        fn writes_as_the_library_does_and_reads_back(
            y in -9999i16..=9999, m in 1i8..=12, d in 1i8..=28, h in 0i8..24, min in 0i8..60, s in 0i8..60,
            nanos in prop_oneof![Just(0), 0..1_000_000_000i32, (0..1000i32).prop_map(|n| n * 1_000_000)],
        ) {
            let at = DateTime::new(y, m, d, h, min, s, nanos).unwrap();
            prop_assert_eq!(write_datetime(at), at.to_string());
            if y < 0 {
                return Ok(());
            }
            prop_assert_eq!(parse_datetime(&write_datetime(at)), Some(at));
            prop_assert_eq!(date_text(at.date()).to_string(), at.date().to_string());
            prop_assert_eq!(parse_date(&date_text(at.date())), Some(at.date()));
        }

        #[test]
        fn never_panics(s in "\\PC{0,30}") {
            let _ = (parse_date(&s), parse_datetime(&s));
        }
    }
}
