//! Going through a whole table once, for copying it.
//!
//! The cheapest order is that of the file. But a row changes its place with every update, also with one that the log
//! leaves out; so a view that goes on where an earlier one ended must know that nobody wrote to the table in between. If
//! somebody did, and where rows of other tables are joined, the order is that of the primary key.

use super::Handle;
use super::connect::locked;
use super::read::{ScanPlan, Texts};
use super::types::{Param, literal};
use crate::schema::TableId;
use crate::store::{ReadPlan, Result, Rows, Swept};
use crate::value::{Key, Type};

/// A server-side cursor that is open in a view.
pub(super) struct Portal {
    plan: ReadPlan,
    /// The cursor text that goes on here.
    next: String,
    by: By,
}

/// In which order a table is gone through.
#[derive(Clone)]
enum By {
    Key,
    /// That of the file; with what tells whether it is still the same: the file's number, and the oldest transaction that
    /// the view may not see.
    Place {
        file: String,
        since: String,
    },
}

/// A cursor by place: the last row's place, the file, the view.
struct Place<'a> {
    row: &'a str,
    file: &'a str,
    since: &'a str,
}

impl<'a> Place<'a> {
    fn read(cursor: &'a str) -> Option<Place<'a>> {
        let mut parts = cursor.strip_prefix('@')?.split(' ');
        let place = Place { row: parts.next()?, file: parts.next()?, since: parts.next()? };
        // They go into SQL as they are.
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let (block, n) = place.row.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        (digits(block) && digits(n) && digits(place.file) && digits(place.since)).then_some(place)
    }
}

impl Handle {
    /// [`crate::store::Read::sweep`], by a server-side cursor as long as the view lasts.
    pub(super) fn sweep_on(
        &mut self,
        plan: &ReadPlan,
        cursor: Option<&str>,
        limit: usize,
        out: &mut Rows,
    ) -> Result<Swept> {
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let t = inner.schema.get(plan.table);
        let types: Vec<Type> = t.primary_key.iter().map(|c| t.column(*c).ty.clone()).collect();
        let open = self.portal.take();
        let by = match open {
            Some(o) if cursor == Some(o.next.as_str()) && o.plan == *plan => o.by,
            open => match self.open_sweep(&p, plan, cursor, &types, open.is_some())? {
                Some(by) => by,
                None => return Ok(Swept::Stale),
            },
        };
        let mut read = 0;
        let mut place = String::new();
        let ended = loop {
            let wanted = limit.saturating_sub(read).max(1);
            let sql = format!("FETCH FORWARD {wanted} FROM tablemap_sweep");
            let rows = self.session().simple(&sql).map_err(|e| inner.err(e))?;
            let mut good = true;
            for row in &rows {
                good = p.read(row, out).map_err(|e| inner.err(e))?;
            }
            read += rows.len();
            if rows.len() < wanted {
                break true;
            }
            if let By::Place { .. } = by {
                let last = rows.last().map_or(Ok(None), |r| r.at(p.width())).map_err(|e| inner.err(e))?;
                place = last.unwrap_or_default().to_string();
                good = true;
            }
            // By key a chunk goes on while its last key cannot be read: nobody could go on after it.
            if read >= limit && good {
                break false;
            }
        };
        if ended {
            self.batch("CLOSE tablemap_sweep")?;
            return Ok(Swept::End);
        }
        let next = match &by {
            By::Place { file, since } => format!("@{place} {file} {since}"),
            By::Key => {
                let last = out.row(out.len() - 1)[..types.len()].to_vec();
                Key(last.into_boxed_slice()).to_text()
            }
        };
        self.portal = Some(Portal { plan: plan.clone(), next: next.clone(), by });
        Ok(Swept::More(next))
    }

    /// Opens the cursor that goes on after `cursor`; none where that means nothing any more.
    fn open_sweep(
        &mut self,
        p: &ScanPlan,
        plan: &ReadPlan,
        cursor: Option<&str>,
        types: &[Type],
        close: bool,
    ) -> Result<Option<By>> {
        let by_place = match cursor {
            None => plan.joins.is_empty() && !locked(&self.inner.restless).contains(&plan.table),
            Some(c) => c.starts_with('@'),
        };
        let (mut condition, mut by) = (String::new(), By::Key);
        if by_place {
            let before = cursor.map(Place::read);
            match (self.place_of(plan.table, before.as_ref().and_then(Option::as_ref))?, before) {
                (_, Some(None)) => return Ok(None),
                (None, None) => {}
                (None, Some(_)) => {
                    // From now on by key; what is read again is found as it is.
                    locked(&self.inner.restless).insert(plan.table);
                    return Ok(None);
                }
                (Some(found), before) => {
                    if let Some(Some(at)) = before {
                        condition = format!(" WHERE t0.ctid > '{}'::tid", at.row);
                    }
                    by = found;
                }
            }
        } else if let Some(at) = cursor {
            let Some(key) = Key::parse(at, types) else { return Ok(None) };
            let put = |text: Option<String>| literal(text.as_deref());
            condition = format!(" WHERE {}", self.after(p, plan.table, &key.0, put)?);
        }
        let (place, order) = match by {
            By::Place { .. } => (", t0.ctid::text", String::new()),
            By::Key => ("", format!(" ORDER BY {}", p.ordered.join(", "))),
        };
        let close = if close { "CLOSE tablemap_sweep; " } else { "" };
        self.batch(&format!(
            "{close}DECLARE tablemap_sweep NO SCROLL CURSOR FOR {}{place}{}{condition}{order}",
            p.select, p.from
        ))?;
        Ok(Some(by))
    }

    /// Whether the table may be read in the order of its file, going on after `before`.
    fn place_of(&mut self, table: TableId, before: Option<&Place<'_>>) -> Result<Option<By>> {
        let inner = self.inner.clone();
        let shape = self.session().shape(&inner, table)?;
        if !shape.is_table {
            return Ok(None);
        }
        // Locked, the file stays the one that it is.
        self.batch(&format!("LOCK TABLE {} IN ACCESS SHARE MODE", shape.sql))?;
        let sql = "SELECT pg_relation_filenode(c.oid)::text, pg_snapshot_xmin(pg_current_snapshot())::text \
                   FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam \
                   WHERE c.oid = $1::oid AND c.relkind = 'r' AND NOT c.relhassubclass AND a.amname = 'heap'";
        let rows = self.rows(sql, &[Param::number(shape.oid)])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let text = |i: usize| row.at(i).map(|t| t.unwrap_or_default().to_string()).map_err(|e| inner.err(e));
        let (file, since) = (text(0)?, text(1)?);
        let Ok(now) = since.parse::<u64>() else { return Ok(None) };
        let Some(before) = before else { return Ok(Some(By::Place { file, since })) };
        let Ok(then) = before.since.parse::<u64>() else { return Ok(None) };
        // After half of all numbers a row's own could be mistaken for a new one's, or the other way round.
        if before.file != file || now.saturating_sub(then) > 1 << 30 {
            return Ok(None);
        }
        // What was written by a transaction that the earlier view may not have seen; its parts have later numbers.
        let newer = format!(
            "SELECT 'yes' FROM {} WHERE age(xmin) <= age('{}'::xid) LIMIT 1",
            shape.sql,
            then & u64::from(u32::MAX)
        );
        let restless = self.one(&newer, &[])?.is_some();
        Ok((!restless).then_some(By::Place { file, since }))
    }
}
