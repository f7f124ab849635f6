//! Moves for people: a row for each.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{CategoryMove, ListCategoryMovesResponse};

use super::survey_type;
use crate::output::{Align, Table};
use crate::query::utc;
use crate::transitions::category;

/// Writes the moves of the page.
pub(super) fn write(answer: &ListCategoryMovesResponse, out: &mut dyn Write) -> io::Result<()> {
    if answer.moves.is_empty() {
        return writeln!(out, "nobody moved");
    }
    let mut table = Table::default();
    for title in ["time", "customer", "from", "to", "survey"] {
        table.column(title, Align::Left);
    }
    for of in &answer.moves {
        let CategoryMove { customer_id, survey, from_score, to_score, time, .. } = of;
        table.row(vec![
            utc(time.as_ref()),
            customer_id.clone(),
            format!("{} ({from_score})", category(of.from())),
            format!("{} ({to_score})", category(of.to())),
            format!("{survey} ({})", survey_type(of.survey_type())),
        ]);
    }
    table.write(out)?;
    match answer.next_page_token.as_str() {
        "" => Ok(()),
        next => writeln!(out, "\nthere are more; the next ones: --page {next}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moves::tests::answer;

    #[test]
    fn a_move_is_a_row() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let expected = "\
time                  customer                              from          to             survey
2025-01-07T00:00:00Z  0198b2a0-0000-7000-8000-000000000001  promoter (9)  detractor (3)  yearly (relational)

there are more; the next ones: --page more
";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn of_nobody_there_is_no_row() {
        let mut out = Vec::new();
        write(&ListCategoryMovesResponse::default(), &mut out).expect("a vector takes everything");
        assert_eq!(String::from_utf8_lossy(&out), "nobody moved\n");
    }
}
