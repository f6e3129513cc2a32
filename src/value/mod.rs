//! Values, types, exact decimals, dates, and the ONE table of conversions with what each may lose.

mod compare;
mod convert;
mod dec;
mod key;
mod literal;
mod temporal;

pub use compare::{common, compare, compare_text};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use convert::stored_decimal;
pub use convert::{Fit, advice, convert, fit, uuid_text};
pub(crate) use convert::{article, kind};
pub use dec::{Dec, Rounding};
pub use key::{Collation, Key};
pub use literal::{Literal, literal, literal_value, uuid};
pub use temporal::{date_text, datetime_text, parse_date, parse_datetime, write_datetime};

pub use compact_str::CompactString as Text;
pub use jiff::civil::{Date, DateTime};
pub use uuid::Uuid;

/// A value on its way between two stores. Inside maps there is one nothing: [`Value::Null`].
///
/// A choice travels as the [`Value::Integer`] of its member. A `datetime` is civil; that it means UTC is said by its
/// [`Type`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// The one nothing.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number, also the value of a choice.
    Integer(i64),
    /// An exact decimal; equality is by value, not by scale.
    Decimal(Dec),
    /// A binary float, compared by its bits (no NaN ever gets in).
    Float(Float),
    /// Text, also JSON.
    Text(Text),
    /// A calendar day.
    Date(Date),
    /// A day and time.
    DateTime(DateTime),
    /// A uuid.
    Uuid(Uuid),
    /// Bytes.
    Binary(Box<[u8]>),
}

/// A finite `f64` with equality and hash; `-0.0` is kept as `0.0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Float(f64);

impl Float {
    /// None for NaN and the infinities.
    pub fn new(f: f64) -> Option<Float> {
        f.is_finite().then_some(Float(if f == 0.0 { 0.0 } else { f }))
    }
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}
impl Eq for Float {}
impl std::hash::Hash for Float {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// What a column or an expression holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// The type of `null` alone; fits everything.
    Null,
    /// Text of at most `max` characters (Unicode scalar values); none = no limit.
    Text {
        /// Longest allowed text in characters.
        max: Option<u32>,
    },
    /// A 64-bit whole number.
    Integer,
    /// `decimal(precision, scale)`; none = any, as long as [`Dec`] holds it.
    Decimal {
        /// Total digits and digits after the point.
        limits: Option<(u8, u8)>,
    },
    /// A binary float.
    Float,
    /// True or false.
    Boolean,
    /// A calendar day.
    Date,
    /// A day and time.
    DateTime {
        /// Whether it is an instant (kept in UTC) or a wall-clock time of no zone.
        kind: DateTimeKind,
    },
    /// A uuid.
    Uuid,
    /// One of a closed list of members; travels as the member's number.
    Choice(std::sync::Arc<Choice>),
    /// Bytes.
    Binary,
    /// JSON text.
    Json,
}

/// What a `datetime` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateTimeKind {
    /// A point in time, kept in UTC (Dataverse's *user local*, finance's utcdatetime).
    Instant,
    /// The same reading of the clock everywhere (Dataverse's *time-zone independent*).
    Civil,
}

/// A closed list of members. Names compare exactly, or without regard to ASCII case where the store's names do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Choice {
    /// The members in the schema's order.
    pub members: Vec<Member>,
}

/// A member of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// The number that is stored and travels.
    pub value: i64,
    /// The name that maps use.
    pub name: String,
}

impl Choice {
    /// The member of that name, exactly, else the only one that equals it without regard to ASCII case.
    pub fn by_name(&self, name: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|m| m.name == name)
            .or_else(|| self.members.iter().find(|m| m.name.eq_ignore_ascii_case(name)))
    }
    /// The member of that number.
    pub fn by_value(&self, value: i64) -> Option<&Member> {
        self.members.iter().find(|m| m.value == value)
    }
}

impl Value {
    /// Whether this is the one nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
    /// Text from anything that reads as text.
    pub fn text(s: impl AsRef<str>) -> Value {
        Value::Text(Text::new(s))
    }
}

/// How a person reads the value in a message: text in quotes, the rest plainly.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Boolean(b) => write!(f, "{b}"),
            Value::Integer(i) => write!(f, "{i}"),
            Value::Decimal(d) => write!(f, "{d}"),
            Value::Float(x) => write!(f, "{}", x.get()),
            Value::Text(t) => write!(f, "'{}'", t.replace('\'', "''")),
            Value::Date(d) => write!(f, "{d}"),
            Value::DateTime(d) => f.write_str(&write_datetime(*d)),
            Value::Uuid(u) => write!(f, "{u}"),
            Value::Binary(b) => {
                write!(f, "0x")?;
                b.iter().take(32).try_for_each(|x| write!(f, "{x:02x}"))
            }
        }
    }
}

/// The type in words; of a datetime not which kind.
impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Null => f.write_str("null"),
            Type::Text { max: None } => f.write_str("text"),
            Type::Text { max: Some(n) } => write!(f, "text({n})"),
            Type::Integer => f.write_str("integer"),
            Type::Decimal { limits: None } => f.write_str("decimal"),
            Type::Decimal { limits: Some((p, s)) } => write!(f, "decimal({p},{s})"),
            Type::Float => f.write_str("float"),
            Type::Boolean => f.write_str("boolean"),
            Type::Date => f.write_str("date"),
            Type::DateTime { .. } => f.write_str("datetime"),
            Type::Uuid => f.write_str("uuid"),
            Type::Choice(_) => f.write_str("choice"),
            Type::Binary => f.write_str("binary"),
            Type::Json => f.write_str("json"),
        }
    }
}
