//! Every method of the follow-ups of complaints and their rules.

use std::time::{Duration, Instant};

use barometer_proto::{
    complaints::v1::{
        FollowUp, FollowUpRule, FollowUpRuleSet, GetFollowUpRequest, GetFollowUpRulesRequest,
        ListFollowUpRuleSetsRequest, ListFollowUpRuleSetsResponse, ListFollowUpsRequest, ListFollowUpsResponse,
        PublishFollowUpRulesRequest, get_follow_up_request::By,
    },
    surveys::v1::{
        ActivateSurveyRequest, CreateSurveyRequest, Response, SubmitResponseRequest, Survey, SurveyKind, response,
    },
};
use barometer_tests::samples::{from_now, response as answer_to, survey};
use uuid::Uuid;

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.FollowUpService";
const SURVEYS: &str = "barometer.surveys.v1.SurveyService";

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let rule = FollowUpRule { name: "detractors".to_owned(), team: "care".to_owned(), ..FollowUpRule::default() };
    let rule_set = Some(FollowUpRuleSet { rules: vec![rule], ..FollowUpRuleSet::default() });
    let publish = PublishFollowUpRulesRequest { rule_set, ..Default::default() };
    let _: FollowUpRuleSet = caller.call(&method("PublishFollowUpRules"), &publish).await;
    let _: FollowUpRuleSet = caller.call(&method("GetFollowUpRules"), &GetFollowUpRulesRequest::default()).await;
    let request = ListFollowUpRuleSetsRequest::default();
    let _: ListFollowUpRuleSetsResponse = caller.call(&method("ListFollowUpRuleSets"), &request).await;

    let create = CreateSurveyRequest { survey: Some(survey("followed", SurveyKind::Nps)), request_id: String::new() };
    let Survey { survey_id, .. } = caller.call(&format!("{SURVEYS}/CreateSurvey"), &create).await;
    let activate = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
    let _: Survey = caller.call(&format!("{SURVEYS}/ActivateSurvey"), &activate).await;
    let answer = Response {
        customer: Some(response::Customer::CustomerId(Uuid::new_v4().to_string())),
        comment: MARK.to_owned(),
        answer_time: Some(from_now(0)),
        ..answer_to(&survey_id, 0)
    };
    let submit = SubmitResponseRequest { response: Some(answer), request_id: String::new() };
    let _: Response = caller.call(&format!("{SURVEYS}/SubmitResponse"), &submit).await;
    let (list, begun) = (ListFollowUpsRequest { survey_id, ..Default::default() }, Instant::now());
    let follow_up = loop {
        let page: ListFollowUpsResponse = caller.call(&method("ListFollowUps"), &list).await;
        if let Some(follow_up) = page.follow_ups.into_iter().next() {
            break follow_up;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is followed up");
    };
    let get = GetFollowUpRequest { by: Some(By::FollowUpId(follow_up.follow_up_id)) };
    let _: FollowUp = caller.call(&method("GetFollowUp"), &get).await;
}
