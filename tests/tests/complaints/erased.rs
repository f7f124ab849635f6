//! Who was erased does not come back, whatever door is tried.

use barometer_chassis::{
    clock::Micros,
    testing::{DatabaseKind, TestDatabase, on_each_database},
};
use barometer_proto::{
    complaints::v1::{
        Acceptance, AddAffectedCustomersRequest, AddCustomersByAttributeRequest, AmendCaseRequest, Case,
        CaseEntryType as Event, CaseEvent, CaseHistory, CaseRow, CreateWebhookRequest, EraseCustomerRequest,
        ErasedKind, Erasure, GetErasureRequest, GetIncidentRequest, ImportCaseHistoriesRequest, ImportCasesRequest,
        Incident, ListAffectedCustomersRequest, MakePromiseRequest, OpenIncidentRequest, Promise,
        SendIncidentMessageRequest, case as of_case, promise as of_promise,
    },
    customers::v1::{Attribute, LookupCustomerRequest, RecordAttributeChangeRequest},
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Receiver},
    samples::{attribute_change, case, hour, key, mask, promise, webhook},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    erasing::{MARK, case_of, erase, export, kept},
    get, open_one,
};

const ERASED: &str = "CUSTOMER_ERASED";

/// Somebody of whom only a key is known to complaints, and whom customers does not know.
async fn erased_key(services: &Services) -> barometer_proto::common::v1::ExternalId {
    let receipt = erase(services, &Uuid::new_v4().to_string(), "").await.expect("erased");
    assert!(receipt.done);
    key(&format!("{MARK}-c"))
}

async fn open_incident(services: &Services) -> String {
    let incident = Incident { title: "down".to_owned(), start_time: Some(hour(0)), ..Incident::default() };
    let request = OpenIncidentRequest { incident: Some(incident), request_id: String::new() };
    services.incidents.clone().open_incident(request).await.expect("opened").into_inner().incident_id
}

async fn affected(services: &Services, incident: &str) -> Vec<String> {
    let request = ListAffectedCustomersRequest { incident_id: incident.to_owned(), ..Default::default() };
    let page = services.incidents.clone().list_affected_customers(request).await.expect("a page").into_inner();
    page.customers.into_iter().map(|customer| customer.customer_id).collect()
}

async fn add(services: &Services, incident: &str, customer_ids: Vec<String>) -> Result<Incident, Status> {
    let request = AddAffectedCustomersRequest { incident_id: incident.to_owned(), customer_ids, ..Default::default() };
    Ok(services.incidents.clone().add_affected_customers(request).await?.into_inner())
}

async fn amend(services: &Services, patch: Case, path: &str) -> Result<Case, Status> {
    let request = AmendCaseRequest { case: Some(patch), update_mask: mask(&[path]), request_id: String::new() };
    Ok(services.complaints.clone().amend_case(request).await?.into_inner())
}

async fn receipt(services: &Services, id: &str) -> Erasure {
    let request = GetErasureRequest { erasure_id: id.to_owned() };
    services.privacy.clone().get_erasure(request).await.expect("there").into_inner()
}

/// An id as SQL has it.
fn literal(database: &TestDatabase, id: &str) -> String {
    match database.kind() {
        DatabaseKind::Sqlite => format!("x'{}'", id.replace('-', "")),
        DatabaseKind::Postgres => format!("'{id}'::uuid"),
    }
}

#[tokio::test]
async fn a_key_of_somebody_who_was_erased_is_refused_and_nobody_is_created() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let erased = erased_key(&services).await;
        let incident_id = open_incident(&services).await;
        let other = open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("opened");
        let customer = Some(of_case::Customer::CustomerKey(erased.clone()));

        let refused = open_one(&services, Case { customer: customer.clone(), ..case("") }).await.expect_err("a case");
        assert_eq!(told(&refused).1, ERASED);
        let patch = Case { case_id: other.case_id.clone(), customer: customer.clone(), ..Case::default() };
        let refused = amend(&services, patch, "customer_key").await.expect_err("an amendment");
        assert_eq!(told(&refused).1, ERASED);
        let made = Promise { customer: Some(of_promise::Customer::CustomerKey(erased.clone())), ..promise("") };
        let request = MakePromiseRequest { promise: Some(made), request_id: String::new() };
        let refused = services.promises.clone().make_promise(request).await.expect_err("a promise");
        assert_eq!(told(&refused).1, ERASED);
        let request = AddAffectedCustomersRequest {
            incident_id,
            customer_keys: vec![key("somebody else"), erased.clone()],
            ..Default::default()
        };
        let refused = services.incidents.clone().add_affected_customers(request).await.expect_err("an incident");
        assert_eq!(told(&refused).1, ERASED);

        // Of an import the others are taken.
        let with = |number: i64, customer: &Option<of_case::Customer>| {
            let external_id = Some(key(&format!("row-{number}")));
            Some(Case { customer: customer.clone(), external_id, ..case("") })
        };
        let nobody = None;
        let rows = [&customer, &nobody].into_iter().zip(1..);
        let rows = rows.map(|(customer, row)| CaseRow { row, case: with(row, customer), ..CaseRow::default() });
        let batches = tokio_stream::iter([ImportCasesRequest { rows: rows.collect() }]);
        let mut answers = services.complaints.clone().import_cases(batches).await.expect("a stream").into_inner();
        let answer = answers.message().await.expect("an answer").expect("to the batch");
        assert_eq!((answer.recorded, answer.rejected[0].row), (1, 1), "{answer:?}");
        assert_eq!(answer.rejected[0].violations[0].reason, ERASED);
        let histories = [&customer, &nobody].into_iter().zip(3..);
        let histories = histories
            .map(|(customer, row)| CaseHistory { row, case: with(row, customer), ..CaseHistory::default() })
            .collect();
        let batches = tokio_stream::iter([ImportCaseHistoriesRequest { histories }]);
        let answers = services.complaints.clone().import_case_histories(batches).await.expect("a stream");
        let answer = answers.into_inner().message().await.expect("an answer").expect("to the batch");
        assert_eq!((answer.recorded, answer.rejected[0].row), (1, 3), "{answer:?}");
        assert_eq!(answer.rejected[0].violations[0].reason, ERASED);

        let request = LookupCustomerRequest { external_id: Some(erased) };
        let there = services.customers.clone().lookup_customer(request).await;
        assert_eq!(there.expect_err("nobody was created").code(), Code::NotFound);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_case_is_not_amended_to_somebody_who_was_erased() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let gone = Uuid::new_v4().to_string();
        erase(&services, &gone, "").await.expect("erased");
        let other = open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("opened");
        let customer = Some(of_case::Customer::CustomerId(gone.clone()));
        let patch = Case { case_id: other.case_id.clone(), customer, ..Case::default() };
        assert_eq!(told(&amend(&services, patch, "customer_id").await.expect_err("erased")).1, ERASED);
        assert!(export(&services, &gone).await.is_empty());
        // What was anonymised can be amended as ever.
        let customer = open_one(&services, case_of("somebody")).await.expect("opened");
        let Some(of_case::Customer::CustomerId(id)) = customer.customer.clone() else { panic!("a customer") };
        erase(&services, &id, "").await.expect("erased");
        let patch = Case { case_id: customer.case_id, product: "dvds".to_owned(), ..Case::default() };
        assert_eq!(amend(&services, patch, "product").await.expect("amended").product, "dvds");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_incident_affects_nobody_who_was_erased() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut ids = Vec::new();
        for name in ["m-1", "m-2"] {
            let mut change = attribute_change(name);
            change.customer = Some(barometer_proto::customers::v1::attribute_change::Customer::CustomerKey(key(name)));
            (change.attribute, change.value) = (Attribute::Country.into(), "MD".to_owned());
            let request = RecordAttributeChangeRequest { attribute_change: Some(change), request_id: String::new() };
            services.customers.clone().record_attribute_change(request).await.expect("recorded");
            let request = LookupCustomerRequest { external_id: Some(key(name)) };
            ids.push(
                services.customers.clone().lookup_customer(request).await.expect("there").into_inner().customer_id,
            );
        }
        // Customers knows them still.
        erase(&services, &ids[0], "").await.expect("erased");
        let id = open_incident(&services).await;
        let request =
            AddCustomersByAttributeRequest { incident_id: id.clone(), country: "MD".to_owned(), ..Default::default() };
        services.incidents.clone().add_customers_by_attribute(request).await.expect("begun");
        let done = async || {
            let request = GetIncidentRequest { incident_id: id.clone() };
            services.incidents.clone().get_incident(request).await.expect("there").into_inner().running_tasks == 0
        };
        eventually("the task is done", done).await;
        assert_eq!(affected(&services, &id).await, [ids[1].clone()]);
        assert_eq!(told(&add(&services, &id, ids.clone()).await.expect_err("erased")).1, ERASED);
        assert_eq!(affected(&services, &id).await.len(), 1);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_erasure_ends_though_the_new_customer_stands_there_already() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = open_incident(&services).await;
        let customer = Uuid::new_v4().to_string();
        add(&services, &id, vec![customer.clone()]).await.expect("added");
        let erased = erase(&services, &customer, "").await.expect("erased");
        let anonymous = affected(&services, &id).await;
        assert!(erased.done && anonymous.len() == 1 && anonymous[0] != customer);
        services.stop().await;

        // As a replica of the release before may leave it: half-way, and with the old customer named once more.
        let (old, new) = (literal(database, &customer), literal(database, &anonymous[0]));
        let (incident, row) = (literal(database, &id), literal(database, &Uuid::new_v4().to_string()));
        database
            .execute(
                "complaints",
                &format!("UPDATE erasure SET customer_id = {old}, anonymous_id = {new}, end_time = NULL"),
            )
            .await;
        database
            .execute(
                "complaints",
                &format!(
                    "INSERT INTO incident_customer (id, incident_id, customer_id, create_time, number) \
                     VALUES ({row}, {incident}, {old}, 0, 2)"
                ),
            )
            .await;
        database.execute("complaints", "UPDATE incident SET affected_customers = 2").await;
        let services = Services::start(database).await;
        eventually("it is done", async || receipt(&services, &erased.erasure_id).await.done).await;
        assert_eq!(affected(&services, &id).await, anonymous);
        let request = GetIncidentRequest { incident_id: id.clone() };
        let incident = services.incidents.clone().get_incident(request).await.expect("there").into_inner();
        assert_eq!(incident.affected_customers, 1);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_erasure_is_done_only_when_the_log_was_emptied() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let erased = erase(&services, &Uuid::new_v4().to_string(), "").await.expect("erased");
        services.stop().await;
        // The process ended before it.
        database.execute("complaints", "UPDATE erasure SET end_time = NULL").await;
        let services = Services::start(database).await;
        eventually("it is done", async || receipt(&services, &erased.erasure_id).await.done).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_erasure_that_can_not_be_done_holds_up_no_other() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (one, two) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let case = open_one(&services, case(&one)).await.expect("opened");
        let id = erase(&services, &one, "").await.expect("erased").erasure_id;
        services.stop().await;
        // What nobody can read: an outcome that is none.
        let [old, new] = [one.clone(), Uuid::new_v4().to_string()].map(|id| literal(database, &id));
        let text = format!("UPDATE erasure SET customer_id = {old}, anonymous_id = {new}, end_time = NULL");
        database.execute("complaints", &text).await;
        let text = format!("UPDATE \"case\" SET customer_id = {old}, outcome = '[]'");
        database.execute("complaints", &text).await;
        let services = Services::start(database).await;
        let request = EraseCustomerRequest { customer_id: two, ..EraseCustomerRequest::default() };
        let other = services.privacy.clone().erase_customer(request).await.expect("erased").into_inner();
        assert!(other.done, "{other:?}");
        assert!(!receipt(&services, &id).await.done, "{}", case.case_id);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_customers_are_said_to_be_goes_too() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let event = |kind: Event, hours: i64| CaseEvent {
            row: hours,
            r#type: kind.into(),
            time: Some(hour(1 + hours)),
            actor: "ana".to_owned(),
            ..CaseEvent::default()
        };
        let theirs = |event: CaseEvent| CaseEvent { actor: format!("{MARK}@example.com"), ..event };
        let accepted = CaseEvent { acceptance: Acceptance::Accepted.into(), ..event(Event::AcceptanceRecorded, 4) };
        let events = vec![
            theirs(event(Event::CustomerWrote, 1)),
            event(Event::Resolved, 2),
            event(Event::AcceptanceAsked, 3),
            theirs(accepted),
        ];
        let case = Case { external_id: Some(key("h")), ..case_of(&format!("{MARK}-c")) };
        let history = CaseHistory { row: 9, case: Some(case), actor: format!("{MARK}@example.com"), events };
        let batches = tokio_stream::iter([ImportCaseHistoriesRequest { histories: vec![history] }]);
        let answers = services.complaints.clone().import_case_histories(batches).await.expect("a stream");
        let answer = answers.into_inner().message().await.expect("an answer").expect("to the batch");
        assert_eq!(answer.recorded, 1, "{answer:?}");
        let by = Some(barometer_proto::complaints::v1::get_case_request::By::ExternalId(key("h")));
        let request = barometer_proto::complaints::v1::GetCaseRequest { by };
        let case = services.complaints.clone().get_case(request).await.expect("there").into_inner();
        let Some(of_case::Customer::CustomerId(customer)) = case.customer else { panic!("a customer") };
        erase(&services, &customer, "").await.expect("erased");
        let after = get(&services, &case.case_id).await;
        let actors: Vec<_> = after.history.iter().rev().map(|entry| entry.actor.as_str()).collect();
        assert_eq!(actors, ["", "", "ana", "ana", ""]);
        assert_eq!(kept(database, MARK).await, Vec::<String>::new());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn many_messages_that_name_the_customer_are_found() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = Receiver::start(Manner::Status(500)).await;
        let request =
            CreateWebhookRequest { webhook: Some(webhook("mailer", &receiver.url)), request_id: String::new() };
        services.webhooks.clone().create_webhook(request).await.expect("created");
        let id = open_incident(&services).await;
        let customer = Uuid::new_v4().to_string();
        add(&services, &id, vec![customer.clone()]).await.expect("added");
        let request =
            SendIncidentMessageRequest { incident_id: id, message: "We are at it.".to_owned(), ..Default::default() };
        services.incidents.clone().send_incident_message(request).await.expect("sent");
        eventually("it waits", async || export(&services, &customer).await.len() == 2).await;
        services.stop().await;

        // Many more of the same, so that they are looked through piece by piece.
        let id = match database.kind() {
            DatabaseKind::Sqlite => "randomblob(16)",
            DatabaseKind::Postgres => "gen_random_uuid()",
        };
        let columns = "webhook_id, event, state, body, attempts, next_time, last_time, last_error, last_status, \
                       wait_time, create_time, settle_time";
        let far = Micros(Micros::now().0 + Micros::DAY).0;
        database.execute("complaints", &format!("UPDATE delivery SET state = 1, next_time = {far}")).await;
        let more = format!(
            "INSERT INTO delivery (id, {columns}) WITH RECURSIVE numbers(n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 450) \
             SELECT {id}, {columns} FROM delivery, numbers WHERE body LIKE '%{customer}%'"
        );
        database.execute("complaints", &more).await;
        let services = Services::start(database).await;
        assert_eq!(export(&services, &customer).await.len(), 1 + 451);
        let receipt = erase(&services, &customer, "").await.expect("erased");
        let found = receipt.counts.iter().find(|count| count.kind() == ErasedKind::Deliveries).expect("deliveries");
        assert!(receipt.done && found.found == 451, "{receipt:?}");
        assert!(export(&services, &customer).await.is_empty());
        services.stop().await;
    })
    .await;
}
