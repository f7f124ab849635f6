//! Promises: kept in time, late or not at all; in a case or alone; each thing once.

use std::time::Duration;

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::complaints::v1::{
    BreakPromiseRequest, CaseEntryType as Event, CreateWebhookRequest, FactKind, GetPromiseRequest, KeepPromiseRequest,
    ListPromisesRequest, MakePromiseRequest, MovePromiseRequest, Promise, PromiseFact, WatchFactsRequest, Webhook,
    WebhookEvent, WithdrawPromiseRequest, fact, get_promise_request, promise::State,
};
use barometer_tests::{
    eventually,
    receiver::{Manner, Receiver},
    samples::{from_now, key, promise, webhook},
    services::{Services, told},
};
use prost_types::Timestamp;
use tonic::Status;
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, opened, withdraw};

async fn make_with(services: &Services, promise: Promise, request_id: &str) -> Result<Promise, Status> {
    let request = MakePromiseRequest { promise: Some(promise), request_id: request_id.to_owned() };
    Ok(services.promises.clone().make_promise(request).await?.into_inner())
}

pub(crate) async fn make(services: &Services, promise: Promise) -> Promise {
    make_with(services, promise, "").await.expect("made")
}

pub(crate) async fn read(services: &Services, id: &str) -> Promise {
    let request = GetPromiseRequest { by: Some(get_promise_request::By::PromiseId(id.to_owned())) };
    services.promises.clone().get_promise(request).await.expect("there").into_inner()
}

pub(crate) async fn keep(services: &Services, id: &str, time: Option<Timestamp>) -> Result<Promise, Status> {
    let request =
        KeepPromiseRequest { promise_id: id.to_owned(), note: "called".to_owned(), time, ..Default::default() };
    Ok(services.promises.clone().keep_promise(request).await?.into_inner())
}

async fn list(services: &Services, request: ListPromisesRequest) -> Vec<String> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListPromisesRequest { page_size: 2, page_token, ..request.clone() };
        let page = services.promises.clone().list_promises(request).await.expect("a list").into_inner();
        ids.extend(page.promises.into_iter().map(|promise| promise.promise_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return ids;
        }
    }
}

pub(crate) fn alone() -> Promise {
    promise(&Uuid::new_v4().to_string())
}

pub(crate) fn soon(milliseconds: i64) -> Option<Timestamp> {
    Some(Micros(Micros::now().0 + milliseconds * 1_000).to_wire())
}

/// A promise's facts as a watcher has them once it is caught up, by their versions.
pub(crate) async fn fact(services: &Services, id: &str) -> (i64, PromiseFact) {
    let request = WatchFactsRequest { kinds: vec![FactKind::Promise.into()], after: String::new() };
    let mut batches = services.complaints.clone().watch_facts(request).await.expect("a watch").into_inner();
    let mut found = None;
    loop {
        let batch = batches.message().await.expect("a batch").expect("it goes on");
        for one in batch.facts.into_iter().filter(|fact| fact.id == id) {
            if let Some(fact::Fact::Promise(promise)) = one.fact {
                found = Some((one.version, promise));
            }
        }
        if let (true, Some(found)) = (batch.caught_up, &found) {
            return found.clone();
        }
    }
}

#[tokio::test]
async fn a_promise_of_a_case_is_kept_and_its_history_tells() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        act(&services, &case.case_id, Verb::Assign("anna", "care"), How::default()).await.expect("allowed");
        let due_time = Some(from_now(3_600));
        let new = Promise {
            case_id: case.case_id.clone(),
            description: "a parcel".to_owned(),
            due_time,
            ..Promise::default()
        };
        let made = make(&services, new).await;
        assert_eq!((made.state(), made.due_time, made.original_due_time), (State::Open, due_time, due_time));
        assert_eq!((made.employee.as_str(), made.team.as_str()), ("anna", "care"), "who has the case");
        let customer = |promise: &Promise| promise.customer.clone();
        assert!(customer(&made).is_some(), "the case's");

        let kept = keep(&services, &made.promise_id, None).await.expect("allowed");
        assert_eq!((kept.state(), kept.break_time), (State::Kept, None));
        assert_eq!(read(&services, &made.promise_id).await.state(), State::Kept);
        let expected = [Event::Opened, Event::Assigned, Event::PromiseMade, Event::PromiseKept];
        assert_eq!(entries(&services, &case.case_id).await, expected);
        let history = get(&services, &case.case_id).await.history;
        assert_eq!((history[0].text.as_str(), history[1].text.as_str()), ("called", "a parcel"));
        assert_eq!((&history[0].promise_id, &history[1].promise_id), (&made.promise_id, &made.promise_id));
        assert_eq!(get(&services, &case.case_id).await.etag, "2", "the case itself is as it was");

        let (version, told) = fact(&services, &made.promise_id).await;
        assert_eq!((version, told.state(), told.case_id), (2, State::Kept, case.case_id));
        assert_eq!((told.keep_time, told.due_time), (kept.keep_time, due_time));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_that_nobody_keeps_is_due_soon_and_then_broken_each_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        let receiver = Receiver::start(Manner::Status(204)).await;
        let events = vec![WebhookEvent::PromiseDueSoon.into(), WebhookEvent::PromiseBroken.into()];
        let webhook = Webhook { events, ..webhook("promises", &receiver.url) };
        let request = CreateWebhookRequest { webhook: Some(webhook), request_id: String::new() };
        services.webhooks.clone().create_webhook(request).await.expect("created");
        // Halfway there is time enough to be told of it before it is broken, also on a busy machine.
        let due_time = soon(6_000);
        let new =
            Promise { case_id: case.case_id.clone(), description: "a call".to_owned(), due_time, ..Promise::default() };
        let request_id = Uuid::new_v4().to_string();
        let id = make_with(&services, new.clone(), &request_id).await.expect("made").promise_id;
        eventually("it is broken", async || read(&services, &id).await.state() == State::Broken).await;
        let broken = read(&services, &id).await;
        let late = Micros(Micros::from_wire(&due_time.expect("set")).expect("an instant").0 + 1).to_wire();
        assert_eq!(broken.break_time, Some(late), "of that instant, whenever it was written down");
        assert!(broken.due_soon_time.is_some(), "halfway");
        let repeated = make_with(&services, new, &request_id).await.expect("it was made in time");
        assert_eq!((&repeated.promise_id, repeated.state()), (&id, State::Broken));
        let expected = [Event::Opened, Event::PromiseMade, Event::PromiseDueSoon, Event::PromiseBroken];
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(entries(&services, &case.case_id).await, expected);

        eventually("both are told", async || receiver.received().len() == 2).await;
        let mut notices: Vec<_> = receiver.received().iter().map(|received| received.json()).collect();
        notices.sort_by_key(|body| body["timestamp"].to_string());
        assert_eq!((&notices[0]["type"], &notices[1]["type"]), (&"promise.due_soon".into(), &"promise.broken".into()));
        assert_eq!(
            (&notices[1]["data"]["promise_id"], &notices[1]["data"]["late"]),
            (&id.clone().into(), &false.into())
        );
        assert_eq!(notices[1]["data"]["case_id"], case.case_id);

        let late = keep(&services, &id, None).await.expect("late, but kept");
        assert_eq!((late.state(), late.break_time), (State::Broken, broken.break_time));
        assert!(late.keep_time.is_some());
        assert_eq!(told(&keep(&services, &id, None).await.expect_err("once")).1, "WRONG_STATE");
        let (_, told) = fact(&services, &id).await;
        assert_eq!((told.state(), told.keep_time, told.break_time), (State::Broken, late.keep_time, broken.break_time));
        assert_eq!(told.due_soon_time, broken.due_soon_time);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_fell_due_while_nothing_ran_is_written_down_once_afterwards() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        let due_time = soon(600);
        let new =
            Promise { case_id: case.case_id.clone(), description: "a call".to_owned(), due_time, ..Promise::default() };
        let id = make(&services, new).await.promise_id;
        services.stop().await;
        tokio::time::sleep(Duration::from_millis(800)).await;

        let services = Services::start(database).await;
        eventually("it is broken", async || read(&services, &id).await.state() == State::Broken).await;
        services.stop().await;
        let services = Services::start(database).await;
        let expected = [Event::Opened, Event::PromiseMade, Event::PromiseDueSoon, Event::PromiseBroken];
        assert_eq!(entries(&services, &case.case_id).await, expected);
        // Kept in time, as is told only now.
        let kept = keep(&services, &id, Some(get(&services, &case.case_id).await.history[2].time.expect("set"))).await;
        assert_eq!(kept.expect("allowed").state(), State::Kept);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn it_can_be_moved_given_up_and_taken_back() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut client = services.promises.clone();
        let made = make(&services, alone()).await;
        let due_time = Some(from_now(5 * 86_400));
        let (promise_id, reason) = (made.promise_id.clone(), "the carrier is late".to_owned());
        let request = MovePromiseRequest { promise_id, due_time, reason, ..Default::default() };
        let moved = client.move_promise(request.clone()).await.expect("moved").into_inner();
        assert_eq!((moved.due_time, moved.original_due_time, moved.moves), (due_time, made.due_time, 1));
        let again = client.move_promise(request).await.expect("it is so").into_inner();
        assert_eq!((again.moves, again.etag), (1, moved.etag));

        let (promise_id, reason) = (made.promise_id.clone(), "sold out".to_owned());
        let request = BreakPromiseRequest { promise_id, reason, ..Default::default() };
        let broken = client.break_promise(request).await.expect("told").into_inner();
        assert_eq!(broken.state(), State::Broken);
        let seconds = |at: Option<Timestamp>| at.expect("set").seconds;
        assert!(seconds(broken.break_time) < seconds(broken.due_time), "before it was due");

        let (promise_id, reason) = (made.promise_id.clone(), "a mistake".to_owned());
        let request = WithdrawPromiseRequest { promise_id, reason, ..Default::default() };
        client.withdraw_promise(request.clone()).await.expect("withdrawn");
        assert_eq!(told(&client.withdraw_promise(request).await.expect_err("once")).1, "WITHDRAWN");
        let (_, told) = fact(&services, &made.promise_id).await;
        assert_eq!((told.state(), told.moves), (State::Withdrawn, 1));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request_id = Uuid::new_v4().to_string();
        let new = Promise { due_time: soon(700), external_id: Some(key("p-1")), ..alone() };
        let first = make_with(&services, new.clone(), &request_id).await.expect("made");
        let again = make(&services, new.clone()).await;
        assert_eq!(again.promise_id, first.promise_id, "by its key");
        eventually("it is broken", async || read(&services, &first.promise_id).await.state() == State::Broken).await;
        // Though it could not be made any more.
        let repeated = make_with(&services, new, &request_id).await.expect("by its request");
        assert_eq!((repeated.promise_id, repeated.position), (first.promise_id, first.position));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn promises_are_found_the_one_due_first_first() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let [one, other] = [(); 2].map(|()| Uuid::new_v4().to_string());
        let case = opened(&services).await;
        let due = |hours: i64| Some(from_now(hours * 3_600));
        let a = make(&services, Promise { due_time: due(30), ..promise(&one) }).await.promise_id;
        let b = make(&services, Promise { due_time: due(10), employee: "anna".to_owned(), ..promise(&one) }).await;
        let b = b.promise_id;
        let c = make(&services, Promise { due_time: due(20), team: "shop".to_owned(), ..promise(&other) }).await;
        let c = c.promise_id;
        let new = Promise { case_id: case.case_id.clone(), customer: None, due_time: due(40), ..promise("") };
        let d = make(&services, new).await.promise_id;

        let all = ListPromisesRequest::default;
        let ids = |ids: &[&String]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(list(&services, all()).await, ids(&[&b, &c, &a, &d]));
        let of_one = ListPromisesRequest { customer_id: one, ..all() };
        assert_eq!(list(&services, of_one).await, ids(&[&b, &a]));
        let of_case = ListPromisesRequest { case_id: case.case_id.clone(), ..all() };
        assert_eq!(list(&services, of_case.clone()).await, ids(&[&d]));
        assert_eq!(list(&services, ListPromisesRequest { employee: "anna".to_owned(), ..all() }).await, ids(&[&b]));
        assert_eq!(list(&services, ListPromisesRequest { team: "shop".to_owned(), ..all() }).await, ids(&[&c]));
        let before = ListPromisesRequest { due_before: due(25), ..all() };
        assert_eq!(list(&services, before).await, ids(&[&b, &c]));
        keep(&services, &b, None).await.expect("allowed");
        let open = ListPromisesRequest { states: vec![State::Open.into()], ..all() };
        assert_eq!(list(&services, open).await, ids(&[&c, &a, &d]));

        // They go with their case.
        withdraw(&services, &case.case_id).await;
        assert_eq!(list(&services, of_case.clone()).await, ids(&[]));
        let withdrawn = ListPromisesRequest { states: vec![State::Withdrawn.into()], ..of_case };
        assert_eq!(list(&services, withdrawn).await, ids(&[&d]));
        services.stop().await;
    })
    .await;
}
