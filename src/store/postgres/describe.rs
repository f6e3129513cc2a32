//! The tables as they stand in the database: their shape, what is missing of a schema, and making them.

use super::connect::{Inner, Ran, Session};
use super::types::{Fold, Kind, Param, encode, ident, text_literal};
use crate::schema::{Column, ColumnId, Table, TableId};
use crate::store::{Result, StoreError};
use crate::value::{Collation, DateTimeKind, Type};
use std::sync::Arc;

/// A table as it stands in the database.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// `schema.name`, as the change log has it.
    pub log_name: String,
    /// Schema and name, quoted.
    pub sql: String,
    /// Its object id.
    pub oid: u32,
    /// Whether it is a table, partitioned or not (views have no log).
    pub is_table: bool,
    /// Per column of the schema's table: none where the database has no such column.
    pub columns: Vec<Option<ColumnShape>>,
    /// Every column of the database.
    pub all: Vec<ColumnShape>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A column as it stands in the database.
#[derive(Clone, Debug)]
pub(super) struct ColumnShape {
    pub name: String,
    /// The type as the server writes it.
    pub declared: String,
    /// What a text is cast to for it: without a length, and of a domain what it is over.
    pub cast: String,
    pub kind: Kind,
    pub not_null: bool,
    /// `a` (always) or `d` (by default) for identity columns, else empty.
    pub identity: String,
    /// Whether it is computed from others.
    pub computed: bool,
    /// The default as the server writes it.
    pub default: Option<String>,
    /// What people say of it.
    pub comment: Option<String>,
    /// Its collation, quoted; empty where the type has none.
    pub collation: String,
    /// Whether texts that compare equal are the same.
    pub deterministic: bool,
    /// How it compares, as the schema has it.
    pub fold: Fold,
}

/// An index.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub name: String,
    pub unique: bool,
    pub primary: bool,
    pub partial: bool,
    /// Its key columns; `lower(x)` counts as x. None = another expression.
    pub columns: Vec<Option<String>>,
    /// The columns as the server writes them.
    pub definitions: Vec<String>,
}

impl Shape {
    pub fn column(&self, c: ColumnId) -> Option<&ColumnShape> {
        self.columns.get(c.0 as usize).and_then(Option::as_ref)
    }
    /// The kind of a column; text where there is none (nothing is read of it then).
    pub fn kind(&self, c: ColumnId) -> &Kind {
        self.column(c).map_or(&Kind::Other, |c| &c.kind)
    }
    /// A column's name in SQL, as the database writes it.
    pub fn name(&self, c: ColumnId) -> String {
        self.column(c).map_or_else(|| "NULL".into(), |c| ident(&c.name))
    }
    pub fn index_named(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|i| i.name == name)
    }
}

impl Session {
    /// The table's shape; an error where it is not there.
    pub fn shape(&mut self, inner: &Inner, table: TableId) -> Result<Arc<Shape>> {
        if let Some(s) = inner.known_shape(table) {
            return Ok(s);
        }
        let t = inner.schema.get(table);
        let shape = shape_of(self, t).map_err(|e| inner.err(e))?;
        let shape = shape.map(Arc::new).ok_or_else(|| StoreError::Schema {
            store: inner.name.clone(),
            problems: vec![format!("there is no table `{}`", t.stored_name())],
        })?;
        inner.learn_shape(table, shape.clone());
        Ok(shape)
    }
}

/// Relations that a name may mean: in the schemas of the search path by the bare name, else by `schema.name`.
const RELATION: &str = "
SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND n.nspname <> $2
  AND ((n.nspname = ANY (current_schemas(false)) AND lower(c.relname::text) = lower($1))
       OR lower(n.nspname || '.' || c.relname) = lower($1))
ORDER BY (c.relname = $1 OR n.nspname || '.' || c.relname = $1) DESC,
  array_position(current_schemas(false), n.nspname), n.nspname
LIMIT 1";

const COLUMNS: &str = "
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), b.typname::text, b.typtype::text, b.mod::text,
  a.attnotnull::text, a.attidentity::text, (a.attgenerated <> '')::text, pg_get_expr(d.adbin, d.adrelid),
  quote_ident(cn.nspname) || '.' || quote_ident(co.collname), coalesce(co.collisdeterministic, true)::text,
  (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.oid),
  b.typcategory::text, format_type(b.oid, NULL), pg_catalog.col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute a
CROSS JOIN LATERAL (
  WITH RECURSIVE t(oid, typname, typtype, typbasetype, typtypmod, typcategory, mod) AS (
    SELECT oid, typname, typtype, typbasetype, typtypmod, typcategory, a.atttypmod
    FROM pg_catalog.pg_type WHERE oid = a.atttypid
    UNION ALL
    SELECT p.oid, p.typname, p.typtype, p.typbasetype, p.typtypmod, p.typcategory, t.typtypmod
    FROM t JOIN pg_catalog.pg_type p ON p.oid = t.typbasetype WHERE t.typtype = 'd')
  SELECT * FROM t WHERE typtype <> 'd') b
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const INDEXES: &str = "
SELECT c.relname::text, i.indisunique::text, i.indisprimary::text, (i.indpred IS NOT NULL)::text,
  (SELECT json_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k)::text FROM generate_series(1, i.indnkeyatts) k),
  (SELECT json_agg(a.attname ORDER BY k)::text FROM generate_series(1, i.indnkeyatts) k
   LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1])
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1::oid AND i.indisvalid ORDER BY i.indisprimary DESC, c.relname";

fn kind_of(name: &str, kind: &str, category: &str, modifier: i32, labels: Option<&str>) -> Kind {
    if kind == "e" {
        return Kind::Enum(labels.and_then(|l| serde_json::from_str(l).ok()).unwrap_or_default());
    }
    let length = u32::try_from(modifier - 4).ok().filter(|_| modifier >= 4);
    match (name, category) {
        (_, "A") => Kind::Other,
        ("int2", _) => Kind::Int(2),
        ("int4", _) => Kind::Int(4),
        ("int8", _) => Kind::Int(8),
        // The scale has eleven bits and a sign; what has a negative one is left to the server.
        ("numeric", _) => Kind::Numeric(length.map(|m| (m >> 16 & 0xffff, m & 0x7ff)).filter(|(_, s)| *s <= 1000)),
        ("float4", _) => Kind::Float4,
        ("float8", _) => Kind::Float8,
        ("bool", _) => Kind::Boolean,
        ("text" | "name", _) => Kind::Text(None),
        ("varchar", _) => Kind::Text(length),
        ("bpchar", _) => Kind::Char(length),
        ("citext", _) => Kind::Citext,
        ("json", _) => Kind::Json,
        ("jsonb", _) => Kind::Jsonb,
        ("uuid", _) => Kind::Uuid,
        ("date", _) => Kind::Date,
        ("timestamp", _) => Kind::Timestamp,
        ("timestamptz", _) => Kind::Timestamptz,
        ("bytea", _) => Kind::Bytea,
        _ => Kind::Other,
    }
}

/// The column of `lower(column)`, with casts and collation or without.
pub(super) fn lowered(definition: &str) -> Option<String> {
    let mut inside = definition.strip_prefix("lower(")?.strip_suffix(')')?;
    loop {
        let before = inside;
        inside = inside.trim();
        for tail in ["::text", "::character varying", " COLLATE \"C\""] {
            inside = inside.strip_suffix(tail).unwrap_or(inside);
        }
        if let Some(bare) = inside.strip_prefix('(').and_then(|s| s.strip_suffix(')')) {
            inside = bare;
        }
        if before == inside {
            break;
        }
    }
    let quoted = inside.strip_prefix('"').and_then(|s| s.strip_suffix('"')).map(|s| s.replace("\"\"", "\""));
    let plain = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || c == '_');
    quoted.or_else(|| plain(inside).then(|| inside.to_string()))
}

/// The shape of a table, none where there is no such table.
pub(super) fn shape_of(s: &mut Session, t: &Table) -> Ran<Option<Shape>> {
    let state = s.state.clone();
    let found = s.query(RELATION, &[t.stored_name().into(), Param::from(&state)])?;
    let Some(row) = found.first() else { return Ok(None) };
    let (oid, schema, name, relkind): (&str, &str, &str, &str) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let mut shape = Shape {
        log_name: format!("{schema}.{name}"),
        sql: format!("{}.{}", ident(schema), ident(name)),
        oid: oid.parse().unwrap_or(0),
        is_table: matches!(relkind, "r" | "p"),
        ..Shape::default()
    };
    shape.indexes = indexes_of(s, oid)?;
    shape.all = columns_of(s, oid)?;
    for c in &t.columns {
        let exact = shape.all.iter().find(|l| l.name == c.name);
        let live = exact.or_else(|| shape.all.iter().find(|l| l.name.eq_ignore_ascii_case(&c.name)));
        shape.columns.push(live.cloned().map(|mut l| {
            let lower_index = shape.indexes.iter().any(|i| {
                i.definitions.iter().any(|d| !d.contains("COLLATE") && lowered(d).is_some_and(|n| n == l.name))
            });
            l.fold = Fold::of(c, &l.kind, l.deterministic, lower_index);
            l
        }));
    }
    Ok(Some(shape))
}

pub(super) fn columns_of(s: &mut Session, oid: &str) -> Ran<Vec<ColumnShape>> {
    let mut all = Vec::new();
    for r in s.query(COLUMNS, &[oid.into()])? {
        let text = |i: usize| r.try_get::<_, Option<&str>>(i).map(Option::unwrap_or_default);
        let modifier = text(4)?.parse().unwrap_or(-1);
        let kind = kind_of(text(2)?, text(3)?, text(12)?, modifier, r.try_get(11)?);
        all.push(ColumnShape {
            name: text(0)?.to_string(),
            declared: text(1)?.to_string(),
            // `character` alone would be one of one character.
            cast: if matches!(kind, Kind::Char(_)) { "bpchar".into() } else { text(13)?.to_string() },
            kind,
            not_null: text(5)? == "true",
            identity: text(6)?.to_string(),
            computed: text(7)? == "true",
            default: r.try_get(8)?,
            comment: r.try_get(14)?,
            collation: text(9)?.to_string(),
            deterministic: text(10)? == "true",
            fold: Fold::Plain,
        });
    }
    Ok(all)
}

pub(super) fn indexes_of(s: &mut Session, oid: &str) -> Ran<Vec<Index>> {
    let mut all = Vec::new();
    for r in s.query(INDEXES, &[oid.into()])? {
        let text = |i: usize| r.try_get::<_, Option<&str>>(i).map(Option::unwrap_or_default);
        let definitions: Vec<String> = serde_json::from_str(text(4)?).unwrap_or_default();
        let names: Vec<Option<String>> = serde_json::from_str(text(5)?).unwrap_or_default();
        all.push(Index {
            name: text(0)?.to_string(),
            unique: text(1)? == "true",
            primary: text(2)? == "true",
            partial: text(3)? == "true",
            columns: names.into_iter().zip(&definitions).map(|(n, d)| n.or_else(|| lowered(d))).collect(),
            definitions,
        });
    }
    Ok(all)
}

/// What is missing of a table, one sentence each.
pub(super) fn verify(s: &mut Session, t: &Table) -> Ran<Vec<String>> {
    let Some(shape) = shape_of(s, t)? else {
        return Ok(vec![format!("there is no table `{}`", t.stored_name())]);
    };
    let mut problems = Vec::new();
    for (c, l) in t.columns.iter().zip(&shape.columns) {
        let Some(l) = l else {
            problems.push(format!("table `{}` has no column `{}`", t.stored_name(), c.name));
            continue;
        };
        if let Some(why) = misfit(c, l) {
            problems.push(format!("column `{}` of `{}` is declared {}, {why}", c.name, t.stored_name(), l.declared));
        }
    }
    for key in t.keys() {
        let covers = |i: &&Index| {
            i.unique
                && !i.partial
                && i.columns.len() == key.len()
                && key.iter().all(|c| {
                    let name = shape.column(*c).map_or("", |l| l.name.as_str());
                    i.columns.iter().any(|n| n.as_deref() == Some(name))
                })
        };
        if shape.is_table && !shape.indexes.iter().any(|i| covers(&i)) {
            let names: Vec<&str> = key.iter().map(|c| t.column(*c).name.as_str()).collect();
            problems.push(format!("table `{}` has no unique index on ({})", t.stored_name(), names.join(", ")));
        }
    }
    Ok(problems)
}

/// Why values of the schema's type would not stay what they are in a column.
fn misfit(c: &Column, l: &ColumnShape) -> Option<String> {
    if l.declared.ends_with("[]") {
        return Some("and maps carry no arrays; take the column out of the schema, or make it a table".into());
    }
    let text = l.kind.is_text() || matches!(l.kind, Kind::Enum(_));
    let number = l.kind.is_number();
    let fine = match &c.ty {
        Type::Text { .. } => text || matches!(l.kind, Kind::Json | Kind::Jsonb | Kind::Uuid | Kind::Other),
        Type::Json => text || matches!(l.kind, Kind::Json | Kind::Jsonb),
        Type::Integer | Type::Float => number,
        Type::Decimal { .. } => number || text,
        Type::Boolean => number || text || l.kind == Kind::Boolean,
        Type::Choice(_) if c.choice_by_name => text,
        Type::Choice(_) => number,
        Type::Date => text || matches!(l.kind, Kind::Date | Kind::Timestamp | Kind::Timestamptz),
        Type::DateTime { kind: DateTimeKind::Civil } if l.kind == Kind::Timestamptz => {
            return Some("a point in time, and the schema has a wall-clock time of no zone".into());
        }
        Type::DateTime { .. } => text || matches!(l.kind, Kind::Timestamp | Kind::Timestamptz | Kind::Date),
        Type::Uuid => text || l.kind == Kind::Uuid,
        Type::Binary => l.kind == Kind::Bytea,
        Type::Null => true,
    };
    (!fine).then(|| format!("in which a value of type {} would not stay what it is", c.ty))
}

/// The statements that make a table in the first schema of the user's search path.
pub(super) fn create_sql(t: &Table, home: &str) -> std::result::Result<Vec<String>, String> {
    let alone = |c: usize| t.primary_key.len() == 1 && t.primary_key.first().is_some_and(|k| k.0 as usize == c);
    let name = match t.stored_name().split_once('.') {
        Some((schema, name)) => format!("{}.{}", ident(schema), ident(name)),
        None => format!("{}.{}", ident(home), ident(t.stored_name())),
    };
    let list = |key: &[ColumnId]| key.iter().map(|c| ident(&t.column(*c).name)).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    for (i, c) in t.columns.iter().enumerate() {
        let (declared, kind) = match &c.ty {
            Type::Integer => ("bigint".to_string(), Kind::Int(8)),
            Type::Choice(_) if !c.choice_by_name => ("bigint".into(), Kind::Int(8)),
            Type::Decimal { .. } => ("numeric".into(), Kind::Numeric(None)),
            Type::Float => ("double precision".into(), Kind::Float8),
            Type::Boolean => ("boolean".into(), Kind::Boolean),
            Type::Date => ("date".into(), Kind::Date),
            Type::DateTime { kind: DateTimeKind::Instant } => ("timestamptz".into(), Kind::Timestamptz),
            Type::DateTime { kind: DateTimeKind::Civil } => ("timestamp".into(), Kind::Timestamp),
            Type::Uuid => ("uuid".into(), Kind::Uuid),
            Type::Binary => ("bytea".into(), Kind::Bytea),
            // json keeps the text as it is.
            Type::Json => ("json".into(), Kind::Json),
            Type::Text { max: Some(max) } => (format!("varchar({max})"), Kind::Text(Some(*max))),
            _ => ("text".into(), Kind::Text(None)),
        };
        let mut line = format!("{} {declared}", ident(&c.name));
        if kind.is_text() {
            line.push_str(" COLLATE \"C\"");
        }
        if c.generated && c.ty == Type::Integer {
            line.push_str(" GENERATED BY DEFAULT AS IDENTITY");
        } else {
            match (&c.default, &c.blank) {
                (Some(v), _) | (None, Some(v)) => {
                    let text = encode(v, c, &kind)?;
                    line.push_str(&format!(" DEFAULT {}", super::types::literal(text.as_deref())));
                }
                (None, None) if c.generated && c.ty == Type::Uuid => line.push_str(" DEFAULT gen_random_uuid()"),
                _ => {}
            }
        }
        if c.required || alone(i) {
            line.push_str(" NOT NULL");
        }
        lines.push(line);
    }
    lines.push(format!("PRIMARY KEY ({})", list(&t.primary_key)));
    let no_case = |c: &ColumnId| {
        let column = t.column(*c);
        column.collation == Collation::NoCase && matches!(column.ty, Type::Text { .. })
    };
    let folded = |key: &[ColumnId]| {
        let one = |c: &ColumnId| match no_case(c) {
            true => format!("lower({} COLLATE \"C\")", ident(&t.column(*c).name)),
            false => ident(&t.column(*c).name),
        };
        key.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let mut all = vec![format!("CREATE TABLE {name} (\n  {}\n)", lines.join(",\n  "))];
    for (i, key) in t.keys().enumerate() {
        if i > 0 || key.iter().any(&no_case) {
            all.push(format!("CREATE UNIQUE INDEX ON {name} ({})", folded(key)));
        }
    }
    let mut indexed: Vec<&[ColumnId]> = t.keys().collect();
    for target in t.lookups.iter().flat_map(|l| &l.targets) {
        if !indexed.iter().any(|k| k.starts_with(&target.columns)) {
            indexed.push(&target.columns);
            all.push(format!("CREATE INDEX ON {name} ({})", folded(&target.columns)));
        }
    }
    Ok(all)
}

/// Makes the tables that are not there.
pub(super) fn create_tables(s: &mut Session, inner: &Inner) -> Result<()> {
    let home = home(s).map_err(|e| inner.err(e))?;
    for t in &inner.schema.tables {
        if shape_of(s, t).map_err(|e| inner.err(e))?.is_some() {
            continue;
        }
        let all = create_sql(t, &home)
            .map_err(|why| inner.other(format!("table {} cannot be made: {why}", text_literal(&t.name))))?;
        s.batch(&all.join(";\n")).map_err(|e| inner.err(e))?;
    }
    inner.forget_shapes();
    s.forget();
    Ok(())
}

/// The schema in which the user's own tables are made: the first of the search path after ours.
pub(super) fn home(s: &mut Session) -> Ran<String> {
    let sql = "SELECT coalesce((SELECT n FROM unnest(current_schemas(false)) WITH ORDINALITY AS x(n, i) \
               WHERE n <> $1 ORDER BY i LIMIT 1)::text, 'public')";
    let state = s.state.clone();
    let rows = s.query(sql, &[Param::from(&state)])?;
    Ok(rows.first().map_or(Ok("public".to_string()), |r| r.try_get(0))?)
}
