//! Curves for spreadsheets: a line for each step.

use std::io::{self, Write};

use barometer_proto::metrics::v1::QuerySurvivalResponse;

use crate::query::number;
use crate::scope::values;

const COLUMNS: [&str; 7] = ["days", "at_risk", "events", "survival", "low", "high", "level"];

/// Writes the answer; groups of which nothing is told have no line.
pub(super) fn write(answer: &QuerySurvivalResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(by.iter().map(String::as_str).chain(COLUMNS))?;
    for curve in &answer.curves {
        for step in &curve.steps {
            let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
            let interval = step.interval.as_ref();
            let mut line = values(&curve.group, by);
            line.push(number::text(step.days));
            line.extend([step.at_risk, step.events].map(|count| count.to_string()));
            line.push(number::text(step.survival));
            line.extend([interval.map(|i| i.low), interval.map(|i| i.high), interval.map(|i| i.level)].map(text));
            csv.write_record(line)?;
        }
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::tests::answer;

    #[test]
    fn a_step_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &["tier".to_owned()], &mut out).expect("a vector takes everything");
        let lines = [
            "tier,days,at_risk,events,survival,low,high,level",
            "gold,25,20,5,0.75,0.65,0.85,0.95",
            "gold,50,20,5,0.5,0.4,0.6,0.95",
            ",10,20,5,0.5,0.4,0.6,0.95",
            ",80,20,5,0,,,",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }
}
