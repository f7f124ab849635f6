//! From the lines of a part to histories, and from these to batches.

use std::collections::HashMap;
use std::fs::File;

use barometer_proto::complaints::v1::{CaseEntryType, CaseEvent, CaseHistory};
use csv::{ByteRecord, StringRecord};
use prost::Message;
use prost_types::Timestamp;

use super::Histories;
use super::spool::Spool;
use crate::failure::Failure;
use crate::import::key::Keys;
use crate::import::line::Line;
use crate::import::noun::Noun;
use crate::import::plan::Plan;
use crate::import::reader::{Batch, MAX_BYTES, MAX_ROWS, Problems, RejectedLine, rejected_line};
use crate::import::value::Problem;

/// The most events of a history after its opening.
const MAX_EVENTS: usize = 1_000;
/// The most events of a batch.
const MAX_BATCH_EVENTS: usize = 10_000;

/// Makes batches of the histories of a file.
pub(super) struct Batcher<'a> {
    plan: &'a Plan,
    spool: Spool,
    /// The cases of the part at hand.
    cases: std::vec::IntoIter<Gathered>,
    /// A history that the batch before had no room for.
    kept: Option<Weighed>,
    /// Bytes of the file that are done with.
    end: u64,
}

/// The lines of one case.
#[derive(Debug, Default)]
struct Gathered {
    lines: Vec<CaseHistory>,
    rejected: Vec<RejectedLine>,
    /// Bytes of the file that they take.
    bytes: u64,
}

/// A history and what it takes of a batch.
struct Weighed {
    history: CaseHistory,
    bytes: usize,
}

impl<'a> Batcher<'a> {
    pub(super) fn new(plan: &'a Plan, spool: Spool) -> Self {
        Self { plan, spool, cases: Vec::new().into_iter(), kept: None, end: 0 }
    }

    /// The next batch; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Batch<CaseHistory>>, Failure> {
        let mut rejected = std::mem::take(&mut self.spool.rejected);
        let mut refused = rejected.len() as u64;
        let (mut rows, mut bytes, mut events) = (Vec::new(), 0, 0);
        while rows.len() < MAX_ROWS && rejected.len() < MAX_ROWS {
            let next = match self.kept.take() {
                Some(kept) => Some(Ok(kept)),
                None => self.case()?,
            };
            match next {
                None => break,
                Some(Err(mut lines)) => {
                    rejected.append(&mut lines);
                    refused += 1;
                }
                Some(Ok(next)) => {
                    let of_next = next.history.events.len();
                    if bytes + next.bytes > MAX_BYTES || events + of_next > MAX_BATCH_EVENTS {
                        self.kept = Some(next);
                        break;
                    }
                    (bytes, events) = (bytes + next.bytes, events + of_next);
                    rows.push(next.history);
                }
            }
        }
        let is_end = rows.is_empty() && rejected.is_empty();
        Ok((!is_end).then_some(Batch { rows, rejected, refused, end: self.end }))
    }

    /// The next case as a history, or what is wrong with it; none at the end.
    fn case(&mut self) -> Result<Option<Result<Weighed, Vec<RejectedLine>>>, Failure> {
        loop {
            if let Some(case) = self.cases.next() {
                self.end += case.bytes;
                return Ok(Some(case.history()));
            }
            match self.spool.next()? {
                None => return Ok(None),
                Some(part) => self.cases = gather(self.plan, part)?.into_iter(),
            }
        }
    }
}

/// The cases of a part, in the order of their first lines.
fn gather(plan: &Plan, mut part: csv::Reader<File>) -> Result<Vec<Gathered>, Failure> {
    let (mut cases, mut places): (Vec<Gathered>, HashMap<Vec<u8>, usize>) = Default::default();
    let (mut record, mut keys) = (ByteRecord::new(), Keys::default());
    let mut before = 0;
    loop {
        match part.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(cases),
            Err(error) => return Err(Failure::internal(format!("can not read a temporary file: {error}"))),
        }
        let number = record.get(0).and_then(|number| str::from_utf8(number).ok()?.parse::<u64>().ok()).unwrap_or(0);
        let fields: ByteRecord = record.iter().skip(1).collect();
        let key = plan.bytes("case", &fields).unwrap_or_default().to_vec();
        let place = *places.entry(key).or_insert_with(|| {
            cases.push(Gathered::default());
            cases.len() - 1
        });
        match read(plan, number, fields, &mut keys) {
            Ok(line) => cases[place].lines.push(line),
            Err(problems) => cases[place].rejected.push(rejected_line(number, problems)),
        }
        let after = part.position().byte();
        cases[place].bytes += after - std::mem::replace(&mut before, after);
    }
}

/// A line as a history of one event.
fn read(plan: &Plan, number: u64, fields: ByteRecord, keys: &mut Keys) -> Result<CaseHistory, Problems> {
    plan.check_width(fields.len()).map_err(|problem| vec![(String::new(), problem)])?;
    let record = StringRecord::from_byte_record(fields)
        .map_err(|_| vec![(String::new(), Problem::new("NOT_UTF8", "is not text in UTF-8"))])?;
    let mut line = Line::new(plan, &record, keys);
    let history = Histories::read(i64::try_from(number).unwrap_or(i64::MAX), &mut line);
    let problems = line.into_problems();
    if problems.is_empty() {
        return Ok(history);
    }
    Err(problems.into_iter().map(|(field, problem)| (field.to_owned(), problem)).collect())
}

impl Gathered {
    /// The case with its events in their order, those of one instant in the order of the file but the opening first; or all
    /// that is wrong with it.
    fn history(self) -> Result<Weighed, Vec<RejectedLine>> {
        let Gathered { mut lines, rejected, bytes: _ } = self;
        if !rejected.is_empty() {
            return Err(rejected);
        }
        // Where instants are days, all of a day may stand above the opening.
        lines.sort_by_key(|line| (happened(line), !line.events.is_empty()));
        let refused = |row: i64, field: &str, problem: Problem| {
            Err(vec![rejected_line(u64::try_from(row).unwrap_or_default(), vec![(field.to_owned(), problem)])])
        };
        let mut lines = lines.into_iter();
        // There is a line wherever a case is.
        let mut history = lines.next().unwrap_or_default();
        if !history.events.is_empty() {
            return refused(history.row, "event", Problem::new("NOT_OPENED", "comes before the case was opened"));
        }
        for line in lines {
            if history.events.len() == MAX_EVENTS {
                let told = format!("a case has at most {MAX_EVENTS} events after its opening");
                return refused(line.row, "event", Problem::new("TOO_MANY", told));
            }
            let opening = |line: &CaseHistory| CaseEvent {
                row: line.row,
                r#type: CaseEntryType::Opened.into(),
                time: line.case.as_ref().and_then(|case| case.open_time),
                ..CaseEvent::default()
            };
            let event = line.events.first().cloned().unwrap_or_else(|| opening(&line));
            history.events.push(event);
        }
        let bytes = history.encoded_len();
        if bytes > MAX_BYTES {
            let told = format!("the case takes {bytes} bytes: more than {MAX_BYTES}");
            return refused(history.row, "", Problem::new("TOO_LONG", told));
        }
        Ok(Weighed { history, bytes })
    }
}

/// When the event of a line happened.
fn happened(line: &CaseHistory) -> (i64, i32) {
    let opened = line.case.as_ref().and_then(|case| case.open_time.as_ref());
    let time = line.events.first().map_or(opened, |event| event.time.as_ref());
    time.map_or((0, 0), |Timestamp { seconds, nanos }| (*seconds, *nanos))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use clap::Parser;
    use proptest::prelude::*;

    use super::*;
    use crate::import::field::Kind;
    use crate::import::histories::start;
    use crate::import::plan::Mapping;
    use crate::import::reader::Source;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        mapping: Mapping,
    }

    fn read(file: &[u8]) -> Vec<Batch<CaseHistory>> {
        let mut path = tempfile::NamedTempFile::new().expect("a file");
        path.write_all(file).expect("it is written");
        let source = Source::open(path.path(), b',').expect("it is read");
        let mapping = Cli::try_parse_from(["x", "--map-by-name"]).expect("flags parse").mapping;
        let plan = Plan::new(Kind::Histories, &mapping, source.header(), "log.csv").expect("a plan");
        let mut batches = start(source, plan);
        std::iter::from_fn(|| batches.blocking_recv()).map(|batch| batch.expect("it is read")).collect()
    }

    /// The lines of each history: of the case, and of its events.
    fn lines(batches: &[Batch<CaseHistory>]) -> Vec<Vec<i64>> {
        let of = |history: &CaseHistory| {
            std::iter::once(history.row).chain(history.events.iter().map(|event| event.row)).collect()
        };
        batches.iter().flat_map(|batch| batch.rows.iter().map(of)).collect()
    }

    #[test]
    fn lines_of_a_case_are_brought_together_and_put_in_order() {
        let file = b"case,time,event,team\n\
            a,2024-01-03,resolved,\n\
            b,2024-01-01,opened,first line\n\
            a,2024-01-01,opened,\n\
            b,2024-01-02,responded,\n\
            a,2024-01-03,closed,\n\
            a,2024-01-02,responded,\n";
        let batches = read(file);
        assert_eq!(lines(&batches), [vec![4, 7, 2, 6], vec![3, 5]]);
        let second = batches[0].rows[1].case.as_ref().expect("a case");
        assert_eq!(second.team, "first line");
        let key = second.external_id.as_ref().expect("a key");
        assert_eq!((key.system.as_str(), key.value.as_str()), ("log.csv", "b"));
        assert_eq!((batches[0].refused, batches[0].end > 0), (0, true));
    }

    #[test]
    fn a_case_with_a_bad_line_is_rejected_whole() {
        let file = b"case,time,event\n\
            a,2024-01-01,opened\n\
            a,soon,resolved\n\
            b,2024-01-01,opened\n\
            c,2024-01-01,responded\n\
            c,2024-01-02,opened\n\
            d,2024-01-01,opened\n\
            d,2024-01-01\n\
            ,2024-01-01,opened\n\
            e,2024-01-01,opened\n\
            e,2024-01-02,\xff\n\
            f,2024-01-01,opened\n\
            f,2024-01-02,opened\n";
        let batches = read(file);
        assert_eq!(lines(&batches), [vec![4], vec![12, 13]], "the service tells what is opened twice");
        assert_eq!(batches[0].rows[1].events[0].r#type(), CaseEntryType::Opened);
        let told: Vec<_> = batches[0]
            .rejected
            .iter()
            .flat_map(|line| line.violations.iter().map(|v| (line.line, v.field.as_str(), v.reason.as_str())))
            .collect();
        let expected = [
            (9, "case", "REQUIRED"),
            (3, "time", "NOT_A_TIME"),
            (5, "event", "NOT_OPENED"),
            (8, "", "WRONG_LENGTH"),
            (11, "", "NOT_UTF8"),
        ];
        assert_eq!(told, expected);
        assert_eq!(batches[0].refused, 5);
    }

    #[test]
    fn batches_and_histories_are_bounded() {
        let mut file = b"case,time,event,text\n".to_vec();
        for (case, events) in [("a", 1_000), ("b", 1_001), ("c", 500), ("d", 900)] {
            file.extend(format!("{case},2024-01-01,opened,\n").bytes());
            for _ in 0..events {
                file.extend(format!("{case},2024-01-01,annotated,x\n").bytes());
            }
        }
        for case in 0..1_500 {
            file.extend(format!("x{case},2024-01-01,opened,\n").bytes());
        }
        let batches = read(&file);
        assert_eq!(batches.iter().map(|batch| batch.rows.len()).collect::<Vec<_>>(), [1_000, 503]);
        assert_eq!(batches[0].rejected[0].violations[0].reason, "TOO_MANY");
        assert_eq!((batches[0].refused, batches[1].refused), (1, 0));
        let crowded = |batch: &Batch<CaseHistory>| batch.rows.iter().map(|row| row.events.len()).sum::<usize>();
        assert!(batches.iter().all(|batch| crowded(batch) <= MAX_BATCH_EVENTS));
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_the_lines_the_histories_are_the_same(
            cases in proptest::collection::vec(0_usize..5, 1..8),
            seed in any::<u64>(),
        ) {
            let mut lines: Vec<String> = Vec::new();
            for (case, events) in cases.iter().enumerate() {
                lines.push(format!("{case},2024-01-01,opened"));
                lines.extend((0..*events).map(|event| format!("{case},2024-01-{:02},annotated", event + 2)));
            }
            let told = |lines: &[String]| {
                let mut batches = read(format!("case,time,event\n{}\n", lines.join("\n")).as_bytes());
                let mut rows: Vec<CaseHistory> = batches.iter_mut().flat_map(|batch| std::mem::take(&mut batch.rows)).collect();
                for row in &mut rows {
                    row.row = 0;
                    row.events.iter_mut().for_each(|event| event.row = 0);
                }
                rows.sort_by_key(|row| row.case.as_ref().and_then(|case| Some(case.external_id.as_ref()?.value.clone())));
                rows
            };
            let mut shuffled = lines.clone();
            let mut state = seed;
            for index in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(index, usize::try_from(state >> 33).unwrap_or(0) % (index + 1));
            }
            prop_assert_eq!(told(&lines), told(&shuffled));
            prop_assert_eq!(told(&lines).len(), cases.len());
        }
    }
}
