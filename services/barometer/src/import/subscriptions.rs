//! Imports of what happened to subscriptions.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::customer_service_client::CustomerServiceClient;
use barometer_proto::customers::v1::{
    ImportSubscriptionEventsRequest, ImportSubscriptionEventsResponse, SubscriptionEvent, SubscriptionEventRow,
    subscription_event,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Starts, changes and ends of subscriptions.
pub(crate) struct Subscriptions {
    client: CustomerServiceClient<Channel>,
}

impl Subscriptions {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: CustomerServiceClient::new(channel) }
    }
}

impl Noun for Subscriptions {
    type Row = SubscriptionEventRow;

    fn read(number: i64, line: &mut Line<'_>) -> SubscriptionEventRow {
        SubscriptionEventRow { row: number, subscription_event: Some(subscription_event(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<SubscriptionEventRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportSubscriptionEventsRequest { rows });
        let answers = self.client.import_subscription_events(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn subscription_event(line: &mut Line<'_>) -> SubscriptionEvent {
    SubscriptionEvent {
        customer: line.customer().map(subscription_event::Customer::CustomerKey),
        subscription: line.text("subscription"),
        r#type: line.word("type"),
        time: line.time("time"),
        effective_time: line.time("effective_time"),
        plan: line.text("plan"),
        monthly_amount: line.money("monthly_amount"),
        reason: line.text("reason"),
        voluntary: line.flag("voluntary"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        subscription_event_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
    }
}

impl From<ImportSubscriptionEventsResponse> for Acknowledgement {
    fn from(answer: ImportSubscriptionEventsResponse) -> Self {
        let ImportSubscriptionEventsResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
