//! The rows a test begins with: those it gives, those its paths look up, and harmless values for what it leaves out.

use super::path::{Hop, Resolved, Wrong, resolve, target, typed};
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::store::Store;
use crate::syntax::ast;
use crate::value::{Date, Type, Uuid, Value, compare};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row in the making.
#[derive(Clone, Debug)]
pub(super) struct GivenRow {
    pub store: usize,
    pub table: TableId,
    pub values: BTreeMap<ColumnId, Value>,
    /// Given for one of the map's sides (else looked up, or another table's).
    pub of_side: bool,
    gone: bool,
}

/// All rows of a test.
pub(super) struct Given {
    stores: Vec<(String, Arc<StoreSchema>)>,
    companies: Vec<String>,
    pub rows: Vec<GivenRow>,
    serial: i64,
}

struct Cell {
    hops: Vec<Hop>,
    column: ColumnId,
    value: Value,
}

impl Given {
    pub fn new(stores: &[(String, Arc<StoreSchema>)], companies: Option<&[String]>) -> Given {
        Given { stores: stores.to_vec(), companies: companies.unwrap_or_default().to_vec(), rows: vec![], serial: 0 }
    }

    fn schema(&self, row: usize) -> Arc<StoreSchema> {
        self.stores[self.rows[row].store].1.clone()
    }

    /// Takes the rows of `given` steps: (store, table, whether it is a side's, the row).
    pub fn take(&mut self, given: &[(usize, TableId, bool, &ast::Row)]) -> Result<(), Wrong> {
        let mut later: Vec<(bool, usize, Vec<Cell>)> = Vec::new();
        for (store, table, of_side, row) in given {
            let schema = self.stores[*store].1.clone();
            let mut values = BTreeMap::new();
            let mut cells = Vec::new();
            for cell in &row.cells {
                let at: Resolved = resolve(&schema, *table, &cell.path)?;
                let value = typed(&schema, &at, &cell.value)?;
                if at.hops.is_empty() {
                    values.insert(at.column, value);
                } else {
                    cells.push(Cell { hops: at.hops, column: at.column, value });
                }
            }
            self.rows.push(GivenRow { store: *store, table: *table, values, of_side: *of_side, gone: false });
            later.push((*of_side, self.rows.len() - 1, cells));
        }
        // Rows of other tables first, so that the paths of the sides find them.
        later.sort_by_key(|(of_side, _, _)| *of_side);
        for (_, row, cells) in later {
            self.look_up(row, cells)?;
        }
        self.complete()
    }

    /// Makes or finds the rows that a row's paths look up.
    fn look_up(&mut self, row: usize, cells: Vec<Cell>) -> Result<(), Wrong> {
        let schema = self.schema(row);
        let table = self.rows[row].table;
        let company = schema.get(table).company;
        let mut groups: Vec<(Hop, Vec<Cell>)> = Vec::new();
        for mut cell in cells {
            let hop = cell.hops.remove(0);
            match groups.iter_mut().find(|(h, _)| *h == hop) {
                Some((_, g)) => g.push(cell),
                None => groups.push((hop, vec![cell])),
            }
        }
        // What says the company comes first: other lookups may need it.
        let says_company = |hop: Hop| company.is_some_and(|c| target(&schema, table, hop).columns == [c]);
        groups.sort_by_key(|(hop, _)| !says_company(*hop));
        for (hop, cells) in groups {
            let to = target(&schema, table, hop).clone();
            let (direct, nested): (Vec<Cell>, Vec<Cell>) = cells.into_iter().partition(|c| c.hops.is_empty());
            let mut values: BTreeMap<ColumnId, Value> = direct.into_iter().map(|c| (c.column, c.value)).collect();
            let mut inherited: BTreeMap<ColumnId, Value> = BTreeMap::new();
            for (column, key) in to.columns.iter().zip(&to.key) {
                if let Some(v) = self.rows[row].values.get(column)
                    && !values.contains_key(key)
                {
                    inherited.insert(*key, v.clone());
                }
            }
            let theirs = schema.get(to.table).company;
            if let (Some(theirs), Some(ours)) = (theirs, company)
                && let Some(v) = self.rows[row].values.get(&ours)
                && schema.get(to.table).column(theirs).ty == schema.get(table).column(ours).ty
                && !values.contains_key(&theirs)
            {
                inherited.entry(theirs).or_insert_with(|| v.clone());
            }
            let store = self.rows[row].store;
            let said: Vec<ColumnId> = values.keys().copied().collect();
            values.extend(inherited.clone());
            self.rows.push(GivenRow { store, table: to.table, values, of_side: false, gone: false });
            let new = self.rows.len() - 1;
            self.look_up(new, nested)?;
            let found = self.like(new, &said, &inherited);
            let found = match found {
                Some(known) => {
                    self.rows[new].gone = true;
                    known
                }
                None => new,
            };
            for (column, key) in to.columns.iter().zip(&to.key) {
                let value = self.value_of(found, *key)?;
                self.rows[row].values.insert(*column, value);
            }
            if let Some(c) = schema.get(table).lookups[hop.lookup].type_column {
                self.rows[row].values.insert(c, Value::text(&schema.get(to.table).name));
            }
        }
        Ok(())
    }

    /// An earlier row that holds all that is said of a new one.
    fn like(&self, new: usize, said: &[ColumnId], inherited: &BTreeMap<ColumnId, Value>) -> Option<usize> {
        let wanted = &self.rows[new];
        let schema = &self.stores[wanted.store].1;
        let same = |column: ColumnId, a: &Value, b: &Value| {
            let collation = schema.get(wanted.table).column(column).collation;
            a == b || compare(a, b, collation) == Some(Ordering::Equal)
        };
        self.rows[..new].iter().position(|r| {
            !r.gone
                && r.store == wanted.store
                && r.table == wanted.table
                && wanted.values.iter().all(|(c, v)| match r.values.get(c) {
                    Some(known) => same(*c, known, v),
                    None => inherited.contains_key(c) && !said.contains(c),
                })
        })
    }

    /// A row's value in a column, made up where it has none.
    fn value_of(&mut self, row: usize, column: ColumnId) -> Result<Value, Wrong> {
        if let Some(v) = self.rows[row].values.get(&column) {
            return Ok(v.clone());
        }
        let v = self.made_up(row, column)?;
        self.rows[row].values.insert(column, v.clone());
        Ok(v)
    }

    /// Harmless values for keys and required columns that were not given.
    fn complete(&mut self) -> Result<(), Wrong> {
        let mut i = 0;
        while i < self.rows.len() {
            if self.rows[i].gone {
                i += 1;
                continue;
            }
            let schema = self.schema(i);
            let table = schema.get(self.rows[i].table);
            for (c, column) in table.columns.iter().enumerate() {
                let id = ColumnId(c as u32);
                let key = table.primary_key.contains(&id);
                let by_itself = column.default.is_some() || column.blank.is_some();
                let needed = (key && !(column.generated && column.ty == Type::Integer))
                    || (column.required && !by_itself && !column.generated);
                if needed {
                    self.value_of(i, id)?;
                }
            }
            i += 1;
        }
        Ok(())
    }

    fn made_up(&mut self, row: usize, column: ColumnId) -> Result<Value, Wrong> {
        let schema = self.schema(row);
        let (store, table) = (self.rows[row].store, self.rows[row].table);
        let t = schema.get(table);
        let c = t.column(column);
        let is_company = t.company == Some(column);
        // A required reference gets a row to point to; a company is an existing one if there is any.
        let alone = t.lookups.iter().find(|l| l.targets.len() == 1 && l.targets[0].columns == [column]);
        if let Some(lookup) = alone {
            let to = &lookup.targets[0];
            let there = self.rows.iter().position(|r| !r.gone && r.store == store && r.table == to.table);
            let found = match there {
                Some(known) if is_company => known,
                _ => {
                    let values = BTreeMap::new();
                    self.rows.push(GivenRow { store, table: to.table, values, of_side: false, gone: false });
                    self.rows.len() - 1
                }
            };
            return self.value_of(found, to.key[0]);
        }
        if is_company
            && matches!(c.ty, Type::Text { .. })
            && let Some(known) = self.some_company(store).or_else(|| self.companies.first().cloned())
        {
            return Ok(Value::text(known));
        }
        self.serial += 1;
        let n = self.serial;
        Ok(match &c.ty {
            Type::Text { max } => {
                let text = format!("x{n}");
                let skip = max.map_or(0, |m| text.len().saturating_sub(m as usize));
                Value::text(&text[skip..])
            }
            Type::Integer => Value::Integer(n),
            Type::Decimal { .. } => Value::Decimal(crate::value::Dec::from_i64(0)),
            Type::Float => Value::Float(crate::value::Float::new(0.0).ok_or("no number")?),
            Type::Boolean => Value::Boolean(false),
            Type::Date => Value::Date(Date::constant(2000, 1, 1)),
            Type::DateTime { .. } => Value::DateTime(Date::constant(2000, 1, 1).at(0, 0, 0, 0)),
            Type::Uuid => Value::Uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/{n}", t.name).as_bytes())),
            Type::Choice(choice) => choice.members.first().map_or(Value::Null, |m| Value::Integer(m.value)),
            Type::Binary => Value::Binary(Box::new([])),
            Type::Json => Value::text("{}"),
            Type::Null => Value::Null,
        })
    }

    /// A company that some given row of the store belongs to.
    fn some_company(&self, store: usize) -> Option<String> {
        self.rows.iter().filter(|r| !r.gone && r.store == store).find_map(|r| {
            let company = self.stores[store].1.get(r.table).company?;
            match r.values.get(&company)? {
                Value::Text(t) => Some(t.to_string()),
                _ => None,
            }
        })
    }

    /// Puts them into the stores as a person would: looked-up rows first, one transaction for each store.
    pub fn insert(&self, stores: &[Arc<dyn Store>]) -> Result<(), Wrong> {
        for (s, store) in stores.iter().enumerate() {
            let mut rows: Vec<&GivenRow> = self.rows.iter().filter(|r| r.store == s && !r.gone).collect();
            if rows.is_empty() {
                continue;
            }
            rows.sort_by_key(|r| r.of_side);
            let schema = &self.stores[s].1;
            let mut tx = store.begin().map_err(|e| e.to_string())?;
            for row in rows {
                let columns: Vec<ColumnId> = row.values.keys().copied().collect();
                let values: Vec<Value> = row.values.values().cloned().collect();
                let done = tx.insert(row.table, &columns, &values).map_err(|e| e.to_string())?;
                done.map_err(|e| {
                    format!(
                        "a given row of `{}.{}` cannot be there: {}",
                        store.name(),
                        schema.get(row.table).name,
                        e.message
                    )
                })?;
            }
            tx.commit().map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Whether this row was looked up, or given for a table that is no side.
    pub fn made(&self, store: usize, table: TableId, key: &[Value]) -> bool {
        let primary = &self.stores[store].1.get(table).primary_key;
        self.rows.iter().any(|r| {
            !r.gone
                && !r.of_side
                && r.store == store
                && r.table == table
                && primary.iter().zip(key).all(|(c, v)| r.values.get(c) == Some(v))
        })
    }
}
