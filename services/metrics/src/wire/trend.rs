//! Trends as messages.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1 as wire;

use super::{limits_of, row};
use crate::analysis::trend::{Trend, Trends, Turn};

/// The trends of a metric.
pub(crate) fn trends(of_metric: Trends) -> wire::MetricTrends {
    let Trends { metric, level, trends } = of_metric;
    let trends = trends.into_iter().map(|trend| {
        let Trend { group, figures, points, method, slope, adjusted, course, turn } = trend;
        wire::Trend {
            group: group.into_iter().collect(),
            rows: figures.into_iter().map(row).collect(),
            points: i32::try_from(points).unwrap_or(i32::MAX),
            method: method.into(),
            slope: slope.map(|slope| slope.slope),
            slope_interval: slope.map(|slope| limits_of(slope.interval, level)),
            p_value: slope.and_then(|slope| slope.p_value),
            adjusted_p_value: adjusted,
            fit_p_value: slope.and_then(|slope| slope.fit),
            course: course.into(),
            turn: turn.map(|Turn { start, label, difference, p_value, adjusted }| wire::Turn {
                time: Some(Micros(start).to_wire()),
                label,
                difference,
                p_value,
                adjusted_p_value: adjusted,
            }),
        }
    });
    wire::MetricTrends {
        metric: metric.id.to_owned(),
        version: metric.version,
        unit: metric.unit.into(),
        trends: trends.collect(),
    }
}
