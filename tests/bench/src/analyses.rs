//! Cohorts and curves of many purchases, against DuckDB over the same.

use std::{collections::BTreeMap, time::Instant};

use barometer_metrics::memory::Memory;
use barometer_proto::{
    customers::v1::Fact,
    metrics::v1::{
        QueryRetentionRequest, QuerySurvivalRequest, QuerySurvivalResponse, Scope, query_survival_request::Ending,
    },
};
use prost_types::Timestamp;
use serde_json::Value;

use crate::{
    Settings,
    answers::{DAYS, START},
    process,
    reference::{self, Reference},
    report::{Line, Measured, Report, Unit},
    sales::{Purchase, customer_fact},
};

const PART: &str = "analyses";
/// Purchases of a customer, on average.
const EACH: u64 = 20;
/// Facts that are decoded before they are folded.
const CHUNK: u64 = 20_000;
/// Queries that are counted, after one that is told by itself, as what is kept for them is made then.
pub const COUNTED: usize = 5;
/// Cohorts, and periods that are told of each.
const MONTHS: i32 = 24;
/// The curve is told up to so many days.
const SHOWN: i32 = 45;
/// After the last purchase.
const END: i64 = START + DAYS * 86_400;
const MICROS_OF_DAY: f64 = 86_400e6;

/// Folds customers and their purchases, and asks for a matrix and a curve.
pub fn measure(settings: &Settings, report: &mut Report) {
    let purchases = settings.purchases;
    let customers = purchases / EACH;
    let duckdb = Reference::new(settings).map(|reference| {
        reference.write(purchases, |index| {
            let Purchase { time, customer, amount, .. } = Purchase::new(index, purchases, customers);
            format!("{time},{customer},{amount}")
        });
        let counted = i64::try_from(COUNTED).expect("a small number");
        let shown = i64::from(SHOWN) * 86_400 * 1_000_000;
        reference.ask("sales", &[END * 1_000_000, shown, 1, counted])
    });

    let empty = process::Memory::own();
    let mut memory = Memory::new("UTC").expect("a zone");
    fold(&mut memory, customers, customer_fact);
    let known = process::Memory::own();
    let seconds = fold(&mut memory, purchases, |index| Purchase::new(index, purchases, customers).fact());
    let folded = process::Memory::own();
    let line = |what: String, figure: f64, unit| Line::new("fold", what, Measured::once(figure), unit);
    let rate = count(purchases) / seconds;
    report.lines.push(line(format!("{purchases} decoded purchases"), rate, Unit::PerSecond("facts")));
    let bytes = |from: process::Memory, to: process::Memory, of: u64| (to.private - from.private) * 1e6 / count(of);
    let memory_of = |what: &str, bytes: f64| Line::new("memory", what, Measured::once(bytes), Unit::BytesPerFact);
    report.lines.push(memory_of("customers in metrics, without attributes", bytes(empty, known, customers)));
    report.lines.push(memory_of("purchases in metrics, without lines", bytes(known, folded, purchases)));

    let retention = QueryRetentionRequest { periods: MONTHS, scope: scope(), ..QueryRetentionRequest::default() };
    let (first, times, cohorts) = ask(|| memory.retention(retention.clone()).expect("an answer"));
    let indexed = process::Memory::own();
    let what = format!("retention of {MONTHS} × {MONTHS} months, {customers} customers, {purchases} purchases");
    let theirs = duckdb.as_ref().map(|duckdb| &duckdb["retention"]);
    if let Some(theirs) = theirs {
        let cells = cohorts.cohorts.iter().flat_map(|cohort| {
            let label = cohort.label.clone();
            cohort.cells.iter().map(move |cell| ((label.clone(), i64::from(cell.start)), cell.retained))
        });
        let cells: BTreeMap<_, _> = cells.filter(|(_, retained)| *retained > 0).collect();
        assert_eq!(cells, told_cells(theirs), "{what}: both come to the same figures");
    }
    tell(report, &what, first, times, theirs);
    report
        .lines
        .push(memory_of("purchases in the order of customers, kept once asked for", bytes(folded, indexed, purchases)));

    let survival = QuerySurvivalRequest {
        ending: Ending::SecondPurchase.into(),
        max_days: SHOWN,
        scope: scope(),
        ..QuerySurvivalRequest::default()
    };
    let (first, times, curves) = ask(|| memory.survival(survival.clone()).expect("an answer"));
    let what = format!("time to the second purchase of {customers} customers, with its interval");
    let theirs = duckdb.as_ref().map(|duckdb| &duckdb["survival"]);
    if let Some(theirs) = theirs {
        for (ours, theirs) in curve(&curves).into_iter().zip(reference::numbers(&theirs["rows"][0])) {
            assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{what}: {ours} here, {theirs} there");
        }
    }
    tell(report, &what, first, times, theirs);
}

fn tell(report: &mut Report, what: &str, first: f64, times: Vec<f64>, theirs: Option<&Value>) {
    let line = Line::new(PART, format!("{what}: first"), Measured::once(first), Unit::Milliseconds);
    report.lines.push(line);
    let mut line = Line::new(PART, what, Measured::of(times), Unit::Milliseconds);
    if let Some(theirs) = theirs {
        line = line.against("DuckDB", reference::milliseconds(theirs));
    }
    report.lines.push(line);
}

fn scope() -> Option<Scope> {
    Some(Scope { end_time: Some(Timestamp { seconds: END, nanos: 0 }), ..Scope::default() })
}

/// Folds so many facts; gives the time that folding took, in seconds, without that of making and decoding them.
fn fold(memory: &mut Memory, count: u64, fact: impl Fn(u64) -> Fact) -> f64 {
    let mut seconds = 0.0;
    for chunk in (0..count).step_by(usize::try_from(CHUNK).expect("a small number")) {
        let encoded = (chunk..count.min(chunk + CHUNK)).map(|index| prost::Message::encode_to_vec(&fact(index)));
        let decoded: Vec<Fact> = encoded.map(|of| prost::Message::decode(of.as_slice()).expect("a fact")).collect();
        let begun = Instant::now();
        decoded.into_iter().for_each(|fact| memory.put_customers(fact).expect("a fact"));
        seconds += begun.elapsed().as_secs_f64();
    }
    seconds
}

/// The time of the first, those of the next, and the answer; in milliseconds.
pub fn ask<T>(query: impl Fn() -> T) -> (f64, Vec<f64>, T) {
    let timed = || {
        let begun = Instant::now();
        let answer = query();
        (begun.elapsed().as_secs_f64() * 1e3, answer)
    };
    let (first, answer) = timed();
    (first, (0..COUNTED).map(|_| timed().0).collect(), answer)
}

/// Who came again, by cohort and month since.
fn told_cells(query: &Value) -> BTreeMap<(String, i64), i64> {
    let rows = query["rows"].as_array().expect("rows").iter();
    let cell = |row: &Value| Some(((row[0].as_str()?.to_owned(), row[1].as_i64()?), row[2].as_i64()?));
    rows.map(|row| cell(row).expect("a cell")).collect()
}

/// What is compared of the curve: customers, events, the median, and the curve after the days that are told, with its interval.
fn curve(answer: &QuerySurvivalResponse) -> [f64; 6] {
    let curve = &answer.curves[0];
    let last = curve.steps.last().expect("somebody bought again");
    let interval = last.interval.expect("neither nobody nor everybody");
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    let (customers, events) = (curve.customers as f64, curve.events as f64);
    let median = curve.median_days.map_or(-1.0, |days| (days * MICROS_OF_DAY).round());
    [customers, events, median, last.survival, interval.low, interval.high]
}

#[allow(clippy::cast_precision_loss, reason = "below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}
