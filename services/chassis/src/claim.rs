//! What one process uses alone: SQLite's file, and files beside it.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::error::Error;

/// A claim on files that nobody else uses as long as it is held: two processes would write over each other's. It is a lock of the
/// operating system's, which takes it back from a process that was killed.
#[derive(Debug)]
pub struct Claim(File);

impl Claim {
    /// Claims `files` by the lock `lock`, a file that is made if need be and stays.
    ///
    /// # Errors
    /// UNAVAILABLE when another process has it; INTERNAL when it cannot be made or locked.
    pub fn new(files: &Path, lock: &Path) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Internal(format!("{}: {error}", lock.display()));
        let file = File::options().create(true).write(true).truncate(false).open(lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Claim(file)),
            Err(TryLockError::WouldBlock) => {
                let message =
                    format!("another process uses {}: each needs a data directory of its own", files.display());
                Err(Error::Unavailable { reason: "DATA_DIR_IN_USE", message })
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Drop for Claim {
    /// Gives the lock back at once. Closing the file would not: a program that is being started just then by another thread holds
    /// a copy of it until it runs.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "a lock is given back late");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_of_one_at_a_time() {
        let data = tempfile::tempdir().expect("a directory");
        let (files, lock) = (data.path().join("notes.sqlite"), data.path().join("notes.lock"));
        let first = Claim::new(&files, &lock).expect("nobody uses them");
        let second = Claim::new(&files, &lock).expect_err("they are in use");
        let told = files.display().to_string();
        assert!(matches!(&second, Error::Unavailable { message, .. } if message.contains(&told)), "{second}");
        Claim::new(&files, &data.path().join("other.lock")).expect("it is another");
        drop(first);
        // What it leaves behind is no lock.
        assert!(lock.exists());
        Claim::new(&files, &lock).expect("nobody uses them any more");
        let nowhere = Claim::new(&files, &data.path().join("nowhere").join("lock"));
        assert!(matches!(nowhere, Err(Error::Internal(message)) if message.contains("nowhere")));
    }

    #[test]
    fn what_is_given_back_is_free_although_a_copy_of_it_is_open() {
        let data = tempfile::tempdir().expect("a directory");
        let lock = data.path().join("lock");
        let claim = Claim::new(data.path(), &lock).expect("nobody uses it");
        // As a program that is being started has it.
        let copy = claim.0.try_clone().expect("a copy");
        drop(claim);
        Claim::new(data.path(), &lock).expect("it was given back");
        drop(copy);
    }
}
