//! Cohorts for spreadsheets: a line for each cell.

use std::io::{self, Write};

use barometer_proto::metrics::v1::QueryRetentionResponse;

use crate::query::{number, utc};
use crate::scope::values;

const FIRST: [&str; 5] = ["of", "cohort", "start", "end", "size"];
const LAST: [&str; 10] = [
    "period_start",
    "period_end",
    "customers",
    "retained",
    "unfinished",
    "percent",
    "low",
    "high",
    "level",
    "suppressed",
];

/// Writes the answer: cohorts, then averages.
pub(super) fn write(answer: &QueryRetentionResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(by.iter().map(String::as_str).chain(FIRST).chain(LAST))?;
    let cohorts = answer.cohorts.iter().map(|cohort| ("cohort", cohort));
    for (of, cohort) in cohorts.chain(answer.averages.iter().map(|cohort| ("average", cohort))) {
        for cell in &cohort.cells {
            let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
            let interval = cell.interval.as_ref();
            let mut line = values(&cohort.group, by);
            line.extend([of.to_owned(), cohort.label.clone()]);
            line.extend([utc(cohort.start_time.as_ref()), utc(cohort.end_time.as_ref()), cohort.customers.to_string()]);
            line.extend([cell.start, cell.end].map(|period| period.to_string()));
            line.extend([cell.customers, cell.retained, cell.unfinished].map(|count| count.to_string()));
            line.push(text(cell.percent));
            line.extend([interval.map(|i| i.low), interval.map(|i| i.high), interval.map(|i| i.level)].map(text));
            line.push(cell.suppressed.to_string());
            csv.write_record(line)?;
        }
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohorts::tests::answer;

    #[test]
    fn a_cell_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &["channel".to_owned()], &mut out).expect("a vector takes everything");
        let text = String::from_utf8_lossy(&out);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 10);
        let title = "channel,of,cohort,start,end,size,period_start,period_end,customers,retained,unfinished,percent,low,high,level,suppressed";
        assert_eq!(lines[0], title);
        assert_eq!(
            lines[1],
            "web,cohort,2009-12,2009-12-01T00:00:00Z,2010-01-01T00:00:00Z,955,0,1,955,955,0,100,50,100,0.95,false"
        );
        assert_eq!(lines[4], "web,cohort,2010-01,2009-12-01T00:00:00Z,2010-01-01T00:00:00Z,0,0,1,0,0,0,,,,,true");
    }
}
