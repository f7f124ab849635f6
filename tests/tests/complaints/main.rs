//! Cases: their verbs, their histories, imports of past ones, and what watchers see.

mod amending;
mod calendars;
mod command_line;
mod history;
mod importing;
mod opening;
mod policies;
mod verbs;
mod watching;

use barometer_proto::complaints::v1::{
    AcknowledgeCaseRequest, AnnotateCaseRequest, AssignCaseRequest, Case, CaseEntryType, CloseCaseRequest,
    GetCaseRequest, OpenCaseRequest, ReopenCaseRequest, ResolveCaseRequest, RespondToCaseRequest, WithdrawCaseRequest,
    get_case_request::By,
};
use barometer_tests::{samples::case, services::Services};
use prost_types::Timestamp;
use tonic::Status;
use uuid::Uuid;

/// A verb of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    Acknowledge,
    Respond,
    Resolve,
    Reopen,
    Close,
    Assign(&'static str, &'static str),
    Annotate,
}

/// How a verb is asked for.
#[derive(Clone, Debug, Default)]
struct How {
    text: String,
    time: Option<Timestamp>,
    etag: String,
    request_id: String,
}

impl How {
    fn at(time: Timestamp) -> Self {
        How { time: Some(time), ..How::default() }
    }

    fn once() -> Self {
        How { request_id: Uuid::new_v4().to_string(), ..How::default() }
    }
}

async fn act(services: &Services, id: &str, verb: Verb, how: How) -> Result<Case, Status> {
    let mut client = services.complaints.clone();
    let How { text, time, etag, request_id } = how;
    let case_id = id.to_owned();
    let answer = match verb {
        Verb::Acknowledge => {
            client.acknowledge_case(AcknowledgeCaseRequest { case_id, message: text, time, etag, request_id }).await
        }
        Verb::Respond => {
            client.respond_to_case(RespondToCaseRequest { case_id, message: text, time, etag, request_id }).await
        }
        Verb::Resolve => {
            client.resolve_case(ResolveCaseRequest { case_id, message: text, time, etag, request_id }).await
        }
        Verb::Reopen => {
            let reason = if text.is_empty() { "not solved".to_owned() } else { text };
            client.reopen_case(ReopenCaseRequest { case_id, reason, time, etag, request_id }).await
        }
        Verb::Close => client.close_case(CloseCaseRequest { case_id, note: text, time, etag, request_id }).await,
        Verb::Assign(employee, team) => {
            let (employee, team) = (employee.to_owned(), team.to_owned());
            let request = AssignCaseRequest { case_id, employee, team, note: text, time, etag, request_id };
            client.assign_case(request).await
        }
        Verb::Annotate => {
            let note = if text.is_empty() { "a note".to_owned() } else { text };
            client.annotate_case(AnnotateCaseRequest { case_id, note, etag, request_id }).await
        }
    };
    Ok(answer?.into_inner())
}

async fn open_one(services: &Services, case: Case) -> Result<Case, Status> {
    let request = OpenCaseRequest { case: Some(case), request_id: String::new() };
    Ok(services.complaints.clone().open_case(request).await?.into_inner())
}

/// A new case of somebody.
async fn opened(services: &Services) -> Case {
    open_one(services, case(&Uuid::new_v4().to_string())).await.expect("opened")
}

async fn get(services: &Services, id: &str) -> Case {
    let request = GetCaseRequest { by: Some(By::CaseId(id.to_owned())) };
    services.complaints.clone().get_case(request).await.expect("there").into_inner()
}

async fn withdraw(services: &Services, id: &str) -> Case {
    let request = WithdrawCaseRequest { case_id: id.to_owned(), ..Default::default() };
    services.complaints.clone().withdraw_case(request).await.expect("withdrawn").into_inner()
}

/// The kinds of a case's entries, from the first to the last.
async fn entries(services: &Services, id: &str) -> Vec<CaseEntryType> {
    let history = get(services, id).await.history;
    history.iter().rev().map(|entry| entry.r#type()).collect()
}
