//! Imports of purchases and returns.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::customer_service_client::CustomerServiceClient;
use barometer_proto::customers::v1::{
    ImportPurchasesRequest, ImportPurchasesResponse, Purchase, PurchaseLine, PurchaseRow, purchase,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Purchases and returns.
pub(crate) struct Purchases {
    client: CustomerServiceClient<Channel>,
}

impl Purchases {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: CustomerServiceClient::new(channel) }
    }
}

impl Noun for Purchases {
    type Row = PurchaseRow;

    fn read(number: i64, line: &mut Line<'_>) -> PurchaseRow {
        PurchaseRow { row: number, purchase: Some(purchase(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<PurchaseRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportPurchasesRequest { rows });
        let answers = self.client.import_purchases(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn purchase(line: &mut Line<'_>) -> Purchase {
    let amount = line.money("amount");
    let category = line.text("category");
    // A category is one of a line: the purchase has one, of its whole amount.
    let lines = (!category.is_empty()).then(|| PurchaseLine {
        category,
        amount: amount.clone(),
        product: String::new(),
        quantity: 0,
        list_price: None,
        discount: None,
        voucher: String::new(),
    });
    Purchase {
        customer: line.customer().map(purchase::Customer::CustomerKey),
        time: line.time("time"),
        amount,
        lines: lines.into_iter().collect(),
        return_of: line.reference("return_of"),
        channel: line.text("channel"),
        country: line.text("country"),
        voucher: line.text("voucher"),
        due_time: line.time("due_time"),
        paid_time: line.time("paid_time"),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        purchase_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
    }
}

impl From<ImportPurchasesResponse> for Acknowledgement {
    fn from(answer: ImportPurchasesResponse) -> Self {
        let ImportPurchasesResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
