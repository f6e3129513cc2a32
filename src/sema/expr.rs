//! Checked expressions: typed, slots resolved, evaluated per record.

use crate::function::{Context, Function};
pub use crate::store::Comparison;
use crate::value::{Choice, Collation, Type, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// A checked expression over the cells of a source row ([`crate::store::ReadPlan`]).
#[derive(Debug, Clone)]
pub enum Expr {
    /// A constant, already of its type.
    Constant(Value),
    /// A cell.
    Slot(usize),
    /// The first of (found flag slot, cell slot) whose flag is true, else null: a polymorphic path.
    FirstFound(Vec<(usize, usize)>),
    /// The cell of an answer about related rows.
    Related(usize),
    /// A function call; null rule applied here.
    Call(FunctionRef, Vec<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `x and y and …`
    And(Vec<Expr>),
    /// `x or y or …`
    Or(Vec<Expr>),
    /// A comparison of two values of one type (or integer with decimal).
    Compare(Comparison, Collation, Box<Expr>, Box<Expr>),
    /// `x is null`
    IsNull(Box<Expr>),
    /// `x in (…)`; a null in the list makes a non-member null, as in SQL.
    In(Box<Expr>, Collation, Vec<Value>),
    /// `x like pattern`
    Like(Box<Expr>, Collation, String),
    /// `x + y` and the like on integers or decimals; exact, or an error. Division names its scale.
    Arithmetic(ast_op::Arithmetic, Box<Expr>, Box<Expr>),
    /// `case`
    Case(Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// A conversion that loses nothing or is checked for each record.
    Convert(Box<Expr>, Type),
    /// A value map.
    Map(Box<ValueMap>),
    /// `default LITERAL`: what a null result becomes.
    Default(Box<Expr>, Value),
}

/// Operators on numbers.
pub mod ast_op {
    /// `+ - * /`
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[allow(missing_docs)]
    pub enum Arithmetic {
        Add,
        Subtract,
        Multiply,
        /// Rounded half away from zero to this many digits after the point.
        Divide {
            scale: u8,
        },
    }
}

/// A function by reference.
#[derive(Clone, Copy)]
pub struct FunctionRef(pub &'static Function);

impl std::fmt::Debug for FunctionRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// A value map in one direction.
#[derive(Debug, Clone)]
pub struct ValueMap {
    /// What is mapped.
    pub of: Expr,
    /// How text compares (keys are folded by it).
    pub collation: Collation,
    /// Folded value to value.
    pub pairs: HashMap<Value, Value>,
    /// What null becomes; none = null goes through.
    pub null: Option<Value>,
    /// What an unmapped value becomes.
    pub otherwise: Otherwise,
    /// Its name, or the line's text, for messages.
    pub name: String,
    /// The choice whose numbers are mapped, for messages.
    pub choice: Option<Arc<Choice>>,
}

/// What an unmapped value becomes.
#[derive(Debug, Clone)]
pub enum Otherwise {
    /// An error.
    Error,
    /// Itself.
    Pass,
    /// This.
    Value(Value),
}

/// Why an expression has no value for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// In words, without the value.
    pub reason: String,
    /// The value at fault, if there is one.
    pub value: Option<Value>,
    /// What to do about it.
    pub remedy: String,
}

impl Expr {
    /// Calls `f` on this and everything below it, inner ones first.
    pub(crate) fn each_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        match self {
            Expr::Constant(_) | Expr::Slot(_) | Expr::FirstFound(_) | Expr::Related(_) => {}
            Expr::Call(_, items) | Expr::And(items) | Expr::Or(items) => items.iter_mut().for_each(|e| e.each_mut(f)),
            Expr::Negate(x)
            | Expr::Not(x)
            | Expr::IsNull(x)
            | Expr::In(x, _, _)
            | Expr::Like(x, _, _)
            | Expr::Convert(x, _)
            | Expr::Default(x, _) => x.each_mut(f),
            Expr::Compare(_, _, a, b) | Expr::Arithmetic(_, a, b) => {
                a.each_mut(f);
                b.each_mut(f);
            }
            Expr::Case(arms, otherwise) => {
                for (c, r) in arms {
                    c.each_mut(f);
                    r.each_mut(f);
                }
                if let Some(e) = otherwise {
                    e.each_mut(f);
                }
            }
            Expr::Map(m) => m.of.each_mut(f),
        }
        f(self);
    }
    /// Whether a condition holds: true, not false and not null.
    pub fn holds(&self, context: &Context, row: &[Value]) -> Result<bool, EvalError> {
        Ok(matches!(*self.eval(context, row)?, Value::Boolean(true)))
    }
}
