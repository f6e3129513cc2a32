//! Deletes of one chunk: the rows are found at once, and go at once where that is cheaper than one by one.

use super::chunk::{Chunk, Item, word};
use super::conflict::Verdict;
use super::references::resolve;
use super::report::LegReport;
use super::runtime::Result;
use crate::store::{Found, Transaction};
use crate::value::{Key, Value};
use std::collections::HashSet;

/// A row that is to go: its record, and its primary key.
type Gone<'a> = (&'a Item, Vec<Value>);

impl Chunk<'_> {
    /// Deletes the target rows of records that are gone, found by the key values before.
    pub(super) fn delete_all(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[&Item],
        company: Option<&Value>,
        counts: &mut LegReport,
    ) -> Result<()> {
        let leg = self.leg;
        let word = word(company);
        let mut asked: Vec<(&Item, Vec<Value>)> = Vec::with_capacity(items.len());
        let mut known: HashSet<Key> = HashSet::new();
        for item in items {
            match self.key_before(tx, item, &word, company)? {
                // Another record may have the key now, and the row with it; or two records had the same row.
                Some(key) if !self.taken(item, &self.ikey(&key)) && known.insert(self.ikey(&key)) => {
                    asked.push((item, key));
                }
                // Never applied under any key: there is nothing to delete.
                _ => {
                    counts.unchanged += 1;
                    self.solved(tx, item, &word)?;
                }
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let (asked, keys): (Vec<&Item>, Vec<Vec<Value>>) = asked.into_iter().unzip();
        let found = tx.find(leg.leg().target.table, &leg.leg().key, &keys, &leg.columns)?;
        // Records of one path are marked alike.
        let mut groups: Vec<(&str, Vec<Gone<'_>>)> = Vec::new();
        for ((item, hit), key) in asked.into_iter().zip(found).zip(&keys) {
            let moved = self.moved_there(tx, item, key, &hit).transpose()?;
            let rekeyed = moved.is_some();
            let Found::One { key: primary, values, .. } = moved.unwrap_or(hit) else {
                self.wake_gone(tx, &self.ikey(key))?;
                counts.unchanged += 1;
                self.solved(tx, item, &word)?;
                continue;
            };
            if !self.may_go(tx, item, (&primary, &values, rekeyed), &word, counts)? {
                continue;
            }
            match groups.iter_mut().find(|(path, _)| *path == item.path) {
                Some((_, rows)) => rows.push((item, primary)),
                None => groups.push((&item.path, vec![(item, primary)])),
            }
        }
        for (_, rows) in groups {
            self.delete_rows(tx, rows, &word, counts)?;
        }
        Ok(())
    }

    /// The target key that a record had; none where it had none, or where what it referred to is gone.
    fn key_before(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        word: &str,
        company: Option<&Value>,
    ) -> Result<Option<Vec<Value>>> {
        let Some(before) = item.before_in(word) else { return Ok(None) };
        let schema = self.engine.maps.stores[self.leg.leg().target.store].1.clone();
        Ok(match resolve(self.leg, &schema, tx, before, company, true, &mut self.cache)? {
            Ok(refs) => self.key_of(before, company, &refs),
            Err(_) => None,
        })
    }

    /// Whether the row may go: somebody may have changed it meanwhile, or its key (`rekeyed`), or
    /// decided that it stays.
    fn may_go(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        (primary, values, rekeyed): (&[Value], &[Value], bool),
        word: &str,
        counts: &mut LegReport,
    ) -> Result<bool> {
        let leg = self.leg;
        let changed_there = self.pending.and_then(|p| p.of(primary, &self.ikey_there(values)));
        if leg.map.two_way > 0
            && let Some(there) = changed_there
            && (rekeyed || (0..leg.map.two_way).any(|number| self.changed_there(&there, number, values)))
            && !mutant!("delete-always-wins")
        {
            let verdict = self.whole(item);
            self.note(tx, item, &there, None, Some(values), &[], verdict)?;
            match verdict {
                Verdict::Source => return Ok(true),
                Verdict::Target => {
                    counts.unchanged += 1;
                    self.wake(tx, primary, values)?;
                    self.solved(tx, item, word)?;
                }
                Verdict::Hold => self.hold(tx, item, word, &[], counts)?,
            }
            return Ok(false);
        }
        if self.resolution(item).is_some() && self.whole(item) == Verdict::Target {
            counts.unchanged += 1;
            self.solved(tx, item, word)?;
            return Ok(false);
        }
        Ok(true)
    }

    fn delete_rows(
        &mut self,
        tx: &mut dyn Transaction,
        rows: Vec<Gone<'_>>,
        word: &str,
        counts: &mut LegReport,
    ) -> Result<()> {
        let leg = self.leg;
        let mut marked: Vec<Gone<'_>> = Vec::with_capacity(rows.len());
        for (item, primary) in rows {
            if self.mark(tx, item, true, word, counts)? {
                marked.push((item, primary));
            }
        }
        let keys: Vec<&[Value]> = marked.iter().map(|(_, primary)| primary.as_slice()).collect();
        let mut outcomes = Vec::with_capacity(keys.len());
        tx.delete_all(leg.leg().target.table, &keys, &mut outcomes)?;
        for ((item, primary), outcome) in marked.iter().zip(outcomes) {
            match outcome {
                Ok(()) => {
                    counts.deleted += 1;
                    if self.tracks {
                        self.written.add(leg, primary);
                    }
                    self.outcomes.push((item.n, false));
                    self.solved(tx, item, word)?;
                }
                Err(e) => {
                    let f = self.store_failure(&e);
                    self.failed(tx, item, word, &f, &[], counts)?;
                }
            }
        }
        Ok(())
    }
}
