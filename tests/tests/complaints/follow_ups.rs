//! Closing the loop: a dissatisfied answer to a survey opens one case, and the next answer tells what came of it.

use barometer_chassis::testing::{DatabaseKind, TestDatabase, on_each_database};
use barometer_proto::{
    complaints::v1::{
        Case, CaseEntryType as Event, CaseKind, FactKind, FollowUp, FollowUpFact, FollowUpOutcome as Outcome,
        FollowUpRule, FollowUpRuleSet, GetFollowUpRequest, ListCasesRequest, ListFollowUpsRequest, Priority,
        PublishFollowUpRulesRequest, Severity, WatchFactsRequest, case::State, fact, get_follow_up_request::By,
    },
    customers::v1::{Attributes, CreateCustomerRequest, Customer},
    surveys::v1::{
        ActivateSurveyRequest, AmendResponseRequest, Category, CreateSurveyRequest, ImportResponsesRequest, Response,
        ResponseRow, SubmitResponseRequest, SurveyKind, WithdrawResponseRequest, response,
    },
};
use barometer_tests::{
    eventually,
    samples::{customer, from_now, mask, response as answer_to, survey},
    services::Services,
};
use prost_types::Duration;
use uuid::Uuid;

use crate::{How, Verb, act, entries, get, withdraw};

fn rule(name: &str) -> FollowUpRule {
    FollowUpRule { name: name.to_owned(), team: "care".to_owned(), ..FollowUpRule::default() }
}

fn seconds(seconds: i64) -> Option<Duration> {
    Some(Duration { seconds, nanos: 0 })
}

async fn publish(services: &Services, rules: Vec<FollowUpRule>) -> FollowUpRuleSet {
    let rule_set = Some(FollowUpRuleSet { rules, ..FollowUpRuleSet::default() });
    let request = PublishFollowUpRulesRequest { rule_set, ..Default::default() };
    services.follow_ups.clone().publish_follow_up_rules(request).await.expect("published").into_inner()
}

/// A survey that takes answers.
async fn active(services: &Services, name: &str, kind: SurveyKind) -> String {
    let mut client = services.surveys.clone();
    let request = CreateSurveyRequest { survey: Some(survey(name, kind)), request_id: String::new() };
    let survey_id = client.create_survey(request).await.expect("created").into_inner().survey_id;
    let request = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
    client.activate_survey(request).await.expect("activated");
    survey_id
}

/// Detractors are followed up; the survey that they answer.
pub(crate) async fn followed(services: &Services) -> String {
    publish(services, vec![rule("detractors")]).await;
    active(services, "relation", SurveyKind::Nps).await
}

fn somebody() -> String {
    Uuid::new_v4().to_string()
}

/// An answer so many seconds from now.
fn said(survey: &str, customer: &str, score: i32, at: i64) -> Response {
    Response {
        customer: Some(response::Customer::CustomerId(customer.to_owned())),
        answer_time: Some(from_now(at)),
        ..answer_to(survey, score)
    }
}

async fn submit(services: &Services, response: Response) -> String {
    let request = SubmitResponseRequest { response: Some(response), request_id: String::new() };
    services.surveys.clone().submit_response(request).await.expect("taken").into_inner().response_id
}

pub(crate) async fn answer(services: &Services, survey: &str, customer: &str, score: i32, at: i64) -> String {
    submit(services, said(survey, customer, score, at)).await
}

async fn amend_score(services: &Services, response_id: &str, score: i32) {
    let response = Response { response_id: response_id.to_owned(), score: Some(score), ..Response::default() };
    let request =
        AmendResponseRequest { response: Some(response), update_mask: mask(&["score"]), request_id: String::new() };
    services.surveys.clone().amend_response(request).await.expect("amended");
}

async fn take_back(services: &Services, response_id: &str) {
    let request = WithdrawResponseRequest { response_id: response_id.to_owned(), ..Default::default() };
    services.surveys.clone().withdraw_response(request).await.expect("withdrawn");
}

async fn find(services: &Services, response_id: &str) -> Option<FollowUp> {
    let request = GetFollowUpRequest { by: Some(By::ResponseId(response_id.to_owned())) };
    services.follow_ups.clone().get_follow_up(request).await.ok().map(tonic::Response::into_inner)
}

/// The follow-up of an answer, once something has come of it.
pub(crate) async fn comes_to(services: &Services, response_id: &str, outcome: Outcome) -> FollowUp {
    let is_so = async || find(services, response_id).await.is_some_and(|found| found.outcome() == outcome);
    eventually(&format!("the follow-up is {outcome:?}"), is_so).await;
    find(services, response_id).await.expect("there")
}

async fn list(services: &Services, request: ListFollowUpsRequest) -> Vec<FollowUp> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListFollowUpsRequest { page_size: 7, page_token, ..request.clone() };
        let page = services.follow_ups.clone().list_follow_ups(request).await.expect("a list").into_inner();
        all.extend(page.follow_ups);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

async fn cases(services: &Services) -> Vec<Case> {
    let kinds = vec![CaseKind::SurveyFollowUp.into()];
    let request = ListCasesRequest { kinds, page_size: 1_000, ..Default::default() };
    services.complaints.clone().list_cases(request).await.expect("a list").into_inner().cases
}

/// Waits until everything answered so far was taken in: what comes after it was.
async fn taken_in(services: &Services, survey: &str) {
    let last = answer(services, survey, &somebody(), 0, 0).await;
    comes_to(services, &last, Outcome::Pending).await;
}

async fn fact_of(services: &Services, id: &str) -> FollowUpFact {
    let request = WatchFactsRequest { kinds: vec![FactKind::FollowUp.into()], after: String::new() };
    let mut batches = services.complaints.clone().watch_facts(request).await.expect("a watch").into_inner();
    loop {
        let batch = batches.message().await.expect("a batch").expect("it goes on");
        for one in batch.facts.into_iter().filter(|fact| fact.id == id) {
            if let Some(fact::Fact::FollowUp(follow_up)) = one.fact {
                return follow_up;
            }
        }
    }
}

#[tokio::test]
async fn a_detractor_is_followed_up_by_one_case_and_others_by_none() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let rules = FollowUpRule {
            employee: "anna".to_owned(),
            category: "relation/low".to_owned(),
            severity: Severity::High.into(),
            ..rule("detractors")
        };
        let set = publish(&services, vec![rules.clone()]).await;
        assert_eq!(publish(&services, vec![rules]).await, set, "the same rules make no version");
        let nps = active(&services, "relation", SurveyKind::Nps).await;
        let csat = active(&services, "delivery", SurveyKind::Csat).await;
        let customer = somebody();

        answer(&services, &nps, &somebody(), 7, 0).await;
        answer(&services, &nps, &somebody(), 10, 0).await;
        answer(&services, &csat, &somebody(), 1, 0).await;
        submit(&services, Response { customer: None, ..said(&nps, "", 0, 0) }).await;
        submit(&services, Response { score: None, ..said(&nps, &somebody(), 0, 0) }).await;
        answer(&services, &nps, &somebody(), 0, -3_600).await;
        let row = ResponseRow { row: 1, response: Some(said(&nps, &somebody(), 0, 0)) };
        let imports = tokio_stream::iter([ImportResponsesRequest { rows: vec![row] }]);
        let mut imported = services.surveys.clone().import_responses(imports).await.expect("a stream").into_inner();
        assert_eq!(imported.message().await.expect("an answer").map(|batch| batch.recorded), Some(1));
        let response = Response { comment: "never again".to_owned(), ..said(&nps, &customer, 3, 0) };
        let response_id = submit(&services, response).await;

        let follow_up = comes_to(&services, &response_id, Outcome::Pending).await;
        assert_eq!(
            list(&services, ListFollowUpsRequest::default()).await,
            std::slice::from_ref(&follow_up),
            "of all answers before"
        );
        assert_eq!((&follow_up.customer_id, &follow_up.survey_id), (&customer, &nps));
        assert_eq!((follow_up.score, follow_up.category()), (3, Category::Detractor));
        assert_eq!((follow_up.rule_name.as_str(), follow_up.rule_set_version), ("detractors", set.version));
        assert_eq!((follow_up.close_time, follow_up.closing_score), (None, None));

        let cases = cases(&services).await;
        assert_eq!(cases.len(), 1);
        let case = &cases[0];
        assert_eq!((&case.case_id, case.kind()), (&follow_up.case_id, CaseKind::SurveyFollowUp));
        assert_eq!((case.employee.as_str(), case.team.as_str()), ("anna", "care"));
        assert_eq!((case.category.as_str(), case.severity()), ("relation/low", Severity::High));
        assert_eq!((case.subject.as_str(), case.description.as_str()), ("", ""), "nothing of what was said");
        assert_eq!(case.state(), State::Received);
        assert_eq!(entries(&services, &case.case_id).await, [Event::Opened]);

        let fact = fact_of(&services, &follow_up.follow_up_id).await;
        assert_eq!((fact.case_id, fact.response_id), (follow_up.case_id.clone(), response_id));
        assert_eq!((fact.outcome, fact.open_time), (follow_up.outcome, follow_up.open_time));
        let by_case = GetFollowUpRequest { by: Some(By::CaseId(follow_up.case_id.clone())) };
        let by_case = services.follow_ups.clone().get_follow_up(by_case).await.expect("there").into_inner();
        assert_eq!(by_case, follow_up);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_next_answer_tells_what_came_of_it_until_it_is_amended() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = followed(&services).await;
        let customers = [somebody(), somebody(), somebody()];
        let mut opened = Vec::new();
        for customer in &customers {
            opened.push(answer(&services, &nps, customer, 4, 0).await);
        }
        let mut next = Vec::new();
        for (customer, score) in customers.iter().zip([8, 6, 1]) {
            next.push(answer(&services, &nps, customer, score, 60).await);
        }
        let recovered = comes_to(&services, &opened[0], Outcome::Recovered).await;
        assert_eq!((&recovered.closing_response_id, recovered.closing_score), (&next[0], Some(8)));
        assert!(recovered.close_time.is_some());
        comes_to(&services, &opened[1], Outcome::Unchanged).await;
        comes_to(&services, &opened[2], Outcome::Worse).await;
        // The waiting time: detractors again, but asked already.
        assert_eq!(list(&services, ListFollowUpsRequest::default()).await.len(), 3);
        assert_eq!(entries(&services, &recovered.case_id).await, [Event::Opened, Event::FollowUpEnded]);
        let history = get(&services, &recovered.case_id).await.history;
        assert_eq!(history[0].follow_up_outcome(), Outcome::Recovered);

        amend_score(&services, &next[0], 2).await;
        comes_to(&services, &opened[0], Outcome::Worse).await;
        take_back(&services, &next[0]).await;
        let again = comes_to(&services, &opened[0], Outcome::Pending).await;
        assert_eq!((again.close_time, again.closing_response_id.as_str()), (None, ""));
        answer(&services, &nps, &customers[0], 9, 120).await;
        let found = comes_to(&services, &opened[0], Outcome::Recovered).await;
        assert_eq!(found.closing_score, Some(9));

        let only = ListFollowUpsRequest { outcomes: vec![Outcome::Worse.into()], ..Default::default() };
        assert_eq!(list(&services, only).await[0].response_id, opened[2]);
        let only = ListFollowUpsRequest { customer_id: customers[1].clone(), survey_id: nps, ..Default::default() };
        assert_eq!(list(&services, only).await[0].response_id, opened[1]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn answers_that_come_in_the_wrong_order_come_to_the_same() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = followed(&services).await;
        let customer = somebody();
        answer(&services, &nps, &customer, 9, 600).await;
        taken_in(&services, &nps).await;
        let first = answer(&services, &nps, &customer, 2, 0).await;
        let found = comes_to(&services, &first, Outcome::Recovered).await;
        assert_eq!(found.closing_score, Some(9));
        // One that lies between: it is the next.
        answer(&services, &nps, &customer, 1, 300).await;
        comes_to(&services, &first, Outcome::Worse).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_window_ends_without_an_answer_and_one_that_was_given_in_it_counts() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        publish(&services, vec![FollowUpRule { window: seconds(2), ..rule("short") }]).await;
        let nps = active(&services, "relation", SurveyKind::Nps).await;
        let customer = somebody();
        let first = answer(&services, &nps, &customer, 5, 0).await;
        let silent = comes_to(&services, &first, Outcome::NoAnswer).await;
        assert_eq!(silent.close_time.map(|at| at.seconds), silent.window_end_time.map(|at| at.seconds));
        answer(&services, &nps, &customer, 10, 600).await;
        taken_in(&services, &nps).await;
        assert_eq!(find(&services, &first).await.expect("there").outcome(), Outcome::NoAnswer, "too late");
        let answer_time = silent.window_end_time;
        submit(&services, Response { answer_time, ..said(&nps, &customer, 10, 0) }).await;
        comes_to(&services, &first, Outcome::Recovered).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_needs_no_follow_up_any_more_is_cancelled_unless_somebody_works_on_it() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = followed(&services).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(answer(&services, &nps, &somebody(), 3, 0).await);
        }
        let mut opened = Vec::new();
        for answer in &answers {
            opened.push(comes_to(&services, answer, Outcome::Pending).await.case_id);
        }
        act(&services, &opened[1], Verb::Annotate, How::default()).await.expect("allowed");
        take_back(&services, &answers[0]).await;
        take_back(&services, &answers[1]).await;
        amend_score(&services, &answers[2], 9).await;
        withdraw(&services, &opened[3]).await;
        for answer in &answers {
            comes_to(&services, answer, Outcome::Cancelled).await;
        }
        let state = async |case: &str| get(&services, case).await.state();
        assert_eq!(state(&opened[0]).await, State::Cancelled);
        assert_eq!(state(&opened[1]).await, State::Received, "somebody has read it");
        assert_eq!(state(&opened[2]).await, State::Cancelled);
        let expected = [Event::Opened, Event::FollowUpEnded, Event::Cancelled];
        assert_eq!(entries(&services, &opened[0]).await, expected);

        // For good.
        amend_score(&services, &answers[2], 3).await;
        taken_in(&services, &nps).await;
        assert_eq!(find(&services, &answers[2]).await.expect("there").outcome(), Outcome::Cancelled);
        assert_eq!(state(&opened[2]).await, State::Cancelled);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_its_customer_is_worth_is_nobodys_work_on_a_case() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = followed(&services).await;
        let attributes = Some(Attributes { value_band: "high".to_owned(), ..Attributes::default() });
        let new = Customer { attributes, ..customer("c-1") };
        let request = CreateCustomerRequest { customer: Some(new), request_id: String::new() };
        let customer = services.customers.clone().create_customer(request).await.expect("created").into_inner();
        let response = answer(&services, &nps, &customer.customer_id, 3, 0).await;
        let case = comes_to(&services, &response, Outcome::Pending).await.case_id;
        eventually("it is urgent", async || get(&services, &case).await.priority() == Priority::High).await;
        take_back(&services, &response).await;
        comes_to(&services, &response, Outcome::Cancelled).await;
        assert_eq!(get(&services, &case).await.state(), State::Cancelled);
        let expected = [Event::Opened, Event::Prioritized, Event::FollowUpEnded, Event::Cancelled];
        assert_eq!(entries(&services, &case).await, expected);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn restarts_and_another_history_of_the_surveys_open_nothing_twice() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = followed(&services).await;
        let (kept, lost) = (somebody(), somebody());
        let first = answer(&services, &nps, &kept, 4, 0).await;
        let second = answer(&services, &nps, &lost, 1, 0).await;
        comes_to(&services, &first, Outcome::Pending).await;
        let of_lost = comes_to(&services, &second, Outcome::Pending).await;
        services.stop().await;

        let services = Services::start(database).await;
        answer(&services, &nps, &kept, 9, 60).await;
        comes_to(&services, &first, Outcome::Recovered).await;
        assert_eq!(list(&services, ListFollowUpsRequest::default()).await.len(), 2);
        services.stop().await;

        // As after the restore of a backup: other markers, and an answer is not there any more.
        database.execute("surveys", "DELETE FROM feed_marker").await;
        database.execute("surveys", "DELETE FROM response WHERE score = 1").await;
        let services = Services::start(database).await;
        let found = comes_to(&services, &second, Outcome::Cancelled).await;
        assert_eq!(found.case_id, of_lost.case_id);
        assert_eq!(get(&services, &of_lost.case_id).await.state(), State::Cancelled);
        taken_in(&services, &nps).await;
        assert_eq!(find(&services, &first).await.expect("there").outcome(), Outcome::Recovered);
        let all = list(&services, ListFollowUpsRequest::default()).await;
        assert_eq!((all.len(), cases(&services).await.len()), (3, 3), "and the one that was answered just now");
        services.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_open_one_case_for_each_answer() {
    const ANSWERS: usize = 40;
    let database = TestDatabase::new(DatabaseKind::Postgres).await;
    let (one, other) = (Services::start(&database).await, Services::start(&database).await);
    let nps = followed(&one).await;
    let mut answers = Vec::new();
    for n in 0..ANSWERS {
        let services = if n % 2 == 0 { &one } else { &other };
        answers.push(answer(services, &nps, &somebody(), 2, 0).await);
    }
    other.stop().await;
    // The one that is left, and one that comes anew.
    let third = Services::start(&database).await;
    for answer in &answers {
        comes_to(&third, answer, Outcome::Pending).await;
    }
    taken_in(&one, &nps).await;
    let follow_ups = list(&one, ListFollowUpsRequest::default()).await;
    assert_eq!((follow_ups.len(), cases(&one).await.len()), (ANSWERS + 1, ANSWERS + 1));
    one.stop().await;
    third.stop().await;
}

#[tokio::test]
async fn rules_hold_from_their_publication_until_the_next() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let nps = active(&services, "relation", SurveyKind::Nps).await;
        let before = answer(&services, &nps, &somebody(), 0, 0).await;
        let strict = FollowUpRule { at_most: Some(2), team: "board".to_owned(), ..rule("worst") };
        publish(&services, vec![strict, rule("detractors")]).await;
        let worst = answer(&services, &nps, &somebody(), 2, 0).await;
        let bad = answer(&services, &nps, &somebody(), 3, 0).await;
        let found = comes_to(&services, &worst, Outcome::Pending).await;
        assert_eq!(get(&services, &found.case_id).await.team, "board");
        assert_eq!(comes_to(&services, &bad, Outcome::Pending).await.rule_name, "detractors");
        assert_eq!(find(&services, &before).await, None, "before there were rules");

        // Others from now on; what is open goes on.
        let other = active(&services, "another", SurveyKind::Nps).await;
        publish(&services, vec![FollowUpRule { survey_ids: vec![other.clone()], ..rule("another") }]).await;
        let after = answer(&services, &nps, &somebody(), 0, 0).await;
        taken_in(&services, &other).await;
        assert_eq!(find(&services, &after).await, None);
        assert_eq!(find(&services, &worst).await, Some(found));
        services.stop().await;
    })
    .await;
}
