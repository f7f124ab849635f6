//! Corners of the contract that go through more than one service.

use barometer_chassis::{clock::Micros, position::Position, testing::on_each_database};
use barometer_proto::{
    common::v1::{ExternalId, Money},
    customers::v1::{self as customers, AmendPurchaseRequest, Purchase, PurchaseLine, RecordPurchaseRequest, purchase},
    metrics::v1::{Filter, QueryMetricsRequest, Row, RowState},
    surveys::v1::{
        ActivateSurveyRequest, AmendResponseRequest, CloseSurveyRequest, CreateSurveyRequest, Disposition, Response,
        SubmitResponseRequest, Survey, SurveyKind, SurveyType, response,
    },
};
use barometer_tests::Suite;
use prost_types::{FieldMask, Timestamp};
use tonic::Code;

async fn survey(suite: &Suite, name: &str, r#type: SurveyType) -> Survey {
    let (kind, r#type) = (SurveyKind::Nps.into(), r#type.into());
    let survey = Survey { name: name.to_owned(), kind, r#type, ..Survey::default() };
    let request = CreateSurveyRequest { survey: Some(survey), ..Default::default() };
    let created = suite.surveys.clone().create_survey(request).await.expect("created").into_inner();
    let request = ActivateSurveyRequest { survey_id: created.survey_id, ..Default::default() };
    suite.surveys.clone().activate_survey(request).await.expect("activated").into_inner()
}

fn answer(survey: &Survey, customer: Option<&str>, score: Option<i32>) -> SubmitResponseRequest {
    let key = |value: &str| ExternalId { system: "shop".to_owned(), value: value.to_owned() };
    let response = Response {
        survey: Some(response::Survey::SurveyId(survey.survey_id.clone())),
        customer: customer.map(|value| response::Customer::CustomerKey(key(value))),
        score,
        answer_time: Some(Micros::now().to_wire()),
        ..Response::default()
    };
    SubmitResponseRequest { response: Some(response), ..Default::default() }
}

async fn nps(suite: &Suite, query: QueryMetricsRequest) -> Vec<Row> {
    let request = QueryMetricsRequest { metrics: vec!["nps".to_owned()], ..query };
    suite.metrics.clone().query_metrics(request).await.expect("figures").into_inner().results.remove(0).rows
}

fn mask(path: &str) -> Option<FieldMask> {
    Some(FieldMask { paths: vec![path.to_owned()] })
}

#[tokio::test(flavor = "multi_thread")]
async fn relational_and_transactional_answers_are_not_blended_unasked() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let mut last = String::new();
        let relational = survey(&suite, "Relation", SurveyType::Relational).await;
        let transactional = survey(&suite, "Event", SurveyType::Transactional).await;
        for (survey, score) in [(&relational, 10), (&transactional, 0)] {
            let written = suite.surveys.clone().submit_response(answer(survey, None, Some(score))).await;
            last = written.expect("submitted").into_inner().position;
        }
        let ask = async |filters: Vec<Filter>| {
            let rows = nps(&suite, QueryMetricsRequest { filters, at_least: vec![last.clone()], ..Default::default() });
            rows.await.iter().map(|row| row.value).collect::<Vec<_>>()
        };
        let filter = |values: &[&str], exclude| {
            let values = values.iter().map(ToString::to_string).collect();
            vec![Filter { dimension: "survey".to_owned(), values, exclude }]
        };
        let apart = [Some(100.0), Some(-100.0)];
        assert_eq!(ask(Vec::new()).await, apart);
        assert_eq!(ask(filter(&["Relation", "Event"], false)).await, apart);
        assert_eq!(ask(filter(&["Another"], true)).await, apart);
        assert_eq!(ask(filter(&["Event"], false)).await, [Some(-100.0)]);
        suite.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_came_after_the_last_fact_is_told_that_there_was_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let survey = survey(&suite, "Long ago", SurveyType::Relational).await;
        let mut old = answer(&survey, None, Some(9));
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        old.response.as_mut().expect("a response").answer_time = at(1_300_000_000);
        let written = suite.surveys.clone().submit_response(old).await.expect("submitted").into_inner();
        let query = QueryMetricsRequest {
            start_time: at(1_600_000_000),
            at_least: vec![written.position],
            ..Default::default()
        };
        let rows = nps(&suite, query).await;
        assert!(rows.iter().all(|row| row.value.is_none() && row.state() == RowState::NoFacts), "{rows:?}");
        suite.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_answer_creates_no_customer() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let survey = survey(&suite, "Closing", SurveyType::Relational).await;
        let request_id = "0d5a8f9e-3f43-4a51-9f7c-0a6f4bb0a001".to_owned();
        let early = SubmitResponseRequest { request_id, ..answer(&survey, Some("c-1"), Some(9)) };
        let first = suite.surveys.clone().submit_response(early.clone()).await.expect("submitted").into_inner();
        let request = CloseSurveyRequest { survey_id: survey.survey_id.clone(), ..Default::default() };
        suite.surveys.clone().close_survey(request).await.expect("closed");

        let customers = async || {
            let list = suite.customers.clone().list_customers(customers::ListCustomersRequest::default()).await;
            list.expect("a list").into_inner().customers.len()
        };
        let refused = suite.surveys.clone().submit_response(answer(&survey, Some("c-2"), Some(9))).await;
        assert_eq!(refused.expect_err("closed").code(), Code::FailedPrecondition);
        assert_eq!(customers().await, 1);
        // The repeat of what was taken before is answered as it was.
        let again = suite.surveys.clone().submit_response(early).await.expect("the same").into_inner();
        assert_eq!((again.response_id, again.position), (first.response_id, first.position));
        assert_eq!(customers().await, 1);
        suite.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_an_amended_field_follows() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let survey = survey(&suite, "Late", SurveyType::Relational).await;
        let mut refused = answer(&survey, None, None);
        refused.response.as_mut().expect("a response").disposition = Disposition::Refused.into();
        let written = suite.surveys.clone().submit_response(refused).await.expect("submitted").into_inner();
        let scored = Response { response_id: written.response_id, score: Some(7), ..Response::default() };
        let request = AmendResponseRequest { response: Some(scored), update_mask: mask("score"), ..Default::default() };
        let amended = suite.surveys.clone().amend_response(request).await.expect("amended").into_inner();
        assert_eq!((amended.score, amended.disposition()), (Some(7), Disposition::Unspecified));

        let line = |units| PurchaseLine {
            category: "books".to_owned(),
            amount: Some(Money { currency_code: "EUR".to_owned(), units, nanos: 0 }),
            ..PurchaseLine::default()
        };
        let key = ExternalId { system: "shop".to_owned(), value: "c-1".to_owned() };
        let bought = Purchase {
            customer: Some(purchase::Customer::CustomerKey(key)),
            time: Some(Micros::now().to_wire()),
            lines: vec![line(3), line(4)],
            ..Purchase::default()
        };
        let request = RecordPurchaseRequest { purchase: Some(bought), ..Default::default() };
        let written = suite.customers.clone().record_purchase(request).await.expect("recorded").into_inner();
        let corrected = Purchase { purchase_id: written.purchase_id, lines: vec![line(5)], ..Purchase::default() };
        let request =
            AmendPurchaseRequest { purchase: Some(corrected), update_mask: mask("lines"), ..Default::default() };
        let amended = suite.customers.clone().amend_purchase(request).await.expect("amended").into_inner();
        assert_eq!(amended.amount.map(|amount| amount.units), Some(5));
        let (_, position) = Position::decode(&amended.position).expect("a position");
        assert!(position.n > 0);
        suite.stop().await;
    })
    .await;
}
