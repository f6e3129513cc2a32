use super::*;
use crate::value::{Date, DateTimeKind, Float, Member, Uuid};

fn text(max: u32) -> Type {
    Type::Text { max: Some(max) }
}

fn dec(p: u8, s: u8) -> Type {
    Type::Decimal { limits: Some((p, s)) }
}

fn choice(numbers: &[i64]) -> Type {
    let members = numbers.iter().map(|&value| Member { value, name: format!("m{value}") }).collect();
    Type::Choice(Choice { members }.into())
}

const ANY_TEXT: Type = Type::Text { max: None };
const ANY_DEC: Type = Type::Decimal { limits: None };
const CIVIL: Type = Type::DateTime { kind: DateTimeKind::Civil };
const INSTANT: Type = Type::DateTime { kind: DateTimeKind::Instant };

/// One type of each kind, some with limits.
fn all() -> Vec<Type> {
    vec![
        Type::Null,
        ANY_TEXT,
        text(10),
        text(60),
        Type::Integer,
        ANY_DEC,
        dec(5, 2),
        dec(32, 6),
        dec(18, 0),
        dec(38, 0),
        Type::Float,
        Type::Boolean,
        Type::Date,
        CIVIL,
        INSTANT,
        Type::Uuid,
        choice(&[1, 2]),
        choice(&[1, 2, 3]),
        Type::Binary,
        Type::Json,
    ]
}

#[test]
fn the_table() {
    let mut out = String::new();
    for from in all() {
        let row: String = all()
            .iter()
            .map(|to| match fit(&from, to) {
                Fit::Lossless => '=',
                Fit::Checked => '?',
                Fit::Lossy => '~',
                Fit::Never => '.',
            })
            .collect();
        out += &format!("{row}  {from}\n");
    }
    let expected = "\
====================  null
.=??~~~~~~~.~~~~...?  text
.===~~~~~~~.~~~~...?  text(10)
.=?=~~~~~~~.~~~~...?  text(60)
.=?===?=?=~.....??..  integer
.=??~=~~~~~.........  decimal
.===~===~~~.........  decimal(5,2)
.=?=~=~=~~~.........  decimal(32,6)
.=?===?===~.........  decimal(18,0)
.=?=?=???=~.........  decimal(38,0)
.~~~~~~~~~=.........  float
...........=........  boolean
.~~~........=~~.....  date
.~~~........~=~.....  datetime
.~~~........~~=.....  datetime
.=.=...........=....  uuid
................==..  choice
.................=..  choice
..................=.  binary
.=??...............=  json
";
    assert_eq!(out, expected);
}

#[test]
fn what_needs_asking_has_advice() {
    for from in all() {
        for to in all() {
            if fit(&from, &to) == Fit::Lossy {
                assert!(advice(&from, &to).is_some(), "{from} to {to}");
            }
        }
    }
}

#[test]
fn converts_or_says_why() {
    let d = |s| Dec::parse(s).map(Value::Decimal).unwrap();
    let show = |v: Value, t: &Type| convert(v, t).map(|v| v.to_string()).unwrap_or_else(|e| e);
    for (v, ty, expected) in [
        (Value::Null, Type::Integer, "null"),
        (Value::text("äöü"), text(3), "'äöü'"),
        (Value::text("äöüß"), text(3), "longer than 3 characters"),
        (Value::text("ab"), text(1), "longer than 1 character"),
        (Value::text("{\"a\":1}"), Type::Json, "'{\"a\":1}'"),
        (Value::text("{"), Type::Json, "not valid JSON"),
        (Value::text("1"), Type::Integer, "a text, not an integer"),
        (Value::text("x"), Type::Boolean, "a text, not a boolean"),
        (Value::Integer(7), ANY_DEC, "7"),
        (Value::Integer(1000), dec(5, 2), "longer than 3 digits before the point"),
        (Value::Integer(7), text(1), "'7'"),
        (Value::Integer(17), text(1), "longer than 1 character"),
        (Value::Integer(2), choice(&[1, 2]), "2"),
        (Value::Integer(3), choice(&[1, 2]), "not a member of the choice"),
        (Value::Integer(3), Type::Float, "an integer, not a float"),
        (d("1.500"), dec(5, 2), "1.500"),
        (d("1.505"), dec(5, 2), "longer than 2 digits after the point"),
        (d("3.00"), Type::Integer, "3"),
        (d("3.01"), Type::Integer, "not whole"),
        (d("9223372036854775808"), Type::Integer, "too large for an integer"),
        (d("1.10"), ANY_TEXT, "'1.1'"),
        (Float::new(1.5).map(Value::Float).unwrap(), ANY_DEC, "a float, not a decimal"),
        (Value::Uuid(Uuid::nil()), text(36), "'00000000-0000-0000-0000-000000000000'"),
        (Value::Uuid(Uuid::nil()), text(35), "a uuid, not a text(35)"),
        (Value::Date(Date::ZERO), CIVIL, "a date, not a datetime"),
        (Value::Boolean(true), Type::Boolean, "true"),
        (Value::Boolean(true), ANY_TEXT, "a boolean, not a text"),
    ] {
        assert_eq!(show(v.clone(), &ty), expected, "{v} into {ty}");
    }
}

#[test]
fn choices_with_the_same_numbers_and_other_names_do_not_meet() {
    let named = |names: [&str; 2]| {
        let members = names.iter().zip(0..).map(|(n, value)| Member { value, name: n.to_string() }).collect();
        Type::Choice(Choice { members }.into())
    };
    assert_eq!(fit(&named(["No", "Yes"]), &named(["no", "yes"])), Fit::Lossless);
    assert_eq!(fit(&named(["No", "Yes"]), &named(["Active", "Inactive"])), Fit::Never);
}
