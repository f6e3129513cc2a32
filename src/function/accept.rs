//! Which arguments a function takes, and literals typed by where they stand.

use super::{Arg, Function, Reason};
use crate::value::{DateTimeKind, Type, Value, article, common, literal_value};

/// What an argument may be.
#[derive(Clone, Copy, Debug)]
pub struct Takes {
    /// The kinds it may be of; none = any.
    pub kinds: &'static [Kind],
    /// How a message calls it: "text", "an integer".
    pub what: &'static str,
    /// Whether only a literal will do.
    pub literal: bool,
    /// Whether all such arguments meet in one type (the arms of `if`, the arguments of `coalesce`).
    pub meets: bool,
}

/// Kinds of types, limits aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Text,
    Integer,
    Decimal,
    Float,
    Boolean,
    Date,
    /// A datetime of no zone.
    Civil,
    /// A datetime that is a point in time.
    Instant,
    Uuid,
    Choice,
    Binary,
    Json,
}

impl Takes {
    pub(super) const fn new(kinds: &'static [Kind], what: &'static str) -> Takes {
        Takes { kinds, what, literal: false, meets: false }
    }
    pub(super) const ANY: Takes = Takes::new(&[], "anything");
    pub(super) const MEETING: Takes = Takes { meets: true, ..Takes::ANY };
    pub(super) const TEXT: Takes = Takes::new(&[Kind::Text], "text");
    pub(super) const INTEGER: Takes = Takes::new(&[Kind::Integer], "an integer");
    pub(super) const SCALE: Takes = Takes { literal: true, what: "a whole number as a literal", ..Takes::INTEGER };
    pub(super) const NUMBER: Takes = Takes::new(&[Kind::Integer, Kind::Decimal], "an integer or a decimal");
    pub(super) const BOOLEAN: Takes = Takes::new(&[Kind::Boolean], "true or false");
    /// A date or a datetime of no zone. The day of an instant depends on where one stands.
    pub(super) const DAY: Takes = Takes::new(
        &[Kind::Date, Kind::Civil],
        "a date, or a datetime of no zone (for a point in time use `date(x)` or `local(x)`)",
    );
    pub(super) const ZONE: Takes = Takes { literal: true, what: "a time zone in quotes", ..Takes::TEXT };
    pub(super) const FORMAT: Takes = Takes { literal: true, what: "a format in quotes", ..Takes::TEXT };

    fn admits(&self, ty: &Type) -> bool {
        *ty == Type::Null || self.kinds.is_empty() || kind(ty).is_some_and(|k| self.kinds.contains(&k))
    }
}

fn kind(ty: &Type) -> Option<Kind> {
    Some(match ty {
        Type::Null => return None,
        Type::Text { .. } => Kind::Text,
        Type::Integer => Kind::Integer,
        Type::Decimal { .. } => Kind::Decimal,
        Type::Float => Kind::Float,
        Type::Boolean => Kind::Boolean,
        Type::Date => Kind::Date,
        Type::DateTime { kind: DateTimeKind::Civil } => Kind::Civil,
        Type::DateTime { kind: DateTimeKind::Instant } => Kind::Instant,
        Type::Uuid => Kind::Uuid,
        Type::Choice(_) => Kind::Choice,
        Type::Binary => Kind::Binary,
        Type::Json => Kind::Json,
    })
}

/// The types a text literal may turn into where they are expected.
fn written_as_text(kind: Kind) -> Option<Type> {
    Some(match kind {
        Kind::Date => Type::Date,
        Kind::Civil => Type::DateTime { kind: DateTimeKind::Civil },
        Kind::Instant => Type::DateTime { kind: DateTimeKind::Instant },
        Kind::Uuid => Type::Uuid,
        _ => return None,
    })
}

impl Function {
    /// Checks number and types of the arguments and gives them as the call must get them: literals typed by where
    /// they stand (`coalesce(SOME_DATE, '1900-01-01')`), and further arguments that follow from the types (the zone of
    /// `date(x)`). Whoever calls the function passes exactly these arguments.
    pub fn accept(&self, args: &[Arg]) -> Result<Vec<Arg>, Reason> {
        self.check_arity(args.len())?;
        let mut args = args.to_vec();
        for (i, arg) in args.iter_mut().enumerate() {
            let Some(takes) = self.takes.get(i).or(self.takes.last()) else {
                continue;
            };
            let bad = |ty: &Type| format!("argument {} must be {}, not {}", i + 1, takes.what, name(ty));
            if !takes.admits(&arg.ty) {
                let (value, ty) = retype(arg, takes).ok_or_else(|| bad(&arg.ty))?;
                *arg = Arg { ty, literal: Some(value) };
            }
            if takes.literal && arg.literal.as_ref().is_none_or(Value::is_null) {
                return Err(format!("argument {} must be {}", i + 1, takes.what));
            }
        }
        self.meet(&mut args)?;
        if self.name == "date" {
            super::date::settle_zone(&mut args)?;
        }
        Ok(args)
    }

    fn check_arity(&self, n: usize) -> Result<(), Reason> {
        let (min, max) = self.arity;
        if (min..=max).contains(&n) {
            return Ok(());
        }
        let wanted = match (min, max) {
            (1, 1) => "1 argument".to_string(),
            (a, b) if a == b => format!("{a} arguments"),
            (a, usize::MAX) => format!("at least {a} argument{}", if a == 1 { "" } else { "s" }),
            (a, b) => format!("{a} to {b} arguments"),
        };
        Err(format!("takes {wanted}, not {n}: `{}`", self.signature))
    }

    /// Brings the literals among the meeting arguments into the type in which the others meet.
    fn meet(&self, args: &mut [Arg]) -> Result<(), Reason> {
        let meets = |i: usize| self.takes.get(i).or(self.takes.last()).is_some_and(|t| t.meets);
        let mut met = Type::Null;
        for (i, a) in args.iter().enumerate().filter(|(i, a)| meets(*i) && a.literal.is_none()) {
            met = common(&met, &a.ty).ok_or_else(|| no_meeting(i, &a.ty, &met))?;
        }
        if met == Type::Null {
            // Literals only: they meet among themselves.
            return self.meeting_type(args).map(drop);
        }
        for (i, a) in args.iter_mut().enumerate().filter(|(i, a)| meets(*i) && a.literal.is_some()) {
            let Some(value) = a.literal.clone().filter(|v| !v.is_null()) else {
                continue;
            };
            // What meets by itself stays as it is: a longer text, a number of more digits.
            if common(&met, &a.ty).is_some() && !matches!(met, Type::Choice(_)) {
                continue;
            }
            let value = literal_value(&value, &met).map_err(|why| format!("argument {}: {why}", i + 1))?;
            *a = Arg { ty: met.clone(), literal: Some(value) };
        }
        Ok(())
    }

    /// The type in which the meeting ones of accepted arguments meet.
    pub(super) fn meeting_type(&self, args: &[Arg]) -> Result<Type, Reason> {
        let mut met = Type::Null;
        for (i, a) in args.iter().enumerate() {
            if self.takes.get(i).or(self.takes.last()).is_some_and(|t| t.meets) {
                met = common(&met, &a.ty).ok_or_else(|| no_meeting(i, &a.ty, &met))?;
            }
        }
        Ok(met)
    }
}

fn no_meeting(i: usize, ty: &Type, met: &Type) -> Reason {
    if matches!((ty, met), (Type::Choice(_), Type::Choice(_))) {
        return format!("argument {} is another choice than the arguments before it", i + 1);
    }
    format!("argument {} is {}, the arguments before it are {}", i + 1, name(ty), name(met))
}

fn name(ty: &Type) -> String {
    match ty {
        Type::Null => "null".into(),
        Type::Text { .. } => "text".into(),
        Type::Json => "json".into(),
        Type::DateTime { kind: DateTimeKind::Instant } => "a datetime that is a point in time".into(),
        Type::DateTime { kind: DateTimeKind::Civil } => "a datetime of no zone".into(),
        Type::Decimal { .. } => "a decimal".into(),
        other => article(&other.to_string()),
    }
}

/// A text literal as the date, datetime or uuid that is expected.
fn retype(arg: &Arg, takes: &Takes) -> Option<(Value, Type)> {
    let value = arg.literal.as_ref().filter(|v| matches!(v, Value::Text(_)))?;
    takes.kinds.iter().filter_map(|k| written_as_text(*k)).find_map(|ty| Some((literal_value(value, &ty).ok()?, ty)))
}

/// What the reference says about an inverse: tried with every kind of argument that the function takes.
pub(super) fn inverse_words(f: &Function) -> String {
    let Some(inverse) = f.inverse else {
        return "none".into();
    };
    let kinds = f.takes.first().map_or(&[][..], |t| t.kinds);
    let sample = |takes: &Takes| match takes.what {
        "a format in quotes" => Value::text("%Y-%m-%d"),
        "a time zone in quotes" => Value::text("UTC"),
        _ => Value::Integer(1),
    };
    let found: Vec<(String, &str)> = kinds
        .iter()
        .filter_map(|k| {
            let ty = sample_type(*k)?;
            let rest = f.takes[1..].iter().map(|t| Arg { ty: Type::Null, literal: Some(sample(t)) });
            let with: Vec<Arg> = std::iter::once(Arg { ty: ty.clone(), literal: None }).chain(rest).collect();
            let back = inverse(&with).or_else(|| inverse(&with[..1]))?.0;
            Some((name(&ty), back))
        })
        .collect();
    let words: Vec<String> = found.iter().map(|(ty, back)| format!("of {ty} `{back}`")).collect();
    words.join(", ") + restriction(f.name)
}

fn restriction(function: &str) -> &'static str {
    match function {
        "add_days" => " of as many days the other way, where the number is a literal",
        "format_date" => " of the same format, where that holds year, month and day",
        "parse_date" => " of the same format",
        "uuid" => " (in small letters, without braces)",
        "local" | "utc" => " where the zone is one that never changes its clocks, such as 'UTC'",
        _ => "",
    }
}

fn sample_type(kind: Kind) -> Option<Type> {
    Some(match kind {
        Kind::Text => Type::Text { max: None },
        Kind::Integer => Type::Integer,
        Kind::Decimal => Type::Decimal { limits: None },
        Kind::Float => Type::Float,
        Kind::Boolean => Type::Boolean,
        Kind::Date => Type::Date,
        Kind::Civil => Type::DateTime { kind: DateTimeKind::Civil },
        Kind::Instant => Type::DateTime { kind: DateTimeKind::Instant },
        Kind::Uuid => Type::Uuid,
        Kind::Json => Type::Json,
        Kind::Choice | Kind::Binary => return None,
    })
}
