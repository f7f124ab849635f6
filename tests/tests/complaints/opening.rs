//! Opening a case: whose it is, when it came in, what it begins with.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Acceptance, Case, CaseEntryType, CaseKind, OpenCaseRequest, Priority, Reception, Severity, case as of_case,
    case::State,
};
use barometer_tests::{
    samples::{case, from_now, hour, key},
    services::{Services, told},
};
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{entries, get, open_one};

#[tokio::test]
async fn a_new_case_has_been_received_and_nothing_else() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let forged = Case {
            employee: "ana".to_owned(),
            team: "billing".to_owned(),
            state: State::Closed.into(),
            priority: Priority::Urgent.into(),
            priority_overridden: true,
            value_band: "high".to_owned(),
            self_served: true,
            cancel_time: Some(hour(2)),
            acknowledge_time: Some(hour(2)),
            close_time: Some(hour(2)),
            reopenings: 7,
            hand_offs: 7,
            ..case(&Uuid::new_v4().to_string())
        };
        let opened = open_one(&services, forged.clone()).await.expect("opened");
        let expected = Case {
            case_id: opened.case_id.clone(),
            state: State::Received.into(),
            kind: CaseKind::Complaint.into(),
            severity: Severity::Medium.into(),
            priority: Priority::Normal.into(),
            priority_overridden: false,
            value_band: "unknown".to_owned(),
            self_served: false,
            cancel_time: None,
            reception: Some(Reception::default()),
            acceptance: Acceptance::Open.into(),
            acknowledge_time: None,
            close_time: None,
            reopenings: 0,
            hand_offs: 0,
            etag: "1".to_owned(),
            create_time: opened.create_time,
            update_time: opened.create_time,
            position: opened.position.clone(),
            ..forged
        };
        assert_eq!(opened, expected);

        let read = get(&services, &opened.case_id).await;
        let [entry] = read.history.as_slice() else { panic!("{:?}", read.history) };
        assert_eq!(
            (entry.r#type(), entry.state(), entry.time),
            (CaseEntryType::Opened, State::Received, opened.open_time)
        );
        assert_eq!((entry.employee.as_str(), entry.team.as_str(), entry.text.as_str()), ("ana", "billing", ""));
        assert_eq!((&entry.case_id, entry.create_time), (&opened.case_id, opened.create_time));
        assert!(!entry.actor.is_empty());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_time_it_came_in_now_and_a_repeat_asks_for_the_same() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let before = from_now(-1);
        let new = Case { open_time: None, external_id: Some(key("now")), ..case(&Uuid::new_v4().to_string()) };
        let request = OpenCaseRequest { case: Some(new.clone()), request_id: Uuid::new_v4().to_string() };
        let open = async || services.complaints.clone().open_case(request.clone()).await;
        let first = open().await.expect("opened").into_inner();
        let time = first.open_time.expect("a time");
        assert!(time.seconds >= before.seconds && time.seconds <= from_now(1).seconds);
        assert_eq!(open().await.expect("the same").into_inner(), first);
        assert_eq!(open_one(&services, new.clone()).await.expect("the same, by its key"), first);
        let other = Case { open_time: Some(hour(1)), ..new };
        assert_eq!(told(&open_one(&services, other).await.expect_err("other values")).1, "KEY_REUSED");
        assert_eq!(entries(&services, &first.case_id).await, [CaseEntryType::Opened]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_the_customers_service_only_keys_have_to_wait() {
    on_each_database(async |database| {
        let services = Services::start_apart(database).await;
        let by_key = Case { customer: Some(of_case::Customer::CustomerKey(key("c-1"))), ..case("") };
        let refused = open_one(&services, by_key.clone()).await.expect_err("nobody knows the key");
        assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::Unavailable, "CUSTOMERS_UNAVAILABLE"));
        assert!(refused.get_details_retry_info().is_some(), "says when to try again");
        let wrong = Case { subject: "\u{0}".to_owned(), ..by_key };
        let refused = open_one(&services, wrong).await.expect_err("wrong anyway");
        assert_eq!(told(&refused).2, ["case.subject"]);

        open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("of somebody known");
        let nobodys = open_one(&services, Case { customer: None, ..case("") }).await.expect("of nobody");
        assert_eq!(nobodys.customer, None);
        services.stop().await;
    })
    .await;
}
