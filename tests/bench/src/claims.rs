//! Cases that are handed out, and given back.

use barometer_chassis::testing::Cluster;
use barometer_proto::common::v1::ExternalId;
use barometer_proto::complaints::v1::{Case, CaseRow, ClaimNextRequest, FinishClaimRequest, ImportCasesRequest};
use prost_types::Timestamp;

use crate::{
    Settings, load,
    process::{Start, Suite, open_to_all},
    report::{Line, Measured, Report, Unit},
};

const PART: &str = "claim";
const UNIT: Unit = Unit::PerSecond("cases");
const CALLERS: [usize; 2] = [1, 16];
/// Cases in a batch of the import.
const BATCH: i64 = 1_000;

/// Measures both databases, with a queue of as many cases as a desk may have open.
pub async fn measure(settings: &Settings, report: &mut Report) {
    let directory = settings.directory();
    open_to_all(directory.path());
    let queue = if settings.rows < 100_000 { 2_000 } else { 50_000 };
    for callers in CALLERS {
        let data = tempfile::tempdir_in(directory.path()).expect("a directory");
        let start = Start { program: &settings.program, data: data.path(), postgres: None, preload: None, flags: &[] };
        let ours = claims(&start, settings, callers, queue, None).await;
        report.lines.push(Line::new(PART, format!("SQLite, {callers} callers, {queue} open"), ours, UNIT));
    }
    let cluster = Cluster::start().await;
    report.machine.note_version(cluster.tool("postgres"));
    for callers in CALLERS {
        let name = format!("claims_{callers}");
        let url = cluster.create_database(&name).await;
        let data = tempfile::tempdir_in(directory.path()).expect("a directory");
        let (program, data) = (&settings.program, data.path());
        let start = Start { program, data, postgres: Some(&url), preload: None, flags: &[] };
        let ours = claims(&start, settings, callers, queue, Some((&cluster, &name))).await;
        report.lines.push(Line::new(PART, format!("PostgreSQL, {callers} callers, {queue} open"), ours, UNIT));
    }
}

async fn claims(
    start: &Start<'_>,
    settings: &Settings,
    callers: usize,
    queue: i64,
    on: Option<(&Cluster, &str)>,
) -> Measured {
    let suite = Suite::start(start).await;
    suite.healthy().await;
    fill(&suite, queue).await;
    if let Some((cluster, database)) = on {
        // As it does by itself within a minute: until then PostgreSQL takes the wrong index for what an employee has.
        cluster.sql(database, "ANALYZE").await;
    }
    let clients: Vec<_> = (0..load::connections(callers)).map(|_| suite.work()).collect();
    // Each call is somebody else's, so that nobody has what was finished before.
    let measured = load::rate(settings.effort, callers, move |caller, call| {
        let mut client = clients[caller % clients.len()].clone();
        async move {
            let (team, employee) = ("desk".to_owned(), format!("e-{caller}-{call}"));
            let request = ClaimNextRequest { team, employee, ..ClaimNextRequest::default() };
            let claim = client.claim_next(request).await.expect("an answer").into_inner().claim;
            let claim_id = claim.expect("the queue is long enough").claim_id;
            let request = FinishClaimRequest { claim_id, request_id: String::new() };
            client.finish_claim(request).await.expect("it runs");
        }
    });
    let measured = measured.await;
    suite.stop().await;
    measured
}

/// Opens so many cases of a team.
async fn fill(suite: &Suite, queue: i64) {
    let row = |n: i64| {
        let case = Case {
            team: "desk".to_owned(),
            open_time: Some(Timestamp { seconds: 1_704_067_200 + n * 60, nanos: 0 }),
            external_id: Some(ExternalId { system: String::new(), value: n.to_string() }),
            ..Case::default()
        };
        CaseRow { row: n, case: Some(case), ..CaseRow::default() }
    };
    let batches = (0..queue / BATCH)
        .map(move |batch| ImportCasesRequest { rows: (batch * BATCH..(batch + 1) * BATCH).map(row).collect() });
    let mut answers =
        suite.complaints().import_cases(tokio_stream::iter(batches)).await.expect("a stream").into_inner();
    while let Some(answer) = answers.message().await.expect("an answer") {
        assert!(answer.rejected.is_empty(), "{:?}", answer.rejected);
    }
}
