//! What became of a case, and what the customer says to it.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{
    Acceptance, AskForAcceptanceRequest, Case, CaseEntryType as Event, Finding, Outcome, RecordAcceptanceRequest,
    Redress, Remedy, SetOutcomeRequest, WatchFactsRequest, fact, redress::Worth,
};
use barometer_tests::{
    samples::{eur, hour},
    services::{Services, told},
};
use tonic::Status;

use crate::{How, Verb, act, entries, get, opened};

fn upheld() -> Outcome {
    let redress = |remedy: Remedy, worth| Redress { remedy: remedy.into(), worth, reference: String::new() };
    Outcome {
        finding: Finding::Upheld.into(),
        redress: vec![
            Redress { reference: "pay-7".to_owned(), ..redress(Remedy::Refund, Some(Worth::Amount(eur(12)))) },
            redress(Remedy::Voucher, Some(Worth::Points(500))),
            redress(Remedy::Apology, None),
        ],
        root_cause: "carrier/strike".to_owned(),
        lesson: "have a second carrier".to_owned(),
    }
}

async fn decide(services: &Services, id: &str, outcome: Outcome) -> Result<Case, Status> {
    let request = SetOutcomeRequest {
        case_id: id.to_owned(),
        outcome: Some(outcome),
        note: "as the rules say".to_owned(),
        ..Default::default()
    };
    Ok(services.complaints.clone().set_outcome(request).await?.into_inner())
}

async fn ask(services: &Services, id: &str, hours: i64) -> Result<Case, Status> {
    let (case_id, time) = (id.to_owned(), Some(hour(hours)));
    let request = AskForAcceptanceRequest { case_id, time, ..Default::default() };
    Ok(services.complaints.clone().ask_for_acceptance(request).await?.into_inner())
}

async fn accept(services: &Services, id: &str, acceptance: Acceptance, hours: i64) -> Result<Case, Status> {
    let request = RecordAcceptanceRequest {
        case_id: id.to_owned(),
        acceptance: acceptance.into(),
        satisfaction: Some(4),
        comment: "thanks".to_owned(),
        time: Some(hour(hours)),
        ..Default::default()
    };
    Ok(services.complaints.clone().record_acceptance(request).await?.into_inner())
}

#[tokio::test]
async fn an_outcome_is_kept_and_the_one_before_it_too() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        let decided = decide(&services, &id, upheld()).await.expect("decided");
        assert_eq!(decided.outcome, Some(upheld()));
        assert_eq!(decide(&services, &id, upheld()).await.expect("it is so"), decided);
        act(&services, &id, Verb::Resolve, How::default()).await.expect("allowed");
        act(&services, &id, Verb::Close, How::default()).await.expect("allowed");
        let rejected = Outcome { finding: Finding::Rejected.into(), ..Outcome::default() };
        decide(&services, &id, rejected.clone()).await.expect("a correction");

        let read = get(&services, &id).await;
        assert_eq!(read.outcome, Some(rejected.clone()));
        let told: Vec<_> = read.history.iter().filter(|entry| entry.r#type() == Event::OutcomeSet).collect();
        assert_eq!((told[0].outcome.clone(), told[1].outcome.clone()), (Some(rejected), Some(upheld())));
        assert_eq!((told.len(), told[1].text.as_str()), (2, "as the rules say"));

        let other = opened(&services).await.case_id;
        act(&services, &other, Verb::Cancel, How::default()).await.expect("allowed");
        let refused = decide(&services, &other, upheld()).await.expect_err("nothing became of it");
        assert_eq!(told_reason(&refused), "WRONG_STATE");
        services.stop().await;
    })
    .await;
}

fn told_reason(refused: &Status) -> String {
    told(refused).1
}

#[tokio::test]
async fn whether_it_is_solved_the_customer_is_asked_or_the_case_says_not() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        assert_eq!(get(&services, &id).await.acceptance(), Acceptance::Open);
        assert_eq!(told_reason(&ask(&services, &id, 2).await.expect_err("not resolved")), "WRONG_STATE");
        let refused = accept(&services, &id, Acceptance::Accepted, 2).await.expect_err("not resolved");
        assert_eq!(told_reason(&refused), "WRONG_STATE");

        act(&services, &id, Verb::Resolve, How::at(hour(3))).await.expect("allowed");
        assert_eq!(told(&ask(&services, &id, 2).await.expect_err("before that")).2, ["time"]);
        let asked = ask(&services, &id, 4).await.expect("asked");
        assert_eq!((asked.acceptance(), asked.ask_time), (Acceptance::Asked, Some(hour(4))));
        let declined = accept(&services, &id, Acceptance::Declined, 5).await.expect("told");
        assert_eq!((declined.acceptance(), declined.satisfaction), (Acceptance::Declined, Some(4)));
        assert_eq!((declined.state(), declined.answer_time), (asked.state(), Some(hour(5))));

        // Reopened it begins anew; the history keeps what was said.
        let again = act(&services, &id, Verb::Reopen, How::at(hour(6))).await.expect("allowed");
        assert_eq!((again.acceptance(), again.ask_time, again.satisfaction), (Acceptance::Open, None, None));
        act(&services, &id, Verb::Resolve, How::at(hour(7))).await.expect("allowed");
        let closed = act(&services, &id, Verb::Close, How::at(hour(8))).await.expect("allowed");
        assert_eq!(closed.acceptance(), Acceptance::NotAsked, "closed without asking");
        let accepted = accept(&services, &id, Acceptance::Accepted, 9).await.expect("unasked");
        assert_eq!(accepted.acceptance(), Acceptance::Accepted);
        let history = get(&services, &id).await.history;
        assert_eq!((history[0].r#type(), history[0].acceptance()), (Event::AcceptanceRecorded, Acceptance::Accepted));
        assert_eq!((history[0].satisfaction, history[0].text.as_str()), (Some(4), "thanks"));
        let expected = [
            Event::Opened,
            Event::Resolved,
            Event::AcceptanceAsked,
            Event::AcceptanceRecorded,
            Event::Reopened,
            Event::Resolved,
            Event::Closed,
            Event::AcceptanceRecorded,
        ];
        assert_eq!(entries(&services, &id).await, expected);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn figures_are_told_what_became_of_it_and_nothing_personal() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = opened(&services).await.case_id;
        decide(&services, &id, upheld()).await.expect("decided");
        act(&services, &id, Verb::Resolve, How::at(hour(3))).await.expect("allowed");
        accept(&services, &id, Acceptance::Accepted, 5).await.expect("told");
        let mut batches =
            services.complaints.clone().watch_facts(WatchFactsRequest::default()).await.expect("a watch").into_inner();
        let case = loop {
            let batch = batches.message().await.expect("a batch").expect("it goes on");
            let found = batch.facts.into_iter().filter(|fact| fact.id == id).find_map(|fact| match fact.fact {
                Some(fact::Fact::Case(case)) if case.satisfaction.is_some() => Some(case),
                _ => None,
            });
            if let Some(case) = found {
                break case;
            }
        };
        assert_eq!((case.finding(), case.root_cause.as_str()), (Finding::Upheld, "carrier/strike"));
        let redress: Vec<_> = case.redress.iter().map(|r| (r.remedy(), r.amount.clone(), r.points)).collect();
        let expected = [(Remedy::Refund, Some(eur(12)), 0), (Remedy::Voucher, None, 500), (Remedy::Apology, None, 0)];
        assert_eq!(redress, expected);
        assert_eq!((case.acceptance(), case.satisfaction), (Acceptance::Accepted, Some(4)));
        services.stop().await;
    })
    .await;
}
