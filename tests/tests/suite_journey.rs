//! One journey through the whole suite, over gRPC: what is said moves the figures, within a second and to the digit.

use std::time::{Duration, Instant};

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::{
    common::v1::{ExternalId, Money},
    customers::v1::{Purchase, RecordPurchaseRequest, WithdrawPurchaseRequest, purchase},
    metrics::v1::{Filter, Granularity, MetricResult, QueryMetricsRequest, Row, RowState},
    surveys::v1::{
        ActivateSurveyRequest, AmendResponseRequest, CreateSurveyRequest, Response, SubmitResponseRequest, Survey,
        SurveyKind, SurveyType, WithdrawResponseRequest, response,
    },
};
use barometer_tests::{Suite, eventually, on_each_suite};
use prost_types::FieldMask;

/// A survey that takes answers.
async fn survey(suite: &Suite, name: &str) -> Survey {
    let survey = Survey {
        name: name.to_owned(),
        kind: SurveyKind::Nps.into(),
        r#type: SurveyType::Relational.into(),
        dimensions: vec!["region".to_owned()],
        ..Survey::default()
    };
    let request = CreateSurveyRequest { survey: Some(survey), request_id: String::new() };
    let created = suite.surveys.clone().create_survey(request).await.expect("created").into_inner();
    let request = ActivateSurveyRequest { survey_id: created.survey_id, ..Default::default() };
    suite.surveys.clone().activate_survey(request).await.expect("activated").into_inner()
}

fn key(value: &str) -> ExternalId {
    ExternalId { system: "shop".to_owned(), value: value.to_owned() }
}

/// Submits an answer of a customer who is known by a key.
async fn answer(suite: &Suite, survey: &Survey, customer: &str, score: i32) -> Response {
    let response = Response {
        survey: Some(response::Survey::SurveyId(survey.survey_id.clone())),
        customer: Some(response::Customer::CustomerKey(key(customer))),
        score: Some(score),
        answer_time: Some(Micros::now().to_wire()),
        dimensions: [("region".to_owned(), "north".to_owned())].into(),
        ..Response::default()
    };
    let request = SubmitResponseRequest { response: Some(response), request_id: String::new() };
    suite.surveys.clone().submit_response(request).await.expect("submitted").into_inner()
}

/// One metric of everything, as soon as the figures include these positions.
async fn figure(suite: &Suite, metric: &str, filters: Vec<Filter>, at_least: &[&str]) -> MetricResult {
    let request = QueryMetricsRequest {
        metrics: vec![metric.to_owned()],
        filters,
        at_least: at_least.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let answer = suite.metrics.clone().query_metrics(request).await.expect("figures").into_inner();
    answer.results.into_iter().next().expect("one metric was asked for")
}

fn of_survey(survey: &Survey) -> Vec<Filter> {
    vec![Filter { dimension: "survey".to_owned(), values: vec![survey.name.clone()], exclude: false }]
}

async fn nps(suite: &Suite, survey: &Survey, at_least: &str) -> Row {
    let result = figure(suite, "nps", of_survey(survey), &[at_least]).await;
    assert_eq!(result.rows.len(), 1, "{result:?}");
    result.rows.into_iter().next().expect("checked")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_moves_nps_and_its_amendment_and_withdrawal_move_it_back() {
    on_each_suite(async |suite| {
        let survey = survey(suite, "Journey").await;

        answer(suite, &survey, "c-1", 10).await;
        let detractor = answer(suite, &survey, "c-2", 3).await;
        let row = nps(suite, &survey, &detractor.position).await;
        assert_eq!(row.value, Some(0.0));
        assert_eq!((row.counts["promoters"], row.counts["passives"], row.counts["detractors"]), (1.0, 0.0, 1.0));
        let interval = row.interval.expect("scores carry an interval");
        assert!(interval.low < 0.0 && interval.high > 0.0 && interval.level == 0.95, "{interval:?}");

        let response = Response { response_id: detractor.response_id.clone(), score: Some(8), ..Response::default() };
        let update_mask = Some(FieldMask { paths: vec!["score".to_owned()] });
        let request = AmendResponseRequest { response: Some(response), update_mask, request_id: String::new() };
        let amended = suite.surveys.clone().amend_response(request).await.expect("amended").into_inner();
        assert_eq!(nps(suite, &survey, &amended.position).await.value, Some(50.0));

        let request = WithdrawResponseRequest { response_id: detractor.response_id, ..Default::default() };
        let withdrawn = suite.surveys.clone().withdraw_response(request).await.expect("withdrawn").into_inner();
        let row = nps(suite, &survey, &withdrawn.position).await;
        assert_eq!((row.value, row.counts["promoters"]), (Some(100.0), 1.0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_figure_tells_when_an_amendment_changed_it() {
    on_each_suite(async |suite| {
        let survey = survey(suite, "Revised").await;
        let of_day = async |day: i64, customer: &str| {
            let response = Response {
                survey: Some(response::Survey::SurveyId(survey.survey_id.clone())),
                customer: Some(response::Customer::CustomerKey(key(customer))),
                score: Some(9),
                answer_time: Some(Micros(day * Micros::DAY).to_wire()),
                ..Response::default()
            };
            let request = SubmitResponseRequest { response: Some(response), request_id: String::new() };
            suite.surveys.clone().submit_response(request).await.expect("submitted").into_inner()
        };
        let (first, second) = (of_day(15_000, "c-1").await, of_day(15_001, "c-2").await);
        let written = |response: &Response| response.update_time.as_ref().expect("its time").seconds;
        let revised = async |at_least: &str| -> Vec<i64> {
            let request = QueryMetricsRequest {
                metrics: vec!["nps".to_owned()],
                // Not until today, when others answer: that is more days than an answer has.
                start_time: Some(Micros(15_000 * Micros::DAY).to_wire()),
                end_time: Some(Micros(15_002 * Micros::DAY).to_wire()),
                filters: of_survey(&survey),
                granularity: Granularity::Day.into(),
                at_least: vec![at_least.to_owned()],
                ..Default::default()
            };
            let answer = suite.metrics.clone().query_metrics(request).await.expect("figures").into_inner();
            let rows = answer.results.into_iter().flat_map(|result| result.rows);
            rows.map(|row| row.revise_time.expect("facts of either day").seconds).collect()
        };
        assert_eq!(revised(&second.position).await, [written(&first), written(&second)]);

        // What is told is told in seconds: until the next one begins.
        eventually("a second passes", async || Micros::now().0 / Micros::SECOND > written(&first)).await;
        let response = Response { response_id: first.response_id.clone(), score: Some(0), ..Response::default() };
        let update_mask = Some(FieldMask { paths: vec!["score".to_owned()] });
        let request = AmendResponseRequest { response: Some(response), update_mask, request_id: String::new() };
        let amended = suite.surveys.clone().amend_response(request).await.expect("amended").into_inner();
        assert!(written(&amended) > written(&first));
        assert_eq!(revised(&amended.position).await, [written(&amended), written(&second)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_follow_within_a_second_without_a_token() {
    on_each_suite(async |suite| {
        let survey = survey(suite, "Speed").await;
        // As a rule; a busy machine may hold up one or the other.
        let mut waited = Vec::new();
        for n in 1..=5 {
            answer(suite, &survey, "c-1", 9).await;
            let begun = Instant::now();
            eventually("the answer is in the figures", async || {
                let rows = figure(suite, "nps", of_survey(&survey), &[]).await.rows;
                rows.first().is_some_and(|row| row.counts["promoters"] == f64::from(n))
            })
            .await;
            waited.push(begun.elapsed());
        }
        waited.sort_unstable();
        assert!(waited[2] < Duration::from_secs(1), "{waited:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_and_its_withdrawal_move_revenue_in_its_currency_only() {
    on_each_suite(async |suite| {
        let purchase = |customer: &str, currency: &str, units: i64, nanos: i32| Purchase {
            customer: Some(purchase::Customer::CustomerKey(key(customer))),
            time: Some(Micros::now().to_wire()),
            amount: Some(Money { currency_code: currency.to_owned(), units, nanos }),
            ..Purchase::default()
        };
        let record = async |purchase: Purchase| {
            let request = RecordPurchaseRequest { purchase: Some(purchase), request_id: String::new() };
            suite.customers.clone().record_purchase(request).await.expect("recorded").into_inner()
        };
        let first = record(purchase("c-1", "EUR", 10, 500_000_000)).await;
        record(purchase("c-1", "EUR", -2, -250_000_000)).await;
        let last = record(purchase("c-2", "USD", 7, 0)).await;

        let rows = figure(suite, "revenue", Vec::new(), &[&last.position]).await.rows;
        let said: Vec<_> = rows.iter().map(|row| (row.group["currency"].as_str(), row.value)).collect();
        assert_eq!(said, [("EUR", Some(8.25)), ("USD", Some(7.0))]);
        let gross = &rows[0].amounts["gross"];
        assert_eq!((gross.units, gross.nanos), (10, 500_000_000));

        let request = WithdrawPurchaseRequest { purchase_id: first.purchase_id, ..Default::default() };
        let gone = suite.customers.clone().withdraw_purchase(request).await.expect("withdrawn").into_inner();
        let rows = figure(suite, "revenue", Vec::new(), &[&gone.position]).await.rows;
        assert_eq!(rows[0].value, Some(-2.25));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_without_facts_has_no_value_and_says_so() {
    on_each_suite(async |suite| {
        let survey = survey(suite, "Nothing").await;
        let row = nps(suite, &survey, &survey.position).await;
        assert_eq!((row.value, row.state()), (None, RowState::NoFacts));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_there_after_a_restart() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let survey = survey(&suite, "Restart").await;
        answer(&suite, &survey, "c-1", 10).await;
        let last = answer(&suite, &survey, "c-2", 9).await;
        suite.stop().await;

        let suite = Suite::start(database).await;
        assert_eq!(nps(&suite, &survey, &last.position).await.counts["promoters"], 2.0);
        let after = answer(&suite, &survey, "c-1", 0).await;
        assert_eq!(after.customer, first_customer(&suite, &survey).await, "the key still names the same customer");
        suite.stop().await;
    })
    .await;
}

/// Who gave the first answer to a survey.
async fn first_customer(suite: &Suite, survey: &Survey) -> Option<response::Customer> {
    let request = barometer_proto::surveys::v1::ListResponsesRequest {
        survey_id: survey.survey_id.clone(),
        ..Default::default()
    };
    let listed = suite.surveys.clone().list_responses(request).await.expect("listed").into_inner();
    listed.responses.into_iter().next_back().and_then(|response| response.customer)
}
