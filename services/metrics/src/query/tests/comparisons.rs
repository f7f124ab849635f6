//! Comparisons: against facts in any order, against the queries that they stand for, and of what is not to be told.

use std::{collections::BTreeMap, time::Instant};

use barometer_chassis::clock::Micros;
use barometer_proto::{
    metrics::v1::{Additivity, Untested, Verdict},
    surveys::v1 as surveys,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{DAY, Figure, Metric, Query, Setting, figures, fold, only, query, script::history, single};
use crate::{
    analysis::comparison::{Adjustment, Against, Comparing, Comparison, Side},
    catalogue::{self, Test},
    columns::Facts,
    query::{Condition, evidence::Evidence},
    rules::granularity::Granularity,
};

fn condition(dimension: &str, value: &str, exclude: bool) -> Condition {
    Condition { dimension: dimension.to_owned(), values: vec![value.to_owned()], exclude }
}

fn during(days: std::ops::Range<i64>) -> Side {
    Side { start: Some(days.start * DAY), end: Some(days.end * DAY), filters: Vec::new() }
}

fn those(filter: Condition) -> Side {
    Side { filters: vec![filter], ..during(0..100) }
}

fn comparing(metric: &str, group_by: &[&str], side: Side, against: Against) -> Comparing {
    let query = query(metric, Granularity::All, group_by);
    Comparing { query, side, against, adjustment: Adjustment::FalseDiscoveryRate }
}

fn reference(dimension: &str, value: &str) -> Against {
    Against::Reference([(dimension.to_owned(), value.to_owned())].into())
}

fn compare(comparing: &Comparing, facts: &Facts) -> Vec<Comparison> {
    comparing.run(facts).expect("comparisons").remove(0).comparisons
}

/// Every metric against everything that there is.
pub(super) fn every(facts: &Facts) -> Vec<Vec<Comparison>> {
    let all = catalogue::METRICS.iter().flat_map(|metric| ways(metric)).map(|comparing| compare(&comparing, facts));
    all.collect()
}

fn ways(metric: &Metric) -> Vec<Comparing> {
    let by = |group_by: &[&str], against| comparing(metric.id, group_by, during(0..100), against);
    let mut ways = vec![
        by(&["area"], Against::Rest),
        by(&["area"], reference("area", "a")),
        comparing(metric.id, &["area"], during(50..80), Against::Other(during(20..50))),
        comparing(metric.id, &[], during(50..80), Against::Other(during(20..60))),
        comparing(metric.id, &[], Side::default(), Against::Other(Side::default())),
    ];
    if metric.table.dimensions().contains(&"segment") {
        ways.push(by(&["segment"], Against::Rest));
    }
    let (a, others) = (those(condition("area", "a", false)), those(condition("area", "a", true)));
    ways.push(comparing(metric.id, &[], a, Against::Other(others)));
    ways
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_tested_has_what_it_is_tested_by(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter() {
            for figure in figures(&query(metric.id, Granularity::Month, &["area"]), &facts) {
                let expected = match (figure.measured.evidence, metric.test) {
                    // Without a period there is nothing to count.
                    (Evidence::None, _) => figure.measured.value.is_none() || metric.test == Test::None,
                    (Evidence::Nps(_), of) => of == Test::Nps,
                    (Evidence::Share(_), of) => of == Test::Share,
                    (Evidence::Scores(_) | Evidence::Times(_), of) => of == Test::Mean,
                };
                prop_assert!(expected, "{}: {:?}", metric.id, figure.measured);
            }
        }
    }

    #[test]
    fn sides_that_change_places_change_the_sign_and_nothing_else(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter() {
            let sides = [
                (during(50..80), during(20..50)),
                (during(50..80), during(20..60)),
                (those(condition("area", "a", false)), those(condition("area", "b", false))),
                (those(condition("area", "a", true)), those(condition("area", "a", false))),
            ];
            for (side, other) in sides {
                let there = compare(&comparing(metric.id, &[], side.clone(), Against::Other(other.clone())), &facts);
                let back = compare(&comparing(metric.id, &[], other, Against::Other(side)), &facts);
                prop_assert_eq!(there.len(), back.len());
                for (there, back) in there.into_iter().zip(back) {
                    prop_assert_eq!((&there.figure, &there.against), (&back.against, &back.figure));
                    prop_assert_eq!(there.difference, back.difference.map(|difference| 0.0 - difference));
                    prop_assert_eq!(there.adjusted, back.adjusted);
                    match (there.tested, back.tested) {
                        (Ok(there), Ok(back)) => {
                            prop_assert_eq!((there.p_value, there.statistic), (back.p_value, 0.0 - back.statistic));
                            let turned = (0.0 - back.interval.upper, 0.0 - back.interval.lower);
                            prop_assert_eq!((there.interval.lower, there.interval.upper), turned);
                        }
                        (there, back) => prop_assert_eq!(there, back),
                    }
                    let verdict = match back.verdict {
                        Verdict::Higher => Verdict::Lower,
                        Verdict::Lower => Verdict::Higher,
                        other => other,
                    };
                    prop_assert_eq!(there.verdict, verdict);
                }
            }
        }
    }

    #[test]
    fn the_rest_is_what_a_query_for_all_others_tells(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter().filter(|metric| metric.test != Test::None) {
            let dimensions: Vec<_> = single(metric).collect();
            for dimension in ["area", "tier", "channel", "survey"].into_iter().filter(|name| dimensions.contains(name)) {
                for comparison in compare(&comparing(metric.id, &[dimension], during(0..100), Against::Rest), &facts) {
                    let Comparison { group, against, tested, .. } = comparison;
                    if matches!(tested, Err(Untested::Overlap)) {
                        // Each answer and each case is in one group; customers can have bought here and there.
                        prop_assert!(metric.additivity == Additivity::None, "{} by {}", metric.id, dimension);
                        prop_assert!(against.is_none());
                        continue;
                    }
                    let mut others = query(metric.id, Granularity::All, &[]);
                    let family = group.iter().filter(|(name, _)| name != dimension);
                    let common: Vec<_> = family.cloned().collect();
                    for (name, value) in &common {
                        if !["cohort", "periods_since"].contains(&name.as_str()) {
                            others = only(others, name, value, false);
                        }
                    }
                    let value = &group.iter().find(|(name, _)| name == dimension).expect("its group").1;
                    let others = figures(&only(others, dimension, value, true), &facts);
                    let is_rest = |figure: &&Figure| {
                        let named = |name: &str| figure.group.iter().find(|(of, _)| of == name).map(|(_, value)| value);
                        ["cohort", "periods_since"].iter().all(|name| {
                            named(name) == common.iter().find(|(of, _)| of == name).map(|(_, value)| value)
                        })
                    };
                    let expected = others.iter().find(is_rest).filter(|figure| figure.is_counted());
                    let found = against.as_ref().filter(|against| against.is_counted());
                    let told = |figure: &Figure| {
                        let mut counts = figure.measured.counts.clone();
                        counts.sort_by_key(|(name, _)| *name);
                        (figure.measured.value, counts, figure.measured.evidence, figure.completeness, figure.partial)
                    };
                    prop_assert_eq!(found.map(told), expected.map(told), "{} by {}: {:?}", metric.id, dimension, group);
                    if metric.additivity != Additivity::None {
                        let interval = |figure: &Figure| figure.measured.interval;
                        prop_assert_eq!(found.map(interval), expected.map(interval));
                    }
                }
            }
        }
    }

    #[test]
    fn who_is_on_both_sides_is_found(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in ["enrolment_rate", "upheld_rate"] {
            let [a, b] = ["a", "b"].map(|value| condition("segment", value, false));
            let evidence = |values: &[&str]| {
                let values = values.iter().map(|value| (*value).to_owned()).collect();
                let filters = vec![Condition { values, ..a.clone() }];
                figures(&Query { filters, ..query(metric, Granularity::All, &[]) }, &facts)[0].measured.evidence
            };
            let shared = evidence(&["a"]).merged(evidence(&["b"])) != evidence(&["a", "b"]);
            let sides = comparing(metric, &[], those(a.clone()), Against::Other(those(b)));
            let tested = compare(&sides, &facts)[0].tested;
            prop_assert_eq!(tested.err() == Some(Untested::Overlap), shared, "{}", metric);
        }
    }

    #[test]
    fn of_small_samples_nothing_follows_from_what_is_told(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter() {
            for open in ways(metric) {
                let strict = Setting { minimum_sample: 4, ..open.query.setting };
                let strict = Comparing { query: Query { setting: strict, ..open.query.clone() }, ..open };
                let comparisons = compare(&strict, &facts);
                for comparison in &comparisons {
                    for figure in [&comparison.figure, &comparison.against].into_iter().flatten() {
                        let counts = figure.measured.counts.iter().filter(|(name, _)| metric.sample.contains(name));
                        let sample: f64 = counts.map(|(_, count)| count).sum();
                        let is_few = !metric.sample.is_empty() && figure.is_counted() && sample < 4.0;
                        prop_assert_eq!(is_few, figure.suppressed, "{}", metric.id);
                        if figure.suppressed {
                            prop_assert_eq!(&figure.measured, &Default::default());
                            let Comparison { difference, tested, adjusted, verdict, .. } = comparison;
                            prop_assert_eq!((difference, tested), (&None, &Err(Untested::Suppressed)));
                            prop_assert_eq!((adjusted, verdict), (&None, &Verdict::NotTested));
                        }
                    }
                }
                if matches!(strict.against, Against::Rest) {
                    rests_are_of_told_groups(metric, &comparisons)?;
                }
            }
        }
    }
}

/// What is said of the rest of each group follows from the groups that are told.
fn rests_are_of_told_groups(metric: &Metric, comparisons: &[Comparison]) -> Result<(), TestCaseError> {
    for comparison in comparisons {
        let Some(rest) = &comparison.against else { continue };
        let is_beside = |other: &&Comparison| {
            let figure = other.figure.as_ref().expect("a figure");
            other.group != comparison.group
                && !figure.suppressed
                && rest
                    .group
                    .iter()
                    .all(|(name, value)| figure.group.iter().any(|of| *of == (name.clone(), value.clone())))
        };
        let told = comparisons.iter().filter(is_beside).filter_map(|other| other.figure.as_ref());
        let mut sums = BTreeMap::new();
        for (name, count) in told.flat_map(|figure| &figure.measured.counts) {
            *sums.entry(*name).or_insert(0.0) += count;
        }
        let counts: BTreeMap<_, _> = rest.measured.counts.iter().copied().collect();
        prop_assert_eq!(counts, sums, "{}", metric.id);
    }
    Ok(())
}

/// Answers to one survey: their channel, their day, how many promoters, passives and detractors.
fn answered(answers: &[(&str, i64, [usize; 3])]) -> Facts {
    let mut facts = Facts::default();
    let survey = surveys::SurveyFact { name: "s".to_owned(), kind: 1, r#type: 1 };
    let put = |facts: &mut Facts, number: i64, id: String, fact: surveys::fact::Fact| {
        let fact = surveys::Fact { id, number, version: 1, fact: Some(fact), ..Default::default() };
        facts.put_surveys(fact).expect("readable");
    };
    let id = Uuid::from_u128(1).to_string();
    put(&mut facts, 1, id.clone(), surveys::fact::Fact::Survey(survey));
    let mut number = 1;
    for (channel, day, sizes) in answers {
        for (score, size) in [10, 8, 2].into_iter().zip(sizes) {
            for _ in 0..*size {
                number += 1;
                let answer = surveys::ResponseFact {
                    survey_id: id.clone(),
                    score: Some(score),
                    channel: (*channel).to_owned(),
                    time: Some(Micros(day * DAY).to_wire()),
                    weight_trillionths: 1_000_000_000_000,
                    ..Default::default()
                };
                put(
                    &mut facts,
                    number,
                    Uuid::from_u128(number.unsigned_abs().into()).to_string(),
                    surveys::fact::Fact::Response(answer),
                );
            }
        }
    }
    facts
}

#[test]
fn the_published_change_of_a_score_is_told_by_period_group_and_rest() {
    let facts = answered(&[("web", 10, [50, 30, 20]), ("shop", 60, [40, 35, 25])]);
    let expected = |comparison: &Comparison| {
        let tested = comparison.tested.expect("tested");
        assert!((tested.p_value - 0.183_311).abs() < 5e-7, "{comparison:?}");
        assert_eq!((comparison.adjusted, comparison.verdict), (Some(tested.p_value), Verdict::NotShown));
        comparison.difference
    };
    let later = compare(&comparing("nps", &[], during(50..100), Against::Other(during(0..50))), &facts);
    assert_eq!(later.iter().map(expected).collect::<Vec<_>>(), [Some(-15.0)]);
    let (web, shop) = (those(condition("channel", "web", false)), those(condition("channel", "web", true)));
    let others = compare(&comparing("nps", &[], web, Against::Other(shop)), &facts);
    assert_eq!(others.iter().map(expected).collect::<Vec<_>>(), [Some(15.0)]);
    let rest = compare(&comparing("nps", &["channel"], during(0..100), Against::Rest), &facts);
    assert_eq!(rest.iter().map(expected).collect::<Vec<_>>(), [Some(-15.0), Some(15.0)]);
    let reference = compare(&comparing("nps", &["channel"], during(0..100), reference("channel", "web")), &facts);
    assert_eq!(reference.iter().map(expected).collect::<Vec<_>>(), [Some(-15.0)]);
}

#[test]
fn what_is_shared_is_not_tested() {
    let facts = answered(&[("web", 10, [50, 30, 20]), ("shop", 60, [40, 35, 25])]);
    let untested = |side: Side, other: Side| {
        let comparisons = compare(&comparing("nps", &[], side, Against::Other(other)), &facts);
        comparisons.iter().map(|comparison| comparison.tested.err()).collect::<Vec<_>>()
    };
    let web = || condition("channel", "web", false);
    assert_eq!(untested(during(0..50), during(49..100)), [Some(Untested::Overlap)]);
    assert_eq!(untested(those(web()), during(0..100)), [Some(Untested::Overlap)], "a part and the whole");
    assert_eq!(untested(those(web()), those(web())), [Some(Untested::Overlap)]);
    let meeting = Side { filters: vec![web()], ..during(0..50) };
    assert_eq!(untested(meeting, those(condition("channel", "web", true))), [Some(Untested::Overlap)]);
    // How the same customers stand at two instants.
    let ends = |metric: &str| compare(&comparing(metric, &[], during(50..80), Against::Other(during(20..50))), &facts);
    assert_eq!(ends("enrolment_rate")[0].tested, Err(Untested::Overlap));
}

#[test]
fn amounts_and_numbers_have_a_difference_and_no_test() {
    let facts = answered(&[("web", 10, [5, 3, 2]), ("shop", 60, [4, 3, 2])]);
    let later = compare(&comparing("responses", &[], during(50..100), Against::Other(during(0..50))), &facts);
    assert_eq!((later[0].difference, later[0].tested), (Some(-1.0), Err(Untested::NoTest)));
    assert_eq!(later[0].verdict, Verdict::NotTested);
    let rest = compare(&comparing("responses", &["channel"], during(0..100), Against::Rest), &facts);
    assert!(rest.iter().all(|of| of.against.is_none() && of.tested == Err(Untested::NoTest)), "{rest:?}");
}

#[test]
fn without_facts_or_with_one_there_is_nothing_to_test() {
    let (none, one) = (Facts::default(), answered(&[("web", 60, [1, 0, 0])]));
    for facts in [&none, &one] {
        for comparison in every(facts).concat() {
            assert!(comparison.tested.is_err() && comparison.verdict == Verdict::NotTested, "{comparison:?}");
        }
    }
    let missing = |facts: &Facts| {
        let found = compare(&comparing("nps", &["channel"], during(50..80), Against::Other(during(20..50))), facts);
        found.iter().map(|of| (of.figure.is_some(), of.against.is_some(), of.tested)).collect::<Vec<_>>()
    };
    assert_eq!(missing(&none), []);
    assert_eq!(missing(&one), [(true, false, Err(Untested::NoFacts))]);
}

/// A number that follows from others, 0 to 1.
fn chance(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    f64::from(u32::try_from(*state >> 32).expect("32 bits")) / f64::from(u32::MAX)
}

/// Groups of 20 to 100 answers from the same customers' minds; those of the last few from better ones.
fn null_groups(groups: usize, better: usize) -> Facts {
    let mut state = 7;
    let names: Vec<String> = (0..groups).map(|group| format!("g{group:05}")).collect();
    let sizes: Vec<_> = (0..groups)
        .map(|group| {
            let mut sizes = [0; 3];
            let (promoters, passives) = if group + better >= groups { (0.9, 0.05) } else { (0.4, 0.35) };
            for _ in 0..20 + group % 80 {
                let score = chance(&mut state);
                sizes[if score < promoters {
                    0
                } else if score < promoters + passives {
                    1
                } else {
                    2
                }] += 1;
            }
            sizes
        })
        .collect();
    let answers: Vec<_> = names.iter().zip(sizes).map(|(name, sizes)| (name.as_str(), 10, sizes)).collect();
    answered(&answers)
}

#[test]
fn of_a_thousand_groups_that_do_not_differ_none_is_believed() {
    let rest = |adjustment, facts: &Facts| {
        let comparing = Comparing { adjustment, ..comparing("nps", &["channel"], during(0..100), Against::Rest) };
        compare(&comparing, facts)
    };
    let believed =
        |of: &[Comparison]| of.iter().filter(|of| [Verdict::Higher, Verdict::Lower].contains(&of.verdict)).count();
    let facts = null_groups(1_000, 0);
    let plain = believed(&rest(Adjustment::None, &facts));
    // One in twenty, give or take three standard errors.
    assert!((30..=70).contains(&plain), "{plain}");
    assert_eq!(believed(&rest(Adjustment::FalseDiscoveryRate, &facts)), 0);
    let facts = null_groups(1_000, 40);
    let found = rest(Adjustment::FalseDiscoveryRate, &facts);
    let better = |of: &&Comparison| of.group[1].1.as_str() >= "g00960";
    let (of_better, others): (Vec<_>, Vec<_>) = found.iter().partition(better);
    let higher = of_better.iter().filter(|of| of.verdict == Verdict::Higher).count();
    let false_ones = believed(&others.into_iter().cloned().collect::<Vec<_>>());
    assert!(higher >= 38 && false_ones <= 6, "{higher} found, {false_ones} false");
}

#[test]
fn ten_thousand_groups_are_compared_quickly() {
    let names: Vec<String> = (0..10_000).map(|group| format!("g{group}")).collect();
    let answers: Vec<_> = names.iter().map(|name| (name.as_str(), 10, [2, 1, 1])).collect();
    let facts = answered(&answers);
    let began = Instant::now();
    let rest = compare(&comparing("nps", &["channel"], during(0..100), Against::Rest), &facts);
    assert_eq!(rest.len(), 10_000);
    assert!(rest.iter().all(|of| of.difference == Some(0.0) && of.verdict == Verdict::NotShown));
    // Also where nothing is optimised.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
