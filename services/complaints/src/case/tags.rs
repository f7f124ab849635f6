//! Tags: the company's own words by which cases are found.

use std::collections::BTreeSet;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// Tags, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Tags(BTreeSet<String>);

impl Tags {
    /// From words in any order; repeated ones count once.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Tags(words.into_iter().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words.
    pub fn into_words(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}
