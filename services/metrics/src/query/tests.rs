//! Figures against facts in any order, and against plain recomputation.

mod analyses;
mod analyses_known;
mod asked;
mod comparisons;
mod contracts;
mod customers;
mod days;
mod defined;
mod desk;
mod explanations;
mod moves;
mod moves_known;
mod rows;
pub(crate) mod script;
mod service;
mod together;
mod trends;
mod twin;

use std::sync::Arc;

use barometer_proto::metrics::v1::{Additivity, Unit};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use self::script::{DAY, Write, history};
use super::{Condition, Figure, Measured, Query, Setting, Table};
use crate::{
    analysis::{comparison::Comparison, trend::Trend},
    catalogue::{self, Metric, Parameters},
    columns::Facts,
    rules::{granularity::Granularity, zone::LocalDays},
};

pub(crate) fn query(metric: &str, granularity: Granularity, group_by: &[&str]) -> Query {
    Query {
        metrics: vec![catalogue::find(metric).expect("a metric")],
        start: Some(0),
        end: Some(100 * DAY),
        granularity,
        days: Arc::new(LocalDays::new(&TimeZone::UTC)),
        group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
        filters: Vec::new(),
        parameters: Parameters {
            inactivity_days: 20,
            member_days: 15,
            referral_days: 30,
            after_days: 15,
            around_days: 10,
            ..Parameters::default()
        },
        now: 90 * DAY,
        setting: Setting::WHOLE,
    }
}

fn only(mut query: Query, dimension: &str, value: &str, exclude: bool) -> Query {
    query.filters.push(Condition { dimension: dimension.to_owned(), values: vec![value.to_owned()], exclude });
    query
}

fn figures(query: &Query, facts: &Facts) -> Vec<Figure> {
    query.run(facts).expect("figures").remove(0).figures
}

/// All that is told of some facts.
type Everything = (Vec<Vec<Figure>>, Vec<Vec<Comparison>>, Vec<Vec<Trend>>);

/// Every metric, every comparison and every trend, in several ways.
fn everything(facts: &Facts) -> Everything {
    (every_figure(facts), comparisons::every(facts), trends::every(facts))
}

/// Every metric in several ways.
fn every_figure(facts: &Facts) -> Vec<Vec<Figure>> {
    let mut all = Vec::new();
    for metric in catalogue::METRICS.iter() {
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
        let of_others = [
            ("weighted", "true"),
            ("latest_per_customer", "true"),
            ("basis", "orders"),
            ("unit", "week"),
            ("rate", "rr6"),
            ("action", "visits"),
            ("hourly_rate", "12.5EUR"),
        ];
        let definitions =
            ["churn_all_departures", "churn_over_start_plus_new", "churn_daily_sum"].map(|of| ("definition", of));
        for (name, value) in of_others.into_iter().chain(of_cases).chain(definitions) {
            let mut query = query(metric.id, Granularity::Month, &["area"]);
            query.parameters.set(name, value);
            all.push(figures(&query, facts));
        }
    }
    all
}

pub(crate) fn fold(writes: &[Write]) -> Facts {
    let mut facts = Facts::default();
    for write in writes {
        write.apply(&mut facts);
    }
    facts
}

/// Whether the counts of slices add up to those of the whole: by what the metric says of itself; and those of times, whose
/// values do not, count each of their cases once.
fn counts_add_up(metric: &Metric) -> bool {
    match metric.additivity {
        Additivity::Counts | Additivity::Groups => true,
        Additivity::None => metric.id.starts_with("time_to_") || metric.id == "clock_time",
        Additivity::Sum | Additivity::Unspecified => false,
    }
}

fn total(figures: &[Figure], name: &str) -> f64 {
    figures
        .iter()
        .flat_map(|figure| &figure.measured.counts)
        .filter(|(count, _)| *count == name)
        .map(|(_, count)| count)
        .sum()
}

fn value(figures: &[Figure]) -> f64 {
    figures.iter().filter_map(|figure| figure.measured.value).sum()
}

/// The dimensions of which each fact of a metric has one value.
fn single(metric: &Metric) -> impl Iterator<Item = &'static str> {
    // A sale that is divided is one of each category, and its money is divided too.
    let is_divided = metric.table == Table::Purchases && metric.unit != Unit::Money;
    let dimensions = metric.table.dimensions().iter().copied().chain(["area"]);
    dimensions.filter(move |name| !(name.contains("segment") || is_divided && *name == "category"))
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
        for metric in catalogue::METRICS.iter().filter(|metric| counts_add_up(metric)) {
            // Counts of one moment do not add up over time.
            let granularity = if metric.additivity == Additivity::Groups { Granularity::All } else { Granularity::Week };
            let whole = figures(&query(metric.id, Granularity::All, &[]), &facts);
            for dimension in single(metric) {
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
    fn values_that_are_said_to_add_up_do(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter().filter(|metric| metric.additivity == Additivity::Sum) {
            let whole = value(&figures(&query(metric.id, Granularity::All, &[]), &facts));
            for dimension in single(metric) {
                let slices = value(&figures(&query(metric.id, Granularity::Week, &[dimension]), &facts));
                prop_assert!((slices - whole).abs() < 1e-6, "{} {}: {} and {}", metric.id, dimension, slices, whole);
            }
        }
    }

    #[test]
    fn of_small_samples_nothing_is_told_and_nothing_else_changes(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter() {
            for group_by in [&[][..], &["tier"]] {
                let open = query(metric.id, Granularity::Month, group_by);
                let strict = Query { setting: Setting { minimum_sample: 4, ..open.setting }, ..open.clone() };
                let (open, strict) = (figures(&open, &facts), figures(&strict, &facts));
                prop_assert_eq!(open.len(), strict.len(), "{}", metric.id);
                for (open, strict) in open.into_iter().zip(strict) {
                    let counts = open.measured.counts.iter().filter(|(name, _)| metric.sample.contains(name));
                    let sample: f64 = counts.map(|(_, count)| count).sum();
                    let is_few = !metric.sample.is_empty() && open.is_counted() && sample < 4.0;
                    let expected = match is_few {
                        true => Figure { suppressed: true, measured: Measured::default(), ..open },
                        false => open,
                    };
                    prop_assert_eq!(strict, expected, "{}", metric.id);
                }
            }
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
    fn what_came_of_invitations_is_counted_by_when_they_were_sent(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&["survey"][..], &["channel", "tier"], &["segment"], &["area"]] {
            for granularity in [Granularity::All, Granularity::Week] {
                for metric in ["response_rate", "completion_rate"] {
                    let query = query(metric, granularity, group_by);
                    prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.outcomes(&query), "{} by {:?}", metric, group_by);
                }
            }
        }
    }

    #[test]
    fn contacts_are_counted_by_what_came_of_them(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        let all = ["contacts", "contact_time", "visits", "conversion_rate", "offer_conversion_rate", "open_rate", "unsubscribe_rate"];
        for group_by in [&["channel"][..], &["campaign", "tier"], &["direction", "segment"], &["outcome", "area"]] {
            for (metric, granularity) in all.into_iter().flat_map(|of| [(of, Granularity::All), (of, Granularity::Week)]) {
                let query = query(metric, granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.contacts(&query), "{} by {:?}", metric, group_by);
            }
        }
        let handled = &figures(&query("contact_time", Granularity::All, &[]), &facts)[0].measured;
        let seconds = handled.value.map_or(0.0, |mean| mean * handled.counts[0].1);
        prop_assert!((seconds - model.contact_seconds()).abs() < 1e-6, "{} and {}", seconds, model.contact_seconds());
    }

    #[test]
    fn figures_of_the_programme_are_those_of_plain_recomputation(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        let of_events = [&["programme"][..], &["channel", "tier"], &["segment"], &["member", "area"]];
        for (granularity, group_by) in [Granularity::All, Granularity::Week].into_iter().flat_map(|of| of_events.map(|by| (of, by))) {
            for metric in ["enrolments", "voucher_redemption_rate", "points_liability"] {
                let query = query(metric, granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.memberships(&query), "{} by {:?}", metric, group_by);
            }
            for (metric, which) in [("points_issued", 0), ("points_redeemed", 1)] {
                let query = query(metric, granularity, group_by);
                let plain = model.points_of_events(&query);
                for figure in figures(&query, &facts) {
                    let points = plain.get(&(figure.start, twin::sorted(&figure.group))).copied().unwrap_or_default();
                    prop_assert_eq!(figure.measured.value.unwrap_or_default(), points[which] as f64, "{}", metric);
                }
            }
            let query = query("redemption_rate", granularity, group_by);
            let plain = model.points_of_events(&query);
            let found = figures(&query, &facts);
            for figure in &found {
                let [issued, redeemed, expired] =
                    plain.get(&(figure.start, twin::sorted(&figure.group))).copied().unwrap_or_default();
                let told: Vec<f64> = figure.measured.counts.iter().map(|(_, points)| *points).collect();
                prop_assert_eq!(told, [issued, redeemed, expired].map(|points| points as f64));
                prop_assert_eq!(figure.measured.value, (issued > 0).then(|| redeemed as f64 / issued as f64));
            }
            let is_told = |key: &&(i64, twin::Group)| found.iter().any(|figure| (figure.start, twin::sorted(&figure.group)) == **key);
            prop_assert_eq!(plain.iter().filter(|(_, points)| **points != [0; 3]).map(|(key, _)| key).filter(|key| !is_told(key)).count(), 0);
        }
    }

    #[test]
    fn members_and_advocates_are_those_of_plain_recomputation(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        let groups = [&["tier"][..], &["segment"], &["area", "country"], &["tier_now"]];
        for (granularity, group_by) in [Granularity::All, Granularity::Week].into_iter().flat_map(|of| groups.map(|by| (of, by))) {
            for metric in ["members", "enrolment_rate", "active_member_rate", "advocate_share"] {
                let query = query(metric, granularity, group_by);
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.members(&query), "{} by {:?}", metric, group_by);
            }
            for metric in ["referrals", "referral_conversion_rate"] {
                let group_by = group_by.iter().map(|name| if *name == "country" { "channel" } else { *name });
                let query = query(metric, granularity, &group_by.collect::<Vec<_>>());
                prop_assert_eq!(twin::shape(&figures(&query, &facts)), model.referrals(&query), "{} by {:?}", metric, query.group_by);
            }
        }
    }

    #[test]
    fn what_customers_cost_is_spread_over_its_time(history in history()) {
        let facts = fold(&history.shuffled);
        let model = twin::Model::of(&history.last_versions());
        for group_by in [&[][..], &["channel"], &["team", "area"]] {
            for granularity in [Granularity::All, Granularity::Week, Granularity::Day] {
                let query = query("acquisition_cost", granularity, group_by);
                let mut plain = model.acquisition(&query);
                for figure in figures(&query, &facts) {
                    let amounts: Vec<f64> = figure.measured.amounts.iter().map(|(_, micros)| *micros as f64 / 1e6).collect();
                    let found = plain.remove(&(figure.start, twin::sorted(&figure.group)));
                    let ([costs, rewards], _) = found.unwrap_or_default();
                    for (told, expected) in amounts.iter().zip([costs, rewards, costs + rewards]) {
                        prop_assert!((told - expected).abs() < 1e-3, "{} {}", told, expected);
                    }
                    let customers = figure.measured.counts[0].1;
                    if let Some((_, new)) = found {
                        prop_assert_eq!(customers, new as f64);
                        let value = (new > 0).then(|| amounts[2] / customers);
                        let is_near = match (figure.measured.value, value) {
                            (Some(told), Some(value)) => (told - value).abs() < 1e-6,
                            (told, value) => told == value,
                        };
                        prop_assert!(is_near, "{:?} {:?}", figure.measured.value, value);
                    }
                }
                prop_assert!(plain.is_empty(), "nothing is left out: {:?}", plain);
            }
        }
    }
}
