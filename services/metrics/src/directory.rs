//! The directory of the service: its snapshot, and columns that went into files.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use barometer_chassis::error::Error;

use crate::NAME;

/// A directory that nobody else uses as long as this is held: two processes would write over each other's files. The lock is the
/// operating system's, which takes it back from a process that was killed.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// The directory in `data_dir`, which is made if need be.
    ///
    /// # Errors
    /// UNAVAILABLE when another process uses it; INTERNAL when it cannot be made or locked.
    pub fn claim(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(NAME);
        let failed = |error: io::Error| Error::Internal(format!("{}: {error}", path.display()));
        let open = || {
            fs::create_dir_all(&path)?;
            File::options().create(true).write(true).truncate(false).open(path.join("lock"))
        };
        let lock = open().map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Directory { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let message =
                    format!("another process uses {}: each needs a data directory of its own", path.display());
                Err(Error::Unavailable { reason: "DATA_DIR_IN_USE", message })
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_of_one_at_a_time() {
        let data = tempfile::tempdir().expect("a directory");
        let first = Directory::claim(data.path()).expect("nobody uses it");
        let second = Directory::claim(data.path()).expect_err("it is in use");
        let told = first.path().display().to_string();
        assert!(matches!(&second, Error::Unavailable { message, .. } if message.contains(&told)), "{second}");
        drop(first);
        // What it leaves behind is no lock.
        assert!(data.path().join(NAME).join("lock").exists());
        Directory::claim(data.path()).expect("nobody uses it any more");
        Directory::claim(&data.path().join("other")).expect("it is another");
    }
}
