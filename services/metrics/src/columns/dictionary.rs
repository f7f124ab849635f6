//! Texts that repeat, by small numbers.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// The code of the empty text: what a fact without the dimension has.
pub(crate) const EMPTY: u32 = 0;

/// Texts and their codes. Code 0 is the empty text, in every dictionary.
///
/// Codes depend on the order of arrival, so they never leave the process and nothing is sorted by them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dictionary {
    texts: Vec<Box<str>>,
    #[serde(skip)]
    codes: FxHashMap<Box<str>, u32>,
}

impl Default for Dictionary {
    fn default() -> Self {
        let mut dictionary = Dictionary { texts: vec![Box::default()], codes: FxHashMap::default() };
        dictionary.restore();
        dictionary
    }
}

impl Dictionary {
    /// The code of a text, a new one if need be.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = u32::try_from(self.texts.len()).unwrap_or(EMPTY);
        self.texts.push(text.into());
        self.codes.insert(text.into(), code);
        code
    }

    /// The code of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.codes.get(text).copied()
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: u32) -> &str {
        self.texts.get(code as usize).map_or("", |text| text)
    }

    /// How many codes there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.codes = (0..).zip(&self.texts).map(|(code, text)| (text.clone(), code)).collect();
    }
}

/// A dimension of a table: the code of its value in each row.
///
/// As long as the last row that has a value: what nobody uses takes no room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) dictionary: Dictionary,
    codes: Vec<u32>,
    /// Rows with a value.
    used: usize,
}

impl Column {
    /// Sets the value of a row; empty for none.
    pub(crate) fn set(&mut self, row: usize, text: &str) {
        let code = if text.is_empty() { EMPTY } else { self.dictionary.code(text) };
        if row >= self.codes.len() {
            if code == EMPTY {
                return;
            }
            self.codes.resize(row + 1, EMPTY);
        }
        let before = std::mem::replace(&mut self.codes[row], code);
        self.used += usize::from(code != EMPTY);
        self.used -= usize::from(before != EMPTY);
    }

    /// The codes of the first rows; those beyond have no value.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// Whether any row has a value.
    pub(crate) fn is_used(&self) -> bool {
        self.used > 0
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.dictionary.restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_knows_its_values_and_whether_it_has_any() {
        let mut column = Column::default();
        column.set(5, "");
        assert!(column.codes().is_empty() && !column.is_used());
        column.set(2, "web");
        column.set(0, "shop");
        column.set(2, "shop");
        assert_eq!(column.codes(), [2, 0, 2]);
        assert_eq!((column.dictionary.text(2), column.dictionary.find("")), ("shop", Some(EMPTY)));
        column.set(0, "");
        column.set(2, "");
        assert!(!column.is_used());
    }
}
