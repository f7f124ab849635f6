//! Imports of interactions.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::customer_service_client::CustomerServiceClient;
use barometer_proto::customers::v1::{
    ImportInteractionsRequest, ImportInteractionsResponse, Interaction, InteractionRow, interaction,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};
use super::value::Problem;

/// Contacts on every channel.
pub(crate) struct Interactions {
    client: CustomerServiceClient<Channel>,
}

impl Interactions {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: CustomerServiceClient::new(channel) }
    }
}

impl Noun for Interactions {
    type Row = InteractionRow;

    fn read(number: i64, line: &mut Line<'_>) -> InteractionRow {
        InteractionRow { row: number, interaction: Some(interaction(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<InteractionRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportInteractionsRequest { rows });
        let answers = self.client.import_interactions(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn interaction(line: &mut Line<'_>) -> Interaction {
    Interaction {
        customer: line.customer().map(interaction::Customer::CustomerKey),
        time: line.time("time"),
        channel: line.text("channel"),
        direction: line.word("direction"),
        touchpoint: line.text("touchpoint"),
        journey_id: line.text("journey_id"),
        session_id: line.text("session_id"),
        journey_stage: line.text("journey_stage"),
        landing_page: line.text("landing_page"),
        exit_page: line.text("exit_page"),
        campaign: line.text("campaign"),
        in_answer_to: line.reference("in_answer_to"),
        text: line.text("text"),
        handling_time: handling_time(line),
        cost: line.money("cost"),
        employee: line.text("employee"),
        team: line.text("team"),
        outcome: line.text("outcome"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        interaction_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
    }
}

fn handling_time(line: &mut Line<'_>) -> Option<prost_types::Duration> {
    let span = line.span("handling_time")?;
    let wire = prost_types::Duration::try_from(span);
    wire.map_err(|_| line.note("handling_time", Problem::new("OUT_OF_RANGE", "is too long"))).ok()
}

impl From<ImportInteractionsResponse> for Acknowledgement {
    fn from(answer: ImportInteractionsResponse) -> Self {
        let ImportInteractionsResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
