//! Comparisons as messages.

use barometer_proto::metrics::v1 as wire;

use super::{limits_of, row};
use crate::analysis::comparison::{Comparison, Comparisons};

/// The comparisons of a metric.
pub(crate) fn comparisons(of_metric: Comparisons) -> wire::MetricComparisons {
    let Comparisons { metric, level, comparisons } = of_metric;
    let comparisons = comparisons.into_iter().map(|comparison| {
        let Comparison { group, figure, against, difference, tested, adjusted, verdict } = comparison;
        let (tested, untested) = match tested {
            Ok(tested) => (Some(tested), wire::Untested::Unspecified),
            Err(untested) => (None, untested),
        };
        wire::Comparison {
            group: group.into_iter().collect(),
            figure: figure.map(row),
            against: against.map(row),
            difference,
            interval: tested.map(|tested| limits_of(tested.interval, level)),
            statistic: tested.map(|tested| tested.statistic),
            p_value: tested.map(|tested| tested.p_value),
            adjusted_p_value: adjusted,
            verdict: verdict.into(),
            untested: untested.into(),
        }
    });
    wire::MetricComparisons {
        metric: metric.id.to_owned(),
        version: metric.version,
        unit: metric.unit.into(),
        method: metric.test.describe().to_owned(),
        comparisons: comparisons.collect(),
    }
}

/// How many comparisons were tested.
pub(crate) fn tested(results: &[wire::MetricComparisons]) -> i32 {
    let comparisons = results.iter().flat_map(|of_metric| &of_metric.comparisons);
    i32::try_from(comparisons.filter(|comparison| comparison.p_value.is_some()).count()).unwrap_or(i32::MAX)
}
