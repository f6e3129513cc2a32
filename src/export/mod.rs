//! Writes maps as dual-write's JSON. Where the document is there that a map came from, only what the map says otherwise
//! is changed in it: `document` finds out what, `line` and `filter` write the pieces, `refuse` says what cannot be said.

mod document;
mod filter;
mod line;
mod refuse;

pub use document::export;

use crate::diagnostic::Diagnostic;
use crate::import::json::Json;
use crate::schema::{StoreSchema, TableId};
use crate::syntax::ast::{Literal, LiteralKind, Map, Path, Side, ValuesDecl};
use crate::value::Type;

/// A map to be written, and what is around it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The map.
    pub map: &'a Map,
    /// The value maps of the project, by name.
    pub values: &'a [&'a ValuesDecl],
    /// The schemas of the left and the right store, where they are known.
    pub schemas: [Option<&'a StoreSchema>; 2],
    /// The document the map came from.
    pub kept: Option<&'a Json>,
    /// Without such a document: whether to write a whole record, with version and properties.
    pub record: bool,
}

/// A map as JSON.
pub struct Exported {
    /// The document.
    pub json: Json,
    /// What of the map stays behind, since dual-write keeps it elsewhere.
    pub notes: Vec<Diagnostic>,
}

impl Source<'_> {
    /// The type of what a path ends at.
    fn ty(&self, side: Side, path: &Path) -> Option<&Type> {
        let schema = self.schemas[if side == Side::Left { 0 } else { 1 }]?;
        let tables = &self.map.tables.as_ref()?.it;
        let name = if side == Side::Left { &tables.left.table.text } else { &tables.right.table.text };
        end(schema, schema.table(name)?, path)
    }

    /// What dual-write calls a value: finance knows members of choices by name, Dataverse by number.
    fn value(&self, literal: &Literal, side: Side, ty: Option<&Type>) -> Option<String> {
        let choice = match ty {
            Some(Type::Choice(c)) => Some(c),
            _ => None,
        };
        Some(match (&literal.kind, side, choice) {
            (LiteralKind::Null, ..) => return None,
            (LiteralKind::Text(t), Side::Right, Some(c)) => {
                c.by_name(t).map_or_else(|| t.clone(), |m| m.value.to_string())
            }
            (LiteralKind::Number(n), Side::Left, Some(c)) => {
                n.parse().ok().and_then(|n| c.by_value(n)).map_or_else(|| n.clone(), |m| m.name.clone())
            }
            (LiteralKind::Text(t), ..) => t.clone(),
            (LiteralKind::Number(n), ..) => n.clone(),
            (LiteralKind::Boolean(b), ..) => b.to_string(),
        })
    }
}

fn end<'s>(schema: &'s StoreSchema, table: TableId, path: &Path) -> Option<&'s Type> {
    let mut table = table;
    let (last, through) = path.steps.split_last()?;
    for step in through {
        table = schema.lookup(table, &step.name.text)?.targets.first()?.table;
    }
    if let Some(inner) = &last.inner {
        return end(schema, schema.table(&last.name.text)?, inner);
    }
    schema.column(table, &last.name.text).map(|c| &schema.get(table).column(c).ty)
}
