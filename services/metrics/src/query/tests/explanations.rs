//! What figures are made of adds up to them.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::metrics::v1::ExplainMetricRequest;
use proptest::prelude::*;

use super::{DAY, Facts, catalogue, fold, history, only, query};
use crate::{
    analysis::explanation,
    catalogue::Metric,
    query::{
        Figure, Query, Setting, Vocabulary, Zones,
        told::{Kind, Recorder, Told, Wanted},
    },
    rules::granularity::Granularity,
};

/// Every fact behind a row.
fn told(query: &Query, figure: &Figure, facts: &Facts, count: Option<&'static str>) -> (Vec<Told>, u64) {
    let value = |wanted: &str| figure.group.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let cohort = value("cohort").zip(value("periods_since").and_then(|since| since.parse().ok()));
    let mut alone = query.clone();
    for (name, value) in figure.group.iter().filter(|(name, _)| name != "cohort" && name != "periods_since") {
        alone = only(alone, name, value, false);
    }
    let recorder = Recorder::new(Wanted { count, worth: false, after: None, size: 1_000_000, cohort });
    alone.explain(facts, &recorder).expect("an explanation");
    recorder.told()
}

/// The rows of a query and the facts behind them fit together; gives how many facts there were.
fn check(metric: &Metric, query: &Query, facts: &Facts) -> Result<usize, TestCaseError> {
    let mut seen = 0;
    let mut rows = query.run(facts).expect("figures").remove(0).figures;
    // Cohorts come to hundreds of rows.
    rows.truncate(12);
    for figure in rows {
        let (facts_of_row, total) = told(query, &figure, facts, None);
        seen += facts_of_row.len();
        let what = || format!("{} {:?} {:?}", metric.id, query.filters, figure.group);
        prop_assert_eq!(facts_of_row.len() as u64, total, "{}", what());
        let ids: BTreeSet<_> = facts_of_row.iter().map(|told| (told.at, told.id)).collect();
        prop_assert_eq!(ids.len(), facts_of_row.len(), "{}: each once", what());
        // The first customer and the first invitation of the script have the id 0.
        let has_id = |told: &Told| !told.id.is_nil() || matches!(told.kind, Kind::Customer | Kind::Invitation);
        prop_assert!(facts_of_row.iter().all(has_id), "{}: each has an id", what());
        prop_assert!(facts_of_row.is_sorted_by_key(|told| (told.at, told.id)), "{}", what());
        let mut sums = BTreeMap::<&str, f64>::new();
        for (name, by) in facts_of_row.iter().flat_map(|told| &told.counts) {
            *sums.entry(name).or_default() += by;
        }
        for (name, count) in &figure.measured.counts {
            prop_assert!(metric.counts.contains(name), "{} {}", what(), name);
            if metric.computed.contains(name) {
                prop_assert!(!sums.contains_key(name), "{} {}", what(), name);
                continue;
            }
            let sum = sums.remove(name).unwrap_or_default();
            prop_assert!((sum - count).abs() < 1e-9, "{} {}: {} of {}", what(), name, sum, count);
            let (behind, of_count) = told_of(query, &figure, facts, metric, name);
            prop_assert!(behind.iter().all(|told| told.counts.iter().any(|(other, _)| other == name)));
            let expected: Vec<_> =
                facts_of_row.iter().filter(|told| told.counts.iter().any(|(other, _)| other == name)).collect();
            prop_assert_eq!(behind.iter().collect::<Vec<_>>(), expected, "{} {}", what(), name);
            prop_assert_eq!(behind.len() as u64, of_count);
        }
        prop_assert!(sums.is_empty(), "{}: {:?} are counts of the row", what(), sums);
    }
    Ok(seen)
}

fn told_of(query: &Query, figure: &Figure, facts: &Facts, metric: &Metric, count: &str) -> (Vec<Told>, u64) {
    let count = metric.counts.iter().copied().find(|name| *name == count);
    told(query, figure, facts, count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_facts_behind_every_figure_add_up_to_its_counts(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter() {
            let whole = query(metric.id, Granularity::All, &[]);
            check(metric, &whole, &facts)?;
            check(metric, &Query { start: Some(20 * DAY), end: Some(50 * DAY), ..whole.clone() }, &facts)?;
            check(metric, &Query { start: None, end: None, ..whole.clone() }, &facts)?;
            for dimension in metric.table.dimensions().iter().copied().filter(|name| ["tier", "channel", "segment", "category", "team"].contains(name)) {
                for exclude in [true, false] {
                    check(metric, &only(whole.clone(), dimension, "a", exclude), &facts)?;
                }
            }
            for parameter in metric.parameters {
                let others: &[&str] = match parameter.name {
                    "weighted" | "latest_per_customer" => &["true"],
                    "basis" => &["orders"],
                    "unit" => &["week"],
                    "time" => &["elapsed"],
                    "clock" => &["resolution"],
                    "definition" => &["churn_all_departures", "churn_over_start_plus_new", "churn_daily_sum"],
                    _ => &[],
                };
                for value in others {
                    let mut other = whole.clone();
                    assert!(other.parameters.set(parameter.name, value), "{}", parameter.name);
                    check(metric, &other, &facts)?;
                }
            }
        }
    }
}

/// Some histories, the same every time.
fn histories() -> Vec<Facts> {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut next = || history().new_tree(&mut runner).expect("a history").current();
    (0..12).map(|_| fold(&next().in_order())).collect()
}

/// That of them with the most answers and purchases.
fn plenty() -> Facts {
    let size = |facts: &Facts| facts.responses.times.live().min(facts.purchases.times.live());
    histories().into_iter().max_by_key(size).expect("some")
}

#[test]
fn every_metric_tells_of_some_fact() {
    let histories = histories();
    for metric in catalogue::METRICS.iter() {
        let whole = query(metric.id, Granularity::All, &[]);
        // Who is away when a time begins has bought before it.
        let later = Query { start: Some(60 * DAY), end: Some(90 * DAY), ..whole.clone() };
        let add_up = |query: &Query, facts: &Facts| check(metric, query, facts).expect("they add up");
        let seen = |facts: &Facts| add_up(&whole, facts) + add_up(&later, facts);
        assert!(histories.iter().map(seen).sum::<usize>() > 0, "{}", metric.id);
    }
}

fn explain(facts: &Facts, request: ExplainMetricRequest) -> Result<explanation::Explanation, String> {
    let zones = Zones::new("UTC").expect("a zone");
    let parsed = explanation::parse(request, &Vocabulary::of(facts), &zones, Setting::WHOLE);
    parsed.and_then(|explaining| explaining.run(facts)).map_err(|error| format!("{error:?}"))
}

#[test]
fn pages_hold_every_fact_once_and_belong_to_their_request() {
    let facts = plenty();
    let request = |page_size: i32, page_token: &str| ExplainMetricRequest {
        metric: "responses".to_owned(),
        page_size,
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    let whole = explain(&facts, request(1_000, "")).expect("explained");
    assert!(whole.facts.len() > 5 && whole.next_page_token.is_empty());
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let page = explain(&facts, request(3, &token)).expect("a page");
        assert_eq!((page.total, page.facts.len() <= 3), (whole.total, true));
        pages.extend(page.facts);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, whole.facts);
    let token = explain(&facts, request(3, "")).expect("a page").next_page_token;
    let other = ExplainMetricRequest { count: "scored".to_owned(), ..request(3, &token) };
    assert!(explain(&facts, other).expect_err("refused").contains("OTHER_REQUEST"));
}

#[test]
fn of_several_rows_one_is_to_be_named() {
    let facts = plenty();
    let request = |group: &[(&str, &str)]| ExplainMetricRequest {
        metric: "revenue".to_owned(),
        group: group.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Default::default()
    };
    let refused = explain(&facts, request(&[])).expect_err("two currencies");
    assert!(refused.contains("AMBIGUOUS") && refused.contains("currency=EUR"), "{refused}");
    assert!(explain(&facts, request(&[("currency", "GBP")])).expect_err("none").contains("NO_SUCH_ROW"));
    let euros = explain(&facts, request(&[("currency", "EUR")])).expect("explained");
    assert_eq!(euros.figure.group, [("currency".to_owned(), "EUR".to_owned())]);
    let unknown = ExplainMetricRequest { count: "promoters".to_owned(), ..request(&[]) };
    assert!(explain(&facts, unknown).expect_err("no such count").contains("UNKNOWN_VALUE"));
}

#[test]
fn of_a_suppressed_row_no_fact_is_told() {
    let facts = plenty();
    let zones = Zones::new("UTC").expect("a zone");
    let request = ExplainMetricRequest { metric: "conversion_rate".to_owned(), ..Default::default() };
    let setting = Setting { minimum_sample: 1_000_000, ..Setting::WHOLE };
    let explaining = explanation::parse(request, &Vocabulary::of(&facts), &zones, setting).expect("a request");
    let explained = explaining.run(&facts).expect("explained");
    assert!(explained.figure.suppressed && explained.facts.is_empty());
    assert_eq!((explained.total, explained.next_page_token.as_str()), (0, ""));
}
