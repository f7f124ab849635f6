//! Messages to rows and back.

mod invitation;
mod response;
mod survey;

pub(crate) use invitation::{invitation_fact, parse_list_invitations};
pub(crate) use response::{parse_list_responses, response_fact};
pub(crate) use survey::{parse_survey, render_survey, survey_fact};

use barometer_chassis::{
    clock::Micros,
    door::{Dimensions, Door},
};
use barometer_proto::surveys::v1 as wire;

use crate::{store::SurveyRef, survey::Model as SurveyRow};

/// Which survey a message names, by its id or else by its name. Noted as a violation when it names none.
fn parse_survey_ref(door: &mut Door, survey: Option<Result<&str, &str>>) -> Option<SurveyRef> {
    match survey {
        Some(Ok(id)) => Some(SurveyRef::Id(door.id("survey_id", id))),
        Some(Err(name)) => Some(SurveyRef::Name(door.required_text("survey_name", name.to_owned(), 128))),
        None => {
            door.missing("survey_id");
            None
        }
    }
}

/// Notes dimensions that the survey does not declare.
fn check_dimensions(door: &mut Door, survey: &SurveyRow, dimensions: &Dimensions) {
    for key in dimensions.0.keys().filter(|key| !survey.dimensions.0.contains(key)) {
        let undeclared = format!("the survey `{}` does not declare this dimension", survey.name);
        door.refuse(&format!("dimensions.{key}"), "NOT_DECLARED", undeclared);
    }
}

/// A fact for watchers.
fn fact(id: uuid::Uuid, number: i64, version: i64, written: Micros, fact: wire::fact::Fact) -> wire::Fact {
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact), write_time: Some(written.to_wire()) }
}
