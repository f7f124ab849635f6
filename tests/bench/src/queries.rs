//! Many callers who ask a running suite for figures, against as many connections to DuckDB within its own process; and
//! metrics that are asked for together, against each of them alone.

use std::time::Instant;

use barometer_metrics::memory::Memory;
use barometer_proto::{
    customers::v1 as customers,
    metrics::v1::{QueryMetricsRequest, metrics_service_client::MetricsServiceClient},
};
use prost_types::Timestamp;

use crate::{
    Settings,
    answers::{self, Answer},
    figures::WINDOW,
    imports, load,
    process::{Start, Suite},
    reference::{self, Reference},
    report::{Line, Measured, Report, Unit},
};

const PART: &str = "queries";
const CALLERS: [usize; 3] = [1, 16, 64];
/// Metrics of contacts, all made of the same ones.
const TOGETHER: [&str; 4] = ["contacts", "visits", "conversion_rate", "open_rate"];
/// How often they are asked for, after once that does not count.
const COUNTED: usize = 9;
const OUTCOMES: [&str; 6] = ["delivered", "opened", "clicked", "answered", "converted", "unsubscribed"];

/// Asks for metrics together and alone; then imports answers and asks for the NPS of 90 days by channel.
pub async fn measure(settings: &Settings, report: &mut Report) {
    together(settings.rows, report);
    let rows = settings.rows;
    let hour = |hours: i64| answers::START + hours * 3_600;
    let (start, end) = (hour(WINDOW.0), hour(WINDOW.1));
    let duckdb = Reference::new(settings).map(|reference| {
        reference.write(rows, |index| Answer::new(index, rows).line());
        let millis = i64::try_from(settings.effort.time.as_millis()).expect("a short time");
        let callers = CALLERS.map(|callers| i64::try_from(callers).expect("a few"));
        let repetitions = i64::try_from(settings.effort.repetitions).expect("a few");
        let times = [start * 1_000_000, end * 1_000_000, millis, repetitions];
        reference.ask("callers", &[times.as_slice(), &callers].concat())
    });

    let directory = settings.directory();
    let file = directory.path().join("answers.csv");
    imports::write_file(&file, rows, false);
    let data = directory.path().join("data");
    let start_of = Start { program: &settings.program, data: &data, postgres: None, preload: None, flags: &[] };
    let suite = Suite::start(&start_of).await;
    suite.healthy().await;
    imports::import(settings, &suite, &file, false).await;

    let at = |seconds: i64| Some(Timestamp { seconds, nanos: 0 });
    let request = QueryMetricsRequest {
        metrics: vec!["nps".to_owned()],
        start_time: at(start),
        end_time: at(end),
        group_by: vec!["channel".to_owned()],
        ..QueryMetricsRequest::default()
    };
    for callers in CALLERS {
        let clients: Vec<_> =
            (0..load::connections(callers)).map(|_| MetricsServiceClient::new(suite.channel())).collect();
        let request = request.clone();
        let ask = move |caller: usize, _| {
            let (mut client, request) = (clients[caller % clients.len()].clone(), request.clone());
            async move {
                let answer = client.query_metrics(request).await.expect("an answer").into_inner();
                assert_eq!(answer.results[0].rows.len(), 10, "a row for each channel");
            }
        };
        let ours = load::rate(settings.effort, callers, ask).await;
        let what = format!("NPS of 90 days by channel over {rows} answers, {callers} callers");
        let mut line = Line::new(PART, what, ours, Unit::PerSecond("queries"));
        if let Some(duckdb) = &duckdb {
            line = line.against("DuckDB", Measured::of(reference::numbers(&duckdb[callers.to_string()])));
        }
        report.lines.push(line);
    }
    let resident = Measured::once(suite.memory().resident);
    let what = format!("whole suite, resident, {rows} answers, after 64 callers");
    report.lines.push(Line::new("memory", what, resident, Unit::Megabytes));
}

/// Folds contacts, and asks for four metrics of them by channel: in one request, and in one request each.
fn together(rows: u64, report: &mut Report) {
    let mut memory = Memory::new("UTC").expect("a zone");
    for index in 0..rows {
        memory.put_customers(contact(&Answer::new(index, rows))).expect("a fact");
    }
    let request = |metrics: &[&str]| QueryMetricsRequest {
        metrics: metrics.iter().map(|id| (*id).to_owned()).collect(),
        group_by: vec!["channel".to_owned()],
        ..QueryMetricsRequest::default()
    };
    let ask = |metrics: &[&str]| memory.query(request(metrics)).expect("an answer");
    let timed = |requests: &[&[&str]]| {
        let begun = Instant::now();
        let answers: Vec<_> = requests.iter().flat_map(|metrics| ask(metrics)).collect();
        (begun.elapsed().as_secs_f64() * 1e3, answers)
    };
    let one_by_one: Vec<&[&str]> = TOGETHER.chunks(1).collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for repetition in 0..=COUNTED {
        let (together, all) = timed(&[&TOGETHER]);
        let (alone, each) = timed(&one_by_one);
        assert_eq!(all, each, "both come to the same figures");
        if repetition > 0 {
            ours.push(together);
            theirs.push(alone);
        }
    }
    let what = format!("four metrics of {rows} contacts by channel, in one request");
    let line = Line::new(PART, what, Measured::of(ours), Unit::Milliseconds);
    report.lines.push(line.against("one by one", Measured::of(theirs)));
}

/// A contact at the time and on the channel of an answer; every other one is from the company.
fn contact(answer: &Answer) -> customers::Fact {
    let place = usize::try_from(answer.index).expect("few");
    let fact = customers::InteractionFact {
        customer_id: answers::id(answer.customer).to_string(),
        time: Some(answers::timestamp(answer.time)),
        direction: 1 + i32::from(place % 2 == 1),
        channel: answer.channel.to_owned(),
        outcome: OUTCOMES[place % OUTCOMES.len()].to_owned(),
        ..customers::InteractionFact::default()
    };
    let number = i64::try_from(answer.index).unwrap_or(i64::MAX) + 1;
    let (id, fact) = (answers::id(1 << 40 | answer.index).to_string(), Some(customers::fact::Fact::Interaction(fact)));
    customers::Fact { id, number, version: 1, fact, ..customers::Fact::default() }
}
