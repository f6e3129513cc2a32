//! Sets of keys that take little room.

use crate::value::Key;
use std::collections::HashSet;
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
