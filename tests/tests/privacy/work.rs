//! Every method of the teams, queues and claims of complaints.

use barometer_proto::complaints::v1::{
    Case, Claim, ClaimNextRequest, ClaimNextResponse, CreateTeamRequest, FinishClaimRequest, GetClaimRequest,
    GetTeamRequest, HeartbeatClaimRequest, ListClaimsRequest, ListClaimsResponse, ListEmployeeWorkloadsRequest,
    ListEmployeeWorkloadsResponse, ListQueueRequest, ListQueueResponse, ListTeamWorkloadsRequest,
    ListTeamWorkloadsResponse, ListTeamsRequest, ListTeamsResponse, OpenCaseRequest, ReleaseClaimRequest, Team,
    UpdateTeamRequest, WatchQueueRequest, WatchQueueResponse,
};
use barometer_tests::samples::{case, mask};
use uuid::Uuid;

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.WorkService";

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let team = |manager: &str| {
        let (name, lead) = ("desk".to_owned(), MARK.to_owned());
        Some(Team { name, lead, manager: manager.to_owned(), ..Team::default() })
    };
    let create = CreateTeamRequest { team: team(""), request_id: String::new() };
    let _: Team = caller.call(&method("CreateTeam"), &create).await;
    let update = UpdateTeamRequest { team: team(MARK), update_mask: mask(&["manager"]), request_id: String::new() };
    let _: Team = caller.call(&method("UpdateTeam"), &update).await;
    let _: Team = caller.call(&method("GetTeam"), &GetTeamRequest { name: "desk".to_owned() }).await;
    let _: ListTeamsResponse = caller.call(&method("ListTeams"), &ListTeamsRequest::default()).await;

    for _ in 0..2 {
        let (team, subject) = ("desk".to_owned(), MARK.to_owned());
        let new = Case { team, subject, description: MARK.to_owned(), ..case(&Uuid::new_v4().to_string()) };
        let open = OpenCaseRequest { case: Some(new), request_id: String::new() };
        let _: Case = caller.call("barometer.complaints.v1.ComplaintService/OpenCase", &open).await;
    }
    let queue = ListQueueRequest { team: "desk".to_owned(), ..ListQueueRequest::default() };
    let _: ListQueueResponse = caller.call(&method("ListQueue"), &queue).await;
    let claim = ClaimNextRequest { team: "desk".to_owned(), employee: "ana".to_owned(), ..Default::default() };
    let answer: ClaimNextResponse = caller.call(&method("ClaimNext"), &claim).await;
    let claim_id = || answer.claim.clone().expect("a claim").claim_id;
    let heartbeat = HeartbeatClaimRequest { claim_id: claim_id(), ..Default::default() };
    let _: Claim = caller.call(&method("HeartbeatClaim"), &heartbeat).await;
    let finish = FinishClaimRequest { claim_id: claim_id(), ..Default::default() };
    let _: Claim = caller.call(&method("FinishClaim"), &finish).await;
    let answer: ClaimNextResponse = caller.call(&method("ClaimNext"), &claim).await;
    let release = ReleaseClaimRequest { claim_id: answer.claim.expect("a claim").claim_id, ..Default::default() };
    let _: Claim = caller.call(&method("ReleaseClaim"), &release).await;
    let _: Claim = caller.call(&method("GetClaim"), &GetClaimRequest { claim_id: claim_id() }).await;
    let _: ListClaimsResponse = caller.call(&method("ListClaims"), &ListClaimsRequest::default()).await;
    let workloads = ListEmployeeWorkloadsRequest::default();
    let _: ListEmployeeWorkloadsResponse = caller.call(&method("ListEmployeeWorkloads"), &workloads).await;
    let workloads = ListTeamWorkloadsRequest::default();
    let _: ListTeamWorkloadsResponse = caller.call(&method("ListTeamWorkloads"), &workloads).await;
    let _: WatchQueueResponse = caller.call(&method("WatchQueue"), &WatchQueueRequest::default()).await;
}
