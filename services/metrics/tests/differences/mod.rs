//! Comparisons and trends over the wire.

use barometer_metrics::Config;
use barometer_proto::{
    metrics::v1::{self as wire, query_comparisons_request::Against, trend},
    surveys::v1::{self as surveys, SurveyKind},
};
use tonic::Code;

use crate::support::*;

fn answers(channel: &str, days: i64, sizes: [usize; 3]) -> impl Iterator<Item = surveys::Fact> {
    let scores = [9, 7, 0].into_iter().zip(sizes).flat_map(|(score, size)| std::iter::repeat_n(score, size));
    let channel = channel.to_owned();
    scores.map(move |score| {
        let fact = answer(1, score);
        response(0, 1, surveys::ResponseFact { channel: channel.clone(), time: Some(day(days)), ..fact })
    })
}

fn rest(token: &str) -> wire::QueryComparisonsRequest {
    wire::QueryComparisonsRequest {
        metrics: vec!["nps".to_owned(), "responses".to_owned()],
        side: Some(wire::Side::default()),
        against: Some(Against::Rest(wire::Rest {})),
        group_by: vec!["channel".to_owned()],
        at_least: vec![token.to_owned()],
        ..Default::default()
    }
}

#[tokio::test]
async fn groups_and_times_are_compared() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    world.surveys.write(answers("web", 1, [50, 30, 20]));
    let (_, token) = world.surveys.write(answers("shop", 40, [40, 35, 25]));
    let metrics = world.start().await;
    let ask = async |request| metrics.figures.clone().query_comparisons(request).await.map(tonic::Response::into_inner);

    let told = ask(rest(&token)).await.expect("an answer");
    assert_eq!((told.results.len(), told.tested, told.freshness.len()), (2, 2, 2));
    let [shop, web] = told.results[0].comparisons.as_slice() else { panic!("{told:?}") };
    assert_eq!((shop.group["channel"].as_str(), shop.group["survey_type"].as_str()), ("shop", "transactional"));
    for (comparison, difference) in [(shop, -15.0), (web, 15.0)] {
        assert_eq!(comparison.difference, Some(difference));
        assert!((comparison.p_value.expect("a chance") - 0.183_311).abs() < 5e-7, "{comparison:?}");
        assert_eq!(comparison.adjusted_p_value, comparison.p_value);
        assert_eq!(
            (comparison.verdict(), comparison.untested()),
            (wire::Verdict::NotShown, wire::Untested::Unspecified)
        );
        let interval = comparison.interval.as_ref().expect("an interval");
        assert!(interval.low < difference && difference < interval.high && interval.level == 0.95);
    }
    // One's rest is the other, and both are as QueryMetrics tells them.
    let rows = metrics.query(wire::QueryMetricsRequest {
        metrics: vec!["nps".to_owned()],
        group_by: vec!["channel".to_owned()],
        ..Default::default()
    });
    let rows = rows.await.expect("an answer").results.remove(0).rows;
    assert_eq!([&shop.figure, &web.figure].map(|row| row.as_ref()), [rows.first(), rows.get(1)]);
    let against = shop.against.as_ref().expect("a rest");
    assert_eq!((against.value, &against.counts), (rows[1].value, &rows[1].counts));
    assert_eq!(against.group.keys().collect::<Vec<_>>(), ["survey_type"]);
    assert!(!told.results[0].method.is_empty() && told.results[1].method.is_empty());
    assert!(
        told.results[1].comparisons.iter().all(|of| of.untested() == wire::Untested::NoTest && of.against.is_none())
    );

    let months =
        |from: i64, to: i64| wire::Side { start_time: Some(day(from)), end_time: Some(day(to)), filters: Vec::new() };
    let times = wire::QueryComparisonsRequest {
        metrics: vec!["nps".to_owned()],
        side: Some(months(31, 60)),
        against: Some(Against::Other(months(0, 31))),
        group_by: Vec::new(),
        ..rest(&token)
    };
    let told = ask(times.clone()).await.expect("an answer");
    assert_eq!(told.results[0].comparisons[0].difference, Some(-15.0));
    let meeting = wire::QueryComparisonsRequest { against: Some(Against::Other(months(0, 32))), ..times };
    let told = ask(meeting).await.expect("an answer");
    assert_eq!((told.results[0].comparisons[0].untested(), told.tested), (wire::Untested::Overlap, 0));

    let reference = wire::Reference { group: [("channel".to_owned(), "web".to_owned())].into() };
    let told =
        ask(wire::QueryComparisonsRequest { against: Some(Against::Reference(reference)), ..rest(&token) }).await;
    let told = told.expect("an answer");
    assert_eq!(told.results[0].comparisons.len(), 1, "web is not compared with itself");
    assert_eq!(told.results[1].comparisons[0].difference, Some(0.0));

    let refused = ask(wire::QueryComparisonsRequest { group_by: Vec::new(), ..rest(&token) }).await;
    let refused = refused.expect_err("a rest of no groups");
    assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["group_by".to_owned()]));
}

#[tokio::test]
async fn what_is_suppressed_does_not_follow_from_the_rest_of_others() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    world.surveys.write(answers("web", 1, [30, 10, 10]));
    world.surveys.write(answers("shop", 1, [10, 10, 30]));
    let (_, token) = world.surveys.write(answers("phone", 1, [2, 0, 0]));
    let metrics = world.start_with(&Config { minimum_sample: 10, ..Config::default() }).await;
    let told = metrics.figures.clone().query_comparisons(rest(&token)).await.expect("an answer").into_inner();
    let [phone, shop, web] = told.results[0].comparisons.as_slice() else { panic!("{told:?}") };
    assert_eq!(phone.figure.as_ref().map(wire::Row::state), Some(wire::RowState::Suppressed));
    assert_eq!((phone.difference, phone.untested()), (None, wire::Untested::Suppressed));
    assert_eq!(phone.verdict(), wire::Verdict::NotTested);
    let answers = |row: &Option<wire::Row>| row.as_ref().map(|row| row.counts["answers"]);
    assert_eq!([&shop.against, &web.against, &phone.against].map(answers), [Some(50.0), Some(50.0), Some(100.0)]);
    assert_eq!((shop.verdict(), web.verdict()), (wire::Verdict::Lower, wire::Verdict::Higher));
    assert_eq!(told.tested, 2);
}

#[tokio::test]
async fn a_series_rises_and_says_when_it_turned() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    let mut token = String::new();
    for month in 0..8 {
        let sizes = if month < 5 { [40, 20, 40] } else { [70, 20, 10] };
        token = world.surveys.write(answers("web", 15 + 30 * month, sizes)).1;
    }
    let metrics = world.start().await;
    let query = wire::QueryMetricsRequest { granularity: wire::Granularity::Month.into(), ..ask("nps", &[&token]) };
    let request = wire::QueryTrendsRequest { query: Some(query.clone()) };
    let told = metrics.figures.clone().query_trends(request).await.expect("an answer").into_inner();
    let [of_nps] = told.results[0].trends.as_slice() else { panic!("{told:?}") };
    assert_eq!((of_nps.points, of_nps.method(), of_nps.course()), (8, trend::Method::Weighted, trend::Course::Rises));
    assert!(of_nps.slope.is_some_and(|slope| slope > 8.0) && of_nps.fit_p_value.is_some_and(|fit| fit < 1e-3));
    let turn = of_nps.turn.as_ref().expect("a turn");
    assert_eq!((turn.label.as_str(), turn.difference.round()), ("2024-06", 60.0));
    let rows = metrics.query(query).await.expect("an answer").results.remove(0).rows;
    assert_eq!(of_nps.rows, rows);
    assert_eq!(told.freshness.len(), 2);

    let all_time = wire::QueryTrendsRequest { query: Some(ask("nps", &[&token])) };
    let refused = metrics.figures.clone().query_trends(all_time).await.expect_err("no periods");
    assert_eq!(fields(&refused), ["query.granularity"]);
}
