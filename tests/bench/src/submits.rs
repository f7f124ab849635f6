//! Durable single submits against one-row commits into the same table and indexes.

use std::{io::Write as _, path::Path, process::Stdio, sync::Arc};

use barometer_chassis::testing::Cluster;
use barometer_proto::surveys::v1::SubmitResponseRequest;

use crate::{
    Settings,
    answers::Answer,
    helper,
    load::{self, Effort},
    process::{Start, Suite, open_to_all, slow_flushes},
    report::{Aim, Line, Measured, Report, Unit},
};

const PART: &str = "submit";
const CALLERS: [usize; 3] = [1, 16, 64];
const UNIT: Unit = Unit::PerSecond("rows");

/// Measures both databases, on the disk as it is and on one that is slower.
pub async fn measure(settings: &Settings, report: &mut Report) {
    let directory = settings.directory();
    open_to_all(directory.path());
    let slow = slow_flushes(directory.path());
    for (preload, disk) in [(None, "disk as it is"), (Some(slow.as_path()), "flush + 1 ms")] {
        let lines = sqlite(settings, directory.path(), preload, disk).await;
        report.lines.extend(lines);
        let lines = postgres(settings, directory.path(), preload, disk, report).await;
        report.lines.extend(lines);
    }
}

async fn sqlite(settings: &Settings, directory: &Path, preload: Option<&Path>, disk: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for callers in CALLERS {
        // Each begins with empty tables.
        let data = tempfile::tempdir_in(directory).expect("a directory");
        let start = Start { program: &settings.program, data: data.path(), postgres: None, preload, flags: &[] };
        let suite = Suite::start(&start).await;
        let ours = submits(&suite, callers, settings.effort).await;
        drop(suite);
        let data = tempfile::tempdir_in(directory).expect("a directory");
        let suite = Suite::start(&Start { data: data.path(), ..start }).await;
        suite.stop().await;
        let file = data.path().join("surveys.sqlite");
        let theirs = helper::sqlite_commits(&file, callers, settings.effort, preload);
        let line = Line::new(PART, format!("SQLite, {callers} callers, {disk}"), ours, UNIT);
        let line = line.against("one-row commits", theirs);
        lines.push(if callers == 64 { line.aim(Aim::Times(4.0)) } else { line });
    }
    lines
}

async fn postgres(
    settings: &Settings,
    directory: &Path,
    preload: Option<&Path>,
    disk: &str,
    report: &mut Report,
) -> Vec<Line> {
    let cluster = match preload {
        Some(library) => Cluster::start_preloading(library).await,
        None => Cluster::start().await,
    };
    report.machine.note_version(cluster.tool("postgres"));
    let mut lines = Vec::new();
    for callers in CALLERS {
        let url = cluster.create_database(&format!("ours_{callers}")).await;
        let data = tempfile::tempdir_in(directory).expect("a directory");
        let start = Start { program: &settings.program, data: data.path(), postgres: Some(&url), preload, flags: &[] };
        let suite = Suite::start(&start).await;
        let ours = submits(&suite, callers, settings.effort).await;
        suite.stop().await;
        let url = cluster.create_database(&format!("theirs_{callers}")).await;
        let suite = Suite::start(&Start { postgres: Some(&url), ..start }).await;
        suite.stop().await;
        let theirs = pgbench(&cluster, &url, callers, settings.effort).await;
        let line = Line::new(PART, format!("PostgreSQL, {callers} callers, {disk}"), ours, UNIT);
        let line = line.against("pgbench", theirs);
        lines.push(if callers == 64 { line.aim(Aim::Times(1.3)) } else { line });
    }
    lines
}

async fn submits(suite: &Suite, callers: usize, effort: Effort) -> Measured {
    suite.healthy().await;
    let survey: Arc<str> = suite.open_survey().await.into();
    let clients: Vec<_> = (0..load::connections(callers)).map(|_| suite.surveys()).collect();
    load::rate(effort, callers, move |caller, call| {
        let mut client = clients[caller % clients.len()].clone();
        let response = Some(Answer::new(call, 1_000_000).message(&survey));
        async move {
            let request = SubmitResponseRequest { response, request_id: String::new() };
            client.submit_response(request).await.expect("it is recorded");
        }
    })
    .await
}

/// Positions are the client's own, so that nothing but the commit is shared; ids grow as the service's do.
const SCRIPT: &str = r#"\set n :n + 1
\set position :base + :client_id * 1000000000 + :n
\set customer random(1, 1000000)
\set score random(0, 10)
INSERT INTO surveys.response (id, number, position, version, survey_id, customer_id, score, category, disposition,
    comment, language, channel, touchpoint, journey_stage, time, weight, dimensions, external_system, external_id,
    fingerprint, actor, create_time, update_time, withdraw_time)
VALUES (lpad(to_hex(:position::bigint), 32, '0')::uuid, :position, :position, 1,
    '01900000-0000-7000-8000-000000000001', lpad(to_hex(:customer::bigint), 32, '0')::uuid, :score, 1, 0,
    '', 'en', 'email', '', '', 1704067200000000 + :n * 63072, 1000000000000, '{"market": "DE"}', NULL, NULL,
    1234567890123456789, 'anonymous', 1704067200000000, 1704067200000000, NULL);
"#;

async fn pgbench(cluster: &Cluster, url: &str, callers: usize, effort: Effort) -> Measured {
    let seconds = effort.time.as_secs().max(1).to_string();
    let mut rates = Vec::new();
    for repetition in 1..=effort.repetitions {
        let mut pgbench = cluster.tool("pgbench");
        let (callers, threads) = (callers.to_string(), callers.min(2).to_string());
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--file=-", "--time", &seconds, "--client", &callers]);
        pgbench.args(["--jobs", &threads, "--define=n=0"]).arg(format!("--define=base={repetition}00000000000"));
        pgbench.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());

        let run = tokio::task::spawn_blocking(move || {
            let mut running = pgbench.spawn().expect("pgbench starts");
            let mut stdin = running.stdin.take().expect("it is piped");
            stdin.write_all(SCRIPT.as_bytes()).expect("it reads the script");
            drop(stdin);
            running.wait_with_output().expect("it ends")
        });
        let output = run.await.expect("it ends");
        let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        assert!(output.status.success(), "{told}{wrong}");
        rates.push(rate.unwrap_or_else(|| panic!("pgbench tells no rate: {told}")));
    }
    Measured::of(rates)
}
