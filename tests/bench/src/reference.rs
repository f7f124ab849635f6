//! DuckDB, asked the same in a process of its own.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Settings, report::Measured};

/// What DuckDB is asked of a table, which it loads into its memory.
#[derive(Debug)]
pub struct Reference<'s> {
    python: &'s Path,
    directory: TempDir,
}

impl<'s> Reference<'s> {
    /// Nothing without a Python that has DuckDB.
    pub fn new(settings: &'s Settings) -> Option<Self> {
        let python = settings.python.as_deref()?;
        Some(Reference { python, directory: settings.directory() })
    }

    /// Writes the table, a line for each number below a count.
    pub fn write(&self, count: u64, line: impl Fn(u64) -> String) {
        let mut csv = BufWriter::new(File::create(self.table()).expect("a file"));
        (0..count).for_each(|index| writeln!(csv, "{}", line(index)).expect("the disk takes it"));
        csv.flush().expect("the disk takes it");
    }

    /// Asks about the table: what `reference.py` answers to these arguments.
    pub fn ask(&self, about: &str, arguments: &[i64]) -> Value {
        let script = self.directory.path().join("reference.py");
        std::fs::write(&script, include_str!("../reference.py")).expect("a file");
        let output = Command::new(self.python)
            .arg(&script)
            .arg(about)
            .arg(self.table())
            .args(arguments.iter().map(i64::to_string))
            .output()
            .expect("Python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn table(&self) -> PathBuf {
        self.directory.path().join("table.csv")
    }
}

/// How long a query took.
pub fn milliseconds(query: &Value) -> Measured {
    Measured::of(numbers(&query["milliseconds"]))
}

/// A list of numbers.
pub fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().filter_map(Value::as_f64).collect()
}

/// Rows of whole numbers; -1 where there is nothing.
pub fn rows(query: &Value) -> Vec<Vec<i64>> {
    let row = |row: &Value| row.as_array().expect("a row").iter().map(|cell| cell.as_i64().unwrap_or(-1)).collect();
    query["rows"].as_array().expect("rows").iter().map(row).collect()
}
