//! Messages to rows and back.

mod response;
mod survey;

pub(crate) use response::{
    AMENDABLE, parse_list_responses, parse_response, parse_survey_ref, render_response, response_fact,
};
pub(crate) use survey::{parse_survey, render_survey, survey_fact};

use barometer_proto::surveys::v1 as wire;

/// A fact for watchers.
fn fact(id: uuid::Uuid, number: i64, version: i64, fact: wire::fact::Fact) -> wire::Fact {
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact) }
}
