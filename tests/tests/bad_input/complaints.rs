//! Every RPC of the complaints service.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Acceptance, AcknowledgeCaseRequest, AmendCaseRequest, AnnotateCaseRequest, AnswerBySelfServiceRequest,
    AskForAcceptanceRequest, AssignCaseRequest, AwaitCustomerRequest, AwaitThirdPartyRequest, CancelCaseRequest, Case,
    CaseKind, ClockKind, CloseCaseRequest, ExplainClockRequest, Finding, LinkCasesRequest, LinkType, ListClocksRequest,
    MergeCaseRequest, OpenCaseRequest, Outcome, PrioritizeCaseRequest, Priority, RecordAcceptanceRequest,
    RecordCustomerMessageRequest, Redress, Remedy, ReopenCaseRequest, ResolveCaseRequest, RespondToCaseRequest,
    ResumeCaseRequest, SetOutcomeRequest, UnlinkCasesRequest, UnmergeCaseRequest, WithdrawCaseRequest, redress,
};
use barometer_tests::{
    samples::{case, eur, hour, key, mask},
    services::Services,
};
use prost::Message;
use prost_types::Timestamp;
use tonic::Code;

use crate::{
    customers::watch,
    facts::{Recorded, batches, pages},
    nouns::texts,
    table::{Edit, Rpc, Table, clear, copies, number, numbers, text, texts as list},
    world::{DONE, NOBODY, World},
};

/// An instant before every case was opened, but after 1900.
const EARLY: i64 = 0;
/// An instant of 2024, long after all cases have ended.
const LATE: i64 = 1_730_000_000;

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
struct Cases {
    /// One in progress, with the key `k-1`, amended once; and one that was withdrawn.
    kind: Recorded,
    /// A question.
    received: String,
    waiting: String,
    /// Merged into the one of `kind`, which it is caused by, and of which it was a duplicate.
    merged: String,
    resolved: String,
    closed: String,
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
fn times(rpc: &mut Rpc<'_>, field: &str) {
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

/// What links two cases, and takes the link away.
fn links(table: &mut Table, cases: &Cases) {
    let (one, other) = (&cases.merged, &cases.kind.id);
    for name in ["LinkCases", "UnlinkCases"] {
        let rpc = &mut table.rpc(name, &[]);
        let on = |id: &str, other: &str| {
            vec![text("case_id", id), text("other_case_id", other), number("type", LinkType::CausedBy as i64)]
        };
        let with = |edit: Edit| on(one, other).into_iter().chain([edit]).collect::<Vec<_>>();
        rpc.invalid("nothing", vec![], &["case_id", "other_case_id", "type"])
            .invalid(
                "garbage",
                vec![text("case_id", "x"), text("other_case_id", "x"), number("type", 9), text("request_id", "x")],
                &["case_id", "other_case_id", "type", "request_id"],
            )
            .invalid("itself", on(one, one), &["other_case_id"])
            .invalid("a long note", with(text("note", "é".repeat(10_001))), &["note"])
            .invalid("a note", with(text("note", "\u{0}")), &["note"])
            .unknown("an unknown case", on(NOBODY, other))
            .unknown("another unknown case", on(one, NOBODY))
            .refused("withdrawn", on(&cases.kind.withdrawn, other), Code::FailedPrecondition, "WITHDRAWN")
            .refused("a stale etag", with(text("etag", "99")), Code::Aborted, "STALE_ETAG")
            .refused(
                "by another request",
                on(one, other).into_iter().chain([text("request_id", DONE), text("etag", "7")]).collect(),
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
    }
    let caused_by = |id: &str, other: &str| {
        vec![text("case_id", id), text("other_case_id", other), number("type", LinkType::CausedBy as i64)]
    };
    table
        .rpc("LinkCases", &[])
        .answered("what is there", caused_by(one, other))
        .refused("in a circle", caused_by(other, one), Code::FailedPrecondition, "LINK_CYCLE")
        .refused("to a withdrawn one", caused_by(one, &cases.kind.withdrawn), Code::FailedPrecondition, "WITHDRAWN");
    table.rpc("UnlinkCases", &[]).unknown("what is not there", caused_by(other, one));
}

/// What became of a case, and what the customer says to it.
fn outcomes(table: &mut Table, cases: &Cases) {
    let Cases { closed, .. } = cases;
    let redress = Redress {
        remedy: Remedy::Refund.into(),
        worth: Some(redress::Worth::Amount(eur(7))),
        reference: String::new(),
    };
    let outcome = Outcome { finding: Finding::Upheld.into(), redress: vec![redress], ..Outcome::default() };
    let good = SetOutcomeRequest { case_id: closed.clone(), outcome: Some(outcome), ..Default::default() };
    let rpc = &mut table.rpc("SetOutcome", &good.encode_to_vec());
    let (first, amount) = ("outcome.redress[0]", "outcome.redress[0].amount");
    let of = |field: &str| format!("{first}.{field}");
    texts(rpc, "outcome", &[("root_cause", 128), ("lesson", 10_000)]);
    texts(rpc, first, &[("reference", 128)]);
    rpc.invalid("no outcome", vec![clear("outcome")], &["outcome"])
        .invalid("no finding", vec![number("outcome.finding", 0)], &["outcome.finding"])
        .invalid("an unknown finding", vec![number("outcome.finding", 9)], &["outcome.finding"])
        .invalid("no path", vec![text("outcome.root_cause", "a//b")], &["outcome.root_cause"])
        .invalid("17", vec![copies("outcome.redress", 17)], &["outcome.redress"])
        .invalid("no remedy", vec![number(&of("remedy"), 0)], &[&of("remedy")])
        .invalid("a refund of nothing", vec![clear(amount)], &[amount])
        .invalid("a refund of zero", vec![number(&format!("{amount}.units"), 0)], &[amount])
        .invalid("a negative refund", vec![number(&format!("{amount}.units"), -1)], &[amount])
        .invalid(
            "a currency",
            vec![text(&format!("{amount}.currency_code"), "")],
            &[&format!("{amount}.currency_code")],
        )
        .invalid("no points", vec![number(&of("points"), 0)], &[&of("points")])
        .invalid("too many points", vec![number(&of("points"), 1_000_000_001)], &[&of("points")])
        .invalid("a dear apology", vec![number(&of("remedy"), Remedy::Apology as i64)], &[amount]);
    let rpc = &mut table.rpc("RecordAcceptance", &[]);
    let on = |acceptance: i64| vec![text("case_id", closed), number("acceptance", acceptance)];
    for bad in [0, 1, 2, 5, 9] {
        rpc.invalid("neither accepted nor declined", on(bad), &["acceptance"]);
    }
    for bad in [0, 6, -1] {
        let edits = on(3).into_iter().chain([number("satisfaction", bad)]).collect();
        rpc.invalid("a satisfaction", edits, &["satisfaction"]);
    }
}

/// Merging, and undoing it.
fn merges(table: &mut Table, cases: &Cases) {
    let Cases { kind, received, merged, closed, .. } = cases;
    let rpc = &mut table.rpc("MergeCase", &[]);
    let on = |id: &str, other: &str| vec![text("case_id", id), text("into_case_id", other)];
    let with = |edit: Edit| on(received, &kind.id).into_iter().chain([edit]).collect::<Vec<_>>();
    rpc.invalid("nothing", vec![], &["case_id", "into_case_id"])
        .invalid("itself", on(received, received), &["into_case_id"])
        .invalid("a note", with(text("note", "\u{0}")), &["note"])
        .invalid("too early", with(number("time.seconds", EARLY)), &["time"])
        .invalid("the future", with(number("time.seconds", 4_000_000_000)), &["time"])
        .unknown("an unknown case", on(NOBODY, received))
        .unknown("another unknown case", on(received, NOBODY))
        .refused("a stale etag", with(text("etag", "99")), Code::Aborted, "STALE_ETAG")
        .refused("withdrawn", on(&kind.withdrawn, received), Code::FailedPrecondition, "WITHDRAWN")
        .refused("into a withdrawn one", on(received, &kind.withdrawn), Code::FailedPrecondition, "WITHDRAWN")
        .refused("a wrong state", on(closed, received), Code::FailedPrecondition, "WRONG_STATE")
        .refused("into a merged one", on(received, merged), Code::FailedPrecondition, "WRONG_STATE")
        .refused(
            "by another request",
            on(received, &kind.id).into_iter().chain([text("request_id", DONE)]).collect(),
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
        );
    table.rpc("WithdrawCase", &[]).refused(
        "what others are merged into",
        vec![text("case_id", &kind.id)],
        Code::FailedPrecondition,
        "HAS_MERGED",
    );
}

/// A verb: its RPC, its field of free text, what must be in it, whether it has a time, a case on which it works, and some
/// on which not.
type Row<'c> = (&'c str, &'c str, &'c str, bool, &'c String, Vec<&'c String>);

/// The verbs: their field of free text, whether it must be there, a case on which they work, and some on which not.
fn verbs(table: &mut Table, cases: &Cases) {
    let Cases { kind, received, waiting, merged, resolved, closed } = cases;
    let progress = &kind.id;
    let rows: [Row<'_>; 18] = [
        ("AcknowledgeCase", "message", "", true, received, vec![progress, resolved, closed]),
        ("RespondToCase", "message", "", true, progress, vec![resolved, closed]),
        ("RecordCustomerMessage", "message", "", true, received, vec![]),
        ("AwaitCustomer", "message", "", true, received, vec![resolved, closed]),
        ("AwaitThirdParty", "note", "", true, received, vec![resolved, closed]),
        ("ResumeCase", "note", "", true, waiting, vec![received, progress, resolved, closed]),
        ("AnswerBySelfService", "message", "", true, received, vec![waiting, resolved, closed]),
        ("ResolveCase", "message", "", true, received, vec![resolved, closed]),
        ("ReopenCase", "reason", "why", true, closed, vec![received, progress]),
        ("CloseCase", "note", "", true, resolved, vec![received, progress, closed]),
        ("CancelCase", "reason", "why", true, received, vec![resolved, closed]),
        ("PrioritizeCase", "reason", "why", true, received, vec![closed]),
        ("UnmergeCase", "note", "", true, merged, vec![received, waiting, closed]),
        ("SetOutcome", "note", "", true, received, vec![merged]),
        ("AskForAcceptance", "message", "", true, resolved, vec![received, progress, merged]),
        ("RecordAcceptance", "comment", "", true, closed, vec![received, progress, merged]),
        ("AssignCase", "note", "", true, received, vec![closed, merged]),
        ("AnnotateCase", "note", "a note", false, received, vec![]),
    ];
    for (name, words, needed, timed, works, refused) in rows {
        let rpc = &mut table.rpc(name, &[]);
        let on = |id: &str| {
            let besides = match name {
                "SetOutcome" => vec![number("outcome.finding", 1)],
                "RecordAcceptance" => vec![number("acceptance", 3)],
                _ => vec![],
            };
            [text("case_id", id), text(words, needed)].into_iter().chain(besides).collect::<Vec<_>>()
        };
        let with = |edits: Vec<Edit>| on(works).into_iter().chain(edits).collect::<Vec<_>>();
        for id in refused {
            rpc.refused("a wrong state", on(id), Code::FailedPrecondition, "WRONG_STATE");
        }
        let garbage = [text("request_id", "x"), text(words, "\u{0}")];
        rpc.invalid("no id", on(""), &["case_id"])
            .invalid("garbage", on("x").into_iter().chain(garbage).collect(), &["case_id", "request_id", words])
            .invalid("too long", with(vec![text(words, "é".repeat(10_001))]), &[words])
            .unknown("an unknown id", on(NOBODY))
            .refused("withdrawn", on(&kind.withdrawn), Code::FailedPrecondition, "WITHDRAWN")
            .refused("a stale etag", with(vec![text("etag", "99")]), Code::Aborted, "STALE_ETAG")
            .refused(
                "by another request",
                with(vec![text("request_id", DONE), text("etag", "7")]),
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
        if !needed.is_empty() {
            rpc.invalid("no words", vec![text("case_id", works)], &[words]);
        }
        if timed {
            rpc.invalid("too early", with(vec![number("time.seconds", EARLY)]), &["time"]);
            for (what, seconds) in [("the future", 4_000_000_000), ("before 1900", -2_208_988_801)] {
                rpc.invalid(what, with(vec![number("time.seconds", seconds)]), &["time"]);
            }
        }
    }
    table
        .rpc("AssignCase", &[])
        .invalid("a long employee", vec![text("case_id", received), text("employee", "e".repeat(65))], &["employee"])
        .invalid("a team", vec![text("case_id", received), text("team", "\u{0}")], &["team"]);
    table.rpc("RespondToCase", &[]).invalid("a reply", vec![text("case_id", received), number("reply", 9)], &["reply"]);
    table.rpc("PrioritizeCase", &[]).invalid(
        "a priority",
        vec![text("case_id", received), text("reason", "why"), number("priority", 9)],
        &["priority"],
    );
    table.rpc("AnswerBySelfService", &[]).refused(
        "no question",
        vec![text("case_id", progress)],
        Code::FailedPrecondition,
        "NEEDS_A_PERSON",
    );
    let late = vec![text("case_id", closed), number("time.seconds", LATE)];
    table.rpc("RecordCustomerMessage", &[]).refused("late", late, Code::FailedPrecondition, "REOPEN_WINDOW_OVER");
    let late = vec![text("case_id", closed), text("reason", "why"), number("time.seconds", LATE)];
    table.rpc("ReopenCase", &[]).refused("late", late, Code::FailedPrecondition, "REOPEN_WINDOW_OVER");
    for name in ["RespondToCase", "RecordCustomerMessage", "AwaitCustomer", "AnnotateCase"] {
        let note = if name == "AnnotateCase" { "note" } else { "message" };
        attachments(&mut table.rpc(name, &[]), "attachments", || vec![text("case_id", received), text(note, "n")]);
    }
}

/// References that are none.
fn attachments(rpc: &mut Rpc<'_>, field: &str, before: impl Fn() -> Vec<Edit>) {
    let one = || before().into_iter().chain([copies(field, 1)]).collect::<Vec<_>>();
    let of = |name: &str| format!("{field}[0].{name}");
    let with = |name: &str, value: &str| one().into_iter().chain([text(&of(name), value)]).collect::<Vec<_>>();
    let good = |name: &str, value: &str| {
        with("uri", "s3://a/b").into_iter().chain([text(&of(name), value)]).collect::<Vec<_>>()
    };
    rpc.invalid("no uri", one(), &[&of("uri")]);
    for bad in ["x", "/a/b", "data:,x", "https://a b", "a:\u{0}", &format!("s3://{}", "é".repeat(2_044))] {
        rpc.invalid("a reference", with("uri", bad), &[&of("uri")]);
    }
    rpc.invalid("a media type", good("media_type", "jpeg"), &[&of("media_type")])
        .invalid("a long media type", good("media_type", &format!("a/{}", "b".repeat(126))), &[&of("media_type")])
        .invalid("a long name", good("name", &"é".repeat(257)), &[&of("name")])
        .invalid("17", before().into_iter().chain([copies(field, 17)]).collect(), &[field]);
}

fn clocks(table: &mut Table, cases: &Cases) {
    let good = ListClocksRequest { case_ids: vec![cases.received.clone()], time: None };
    let rpc = &mut table.rpc("ListClocks", &good.encode_to_vec());
    rpc.invalid("none", vec![clear("case_ids")], &["case_ids"])
        .invalid("101 of them", vec![list("case_ids", &[NOBODY; 101])], &["case_ids"])
        .invalid(
            "no ids, and one twice",
            vec![list("case_ids", &["", "x", NOBODY, NOBODY])],
            &["case_ids[0]", "case_ids[1]", "case_ids[3]"],
        )
        .unknown("of nobody", vec![list("case_ids", &[NOBODY])]);
    times(rpc);
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
    times(rpc);
}

/// Instants that nobody can be told of.
fn times(rpc: &mut Rpc<'_>) {
    for seconds in [-2_208_988_801, 253_402_300_800, 10_000_000_000] {
        rpc.invalid("a time", vec![number("time.seconds", seconds)], &["time"]);
    }
    rpc.invalid("nanos", vec![number("time.nanos", -1)], &["time"]);
}
