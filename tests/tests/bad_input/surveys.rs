//! Every RPC of the surveys service and of its invitations.

use barometer_chassis::testing::on_each_database;
use barometer_proto::surveys::v1::{CreateSurveyRequest, SurveyKind};
use barometer_tests::{samples::survey, services::Services};
use prost::Message;
use tonic::Code;

use crate::{
    customers::watch,
    facts::pages,
    nouns,
    table::{Table, clear, copies, double, number, pair, text, texts},
    world::{DONE, NOBODY, World},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let mut table = Table::of("barometer.surveys.v1.SurveyService");
        create(&mut table);
        read(&mut table);
        verbs(&mut table, &world);
        responses(&mut table, &world);
        watch(&mut table.rpc("WatchFacts", &[]), "surveys", &world.customer.position);
        table.check(&services.channel).await;
        let mut table = Table::of("barometer.surveys.v1.InvitationService");
        invitations(&mut table, &world);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

fn create(table: &mut Table) {
    let good = CreateSurveyRequest { survey: Some(survey("new", SurveyKind::Nps)), request_id: String::new() };
    let rpc = &mut table.rpc("CreateSurvey", &good.encode_to_vec());
    nouns::texts(rpc, "survey", &[("name", 128)]);
    let dimensions = "survey.dimensions";
    rpc.invalid("no message", vec![clear("survey")], &["survey"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .invalid(
            "nothing in it",
            vec![text("survey.name", ""), number("survey.kind", 0), number("survey.type", 0)],
            &["survey.name", "survey.kind", "survey.type"],
        )
        .invalid(
            "unknown kind and type",
            vec![number("survey.kind", 4), number("survey.type", -3)],
            &["survey.kind", "survey.type"],
        )
        .refused("a name that is taken", vec![text("survey.name", "closed")], Code::AlreadyExists, "NAME_TAKEN")
        .refused(
            "a request id with other values",
            vec![text("request_id", DONE)],
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
        )
        .invalid("17 dimensions", vec![copies(dimensions, 17)], &[dimensions])
        .invalid(
            "dimensions",
            vec![texts(dimensions, &["region", "Region", "", "tier", "region"])],
            &["survey.dimensions[1]", "survey.dimensions[2]", "survey.dimensions[3]", "survey.dimensions[4]"],
        );
    for (language, asked, field) in [
        ("not a tag", "How was it?", "survey.question.not a tag"),
        ("en", "", "survey.question.en"),
        ("en", "\u{0}", "survey.question.en"),
        ("en", &"?".repeat(2_001), "survey.question.en"),
        ("", "How was it?", "survey.question"),
    ] {
        rpc.invalid("a question", vec![pair("survey.question", language, asked)], &[field]);
    }
    let many = (0..65).map(|n| pair("survey.question", &format!("en-{n:03}"), "How was it?")).collect();
    rpc.invalid("66 languages", many, &["survey.question"]);
}

fn read(table: &mut Table) {
    table
        .rpc("GetSurvey", &[])
        .invalid("nothing", vec![], &["survey_id"])
        .invalid("a garbage id", vec![text("survey_id", "1")], &["survey_id"])
        .invalid("an empty name", vec![text("name", "")], &["name"])
        .invalid("a long name", vec![text("name", "n".repeat(129))], &["name"])
        .invalid("a control character", vec![text("name", "\u{0}")], &["name"])
        .unknown("an unknown id", vec![text("survey_id", NOBODY)])
        .unknown("an unknown name", vec![text("name", "nobody's")]);
    let rpc = &mut table.rpc("ListSurveys", &[]);
    pages(rpc);
    rpc.invalid("an unknown state", vec![number("state", 9)], &["state"]);
}

fn verbs(table: &mut Table, world: &World) {
    let wrong = (Code::FailedPrecondition, "WRONG_STATE");
    for (name, refused) in [("ActivateSurvey", vec![&world.active]), ("CloseSurvey", vec![&world.draft, &world.closed])]
    {
        let rpc = &mut table.rpc(name, &[]);
        for survey in refused {
            rpc.refused("a wrong state", vec![text("survey_id", &survey.survey_id)], wrong.0, wrong.1);
        }
        let stale = vec![text("survey_id", &world.active.survey_id), text("etag", "1")];
        rpc.invalid("no id", vec![], &["survey_id"])
            .invalid("garbage", vec![text("survey_id", "x"), text("request_id", "x")], &["survey_id", "request_id"])
            .unknown("an unknown id", vec![text("survey_id", NOBODY)])
            .refused("a stale etag", stale, Code::Aborted, "STALE_ETAG")
            .refused(
                "a request id with other values",
                vec![text("survey_id", &world.draft.survey_id), text("request_id", DONE)],
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
    }
}

fn responses(table: &mut Table, world: &World) {
    let kind = &world.response;
    let rpc = &mut table.rpc("SubmitResponse", &kind.good);
    kind.record(rpc);
    let lengths = [("comment", 10_000), ("channel", 64), ("touchpoint", 64)];
    nouns::texts(rpc, "response", &lengths);
    let survey = "response.survey_id";
    let wrong = (Code::FailedPrecondition, "WRONG_STATE");
    rpc.invalid("no survey", vec![clear(survey)], &[survey])
        .invalid("a garbage survey", vec![text(survey, "x")], &[survey])
        .invalid("an empty name", vec![text("response.survey_name", "")], &["response.survey_name"])
        .invalid("a long name", vec![text("response.survey_name", "n".repeat(129))], &["response.survey_name"])
        .unknown("an unknown survey", vec![text(survey, NOBODY)])
        .unknown("a survey of zeros", vec![text(survey, "00000000-0000-0000-0000-000000000000")])
        .unknown("an unknown name", vec![text("response.survey_name", "nobody's")])
        .invalid(
            "an unknown survey and a bad language",
            vec![text(survey, NOBODY), text("response.language", "_")],
            &["response.language"],
        )
        .refused("a draft", vec![text(survey, &world.draft.survey_id)], wrong.0, wrong.1)
        .refused("a closed survey", vec![text("response.survey_name", "closed")], wrong.0, wrong.1)
        .invalid(
            "an unknown disposition",
            vec![clear("response.score"), number("response.disposition", 9)],
            &["response.disposition"],
        )
        .invalid("a score and a reason for none", vec![number("response.disposition", 3)], &["response.disposition"])
        .invalid(
            "an undeclared dimension",
            vec![pair("response.dimensions", "shop", "1")],
            &["response.dimensions.shop"],
        )
        .invalid("an undeclared stage", vec![text("response.journey_stage", "limbo")], &["response.journey_stage"])
        .invalid("a language", vec![text("response.language", "en_US")], &["response.language"]);
    let (invitation, key) = ("response.invitation_id", "response.invitation_key");
    rpc.invalid("a garbage invitation", vec![text(invitation, "x")], &[invitation])
        .unknown("an unknown invitation", vec![text(invitation, NOBODY)])
        .unknown("an unknown invitation's key", vec![text(&format!("{key}.value"), "nobody's")])
        .unknown("a withdrawn invitation", vec![text(invitation, &world.invitation.withdrawn)]);
    kind.keys(rpc, key);
    for score in [-1, 11, i64::from(i32::MAX), i64::from(i32::MIN)] {
        rpc.invalid("a score off the scale", vec![number("response.score", score)], &["response.score"]);
    }
    for weight in [0.0, -1.0, 1e-13, 1_000_000.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
        rpc.invalid("a weight", vec![double("response.weight", weight)], &["response.weight"]);
    }
    kind.add_to(table, "Response", "Responses");
    table
        .rpc("ListResponses", &[])
        .invalid("a garbage survey", vec![text("survey_id", "active")], &["survey_id"])
        .invalid("an unknown category", vec![number("category", 4)], &["category"]);
    let rpc = &mut table.rpc("AmendResponse", &[]);
    let id = || text("response.response_id", &kind.id);
    rpc.invalid("a score off the scale", vec![id(), number("response.score", 11)], &["response.score"])
        .unknown("an unknown survey", vec![id(), text(survey, NOBODY)])
        .unknown("a survey of zeros", vec![id(), text(survey, "00000000-0000-0000-0000-000000000000")])
        .invalid("no survey", vec![id(), texts("update_mask.paths", &["survey_id"])], &[survey]);
}

fn invitations(table: &mut Table, world: &World) {
    let kind = &world.invitation;
    let rpc = &mut table.rpc("RecordInvitation", &kind.good);
    kind.record(rpc);
    nouns::texts(rpc, "invitation", &[("channel", 64), ("touchpoint", 64)]);
    let survey = "invitation.survey_id";
    rpc.invalid("no survey", vec![clear(survey)], &[survey])
        .invalid("a garbage survey", vec![text(survey, "x")], &[survey])
        .invalid("an empty name", vec![text("invitation.survey_name", "")], &["invitation.survey_name"])
        .unknown("an unknown survey", vec![text(survey, NOBODY)])
        .unknown("an unknown name", vec![text("invitation.survey_name", "nobody's")])
        .invalid(
            "an undeclared dimension",
            vec![pair("invitation.dimensions", "shop", "1")],
            &["invitation.dimensions.shop"],
        )
        .invalid("an undeclared stage", vec![text("invitation.journey_stage", "limbo")], &["invitation.journey_stage"])
        .invalid("a language", vec![text("invitation.language", "en_US")], &["invitation.language"])
        .invalid("an unknown outcome", vec![number("invitation.told_outcome", 9)], &["invitation.told_outcome"]);
    for field in ["deliver_time", "open_time", "begin_time", "expire_time"] {
        let field = format!("invitation.{field}");
        rpc.invalid("before it was sent", vec![number(&format!("{field}.seconds"), 0)], &[&field]).invalid(
            "no instant",
            vec![number(&format!("{field}.nanos"), -1)],
            &[&field],
        );
    }
    for reminders in [-1, 101, i64::from(i32::MAX)] {
        rpc.invalid("reminders", vec![number("invitation.reminders", reminders)], &["invitation.reminders"]);
    }
    kind.add_to(table, "Invitation", "Invitations");
    table
        .rpc("ListInvitations", &[])
        .invalid("a garbage survey", vec![text("survey_id", "active")], &["survey_id"])
        .invalid("an unknown outcome", vec![number("outcome", 9)], &["outcome"]);
    table.rpc("AmendInvitation", &[]).invalid(
        "expires before it was sent",
        vec![text("invitation.invitation_id", &kind.id), number("invitation.expire_time.seconds", 0)],
        &["invitation.expire_time"],
    );
}
