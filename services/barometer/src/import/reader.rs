//! Reads the file in a thread of its own, a few batches ahead of the connection.

use std::fs::File;
use std::path::Path;
use std::thread;

use csv::{ErrorKind, StringRecord};
use prost::Message;
use tokio::sync::mpsc;

use super::key::Keys;
use super::line::Line;
use super::noun::Noun;
use super::plan::Plan;
use super::value::Problem;
use crate::failure::Failure;

/// Most rows of a batch.
const MAX_ROWS: usize = 1_000;
/// Most bytes of a batch: well below the smallest limit of messages that anybody sets, and acknowledged soon.
const MAX_BYTES: usize = 1024 * 1024;
/// Batches that are read ahead.
const AHEAD: usize = 2;

/// Rows that are sent together, and those before, between and after them that can not be sent.
#[derive(Debug)]
pub(crate) struct Batch<R> {
    /// Ready to send; none only when every line was rejected.
    pub(crate) rows: Vec<R>,
    /// Lines that were rejected here.
    pub(crate) rejected: Vec<RejectedLine>,
    /// Bytes of the file up to the end of the batch.
    pub(crate) end: u64,
}

/// A line that is not recorded, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedLine {
    /// Number of its first line in the file, from 1, the header's.
    pub(crate) line: u64,
    /// What is wrong.
    pub(crate) violations: Vec<Violation>,
}

/// One thing that is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Field of the import, or path of a field in the suite's message; empty for the line as a whole.
    pub(crate) field: String,
    /// For programs.
    pub(crate) reason: String,
    /// For people.
    pub(crate) description: String,
}

/// The file, past its header.
pub(crate) struct Source {
    csv: csv::Reader<File>,
    header: StringRecord,
    bytes: Option<u64>,
}

impl Source {
    /// Opens a file whose fields are set apart by `delimiter`, and reads its header.
    ///
    /// # Errors
    /// When it can not be read.
    pub(crate) fn open(path: &Path, delimiter: u8) -> Result<Self, Failure> {
        let unreadable = |error: &dyn std::fmt::Display| Failure::data(format!("can not read {}: {error}", path.display()));
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        let bytes = metadata.is_file().then_some(metadata.len());
        let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(file);
        let header = csv.headers().map_err(|error| unreadable(&error))?.clone();
        if header.iter().all(str::is_empty) {
            return Err(unreadable(&"it does not begin with the names of its columns"));
        }
        Ok(Self { csv, header, bytes })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The size of the file, if that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Reads the rows, as `plan` says. Ends when the receiver is dropped.
    pub(crate) fn start<N: Noun>(mut self, plan: Plan) -> mpsc::Receiver<Result<Batch<N::Row>, Failure>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        // Not one of the runtime's threads, which would wait for a pipe that nobody writes to.
        thread::spawn(move || {
            let mut batcher = Batcher::<N>::new(&plan);
            loop {
                let batch = batcher.next(&mut self);
                let ends = !matches!(batch, Ok(Some(_)));
                if batch.transpose().is_some_and(|batch| sender.blocking_send(batch).is_err()) || ends {
                    return;
                }
            }
        });
        receiver
    }
}

/// Makes batches of lines.
struct Batcher<'a, N: Noun> {
    plan: &'a Plan,
    keys: Keys,
    record: StringRecord,
    /// A row that the batch before had no room for, and its size.
    kept: Option<(N::Row, usize)>,
}

impl<'a, N: Noun> Batcher<'a, N> {
    fn new(plan: &'a Plan) -> Self {
        Self { plan, keys: Keys::default(), record: StringRecord::new(), kept: None }
    }

    /// The next batch; none at the end of the file.
    fn next(&mut self, source: &mut Source) -> Result<Option<Batch<N::Row>>, Failure> {
        let (mut rows, mut bytes, mut rejected) = (Vec::new(), 0, Vec::new());
        if let Some((row, size)) = self.kept.take() {
            rows.push(row);
            bytes = size;
        }
        while rows.len() < MAX_ROWS && rejected.len() < MAX_ROWS {
            match self.line(source)? {
                None => break,
                Some(Err(line)) => rejected.push(line),
                Some(Ok((row, size))) if bytes + size <= MAX_BYTES => {
                    rows.push(row);
                    bytes += size;
                }
                Some(Ok(kept)) => {
                    self.kept = Some(kept);
                    break;
                }
            }
        }
        let is_end = rows.is_empty() && rejected.is_empty();
        Ok((!is_end).then(|| Batch { rows, rejected, end: source.csv.position().byte() }))
    }

    /// The next line as a row with its size, or as rejected; none at the end of the file.
    #[expect(clippy::type_complexity, reason = "named nowhere else")]
    fn line(&mut self, source: &mut Source) -> Result<Option<Result<(N::Row, usize), RejectedLine>>, Failure> {
        let read = source.csv.read_record(&mut self.record);
        let line = self.record.position().map_or(0, csv::Position::line);
        match read {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(self.row(line).map_err(|problems| rejected_line(line, problems)))),
            Err(error) => match error.kind() {
                ErrorKind::Utf8 { err, pos } => {
                    let field = source.header.get(err.field()).unwrap_or_default().to_owned();
                    let problem = Problem::new("NOT_UTF8", "is not text in UTF-8");
                    let line = pos.as_ref().map_or(line, csv::Position::line);
                    Ok(Some(Err(rejected_line(line, vec![(field, problem)]))))
                }
                _ => Err(Failure::data(format!("can not read on after line {line}: {error}"))),
            },
        }
    }

    fn row(&mut self, number: u64) -> Result<(N::Row, usize), Vec<(String, Problem)>> {
        if self.record.len() != self.plan.width {
            let (has, width) = (self.record.len(), self.plan.width);
            let problem = Problem::new("WRONG_LENGTH", format!("has {has} fields, the header has {width}"));
            return Err(vec![(String::new(), problem)]);
        }
        let mut line = Line::new(self.plan, &self.record, &mut self.keys);
        let row = N::read(i64::try_from(number).unwrap_or(i64::MAX), &mut line);
        let problems = line.into_problems();
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|(field, problem)| (field.to_owned(), problem)).collect());
        }
        let size = row.encoded_len();
        if size > MAX_BYTES {
            return Err(vec![(String::new(), Problem::new("TOO_LONG", format!("is too long: {size} bytes")))]);
        }
        Ok((row, size))
    }
}

fn rejected_line(line: u64, problems: Vec<(String, Problem)>) -> RejectedLine {
    let violation = |(field, Problem { reason, description })| Violation { field, reason: reason.to_owned(), description };
    RejectedLine { line, violations: problems.into_iter().map(violation).collect() }
}
