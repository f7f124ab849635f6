//! Promises are amended and handed over; and what becomes of them with their case.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AmendPromiseRequest, AssignPromiseRequest, BreakPromiseRequest, CaseEntryType as Event, MakePromiseRequest,
    Promise, promise::State,
};
use barometer_tests::{
    eventually,
    samples::{from_now, key, mask, promise},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    How, Verb, act, entries, get, opened,
    promises::{alone, fact, keep, make, read, soon},
};

async fn amend(services: &Services, promise: Promise, paths: &[&str]) -> Result<Promise, Status> {
    let request = AmendPromiseRequest { promise: Some(promise), update_mask: mask(paths), ..Default::default() };
    Ok(services.promises.clone().amend_promise(request).await?.into_inner())
}

fn to(id: &str, employee: &str, team: &str) -> AssignPromiseRequest {
    let (employee, team) = (employee.to_owned(), team.to_owned());
    AssignPromiseRequest { promise_id: id.to_owned(), employee, team, note: "please".to_owned(), ..Default::default() }
}

async fn assign(services: &Services, request: AssignPromiseRequest) -> Result<Promise, Status> {
    Ok(services.promises.clone().assign_promise(request).await?.into_inner())
}

/// A promise in a case, due tomorrow.
fn in_case(case: &str) -> Promise {
    Promise { case_id: case.to_owned(), customer: None, ..promise("") }
}

#[tokio::test]
async fn what_was_promised_is_corrected_and_its_case_tells() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        let made = make(&services, in_case(&case.case_id)).await;
        let patch = |text: &str| {
            let (promise_id, etag) = (made.promise_id.clone(), made.etag.clone());
            Promise { promise_id, etag, description: text.to_owned(), ..Promise::default() }
        };
        let amended = amend(&services, patch("two parcels"), &["description"]).await.expect("amended");
        let expected = Promise {
            description: "two parcels".to_owned(),
            etag: amended.etag.clone(),
            update_time: amended.update_time,
            position: amended.position.clone(),
            ..made.clone()
        };
        assert_eq!(amended, expected, "all else is as it was");
        assert_eq!(read(&services, &made.promise_id).await.description, "two parcels");
        let stale = amend(&services, patch("three"), &["description"]).await.expect_err("stale");
        assert_eq!(told(&stale).0, Code::Aborted);

        // Without a mask, what is there; to what it is already, nothing happens.
        let again = Promise { etag: amended.etag.clone(), ..patch("two parcels") };
        assert_eq!(amend(&services, again.clone(), &[]).await.expect("it is so").etag, amended.etag);
        let lead = Some(prost_types::Duration { seconds: 3_600, nanos: 0 });
        let shorter = amend(&services, Promise { lead, ..again }, &["lead"]).await.expect("amended");
        assert_eq!((shorter.lead, shorter.description.as_str()), (lead, "two parcels"));
        let usual = amend(&services, Promise { etag: String::new(), ..patch("a parcel") }, &["*"]).await;
        assert_eq!(usual.expect("amended").lead, made.lead, "the company's");

        let expected = [Event::Opened, Event::PromiseMade].into_iter().chain([Event::PromiseAmended; 3]);
        assert_eq!(entries(&services, &case.case_id).await, expected.collect::<Vec<_>>());
        let history = get(&services, &case.case_id).await.history;
        let texts: Vec<&str> = history.iter().rev().skip(2).map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["two parcels", "two parcels", "a parcel"]);
        assert!(history[..4].iter().all(|entry| entry.promise_id == made.promise_id));
        let (version, _) = fact(&services, &made.promise_id).await;
        assert_eq!(version, 4);

        // What was first recorded is still known by its key, whatever was amended since.
        let keyed = Promise { external_id: Some(key("p-1")), ..alone() };
        let first = make(&services, keyed.clone()).await;
        let patch = Promise { promise_id: first.promise_id.clone(), description: "x".to_owned(), ..Promise::default() };
        amend(&services, patch, &[]).await.expect("amended");
        let repeated = make(&services, keyed).await;
        assert_eq!((repeated.promise_id, repeated.description.as_str()), (first.promise_id, "x"));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn somebody_else_answers_for_it_but_not_for_what_was_broken_before() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let case = opened(&services).await;
        act(&services, &case.case_id, Verb::Assign("anna", "care"), How::default()).await.expect("allowed");
        let made = make(&services, in_case(&case.case_id)).await;
        let request_id = Uuid::new_v4().to_string();
        let request = AssignPromiseRequest { request_id, ..to(&made.promise_id, "ben", "care") };
        let assigned = assign(&services, request.clone()).await.expect("assigned");
        assert_eq!((assigned.employee.as_str(), assigned.team.as_str()), ("ben", "care"));
        assert_eq!(assign(&services, request).await.expect("a repeat").etag, assigned.etag);
        let again = assign(&services, to(&made.promise_id, "ben", "care")).await.expect("it is so");
        assert_eq!(again.etag, assigned.etag);
        let (_, counted) = fact(&services, &made.promise_id).await;
        assert_eq!((counted.employee.as_str(), counted.team.as_str()), ("ben", "care"));

        let (promise_id, reason) = (made.promise_id.clone(), "sold out".to_owned());
        let request = BreakPromiseRequest { promise_id, reason, ..Default::default() };
        services.promises.clone().break_promise(request).await.expect("broken");
        let taken = assign(&services, to(&made.promise_id, "", "legal")).await.expect("it is still owed");
        assert_eq!((taken.employee.as_str(), taken.team.as_str()), ("", "legal"));
        assert_eq!((taken.due_employee.as_str(), taken.due_team.as_str()), ("ben", "care"));
        let (_, counted) = fact(&services, &made.promise_id).await;
        assert_eq!((counted.employee.as_str(), counted.team.as_str()), ("ben", "care"), "figures go by who broke it");
        keep(&services, &made.promise_id, None).await.expect("late");
        let refused = assign(&services, to(&made.promise_id, "ben", "")).await.expect_err("it is owed no more");
        assert_eq!(told(&refused).1, "WRONG_STATE");

        let history = get(&services, &case.case_id).await;
        assert_eq!((history.employee.as_str(), history.team.as_str()), ("anna", "care"), "the case stays");
        let assigned = history.history.iter().rev().filter(|entry| entry.r#type() == Event::PromiseAssigned);
        let assigned: Vec<_> = assigned.map(|e| (e.employee.as_str(), e.team.as_str(), e.text.as_str())).collect();
        assert_eq!(assigned, [("ben", "care", "please"), ("", "legal", "please")]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_case_takes_its_open_promises_with_it_and_a_resolved_one_none() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let [resolved, cancelled] = [opened(&services).await, opened(&services).await].map(|case| case.case_id);
        let kept_open = make(&services, in_case(&resolved)).await;
        act(&services, &resolved, Verb::Resolve, How::default()).await.expect("resolved");
        assert_eq!(read(&services, &kept_open.promise_id).await.state(), State::Open, "it binds beyond that");
        make(&services, in_case(&resolved)).await;

        let broken = make(&services, Promise { due_time: soon(500), ..in_case(&cancelled) }).await;
        let [open, done] = [make(&services, in_case(&cancelled)).await, make(&services, in_case(&cancelled)).await];
        keep(&services, &done.promise_id, None).await.expect("kept");
        let is_broken = async || read(&services, &broken.promise_id).await.state() == State::Broken;
        eventually("it is broken", is_broken).await;
        let after = act(&services, &cancelled, Verb::Cancel, How::default()).await.expect("cancelled");
        let states = [&broken, &open, &done];
        let mut found = Vec::new();
        for promise in states {
            found.push(read(&services, &promise.promise_id).await);
        }
        let states: Vec<State> = found.iter().map(Promise::state).collect();
        assert_eq!(states, [State::Broken, State::Withdrawn, State::Kept]);
        let [.., cancel, withdrawn] = entries(&services, &cancelled).await[..] else { panic!("no entries") };
        assert_eq!((cancel, withdrawn), (Event::Cancelled, Event::PromiseWithdrawn));
        let history = get(&services, &cancelled).await.history;
        assert_eq!(history[0].promise_id, open.promise_id);
        let (_, counted) = fact(&services, &open.promise_id).await;
        assert_eq!(counted.state(), State::Withdrawn);
        // The position that the verb answers includes them, and is the one that is read back.
        let count = |token: &str| barometer_tests::services::count(token);
        assert_eq!(get(&services, &cancelled).await.position, after.position);
        assert!(count(&after.position) >= count(&found[1].position), "{} {}", after.position, found[1].position);

        let new = MakePromiseRequest { promise: Some(in_case(&cancelled)), ..Default::default() };
        let refused = services.promises.clone().make_promise(new).await.expect_err("it is cancelled");
        let (code, reason, _) = told(&refused);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
        assert!(refused.message().contains("reopened"), "{}", refused.message());
        act(&services, &cancelled, Verb::Reopen, How::default()).await.expect("reopened");
        let due_time = Some(from_now(86_400));
        make(&services, Promise { due_time, ..in_case(&cancelled) }).await;
        assert_eq!(read(&services, &open.promise_id).await.state(), State::Withdrawn, "it stays so");
        services.stop().await;
    })
    .await;
}
