//! Every RPC of the follow-ups of complaints and their rules.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    FollowUpRule, FollowUpRuleSet, GetFollowUpRulesRequest, PublishFollowUpRulesRequest,
};
use barometer_tests::services::Services;
use prost::Message;
use tonic::Code;

use crate::{
    facts::pages,
    table::{Edit, Table, clear, copies, number, numbers, text, texts as list},
    world::{DONE, NOBODY},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        publish_one(&services).await;
        let before = latest(&services).await;
        let mut table = Table::of("barometer.complaints.v1.FollowUpService");
        publish(&mut table);
        read(&mut table);
        table.check(&services.channel).await;
        assert_eq!(latest(&services).await, before, "rules are in no feed");
        services.stop().await;
    })
    .await;
}

fn rule() -> FollowUpRule {
    FollowUpRule { name: "detractors".to_owned(), team: "care".to_owned(), ..FollowUpRule::default() }
}

fn good() -> PublishFollowUpRulesRequest {
    let rule_set = Some(FollowUpRuleSet { rules: vec![rule()], ..FollowUpRuleSet::default() });
    PublishFollowUpRulesRequest { rule_set, ..Default::default() }
}

async fn publish_one(services: &Services) {
    let mut request = PublishFollowUpRulesRequest { request_id: DONE.to_owned(), ..good() };
    request.rule_set.as_mut().expect("set").rules[0].name = "first".to_owned();
    services.follow_ups.clone().publish_follow_up_rules(request).await.expect("published");
}

async fn latest(services: &Services) -> FollowUpRuleSet {
    let request = GetFollowUpRulesRequest { version: 0 };
    services.follow_ups.clone().get_follow_up_rules(request).await.expect("there").into_inner()
}

fn publish(table: &mut Table) {
    let of = |name: &str| format!("rule_set.rules[0].{name}");
    let rpc = &mut table.rpc("PublishFollowUpRules", &good().encode_to_vec());
    rpc.invalid("no message", vec![clear("rule_set")], &["rule_set"])
        .invalid("a garbage request id", vec![text("request_id", "x")], &["request_id"])
        .invalid("101", vec![copies("rule_set.rules", 101)], &["rule_set.rules"])
        .invalid("nothing", vec![text(&of("name"), ""), text(&of("team"), "")], &[&of("name"), &of("team")])
        .invalid(
            "garbage",
            vec![
                text(&of("name"), "\u{0}"),
                number(&of("survey_kind"), 9),
                numbers(&of("survey_types"), vec![9]),
                list(&of("survey_ids"), &["x", ""]),
                number(&of("sample_percent"), 101),
                text(&of("team"), "t".repeat(65)),
                text(&of("employee"), "e".repeat(65)),
                text(&of("category"), "/"),
                number(&of("severity"), 9),
            ],
            &[
                &of("name"),
                &of("survey_kind"),
                &of("survey_types[0]"),
                &of("survey_ids[0]"),
                &of("survey_ids[1]"),
                &of("sample_percent"),
                &of("team"),
                &of("employee"),
                &of("category"),
                &of("severity"),
            ],
        )
        .invalid("a negative sample", vec![number(&of("sample_percent"), -1)], &[&of("sample_percent")])
        .invalid("17 types", vec![numbers(&of("survey_types"), vec![1; 17])], &[&of("survey_types")])
        .invalid("101 surveys", vec![list(&of("survey_ids"), &[NOBODY; 101])], &[&of("survey_ids")]);
    // NPS, CSAT, CES: below the lowest score, and the highest.
    for (kind, scores) in [(1, [-1, 10]), (2, [0, 5]), (3, [0, 7])] {
        for score in scores {
            let edits: Vec<Edit> = vec![number(&of("survey_kind"), kind), number(&of("at_most"), score)];
            rpc.invalid("a score", edits, &[&of("at_most")]);
        }
    }
    let longest = 3_660 * 86_400;
    for (field, seconds) in [("waiting_time", -1), ("window", 0), ("max_age", 0), ("window", -1)] {
        rpc.invalid("a time", vec![number(&of(&format!("{field}.seconds")), seconds)], &[&of(field)]);
        rpc.invalid("too long", vec![number(&of(&format!("{field}.seconds")), longest + 1)], &[&of(field)]);
        rpc.invalid("negative", vec![number(&of(&format!("{field}.nanos")), -1)], &[&of(field)]);
    }
    let twice: Vec<Edit> = vec![copies("rule_set.rules", 2)];
    rpc.invalid("the same twice", twice, &["rule_set.rules[1]", "rule_set.rules[1].name"])
        .refused("a stale etag", vec![text("rule_set.etag", "99")], Code::Aborted, "STALE_ETAG")
        .refused("by another request", vec![text("request_id", DONE)], Code::AlreadyExists, "REQUEST_ID_REUSED");
}

fn read(table: &mut Table) {
    table
        .rpc("GetFollowUpRules", &[])
        .invalid("a negative version", vec![number("version", -1)], &["version"])
        .unknown("another version", vec![number("version", 99)]);
    pages(&mut table.rpc("ListFollowUpRuleSets", &[]));
    let rpc = &mut table.rpc("GetFollowUp", &[]);
    rpc.invalid("nothing", vec![], &["follow_up_id"]);
    for by in ["follow_up_id", "case_id", "response_id"] {
        rpc.invalid("garbage", vec![text(by, "x")], &[by]).unknown("an unknown id", vec![text(by, NOBODY)]);
    }
    let rpc = &mut table.rpc("ListFollowUps", &[]);
    pages(rpc);
    rpc.invalid(
        "garbage",
        vec![
            text("customer_id", "x"),
            text("survey_id", "x"),
            numbers("outcomes", vec![9]),
            number("start_time.nanos", -1),
            number("end_time.nanos", -1),
        ],
        &["customer_id", "survey_id", "outcomes[0]", "start_time", "end_time"],
    )
    .invalid("backwards", vec![number("start_time.seconds", 9), number("end_time.seconds", 8)], &["start_time"])
    .invalid("17 outcomes", vec![numbers("outcomes", vec![1; 17])], &["outcomes"])
    .invalid("no outcome", vec![numbers("outcomes", vec![0])], &["outcomes[0]"]);
}
