//! Incidents: cases are linked by rule, customers are told, and all of it ends at once.

use std::collections::BTreeSet;

use barometer_chassis::{
    clock::Micros,
    testing::{DatabaseKind, TestDatabase, on_each_database},
};
use barometer_proto::{
    complaints::v1::{
        AddAffectedCustomersRequest, AddCustomersByAttributeRequest, Case, CaseEntryType as Event,
        CloseIncidentRequest, GetIncidentRequest, Incident, IncidentCase, IncidentCaseResult, IncidentRule,
        IncidentState, IncidentTask, LinkToIncidentRequest, ListAffectedCustomersRequest, ListIncidentCasesRequest,
        ListIncidentTasksRequest, ListIncidentsRequest, OpenIncidentRequest, SendIncidentMessageRequest,
        UnlinkFromIncidentRequest, case as of_case, case::State,
    },
    customers::v1::{Attribute, RecordAttributeChangeRequest},
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Receiver},
    samples::{attribute_change, case, hour, key, webhook},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one, withdraw};

pub(crate) fn words(words: &[&str]) -> IncidentRule {
    IncidentRule { words: words.iter().map(ToString::to_string).collect(), ..IncidentRule::default() }
}

pub(crate) fn outage(rule: IncidentRule) -> Incident {
    Incident { title: "fibre is down".to_owned(), start_time: Some(hour(0)), rule: Some(rule), ..Incident::default() }
}

pub(crate) async fn open(services: &Services, incident: Incident) -> Result<Incident, Status> {
    let request = OpenIncidentRequest { incident: Some(incident), request_id: String::new() };
    Ok(services.incidents.clone().open_incident(request).await?.into_inner())
}

pub(crate) async fn read(services: &Services, id: &str) -> Incident {
    let request = GetIncidentRequest { incident_id: id.to_owned() };
    services.incidents.clone().get_incident(request).await.expect("there").into_inner()
}

/// The incident once all its tasks are done.
pub(crate) async fn settled(services: &Services, id: &str) -> Incident {
    eventually("its tasks are done", async || read(services, id).await.running_tasks == 0).await;
    read(services, id).await
}

pub(crate) async fn close(services: &Services, id: &str) -> Result<Incident, Status> {
    let message = "it works again".to_owned();
    let request = CloseIncidentRequest { incident_id: id.to_owned(), message, ..CloseIncidentRequest::default() };
    Ok(services.incidents.clone().close_incident(request).await?.into_inner())
}

async fn cases(services: &Services, id: &str) -> Vec<IncidentCase> {
    let request = ListIncidentCasesRequest { incident_id: id.to_owned(), page_size: 1_000, page_token: String::new() };
    services.incidents.clone().list_incident_cases(request).await.expect("a page").into_inner().cases
}

pub(crate) async fn affected(services: &Services, id: &str) -> BTreeSet<String> {
    let (mut all, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let request = ListAffectedCustomersRequest { incident_id: id.to_owned(), page_size: 700, page_token };
        let page = services.incidents.clone().list_affected_customers(request).await.expect("a page").into_inner();
        all.extend(page.customers.into_iter().map(|customer| customer.customer_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

pub(crate) async fn tasks(services: &Services, id: &str) -> Vec<IncidentTask> {
    let request = ListIncidentTasksRequest { incident_id: id.to_owned(), ..ListIncidentTasksRequest::default() };
    services.incidents.clone().list_incident_tasks(request).await.expect("a page").into_inner().tasks
}

pub(crate) async fn about(services: &Services, description: &str) -> Case {
    let case = Case { description: description.to_owned(), ..case(&Uuid::new_v4().to_string()) };
    open_one(services, case).await.expect("opened")
}

fn customer(case: &Case) -> String {
    match &case.customer {
        Some(of_case::Customer::CustomerId(id)) => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn cases_are_linked_by_rule_before_and_after_it_was_opened() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let before = about(&services, "The Internet does not work").await;
        let other = about(&services, "The invoice is wrong").await;
        let cancelled = about(&services, "internet?").await;
        act(&services, &cancelled.case_id, Verb::Cancel, How::default()).await.expect("allowed");
        let incident = open(&services, outage(words(&["internet", "router"]))).await.expect("opened");
        let id = incident.incident_id.as_str();
        assert_eq!((incident.state(), incident.running_tasks), (IncidentState::Open, 1));
        let after = about(&services, "My ROUTER blinks").await;
        let late = about(&services, "no internetz").await;
        let now = settled(&services, id).await;
        assert_eq!((now.linked_cases, now.affected_customers), (2, 2));
        let linked: BTreeSet<String> = cases(&services, id).await.into_iter().map(|one| one.case_id).collect();
        assert_eq!(linked, BTreeSet::from([before.case_id.clone(), after.case_id.clone()]));
        assert_eq!(affected(&services, id).await, BTreeSet::from([customer(&before), customer(&after)]));
        for case in [&before, &after] {
            assert_eq!(entries(&services, &case.case_id).await, [Event::Opened, Event::IncidentLinked]);
            let told = get(&services, &case.case_id).await;
            assert_eq!((told.incident_ids, told.history[0].incident_id.as_str()), (vec![id.to_owned()], id));
        }
        assert!(get(&services, &late.case_id).await.incident_ids.is_empty());

        // By hand, and for good.
        let link = async |case_id: &str| {
            let (incident_id, case_id) = (id.to_owned(), case_id.to_owned());
            let request = LinkToIncidentRequest { incident_id, case_id, request_id: String::new() };
            services.incidents.clone().link_to_incident(request).await.map(|answer| answer.into_inner())
        };
        let unlink = async |case_id: &str| {
            let (incident_id, case_id) = (id.to_owned(), case_id.to_owned());
            let request = UnlinkFromIncidentRequest { incident_id, case_id, request_id: String::new() };
            services.incidents.clone().unlink_from_incident(request).await.map(|answer| answer.into_inner())
        };
        assert_eq!(link(&other.case_id).await.expect("linked").linked_cases, 3);
        assert_eq!(link(&other.case_id).await.expect("it is").linked_cases, 3);
        assert_eq!(unlink(&before.case_id).await.expect("unlinked").linked_cases, 2);
        assert_eq!(unlink(&before.case_id).await.expect_err("it is not").code(), Code::NotFound);
        assert!(get(&services, &before.case_id).await.incident_ids.is_empty());
        assert_eq!(link(&before.case_id).await.expect("linked again").linked_cases, 3);
        withdraw(&services, &late.case_id).await;
        assert_eq!(told(&link(&late.case_id).await.expect_err("withdrawn")).1, "WITHDRAWN");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn all_who_are_affected_are_told_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = open(&services, Incident { rule: None, ..outage(IncidentRule::default()) }).await.expect("opened");
        let id = id.incident_id;
        let keys = |from: usize, to: usize| (from..to).map(|number| key(&format!("c-{number}"))).collect::<Vec<_>>();
        let add = async |customer_keys| {
            let request = AddAffectedCustomersRequest { incident_id: id.clone(), customer_keys, ..Default::default() };
            services.incidents.clone().add_affected_customers(request).await.map(|answer| answer.into_inner())
        };
        assert_eq!(add(keys(0, 1_000)).await.expect("added").affected_customers, 1_000);
        assert_eq!(add(keys(900, 1_200)).await.expect("added").affected_customers, 1_200);
        let say = async || {
            let request = SendIncidentMessageRequest {
                incident_id: id.clone(),
                message: "We are at it.".to_owned(),
                request_id: String::new(),
            };
            services.incidents.clone().send_incident_message(request).await.map(|answer| answer.into_inner())
        };
        assert_eq!(told(&say().await.expect_err("nobody would tell them")).1, "NO_RECEIVER");

        let receiver = Receiver::start(Manner::Status(200)).await;
        let request = barometer_proto::complaints::v1::CreateWebhookRequest {
            webhook: Some(webhook("mailer", &receiver.url)),
            request_id: String::new(),
        };
        services.webhooks.clone().create_webhook(request).await.expect("created");
        say().await.expect("sent");
        settled(&services, &id).await;
        eventually("three notices arrive", async || receiver.received().len() == 3).await;
        let mut named = Vec::new();
        for received in receiver.received() {
            let body = received.json();
            assert_eq!(
                (&body["type"], &body["data"]["message"]),
                (&"incident.message".into(), &"We are at it.".into())
            );
            let ids = body["data"]["customer_ids"].as_array().expect("ids").clone();
            assert!(ids.len() <= 500);
            named.extend(ids.into_iter().map(|id| id.as_str().expect("an id").to_owned()));
        }
        assert_eq!((named.len(), BTreeSet::from_iter(named)), (1_200, affected(&services, &id).await));

        // By what the customers service says of them.
        for (name, attribute, value, leaves) in [
            ("m-1", Attribute::Country, "MD", false),
            ("m-2", Attribute::Country, "MD", false),
            ("m-2", Attribute::Segment, "fibre", false),
            ("m-3", Attribute::Segment, "fibre", false),
            ("m-4", Attribute::Segment, "fibre", false),
            ("m-4", Attribute::Segment, "fibre", true),
            ("m-5", Attribute::Tier, "fibre", false),
        ] {
            let mut change = attribute_change(name);
            change.customer = Some(barometer_proto::customers::v1::attribute_change::Customer::CustomerKey(key(name)));
            (change.attribute, change.value, change.leaves) = (attribute.into(), value.to_owned(), leaves);
            let request = RecordAttributeChangeRequest { attribute_change: Some(change), request_id: String::new() };
            services.customers.clone().record_attribute_change(request).await.expect("recorded");
        }
        let request = AddCustomersByAttributeRequest {
            incident_id: id.clone(),
            country: "MD".to_owned(),
            ..AddCustomersByAttributeRequest::default()
        };
        services.incidents.clone().add_customers_by_attribute(request).await.expect("begun");
        assert_eq!(settled(&services, &id).await.affected_customers, 1_202);
        let counts: Vec<_> = tasks(&services, &id).await.into_iter().map(|task| (task.count, task.done)).collect();
        assert_eq!(counts, [(2, true), (1_200, true)]);
        for (country, affected) in [("MD", 1_202), ("", 1_203)] {
            let request = AddCustomersByAttributeRequest {
                incident_id: id.clone(),
                country: country.to_owned(),
                segment: "fibre".to_owned(),
                ..AddCustomersByAttributeRequest::default()
            };
            services.incidents.clone().add_customers_by_attribute(request).await.expect("begun");
            assert_eq!(settled(&services, &id).await.affected_customers, affected, "of {country:?}");
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn closing_resolves_every_case_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = Receiver::start(Manner::Status(200)).await;
        let request = barometer_proto::complaints::v1::CreateWebhookRequest {
            webhook: Some(webhook("pager", &receiver.url)),
            request_id: String::new(),
        };
        services.webhooks.clone().create_webhook(request).await.expect("created");
        let id = open(&services, outage(words(&["internet"]))).await.expect("opened").incident_id;
        let mut all = Vec::new();
        for _ in 0..130 {
            all.push(about(&services, "no internet").await.case_id);
        }
        act(&services, &all[0], Verb::Resolve, How::default()).await.expect("allowed");
        act(&services, &all[1], Verb::Cancel, How::default()).await.expect("allowed");
        withdraw(&services, &all[2]).await;
        let closing = close(&services, &id).await.expect("closing");
        assert_eq!((closing.state(), closing.end_time.is_some()), (IncidentState::Closing, true));
        assert_eq!(told(&close(&services, &id).await.expect_err("it is")).1, "NOT_OPEN");
        // It goes on where it was.
        services.stop().await;
        let services = Services::start(database).await;
        let closed = settled(&services, &id).await;
        assert_eq!(closed.state(), IncidentState::Closed);
        assert_eq!((closed.linked_cases, closed.resolved_cases, closed.passed_over_cases), (130, 127, 3));
        let results = cases(&services, &id).await;
        let passed: Vec<_> = results.iter().filter(|one| one.result() == IncidentCaseResult::PassedOver).collect();
        let passed: BTreeSet<&str> = passed.into_iter().map(|one| one.case_id.as_str()).collect();
        assert_eq!(passed, all[..3].iter().map(String::as_str).collect());
        for case in &all[3..] {
            let case = get(&services, case).await;
            assert_eq!((case.state(), case.history[0].text.as_str()), (State::Resolved, "it works again"));
            let resolved = case.history.iter().filter(|entry| entry.r#type() == Event::Resolved).count();
            assert_eq!(resolved, 1);
        }
        // What comes later has nothing to do with it.
        assert!(get(&services, &about(&services, "internet").await.case_id).await.incident_ids.is_empty());
        let types = || receiver.types();
        eventually("it is told", async || types() == ["incident.opened", "incident.closed"]).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn replicas_resolve_every_case_once() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let (one, two) = (Services::start(&database).await, Services::start(&database).await);
    let id = open(&one, outage(words(&["internet"]))).await.expect("opened").incident_id;
    let mut all = Vec::new();
    for _ in 0..120 {
        all.push(about(&two, "no internet").await.case_id);
    }
    close(&two, &id).await.expect("closing");
    assert_eq!(settled(&one, &id).await.resolved_cases, 120);
    for case in &all {
        let history = get(&one, case).await.history;
        assert_eq!(history.iter().filter(|entry| entry.r#type() == Event::Resolved).count(), 1);
    }
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn incidents_are_opened_once_and_listed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request_id = Uuid::new_v4().to_string();
        let with = |title: &str| {
            let incident = Incident { title: title.to_owned(), start_time: None, ..outage(words(&["internet"])) };
            OpenIncidentRequest { incident: Some(incident), request_id: request_id.clone() }
        };
        let first = services.incidents.clone().open_incident(with("one")).await.expect("opened").into_inner();
        let again = services.incidents.clone().open_incident(with("one")).await.expect("the same").into_inner();
        assert_eq!(first.incident_id, again.incident_id);
        let refused = services.incidents.clone().open_incident(with("two")).await.expect_err("another");
        assert_eq!(told(&refused).1, "REQUEST_ID_REUSED");
        let now = Micros::now().0;
        let started = first.start_time.and_then(|at| Micros::from_wire(&at)).expect("now");
        assert!((now - 60 * Micros::SECOND..=now).contains(&started.0));
        let old = open(&services, outage(words(&["mail"]))).await.expect("opened");
        close(&services, &old.incident_id).await.expect("closing");
        settled(&services, &old.incident_id).await;
        let list = async |states: Vec<IncidentState>| {
            let states = states.into_iter().map(i32::from).collect();
            let request = ListIncidentsRequest { states, ..ListIncidentsRequest::default() };
            let page = services.incidents.clone().list_incidents(request).await.expect("a page").into_inner();
            page.incidents.into_iter().map(|incident| incident.incident_id).collect::<Vec<_>>()
        };
        assert_eq!(list(vec![]).await, [first.incident_id.clone(), old.incident_id.clone()]);
        assert_eq!(list(vec![IncidentState::Closed]).await, [old.incident_id]);
        services.stop().await;
    })
    .await;
}
