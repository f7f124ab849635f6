//! Surveys and the answers to them.

mod answers;
mod customers;
mod invitations;
mod pages;
mod states;

use barometer_proto::surveys::v1::{
    ActivateSurveyRequest, CloseSurveyRequest, CreateSurveyRequest, Response, SubmitResponseRequest, Survey, SurveyKind,
};
use barometer_tests::{samples::survey, services::Services};
use tonic::Status;

async fn create(services: &Services, survey: Survey) -> Result<Survey, Status> {
    let request = CreateSurveyRequest { survey: Some(survey), request_id: String::new() };
    Ok(services.surveys.clone().create_survey(request).await?.into_inner())
}

async fn activate(services: &Services, id: &str) -> Result<Survey, Status> {
    let request = ActivateSurveyRequest { survey_id: id.to_owned(), ..Default::default() };
    Ok(services.surveys.clone().activate_survey(request).await?.into_inner())
}

async fn close(services: &Services, id: &str) -> Result<Survey, Status> {
    let request = CloseSurveyRequest { survey_id: id.to_owned(), ..Default::default() };
    Ok(services.surveys.clone().close_survey(request).await?.into_inner())
}

/// The id of a new survey that takes answers.
async fn active(services: &Services, name: &str, kind: SurveyKind) -> String {
    let id = create(services, survey(name, kind)).await.expect("created").survey_id;
    activate(services, &id).await.expect("activated");
    id
}

async fn submit(services: &Services, response: Response) -> Result<Response, Status> {
    let request = SubmitResponseRequest { response: Some(response), request_id: String::new() };
    Ok(services.surveys.clone().submit_response(request).await?.into_inner())
}
