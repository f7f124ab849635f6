//! What rows say beside their figure: whether more is to be expected, when they were revised, and whether they are told.

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_metrics::Config;
use barometer_proto::{
    metrics::v1 as wire,
    surveys::v1::{self as surveys, SurveyKind},
};

use crate::support::*;

/// The rows of each month by its name.
async fn months(metrics: &Metrics, metric: &str, token: &String) -> BTreeMap<String, wire::Row> {
    let request = wire::QueryMetricsRequest { granularity: wire::Granularity::Month.into(), ..ask(metric, &[token]) };
    let answer = metrics.query(request).await.expect("an answer");
    answer.results[0].rows.iter().map(|row| (row.label.clone(), row.clone())).collect()
}

#[tokio::test]
async fn a_row_says_when_late_facts_changed_it() {
    let world = World::new().await;
    let metrics = world.start().await;
    let at = |version: i64, number: i64, days: i64, written: i64| surveys::Fact {
        write_time: Some(day(written)),
        ..response(number, version, surveys::ResponseFact { time: Some(day(days)), ..answer(1, 9) })
    };
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    let (numbers, token) = world.surveys.write([at(1, 0, 1, 2), at(1, 0, 3, 3), at(1, 0, 40, 41)]);
    let revised = async |token: &String| {
        let rows = months(&metrics, "nps", token).await;
        ["2024-01", "2024-02"].map(|month| rows.get(month).and_then(|row| row.revise_time))
    };
    assert_eq!(revised(&token).await, [3, 41].map(|days| Some(day(days))));
    let rows = months(&metrics, "nps", &token).await;
    assert!(rows.values().all(|row| row.completeness() == wire::Completeness::Complete), "{rows:?}");

    let (_, token) = world.surveys.write([at(2, numbers[0], 1, 70)]);
    assert_eq!(revised(&token).await, [70, 41].map(|days| Some(day(days))), "one of January is amended");
    let (_, token) = world.surveys.write([at(3, numbers[0], 45, 80)]);
    assert_eq!(revised(&token).await, [80, 80].map(|days| Some(day(days))), "and moved to February");
    let gone = surveys::Fact { write_time: Some(day(90)), ..withdrawn(numbers[1], 2) };
    let (_, token) = world.surveys.write([gone, at(1, 0, 20, 21)]);
    assert_eq!(revised(&token).await, [90, 80].map(|days| Some(day(days))), "another of January is withdrawn");
}

#[tokio::test]
async fn a_row_says_whether_more_is_to_be_expected() {
    let world = World::new().await;
    let metrics = world.start().await;
    let (_, token) = world.complaints.write([case(0, 1, "web", Some(1)), case(0, 1, "web", None)]);
    let completeness = async |metric: &str, parameter: (&str, &str), end| {
        let parameters = [(parameter.0.to_owned(), parameter.1.to_owned())].into();
        let request = wire::QueryMetricsRequest {
            start_time: Some(day(0)),
            end_time: Some(end),
            parameters,
            ..ask(metric, &[&token])
        };
        let answer = metrics.query(request).await.expect("an answer");
        answer.results[0].rows[0].completeness()
    };
    assert_eq!(completeness("on_time_rate", ("limit", "1d"), day(31)).await, wire::Completeness::Complete);
    assert_eq!(completeness("on_time_rate", ("limit", "3650d"), day(31)).await, wire::Completeness::Open);
    assert_eq!(completeness("time_to_resolution", ("level", "0.9"), day(31)).await, wire::Completeness::Open);
    let later = Micros(Micros::now().0 + Micros::DAY).to_wire();
    assert_eq!(completeness("on_time_rate", ("limit", "1d"), later).await, wire::Completeness::Running);
    world.complaints.hang_up(true);
    metrics.until(|fold| !fold.sources[2].freshness.as_ref().expect("freshness").connected).await;
    let now = Micros::now().to_wire();
    assert_eq!(completeness("on_time_rate", ("limit", "1d"), now).await, wire::Completeness::Behind);
}

#[tokio::test]
async fn of_a_small_sample_nothing_is_told() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    let (_, token) = world.surveys.write((0..5).map(|index| {
        let channel = if index < 2 { "web" } else { "shop" };
        response(0, 1, surveys::ResponseFact { channel: channel.to_owned(), ..answer(1, 9) })
    }));
    let metrics = world.start_with(&Config { minimum_sample: 3, ..Config::default() }).await;
    assert_eq!(metrics.fold().await.minimum_sample, 3);
    let request = wire::QueryMetricsRequest {
        metrics: ["nps", "responses"].map(str::to_owned).to_vec(),
        group_by: vec!["channel".to_owned()],
        ..ask("nps", &[&token])
    };
    let answer = metrics.query(request).await.expect("an answer");
    let [shop, web] = answer.results[0].rows.as_slice() else { panic!("{answer:?}") };
    assert_eq!((shop.value, shop.state()), (Some(100.0), wire::RowState::Ok));
    assert_eq!(web.group["channel"], "web");
    // But for where and when it is, nothing.
    let nothing = wire::Row {
        start_time: web.start_time,
        end_time: web.end_time,
        label: web.label.clone(),
        group: web.group.clone(),
        partial: web.partial,
        completeness: web.completeness,
        revise_time: web.revise_time,
        state: wire::RowState::Suppressed.into(),
        ..Default::default()
    };
    assert_eq!(*web, nothing);
    // How many there are is no estimate.
    assert_eq!(answer.results[1].rows[1].value, Some(2.0));
}

#[tokio::test]
async fn the_bootstrap_is_the_same_for_the_same_seed_and_bounded() {
    let world = World::new().await;
    world.surveys.write([survey(1, SurveyKind::Nps)]);
    let (_, token) =
        world.surveys.write((0..100).map(|index| response(0, 1, answer(1, if index < 50 { 9 } else { index % 9 }))));
    let metrics = world.start().await;
    let asked = async |parameters: &[(&str, &str)], granularity: wire::Granularity| {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = wire::QueryMetricsRequest {
            parameters: parameters.collect(),
            start_time: Some(day(0)),
            end_time: Some(day(731)),
            granularity: granularity.into(),
            ..ask("nps", &[&token])
        };
        metrics.query(request).await
    };
    let limits = async |parameters: &[(&str, &str)]| {
        let answer = asked(parameters, wire::Granularity::Unspecified).await.expect("an answer");
        let row = &answer.results[0].rows[0];
        let interval = row.interval.as_ref().expect("an interval");
        (interval.low, interval.high)
    };
    let (resampled, by_score) = (limits(&[("interval", "bootstrap")]).await, limits(&[]).await);
    assert_eq!(limits(&[("interval", "bootstrap"), ("seed", "0"), ("resamples", "10000")]).await, resampled);
    assert_ne!(limits(&[("interval", "bootstrap"), ("seed", "1"), ("resamples", "1000")]).await, resampled);
    assert!(
        (resampled.0 - by_score.0).abs() < 3.0 && (resampled.1 - by_score.1).abs() < 3.0,
        "{resampled:?} {by_score:?}"
    );
    for (parameters, granularity, field) in [
        (&[("interval", "bootstrap"), ("weighted", "true")][..], wire::Granularity::Unspecified, "parameters.interval"),
        (&[("interval", "bootstrap"), ("resamples", "100000")], wire::Granularity::Day, "parameters.resamples"),
    ] {
        let refused = asked(parameters, granularity).await.expect_err("refused");
        assert_eq!(fields(&refused), [field]);
    }
    let answer = asked(&[("weighted", "true")], wire::Granularity::Unspecified).await.expect("an answer");
    assert_eq!(answer.results[0].rows[0].counts.get("effective_answers"), Some(&100.0));
}
