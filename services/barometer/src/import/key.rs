//! Keys of rows that have none of their own: the same row of the same file has the same key in every run.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use csv::StringRecord;

/// Derives keys and counts equal records.
///
/// A key is a hash of the record as it stands in the file, whatever is made of its columns, and the record's ordinal
/// among equal ones: equal rows are all kept, and a second run adds none. It takes some 40 bytes of memory for each
/// different record of the file.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// How often each record came, by half of its hash: 128 bits tell records of one file apart well enough.
    seen: HashMap<[u8; 16], u32>,
}

impl Keys {
    /// The key of the next record.
    pub(crate) fn derive(&mut self, record: &StringRecord) -> String {
        let hash = hash(record);
        let mut short = [0; 16];
        short.copy_from_slice(&hash.as_bytes()[..16]);
        let ordinal = match self.seen.entry(short) {
            Entry::Vacant(entry) => *entry.insert(1),
            Entry::Occupied(mut entry) => {
                *entry.get_mut() = entry.get().saturating_add(1);
                *entry.get()
            }
        };
        format!("{}#{ordinal}", hash.to_hex())
    }
}

/// Hashes the fields in order, each with its length before it, so that no two records read the same.
fn hash(record: &StringRecord) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for field in record {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    fn keys(records: &[Vec<String>]) -> Vec<String> {
        let mut keys = Keys::default();
        records.iter().map(|fields| keys.derive(&StringRecord::from(fields.clone()))).collect()
    }

    #[test]
    fn keys_stay_as_they_are() {
        let key = keys(&[vec!["00004".into(), "1997-01-01".into()]]).remove(0);
        assert_eq!(key, "daf79b559423250af316d8a7b7a6723cd31d5297a7e90fa7bd1ba7c6b60ce027#1");
    }

    #[test]
    fn equal_records_are_told_apart_by_their_ordinal() {
        let record = vec!["1997-01-01".to_owned(), "29.33".to_owned()];
        let keys = keys(&[record.clone(), vec!["other".into()], record.clone(), record]);
        let (hash, _) = keys[0].split_once('#').expect("an ordinal");
        assert_eq!(keys[2], format!("{hash}#2"));
        assert_eq!(keys[3], format!("{hash}#3"));
    }

    proptest! {
        #[test]
        fn no_two_rows_share_a_key_and_a_second_run_gives_the_same(records in vec(vec("[ab,]{0,2}", 0..4), 0..40)) {
            let first = keys(&records);
            prop_assert_eq!(first.iter().collect::<HashSet<_>>().len(), records.len());
            prop_assert_eq!(first, keys(&records));
        }
    }
}
