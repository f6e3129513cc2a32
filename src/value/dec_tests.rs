use super::*;
use bigdecimal::BigDecimal;
use bigdecimal::RoundingMode as Mode;
use proptest::prelude::*;
use std::collections::hash_map::DefaultHasher;
use std::str::FromStr;

fn dec(s: &str) -> Dec {
    Dec::parse(s).unwrap()
}

fn big(d: &Dec) -> BigDecimal {
    BigDecimal::from_str(&d.to_string()).unwrap()
}

fn hash(d: &Dec) -> u64 {
    let mut h = DefaultHasher::new();
    d.hash(&mut h);
    h.finish()
}

/// Texts of decimals, from tiny to the limit.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?[0-9]{1,9}(\\.[0-9]{1,6})?",
        2 => "-?[0-9]{1,20}(\\.[0-9]{1,18})?",
        2 => "-?[0-9]{1,40}(\\.[0-9]{1,36})?",
        1 => "-?0\\.0{0,30}[0-9]{1,40}",
        1 => "-?[1-9][0-9]?0{0,30}(\\.0{0,8}5?0)?",
    ]
}

#[test]
fn is_small() {
    assert_eq!(std::mem::size_of::<Dec>(), 24);
    assert!(std::mem::size_of::<super::super::Value>() <= 32);
}

#[test]
fn parses_only_plain_decimals() {
    for s in ["0", "-0", "1.10", "007", "12345678901234567890123456789012345678901234567890.5"] {
        assert!(Dec::parse(s).is_some(), "{s}");
    }
    for s in ["", "-", ".", "1.", ".5", "+1", "1e5", " 1", "1 ", "1.2.3", "--1", "1,5", "٣", "1.-5", "0x1"] {
        assert!(Dec::parse(s).is_none(), "{s}");
        assert!(Dec::parse(&format!("{s}{}", "x".repeat(30))).is_none(), "{s}");
    }
    assert!(Dec::parse(&"9".repeat(76)).is_some());
    assert!(Dec::parse(&"9".repeat(77)).is_none());
    assert!(Dec::parse(&format!("0.{}", "9".repeat(76))).is_some());
    assert!(Dec::parse(&format!("0.{}1", "0".repeat(76))).is_none());
    assert!(Dec::parse(&format!("1.{}", "9".repeat(76))).is_none());
    assert_eq!(dec("-0").to_string(), "0");
    assert_eq!(dec("007.50").to_string(), "7.50");
}

#[test]
fn keeps_scale_and_equals_by_value() {
    assert_eq!(dec("1.10").to_string(), "1.10");
    assert_eq!(dec("1.10").to_text(), "1.1");
    assert_eq!(dec("1.10"), dec("1.1"));
    assert_eq!(hash(&dec("100.000")), hash(&dec("100")));
    assert_eq!(dec("0.000"), Dec::ZERO);
    assert_eq!(dec("0.05").to_string(), "0.05");
    assert_eq!((dec("12.50").digits(), dec("12.50").scale(), dec("12.50").integer_digits()), (4, 2, 2));
    assert_eq!((dec("0.05").digits(), dec("0.05").integer_digits()), (1, 0));
}

#[test]
fn fits_is_exact() {
    assert!(dec("999.99").fits(5, 2));
    assert!(!dec("1000").fits(5, 2));
    assert!(!dec("1.005").fits(5, 2));
    assert!(dec("1.000").fits(1, 0));
    assert!(dec("0.00").fits(2, 2));
    assert!(dec("0.12").fits(2, 2) && !dec("1.12").fits(2, 2));
}

#[test]
fn rounds() {
    let cases = [
        ("2.5", ["3", "2", "2", "2", "3"]),
        ("-2.5", ["-3", "-2", "-2", "-3", "-2"]),
        ("3.5", ["4", "4", "3", "3", "4"]),
        ("2.51", ["3", "3", "2", "2", "3"]),
        ("-0.4", ["0", "0", "0", "-1", "0"]),
        ("99.99", ["100", "100", "99", "99", "100"]),
    ];
    let modes = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Floor, Rounding::Ceil];
    for (x, expected) in cases {
        for (mode, e) in modes.into_iter().zip(expected) {
            assert_eq!(dec(x).round(0, mode).unwrap().to_string(), e, "{x} {mode:?}");
        }
    }
    assert_eq!(dec("1250").round(-2, Rounding::HalfUp).unwrap().to_string(), "1300");
    assert_eq!(dec("2.5").round(4, Rounding::HalfUp).unwrap().to_string(), "2.5");
    assert_eq!(dec("7").round(i32::MIN, Rounding::Floor).unwrap(), Dec::ZERO);
    assert_eq!(dec("7").round(i32::MIN, Rounding::Ceil), None);
}

#[test]
fn refuses_more_than_76_digits() {
    let nines = dec(&"9".repeat(76));
    assert_eq!(nines.checked_add(&Dec::from_i64(1)), None);
    assert_eq!(nines.checked_mul(&Dec::from_i64(2)), None);
    assert_eq!(dec(&format!("1{}", "0".repeat(75))).checked_add(&dec("0.1")), None);
    let tiny = dec(&format!("0.{}5", "0".repeat(60)));
    assert_eq!(tiny.checked_mul(&tiny), None);
    assert_eq!(Dec::from_i64(1).checked_div(&Dec::ZERO, 2, Rounding::HalfUp), None);
    assert_eq!(Dec::from_i64(1).checked_rem(&dec("0.0")), None);
}

#[test]
fn floats_there_and_back() {
    assert_eq!(Dec::from_f64_shortest(0.1).unwrap().to_string(), "0.1");
    assert_eq!(Dec::from_f64_shortest(-1234.5).unwrap().to_string(), "-1234.5");
    assert_eq!(Dec::from_f64_shortest(1e23).unwrap().to_string(), "100000000000000000000000");
    assert_eq!(Dec::from_f64_shortest(-0.0).unwrap().to_string(), "0");
    assert_eq!(Dec::from_f64_shortest(1e300), None);
    assert_eq!(Dec::from_f64_shortest(1e-300), None);
    assert_eq!(Dec::from_f64_shortest(f64::NAN), None);
    assert_eq!(dec("0.1").to_f64(), 0.1);
}

#[test]
fn whole_numbers() {
    assert_eq!(dec("3.00").to_i64(), Some(3));
    assert_eq!(dec("3.10").to_i64(), None);
    assert_eq!(Dec::from_i64(i64::MIN).to_i64(), Some(i64::MIN));
    assert_eq!(dec("9223372036854775808").to_i64(), None);
    assert_eq!(
        Dec::from_parts(i128::MIN, 0).unwrap().neg().abs().to_string(),
        "170141183460469231731687303715884105728"
    );
}

proptest! {
    #[test]
    fn display_and_parse_agree(s in text()) {
        let d = dec(&s);
        prop_assert_eq!(dec(&d.to_string()).to_string(), d.to_string());
        prop_assert_eq!(big(&d), BigDecimal::from_str(&s).unwrap());
        prop_assert_eq!(&dec(&d.to_text()), &d);
        let scale = s.split_once('.').map_or(0, |(_, f)| f.len());
        prop_assert_eq!(d.scale() as usize, scale);
    }

    #[test]
    fn order_and_hash_are_by_value(a in text(), b in text(), zeros in 0usize..20) {
        let (x, y) = (dec(&a), dec(&b));
        prop_assert_eq!(x.cmp(&y), big(&x).cmp(&big(&y)));
        let longer = format!("{a}{}{}", if a.contains('.') { "" } else { "." }, "0".repeat(zeros + 1));
        if let Some(z) = Dec::parse(&longer) {
            prop_assert_eq!(&z, &x);
            prop_assert_eq!(hash(&z), hash(&x));
            prop_assert_eq!(z.to_text(), x.to_text());
        }
    }

    #[test]
    fn arithmetic_agrees(a in text(), b in text()) {
        let (x, y) = (dec(&a), dec(&b));
        if let Some(z) = x.checked_add(&y) { prop_assert_eq!(big(&z), big(&x) + big(&y)); }
        if let Some(z) = x.checked_sub(&y) { prop_assert_eq!(big(&z), big(&x) - big(&y)); }
        match x.checked_mul(&y) {
            Some(z) => prop_assert_eq!(big(&z), big(&x) * big(&y)),
            None => {
                let (m, scale) = (big(&x) * big(&y)).normalized().into_bigint_and_exponent();
                let digits = m.magnitude().to_string().len() as i64;
                prop_assert!(scale > 76 || digits.max(digits - scale) > 76);
            }
        }
        if let Some(z) = x.checked_rem(&y) { prop_assert_eq!(big(&z), big(&x) % big(&y)); }
        prop_assert_eq!(big(&x.neg()), -big(&x));
        prop_assert_eq!(big(&x.abs()), big(&x).abs());
    }

    #[test]
    fn rounding_agrees(a in text(), scale in -5i32..30) {
        let x = dec(&a);
        let modes = [
            (Rounding::HalfUp, Mode::HalfUp), (Rounding::HalfEven, Mode::HalfEven), (Rounding::Down, Mode::Down),
            (Rounding::Floor, Mode::Floor), (Rounding::Ceil, Mode::Ceiling),
        ];
        for (ours, theirs) in modes {
            if let Some(r) = x.round(scale, ours) {
                prop_assert_eq!(big(&r), big(&x).with_scale_round(i64::from(scale), theirs), "{:?}", ours);
            }
        }
    }

    #[test]
    fn division_is_the_nearest(a in text(), b in text(), scale in 0u32..12) {
        let (x, y) = (dec(&a), dec(&b));
        if let Some(q) = x.checked_div(&y, scale, Rounding::HalfUp) {
            // |x - q*y| <= |y| / 2 units of the scale.
            let rest = (big(&x) - big(&q) * big(&y)).abs() * BigDecimal::from(2);
            let unit = BigDecimal::new(1.into(), i64::from(scale));
            prop_assert!(rest <= big(&y).abs() * unit);
            prop_assert!(q.scale() <= scale);
        }
    }

    #[test]
    fn a_float_reads_back(bits in any::<u64>()) {
        let f = f64::from_bits(bits);
        if let Some(d) = Dec::from_f64_shortest(f) {
            prop_assert_eq!(d.to_f64(), f);
        }
        for g in [f % 1e9, (f % 1e9 * 100.0).round() / 100.0, (f % 1e15).round()] {
            if let Some(d) = Dec::from_f64_shortest(g) {
                prop_assert_eq!(d.to_f64(), g);
                prop_assert_eq!(d.to_text(), if g == 0.0 { "0".to_string() } else { g.to_string() });
            }
        }
    }
}
