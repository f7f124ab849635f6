//! The service over its sources: figures follow facts, whatever happens to the feeds.

mod differences;
mod rows;
mod support;
mod verifying;
mod watches;

use std::{fs, time::Duration};

use barometer_metrics::{Config, GRPC_NAME};
use barometer_proto::{metrics::v1 as wire, surveys::v1::SurveyKind};
use tonic::Code;
use tonic_types::StatusExt;

use support::*;

#[tokio::test]
async fn an_answer_moves_the_score_and_its_amendment_and_withdrawal_move_it_back() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    let (numbers, token) = world.surveys.write([response(0, 1, answer(1, 3))]);
    assert_eq!(metrics.value("nps", &[&token]).await, Some(0.0));
    let (_, token) = world.surveys.write([response(numbers[0], 2, answer(1, 10))]);
    assert_eq!(metrics.value("nps", &[&token]).await, Some(100.0));
    let (_, token) = world.surveys.write([withdrawn(numbers[0], 3)]);
    let answer = metrics.query(ask("nps", &[&token])).await.expect("an answer");
    let row = &answer.results[0].rows[0];
    assert_eq!((row.value, row.counts["answers"]), (Some(100.0), 1.0));
    assert_eq!(row.group["survey_type"], "transactional");
    assert_eq!(answer.freshness.len(), 2);
    assert!(answer.freshness.iter().all(|freshness| freshness.connected && freshness.complete_until.is_some()));
    let fold = metrics.fold().await;
    assert_eq!((fold.sources[1].facts["response"], fold.resumed), (1, false));
}

#[tokio::test]
async fn there_are_no_figures_before_every_source_was_read() {
    let world = World::new().await;
    world.customers.hang_up(true);
    let metrics = world.start().await;
    metrics.until(|fold| fold.sources[1].freshness.as_ref().is_some_and(|freshness| freshness.connected)).await;
    let refused = metrics.query(ask("nps", &[])).await.expect_err("not ready");
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "NOT_READY".to_owned()));
    assert!(!metrics.health.is_serving());
    assert!(!metrics.fold().await.sources[0].last_error.is_empty());
    world.customers.hang_up(false);
    metrics.until(|fold| fold.sources[0].lag_seconds.is_some()).await;
    assert_eq!(metrics.value("nps", &[]).await, None);
    assert!(metrics.health.is_serving(), "{GRPC_NAME}");
}

#[tokio::test]
async fn a_source_that_never_comes_keeps_only_its_own_figures_waiting() {
    let world = World::new().await;
    world.complaints.hang_up(true);
    world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    metrics.until(|fold| fold.sources[..2].iter().all(|source| source.lag_seconds.is_some())).await;
    let answer = metrics.query(ask("nps", &[])).await.expect("an answer");
    let sources: Vec<_> = answer.freshness.iter().map(|freshness| freshness.source.as_str()).collect();
    assert_eq!((answer.results[0].rows[0].value, sources), (Some(100.0), vec!["customers", "surveys"]));
    let refused = metrics.query(ask("complaints_opened", &[])).await.expect_err("not ready");
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "NOT_READY".to_owned()));
    metrics.until(|_| metrics.health.is_serving()).await;

    // It comes late, with more than one batch, and nobody becomes unready by it.
    let (_, token) = world.complaints.write((0..10).map(|_| case(0, 1, "web", None)));
    world.complaints.hang_up(false);
    assert_eq!(metrics.value("complaints_opened", &[&token]).await, Some(10.0));
    assert!(metrics.health.is_serving());
}

#[tokio::test]
async fn a_late_answer_changes_the_figures_of_the_period_of_its_case() {
    let world = World::new().await;
    let metrics = world.start().await;
    let (numbers, token) = world.complaints.write([case(0, 1, "web", Some(1)), case(0, 1, "web", None)]);
    let asked = |metric: &str, token: &String| wire::QueryMetricsRequest {
        granularity: wire::Granularity::Month.into(),
        group_by: vec!["channel".to_owned()],
        ..ask(metric, &[token])
    };
    let row = async |metric: &str, token: &String| {
        let answer = metrics.query(asked(metric, token)).await.expect("an answer");
        let [row] = answer.results[0].rows.as_slice() else { panic!("{answer:?}") };
        row.clone()
    };
    let before = row("time_to_first_response", &token).await;
    assert_eq!((before.value, before.counts["waiting"]), (Some(86_400.0), 1.0));
    assert_eq!(row("on_time_rate", &token).await.value, Some(50.0));

    // Three months later, after the end of January, it is answered.
    let (_, token) = world.complaints.write([case(numbers[1], 2, "web", Some(91))]);
    let after = row("time_to_first_response", &token).await;
    assert_eq!((after.label.as_str(), after.group["channel"].as_str()), ("2024-01", "web"));
    assert_eq!((after.value, after.counts["waiting"]), (Some(46.0 * 86_400.0), 0.0));
    assert_eq!((after.statistics["p50"], after.statistics["max"]), (46.0 * 86_400.0, 91.0 * 86_400.0));
    assert!((after.statistics["p90"] - 82.0 * 86_400.0).abs() < 1e-6, "{after:?}");

    let limits =
        [("limit", "91d"), ("clock", "first_response")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = wire::QueryMetricsRequest { parameters: limits.into(), ..asked("on_time_rate", &token) };
    let answer = metrics.query(request).await.expect("an answer");
    assert_eq!(answer.results[0].rows[0].value, Some(100.0));
    assert_eq!(metrics.fold().await.sources[2].facts["case"], 2);
}

#[tokio::test]
async fn lost_feeds_are_told_and_taken_up_again_without_counting_twice() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    assert_eq!(metrics.value("responses", &[&world.surveys.write([]).1]).await, Some(1.0));
    for round in 2..6 {
        world.surveys.hang_up(true);
        let fold = metrics.until(|fold| !fold.sources[1].last_error.is_empty()).await;
        assert!(!fold.sources[1].freshness.as_ref().expect("freshness").connected);
        assert!(metrics.health.is_serving());
        world.surveys.mark();
        let (_, token) = world.surveys.write([response(0, 1, answer(1, 9))]);
        world.surveys.hang_up(false);
        assert_eq!(metrics.value("responses", &[&token]).await, Some(f64::from(round)));
    }
    assert_eq!(metrics.fold().await.sources[1].restarts, 0);
}

#[tokio::test]
async fn a_rewound_history_is_read_again_and_its_lost_tokens_are_refused() {
    let world = World::new().await;
    world.customers.write([purchase(7, day(1), 100)]);
    world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    let (_, lost) = world.surveys.write([response(0, 1, answer(1, 9))]);
    assert_eq!(metrics.value("responses", &[&lost]).await, Some(2.0));

    let filler = (0..20).map(|_| response(0, 1, answer(1, 0)));
    let token = world.surveys.rewind([survey(1, SurveyKind::Nps)].into_iter().chain(filler));
    assert_eq!(metrics.value("nps", &[&token]).await, Some(-100.0));
    let refused = metrics.query(ask("nps", &[&lost])).await.expect_err("gone");
    assert_eq!((refused.code(), reason(&refused)), (Code::OutOfRange, "POSITION_GONE".to_owned()));
    let fold = metrics.fold().await;
    assert_eq!((fold.sources[0].restarts, fold.sources[1].restarts), (0, 1));
    assert_eq!((fold.sources[0].facts["purchase"], fold.sources[1].facts["response"]), (1, 20));
    assert_eq!(metrics.value("revenue", &[]).await, Some(100.0));
}

#[tokio::test]
async fn a_write_that_does_not_come_is_waited_for_only_so_long() {
    let world = World::new().await;
    let metrics = world.start().await;
    metrics.until(|fold| fold.sources.iter().all(|source| source.lag_seconds.is_some())).await;
    world.surveys.hang_up(true);
    let (_, token) = world.surveys.write([survey(1, SurveyKind::Nps)]);
    let mut request = tonic::Request::new(ask("nps", &[&token]));
    request.set_timeout(Duration::from_millis(400));
    let refused = metrics.client.clone().query_metrics(request).await.expect_err("too early");
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "NOT_YET_INCLUDED".to_owned()));
    assert!(refused.get_details_retry_info().is_some());
}

#[tokio::test]
async fn it_resumes_from_its_snapshot_and_does_without_a_bad_one() {
    let world = World::new().await;
    world.customers.write([purchase(7, day(1), 100)]);
    let (numbers, _) = world.surveys.write([survey(1, SurveyKind::Nps), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    assert_eq!(metrics.value("responses", &[&world.surveys.write([]).1]).await, Some(1.0));
    metrics.until(|fold| fold.sources.iter().all(|source| source.lag_seconds.is_some())).await;
    metrics.stop().await;

    // The sources are away, and it answers all the same.
    world.surveys.hang_up(true);
    world.customers.hang_up(true);
    let metrics = world.start().await;
    assert_eq!(metrics.value("nps", &[]).await, Some(100.0));
    let fold = metrics.fold().await;
    assert!(fold.resumed && fold.snapshot_time.is_some() && metrics.health.is_serving());
    world.surveys.hang_up(false);
    world.customers.hang_up(false);
    let (_, token) = world.surveys.write([response(numbers[1], 2, answer(1, 0)), response(0, 1, answer(1, 0))]);
    assert_eq!(metrics.value("nps", &[&token]).await, Some(-100.0));
    metrics.stop().await;

    let file = world.directory.path().join("metrics/fold.snapshot");
    let mut bytes = fs::read(&file).expect("a snapshot");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    for damaged in [bytes.clone(), bytes[..middle].to_vec(), Vec::new()] {
        fs::write(&file, damaged).expect("write");
        let metrics = world.start().await;
        assert_eq!(metrics.value("nps", &[&token]).await, Some(-100.0));
        assert!(!metrics.fold().await.resumed);
        metrics.kill().await;
    }
}

#[tokio::test]
async fn after_a_crash_nothing_is_missing_and_nothing_counts_twice() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    let config = Config { snapshot_every_facts: 1, ..Config::default() };
    for round in 1..5 {
        let metrics = world.start_with(&config).await;
        let (_, token) = world.surveys.write([response(0, 1, answer(1, 9))]);
        assert_eq!(metrics.value("responses", &[&token]).await, Some(f64::from(round)));
        if round % 2 == 0 {
            let before = metrics.fold().await.snapshot_time;
            metrics.until(|fold| fold.snapshot_time.is_some() && fold.snapshot_time != before).await;
        }
        metrics.kill().await;
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_query_is_told_at_once() {
    let world = World::new().await;
    let metrics = world.start().await;
    metrics.until(|fold| fold.sources.iter().all(|source| source.lag_seconds.is_some())).await;
    let bad = wire::QueryMetricsRequest {
        metrics: ["nps", "npz", "nps"].map(str::to_owned).to_vec(),
        start_time: Some(day(2)),
        end_time: Some(day(1)),
        granularity: 99,
        time_zone: "Mars/Olympus".to_owned(),
        group_by: ["survey", "moon", "survey", "cohort"].map(str::to_owned).to_vec(),
        filters: vec![
            wire::Filter { dimension: "language".to_owned(), values: Vec::new(), exclude: false },
            wire::Filter { dimension: String::new(), values: vec!["x".to_owned()], exclude: false },
        ],
        parameters: [("level", "2"), ("speed", "1")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        at_least: vec!["garbage".to_owned()],
    };
    let refused = metrics.query(bad).await.expect_err("wrong");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        fields(&refused),
        [
            "metrics[1]",
            "metrics[2]",
            "end_time",
            "granularity",
            "time_zone",
            "group_by[1]",
            "group_by[2]",
            "group_by[3]",
            "filters[0].values",
            "filters[1].dimension",
            "parameters.level",
            "parameters.speed",
            "at_least[0]",
        ]
    );
    let nothing = metrics.query(wire::QueryMetricsRequest::default()).await.expect_err("nothing asked");
    assert_eq!(fields(&nothing), ["metrics"]);
    let days = wire::QueryMetricsRequest {
        start_time: Some(day(-8_000)),
        end_time: Some(day(0)),
        granularity: wire::Granularity::Day.into(),
        ..ask("nps", &[])
    };
    assert_eq!(fields(&metrics.query(days).await.expect_err("too many")), ["granularity"]);
}

#[tokio::test]
async fn the_catalogue_is_read_in_pages_and_by_name() {
    let world = World::new().await;
    let mut client = world.start().await.client;
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = wire::ListMetricsRequest { page_size: 4, page_token };
        let page = client.list_metrics(request).await.expect("a page").into_inner();
        names.extend(page.metrics.into_iter().map(|metric| metric.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 87);
    assert!(names.is_sorted());
    let nps = client.get_metric(wire::GetMetricRequest { id: "nps".to_owned() }).await.expect("nps").into_inner();
    assert_eq!((nps.version, nps.unit()), (1, wire::Unit::Points));
    let unknown = client.get_metric(wire::GetMetricRequest { id: "npz".to_owned() }).await.expect_err("none");
    assert_eq!(unknown.code(), Code::NotFound);
}
