//! Every method of the complaints service.

use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{
        Acceptance, AcknowledgeCaseRequest, AnnotateCaseRequest, AnswerBySelfServiceRequest, AskForAcceptanceRequest,
        AssignCaseRequest, Attachment, AwaitCustomerRequest, AwaitThirdPartyRequest, BatchGetClocksRequest,
        BatchGetClocksResponse, CancelCaseRequest, Case, CaseEntryType, CaseEvent, CaseHistory, CaseKind, Clock,
        ClockKind, CloseCaseRequest, ExplainClockRequest, Finding, ImportCaseHistoriesRequest,
        ImportCaseHistoriesResponse, LinkCasesRequest, LinkType, ListCaseEntriesRequest, ListCaseEntriesResponse,
        MergeCaseRequest, OpenCaseRequest, Outcome, PrioritizeCaseRequest, Priority, RecordAcceptanceRequest,
        RecordCustomerMessageRequest, Redress, Remedy, ReopenCaseRequest, ResolveCaseRequest, RespondToCaseRequest,
        ResumeCaseRequest, SetOutcomeRequest, UnlinkCasesRequest, UnmergeCaseRequest, WatchFactsRequest,
        WatchFactsResponse, case as of_case, redress,
    },
};
use barometer_tests::samples::case;
use prost::Message;

use crate::{
    caller::{Caller, MARK},
    recorded::{self, Noun},
};

const SERVICE: &str = "barometer.complaints.v1.ComplaintService";

pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let key = ExternalId { system: MARK.to_owned(), value: MARK.to_owned() };
    let mark = || MARK.to_owned();
    let attachments = || vec![Attachment { uri: format!("s3://{MARK}"), media_type: String::new(), name: mark() }];
    let case = Case {
        customer: Some(of_case::Customer::CustomerKey(key.clone())),
        subject: mark(),
        description: mark(),
        attachments: attachments(),
        kind: CaseKind::Question.into(),
        ..case("")
    };
    let open = OpenCaseRequest { case: Some(case.clone()), request_id: String::new() };
    let Case { case_id, .. } = caller.call(&method("OpenCase"), &open).await;
    let id = || case_id.clone();
    let acknowledge = AcknowledgeCaseRequest { case_id: id(), message: mark(), ..Default::default() };
    let _: Case = caller.call(&method("AcknowledgeCase"), &acknowledge).await;
    let respond =
        RespondToCaseRequest { case_id: id(), message: mark(), attachments: attachments(), ..Default::default() };
    let _: Case = caller.call(&method("RespondToCase"), &respond).await;
    let wait = AwaitThirdPartyRequest { case_id: id(), note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("AwaitThirdParty"), &wait).await;
    let resume = ResumeCaseRequest { case_id: id(), note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("ResumeCase"), &resume).await;
    let (message, files) = (mark(), attachments());
    let wait = AwaitCustomerRequest { case_id: id(), message, attachments: files, ..Default::default() };
    let _: Case = caller.call(&method("AwaitCustomer"), &wait).await;
    let (message, files) = (mark(), attachments());
    let hear = RecordCustomerMessageRequest { case_id: id(), message, attachments: files, ..Default::default() };
    let _: Case = caller.call(&method("RecordCustomerMessage"), &hear).await;
    let priority = Priority::Urgent.into();
    let prioritize = PrioritizeCaseRequest { case_id: id(), priority, reason: mark(), ..Default::default() };
    let _: Case = caller.call(&method("PrioritizeCase"), &prioritize).await;
    let team = "billing".to_owned();
    let assign = AssignCaseRequest { case_id: id(), team, note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("AssignCase"), &assign).await;
    let annotate =
        AnnotateCaseRequest { case_id: id(), note: mark(), attachments: attachments(), ..Default::default() };
    let _: Case = caller.call(&method("AnnotateCase"), &annotate).await;
    let resolve = ResolveCaseRequest { case_id: id(), message: mark(), ..Default::default() };
    let _: Case = caller.call(&method("ResolveCase"), &resolve).await;
    let ask = AskForAcceptanceRequest { case_id: id(), message: mark(), ..Default::default() };
    let _: Case = caller.call(&method("AskForAcceptance"), &ask).await;
    let (acceptance, comment) = (Acceptance::Accepted.into(), mark());
    let accept = RecordAcceptanceRequest { case_id: id(), acceptance, comment, ..Default::default() };
    let _: Case = caller.call(&method("RecordAcceptance"), &accept).await;
    let worth = Some(redress::Worth::Points(7));
    let redress = vec![Redress { remedy: Remedy::Voucher.into(), worth, reference: mark() }];
    let finding = Finding::Upheld.into();
    let outcome = Some(Outcome { finding, redress, root_cause: String::new(), lesson: mark() });
    let decide = SetOutcomeRequest { case_id: id(), outcome, note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("SetOutcome"), &decide).await;
    let close = CloseCaseRequest { case_id: id(), note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("CloseCase"), &close).await;
    let reopen = ReopenCaseRequest { case_id: id(), reason: mark(), ..Default::default() };
    let _: Case = caller.call(&method("ReopenCase"), &reopen).await;
    let serve = AnswerBySelfServiceRequest { case_id: id(), message: mark(), ..Default::default() };
    let _: Case = caller.call(&method("AnswerBySelfService"), &serve).await;
    let _: Case = caller.call(&method("ReopenCase"), &reopen).await;
    let other = OpenCaseRequest { case: Some(case.clone()), request_id: String::new() };
    let Case { case_id: other, .. } = caller.call(&method("OpenCase"), &other).await;
    let kind = LinkType::CausedBy.into();
    let (other_case_id, note) = (other.clone(), mark());
    let link = LinkCasesRequest { case_id: id(), r#type: kind, other_case_id, note, ..Default::default() };
    let _: Case = caller.call(&method("LinkCases"), &link).await;
    let (other_case_id, note) = (other.clone(), mark());
    let unlink = UnlinkCasesRequest { case_id: id(), r#type: kind, other_case_id, note, ..Default::default() };
    let _: Case = caller.call(&method("UnlinkCases"), &unlink).await;
    let merge = MergeCaseRequest { case_id: id(), into_case_id: other, note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("MergeCase"), &merge).await;
    let unmerge = UnmergeCaseRequest { case_id: id(), note: mark(), ..Default::default() };
    let _: Case = caller.call(&method("UnmergeCase"), &unmerge).await;
    let cancel = CancelCaseRequest { case_id: id(), reason: mark(), ..Default::default() };
    let _: Case = caller.call(&method("CancelCase"), &cancel).await;
    let list = BatchGetClocksRequest { case_ids: vec![id()], time: None };
    let _: BatchGetClocksResponse = caller.call(&method("BatchGetClocks"), &list).await;
    let kind = ClockKind::FirstResponse.into();
    let explain = ExplainClockRequest { case_id: id(), kind, ..ExplainClockRequest::default() };
    let _: Clock = caller.call(&method("ExplainClock"), &explain).await;
    let list = ListCaseEntriesRequest { case_id: id(), ..Default::default() };
    let _: ListCaseEntriesResponse = caller.call(&method("ListCaseEntries"), &list).await;

    let past = CaseEvent {
        r#type: CaseEntryType::Annotated.into(),
        time: case.open_time,
        actor: mark(),
        text: mark(),
        attachments: attachments(),
        ..CaseEvent::default()
    };
    let key_of_past = ExternalId { system: mark(), value: format!("{MARK}-past") };
    let lived = Case { external_id: Some(key_of_past), ..case.clone() };
    let histories = vec![CaseHistory { row: 1, case: Some(lived), actor: mark(), events: vec![past] }];
    let import = ImportCaseHistoriesRequest { histories };
    let imported: ImportCaseHistoriesResponse = caller.call(&method("ImportCaseHistories"), &import).await;
    assert_eq!((imported.recorded, imported.refused), (1, 0));

    let sample = Case { external_id: Some(key), ..case }.encode_to_vec();
    recorded::call_all(caller, Noun { service: SERVICE, verb: "Open", name: "Case", field: "case", sample }).await;
    let _: WatchFactsResponse = caller.call(&method("WatchFacts"), &WatchFactsRequest::default()).await;
}
