//! What the RPCs do that move a case: its verbs.

use barometer_chassis::{
    clock::Micros, door::Door, error::Error, fingerprint, layers::Principal, writer::Request as Mutation,
};
use barometer_proto::complaints::v1 as wire;
use prost_types::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Complaints;
use crate::{
    case::{Holder, Model, Step, When},
    store,
    wire::render_case,
};

/// Longest message, reason or note.
const MAX_TEXT: usize = 10_000;

/// A verb's request. Serialised for its fingerprint.
#[derive(Debug, Serialize)]
struct Command {
    id: Uuid,
    etag: String,
    /// The message, reason or note.
    text: String,
    /// When it happened, if the caller says so.
    time: Option<Micros>,
    /// Who gets the case; of assignments only.
    holder: Holder,
    #[serde(skip)]
    request_id: Option<Uuid>,
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
        let wire::RespondToCaseRequest { case_id, message, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("RespondToCase", actor, command, Model::respond).await
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
        self.act("ReopenCase", actor, command, Model::reopen).await
    }

    pub(super) async fn close(&self, actor: &Principal, request: wire::CloseCaseRequest) -> Result<wire::Case, Error> {
        let wire::CloseCaseRequest { case_id, note, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("note", note, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("CloseCase", actor, command, Model::close).await
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
        let wire::AnnotateCaseRequest { case_id, note, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.required_text("note", note, MAX_TEXT);
            parse(door, &case_id, etag, text, None, &request_id)
        })?;
        self.act("AnnotateCase", actor, command, Model::annotate).await
    }

    /// The case after a verb.
    async fn act(
        &self,
        method: &'static str,
        actor: &Principal,
        command: Command,
        verb: impl FnOnce(Model, When) -> Result<Step, Error> + Send + 'static,
    ) -> Result<wire::Case, Error> {
        let actor = actor.to_string();
        let fingerprint = fingerprint::of(&command)?;
        let request = Mutation { method, actor: actor.clone(), id: command.request_id, fingerprint };
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Command { id, etag, text, time, holder: _, request_id: _ } = command;
                let when = When { given: time, now: write.now };
                store::change_case(write, id, &etag, &actor, &text, |case| verb(case, when)).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_case(row, position))
    }
}

/// What all verbs have in common.
fn parse(
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
        request_id: door.request_id(request_id),
    }
}
