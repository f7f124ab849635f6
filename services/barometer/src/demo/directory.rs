//! Where a demo keeps its data: for itself, never among anything else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use barometer_chassis::clock::Micros;
use barometer_simulator::Parameters;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::failure::Failure;

/// Says that a directory belongs to a demo, and which company is in it.
const MARK: &str = "barometer-demo.txt";

/// A directory of the demo's own.
pub(super) enum Directory {
    /// Gone with this value.
    Temporary(TempDir),
    /// Stays.
    Kept(PathBuf),
}

impl Directory {
    /// A new directory, or one of an earlier demo, with the company that is in it. A kept company ends when it ended
    /// first, unless `until` says so again.
    pub(super) fn open(
        path: Option<&Path>,
        customers: u32,
        seed: u64,
        until: Option<Micros>,
    ) -> Result<(Self, Parameters), Failure> {
        let parameters = |until: Micros| Parameters { customers, seed, until: until.0 };
        let Some(path) = path else {
            let directory = TempDir::with_prefix("barometer-demo-");
            let directory = directory.map_err(|error| Failure::output("a temporary directory", &error))?;
            return Ok((Self::Temporary(directory), parameters(until.unwrap_or_else(Micros::now))));
        };
        let failed = |error| Failure::output(path.display(), &error);
        fs::create_dir_all(path).map_err(failed)?;
        let mark = path.join(MARK);
        if let Ok(text) = fs::read_to_string(&mark) {
            let kept = read(&text).ok_or_else(|| Failure::data(format!("{} is damaged", mark.display())))?;
            let asked = parameters(until.unwrap_or(Micros(kept.until)));
            if kept != asked {
                let told = format!(
                    "{} holds another company ({}): choose another directory",
                    path.display(),
                    write(kept).trim()
                );
                return Err(Failure::usage(told));
            }
            return Ok((Self::Kept(path.to_owned()), kept));
        }
        if fs::read_dir(path).map_err(failed)?.next().is_some() {
            let told = "holds something else than a demo: choose a new or empty directory";
            return Err(Failure::usage(format!("--data-dir: {} {told}", path.display())));
        }
        let parameters = parameters(until.unwrap_or_else(Micros::now));
        fs::write(&mark, write(parameters)).map_err(failed)?;
        Ok((Self::Kept(path.to_owned()), parameters))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }

    /// Whether it stays.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

fn write(Parameters { customers, seed, until }: Parameters) -> String {
    format!("--customers {customers} --seed {seed} --until {}\n", Micros(until))
}

fn read(text: &str) -> Option<Parameters> {
    let mut words = text.split_whitespace();
    let mut value = |name: &str| (words.next()? == name).then(|| words.next()).flatten();
    let customers = value("--customers")?.parse().ok()?;
    let seed = value("--seed")?.parse().ok()?;
    let until = value("--until")?.parse::<Timestamp>().ok()?.as_microsecond();
    Some(Parameters { customers, seed, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, customers: u32, until: Option<i64>) -> Result<Parameters, Failure> {
        Directory::open(Some(path), customers, 1, until.map(Micros)).map(|(_, parameters)| parameters)
    }

    #[test]
    fn a_kept_company_is_continued_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("company");
        let first = open(&path, 300, Some(1_767_225_600_000_001)).expect("a new directory");
        assert_eq!(open(&path, 300, None), Ok(first));
        for (customers, until) in [(301, None), (300, Some(1_767_225_600_000_000))] {
            let failure = open(&path, customers, until).expect_err("another company");
            let told = "(--customers 300 --seed 1 --until 2026-01-01T00:00:00.000001Z)";
            assert!(failure.to_string().contains(told), "{failure}");
        }
        fs::write(folder.path().join("customers.sqlite"), "precious").expect("a file");
        assert!(open(folder.path(), 300, None).expect_err("no demo").to_string().contains("something else"));
        fs::write(path.join(MARK), "--customers x").expect("a file");
        assert!(open(&path, 300, None).is_err());
    }

    #[test]
    fn a_temporary_directory_is_removed() {
        let (directory, _) = Directory::open(None, 300, 1, None).expect("a directory");
        let path = directory.path().to_owned();
        assert!(path.is_dir() && !directory.is_kept());
        drop(directory);
        assert!(!path.exists());
    }
}
