//! A case as the command line shows it: what its history names by ids is told by names.

use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use barometer_proto::complaints::v1::{FollowUpOutcome, IncidentRule};
use barometer_tests::{eventually, process::run, samples::case, services::Services};
use serde_json::Value;
use uuid::Uuid;

use crate::{entries, escalations, follow_ups, incidents, open_one};

/// What `barometer case` prints of a case: for people, its lines as words; and for programs.
fn shown(services: &Services, database: &TestDatabase, id: &str) -> (Vec<String>, Value) {
    let print = |arguments: &[&str]| {
        let output = run(&services.endpoint, &[&["case", id], arguments].concat(), database.directory());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let text = String::from_utf8(print(&[])).expect("text");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    (lines, serde_json::from_slice(&print(&["--format", "json"])).expect("JSON"))
}

/// The entries of a type, of a case printed for programs.
fn of<'v>(value: &'v Value, event: &str) -> Vec<&'v Value> {
    value["entries"].as_array().expect("entries").iter().filter(|entry| entry["type"] == event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn escalations_and_incidents_are_told_by_name() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let services = Services::start(&database).await;
    escalations::publish(&services, escalations::usual()).await.expect("published");
    let case = open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("opened");
    escalations::escalations(&services, &case.case_id, 3).await;
    let outage = incidents::outage(IncidentRule { categories: vec![case.category.clone()], ..Default::default() });
    let incident = incidents::open(&services, outage).await.expect("opened").incident_id;
    eventually("it is linked", async || entries(&services, &case.case_id).await.len() == 7).await;
    incidents::close(&services, &incident).await.expect("closed");
    incidents::settled(&services, &incident).await;

    let (lines, value) = shown(&services, &database, &case.case_id);
    let has = |words: &str| lines.iter().any(|line| line.contains(words));
    for words in [
        "escalated: first response, step 1 (50 %), late; told owner",
        "escalated: first response, step 2 (100 %), late; told owner",
        "escalated: first response, step 3 (0:04 working h after due),",
        "part of the incident fibre is down",
        "resolved with the incident fibre is down",
    ] {
        assert!(has(words), "{words}: {lines:#?}");
    }
    let mut steps: Vec<_> = of(&value, "escalated").into_iter().map(|entry| &entry["escalation"]).collect();
    steps.sort_by_key(|taken| taken["step"].as_i64());
    assert_eq!((&steps[1]["percent"], &steps[1]["kind"]), (&100.into(), &"first_response".into()));
    let after = serde_json::json!({ "amount": 4, "unit": "working_minutes" });
    assert_eq!((&steps[2]["after_due"], &steps[2]["repetition"]), (&after, &3.into()));
    for event in ["incident_linked", "resolved"] {
        let entry = of(&value, event)[0];
        assert_eq!(
            (&entry["incident_id"], &entry["incident_title"]),
            (&incident.as_str().into(), &"fibre is down".into())
        );
    }
    services.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_shows_the_answers_before_and_after() {
    let database = TestDatabase::new(DatabaseKind::Sqlite).await;
    let services = Services::start(&database).await;
    let survey = follow_ups::followed(&services).await;
    let customer = Uuid::new_v4().to_string();
    let answer = follow_ups::answer(&services, &survey, &customer, 3, 0).await;
    let follow_up = follow_ups::comes_to(&services, &answer, FollowUpOutcome::Pending).await;
    let (lines, value) = shown(&services, &database, &follow_up.case_id);
    let told = lines.iter().find(|line| line.starts_with("follow-up score 3 (detractor) of ")).expect("a line");
    assert!(told.contains(": pending"), "{told}");
    assert_eq!(
        (&value["follow_up"]["score"], &value["follow_up"]["response_id"]),
        (&3.into(), &answer.as_str().into())
    );

    follow_ups::answer(&services, &survey, &customer, 9, 0).await;
    follow_ups::comes_to(&services, &answer, FollowUpOutcome::Recovered).await;
    let (lines, value) = shown(&services, &database, &follow_up.case_id);
    assert!(lines.iter().any(|line| line.contains("follow-up ended: recovered, score 9")), "{lines:#?}");
    assert_eq!(of(&value, "follow_up_ended")[0]["follow_up_outcome"], "recovered");
    assert_eq!(value["follow_up"]["closing_score"], 9);
    services.stop().await;
}
