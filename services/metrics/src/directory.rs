//! The directory of the service: its snapshot, and columns that went into files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use barometer_chassis::{claim::Claim, error::Error};

use crate::NAME;

/// A directory that nobody else uses as long as this is held.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    _claim: Claim,
}

impl Directory {
    /// The directory in `data_dir`, which is made if need be.
    ///
    /// # Errors
    /// UNAVAILABLE when another process uses it; INTERNAL when it cannot be made or locked.
    pub fn claim(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(NAME);
        fs::create_dir_all(&path).map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
        let claim = Claim::new(&path, &path.join("lock"))?;
        Ok(Directory { path, _claim: claim })
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
        Directory::claim(data.path()).expect("nobody uses it any more");
        Directory::claim(&data.path().join("other")).expect("it is another");
    }
}
