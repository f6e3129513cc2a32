//! The functions of the map language: one file each with signature, null rule, inverse, examples that are tests.
//!
//! A function is pure: it sees its arguments and the [`Context`], no clock, no randomness, no store.
//! `lookup_type(path)` is not here: it takes a lookup path, not a value, and belongs to the checker.

// `if` and `mod` are words of Rust, hence `if_` and `mod_`.
mod abs;
mod accept;
mod add_days;
mod add_months;
mod boolean;
mod calendar;
mod ceil;
mod coalesce;
mod concat;
mod contains;
mod date;
mod datetime;
mod day;
mod days_between;
mod decimal;
mod end_of_month;
mod ends_with;
mod float;
mod floor;
mod format_date;
mod greatest;
mod hash_text;
mod if_;
mod integer;
mod least;
mod left;
mod length;
mod local;
mod lower;
mod ltrim;
mod mod_;
mod month;
mod nullif;
mod pad_left;
mod pad_right;
mod parse_date;
mod reference;
mod replace;
mod right;
mod round;
mod rounding;
mod rtrim;
mod sign;
mod split;
mod start_of_month;
mod starts_with;
mod substring;
mod support;
mod text;
mod trim;
mod trunc;
mod truncate;
mod try_boolean;
mod try_date;
mod try_datetime;
mod try_decimal;
mod try_integer;
mod try_uuid;
mod upper;
mod utc;
mod uuid;
mod uuid_of;
mod year;

pub use accept::{Kind, Takes};
pub use reference::reference;

use crate::value::{Type, Value};

/// What a function does with null arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullRule {
    /// Any null argument gives null; the function never sees one.
    Strict,
    /// The function decides.
    Own,
}

/// What a call may read besides its arguments.
#[derive(Clone, Debug)]
pub struct Context {
    /// The project's time zone, for functions that need one.
    pub time_zone: jiff::tz::TimeZone,
}

/// Why a call, or typing it, failed: words for a person, without the function's name ("`x` is no whole number").
pub type Reason = String;

/// Types a result from the types of the arguments.
pub type Typed = fn(args: &[Arg]) -> Result<Type, Reason>;
/// Computes a result.
pub type Call = fn(context: &Context, args: &[Value]) -> Result<Value, Reason>;
/// The inverse of a function: see [`Function::inverse`].
pub type Inverse = fn(args: &[Arg]) -> Option<(&'static str, Vec<Value>)>;

/// A function of the language.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its signature for people: `substring(text, start, length) -> text`.
    pub signature: &'static str,
    /// What it does, in one or two sentences of Markdown.
    pub doc: &'static str,
    /// Fewest and most arguments.
    pub arity: (usize, usize),
    /// What each argument may be; the last entry holds for all further arguments.
    pub takes: &'static [Takes],
    /// What it does with nulls.
    pub nulls: NullRule,
    /// Types the result from the types of the arguments (an argument that is a literal comes with its value, so that
    /// `truncate(60)` is `text(60)`). Checks number and types of the arguments first.
    pub typed: Typed,
    /// Computes. Arguments are those that [`Function::accept`] gave.
    pub call: Call,
    /// The inverse in its first argument, if it has one: the function to call on the way back, with which arguments
    /// after the first. Gets all arguments, the first one for its type only, and gives back exactly what went in.
    pub inverse: Option<Inverse>,
    /// Examples: expression and result, both in the map language. They are documentation and tests.
    pub examples: &'static [(&'static str, &'static str)],
}

/// An argument as typing sees it.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its type.
    pub ty: Type,
    /// Its value where it is a literal.
    pub literal: Option<Value>,
}

/// The one list: by name in order.
static ALL: &[&Function] = &[
    &abs::F,
    &add_days::F,
    &add_months::F,
    &boolean::F,
    &ceil::F,
    &coalesce::F,
    &concat::F,
    &contains::F,
    &date::F,
    &datetime::F,
    &day::F,
    &days_between::F,
    &decimal::F,
    &end_of_month::F,
    &ends_with::F,
    &float::F,
    &floor::F,
    &format_date::F,
    &greatest::F,
    &hash_text::F,
    &if_::F,
    &integer::F,
    &least::F,
    &left::F,
    &length::F,
    &local::F,
    &lower::F,
    &ltrim::F,
    &mod_::F,
    &month::F,
    &nullif::F,
    &pad_left::F,
    &pad_right::F,
    &parse_date::F,
    &replace::F,
    &right::F,
    &round::F,
    &rtrim::F,
    &sign::F,
    &split::F,
    &start_of_month::F,
    &starts_with::F,
    &substring::F,
    &text::F,
    &trim::F,
    &trunc::F,
    &truncate::F,
    &try_boolean::F,
    &try_date::F,
    &try_datetime::F,
    &try_decimal::F,
    &try_integer::F,
    &try_uuid::F,
    &upper::F,
    &utc::F,
    &uuid::F,
    &uuid_of::F,
    &year::F,
];

/// All functions, by name in order.
pub fn all() -> &'static [&'static Function] {
    ALL
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    ALL.binary_search_by(|f| f.name.cmp(name)).ok().map(|i| ALL[i])
}

impl Function {
    /// Whether an argument is computed only where the ones before it do not settle the result, so that a failure in
    /// `b` does no harm to `if(true, a, b)`.
    pub fn lazy(&self) -> bool {
        matches!(self.name, "if" | "coalesce")
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.signature)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
