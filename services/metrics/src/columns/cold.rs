//! Columns that no figure reads: which fact is in a row, and in which version.
//!
//! They are in memory until all of them together have more bytes there than they may. Then they go into memory-mapped files,
//! which the operating system keeps in memory as long as it has room; every answer stays the same.

use std::{
    fs,
    io::{self, Seek as _, SeekFrom, Write as _},
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
};

use mmap_vec::{DefaultSegmentBuilder, MmapVec, MmapVecBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Columns with fewer rows stay in memory.
const FEW: usize = 4_096;

/// A column that is in memory, or in a memory-mapped file.
#[derive(Debug)]
pub(crate) enum Cold<T> {
    Memory(Vec<T>),
    /// Never empty.
    Mapped(MmapVec<T>),
}

impl<T: Copy> Cold<T> {
    /// Adds a row.
    pub(crate) fn push(&mut self, value: T) {
        match self {
            Cold::Memory(column) => column.push(value),
            Cold::Mapped(column) => {
                let room = if column.len() == column.capacity() { grow(column) } else { Ok(()) };
                if let Err(error) = room.and_then(|()| column.push(value)) {
                    // The file can not grow: on in memory, with what is in it.
                    tracing::error!(%error, "a column comes back into memory from its file");
                    let rows = column.iter().copied().chain([value]).collect();
                    *self = Cold::Memory(rows);
                }
            }
        }
    }

    /// The bytes of it in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Cold::Memory(column) if column.len() >= FEW => size_of_val(column.as_slice()),
            Cold::Memory(_) | Cold::Mapped(_) => 0,
        }
    }

    /// Moves it into a file of its own, if it is worth that.
    pub(crate) fn move_into(&mut self, files: &DefaultSegmentBuilder) -> io::Result<()> {
        let Cold::Memory(column) = self else { return Ok(()) };
        if column.len() < FEW {
            return Ok(());
        }
        let mut mapped = MmapVecBuilder::new().segment_builder(files.clone()).capacity(FEW).try_build()?;
        fill(&mapped.path(), 0, mapped.disk_size())?;
        while mapped.capacity() < column.len() {
            grow(&mut mapped)?;
        }
        for value in column.iter() {
            mapped.push(*value)?;
        }
        *self = Cold::Mapped(mapped);
        Ok(())
    }
}

/// Doubles the room of a column. Its file has all of it on the disk before anything is written there: a page for which the disk
/// has no room any more would end the process.
fn grow<T>(column: &mut MmapVec<T>) -> io::Result<()> {
    let (before, more) = (column.disk_size(), column.capacity().max(FEW));
    let until = before + more * size_of::<T>();
    fill(&column.path(), before, until)?;
    column.reserve(column.capacity() - column.len() + more)?;
    // Rounded up to whole pages.
    fill(&column.path(), until, column.disk_size())
}

/// Puts zeros into a part of a file.
fn fill(path: &Path, from: usize, until: usize) -> io::Result<()> {
    static ZEROS: [u8; 65_536] = [0; 65_536];
    let mut file = fs::File::options().write(true).open(path)?;
    file.seek(SeekFrom::Start(u64::try_from(from).unwrap_or(u64::MAX)))?;
    let mut left = until.saturating_sub(from);
    while left > 0 {
        let some = left.min(ZEROS.len());
        file.write_all(&ZEROS[..some])?;
        left -= some;
    }
    Ok(())
}

impl<T> Default for Cold<T> {
    fn default() -> Self {
        Cold::Memory(Vec::new())
    }
}

impl<T: Copy> Clone for Cold<T> {
    fn clone(&self) -> Self {
        Cold::Memory(self.to_vec())
    }
}

impl<T> Deref for Cold<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Cold::Memory(column) => column,
            Cold::Mapped(column) => column,
        }
    }
}

impl<T> DerefMut for Cold<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Cold::Memory(column) => column,
            Cold::Mapped(column) => column,
        }
    }
}

impl<T: Serialize> Serialize for Cold<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self[..].serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Cold<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Cold::Memory)
    }
}

/// How much of cold columns may be in memory, and where they go beyond that.
#[derive(Debug)]
pub(crate) struct ColdFiles {
    most_bytes: usize,
    directory: PathBuf,
    files: DefaultSegmentBuilder,
}

impl ColdFiles {
    /// Files in a directory of their own, which is made, and emptied of what an earlier process left in it.
    ///
    /// # Errors
    /// When the directory cannot be made anew.
    pub(crate) fn new(directory: &Path, most_bytes: usize) -> io::Result<Self> {
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(directory)?,
        }
        let files = DefaultSegmentBuilder::with_path(directory);
        Ok(ColdFiles { most_bytes, directory: directory.to_owned(), files })
    }

    /// Moves the columns of all tables into files if they have more bytes in memory than they may. Where that fails they
    /// stay, and it is told.
    pub(crate) fn keep(&self, facts: &mut super::Facts) {
        let mut tables = facts.tables();
        let bytes: usize = tables.iter().map(|rows| rows.bytes()).sum();
        if bytes <= self.most_bytes {
            return;
        }
        let moved: io::Result<()> = tables.iter_mut().try_for_each(|rows| rows.move_into(&self.files));
        match moved {
            Ok(()) => tracing::info!(bytes, "columns went into files"),
            Err(error) => {
                tracing::warn!(%error, directory = %self.directory.display(), "columns stay in memory");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_same_in_a_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = DefaultSegmentBuilder::with_path(directory.path());
        let mut column = Cold::default();
        (0..FEW - 1).for_each(|row| column.push(row));
        column.move_into(&files).expect("moved");
        assert!(matches!(column, Cold::Memory(_)), "not worth a file");
        column.push(FEW - 1);
        assert_eq!(column.bytes(), FEW * 8);
        column.move_into(&files).expect("moved");
        assert!(matches!(column, Cold::Mapped(_)) && column.bytes() == 0);
        // Beyond the room that the file was made with.
        (FEW..5 * FEW).for_each(|row| column.push(row));
        column[7] = 70;
        assert_eq!(column.len(), 5 * FEW);
        assert!(column.iter().enumerate().all(|(row, value)| *value == if row == 7 { 70 } else { row }));
        let told = postcard::to_stdvec(&column).expect("written");
        let read: Cold<usize> = postcard::from_bytes(&told).expect("read");
        assert!(matches!(read, Cold::Memory(_)) && read[..] == column[..]);
        assert_eq!(column.clone()[..], column[..]);
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 1);
        drop(column);
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 0, "the file goes with its column");
    }

    #[test]
    fn what_an_earlier_process_left_is_taken_away() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = directory.path().join("columns");
        fs::create_dir(&files).expect("made");
        fs::write(files.join("old.seg"), [0; 9]).expect("written");
        ColdFiles::new(&files, 0).expect("made anew");
        assert_eq!(fs::read_dir(&files).expect("there").count(), 0);
    }
}
