//! Three replicas of complaints on one PostgreSQL that hand out cases while one after another is killed and started again:
//! each case is handed to one employee at a time, and none is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use barometer_chassis::{
    clock::Micros,
    testing::{DatabaseKind, TestDatabase},
};
use barometer_proto::complaints::v1::{
    Case, Claim, ClaimEnd, ClaimNextRequest, ClaimNextResponse, FinishClaimRequest, GetCaseRequest, ListClaimsRequest,
    OpenCaseRequest, ResolveCaseRequest, case::State, complaint_service_client::ComplaintServiceClient,
    get_case_request::By, work_service_client::WorkServiceClient,
};
use barometer_tests::{
    eventually,
    process::Server,
    samples::{case, hour},
};
use prost_types::Timestamp;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

const CASES: i64 = 120;
const EMPLOYEES: usize = 9;
const REPLICAS: usize = 3;

/// Where the replicas are, and what employees were told.
#[derive(Debug, Default)]
struct Seen {
    endpoints: Vec<String>,
    /// Claims that were handed out, to whom.
    handed: BTreeMap<String, String>,
    /// Cases that were resolved.
    resolved: BTreeSet<String>,
}

fn channel(endpoint: &str) -> Channel {
    Channel::from_shared(endpoint.to_owned()).expect("a URL").timeout(Duration::from_secs(5)).connect_lazy()
}

/// Takes cases and resolves them, until nothing is left. A call whose answer is lost is made again by the same id, wherever.
async fn work(employee: usize, seen: Arc<Mutex<Seen>>) {
    let name = format!("e-{employee}");
    let mut turn = employee;
    let mut endpoint = || {
        turn += 1;
        let seen = seen.lock().expect("sound");
        channel(&seen.endpoints[turn % seen.endpoints.len()])
    };
    while i64::try_from(seen.lock().expect("sound").resolved.len()).expect("few") < CASES {
        let request_id = Uuid::new_v4().to_string();
        let request =
            ClaimNextRequest { team: "desk".to_owned(), employee: name.clone(), lease_seconds: 2, request_id };
        // Not everybody is careful: a lost answer is a case that comes back when its lease ends.
        let answer = WorkServiceClient::new(endpoint()).claim_next(request.clone()).await;
        let answer = match answer {
            Err(_) if employee.is_multiple_of(2) => WorkServiceClient::new(endpoint()).claim_next(request).await,
            answer => answer,
        };
        let ClaimNextResponse { claim: Some(claim), case: _ } = answer.map(|it| it.into_inner()).unwrap_or_default()
        else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        assert_eq!(claim.employee, name);
        let before = seen.lock().expect("sound").handed.insert(claim.claim_id.clone(), name.clone());
        assert_eq!(before, None, "a claim is handed out once");
        let resolve = ResolveCaseRequest {
            case_id: claim.case_id.clone(),
            request_id: Uuid::new_v4().to_string(),
            ..ResolveCaseRequest::default()
        };
        for _ in 0..20 {
            match ComplaintServiceClient::new(endpoint()).resolve_case(resolve.clone()).await {
                Ok(_) => {
                    seen.lock().expect("sound").resolved.insert(claim.case_id.clone());
                    break;
                }
                // It was abandoned meanwhile, and another has resolved it.
                Err(status) if status.code() == Code::FailedPrecondition => break,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        // The case ended, so the claim has: this changes nothing.
        let finish = FinishClaimRequest { claim_id: claim.claim_id, request_id: String::new() };
        drop(WorkServiceClient::new(endpoint()).finish_claim(finish).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_that_die_hand_each_case_to_one_employee_at_a_time() {
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let folder = database.directory().to_owned();
    let flags = ["complaints", "--customers-endpoint", "http://127.0.0.1:9", "--claim-limit", "3"];
    let replica = |n: usize| Server::start_in(&database, &folder.join(format!("replica-{n}")), &flags);
    let mut replicas: Vec<Server> = (0..REPLICAS).map(replica).collect();
    let mut complaints = ComplaintServiceClient::new(channel(&replicas[0].endpoint));
    for n in 0..CASES {
        let open_time = Some(hour(n % 7));
        let new = Case { customer: None, team: "desk".to_owned(), open_time, ..case("") };
        let request = OpenCaseRequest { case: Some(new), request_id: String::new() };
        complaints.open_case(request).await.expect("opened");
    }

    let endpoints = replicas.iter().map(|replica| replica.endpoint.clone()).collect();
    let seen = Arc::new(Mutex::new(Seen { endpoints, ..Seen::default() }));
    let employees: Vec<_> = (0..EMPLOYEES).map(|employee| tokio::spawn(work(employee, seen.clone()))).collect();
    for round in 0..4 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let n = round % REPLICAS;
        let gone = replicas.remove(n);
        gone.kill();
        let again = tokio::task::block_in_place(|| replica(n));
        seen.lock().expect("sound").endpoints[n] = again.endpoint.clone();
        replicas.insert(n, again);
    }
    let done = async || employees.iter().all(tokio::task::JoinHandle::is_finished);
    eventually("all cases are resolved", done).await;
    for employee in employees {
        employee.await.expect("nobody saw a mistake");
    }

    let mut work = WorkServiceClient::new(channel(&replicas[0].endpoint));
    let running = ListClaimsRequest { running: true, ..ListClaimsRequest::default() };
    let none_runs = async || {
        let list = work.clone().list_claims(running.clone()).await;
        list.is_ok_and(|list| list.into_inner().claims.is_empty())
    };
    eventually("all claims have ended", none_runs).await;
    let request = ListClaimsRequest { page_size: 1_000, ..ListClaimsRequest::default() };
    let claims = work.list_claims(request).await.expect("a list").into_inner().claims;
    let (handed, resolved) = {
        let seen = seen.lock().expect("sound");
        (seen.handed.clone(), seen.resolved.clone())
    };
    let kept: BTreeMap<_, _> = claims.iter().map(|claim| (claim.claim_id.clone(), claim.employee.clone())).collect();
    for (claim, employee) in &handed {
        assert_eq!(kept.get(claim), Some(employee), "what was acknowledged is kept");
    }
    let mut by_case: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    for claim in &claims {
        by_case.entry(&claim.case_id).or_default().push(claim);
    }
    assert_eq!(by_case.len(), usize::try_from(CASES).expect("few"), "each case was handed out");
    let at = |time: Option<Timestamp>| Micros::from_wire(&time.expect("an instant")).expect("an instant");
    for (case, claims) in &mut by_case {
        claims.sort_by_key(|claim| at(claim.start_time));
        for pair in claims.windows(2) {
            assert!(at(pair[0].end_time) <= at(pair[1].start_time), "{case}: {pair:?}");
            assert_eq!(pair[0].end(), ClaimEnd::Expired, "{case} came back: {pair:?}");
        }
    }
    for case in &resolved {
        let request = GetCaseRequest { by: Some(By::CaseId(case.clone())) };
        let case = ComplaintServiceClient::new(channel(&replicas[1].endpoint)).get_case(request).await;
        assert_eq!(case.expect("there").into_inner().state(), State::Resolved);
    }
}
