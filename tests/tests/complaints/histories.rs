//! Cases of the past, with everything that happened to them.

use barometer_chassis::testing::on_each_database;
use barometer_proto::{
    common::v1::RejectedRow,
    complaints::v1::{
        Acceptance, BatchGetClocksRequest, Case, CaseEntryType as Event, CaseEvent, CaseHistory, CaseKind, ClockKind,
        CreateCalendarRequest, DurationUnit, Finding, GetCaseRequest, ImportCaseHistoriesRequest,
        ImportCaseHistoriesResponse, Outcome, Policy, PolicySet, Priority, PublishPoliciesRequest, ReplyType,
        case::State, clock::State as ClockState, get_case_request::By,
    },
};
use barometer_tests::{
    samples::{calendar, case, from_now, hour, key, policy, target},
    services::{Services, count, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{How, Verb, act, get};

/// What a history tells: what happened, and how many hours after the case came in.
type Told = (Event, i64);

fn event(row: i64, (event, hours): Told) -> CaseEvent {
    CaseEvent {
        row,
        r#type: event.into(),
        time: Some(hour(1 + hours)),
        actor: "ana".to_owned(),
        ..CaseEvent::default()
    }
}

/// A history in rows of ten: the case is row `10 * number`, its first event the row after that.
fn history(number: i64, told: &[Told]) -> CaseHistory {
    let case = Case { external_id: Some(key(&format!("h-{number}"))), ..case(&Uuid::nil().to_string()) };
    let events = (10 * number + 1..).zip(told).map(|(row, told)| event(row, *told)).collect();
    CaseHistory { row: 10 * number, case: Some(case), actor: "shop".to_owned(), events }
}

async fn try_import(services: &Services, histories: Vec<CaseHistory>) -> Result<ImportCaseHistoriesResponse, Status> {
    let batches = tokio_stream::iter([ImportCaseHistoriesRequest { histories }]);
    let mut answers = services.complaints.clone().import_case_histories(batches).await?.into_inner();
    Ok(answers.message().await?.expect("an answer to the batch"))
}

async fn import(services: &Services, histories: Vec<CaseHistory>) -> ImportCaseHistoriesResponse {
    try_import(services, histories).await.expect("taken")
}

async fn imported(services: &Services, number: i64) -> Case {
    let by = Some(By::ExternalId(key(&format!("h-{number}"))));
    services.complaints.clone().get_case(GetCaseRequest { by }).await.expect("there").into_inner()
}

fn rejected(rows: &[RejectedRow]) -> Vec<(i64, Vec<(&str, &str)>)> {
    rows.iter()
        .map(|row| (row.row, row.violations.iter().map(|v| (v.field.as_str(), v.reason.as_str())).collect()))
        .collect()
}

/// Everything that can stand in a history, once.
fn long() -> CaseHistory {
    let told = [
        (Event::Acknowledged, 1),
        (Event::Assigned, 2),
        (Event::Prioritized, 2),
        (Event::Responded, 3),
        (Event::AwaitedCustomer, 4),
        (Event::CustomerWrote, 30),
        (Event::AwaitedThirdParty, 31),
        (Event::Resumed, 40),
        (Event::Annotated, 41),
        (Event::OutcomeSet, 50),
        (Event::Resolved, 50),
        (Event::AcceptanceAsked, 51),
        (Event::AcceptanceRecorded, 60),
        (Event::Closed, 70),
        (Event::CustomerWrote, 5_000),
        (Event::Reopened, 5_000),
        (Event::Cancelled, 5_001),
    ];
    let mut long = history(1, &told);
    let outcome = Outcome { finding: Finding::Upheld.into(), ..Outcome::default() };
    for event in &mut long.events {
        event.text = format!("about {}", event.row);
        match event.r#type() {
            Event::Assigned => (event.employee, event.team) = ("ana".to_owned(), "first line".to_owned()),
            Event::Prioritized => event.priority = Priority::Urgent.into(),
            Event::Responded => event.reply = ReplyType::Holding.into(),
            Event::OutcomeSet => event.outcome = Some(outcome.clone()),
            Event::AcceptanceRecorded => {
                (event.acceptance, event.satisfaction) = (Acceptance::Declined.into(), Some(2));
            }
            _ => {}
        }
    }
    long
}

#[tokio::test]
async fn a_case_has_exactly_the_entries_of_its_history() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let first = import(&services, vec![long(), history(2, &[])]).await;
        assert_eq!((first.recorded, first.unchanged, first.refused), (2, 0, 0), "{first:?}");
        let case = imported(&services, 1).await;
        let entries: Vec<_> = case.history.iter().rev().collect();
        let (opened, rest) = entries.split_first().expect("it was opened");
        assert_eq!((opened.r#type(), opened.actor.as_str(), opened.time), (Event::Opened, "shop", Some(hour(1))));
        assert_eq!(rest.len(), long().events.len());
        for (entry, told) in rest.iter().zip(&long().events) {
            assert_eq!((entry.r#type(), entry.time), (told.r#type(), told.time));
            assert_eq!((entry.text.as_str(), entry.actor.as_str()), (told.text.as_str(), "ana"));
            assert_eq!(&entry.outcome, &told.outcome);
            assert_eq!((entry.acceptance(), entry.satisfaction), (told.acceptance(), told.satisfaction));
        }
        assert_eq!((rest[3].reply(), rest[2].priority()), (ReplyType::Holding, Priority::Urgent));
        assert_eq!((rest[1].employee.as_str(), rest[1].team.as_str()), ("ana", "first line"));
        assert_eq!((rest[14].state(), rest[15].state()), (State::Closed, State::InProgress));
        assert_eq!((case.state(), case.reopenings, case.hand_offs), (State::Cancelled, 1, 0));
        assert_eq!((case.first_response_time, case.first_resolve_time), (Some(hour(5)), Some(hour(51))));
        assert_eq!((case.acceptance(), case.priority()), (Acceptance::Open, Priority::Urgent));
        assert_eq!(imported(&services, 2).await.state(), State::Received);

        // Once more, in another order and with other numbers.
        let mut again = vec![history(2, &[]), long()];
        again[1].row = 77;
        again[1].events.iter_mut().for_each(|event| event.row += 1_000);
        let second = import(&services, again).await;
        assert_eq!((second.recorded, second.unchanged, second.refused), (0, 2, 0), "{second:?}");
        assert_eq!(count(&second.position), count(&first.position));
        assert_eq!(imported(&services, 1).await.history.len(), 18, "nor have entries come twice");
        // It goes on from there.
        let reopened = act(&services, &imported(&services, 2).await.case_id, Verb::Respond, How::default()).await;
        assert_eq!(reopened.expect("allowed").state(), State::InProgress);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_history_that_is_not_possible_is_refused_whole_by_row_and_field() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let with = |number, told: &[Told], change: &dyn Fn(&mut CaseHistory)| {
            let mut history = history(number, told);
            change(&mut history);
            history
        };
        let of_case =
            |change: fn(&mut Case)| move |history: &mut CaseHistory| change(history.case.as_mut().expect("one"));
        let (answered, solved) = ((Event::Responded, 1), (Event::Resolved, 2));
        let histories = vec![
            history(1, &[answered, solved]),
            history(2, &[answered, (Event::Acknowledged, 2), (Event::Resumed, 3)]),
            history(3, &[(Event::Closed, 1)]),
            history(4, &[solved, answered]),
            with(5, &[(Event::SelfServed, 1)], &|_| {}),
            with(6, &[(Event::SelfServed, 1)], &of_case(|case| case.kind = CaseKind::Question.into())),
            history(7, &[(Event::Opened, 1), (Event::Merged, 2), (Event::Unspecified, 3)]),
            with(8, &[], &of_case(|case| (case.open_time, case.external_id) = (None, None))),
            CaseHistory { row: 90, ..CaseHistory::default() },
            with(10, &[(Event::OutcomeSet, 1), (Event::AcceptanceRecorded, 2), (Event::Annotated, 3)], &|history| {
                (history.events[1].acceptance, history.events[1].satisfaction) = (Acceptance::Asked.into(), Some(6));
                (history.events[2].text, history.events[2].time) = ("x".repeat(10_001), Some(from_now(1_000_000)));
            }),
            with(11, &[(Event::Annotated, 1)], &|history| history.events[0].actor = "x".repeat(65)),
            with(12, &[], &|history| history.events = vec![event(121, (Event::Annotated, 1)); 1_001]),
            with(1, &[answered], &|history| history.row = 130),
        ];
        let answer = import(&services, histories).await;
        assert_eq!((answer.recorded, answer.unchanged, answer.refused), (2, 0, 11), "{answer:?}");
        let expected = [
            (22, vec![("type", "WRONG_STATE")]),
            (31, vec![("type", "WRONG_STATE")]),
            (42, vec![("time", "TOO_EARLY")]),
            (51, vec![("type", "NEEDS_A_PERSON")]),
            (71, vec![("type", "OPENED_TWICE")]),
            (72, vec![("type", "NOT_IN_HISTORIES")]),
            (73, vec![("type", "REQUIRED")]),
            (80, vec![("open_time", "REQUIRED"), ("external_id", "REQUIRED")]),
            (90, vec![("case", "REQUIRED")]),
            (101, vec![("outcome", "REQUIRED")]),
            (102, vec![("acceptance", "UNKNOWN_VALUE"), ("satisfaction", "OUT_OF_RANGE")]),
            (103, vec![("time", "IN_THE_FUTURE"), ("text", "TOO_LONG")]),
            (111, vec![("actor", "TOO_LONG")]),
            (120, vec![("events", "TOO_MANY")]),
            (130, vec![("external_id", "KEY_REUSED")]),
        ];
        assert_eq!(rejected(&answer.rejected), expected);
        let told_why = &answer.rejected[0].violations[0].description;
        assert!(told_why.starts_with("the case is in progress and can not be acknowledged: it can be"), "{told_why}");
        assert_eq!(imported(&services, 1).await.history.len(), 3);
        assert_eq!(imported(&services, 6).await.state(), State::Resolved);

        let crowded = CaseHistory { events: vec![CaseEvent::default(); 10_001], ..history(1, &[]) };
        let refused = try_import(&services, vec![crowded]).await.expect_err("too many");
        assert_eq!((told(&refused).0, refused.code()), (Code::InvalidArgument, Code::InvalidArgument));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn clocks_are_counted_over_imported_histories() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut policies = services.policies.clone();
        let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
        let office = policies.create_calendar(request).await.expect("created").into_inner().calendar_id;
        let hour_of_work = policy("all", &office);
        let solved = target(ClockKind::Resolution, 600, DurationUnit::WorkingMinutes);
        let all = Policy { targets: [hour_of_work.targets, vec![solved]].concat(), ..hour_of_work };
        let policy_set = Some(PolicySet { policies: vec![all], ..PolicySet::default() });
        policies
            .publish_policies(PublishPoliciesRequest { policy_set, ..Default::default() })
            .await
            .expect("published");

        // 2024-01-02 08:00 in Berlin; waits for the customer from 10:00 to 16:00; solved at 20:00.
        let told =
            [(Event::Responded, 1), (Event::AwaitedCustomer, 2), (Event::CustomerWrote, 8), (Event::Resolved, 12)];
        let mut tuesday = history(1, &told);
        let opened = 24 + 7;
        tuesday.case.as_mut().expect("one").open_time = Some(hour(opened));
        for (event, (_, hours)) in tuesday.events.iter_mut().zip(told) {
            event.time = Some(hour(opened + hours));
        }
        assert_eq!(import(&services, vec![tuesday]).await.recorded, 1);
        let case_ids = vec![imported(&services, 1).await.case_id];
        let at = |hours| BatchGetClocksRequest { case_ids: case_ids.clone(), time: Some(hour(hours)) };
        let clocks = async |hours| {
            let answer = services.complaints.clone().batch_get_clocks(at(hours)).await.expect("told").into_inner();
            let of_case = answer.cases.into_iter().next().expect("the case").clocks;
            of_case.iter().map(|clock| (clock.kind(), clock.state())).collect::<Vec<_>>()
        };
        use ClockKind::{FirstResponse, Resolution};
        assert_eq!(clocks(opened).await, [(FirstResponse, ClockState::Running), (Resolution, ClockState::Running)]);
        assert_eq!(clocks(opened + 3).await, [(FirstResponse, ClockState::Met), (Resolution, ClockState::Paused)]);
        assert_eq!(clocks(opened + 100).await, [(FirstResponse, ClockState::Met), (Resolution, ClockState::Met)]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_thousand_histories_of_ten_events_make_a_batch() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let told: Vec<Told> = (1..=10).map(|hour| (Event::Annotated, hour)).collect();
        let answer = import(&services, (0..1_000).map(|number| history(number, &told)).collect()).await;
        assert_eq!((answer.recorded, answer.refused), (1_000, 0));
        for number in [0, 500, 999] {
            let id = imported(&services, number).await.case_id;
            assert_eq!(get(&services, &id).await.history.len(), 11);
        }
        services.stop().await;
    })
    .await;
}
