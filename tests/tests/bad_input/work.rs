//! Every RPC of the teams, queues and claims of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Case, ClaimNextRequest, CreateTeamRequest, FinishClaimRequest, HeartbeatClaimRequest, ListTeamsRequest,
    OpenCaseRequest, ReleaseClaimRequest, Team, UpdateTeamRequest,
};
use barometer_tests::{samples::case, services::Services};
use prost::Message;
use tonic::Code;

use crate::{
    facts::pages,
    nouns::texts,
    table::{Rpc, Table, clear, number, text, texts as list},
    world::{DONE, NOBODY},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let kept = Kept::new(&services).await;
        let teams = async || {
            let request = ListTeamsRequest::default();
            services.work.clone().list_teams(request).await.expect("a list").into_inner().teams
        };
        let before = teams().await;
        let mut table = Table::of("barometer.complaints.v1.WorkService");
        create(&mut table);
        update(&mut table);
        claims(&mut table, &kept);
        read(&mut table, &kept);
        table.check(&services.channel).await;
        assert_eq!(teams().await, before, "teams are in no feed");
        services.stop().await;
    })
    .await;
}

/// A team `desk` with an etag of 2; claims of `ana` that run or ended, as many as may. Everything was done by the
/// `request_id` [`DONE`].
struct Kept {
    running: String,
    finished: String,
    released: String,
}

impl Kept {
    async fn new(services: &Services) -> Self {
        let mut client = services.work.clone();
        let team = |lead: &str| Some(Team { name: "desk".to_owned(), lead: lead.to_owned(), ..Team::default() });
        let request_id = || DONE.to_owned();
        client.create_team(CreateTeamRequest { team: team("ana"), request_id: request_id() }).await.expect("created");
        let request = UpdateTeamRequest { team: team("bob"), update_mask: None, request_id: request_id() };
        client.update_team(request).await.expect("updated");
        let mut claims = Vec::new();
        for n in 0..7 {
            let of_team = Case { team: "desk".to_owned(), ..case(NOBODY) };
            let request = OpenCaseRequest { case: Some(of_team), request_id: String::new() };
            services.complaints.clone().open_case(request).await.expect("opened");
            let request_id = if n == 0 { request_id() } else { String::new() };
            let (team, employee) = ("desk".to_owned(), "ana".to_owned());
            let request = ClaimNextRequest { team, employee, request_id, ..ClaimNextRequest::default() };
            let claim = client.claim_next(request).await.expect("an answer").into_inner().claim.expect("a claim");
            let claim_id = claim.claim_id.clone();
            claims.push(claim.claim_id);
            if n == 0 {
                let request = FinishClaimRequest { claim_id, request_id: DONE.to_owned() };
                client.finish_claim(request).await.expect("finished");
            } else if n == 1 {
                let request = ReleaseClaimRequest { claim_id, request_id: DONE.to_owned() };
                client.release_claim(request).await.expect("released");
            }
        }
        let [finished, released, running] = [0, 1, 2].map(|n: usize| claims[n].clone());
        let request = HeartbeatClaimRequest { claim_id: running.clone(), request_id: request_id() };
        client.heartbeat_claim(request).await.expect("it runs");
        Kept { running, finished, released }
    }
}

fn create(table: &mut Table) {
    let team = Team { name: "night".to_owned(), ..Team::default() };
    let good = CreateTeamRequest { team: Some(team), request_id: String::new() };
    let rpc = &mut table.rpc("CreateTeam", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("team")], &["team"])
        .invalid("no name", vec![text("team.name", "")], &["team.name"])
        .refused("a name that is taken", vec![text("team.name", "desk")], Code::AlreadyExists, "NAME_TAKEN");
    texts(rpc, "team", &[("name", 64)]);
    values(rpc);
    request_id(rpc, vec![]);
}

fn update(table: &mut Table) {
    let team = Team { name: "desk".to_owned(), lead: "eve".to_owned(), ..Team::default() };
    let good = UpdateTeamRequest { team: Some(team), update_mask: None, request_id: String::new() };
    let rpc = &mut table.rpc("UpdateTeam", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("team")], &["team"])
        .invalid("no name", vec![text("team.name", "")], &["team.name"])
        .invalid("no such field", vec![list("update_mask.paths", &["name"])], &["update_mask.paths[0]"])
        .invalid(
            "all at once",
            vec![
                list("update_mask.paths", &["lead", "name", "calendar_id"]),
                text("team.lead", "\u{0}"),
                text("team.calendar_id", "x"),
                text("request_id", "x"),
            ],
            &["team.lead", "team.calendar_id", "update_mask.paths[1]", "request_id"],
        )
        .unknown("an unknown team", vec![text("team.name", "nobody")])
        .refused("a stale etag", vec![text("team.etag", "1")], Code::Aborted, "STALE_ETAG");
    values(rpc);
    request_id(rpc, vec![]);
}

/// What a team may not hold.
fn values(rpc: &mut Rpc<'_>) {
    texts(rpc, "team", &[("lead", 64), ("manager", 64)]);
    let calendar = "team.calendar_id";
    rpc.invalid("a garbage calendar", vec![text(calendar, "c-1")], &[calendar]).invalid(
        "an unknown calendar",
        vec![text(calendar, NOBODY)],
        &[calendar],
    );
}

/// Texts at the top of a request.
fn words(rpc: &mut Rpc<'_>, lengths: &[(&str, usize)]) {
    for (field, longest) in lengths {
        rpc.invalid("too long", vec![text(field, "é".repeat(longest + 1))], &[field]).invalid(
            "a control character",
            vec![text(field, "a\u{0}b")],
            &[field],
        );
    }
}

fn request_id(rpc: &mut Rpc<'_>, mut edits: Vec<crate::table::Edit>) {
    edits.push(text("request_id", DONE));
    rpc.invalid("garbage request id", vec![text("request_id", "x")], &["request_id"]).refused(
        "a request id with other values",
        edits,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
}

fn claims(table: &mut Table, kept: &Kept) {
    let request = ClaimNextRequest { team: "desk".to_owned(), employee: "ana".to_owned(), ..Default::default() };
    let rpc = &mut table.rpc("ClaimNext", &request.encode_to_vec());
    rpc.invalid("nobody", vec![text("employee", "")], &["employee"])
        .invalid("no time", vec![number("lease_seconds", -1)], &["lease_seconds"])
        .invalid("too long", vec![number("lease_seconds", 3_601)], &["lease_seconds"])
        .refused("as many as may", vec![], Code::FailedPrecondition, "TOO_MANY_CLAIMS")
        .answered("nothing to do", vec![text("employee", "bob"), text("team", "nobody")]);
    words(rpc, &[("employee", 64), ("team", 64)]);
    request_id(rpc, vec![text("employee", "bob")]);
    for (name, ended) in
        [("HeartbeatClaim", &kept.finished), ("ReleaseClaim", &kept.finished), ("FinishClaim", &kept.released)]
    {
        let rpc = &mut table.rpc(name, &[]);
        rpc.invalid("no id", vec![], &["claim_id"])
            .invalid("a garbage id", vec![text("claim_id", "c-1")], &["claim_id"])
            .unknown("an unknown id", vec![text("claim_id", NOBODY)])
            .refused("it ended", vec![text("claim_id", ended)], Code::FailedPrecondition, "CLAIM_ENDED");
        rpc.invalid(
            "garbage request id",
            vec![text("claim_id", &kept.running), text("request_id", "x")],
            &["request_id"],
        );
        let reused = vec![text("claim_id", NOBODY), text("request_id", DONE)];
        rpc.refused("a request id with other values", reused, Code::AlreadyExists, "REQUEST_ID_REUSED");
    }
}

fn read(table: &mut Table, kept: &Kept) {
    let rpc = &mut table.rpc("GetTeam", &[]);
    rpc.invalid("no name", vec![], &["name"]).unknown("an unknown team", vec![text("name", "nobody")]);
    words(rpc, &[("name", 64)]);
    pages(&mut table.rpc("ListTeams", &[]));
    table
        .rpc("GetClaim", &[])
        .invalid("no id", vec![], &["claim_id"])
        .invalid("a garbage id", vec![text("claim_id", "c-1")], &["claim_id"])
        .unknown("an unknown id", vec![text("claim_id", NOBODY)])
        .answered("one that ended", vec![text("claim_id", &kept.finished)]);
    let rpc = &mut table.rpc("ListClaims", &[]);
    pages(rpc);
    words(rpc, &[("employee", 64), ("team", 64)]);
    rpc.invalid("a garbage case", vec![text("case_id", "c-1")], &["case_id"]);
    let rpc = &mut table.rpc("ListQueue", &[]);
    pages(rpc);
    words(rpc, &[("team", 64)]);
    let rpc = &mut table.rpc("WatchQueue", &[]);
    words(rpc, &[("team", 64)]);
    rpc.invalid("no cases", vec![number("max_cases", -1)], &["max_cases"])
        .invalid("too many", vec![number("max_cases", 201)], &["max_cases"])
        .invalid("no time", vec![number("within_seconds", -1)], &["within_seconds"])
        .invalid("too long", vec![number("within_seconds", 2_678_401)], &["within_seconds"]);
    for name in ["ListEmployeeWorkloads", "ListTeamWorkloads"] {
        let rpc = &mut table.rpc(name, &[]);
        pages(rpc);
        rpc.invalid("no time", vec![number("within_seconds", -1)], &["within_seconds"])
            .invalid("beyond 9999", vec![number("end_time.seconds", i64::MAX)], &["end_time"])
            .invalid("backwards", vec![number("start_time.seconds", 9), number("end_time.seconds", 8)], &["start_time"])
            .invalid("too long", vec![number("start_time.seconds", 9)], &["start_time"]);
    }
}
