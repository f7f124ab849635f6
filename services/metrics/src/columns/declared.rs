//! Dimensions that callers declared on their facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dictionary::Column;

/// The declared dimensions of a table, each with its column.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Declared {
    columns: BTreeMap<String, Column>,
}

impl Declared {
    /// Sets all dimensions of a row: those that are not given it has no more.
    pub(crate) fn set(&mut self, row: usize, dimensions: &BTreeMap<String, String>) {
        for (name, column) in &mut self.columns {
            column.set(row, dimensions.get(name).map_or("", String::as_str));
        }
        for (name, value) in dimensions {
            if !self.columns.contains_key(name) {
                self.columns.entry(name.clone()).or_default().set(row, value);
            }
        }
    }

    /// A dimension that some fact has.
    pub(crate) fn find(&self, name: &str) -> Option<&Column> {
        self.columns.get(name).filter(|column| column.is_used())
    }

    /// The names of the dimensions that some fact has.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, column)| column.is_used()).map(|(name, _)| name.as_str())
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.columns.values_mut().for_each(Column::restore);
    }
}
