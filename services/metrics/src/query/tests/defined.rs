//! Metrics that users defined, beside what comes of putting together figures of built-in ones by hand.

use std::collections::{BTreeMap, BTreeSet};

use barometer_proto::metrics::v1::{Completeness, Direction, Unit};
use proptest::prelude::*;

use super::{DAY, Facts, Figure, catalogue, figures, fold, history, only, query};
use crate::{
    catalogue::{Metric, Test},
    definition::{Definition, Expression, Factor, Measure, Part},
    fold::Source,
    query::{
        Condition, Name, Query,
        told::{Recorder, Wanted},
    },
    rules::granularity::Granularity,
};

fn part(name: &str, metric: &str, measure: &str) -> Part {
    Part {
        name: name.to_owned(),
        metric: metric.to_owned(),
        metric_version: catalogue::find(metric).map_or(1, |metric| metric.version),
        measure: match measure {
            "" => Measure::Value,
            "net" => Measure::Amount(measure.to_owned()),
            _ => Measure::Count(measure.to_owned()),
        },
        filters: Vec::new(),
        parameters: BTreeMap::new(),
    }
}

fn of(part: Part, dimension: &str, value: &str) -> Part {
    let condition = Condition { dimension: dimension.to_owned(), values: vec![value.to_owned()], exclude: false };
    Part { filters: [part.filters, vec![condition]].concat(), ..part }
}

fn with(part: Part, name: &str, value: &str) -> Part {
    let parameters = part.parameters.into_iter().chain([(name.to_owned(), value.to_owned())]).collect();
    Part { parameters, ..part }
}

fn define(expression: Expression, unit: Unit) -> &'static Metric {
    let (title, description) = ("Defined".to_owned(), "Defined.".to_owned());
    let direction = Direction::Up.into();
    let definition = Definition { title, description, unit: unit.into(), direction, expression };
    catalogue::define("custom.defined", 3, &definition).expect("a metric")
}

fn ratio(numerator: Part, denominator: Part, unit: Unit) -> &'static Metric {
    define(Expression::Ratio { numerator, denominator }, unit)
}

fn ask(metric: &'static Metric, granularity: Granularity, group_by: &[&str]) -> Query {
    Query { metrics: vec![metric], ..query("nps", granularity, group_by) }
}

/// A number of each row, by period and group.
fn numbers(
    query: &Query,
    facts: &Facts,
    number: impl Fn(&Figure) -> Option<f64>,
) -> BTreeMap<(i64, Name), Option<f64>> {
    figures(query, facts).iter().map(|figure| ((figure.start, figure.group.clone()), number(figure))).collect()
}

fn count(figure: &Figure, wanted: &str) -> Option<f64> {
    figure.measured.counts.iter().find(|(name, _)| *name == wanted).map(|(_, count)| *count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_variant_is_the_metric_of_some_facts(history in history()) {
        let facts = fold(&history.shuffled);
        for metric in catalogue::METRICS.iter() {
            for (granularity, group_by) in [(Granularity::All, &[][..]), (Granularity::Month, &["area"])] {
                for dimension in metric.table.dimensions().iter().copied().take(4) {
                    let variant = define(Expression::Variant(of(part(metric.id, metric.id, ""), dimension, "a")), metric.unit);
                    let plain = only(query(metric.id, granularity, group_by), dimension, "a", false);
                    prop_assert_eq!(figures(&ask(variant, granularity, group_by), &facts), figures(&plain, &facts), "{}", metric.id);
                    let open = |query: Query| Query { start: None, end: None, ..query };
                    let whole = figures(&open(ask(variant, granularity, group_by)), &facts);
                    prop_assert_eq!(whole, figures(&open(plain), &facts), "{} over all time", metric.id);
                }
            }
        }
    }

    #[test]
    fn a_ratio_is_one_number_over_another(history in history()) {
        let facts = fold(&history.shuffled);
        let cases = ratio(part("lost", "complaints_opened", "opened"), part("answers", "nps", "answers"), Unit::PerThousand);
        for (granularity, group_by, some) in [
            (Granularity::All, &[][..], false), (Granularity::All, &["area"], true), (Granularity::Week, &[], true), (Granularity::Month, &["area"], false),
        ] {
            // Of some there may be cases, and no answers: then there are no rows, which are those of answers.
            let of = |query: Query| if some { only(query, "channel", "a", false) } else { query };
            // Always grouped by the type of survey, as the ratio is.
            let over = numbers(&of(query("nps", granularity, group_by)), &facts, |figure| count(figure, "answers"));
            let under = numbers(&of(query("complaints_opened", granularity, group_by)), &facts, |figure| count(figure, "opened"));
            let told = numbers(&of(ask(cases, granularity, group_by)), &facts, |figure| figure.measured.value);
            for ((start, group), value) in &told {
                let rest: Vec<_> = group.iter().filter(|(name, _)| name != "survey_type").cloned().collect();
                let lost = under.get(&(*start, rest)).copied().flatten().unwrap_or(0.0);
                let answers = over.get(&(*start, group.clone())).copied().flatten().unwrap_or(0.0);
                prop_assert_eq!(*value, (answers > 0.0).then(|| 1_000.0 * lost / answers), "{:?}", group);
            }
            let groups = |keys: Vec<&(i64, Name)>| keys.into_iter().cloned().collect::<BTreeSet<_>>();
            prop_assert_eq!(groups(told.keys().collect()), groups(over.keys().collect()));

            // Cases were not read: that is told of every row, also where there is none.
            let mut behind = of(ask(cases, granularity, group_by));
            behind.setting.complete_until[Source::Complaints as usize] = Some(0);
            for figure in figures(&behind, &facts) {
                prop_assert!(matches!(figure.completeness, Completeness::Running | Completeness::Behind), "{:?}", figure);
            }
        }
    }

    #[test]
    fn a_share_is_estimated_and_tested_as_one(history in history()) {
        let facts = fold(&history.shuffled);
        let metric = ratio(of(part("web", "responses", "responses"), "channel", "a"), part("all", "responses", "responses"), Unit::Percent);
        prop_assert_eq!((metric.test, metric.sample), (Test::Share, &["all"][..]));
        for figure in figures(&ask(metric, Granularity::Month, &["area"]), &facts) {
            let (web, all) = (count(&figure, "web").expect("a count"), count(&figure, "all").expect("a count"));
            prop_assert!(web <= all);
            prop_assert_eq!(figure.measured.value.is_some(), all > 0.0);
            prop_assert_eq!(figure.measured.interval.is_some(), all > 0.0);
            if let Some(((interval, _), value)) = figure.measured.interval.zip(figure.measured.value) {
                prop_assert!((interval.lower..=interval.upper).contains(&value));
            }
        }
    }

    #[test]
    fn a_sum_adds_up_over_groups(history in history()) {
        let facts = fold(&history.shuffled);
        let terms = vec![(part("answers", "responses", "responses"), Factor(1.0)), (part("cases", "complaints_opened", ""), Factor(2.0)), (part("sold", "purchases", ""), Factor(-1.0))];
        let metric = define(Expression::Sum(terms), Unit::Count);
        let answers = |query: &Query, name: &str| -> f64 { figures(query, &facts).iter().filter_map(|figure| count(figure, name)).sum() };
        let expected = answers(&query("responses", Granularity::All, &[]), "responses");
        prop_assert_eq!(answers(&ask(metric, Granularity::All, &[]), "answers"), expected);
        prop_assert_eq!(answers(&ask(metric, Granularity::All, &["area"]), "answers"), expected);
        for figure in figures(&ask(metric, Granularity::All, &["area"]), &facts) {
            let [answers, cases, sold] = ["answers", "cases", "sold"].map(|name| count(&figure, name).unwrap_or_default());
            let value = figure.measured.value;
            prop_assert!(value.is_some() || [answers, cases, sold] == [0.0; 3], "{:?}", figure);
            prop_assert!(value.is_none_or(|value| value == answers + 2.0 * cases - sold), "{:?}", figure);
        }
    }

    #[test]
    fn the_facts_behind_a_ratio_add_up_to_its_counts(history in history()) {
        let facts = fold(&history.shuffled);
        let metrics = [
            ratio(of(part("some", "responses", "responses"), "channel", "a"), part("all", "responses", "responses"), Unit::Percent),
            ratio(part("revenue", "revenue", "net"), part("sold", "purchases", "sales"), Unit::Money),
            ratio(part("revenue", "revenue", "net"), part("cases", "complaints_opened", "opened"), Unit::Money),
            ratio(part("promoters", "nps", "promoters"), with(part("buyers", "churn_rate", "active_at_start"), "inactivity_days", "30"), Unit::Percent),
        ];
        for metric in metrics {
            let query = ask(metric, Granularity::All, &[]);
            for figure in figures(&query, &facts).into_iter().take(5) {
                let mut alone = query.clone();
                for (name, value) in &figure.group {
                    alone = only(alone, name, value, false);
                }
                let recorder = Recorder::new(Wanted { count: None, worth: false, after: None, size: 1_000_000, cohort: None });
                let again = alone.explain(&facts, &recorder).expect("an explanation").remove(0).figures.remove(0);
                prop_assert_eq!(&again.measured, &figure.measured, "{}", metric.formula);
                let (told, _) = recorder.told();
                for (name, number) in figure.measured.counts.iter().filter(|(name, _)| !metric.computed.contains(name)) {
                    let sum: f64 = told.iter().flat_map(|fact| &fact.counts).filter(|(other, _)| other == name).map(|(_, by)| by).sum();
                    prop_assert_eq!(sum, *number, "{} of {}", name, metric.formula);
                    let recorder = Recorder::new(Wanted { count: Some(name), worth: false, after: None, size: 1_000_000, cohort: None });
                    alone.explain(&facts, &recorder).expect("an explanation");
                    let (of_count, total) = recorder.told();
                    prop_assert_eq!(of_count.len() as u64, total);
                    prop_assert!(of_count.iter().all(|fact| fact.counts.iter().any(|(other, _)| other == name)));
                }
            }
        }
    }
}

#[test]
fn a_definition_says_what_follows_from_its_parts() {
    let metric = ratio(part("revenue", "revenue", "net"), part("contacts", "conversion_rate", "contacts"), Unit::Money);
    assert_eq!(metric.formula, "`net` of `revenue` / `contacts` of `conversion_rate`");
    assert_eq!(
        (metric.amounts, metric.counts, metric.sample),
        (&["revenue"][..], &["contacts"][..], &["contacts"][..])
    );
    assert_eq!((metric.always_grouped_by, metric.test, metric.interval), (&["currency"][..], Test::None, ""));
    assert!(metric.dimensions().contains(&"channel") && !metric.dimensions().contains(&"currency"));
    assert_eq!((metric.id, metric.version), ("custom.defined", 3));
    let variant = define(
        Expression::Variant(with(of(part("nps", "nps", ""), "channel", "web"), "weighted", "true")),
        Unit::Points,
    );
    assert!(variant.formula.ends_with(" where `channel` is `web` with `weighted` = true"), "{}", variant.formula);
    assert!(variant.parameters.iter().all(|parameter| parameter.name != "weighted"));
    assert_eq!(
        (variant.unit, variant.test, variant.always_grouped_by),
        (Unit::Points, Test::Nps, &["survey_type"][..])
    );
    let share = ratio(
        of(part("web", "responses", "responses"), "channel", "a"),
        part("all", "responses", "responses"),
        Unit::PerThousand,
    );
    assert_eq!((share.test, share.interval), (Test::None, ""), "not in percent");
    let terms = vec![
        (part("a", "complaints_opened", ""), Factor(1.0)),
        (of(part("b", "complaints_opened", ""), "channel", "web"), Factor(-0.5)),
    ];
    let sum = define(Expression::Sum(terms), Unit::Count);
    assert_eq!(sum.formula, "`complaints_opened` + -0.5 × `complaints_opened` where `channel` is `web`");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_divides_one_part_divides_the_other_that_has_it(history in history()) {
        let facts = fold(&history.shuffled);
        let metric = ratio(part("net", "revenue", "net"), part("sold", "purchases", "sales"), Unit::Money);
        let asked = figures(&ask(metric, Granularity::Month, &["area"]), &facts);
        let grouped = figures(&ask(metric, Granularity::Month, &["currency", "area"]), &facts);
        prop_assert_eq!(&asked, &grouped);
        let sold = numbers(&query("purchases", Granularity::Month, &["currency", "area"]), &facts, |figure| count(figure, "sales"));
        for figure in asked.iter().filter(|figure| !figure.group.is_empty()) {
            let expected = sold.get(&(figure.start, figure.group.clone())).copied().flatten();
            prop_assert_eq!(count(figure, "sold"), expected);
        }
    }
}

#[test]
fn who_is_new_on_a_channel_is_no_share_of_those_who_are_new() {
    let counted = |metric: &str, count: &str| {
        let (some, all) = (of(part("some", metric, count), "channel", "a"), part("all", metric, count));
        let metric = ratio(some, all, Unit::Percent);
        (metric.test == Test::Share, metric.highest)
    };
    assert_eq!(counted("responses", "responses"), (true, Some(100.0)));
    assert_eq!(counted("lifecycle", "new"), (false, None));
    assert_eq!(counted("churn_rate", "churned"), (false, None));
}

#[test]
fn nothing_over_something_is_zero_and_something_over_nothing_is_not_told() {
    let facts = Facts::default();
    let metric = ratio(
        part("cases", "complaints_opened", "opened"),
        part("answers", "responses", "responses"),
        Unit::PerThousand,
    );
    let figure = figures(&ask(metric, Granularity::All, &[]), &facts).remove(0);
    assert_eq!((figure.measured.value, figure.is_counted()), (None, false));
    assert_eq!((figure.start, figure.end), (0, 100 * DAY));
}

#[test]
fn a_share_is_one_in_whatever_order_its_conditions_stand() {
    let among = |part: Part, values: [&str; 2]| {
        let values = values.map(str::to_owned).to_vec();
        let condition = Condition { dimension: "channel".to_owned(), values, exclude: false };
        Part { filters: [part.filters, vec![condition]].concat(), ..part }
    };
    let some = || part("some", "responses", "responses");
    let metric = |whole: Part| ratio(among(of(some(), "language", "en"), ["a", "b"]), whole, Unit::Percent);
    assert_eq!(metric(among(some(), ["b", "a"])).test, Test::Share);
    assert_eq!(metric(among(some(), ["b", "c"])).test, Test::None);
}
