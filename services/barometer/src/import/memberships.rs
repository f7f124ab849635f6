//! Imports of what happened in the loyalty programme.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::loyalty_service_client::LoyaltyServiceClient;
use barometer_proto::customers::v1::{
    ImportMembershipEventsRequest, ImportMembershipEventsResponse, MembershipEvent, MembershipEventRow,
    membership_event,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Joining and leaving, points, vouchers, gestures.
pub(crate) struct Memberships {
    client: LoyaltyServiceClient<Channel>,
}

impl Memberships {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: LoyaltyServiceClient::new(channel) }
    }
}

impl Noun for Memberships {
    type Row = MembershipEventRow;

    fn read(number: i64, line: &mut Line<'_>) -> MembershipEventRow {
        MembershipEventRow { row: number, membership_event: Some(membership_event(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<MembershipEventRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportMembershipEventsRequest { rows });
        let answers = self.client.import_membership_events(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn membership_event(line: &mut Line<'_>) -> MembershipEvent {
    MembershipEvent {
        customer: line.customer().map(membership_event::Customer::CustomerKey),
        time: line.time("time"),
        r#type: line.word("type"),
        programme: line.text("programme"),
        points: line.integer("points").unwrap_or_default(),
        voucher: line.text("voucher"),
        value: line.money("value"),
        cost: line.money("cost"),
        reason: line.text("reason"),
        channel: line.text("channel"),
        campaign: line.text("campaign"),
        expire_time: line.time("expire_time"),
        purchase: line.reference("purchase"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        membership_event_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
    }
}

impl From<ImportMembershipEventsResponse> for Acknowledgement {
    fn from(answer: ImportMembershipEventsResponse) -> Self {
        let ImportMembershipEventsResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
