//! Random tables: their columns, what a schema says of them, and what people write into them.

use super::oracle::V;
use crate::simulate::Rng;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Text(u32),
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
    Uuid,
    Choice,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
    /// Its text compares without regard to case.
    pub folds: bool,
    /// The empty text stands for null.
    pub blank: bool,
    pub lookup: Option<String>,
}

impl Column {
    pub fn new(name: &str, kind: Kind) -> Column {
        Column { name: name.into(), kind, required: false, folds: false, blank: false, lookup: None }
    }
    pub fn required(mut self) -> Column {
        self.required = true;
        self
    }
    pub fn refers(mut self, to: &str) -> Column {
        self.lookup = Some(to.into());
        self
    }
    /// A random one, that may be null.
    pub fn any(name: &str, rng: &mut Rng) -> Column {
        let kinds = [
            Kind::Text(6),
            Kind::Text(30),
            Kind::Text(30),
            Kind::Integer,
            Kind::Integer,
            Kind::Decimal,
            Kind::Boolean,
            Kind::Date,
            Kind::DateTime,
            Kind::Uuid,
            Kind::Choice,
        ];
        let mut c = Column::new(name, rng.pick(&kinds).clone());
        c.blank = matches!(c.kind, Kind::Text(_)) && rng.chance(20);
        c
    }
    fn schema(&self) -> String {
        let mut s = match &self.kind {
            Kind::Text(n) => format!("type: text({n})"),
            Kind::Integer => "type: integer".into(),
            Kind::Decimal => "type: \"decimal(12,2)\"".into(),
            Kind::Boolean => "type: boolean".into(),
            Kind::Date => "type: date".into(),
            Kind::DateTime => "type: datetime".into(),
            Kind::Uuid => "type: uuid".into(),
            Kind::Choice => "type: choice, choice: { Open: 1, Paid: 2, Sent: 3 }".into(),
        };
        for (on, word) in [
            (self.required, ", required: true"),
            (self.folds, ", collation: case-insensitive"),
            (self.blank, ", blank: \"\""),
        ] {
            if on {
                s.push_str(word);
            }
        }
        if let Some(to) = &self.lookup {
            s.push_str(&format!(", lookup: {to}"));
        }
        format!("      {}: {{ {s} }}\n", self.name)
    }
    /// A literal of SQL; few different ones, so that rows meet.
    pub fn sql(&self, rng: &mut Rng) -> String {
        if !self.required && rng.chance(18) {
            return "null".into();
        }
        let all: &[&str] = match (&self.kind, &self.lookup) {
            (Kind::Integer, Some(_)) => &["1", "2", "3", "4"],
            (Kind::Text(_), Some(_)) => &["'p1'", "'p2'", "'p3'", "'p4'"],
            (Kind::Text(n), _) if *n <= 8 => &["'a'", "'B'", "' c '", "''", "'abc'", "'Abc'"],
            (Kind::Text(_), _) => &["'a'", "'B'", "' c '", "''", "'a longer one'", "'Abc'", "'it''s'"],
            (Kind::Integer, _) => &["0", "1", "2", "5", "-3"],
            (Kind::Decimal, _) => &["'0'", "'1.5'", "'2.25'", "'-3'", "'10.10'"],
            (Kind::Boolean, _) => &["0", "1"],
            (Kind::Date, _) => &["'2026-01-31'", "'2026-02-28'", "'2024-02-29'"],
            (Kind::DateTime, _) => &["'2026-01-31T10:00:00'", "'2026-02-28T23:59:59'"],
            (Kind::Uuid, _) => &["'0d000000-0000-4000-8000-000000000001'", "'0d000000-0000-4000-8000-000000000002'"],
            (Kind::Choice, _) => &["1", "2", "3"],
        };
        rng.pick(all).to_string()
    }
    /// A value as this column shows it.
    pub fn seen(&self, v: V) -> V {
        match v {
            V::Text(t) if self.blank && t.is_empty() => V::Null,
            V::Text(t) if self.folds => V::Text(t.to_lowercase()),
            v => v,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Table {
    pub store: String,
    pub name: String,
    pub key: Vec<String>,
    pub alternate: Vec<String>,
    pub columns: Vec<Column>,
    /// Its key is a number that the store gives.
    pub generated: bool,
    pub elsewhere: bool,
}

impl Table {
    pub fn place(&self) -> String {
        format!("{}.{}", self.store, self.name)
    }
    pub fn column(&self, name: &str) -> &Column {
        self.columns.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no column {}.{name}", self.name))
    }
    pub fn schema(&self) -> String {
        let columns: String = self
            .columns
            .iter()
            .map(|c| match self.generated && self.key == [c.name.clone()] {
                true => format!("      {}: {{ type: integer, generated: true }}\n", c.name),
                false => c.schema(),
            })
            .collect();
        let mut s = format!("  {}:\n    primary_key: [{}]\n", self.name, self.key.join(", "));
        if self.elsewhere {
            s.push_str("    filled: elsewhere\n");
        }
        s.push_str(&format!("    columns:\n{columns}"));
        if !self.alternate.is_empty() {
            s.push_str(&format!("    alternate_keys: [[{}]]\n", self.alternate.join(", ")));
        }
        s
    }
    /// Everything in it.
    pub fn select(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        format!("select {} from {}", names.join(", "), self.name)
    }
}
