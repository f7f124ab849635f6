//! The clocks of cases as they are kept: watched, and what lists are ordered by.

use std::collections::BTreeMap;

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::complaints::v1::{
    BatchGetClocksRequest, Case, CaseClockFact, CaseOrder, CaseRow, Clock, ClockDuration, ClockKind, ClockTarget,
    CreateCalendarRequest, DurationUnit, FactKind, ImportCasesRequest, ListCasesRequest, MergeCaseRequest, Policy,
    PolicySet, PublishPoliciesRequest, ReplyType, UnmergeCaseRequest, WatchFactsRequest, clock::State, fact,
};
use barometer_tests::{
    samples::{calendar, case, hour, key, policy, target},
    services::{Services, is_since},
};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::{How, Verb, act, get, open_one, withdraw};

fn minute(minutes: i64) -> Timestamp {
    Timestamp { seconds: hour(0).seconds + minutes * 60, nanos: 0 }
}

fn micros(at: Option<Timestamp>) -> Option<Micros> {
    at.and_then(|at| Micros::from_wire(&at))
}

/// A target for every clock, in every unit.
async fn promise(services: &Services) {
    use ClockKind::{
        Acknowledgement, FinalResponse, FirstResponse, NextResponse, PeriodicUpdate, Resolution, TotalResolution,
    };
    use DurationUnit::{CalendarDays, ElapsedMinutes, Weeks, WorkingDays, WorkingMinutes};
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    let office = services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id;
    let holding = ClockTarget {
        holding_target: Some(ClockDuration { amount: 5, unit: WorkingDays.into() }),
        ..target(FinalResponse, 2, WorkingDays)
    };
    let targets = vec![
        target(Acknowledgement, 30, ElapsedMinutes),
        target(FirstResponse, 120, WorkingMinutes),
        target(NextResponse, 90, WorkingMinutes),
        target(PeriodicUpdate, 1, CalendarDays),
        target(Resolution, 3, WorkingDays),
        target(TotalResolution, 1, Weeks),
        holding,
    ];
    let policies = vec![Policy { targets, ..policy("all", &office) }];
    let policy_set = Some(PolicySet { policies, ..Default::default() });
    let request = PublishPoliciesRequest { policy_set, ..Default::default() };
    services.policies.clone().publish_policies(request).await.expect("published");
}

type Kept = BTreeMap<(String, i32, i32), CaseClockFact>;

/// All clocks that are kept, as a watcher sees them.
async fn kept(services: &Services) -> Kept {
    let request = WatchFactsRequest { kinds: vec![FactKind::CaseClock.into()], after: String::new() };
    let mut batches = services.complaints.clone().watch_facts(request).await.expect("a watch").into_inner();
    let (mut facts, begun) = (BTreeMap::new(), Micros::now());
    loop {
        let batch = batches.message().await.expect("a batch").expect("it goes on");
        for fact in batch.facts {
            facts.insert(fact.number, fact.fact);
        }
        if batch.caught_up && is_since(begun, batch.read_time) {
            break;
        }
    }
    let clock = |fact| match fact {
        Some(fact::Fact::CaseClock(clock)) => Some(clock),
        Some(fact::Fact::Tombstone(gone)) if gone.kind() == FactKind::CaseClock => None,
        other => panic!("no clock: {other:?}"),
    };
    let clocks = facts.into_values().filter_map(clock);
    clocks.map(|clock| ((clock.case_id.clone(), clock.kind, clock.instance), clock)).collect()
}

/// The clock at an instant as a watcher derives it.
fn derive(kept: &CaseClockFact, at: Micros) -> State {
    match micros(kept.due_time) {
        Some(due) if kept.stop_time.is_none() && at > due => State::Breached,
        _ => kept.state(),
    }
}

fn assert_same(kept: &CaseClockFact, clock: &Clock, at: Micros) {
    let told = format!("{kept:?} {clock:?} at {at}");
    assert_eq!(
        (kept.start_time, kept.due_time, kept.stop_time),
        (clock.start_time, clock.due_time, clock.stop_time),
        "{told}"
    );
    assert_eq!((kept.target, kept.allowed, kept.held), (clock.target, clock.allowed, clock.held), "{told}");
    assert_eq!((&kept.policy_name, kept.policy_set_version), (&clock.policy_name, clock.policy_set_version));
    assert_eq!((&kept.calendar_id, kept.calendar_version), (&clock.calendar_id, clock.calendar_version));
    assert_eq!(derive(kept, at), clock.state(), "{told}");
    assert!(kept.used.is_none_or(|used| Some(used) == clock.used), "{told}");
    let stopped = kept.stop_time.is_some();
    assert_eq!((kept.working_micros.is_some(), kept.elapsed_micros.is_some()), (stopped, stopped));
}

/// Checks that what is kept of these cases is what their histories come to, at some instants after all that happened.
async fn check(services: &Services, ids: &[String], since: i64) {
    let kept = kept(services).await;
    let mut seen = 0;
    for later in [0, 1, 59, 1_441, 9_999, 400_000] {
        let time = minute(since + later);
        let at = micros(Some(time)).expect("an instant");
        let request = BatchGetClocksRequest { case_ids: ids.to_vec(), time: Some(time) };
        let told = services.complaints.clone().batch_get_clocks(request).await.expect("told").into_inner();
        for case in told.cases {
            seen += case.clocks.len();
            let of_case: Vec<_> = kept.values().filter(|clock| clock.case_id == case.case_id).collect();
            assert_eq!(of_case.len(), case.clocks.len(), "{of_case:?}");
            for (kept, clock) in of_case.iter().zip(&case.clocks) {
                assert_eq!((kept.kind, kept.instance), (clock.kind, clock.instance));
                assert_same(kept, clock, at);
            }
        }
    }
    assert!(seen > 0);
    for id in ids {
        let runs = |clock: &&CaseClockFact| clock.case_id == *id && clock.state() == State::Running;
        let runs = kept.values().filter(runs).filter_map(|clock| Some((micros(clock.due_time)?, clock.kind)));
        let case = get(services, id).await;
        assert_eq!(
            (micros(case.due_time), case.due_clock),
            runs.min().map(|(due, kind)| (Some(due), kind)).unwrap_or_default()
        );
    }
}

#[tokio::test]
async fn whatever_happens_what_is_kept_is_what_the_history_comes_to() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let mut random = fastrand::Rng::with_seed(41);
        let (mut ids, mut end, mut done) = (Vec::new(), 0, 0);
        for _ in 0..12 {
            let new = Case { open_time: Some(minute(0)), ..case(&Uuid::new_v4().to_string()) };
            let id = open_one(&services, new).await.expect("opened").case_id;
            let mut now = 0;
            for _ in 0..14 {
                now += random.i64(0..1_500);
                let verbs = [
                    Verb::Acknowledge,
                    Verb::Respond,
                    Verb::AwaitCustomer,
                    Verb::AwaitThirdParty,
                    Verb::Resume,
                    Verb::Hear,
                    Verb::Hear,
                    Verb::Resolve,
                    Verb::Reopen,
                    Verb::Close,
                    Verb::Cancel,
                    Verb::Assign("ana", "billing"),
                    Verb::Annotate,
                ];
                let reply = [ReplyType::Answer, ReplyType::Update, ReplyType::Holding][random.usize(0..3)];
                // Some letters are recorded late.
                let verb = verbs[random.usize(0..verbs.len())];
                let late = if verb == Verb::Hear { random.i64(0..200).min(now) } else { 0 };
                let reply = if verb == Verb::Respond { reply } else { ReplyType::Unspecified };
                let how = How { time: Some(minute(now - late)), reply, ..How::default() };
                // Not every state takes every verb.
                done += usize::from(act(&services, &id, verb, how).await.is_ok());
            }
            end = end.max(now);
            ids.push(id);
        }
        assert!(done > 60, "{done}");
        check(&services, &ids, end).await;

        // Merged, undone, withdrawn.
        let open = async |from: i64| {
            let new = Case { open_time: Some(minute(from)), ..case(&Uuid::new_v4().to_string()) };
            open_one(&services, new).await.expect("opened").case_id
        };
        let (stays, merged, undone, gone) = (open(0).await, open(1).await, open(2).await, open(3).await);
        for case_id in [&merged, &undone] {
            let (case_id, into_case_id) = (case_id.clone(), stays.clone());
            let request = MergeCaseRequest { case_id, into_case_id, time: Some(minute(100)), ..Default::default() };
            services.complaints.clone().merge_case(request).await.expect("merged");
        }
        let request = UnmergeCaseRequest { case_id: undone.clone(), time: Some(minute(200)), ..Default::default() };
        services.complaints.clone().unmerge_case(request).await.expect("undone");
        withdraw(&services, &gone).await;
        check(&services, &[stays, merged.clone(), undone], 200).await;
        assert_eq!(get(&services, &merged).await.due_time, None, "nothing is due of a duplicate");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_dated_ahead_counts_from_the_start() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let id =
            open_one(&services, Case { open_time: None, ..case(&Uuid::new_v4().to_string()) }).await.expect("opened");
        let id = id.case_id;
        let now = Micros::now().0 / Micros::SECOND;
        let ahead = Timestamp { seconds: now + 3_600, nanos: 0 };
        act(&services, &id, Verb::Resolve, How::at(ahead)).await.expect("resolved");
        let kept = kept(&services).await;
        assert!(kept.values().all(|clock| clock.stop_time == Some(ahead)), "{kept:?}");
        assert_eq!(get(&services, &id).await.due_time, None);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn cases_of_the_past_come_with_their_clocks() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let row = |number: i64| CaseRow {
            row: number,
            case: Some(Case {
                open_time: Some(minute(number)),
                external_id: Some(key(&format!("past-{number}"))),
                ..case(&Uuid::new_v4().to_string())
            }),
            acknowledge_time: (number % 2 == 0).then(|| minute(number + 10)),
            first_response_time: (number % 3 == 0).then(|| minute(number + 500)),
            resolve_time: (number % 4 == 0).then(|| minute(number + 5_000)),
            close_time: (number % 8 == 0).then(|| minute(number + 6_000)),
            ..CaseRow::default()
        };
        let batches = tokio_stream::iter([ImportCasesRequest { rows: (1..=60).map(row).collect() }]);
        let mut answers = services.complaints.clone().import_cases(batches).await.expect("taken").into_inner();
        assert_eq!(answers.message().await.expect("answered").expect("one").recorded, 60);
        let request = ListCasesRequest { page_size: 100, ..Default::default() };
        let cases = services.complaints.clone().list_cases(request).await.expect("listed").into_inner().cases;
        let ids: Vec<_> = cases.into_iter().map(|case| case.case_id).collect();
        check(&services, &ids, 10_000).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn cases_are_listed_by_what_is_due() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let unbound = open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("opened");
        assert_eq!(unbound.due_time, None);
        promise(&services).await;
        for number in [3, 1, 4, 1, 5, 9, 2, 6] {
            let new = Case { open_time: Some(minute(number)), ..case(&Uuid::new_v4().to_string()) };
            let id = open_one(&services, new).await.expect("opened").case_id;
            if number == 9 {
                act(&services, &id, Verb::Resolve, How::at(minute(10))).await.expect("resolved");
            }
        }
        let mut request = ListCasesRequest { order: CaseOrder::Due.into(), page_size: 3, ..Default::default() };
        let mut due = Vec::new();
        loop {
            let page = services.complaints.clone().list_cases(request.clone()).await.expect("a page").into_inner();
            due.extend(page.cases.into_iter().map(|case| (case.due_time, case.due_clock())));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let first = |number: i64| (Some(minute(number + 30)), ClockKind::Acknowledgement);
        assert_eq!(due, [1, 1, 2, 3, 4, 5, 6].map(first));
        let request = ListCasesRequest { due_before: Some(minute(32)), ..Default::default() };
        let soon = services.complaints.clone().list_cases(request).await.expect("a page").into_inner().cases;
        assert_eq!(soon.len(), 2, "those due before that instant");
        services.stop().await;
    })
    .await;
}
