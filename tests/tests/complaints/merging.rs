//! Merging duplicates, and undoing it.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Acceptance, BatchGetClocksRequest, Case, CaseEntryType as Event, CaseKind, Clock, ClockKind, CreateCalendarRequest,
    DurationUnit, Finding, LinkCasesRequest, LinkType, MergeCaseRequest, Outcome, Policy, PolicySet,
    PublishPoliciesRequest, RecordAcceptanceRequest, SetOutcomeRequest, UnmergeCaseRequest, WithdrawCaseRequest,
    case::State, clock,
};
use barometer_tests::{
    samples::{calendar, case, hour, policy, target},
    services::{Services, told},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one, opened};

async fn merge(services: &Services, case: &str, into: &str) -> Result<Case, Status> {
    let (case_id, into_case_id) = (case.to_owned(), into.to_owned());
    let request = MergeCaseRequest { case_id, into_case_id, note: "the same".to_owned(), ..Default::default() };
    Ok(services.complaints.clone().merge_case(request).await?.into_inner())
}

async fn unmerge(services: &Services, case: &str) -> Result<Case, Status> {
    let request = UnmergeCaseRequest { case_id: case.to_owned(), ..Default::default() };
    Ok(services.complaints.clone().unmerge_case(request).await?.into_inner())
}

async fn merge_at(services: &Services, case: &str, into: &str, hours: i64) -> Result<Case, Status> {
    let (case_id, into_case_id, time) = (case.to_owned(), into.to_owned(), Some(hour(hours)));
    let request = MergeCaseRequest { case_id, into_case_id, time, ..Default::default() };
    Ok(services.complaints.clone().merge_case(request).await?.into_inner())
}

async fn unmerge_at(services: &Services, case: &str, hours: i64) -> Result<Case, Status> {
    let request = UnmergeCaseRequest { case_id: case.to_owned(), time: Some(hour(hours)), ..Default::default() };
    Ok(services.complaints.clone().unmerge_case(request).await?.into_inner())
}

/// Promises each case all there is within 40 hours.
async fn promise(services: &Services) {
    let mut client = services.policies.clone();
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    let office = client.create_calendar(request).await.expect("created").into_inner().calendar_id;
    let kinds = [ClockKind::FirstResponse, ClockKind::Resolution, ClockKind::FinalResponse];
    let targets = kinds.map(|kind| target(kind, 40 * 60, DurationUnit::ElapsedMinutes)).to_vec();
    let policies = vec![Policy { targets, ..policy("all", &office) }];
    let policy_set = Some(PolicySet { policies, ..Default::default() });
    client.publish_policies(PublishPoliciesRequest { policy_set, ..Default::default() }).await.expect("published");
}

/// How the clocks of a case stand so many hours after the first case was opened.
async fn clocks(services: &Services, id: &str, hours: i64) -> Vec<Clock> {
    let request = BatchGetClocksRequest { case_ids: vec![id.to_owned()], time: Some(hour(hours)) };
    let answer = services.complaints.clone().batch_get_clocks(request).await.expect("told").into_inner();
    answer.cases.into_iter().flat_map(|case| case.clocks).collect()
}

#[tokio::test]
async fn the_clocks_of_a_duplicate_end_with_its_merge_and_go_on_after_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        promise(&services).await;
        let (id, into) = (opened(&services).await.case_id, opened(&services).await.case_id);
        merge_at(&services, &id, &into, 11).await.expect("merged");
        let told = |clocks: &[Clock]| clocks.iter().map(|clock| (clock.state(), clock.due_time)).collect::<Vec<_>>();
        assert_eq!(told(&clocks(&services, &id, 15).await), [(clock::State::Cancelled, Some(hour(41))); 3]);
        assert_eq!(told(&clocks(&services, &into, 15).await), [(clock::State::Running, Some(hour(41))); 3]);
        // It lasted from then on: neither can it be undone before, nor can anything be done to it meanwhile.
        assert_eq!(told_fields(unmerge_at(&services, &id, 10).await), ["time"]);
        unmerge_at(&services, &id, 21).await.expect("unmerged");
        assert_eq!(told_fields(act(&services, &id, Verb::Respond, How::at(hour(15))).await), ["time"]);
        assert_eq!(told_fields(merge_at(&services, &id, &into, 15).await), ["time"]);
        let (running, moved) = (clock::State::Running, Some(hour(51)));
        let goes_on = [(running, moved), (running, moved), (running, Some(hour(41)))];
        assert_eq!(told(&clocks(&services, &id, 22).await), goes_on, "but the legal deadline has not waited");
        act(&services, &id, Verb::Resolve, How::at(hour(45))).await.expect("resolved");
        let states: Vec<_> = clocks(&services, &id, 60).await.iter().map(Clock::state).collect();
        assert_eq!(states, [clock::State::Met, clock::State::Met, clock::State::Breached]);
        services.stop().await;
    })
    .await;
}

fn told_fields(refused: Result<Case, Status>) -> Vec<String> {
    let (code, _, fields) = told(&refused.expect_err("too early"));
    assert_eq!(code, Code::InvalidArgument);
    fields
}

#[tokio::test]
async fn a_loss_that_is_merged_is_answered_by_a_person_there() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let open = async |kind: CaseKind| {
            let case = Case { kind: kind.into(), ..case(&Uuid::new_v4().to_string()) };
            open_one(&services, case).await.expect("opened").case_id
        };
        let (loss, question) = (open(CaseKind::Loss).await, open(CaseKind::Question).await);
        let before = get(&services, &question).await.etag;
        merge(&services, &loss, &question).await.expect("merged");
        assert_ne!(get(&services, &question).await.etag, before, "it is another case now");
        let refused = act(&services, &question, Verb::SelfServe, How::default()).await.expect_err("a loss");
        assert_eq!(told(&refused).1, "NEEDS_A_PERSON");

        let (answered, other) = (open(CaseKind::Question).await, open(CaseKind::Complaint).await);
        for verb in [Verb::SelfServe, Verb::Close] {
            act(&services, &answered, verb, How::default()).await.expect("allowed");
        }
        let refused = merge(&services, &other, &answered).await.expect_err("nothing is done there any more");
        assert_eq!(told(&refused).1, "WRONG_STATE");
        services.stop().await;
    })
    .await;
}

/// A case without what every change changes.
fn bare(case: Case) -> Case {
    Case { etag: String::new(), position: String::new(), update_time: None, history: Vec::new(), ..case }
}

#[tokio::test]
async fn a_merge_is_undone_to_exactly_what_was() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let ways: [&[Verb]; 5] = [
            &[],
            &[Verb::Assign("ana", "billing"), Verb::Acknowledge, Verb::AwaitCustomer],
            &[Verb::Respond, Verb::AwaitThirdParty],
            &[Verb::Resolve, Verb::Reopen],
            &[Verb::Resolve],
        ];
        for way in ways {
            let (id, into) = (opened(&services).await.case_id, opened(&services).await.case_id);
            for verb in way {
                act(&services, &id, *verb, How::at(hour(2))).await.expect("allowed");
            }
            let (before, stays) = (get(&services, &id).await, get(&services, &into).await);
            let merged = merge(&services, &id, &into).await.expect("merged");
            assert_eq!((merged.state(), &merged.merged_into), (State::Merged, &into));
            let other = get(&services, &into).await;
            assert_eq!(other.merged_case_ids, std::slice::from_ref(&id));
            assert_eq!((&other.etag, other.state()), (&stays.etag, stays.state()), "only its history tells");
            assert_eq!((other.history[0].r#type(), &other.history[0].other_case_id), (Event::Absorbed, &id));
            assert_eq!(get(&services, &id).await.history[1..], before.history, "its own history stays");

            let undone = unmerge(&services, &id).await.expect("unmerged");
            assert_eq!(bare(undone), bare(before.clone()), "{way:?}");
            let stayed = get(&services, &into).await;
            assert_eq!(stayed.history[0].r#type(), Event::Released);
            assert_eq!(bare(stayed), bare(stays));
            let told = get(&services, &id).await.history;
            assert_eq!(
                (told[0].r#type(), told[0].state(), &told[0].other_case_id),
                (Event::Unmerged, before.state(), &into)
            );
            assert_eq!(
                (told[1].r#type(), told[1].state(), told[1].text.as_str()),
                (Event::Merged, State::Merged, "the same")
            );
        }
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_merged_takes_nothing_and_nobody() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(opened(&services).await.case_id);
        }
        let [one, two, three, gone] = &ids[..] else { panic!("four") };
        act(&services, gone, Verb::Cancel, How::default()).await.expect("allowed");
        merge(&services, one, two).await.expect("merged");
        let reason = |refused: Result<Case, Status>| told(&refused.expect_err("refused"));
        for refused in [
            act(&services, one, Verb::Resolve, How::default()).await,
            act(&services, one, Verb::Hear, How::default()).await,
            merge(&services, one, three).await,
            // There is no way round in a circle.
            merge(&services, two, one).await,
            merge(&services, three, one).await,
            merge(&services, three, gone).await,
            merge(&services, gone, three).await,
            unmerge(&services, two).await,
        ] {
            let (code, reason, _) = reason(refused);
            assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
        }
        act(&services, one, Verb::Annotate, How::default()).await.expect("a note");
        let request = WithdrawCaseRequest { case_id: two.clone(), ..Default::default() };
        let refused = services.complaints.clone().withdraw_case(request).await.expect_err("one is merged into it");
        assert_eq!(told(&refused).1, "HAS_MERGED");

        // One that has taken another in is merged itself, and each can be undone.
        merge(&services, two, three).await.expect("merged");
        assert_eq!(get(&services, two).await.merged_case_ids, std::slice::from_ref(one));
        unmerge(&services, one).await.expect("unmerged");
        unmerge(&services, two).await.expect("unmerged");
        assert!(get(&services, two).await.merged_case_ids.is_empty());
        let expected = [Event::Opened, Event::Absorbed, Event::Merged, Event::Released, Event::Unmerged];
        assert_eq!(entries(&services, two).await, expected);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_does_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let (id, into) = (opened(&services).await.case_id, opened(&services).await.case_id);
        let (client, request_id) = (&services.complaints, || Uuid::new_v4().to_string());
        let case_id = || id.clone();
        let merge = MergeCaseRequest {
            case_id: id.clone(),
            into_case_id: into.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let unmerge = UnmergeCaseRequest { case_id: case_id(), request_id: request_id(), ..Default::default() };
        let outcome = Some(Outcome { finding: Finding::Upheld.into(), ..Default::default() });
        let decide = SetOutcomeRequest { case_id: case_id(), outcome, request_id: request_id(), ..Default::default() };
        let (r#type, other_case_id) = (LinkType::CausedBy.into(), into.clone());
        let link = LinkCasesRequest {
            case_id: case_id(),
            r#type,
            other_case_id,
            request_id: request_id(),
            ..Default::default()
        };
        let accept = RecordAcceptanceRequest {
            case_id: case_id(),
            acceptance: Acceptance::Accepted.into(),
            request_id: request_id(),
            ..Default::default()
        };
        for _ in 0..2 {
            client.clone().merge_case(merge.clone()).await.expect("merged");
        }
        for _ in 0..2 {
            client.clone().unmerge_case(unmerge.clone()).await.expect("unmerged");
        }
        for _ in 0..2 {
            client.clone().set_outcome(decide.clone()).await.expect("decided");
        }
        for _ in 0..2 {
            client.clone().link_cases(link.clone()).await.expect("linked");
        }
        act(&services, &id, Verb::Resolve, How::default()).await.expect("resolved");
        for _ in 0..2 {
            client.clone().record_acceptance(accept.clone()).await.expect("noted");
        }
        // What was done long ago is not done again either.
        client.clone().merge_case(merge).await.expect("it was merged");
        let expected = [
            Event::Opened,
            Event::Merged,
            Event::Unmerged,
            Event::OutcomeSet,
            Event::Linked,
            Event::Resolved,
            Event::AcceptanceRecorded,
        ];
        assert_eq!(entries(&services, &id).await, expected);
        let expected = [Event::Opened, Event::Absorbed, Event::Released, Event::Linked];
        assert_eq!(entries(&services, &into).await, expected);
        services.stop().await;
    })
    .await;
}
