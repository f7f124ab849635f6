//! Moves for people: a square for each pair of periods.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{
    CategoryCounts, PairedTest, QueryTransitionsResponse, TransitionCell, TransitionMatrix, TransitionPeriod,
};

use super::category;
use crate::decimal::rounded;
use crate::output::{Align, Table};
use crate::query::table::{dim, footer, trimmed};
use crate::query::utc;
use crate::scope::shown;

/// Below this chance categories are said to have changed.
const ALPHA: f64 = 0.05;

/// Writes the answer.
pub(super) fn write(
    answer: &QueryTransitionsResponse,
    by: &[String],
    zone: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    if answer.matrices.is_empty() {
        writeln!(out, "no customers with an answer in two periods\n")?;
    }
    for matrix in &answer.matrices {
        let periods = [&matrix.before, &matrix.after].map(|of| of.as_ref().map_or_else(String::new, name));
        let group = shown(&matrix.group, by).join(", ");
        writeln!(out, "{group}: {} → {}", periods[0], periods[1])?;
        if matrix.suppressed {
            writeln!(out, "too few to tell\n")?;
            continue;
        }
        square(matrix).write(out)?;
        let TransitionMatrix { raised, kept, lowered, customers, .. } = matrix;
        let [raised, kept, lowered, customers] = [raised, kept, lowered, customers].map(|count| trimmed(*count as f64));
        writeln!(out, "of {customers}: {raised} raised, {kept} kept, {lowered} lowered; {}\n", verdict(matrix))?;
    }
    if answer.matrices.iter().flat_map(|of| &of.after).any(|after| after.partial) {
        writeln!(out, "{}", dim("~ a period that is cut, or not over yet"))?;
    }
    for line in footer(&answer.freshness, zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

fn name(period: &TransitionPeriod) -> String {
    let mark = if period.partial { "~" } else { "" };
    match period.label.as_str() {
        "" => format!("{}..{}{mark}", utc(period.start_time.as_ref()), utc(period.end_time.as_ref())),
        label => format!("{label}{mark}"),
    }
}

fn square(matrix: &TransitionMatrix) -> Table {
    let mut table = Table::default();
    table.column("before", Align::Left);
    for after in ["detractor", "passive", "promoter", "lost"] {
        table.column(after, Align::Right);
    }
    let lost = counts(matrix.lost.as_ref());
    for (row, lost) in matrix.cells.chunks(3).zip(lost) {
        let mut cells = vec![row.first().map_or("", |cell| category(cell.from())).to_owned()];
        cells.extend(row.iter().map(cell));
        cells.push(trimmed(lost as f64));
        table.row(cells);
    }
    let joined = counts(matrix.joined.as_ref()).map(|count| trimmed(count as f64));
    table.row(std::iter::once("joined".to_owned()).chain(joined).chain([String::new()]).collect());
    table
}

fn cell(cell: &TransitionCell) -> String {
    let count = trimmed(cell.customers as f64);
    cell.percent.map_or_else(|| count.clone(), |percent| format!("{count} ({} %)", rounded(percent, 1)))
}

fn counts(counts: Option<&CategoryCounts>) -> [i64; 3] {
    let CategoryCounts { detractors, passives, promoters } = counts.copied().unwrap_or_default();
    [detractors, passives, promoters]
}

fn verdict(matrix: &TransitionMatrix) -> String {
    let Some(PairedTest { statistic, degrees_of_freedom, p_value }) = matrix.homogeneity else {
        return "nobody moved".to_owned();
    };
    let p = if p_value < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {}", rounded(p_value, 4)) };
    let told =
        if p_value < ALPHA { "the categories changed by more than chance" } else { "no more change than by chance" };
    format!("Stuart–Maxwell χ² {} ({degrees_of_freedom}), {p}: {told}", rounded(statistic, 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transitions::tests::answer;

    #[test]
    fn each_pair_of_periods_is_a_square() {
        let mut out = Vec::new();
        write(&answer(), &["survey_type".to_owned()], "", &mut out).expect("a vector takes everything");
        let found = String::from_utf8(out).expect("text");
        let expected = "\
relational: 2024-01 → 2024-02~
before      detractor     passive    promoter  lost
detractor  6 (60.0 %)  3 (30.0 %)  1 (10.0 %)     2
passive     0 (0.0 %)   0 (0.0 %)  2 (100.0 %)     0
promoter   1 (10.0 %)   0 (0.0 %)  9 (90.0 %)     0
joined              1           0           4
of 22: 6 raised, 15 kept, 1 lowered; Stuart–Maxwell χ² 4.20 (2), p = 0.1225: no more change than by chance

relational:  → 
too few to tell

~ a period that is cut, or not over yet
not complete yet: the first facts are still being read
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&found), squeezed(expected), "\n{found}");
    }

    #[test]
    fn of_nobody_there_is_no_square() {
        let mut out = Vec::new();
        write(&QueryTransitionsResponse::default(), &[], "", &mut out).expect("a vector takes everything");
        assert!(String::from_utf8_lossy(&out).starts_with("no customers"));
    }
}
