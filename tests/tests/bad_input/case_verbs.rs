//! Every verb of a case, its links, merges and outcomes.

use barometer_proto::complaints::v1::{Finding, LinkType, Outcome, Redress, Remedy, SetOutcomeRequest, redress};
use barometer_tests::samples::eur;
use prost::Message;
use tonic::Code;

use crate::{
    complaints::Cases,
    nouns::texts,
    table::{Edit, Rpc, Table, clear, copies, number, text},
    world::{DONE, NOBODY},
};

/// An instant before every case was opened, but after 1900.
const EARLY: i64 = 0;
/// An instant of 2024, long after all cases have ended.
const LATE: i64 = 1_730_000_000;

/// What links two cases, and takes the link away.
pub(crate) fn links(table: &mut Table, cases: &Cases) {
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
pub(crate) fn outcomes(table: &mut Table, cases: &Cases) {
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
pub(crate) fn merges(table: &mut Table, cases: &Cases) {
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
pub(crate) fn verbs(table: &mut Table, cases: &Cases) {
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
pub(crate) fn attachments(rpc: &mut Rpc<'_>, field: &str, before: impl Fn() -> Vec<Edit>) {
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
