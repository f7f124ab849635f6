//! Teams, and how a case counts by the calendar of the team that has it.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Calendar, Case, CaseEntry, CaseEntryType, CaseEvent, CaseHistory, ClockKind, CreateCalendarRequest,
    CreateTeamRequest, DurationUnit, ExplainClockRequest, GetCaseRequest, GetTeamRequest, ImportCaseHistoriesRequest,
    ListTeamsRequest, Policy, PolicySet, PublishPoliciesRequest, Team, UpdateCalendarRequest, UpdateTeamRequest,
    Weekday, WorkingTime, get_case_request::By,
};
use barometer_tests::{
    samples::{calendar, case, from_now, hour, key, mask, policy, target},
    services::{Services, told},
};
use prost_types::Timestamp;
use tonic::Status;
use uuid::Uuid;

use crate::{How, Verb, act, get, open_one};

async fn create(services: &Services, team: Team) -> Result<Team, Status> {
    let request = CreateTeamRequest { team: Some(team), request_id: String::new() };
    Ok(services.work.clone().create_team(request).await?.into_inner())
}

async fn update(services: &Services, team: Team, fields: &[&str]) -> Result<Team, Status> {
    let request = UpdateTeamRequest { team: Some(team), update_mask: mask(fields), request_id: String::new() };
    Ok(services.work.clone().update_team(request).await?.into_inner())
}

async fn calendar_id(services: &Services, calendar: Calendar) -> String {
    let request = CreateCalendarRequest { calendar: Some(calendar), request_id: String::new() };
    services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id
}

fn named(name: &str) -> Team {
    Team { name: name.to_owned(), ..Team::default() }
}

/// Open day and night.
fn always() -> Calendar {
    let days = [1, 2, 3, 4, 5, 6, 7].map(|day| Weekday::try_from(day).expect("a day"));
    let work = |day: Weekday| WorkingTime { weekday: day.into(), start_minute: 0, end_minute: 1_440 };
    Calendar {
        name: "always".to_owned(),
        time_zone: "UTC".to_owned(),
        working_times: days.map(work).to_vec(),
        ..Calendar::default()
    }
}

#[tokio::test]
async fn teams_are_created_changed_and_listed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let calendar_id = calendar_id(&services, calendar("office")).await;
        let new = Team { lead: "ana".to_owned(), manager: "eve".to_owned(), calendar_id, ..named("desk") };
        let desk = create(&services, new.clone()).await.expect("created");
        assert_eq!(
            (&desk.name, &desk.lead, &desk.manager, &desk.calendar_id),
            (&new.name, &new.lead, &new.manager, &new.calendar_id)
        );
        assert_eq!(told(&create(&services, named("desk")).await.expect_err("taken")).1, "NAME_TAKEN");
        let unknown = Team { calendar_id: Uuid::new_v4().to_string(), ..named("night") };
        assert_eq!(told(&create(&services, unknown.clone()).await.expect_err("unknown")).2, ["team.calendar_id"]);

        let patch = Team { lead: "bob".to_owned(), etag: desk.etag.clone(), ..named("desk") };
        let changed = update(&services, patch.clone(), &["lead", "calendar_id"]).await.expect("changed");
        assert_eq!((changed.lead.as_str(), changed.manager.as_str(), changed.calendar_id.as_str()), ("bob", "eve", ""));
        assert_eq!(told(&update(&services, patch, &["lead"]).await.expect_err("stale")).1, "STALE_ETAG");
        let same = Team { lead: "bob".to_owned(), ..named("desk") };
        assert_eq!(update(&services, same, &["lead"]).await.expect("it is so"), changed);
        let gone = Team { name: "desk".to_owned(), ..unknown };
        assert_eq!(
            told(&update(&services, gone, &["calendar_id"]).await.expect_err("unknown")).2,
            ["team.calendar_id"]
        );

        create(&services, named("night")).await.expect("created");
        let request = GetTeamRequest { name: "desk".to_owned() };
        assert_eq!(services.work.clone().get_team(request).await.expect("there").into_inner(), changed);
        let list = async |page_token: String| {
            let request = ListTeamsRequest { page_size: 1, page_token };
            services.work.clone().list_teams(request).await.expect("a list").into_inner()
        };
        let first = list(String::new()).await;
        let second = list(first.next_page_token.clone()).await;
        assert_eq!((first.teams[0].name.as_str(), &second.teams[..]), ("night", &[changed][..]));
        assert_eq!(second.next_page_token, "");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_case_counts_by_the_calendar_of_its_team_from_the_hand_over_on() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = calendar_id(&services, calendar("office")).await;
        let around = calendar_id(&services, always()).await;
        create(&services, Team { calendar_id: around.clone(), ..named("night") }).await.expect("created");
        create(&services, named("day")).await.expect("created");
        let set = PolicySet { policies: vec![policy("all", &office)], ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
        services.policies.clone().publish_policies(request).await.expect("published");

        // 60 working minutes from a Saturday on, 2024-01-06: Monday 9:00 of Berlin.
        let minutes =
            |hours: i64, minutes: i64| Some(Timestamp { seconds: hour(hours).seconds + minutes * 60, nanos: 0 });
        let new = Case { open_time: Some(hour(120)), customer: None, ..case("") };
        let id = open_one(&services, new).await.expect("opened").case_id;
        let due = async || get(&services, &id).await.due_time;
        assert_eq!(due().await, minutes(176, 0));
        // The night desk works on: an hour from the hand-over, at 1:00.
        act(&services, &id, Verb::Assign("", "night"), How::at(hour(121))).await.expect("allowed");
        assert_eq!(due().await, minutes(122, 0));
        // Within the team nothing changes.
        act(&services, &id, Verb::Assign("ana", "night"), How::at(minutes(121, 10).expect("one")))
            .await
            .expect("allowed");
        assert_eq!(due().await, minutes(122, 0));
        // Half an hour later the day desk has it, which works by the calendar of the policy: half an hour is left for Monday.
        act(&services, &id, Verb::Assign("", "day"), How::at(minutes(121, 30).expect("one"))).await.expect("allowed");
        assert_eq!(due().await, minutes(175, 30));

        let history = get(&services, &id).await.history;
        let calendars: Vec<_> = history.iter().rev().map(|entry| entry.calendar_id.as_str()).collect();
        assert_eq!(calendars, ["", &around, "", &office]);
        let request = ExplainClockRequest {
            case_id: id.clone(),
            kind: ClockKind::FirstResponse.into(),
            ..ExplainClockRequest::default()
        };
        let clock = services.complaints.clone().explain_clock(request).await.expect("explained").into_inner();
        assert_eq!(clock.due_time, minutes(175, 30));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_hand_over_without_another_calendar_takes_no_newer_version_from_a_clock() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let calendar_id = calendar_id(&services, always()).await;
        let targets = vec![target(ClockKind::NextResponse, 60, DurationUnit::WorkingMinutes)];
        let set =
            PolicySet { policies: vec![Policy { targets, ..policy("all", &calendar_id) }], ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
        services.policies.clone().publish_policies(request).await.expect("published");
        let new = Case { open_time: Some(from_now(-3_600)), customer: None, ..case("") };
        let id = open_one(&services, new).await.expect("opened").case_id;
        act(&services, &id, Verb::Respond, How::at(from_now(-3_000))).await.expect("answered");
        // A minute a day from now on.
        let rare = always().working_times.into_iter().map(|work| WorkingTime { end_minute: 1, ..work }).collect();
        let rare = Calendar { calendar_id, working_times: rare, ..Calendar::default() };
        let request = UpdateCalendarRequest { calendar: Some(rare), ..Default::default() };
        services.policies.clone().update_calendar(request).await.expect("updated");
        act(&services, &id, Verb::Hear, How::default()).await.expect("heard");
        let due = get(&services, &id).await.due_time.expect("it is due");
        assert!(due.seconds > from_now(50 * 86_400).seconds, "by the newer version: {due:?}");
        create(&services, named("desk")).await.expect("created");
        for team in ["desk", "another"] {
            act(&services, &id, Verb::Assign("", team), How::default()).await.expect("allowed");
            assert_eq!(get(&services, &id).await.due_time, Some(due), "{team}");
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_imported_history_counts_by_the_calendars_of_its_teams() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = calendar_id(&services, calendar("office")).await;
        let around = calendar_id(&services, always()).await;
        create(&services, Team { calendar_id: around.clone(), ..named("night") }).await.expect("created");
        create(&services, named("day")).await.expect("created");
        let set = PolicySet { policies: vec![policy("all", &office)], ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
        services.policies.clone().publish_policies(request).await.expect("published");

        // From a Saturday on; each history with one hand-over more.
        let half_past = Timestamp { seconds: hour(121).seconds + 1_800, nanos: 0 };
        let moves = [("night", hour(121)), ("day", half_past), ("nowhere", hour(170)), ("night", hour(171))];
        for count in 1..=moves.len() {
            let new = Case { open_time: Some(hour(120)), customer: None, ..case("") };
            let live = open_one(&services, new.clone()).await.expect("opened").case_id;
            let mut events = Vec::new();
            for (row, (team, time)) in (2..).zip(&moves[..count]) {
                act(&services, &live, Verb::Assign("", team), How::at(*time)).await.expect("allowed");
                let (team, time) = ((*team).to_owned(), Some(*time));
                events.push(CaseEvent {
                    row,
                    r#type: CaseEntryType::Assigned.into(),
                    time,
                    team,
                    ..CaseEvent::default()
                });
            }
            let external_id = Some(key(&format!("h-{count}")));
            let history = CaseHistory {
                row: 1,
                case: Some(Case { external_id: external_id.clone(), ..new }),
                actor: String::new(),
                events,
            };
            let batches = tokio_stream::iter([ImportCaseHistoriesRequest { histories: vec![history] }]);
            let answers = services.complaints.clone().import_case_histories(batches).await.expect("taken");
            let answer = answers.into_inner().message().await.expect("an answer").expect("one");
            assert_eq!(answer.recorded, 1, "{answer:?}");
            let request = GetCaseRequest { by: external_id.map(By::ExternalId) };
            let imported = services.complaints.clone().get_case(request).await.expect("there").into_inner();
            let live = get(&services, &live).await;
            let calendars = |case: &Case| {
                let of = |entry: &CaseEntry| (entry.calendar_id.clone(), entry.calendar_version);
                case.history.iter().map(of).collect::<Vec<_>>()
            };
            assert_eq!(calendars(&imported), calendars(&live));
            assert!(live.due_time.is_some() && imported.due_time == live.due_time, "{count}: {imported:?}");
        }
        services.stop().await;
    })
    .await;
}
