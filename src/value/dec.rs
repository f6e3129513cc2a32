//! Exact decimals. What fits an `i128` (38 digits) never allocates; what does not falls back to a big integer.

use bigdecimal::num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// An exact decimal of at most [`Dec::MAX_DIGITS`] digits, of which any number may stand after the point. Scale is kept
/// ("1.10" prints as written); equality, order and hash are by value.
#[derive(Clone)]
pub struct Dec(Repr);

/// `mantissa / 10^scale`. Both forms may hold the same value; nothing relies on which one does.
#[derive(Clone)]
enum Repr {
    /// The halves of an `i128`, so that the alignment stays 8 and [`Dec`] 24 bytes.
    Small {
        hi: i64,
        lo: u64,
        scale: u8,
    },
    Big(Box<Big>),
}

#[derive(Clone)]
struct Big {
    mantissa: BigInt,
    scale: u8,
}

/// How [`Dec::round`] and [`Dec::checked_div`] round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, a half away from zero: 2.5 → 3, -2.5 → -3.
    #[default]
    HalfUp,
    /// To the nearest, a half to the even neighbour: 2.5 → 2.
    HalfEven,
    /// Towards zero.
    Down,
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceil,
}

const POW10: [u128; 39] = {
    let mut table = [1u128; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

impl Dec {
    /// The most digits a value may have; arithmetic that needs more is an error, never a silent rounding.
    pub const MAX_DIGITS: u64 = 76;
    const MAX: u32 = 76;
    /// Zero.
    pub const ZERO: Dec = Dec(Repr::Small { hi: 0, lo: 0, scale: 0 });

    /// Parses `[-]digits[.digits]`; no exponent, no blanks, no `+`.
    pub fn parse(s: &str) -> Option<Dec> {
        Dec::parse_bytes(s.as_bytes())
    }

    /// [`Dec::parse`] of ASCII bytes, as stores hand them over.
    pub fn parse_bytes(s: &[u8]) -> Option<Dec> {
        let (negative, body) = match s {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, s),
        };
        // Up to 18 digits in a u64: nearly everything.
        if body.len() <= 19 {
            let mut mantissa = 0u64;
            let mut point = None;
            for (i, &b) in body.iter().enumerate() {
                let digit = b.wrapping_sub(b'0');
                if digit < 10 {
                    mantissa = mantissa.checked_mul(10)?.checked_add(u64::from(digit))?;
                } else if b == b'.' && point.is_none() && i > 0 {
                    point = Some(i);
                } else {
                    return None;
                }
            }
            let scale = match point {
                None if body.is_empty() => return None,
                None => 0,
                Some(p) if p + 1 == body.len() => return None,
                Some(p) => body.len() - p - 1,
            };
            let m = i128::from(mantissa);
            return Some(small(if negative { -m } else { m }, scale as u8));
        }
        parse_long(negative, body)
    }

    /// A whole number.
    pub fn from_i64(i: i64) -> Dec {
        small(i128::from(i), 0)
    }

    /// `mantissa / 10^scale`; none where that has more than 76 digits after the point.
    pub fn from_parts(mantissa: i128, scale: u8) -> Option<Dec> {
        (u32::from(scale) <= Dec::MAX).then(|| small(mantissa, scale))
    }

    /// Mantissa and scale, where the mantissa fits: 12.50 is (1250, 2).
    pub fn to_parts(&self) -> Option<(i128, u8)> {
        match &self.0 {
            Repr::Small { hi, lo, scale } => Some((join(*hi, *lo), *scale)),
            Repr::Big(b) => i128::try_from(&b.mantissa).ok().map(|m| (m, b.scale)),
        }
    }

    /// The whole number it is, if it is one and fits: 3.00 gives 3, 3.10 nothing.
    pub fn to_i64(&self) -> Option<i64> {
        let whole = self.normalized();
        match whole.to_parts() {
            Some((m, 0)) => i64::try_from(m).ok(),
            _ => None,
        }
    }

    /// The shortest decimal that reads back as the same float: what a store that keeps reals meant. None for NaN, the
    /// infinities and what needs more than 76 digits.
    pub fn from_f64_shortest(f: f64) -> Option<Dec> {
        if !f.is_finite() {
            return None;
        }
        // Up to 15 digits name a float uniquely, so the first scale at which it is a whole number of units is it; the
        // division rounds once, for both sides are exact.
        let mut unit = 1.0;
        for scale in 0..=9 {
            let m = (f * unit).round();
            if m.abs() >= 1e15 {
                break;
            }
            if m / unit == f {
                return Some(small(m as i128, scale));
            }
            unit *= 10.0;
        }
        // "-1.2345e-7": at most 17 digits, shortest by the standard library's promise.
        let text = compact_str::format_compact!("{f:e}");
        let (digits, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |d| (true, d));
        let (int, frac) = digits.split_once('.').unwrap_or((digits, ""));
        let mut m: i128 = int.bytes().chain(frac.bytes()).fold(0, |m, b| m * 10 + i128::from(b - b'0'));
        if negative {
            m = -m;
        }
        let scale = frac.len() as i32 - exponent;
        if m == 0 {
            return Some(Dec::ZERO);
        }
        match u8::try_from(scale) {
            Ok(scale) => Dec::from_parts(m, scale),
            Err(_) if scale > 0 => None,
            Err(_) => finish(BigInt::from(m) * pow10(scale.unsigned_abs().min(400)), 0),
        }
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        if let Some((m, scale)) = self.to_parts()
            && m.unsigned_abs() < 1 << 53
            && scale <= 22
        {
            // Both exact, so the division rounds once.
            return m as f64 / POW10[usize::from(scale)] as f64;
        }
        self.to_string().parse().unwrap_or(0.0)
    }

    /// Digits after the point, as written: 2 for 12.50.
    pub fn scale(&self) -> u32 {
        u32::from(match &self.0 {
            Repr::Small { scale, .. } => *scale,
            Repr::Big(b) => b.scale,
        })
    }

    /// Significant digits, trailing zeros included as written: 4 for 12.50, 1 for 0.05 and for 0.
    pub fn digits(&self) -> u32 {
        match &self.0 {
            Repr::Small { hi, lo, .. } => small_digits(join(*hi, *lo).unsigned_abs()),
            Repr::Big(b) => big_digits(&b.mantissa),
        }
    }

    /// Digits before the point: 2 for 12.50, 0 for 0.5 and for 0.
    pub fn integer_digits(&self) -> u32 {
        if self.is_zero() { 0 } else { self.digits().saturating_sub(self.scale()) }
    }

    /// Whether it fits `decimal(precision, scale)` without rounding.
    pub fn fits(&self, precision: u32, scale: u32) -> bool {
        self.integer_digits() <= precision.saturating_sub(scale) && self.fits_scale(scale)
    }

    /// Whether it has, trailing zeros aside, at most so many digits after the point.
    pub fn fits_scale(&self, scale: u32) -> bool {
        self.scale() <= scale || self.normalized().scale() <= scale
    }

    /// The same value without trailing zeros after the point.
    pub fn normalized(&self) -> Dec {
        if self.scale() == 0 {
            return self.clone();
        }
        match self.to_parts() {
            Some((m, scale)) => {
                let (m, scale) = strip(m, scale);
                small(m, scale)
            }
            None => {
                let (mut m, mut scale) = self.big();
                let ten = BigInt::from(10);
                while scale > 0 && (&m % &ten).sign() == Sign::NoSign {
                    m /= &ten;
                    scale -= 1;
                }
                build(m, scale as u8)
            }
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i32 {
        match &self.0 {
            Repr::Small { hi, lo, .. } => join(*hi, *lo).signum() as i32,
            Repr::Big(b) => match b.mantissa.sign() {
                Sign::Minus => -1,
                Sign::NoSign => 0,
                Sign::Plus => 1,
            },
        }
    }

    /// The value with the other sign.
    pub fn neg(&self) -> Dec {
        match self.to_parts() {
            Some((m, scale)) if m != i128::MIN => small(-m, scale),
            _ => build(-self.big().0, self.scale() as u8),
        }
    }

    /// The value without its sign.
    pub fn abs(&self) -> Dec {
        if self.signum() < 0 { self.neg() } else { self.clone() }
    }

    /// The sum, of the larger scale; none where it needs more than 76 digits.
    pub fn checked_add(&self, other: &Dec) -> Option<Dec> {
        if let Some((a, b, scale)) = align(self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return Some(small(sum, scale));
        }
        let (a, b, scale) = align_big(self, other);
        finish(a + b, scale)
    }

    /// The difference, of the larger scale; none where it needs more than 76 digits.
    pub fn checked_sub(&self, other: &Dec) -> Option<Dec> {
        self.checked_add(&other.neg())
    }

    /// The product, its scale the sum of both; none where it needs more than 76 digits.
    pub fn checked_mul(&self, other: &Dec) -> Option<Dec> {
        let scale = self.scale() + other.scale();
        if scale <= Dec::MAX
            && let (Some((a, _)), Some((b, _))) = (self.to_parts(), other.to_parts())
            && let Some(product) = a.checked_mul(b)
        {
            return Some(small(product, scale as u8));
        }
        finish(self.big().0 * other.big().0, scale)
    }

    /// The quotient, rounded to `scale` digits after the point; none on division by zero or where it needs more than
    /// 76 digits.
    pub fn checked_div(&self, other: &Dec, scale: u32, mode: Rounding) -> Option<Dec> {
        if other.is_zero() || scale > Dec::MAX {
            return None;
        }
        let shift = i64::from(scale) + i64::from(other.scale()) - i64::from(self.scale());
        let (up, down) = (shift.max(0) as u32, (-shift).max(0) as u32);
        if let (Some((a, _)), Some((b, _))) = (self.to_parts(), other.to_parts())
            && let (Some(a), Some(b)) = (raise(a, up), raise(b, down))
            && let Some(q) = divide(a, b, mode)
        {
            return Some(small(q, scale as u8));
        }
        finish(divide_big(self.big().0 * pow10(up), other.big().0 * pow10(down), mode), scale)
    }

    /// The remainder of the division that rounds towards zero, with the sign of `self`; none for a zero divisor.
    pub fn checked_rem(&self, other: &Dec) -> Option<Dec> {
        if other.is_zero() {
            return None;
        }
        if let Some((a, b, scale)) = align(self, other) {
            return Some(small(a.checked_rem(b).unwrap_or(0), scale));
        }
        let (a, b, scale) = align_big(self, other);
        finish(a % b, scale)
    }

    /// Rounded to at most `scale` digits after the point; a value of fewer digits stays as it is. A negative scale
    /// rounds to tens, hundreds and so on. None where the result needs more than 76 digits.
    pub fn round(&self, scale: i32, mode: Rounding) -> Option<Dec> {
        let own = self.scale() as i32;
        if scale >= own {
            return Some(self.clone());
        }
        let drop = own.saturating_sub(scale).unsigned_abs();
        if drop > 2 * Dec::MAX {
            // Every digit goes; what is left is zero or one unit that does not fit.
            let up = match mode {
                Rounding::Floor => self.signum() < 0,
                Rounding::Ceil => self.signum() > 0,
                _ => false,
            };
            return (!up).then_some(Dec::ZERO);
        }
        let kept = scale.max(0) as u32;
        let zeros = scale.min(0).unsigned_abs();
        if let Some((m, _)) = self.to_parts()
            && let Some(unit) = raise(1, drop)
            && let Some(q) = divide(m, unit, mode)
            && let Some(m) = raise(q, zeros)
        {
            return Some(small(m, kept as u8));
        }
        finish(divide_big(self.big().0, pow10(drop), mode) * pow10(zeros), kept)
    }

    /// The text form without trailing zeros: equal values have equal texts.
    pub fn to_text(&self) -> String {
        self.normalized().to_string()
    }

    /// Mantissa and scale as a big integer.
    fn big(&self) -> (BigInt, u32) {
        match &self.0 {
            Repr::Small { hi, lo, scale } => (BigInt::from(join(*hi, *lo)), u32::from(*scale)),
            Repr::Big(b) => (b.mantissa.clone(), u32::from(b.scale)),
        }
    }
}

fn join(hi: i64, lo: u64) -> i128 {
    (i128::from(hi) << 64) | i128::from(lo)
}

fn small(m: i128, scale: u8) -> Dec {
    Dec(Repr::Small { hi: (m >> 64) as i64, lo: m as u64, scale })
}

/// The small form where it fits, else the big one. The caller has seen to the limits.
fn build(mantissa: BigInt, scale: u8) -> Dec {
    match i128::try_from(&mantissa) {
        Ok(m) => small(m, scale),
        Err(_) => Dec(Repr::Big(Box::new(Big { mantissa, scale }))),
    }
}

/// Brings a result inside the limits by dropping trailing zeros after the point; none where that does not suffice.
fn finish(mut m: BigInt, mut scale: u32) -> Option<Dec> {
    let ten = BigInt::from(10);
    while (scale > Dec::MAX || big_digits(&m) > Dec::MAX) && scale > 0 && (&m % &ten).sign() == Sign::NoSign {
        m /= &ten;
        scale -= 1;
    }
    (scale <= Dec::MAX && big_digits(&m) <= Dec::MAX).then(|| build(m, scale as u8))
}

fn parse_long(negative: bool, body: &[u8]) -> Option<Dec> {
    // 76 digits, a point, and some zeros in front.
    if body.len() > 160 {
        return None;
    }
    let (int, frac) = match body.iter().position(|&b| b == b'.') {
        Some(p) => (&body[..p], Some(&body[p + 1..])),
        None => (body, None),
    };
    if int.is_empty() || frac.is_some_and(<[u8]>::is_empty) {
        return None;
    }
    let frac = frac.unwrap_or_default();
    let all = || int.iter().chain(frac);
    if !all().all(u8::is_ascii_digit) || frac.len() > Dec::MAX as usize {
        return None;
    }
    let significant = all().skip_while(|&&b| b == b'0').count();
    let scale = frac.len() as u8;
    if significant <= 38 {
        // In chunks of 19 digits, since a multiplication of 128 bits is many times slower.
        let (mut m, mut chunk, mut n) = (0i128, 0u64, 0);
        for &b in all() {
            chunk = chunk * 10 + u64::from(b - b'0');
            n += 1;
            if n == 19 {
                m = m * POW10[19] as i128 + i128::from(chunk);
                (chunk, n) = (0, 0);
            }
        }
        m = m * POW10[n] as i128 + i128::from(chunk);
        return Some(small(if negative { -m } else { m }, scale));
    }
    if significant > Dec::MAX as usize {
        return None;
    }
    let digits: Vec<u8> = all().copied().collect();
    let m = BigInt::parse_bytes(&digits, 10)?;
    Some(build(if negative { -m } else { m }, scale))
}

fn small_digits(m: u128) -> u32 {
    m.checked_ilog10().map_or(1, |l| l + 1)
}

fn big_digits(m: &BigInt) -> u32 {
    match u128::try_from(m.magnitude()) {
        Ok(m) => small_digits(m),
        Err(_) => u32::try_from(m.magnitude().to_str_radix(10).len()).unwrap_or(u32::MAX),
    }
}

fn pow10(n: u32) -> BigInt {
    BigInt::from(10).pow(n)
}

/// `m * 10^n` where it fits.
fn raise(m: i128, n: u32) -> Option<i128> {
    if n == 0 || m == 0 {
        return Some(m);
    }
    m.checked_mul(i128::try_from(*POW10.get(n as usize)?).ok()?)
}

fn strip(mut m: i128, mut scale: u8) -> (i128, u8) {
    if m == 0 {
        return (0, 0);
    }
    // Most mantissas fit 64 bits, where division is many times faster.
    while scale > 0 && i64::try_from(m).is_err() {
        if m % 10 != 0 {
            return (m, scale);
        }
        m /= 10;
        scale -= 1;
    }
    if let Ok(mut short) = i64::try_from(m) {
        while scale > 0 && short % 10 == 0 {
            short /= 10;
            scale -= 1;
        }
        return (i128::from(short), scale);
    }
    (m, scale)
}

/// Both mantissas at the larger scale.
fn align(a: &Dec, b: &Dec) -> Option<(i128, i128, u8)> {
    let ((a, sa), (b, sb)) = (a.to_parts()?, b.to_parts()?);
    Some(match sa.cmp(&sb) {
        Ordering::Equal => (a, b, sa),
        Ordering::Less => (raise(a, u32::from(sb - sa))?, b, sb),
        Ordering::Greater => (a, raise(b, u32::from(sa - sb))?, sa),
    })
}

fn align_big(a: &Dec, b: &Dec) -> (BigInt, BigInt, u32) {
    let ((a, sa), (b, sb)) = (a.big(), b.big());
    let scale = sa.max(sb);
    (a * pow10(scale - sa), b * pow10(scale - sb), scale)
}

/// Whether the truncated quotient moves one away from zero.
fn away(mode: Rounding, negative: bool, odd: bool, half: Ordering) -> bool {
    match mode {
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && odd),
        Rounding::Down => false,
        Rounding::Floor => negative,
        Rounding::Ceil => !negative,
    }
}

fn divide(a: i128, b: i128, mode: Rounding) -> Option<i128> {
    let (q, r) = match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => (a.checked_div(b)?.into(), a.checked_rem(b)?.into()),
        _ => (a.checked_div(b)?, a.checked_rem(b)?),
    };
    if r == 0 {
        return Some(q);
    }
    let (r, b_abs) = (r.unsigned_abs(), b.unsigned_abs());
    let negative = (a < 0) != (b < 0);
    // r < |b|, so this compares 2r with |b| without overflow.
    let half = r.cmp(&(b_abs - r));
    if away(mode, negative, q % 2 != 0, half) { q.checked_add(if negative { -1 } else { 1 }) } else { Some(q) }
}

fn divide_big(a: BigInt, b: BigInt, mode: Rounding) -> BigInt {
    let (q, r) = (&a / &b, &a % &b);
    if r.sign() == Sign::NoSign {
        return q;
    }
    let negative = (a.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
    let half = (r.magnitude() * 2u32).cmp(b.magnitude());
    match away(mode, negative, q.bit(0), half) {
        true if negative => q - 1,
        true => q + 1,
        false => q,
    }
}

impl PartialEq for Dec {
    fn eq(&self, other: &Dec) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Dec {}
impl PartialOrd for Dec {
    fn partial_cmp(&self, other: &Dec) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Dec {
    fn cmp(&self, other: &Dec) -> Ordering {
        match align(self, other) {
            Some((a, b, _)) => a.cmp(&b),
            None => {
                let (a, b, _) = align_big(self, other);
                a.cmp(&b)
            }
        }
    }
}
impl Hash for Dec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let n = self.normalized();
        n.scale().hash(state);
        match n.to_parts() {
            Some((m, _)) => m.hash(state),
            None => n.big().0.hash(state),
        }
    }
}

/// Plain digits, never an exponent, the scale as it was written.
impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((m, scale)) = self.to_parts() else {
            let (m, scale) = self.big();
            let digits = m.magnitude().to_str_radix(10);
            let digits = format!("{digits:0>width$}", width = scale as usize + 1);
            let (int, frac) = digits.split_at(digits.len() - scale as usize);
            let sign = if m.sign() == Sign::Minus { "-" } else { "" };
            return write!(f, "{sign}{int}{}{frac}", if scale == 0 { "" } else { "." });
        };
        // From the right: at most 77 digits, a point, a sign.
        let mut buffer = [b'0'; 80];
        let mut at = buffer.len();
        let mut rest = m.unsigned_abs();
        let mut put = |b: u8| {
            at -= 1;
            buffer[at] = b;
        };
        let mut written = 0;
        while rest > 0 || written <= scale {
            if written == scale && scale > 0 {
                put(b'.');
            }
            let digit = match u64::try_from(rest) {
                Ok(short) => {
                    rest = u128::from(short / 10);
                    short % 10
                }
                Err(_) => {
                    let digit = rest % 10;
                    rest /= 10;
                    digit as u64
                }
            };
            put(b'0' + digit as u8);
            written += 1;
        }
        if m < 0 {
            put(b'-');
        }
        f.write_str(std::str::from_utf8(&buffer[at..]).unwrap_or_default())
    }
}

impl fmt::Debug for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<i64> for Dec {
    fn from(i: i64) -> Dec {
        Dec::from_i64(i)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "dec_tests.rs"]
mod tests;
