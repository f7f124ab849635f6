//! The verbs that move a case: states, repeats, etags, and two at once.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{Case, CaseEntryType, Priority, case::State};
use barometer_tests::{
    samples::{from_now, hour},
    services::{Services, count, told},
};
use tonic::Code;

use crate::{How, Verb, act, entries, get, opened, withdraw};

/// A way through all verbs, with the state after each.
const WAY: [(Verb, State); 18] = [
    (Verb::Assign("", "billing"), State::Received),
    (Verb::Acknowledge, State::Acknowledged),
    (Verb::Assign("ana", "billing"), State::Acknowledged),
    (Verb::Respond, State::InProgress),
    (Verb::Assign("bob", "legal"), State::InProgress),
    (Verb::Resolve, State::Resolved),
    (Verb::Close, State::Closed),
    (Verb::Reopen, State::InProgress),
    (Verb::Resolve, State::Resolved),
    (Verb::Close, State::Closed),
    (Verb::Reopen, State::InProgress),
    (Verb::AwaitCustomer, State::WaitingForCustomer),
    (Verb::Hear, State::InProgress),
    (Verb::AwaitCustomer, State::WaitingForCustomer),
    (Verb::AwaitThirdParty, State::WaitingForThirdParty),
    (Verb::Resume, State::InProgress),
    (Verb::Prioritize(Priority::Urgent), State::InProgress),
    (Verb::Cancel, State::Cancelled),
];

#[tokio::test]
async fn a_case_goes_its_way_and_its_history_tells() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut case = opened(&services).await;
        let id = case.case_id.clone();
        for (step, (verb, state)) in (2..).zip(WAY) {
            let how = How { text: format!("step {step}"), ..How::at(hour(step)) };
            let after = act(&services, &id, verb, how).await.expect("allowed");
            assert_eq!((after.state(), after.etag.clone()), (state, step.to_string()), "{verb:?}");
            assert!(count(&after.position) > count(&case.position), "{verb:?}");
            assert!(after.history.is_empty(), "only reading one tells its history");
            case = after;
        }
        let read = get(&services, &id).await;
        assert_eq!(Case { history: Vec::new(), ..read.clone() }, case);
        assert_eq!((case.acknowledge_time, case.first_response_time), (Some(hour(3)), Some(hour(5))));
        assert_eq!((case.first_resolve_time, case.resolve_time), (Some(hour(7)), None));
        assert_eq!((case.close_time, case.reopenings, case.hand_offs), (None, 2, 1));
        assert_eq!((case.cancel_time, case.priority()), (Some(hour(19)), Priority::Urgent));
        assert_eq!((case.employee.as_str(), case.team.as_str()), ("bob", "legal"));

        assert_eq!(read.history.len(), 1 + WAY.len());
        for ((step, (verb, state)), entry) in (2..).zip(WAY).zip(read.history.iter().rev().skip(1)) {
            assert_eq!((entry.state(), entry.time), (state, Some(hour(step))), "{verb:?}");
            assert_eq!((entry.text.clone(), &entry.case_id), (format!("step {step}"), &id));
        }
        let assigned = &read.history[read.history.len() - 4];
        assert_eq!((assigned.r#type(), assigned.employee.as_str()), (CaseEntryType::Assigned, "ana"));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_state_is_told_with_the_verbs_that_would_do() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let refused = act(&services, &id, Verb::Close, How::default()).await.expect_err("not resolved");
        assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
        let message = "the case is received and can not be closed: it can be acknowledged, responded to, put to wait \
                       for the customer, put to wait for a third party, resolved, cancelled, written to by the \
                       customer, merged into another, joined by a duplicate, given an outcome, assigned, prioritized, \
                       annotated";
        assert_eq!(refused.message(), message);
        let refused = act(&services, &id, Verb::Resolve, How::at(hour(0))).await.expect_err("before it was opened");
        assert_eq!((told(&refused).0, told(&refused).2), (Code::InvalidArgument, vec!["time".to_owned()]));
        assert_eq!(entries(&services, &id).await, [CaseEntryType::Opened], "what was refused left nothing");
        assert_eq!(get(&services, &id).await.etag, "1");

        withdraw(&services, &id).await;
        let refused = act(&services, &id, Verb::Annotate, How::default()).await.expect_err("withdrawn");
        assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::FailedPrecondition, "WITHDRAWN"));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_verb_does_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let mut done = Vec::new();
        for (verb, _) in WAY.into_iter().chain([(Verb::Annotate, State::Cancelled)]) {
            let how = How { etag: get(&services, &id).await.etag, ..How::once() };
            let first = act(&services, &id, verb, how.clone()).await.expect("allowed");
            assert_eq!(act(&services, &id, verb, how.clone()).await.expect("the same"), first, "{verb:?}");
            let other = How { text: "other words".to_owned(), ..how.clone() };
            let refused = act(&services, &id, verb, other).await.expect_err("other values");
            assert_eq!(told(&refused).1, "REQUEST_ID_REUSED", "{verb:?}");
            done.push((verb, how, first));
        }
        let now = get(&services, &id).await;
        assert_eq!(now.history.len(), 2 + WAY.len());
        // Later on a repeat finds the case as it is now, and the position of what it did.
        for (verb, how, first) in done {
            let again = act(&services, &id, verb, how).await.expect("the same");
            assert_eq!(again.position, first.position, "{verb:?}");
            assert_eq!(
                Case { position: String::new(), ..again },
                Case { position: String::new(), history: vec![], ..now.clone() }
            );
        }
        // At the same moment too.
        let once = How::once();
        let notes = (0..20).map(|_| act(&services, &id, Verb::Annotate, once.clone()));
        assert!(futures_util::future::join_all(notes).await.iter().all(Result::is_ok));
        assert_eq!(get(&services, &id).await.history.len(), 3 + WAY.len());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_at_once_one_comes_first() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let with_etag = (0..20).map(|n| {
            let verb = if n % 2 == 0 { Verb::Acknowledge } else { Verb::Assign("ana", "") };
            act(&services, &id, verb, How { etag: "1".to_owned(), ..How::default() })
        });
        let answers = futures_util::future::join_all(with_etag).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| told(error).1 == "STALE_ETAG"));

        let resolves = (0..20).map(|_| act(&services, &id, Verb::Resolve, How::default()));
        let answers = futures_util::future::join_all(resolves).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| told(error).1 == "WRONG_STATE"));

        // Whoever has it already gets it once.
        let assigns = (0..20).map(|_| act(&services, &id, Verb::Assign("bob", "legal"), How::default()));
        assert!(futures_util::future::join_all(assigns).await.iter().all(Result::is_ok));
        let case = get(&services, &id).await;
        assert_eq!((case.etag.as_str(), case.history.len()), ("4", 4));

        // Notes get into nobody's way.
        let notes =
            (0..20).map(|_| act(&services, &id, Verb::Annotate, How { etag: "4".to_owned(), ..How::default() }));
        assert!(futures_util::future::join_all(notes).await.iter().all(Result::is_ok));
        let noted = get(&services, &id).await;
        assert_eq!((noted.etag, noted.update_time, noted.history.len()), (case.etag, case.update_time, 24));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_time_a_verb_happens_now() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let acknowledged = act(&services, &id, Verb::Acknowledge, How::default()).await.expect("allowed");
        assert_eq!(acknowledged.acknowledge_time, acknowledged.update_time);
        // What moved it last may lie ahead, by a clock that goes wrong.
        let ahead = from_now(3_600);
        act(&services, &id, Verb::Respond, How::at(ahead)).await.expect("allowed");
        let resolved = act(&services, &id, Verb::Resolve, How::default()).await.expect("allowed");
        assert_eq!(resolved.resolve_time, Some(ahead));
        services.stop().await;
    })
    .await;
}
