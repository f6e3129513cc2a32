//! Describes the tables as they stand in the database, for `schema pull` and `schema diff`.

use super::connect::{Inner, Ran, Session};
use super::describe::{ColumnShape, columns_of, home, indexes_of, lowered};
use super::types::{Kind, Param};
use crate::schema::{Holds, LiveColumn, LiveForeignKey, LiveIndex, LiveTable, LiveTrigger};
use crate::store::Result;
use crate::value::{Collation, DateTimeKind, Type};

/// Tables, views and foreign tables that are neither the server's nor ours; partitions belong to their table.
const RELATIONS: &str = "
SELECT c.oid::text, n.nspname::text, c.relname::text, c.reltuples::float8::text,
  pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', $1)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
ORDER BY n.nspname <> $2, n.nspname, c.relname COLLATE \"C\"";

const FOREIGN: &str = "
SELECT n.nspname::text, r.relname::text,
  (SELECT json_agg(a.attname ORDER BY k.i)::text FROM unnest(c.conkey) WITH ORDINALITY AS k(n, i)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n),
  (SELECT json_agg(a.attname ORDER BY k.i)::text FROM unnest(c.confkey) WITH ORDINALITY AS k(n, i)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = c.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE c.contype = 'f' AND c.conrelid = $1::oid ORDER BY c.conname";

const TRIGGERS: &str = "
SELECT t.tgname::text, p.prosrc || ' ' || pg_get_triggerdef(t.oid), pn.nspname::text
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal ORDER BY t.tgname";

/// Every table, by name; those outside the user's own schema as `schema.name`.
pub(super) fn describe(s: &mut Session, inner: &Inner) -> Result<Vec<LiveTable>> {
    read(s, &inner.address.state).map_err(|e| inner.err(e))
}

fn read(s: &mut Session, ours: &str) -> Ran<Vec<LiveTable>> {
    let home = home(s)?;
    let mut all = Vec::new();
    for r in s.query(RELATIONS, &[ours.into(), Param::from(&home)])? {
        let (oid, schema, name): (&str, &str, &str) = (r.try_get(0)?, r.try_get(1)?, r.try_get(2)?);
        let rows: f64 = r.try_get::<_, &str>(3)?.parse().unwrap_or(-1.0);
        let shown = |schema: &str, name: &str| match schema == home {
            true => name.to_string(),
            false => format!("{schema}.{name}"),
        };
        let description: Option<String> = r.try_get(4)?;
        let mut t = LiveTable { name: shown(schema, name), description, ..LiveTable::default() };
        t.columns = columns_of(s, oid)?.into_iter().map(column).collect();
        for i in indexes_of(s, oid)? {
            // A key over lower(column) says that its texts do not regard case.
            for name in i.definitions.iter().filter_map(|d| lowered(d)).filter(|_| i.unique) {
                t.columns.iter_mut().filter(|c| c.name == name).for_each(|c| c.collation = Some(Collation::NoCase));
            }
            let named: Option<Vec<String>> = i.columns.iter().cloned().collect();
            if i.primary {
                t.primary_key = named.clone().unwrap_or_default();
            } else if let (true, false, Some(key)) = (i.unique, i.partial, named)
                && !t.unique.contains(&key)
            {
                t.unique.push(key);
            }
            t.indexes.push(LiveIndex { name: i.name, columns: i.columns, unique: i.unique, partial: i.partial });
        }
        let key = t.primary_key.clone();
        t.unique.retain(|u| *u != key);
        for r in s.query(FOREIGN, &[oid.into()])? {
            let list = |i: usize| -> Ran<Vec<String>> {
                Ok(serde_json::from_str(r.try_get::<_, Option<&str>>(i)?.unwrap_or("[]")).unwrap_or_default())
            };
            t.foreign_keys.push(LiveForeignKey {
                columns: list(2)?,
                table: shown(r.try_get(0)?, r.try_get(1)?),
                referred: list(3)?,
            });
        }
        for r in s.query(TRIGGERS, &[oid.into()])? {
            let (trigger, text, schema): (&str, &str, &str) = (r.try_get(0)?, r.try_get(1)?, r.try_get(2)?);
            let named =
                |c: &&LiveColumn| text.contains(&format!("'{}'", c.name)) || text.contains(&format!("\"{}\"", c.name));
            t.triggers.push(LiveTrigger {
                name: trigger.to_string(),
                ours: schema == ours,
                columns: t.columns.iter().filter(named).map(|c| c.name.clone()).collect(),
            });
        }
        // -1 = nobody has counted yet.
        t.rows = (rows >= 1.0).then_some(rows as u64);
        all.push(t);
    }
    Ok(all)
}

fn column(l: ColumnShape) -> LiveColumn {
    let array = l.declared.ends_with("[]");
    let (ty, mut doubt) = type_of(&l);
    if array {
        doubt = Some("an array, which no map carries: take the column out".into());
    }
    LiveColumn {
        ty,
        doubt,
        holds: match &l.kind {
            Kind::Float4 | Kind::Float8 => Holds::Floats,
            k if k.is_text() => Holds::Text,
            _ => Holds::Anything,
        },
        nullable: !l.not_null,
        generated: !l.identity.is_empty() || l.default.as_deref().is_some_and(|d| d.contains("nextval(")),
        default: l.default.filter(|_| !l.computed).map(|d| uncast(&d).to_string()),
        computed: l.computed || array,
        collation: match (&l.kind, l.deterministic) {
            (Kind::Citext, _) => Some(Collation::NoCase),
            (_, true) => Some(Collation::Exact),
            (_, false) => None,
        },
        words: match l.kind {
            Kind::Enum(labels) => labels,
            _ => vec![],
        },
        description: l.comment,
        name: l.name,
        declared: l.declared,
    }
}

/// A literal without the type that the server writes behind it: `'x'::text`.
fn uncast(default: &str) -> &str {
    match default.rsplit_once("'::") {
        Some((literal, ty)) if default.starts_with('\'') && !ty.contains(['\'', '(']) => {
            default.get(..literal.len() + 1).unwrap_or(default)
        }
        _ => default,
    }
}

fn type_of(l: &ColumnShape) -> (Type, Option<String>) {
    let guess = |ty: Type| (ty, Some(format!("a guess: declared {}", l.declared)));
    match &l.kind {
        Kind::Int(_) => (Type::Integer, None),
        Kind::Numeric(limits) => {
            let limits =
                limits.and_then(|(p, s)| Some((u8::try_from(p).ok().filter(|p| *p <= 76)?, u8::try_from(s).ok()?)));
            (Type::Decimal { limits }, None)
        }
        Kind::Float4 | Kind::Float8 => (Type::Float, None),
        Kind::Boolean => (Type::Boolean, None),
        Kind::Text(max) | Kind::Char(max) => (Type::Text { max: *max }, None),
        Kind::Citext => (Type::Text { max: None }, None),
        Kind::Json | Kind::Jsonb => (Type::Json, None),
        Kind::Uuid => (Type::Uuid, None),
        Kind::Date => (Type::Date, None),
        Kind::Timestamp => (Type::DateTime { kind: DateTimeKind::Civil }, None),
        Kind::Timestamptz => (Type::DateTime { kind: DateTimeKind::Instant }, None),
        Kind::Bytea => (Type::Binary, None),
        Kind::Enum(_) => (Type::Text { max: None }, None),
        Kind::Other => guess(Type::Text { max: None }),
    }
}
