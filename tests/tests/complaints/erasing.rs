//! What is held of a customer: told on request, and gone on request.

use barometer_chassis::{
    clock::Micros,
    testing::{DatabaseKind, TestDatabase, on_each_database},
};
use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{
        AddAffectedCustomersRequest, Attachment, Case, EraseCustomerRequest, ErasedKind, Erasure,
        ExportCustomerRequest, Finding, GetErasureRequest, Incident, MakePromiseRequest, OpenIncidentRequest, Outcome,
        Promise, Redress, Remedy, SendIncidentMessageRequest, SetOutcomeRequest, WatchFactsRequest, case as of_case,
        export_customer_response::Item, promise, redress,
    },
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Receiver},
    samples::{case, hour, key, webhook},
    services::{Services, told},
};
use prost::Message;
use tonic::{Code, Status};

use crate::{How, Verb, act, get, open_one, withdraw};

/// Stands in every text.
pub(crate) const MARK: &str = "mark7f3a";

fn mark(what: &str) -> String {
    format!("{MARK} {what}")
}

/// A case of whom the shop knows by a name.
pub(crate) fn case_of(name: &str) -> Case {
    Case { customer: Some(of_case::Customer::CustomerKey(key(name))), ..case("") }
}

/// Somebody with a case, a withdrawn one, a promise, an incident and a notice; their id, and their cases.
async fn somebody(services: &Services) -> (String, [String; 2]) {
    let of = |number: usize| Case {
        subject: mark("subject"),
        description: mark("description"),
        attachments: vec![Attachment { uri: format!("s3://{MARK}/1"), media_type: String::new(), name: mark("name") }],
        external_id: Some(ExternalId { system: "crm".to_owned(), value: format!("{MARK}-{number}") }),
        ..case_of(&format!("{MARK}-c"))
    };
    let first = open_one(services, of(1)).await.expect("opened");
    let second = open_one(services, of(2)).await.expect("opened");
    let Some(of_case::Customer::CustomerId(customer)) = first.customer.clone() else { panic!("a customer") };
    let said = || How { text: mark("text"), ..How::default() };
    act(services, &first.case_id, Verb::Respond, said()).await.expect("allowed");
    act(services, &first.case_id, Verb::Annotate, said()).await.expect("allowed");
    act(services, &first.case_id, Verb::Resolve, said()).await.expect("allowed");
    let worth = Some(redress::Worth::Points(5));
    let redress = vec![Redress { remedy: Remedy::Voucher.into(), worth, reference: mark("reference") }];
    let outcome =
        Outcome { finding: Finding::Upheld.into(), redress, root_cause: "process".to_owned(), lesson: mark("lesson") };
    let request = SetOutcomeRequest {
        case_id: first.case_id.clone(),
        outcome: Some(outcome),
        note: mark("note"),
        ..SetOutcomeRequest::default()
    };
    services.complaints.clone().set_outcome(request).await.expect("set");
    withdraw(services, &second.case_id).await;

    let made = Promise {
        customer: Some(promise::Customer::CustomerId(customer.clone())),
        description: mark("promise"),
        team: "care".to_owned(),
        external_id: Some(ExternalId { system: "crm".to_owned(), value: format!("{MARK}-p") }),
        due_time: Some(Micros(Micros::now().0 + Micros::DAY).to_wire()),
        ..Promise::default()
    };
    let request = MakePromiseRequest { promise: Some(made), request_id: String::new() };
    services.promises.clone().make_promise(request).await.expect("made");

    // A receiver that refuses: the notice waits.
    let receiver = Receiver::start(Manner::Status(500)).await;
    let request = barometer_proto::complaints::v1::CreateWebhookRequest {
        webhook: Some(webhook("mailer", &receiver.url)),
        request_id: String::new(),
    };
    services.webhooks.clone().create_webhook(request).await.expect("created");
    let incident = Incident { title: "down".to_owned(), start_time: Some(hour(0)), ..Incident::default() };
    let request = OpenIncidentRequest { incident: Some(incident), request_id: String::new() };
    let incident_id = services.incidents.clone().open_incident(request).await.expect("opened").into_inner().incident_id;
    let request = AddAffectedCustomersRequest {
        incident_id: incident_id.clone(),
        customer_ids: vec![customer.clone()],
        ..AddAffectedCustomersRequest::default()
    };
    services.incidents.clone().add_affected_customers(request).await.expect("added");
    let request =
        SendIncidentMessageRequest { incident_id, message: "We are at it.".to_owned(), request_id: String::new() };
    services.incidents.clone().send_incident_message(request).await.expect("sent");
    let waits = async || export(services, &customer).await.iter().any(|item| matches!(item, Item::Delivery(_)));
    eventually("the notice waits", waits).await;
    (customer, [first.case_id, second.case_id])
}

pub(crate) async fn export(services: &Services, customer: &str) -> Vec<Item> {
    let request = ExportCustomerRequest { customer_id: customer.to_owned() };
    let mut stream = services.privacy.clone().export_customer(request).await.expect("a stream").into_inner();
    let mut items = Vec::new();
    while let Some(told) = stream.message().await.expect("it goes on") {
        items.push(told.item.expect("an item"));
    }
    items
}

pub(crate) async fn erase(services: &Services, customer: &str, request_id: &str) -> Result<Erasure, Status> {
    let request = EraseCustomerRequest {
        customer_id: customer.to_owned(),
        customer_keys: vec![key(&format!("{MARK}-c"))],
        request_id: request_id.to_owned(),
    };
    Ok(services.privacy.clone().erase_customer(request).await?.into_inner())
}

async fn feed(services: &Services) -> Vec<u8> {
    let mut batches =
        services.complaints.clone().watch_facts(WatchFactsRequest::default()).await.expect("a watch").into_inner();
    let mut bytes = Vec::new();
    loop {
        let batch = batches.message().await.expect("a batch").expect("it goes on");
        bytes.extend(batch.encode_to_vec());
        if batch.caught_up {
            return bytes;
        }
    }
}

/// Where a text stands in what complaints keeps, on disk; on PostgreSQL in its tables.
pub(crate) async fn kept(database: &TestDatabase, text: &str) -> Vec<String> {
    if database.kind() == DatabaseKind::Postgres {
        return database
            .contents("complaints")
            .await
            .lines()
            .filter(|line| line.contains(text))
            .map(str::to_owned)
            .collect();
    }
    // An id stands in a SQLite file as its bytes.
    let id = uuid::Uuid::try_parse(text).map(|id| id.as_bytes().to_vec());
    let wanted = [Some(text.as_bytes().to_vec()), id.ok()];
    let files = std::fs::read_dir(database.directory()).expect("the directory").filter_map(Result::ok);
    let files = files.filter(|file| file.file_name().to_string_lossy().starts_with("complaints"));
    let mut found = Vec::new();
    for file in files {
        let bytes = std::fs::read(file.path()).expect("a file");
        for wanted in wanted.iter().flatten() {
            if bytes.windows(wanted.len()).any(|window| window == wanted.as_slice()) {
                found.push(file.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[tokio::test]
async fn everything_of_a_customer_is_told() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (customer, cases) = somebody(&services).await;
        let items = export(&services, &customer).await;
        let told: Vec<&str> = items
            .iter()
            .map(|item| match item {
                Item::Case(_) => "case",
                Item::CaseEntry(_) => "entry",
                Item::Promise(_) => "promise",
                Item::Incident(_) => "incident",
                Item::Delivery(_) => "delivery",
                Item::FollowUp(_) | Item::Answer(_) => "survey",
            })
            .collect();
        let count = |what: &str| told.iter().filter(|one| **one == what).count();
        assert_eq!((count("case"), count("promise"), count("incident"), count("delivery")), (2, 1, 1, 1));
        assert_eq!(count("entry"), 6, "five of the first, one of the withdrawn");
        let texts = items.iter().filter(|item| format!("{item:?}").contains(MARK)).count();
        assert_eq!(texts, 2 + 4 + 1);
        let ids: Vec<_> = items
            .iter()
            .filter_map(|item| if let Item::Case(case) = item { Some(&case.case_id) } else { None })
            .collect();
        assert_eq!(ids, cases.iter().collect::<Vec<_>>());
        assert!(export(&services, "01890a5d-ac96-774b-bcce-b302099a8057").await.is_empty());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_customer_is_left() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (customer, [first, second]) = somebody(&services).await;
        let before = get(&services, &first).await;
        let request_id = uuid::Uuid::new_v4().to_string();
        let receipt = erase(&services, &customer, &request_id).await.expect("erased");
        assert!(receipt.done, "{receipt:?}");
        let mut counts: Vec<_> = receipt.counts.iter().map(|count| (count.kind(), count.found)).collect();
        counts.sort_by_key(|(kind, _)| i32::from(*kind));
        let expected = [
            (ErasedKind::Cases, 2),
            (ErasedKind::CaseEntries, 6),
            (ErasedKind::ExternalIds, 3),
            (ErasedKind::Promises, 1),
            (ErasedKind::Incidents, 1),
            (ErasedKind::Deliveries, 1),
        ];
        assert_eq!(counts, expected);
        assert!(export(&services, &customer).await.is_empty());

        // The figures stay: of somebody without a name.
        let after = get(&services, &first).await;
        assert_ne!(after.customer, before.customer);
        assert_eq!(
            (after.state, after.category.as_str(), after.history.len()),
            (before.state, before.category.as_str(), 5)
        );
        assert_eq!(after.outcome.as_ref().map(|outcome| outcome.redress.len()), Some(1));
        assert!(after.etag != before.etag && after.external_id.is_none());
        assert_eq!(get(&services, &second).await.customer, after.customer);
        let fed = feed(&services).await;
        for gone in [MARK.as_bytes(), customer.as_bytes()] {
            assert!(!fed.windows(gone.len()).any(|window| window == gone), "in the feed");
        }
        for gone in [MARK, customer.as_str()] {
            assert_eq!(kept(database, gone).await, Vec::<String>::new(), "{gone}");
        }

        // Nothing comes in again; once more is harmless.
        let again = |number: usize| Case {
            external_id: Some(ExternalId { system: "crm".to_owned(), value: format!("{MARK}-{number}") }),
            ..case_of("another")
        };
        let with =
            |customer: of_case::Customer| Case { customer: Some(customer), external_id: None, ..case_of("another") };
        for case in [
            again(1),
            again(2),
            with(of_case::Customer::CustomerId(customer.clone())),
            with(of_case::Customer::CustomerKey(key(&format!("{MARK}-c")))),
        ] {
            assert_eq!(told(&open_one(&services, case).await.expect_err("erased")).1, "CUSTOMER_ERASED");
        }
        let other = ExternalId { system: "crm".to_owned(), value: "another".to_owned() };
        let other = Case { external_id: Some(other), ..case_of("another") };
        open_one(&services, other).await.expect("another key is another case");
        assert_eq!(erase(&services, &customer, &request_id).await.expect("the same"), receipt);
        let once_more = erase(&services, &customer, "").await.expect("harmless");
        assert_eq!(
            (&once_more.erasure_id, &once_more.counts, once_more.done),
            (&receipt.erasure_id, &receipt.counts, true)
        );
        let request = GetErasureRequest { erasure_id: receipt.erasure_id.clone() };
        let read = services.privacy.clone().get_erasure(request).await.expect("there").into_inner();
        assert_eq!(read, once_more);
        let request = GetErasureRequest { erasure_id: customer.clone() };
        assert_eq!(services.privacy.clone().get_erasure(request).await.expect_err("none").code(), Code::NotFound);
        services.stop().await;
        assert_eq!(kept(database, MARK).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn who_has_many_cases_is_erased_over_a_restart() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut customer = None;
        for number in 0..130 {
            let opened = open_one(
                &services,
                Case { description: mark(&number.to_string()), external_id: None, ..case_of("many") },
            );
            customer = opened.await.expect("opened").customer;
        }
        let Some(of_case::Customer::CustomerId(customer)) = customer else { panic!("a customer") };
        let request = EraseCustomerRequest { customer_id: customer.clone(), ..EraseCustomerRequest::default() };
        let mut client = services.privacy.clone();
        let asked = tokio::spawn(async move { client.erase_customer(request).await });
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        services.stop().await;
        drop(asked.await);
        let services = Services::start(database).await;
        let receipt = erase(&services, &customer, "").await.expect("erased");
        assert!(receipt.done);
        let cases = receipt.counts.iter().find(|count| count.kind() == ErasedKind::Cases).expect("cases");
        assert_eq!(cases.found, 130, "each once");
        assert_eq!(kept(database, MARK).await, Vec::<String>::new());
        services.stop().await;
    })
    .await;
}
