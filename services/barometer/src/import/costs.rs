//! Imports of costs.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::cost_service_client::CostServiceClient;
use barometer_proto::customers::v1::{Cost, CostRow, ImportCostsRequest, ImportCostsResponse, cost};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};
use super::value::Problem;

/// Sums and rates.
pub(crate) struct Costs {
    client: CostServiceClient<Channel>,
}

impl Costs {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: CostServiceClient::new(channel) }
    }
}

impl Noun for Costs {
    type Row = CostRow;

    fn read(number: i64, line: &mut Line<'_>) -> CostRow {
        CostRow { row: number, cost: Some(cost(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<CostRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportCostsRequest { rows });
        let answers = self.client.import_costs(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn cost(line: &mut Line<'_>) -> Cost {
    Cost {
        customer: line.customer().map(cost::Customer::CustomerKey),
        kind: line.word("kind"),
        time: line.time("time"),
        end_time: line.time("end_time"),
        basis: basis(line),
        channel: line.text("channel"),
        team: line.text("team"),
        campaign: line.text("campaign"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        cost_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
    }
}

/// A sum or a rate, of which a row has one.
fn basis(line: &mut Line<'_>) -> Option<cost::Basis> {
    let amount = line.money("amount").map(cost::Basis::Amount);
    let per_contact = line.money("per_contact").map(cost::Basis::PerContact);
    let per_hour = line.money("per_hour").map(cost::Basis::PerHour);
    let mut given = [amount, per_contact, per_hour].into_iter().flatten();
    let basis = given.next();
    if given.next().is_some() {
        line.note("amount", Problem::new("NOT_TOGETHER", "does not go with a rate, nor two rates in one row"));
    }
    basis
}

impl From<ImportCostsResponse> for Acknowledgement {
    fn from(answer: ImportCostsResponse) -> Self {
        let ImportCostsResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
