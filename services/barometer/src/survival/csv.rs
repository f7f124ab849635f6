//! Curves for spreadsheets: a line for each step.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{Interval, QuerySurvivalResponse};

use crate::query::number;
use crate::scope::values;

const COLUMNS: [&str; 7] = ["days", "at_risk", "events", "survival", "low", "high", "level"];
/// Of the curves of reasons.
const OF_REASONS: [&str; 7] = ["reason", "days", "events", "share", "low", "high", "level"];

/// Writes the answer: the steps of the curves, or, by reason, those of the shares that went for each. Groups of which nothing is
/// told have no line.
pub(super) fn write(
    answer: &QuerySurvivalResponse,
    by: &[String],
    by_reason: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(by.iter().map(String::as_str).chain(if by_reason { OF_REASONS } else { COLUMNS }))?;
    for curve in &answer.curves {
        for step in curve.steps.iter().filter(|_| !by_reason) {
            let mut line = values(&curve.group, by);
            line.push(number::text(step.days));
            line.extend([step.at_risk, step.events].map(|count| count.to_string()));
            line.push(number::text(step.survival));
            line.extend(limits(step.interval));
            csv.write_record(line)?;
        }
        for (of, step) in curve.reasons.iter().flat_map(|of| of.steps.iter().map(move |step| (of, step))) {
            let mut line = values(&curve.group, by);
            line.extend([
                of.reason.clone(),
                number::text(step.days),
                step.events.to_string(),
                number::text(step.share),
            ]);
            line.extend(limits(step.interval));
            csv.write_record(line)?;
        }
    }
    csv.flush()
}

fn limits(interval: Option<Interval>) -> [String; 3] {
    let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
    [interval.map(|i| i.low), interval.map(|i| i.high), interval.map(|i| i.level)].map(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::tests::{answer, answer_by_reason};

    #[test]
    fn a_step_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &["tier".to_owned()], false, &mut out).expect("a vector takes everything");
        let lines = [
            "tier,days,at_risk,events,survival,low,high,level",
            "gold,25,20,5,0.75,0.65,0.85,0.95",
            "gold,50,20,5,0.5,0.4,0.6,0.95",
            ",10,20,5,0.5,0.4,0.6,0.95",
            ",80,20,5,0,,,",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn by_reason_a_step_of_its_share_is_a_line() {
        let mut out = Vec::new();
        write(&answer_by_reason(), &["tier".to_owned()], true, &mut out).expect("a vector takes everything");
        let lines = [
            "tier,reason,days,events,share,low,high,level",
            "gold,price,25,5,0.25,0.15,0.35,0.95",
            "gold,,50,5,0.25,0.15,0.35,0.95",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }
}
