//! Claims: each case is handed to one employee, who works on it as long as there are signs of life.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, CaseEntryType as Event, Claim, ClaimEnd, ClaimNextRequest, ClaimNextResponse, FactKind, FinishClaimRequest,
    GetClaimRequest, HeartbeatClaimRequest, ListClaimsRequest, ReleaseClaimRequest, Severity, WatchFactsRequest, fact,
};
use barometer_tests::{
    eventually,
    samples::{case, hour},
    services::{Services, told},
};
use tonic::Status;
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, open_one, withdraw};

/// A case of the team `desk` that nobody has, which came in at this hour.
pub(crate) async fn queued(services: &Services, hours: i64) -> String {
    let new = Case { customer: None, team: "desk".to_owned(), open_time: Some(hour(hours)), ..case("") };
    open_one(services, new).await.expect("opened").case_id
}

pub(crate) fn next_of(employee: &str) -> ClaimNextRequest {
    ClaimNextRequest { team: "desk".to_owned(), employee: employee.to_owned(), ..ClaimNextRequest::default() }
}

async fn try_next(services: &Services, request: ClaimNextRequest) -> Result<ClaimNextResponse, Status> {
    Ok(services.work.clone().claim_next(request).await?.into_inner())
}

pub(crate) async fn next(services: &Services, employee: &str) -> Option<Claim> {
    try_next(services, next_of(employee)).await.expect("an answer").claim
}

async fn taken(services: &Services, employee: &str) -> String {
    next(services, employee).await.map(|claim| claim.case_id).unwrap_or_default()
}

async fn release(services: &Services, claim: &Claim) -> Result<Claim, Status> {
    let request = ReleaseClaimRequest { claim_id: claim.claim_id.clone(), ..Default::default() };
    Ok(services.work.clone().release_claim(request).await?.into_inner())
}

async fn finish(services: &Services, claim: &Claim) -> Result<Claim, Status> {
    let request = FinishClaimRequest { claim_id: claim.claim_id.clone(), ..Default::default() };
    Ok(services.work.clone().finish_claim(request).await?.into_inner())
}

async fn claim_of(services: &Services, claim: &Claim) -> Claim {
    let request = GetClaimRequest { claim_id: claim.claim_id.clone() };
    services.work.clone().get_claim(request).await.expect("there").into_inner()
}

#[tokio::test]
async fn the_most_urgent_case_is_handed_out_first_and_each_once() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let third = queued(&services, 3).await;
        let first = queued(&services, 1).await;
        // Urgent cases are six hours ahead of normal ones.
        let urgent = Case {
            customer: None,
            team: "desk".to_owned(),
            severity: Severity::Critical.into(),
            open_time: Some(hour(8)),
            ..case("")
        };
        let second = open_one(&services, urgent).await.expect("opened").case_id;
        let waiting = queued(&services, 0).await;
        act(&services, &waiting, Verb::AwaitCustomer, How::at(hour(1))).await.expect("allowed");
        let owned = queued(&services, 0).await;
        act(&services, &owned, Verb::Assign("ina", "desk"), How::at(hour(1))).await.expect("allowed");

        let answer = try_next(&services, next_of("ana")).await.expect("an answer");
        let (claim, of) = (answer.claim.expect("a claim"), answer.case.expect("its case"));
        assert_eq!((claim.case_id.as_str(), claim.employee.as_str(), claim.team.as_str()), (&*first, "ana", "desk"));
        assert_eq!((of.case_id.as_str(), of.employee.as_str(), of.hand_offs), (&*first, "ana", 0));
        assert_eq!(entries(&services, &first).await, [Event::Opened, Event::Assigned]);
        assert_eq!(taken(&services, "bob").await, second);
        assert_eq!(taken(&services, "ana").await, third);
        assert_eq!(next(&services, "bob").await, None, "one waits, of which nothing is due; one is another's");
        assert_eq!(taken(&services, "ina").await, owned, "her own");
        assert_eq!(next(&services, "ina").await, None);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_hands_out_nothing_more_and_there_is_a_limit() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for hours in 0..7 {
            queued(&services, hours).await;
        }
        let request = ClaimNextRequest { request_id: Uuid::new_v4().to_string(), ..next_of("ana") };
        let first = try_next(&services, request.clone()).await.expect("an answer");
        assert_eq!(try_next(&services, request.clone()).await.expect("an answer"), first);
        let other = ClaimNextRequest { employee: "bob".to_owned(), ..request };
        assert_eq!(told(&try_next(&services, other).await.expect_err("other values")).1, "REQUEST_ID_REUSED");
        for _ in 1..5 {
            assert!(next(&services, "ana").await.is_some());
        }
        let refused = try_next(&services, next_of("ana")).await.expect_err("five are enough");
        assert_eq!(told(&refused).1, "TOO_MANY_CLAIMS");
        release(&services, &first.claim.expect("a claim")).await.expect("given back");
        assert!(next(&services, "ana").await.is_some());
        let bobs = [next(&services, "bob").await, next(&services, "bob").await];
        assert_eq!(bobs.map(|claim| claim.is_some()), [true, true], "seven in all");
        assert_eq!(next(&services, "eve").await, None);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_given_back_is_anybodys_and_what_is_finished_is_not() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = queued(&services, 0).await;
        let claim = next(&services, "ana").await.expect("a claim");
        let released = release(&services, &claim).await.expect("given back");
        assert_eq!(released.end(), ClaimEnd::Released);
        assert!(released.handling_micros.is_some_and(|micros| micros >= 0) && released.end_time.is_some());
        let back = get(&services, &id).await;
        assert_eq!((back.employee.as_str(), back.team.as_str(), back.hand_offs), ("", "desk", 1));
        assert_eq!(told(&release(&services, &claim).await.expect_err("it ended")).1, "CLAIM_ENDED");
        assert_eq!(told(&finish(&services, &claim).await.expect_err("it ended")).1, "CLAIM_ENDED");

        let claim = next(&services, "bob").await.expect("a claim");
        assert_eq!((claim.case_id.as_str(), claim_of(&services, &claim).await.end()), (&*id, ClaimEnd::Unspecified));
        let finished = finish(&services, &claim).await.expect("done for now");
        assert_eq!((finished.end(), get(&services, &id).await.employee.as_str()), (ClaimEnd::Finished, "bob"));
        assert_eq!(finish(&services, &claim).await.expect("it is so"), finished);
        assert_eq!(next(&services, "ana").await, None);
        assert_eq!(next(&services, "bob").await, None, "nothing happened to it since");
        act(&services, &id, Verb::Annotate, How::default()).await.expect("allowed");
        let again = next(&services, "bob").await.expect("his own is still to be done");
        act(&services, &id, Verb::Resolve, How::default()).await.expect("allowed");
        let ended = claim_of(&services, &again).await;
        assert_eq!(ended.end(), ClaimEnd::Finished, "the case ended");
        assert_eq!(finish(&services, &again).await.expect("it is so"), ended);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_is_given_a_case_takes_it_from_whoever_works_on_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let ids = [queued(&services, 0).await, queued(&services, 1).await];
        let claims = [next(&services, "ana").await.expect("a claim"), next(&services, "ana").await.expect("a claim")];
        act(&services, &ids[0], Verb::Assign("bob", "desk"), How::default()).await.expect("allowed");
        withdraw(&services, &ids[1]).await;
        for claim in &claims {
            assert_eq!(claim_of(&services, claim).await.end(), ClaimEnd::Taken);
        }
        let list = ListClaimsRequest { employee: "ana".to_owned(), page_size: 1, ..ListClaimsRequest::default() };
        let first = services.work.clone().list_claims(list.clone()).await.expect("a list").into_inner();
        let rest = ListClaimsRequest { page_token: first.next_page_token, ..list.clone() };
        let rest = services.work.clone().list_claims(rest).await.expect("a list").into_inner();
        let mut listed: Vec<_> = first.claims.iter().chain(&rest.claims).map(|claim| &claim.claim_id).collect();
        let mut all: Vec<_> = claims.iter().map(|claim| &claim.claim_id).collect();
        listed.sort();
        all.sort();
        assert_eq!((listed, rest.next_page_token.as_str()), (all, ""));
        let running = ListClaimsRequest { running: true, ..list };
        assert!(services.work.clone().list_claims(running).await.expect("a list").into_inner().claims.is_empty());
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_abandoned_case_comes_back_also_after_a_restart_and_a_heartbeat_keeps_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let ids = [queued(&services, 0).await, queued(&services, 1).await];
        let brief = |employee: &str| ClaimNextRequest { lease_seconds: 1, ..next_of(employee) };
        let abandoned = try_next(&services, brief("ana")).await.expect("an answer").claim.expect("a claim");
        let kept = next(&services, "bob").await.expect("a claim");
        let request = HeartbeatClaimRequest { claim_id: kept.claim_id.clone(), ..Default::default() };
        let beaten = services.work.clone().heartbeat_claim(request).await.expect("it runs").into_inner();
        let seconds = |claim: &Claim| claim.lease_time.map(|at| (at.seconds, at.nanos));
        assert!(seconds(&beaten) > seconds(&kept) && beaten.etag == kept.etag);
        services.stop().await;

        let services = Services::start(database).await;
        let back = async || get(&services, &ids[0]).await.employee.is_empty();
        eventually("the case is back", back).await;
        let expired = claim_of(&services, &abandoned).await;
        assert_eq!((expired.end(), expired.end_time), (ClaimEnd::Expired, expired.lease_time));
        assert_eq!(expired.handling_micros, Some(0), "no sign of life after the first");
        let request = HeartbeatClaimRequest { claim_id: abandoned.claim_id.clone(), ..Default::default() };
        let late = services.work.clone().heartbeat_claim(request).await.expect_err("too late");
        assert_eq!(told(&late).1, "CLAIM_ENDED");
        assert_eq!(taken(&services, "eve").await, ids[0]);
        assert_eq!(claim_of(&services, &kept).await.end(), ClaimEnd::Unspecified);

        // Whoever counts handling time is told of claims.
        let request = WatchFactsRequest { kinds: vec![FactKind::Claim.into()], after: String::new() };
        let mut watch = services.complaints.clone().watch_facts(request).await.expect("a feed").into_inner();
        let mut facts = Vec::new();
        while facts.len() < 3 {
            let batch = watch.message().await.expect("a batch").expect("it goes on");
            facts.extend(batch.facts.into_iter().filter_map(|fact| match fact.fact {
                Some(fact::Fact::Claim(claim)) => Some((claim.employee.clone(), claim.end(), claim.handling_micros)),
                _ => None,
            }));
        }
        facts.sort_unstable_by_key(|(employee, ..)| employee.clone());
        let expected = [
            ("ana".to_owned(), ClaimEnd::Expired, Some(0)),
            ("bob".to_owned(), ClaimEnd::Unspecified, None),
            ("eve".to_owned(), ClaimEnd::Unspecified, None),
        ];
        assert_eq!(facts, expected);
        services.stop().await;
    })
    .await;
}
