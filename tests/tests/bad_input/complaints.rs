//! Every RPC of the complaints service.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Acceptance, AcknowledgeCaseRequest, AmendCaseRequest, AnnotateCaseRequest, AnswerBySelfServiceRequest,
    AskForAcceptanceRequest, AssignCaseRequest, AwaitCustomerRequest, AwaitThirdPartyRequest, BatchGetClocksRequest,
    CancelCaseRequest, Case, CaseKind, ClockKind, CloseCaseRequest, ExplainClockRequest, Finding, LinkCasesRequest,
    LinkType, MergeCaseRequest, OpenCaseRequest, Outcome, PrioritizeCaseRequest, Priority, RecordAcceptanceRequest,
    RecordCustomerMessageRequest, ReopenCaseRequest, ResolveCaseRequest, RespondToCaseRequest, ResumeCaseRequest,
    SetOutcomeRequest, UnlinkCasesRequest, UnmergeCaseRequest, WithdrawCaseRequest,
};
use barometer_tests::{
    samples::{case, hour, key, mask},
    services::Services,
};
use prost::Message;
use prost_types::Timestamp;
use tonic::Code;

use crate::{
    case_verbs::{attachments, links, merges, outcomes, verbs},
    customers::watch,
    facts::{Recorded, batches, histories, pages},
    nouns::texts,
    table::{Edit, Rpc, Table, clear, number, numbers, text, texts as list},
    world::{DONE, NOBODY, World},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let cases = Cases::new(&services, &world.customer.customer_id).await;
        let mut table = Table::of("barometer.complaints.v1.ComplaintService");
        open(&mut table, &cases);
        read(&mut table, &cases);
        amend(&mut table, &cases);
        cases.kind.withdraw(&mut table.rpc("WithdrawCase", &[]));
        batches(&mut table.rpc("ImportCases", &[]));
        histories(&mut table.rpc("ImportCaseHistories", &[]));
        verbs(&mut table, &cases);
        clocks(&mut table, &cases);
        links(&mut table, &cases);
        merges(&mut table, &cases);
        outcomes(&mut table, &cases);
        watch(&mut table.rpc("WatchFacts", &[]), "complaints", &world.customer.position);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

/// Cases as far as they can come; everything was done by the `request_id` [`DONE`].
pub(crate) struct Cases {
    /// One in progress, with the key `k-1`, amended once; and one that was withdrawn.
    pub(crate) kind: Recorded,
    /// A question.
    pub(crate) received: String,
    pub(crate) waiting: String,
    /// Merged into the one of `kind`, which it is caused by, and of which it was a duplicate.
    pub(crate) merged: String,
    pub(crate) resolved: String,
    pub(crate) closed: String,
}

impl Cases {
    async fn new(services: &Services, customer: &str) -> Self {
        let mut client = services.complaints.clone();
        let request_id = DONE.to_owned();
        let new = async |case: Case, request_id: &str| {
            let request = OpenCaseRequest { case: Some(case), request_id: request_id.to_owned() };
            services.complaints.clone().open_case(request).await.expect("opened").into_inner().case_id
        };
        let kept = new(Case { external_id: Some(key("k-1")), ..case(customer) }, DONE).await;
        let [received, resolved, closed, withdrawn] = [
            new(Case { kind: CaseKind::Question.into(), ..case(customer) }, "").await,
            new(case(customer), "").await,
            new(case(customer), "").await,
            new(case(customer), "").await,
        ];

        let patch = Case { case_id: kept.clone(), category: "no delivery".to_owned(), ..Case::default() };
        let request =
            AmendCaseRequest { case: Some(patch), update_mask: mask(&["category"]), request_id: request_id.clone() };
        client.amend_case(request).await.expect("amended");
        let request =
            WithdrawCaseRequest { case_id: withdrawn.clone(), etag: String::new(), request_id: DONE.to_owned() };
        client.withdraw_case(request).await.expect("withdrawn");

        let time = |hours| -> Option<Timestamp> { Some(hour(hours)) };
        let (case_id, request_id) = (kept.clone(), request_id.clone());
        let (etag, note) = (String::new(), "n".to_owned());
        let message = String::new();
        let request = AcknowledgeCaseRequest {
            case_id: case_id.clone(),
            message: message.clone(),
            time: time(2),
            etag: etag.clone(),
            request_id: request_id.clone(),
        };
        client.acknowledge_case(request).await.expect("acknowledged");
        let request = RespondToCaseRequest {
            case_id: case_id.clone(),
            time: time(3),
            request_id: request_id.clone(),
            ..Default::default()
        };
        client.respond_to_case(request).await.expect("responded");
        let (id, request_id) = (case_id.clone(), request_id.clone());
        let request = AnnotateCaseRequest { case_id: id, note, request_id: request_id.clone(), ..Default::default() };
        client.annotate_case(request).await.expect("annotated");
        let request = AssignCaseRequest {
            case_id: case_id.clone(),
            team: "t".to_owned(),
            request_id: request_id.clone(),
            ..Default::default()
        };
        client.assign_case(request).await.expect("assigned");
        for (case_id, request_id) in [(&resolved, DONE), (&closed, "")] {
            let request = ResolveCaseRequest {
                case_id: case_id.clone(),
                message: message.clone(),
                time: time(4),
                etag: etag.clone(),
                request_id: request_id.to_owned(),
            };
            client.resolve_case(request).await.expect("resolved");
        }
        let request = ReopenCaseRequest {
            case_id: resolved.clone(),
            reason: "r".to_owned(),
            time: time(5),
            etag: etag.clone(),
            request_id: request_id.clone(),
        };
        client.reopen_case(request).await.expect("reopened");
        let request = ResolveCaseRequest { case_id: resolved.clone(), time: time(6), ..Default::default() };
        client.resolve_case(request).await.expect("resolved again");
        let request = CloseCaseRequest { case_id: closed.clone(), time: time(6), request_id, ..Default::default() };
        client.close_case(request).await.expect("closed");

        let good = OpenCaseRequest { case: Some(case(customer)), request_id: String::new() }.encode_to_vec();
        let kind = Recorded { field: "case", time: "open_time", good, id: kept, withdrawn };
        let waiting = waiting(services, customer).await;
        let merged = merged(services, customer, &kind.id).await;
        Cases { kind, received, waiting, merged, resolved, closed }
    }
}

/// A case that waits; on the way all was done that no other case needs.
async fn waiting(services: &Services, customer: &str) -> String {
    let mut client = services.complaints.clone();
    let new = async |case: Case| {
        let request = OpenCaseRequest { case: Some(case), request_id: String::new() };
        services.complaints.clone().open_case(request).await.expect("opened").into_inner().case_id
    };
    let (case_id, request_id) = (new(case(customer)).await, DONE.to_owned());
    let id = || (case_id.clone(), request_id.clone());
    let (case_id, request_id) = id();
    let request = AwaitCustomerRequest { case_id, request_id, ..Default::default() };
    client.await_customer(request).await.expect("it waits");
    let (case_id, request_id) = id();
    let request = RecordCustomerMessageRequest { case_id, request_id, ..Default::default() };
    client.record_customer_message(request).await.expect("heard");
    let (case_id, request_id) = id();
    let request = AwaitThirdPartyRequest { case_id, request_id, ..Default::default() };
    client.await_third_party(request).await.expect("it waits");
    let (case_id, request_id) = id();
    let request = ResumeCaseRequest { case_id, request_id, ..Default::default() };
    client.resume_case(request).await.expect("resumed");
    let (case_id, request_id) = id();
    let (priority, reason) = (Priority::High.into(), "r".to_owned());
    let request = PrioritizeCaseRequest { case_id, priority, reason, request_id, ..Default::default() };
    client.prioritize_case(request).await.expect("prioritized");
    let (case_id, request_id) = id();
    let outcome = Some(Outcome { finding: Finding::Rejected.into(), ..Outcome::default() });
    let request = SetOutcomeRequest { case_id, outcome, request_id, ..Default::default() };
    client.set_outcome(request).await.expect("decided");
    let (case_id, _) = id();
    client.await_customer(AwaitCustomerRequest { case_id, ..Default::default() }).await.expect("it waits");

    let question = Case { kind: CaseKind::Question.into(), ..case(customer) };
    let request =
        AnswerBySelfServiceRequest { case_id: new(question).await, request_id: DONE.to_owned(), ..Default::default() };
    let case_id = client.answer_by_self_service(request).await.expect("a question").into_inner().case_id;
    let request =
        AskForAcceptanceRequest { case_id: case_id.clone(), request_id: DONE.to_owned(), ..Default::default() };
    client.ask_for_acceptance(request).await.expect("asked");
    let (acceptance, request_id) = (Acceptance::Accepted.into(), DONE.to_owned());
    let request = RecordAcceptanceRequest { case_id, acceptance, request_id, ..Default::default() };
    client.record_acceptance(request).await.expect("told");
    let (case_id, reason) = (new(case(customer)).await, "r".to_owned());
    let request = CancelCaseRequest { case_id, reason, request_id: DONE.to_owned(), ..Default::default() };
    client.cancel_case(request).await.expect("cancelled");
    id().0
}

fn open(table: &mut Table, cases: &Cases) {
    let kind = &cases.kind;
    let rpc = &mut table.rpc("OpenCase", &kind.good);
    rpc.invalid("no message", vec![clear("case")], &["case"])
        .invalid("garbage request id", vec![text("request_id", "x")], &["request_id"])
        .invalid("garbage customer", vec![text("case.customer_id", "c-1")], &["case.customer_id"])
        .invalid("an undeclared stage", vec![text("case.journey_stage", "limbo")], &["case.journey_stage"]);
    times(rpc, "case.open_time");
    words(rpc);
    texts(rpc, "case", &[("employee", 64), ("team", 64)]);
    for field in ["case.kind", "case.severity", "case.remedy_sought"] {
        rpc.invalid("an unknown value", vec![number(field, 99)], &[field]);
    }
    attachments(rpc, "case.attachments", Vec::new);
    for key in ["case.customer_key", "case.external_id"] {
        kind.keys(rpc, key);
    }
    kind.dimensions(rpc);
    let everything = vec![
        text("request_id", "x"),
        text("case.customer_id", "x"),
        number("case.open_time.nanos", -1),
        text("case.external_id.value", ""),
        text("case.subject", "\u{0}"),
    ];
    let fields = ["request_id", "case.customer_id", "case.open_time", "case.external_id.value", "case.subject"];
    rpc.invalid("several at once", everything, &fields);
    let other = || text("case.category", "another");
    let used = vec![text("case.external_id.system", "shop"), text("case.external_id.value", "k-1"), other()];
    rpc.refused("a key with other values", used, Code::AlreadyExists, "KEY_REUSED");
    let again = vec![text("request_id", DONE), other()];
    rpc.refused("a request id with other values", again, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

/// What is said of a case, in words.
fn words(rpc: &mut Rpc<'_>) {
    let lengths = [
        ("subject", 256),
        ("description", 10_000),
        ("category", 128),
        ("product", 128),
        ("channel", 64),
        ("touchpoint", 64),
    ];
    texts(rpc, "case", &lengths);
    for path in ["/", "delivery/", "/late", "a//b", "a/b/c/d/e/f/g/h/i"] {
        rpc.invalid("no path", vec![text("case.category", path)], &["case.category"]);
    }
    let fields = ["case.tags[0]", "case.tags[1]", "case.tags[2]"];
    rpc.invalid("tags", vec![list("case.tags", &["", "a\u{0}", &"é".repeat(65)])], &fields).invalid(
        "33 tags",
        vec![list("case.tags", &["a"; 33])],
        &["case.tags"],
    );
}

/// Instants that cannot be.
pub(crate) fn times(rpc: &mut Rpc<'_>, field: &str) {
    let (seconds, nanos) = (&format!("{field}.seconds"), &format!("{field}.nanos"));
    rpc.invalid("time beyond 9999", vec![number(seconds, 253_402_300_800)], &[field])
        .invalid("time before 1", vec![number(seconds, -62_135_596_801)], &[field])
        .invalid("before 1900", vec![number(seconds, -2_208_988_801)], &[field])
        .invalid("negative nanos", vec![number(nanos, -1)], &[field])
        .invalid("the future", vec![number(seconds, 4_000_000_000)], &[field]);
}

fn read(table: &mut Table, cases: &Cases) {
    cases.kind.get(&mut table.rpc("GetCase", &[]));
    let rpc = &mut table.rpc("ListCases", &[]);
    cases.kind.list(rpc);
    for field in ["kinds", "severities", "priorities"] {
        rpc.invalid("unknown values", vec![numbers(field, vec![1, 99])], &[&format!("{field}[1]")]).invalid(
            "17 values",
            vec![numbers(field, vec![1; 17])],
            &[field],
        );
    }
    for (field, longest) in [("category", 128), ("product", 128), ("channel", 64)] {
        rpc.invalid("a long text", vec![text(field, "é".repeat(longest + 1))], &[field]);
    }
    rpc.invalid("tags", vec![list("tags", &["", "a\u{0}", &"é".repeat(65)])], &["tags[0]", "tags[1]", "tags[2]"])
        .invalid("no order", vec![number("order", 9), number("due_before.nanos", -1)], &["due_before", "order"])
        .invalid("17 tags", vec![list("tags", &["a"; 17])], &["tags"])
        .invalid("unknown states", vec![numbers("states", vec![1, 0, 99])], &["states[1]", "states[2]"])
        .invalid("17 states", vec![numbers("states", vec![1; 17])], &["states"])
        .invalid("a long employee", vec![text("employee", "e".repeat(65))], &["employee"])
        .invalid("a team with a control character", vec![text("team", "\u{0}")], &["team"]);
    let rpc = &mut table.rpc("ListCaseEntries", &[]);
    rpc.invalid("no case", vec![], &["case_id"])
        .invalid("garbage", vec![text("case_id", "x"), number("page_size", -1)], &["case_id", "page_size"])
        .unknown("an unknown case", vec![text("case_id", NOBODY)]);
    let good = barometer_proto::complaints::v1::ListCaseEntriesRequest {
        case_id: cases.received.clone(),
        ..Default::default()
    };
    pages(&mut table.rpc("ListCaseEntries", &good.encode_to_vec()));
}

fn amend(table: &mut Table, cases: &Cases) {
    let kind = &cases.kind;
    let rpc = &mut table.rpc("AmendCase", &[]);
    let named = |id: &str| vec![text("case.case_id", id), text("case.category", "another")];
    let with = |edits: Vec<Edit>| named(&kind.id).into_iter().chain(edits).collect::<Vec<_>>();
    let paths = |paths: &[&str]| list("update_mask.paths", paths);
    let on = |id: &str, edits: Vec<Edit>| named(id).into_iter().chain(edits).collect::<Vec<_>>();
    let everything = |paths: Edit| {
        vec![
            text("case.subject", "\u{0}"),
            text("case.category", "a//b"),
            text("case.journey_stage", "limbo"),
            text("case.customer_key.value", ""),
            text("request_id", "x"),
            paths,
        ]
    };
    const WRONG: [&str; 5] =
        ["case.subject", "case.category", "case.journey_stage", "case.customer_key.value", "request_id"];
    rpc.invalid("no message", vec![], &["case"])
        .invalid("no id", vec![text("case.etag", "1")], &["case.case_id"])
        .invalid("garbage", vec![text("case.case_id", "1"), text("request_id", "1")], &["case.case_id", "request_id"])
        .unknown("unknown id", named(NOBODY))
        .unknown("unknown id, with a key", vec![text("case.case_id", NOBODY), text("case.customer_key.value", "new")])
        .refused("a stale etag", with(vec![text("case.etag", "1")]), Code::Aborted, "STALE_ETAG")
        .refused("withdrawn", named(&kind.withdrawn), Code::FailedPrecondition, "WITHDRAWN")
        .invalid(
            "what can not be amended",
            with(vec![paths(&["state", "open_time", "category", "employee", "team", "external_id", "history"])]),
            &[0, 1, 3, 4, 5, 6].map(|at| format!("update_mask.paths[{at}]")).each_ref().map(String::as_str),
        )
        .invalid("no field", with(vec![paths(&["nonsense", ""])]), &["update_mask.paths[0]", "update_mask.paths[1]"])
        .invalid("a stage", with(vec![text("case.journey_stage", "limbo")]), &["case.journey_stage"])
        .invalid("a customer", with(vec![text("case.customer_id", "x")]), &["case.customer_id"])
        .invalid("a key", with(vec![text("case.customer_key.value", "")]), &["case.customer_key.value"])
        .invalid("all at once", with(everything(paths(&[]))), &WRONG)
        .invalid("all at once, of a case that is not there", on(NOBODY, everything(paths(&[]))), &WRONG)
        .invalid(
            "all at once, without an id",
            on("x", everything(paths(&["subject", "state", "journey_stage"]))),
            &["case.case_id", "case.subject", "case.journey_stage", "update_mask.paths[1]", "request_id"],
        )
        .refused("by another request", with(vec![text("request_id", DONE)]), Code::AlreadyExists, "REQUEST_ID_REUSED");
    let patch = Case { case_id: kind.id.clone(), ..Case::default() };
    let good = AmendCaseRequest { case: Some(patch), ..Default::default() }.encode_to_vec();
    words(&mut table.rpc("AmendCase", &good));
}

/// A case that is linked to another, and merged into it.
async fn merged(services: &Services, customer: &str, into: &str) -> String {
    let mut client = services.complaints.clone();
    let request = OpenCaseRequest { case: Some(case(customer)), request_id: String::new() };
    let case_id = client.open_case(request).await.expect("opened").into_inner().case_id;
    let link = |kind: LinkType, request_id: &str| LinkCasesRequest {
        case_id: case_id.clone(),
        r#type: kind.into(),
        other_case_id: into.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    client.link_cases(link(LinkType::CausedBy, DONE)).await.expect("linked");
    client.link_cases(link(LinkType::DuplicateOf, "")).await.expect("linked");
    let request = UnlinkCasesRequest {
        case_id: case_id.clone(),
        r#type: LinkType::DuplicateOf.into(),
        other_case_id: into.to_owned(),
        request_id: DONE.to_owned(),
        ..Default::default()
    };
    client.unlink_cases(request).await.expect("unlinked");
    let merge = |request_id: &str| MergeCaseRequest {
        case_id: case_id.clone(),
        into_case_id: into.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    client.merge_case(merge(DONE)).await.expect("merged");
    let request = UnmergeCaseRequest { case_id: case_id.clone(), request_id: DONE.to_owned(), ..Default::default() };
    client.unmerge_case(request).await.expect("unmerged");
    client.merge_case(merge("")).await.expect("merged again");
    case_id
}

fn clocks(table: &mut Table, cases: &Cases) {
    let good = BatchGetClocksRequest { case_ids: vec![cases.received.clone()], time: None };
    let rpc = &mut table.rpc("BatchGetClocks", &good.encode_to_vec());
    rpc.invalid("none", vec![clear("case_ids")], &["case_ids"])
        .invalid("101 of them", vec![list("case_ids", &[NOBODY; 101])], &["case_ids"])
        .invalid(
            "no ids, and one twice",
            vec![list("case_ids", &["", "x", NOBODY, NOBODY])],
            &["case_ids[0]", "case_ids[1]", "case_ids[3]"],
        )
        .unknown("of nobody", vec![list("case_ids", &[NOBODY])]);
    times(rpc, "time");
    let good = ExplainClockRequest {
        case_id: cases.received.clone(),
        kind: ClockKind::FirstResponse.into(),
        ..ExplainClockRequest::default()
    };
    let rpc = &mut table.rpc("ExplainClock", &good.encode_to_vec());
    rpc.invalid("no id", vec![text("case_id", "x")], &["case_id"])
        .invalid("no kind", vec![clear("kind")], &["kind"])
        .invalid("an unknown kind", vec![number("kind", 99)], &["kind"])
        .invalid("a negative instance", vec![number("instance", -1)], &["instance"])
        .unknown("of nobody", vec![text("case_id", NOBODY)])
        .unknown("of a case without a policy", vec![number("instance", 1)]);
    times(rpc, "time");
}
