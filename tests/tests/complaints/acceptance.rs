//! A survey that asks whether a case is solved tells the case what was answered.

use std::collections::BTreeMap;

use barometer_chassis::testing::on_each_database;
use barometer_proto::{
    complaints::v1::{Acceptance, AskForAcceptanceRequest, CaseEntryType as Event},
    surveys::v1::{
        ActivateSurveyRequest, AmendResponseRequest, CreateSurveyRequest, Response, SubmitResponseRequest, Survey,
        SurveyKind, response,
    },
};
use barometer_tests::{
    eventually,
    samples::{case, from_now, mask, response as answer_to, survey},
    services::Services,
};
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one};

/// A survey that knows which case it asks about.
async fn about_cases(services: &Services) -> String {
    let mut client = services.surveys.clone();
    let survey = Survey { dimensions: vec!["case_id".to_owned()], ..survey("solved", SurveyKind::Csat) };
    let request = CreateSurveyRequest { survey: Some(survey), request_id: String::new() };
    let survey_id = client.create_survey(request).await.expect("created").into_inner().survey_id;
    let request = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
    client.activate_survey(request).await.expect("activated");
    survey_id
}

async fn answer(services: &Services, survey: &str, customer: &str, case: &str, score: i32) -> String {
    let response = Response {
        customer: Some(response::Customer::CustomerId(customer.to_owned())),
        answer_time: Some(from_now(0)),
        dimensions: BTreeMap::from([("case_id".to_owned(), case.to_owned())]),
        ..answer_to(survey, score)
    };
    let request = SubmitResponseRequest { response: Some(response), request_id: String::new() };
    services.surveys.clone().submit_response(request).await.expect("taken").into_inner().response_id
}

async fn stands(services: &Services, case: &str, acceptance: Acceptance, satisfaction: i32) {
    let is_so = async || {
        let case = get(services, case).await;
        (case.acceptance(), case.satisfaction) == (acceptance, Some(satisfaction))
    };
    eventually(&format!("the case is {acceptance:?}"), is_so).await;
}

#[tokio::test]
async fn what_a_customer_answers_about_a_case_is_noted_on_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = about_cases(&services).await;
        let (customer, other) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let solved = async || {
            let id = open_one(&services, case(&customer)).await.expect("opened").case_id;
            act(&services, &id, Verb::Resolve, How::default()).await.expect("allowed");
            id
        };
        let (asked, unasked) = (solved().await, solved().await);
        let open = open_one(&services, case(&customer)).await.expect("opened").case_id;
        let ask = AskForAcceptanceRequest { case_id: asked.clone(), ..Default::default() };
        services.complaints.clone().ask_for_acceptance(ask).await.expect("asked");

        // Of somebody else, and of a case that is not solved: they come first, and say nothing.
        answer(&services, &survey, &other, &asked, 5).await;
        answer(&services, &survey, &customer, &open, 1).await;
        answer(&services, &survey, &customer, "no case", 1).await;
        let response_id = answer(&services, &survey, &customer, &asked, 1).await;
        stands(&services, &asked, Acceptance::Declined, 1).await;
        let told = [Event::Opened, Event::Resolved, Event::AcceptanceAsked, Event::AcceptanceRecorded];
        assert_eq!(entries(&services, &asked).await, told);
        assert_eq!(get(&services, &asked).await.history[0].actor, "barometer");

        let response = Response { response_id, score: Some(5), ..Response::default() };
        let request =
            AmendResponseRequest { response: Some(response), update_mask: mask(&["score"]), request_id: String::new() };
        services.surveys.clone().amend_response(request).await.expect("amended");
        stands(&services, &asked, Acceptance::Accepted, 5).await;

        answer(&services, &survey, &customer, &unasked, 3).await;
        stands(&services, &unasked, Acceptance::Accepted, 3).await;
        assert_eq!(get(&services, &open).await.acceptance(), Acceptance::Open);
        services.stop().await;
    })
    .await;
}
