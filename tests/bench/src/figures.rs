//! Folding decoded facts, and figures over them against DuckDB over the same data.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use barometer_metrics::memory::Memory;
use barometer_proto::{
    metrics::v1::{Granularity, QueryMetricsRequest, Row},
    surveys::v1::Fact,
};
use prost_types::Timestamp;
use serde_json::Value;

use crate::{
    Settings,
    answers::{self, Answer},
    defined, helper, pages, process,
    reference::{self, Reference},
    report::{Aim, Line, Measured, Report, Unit},
};

const PART: &str = "figures";
/// Facts that are decoded before they are folded, as of a few batches of a feed.
const CHUNK: usize = 20_000;
/// Queries that are not counted, and those that are.
const WARM: usize = 3;
const COUNTED: usize = 15;
/// The name of a query.
const BY_CHANNEL: &str = "window_channel";
/// The window, in hours from the first answer: 90 days that begin and end at 8 o'clock.
pub const WINDOW: (i64, i64) = (400 * 24 + 8, 490 * 24 + 8);

/// Folds the facts in the order of their time, and shuffled; asks the same of both.
pub fn measure(settings: &Settings, report: &mut Report) {
    let reference = Reference::new(settings);
    let duckdb = reference.as_ref().map(|reference| duckdb(settings, reference));
    if let Some(duckdb) = &duckdb {
        report.machine.versions.push(format!("DuckDB {} with {} threads", text(duckdb, "version"), duckdb["threads"]));
    }
    let facts = settings.facts;
    for order in ["in order", "shuffled"] {
        let mut memory = folded(settings, order, report);
        let theirs = duckdb.as_ref().map(|duckdb| &duckdb[order]);
        queries(&mut memory, facts, order, theirs, report);
        if order == "in order" {
            defined::measure(&mut memory, facts, report);
            pages::measure(&mut memory, facts, reference.as_ref(), report);
        }
        // Last, as nobody else knows of the changes.
        after_changes(&mut memory, facts, order, theirs, report);
    }
}

/// The facts, folded in an order.
fn folded(settings: &Settings, order: &str, report: &mut Report) -> Memory {
    let facts = settings.facts;
    let mut indices: Vec<u32> = (0..u32::try_from(facts).expect("at most 4 billion")).collect();
    if order == "shuffled" {
        fastrand::Rng::with_seed(1).shuffle(&mut indices);
    }
    let before = process::Memory::own();
    let (memory, folding) = fold(Memory::new("UTC").expect("a zone"), &indices);
    let after = process::Memory::own();
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    let count = facts as f64;
    let rate = Measured::once(count / folding.as_secs_f64());
    let line = Line::new("fold", format!("{facts} decoded answers, {order}"), rate, Unit::PerSecond("facts"));
    report.lines.push(line.aim(Aim::Value(500_000.0)));
    if order == "in order" {
        let bytes = Measured::once((after.private - before.private) * 1e6 / count);
        report.lines.push(Line::new("memory", "answers in metrics", bytes, Unit::BytesPerFact));
        let directory = settings.directory();
        let bytes = Measured::once(helper::bytes_beside_files(facts, &directory.path().join("columns")));
        let what = "answers in metrics, ids, numbers and versions in memory-mapped files";
        report.lines.push(Line::new("memory", what, bytes, Unit::BytesPerFact));
    }
    memory
}

/// Asks for figures; of those by channel the first question is told by itself, too, as the days are counted by channel then.
fn queries(memory: &mut Memory, facts: u64, order: &str, duckdb: Option<&Value>, report: &mut Report) {
    for (name, what, aim) in [
        ("window", "NPS of 90 days", Some(Aim::Times(5.0))),
        (BY_CHANNEL, "NPS of 90 days by channel", Some(Aim::Times(10.0))),
        ("channel", "NPS by channel", None),
        ("month_market", "NPS by month × market", None),
    ] {
        let (times, rows) = ask(memory, &request(name), |_, _| ());
        let theirs = duckdb.map(|duckdb| &duckdb[name]);
        let what = format!("{what} over {facts}, {order}");
        if name == BY_CHANNEL {
            report.lines.push(line(format!("{what}: first"), &times[..1], &rows, name, theirs));
        }
        let warm = line(what, &times[WARM..], &rows, name, theirs);
        report.lines.push(aim.filter(|_| theirs.is_some()).map_or(warm.clone(), |aim| warm.aim(aim)));
    }
}

/// Changes an answer before each question: its day is counted again.
fn after_changes(memory: &mut Memory, facts: u64, order: &str, duckdb: Option<&Value>, report: &mut Report) {
    let survey = survey();
    let changes: Vec<Fact> = changed(facts).map(|answer| lowered(answer, &survey)).collect();
    let (times, rows) = ask(memory, &request(BY_CHANNEL), |memory, repetition| {
        memory.put_surveys(changes[repetition].clone()).expect("a fact");
    });
    let what = format!("NPS of 90 days by channel over {facts}, {order}: after an answer changed");
    let theirs = duckdb.map(|duckdb| &duckdb["changed"]);
    report.lines.push(line(what, &times[WARM..], &rows, BY_CHANNEL, theirs));
}

/// The line of a query by its name, which came to these rows.
fn line(what: String, times: &[f64], rows: &[Row], name: &str, duckdb: Option<&Value>) -> Line {
    let line = Line::new(PART, what, Measured::of(times.to_vec()), Unit::Milliseconds);
    let Some(theirs) = duckdb else { return line };
    assert_eq!(tallies(name, rows), told(theirs), "{name}: both come to the same figures");
    line.against("DuckDB", reference::milliseconds(theirs))
}

/// Folds answers; gives the time that folding took, without that of making and decoding them.
fn fold(mut memory: Memory, indices: &[u32]) -> (Memory, Duration) {
    let survey = survey();
    memory.put_surveys(answers::survey_fact(&survey)).expect("a fact");
    let mut time = Duration::ZERO;
    for chunk in indices.chunks(CHUNK) {
        let of = indices.len() as u64;
        let encoded = chunk.iter().map(|index| prost::Message::encode_to_vec(&fact(*index, of, &survey)));
        let decoded: Vec<Fact> =
            encoded.map(|bytes| prost::Message::decode(bytes.as_slice()).expect("a fact")).collect();
        let begun = Instant::now();
        for fact in decoded {
            memory.put_surveys(fact).expect("a fact");
        }
        memory.move_columns();
        time += begun.elapsed();
    }
    (memory, time)
}

/// The bytes that each of so many answers takes in memory, beside files in a directory.
pub fn bytes_beside_files(facts: u64, directory: &Path) -> f64 {
    let indices: Vec<u32> = (0..u32::try_from(facts).expect("at most 4 billion")).collect();
    let before = process::Memory::own();
    let (_memory, _) = fold(Memory::with_files("UTC", directory).expect("a directory"), &indices);
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    let count = facts as f64;
    (process::Memory::own().anonymous - before.anonymous) * 1e6 / count
}

fn fact(index: u32, of: u64, survey: &str) -> Fact {
    Answer::new(u64::from(index), of).fact(survey)
}

/// The id of the survey.
fn survey() -> String {
    answers::id(1).to_string()
}

/// Answers of one day in the middle of the window, which are changed one after the other, each before a query.
fn changed(of: u64) -> impl Iterator<Item = Answer> {
    let middle = (WINDOW.0 + WINDOW.1).unsigned_abs() / 2;
    let first = of * middle / (answers::DAYS * 24).unsigned_abs();
    (first..).take(WARM + COUNTED).map(move |index| Answer::new(index, of))
}

/// An answer in its next version, with the lowest score.
fn lowered(answer: Answer, survey: &str) -> Fact {
    Fact { version: 2, ..Answer { score: Some(0), ..answer }.fact(survey) }
}

/// A query by its name, as DuckDB is asked it by the same.
pub fn request(name: &str) -> QueryMetricsRequest {
    let hour = |hours: i64| Some(Timestamp { seconds: answers::START + hours * 3_600, nanos: 0 });
    let (start, end) = if name.starts_with("window") { WINDOW } else { (0, answers::DAYS * 24) };
    let mut request = QueryMetricsRequest {
        metrics: vec!["nps".to_owned()],
        start_time: hour(start),
        end_time: hour(end),
        ..QueryMetricsRequest::default()
    };
    match name {
        "channel" | BY_CHANNEL => request.group_by.push("channel".to_owned()),
        "month_market" => {
            request.group_by.push(answers::MARKET.to_owned());
            request.granularity = Granularity::Month.into();
        }
        _ => {}
    }
    request
}

/// All times in milliseconds, and the last rows; something may be done before each query.
fn ask(
    memory: &mut Memory,
    request: &QueryMetricsRequest,
    before: impl Fn(&mut Memory, usize),
) -> (Vec<f64>, Vec<Row>) {
    let (mut times, mut rows) = (Vec::new(), Vec::new());
    for repetition in 0..WARM + COUNTED {
        before(memory, repetition);
        let begun = Instant::now();
        let results = memory.query(request.clone()).expect("an answer");
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        rows = results.into_iter().next().expect("one metric").rows;
    }
    (times, rows)
}

/// Promoters, passives and detractors of each group.
type Tallies = BTreeMap<String, [u64; 3]>;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers")]
fn tallies(name: &str, rows: &[Row]) -> Tallies {
    let group = |row: &Row| match name {
        "channel" | BY_CHANNEL => row.group["channel"].clone(),
        "month_market" => format!("{} {}", row.label, row.group[answers::MARKET]),
        _ => String::new(),
    };
    let tally = |row: &Row| ["promoters", "passives", "detractors"].map(|name| row.counts[name] as u64);
    rows.iter().map(|row| (group(row), tally(row))).collect()
}

fn told(query: &Value) -> Tallies {
    let number = |value: &Value| value.as_u64().expect("a count");
    let row = |row: &Value| {
        (row[0].as_str().expect("a text").to_owned(), [number(&row[1]), number(&row[2]), number(&row[3])])
    };
    query["rows"].as_array().expect("rows").iter().map(row).collect()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().expect("a text")
}

/// Has DuckDB load the same answers into its memory and answer the same queries.
fn duckdb(settings: &Settings, reference: &Reference<'_>) -> Value {
    reference.write(settings.facts, |index| Answer::new(index, settings.facts).line());
    let hour = |hours: i64| (answers::START + hours * 3_600) * 1_000_000;
    let count = |of: usize| i64::try_from(of).expect("a small number");
    let window = [hour(WINDOW.0), hour(WINDOW.1), count(WARM), count(COUNTED)];
    let arguments: Vec<i64> = window.into_iter().chain(changed(settings.facts).map(|answer| answer.time)).collect();
    reference.ask("answers", &arguments)
}
