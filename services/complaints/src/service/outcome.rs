//! What the RPCs do that say what became of a case, and what the customer says to it.

use barometer_chassis::{door::Door, error::Error, layers::Principal};
use barometer_proto::complaints::v1 as wire;

use super::{
    Complaints,
    command::{Command, MAX_TEXT, parse},
};
use crate::{
    case::Model,
    wire::{parse_acceptance, parse_outcome},
};

impl Complaints {
    pub(super) async fn decide(
        &self,
        actor: &Principal,
        request: wire::SetOutcomeRequest,
    ) -> Result<wire::Case, Error> {
        let wire::SetOutcomeRequest { case_id, outcome, note, time, etag, request_id } = request;
        let (outcome, command) = Door::open(|door| {
            let outcome = door.required("outcome", outcome);
            let outcome = door.inside("outcome", |door| parse_outcome(door, outcome));
            let text = door.text("note", note, MAX_TEXT);
            let command = parse(door, &case_id, etag, text, time, &request_id);
            (outcome.clone(), Command { outcome: Some(outcome), ..command })
        })?;
        self.act("SetOutcome", actor, command, move |case, when| case.decide(when, outcome)).await
    }

    pub(super) async fn ask(
        &self,
        actor: &Principal,
        request: wire::AskForAcceptanceRequest,
    ) -> Result<wire::Case, Error> {
        let wire::AskForAcceptanceRequest { case_id, message, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("message", message, MAX_TEXT);
            parse(door, &case_id, etag, text, time, &request_id)
        })?;
        self.act("AskForAcceptance", actor, command, Model::ask).await
    }

    pub(super) async fn hear_acceptance(
        &self,
        actor: &Principal,
        request: wire::RecordAcceptanceRequest,
    ) -> Result<wire::Case, Error> {
        let wire::RecordAcceptanceRequest { case_id, acceptance, satisfaction, comment, time, etag, request_id } =
            request;
        let (accepted, command) = Door::open(|door| {
            let accepted = parse_acceptance(door, acceptance, satisfaction);
            let text = door.text("comment", comment, MAX_TEXT);
            let command = parse(door, &case_id, etag, text, time, &request_id);
            (accepted, Command { accepted: Some((accepted, satisfaction)), ..command })
        })?;
        let verb = move |case: Model, when| case.hear_acceptance(when, accepted, satisfaction);
        self.act("RecordAcceptance", actor, command, verb).await
    }
}
