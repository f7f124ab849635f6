//! Every RPC of the complaints service.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AcknowledgeCaseRequest, AmendCaseRequest, AnnotateCaseRequest, AssignCaseRequest, Case, CloseCaseRequest,
    OpenCaseRequest, ReopenCaseRequest, ResolveCaseRequest, RespondToCaseRequest, WithdrawCaseRequest,
};
use barometer_tests::{
    samples::{case, hour, key, mask},
    services::Services,
};
use prost::Message;
use prost_types::Timestamp;
use tonic::Code;

use crate::{
    customers::watch,
    facts::{Recorded, batches, pages},
    nouns::texts,
    table::{Edit, Rpc, Table, clear, number, numbers, text, texts as list},
    world::{DONE, NOBODY, World},
};

/// An instant before every case was opened, but after 1900.
const EARLY: i64 = 0;

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
    received: String,
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
            new(case(customer), "").await,
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
            message: message.clone(),
            time: time(3),
            etag: etag.clone(),
            request_id: request_id.clone(),
        };
        client.respond_to_case(request).await.expect("responded");
        let request =
            AnnotateCaseRequest { case_id: case_id.clone(), note, etag: etag.clone(), request_id: request_id.clone() };
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
        Cases { kind, received, resolved, closed }
    }
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
    rpc.invalid("unknown states", vec![numbers("states", vec![1, 0, 99])], &["states[1]", "states[2]"])
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

/// The verbs: their field of free text, whether it must be there, a case on which they work, and some on which not.
fn verbs(table: &mut Table, cases: &Cases) {
    let Cases { kind, received, resolved, closed } = cases;
    let progress = &kind.id;
    let rows = [
        ("AcknowledgeCase", "message", "", true, received, vec![progress, resolved, closed]),
        ("RespondToCase", "message", "", true, progress, vec![resolved, closed]),
        ("ResolveCase", "message", "", true, received, vec![resolved, closed]),
        ("ReopenCase", "reason", "why", true, closed, vec![received, progress]),
        ("CloseCase", "note", "", true, resolved, vec![received, progress, closed]),
        ("AssignCase", "note", "", true, received, vec![closed]),
        ("AnnotateCase", "note", "a note", false, received, vec![]),
    ];
    for (name, words, needed, timed, works, refused) in rows {
        let rpc = &mut table.rpc(name, &[]);
        let on = |id: &str| vec![text("case_id", id), text(words, needed)];
        let with = |edits: Vec<Edit>| on(works).into_iter().chain(edits).collect::<Vec<_>>();
        for id in refused {
            rpc.refused("a wrong state", on(id), Code::FailedPrecondition, "WRONG_STATE");
        }
        rpc.invalid("no id", vec![text(words, needed)], &["case_id"])
            .invalid(
                "garbage",
                vec![text("case_id", "x"), text("request_id", "x"), text(words, "\u{0}")],
                &["case_id", "request_id", words],
            )
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
            let good = AcknowledgeCaseRequest { case_id: works.clone(), ..Default::default() }.encode_to_vec();
            let rpc = &mut table.rpc(name, &good);
            for (what, seconds) in [("the future", 4_000_000_000), ("before 1900", -2_208_988_801)] {
                let edits = vec![text(words, needed), number("time.seconds", seconds)];
                rpc.invalid(what, edits, &["time"]);
            }
        }
    }
    table
        .rpc("AssignCase", &[])
        .invalid("a long employee", vec![text("case_id", received), text("employee", "e".repeat(65))], &["employee"])
        .invalid("a team", vec![text("case_id", received), text("team", "\u{0}")], &["team"]);
}
