//! Moves for spreadsheets: a line for each cell.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{CategoryCounts, QueryTransitionsResponse, TransitionMatrix, TransitionPeriod};

use super::category;
use crate::query::{number, utc};
use crate::scope::values;

const COLUMNS: [&str; 10] =
    ["before", "before_start", "before_end", "after", "after_start", "after_end", "from", "to", "customers", "percent"];

/// Writes the answer: who joined comes from nowhere, who was lost goes nowhere. Matrices of which nothing is told have no line.
pub(super) fn write(answer: &QueryTransitionsResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(by.iter().map(String::as_str).chain(COLUMNS))?;
    for matrix in answer.matrices.iter().filter(|matrix| !matrix.suppressed) {
        for (from, to, customers, percent) in lines(matrix) {
            let mut line = values(&matrix.group, by);
            line.extend([&matrix.before, &matrix.after].into_iter().flat_map(|of| period(of.as_ref())));
            line.extend([from.to_owned(), to.to_owned(), customers.to_string()]);
            line.push(percent.map(number::text).unwrap_or_default());
            csv.write_record(line)?;
        }
    }
    csv.flush()
}

type Line = (&'static str, &'static str, i64, Option<f64>);

fn lines(matrix: &TransitionMatrix) -> Vec<Line> {
    let cells =
        matrix.cells.iter().map(|cell| (category(cell.from()), category(cell.to()), cell.customers, cell.percent));
    let joined = counts(matrix.joined.as_ref()).map(|(to, customers)| ("", to, customers, None));
    let lost = counts(matrix.lost.as_ref()).map(|(from, customers)| (from, "", customers, None));
    cells.chain(joined).chain(lost).collect()
}

fn counts(counts: Option<&CategoryCounts>) -> [(&'static str, i64); 3] {
    let CategoryCounts { detractors, passives, promoters } = counts.copied().unwrap_or_default();
    [("detractor", detractors), ("passive", passives), ("promoter", promoters)]
}

fn period(period: Option<&TransitionPeriod>) -> [String; 3] {
    let label = period.map(|period| period.label.clone()).unwrap_or_default();
    let start = period.and_then(|period| period.start_time.as_ref());
    let end = period.and_then(|period| period.end_time.as_ref());
    [label, utc(start), utc(end)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transitions::tests::answer;

    #[test]
    fn a_cell_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &["survey_type".to_owned()], &mut out).expect("a vector takes everything");
        let text = String::from_utf8_lossy(&out);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 9 + 3 + 3);
        assert_eq!(
            lines[0],
            "survey_type,before,before_start,before_end,after,after_start,after_end,from,to,customers,percent"
        );
        let periods =
            "2024-01,2024-01-01T00:00:00Z,2024-02-01T00:00:00Z,2024-02,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z";
        assert_eq!(lines[2], format!("relational,{periods},detractor,passive,3,30"));
        assert_eq!(lines[12], format!("relational,{periods},,promoter,4,"));
        assert_eq!(lines[13], format!("relational,{periods},detractor,,2,"));
    }
}
