//! Ladders of promises: in a case, alone, moved and kept.

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::complaints::v1::{
    Audience, CaseEntryType as Event, ClockDuration, ClockKind, CreateCalendarRequest, CreateWebhookRequest,
    DurationUnit, Escalation, KeepPromiseRequest, LadderHandOver, LadderStep, ListEscalationsRequest,
    MakePromiseRequest, MovePromiseRequest, Policy, PolicySet, Priority, Promise, PublishPoliciesRequest, Webhook,
    WebhookEvent, WithdrawPromiseRequest, ladder_step::When, promise::State,
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Receiver},
    samples::{calendar, from_now, policy, promise, webhook},
    services::{Services, told},
};
use prost_types::Timestamp;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    entries, get, opened,
    promises::{fact, read},
};

fn step(when: When) -> LadderStep {
    LadderStep { when: Some(when), notify: vec![Audience::Owner.into()], ..Default::default() }
}

/// The owner is warned halfway; then the case is raised and the promise handed on.
fn usual() -> Vec<LadderStep> {
    let to = LadderHandOver { employee: String::new(), team: "legal".to_owned() };
    vec![step(When::Percent(50)), LadderStep { raise_by_one: true, hand_over: Some(to), ..step(When::Percent(100)) }]
}

async fn publish(services: &Services, promise_steps: Vec<LadderStep>) -> Result<PolicySet, Status> {
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    let office = services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id;
    let policies = vec![Policy { promise_steps, ..policy("all", &office) }];
    let policy_set = Some(PolicySet { policies, ..Default::default() });
    let request = PublishPoliciesRequest { policy_set, ..Default::default() };
    Ok(services.policies.clone().publish_policies(request).await?.into_inner())
}

async fn make(services: &Services, promise: Promise) -> Promise {
    let request = MakePromiseRequest { promise: Some(promise), ..Default::default() };
    services.promises.clone().make_promise(request).await.expect("made").into_inner()
}

/// The steps that were taken of a promise, the first first.
async fn taken(services: &Services, promise: &str) -> Vec<Escalation> {
    let request = ListEscalationsRequest { promise_id: promise.to_owned(), ..Default::default() };
    let page = services.escalations.clone().list_escalations(request).await.expect("a page").into_inner();
    let mut taken = page.escalations;
    taken.sort_by_key(|taken| (taken.instance, taken.step));
    taken
}

fn soon(milliseconds: i64) -> Option<Timestamp> {
    Some(Micros(Micros::now().0 + milliseconds * 1_000).to_wire())
}

/// Yesterday: half of the time is over when it is told.
fn yesterday() -> Option<Timestamp> {
    Some(from_now(-86_400))
}

#[tokio::test]
async fn a_promise_of_a_case_that_is_broken_climbs_the_ladder_of_its_policy() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let published = publish(&services, usual()).await.expect("published");
        assert_eq!(published.policies[0].promise_steps, usual(), "there and back");
        let receiver = Receiver::start(Manner::Status(204)).await;
        let webhook = Webhook { events: vec![WebhookEvent::Escalation.into()], ..webhook("pager", &receiver.url) };
        let request = CreateWebhookRequest { webhook: Some(webhook), ..Default::default() };
        services.webhooks.clone().create_webhook(request).await.expect("created");
        let case = opened(&services).await;
        let new = Promise {
            customer: None,
            case_id: case.case_id.clone(),
            make_time: yesterday(),
            due_time: soon(2_000),
            ..promise("")
        };
        let made = make(&services, new).await;
        assert_eq!((made.policy_name.as_str(), made.policy_set_version), ("all", 1));
        eventually("it is escalated", async || taken(&services, &made.promise_id).await.len() == 2).await;
        let taken = taken(&services, &made.promise_id).await;
        let [warned, broken] = taken.as_slice() else { panic!("{taken:?}") };
        assert_eq!((warned.step, warned.late, warned.instance), (0, true, 1));
        let wrong = (warned.kind(), warned.case_id.as_str());
        assert_eq!(wrong, (ClockKind::Unspecified, case.case_id.as_str()));
        assert_eq!((broken.step, broken.late, broken.policy_name.as_str()), (1, false, "all"));
        assert_eq!((broken.previous_priority(), broken.priority()), (case.priority(), Priority::High));
        assert_eq!((broken.previous_team.as_str(), broken.team.as_str()), ("care", "legal"));

        let after = get(&services, &case.case_id).await;
        assert_eq!((after.team.as_str(), after.priority()), (case.team.as_str(), Priority::High), "the case stays");
        let history = entries(&services, &case.case_id).await;
        let broke = history.iter().position(|event| *event == Event::PromiseBroken).expect("broken");
        assert_eq!(history[broke + 1..], [Event::Escalated, Event::Prioritized, Event::PromiseAssigned]);
        let assigned = &after.history[0];
        assert_eq!((assigned.team.as_str(), &assigned.promise_id), ("legal", &made.promise_id), "who got it");
        // Figures go by who did not keep it.
        let now = read(&services, &made.promise_id).await;
        assert_eq!((now.team.as_str(), now.due_team.as_str(), now.due_employee.as_str()), ("legal", "care", ""));
        let (_, counted) = fact(&services, &made.promise_id).await;
        assert_eq!((counted.team.as_str(), counted.state()), ("care", State::Broken));
        let escalated = after.history.iter().filter(|entry| entry.r#type() == Event::Escalated);
        assert!(escalated.clone().all(|entry| entry.promise_id == made.promise_id && !entry.escalation_id.is_empty()));
        assert_eq!(escalated.count(), 2);
        eventually("it is told", async || receiver.received().len() == 2).await;
        for received in receiver.received() {
            let data = received.json()["data"].clone();
            assert_eq!(data["promise_id"].as_str(), Some(made.promise_id.as_str()));
            assert_eq!((data["case_id"].as_str(), data.get("clock")), (Some(case.case_id.as_str()), None));
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_that_stands_alone_climbs_the_fallbacks_and_anew_when_it_is_moved() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        publish(&services, usual()).await.expect("published");
        let alone = || Promise { make_time: yesterday(), ..promise(&Uuid::new_v4().to_string()) };
        let [kept, moved, broken] =
            [make(&services, Promise { due_time: soon(60_000), ..alone() }).await, make(&services, alone()).await, {
                make(&services, Promise { due_time: soon(1_500), ..alone() }).await
            }];
        let request = KeepPromiseRequest { promise_id: kept.promise_id.clone(), ..Default::default() };
        services.promises.clone().keep_promise(request).await.expect("kept");
        // Two days are left of three: nothing is due. Moved to a moment from now, all of it is.
        assert_eq!(taken(&services, &moved.promise_id).await, []);
        let request = MovePromiseRequest {
            promise_id: moved.promise_id.clone(),
            due_time: soon(1_000),
            reason: "sooner".to_owned(),
            ..Default::default()
        };
        services.promises.clone().move_promise(request).await.expect("moved");
        for id in [&moved.promise_id, &broken.promise_id] {
            eventually("it is escalated", async || taken(&services, id).await.len() == 2).await;
        }
        let of = |taken: &[Escalation]| -> Vec<_> { taken.iter().map(|taken| (taken.instance, taken.step)).collect() };
        let (again, late) = (taken(&services, &moved.promise_id).await, taken(&services, &broken.promise_id).await);
        assert_eq!((of(&again), of(&late)), (vec![(2, 0), (2, 1)], vec![(1, 0), (1, 1)]));
        assert!(late.iter().all(|taken| taken.case_id.is_empty() && taken.priority() == Priority::Unspecified));
        assert!(taken(&services, &kept.promise_id).await.len() < 2, "kept in time: nothing more");

        // Those of a withdrawn one leave the list.
        let request = WithdrawPromiseRequest {
            promise_id: broken.promise_id.clone(),
            reason: "by mistake".to_owned(),
            ..Default::default()
        };
        let withdrawn = services.promises.clone().withdraw_promise(request).await.expect("withdrawn").into_inner();
        assert_eq!((withdrawn.state(), withdrawn.team.as_str()), (State::Withdrawn, "legal"));
        assert_eq!(taken(&services, &broken.promise_id).await, []);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_ladder_of_promises_that_can_not_be_meant_is_refused() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let months = When::AfterDue(ClockDuration { amount: 1, unit: DurationUnit::Months.into() });
        let steps = vec![step(months), LadderStep { notify: Vec::new(), ..step(When::Percent(100)) }];
        let (code, _, mut fields) = told(&publish(&services, steps).await.expect_err("refused"));
        fields.sort();
        let step = |rest: &str| format!("policy_set.policies[0].promise_steps{rest}");
        assert_eq!((code, fields), (Code::InvalidArgument, vec![step("[0].after_due.unit"), step("[1]"), step("[1]")]));
        services.stop().await;
    })
    .await;
}
