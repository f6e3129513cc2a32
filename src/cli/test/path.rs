//! Paths of a test's cells, resolved in a store's schema.

use crate::diagnostic::did_you_mean;
use crate::schema::{ColumnId, LookupTarget, StoreSchema, TableId};
use crate::syntax::ast;
use crate::value::{self, Value};

/// One lookup followed: which one of the table, to which of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub lookup: usize,
    pub target: usize,
}

/// Where a path ends.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub hops: Vec<Hop>,
    pub table: TableId,
    pub column: ColumnId,
}

/// A sentence about what is wrong.
pub(super) type Wrong = String;

/// Follows a path from a table.
pub(super) fn resolve(schema: &StoreSchema, table: TableId, path: &ast::Path) -> Result<Resolved, Wrong> {
    let mut hops = Vec::new();
    let (table, column) = walk(schema, table, path, &mut hops)?;
    Ok(Resolved { hops, table, column })
}

fn walk(
    schema: &StoreSchema,
    mut table: TableId,
    path: &ast::Path,
    hops: &mut Vec<Hop>,
) -> Result<(TableId, ColumnId), Wrong> {
    if path.this {
        return Err("`this` has no meaning in a test".into());
    }
    let mut steps = path.steps.iter().peekable();
    while let Some(step) = steps.next() {
        let name = step.name.text.as_str();
        let t = schema.get(table);
        if steps.peek().is_none() {
            return match schema.column(table, name) {
                Some(column) => Ok((table, column)),
                None => Err(unknown("column", name, &t.name, t.columns.iter().map(|c| c.name.as_str()))),
            };
        }
        let Some(lookup) = position(schema, table, name) else {
            return Err(match schema.column(table, name) {
                Some(_) => format!("`{name}` of `{}` is no lookup", t.name),
                None => unknown("lookup", name, &t.name, t.lookups.iter().map(|l| l.name.as_str())),
            });
        };
        let targets = &t.lookups[lookup].targets;
        let names = || targets.iter().map(|x| format!("`{}`", schema.get(x.table).name)).collect::<Vec<_>>().join(", ");
        match steps.peek() {
            Some(next) if next.inner.is_some() => {
                let wanted = schema.table(&next.name.text);
                let Some(target) = targets.iter().position(|x| Some(x.table) == wanted) else {
                    return Err(format!("`{name}` does not point to `{}`; it points to {}", next.name.text, names()));
                };
                hops.push(Hop { lookup, target });
                let inner = next.inner.as_ref().ok_or("a path without an end")?;
                let end = walk(schema, targets[target].table, inner, hops)?;
                steps.next();
                if steps.peek().is_some() {
                    return Err(format!("a test names one table of `{name}`, not several"));
                }
                return Ok(end);
            }
            _ if targets.len() > 1 => {
                return Err(format!("`{name}` may point to {}; say which: `{name}.TABLE(column)`", names()));
            }
            _ => {
                let Some(target) = targets.first() else { return Err(format!("`{name}` points to no table")) };
                hops.push(Hop { lookup, target: 0 });
                table = target.table;
            }
        }
    }
    Err("an empty path".into())
}

fn position(schema: &StoreSchema, table: TableId, name: &str) -> Option<usize> {
    let found = schema.lookup(table, name)?;
    schema.get(table).lookups.iter().position(|l| std::ptr::eq(l, found))
}

fn unknown<'a>(what: &str, name: &str, table: &str, known: impl Iterator<Item = &'a str>) -> Wrong {
    let hint = did_you_mean(name, known).map_or(String::new(), |h| format!("; {h}"));
    format!("table `{table}` has no {what} `{name}`{hint}")
}

/// The target a hop follows.
pub(super) fn target(schema: &StoreSchema, table: TableId, hop: Hop) -> &LookupTarget {
    &schema.get(table).lookups[hop.lookup].targets[hop.target]
}

/// A literal as a value of a column.
pub(super) fn typed(schema: &StoreSchema, at: &Resolved, literal: &ast::Literal) -> Result<Value, Wrong> {
    let column = schema.get(at.table).column(at.column);
    let literal = match &literal.kind {
        ast::LiteralKind::Text(t) => value::Literal::Text(t),
        ast::LiteralKind::Number(n) => value::Literal::Number(n),
        ast::LiteralKind::Boolean(b) => value::Literal::Boolean(*b),
        ast::LiteralKind::Null => value::Literal::Null,
    };
    value::literal(literal, &column.ty).map_err(|why| format!("`{}` is {}: {why}", column.name, column.ty))
}
