//! What employees and teams have to do, and what went from hand to hand.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, ClockKind, CreateCalendarRequest, DurationUnit, ListEmployeeWorkloadsRequest, ListTeamWorkloadsRequest,
    Policy, PolicySet, PublishPoliciesRequest, Workload,
};
use barometer_tests::{
    samples::{calendar, case, from_now, policy, target},
    services::Services,
};

use crate::{How, Verb, act, claims::next, open_one, withdraw};

fn load(name: &str, counts: [i64; 6]) -> Workload {
    let [open, claimed, overdue, due_soon, hand_offs_in, hand_offs_out] = counts;
    Workload { name: name.to_owned(), open, claimed, overdue, due_soon, hand_offs_in, hand_offs_out }
}

#[tokio::test]
async fn what_everybody_has_to_do_is_counted() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request = CreateCalendarRequest { calendar: Some(calendar("desk")), request_id: String::new() };
        let calendar = services.policies.clone().create_calendar(request).await.expect("created").into_inner();
        let targets = vec![target(ClockKind::FirstResponse, 10, DurationUnit::ElapsedMinutes)];
        let all = Policy { targets, ..policy("all", &calendar.calendar_id) };
        let set = PolicySet { policies: vec![all], ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
        services.policies.clone().publish_policies(request).await.expect("published");
        let open = async |seconds: i64, employee: &str, team: &str| {
            let (employee, team, open_time) = (employee.to_owned(), team.to_owned(), Some(from_now(seconds)));
            let new = Case { employee, team, open_time, customer: None, ..case("") };
            open_one(&services, new).await.expect("opened").case_id
        };
        open(-3_600, "ana", "desk").await;
        let moved = open(-60, "ana", "desk").await;
        let ended = open(-60, "ana", "desk").await;
        act(&services, &ended, Verb::Resolve, How::default()).await.expect("allowed");
        open(-60, "", "desk").await;
        assert!(next(&services, "bob").await.is_some());
        act(&services, &moved, Verb::Assign("eve", "office"), How::default()).await.expect("allowed");
        act(&services, &moved, Verb::Assign("ida", "office"), How::default()).await.expect("allowed");
        let gone = open(-60, "ana", "desk").await;
        act(&services, &gone, Verb::Assign("eve", "office"), How::default()).await.expect("allowed");
        withdraw(&services, &gone).await;

        let employees = async |request: ListEmployeeWorkloadsRequest| {
            services.work.clone().list_employee_workloads(request).await.expect("a list").into_inner()
        };
        let all = employees(ListEmployeeWorkloadsRequest::default()).await;
        let expected = [
            load("ana", [1, 0, 1, 0, 0, 1]),
            load("bob", [1, 1, 0, 1, 0, 0]),
            load("eve", [0, 0, 0, 0, 1, 1]),
            load("ida", [1, 0, 0, 1, 1, 0]),
        ];
        assert_eq!(all.workloads, expected);
        let first = employees(ListEmployeeWorkloadsRequest { page_size: 3, ..Default::default() }).await;
        let rest = ListEmployeeWorkloadsRequest { page_token: first.next_page_token, ..Default::default() };
        let rest = employees(rest).await;
        assert_eq!((&first.workloads[..], &rest.workloads[..]), (&expected[..3], &expected[3..]));
        assert_eq!(rest.next_page_token, "");

        let teams = async |request: ListTeamWorkloadsRequest| {
            services.work.clone().list_team_workloads(request).await.expect("a list").into_inner().workloads
        };
        let expected = [load("desk", [2, 1, 1, 1, 0, 1]), load("office", [1, 0, 0, 1, 1, 0])];
        assert_eq!(teams(ListTeamWorkloadsRequest::default()).await, expected);
        let narrow = ListTeamWorkloadsRequest {
            within_seconds: 60,
            start_time: Some(from_now(-7_200)),
            end_time: Some(from_now(-3_600)),
            ..Default::default()
        };
        let expected = [load("desk", [2, 1, 1, 0, 0, 0]), load("office", [1, 0, 0, 0, 0, 0])];
        assert_eq!(teams(narrow).await, expected);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn everybody_is_on_one_page_however_the_database_orders_names() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for employee in ["ana", "Bob", "\u{c9}va", "carl"] {
            let new = Case { employee: employee.to_owned(), customer: None, ..case("") };
            open_one(&services, new).await.expect("opened");
        }
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListEmployeeWorkloadsRequest { page_size: 1, page_token, ..Default::default() };
            let page = services.work.clone().list_employee_workloads(request).await.expect("a page").into_inner();
            names.extend(page.workloads.into_iter().map(|load| load.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(names, ["Bob", "ana", "carl", "\u{c9}va"]);
        services.stop().await;
    })
    .await;
}
