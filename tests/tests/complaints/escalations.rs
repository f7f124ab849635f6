//! Ladders of clocks, as callers see them.

#![allow(clippy::disallowed_methods, reason = "a step is taken when its time has come")]

use std::time::Duration;

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Audience, Case, CaseEntryType, ClockDuration, ClockKind, CreateCalendarRequest, CreateTeamRequest,
    CreateWebhookRequest, DurationUnit, Escalation, FactKind, GetEscalationRequest, Ladder, LadderHandOver,
    LadderRepeat, LadderStep, ListEscalationsRequest, Policy, PolicySet, Priority, PublishPoliciesRequest, Team,
    WatchFactsRequest, fact, ladder_step::When,
};
use barometer_tests::{
    receiver::{Manner, Receiver},
    samples::{calendar, case, policy, webhook},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{get, open_one, withdraw};

pub(crate) async fn publish(services: &Services, steps: Vec<LadderStep>) -> Result<PolicySet, Status> {
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    let office = services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id;
    let ladders = vec![Ladder { kind: ClockKind::FirstResponse.into(), steps }];
    let policies = vec![Policy { ladders, ..policy("all", &office) }];
    let policy_set = Some(PolicySet { policies, ..Default::default() });
    let request = PublishPoliciesRequest { policy_set, ..Default::default() };
    Ok(services.policies.clone().publish_policies(request).await?.into_inner())
}

fn step(when: When) -> LadderStep {
    LadderStep { when: Some(when), notify: vec![Audience::Owner.into()], ..Default::default() }
}

fn after(amount: i32, unit: DurationUnit) -> When {
    When::AfterDue(ClockDuration { amount, unit: unit.into() })
}

pub(crate) fn usual() -> Vec<LadderStep> {
    let to = LadderHandOver { employee: String::new(), team: "legal".to_owned() };
    let every = Some(ClockDuration { amount: 1, unit: DurationUnit::WorkingDays.into() });
    vec![
        step(When::Percent(50)),
        LadderStep { raise_by_one: true, hand_over: Some(to), ..step(When::Percent(100)) },
        LadderStep {
            repeat: Some(LadderRepeat { every, times: 3 }),
            working_time_only: true,
            ..step(after(4, DurationUnit::WorkingMinutes))
        },
    ]
}

async fn list(services: &Services, request: ListEscalationsRequest) -> (Vec<Escalation>, String) {
    let client = services.escalations.clone().list_escalations(request).await;
    let page = client.expect("a page").into_inner();
    (page.escalations, page.next_page_token)
}

/// The escalations of a case, once there are so many.
pub(crate) async fn escalations(services: &Services, case: &str, count: usize) -> Vec<Escalation> {
    for _ in 0..600 {
        let request = ListEscalationsRequest { case_id: case.to_owned(), ..Default::default() };
        let (found, _) = list(services, request).await;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {count} escalations within half a minute");
}

#[tokio::test]
async fn a_case_that_is_late_climbs_its_ladder() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let published = publish(&services, usual()).await.expect("published");
        assert_eq!(published.policies[0].ladders[0].steps, usual(), "there and back");
        // Of years ago: everything is due at once, and late.
        let case = open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("opened");
        let other = Case { team: "desk".to_owned(), ..barometer_tests::samples::case(&Uuid::new_v4().to_string()) };
        let other = open_one(&services, other).await.expect("opened");
        let taken = escalations(&services, &case.case_id, 3).await;
        escalations(&services, &other.case_id, 3).await;
        let mut steps: Vec<_> = taken.iter().map(|taken| (taken.step, taken.repetition, taken.missed)).collect();
        steps.sort_unstable();
        assert_eq!(steps, [(0, 0, 0), (1, 0, 0), (2, 3, 3)]);
        assert!(
            taken
                .iter()
                .all(|taken| taken.late && taken.policy_name == "all" && taken.kind() == ClockKind::FirstResponse)
        );

        let after = get(&services, &case.case_id).await;
        assert_eq!((after.team.as_str(), after.priority()), ("legal", Priority::High));
        let history: Vec<_> = after.history.iter().rev().map(|entry| entry.r#type()).collect();
        let of = |event: CaseEntryType| history.iter().filter(|other| **other == event).count();
        assert_eq!([CaseEntryType::Escalated, CaseEntryType::Prioritized, CaseEntryType::Assigned].map(of), [3, 1, 1]);
        let entry = after.history.iter().find(|entry| entry.r#type() == CaseEntryType::Escalated).expect("there");
        let request = GetEscalationRequest { escalation_id: entry.escalation_id.clone() };
        let one = services.escalations.clone().get_escalation(request).await.expect("there").into_inner();
        assert!(taken.contains(&one));

        // Pages, and none of a case that was withdrawn.
        let mut request = ListEscalationsRequest { page_size: 4, ..Default::default() };
        let (first, next) = list(&services, request.clone()).await;
        request.page_token = next;
        let (second, next) = list(&services, request).await;
        assert_eq!((first.len(), second.len(), next.as_str()), (4, 2, ""));
        withdraw(&services, &other.case_id).await;
        assert_eq!(list(&services, ListEscalationsRequest::default()).await.0.len(), 3);

        let request = WatchFactsRequest { kinds: vec![FactKind::Escalation.into()], after: String::new() };
        let mut batches = services.complaints.clone().watch_facts(request).await.expect("a watch").into_inner();
        let mut fed = Vec::new();
        while fed.len() < 6 {
            fed.extend(batches.message().await.expect("a batch").expect("it goes on").facts);
        }
        let of_case = |fact: &&barometer_proto::complaints::v1::Fact| match &fact.fact {
            Some(fact::Fact::Escalation(of)) => of.case_id == case.case_id,
            other => panic!("{other:?}"),
        };
        assert_eq!(fed.iter().filter(of_case).count(), 3);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_leads_the_team_is_named_to_webhooks_if_they_are_told() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let receiver = Receiver::start(Manner::Status(204)).await;
        let request = CreateWebhookRequest { webhook: Some(webhook("pager", &receiver.url)), ..Default::default() };
        services.webhooks.clone().create_webhook(request).await.expect("created");
        let (lead, manager) = ("lea".to_owned(), "mara".to_owned());
        let team = Team { name: "legal".to_owned(), lead, manager, ..Team::default() };
        let request = CreateTeamRequest { team: Some(team), ..Default::default() };
        services.work.clone().create_team(request).await.expect("created");
        let told = |when, audience: &[Audience]| LadderStep {
            notify: audience.iter().map(|audience| (*audience).into()).collect(),
            ..step(when)
        };
        let (lead, manager) = (Audience::TeamLead, Audience::Manager);
        let to = LadderHandOver { employee: String::new(), team: "legal".to_owned() };
        let steps = vec![
            told(When::Percent(10), &[lead, manager]),
            LadderStep { hand_over: Some(to), ..told(When::Percent(20), &[lead]) },
            told(When::Percent(30), &[Audience::Owner, manager]),
            told(When::Percent(40), &[lead, manager]),
            told(When::Percent(50), &[Audience::Team]),
        ];
        publish(&services, steps).await.expect("published");
        // Of years ago: everything is due at once.
        open_one(&services, case(&Uuid::new_v4().to_string())).await.expect("opened");
        barometer_tests::eventually("all are told", async || receiver.received().len() == 5).await;
        let mut told: Vec<_> = receiver.received().iter().map(|received| received.json()["data"].clone()).collect();
        told.sort_by_key(|data| data["step"].as_i64());
        let named: Vec<_> = told.iter().map(|data| (data["team_lead"].as_str(), data["manager"].as_str())).collect();
        let (lea, mara) = (Some("lea"), Some("mara"));
        assert_eq!(named, [(None, None), (lea, None), (None, mara), (lea, mara), (None, None)]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_ladder_that_can_not_be_meant_is_refused_with_its_reasons() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let night = LadderStep { working_time_only: true, ..step(after(30, DurationUnit::ElapsedMinutes)) };
        let to = |priority: Priority| LadderStep { raise_to: priority.into(), ..step(When::Percent(100)) };
        let lower = LadderStep { when: Some(When::Percent(50)), ..to(Priority::Normal) };
        let steps = vec![to(Priority::High), lower, night, LadderStep::default()];
        let refused = publish(&services, steps).await.expect_err("refused");
        let (code, _, mut fields) = told(&refused);
        assert_eq!(code, Code::InvalidArgument);
        fields.sort();
        fields.dedup();
        let step = |rest: &str| format!("policy_set.policies[0].ladders[0].steps{rest}");
        for field in ["[1]", "[1].raise_to", "[2].after_due", "[3].percent", "[3]"] {
            assert!(fields.contains(&step(field)), "{field} is not in {fields:?}");
        }
        services.stop().await;
    })
    .await;
}
