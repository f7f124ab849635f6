//! Reads the file in a thread of its own, a few batches ahead of the connection.

use std::fs::File;
use std::path::Path;
use std::thread;

use csv::{ByteRecord, ErrorKind, StringRecord};
use prost::Message;
use tokio::sync::mpsc;

use super::key::Keys;
use super::line::Line;
use super::noun::Noun;
use super::plan::Plan;
use super::value::Problem;
use crate::failure::Failure;

/// Most rows of a batch.
pub(super) const MAX_ROWS: usize = 1_000;
/// Most bytes of a batch: well below the smallest limit of messages that anybody sets, and acknowledged soon.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// Batches that are read ahead.
pub(super) const AHEAD: usize = 2;

/// Batches as they are read; the last one may be why the file can not be read on.
pub(crate) type Batches<R> = mpsc::Receiver<Result<Batch<R>, Failure>>;

/// Rows that are sent together, and those before, between and after them that can not be sent.
#[derive(Debug)]
pub(crate) struct Batch<R> {
    /// Ready to send; none only when every line was rejected.
    pub(crate) rows: Vec<R>,
    /// Lines that were rejected here.
    pub(crate) rejected: Vec<RejectedLine>,
    /// Rows that were rejected here.
    pub(crate) refused: u64,
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
    /// Lines that the reader is behind after a record: it leaves the LF of a CR LF to the next.
    behind: u64,
}

impl Source {
    /// Opens a file whose fields are set apart by `delimiter`, and reads its header.
    ///
    /// # Errors
    /// When it can not be read.
    pub(crate) fn open(path: &Path, delimiter: u8) -> Result<Self, Failure> {
        let unreadable =
            |error: &dyn std::fmt::Display| Failure::data(format!("can not read {}: {error}", path.display()));
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        let bytes = metadata.is_file().then_some(metadata.len());
        let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(file);
        let header = csv.headers().map_err(|error| unreadable(&error))?.clone();
        if header.iter().all(str::is_empty) {
            return Err(unreadable(&"it does not begin with the names of its columns"));
        }
        let behind = (1 + inner_lines(header.as_byte_record())).saturating_sub(csv.position().line() - 1);
        Ok(Self { csv, header, bytes, behind })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The size of the file, if that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Reads the next record as it stands there: the line on which it begins; none at the end of the file.
    pub(super) fn read(&mut self, record: &mut ByteRecord) -> Result<Option<u64>, Failure> {
        match self.csv.read_byte_record(record) {
            Ok(true) => Ok(Some(self.line(record))),
            Ok(false) => Ok(None),
            Err(error) => Err(unreadable_after(self.csv.position().line(), &error)),
        }
    }

    /// The line on which the record that was just read begins.
    fn line(&self, record: &ByteRecord) -> u64 {
        // Counted from where the reader was before it, which leaves out blank lines in between, and back from where it is
        // now, which is one too few for a last line without an end.
        let before = record.position().map_or(0, csv::Position::line) + self.behind;
        let after = (self.csv.position().line() + self.behind).saturating_sub(1 + inner_lines(record));
        before.max(after)
    }

    /// Reads the rows, as `plan` says. Ends when the receiver is dropped.
    pub(crate) fn start<N: Noun>(mut self, plan: Plan) -> Batches<N::Row> {
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
    /// A row that the batch before had no room for.
    kept: Option<Weighed<N::Row>>,
}

/// A row and its size on the wire.
type Weighed<R> = (R, usize);
/// What became of a line.
type Checked<R> = Result<Weighed<R>, RejectedLine>;
/// What is wrong with a line, by field.
pub(super) type Problems = Vec<(String, Problem)>;

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
        let refused = rejected.len() as u64;
        Ok((!is_end).then(|| Batch { rows, rejected, refused, end: source.csv.position().byte() }))
    }

    /// The next line as a row with its size, or as rejected; none at the end of the file.
    fn line(&mut self, source: &mut Source) -> Result<Option<Checked<N::Row>>, Failure> {
        match source.csv.read_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = source.line(self.record.as_byte_record());
                Ok(Some(self.row(line).map_err(|problems| rejected_line(line, problems))))
            }
            Err(error) => match error.kind() {
                ErrorKind::Utf8 { err, pos } => {
                    let field = source.header.get(err.field()).unwrap_or_default().to_owned();
                    let problem = Problem::new("NOT_UTF8", "is not text in UTF-8");
                    let line = pos.as_ref().map_or(0, csv::Position::line) + source.behind;
                    Ok(Some(Err(rejected_line(line, vec![(field, problem)]))))
                }
                _ => Err(unreadable_after(source.csv.position().line(), &error)),
            },
        }
    }

    fn row(&mut self, number: u64) -> Result<Weighed<N::Row>, Problems> {
        self.plan.check_width(self.record.len()).map_err(|problem| vec![(String::new(), problem)])?;
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

fn unreadable_after(line: u64, error: &csv::Error) -> Failure {
    Failure::data(format!("can not read on after line {line}: {error}"))
}

/// Line breaks within the fields of a record.
fn inner_lines(record: &ByteRecord) -> u64 {
    record.iter().map(|field| field.iter().filter(|byte| **byte == b'\n').count() as u64).sum()
}

pub(super) fn rejected_line(line: u64, problems: Problems) -> RejectedLine {
    let violation =
        |(field, Problem { reason, description })| Violation { field, reason: reason.to_owned(), description };
    RejectedLine { line, violations: problems.into_iter().map(violation).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use crate::import::field::Kind;
    use crate::import::plan::Mapping;
    use crate::import::purchases::Purchases;
    use barometer_proto::customers::v1::PurchaseRow;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        mapping: Mapping,
    }

    fn read(file: &[u8]) -> Vec<Batch<PurchaseRow>> {
        let mut path = tempfile::NamedTempFile::new().expect("a file");
        path.write_all(file).expect("it is written");
        let source = Source::open(path.path(), b',').expect("it is read");
        let flags = "x --map customer=who --map time=day --map amount=sum --set currency=EUR";
        let mapping = Cli::try_parse_from(flags.split(' ')).expect("flags parse").mapping;
        let plan = Plan::new(Kind::Purchases, &mapping, source.header(), "f.csv").expect("a plan");
        let mut batches = source.start::<Purchases>(plan);
        std::iter::from_fn(|| batches.blocking_recv()).map(|batch| batch.expect("it is read")).collect()
    }

    #[test]
    fn rows_and_rejected_lines_have_the_numbers_of_their_lines() {
        let lines: [&[u8]; 9] = [
            b"\xef\xbb\xbfwho,day,sum",
            b"1,2017-05-13,9.99",
            b"",
            b"2,nonsense,x",
            b"\"3\n\",2017-05-13,1",
            b"\xff,2017-05-13,1",
            b"4",
            b",2017-05-13,1",
            b"5,2017-05-13,-1",
        ];
        for end in ["\n", "\r\n"] {
            let file = lines.join(end.as_bytes());
            let batches = read(&file);
            assert_eq!(batches.len(), 1);
            let rows: Vec<_> = batches[0].rows.iter().map(|row| row.row).collect();
            assert_eq!(rows, [2, 5, 10], "{end:?}");
            let of =
                |line: &RejectedLine| line.violations.iter().map(|v| (line.line, v.reason.clone())).collect::<Vec<_>>();
            let rejected: Vec<_> = batches[0].rejected.iter().flat_map(of).collect();
            let expected = [
                (4, "NOT_A_NUMBER".to_owned()),
                (4, "NOT_A_TIME".to_owned()),
                (7, "NOT_UTF8".to_owned()),
                (8, "WRONG_LENGTH".to_owned()),
                (9, "REQUIRED".to_owned()),
            ];
            assert_eq!(rejected, expected, "{end:?}");
            assert_eq!(batches[0].end, file.len() as u64);
        }
    }

    #[test]
    fn batches_are_bounded_by_rows_and_bytes() {
        let mut file = b"who,day,sum\n".to_vec();
        for _ in 0..2_500 {
            file.extend(b"1,2017-05-13,1\n");
        }
        assert_eq!(read(&file).iter().map(|batch| batch.rows.len()).collect::<Vec<_>>(), [1_000, 1_000, 500]);

        let mut file = b"who,day,sum\n".to_vec();
        for size in [400_000, 400_000, 400_000, 2_000_000, 1] {
            file.extend(std::iter::repeat_n(b'x', size));
            file.extend(b",2017-05-13,1\n");
        }
        let batches = read(&file);
        assert_eq!(batches.iter().map(|batch| batch.rows.len()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(batches[1].rejected[0].violations[0].reason, "TOO_LONG");
    }

    #[test]
    fn a_file_without_rows_has_no_batches() {
        assert!(read(b"who,day,sum\n").is_empty());
    }
}
