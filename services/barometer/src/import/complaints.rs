//! Imports of complaints.

use barometer_chassis::client::Channel;
use barometer_proto::complaints::v1::complaint_service_client::ComplaintServiceClient;
use barometer_proto::complaints::v1::{
    Case, CaseRow, ImportCasesRequest, ImportCasesResponse, Outcome, Redress, case, redress,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};

/// Complaints of the past, as far as they have come.
pub(crate) struct Complaints {
    client: ComplaintServiceClient<Channel>,
}

impl Complaints {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: ComplaintServiceClient::new(channel) }
    }
}

impl Noun for Complaints {
    type Row = CaseRow;

    fn read(number: i64, line: &mut Line<'_>) -> CaseRow {
        CaseRow {
            row: number,
            case: Some(case(line)),
            acknowledge_time: line.time("acknowledged"),
            first_response_time: line.time("first_response"),
            resolve_time: line.time("resolved"),
            close_time: line.time("closed"),
            outcome: outcome(line),
        }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<CaseRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportCasesRequest { rows });
        let answers = self.client.import_cases(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

/// What became of it, when the file says anything of that.
pub(super) fn outcome(line: &mut Line<'_>) -> Option<Outcome> {
    let (finding, root_cause, lesson) = (line.word("finding"), line.text("root_cause"), line.text("lesson"));
    let remedy = line.word("redress");
    let amount = line.money("redress_amount");
    let given = finding != 0 || remedy != 0 || amount.is_some() || !root_cause.is_empty() || !lesson.is_empty();
    let redress = Redress { remedy, worth: amount.map(redress::Worth::Amount), reference: String::new() };
    let redress = if remedy == 0 && redress.worth.is_none() { Vec::new() } else { vec![redress] };
    given.then_some(Outcome { finding, redress, root_cause, lesson })
}

fn case(line: &mut Line<'_>) -> Case {
    Case { open_time: line.time("opened"), external_id: line.external_id(), ..described(line) }
}

/// What a line says of a case, but for when it was opened and what its key is.
pub(super) fn described(line: &mut Line<'_>) -> Case {
    Case {
        customer: line.customer().map(case::Customer::CustomerKey),
        subject: line.text("subject"),
        description: line.text("description"),
        category: line.text("category"),
        product: line.text("product"),
        channel: line.text("channel"),
        touchpoint: line.text("touchpoint"),
        journey_stage: line.text("journey_stage"),
        open_time: None,
        employee: line.text("employee"),
        team: line.text("team"),
        external_id: None,
        dimensions: line.dimensions(),
        kind: line.word("kind"),
        severity: line.word("severity"),
        remedy_sought: line.word("remedy_sought"),
        tags: line.list("tags"),
        attachments: Vec::new(),
        // What the service alone sets.
        case_id: String::new(),
        state: case::State::Unspecified.into(),
        acknowledge_time: None,
        first_response_time: None,
        first_resolve_time: None,
        resolve_time: None,
        close_time: None,
        reopenings: 0,
        hand_offs: 0,
        history: Vec::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
        priority: 0,
        priority_overridden: false,
        value_band: String::new(),
        customer_tier: String::new(),
        customer_country: String::new(),
        value_pending: false,
        cancel_time: None,
        self_served: false,
        reception: None,
        policy_name: String::new(),
        policy_set_version: 0,
        clocks: Vec::new(),
        links: Vec::new(),
        merged_into: String::new(),
        merged_case_ids: Vec::new(),
        outcome: None,
        acceptance: 0,
        satisfaction: None,
        ask_time: None,
        answer_time: None,
        due_time: None,
        due_clock: 0,
        incident_ids: Vec::new(),
    }
}

impl From<ImportCasesResponse> for Acknowledgement {
    fn from(answer: ImportCasesResponse) -> Self {
        let ImportCasesResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
