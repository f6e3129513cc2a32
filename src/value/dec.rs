//! Exact decimals.

use bigdecimal::BigDecimal;
use std::str::FromStr;

/// An exact decimal of at most [`Dec::MAX_DIGITS`] digits. Scale is kept ("1.10" prints as written); equality, order
/// and hash are by value.
#[derive(Clone, Debug)]
pub struct Dec(BigDecimal);

impl Dec {
    /// The most digits a value may have; arithmetic that needs more is an error, never a silent rounding.
    pub const MAX_DIGITS: u64 = 76;

    /// Parses `[-]digits[.digits]`; no exponent, no blanks, no `+`.
    pub fn parse(s: &str) -> Option<Dec> {
        let body = s.strip_prefix('-').unwrap_or(s);
        let (int, frac) = body.split_once('.').map_or((body, None), |(i, f)| (i, Some(f)));
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(int) || frac.is_some_and(|f| !digits(f)) || s.len() > 80 {
            return None;
        }
        BigDecimal::from_str(s).ok().map(Dec)
    }
    /// A whole number.
    pub fn from_i64(i: i64) -> Dec {
        Dec(BigDecimal::from(i))
    }
}

impl PartialEq for Dec {
    fn eq(&self, other: &Dec) -> bool {
        self.0 == other.0
    }
}
impl Eq for Dec {}
impl PartialOrd for Dec {
    fn partial_cmp(&self, other: &Dec) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Dec {
    fn cmp(&self, other: &Dec) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl std::hash::Hash for Dec {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.normalized().to_plain_string().hash(state);
    }
}
impl std::fmt::Display for Dec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}
