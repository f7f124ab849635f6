//! What came of an import: progress on the way, rejected rows in a file, a summary at the end.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use barometer_proto::common::v1::{FieldViolation, RejectedRow};
use indicatif::{ProgressBar, ProgressStyle};

use super::noun::Acknowledgement;
use super::reader::{RejectedLine, Violation};
use crate::decimal::grouped;
use crate::failure::Failure;

/// Time between two lines of progress where there is no terminal.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What came of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Rows that were recorded.
    pub(crate) recorded: u64,
    /// Rows that were there already.
    pub(crate) unchanged: u64,
    /// Rows that were rejected, here or by the suite; of each any number of lines is told.
    pub(crate) rejected: u64,
    /// Position of the last write; when nothing was written, of rows that were there.
    pub(crate) position: String,
}

/// Follows an import and tells of it.
pub(crate) struct Report {
    tally: Tally,
    rejects: Rejects,
    progress: Progress,
    unit: Unit,
    tell: fn(&str),
}

/// What is counted: in the plural, and one of it.
pub(crate) type Unit = (&'static str, &'static str);

/// What most files are made of.
pub(crate) const ROWS: Unit = ("rows", "row");

impl Report {
    /// A report that writes rejected rows to `rejects`, of a file of so many bytes. Remarks go to `tell`.
    pub(crate) fn new(rejects: PathBuf, bytes: Option<u64>, unit: Unit, tell: fn(&str)) -> Self {
        let rejects = Rejects { path: rejects, file: None };
        Self { tally: Tally::default(), rejects, progress: Progress::new(bytes, unit), unit, tell }
    }

    /// Notes what came of a batch that ends at so many bytes of the file, and of which so many rows were refused.
    pub(crate) fn settle(
        &mut self,
        mut rejected: Vec<RejectedLine>,
        refused: u64,
        end: u64,
        answer: Acknowledgement,
    ) -> Result<(), Failure> {
        rejected.extend(answer.rejected.into_iter().map(RejectedLine::from));
        rejected.sort_by_key(|line| line.line);
        self.rejects.write(&rejected)?;
        self.tally.recorded += answer.recorded;
        self.tally.unchanged += answer.unchanged;
        self.tally.rejected += refused;
        // What is written now comes after all that was there: later batches of known rows must not take it back.
        if answer.recorded > 0 || self.tally.recorded == 0 && !answer.position.is_empty() {
            self.tally.position = answer.position;
        }
        if let Some(line) = self.progress.advance(self.tally.rows(), end) {
            self.remark(&line);
        }
        Ok(())
    }

    /// Rows that are done with.
    pub(crate) fn settled(&self) -> u64 {
        self.tally.rows()
    }

    /// Tells the user something on the way.
    pub(crate) fn remark(&self, text: &str) {
        match &self.progress.bar {
            Some(bar) => bar.suspend(|| (self.tell)(text)),
            None => (self.tell)(text),
        }
    }

    /// Ends the report.
    ///
    /// # Errors
    /// When the file of rejected rows can not be written.
    pub(crate) fn close(self) -> Result<Summary, Failure> {
        let elapsed = self.progress.finish();
        Ok(Summary { tally: self.tally, unit: self.unit, elapsed, rejects: self.rejects.finish()? })
    }
}

/// What an import came to.
#[derive(Debug)]
pub(crate) struct Summary {
    tally: Tally,
    unit: Unit,
    elapsed: Duration,
    /// Where the rejected rows are.
    rejects: PathBuf,
}

impl Summary {
    /// The last position that was recorded; empty when nothing was.
    pub(crate) fn position(&self) -> &str {
        &self.tally.position
    }

    /// Writes it in lines of a name and a value; `included` says whether the figures hold it all by now.
    pub(crate) fn write(&self, included: Option<bool>, out: &mut dyn Write) -> io::Result<()> {
        let Tally { recorded, unchanged, rejected, position } = &self.tally;
        let (rows, _) = self.unit;
        writeln!(out, "{:<12}{}", format!("{rows} read"), self.tally.rows())?;
        writeln!(out, "recorded    {recorded}")?;
        writeln!(out, "unchanged   {unchanged}")?;
        writeln!(out, "rejected    {rejected}")?;
        writeln!(out, "seconds     {:.1}", self.elapsed.as_secs_f64())?;
        writeln!(out, "{:<12}{:.0}", format!("{rows}/s"), rate(self.tally.rows(), self.elapsed))?;
        if !position.is_empty() {
            writeln!(out, "position    {position}")?;
        }
        match included {
            Some(true) => writeln!(out, "figures     include it all")?,
            Some(false) => {
                writeln!(out, "figures     do not include it all yet: query with --at-least and the position")?
            }
            None => {}
        }
        Ok(())
    }

    /// Whether all rows are in the suite now.
    ///
    /// # Errors
    /// When rows were rejected.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let (rows, row) = self.unit;
        let were = match self.tally.rejected {
            0 => return Ok(()),
            1 => format!("1 {row} was"),
            n => format!("{n} {rows} were"),
        };
        Err(Failure::rejected(format!("{were} rejected; see {}", self.rejects.display())))
    }
}

impl Tally {
    fn rows(&self) -> u64 {
        self.recorded + self.unchanged + self.rejected
    }
}

/// The file of rejected rows; it is there only when there are any.
struct Rejects {
    path: PathBuf,
    file: Option<csv::Writer<File>>,
}

impl Rejects {
    fn write(&mut self, lines: &[RejectedLine]) -> Result<(), Failure> {
        if lines.is_empty() {
            return Ok(());
        }
        let path = &self.path;
        let failed = |error: csv::Error| Failure::output(path.display(), &io::Error::from(error));
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = csv::Writer::from_path(path).map_err(failed)?;
                file.write_record(["line", "field", "reason", "description"]).map_err(failed)?;
                none.insert(file)
            }
        };
        for RejectedLine { line, violations } in lines {
            let line = line.to_string();
            for Violation { field, reason, description } in violations {
                file.write_record([&line, field, reason, description]).map_err(failed)?;
            }
        }
        // Whoever interrupts the import finds what was rejected up to here.
        file.flush().map_err(|error| failed(error.into()))
    }

    /// Where the rejected rows are. Without any, what an earlier run left there is removed.
    fn finish(self) -> Result<PathBuf, Failure> {
        let stale = self.file.is_none() && fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_file());
        if stale {
            fs::remove_file(&self.path).map_err(|error| Failure::output(self.path.display(), &error))?;
        }
        Ok(self.path)
    }
}

impl From<RejectedRow> for RejectedLine {
    fn from(row: RejectedRow) -> Self {
        let RejectedRow { row, violations } = row;
        let violation = |FieldViolation { field, description, reason }| Violation { field, reason, description };
        Self {
            line: u64::try_from(row).unwrap_or_default(),
            violations: violations.into_iter().map(violation).collect(),
        }
    }
}

/// A bar on a terminal, a line now and then elsewhere; on standard error.
struct Progress {
    bar: Option<ProgressBar>,
    bytes: Option<u64>,
    unit: Unit,
    started: Instant,
    told: Instant,
}

impl Progress {
    fn new(bytes: Option<u64>, unit: Unit) -> Self {
        let bar = io::stderr().is_terminal().then(|| match bytes {
            Some(bytes) => ProgressBar::new(bytes).with_style(style("{bar:30} {percent:>3} %  {msg}  {eta} left")),
            None => ProgressBar::no_length().with_style(style("{spinner} {msg}")),
        });
        let now = Instant::now();
        Self { bar, bytes, unit, started: now, told: now }
    }

    /// Shows how far it is; where there is no bar, now and then as a line for the user.
    fn advance(&mut self, rows: u64, end: u64) -> Option<String> {
        let elapsed = self.started.elapsed();
        let done = Done { rows, unit: self.unit, elapsed, end, bytes: self.bytes };
        match &self.bar {
            Some(bar) => {
                bar.set_position(end);
                bar.set_message(done.rate());
                None
            }
            None if self.told.elapsed() >= TOLD_EVERY => {
                self.told = Instant::now();
                Some(done.to_string())
            }
            None => None,
        }
    }

    fn finish(&self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// How far an import has come.
struct Done {
    rows: u64,
    unit: Unit,
    elapsed: Duration,
    end: u64,
    bytes: Option<u64>,
}

impl Done {
    fn rate(&self) -> String {
        let (rows, _) = self.unit;
        format!("{} {rows}, {:.0} {rows}/s", grouped(self.rows), rate(self.rows, self.elapsed))
    }
}

impl fmt::Display for Done {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rate())?;
        let Some(bytes) = self.bytes.filter(|bytes| *bytes > 0 && self.end > 0) else { return Ok(()) };
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = (self.end as f64 / bytes as f64).min(1.0);
        let left = self.elapsed.mul_f64((1.0 - share) / share);
        write!(formatter, ", {:.0} %, about {} s left", share * 100.0, left.as_secs())
    }
}

fn rate(rows: u64, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rows = rows as f64;
    rows / elapsed.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(line: u64, field: &str) -> RejectedLine {
        let violation = Violation { field: field.into(), reason: "REQUIRED".into(), description: "is required".into() };
        RejectedLine { line, violations: vec![violation] }
    }

    #[test]
    fn rejected_rows_are_in_the_order_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rejected.csv");
        let mut report = Report::new(path.clone(), None, ROWS, |_| {});
        let violation = FieldViolation { field: "time".into(), reason: "LATE".into(), description: "a, b".into() };
        let answer = Acknowledgement {
            recorded: 3,
            unchanged: 1,
            rejected: vec![RejectedRow { row: 3, violations: vec![violation] }],
            position: "p".into(),
        };
        report.settle(vec![rejected(2, "score"), rejected(4, "")], 3, 10, answer).expect("it is written");
        assert_eq!(report.tally, Tally { recorded: 3, unchanged: 1, rejected: 3, position: "p".into() });
        let summary = report.close().expect("it is written");
        let failure = summary.verdict().expect_err("rows were rejected");
        assert!(failure.to_string().starts_with("3 rows were rejected; see "), "{failure}");
        let written = fs::read_to_string(path).expect("a file");
        let lines = ["line,field,reason,description", "2,score,REQUIRED,is required", "3,time,LATE,\"a, b\""];
        assert_eq!(written.lines().take(3).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn without_rejected_rows_there_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rejected.csv");
        fs::write(&path, "of an earlier run").expect("it is written");
        Report::new(path.clone(), Some(0), ROWS, |_| {})
            .close()
            .expect("it is removed")
            .verdict()
            .expect("nothing was rejected");
        assert!(!path.exists());
    }

    #[test]
    fn progress_says_how_long_it_will_take() {
        let done = Done { rows: 12_000, unit: ROWS, elapsed: Duration::from_secs(3), end: 25, bytes: Some(100) };
        assert_eq!(done.to_string(), "12,000 rows, 4000 rows/s, 25 %, about 9 s left");
    }
}
