//! Figures of complaints against plain recomputation.

use proptest::prelude::*;

use super::{
    DAY, figures, fold, query,
    script::{Write, history},
    twin,
};
use crate::{columns::Facts, query::Query, rules::granularity::Granularity};

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
    let found = twin::cases::times_of(&figures(query, facts));
    let expected = model.times(query);
    prop_assert_eq!(found.len(), expected.len(), "{:?}", query.metrics[0].id);
    for ((start, group, value, statistics), (cell, [mean, median, max])) in found.into_iter().zip(expected) {
        prop_assert_eq!((start, group), cell);
        prop_assert!((statistics[0] - mean).abs() < 1e-6);
        prop_assert_eq!((value, statistics[1], statistics[6]), (Some(statistics[0]), median, max));
    }
    Ok(())
}
