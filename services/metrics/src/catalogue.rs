//! The catalogue: every metric as data, the one definition for everybody.
//!
//! A metric is an entry in the file of its family in `metrics/` and a function in [`measures`](crate::measures) that answers it.
//! What an entry does not say is as in [`BLANK`], or in the entry that its family makes of that.

mod counts;
mod defined;
mod metrics;
mod parameters;

pub(crate) use self::{
    counts::meaning,
    defined::{Combination, Defined, Measure, Part, formula_of, groups_of, metric as define, units_of_ratio},
    metrics::METRICS,
    parameters::{Actions, Clock, LEVEL, Limits, Parameter, Parameters, Span, Visits},
};

use std::ops::RangeInclusive;

use barometer_chassis::error::Error;
use barometer_proto::metrics::v1::{Additivity, Direction, Unit};

use crate::{
    columns::{Facts, revisions::Revisions},
    fold::Source,
    query::{Ask, Figure, Table},
    rules::{granularity::Granularity, scale::Scale},
};

/// The definition of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    /// Its name in queries.
    pub(crate) id: &'static str,
    /// Changes with the definition.
    pub(crate) version: i32,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) formula: &'static str,
    pub(crate) unit: Unit,
    pub(crate) direction: Direction,
    /// Kinds of facts, as `surveys.response`.
    pub(crate) sources: &'static [&'static str],
    /// Whose dimensions it has.
    pub(crate) table: Table,
    pub(crate) parameters: &'static [&'static Parameter],
    pub(crate) counts: &'static [&'static str],
    /// Those of its counts that are no sums over facts.
    pub(crate) computed: &'static [&'static str],
    pub(crate) amounts: &'static [&'static str],
    pub(crate) statistics: &'static [&'static str],
    /// How its interval is computed, in words; empty when it has none.
    pub(crate) interval: &'static str,
    pub(crate) always_grouped_by: &'static [&'static str],
    /// The counts whose sum is its sample; none of amounts and of numbers of things.
    pub(crate) sample: &'static [&'static str],
    /// Rows of a smaller sample are suppressed.
    pub(crate) minimum_sample: u64,
    /// The lowest value that there can be.
    pub(crate) lowest: Option<f64>,
    /// The highest value that there can be.
    pub(crate) highest: Option<f64>,
    pub(crate) additivity: Additivity,
    /// How differences between two of its values are tested.
    pub(crate) test: Test,
    /// A command that asks for it.
    pub(crate) example: &'static str,
    /// The surveys whose answers count; `None` where all do, or it is not made of answers.
    pub(crate) scale: Option<Scale>,
    /// Whether it tells how things stand at an instant, which without any other is now. It then looks back.
    pub(crate) is_state: bool,
    /// Whether it tells how the same customers or cases stand, whatever the instant: two of its figures are not two samples.
    pub(crate) stands: bool,
    /// Length of its periods where the query asks for the whole time.
    pub(crate) granularity: Granularity,
    /// The counts that keep a row open while they are above 0: of things that wait.
    pub(crate) awaits: &'static [&'static str],
    /// How long after the end of a period something may follow from what happened in it, in microseconds.
    pub(crate) follows: fn(&Parameters) -> i64,
    /// Whether a figure is also made of what happened before its period, as of all states.
    pub(crate) looks_back: bool,
    /// When its own facts changed: those by which it is counted, not what only divides them.
    pub(crate) revisions: fn(&Facts) -> Vec<&Revisions>,
    /// From the first until the last of its facts.
    pub(crate) extent: fn(&Facts, &Metric) -> Option<RangeInclusive<i64>>,
    /// How it is computed.
    pub(crate) answer: fn(&Ask<'_>) -> Result<Vec<Figure>, Error>,
    /// What it is made of, of a metric that users defined. Then `table` is nothing to go by.
    pub(crate) defined: Option<&'static Defined>,
}

/// How differences between two values of a metric are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// Not at all.
    None,
    /// As Net Promoter Scores.
    Nps,
    /// As shares in percent.
    Share,
    /// As means.
    Mean,
}

impl Test {
    /// In words.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Test::None => "",
            Test::Nps => {
                "z of the difference over its standard error, with AW(3,T) counts: 3/4 of a promoter, 1 1/2 passives and 3/4 \
                 of a detractor more on each side"
            }
            Test::Share => {
                "Score test: z with the share of both sides together, where 5 with the property and 5 without it would be expected \
                 on each; the interval of the difference is Newcombe's hybrid score interval"
            }
            Test::Mean => {
                "Welch's t test of two means, of 200 things or more on each side where it is made of times or amounts"
            }
        }
    }
}

/// What an entry is made of that says nothing itself.
pub(crate) const BLANK: Metric = Metric {
    id: "",
    version: 1,
    title: "",
    description: "",
    formula: "",
    unit: Unit::Unspecified,
    direction: Direction::Unspecified,
    sources: &[],
    table: Table::Responses,
    parameters: &[],
    counts: &[],
    computed: &[],
    amounts: &[],
    statistics: &[],
    interval: "",
    always_grouped_by: &[],
    sample: &[],
    minimum_sample: 0,
    lowest: None,
    highest: None,
    additivity: Additivity::Unspecified,
    test: Test::None,
    example: "",
    scale: None,
    is_state: false,
    stands: false,
    granularity: Granularity::All,
    awaits: &[],
    follows: |_| 0,
    looks_back: false,
    revisions: |_| Vec::new(),
    extent: |_, _| None,
    answer: |_| Ok(Vec::new()),
    defined: None,
};

impl Metric {
    /// Whether it is made of facts of this source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        self.sources.iter().any(|kind| kind.split('.').next() == Some(source.name()))
    }
}

/// The metric of that name.
pub(crate) fn find(id: &str) -> Option<&'static Metric> {
    METRICS.binary_search_by_key(&id, |metric| metric.id).ok().map(|index| METRICS[index])
}

/// The sources that metrics are made of.
pub(crate) fn sources_of<'m>(metrics: impl IntoIterator<Item = &'m &'static Metric> + Clone) -> Vec<Source> {
    let is_read = |source: &Source| metrics.clone().into_iter().any(|metric| metric.reads(*source));
    Source::ALL.into_iter().filter(is_read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_name_of_its_own_by_which_it_is_found() {
        for (index, metric) in METRICS.iter().enumerate() {
            assert_eq!(METRICS.iter().position(|other| other.id == metric.id), Some(index), "{}", metric.id);
            assert_eq!(find(metric.id).map(|found| found.title), Some(metric.title));
        }
        assert!(find("npz").is_none());
    }

    #[test]
    fn every_metric_is_made_of_facts_of_known_sources() {
        for metric in METRICS.iter() {
            let known = |kind: &&str| kind.split_once('.').is_some_and(|(source, _)| Source::find(source).is_some());
            assert!(!metric.sources.is_empty() && metric.sources.iter().all(known), "{}", metric.id);
        }
    }

    #[test]
    fn every_metric_says_all_of_itself() {
        for metric in METRICS.iter() {
            let Metric { id, title, description, formula, unit, direction, .. } = metric;
            for text in [title, description, formula] {
                assert!(!text.is_empty(), "{id}");
            }
            assert!(*unit != Unit::Unspecified && *direction != Direction::Unspecified, "{id}");
            assert!(metric.additivity != Additivity::Unspecified && metric.version > 0, "{id}");
            let of_example = metric.example.strip_prefix("barometer query ").and_then(|rest| rest.split(' ').next());
            assert_eq!(of_example, Some(*id));
            let words: Vec<_> = metric.example.split(' ').collect();
            for (flag, value) in words.iter().zip(words.iter().skip(1)) {
                let parameter = |text: &str| {
                    let (name, value) = text.split_once('=').expect("NAME=VALUE");
                    metric.parameters.iter().any(|known| known.name == name) && Parameters::default().set(name, value)
                };
                let is_known = match *flag {
                    "--by" => value.split(',').all(|name| metric.table.dimensions().contains(&name)),
                    "--param" => parameter(value),
                    _ => true,
                };
                assert!(is_known, "{id}: {flag} {value}");
            }
            let of_counts = metric.sample.iter().chain(metric.awaits);
            assert!(of_counts.into_iter().all(|name| metric.counts.contains(name)), "{id}");
            assert!(!(metric.revisions)(&Facts::default()).is_empty(), "{id}");
            // What has an interval or is tested is an estimate from a sample; and it says of how many.
            let is_estimate = !metric.interval.is_empty() || metric.test != Test::None;
            assert!(!is_estimate || !metric.sample.is_empty(), "{id}");
            assert!(metric.lowest.is_none_or(|lowest| metric.highest.is_none_or(|highest| lowest < highest)), "{id}");
            // Not every rate is a share: there can be more departures than customers.
            let is_bounded = (metric.lowest, metric.highest) == (Some(0.0), Some(100.0));
            assert!(*unit == Unit::Percent || !is_bounded, "{id}");
        }
    }
}
