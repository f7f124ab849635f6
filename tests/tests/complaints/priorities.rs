//! Priorities: derived, set, and told.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AmendCaseRequest, Case, CaseEntry, CaseEntryType as Event, Priority, Severity, case::State,
};
use barometer_tests::{
    samples::{hour, mask},
    services::{Services, told},
};

use crate::{How, Verb, act, entries, get, opened};

async fn amend(services: &Services, id: &str, severity: Severity) -> Case {
    let patch = Case { case_id: id.to_owned(), severity: severity.into(), ..Case::default() };
    let request = AmendCaseRequest { case: Some(patch), update_mask: mask(&["severity"]), request_id: String::new() };
    services.complaints.clone().amend_case(request).await.expect("amended").into_inner()
}

fn change(entry: &CaseEntry) -> (Event, Priority, Priority) {
    (entry.r#type(), entry.previous_priority(), entry.priority())
}

#[tokio::test]
async fn a_priority_follows_severity_until_somebody_sets_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let worse = amend(&services, &id, Severity::Critical).await;
        assert_eq!((worse.priority(), worse.priority_overridden), (Priority::Urgent, false));
        let how = How { text: "a regular".to_owned(), ..How::at(hour(2)) };
        let set = act(&services, &id, Verb::Prioritize(Priority::Low), how.clone()).await.expect("allowed");
        assert_eq!((set.priority(), set.priority_overridden), (Priority::Low, true));
        assert_eq!(act(&services, &id, Verb::Prioritize(Priority::Low), how).await.expect("it is so"), set);
        assert_eq!(amend(&services, &id, Severity::High).await.priority(), Priority::Low, "what was set stays");
        let back = act(&services, &id, Verb::Prioritize(Priority::Unspecified), How::default()).await.expect("allowed");
        assert_eq!((back.priority(), back.priority_overridden), (Priority::High, false));

        let history = get(&services, &id).await.history;
        let mut changes: Vec<_> = history.iter().filter(|entry| entry.r#type() == Event::Prioritized).collect();
        // One came at an instant that was given, the others as they were written.
        changes.sort_by_key(|entry| entry.create_time.map(|at| (at.seconds, at.nanos)));
        assert_eq!(
            changes.iter().map(|entry| change(entry)).collect::<Vec<_>>(),
            [
                (Event::Prioritized, Priority::Normal, Priority::Urgent),
                (Event::Prioritized, Priority::Urgent, Priority::Low),
                (Event::Prioritized, Priority::Low, Priority::High),
            ]
        );
        assert_eq!((changes[1].text.as_str(), changes[1].state()), ("a regular", State::Received));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_done_with_needs_no_priority() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        act(&services, &id, Verb::Cancel, How::default()).await.expect("allowed");
        let refused =
            act(&services, &id, Verb::Prioritize(Priority::High), How::default()).await.expect_err("it ended");
        assert_eq!(told(&refused).1, "WRONG_STATE");
        assert_eq!(entries(&services, &id).await, [Event::Opened, Event::Cancelled]);
        services.stop().await;
    })
    .await;
}
