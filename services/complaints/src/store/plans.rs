//! Queries that run all the time read what they answer and little more, however many cases there are.

use barometer_chassis::{
    clock::Micros,
    database::Database,
    door::{Page, PageToken},
    id,
    testing::{TestDatabase, on_each_database},
    writer::insert,
};
use barometer_proto::complaints::v1::{CaseEntryType, ClaimEnd, ClockKind, Priority, case::State};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryTrait, Select, Statement,
};
use uuid::Uuid;

use super::{Span, escalations, queue, workload};
use crate::{
    case,
    case_entry::{self, CaseId, Said},
    claim,
    escalation::{self, Notified},
    migrations::Migrator,
};

const CASES: i64 = 10_000;
const NOW: Micros = Micros(CASES * Micros::SECOND);

/// Open cases of twenty teams, which came in each second. Some have ended, two thirds are due, and `ana` has half of them.
fn cases() -> Vec<case::Model> {
    let case = |n: i64| {
        let at = Micros(n * Micros::SECOND);
        let state = if n % 11 == 0 { State::Closed } else { State::InProgress };
        case::Model {
            id: id::new(),
            number: n,
            position: n,
            state: state.into(),
            priority: Priority::Normal.into(),
            value_band: "unknown".to_owned(),
            team: format!("team-{}", n % 20),
            employee: if n / 20 % 2 == 0 { String::new() } else { "ana".to_owned() },
            open_time: at,
            move_time: at,
            due_time: (n % 3 != 0).then_some(at),
            ..case::Model::default()
        }
    };
    (1..=CASES).map(case).collect()
}

/// How a query is answered.
async fn plan<E: EntityTrait>(db: &DatabaseConnection, select: &Select<E>) -> String {
    let backend = db.get_database_backend();
    let (explain, column) = match backend {
        DbBackend::Postgres => ("EXPLAIN", "QUERY PLAN"),
        _ => ("EXPLAIN QUERY PLAN", "detail"),
    };
    let text = format!("{explain} {}", select.build(backend));
    let rows = db.query_all_raw(Statement::from_string(backend, text)).await.expect("it is understood");
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).expect("a line")).collect();
    lines.join("\n")
}

async fn filled(database: &TestDatabase) -> Database {
    let opened = Database::open::<Migrator>(&database.location(), "complaints").await.expect("it opens");
    let cases = cases();
    insert(&opened.write, &cases).await.expect("written");
    // So many that to read all of them is never cheaper.
    let entries: Vec<_> = (1..).zip(&cases[..4_000]).map(|(position, case)| entry(position, case)).collect();
    insert(&opened.write, &entries).await.expect("written");
    let of_ana = cases.iter().filter(|case| case.employee == "ana").take(1_000);
    let claims: Vec<_> = (1_000..).zip(of_ana).map(|(position, case)| claim(position, case)).collect();
    insert(&opened.write, &claims).await.expect("written");
    opened.write.execute_unprepared("ANALYZE").await.expect("counted");
    opened
}

/// That a case went to somebody else.
fn entry(position: i64, case: &case::Model) -> case_entry::Model {
    let step = case::Step {
        before: case.clone(),
        case: case::Model { employee: "another".to_owned(), ..case.clone() },
        events: vec![(CaseEntryType::Assigned, State::InProgress)],
        time: case.open_time,
    };
    let [entry] = &case_entry::of_step(&step, "test", &Said::default(), NOW)[..] else { panic!("one") };
    case_entry::Model { id: id::new(), position, case_id: CaseId(case.id), ..entry.clone() }
}

/// That whoever has a case finished it for now.
fn claim(position: i64, case: &case::Model) -> claim::Model {
    claim::Model {
        id: id::new(),
        number: position,
        position,
        case_id: CaseId(case.id),
        case_number: case.number,
        employee: case.employee.clone(),
        team: case.team.clone(),
        start_time: case.open_time,
        heartbeat_time: case.open_time,
        lease_time: NOW,
        end_time: Some(NOW),
        end: ClaimEnd::Finished.into(),
        update_time: NOW,
        ..claim::Model::default()
    }
}

#[tokio::test]
async fn queues_are_read_in_the_order_of_an_index() {
    on_each_database(async |database: &TestDatabase| {
        let database = filled(database).await;
        let db = &database.read;
        let first = Page { size: 50, after: None };
        // Of what is due in the middle, four hours before.
        let after = PageToken { key: NOW.0 / 2 - 14_400 * Micros::SECOND, id: Uuid::nil() };
        let later = Page { size: 50, after: Some(after) };
        let plans = [
            ("case_queue", plan(db, &queue::next_of("team-7", "", NOW)).await),
            ("case_queue", plan(db, &queue::next_of("team-7", "ana", NOW)).await),
            ("case_team_urgent", plan(db, &queue::page_of("team-7", first, NOW)).await),
            ("case_team_urgent", plan(db, &queue::page_of("team-7", later, NOW)).await),
            ("case_team_due", plan(db, &queue::due_of("team-7", NOW, NOW, 51)).await),
        ];
        for (index, plan) in plans {
            assert!(plan.contains(index), "not by {index}:\n{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "it is sorted:\n{plan}");
        }
        // What an employee has finished is asked of each case.
        let plan = plan(db, &queue::next_of("team-7", "ana", NOW)).await;
        for index in ["claim_case", "case_entry_case"] {
            assert!(plan.contains(index), "not by {index}:\n{plan}");
        }
    })
    .await;
}

#[tokio::test]
async fn hand_offs_of_a_period_do_not_ask_of_all_cases() {
    on_each_database(async |database: &TestDatabase| {
        let database = filled(database).await;
        let (from, until) = (Micros(10 * Micros::SECOND), Micros(20 * Micros::SECOND));
        let plan = plan(&database.read, &workload::hand_offs(Span { soon: NOW, now: NOW, from, until })).await;
        assert!(plan.contains("case_entry_assigned"), "{plan}");
        for scan in ["Seq Scan", "SCAN case", "SCAN \"case\""] {
            assert!(!plan.contains(scan), "{plan}");
        }
    })
    .await;
}

/// A step of a ladder that was taken of a case.
fn escalation(position: i64, case: &case::Model) -> escalation::Model {
    escalation::Model {
        id: id::new(),
        position,
        case_id: CaseId(case.id),
        case_number: case.number,
        subject_id: id::new(),
        promise_id: None,
        promise_number: 0,
        kind: ClockKind::FirstResponse.into(),
        instance: 1,
        step: 0,
        repetition: 0,
        missed: 0,
        time: case.open_time,
        fire_time: case.open_time,
        policy_name: String::new(),
        policy_set_version: 1,
        priority: case.priority,
        previous_priority: case.priority,
        employee: String::new(),
        team: String::new(),
        previous_employee: String::new(),
        previous_team: String::new(),
        notified: Notified::default(),
        create_time: NOW,
    }
}

#[tokio::test]
async fn escalations_are_read_in_their_order_and_not_all_cases_with_them() {
    on_each_database(async |database: &TestDatabase| {
        let database = filled(database).await;
        let taken: Vec<_> = (1..).zip(cases()).map(|(position, case)| escalation(position, &case)).collect();
        insert(&database.write, &taken).await.expect("written");
        database.write.execute_unprepared("ANALYZE").await.expect("counted");
        let page = Page { size: 50, after: None };
        let promise = escalation::Column::PromiseId.eq(id::new());
        let selects = [
            ("escalation_fired", escalations::select_escalations(page, Condition::all())),
            ("escalation_promise", escalations::select_escalations(page, Condition::all().add(promise))),
        ];
        for (index, select) in selects {
            let plan = plan(&database.read, &select).await;
            assert!(plan.contains(index), "not by {index}:\n{plan}");
            for scan in ["Seq Scan on \"case\"", "SCAN case", "SCAN promise"] {
                assert!(!plan.contains(scan), "{plan}");
            }
        }
    })
    .await;
}
