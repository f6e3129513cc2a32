use super::like;
use crate::function::{self, Context};
use crate::sema::constant_expression;
use crate::source::{FileId, Sources};
use crate::syntax::dsl::{Fragment, parse_expr};
use crate::value::{Collation, Value, compare, literal_value};

fn context() -> Context {
    Context { time_zone: jiff::tz::TimeZone::UTC }
}

/// The value of an expression without columns, or what is wrong with it.
fn value(text: &str) -> Result<Value, String> {
    let mut sources = Sources::new();
    let file: FileId = sources.add("expression", text);
    let (expr, findings) = parse_expr(Fragment { text, file, offset: &|o| o });
    assert!(findings.is_empty(), "{text}: {findings:?}");
    let words = |d: Vec<crate::diagnostic::Diagnostic>| {
        d.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect::<Vec<_>>().join("; ")
    };
    let (expr, _) = constant_expression(&sources, &expr.unwrap()).map_err(words)?;
    expr.eval(&context(), &[]).map(|v| v.into_owned()).map_err(|e| e.reason)
}

/// Equal, where the expected literal may be of the form of another type (a date as text).
fn same(got: &Value, want: &Value) -> bool {
    let ty = match got {
        Value::Date(_) => crate::value::Type::Date,
        Value::DateTime(_) => crate::value::Type::DateTime { kind: crate::value::DateTimeKind::Civil },
        Value::Uuid(_) => crate::value::Type::Uuid,
        _ => return got == want || compare(got, want, Collation::Exact).is_some_and(|o| o.is_eq()),
    };
    literal_value(want, &ty).is_ok_and(|w| w == *got)
}

#[test]
fn examples_of_all_functions() {
    let mut wrong = vec![];
    for f in function::all() {
        for (text, result) in f.examples {
            match (value(text), value(result)) {
                (Ok(got), Ok(want)) if same(&got, &want) => {}
                (got, want) => wrong.push(format!("{text} is {got:?}, not {want:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn three_valued_logic() {
    for (text, result) in [
        ("null and false", "false"),
        ("null and true", "null"),
        ("null or true", "true"),
        ("null or false", "null"),
        ("not null", "null"),
        ("null is null", "true"),
        ("1 is not null", "true"),
        ("1 in (1, null)", "true"),
        ("2 in (1, null)", "null"),
        ("2 not in (1, null)", "null"),
        ("2 not in (1, 3)", "true"),
        ("case when null then 1 when true then 2 else 3 end", "2"),
        ("case when false then 1 end", "null"),
        ("'a' < 'b' and 1 <= 1.0 and 2 > 1.5", "true"),
        ("true == false", "false"),
        ("'abc' like 'a%' and not 'abc' like 'a_'", "true"),
    ] {
        assert_eq!(value(text), value(result), "{text}");
    }
}

#[test]
fn arithmetic_is_exact() {
    for (text, result) in [
        ("1 + 2 * 3", "7"),
        ("-(2 - 5)", "3"),
        ("0.1 + 0.2", "0.3"),
        ("10 / 4", "2.5"),
        ("1 / 3", "0.3333333333"),
        ("2 / 3", "0.6666666667"),
        ("-2 / 3", "-0.6666666667"),
        ("1.000000000000 / 3", "0.333333333333"),
        ("1 + null", "null"),
    ] {
        let (got, want) = (value(text).unwrap(), value(result).unwrap());
        assert!(same(&got, &want) || got == want, "{text} is {got}, not {want}");
    }
    for (text, reason) in [
        ("9223372036854775807 + 1", "the result has more digits than a number may have"),
        ("1 / 0", "divided by zero"),
        ("1 / (2 - 2.0)", "divided by zero"),
    ] {
        assert_eq!(value(text).unwrap_err(), reason, "{text}");
    }
}

#[test]
fn patterns() {
    for (text, pattern, fits) in [
        ("", "", true),
        ("", "%", true),
        ("a", "", false),
        ("abc", "abc", true),
        ("abc", "a%", true),
        ("abc", "%c", true),
        ("abc", "%b%", true),
        ("abc", "a_c", true),
        ("abc", "a_", false),
        ("aXbXc", "%X_", true),
        ("äöü", "_ö_", true),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "%a%a%a%a%a%b", false),
        ("ab", "a%b%", true),
        ("a%b", "a%%b", true),
    ] {
        assert_eq!(like(text, pattern, Collation::Exact), fits, "{text} like {pattern}");
    }
    assert!(like("ABC", "a%c", Collation::NoCase) && !like("ABC", "a%c", Collation::Exact));
}
