//! Cases of the past, as far as they have come.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Acceptance, Case, CaseEntryType as Event, CaseKind, CaseRow, Finding, GetCaseRequest, ImportCasesRequest,
    ImportCasesResponse, Outcome, Priority, Severity, case::State, get_case_request::By,
};
use barometer_tests::{
    samples::{case, from_now, hour, key},
    services::{Services, count},
};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::{How, Verb, act, get};

/// Hours of: told that it came in, answered, resolved, closed.
type Hours = [Option<i64>; 4];

fn row(number: i64, [acknowledged, responded, resolved, closed]: Hours) -> CaseRow {
    CaseRow {
        row: number,
        case: Some(Case { external_id: Some(key(&format!("i-{number}"))), ..case(&Uuid::nil().to_string()) }),
        acknowledge_time: acknowledged.map(hour),
        first_response_time: responded.map(hour),
        resolve_time: resolved.map(hour),
        close_time: closed.map(hour),
        outcome: None,
    }
}

async fn import(services: &Services, rows: Vec<CaseRow>) -> ImportCasesResponse {
    let batches = tokio_stream::iter([ImportCasesRequest { rows }]);
    let mut answers = services.complaints.clone().import_cases(batches).await.expect("a stream").into_inner();
    answers.message().await.expect("an answer").expect("to the batch")
}

async fn imported(services: &Services, number: i64) -> Case {
    let by = Some(By::ExternalId(key(&format!("i-{number}"))));
    let id = services.complaints.clone().get_case(GetCaseRequest { by }).await.expect("there").into_inner().case_id;
    get(services, &id).await
}

#[tokio::test]
async fn a_past_case_has_come_as_far_as_its_instants_say() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let cases: [(Hours, State, &[Event]); 7] = [
            ([None; 4], State::Received, &[Event::Opened]),
            ([Some(2), None, None, None], State::Acknowledged, &[Event::Opened, Event::Acknowledged]),
            ([None, Some(1), None, None], State::InProgress, &[Event::Opened, Event::Responded]),
            (
                [Some(2), Some(3), None, None],
                State::InProgress,
                &[Event::Opened, Event::Acknowledged, Event::Responded],
            ),
            ([None, None, Some(4), None], State::Resolved, &[Event::Opened, Event::Resolved]),
            (
                [Some(1), Some(1), Some(1), Some(1)],
                State::Closed,
                &[Event::Opened, Event::Acknowledged, Event::Resolved, Event::Closed],
            ),
            (
                [Some(2), Some(3), Some(4), Some(5)],
                State::Closed,
                &[Event::Opened, Event::Acknowledged, Event::Responded, Event::Resolved, Event::Closed],
            ),
        ];
        let rows: Vec<CaseRow> = (0..).zip(&cases).map(|(number, (hours, ..))| row(number, *hours)).collect();
        let first = import(&services, rows.clone()).await;
        assert_eq!((first.recorded, first.unchanged, first.rejected.len()), (7, 0, 0));
        for (number, (hours, state, events)) in (0..).zip(&cases) {
            let case = imported(&services, number).await;
            let [acknowledged, responded, resolved, closed] = hours.map(|hours| hours.map(hour));
            assert_eq!((case.state(), case.acknowledge_time), (*state, acknowledged), "{hours:?}");
            assert_eq!((case.resolve_time, case.first_resolve_time), (resolved, resolved), "{hours:?}");
            assert_eq!((case.first_response_time, case.close_time), (responded.or(resolved), closed), "{hours:?}");
            let told: Vec<Event> = case.history.iter().rev().map(|entry| entry.r#type()).collect();
            assert_eq!(&told, events, "{hours:?}");
            assert_eq!(case.history[0].state(), *state, "{hours:?}");
        }

        let again = import(&services, rows).await;
        assert_eq!((again.recorded, again.unchanged, again.rejected.len()), (0, 7, 0));
        assert_eq!(count(&again.position), count(&first.position));
        assert_eq!(imported(&services, 6).await.history.len(), 5, "nor have entries come twice");
        // It goes on from there.
        let reopened = act(&services, &imported(&services, 6).await.case_id, Verb::Reopen, How::at(hour(6))).await;
        assert_eq!(reopened.expect("allowed").state(), State::InProgress);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn refused_rows_name_every_field_and_hold_up_no_others() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let good = row(0, [None; 4]);
        let with = |number, change: &dyn Fn(&mut Case)| {
            let mut row = row(number, [None; 4]);
            change(row.case.as_mut().expect("a case"));
            row
        };
        let broken = Timestamp { seconds: 0, nanos: -1 };
        let mut fields = row(9, [None; 4]);
        (fields.acknowledge_time, fields.first_response_time) = (Some(broken), Some(from_now(1_000_000)));
        let reused = CaseRow { row: 10, resolve_time: Some(hour(7)), ..good.clone() };
        let rows = vec![
            good,
            CaseRow { row: 1, case: None, ..CaseRow::default() },
            with(2, &|case| case.open_time = None),
            row(3, [Some(0), None, None, None]),
            row(4, [Some(5), Some(4), Some(3), Some(2)]),
            row(5, [None, None, None, Some(9)]),
            with(6, &|case| (case.subject, case.channel) = ("x".repeat(257), "\u{0}".to_owned())),
            with(7, &|case| case.journey_stage = "limbo".to_owned()),
            with(8, &|case| _ = case.dimensions.insert("channel".to_owned(), "x".to_owned())),
            fields,
            reused,
            row(11, [None; 4]),
            CaseRow { outcome: Some(Outcome::default()), ..row(12, [None; 4]) },
            with(13, &|case| (case.kind, case.category) = (99, "a//b".to_owned())),
        ];
        let answer = import(&services, rows).await;
        assert_eq!((answer.recorded, answer.unchanged), (2, 0));
        let told: Vec<(i64, Vec<(&str, &str)>)> = answer
            .rejected
            .iter()
            .map(|row| (row.row, row.violations.iter().map(|v| (v.field.as_str(), v.reason.as_str())).collect()))
            .collect();
        let expected = [
            (1, vec![("case", "REQUIRED")]),
            (2, vec![("open_time", "REQUIRED")]),
            (3, vec![("acknowledge_time", "TOO_EARLY")]),
            (4, vec![("first_response_time", "TOO_EARLY"), ("resolve_time", "TOO_EARLY"), ("close_time", "TOO_EARLY")]),
            (5, vec![("close_time", "NOT_RESOLVED")]),
            (6, vec![("subject", "TOO_LONG"), ("channel", "CONTROL_CHARACTER")]),
            (7, vec![("journey_stage", "UNKNOWN_VALUE")]),
            (8, vec![("dimensions.channel", "RESERVED")]),
            (9, vec![("acknowledge_time", "OUT_OF_RANGE"), ("first_response_time", "IN_THE_FUTURE")]),
            (10, vec![("external_id", "KEY_REUSED")]),
            (12, vec![("outcome.finding", "REQUIRED"), ("outcome", "NOT_RESOLVED")]),
            (13, vec![("category", "NOT_A_PATH"), ("kind", "UNKNOWN_VALUE")]),
        ];
        assert_eq!(told, expected);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_became_of_a_past_case_comes_with_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let outcome = Outcome { finding: Finding::PartlyUpheld.into(), ..Outcome::default() };
        let mut with = CaseRow { outcome: Some(outcome.clone()), ..row(0, [None, None, Some(4), Some(5)]) };
        let case = with.case.as_mut().expect("a case");
        (case.kind, case.severity, case.tags) =
            (CaseKind::Loss.into(), Severity::Critical.into(), vec!["flood".to_owned()]);
        for recorded in [1, 0] {
            assert_eq!(import(&services, vec![with.clone()]).await.recorded, recorded);
        }
        let case = imported(&services, 0).await;
        assert_eq!(
            (case.kind(), case.priority(), case.tags.clone()),
            (CaseKind::Loss, Priority::Urgent, vec!["flood".to_owned()])
        );
        assert_eq!((&case.outcome, case.acceptance()), (&Some(outcome.clone()), Acceptance::NotAsked));
        let told: Vec<Event> = case.history.iter().rev().map(|entry| entry.r#type()).collect();
        assert_eq!(told, [Event::Opened, Event::Resolved, Event::OutcomeSet, Event::Closed]);
        assert_eq!((case.history[1].outcome.clone(), case.history[1].time), (Some(outcome), Some(hour(4))));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_thousand_rows_of_five_entries_make_a_batch() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let rows = (0..1_000).map(|number| row(number, [Some(2), Some(3), Some(4), Some(5)])).collect();
        let answer = import(&services, rows).await;
        assert_eq!((answer.recorded, answer.rejected.len()), (1_000, 0));
        for number in [0, 500, 999] {
            assert_eq!(imported(&services, number).await.history.len(), 5);
        }
        services.stop().await;
    })
    .await;
}
