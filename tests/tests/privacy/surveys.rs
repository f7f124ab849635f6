//! Every method of the surveys service and of its invitations.

use std::collections::BTreeMap;

use barometer_proto::{
    common::v1::ExternalId,
    surveys::v1::{
        ActivateSurveyRequest, CloseSurveyRequest, CreateSurveyRequest, GetSurveyRequest, Invitation,
        ListSurveysRequest, ListSurveysResponse, Response, Survey, SurveyKind, WatchFactsRequest, WatchFactsResponse,
        get_survey_request, invitation, response,
    },
};
use barometer_tests::samples::{invitation as invited, response, survey};
use prost::Message;

use crate::{
    caller::{Caller, MARK},
    recorded::{self, Noun},
};

const SERVICE: &str = "barometer.surveys.v1.SurveyService";
const INVITATIONS: &str = "barometer.surveys.v1.InvitationService";

/// Calls them; gives the name of a survey.
pub(crate) async fn call_all(caller: &mut Caller) -> String {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let draft =
        Survey { question: BTreeMap::from([("en".to_owned(), MARK.to_owned())]), ..survey("asked", SurveyKind::Nps) };
    let create = CreateSurveyRequest { survey: Some(draft), request_id: String::new() };
    let Survey { survey_id, name, .. } = caller.call(&method("CreateSurvey"), &create).await;
    let activate = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
    let _: Survey = caller.call(&method("ActivateSurvey"), &activate).await;
    let get = GetSurveyRequest { by: Some(get_survey_request::By::SurveyId(survey_id.clone())) };
    let _: Survey = caller.call(&method("GetSurvey"), &get).await;
    let _: ListSurveysResponse = caller.call(&method("ListSurveys"), &ListSurveysRequest::default()).await;

    let key = ExternalId { system: MARK.to_owned(), value: MARK.to_owned() };
    let answer = Response {
        customer: Some(response::Customer::CustomerKey(key.clone())),
        external_id: Some(key.clone()),
        comment: MARK.to_owned(),
        ..response(&survey_id, 3)
    };
    let (verb, name_of, field, sample) = ("Submit", "Response", "response", answer.encode_to_vec());
    recorded::call_all(caller, Noun { service: SERVICE, verb, name: name_of, field, sample }).await;

    let invitation = Invitation {
        customer: Some(invitation::Customer::CustomerKey(key.clone())),
        external_id: Some(key),
        ..invited(&survey_id, Default::default())
    };
    let (verb, name_of, field, sample) = ("Record", "Invitation", "invitation", invitation.encode_to_vec());
    recorded::call_all(caller, Noun { service: INVITATIONS, verb, name: name_of, field, sample }).await;

    let _: WatchFactsResponse = caller.call(&method("WatchFacts"), &WatchFactsRequest::default()).await;
    let close = CloseSurveyRequest { survey_id, ..Default::default() };
    let _: Survey = caller.call(&method("CloseSurvey"), &close).await;
    name
}
