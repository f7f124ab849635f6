//! Queues: the open cases of a team, listed and watched.

use std::time::Duration;

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AmendCaseRequest, Case, ClockKind, CreateCalendarRequest, DurationUnit, ListQueueRequest, Policy, PolicySet,
    Priority, PublishPoliciesRequest, QueuedCase, WatchFactsRequest, WatchQueueRequest,
};
use barometer_tests::{
    samples::{calendar, case, from_now, hour, mask, policy, target},
    services::{Services, told},
};
use tonic::Code;

use crate::{
    How, Verb, act,
    claims::{next, queued},
    open_one,
};

fn ids(cases: &[QueuedCase]) -> Vec<&str> {
    cases.iter().map(|case| case.case_id.as_str()).collect()
}

#[tokio::test]
async fn a_queue_is_listed_by_urgency_page_by_page() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let third = queued(&services, 3).await;
        let first = queued(&services, 1).await;
        let second = queued(&services, 8).await;
        act(&services, &second, Verb::Prioritize(Priority::Urgent), How::at(hour(8))).await.expect("allowed");
        let waiting = queued(&services, 4).await;
        act(&services, &waiting, Verb::AwaitCustomer, How::at(hour(5))).await.expect("allowed");
        let ended = queued(&services, 0).await;
        act(&services, &ended, Verb::Resolve, How::at(hour(5))).await.expect("allowed");
        open_one(&services, Case { team: "other".to_owned(), customer: None, ..case("") }).await.expect("opened");
        assert_eq!(next(&services, "ana").await.expect("a claim").case_id, first);

        let (mut cases, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListQueueRequest { team: "desk".to_owned(), page_size: 3, page_token };
            let page = services.work.clone().list_queue(request).await.expect("a page").into_inner();
            cases.extend(page.queued_cases);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(ids(&cases), [&first, &second, &third, &waiting]);
        let [one, two, ..] = cases.as_slice() else { panic!("{cases:?}") };
        assert_eq!((one.employee.as_str(), one.claimed, one.priority()), ("ana", true, Priority::Normal));
        assert_eq!((two.employee.as_str(), two.claimed, two.priority()), ("", false, Priority::Urgent));
        // Seven days after it came in, less two hours for its value and two for its priority.
        assert_eq!((one.urgency_time, one.due_time), (Some(hour(1 + 7 * 24 - 4)), None));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_due_soon_is_streamed_as_it_changes() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request = CreateCalendarRequest { calendar: Some(calendar("desk")), request_id: String::new() };
        let calendar = services.policies.clone().create_calendar(request).await.expect("created").into_inner();
        let targets = vec![target(ClockKind::FirstResponse, 10, DurationUnit::ElapsedMinutes)];
        let all = Policy { targets, ..policy("all", &calendar.calendar_id) };
        let set = PolicySet { policies: vec![all], ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
        services.policies.clone().publish_policies(request).await.expect("published");
        let open = async |seconds: i64| {
            let (team, open_time) = ("desk".to_owned(), Some(from_now(seconds)));
            let new = Case { team, open_time, customer: None, ..case("") };
            open_one(&services, new).await.expect("opened").case_id
        };
        let overdue = open(-3_600).await;
        let later = open(-60).await;
        let request = WatchQueueRequest { team: "desk".to_owned(), within_seconds: 570, max_cases: 2 };
        let mut watch = services.work.clone().watch_queue(request).await.expect("a watch").into_inner();
        let list = watch.message().await.expect("a list").expect("it goes on");
        assert_eq!((ids(&list.queued_cases), list.more), (vec![overdue.as_str(), later.as_str()], false));
        assert_eq!(list.queued_cases[0].due_clock(), ClockKind::FirstResponse);

        let sooner = open(-300).await;
        let list = watch.message().await.expect("a list").expect("it goes on");
        assert_eq!((ids(&list.queued_cases), list.more), (vec![overdue.as_str(), sooner.as_str()], true));
        act(&services, &overdue, Verb::Respond, How::default()).await.expect("allowed");
        let list = watch.message().await.expect("a list").expect("it goes on");
        assert_eq!((ids(&list.queued_cases), list.more), (vec![sooner.as_str(), later.as_str()], false));
        assert_eq!(next(&services, "ana").await.expect("a claim").case_id, sooner);
        let list = watch.message().await.expect("a list").expect("it goes on");
        assert_eq!((list.queued_cases[0].claimed, list.queued_cases[0].employee.as_str()), (true, "ana"));
        // What is not shown changes nothing.
        let description = "told at length".to_owned();
        let patch = Case { case_id: later.clone(), description, ..Case::default() };
        let case = Some(patch);
        let request = AmendCaseRequest { case, update_mask: mask(&["description"]), request_id: String::new() };
        services.complaints.clone().amend_case(request).await.expect("amended");
        act(&services, &sooner, Verb::Annotate, How::default()).await.expect("allowed");
        let none = tokio::time::timeout(Duration::from_secs(3), watch.message()).await;
        assert!(none.is_err(), "{none:?}");
        act(&services, &sooner, Verb::Respond, How::default()).await.expect("allowed");
        let list = watch.message().await.expect("a list").expect("it goes on");
        assert_eq!((ids(&list.queued_cases), list.more), (vec![later.as_str()], false));
        services.stop().await;
        let ended = watch.message().await.expect_err("it ends with the server");
        assert_eq!((ended.code(), told(&ended).1.as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
    })
    .await;
}

#[tokio::test]
async fn watches_are_bounded() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let watch = async || {
            let request = WatchQueueRequest { team: "desk".to_owned(), ..Default::default() };
            services.work.clone().watch_queue(request).await
        };
        let mut watches = Vec::new();
        for _ in 0..128 {
            watches.push(watch().await.expect("there is room"));
        }
        assert_eq!(watch().await.expect_err("no more room").code(), Code::ResourceExhausted);
        let facts = services.complaints.clone().watch_facts(WatchFactsRequest::default()).await;
        let batch = facts.expect("there is room for others").into_inner().message().await;
        assert!(batch.expect("a batch").is_some());
        drop(watches);
        barometer_tests::eventually("there is room again", async || watch().await.is_ok()).await;
        services.stop().await;
    })
    .await;
}
