//! Many callers who ask a running suite for figures, against as many connections to DuckDB within its own process.

use barometer_proto::metrics::v1::{QueryMetricsRequest, metrics_service_client::MetricsServiceClient};
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

const CALLERS: [usize; 3] = [1, 16, 64];

/// Imports answers and asks for the NPS of 90 days by channel.
pub async fn measure(settings: &Settings, report: &mut Report) {
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
        let mut line = Line::new("queries", what, ours, Unit::PerSecond("queries"));
        if let Some(duckdb) = &duckdb {
            line = line.against("DuckDB", Measured::of(reference::numbers(&duckdb[callers.to_string()])));
        }
        report.lines.push(line);
    }
    let resident = Measured::once(suite.memory().resident);
    let what = format!("whole suite, resident, {rows} answers, after 64 callers");
    report.lines.push(Line::new("memory", what, resident, Unit::Megabytes));
}
