//! Every RPC of the promises of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AmendPromiseRequest, AssignPromiseRequest, BreakPromiseRequest, CancelCaseRequest, Case, KeepPromiseRequest,
    MakePromiseRequest, MergeCaseRequest, MovePromiseRequest, OpenCaseRequest, Promise, WithdrawCaseRequest,
    WithdrawPromiseRequest,
};
use barometer_tests::{
    samples::{case, from_now, key, promise},
    services::Services,
};
use prost::Message;
use tonic::Code;

use crate::{
    facts::pages,
    table::{Edit, Table, clear, number, numbers, text, texts as list},
    world::{DONE, NOBODY},
};

/// An instant after the due times of all promises here.
const FAR: i64 = 4_000_000_000;
const PAST: i64 = 1_600_000_000;
/// Before 1900.
const LONG_AGO: i64 = -2_208_988_801;

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let kept = Kept::new(&services).await;
        let mut table = Table::of("barometer.complaints.v1.PromiseService");
        make(&mut table, &kept);
        verbs(&mut table, &kept);
        amend(&mut table, &kept);
        read(&mut table, &kept);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

/// Promises as far as they can come; everything was done by the `request_id` [`DONE`].
struct Kept {
    /// With the key `k-1`, moved, amended and assigned once.
    open: String,
    kept: String,
    broken: String,
    withdrawn: String,
    case: String,
    merged_case: String,
    cancelled_case: String,
    withdrawn_case: String,
}

impl Kept {
    async fn new(services: &Services) -> Self {
        let mut client = services.promises.clone();
        let made = async |promise: Promise, request_id: &str| {
            let request = MakePromiseRequest { promise: Some(promise), request_id: request_id.to_owned() };
            services.promises.clone().make_promise(request).await.expect("made").into_inner().promise_id
        };
        let open = made(Promise { external_id: Some(key("k-1")), ..promise(NOBODY) }, DONE).await;
        let [kept, broken, withdrawn] =
            [made(promise(NOBODY), "").await, made(promise(NOBODY), "").await, made(promise(NOBODY), "").await];
        let (request_id, reason, etag) = (|| DONE.to_owned(), || "why".to_owned(), String::new);
        let due_time = Some(from_now(3 * 86_400));
        let request = MovePromiseRequest {
            promise_id: open.clone(),
            due_time,
            reason: reason(),
            etag: etag(),
            request_id: request_id(),
        };
        client.move_promise(request).await.expect("moved");
        let patch = Promise { promise_id: open.clone(), description: "more".to_owned(), ..Promise::default() };
        let request = AmendPromiseRequest { promise: Some(patch), request_id: request_id(), ..Default::default() };
        client.amend_promise(request).await.expect("amended");
        let (promise_id, team) = (open.clone(), "legal".to_owned());
        let request = AssignPromiseRequest { promise_id, team, request_id: request_id(), ..Default::default() };
        client.assign_promise(request).await.expect("assigned");
        let promise_id = kept.clone();
        let request = KeepPromiseRequest { promise_id, request_id: request_id(), ..Default::default() };
        client.keep_promise(request).await.expect("kept");
        let promise_id = broken.clone();
        let request =
            BreakPromiseRequest { promise_id, reason: reason(), request_id: request_id(), ..Default::default() };
        client.break_promise(request).await.expect("broken");
        let promise_id = withdrawn.clone();
        let request = WithdrawPromiseRequest { promise_id, reason: reason(), etag: etag(), request_id: request_id() };
        client.withdraw_promise(request).await.expect("withdrawn");

        let mut complaints = services.complaints.clone();
        let opened = async || {
            let request = OpenCaseRequest { case: Some(case(NOBODY)), request_id: String::new() };
            let opened: Case = services.complaints.clone().open_case(request).await.expect("opened").into_inner();
            opened.case_id
        };
        let (of, merged_case, withdrawn_case) = (opened().await, opened().await, opened().await);
        let cancelled_case = opened().await;
        let request = CancelCaseRequest { case_id: cancelled_case.clone(), reason: reason(), ..Default::default() };
        complaints.cancel_case(request).await.expect("cancelled");
        let (case_id, into_case_id) = (merged_case.clone(), of.clone());
        let request = MergeCaseRequest { case_id, into_case_id, ..Default::default() };
        complaints.merge_case(request).await.expect("merged");
        let request = WithdrawCaseRequest { case_id: withdrawn_case.clone(), ..Default::default() };
        complaints.withdraw_case(request).await.expect("withdrawn");
        Kept { open, kept, broken, withdrawn, case: of, merged_case, cancelled_case, withdrawn_case }
    }
}

fn make(table: &mut Table, kept: &Kept) {
    let good = MakePromiseRequest { promise: Some(promise(NOBODY)), request_id: String::new() };
    let in_case = |case: &str| vec![text("promise.case_id", case), clear("promise.customer_id")];
    let with_key = |value: &str| -> Vec<Edit> {
        vec![
            text("promise.description", value),
            text("promise.external_id.system", "shop"),
            text("promise.external_id.value", "k-1"),
        ]
    };
    let rpc = &mut table.rpc("MakePromise", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("promise")], &["promise"])
        .invalid(
            "nothing",
            vec![
                clear("promise.customer_id"),
                clear("promise.description"),
                clear("promise.due_time"),
                clear("promise.team"),
                text("request_id", "x"),
            ],
            &["promise.customer_id", "promise.description", "promise.due_time", "promise.employee", "request_id"],
        )
        .invalid("a garbage case", in_case("x"), &["promise.case_id"])
        .invalid("a garbage customer", vec![text("promise.customer_id", "x")], &["promise.customer_id"])
        .invalid("an empty key", vec![text("promise.customer_key.system", "shop")], &["promise.customer_key.value"])
        .invalid("a customer of a case", vec![text("promise.case_id", &kept.case)], &["promise.customer_id"])
        .invalid("long texts", vec![text("promise.description", "é".repeat(2_001))], &["promise.description"])
        .invalid(
            "long names",
            vec![text("promise.employee", "e".repeat(65)), text("promise.team", "t".repeat(65))],
            &["promise.employee", "promise.team"],
        )
        .invalid("due in the past", vec![number("promise.due_time.seconds", PAST)], &["promise.due_time"])
        .invalid("due never", vec![number("promise.due_time.seconds", i64::MAX)], &["promise.due_time"])
        .invalid(
            "made in the future",
            vec![number("promise.make_time.seconds", FAR), number("promise.due_time.seconds", FAR + 1)],
            &["promise.make_time"],
        )
        .invalid(
            "all at once",
            vec![number("promise.due_time.seconds", PAST), clear("promise.description"), text("request_id", "x")],
            &["promise.due_time", "promise.description", "request_id"],
        )
        .invalid(
            "due before it was made, and wordless",
            vec![
                number("promise.make_time.seconds", PAST + 1),
                number("promise.due_time.seconds", PAST),
                clear("promise.description"),
            ],
            &["promise.due_time", "promise.description"],
        )
        .invalid(
            "due in the past, under a new key",
            vec![number("promise.due_time.seconds", PAST), text("promise.external_id.value", "k-2")],
            &["promise.due_time"],
        )
        .invalid("made long ago", vec![number("promise.make_time.seconds", LONG_AGO)], &["promise.make_time"])
        .invalid(
            "a key without a value",
            vec![text("promise.external_id.system", "s")],
            &["promise.external_id.value"],
        );
    for seconds in [-1, 366 * 86_400 + 1, i64::MAX] {
        rpc.invalid("a lead", vec![number("promise.lead.seconds", seconds)], &["promise.lead"]);
    }
    rpc.invalid("a negative lead", vec![number("promise.lead.nanos", -1)], &["promise.lead"])
        .unknown("an unknown case", in_case(NOBODY))
        .refused("a withdrawn case", in_case(&kept.withdrawn_case), Code::FailedPrecondition, "WITHDRAWN")
        .refused("a cancelled case", in_case(&kept.cancelled_case), Code::FailedPrecondition, "WRONG_STATE")
        .refused("a merged case", in_case(&kept.merged_case), Code::FailedPrecondition, "MERGED")
        .refused("a known key", with_key("another"), Code::AlreadyExists, "KEY_REUSED")
        .refused("by another request", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED");
}

fn verbs(table: &mut Table, kept: &Kept) {
    let Kept { open, kept, broken, withdrawn, .. } = kept;
    // A verb: its free text, whether it must be there, whether it has a time, and what takes it not.
    let rows: [(&str, &str, &str, bool, Vec<&String>); 5] = [
        ("KeepPromise", "note", "", true, vec![kept]),
        ("BreakPromise", "reason", "why", true, vec![kept, broken]),
        ("MovePromise", "reason", "why", false, vec![kept, broken]),
        ("AssignPromise", "note", "", false, vec![kept]),
        ("WithdrawPromise", "reason", "why", false, vec![]),
    ];
    for (name, words, needed, timed, refused) in rows {
        let rpc = &mut table.rpc(name, &[]);
        let on = |id: &str| {
            let due = (name == "MovePromise").then(|| number("due_time.seconds", FAR));
            let to = (name == "AssignPromise").then(|| text("team", "shop"));
            [text("promise_id", id), text(words, needed)].into_iter().chain(due).chain(to).collect::<Vec<_>>()
        };
        let with = |edits: Vec<Edit>| on(open).into_iter().chain(edits).collect::<Vec<_>>();
        for id in refused {
            rpc.refused("a wrong state", on(id), Code::FailedPrecondition, "WRONG_STATE");
        }
        let garbage = [text("request_id", "x"), text(words, "\u{0}")];
        rpc.invalid("no id", on(""), &["promise_id"])
            .invalid("garbage", on("x").into_iter().chain(garbage).collect(), &["promise_id", "request_id", words])
            .invalid("too long", with(vec![text(words, "é".repeat(10_001))]), &[words])
            .unknown("an unknown id", on(NOBODY))
            .refused("withdrawn", on(withdrawn), Code::FailedPrecondition, "WITHDRAWN")
            .refused("a stale etag", with(vec![text("etag", "99")]), Code::Aborted, "STALE_ETAG")
            .refused(
                "by another request",
                with(vec![text("request_id", DONE), text("etag", "7")]),
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
        if !needed.is_empty() {
            rpc.invalid("no words", with(vec![text(words, "")]), &[words]);
        }
        if timed {
            for (what, seconds) in [("too early", PAST), ("the future", FAR), ("before 1900", LONG_AGO)] {
                rpc.invalid(what, with(vec![number("time.seconds", seconds)]), &["time"]);
            }
        }
    }
    let shift = |edit: Edit| vec![text("promise_id", open), text("reason", "why"), edit];
    table.rpc("MovePromise", &[]).invalid("no due time", shift(clear("due_time")), &["due_time"]).invalid(
        "into the past",
        shift(number("due_time.seconds", PAST)),
        &["due_time"],
    );
    table.rpc("MovePromise", &[]).invalid(
        "all at once",
        vec![text("promise_id", "x"), number("due_time.seconds", PAST), text("request_id", "x")],
        &["promise_id", "due_time", "reason", "request_id"],
    );
}

/// Who answers for it, and what is said of it.
fn amend(table: &mut Table, kept: &Kept) {
    let Kept { open, withdrawn, .. } = kept;
    let to = |edits: Vec<Edit>| [text("promise_id", open)].into_iter().chain(edits).collect::<Vec<_>>();
    table
        .rpc("AssignPromise", &[])
        .invalid("to nobody", to(vec![]), &["employee"])
        .invalid("long names", to(vec![text("employee", "e".repeat(65)), text("team", "\u{0}")]), &["employee", "team"])
        .invalid(
            "all at once",
            vec![text("promise_id", "x"), text("note", "\u{0}"), text("request_id", "x")],
            &["promise_id", "employee", "note", "request_id"],
        );
    let rpc = &mut table.rpc("AmendPromise", &[]);
    let on = |id: &str, edits: Vec<Edit>| {
        let named = [text("promise.promise_id", id), text("promise.description", "another")];
        named.into_iter().chain(edits).collect::<Vec<_>>()
    };
    let paths = |paths: &[&str]| list("update_mask.paths", paths);
    let everything = || {
        vec![
            text("promise.description", "\u{0}"),
            number("promise.lead.seconds", -1),
            text("request_id", "x"),
            paths(&["description", "lead", "due_time"]),
        ]
    };
    let wrong = ["promise.description", "promise.lead", "request_id", "update_mask.paths[2]"];
    rpc.invalid("no message", vec![], &["promise"])
        .invalid("no id", vec![text("promise.etag", "1")], &["promise.promise_id"])
        .invalid(
            "garbage",
            vec![text("promise.promise_id", "x"), text("request_id", "x")],
            &["promise.promise_id", "request_id"],
        )
        .unknown("an unknown id", on(NOBODY, vec![]))
        .refused("withdrawn", on(withdrawn, vec![]), Code::FailedPrecondition, "WITHDRAWN")
        .refused("a stale etag", on(open, vec![text("promise.etag", "99")]), Code::Aborted, "STALE_ETAG")
        .invalid(
            "what can not be amended",
            on(open, vec![paths(&["due_time", "employee", "description", "customer_id", "make_time", "state"])]),
            &[0, 1, 3, 4, 5].map(|at| format!("update_mask.paths[{at}]")).each_ref().map(String::as_str),
        )
        .invalid("no field", on(open, vec![paths(&["nonsense"])]), &["update_mask.paths[0]"])
        .invalid("no words", on(open, vec![text("promise.description", ""), paths(&["*"])]), &["promise.description"])
        .invalid("too long", on(open, vec![text("promise.description", "é".repeat(2_001))]), &["promise.description"])
        .invalid("a lead", on(open, vec![number("promise.lead.seconds", 366 * 86_400 + 1)]), &["promise.lead"])
        .invalid("all at once", on(open, everything()), &wrong)
        .invalid("all at once, of one that is not there", on(NOBODY, everything()), &wrong)
        .answered("what it says already", vec![text("promise.promise_id", open), text("promise.description", "more")])
        .refused(
            "by another request",
            on(open, vec![text("request_id", DONE)]),
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
        );
}

fn read(table: &mut Table, kept: &Kept) {
    table
        .rpc("GetPromise", &[])
        .invalid("nothing", vec![], &["promise_id"])
        .invalid("garbage", vec![text("promise_id", "x")], &["promise_id"])
        .invalid("an empty key", vec![text("external_id.system", "s")], &["external_id.value"])
        .unknown("an unknown id", vec![text("promise_id", NOBODY)])
        .unknown("an unknown key", vec![text("external_id.value", "nobody's")])
        .answered("a withdrawn one", vec![text("promise_id", &kept.withdrawn)]);
    let rpc = &mut table.rpc("ListPromises", &[]);
    pages(rpc);
    rpc.invalid(
        "garbage",
        vec![
            text("customer_id", "x"),
            text("case_id", "x"),
            text("employee", "e".repeat(65)),
            text("team", "\u{0}"),
            numbers("states", vec![9]),
            number("due_before.nanos", -1),
        ],
        &["customer_id", "case_id", "employee", "team", "states[0]", "due_before"],
    )
    .invalid("17 states", vec![numbers("states", vec![1; 17])], &["states"])
    .invalid("no state", vec![numbers("states", vec![0])], &["states[0]"]);
}
