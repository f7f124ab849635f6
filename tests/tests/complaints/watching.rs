//! What watchers see: cases as they are, entries as they come, and nothing that was withdrawn.

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::complaints::v1::{
    Acceptance, CaseEntryFact, CaseEntryType as Event, CaseFact, CaseKind, Fact, FactKind, GetCaseRequest,
    OpenCaseRequest, Priority, Severity, WatchFactsRequest, case::State, fact, get_case_request::By,
};
use barometer_tests::{
    samples::{case, hour, region},
    services::{Services, is_since},
};
use uuid::Uuid;

use crate::{How, Verb, act, opened, withdraw};

async fn watch(services: &Services, kinds: &[FactKind], after: &str) -> (Vec<Fact>, String) {
    let request =
        WatchFactsRequest { kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(), after: after.to_owned() };
    let mut batches = services.complaints.clone().watch_facts(request).await.expect("a watch").into_inner();
    let (mut facts, begun): (Vec<Fact>, _) = (Vec::new(), Micros::now());
    loop {
        let batch = batches.message().await.expect("a batch").expect("it goes on");
        // What moved meanwhile comes once more, in its latest state.
        facts.retain(|fact| batch.facts.iter().all(|other| other.id != fact.id));
        facts.extend(batch.facts);
        if batch.caught_up && is_since(begun, batch.read_time) {
            return (facts, batch.position);
        }
    }
}

#[tokio::test]
async fn a_case_and_its_entries_are_facts() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        let id = case.case_id.as_str();
        act(&services, id, Verb::Assign("ana", "billing"), How::at(hour(2))).await.expect("allowed");
        let (first, position) = watch(&services, &[], "").await;
        assert_eq!(first.len(), 3);
        act(&services, id, Verb::Assign("", "legal"), How::at(hour(3))).await.expect("allowed");
        act(&services, id, Verb::Resolve, How::at(hour(4))).await.expect("allowed");
        act(&services, id, Verb::Annotate, How::default()).await.expect("allowed");

        // After a position: only what is new. The case comes once, as it is.
        let (facts, _) = watch(&services, &[], &position).await;
        let (cases, entries): (Vec<&Fact>, Vec<&Fact>) = facts.iter().partition(|fact| fact.id == id);
        let [Fact { number, version: 4, fact: Some(fact::Fact::Case(told)), .. }] = cases[..] else {
            panic!("{cases:?}")
        };
        let Some(barometer_proto::complaints::v1::case::Customer::CustomerId(customer_id)) = case.customer else {
            panic!("a customer")
        };
        let expected = CaseFact {
            customer_id,
            state: State::Resolved.into(),
            category: "late delivery".to_owned(),
            product: "books".to_owned(),
            channel: "phone".to_owned(),
            team: "legal".to_owned(),
            open_time: Some(hour(1)),
            first_response_time: Some(hour(4)),
            first_resolve_time: Some(hour(4)),
            resolve_time: Some(hour(4)),
            hand_offs: 1,
            dimensions: region("north"),
            kind: CaseKind::Complaint.into(),
            severity: Severity::Medium.into(),
            priority: Priority::Normal.into(),
            value_band: "unknown".to_owned(),
            acceptance: Acceptance::Open.into(),
            ..CaseFact::default()
        };
        assert_eq!(*told, expected);

        let entries: Vec<&CaseEntryFact> = entries
            .into_iter()
            .map(|fact| match &fact.fact {
                Some(fact::Fact::CaseEntry(entry)) if fact.version == 1 => entry,
                other => panic!("{other:?}"),
            })
            .collect();
        let assigned = CaseEntryFact {
            case_id: id.to_owned(),
            case_number: *number,
            r#type: Event::Assigned.into(),
            time: Some(hour(3)),
            state: State::Received.into(),
            employee: String::new(),
            team: "legal".to_owned(),
            previous_employee: "ana".to_owned(),
            previous_team: "billing".to_owned(),
            ..CaseEntryFact::default()
        };
        assert_eq!(*entries[0], assigned);
        let types: Vec<Event> = entries.iter().map(|entry| entry.r#type()).collect();
        assert_eq!(types, [Event::Assigned, Event::Resolved, Event::Annotated]);
        assert!(entries[1..].iter().all(|entry| entry.previous_employee.is_empty() && entry.previous_team.is_empty()));

        let (only, _) = watch(&services, &[FactKind::CaseEntry], "").await;
        assert_eq!(only.len(), 5);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_case_leaves_a_tombstone_and_its_entries_none() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        let (before, position) = watch(&services, &[], "").await;
        withdraw(&services, &case.case_id).await;
        let (after, _) = watch(&services, &[], &position).await;
        let [Fact { id, number, version: 2, fact: Some(fact::Fact::Tombstone(gone)), .. }] = &after[..] else {
            panic!("{after:?}")
        };
        assert_eq!((id, gone.kind()), (&case.case_id, FactKind::Case));
        let of_case = |fact: &&Fact| fact.id == case.case_id;
        assert_eq!(*number, before.iter().find(of_case).expect("it was there").number);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_position_of_a_write_includes_all_that_came_of_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request =
            OpenCaseRequest { case: Some(case(&Uuid::new_v4().to_string())), request_id: Uuid::new_v4().to_string() };
        let open = async || services.complaints.clone().open_case(request.clone()).await.expect("opened").into_inner();
        let (first, again) = (open().await, open().await);
        assert_eq!(first.position, again.position, "told again it is the same");
        let by = Some(By::CaseId(first.case_id.clone()));
        let read = services.complaints.clone().get_case(GetCaseRequest { by }).await.expect("there").into_inner();
        assert_eq!(first.position, read.position, "and read back too");
        let (behind, _) = watch(&services, &[FactKind::CaseEntry, FactKind::CaseClock], &first.position).await;
        assert_eq!(behind, [], "its entries and clocks are not behind it");
        services.stop().await;
    })
    .await;
}
