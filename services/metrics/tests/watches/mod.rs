//! Figures that are watched, and what they are made of.

use std::time::Duration;

use barometer_proto::{metrics::v1 as wire, surveys::v1::SurveyKind};
use tonic::Code;

use crate::support::*;

/// As often as may be.
fn watch(query: wire::QueryMetricsRequest) -> wire::WatchMetricsRequest {
    let min_interval = Duration::from_millis(200).try_into().ok();
    wire::WatchMetricsRequest { query: Some(query), min_interval }
}

#[tokio::test]
async fn a_watch_tells_what_changes_and_nothing_else() {
    let world = World::new().await;
    let (_, token) =
        world.surveys.write([survey(1, SurveyKind::Nps), survey(2, SurveyKind::Csat), response(0, 1, answer(1, 9))]);
    let metrics = world.start().await;
    // Until it is included.
    metrics.value("nps", &[&token]).await;
    let mut figures = metrics.figures.clone();
    let watching = figures.watch_metrics(watch(ask("nps", &[&token]))).await.expect("a watch");
    let mut watching = watching.into_inner();
    let first = watching.message().await.expect("alive").expect("the whole");
    assert_eq!((first.results[0].rows[0].value, first.freshness.len()), (Some(100.0), 2));

    let (numbers, token) = world.surveys.write([response(0, 1, answer(1, 3))]);
    let changed = watching.message().await.expect("alive").expect("a change");
    assert_eq!((changed.results[0].rows.len(), changed.results[0].rows[0].value), (1, Some(0.0)));
    assert!(changed.removed.is_empty());
    let asked = metrics.query(ask("nps", &[&token])).await.expect("an answer");
    assert_eq!(changed.results[0].rows, asked.results[0].rows, "with the digits of a query");

    // An answer to another survey is none of this score; the next change is that of the withdrawal.
    let (_, token) = world.surveys.write([response(0, 1, answer(2, 3))]);
    metrics.value("csat", &[&token]).await;
    world.surveys.write([withdrawn(numbers[0], 2)]);
    let changed = watching.message().await.expect("alive").expect("a change");
    assert_eq!((changed.results[0].rows[0].value, changed.results[0].rows[0].counts["answers"]), (Some(100.0), 1.0));

    let (stopped, ()) = tokio::join!(watching.message(), metrics.stop());
    let stopped = stopped.expect_err("the server stops");
    assert_eq!((stopped.code(), reason(&stopped).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
}

#[tokio::test]
async fn a_group_without_anything_is_no_more() {
    let world = World::new().await;
    let by_channel =
        |channel: &str| barometer_proto::surveys::v1::ResponseFact { channel: channel.to_owned(), ..answer(1, 9) };
    let (numbers, token) = world.surveys.write([
        survey(1, SurveyKind::Nps),
        response(0, 1, by_channel("web")),
        response(0, 1, by_channel("shop")),
    ]);
    let metrics = world.start().await;
    metrics.query(ask("responses", &[&token])).await.expect("an answer");
    let query = wire::QueryMetricsRequest { group_by: vec!["channel".to_owned()], ..ask("responses", &[&token]) };
    let mut figures = metrics.figures.clone();
    let mut watching = figures.watch_metrics(watch(query)).await.expect("a watch").into_inner();
    assert_eq!(watching.message().await.expect("alive").expect("the whole").results[0].rows.len(), 2);
    world.surveys.write([withdrawn(numbers[1], 2)]);
    let changed = watching.message().await.expect("alive").expect("a change");
    assert!(changed.results.is_empty(), "{changed:?}");
    assert_eq!(
        (changed.removed[0].metric.as_str(), changed.removed[0].group["channel"].as_str()),
        ("responses", "web")
    );
}

#[tokio::test]
async fn a_figure_is_explained_by_the_facts_of_its_source() {
    let world = World::new().await;
    let (_, token) = world.surveys.write([
        survey(1, SurveyKind::Nps),
        response(0, 1, answer(1, 9)),
        response(0, 1, answer(1, 10)),
        response(0, 1, answer(1, 3)),
    ]);
    let metrics = world.start().await;
    let asked = metrics.query(ask("nps", &[&token])).await.expect("an answer");
    let request = wire::ExplainMetricRequest {
        metric: "nps".to_owned(),
        count: "promoters".to_owned(),
        page_size: 1,
        at_least: vec![token],
        ..Default::default()
    };
    let mut figures = metrics.figures.clone();
    let first = figures.explain_metric(request.clone()).await.expect("an explanation").into_inner();
    assert_eq!(first.row.as_ref(), asked.results[0].rows.first());
    assert_eq!((first.total_facts, first.facts.len(), first.facts[0].kind.as_str()), (2, 1, "response"));
    assert_eq!((first.parameters["level"].as_str(), first.counts[0].name.as_str()), ("0.95", "promoters"));
    let next = wire::ExplainMetricRequest { page_token: first.next_page_token, ..request };
    let second = figures.explain_metric(next).await.expect("an explanation").into_inner();
    assert!(second.next_page_token.is_empty() && second.facts[0].id > first.facts[0].id);
    assert_eq!(second.facts[0].counts["promoters"], 1.0);
    assert!(second.freshness.iter().all(|freshness| freshness.complete_until.is_some()));
}
