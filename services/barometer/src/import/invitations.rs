//! Imports of invitations.

use barometer_chassis::client::Channel;
use barometer_proto::surveys::v1::invitation_service_client::InvitationServiceClient;
use barometer_proto::surveys::v1::{
    ImportInvitationsRequest, ImportInvitationsResponse, Invitation, InvitationOutcome, InvitationRow, invitation,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Who was asked to answer a survey that is there.
pub(crate) struct Invitations {
    client: InvitationServiceClient<Channel>,
}

impl Invitations {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: InvitationServiceClient::new(channel) }
    }
}

impl Noun for Invitations {
    type Row = InvitationRow;

    fn read(number: i64, line: &mut Line<'_>) -> InvitationRow {
        InvitationRow { row: number, invitation: Some(invitation(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<InvitationRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportInvitationsRequest { rows });
        let answers = self.client.import_invitations(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn invitation(line: &mut Line<'_>) -> Invitation {
    let survey = Some(line.text("survey")).filter(|name| !name.is_empty());
    Invitation {
        survey: survey.map(invitation::Survey::SurveyName),
        customer: line.customer().map(invitation::Customer::CustomerKey),
        send_time: line.time("time"),
        deliver_time: line.time("delivered"),
        open_time: line.time("opened"),
        begin_time: line.time("begun"),
        expire_time: line.time("expires"),
        reminders: line.integer("reminders").unwrap_or_default(),
        told_outcome: line.word("outcome"),
        channel: line.text("channel"),
        touchpoint: line.text("touchpoint"),
        journey_stage: line.text("journey_stage"),
        language: line.text("language"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        invitation_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
        response_id: String::new(),
        outcome: InvitationOutcome::Unspecified.into(),
    }
}

impl From<ImportInvitationsResponse> for Acknowledgement {
    fn from(answer: ImportInvitationsResponse) -> Self {
        let ImportInvitationsResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
