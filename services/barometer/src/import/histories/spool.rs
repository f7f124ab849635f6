//! The lines of a file, parted by their cases: all lines of a case are in one part, and a part has room in memory.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use csv::ByteRecord;

use crate::failure::Failure;
use crate::import::plan::Plan;
use crate::import::reader::{RejectedLine, Source, rejected_line};
use crate::import::value::Problem;

/// How large parts should be, in bytes of the file. What is made of them takes a few times as much memory.
const PART: u64 = 16 * 1024 * 1024;
/// The most parts: of files beyond 4 GiB they are larger instead.
const MAX_PARTS: u64 = 256;
/// Parts of what comes through a pipe, of a size that nobody knows.
const PIPED: u64 = 64;

/// The parts of a file, each in a temporary file of its own, which nobody else sees.
pub(super) struct Spool {
    parts: std::vec::IntoIter<csv::Writer<File>>,
    /// Lines of which it can not be told whose they are.
    pub(super) rejected: Vec<RejectedLine>,
}

impl Spool {
    /// Reads all lines.
    ///
    /// # Errors
    /// When the file can not be read, or the temporary files not be written.
    pub(super) fn fill(source: &mut Source, plan: &Plan) -> Result<Self, Failure> {
        let parts = source.bytes().map_or(PIPED, |bytes| bytes.div_ceil(PART).clamp(1, MAX_PARTS));
        let open = |_| {
            let file = tempfile::tempfile().map_err(|error| unwritable(&error.into()))?;
            Ok(csv::WriterBuilder::new().flexible(true).from_writer(file))
        };
        let mut parts: Vec<csv::Writer<File>> = (0..parts).map(open).collect::<Result<_, Failure>>()?;
        let (mut rejected, mut record, mut kept) = (Vec::new(), ByteRecord::new(), ByteRecord::new());
        while let Some(line) = source.read(&mut record)? {
            let Some(case) = plan.bytes("case", &record).filter(|case| !case.is_empty()) else {
                let problem = plan.check_width(record.len()).err().map(|problem| (String::new(), problem));
                let problem = problem.unwrap_or_else(|| ("case".to_owned(), Problem::required()));
                rejected.push(rejected_line(line, vec![problem]));
                continue;
            };
            let part = part_of(case, parts.len());
            kept.clear();
            kept.push_field(line.to_string().as_bytes());
            kept.extend(&record);
            parts[part].write_byte_record(&kept).map_err(|error| unwritable(&error))?;
        }
        Ok(Spool { parts: parts.into_iter(), rejected })
    }

    /// The next part: a record for each line, with the number of the line before its fields.
    pub(super) fn next(&mut self) -> Result<Option<csv::Reader<File>>, Failure> {
        let Some(part) = self.parts.next() else { return Ok(None) };
        let mut file = part.into_inner().map_err(|error| unwritable(&error.into_error().into()))?;
        file.seek(SeekFrom::Start(0)).map_err(|error| unwritable(&error.into()))?;
        Ok(Some(csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file)))
    }
}

fn part_of(case: &[u8], parts: usize) -> usize {
    let hash = blake3::hash(case);
    let (head, _) = hash.as_bytes().split_at(8);
    let number = head.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number % parts.max(1) as u64).unwrap_or(0)
}

fn unwritable(error: &csv::Error) -> Failure {
    Failure::data(format!("can not sort the lines by their cases: {error}; TMPDIR says where there is room"))
}
