//! Trends of series that are known, and of what is not to be told.

use barometer_proto::metrics::v1::trend::{Course, Method};
use barometer_statistics::Level;
use proptest::prelude::*;

use super::{DAY, Figure, Measured, Query, Setting, figures, fold, query, script::history};
use crate::{
    analysis::trend::{self, Trend},
    catalogue,
    columns::Facts,
    query::evidence::Evidence,
    rules::{granularity::Granularity, proportion::ProportionTally},
};

fn trends(query: &Query, facts: &Facts) -> Vec<Trend> {
    trend::run(query, facts).expect("trends").remove(0).trends
}

/// Every metric by month; by week, where a change of level is looked for among simulated series, only a few.
pub(super) fn every(facts: &Facts) -> Vec<Vec<Trend>> {
    let by_month = catalogue::METRICS.iter().map(|metric| query(metric.id, Granularity::Month, &["area"]));
    let by_week = ["nps", "revenue", "enrolment_rate"].map(|metric| query(metric, Granularity::Week, &[]));
    by_month.chain(by_week).map(|query| trends(&query, facts)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_trend_is_of_whole_periods_of_which_something_is_told(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in ["nps", "csat", "ces", "revenue", "churn_rate", "cohort_retention", "enrolment_rate"] {
            let asked = query(metric, Granularity::Week, &["area"]);
            let asked = Query { setting: Setting { minimum_sample: 2, ..asked.setting }, ..asked };
            let trends = trends(&asked, &facts);
            let rows: Vec<Figure> = trends.iter().flat_map(|trend| trend.figures.clone()).collect();
            prop_assert_eq!(rows.len(), figures(&asked, &facts).len());
            for Trend { figures, points, method, slope, course, turn, .. } in trends {
                let counted = figures.iter().filter(|figure| !figure.partial && figure.measured.value.is_some());
                prop_assert_eq!(points, counted.count());
                prop_assert_eq!(slope.is_some(), points >= 2, "{}", metric);
                let fewest = if method == Method::Weighted { 2 } else { 4 };
                prop_assert_eq!(course == Course::TooShort, points < fewest);
                prop_assert!(turn.is_none() || points >= 4);
                prop_assert!(method == Method::Sen || !["revenue", "enrolment_rate"].contains(&metric));
            }
        }
    }
}

/// So many months of 1970 and after, without anything in them.
fn empty(months: usize) -> Vec<Figure> {
    let query = Query { end: Some(10_000 * DAY), now: 20_000 * DAY, ..query("csat", Granularity::Month, &[]) };
    figures(&query, &Facts::default()).into_iter().take(months).collect()
}

/// Months with so many satisfied of so many.
fn months(shares: &[(u64, u64)]) -> Vec<Figure> {
    let months = empty(shares.len()).into_iter().zip(shares).map(|(figure, (hits, size))| {
        let tally = ProportionTally::of_counts(*hits, size - hits);
        Figure { measured: Measured::share(&tally, Level::P95, [("answers", *size)]), ..figure }
    });
    months.collect()
}

fn told(metric: &str, figures: Vec<Figure>) -> Trend {
    trend::tests::told(&query(metric, Granularity::Month, &[]), figures)
}

/// The annual flow of the Nile at Aswan, 1871 to 1970, in 10⁸ m³.
///
/// Source: G. W. Cobb, "The Problem of the Nile: Conditional Solution to a Changepoint Problem", Biometrika 65
/// (1978), 243–251.
const NILE: [f64; 100] = [
    1120., 1160., 963., 1210., 1160., 1160., 813., 1230., 1370., 1140., 995., 935., 1110., 994., 1020., 960., 1180.,
    799., 958., 1140., 1100., 1210., 1150., 1250., 1260., 1220., 1030., 1100., 774., 840., 874., 694., 940., 833.,
    701., 916., 692., 1020., 1050., 969., 831., 726., 456., 824., 702., 1120., 1100., 832., 764., 821., 768., 845.,
    864., 862., 698., 845., 744., 796., 1040., 759., 781., 865., 845., 944., 984., 897., 822., 1010., 771., 676., 649.,
    846., 812., 742., 801., 1040., 860., 874., 848., 890., 744., 749., 838., 1050., 918., 986., 797., 923., 975., 815.,
    1020., 906., 901., 1170., 912., 746., 919., 718., 714., 740.,
];

#[test]
fn the_nile_fell_and_turned_in_1898() {
    let flows = empty(100)
        .into_iter()
        .zip(NILE)
        .map(|(figure, flow)| Figure { measured: Measured { value: Some(flow), ..Measured::default() }, ..figure });
    let found = told("revenue", flows.collect());
    let (slope, turn) = (found.slope.expect("a slope"), found.turn.expect("a turn"));
    assert_eq!((found.points, found.method, found.course), (100, Method::Sen, Course::Falls));
    assert!((slope.slope + 2.6).abs() < 1e-12, "{slope:?}");
    assert!((slope.p_value.expect("a chance") / 3.6582633e-05 - 1.0).abs() < 1e-5, "{slope:?}");
    // The 28 years before it are months here.
    assert_eq!(turn.label, "1972-05");
    assert!((turn.p_value / 3.591e-7 - 1.0).abs() < 1e-3 && turn.difference < -200.0, "{turn:?}");
}

#[test]
fn a_month_of_few_answers_counts_less() {
    let steady: Vec<(u64, u64)> = (0..12).map(|month| (50 + u64::from(month % 2 == 0), 100)).collect();
    let found = told("csat", months(&steady));
    assert_eq!((found.method, found.course, found.points), (Method::Weighted, Course::NotShown, 12));
    // Three of three is no news, three hundred of three hundred is.
    let mut dip = steady.clone();
    dip[11] = (3, 3);
    assert_eq!(told("csat", months(&dip)).course, Course::NotShown);
    dip[11] = (300, 300);
    assert_eq!(told("csat", months(&dip)).course, Course::Rises);
    // By 3 points a month: the weights are alike, so the slope is that of plain least squares.
    let rising: Vec<_> = (0..12).map(|month| (40 + 3 * month, 100)).collect();
    let found = told("csat", months(&rising));
    let slope = found.slope.expect("a slope");
    assert!((slope.slope - 3.0).abs() < 1e-9 && found.course == Course::Rises, "{found:?}");
    // All points together have 56.5 % of 1,200: 1/√Σ(t − t̄)²/σ² = √(56.5 · 43.5/100/143).
    let error = (56.5_f64 * 43.5 / 100.0 / 143.0).sqrt();
    assert!((slope.interval.upper - slope.slope - 1.959_963_984_54 * error).abs() < 1e-9, "{slope:?}");
}

#[test]
fn a_step_is_found_where_it_was() {
    let step: Vec<_> = (0..12).map(|month| (if month < 7 { 50 } else { 75 }, 100)).collect();
    let turn = told("csat", months(&step)).turn.expect("a turn");
    assert_eq!((turn.label.as_str(), turn.difference.round()), ("1970-08", 25.0));
    assert!(turn.p_value < 1e-6, "{turn:?}");
}

#[test]
fn where_nothing_varies_or_customers_stand_ranks_are_looked_at() {
    let full = vec![(20, 20); 12];
    let found = told("csat", months(&full));
    assert_eq!((found.method, found.course, found.adjusted), (Method::Sen, Course::NotShown, Some(1.0)));
    assert!(found.turn.is_none());
    let rising: Vec<_> = (0..12).map(|month| (40 + 3 * month, 100)).collect();
    let standing = told("enrolment_rate", months(&rising));
    assert_eq!((standing.method, standing.course), (Method::Sen, Course::Rises));
    assert_eq!(standing.slope.map(|slope| slope.slope), Some(3.0));
}

#[test]
fn months_without_a_value_take_their_time() {
    let mut figures = months(&[(10, 100), (0, 0), (30, 100), (40, 100)]);
    assert!(matches!(figures[1].measured.evidence, Evidence::Share(_)) && figures[1].measured.value.is_none());
    let found = told("csat", figures.clone());
    assert_eq!(found.points, 3);
    assert!((found.slope.expect("a slope").slope - 10.0).abs() < 1e-9, "{found:?}");
    // And those that are cut are passed over.
    figures[3].partial = true;
    assert_eq!(told("csat", figures).points, 2);
}
