//! Moves for spreadsheets: a line for each.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{CategoryMove, ListCategoryMovesResponse};

use super::survey_type;
use crate::query::utc;
use crate::transitions::category;

const COLUMNS: [&str; 10] = [
    "time",
    "customer_id",
    "survey_type",
    "survey",
    "from",
    "from_score",
    "from_time",
    "to",
    "to_score",
    "answer_number",
];

/// Writes the moves of the page.
pub(super) fn write(answer: &ListCategoryMovesResponse, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for of in &answer.moves {
        let CategoryMove { customer_id, survey, from_score, from_time, to_score, time, answer_number, .. } = of;
        csv.write_record([
            utc(time.as_ref()),
            customer_id.clone(),
            survey_type(of.survey_type()).to_owned(),
            survey.clone(),
            category(of.from()).to_owned(),
            from_score.to_string(),
            utc(from_time.as_ref()),
            category(of.to()).to_owned(),
            to_score.to_string(),
            answer_number.to_string(),
        ])?;
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moves::tests::answer;

    #[test]
    fn a_move_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let lines = [
            "time,customer_id,survey_type,survey,from,from_score,from_time,to,to_score,answer_number",
            "2025-01-07T00:00:00Z,0198b2a0-0000-7000-8000-000000000001,relational,yearly,promoter,9,2024-01-05T00:00:00Z,detractor,3,77",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }
}
