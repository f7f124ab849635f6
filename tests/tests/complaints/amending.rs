//! Correcting what is said of a case, and taking one back.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{AmendCaseRequest, Case, CaseEntryType, ListCasesRequest, case::State};
use barometer_tests::{
    samples::{case, hour, mask, region},
    services::{Services, told},
};
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one, opened, withdraw};

async fn amend(services: &Services, patch: Case, paths: &[&str]) -> Result<Case, tonic::Status> {
    let update_mask = if paths.is_empty() { None } else { mask(paths) };
    let request = AmendCaseRequest { case: Some(patch), update_mask, request_id: String::new() };
    Ok(services.complaints.clone().amend_case(request).await?.into_inner())
}

#[tokio::test]
async fn an_amendment_sets_what_its_mask_names_and_leaves_no_entry() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let acknowledged = act(&services, &id, Verb::Acknowledge, How::at(hour(2))).await.expect("allowed");
        let patch = Case {
            case_id: id.clone(),
            etag: "2".to_owned(),
            subject: "the parcel".to_owned(),
            category: "no delivery".to_owned(),
            dimensions: region("south"),
            open_time: Some(hour(9)),
            employee: "ana".to_owned(),
            ..Case::default()
        };
        let named = amend(&services, patch.clone(), &["category"]).await.expect("amended");
        let expected = Case {
            category: "no delivery".to_owned(),
            etag: "3".to_owned(),
            update_time: named.update_time,
            position: named.position.clone(),
            ..acknowledged
        };
        assert_eq!(named, expected);
        let refused = amend(&services, patch.clone(), &["category"]).await.expect_err("stale");
        assert_eq!(told(&refused).1, "STALE_ETAG");

        // Without a mask: what is present and can be amended. With `*`: all that can be.
        let patch = Case { etag: String::new(), ..patch };
        let present = amend(&services, patch.clone(), &[]).await.expect("amended");
        assert_eq!((present.subject.as_str(), present.product.as_str()), ("the parcel", "books"));
        assert_eq!((present.open_time, present.employee.as_str()), (Some(hour(1)), ""));
        let same = amend(&services, patch.clone(), &[]).await.expect("nothing to amend");
        assert_eq!(same, present, "nothing was written");
        let whole = amend(&services, patch, &["*"]).await.expect("amended");
        assert_eq!((whole.product.as_str(), whole.customer.clone()), ("", None));
        assert_eq!((whole.state(), whole.acknowledge_time), (State::Acknowledged, Some(hour(2))));
        assert_eq!(entries(&services, &id).await, [CaseEntryType::Opened, CaseEntryType::Acknowledged]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_by_state_and_holder() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let list = async |states: &[State], employee: &str, team: &str| {
            let states = states.iter().map(|state| i32::from(*state)).collect();
            let (employee, team) = (employee.to_owned(), team.to_owned());
            let request = ListCasesRequest { states, employee, team, ..Default::default() };
            let page = services.complaints.clone().list_cases(request).await.expect("a page").into_inner();
            page.cases.into_iter().map(|case| case.case_id).collect::<Vec<_>>()
        };
        let new = async |hours: i64| {
            let new = Case { open_time: Some(hour(hours)), ..case(&Uuid::new_v4().to_string()) };
            open_one(&services, new).await.expect("opened").case_id
        };
        let (one, two, three, gone) = (new(1).await, new(2).await, new(3).await, new(4).await);
        act(&services, &one, Verb::Resolve, How::default()).await.expect("allowed");
        act(&services, &two, Verb::Assign("ana", "billing"), How::default()).await.expect("allowed");
        act(&services, &three, Verb::Assign("bob", "billing"), How::default()).await.expect("allowed");
        act(&services, &three, Verb::Respond, How::default()).await.expect("allowed");
        withdraw(&services, &gone).await;

        assert_eq!(list(&[], "", "").await, [&three, &two, &one].map(Clone::clone));
        assert_eq!(list(&[State::Resolved], "", "").await, std::slice::from_ref(&one));
        assert_eq!(list(&[State::Received, State::Resolved], "", "").await, [two.clone(), one]);
        assert_eq!(list(&[], "", "billing").await, [three.clone(), two.clone()]);
        assert_eq!(list(&[], "ana", "").await, std::slice::from_ref(&two));
        assert_eq!(list(&[State::InProgress], "bob", "billing").await, [three]);
        assert!(list(&[State::Closed], "ana", "billing").await.is_empty());
        assert!(get(&services, &gone).await.withdraw_time.is_some());
        services.stop().await;
    })
    .await;
}
