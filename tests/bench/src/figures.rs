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
    helper, process,
    reference::{self, Reference},
    report::{Aim, Line, Measured, Report, Unit},
};

const PART: &str = "figures";
/// Facts that are decoded before they are folded, as of a few batches of a feed.
const CHUNK: usize = 20_000;
/// Queries that are not counted, and those that are.
const WARM: usize = 3;
const COUNTED: usize = 15;
/// The window, in hours from the first answer: 90 days that begin and end at 8 o'clock.
pub const WINDOW: (i64, i64) = (400 * 24 + 8, 490 * 24 + 8);

/// Folds the facts in the order of their time, and shuffled; asks the same of both.
pub fn measure(settings: &Settings, report: &mut Report) {
    let duckdb = duckdb(settings);
    if let Some(duckdb) = &duckdb {
        report.machine.versions.push(format!("DuckDB {} with {} threads", text(duckdb, "version"), duckdb["threads"]));
    }
    let facts = settings.facts;
    for order in ["in order", "shuffled"] {
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
        for (name, what, aim) in [
            ("window", "NPS of 90 days", Some(Aim::Times(5.0))),
            ("window_channel", "NPS of 90 days by channel", Some(Aim::Times(10.0))),
            ("channel", "NPS by channel", None),
            ("month_market", "NPS by month × market", None),
        ] {
            let (times, rows) = ask(&memory, &request(name));
            let figure = Measured::of(times);
            let mut line = Line::new(PART, format!("{what} over {facts}, {order}"), figure, Unit::Milliseconds);
            if let Some(duckdb) = &duckdb {
                let theirs = &duckdb[order][name];
                assert_eq!(tallies(name, &rows), told(theirs), "{what}: both come to the same figures");
                line = line.against("DuckDB", reference::milliseconds(theirs));
                line = aim.map_or(line.clone(), |aim| line.aim(aim));
            }
            report.lines.push(line);
        }
    }
}

/// Folds answers; gives the time that folding took, without that of making and decoding them.
fn fold(mut memory: Memory, indices: &[u32]) -> (Memory, Duration) {
    let survey = answers::id(1).to_string();
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

fn request(name: &str) -> QueryMetricsRequest {
    let hour = |hours: i64| Some(Timestamp { seconds: answers::START + hours * 3_600, nanos: 0 });
    let (start, end) = if name.starts_with("window") { WINDOW } else { (0, answers::DAYS * 24) };
    let mut request = QueryMetricsRequest {
        metrics: vec!["nps".to_owned()],
        start_time: hour(start),
        end_time: hour(end),
        ..QueryMetricsRequest::default()
    };
    match name {
        "channel" | "window_channel" => request.group_by.push("channel".to_owned()),
        "month_market" => {
            request.group_by.push(answers::MARKET.to_owned());
            request.granularity = Granularity::Month.into();
        }
        _ => {}
    }
    request
}

fn ask(memory: &Memory, request: &QueryMetricsRequest) -> (Vec<f64>, Vec<Row>) {
    let (mut times, mut rows) = (Vec::new(), Vec::new());
    for repetition in 0..WARM + COUNTED {
        let begun = Instant::now();
        let results = memory.query(request.clone()).expect("an answer");
        if repetition >= WARM {
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        rows = results.into_iter().next().expect("one metric").rows;
    }
    (times, rows)
}

/// Promoters, passives and detractors of each group.
type Tallies = BTreeMap<String, [u64; 3]>;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers")]
fn tallies(name: &str, rows: &[Row]) -> Tallies {
    let group = |row: &Row| match name {
        "channel" | "window_channel" => row.group["channel"].clone(),
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
fn duckdb(settings: &Settings) -> Option<Value> {
    let reference = Reference::new(settings)?;
    reference.write(settings.facts, |index| Answer::new(index, settings.facts).line());
    let hour = |hours: i64| (answers::START + hours * 3_600) * 1_000_000;
    let count = |of: usize| i64::try_from(of).expect("a small number");
    Some(reference.ask("answers", &[hour(WINDOW.0), hour(WINDOW.1), count(WARM), count(COUNTED)]))
}
