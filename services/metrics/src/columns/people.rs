//! Ids by small numbers.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Stands for nobody: the customer of an anonymous answer.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Ids and their numbers, from 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ids {
    ids: Vec<Uuid>,
    #[serde(skip)]
    numbers: FxHashMap<Uuid, u32>,
}

impl Ids {
    /// The number of an id, a new one if need be.
    pub(crate) fn number(&mut self, id: Uuid) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(NOBODY);
        *self.numbers.entry(id).or_insert_with(|| {
            self.ids.push(id);
            next
        })
    }

    /// The number of an id, if it has one.
    pub(crate) fn find(&self, id: Uuid) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// The ids by number.
    pub(crate) fn as_slice(&self) -> &[Uuid] {
        &self.ids
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.numbers = self.ids.iter().copied().zip(0..).collect();
    }
}
