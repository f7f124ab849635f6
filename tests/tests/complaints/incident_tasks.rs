//! What goes on for incidents in the background goes on, whatever fails.

use barometer_chassis::testing::{TestDatabase, on_each_database};
use barometer_proto::complaints::v1::{
    AddAffectedCustomersRequest, AddCustomersByAttributeRequest, CaseHistory, CaseRow, CreateWebhookRequest,
    ImportCaseHistoriesRequest, ImportCasesRequest, Incident, IncidentState, IncidentTaskType, ListIncidentsRequest,
    SendIncidentMessageRequest,
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Receiver},
    samples::{case, key, webhook},
    services::{Services, told},
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    get,
    incidents::{about, affected, close, open, outage, read, settled, tasks, words},
};

async fn receive(services: &Services) -> Receiver {
    let receiver = Receiver::start(Manner::Status(200)).await;
    let request = CreateWebhookRequest { webhook: Some(webhook("mailer", &receiver.url)), request_id: String::new() };
    services.webhooks.clone().create_webhook(request).await.expect("created");
    receiver
}

async fn add(services: &Services, id: &str, names: &[&str], request_id: &str) -> Result<Incident, Status> {
    let request = AddAffectedCustomersRequest {
        incident_id: id.to_owned(),
        customer_keys: names.iter().map(|name| key(name)).collect(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    Ok(services.incidents.clone().add_affected_customers(request).await?.into_inner())
}

async fn say(services: &Services, id: &str) -> Result<Incident, Status> {
    let request = SendIncidentMessageRequest {
        incident_id: id.to_owned(),
        message: "We are at it.".to_owned(),
        request_id: String::new(),
    };
    Ok(services.incidents.clone().send_incident_message(request).await?.into_inner())
}

/// Of the messages that arrived, whom they name.
fn named(receiver: &Receiver) -> Vec<String> {
    let ids = |body: serde_json::Value| match body["type"].as_str() {
        Some("incident.message") => body["data"]["customer_ids"].as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    let ids = receiver.received().iter().flat_map(|received| ids(received.json())).collect::<Vec<_>>();
    let mut ids: Vec<String> = ids.iter().map(|id| id.as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

async fn execute(database: &TestDatabase, services: Services, sql: &str) -> Services {
    services.stop().await;
    database.execute("complaints", sql).await;
    Services::start(database).await
}

#[tokio::test]
async fn a_task_that_can_not_go_on_holds_up_no_other() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = receive(&services).await;
        let bad = open(&services, outage(words(&["internet"]))).await.expect("opened").incident_id;
        about(&services, "no internet").await;
        settled(&services, &bad).await;
        // What is bound to policies that nobody published can not be resolved.
        let poison = "UPDATE \"case\" SET policy_set_version = 99, policy_name = 'none', calendar_id = id";
        let services = execute(database, services, poison).await;
        close(&services, &bad).await.expect("closing");
        let failed = async || tasks(&services, &bad).await.iter().any(|task| task.last_failure == "INTERNAL");
        eventually("it says so", failed).await;
        let good = open(&services, outage(words(&["mail"]))).await.expect("opened").incident_id;
        add(&services, &good, &["a"], "").await.expect("added");
        say(&services, &good).await.expect("sent");
        settled(&services, &good).await;
        eventually("the message arrives", async || named(&receiver).len() == 1).await;
        assert_eq!(read(&services, &bad).await.state(), IncidentState::Closing);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn customers_are_told_when_there_is_room_and_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = receive(&services).await;
        let id = open(&services, Incident { rule: None, ..outage(words(&[])) }).await.expect("opened").incident_id;
        add(&services, &id, &["a", "b", "c"], "").await.expect("added");
        eventually("it is told", async || receiver.received().len() == 1).await;
        // As much waits as may.
        let services = execute(database, services, "UPDATE webhook SET waiting = 100000").await;
        say(&services, &id).await.expect("begun");
        let waits = async || tasks(&services, &id).await[0].last_failure == "NO_RECEIVER";
        eventually("nobody takes it", waits).await;
        let task = tasks(&services, &id).await.remove(0);
        assert_eq!((task.done, task.count), (false, 0));
        let services = execute(database, services, "UPDATE webhook SET waiting = 0").await;
        // Who is named after it was sent is not told.
        add(&services, &id, &["d"], "").await.expect("added");
        settled(&services, &id).await;
        eventually("they are told", async || !named(&receiver).is_empty()).await;
        let task = tasks(&services, &id).await.remove(0);
        assert_eq!((task.done, task.count, task.last_failure.as_str()), (true, 3, ""));
        assert_eq!((named(&receiver).len(), affected(&services, &id).await.len()), (3, 4));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn clocks_that_differ_leave_nobody_out() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = receive(&services).await;
        let case = about(&services, "no internet").await;
        // A replica wrote it whose clock is ahead.
        let services = execute(database, services, "UPDATE \"case\" SET create_time = create_time + 3600000000").await;
        let id = open(&services, outage(words(&["internet"]))).await.expect("opened").incident_id;
        assert_eq!(settled(&services, &id).await.linked_cases, 1);
        assert_eq!(get(&services, &case.case_id).await.incident_ids, [id.as_str()]);
        let text = "UPDATE incident_customer SET create_time = create_time + 3600000000";
        let services = execute(database, services, text).await;
        say(&services, &id).await.expect("begun");
        settled(&services, &id).await;
        eventually("they are told", async || named(&receiver).len() == 1).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_incident_is_ended_whatever_is_at_work() {
    on_each_database(async |database| {
        let services = Services::start_apart(database).await;
        let id = open(&services, outage(words(&["internet"]))).await.expect("opened").incident_id;
        settled(&services, &id).await;
        let begin = async || {
            let request = AddCustomersByAttributeRequest {
                incident_id: id.clone(),
                country: "MD".to_owned(),
                ..Default::default()
            };
            services.incidents.clone().add_customers_by_attribute(request).await
        };
        for _ in 0..20 {
            begin().await.expect("begun");
        }
        assert_eq!(told(&begin().await.expect_err("too many")).1, "TOO_MANY_TASKS");
        let waits = async || {
            tasks(&services, &id).await.iter().all(|task| task.done || task.last_failure == "CUSTOMERS_UNAVAILABLE")
        };
        eventually("they wait for customers", waits).await;
        close(&services, &id).await.expect("closing");
        assert_eq!(told(&close(&services, &id).await.expect_err("it is")).1, "NOT_OPEN");
        assert_eq!(settled(&services, &id).await.state(), IncidentState::Closed);
        let cut: Vec<_> = tasks(&services, &id).await;
        let cut = cut.iter().filter(|task| task.r#type() == IncidentTaskType::AddCustomers);
        let cut: Vec<_> = cut.map(|task| (task.done, task.last_failure.as_str())).collect();
        assert_eq!(cut, [(true, "NOT_OPEN"); 20]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn imported_cases_are_of_no_incident_but_by_hand() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let of = |name: &str| {
            let described = barometer_proto::complaints::v1::Case {
                description: "no internet".to_owned(),
                external_id: Some(key(name)),
                ..case(&Uuid::new_v4().to_string())
            };
            Some(described)
        };
        let import = async |name: &str| {
            let row = CaseRow { row: 1, case: of(&format!("{name}-1")), ..CaseRow::default() };
            let batches = tokio_stream::iter([ImportCasesRequest { rows: vec![row] }]);
            let answers = services.complaints.clone().import_cases(batches).await.expect("a stream");
            let answer = answers.into_inner().message().await.expect("an answer").expect("to the batch");
            let history = CaseHistory { row: 1, case: of(&format!("{name}-2")), ..CaseHistory::default() };
            let batches = tokio_stream::iter([ImportCaseHistoriesRequest { histories: vec![history] }]);
            let answers = services.complaints.clone().import_case_histories(batches).await.expect("a stream");
            let other = answers.into_inner().message().await.expect("an answer").expect("to the batch");
            assert_eq!((answer.recorded, other.recorded), (1, 1), "{answer:?} {other:?}");
        };
        import("before").await;
        let id = open(&services, outage(words(&["internet"]))).await.expect("opened").incident_id;
        import("after").await;
        let now = settled(&services, &id).await;
        assert_eq!((now.linked_cases, now.affected_customers), (0, 0));
        let live = about(&services, "no internet").await;
        assert_eq!(read(&services, &id).await.linked_cases, 1);
        assert_eq!(get(&services, &live.case_id).await.incident_ids, [id.as_str()]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_is_answered_when_the_incident_has_ended() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = open(&services, outage(words(&["internet"]))).await.expect("opened").incident_id;
        let request_id = Uuid::new_v4().to_string();
        add(&services, &id, &["a"], &request_id).await.expect("added");
        close(&services, &id).await.expect("closing");
        settled(&services, &id).await;
        let again = add(&services, &id, &["a"], &request_id).await.expect("the same");
        assert_eq!((again.state(), again.affected_customers), (IncidentState::Closed, 1));
        for other in [String::new(), Uuid::new_v4().to_string()] {
            assert_eq!(told(&add(&services, &id, &["b"], &other).await.expect_err("ended")).1, "NOT_OPEN");
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn long_incidents_are_listed_over_pages() {
    on_each_database(async |database| {
        let mut services = Services::start(database).await;
        let mut all = Vec::new();
        for _ in 0..2 {
            for _ in 0..75 {
                let description = "\u{1f4e1}".repeat(10_000);
                let incident = Incident { description, rule: None, ..outage(words(&[])) };
                all.push(open(&services, incident).await.expect("opened").incident_id);
            }
            // So many are not open at a time.
            services = execute(database, services, "UPDATE incident SET state = 3").await;
        }
        let (mut told, mut page_token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let request = ListIncidentsRequest { page_size: 1_000, page_token, states: Vec::new() };
            let page = services.incidents.clone().list_incidents(request).await.expect("it fits").into_inner();
            told.extend(page.incidents.into_iter().map(|incident| incident.incident_id));
            (page_token, pages) = (page.next_page_token, pages + 1);
            if page_token.is_empty() {
                break;
            }
        }
        told.sort();
        all.sort();
        assert!(told == all && pages > 1, "{} of {} on {pages} pages", told.len(), all.len());
        services.stop().await;
    })
    .await;
}
