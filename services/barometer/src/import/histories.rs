//! Imports of cases with their histories: the lines of each case are brought together, and become one row.

mod gather;
mod spool;

use std::thread;

use barometer_chassis::client::Channel;
use barometer_proto::common::v1::RejectedRow;
use barometer_proto::complaints::v1::complaint_service_client::ComplaintServiceClient;
use barometer_proto::complaints::v1::{
    Case, CaseEntryType, CaseEvent, CaseHistory, ImportCaseHistoriesRequest, ImportCaseHistoriesResponse, Outcome,
};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use self::gather::Batcher;
use self::spool::Spool;
use super::complaints::{described, outcome};
use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, count};
use super::plan::Plan;
use super::reader::{AHEAD, Batches, Source};
use super::report::Unit;

/// What is counted here.
pub(crate) const CASES: Unit = ("cases", "case");

/// Cases of the past with everything that happened to them.
pub(crate) struct Histories {
    client: ComplaintServiceClient<Channel>,
}

impl Histories {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { client: ComplaintServiceClient::new(channel) }
    }
}

impl Noun for Histories {
    type Row = CaseHistory;

    /// A history of the one event that a line tells. One of `opened` has a case as it came in, any other an event and
    /// nothing but the key of its case.
    fn read(number: i64, line: &mut Line<'_>) -> CaseHistory {
        let (external_id, time, actor) = (line.reference("case"), line.time("time"), line.text("actor"));
        let event = line.word("event");
        if event == i32::from(CaseEntryType::Opened) {
            let case = Case { open_time: time, external_id, ..described(line) };
            return CaseHistory { row: number, case: Some(case), actor, events: Vec::new() };
        }
        let event = CaseEvent {
            row: number,
            r#type: event,
            time,
            actor,
            text: line.text("text"),
            reply: line.word("reply"),
            needs_no_answer: line.flag("needs_no_answer").unwrap_or_default(),
            employee: line.text("employee"),
            team: line.text("team"),
            priority: line.word("priority"),
            outcome: decided(event, line),
            acceptance: line.word("acceptance"),
            satisfaction: line.integer("satisfaction"),
            attachments: Vec::new(),
        };
        let case = Case { external_id, ..Case::default() };
        CaseHistory { row: number, case: Some(case), actor: String::new(), events: vec![event] }
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<CaseHistory>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|histories| ImportCaseHistoriesRequest { histories });
        let answers = self.client.import_case_histories(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

/// What was decided, if the line is of that.
fn decided(event: i32, line: &mut Line<'_>) -> Option<Outcome> {
    (event == i32::from(CaseEntryType::OutcomeSet)).then(|| outcome(line).unwrap_or_default())
}

/// Reads the file as `plan` says, and gives the cases in the order of their first lines, as far as memory allows. Ends when
/// the receiver is dropped.
pub(crate) fn start(mut source: Source, plan: Plan) -> Batches<CaseHistory> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    // As of files that are read line by line.
    thread::spawn(move || {
        let mut batcher = match Spool::fill(&mut source, &plan) {
            Ok(spool) => Batcher::new(&plan, spool),
            Err(failure) => return drop(sender.blocking_send(Err(failure))),
        };
        loop {
            let batch = batcher.next();
            let ends = !matches!(batch, Ok(Some(_)));
            if batch.transpose().is_some_and(|batch| sender.blocking_send(batch).is_err()) || ends {
                return;
            }
        }
    });
    receiver
}

impl From<ImportCaseHistoriesResponse> for Acknowledgement {
    fn from(answer: ImportCaseHistoriesResponse) -> Self {
        let ImportCaseHistoriesResponse { recorded, unchanged, refused: _, rejected, position } = answer;
        let rejected = rejected.into_iter().map(by_column).collect();
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}

/// Fields are named as the file has them, where they have another name there.
fn by_column(mut row: RejectedRow) -> RejectedRow {
    for violation in &mut row.violations {
        let column = match violation.field.as_str() {
            "type" | "events" => "event",
            "external_id" => "case",
            "open_time" => "time",
            "outcome.finding" => "finding",
            "outcome.root_cause" => "root_cause",
            "outcome.lesson" => "lesson",
            "outcome.redress[0].remedy" => "redress",
            "outcome.redress[0].amount" => "redress_amount",
            _ => continue,
        };
        violation.field = column.to_owned();
    }
    row
}
