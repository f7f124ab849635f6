//! Where a table is written to. A file has its name only when it is whole.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// Where to.
pub(super) enum Target {
    /// A file, under another name beside it until it is whole.
    File {
        /// Its name.
        path: PathBuf,
        /// What was written so far; removed when it is dropped.
        beside: BufWriter<NamedTempFile>,
    },
    /// Standard output.
    Output,
}

impl Target {
    /// The file of this name, or standard output.
    ///
    /// # Errors
    /// When nothing can be written beside it.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Target::Output) };
        let failed = |error: &io::Error| Failure::output(path.display(), error);
        let name = path.file_name().filter(|_| !path.is_dir());
        let name = name.ok_or_else(|| failed(&io::Error::from(ErrorKind::IsADirectory)))?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::Builder::new();
        let prefix = format!(".{}.", name.to_string_lossy());
        beside.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            // As files that are made otherwise: the mask of the process takes from it.
            use std::os::unix::fs::PermissionsExt;
            beside.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let beside = beside.tempfile_in(directory).map_err(|error| failed(&error))?;
        Ok(Target::File { path: path.to_owned(), beside: BufWriter::new(beside) })
    }

    /// Writes some bytes; tells whether there is any use in going on.
    ///
    /// # Errors
    /// When they can not be written.
    pub(super) fn write(&mut self, data: &[u8]) -> Result<bool, Failure> {
        let (done, what) = match self {
            Target::File { path, beside } => (beside.write_all(data), path.display().to_string()),
            Target::Output => (io::stdout().lock().write_all(data), "the table".to_owned()),
        };
        goes_on(done, &what)
    }

    /// Gives the file its name; tells where the table is.
    ///
    /// # Errors
    /// When it can not be written.
    pub(super) fn finish(self) -> Result<String, Failure> {
        let Target::File { path, beside } = self else {
            goes_on(io::stdout().lock().flush(), "the table")?;
            return Ok("written".to_owned());
        };
        let failed = |error: &io::Error| Failure::output(path.display(), error);
        let beside = beside.into_inner().map_err(|error| failed(error.error()))?;
        beside.as_file().sync_all().map_err(|error| failed(&error))?;
        beside.persist(&path).map_err(|error| failed(&error.error))?;
        Ok(path.display().to_string())
    }
}

/// A reader of standard output that has gone away, as in `| head`, is no failure.
fn goes_on(done: io::Result<()>, what: &str) -> Result<bool, Failure> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::output(what, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).expect("a directory");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("nps.csv");
        std::fs::write(&path, "old").expect("a file");
        let mut target = Target::open(Some(&path)).expect("a target");
        assert_eq!(target.write(b"new"), Ok(true));
        let beside = names(directory.path()).into_iter().find(|name| name != "nps.csv").expect("another name");
        assert!(beside.starts_with(".nps.csv.") && beside.ends_with(".partial"), "{beside}");
        assert_eq!(std::fs::read(&path).expect("a file"), b"old");
        assert_eq!(target.finish(), Ok(path.display().to_string()));
        assert_eq!((std::fs::read(&path).expect("a file"), names(directory.path()).len()), (b"new".to_vec(), 1));
    }

    #[test]
    fn of_what_is_broken_off_nothing_is_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut target = Target::open(Some(&directory.path().join("nps.csv"))).expect("a target");
        assert_eq!(target.write(b"half"), Ok(true));
        drop(target);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn a_directory_is_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(Target::open(Some(directory.path())).is_err());
        assert!(Target::open(Some(&directory.path().join("none/nps.csv"))).is_err());
    }
}
