//! What the RPCs do that move a case, or note what happened to it: its verbs.

use barometer_chassis::{
    clock::Micros, door::Door, error::Error, fingerprint, layers::Principal, writer::Request as Mutation,
};
use barometer_proto::complaints::v1::{self as wire, Priority, ReplyType};
use prost_types::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Complaints;
use crate::{
    case::{Attachments, Holder, Model, Outcome, Step, When},
    case_entry::Said,
    store,
    wire::{parse_attachments, render_case},
};

/// Longest message, reason or note.
pub(super) const MAX_TEXT: usize = 10_000;

/// A verb's request. Serialised for its fingerprint; what came to it after its first release is left out where it was not
/// given, so that a repeat of an older request is still known as one.
#[derive(Debug, Serialize)]
pub(super) struct Command {
    pub(super) id: Uuid,
    pub(super) etag: String,
    /// The message, reason or note.
    pub(super) text: String,
    /// When it happened, if the caller says so.
    pub(super) time: Option<Micros>,
    /// Who gets the case; of assignments only.
    pub(super) holder: Holder,
    /// What kind of reply it is, if not an answer; of replies only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<i32>,
    /// Whether the message asks for nothing; of the customer's only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) needs_no_answer: bool,
    /// What goes with it.
    #[serde(skip_serializing_if = "Attachments::is_empty")]
    pub(super) attachments: Attachments,
    /// How urgent the case is from now on; of that verb only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) priority: Option<i32>,
    /// What became of it; of that verb only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    /// Whether the customer says that it is solved, and how satisfied they are; of that verb only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accepted: Option<(bool, Option<i32>)>,
    #[serde(skip)]
    pub(super) request_id: Option<Uuid>,
}

impl Complaints {
    pub(super) async fn acknowledge(
        &self,
        actor: &Principal,
        request: wire::AcknowledgeCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AcknowledgeCaseRequest { case_id, message, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("AcknowledgeCase", actor, command, Model::acknowledge).await
    }

    pub(super) async fn respond(
        &self,
        actor: &Principal,
        request: wire::RespondToCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::RespondToCaseRequest { case_id, message, time, etag, request_id, reply, attachments } = request;
        let (reply, command) = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            let reply = match door.optional_choice("reply", reply) {
                ReplyType::Unspecified => ReplyType::Answer,
                reply => reply,
            };
            let attachments = parse_attachments(door, attachments);
            let other = Some(reply.into()).filter(|_| reply != ReplyType::Answer);
            (reply, Command { reply: other, attachments, ..parse(door, &case_id, etag, text, time, &request_id) })
        })?;
        self.act("RespondToCase", actor, command, move |case, when| case.respond(when, reply)).await
    }

    pub(super) async fn hear(
        &self,
        actor: &Principal,
        request: wire::RecordCustomerMessageRequest,
    ) -> Result<wire::Case, Error> {
        let wire::RecordCustomerMessageRequest {
            case_id,
            message,
            needs_no_answer,
            attachments,
            time,
            etag,
            request_id,
        } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            let attachments = parse_attachments(door, attachments);
            Command { needs_no_answer, attachments, ..parse(door, &case_id, etag, text, time, &request_id) }
        })?;
        let window = self.rules.reopen_window;
        let verb = move |case: Model, when| case.hear(when, needs_no_answer, window);
        self.act("RecordCustomerMessage", actor, command, verb).await
    }

    pub(super) async fn await_customer(
        &self,
        actor: &Principal,
        request: wire::AwaitCustomerRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AwaitCustomerRequest { case_id, message, attachments, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            let attachments = parse_attachments(door, attachments);
            Command { attachments, ..parse(door, &case_id, etag, text, time, &request_id) }
        })?;
        self.act("AwaitCustomer", actor, command, Model::await_customer).await
    }

    pub(super) async fn await_third_party(
        &self,
        actor: &Principal,
        request: wire::AwaitThirdPartyRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AwaitThirdPartyRequest { case_id, note, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("note", note, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("AwaitThirdParty", actor, command, Model::await_third_party).await
    }

    pub(super) async fn resume(
        &self,
        actor: &Principal,
        request: wire::ResumeCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::ResumeCaseRequest { case_id, note, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("note", note, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("ResumeCase", actor, command, Model::resume).await
    }

    pub(super) async fn self_serve(
        &self,
        actor: &Principal,
        request: wire::AnswerBySelfServiceRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AnswerBySelfServiceRequest { case_id, message, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("AnswerBySelfService", actor, command, Model::self_serve).await
    }

    pub(super) async fn resolve(
        &self,
        actor: &Principal,
        request: wire::ResolveCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::ResolveCaseRequest { case_id, message, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("ResolveCase", actor, command, Model::resolve).await
    }

    pub(super) async fn reopen(
        &self,
        actor: &Principal,
        request: wire::ReopenCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::ReopenCaseRequest { case_id, reason, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.required_text("reason", reason, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        let window = self.rules.reopen_window;
        self.act("ReopenCase", actor, command, move |case, when| case.reopen(when, window)).await
    }

    pub(super) async fn close(&self, actor: &Principal, request: wire::CloseCaseRequest) -> Result<wire::Case, Error> {
        let wire::CloseCaseRequest { case_id, note, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("note", note, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("CloseCase", actor, command, Model::close).await
    }

    pub(super) async fn cancel(
        &self,
        actor: &Principal,
        request: wire::CancelCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::CancelCaseRequest { case_id, reason, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.required_text("reason", reason, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("CancelCase", actor, command, Model::cancel).await
    }

    pub(super) async fn prioritize(
        &self,
        actor: &Principal,
        request: wire::PrioritizeCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::PrioritizeCaseRequest { case_id, priority, reason, time, etag, request_id } = request;
        let (priority, command) = Door::open(|door| {
            let text = door.required_text("reason", reason, MAX_TEXT);
            let priority = Some(door.optional_choice("priority", priority)).filter(|p| *p != Priority::Unspecified);
            let command = parse(door, &case_id, etag, text, time, &request_id);
            (priority, Command { priority: priority.map(i32::from), ..command })
        })?;
        let table = self.rules.priorities;
        self.act("PrioritizeCase", actor, command, move |case, when| case.prioritize(when, priority, &table)).await
    }

    pub(super) async fn assign(
        &self,
        actor: &Principal,
        request: wire::AssignCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AssignCaseRequest { case_id, employee, team, note, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("note", note, MAX_TEXT);
            let holder = Holder { employee: door.text("employee", employee, 64), team: door.text("team", team, 64) };
            Command { holder, ..parse(door, &case_id, etag, text, time, &request_id) }
        })?;
        let holder = command.holder.clone();
        self.act("AssignCase", actor, command, |case, when| case.assign(when, holder)).await
    }

    pub(super) async fn annotate(
        &self,
        actor: &Principal,
        request: wire::AnnotateCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AnnotateCaseRequest { case_id, note, etag, request_id, attachments } = request;
        let command = Door::open(|door| {
            let text = door.required_text("note", note, MAX_TEXT);
            let attachments = parse_attachments(door, attachments);
            Command { attachments, ..parse(door, &case_id, etag, text, None, &request_id) }
        })?;
        self.act("AnnotateCase", actor, command, Model::annotate).await
    }

    /// The case after a verb.
    pub(super) async fn act(
        &self,
        method: &'static str,
        actor: &Principal,
        command: Command,
        verb: impl FnOnce(Model, When) -> Result<Step, Error> + Send + 'static,
    ) -> Result<wire::Case, Error> {
        let actor = actor.to_string();
        let fingerprint = fingerprint::of(&command)?;
        let request = Mutation { method, actor: actor.clone(), id: command.request_id, fingerprint };
        let book = self.book.clone();
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Command {
                    id,
                    etag,
                    text,
                    time,
                    reply,
                    needs_no_answer,
                    attachments,
                    holder: _,
                    priority: _,
                    outcome: _,
                    accepted: _,
                    request_id: _,
                } = command;
                let reply = reply.and_then(|reply| ReplyType::try_from(reply).ok()).unwrap_or(ReplyType::Answer);
                let said = Said { text, reply, needs_no_answer, attachments, ..Said::default() };
                let when = When { given: time, now: write.now };
                store::change_case(write, &book, id, &etag, &actor, &said, |case| verb(case, when)).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_case(row, position))
    }
}

/// What all verbs have in common.
pub(super) fn parse(
    door: &mut Door,
    case_id: &str,
    etag: String,
    text: String,
    time: Option<Timestamp>,
    request_id: &str,
) -> Command {
    Command {
        id: door.id("case_id", case_id),
        etag,
        text,
        time: time.map(|at| door.past_time("time", Some(at))),
        holder: Holder::default(),
        reply: None,
        needs_no_answer: false,
        attachments: Attachments::default(),
        priority: None,
        outcome: None,
        accepted: None,
        request_id: door.request_id(request_id),
    }
}
