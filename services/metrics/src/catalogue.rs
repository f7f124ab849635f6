//! The catalogue: every metric as data, the one definition for everybody.

mod metrics;
mod parameters;

pub(crate) use self::{
    metrics::METRICS,
    parameters::{Clock, Parameter, Parameters, Span},
};

use barometer_proto::metrics::v1::{Direction, Unit};

use crate::{fold::Source, query::Table};

/// The definition of a metric.
#[derive(Debug)]
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
    pub(crate) sources: &'static [&'static str],
    /// Whose dimensions it has.
    pub(crate) table: Table,
    pub(crate) parameters: &'static [&'static Parameter],
    pub(crate) counts: &'static [&'static str],
    pub(crate) amounts: &'static [&'static str],
    pub(crate) statistics: &'static [&'static str],
    pub(crate) interval: &'static str,
    pub(crate) always_grouped_by: &'static [&'static str],
    /// How it is computed.
    pub(crate) measure: Measure,
}

/// How a metric is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Nps,
    Csat,
    Ces,
    Responses,
    Customers,
    NewCustomers,
    ActiveCustomers,
    Purchases,
    Revenue,
    RepeatPurchaseRate,
    ChurnRate,
    RetentionRate,
    InactiveShare,
    CohortRetention,
    ComplaintsOpened,
    TimeToFirstResponse,
    TimeToResolution,
    OnTimeRate,
    TimeToAcknowledgement,
    TimeToLastResolution,
    ReopenRate,
    Backlog,
    BacklogAge,
    HandOffs,
    HandOffsPerCase,
    UpheldRate,
    AcceptanceRate,
    CaseSatisfaction,
    RedressCost,
    RedressPoints,
    ComplaintRate,
    PromiseKeptRate,
    Escalations,
    HandlingTime,
    RecoveryRate,
    ClockTime,
    ClockOnTimeRate,
}

impl Metric {
    /// Whether it is made of facts of this source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        self.sources.iter().any(|kind| kind.split('.').next() == Some(source.name()))
    }
}

/// The metric of that name.
pub(crate) fn find(id: &str) -> Option<&'static Metric> {
    METRICS.binary_search_by_key(&id, |metric| metric.id).ok().map(|index| &METRICS[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_in_the_order_of_their_names() {
        assert!(METRICS.is_sorted_by_key(|metric| metric.id));
        assert_eq!(find("nps").map(|metric| metric.measure), Some(Measure::Nps));
        assert!(find("npz").is_none());
    }

    #[test]
    fn every_metric_is_made_of_facts_of_known_sources() {
        for metric in &METRICS {
            let known = |kind: &&str| kind.split_once('.').is_some_and(|(source, _)| Source::find(source).is_some());
            assert!(!metric.sources.is_empty() && metric.sources.iter().all(known), "{}", metric.id);
        }
    }
}
