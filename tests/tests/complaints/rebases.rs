//! What other policies would change for open cases, and putting these under them.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, CaseEntryType as Event, ClockEffect, ClockKind, CreateCalendarRequest, DurationUnit,
    ListPolicyEffectsRequest, ListPolicyEffectsResponse, Policy, PolicySet, PublishPoliciesRequest, RebaseCasesRequest,
    RebaseCasesResponse, clock::State,
};
use barometer_tests::{
    samples::{calendar, case, from_now, policy, target},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one, withdraw};

async fn office(services: &Services) -> String {
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    services.policies.clone().create_calendar(request).await.expect("created").into_inner().calendar_id
}

/// So many minutes round the clock until the first response, and so many until the resolution, for every case.
fn promise(name: &str, office: &str, first_response: i32, resolution: i32) -> PolicySet {
    let minutes = |kind, amount| target(kind, amount, DurationUnit::ElapsedMinutes);
    let targets = vec![minutes(ClockKind::FirstResponse, first_response), minutes(ClockKind::Resolution, resolution)];
    PolicySet { policies: vec![Policy { targets, ..policy(name, office) }], ..PolicySet::default() }
}

async fn publish(services: &Services, set: PolicySet) {
    let request = PublishPoliciesRequest { policy_set: Some(set), ..PublishPoliciesRequest::default() };
    services.policies.clone().publish_policies(request).await.expect("published");
}

async fn effects(
    services: &Services,
    policy_set: Option<PolicySet>,
    page_token: &str,
) -> Result<ListPolicyEffectsResponse, Status> {
    let page_token = page_token.to_owned();
    let request = ListPolicyEffectsRequest { policy_set, page_size: 2, page_token, case_ids: Vec::new() };
    Ok(services.policies.clone().list_policy_effects(request).await?.into_inner())
}

async fn rebase(services: &Services, request: RebaseCasesRequest) -> Result<RebaseCasesResponse, Status> {
    Ok(services.policies.clone().rebase_cases(request).await?.into_inner())
}

/// A case that came in an hour ago.
async fn hour_old(services: &Services) -> Case {
    let case = Case { open_time: Some(from_now(-3_600)), ..case(&Uuid::new_v4().to_string()) };
    open_one(services, case).await.expect("opened")
}

fn clock(effect: &ClockEffect) -> (ClockKind, State, State) {
    (effect.kind(), effect.state(), effect.new_state())
}

#[tokio::test]
async fn what_a_list_would_change_is_told_case_by_case_and_nothing_is_changed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let none = effects(&services, None, "").await.expect_err("nothing was published");
        assert_eq!(told(&none).0, Code::NotFound);
        let office = office(&services).await;
        let unbound = hour_old(&services).await;
        publish(&services, promise("slow", &office, 120, 240)).await;
        let (waiting, answered, solved) =
            (hour_old(&services).await, hour_old(&services).await, hour_old(&services).await);
        act(&services, &answered.case_id, Verb::Respond, How::default()).await.expect("allowed");
        act(&services, &solved.case_id, Verb::Resolve, How::default()).await.expect("allowed");
        withdraw(&services, &hour_old(&services).await.case_id).await;

        let quick = promise("quick", &office, 30, 300);
        let (mut all, mut examined, mut page_token) = (Vec::new(), 0, String::new());
        loop {
            let page = effects(&services, Some(quick.clone()), &page_token).await.expect("told");
            examined += page.examined;
            assert!(page.effects.len() <= 2 && page.skipped == 0);
            all.extend(page.effects);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!((examined, all.len()), (3, 3), "one has ended, one was withdrawn");
        let of = |case: &Case| all.iter().find(|effect| effect.case_id == case.case_id).expect("it would change");
        use ClockKind::{FirstResponse, Resolution};
        use State::{Breached, Running, Unspecified};
        let told = of(&waiting);
        assert_eq!((told.policy_name.as_str(), told.new_policy_name.as_str()), ("slow", "quick"));
        let clocks: Vec<_> = told.clocks.iter().map(clock).collect();
        assert_eq!(clocks, [(FirstResponse, Running, Breached), (Resolution, Running, Running)]);
        let seconds = |at: Option<prost_types::Timestamp>| at.expect("due").seconds;
        assert_eq!(seconds(told.clocks[1].new_due_time) - seconds(told.clocks[1].due_time), 60 * 60);
        let clocks: Vec<_> = of(&answered).clocks.iter().map(clock).collect();
        assert_eq!(clocks, [(Resolution, Running, Running)], "answered it was under the old policy");
        let clocks: Vec<_> = of(&unbound).clocks.iter().map(clock).collect();
        assert_eq!(clocks, [(FirstResponse, Unspecified, Breached), (Resolution, Unspecified, Running)]);

        // Of named ones.
        let named = async |cases: &[&Case]| {
            let case_ids = cases.iter().map(|case| case.case_id.clone()).collect();
            let request = ListPolicyEffectsRequest { policy_set: Some(quick.clone()), case_ids, ..Default::default() };
            Ok::<_, Status>(services.policies.clone().list_policy_effects(request).await?.into_inner())
        };
        let page = named(&[&solved, &answered]).await.expect("told");
        assert_eq!((page.examined, page.effects.as_slice()), (1, std::slice::from_ref(of(&answered))), "one has ended");
        assert_eq!((page.skipped, page.next_page_token.as_str()), (0, ""));
        let nobody = Case { case_id: Uuid::new_v4().to_string(), ..Case::default() };
        assert_eq!(named(&[&waiting, &nobody]).await.expect_err("nobody").code(), Code::NotFound);

        let same = effects(&services, Some(promise("slow", &office, 120, 240)), "").await.expect("told");
        let changed: Vec<_> = same.effects.iter().map(|effect| effect.case_id.as_str()).collect();
        assert_eq!(changed, [unbound.case_id.as_str()], "only the one that is bound to none");
        for id in [&waiting, &answered, &solved] {
            assert_eq!(get(&services, &id.case_id).await.policy_name, "slow");
        }
        let wrong = effects(&services, Some(PolicySet::default()), "").await.expect_err("no fallback");
        assert_eq!(wrong.code(), Code::InvalidArgument);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_rebase_puts_open_cases_under_the_latest_policies_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let office = office(&services).await;
        let unbound = hour_old(&services).await;
        publish(&services, promise("slow", &office, 120, 240)).await;
        let (one, other, solved) = (hour_old(&services).await, hour_old(&services).await, hour_old(&services).await);
        act(&services, &solved.case_id, Verb::Resolve, How::default()).await.expect("allowed");
        publish(&services, promise("quick", &office, 30, 300)).await;

        let request_id = Uuid::new_v4().to_string();
        let named = RebaseCasesRequest {
            case_ids: vec![one.case_id.clone(), solved.case_id.clone()],
            note: "as agreed".to_owned(),
            request_id,
            ..RebaseCasesRequest::default()
        };
        let answer = rebase(&services, named.clone()).await.expect("taken");
        assert_eq!((answer.examined, answer.rebased, answer.next_page_token.as_str()), (2, 1, ""));
        assert_eq!(rebase(&services, named).await.expect("a repeat").rebased, 0);
        let case = get(&services, &one.case_id).await;
        assert_eq!((case.policy_name.as_str(), case.policy_set_version), ("quick", 2));
        assert_eq!(entries(&services, &one.case_id).await, [Event::Opened, Event::Rebased]);
        let entry = &case.history[0];
        let rebased = entry.rebase.clone().expect("it says so");
        assert_eq!((rebased.previous_policy_name.as_str(), rebased.previous_policy_set_version), ("slow", 1));
        assert_eq!((rebased.policy_name.as_str(), rebased.policy_set_version), ("quick", 2));
        assert_eq!(entry.text, "as agreed");
        let states: Vec<_> = case.clocks.iter().map(|clock| (clock.kind(), clock.state())).collect();
        assert_eq!(states, [(ClockKind::FirstResponse, State::Breached), (ClockKind::Resolution, State::Running)]);
        assert_eq!(get(&services, &solved.case_id).await.policy_name, "slow", "its clocks have stopped");

        // All that are open, page by page; once more, and nothing is left to be done.
        for expected in [2, 0] {
            let (mut rebased, mut page_token) = (0, String::new());
            loop {
                let request = RebaseCasesRequest { page_size: 1, page_token, ..RebaseCasesRequest::default() };
                let page = rebase(&services, request).await.expect("taken");
                assert_eq!((page.examined, page.position.is_empty()), (1, page.rebased == 0));
                rebased += page.rebased;
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            assert_eq!(rebased, expected);
        }
        for case in [&other, &unbound] {
            assert_eq!(get(&services, &case.case_id).await.policy_name, "quick");
        }
        let of_unbound = get(&services, &unbound.case_id).await;
        assert_eq!(of_unbound.history[0].rebase.clone().expect("told").previous_policy_name, "");
        assert_eq!(of_unbound.clocks.len(), 2, "it has clocks from now on");
        assert_eq!(effects(&services, None, "").await.expect("told").effects, []);
        // The same again demands nothing else.
        publish(&services, promise("quick", &office, 30, 300)).await;
        assert_eq!(effects(&services, None, "").await.expect("told").effects, []);
        let all = RebaseCasesRequest::default();
        assert_eq!(rebase(&services, all).await.expect("taken").rebased, 0);
        assert_eq!(get(&services, &one.case_id).await.policy_set_version, 2);
        let nobody = RebaseCasesRequest { case_ids: vec![Uuid::new_v4().to_string()], ..Default::default() };
        assert_eq!(told(&rebase(&services, nobody).await.expect_err("nobody")).0, Code::NotFound);
        services.stop().await;
    })
    .await;
}
