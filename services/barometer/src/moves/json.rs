//! Moves for programs: one object whose keys stay as they are.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{CategoryMove, ListCategoryMovesResponse};
use serde_json::{Value, json};

use super::survey_type;
use crate::output;
use crate::query::utc;
use crate::transitions::category;

/// Writes the moves of the page.
pub(super) fn write(answer: &ListCategoryMovesResponse, out: &mut dyn Write) -> io::Result<()> {
    let told = json!({
        "moves": answer.moves.iter().map(one).collect::<Vec<_>>(),
        "next_page_token": answer.next_page_token,
    });
    output::json(&told, out)
}

fn one(of: &CategoryMove) -> Value {
    json!({
        "time": utc(of.time.as_ref()),
        "customer_id": of.customer_id,
        "survey_type": survey_type(of.survey_type()),
        "survey": of.survey,
        "from": category(of.from()),
        "from_score": of.from_score,
        "from_time": utc(of.from_time.as_ref()),
        "to": category(of.to()),
        "to_score": of.to_score,
        "answer_number": of.answer_number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moves::tests::answer;

    #[test]
    fn keys_are_stable() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let read: Value = serde_json::from_slice(&out).expect("it is JSON");
        let keys: Vec<_> = read["moves"][0].as_object().into_iter().flat_map(|object| object.keys()).collect();
        let expected = [
            "answer_number",
            "customer_id",
            "from",
            "from_score",
            "from_time",
            "survey",
            "survey_type",
            "time",
            "to",
            "to_score",
        ];
        assert_eq!(keys, expected);
        assert_eq!((&read["moves"][0]["to"], &read["next_page_token"]), (&"detractor".into(), &"more".into()));
    }
}
