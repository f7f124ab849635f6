//! Figures against facts in any order, and against plain recomputation.

mod script;
mod twin;
mod twin_cases;
mod twin_clocks;
mod twin_courses;
mod twin_promises;

use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use self::script::{DAY, Write, history};
use super::{Condition, Figure, Query};
use crate::{
    catalogue::{self, Measure, Parameters},
    columns::Facts,
    rules::{granularity::Granularity, zone::LocalDays},
};

fn query(metric: &str, granularity: Granularity, group_by: &[&str]) -> Query {
    Query {
        metrics: vec![catalogue::find(metric).expect("a metric")],
        start: Some(0),
        end: Some(100 * DAY),
        granularity,
        days: Arc::new(LocalDays::new(&TimeZone::UTC)),
        group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
        filters: Vec::new(),
        parameters: Parameters { inactivity_days: 20, ..Parameters::default() },
        now: 90 * DAY,
    }
}

fn only(mut query: Query, dimension: &str, value: &str, exclude: bool) -> Query {
    query.filters.push(Condition { dimension: dimension.to_owned(), values: vec![value.to_owned()], exclude });
    query
}

fn figures(query: &Query, facts: &Facts) -> Vec<Figure> {
    query.run(facts).expect("figures").remove(0).figures
}

/// Every metric in several ways.
fn everything(facts: &Facts) -> Vec<Vec<Figure>> {
    let mut all = Vec::new();
    for metric in &catalogue::METRICS {
        let dimensions = metric.table.dimensions().iter().copied().chain(["area"]);
        all.push(figures(&query(metric.id, Granularity::All, &[]), facts));
        all.push(figures(&query(metric.id, Granularity::Week, &["tier", "segment_now"]), facts));
        for dimension in dimensions {
            all.push(figures(&query(metric.id, Granularity::Month, &[dimension]), facts));
            for exclude in [true, false] {
                let filtered = only(query(metric.id, Granularity::All, &[]), dimension, "a", exclude);
                all.push(figures(&filtered, facts));
            }
        }
        let open = Query { start: None, end: None, ..query(metric.id, Granularity::Quarter, &["area"]) };
        all.push(figures(&open, facts));
        let of_cases = [("clock", "resolution"), ("statistic", "p90"), ("time", "elapsed")];
        let of_others = [("weighted", "true"), ("latest_per_customer", "true"), ("basis", "orders")];
        for (name, value) in of_others.into_iter().chain(of_cases) {
            let mut query = query(metric.id, Granularity::Month, &["area"]);
            query.parameters.set(name, value);
            all.push(figures(&query, facts));
        }
    }
    all
}

fn fold(writes: &[Write]) -> Facts {
    let mut facts = Facts::default();
    for write in writes {
        write.apply(&mut facts);
    }
    facts
}

/// The metrics whose counts are of facts, so that those of slices add up.
fn is_additive(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Nps
            | Measure::Csat
            | Measure::Ces
            | Measure::Responses
            | Measure::Customers
            | Measure::NewCustomers
            | Measure::ComplaintsOpened
            | Measure::TimeToFirstResponse
            | Measure::TimeToResolution
            | Measure::OnTimeRate
            | Measure::TimeToAcknowledgement
            | Measure::TimeToLastResolution
            | Measure::ReopenRate
            | Measure::HandOffsPerCase
            | Measure::UpheldRate
            | Measure::AcceptanceRate
            | Measure::CaseSatisfaction
            | Measure::PromiseKeptRate
            | Measure::RecoveryRate
            | Measure::ClockTime
            | Measure::ClockOnTimeRate
    )
}

fn total(figures: &[Figure], name: &str) -> f64 {
    figures
        .iter()
        .flat_map(|figure| &figure.measured.counts)
        .filter(|(count, _)| *count == name)
        .map(|(_, count)| count)
        .sum()
}

fn net(figures: &[Figure]) -> i128 {
    figures
        .iter()
        .flat_map(|figure| &figure.measured.amounts)
        .filter(|(name, _)| *name == "net")
        .map(|(_, net)| net)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn neither_order_nor_repetition_of_facts_matters(history in history()) {
        let plain = everything(&fold(&history.last_versions()));
        prop_assert_eq!(&everything(&fold(&history.in_order())), &plain, "as it was written");
        prop_assert_eq!(&everything(&fold(&history.shuffled)), &plain, "in any order, some of it twice");
        let again = [history.in_order(), history.shuffled.clone()].concat();
        prop_assert_eq!(&everything(&fold(&again)), &plain, "all of it again");
    }

    #[test]
    fn a_snapshot_gives_the_same_figures_and_goes_on_the_same(history in history()) {
        let (before, after) = history.shuffled.split_at(history.shuffled.len() / 2);
        let bytes = postcard::to_allocvec(&fold(before)).expect("bytes");
        let mut facts: Facts = postcard::from_bytes(&bytes).expect("facts");
        facts.restore();
        prop_assert_eq!(everything(&facts), everything(&fold(before)));
        after.iter().for_each(|write| write.apply(&mut facts));
        prop_assert_eq!(everything(&facts), everything(&fold(&history.shuffled)));
    }

    #[test]
    fn slices_add_up(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter().filter(|metric| is_additive(metric.measure)) {
            // Counts of one moment do not add up over time.
            let stock = metric.measure == Measure::Customers;
            let granularity = if stock { Granularity::All } else { Granularity::Week };
            let whole = figures(&query(metric.id, Granularity::All, &[]), &facts);
            let single = metric.table.dimensions().iter().copied().chain(["area"]).filter(|name| !name.contains("segment"));
            for dimension in single {
                let slices = figures(&query(metric.id, granularity, &[dimension]), &facts);
                for count in metric.counts {
                    prop_assert_eq!(total(&slices, count), total(&whole, count), "{} {} {}", metric.id, dimension, count);
                }
                let with = figures(&only(query(metric.id, Granularity::All, &[]), dimension, "a", false), &facts);
                let without = figures(&only(query(metric.id, Granularity::All, &[]), dimension, "a", true), &facts);
                for count in metric.counts {
                    prop_assert_eq!(total(&with, count) + total(&without, count), total(&whole, count));
                }
            }
        }
        let whole = figures(&query("revenue", Granularity::All, &[]), &facts);
        for dimension in ["category", "country", "channel", "area", "tier", "voucher", "customer_country", "member_now"] {
            prop_assert_eq!(net(&figures(&query("revenue", Granularity::Day, &[dimension]), &facts)), net(&whole));
            let with = figures(&only(query("revenue", Granularity::All, &[]), dimension, "a", false), &facts);
            let without = figures(&only(query("revenue", Granularity::All, &[]), dimension, "a", true), &facts);
            prop_assert_eq!(net(&with) + net(&without), net(&whole), "{}", dimension);
        }
    }

    #[test]
    fn answers_of_whole_days_and_of_cut_ones_are_counted_alike(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for day in 0..70 {
            let (start, end) = (Some(day * DAY + DAY / 3), Some((day + 30) * DAY + DAY / 3));
            for granularity in [Granularity::All, Granularity::Week] {
                let query = Query { start, end, ..query("nps", granularity, &[]) };
                let mut found = twin::shape(&figures(&query, &facts));
                // Without any answer there are rows all the same, of no group.
                found.retain(|(_, group, _, _)| !group.is_empty());
                prop_assert_eq!(found, model.nps(&query));
            }
        }
    }

    #[test]
    fn figures_are_those_of_plain_recomputation(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for granularity in [Granularity::All, Granularity::Week] {
            for group_by in [&["language"][..], &["tier"], &["segment"], &["area", "tier"]] {
                let query = query("nps", granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.nps(&query), "nps by {:?}", group_by);
            }
            for group_by in [&["category"][..], &["country"], &["segment"], &["area", "category"]] {
                let query = query("revenue", granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.revenue(&query), "revenue by {:?}", group_by);
            }
            for group_by in [&["channel"][..], &["category"], &["tier"]] {
                for metric in ["active_customers", "churn_rate", "inactive_share", "repeat_purchase_rate"] {
                    let query = query(metric, granularity, group_by);
                    let expected = model.buyers(&query);
                    prop_assert_eq!(twin::shape(&figures(&query, &facts)), expected, "{} by {:?}", metric, group_by);
                }
            }
            for group_by in [&["tier"][..], &["segment"], &["tier_now"], &["area", "member"]] {
                for metric in ["customers", "new_customers"] {
                    let query = query(metric, granularity, group_by);
                    let expected = model.known(&query);
                    prop_assert_eq!(twin::shape(&figures(&query, &facts)), expected, "{} by {:?}", metric, group_by);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn figures_of_cases_are_those_of_plain_recomputation(history in history(), limit in 1_i64..60) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        let groups = [&["case_state"][..], &["product"], &["team", "segment"], &["tier_now", "area"], &["channel", "tier"]];
        for (granularity, group_by) in [Granularity::All, Granularity::Week].into_iter().flat_map(|of| groups.map(|by| (of, by))) {
            for metric in ["complaints_opened", "time_to_acknowledgement", "time_to_first_response", "time_to_resolution", "on_time_rate"] {
                let mut query = query(metric, granularity, group_by);
                query.parameters.limit = limit * DAY / 4;
                let found = twin::shape(&figures(&query, &facts));
                prop_assert_eq!(found, model.cases(&query), "{} by {:?}", metric, group_by);
            }
            for metric in ["time_to_first_response", "time_to_acknowledgement", "time_to_last_resolution", "backlog_age"] {
                same_times(&query(metric, granularity, group_by), &facts, &model)?;
            }
        }
    }

    #[test]
    fn how_cases_went_is_as_their_histories_say(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        let groups = [&["kind"][..], &["category_1"], &["category_2", "tier"], &["root_cause_1"], &["finding", "segment"], &["severity", "area"]];
        let all = [Granularity::All, Granularity::Week, Granularity::Day];
        for (granularity, group_by) in all.into_iter().flat_map(|of| groups.map(|by| (of, by))) {
            for metric in ["reopen_rate", "backlog", "hand_offs_per_case", "upheld_rate", "acceptance_rate", "case_satisfaction"] {
                let query = query(metric, granularity, group_by);
                let found = twin::shape(&figures(&query, &facts));
                prop_assert_eq!(found, model.courses(&query), "{} by {:?}", metric, group_by);
            }
        }
        for group_by in [&["team"][..], &["to_team"], &["employee", "to_employee"], &["team", "product"], &["tier"], &["segment_now"]] {
            let query = query("hand_offs", Granularity::Week, group_by);
            prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.hand_offs(&query), "{:?}", group_by);
        }
        for group_by in [&["remedy"][..], &["product"], &["root_cause_2", "tier"], &["segment"], &[]] {
            let asked = query("redress_cost", Granularity::Week, group_by);
            let mut found = twin::shape(&figures(&asked, &facts));
            // Without any redress there are rows all the same, of no group.
            found.retain(|(_, group, _, _)| !group.is_empty());
            prop_assert_eq!(found, model.redress(&asked), "{:?}", group_by);
            let points = query("redress_points", Granularity::Week, group_by);
            let told: f64 = figures(&points, &facts).iter().filter_map(|figure| figure.measured.value).sum();
            let whole = query("redress_points", Granularity::All, group_by);
            let once: f64 = figures(&whole, &facts).iter().filter_map(|figure| figure.measured.value).sum();
            prop_assert_eq!(told, once);
            if !group_by.contains(&"segment") {
                prop_assert_eq!(once, model.points());
            }
        }
    }

    #[test]
    fn clocks_are_those_of_cases_that_are_there(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["policy"][..], &["clock", "kind"], &["category_1", "tier"], &["segment"], &["case_state"]] {
            for granularity in [Granularity::All, Granularity::Week] {
                for metric in ["clock_time", "clock_on_time_rate"] {
                    let query = query(metric, granularity, group_by);
                    prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.clocks(&query), "{} by {:?}", metric, group_by);
                }
                let mut query = query("clock_time", granularity, group_by);
                same_times(&query, &facts, &model)?;
                query.parameters.set("time", "elapsed");
                same_times(&query, &facts, &model)?;
            }
        }
    }

    #[test]
    fn what_came_of_follow_ups_is_counted_by_when_they_were_opened(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["survey"][..], &["survey", "tier"], &["segment_now"]] {
            let query = query("recovery_rate", Granularity::Week, group_by);
            prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.follow_ups(&query), "{:?}", group_by);
            // Surveys whose history was rewound are read again, and in another order.
            let mut again = facts.clone();
            again.forget_surveys();
            let surveys = history.in_order().into_iter().rev().filter(|write| matches!(write, Write::Surveys(_)));
            surveys.for_each(|write| write.apply(&mut again));
            prop_assert_eq!(figures(&query, &again), figures(&query, &facts));
        }
    }

    #[test]
    fn work_is_added_up_by_case(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["employee"][..], &["team", "kind"], &["category_1", "segment"], &["tier"]] {
            for granularity in [Granularity::All, Granularity::Week] {
                same_times(&query("handling_time", granularity, group_by), &facts, &model)?;
            }
        }
    }

    #[test]
    fn steps_of_ladders_are_counted_by_when_they_were_taken(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["clock"][..], &["policy", "team"], &["category_1", "segment"], &["tier"]] {
            let query = query("escalations", Granularity::Week, group_by);
            prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.escalations(&query), "{:?}", group_by);
        }
    }

    #[test]
    fn promises_are_kept_or_broken_as_they_say(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["team"][..], &["employee", "tier"], &["segment"], &["member_now", "team"]] {
            for granularity in [Granularity::All, Granularity::Day] {
                let query = query("promise_kept_rate", granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.promises(&query), "{:?}", group_by);
            }
        }
    }

    #[test]
    fn complaints_are_set_beside_the_customers_who_could_have_made_them(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&[][..], &["tier"], &["product"], &["product", "tier"], &["segment"], &["member_now", "kind"]] {
            for granularity in [Granularity::All, Granularity::Month] {
                let query = query("complaint_rate", granularity, group_by);
                let found = figures(&query, &facts);
                for figure in &found {
                    let [complaints, customers] = [0, 1].map(|index| figure.measured.counts[index].1);
                    let value = (customers > 0.0).then(|| 1_000.0 * complaints / customers);
                    prop_assert_eq!(figure.measured.value, value);
                }
                prop_assert_eq!(twin::shape(&found), model.complaint_rate(&query), "{:?}", group_by);
            }
        }
    }
}

/// The mean, the median and the maximum of durations are those of plain recomputation, and so is which cells have any.
fn same_times(query: &Query, facts: &Facts, model: &twin::Model) -> Result<(), TestCaseError> {
    let found = twin_cases::times_of(&figures(query, facts));
    let expected = model.times(query);
    prop_assert_eq!(found.len(), expected.len(), "{:?}", query.metrics[0].id);
    for ((start, group, value, statistics), (cell, [mean, median, max])) in found.into_iter().zip(expected) {
        prop_assert_eq!((start, group), cell);
        prop_assert!((statistics[0] - mean).abs() < 1e-6);
        prop_assert_eq!((value, statistics[1], statistics[6]), (Some(statistics[0]), median, max));
    }
    Ok(())
}

#[test]
fn nothing_has_a_row_for_each_period_and_no_figure() {
    let facts = Facts::default();
    for metric in &catalogue::METRICS {
        let rows = figures(&query(metric.id, Granularity::Month, &[]), &facts);
        let expected = if metric.measure == Measure::CohortRetention { 0 } else { 4 };
        assert_eq!(rows.len(), expected, "{}", metric.id);
        assert!(rows.iter().all(|row| row.measured.value.is_none()), "{}", metric.id);
        let open = Query { start: None, end: None, ..query(metric.id, Granularity::Day, &[]) };
        assert!(open.run(&facts).is_ok(), "{}", metric.id);
    }
}
