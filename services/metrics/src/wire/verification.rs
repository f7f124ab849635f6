//! Verifications as messages.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1 as wire;

use crate::verification::comparing::{Compared, Difference};

/// What came of the metrics of a verification.
pub(crate) fn compared(all: Vec<Compared>) -> Vec<wire::MetricVerification> {
    all.into_iter().map(metric).collect()
}

fn metric(compared: Compared) -> wire::MetricVerification {
    let Compared { metric, ways, rows, differences, error } = compared;
    wire::MetricVerification {
        metric: metric.id.to_owned(),
        version: metric.version,
        ways: ways.into_iter().map(Into::into).collect(),
        rows: i64::try_from(rows).unwrap_or(i64::MAX),
        difference_count: whole(differences.count()),
        differences: differences.into_first().into_iter().map(difference).collect(),
        error,
    }
}

fn difference(difference: Difference) -> wire::FigureDifference {
    let Difference { way, start, end, label, group, field, live, recomputed } = difference;
    wire::FigureDifference {
        way: way.into(),
        start_time: Some(Micros(start).to_wire()),
        end_time: Some(Micros(end).to_wire()),
        // The whole time has no name in the contract.
        label: if label == "all" { String::new() } else { label },
        group: group.into_iter().collect(),
        field,
        live,
        recomputed,
    }
}

/// A count of the contract.
pub(crate) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
