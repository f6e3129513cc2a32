use super::*;
use crate::value::{Choice, Collation, DateTimeKind, Dec, Literal, Member, compare};
use std::sync::Arc;

const CIVIL: Type = Type::DateTime { kind: DateTimeKind::Civil };
const INSTANT: Type = Type::DateTime { kind: DateTimeKind::Instant };

fn context() -> Context {
    Context { time_zone: jiff::tz::TimeZone::get("Europe/Copenhagen").unwrap() }
}

fn text(max: u32) -> Type {
    Type::Text { max: Some(max) }
}

fn dec(p: u8, s: u8) -> Type {
    Type::Decimal { limits: Some((p, s)) }
}

fn column(ty: Type) -> Arg {
    Arg { ty, literal: None }
}

fn lit(v: Value) -> Arg {
    let natural = match &v {
        Value::Text(t) => Literal::Text(t).natural(),
        Value::Integer(i) => Literal::Number(&i.to_string()).natural(),
        Value::Decimal(d) => Literal::Number(&d.to_string()).natural(),
        Value::Boolean(b) => Literal::Boolean(*b).natural(),
        Value::Null => Literal::Null.natural(),
        _ => panic!("{v} is no literal"),
    };
    let (value, ty) = natural.unwrap();
    Arg { ty, literal: Some(value) }
}

/// Calls as the engine does: accepts, types, minds the null rule.
fn call(f: &Function, args: &[(Arg, Value)]) -> Result<(Type, Value), Reason> {
    let (given, mut values): (Vec<Arg>, Vec<Value>) = args.iter().cloned().unzip();
    let ty = (f.typed)(&given)?;
    let accepted = f.accept(&given)?;
    for (i, a) in accepted.iter().enumerate() {
        match (&a.literal, values.get_mut(i)) {
            (Some(v), Some(slot)) => *slot = v.clone(),
            (Some(v), None) => values.push(v.clone()),
            (None, _) => {}
        }
    }
    if f.nulls == NullRule::Strict && values.iter().any(Value::is_null) {
        return Ok((ty, Value::Null));
    }
    Ok((ty, (f.call)(&context(), &values)?))
}

/// Evaluates literals and calls, which is all that examples are made of.
fn eval(s: &str) -> Result<(Arg, Value), Reason> {
    let (arg, value, rest) = expr(s)?;
    assert!(rest.trim().is_empty(), "`{rest}` is left of {s}");
    Ok((arg, value))
}

fn expr(s: &str) -> Result<(Arg, Value, &str), Reason> {
    let s = s.trim_start();
    if let Some(body) = s.strip_prefix('\'') {
        let mut end = 0;
        while let Some(i) = body[end..].find('\'') {
            end += i;
            if !body[end + 1..].starts_with('\'') {
                break;
            }
            end += 2;
        }
        let v = Value::text(body[..end].replace("''", "'"));
        return Ok((lit(v.clone()), v, &body[end + 1..]));
    }
    let stop = s.find(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))).unwrap_or(s.len());
    let (word, rest) = s.split_at(stop);
    if let Some(mut rest) = rest.strip_prefix('(') {
        let f = find(word).unwrap_or_else(|| panic!("no function {word}"));
        let mut args = vec![];
        while !rest.trim_start().starts_with(')') {
            let (arg, value, after) = expr(rest)?;
            args.push((arg, value));
            rest = after.trim_start().strip_prefix(',').unwrap_or(after);
        }
        let (ty, value) = call(f, &args).map_err(|e| format!("{word}: {e}"))?;
        return Ok((column(ty), value, &rest.trim_start()[1..]));
    }
    let v = match word {
        "null" => Value::Null,
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        n => n.parse().map(Value::Integer).unwrap_or_else(|_| Value::Decimal(Dec::parse(n).unwrap())),
    };
    Ok((lit(v.clone()), v, rest))
}

fn show(s: &str) -> String {
    eval(s).map_or_else(|e| e, |(_, v)| v.to_string())
}

fn typed(name: &str, args: &[Arg]) -> String {
    (find(name).unwrap().typed)(args).map_or_else(|e| e, |t| t.to_string())
}

fn back(name: &str, args: &[Arg]) -> Option<(&'static str, Vec<Value>)> {
    find(name).unwrap().inverse?(args)
}

#[test]
fn the_list_is_in_order_and_complete() {
    let wrong = all().windows(2).find(|w| w[0].name >= w[1].name);
    assert!(wrong.is_none(), "the registry stands in the order of names: {:?}", wrong.map(|w| (w[0].name, w[1].name)));
    for f in all() {
        assert!(f.arity.0 <= f.arity.1 && f.arity.0 >= 1, "{}", f.name);
        assert!(!f.takes.is_empty() && f.takes.len() <= f.arity.1, "{}", f.name);
        assert!(!f.examples.is_empty(), "{} has no examples", f.name);
        assert!(f.signature.starts_with(&format!("{}(", f.name)) && f.signature.contains(" -> "), "{}", f.name);
        assert!(f.doc.ends_with('.'), "{}", f.name);
        let listed = f.signature.split_once(')').unwrap().0.matches(',').count() + 1;
        assert!(f.arity.1 == usize::MAX || listed == f.arity.1, "{}: arity and signature differ", f.name);
        assert!(std::ptr::eq(find(f.name).unwrap(), *f));
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/function")).unwrap().count();
    assert_eq!(files, all().len() + 7, "one file per function, and the shared ones");
}

#[test]
fn examples_hold() {
    let mut wrong = vec![];
    for f in all() {
        for (expression, expected) in f.examples {
            let found = show(expression);
            let same = match (eval(expression), eval(expected)) {
                (Ok((_, Value::Null)), Ok((_, Value::Null))) => true,
                (Ok((_, a)), Ok((_, b))) => compare(&a, &b, Collation::Exact).is_some_and(|o| o.is_eq()),
                _ => false,
            };
            if !same {
                wrong.push(format!("{expression} gives {found}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn results_are_of_the_type_said() {
    for f in all() {
        for (expression, _) in f.examples {
            let (arg, value) = eval(expression).unwrap();
            let shown = value.to_string();
            if value.is_null() || matches!((&value, &arg.ty), (Value::Integer(_), Type::Decimal { .. })) {
                continue;
            }
            crate::value::convert(value, &arg.ty).unwrap_or_else(|e| panic!("{expression} = {shown}: {e}"));
        }
    }
}

#[test]
fn wrong_arguments_have_reasons() {
    let t = |max| column(text(max));
    let int = || column(Type::Integer);
    for (name, args, expected) in [
        ("upper", vec![], "takes 1 argument, not 0: `upper(text) -> text`"),
        ("upper", vec![int()], "argument 1 must be text, not an integer"),
        ("left", vec![t(5), t(5)], "argument 2 must be an integer, not text"),
        ("left", vec![t(5), lit(Value::Integer(-1))], "the length must be at least 0"),
        ("substring", vec![t(5), lit(Value::Integer(0))], "the start must be at least 1"),
        ("split", vec![t(5), t(1)], "takes 3 arguments, not 2: `split(text, separator, n) -> text`"),
        ("round", vec![column(dec(5, 2)), int()], "argument 2 must be a whole number as a literal"),
        ("round", vec![column(Type::Float)], "argument 1 must be an integer or a decimal, not a float"),
        ("coalesce", vec![t(5), int()], "argument 2 is an integer, the arguments before it are text"),
        (
            "coalesce",
            vec![column(Type::Date), lit(Value::text("soon"))],
            "argument 2: no date of the form '2026-11-20'",
        ),
        ("if", vec![t(3), int(), int()], "argument 1 must be true or false, not text"),
        (
            "year",
            vec![column(INSTANT)],
            "argument 1 must be a date, or a datetime of no zone (for a point in time use `date(x)` or `local(x)`), \
             not a datetime that is a point in time",
        ),
        ("local", vec![column(INSTANT), lit(Value::text("Mars"))], "there is no time zone `Mars`"),
        (
            "format_date",
            vec![column(Type::Date), lit(Value::text("%q"))],
            "`%q` is no part of a format; there are %Y %y %m %b %B %d %H %M %S %%",
        ),
        ("format_date", vec![column(Type::Date), t(9)], "argument 2 must be a format in quotes"),
        (
            "parse_date",
            vec![t(9), lit(Value::text("%d.%m.%y"))],
            "the format must hold %Y, a month (%m, %b or %B) and %d, and neither %y nor a time",
        ),
        (
            "date",
            vec![column(CIVIL), lit(Value::text("Europe/Berlin"))],
            "only a point in time has another day in another zone",
        ),
        (
            "concat",
            vec![t(1), column(Type::Boolean)],
            "argument 2 must be text, an integer, a decimal or a uuid, not a boolean",
        ),
    ] {
        assert_eq!(typed(name, &args), expected, "{name}");
    }
}

#[test]
fn lengths_and_digits_are_typed() {
    let t = |max| column(text(max));
    let n = |i| lit(Value::Integer(i));
    let s = |t| lit(Value::text(t));
    for (name, args, expected) in [
        ("upper", vec![t(20)], "text(20)"),
        ("truncate", vec![column(Type::Text { max: None }), n(60)], "text(60)"),
        ("truncate", vec![t(20), n(60)], "text(20)"),
        ("substring", vec![t(20), n(3), n(4)], "text(4)"),
        ("concat", vec![t(20), s("-"), column(Type::Integer)], "text(41)"),
        ("concat", vec![t(20), column(Type::Text { max: None })], "text"),
        ("pad_left", vec![t(20), n(30), s("0")], "text(30)"),
        ("pad_left", vec![t(20), column(Type::Integer)], "text"),
        ("replace", vec![t(20), s("-"), s("")], "text(20)"),
        ("replace", vec![t(20), s("&"), s("&amp;")], "text(100)"),
        ("text", vec![column(Type::Uuid)], "text(36)"),
        ("round", vec![column(dec(32, 6)), n(2)], "decimal(29,2)"),
        ("round", vec![column(dec(4, 2)), n(-3)], "decimal(4,0)"),
        ("round", vec![column(Type::Decimal { limits: None }), n(2)], "decimal(76,2)"),
        ("round", vec![column(Type::Integer)], "integer"),
        ("decimal", vec![t(20), n(2)], "decimal(76,2)"),
        ("decimal", vec![column(Type::Integer)], "decimal(19,0)"),
        ("coalesce", vec![column(Type::Date), s("1900-01-01")], "date"),
        ("coalesce", vec![t(5), s("longer than five")], "text(16)"),
        ("coalesce", vec![column(dec(10, 2)), n(0)], "decimal(21,2)"),
        ("if", vec![column(Type::Boolean), lit(Value::Null), t(3)], "text(3)"),
        ("least", vec![column(Type::Float), n(0)], "float"),
        ("add_days", vec![s("2026-11-20"), n(1)], "date"),
        ("start_of_month", vec![column(CIVIL)], "date"),
        ("date", vec![column(INSTANT)], "date"),
        ("format_date", vec![column(Type::Date), s("%d. %B %Y")], "text(18)"),
    ] {
        assert_eq!(typed(name, &args), expected, "{name}");
    }
}

#[test]
fn a_choice_takes_its_members_by_name() {
    let members = vec![Member { value: 7, name: "Hold".into() }];
    let hold = Type::Choice(Arc::new(Choice { members }));
    let f = find("coalesce").unwrap();
    let args = f.accept(&[column(hold.clone()), lit(Value::text("hold"))]).unwrap();
    assert_eq!(args[1].literal, Some(Value::Integer(7)));
    assert_eq!((f.typed)(&args).unwrap(), hold);
    assert_eq!(
        typed("coalesce", &[column(hold.clone()), lit(Value::text("Free"))]),
        "argument 2: no member of the choice has this name"
    );
    assert_eq!(
        typed("coalesce", &[column(hold.clone()), lit(Value::Integer(8))]),
        "argument 2: no member of the choice has this number"
    );
    assert_eq!(typed("integer", &[column(hold.clone())]), "integer");
    assert_eq!(typed("upper", &[column(hold)]), "argument 1 must be text, not a choice");
}

#[test]
fn accepting_twice_changes_nothing() {
    for f in all() {
        for (expression, _) in f.examples.iter().filter(|(e, _)| e.starts_with(&format!("{}(", f.name))) {
            let mut rest = &expression[f.name.len() + 1..];
            let mut args = vec![];
            while !rest.trim_start().starts_with(')') {
                let (arg, _, after) = expr(rest).unwrap();
                args.push(arg);
                rest = after.trim_start().strip_prefix(',').unwrap_or(after);
            }
            let once = f.accept(&args).unwrap();
            let twice = f.accept(&once).unwrap_or_else(|e| panic!("{expression}: {e}"));
            assert_eq!(format!("{once:?}"), format!("{twice:?}"), "{expression}");
            assert_eq!((f.typed)(&once), (f.typed)(&args), "{expression}");
        }
    }
}

#[test]
fn what_fails_at_run_time_says_why() {
    for (expression, expected) in [
        ("integer('1.5')", "integer: `1.5` is no whole number"),
        ("integer('+1')", "integer: `+1` is no whole number"),
        ("integer('99999999999999999999')", "integer: too large for an integer"),
        ("integer(1.5)", "integer: `1.5` is no whole number; round it first"),
        ("decimal('1,5')", "decimal: `1,5` is no decimal of at most 76 digits"),
        ("decimal('1.55', 1)", "decimal: `1.55` has digits after the point beyond 1; round it first"),
        ("boolean(2)", "boolean: `2` is neither 0 nor 1"),
        ("uuid('x')", "uuid: `x` is no uuid"),
        ("date('20.11.2026')", "date: `20.11.2026` is no date of the form 2026-11-20"),
        ("parse_date('2026-11-20', '%d.%m.%Y')", "parse_date: `2026-11-20` is no date of the form `%d.%m.%Y`"),
        ("mod(1, 0)", "mod: division by zero"),
        ("mod(1.5, 0.0)", "mod: division by zero"),
        ("pad_left('', 9999999)", "pad_left: the result is longer than 1 MiB"),
        ("replace(pad_left('', 9999, 'a'), 'a', pad_left('', 9999))", "replace: the result is longer than 1 MiB"),
        ("add_days('2026-11-20', 99999999)", "add_days: the result lies outside the years -9999 to 9999"),
        ("add_days('2026-11-20', 9223372036854775807)", "add_days: the result lies outside the years -9999 to 9999"),
        ("abs(-9223372036854775808)", "abs: the result is too large for an integer"),
        ("round(9223372036854775807, -1)", "round: the result is too large for an integer"),
        ("pad_left('a', 3, '')", "pad_left: the fill must not be empty"),
    ] {
        assert_eq!(show(expression), expected, "{expression}");
    }
}

#[test]
fn time_zones() {
    let at = |s: &str| Value::DateTime(crate::value::parse_datetime(s).unwrap());
    let run = |name, ty, v| call(find(name).unwrap(), &[(column(ty), v)]).unwrap().1.to_string();
    // The project's zone is one hour ahead in winter, two in summer.
    assert_eq!(run("date", INSTANT, at("2026-11-20T23:30:00")), "2026-11-21");
    assert_eq!(run("date", CIVIL, at("2026-11-20T23:30:00")), "2026-11-20");
    assert_eq!(run("local", INSTANT, at("2026-07-01T12:00:00")), "2026-07-01T14:00:00");
    assert_eq!(run("utc", CIVIL, at("2026-07-01T14:00:00")), "2026-07-01T12:00:00");
    // The hour that is skipped, and the one that is there twice.
    assert_eq!(run("utc", CIVIL, at("2026-03-29T02:30:00")), "2026-03-29T01:30:00");
    assert_eq!(run("utc", CIVIL, at("2026-10-25T02:30:00")), "2026-10-25T00:30:00");
    // Called past `accept`, it refuses rather than guess.
    assert!((find("date").unwrap().call)(&context(), &[at("2026-11-20T23:30:00")]).is_err());
}

#[test]
fn inverses_give_back_what_went_in() {
    let d = |s: &str| Value::Date(crate::value::parse_date(s).unwrap());
    let decimal = |s| Dec::parse(s).map(Value::Decimal).unwrap();
    let days = || [d("2026-11-20"), d("2024-02-29"), d("0001-01-01")];
    let times = || ["2026-11-20T10:00:00", "2026-03-29T02:30:00.5"].map(|s| Value::DateTime(s.parse().unwrap()));
    let cases: Vec<(&str, Type, Vec<Value>, Vec<Value>)> = vec![
        ("text", Type::Integer, vec![], [0, -7, i64::MIN].map(Value::Integer).into()),
        ("text", Type::Decimal { limits: None }, vec![], vec![decimal("1.50"), decimal("-0.001")]),
        ("text", dec(9, 3), vec![], vec![decimal("1.50"), decimal("-0.001")]),
        ("text", Type::Boolean, vec![], vec![Value::Boolean(true), Value::Boolean(false)]),
        ("text", Type::Date, vec![], days().into()),
        ("text", CIVIL, vec![], times().into()),
        ("text", Type::Uuid, vec![], vec![Value::Uuid(crate::value::Uuid::max())]),
        (
            "text",
            Type::Float,
            vec![],
            [0.1, 1e-300, -1e300].map(|f| Value::Float(crate::value::Float::new(f).unwrap())).into(),
        ),
        ("decimal", Type::Integer, vec![], [0, -7, i64::MAX].map(Value::Integer).into()),
        ("integer", dec(18, 2), vec![], vec![decimal("3.00")]),
        ("date", text(10), vec![], vec![Value::text("2026-11-20")]),
        ("datetime", Type::Date, vec![], days().into()),
        ("add_days", Type::Date, vec![Value::Integer(45)], days().into()),
        ("add_days", CIVIL, vec![Value::Integer(-3)], times().into()),
        ("format_date", Type::Date, vec![Value::text("%d. %B %Y")], days().into()),
        ("format_date", Type::Date, vec![Value::text("%Y%m%d")], days().into()),
        ("parse_date", text(11), vec![Value::text("%d-%b-%Y")], vec![Value::text("20-Nov-2026")]),
        ("local", INSTANT, vec![Value::text("UTC")], times().into()),
    ];
    for (name, ty, rest, values) in cases {
        let f = find(name).unwrap();
        let rest: Vec<Arg> = rest.into_iter().map(lit).collect();
        let mut args = vec![column(ty)];
        args.extend(rest.clone());
        let (inverse, extra) = back(name, &args).unwrap_or_else(|| panic!("{name} has no inverse"));
        for value in values {
            let with = |first: Arg, v: Value, rest: &[Arg]| {
                let rest = rest.iter().map(|a| (a.clone(), a.literal.clone().unwrap()));
                std::iter::once((first, v)).chain(rest).collect::<Vec<_>>()
            };
            let (ty, there) = call(f, &with(args[0].clone(), value.clone(), &rest)).unwrap();
            let extra: Vec<Arg> = extra.iter().cloned().map(lit).collect();
            let (_, again) = call(find(inverse).unwrap(), &with(column(ty), there, &extra)).unwrap();
            assert_eq!(again, value, "{name} and {inverse}");
        }
    }
}

#[test]
fn what_loses_has_no_inverse() {
    let copenhagen = lit(Value::text("Europe/Copenhagen"));
    assert!(back("local", &[column(INSTANT)]).is_none());
    assert!(back("local", &[column(INSTANT), copenhagen]).is_none());
    assert!(back("integer", &[column(text(9))]).is_none());
    assert!(back("decimal", &[column(text(9))]).is_none());
    assert!(back("datetime", &[column(text(30))]).is_none());
    assert!(back("date", &[column(INSTANT)]).is_none());
    assert!(back("add_days", &[column(Type::Date), column(Type::Integer)]).is_none());
    assert!(back("format_date", &[column(Type::Date), lit(Value::text("%d.%m.%y"))]).is_none());
    assert!(back("format_date", &[column(CIVIL), lit(Value::text("%d.%m.%Y"))]).is_none());
    for name in ["upper", "lower", "trim", "round", "concat", "add_months", "uuid_of", "coalesce", "if"] {
        assert!(find(name).unwrap().inverse.is_none(), "{name}");
    }
}

#[test]
fn uuid_of_tells_lists_apart() {
    let lists = [
        "uuid_of('a', 'b')",
        "uuid_of('ab')",
        "uuid_of('a', null, 'b')",
        "uuid_of('at1:b')",
        "uuid_of('at', 'b')",
        "uuid_of(null)",
        "uuid_of('')",
        "uuid_of(null, null)",
        "uuid_of('null')",
        "uuid_of(1)",
        "uuid_of('1')",
        "uuid_of(true)",
        "uuid_of('true')",
        "uuid_of(date('2026-11-20'))",
        "uuid_of('2026-11-20')",
    ];
    let all: std::collections::HashSet<String> = lists.iter().map(|e| show(e)).collect();
    assert_eq!(all.len(), lists.len());
}

#[test]
fn reference_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/functions.md");
    let page = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page, "docs/functions.md is stale: UPDATE=1 cargo test reference_is_fresh");
}

/// Arguments at the edges: as columns, and as literals where they can be.
fn edges() -> Vec<(Arg, Value)> {
    let mut out: Vec<(Arg, Value)> = vec![];
    for t in ["", " ß\u{130}é𝄞 ", "-12.50", "%Y-%m-%d", "%", "UTC", "2026-11-20", "9999-12-31T23:59:59.999999999"]
    {
        out.push((lit(Value::text(t)), Value::text(t)));
        out.push((column(text(t.chars().count() as u32)), Value::text(t)));
    }
    for i in [0, 1, -1, 40, i64::MAX, i64::MIN] {
        out.push((lit(Value::Integer(i)), Value::Integer(i)));
        out.push((column(Type::Integer), Value::Integer(i)));
    }
    for d in [format!("-{}", "9".repeat(76)), format!("0.{}1", "0".repeat(75)), "-2.50".into()] {
        let d = Dec::parse(&d).unwrap();
        out.push((column(Type::Decimal { limits: None }), Value::Decimal(d.clone())));
        out.push((lit(Value::Decimal(d.clone())), Value::Decimal(d)));
    }
    for f in [f64::MAX, -f64::MIN_POSITIVE] {
        out.push((column(Type::Float), Value::Float(crate::value::Float::new(f).unwrap())));
    }
    for d in [jiff::civil::Date::MIN, jiff::civil::Date::MAX, jiff::civil::Date::ZERO] {
        out.push((column(Type::Date), Value::Date(d)));
    }
    for d in [jiff::civil::DateTime::MIN, jiff::civil::DateTime::MAX] {
        out.push((column(CIVIL), Value::DateTime(d)));
        out.push((column(INSTANT), Value::DateTime(d)));
    }
    out.push((lit(Value::Null), Value::Null));
    out.push((column(Type::Boolean), Value::Boolean(true)));
    out.push((column(Type::Uuid), Value::Uuid(crate::value::Uuid::max())));
    out.push((column(Type::Binary), Value::Binary([0, 255].into())));
    out
}

#[test]
fn nothing_panics_and_every_result_is_of_its_type() {
    let edges = edges();
    let check = |f: &Function, args: &[(Arg, Value)]| {
        let Ok((ty, value)) = call(f, args) else { return };
        let shown =
            || format!("{}{:?}", f.name, args.iter().map(|(a, v)| format!("{v}: {}", a.ty)).collect::<Vec<_>>());
        match crate::value::convert(value.clone(), &ty) {
            // An integer may stand where the type is a decimal.
            Ok(Value::Decimal(d)) if matches!(value, Value::Integer(i) if d == i.into()) => {}
            Ok(same) => assert_eq!(same, value, "{}", shown()),
            Err(why) => panic!("{} = {value}, not {ty}: {why}", shown()),
        }
    };
    for f in all() {
        for a in &edges {
            check(f, std::slice::from_ref(a));
            // What a first argument cannot be needs no second one.
            let first_fits = |n: usize| {
                let mut args = vec![a.0.clone(); 1];
                args.resize(n, lit(Value::Null));
                f.accept(&args).map_or_else(|e| !e.starts_with("argument 1 "), |_| true)
            };
            if f.arity.1 < 2 || !first_fits(f.arity.0.max(2)) {
                continue;
            }
            for b in &edges {
                check(f, &[a.clone(), b.clone()]);
                if f.arity.1 == 3 {
                    edges.iter().for_each(|c| check(f, &[a.clone(), b.clone(), c.clone()]));
                }
            }
        }
    }
}
