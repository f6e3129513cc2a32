//! What a map is analysed in: its two tables, the project's value maps.

use super::Input;
use super::ir::TableAt;
use crate::schema::{Column, ColumnId, StoreSchema, Table, TableId};
use crate::syntax::ast::{Arrow, Map, Side, Tables, ValuesDecl};
use std::collections::HashMap;

/// One side of a map.
#[derive(Clone, Copy)]
pub(crate) struct SideAt<'a> {
    pub(crate) at: TableAt,
    pub(crate) store: &'a str,
    pub(crate) schema: &'a StoreSchema,
}

impl<'a> SideAt<'a> {
    pub(crate) fn id(&self) -> TableId {
        self.at.table
    }
    pub(crate) fn table(&self) -> &'a Table {
        self.schema.get(self.at.table)
    }
    pub(crate) fn column(&self, id: ColumnId) -> &'a Column {
        self.table().column(id)
    }
    /// `store.table`
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.store, self.table().name)
    }
}

/// A map with its surroundings.
pub(crate) struct Env<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) values: &'a HashMap<&'a str, &'a ValuesDecl>,
    pub(crate) map: &'a Map,
    pub(crate) tables: &'a Tables,
    pub(crate) left: SideAt<'a>,
    pub(crate) right: SideAt<'a>,
}

impl<'a> Env<'a> {
    pub(crate) fn side(&self, side: Side) -> SideAt<'a> {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
    /// Whether there is a leg into a side.
    pub(crate) fn has_leg(&self, into: Side) -> bool {
        match self.tables.arrow {
            Arrow::Both => true,
            Arrow::ToLeft => into == Side::Left,
            Arrow::ToRight => into == Side::Right,
        }
    }
    pub(crate) fn two_way(&self) -> bool {
        self.tables.arrow == Arrow::Both
    }
}
