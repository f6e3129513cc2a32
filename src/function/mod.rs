//! The functions of the map language: one file each with signature, null rule, inverse, examples that are tests.

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
    /// What it does with nulls.
    pub nulls: NullRule,
    /// Types the result from the types of the arguments (an argument that is a literal comes with its value, so that
    /// `truncate(60)` is `text(60)`).
    pub typed: fn(args: &[Arg]) -> Result<Type, Reason>,
    /// Computes. Arguments have types that [`Function::typed`] accepted.
    pub call: fn(context: &Context, args: &[Value]) -> Result<Value, Reason>,
    /// The inverse in its first argument, if it has one: the function to call on the way back, with which remaining
    /// arguments (given the literal arguments after the first).
    pub inverse: Option<fn(args: &[Arg]) -> Option<(&'static str, Vec<Value>)>>,
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

/// All functions, by name in order.
pub fn all() -> &'static [&'static Function] {
    &[]
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    all().iter().find(|f| f.name == name).copied()
}
