//! What the RPCs on answers do.

use barometer_chassis::{
    door::{Door, ExternalKey},
    error::Error,
    fingerprint,
    layers::Principal,
    store::Batch,
};
use barometer_directory::{CustomerId, CustomerRef, Resolved};
use barometer_proto::surveys::v1 as wire;
use uuid::Uuid;

use super::Surveys;
use crate::{
    noun::By,
    response::Model,
    store::{self, Invited, SurveyRef},
    wire::parse_list_responses,
};

impl Surveys {
    pub(super) async fn submit(
        &self,
        actor: &Principal,
        request: wire::SubmitResponseRequest,
    ) -> Result<wire::Response, Error> {
        let wire::SubmitResponseRequest { response, request_id } = request;
        let (parsed, request_id) = self.parse::<Model>(actor, response, &request_id).await?;
        let (row, customer, invitation) = &parsed;
        let customers = match customer {
            CustomerRef::Anonymous | CustomerRef::Id(_) => Resolved::default(),
            CustomerRef::Key(_) => self.resolve_for(row, customer, invitation).await?,
        };
        self.record("SubmitResponse", actor, parsed, &customers, request_id).await
    }

    /// The customer of an answer's key, created when new.
    async fn resolve_for(
        &self,
        answer: &Model,
        customer: &CustomerRef,
        invitation: &Option<ExternalKey>,
    ) -> Result<Resolved, Error> {
        let db = self.store.db();
        let survey = store::get_survey(db, &SurveyRef::Id(answer.survey_id.0)).await?;
        let invited = Invited::by(db, [(answer, invitation)].into_iter()).await?;
        // Who is created now is not who was invited.
        let mut by_another = Model { customer_id: Some(CustomerId(Uuid::nil())), ..answer.clone() };
        let takes = survey.check_takes_answers().and_then(|()| invited.answered_by(&mut by_another, invitation));
        match takes {
            Ok(()) => self.directory.resolve([customer].into_iter()).await,
            // Refused, and so nobody is created for it; unless the customer is there, by which it may be a repeat or right.
            Err(refused) => self.directory.look_up(customer).await?.ok_or(refused),
        }
    }

    pub(super) async fn get_answer(&self, request: wire::GetResponseRequest) -> Result<wire::Response, Error> {
        use wire::get_response_request::By as Named;
        let by = request.by.map(|by| match by {
            Named::ResponseId(id) => By::Id(id),
            Named::ExternalId(key) => By::Key(key),
        });
        self.get::<Model>(by).await
    }

    pub(super) async fn list_answers(
        &self,
        request: wire::ListResponsesRequest,
    ) -> Result<wire::ListResponsesResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_responses(door, request))?;
        let (responses, next_page_token) = self.list::<Model>(page, filter).await?;
        Ok(wire::ListResponsesResponse { responses, next_page_token })
    }

    pub(super) async fn amend_answer(
        &self,
        actor: &Principal,
        mut request: wire::AmendResponseRequest,
    ) -> Result<wire::Response, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendResponseRequest { response, update_mask, request_id: _ } = request;
        self.amend::<Model>("AmendResponse", actor, (response, update_mask), &request_id, fingerprint).await
    }

    pub(super) async fn withdraw_answer(
        &self,
        actor: &Principal,
        request: wire::WithdrawResponseRequest,
    ) -> Result<wire::Response, Error> {
        let wire::WithdrawResponseRequest { response_id, etag, request_id } = request;
        self.withdraw::<Model>("WithdrawResponse", actor, &response_id, etag, &request_id).await
    }
}

/// Acknowledges a batch of answers.
pub(super) fn acknowledge(batch: Batch) -> wire::ImportResponsesResponse {
    let Batch { recorded, unchanged, rejected, position } = batch;
    wire::ImportResponsesResponse { recorded, unchanged, rejected, position }
}
