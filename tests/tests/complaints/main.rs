//! Cases: their verbs, their histories, imports of past ones, and what watchers see.

mod acceptance;
mod amending;
mod calendars;
mod claims;
mod clocks;
mod command_line;
mod desk;
mod erased;
mod erasing;
mod escalations;
mod filters;
mod follow_ups;
mod histories;
mod history;
mod importing;
mod incident_tasks;
mod incidents;
mod kept_clocks;
mod kinds;
mod links;
mod merging;
mod messages;
mod opening;
mod outcomes;
mod policies;
mod priorities;
mod promise_ladders;
mod promise_verbs;
mod promises;
mod queues;
mod rebases;
mod shown;
mod teams;
mod values;
mod verbs;
mod watching;
mod webhooks;
mod workloads;

use barometer_proto::complaints::v1::{
    AcknowledgeCaseRequest, AnnotateCaseRequest, AnswerBySelfServiceRequest, AssignCaseRequest, Attachment,
    AwaitCustomerRequest, AwaitThirdPartyRequest, CancelCaseRequest, Case, CaseEntryType, CloseCaseRequest,
    GetCaseRequest, OpenCaseRequest, PrioritizeCaseRequest, Priority, RecordCustomerMessageRequest, ReopenCaseRequest,
    ReplyType, ResolveCaseRequest, RespondToCaseRequest, ResumeCaseRequest, WithdrawCaseRequest, get_case_request::By,
};
use barometer_tests::{
    samples::case,
    services::{Services, count},
};
use prost_types::Timestamp;
use tonic::Status;
use uuid::Uuid;

/// A verb of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    Acknowledge,
    Respond,
    AwaitCustomer,
    AwaitThirdParty,
    Resume,
    Hear,
    SelfServe,
    Resolve,
    Reopen,
    Close,
    Cancel,
    Assign(&'static str, &'static str),
    Prioritize(Priority),
    Annotate,
}

/// How a verb is asked for.
#[derive(Clone, Debug, Default)]
struct How {
    text: String,
    time: Option<Timestamp>,
    etag: String,
    request_id: String,
    reply: ReplyType,
    needs_no_answer: bool,
    attachments: Vec<Attachment>,
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
    let How { text, time, etag, request_id, reply, needs_no_answer, attachments } = how;
    let (case_id, reply) = (id.to_owned(), reply.into());
    let or = |words: &str| if text.is_empty() { words.to_owned() } else { text.clone() };
    let answer = match verb {
        Verb::Acknowledge => {
            client.acknowledge_case(AcknowledgeCaseRequest { case_id, message: text, time, etag, request_id }).await
        }
        Verb::Respond => {
            let request = RespondToCaseRequest { case_id, message: text, time, etag, request_id, reply, attachments };
            client.respond_to_case(request).await
        }
        Verb::AwaitCustomer => {
            let request = AwaitCustomerRequest { case_id, message: text, attachments, time, etag, request_id };
            client.await_customer(request).await
        }
        Verb::AwaitThirdParty => {
            client.await_third_party(AwaitThirdPartyRequest { case_id, note: text, time, etag, request_id }).await
        }
        Verb::Resume => client.resume_case(ResumeCaseRequest { case_id, note: text, time, etag, request_id }).await,
        Verb::Hear => {
            let request = RecordCustomerMessageRequest {
                case_id,
                message: text,
                needs_no_answer,
                attachments,
                time,
                etag,
                request_id,
            };
            client.record_customer_message(request).await
        }
        Verb::SelfServe => {
            let request = AnswerBySelfServiceRequest { case_id, message: text, time, etag, request_id };
            client.answer_by_self_service(request).await
        }
        Verb::Resolve => {
            client.resolve_case(ResolveCaseRequest { case_id, message: text, time, etag, request_id }).await
        }
        Verb::Reopen => {
            client.reopen_case(ReopenCaseRequest { case_id, reason: or("not solved"), time, etag, request_id }).await
        }
        Verb::Close => client.close_case(CloseCaseRequest { case_id, note: text, time, etag, request_id }).await,
        Verb::Cancel => {
            client.cancel_case(CancelCaseRequest { case_id, reason: or("a mistake"), time, etag, request_id }).await
        }
        Verb::Prioritize(priority) => {
            let (priority, reason) = (priority.into(), or("it matters"));
            client.prioritize_case(PrioritizeCaseRequest { case_id, priority, reason, time, etag, request_id }).await
        }
        Verb::Assign(employee, team) => {
            let (employee, team) = (employee.to_owned(), team.to_owned());
            let request = AssignCaseRequest { case_id, employee, team, note: text, time, etag, request_id };
            client.assign_case(request).await
        }
        Verb::Annotate => {
            let request = AnnotateCaseRequest { case_id, note: or("a note"), etag, request_id, attachments };
            client.annotate_case(request).await
        }
    };
    let answer = answer?.into_inner();
    // Whoever reads it afterwards reads no earlier state. A note changes nothing of the case itself.
    let read = get(services, id).await.position;
    assert!(verb == Verb::Annotate || count(&read) >= count(&answer.position), "{verb:?}: not read back");
    Ok(answer)
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
