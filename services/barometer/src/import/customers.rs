//! Imports of customers.

use barometer_chassis::client::Channel;
use barometer_proto::customers::v1::customer_service_client::CustomerServiceClient;
use barometer_proto::customers::v1::{
    Attributes, Customer, CustomerRow, ImportCustomersRequest, ImportCustomersResponse,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Customers with their names, addresses and attributes.
pub(crate) struct Customers {
    client: CustomerServiceClient<Channel>,
}

impl Customers {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: CustomerServiceClient::new(channel) }
    }
}

impl Noun for Customers {
    type Row = CustomerRow;

    fn read(number: i64, line: &mut Line<'_>) -> CustomerRow {
        CustomerRow { row: number, customer: Some(customer(line)) }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<CustomerRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportCustomersRequest { rows });
        let answers = self.client.import_customers(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

fn customer(line: &mut Line<'_>) -> Customer {
    Customer {
        external_ids: line.customer().into_iter().collect(),
        display_name: line.text("display_name"),
        email: line.text("email"),
        phone: line.text("phone"),
        language: line.text("language"),
        tags: line.list("tags"),
        since: line.time("since"),
        dimensions: line.dimensions(),
        attributes: attributes(line),
        // What the service alone sets.
        customer_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        position: String::new(),
    }
}

fn attributes(line: &mut Line<'_>) -> Option<Attributes> {
    let attributes = Attributes {
        tier: line.text("tier"),
        country: line.text("country"),
        member: line.flag("member"),
        segments: line.list("segments"),
        value_band: line.text("value_band"),
    };
    (attributes != Attributes::default()).then_some(attributes)
}

impl From<ImportCustomersResponse> for Acknowledgement {
    fn from(answer: ImportCustomersResponse) -> Self {
        let ImportCustomersResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
