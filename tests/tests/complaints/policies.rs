//! Policies: published as a whole, checked against one another, tried without a case.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, CaseKind, ClockDuration, ClockKind, Conditions, CreateCalendarRequest, DescribedCase, DurationUnit,
    GetPolicySetRequest, ListPolicySetsRequest, LookupPolicyRequest, LookupPolicyResponse, Policy, PolicySet,
    PublishPoliciesRequest, UpdateCalendarRequest, lookup_policy_request::Subject,
};
use barometer_tests::{
    samples::{calendar, case, policy, target},
    services::{Services, told},
};
use prost_types::Timestamp;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::open_one;

async fn office(services: &Services) -> String {
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id
}

async fn publish(services: &Services, policies: Vec<Policy>, etag: &str) -> Result<PolicySet, Status> {
    publish_by(services, policies, etag, "").await
}

async fn publish_by(
    services: &Services,
    policies: Vec<Policy>,
    etag: &str,
    request_id: &str,
) -> Result<PolicySet, Status> {
    let set = PolicySet { policies, etag: etag.to_owned(), ..PolicySet::default() };
    let request =
        PublishPoliciesRequest { policy_set: Some(set), validate_only: false, request_id: request_id.to_owned() };
    Ok(services.policies.clone().publish_policies(request).await?.into_inner())
}

async fn get(services: &Services, version: i64) -> Result<PolicySet, Status> {
    Ok(services.policies.clone().get_policy_set(GetPolicySetRequest { version }).await?.into_inner())
}

async fn lookup(services: &Services, case: DescribedCase, version: i64) -> Result<LookupPolicyResponse, Status> {
    // A Thursday, half past nine in London, half past ten in Berlin.
    let open_time = Some(at("2013-03-21T09:30:00Z"));
    let request = LookupPolicyRequest { subject: Some(Subject::Case(case)), open_time, version };
    Ok(services.policies.clone().lookup_policy(request).await?.into_inner())
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn for_losses(calendar: &str) -> Policy {
    let conditions = Conditions {
        kinds: vec![CaseKind::Loss.into()],
        categories: vec!["delivery".to_owned()],
        ..Conditions::default()
    };
    Policy { conditions: Some(conditions), ..policy("losses", calendar) }
}

#[tokio::test]
async fn what_is_published_replaces_the_list_and_stays_readable() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        assert_eq!(get(&services, 0).await.expect_err("none yet").code(), Code::NotFound);
        let nothing = lookup(&services, DescribedCase::default(), 0).await.expect_err("none yet");
        assert_eq!(nothing.code(), Code::NotFound);

        let policies = vec![for_losses(&office), policy("all", &office)];
        let request_id = Uuid::new_v4().to_string();
        let first = publish_by(&services, policies.clone(), "", &request_id).await.expect("published");
        let expected =
            PolicySet { version: 1, policies: policies.clone(), etag: "1".to_owned(), create_time: first.create_time };
        assert_eq!(first, expected);
        let second = publish(&services, vec![policy("every", &office)], "1").await.expect("published");
        assert_eq!(second.version, 2);
        let stale = publish(&services, vec![policy("late", &office)], "1").await.expect_err("stale");
        assert_eq!((told(&stale).0, told(&stale).1.as_str()), (Code::Aborted, "STALE_ETAG"));

        // A repeat answers what it made, though another has followed.
        let repeated = publish_by(&services, policies.clone(), "", &request_id).await.expect("done before");
        assert_eq!(repeated, first);
        let other = publish_by(&services, vec![policy("x", &office)], "", &request_id).await.expect_err("another");
        assert_eq!(told(&other).1, "REQUEST_ID_REUSED");

        for (version, set) in [(0, &second), (1, &first), (2, &second)] {
            assert_eq!(&get(&services, version).await.expect("there"), set);
        }
        assert_eq!(get(&services, 3).await.expect_err("none").code(), Code::NotFound);
        let list = async |page_token: String| {
            let request = ListPolicySetsRequest { page_size: 1, page_token };
            services.policies.clone().list_policy_sets(request).await.expect("a page").into_inner()
        };
        let page = list(String::new()).await;
        assert_eq!(page.policy_sets, [PolicySet { policies: Vec::new(), ..second }]);
        let page = list(page.next_page_token).await;
        assert_eq!(page.policy_sets, [PolicySet { policies: Vec::new(), ..first }]);
        assert_eq!(page.next_page_token, "");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_published_again_makes_no_version() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let all = Policy {
            targets: vec![target(ClockKind::Resolution, 3, DurationUnit::WorkingDays)],
            ..policy("all", &office)
        };
        let policies = vec![for_losses(&office), all.clone()];
        let first = publish(&services, policies.clone(), "").await.expect("published");
        let request_id = Uuid::new_v4().to_string();
        let again = publish_by(&services, policies.clone(), "1", &request_id).await.expect("the same");
        assert_eq!(again, first, "version, etag and time as they were");
        let stale = publish(&services, policies.clone(), "7").await.expect_err("of another version");
        assert_eq!(told(&stale).1, "STALE_ETAG");

        // With another name it is another list; and the first again, after it, a third.
        let renamed = vec![Policy { name: "more losses".to_owned(), ..for_losses(&office) }, all];
        assert_eq!(publish(&services, renamed, "").await.expect("published").version, 2);
        let repeated = publish_by(&services, policies.clone(), "1", &request_id).await.expect("done before");
        assert_eq!(repeated, first, "what it found then");
        assert_eq!(publish(&services, policies, "2").await.expect("published").version, 3);
        assert_eq!(get(&services, 0).await.expect("there").version, 3);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_nothing_is_published() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let days = |kind, amount| target(kind, amount, DurationUnit::WorkingDays);
        let deeper = Conditions {
            kinds: vec![CaseKind::Loss.into()],
            categories: vec!["delivery/late".to_owned()],
            countries: vec!["MD".to_owned()],
            ..Conditions::default()
        };
        let policies = vec![
            for_losses(&office),
            Policy { conditions: Some(deeper), ..policy("never", &office) },
            Policy { conditions: for_suggestions(), targets: Vec::new(), ..policy("losses", &office) },
            Policy {
                conditions: for_questions(),
                targets: vec![
                    days(ClockKind::Resolution, 2),
                    days(ClockKind::FirstResponse, 3),
                    days(ClockKind::Resolution, 4),
                    target(ClockKind::Acknowledgement, 60, DurationUnit::WorkingMinutes),
                ],
                ..policy("questions", &Uuid::new_v4().to_string())
            },
        ];
        let refused = publish(&services, policies.clone(), "").await.expect_err("wrong");
        let (code, reason, fields) = told(&refused);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID"));
        let mut expected = [
            "policy_set.policies[1]",
            "policy_set.policies[2].name",
            "policy_set.policies[2].targets",
            "policy_set.policies[3].calendar_id",
            "policy_set.policies[3].targets[1].target",
            "policy_set.policies[3].targets[2].kind",
            "policy_set.policies[3].conditions",
        ];
        let mut fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        fields.sort_unstable();
        expected.sort_unstable();
        assert_eq!(fields, expected);
        assert!(refused.message().contains("policies[0] `losses` before it"), "{}", refused.message());
        assert_eq!(get(&services, 0).await.expect_err("nothing").code(), Code::NotFound);

        let set = PolicySet { policies: vec![policy("all", &office)], ..PolicySet::default() };
        let request =
            PublishPoliciesRequest { policy_set: Some(set.clone()), validate_only: true, request_id: String::new() };
        let checked = services.policies.clone().publish_policies(request).await.expect("all well").into_inner();
        assert_eq!(checked, set);
        assert_eq!(get(&services, 0).await.expect_err("nothing").code(), Code::NotFound);
        services.stop().await;
    })
    .await;
}

fn for_suggestions() -> Option<Conditions> {
    Some(Conditions { kinds: vec![CaseKind::Suggestion.into()], ..Conditions::default() })
}

fn for_questions() -> Option<Conditions> {
    Some(Conditions { kinds: vec![CaseKind::Question.into()], ..Conditions::default() })
}

#[tokio::test]
async fn a_described_case_is_told_its_policy_and_when_it_would_be_due() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let weeks = |amount| ClockDuration { amount, unit: DurationUnit::Weeks.into() };
        let mut final_response = target(ClockKind::FinalResponse, 8, DurationUnit::Weeks);
        final_response.holding_target = Some(weeks(12));
        let losses = Policy {
            targets: vec![
                target(ClockKind::FirstResponse, 60, DurationUnit::WorkingMinutes),
                target(ClockKind::NextResponse, 60, DurationUnit::ElapsedMinutes),
                target(ClockKind::Resolution, 3, DurationUnit::WorkingDays),
                final_response,
            ],
            ..for_losses(&office)
        };
        let first = vec![losses.clone(), policy("all", &office)];
        publish(&services, first, "").await.expect("published");
        publish(&services, vec![policy("every", &office)], "").await.expect("published");

        let loss = || DescribedCase {
            kind: CaseKind::Loss.into(),
            category: "delivery/late".to_owned(),
            ..DescribedCase::default()
        };
        let answer = lookup(&services, loss(), 1).await.expect("a policy");
        assert_eq!((answer.policy_set_version, answer.policy_index), (1, 0));
        assert_eq!(answer.policy.as_ref(), Some(&losses));
        let due: Vec<_> = answer.due_times.iter().map(|due| (due.kind(), due.due_time, due.holding_due_time)).collect();
        let expected = [
            (ClockKind::FirstResponse, Some(at("2013-03-21T10:30:00Z")), None),
            (ClockKind::NextResponse, None, None),
            // Friday, Monday and Tuesday, to its close in Berlin.
            (ClockKind::Resolution, Some(at("2013-03-26T17:00:00Z")), None),
            // Midnight in Berlin, which has summer time by then.
            (ClockKind::FinalResponse, Some(at("2013-05-16T22:00:00Z")), Some(at("2013-06-13T22:00:00Z"))),
        ];
        assert_eq!(due, expected);
        let used = answer.calendar.expect("its calendar");
        assert_eq!((used.calendar_id.as_str(), used.version, used.time_zone.as_str()), (&*office, 1, "Europe/Berlin"));

        let of = async |case: DescribedCase, version: i64| {
            lookup(&services, case, version).await.expect("a policy").policy.map(|policy| policy.name)
        };
        assert_eq!(of(DescribedCase::default(), 1).await.as_deref(), Some("all"));
        assert_eq!(of(DescribedCase { kind: 0, ..loss() }, 1).await.as_deref(), Some("all"));
        assert_eq!(of(loss(), 0).await.as_deref(), Some("every"));
        // A case that is there, bound to another policy by now.
        let there = Case {
            kind: CaseKind::Loss.into(),
            category: "delivery/late".to_owned(),
            open_time: Some(at("2013-03-21T09:30:00Z")),
            ..case(&Uuid::new_v4().to_string())
        };
        let id = open_one(&services, there).await.expect("opened").case_id;
        let of_case = async |open_time| {
            let subject = Some(Subject::CaseId(id.clone()));
            services.policies.clone().lookup_policy(LookupPolicyRequest { subject, open_time, version: 1 }).await
        };
        let told = of_case(None).await.expect("a policy").into_inner();
        assert_eq!((told.policy, told.due_times), (answer.policy, answer.due_times));
        let dated = of_case(Some(at("2013-03-21T09:30:00Z"))).await.expect_err("it has an instant of its own");
        assert_eq!(dated.code(), Code::InvalidArgument);
        assert_eq!(lookup(&services, loss(), 3).await.expect_err("none").code(), Code::NotFound);

        // The next clock is bound to the calendar as it is then.
        let patch = calendar("office");
        let patch = barometer_proto::complaints::v1::Calendar {
            calendar_id: office.clone(),
            time_zone: "Asia/Tokyo".to_owned(),
            ..patch
        };
        let request = UpdateCalendarRequest { calendar: Some(patch), ..Default::default() };
        services.policies.clone().update_calendar(request).await.expect("updated");
        let answer = lookup(&services, loss(), 1).await.expect("a policy");
        assert_eq!(answer.calendar.map(|calendar| calendar.version), Some(2));
        // Half past six in the evening: an hour of the next morning.
        assert_eq!(answer.due_times[0].due_time, Some(at("2013-03-22T00:00:00Z")));
        services.stop().await;
    })
    .await;
}
