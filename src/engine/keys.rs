//! Sets of keys that take little room.

use super::runtime::LegRt;
use crate::schema::TableId;
use crate::value::{Key, Value};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// Keys of one transaction, as 128-bit fingerprints: a chunk may hold hundreds of thousands.
#[derive(Clone, Debug, Default)]
pub(super) struct KeySet(HashSet<u128>);

impl KeySet {
    pub fn fingerprint(key: &Key) -> u128 {
        let half = |salt: u8| {
            let mut h = std::hash::DefaultHasher::new();
            salt.hash(&mut h);
            key.hash(&mut h);
            u128::from(h.finish())
        };
        half(0) << 64 | half(1)
    }
    /// Whether it was not there before.
    pub fn insert(&mut self, key: &Key) -> bool {
        self.0.insert(KeySet::fingerprint(key))
    }
    pub fn remove(&mut self, key: &Key) {
        self.0.remove(&KeySet::fingerprint(key));
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn contains(&self, key: &Key) -> bool {
        self.0.contains(&KeySet::fingerprint(key))
    }
}

/// How often a leg wrote which rows of its target in one transaction, by the primary keys that it gave them (R3).
#[derive(Clone, Debug, Default)]
pub(super) struct Written(HashMap<u128, u8>);

impl Written {
    /// It wrote this row once more.
    pub fn add(&mut self, leg: &LegRt, key: &[Value]) {
        let times = self.0.entry(KeySet::fingerprint(&leg.target_key(key))).or_default();
        *times = times.saturating_add(1);
    }
    /// How often it wrote this row of this table.
    pub fn of(&self, leg: &LegRt, table: TableId, key: &[Value]) -> usize {
        if table != leg.leg().target.table {
            return 0;
        }
        let times = self.0.get(&KeySet::fingerprint(&leg.target_key(key))).copied().map_or(0, usize::from);
        if mutant!("passing-keys-are-foreign") { times.min(1) } else { times }
    }
}
