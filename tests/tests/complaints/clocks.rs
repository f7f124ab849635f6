//! The clocks of cases: bound when the case comes in, told for any instant, explained to the last stretch.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    AmendCaseRequest, BatchGetClocksRequest, BatchGetClocksResponse, Calendar, CaseRow, Clock, ClockKind,
    CreateCalendarRequest, DurationUnit, ExplainClockRequest, ImportCasesRequest, Policy, PolicySet,
    PublishPoliciesRequest, UpdateCalendarRequest, clock::State, clock_amount::Amount, clock_stretch::Reason,
};
use barometer_tests::{
    samples::{calendar, case, from_now, mask, policy, target},
    services::{Services, told},
};
use prost_types::Timestamp;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{Case, How, Verb, act, get, open_one, opened, withdraw};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

async fn office(services: &Services) -> String {
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id
}

async fn publish(services: &Services, policies: Vec<Policy>) -> i64 {
    let request =
        PublishPoliciesRequest { policy_set: Some(PolicySet { policies, ..Default::default() }), ..Default::default() };
    services.policies.clone().publish_policies(request).await.expect("published").into_inner().version
}

/// One working hour until the first response, two days until the resolution.
async fn promise(services: &Services) -> String {
    let office = office(services).await;
    let hour = policy("all", &office);
    let days = target(ClockKind::Resolution, 2, DurationUnit::WorkingDays);
    publish(services, vec![Policy { targets: [hour.targets, vec![days]].concat(), ..hour }]).await;
    office
}

/// A case that came in on a Thursday, half past ten in Berlin.
async fn thursday(services: &Services) -> Case {
    let case = Case { open_time: Some(at("2013-03-21T09:30:00Z")), ..case(&Uuid::new_v4().to_string()) };
    open_one(services, case).await.expect("opened")
}

async fn list(services: &Services, ids: &[&str], time: &str) -> Result<BatchGetClocksResponse, Status> {
    let case_ids = ids.iter().map(ToString::to_string).collect();
    let request = BatchGetClocksRequest { case_ids, time: Some(at(time)) };
    Ok(services.complaints.clone().batch_get_clocks(request).await?.into_inner())
}

async fn clock(services: &Services, id: &str, kind: ClockKind, time: &str) -> Option<Clock> {
    let clocks = list(services, &[id], time).await.expect("listed").cases.remove(0).clocks;
    clocks.into_iter().find(|clock| clock.kind() == kind)
}

async fn explain(services: &Services, id: &str, kind: ClockKind, time: &str) -> Result<Clock, Status> {
    let request = ExplainClockRequest { case_id: id.to_owned(), kind: kind.into(), instance: 0, time: Some(at(time)) };
    Ok(services.complaints.clone().explain_clock(request).await?.into_inner())
}

fn minutes(amount: Option<barometer_proto::complaints::v1::ClockAmount>) -> i64 {
    match amount.and_then(|amount| amount.amount) {
        Some(Amount::Time(time)) => time.seconds / 60,
        other => panic!("no time: {other:?}"),
    }
}

#[tokio::test]
async fn a_reply_that_comes_late_is_explained() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let case = thursday(&services).await;
        assert_eq!((case.policy_name.as_str(), case.policy_set_version), ("all", 1));
        let reception = case.reception.expect("told");
        assert_eq!(reception.reply_due_time, Some(at("2013-03-21T10:30:00Z")));
        assert_eq!(reception.desk_open, reception.desk_open_time.is_none());
        assert_eq!(case.clocks.len(), 2);
        assert_eq!(
            case.clocks,
            get(&services, &case.case_id).await.clocks.iter().map(as_when(&case)).collect::<Vec<_>>()
        );

        act(&services, &case.case_id, Verb::Respond, How::at(at("2013-03-21T14:00:00Z"))).await.expect("answered");
        let first = ClockKind::FirstResponse;
        let late = explain(&services, &case.case_id, first, "2013-03-22T00:00:00Z").await.expect("explained");
        assert_eq!((late.state(), late.due_time), (State::Breached, Some(at("2013-03-21T10:30:00Z"))));
        assert_eq!((minutes(late.used), minutes(late.remaining)), (270, -210));
        assert_eq!((late.policy_name.as_str(), late.policy_set_version, late.calendar_version), ("all", 1, 1));
        let stretches: Vec<_> = late.stretches.iter().map(|stretch| (stretch.reason(), stretch.end_time)).collect();
        assert_eq!(stretches, [(Reason::WorkingTime, Some(at("2013-03-21T14:00:00Z")))]);

        // The same, as it was before the answer: not late yet, and late.
        let then = clock(&services, &case.case_id, first, "2013-03-21T10:30:00Z").await.expect("there");
        assert_eq!((then.state(), minutes(then.used), then.stop_time), (State::Running, 60, None));
        let then = clock(&services, &case.case_id, first, "2013-03-21T10:30:00.000001Z").await.expect("there");
        assert_eq!(then.state(), State::Breached);
        let before = clock(&services, &case.case_id, first, "2013-03-21T09:29:59Z").await;
        assert_eq!(before, None, "it was not there");
        services.stop().await;
    })
    .await;
}

/// Clocks that run go on: as they were when the case was opened.
fn as_when(case: &Case) -> impl Fn(&Clock) -> Clock {
    |now: &Clock| {
        let then = case.clocks.iter().find(|then| then.kind == now.kind).expect("there");
        Clock { used: then.used, remaining: then.remaining, ..now.clone() }
    }
}

#[tokio::test]
async fn a_case_of_a_clock_that_is_ahead_is_told_when_it_is_due() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let hour = target(ClockKind::FirstResponse, 60, DurationUnit::ElapsedMinutes);
        publish(&services, vec![Policy { targets: vec![hour], ..policy("all", &office) }]).await;
        let case = Case { open_time: Some(from_now(3_600)), ..case(&Uuid::new_v4().to_string()) };
        let case = open_one(&services, case).await.expect("opened");
        let due = case.open_time.map(|open| Timestamp { seconds: open.seconds + 3_600, ..open });
        assert_eq!(case.clocks.iter().map(|clock| clock.due_time).collect::<Vec<_>>(), [due]);
        assert_eq!(case.reception.and_then(|told| told.reply_due_time), due);
        assert_eq!(get(&services, &case.case_id).await.clocks, [], "it has not come in yet");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_starts_later_counts_by_the_calendar_of_then() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let kinds = [ClockKind::NextResponse, ClockKind::Resolution];
        let targets = kinds.map(|kind| target(kind, 60, DurationUnit::WorkingMinutes)).to_vec();
        publish(&services, vec![Policy { targets, ..policy("all", &office) }]).await;
        let Case { case_id: id, .. } = thursday(&services).await;
        act(&services, &id, Verb::Respond, How::at(at("2013-03-21T10:00:00Z"))).await.expect("answered");
        act(&services, &id, Verb::Hear, How::at(at("2013-03-21T11:00:00Z"))).await.expect("heard");
        act(&services, &id, Verb::Respond, How::at(at("2013-03-21T12:00:00Z"))).await.expect("answered");
        let closed = Calendar { calendar_id: office.clone(), working_times: saturday(), ..Calendar::default() };
        let request = UpdateCalendarRequest { calendar: Some(closed), ..Default::default() };
        services.policies.clone().update_calendar(request).await.expect("updated");
        // What comes now comes after the new version.
        let heard = act(&services, &id, Verb::Hear, How::default()).await.expect("heard");
        let case_ids = vec![id.clone()];
        let request = BatchGetClocksRequest { case_ids, time: Some(from_now(1)) };
        let clocks = services.complaints.clone().batch_get_clocks(request).await.expect("told").into_inner();
        let clocks: Vec<_> =
            clocks.cases[0].clocks.iter().map(|c| (c.kind(), c.instance, c.calendar_version)).collect();
        let expected =
            [(ClockKind::NextResponse, 1, 1), (ClockKind::NextResponse, 2, 2), (ClockKind::Resolution, 1, 1)];
        assert_eq!(clocks, expected);
        // One is told with its case: the latest of each kind.
        let shown: Vec<_> = get(&services, &id).await.clocks.iter().map(|c| (c.kind(), c.instance)).collect();
        assert_eq!(shown, [(ClockKind::NextResponse, 2), (ClockKind::Resolution, 1)]);
        assert!(heard.clocks.is_empty());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn waiting_for_the_customer_stops_the_resolution() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let Case { case_id: id, .. } = thursday(&services).await;
        for (verb, time) in [
            (Verb::AwaitCustomer, "2013-03-21T11:00:00Z"),
            // On Monday: Friday's end was not counted.
            (Verb::Hear, "2013-03-25T09:00:00Z"),
            (Verb::Resolve, "2013-03-26T16:59:00Z"),
        ] {
            act(&services, &id, verb, How::at(at(time))).await.expect("done");
        }
        let waiting = clock(&services, &id, ClockKind::Resolution, "2013-03-22T12:00:00Z").await.expect("there");
        assert_eq!((waiting.state(), waiting.due_time), (State::Paused, None));
        let resolved = explain(&services, &id, ClockKind::Resolution, "2013-04-01T00:00:00Z").await.expect("there");
        // The ends of Thursday to Friday lie in the wait; Monday's is counted, Tuesday's would be at 18:00 in Berlin.
        assert_eq!((resolved.state(), resolved.due_time), (State::Met, Some(at("2013-03-26T17:00:00Z"))));
        assert_eq!(resolved.used.and_then(|used| used.amount), Some(Amount::Days(1)));
        let reasons: Vec<_> = resolved.stretches.iter().map(|stretch| stretch.reason()).collect();
        assert!(reasons.contains(&Reason::WaitingForCustomer), "{reasons:?}");
        for pair in resolved.stretches.windows(2) {
            assert_eq!(pair[0].end_time, pair[1].start_time, "no gaps");
        }
        let response = clock(&services, &id, ClockKind::FirstResponse, "2013-03-22T12:00:00Z").await.expect("there");
        assert_eq!(response.stop_time, Some(at("2013-03-21T11:00:00Z")), "a question back is an answer");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_published_later_touches_no_case_that_is_there() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let unbound = opened(&services).await;
        assert_eq!((unbound.policy_set_version, unbound.clocks.len()), (0, 0));
        assert_eq!(unbound.reception.as_ref().and_then(|told| told.reply_due_time), None);

        let office = promise(&services).await;
        let bound = thursday(&services).await;
        let closed = Calendar { calendar_id: office.clone(), working_times: saturday(), ..Calendar::default() };
        let request = UpdateCalendarRequest { calendar: Some(closed), ..Default::default() };
        services.policies.clone().update_calendar(request).await.expect("updated");
        let slow = target(ClockKind::FirstResponse, 3, DurationUnit::Weeks);
        publish(&services, vec![Policy { targets: vec![slow], ..policy("slow", &office) }]).await;

        let then = "2013-03-21T12:00:00Z";
        let kept = clock(&services, &bound.case_id, ClockKind::FirstResponse, then).await.expect("there");
        assert_eq!((kept.due_time, kept.calendar_version), (Some(at("2013-03-21T10:30:00Z")), 1));
        assert_eq!(get(&services, &unbound.case_id).await.clocks, [], "it stays without");
        let newer = thursday(&services).await;
        assert_eq!((newer.policy_name.as_str(), newer.policy_set_version), ("slow", 2));
        let newer = clock(&services, &newer.case_id, ClockKind::FirstResponse, then).await.expect("there");
        // Berlin's midnight, in winter before the change of clocks and in summer after it.
        assert_eq!((newer.due_time, newer.calendar_version), (Some(at("2013-04-11T22:00:00Z")), 2));
        services.stop().await;
    })
    .await;
}

fn saturday() -> Vec<barometer_proto::complaints::v1::WorkingTime> {
    use barometer_proto::complaints::v1::{Weekday, WorkingTime};
    vec![WorkingTime { weekday: Weekday::Saturday.into(), start_minute: 600, end_minute: 720 }]
}

#[tokio::test]
async fn the_first_policy_that_matches_is_a_cases_whatever_is_amended_later() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let conditions = barometer_proto::complaints::v1::Conditions {
            countries: vec!["MD".to_owned()],
            categories: vec!["delivery".to_owned()],
            ..Default::default()
        };
        let abroad = Policy { conditions: Some(conditions), ..policy("abroad", &office) };
        publish(&services, vec![abroad, policy("all", &office)]).await;
        let with = |category: &str, country: &str| Case {
            category: category.to_owned(),
            dimensions: [("home_country".to_owned(), country.to_owned())].into(),
            ..case(&Uuid::new_v4().to_string())
        };
        for (category, country, expected) in [
            ("delivery/late", "MD", "abroad"),
            ("delivery", "MD", "abroad"),
            ("delivery-abroad", "MD", "all"),
            ("delivery", "RO", "all"),
        ] {
            let case = open_one(&services, with(category, country)).await.expect("opened");
            assert_eq!(case.policy_name, expected, "{category} from {country}");
        }
        let case = open_one(&services, with("delivery", "MD")).await.expect("opened");
        let patch = Case { case_id: case.case_id.clone(), category: "billing".to_owned(), ..Case::default() };
        let amend = AmendCaseRequest { case: Some(patch), update_mask: mask(&["category"]), request_id: String::new() };
        let amended = services.complaints.clone().amend_case(amend).await.expect("amended").into_inner();
        assert_eq!((amended.category.as_str(), amended.policy_name.as_str()), ("billing", "abroad"));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn cases_of_the_past_have_clocks_too() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let past = Case {
            open_time: Some(at("2013-03-21T09:30:00Z")),
            external_id: Some(key()),
            ..case(&Uuid::new_v4().to_string())
        };
        let row = CaseRow {
            row: 1,
            case: Some(past),
            first_response_time: Some(at("2013-03-21T10:30:00Z")),
            resolve_time: Some(at("2013-03-25T17:00:00.000001Z")),
            ..CaseRow::default()
        };
        let batches = tokio_stream::iter([ImportCasesRequest { rows: vec![row] }]);
        let mut answers = services.complaints.clone().import_cases(batches).await.expect("taken").into_inner();
        assert_eq!(answers.message().await.expect("answered").expect("one").recorded, 1);
        let by = barometer_proto::complaints::v1::get_case_request::By::ExternalId(key());
        let request = barometer_proto::complaints::v1::GetCaseRequest { by: Some(by) };
        let found = services.complaints.clone().get_case(request).await.expect("there").into_inner();
        let states: Vec<_> = found.clocks.iter().map(|clock| (clock.kind(), clock.state())).collect();
        assert_eq!(states, [(ClockKind::FirstResponse, State::Met), (ClockKind::Resolution, State::Breached)]);
        services.stop().await;
    })
    .await;
}

fn key() -> barometer_proto::common::v1::ExternalId {
    barometer_tests::samples::key("past-1")
}

#[tokio::test]
async fn many_are_told_at_once_in_the_order_asked_for() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let (first, second, gone) = (opened(&services).await, opened(&services).await, opened(&services).await);
        withdraw(&services, &gone.case_id).await;
        let ids = [second.case_id.as_str(), &gone.case_id, &first.case_id];
        let cases = list(&services, &ids, "2030-01-01T00:00:00Z").await.expect("listed").cases;
        assert_eq!(cases.iter().map(|case| case.case_id.as_str()).collect::<Vec<_>>(), ids);
        assert_eq!(cases.iter().map(|case| case.clocks.len()).collect::<Vec<_>>(), [2, 0, 2]);
        let nobody = Uuid::new_v4().to_string();
        let unknown = list(&services, &[ids[0], &nobody], "2030-01-01T00:00:00Z").await.expect_err("unknown");
        assert_eq!(unknown.code(), Code::NotFound);
        assert!(unknown.message().contains(&nobody), "{unknown:?}");
        for (id, kind) in [(ids[0], ClockKind::NextResponse), (ids[1], ClockKind::FirstResponse)] {
            let none = explain(&services, id, kind, "2030-01-01T00:00:00Z").await.expect_err("there is none");
            assert_eq!((told(&none).0, told(&none).1.as_str()), (Code::NotFound, "NOT_FOUND"));
        }
        services.stop().await;
    })
    .await;
}
