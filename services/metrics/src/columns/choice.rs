//! A dimension with few values that the contract names: a byte for each row.

use serde::{Deserialize, Serialize};

use super::Unreadable;

/// The value of each row, as the contract numbers it; 0 for none.
///
/// As long as the last row that has a value: what nobody uses takes no room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Choice {
    codes: Vec<u8>,
}

impl Choice {
    /// Sets the value of a row; 0 for none.
    pub(crate) fn set(&mut self, row: usize, code: u8) {
        match self.codes.get_mut(row) {
            Some(cell) => *cell = code,
            None if code == 0 => {}
            None => {
                self.codes.resize(row, 0);
                self.codes.push(code);
            }
        }
    }

    /// The value of a row; 0 for none.
    pub(crate) fn get(&self, row: usize) -> u8 {
        self.codes.get(row).copied().unwrap_or(0)
    }

    /// The values of the first rows; those beyond have none.
    pub(crate) fn codes(&self) -> &[u8] {
        &self.codes
    }
}

/// The contract's number of a value that has a name among these.
pub(super) fn known(value: i32, names: &[&str], field: &'static str) -> Result<u8, Unreadable> {
    let code = u8::try_from(value).ok().filter(|code| usize::from(*code) < names.len());
    code.ok_or(Unreadable(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_value_take_no_room() {
        let mut choice = Choice::default();
        choice.set(3, 0);
        assert!(choice.codes().is_empty());
        choice.set(2, 7);
        assert_eq!((choice.codes(), choice.get(2), choice.get(9)), (&[0, 0, 7][..], 7, 0));
        choice.set(2, 0);
        assert_eq!(choice.get(2), 0);
    }

    #[test]
    fn values_without_a_name_are_not_understood() {
        assert_eq!(known(1, &["", "a"], "field"), Ok(1));
        for value in [-1, 2, 300] {
            assert_eq!(known(value, &["", "a"], "field"), Err(Unreadable("field")));
        }
    }
}
