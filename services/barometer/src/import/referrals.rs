//! Imports of who recommended whom.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::loyalty_service_client::LoyaltyServiceClient;
use barometer_proto::customers::v1::{
    ImportReferralsRequest, ImportReferralsResponse, Referral, ReferralRow, referral,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Referrals.
pub(crate) struct Referrals {
    client: LoyaltyServiceClient<Channel>,
}

impl Referrals {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: LoyaltyServiceClient::new(channel) }
    }
}

impl Noun for Referrals {
    type Row = ReferralRow;

    fn read(number: i64, line: &mut Line<'_>) -> ReferralRow {
        ReferralRow { row: number, referral: Some(referral(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<ReferralRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportReferralsRequest { rows });
        let answers = self.client.import_referrals(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn referral(line: &mut Line<'_>) -> Referral {
    Referral {
        customer: line.customer().map(referral::Customer::CustomerKey),
        referred: line.customer_in("referred").map(referral::Referred::ReferredCustomerKey),
        time: line.time("time"),
        join_time: line.time("join_time"),
        channel: line.text("channel"),
        campaign: line.text("campaign"),
        reward: line.money("reward"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        referral_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
    }
}

impl From<ImportReferralsResponse> for Acknowledgement {
    fn from(answer: ImportReferralsResponse) -> Self {
        let ImportReferralsResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
