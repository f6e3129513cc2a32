//! Keys: typed values with the collation folded, and their one text form for state tables and messages.

use super::{Dec, Float, Type, Uuid, Value, parse_date, parse_datetime, write_datetime};

/// How a text column compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Collation {
    /// By its characters.
    #[default]
    Exact,
    /// Without regard to ASCII case (what SQLite calls NOCASE).
    NoCase,
}

impl Collation {
    /// The value as it compares: text in ASCII lower case under [`Collation::NoCase`], everything else as it is.
    pub fn fold(self, value: &Value) -> Value {
        match (self, value) {
            (Collation::NoCase, Value::Text(t)) if t.bytes().any(|b| b.is_ascii_uppercase()) => {
                Value::Text(t.to_ascii_lowercase())
            }
            _ => value.clone(),
        }
    }
}

/// The values of a key, collation folded; equal keys name the same record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub Box<[Value]>);

impl Key {
    /// Folds each value by its column's collation.
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a Value, Collation)>) -> Key {
        Key(values.into_iter().map(|(v, c)| c.fold(v)).collect())
    }
    /// The one text form: a JSON array of texts and nulls. Decimals lose their trailing zeros, so equal keys have
    /// equal texts.
    pub fn to_text(&self) -> String {
        let parts: Vec<serde_json::Value> = self
            .0
            .iter()
            .map(|v| match v {
                Value::Null => serde_json::Value::Null,
                Value::Text(t) => serde_json::Value::String(t.to_string()),
                Value::Decimal(d) => serde_json::Value::String(d.to_text()),
                Value::DateTime(d) => serde_json::Value::String(write_datetime(*d)),
                Value::Binary(b) => serde_json::Value::String(b.iter().map(|x| format!("{x:02x}")).collect()),
                other => serde_json::Value::String(other.to_string()),
            })
            .collect();
        serde_json::Value::Array(parts).to_string()
    }
    /// Reads [`Key::to_text`] back, given the columns' types. None where the text is not one of ours.
    pub fn parse(text: &str, types: &[Type]) -> Option<Key> {
        let parts: Vec<Option<String>> = serde_json::from_str(text).ok()?;
        if parts.len() != types.len() {
            return None;
        }
        parts
            .into_iter()
            .zip(types)
            .map(|(p, t)| p.map_or(Some(Value::Null), |s| read(&s, t)))
            .collect::<Option<_>>()
            .map(Key)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, v) in self.0.iter().enumerate() {
            write!(f, "{}{v}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

fn read(s: &str, ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::Null => return None,
        Type::Text { .. } | Type::Json => Value::text(s),
        Type::Integer | Type::Choice(_) => Value::Integer(s.parse().ok()?),
        Type::Decimal { .. } => Value::Decimal(Dec::parse(s)?),
        Type::Float => Value::Float(Float::new(s.parse().ok()?)?),
        Type::Boolean => Value::Boolean(s.parse().ok()?),
        Type::Date => Value::Date(parse_date(s)?),
        Type::DateTime { .. } => Value::DateTime(parse_datetime(s)?),
        Type::Uuid => Value::Uuid(Uuid::try_parse(s).ok()?),
        Type::Binary => {
            let bytes: Option<Vec<u8>> =
                s.as_bytes().chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok()).collect();
            Value::Binary(bytes?.into())
        }
    })
}
