//! Who answered: a customer of the caller's key is found or created by the customers service, and nothing else asks it.

use barometer_chassis::testing::on_each_database;
use barometer_proto::{
    customers::v1::LookupCustomerRequest,
    surveys::v1::{
        AmendResponseRequest, ImportResponsesRequest, ImportResponsesResponse, Response, ResponseRow,
        SubmitResponseRequest, SurveyKind, response,
    },
};
use barometer_tests::{
    samples::{key, mask, response as sample},
    services::{Services, told},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{active, submit};

fn by_key(survey: &str, value: &str) -> Response {
    Response { customer: Some(response::Customer::CustomerKey(key(value))), ..sample(survey, 9) }
}

fn by_id(survey: &str, id: &str) -> Response {
    Response { customer: Some(response::Customer::CustomerId(id.to_owned())), ..sample(survey, 9) }
}

async fn import(services: &Services, responses: Vec<Response>) -> Result<ImportResponsesResponse, Status> {
    let row = |(row, response)| ResponseRow { row, response: Some(response) };
    let batches = tokio_stream::iter([ImportResponsesRequest { rows: (0..).zip(responses).map(row).collect() }]);
    let mut answers = services.surveys.clone().import_responses(batches).await?.into_inner();
    Ok(answers.message().await?.expect("an answer to the batch"))
}

fn id(response: &Response) -> &str {
    match &response.customer {
        Some(response::Customer::CustomerId(id)) => id,
        other => panic!("no id of a customer: {other:?}"),
    }
}

#[tokio::test]
async fn a_key_finds_or_creates_its_customer() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let lookup = async |value: &str| {
            let request = LookupCustomerRequest { external_id: Some(key(value)) };
            services.customers.clone().lookup_customer(request).await.expect("there").into_inner().customer_id
        };
        let first = submit(&services, by_key(&survey, "c-1")).await.expect("submitted");
        assert_eq!(id(&first), lookup("c-1").await);
        let second = submit(&services, by_key(&survey, "c-1")).await.expect("submitted");
        assert_eq!(id(&second), id(&first));

        let request =
            SubmitResponseRequest { response: Some(by_key(&survey, "c-2")), request_id: Uuid::new_v4().to_string() };
        let once = services.surveys.clone().submit_response(request.clone()).await.expect("submitted").into_inner();
        let again = services.surveys.clone().submit_response(request).await.expect("the same").into_inner();
        assert_eq!(once, again);

        let rows = ["c-3", "c-1", "c-3"].map(|value| by_key(&survey, value));
        assert_eq!(import(&services, rows.to_vec()).await.expect("imported").recorded, 3);
        lookup("c-3").await;

        // By id nobody is asked, whether there is such a customer or not.
        submit(&services, by_id(&survey, &Uuid::new_v4().to_string())).await.expect("submitted");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_the_customers_service_only_keys_have_to_wait() {
    on_each_database(async |database| {
        let services = Services::start_apart(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let waits = |refused: Status| {
            assert_eq!((told(&refused).0, told(&refused).1.as_str()), (Code::Unavailable, "CUSTOMERS_UNAVAILABLE"));
            assert!(refused.get_details_retry_info().is_some(), "says when to try again");
        };
        waits(submit(&services, by_key(&survey, "c-1")).await.expect_err("nobody knows the key"));
        waits(import(&services, vec![sample(&survey, 9), by_key(&survey, "c-1")]).await.expect_err("the same"));

        let given = submit(&services, by_id(&survey, &Uuid::new_v4().to_string())).await.expect("submitted");
        submit(&services, sample(&survey, 9)).await.expect("submitted");
        assert_eq!(import(&services, vec![sample(&survey, 9)]).await.expect("imported").recorded, 1);
        let mut wrong = by_key(&survey, "c-1");
        wrong.score = Some(11);
        let refused = submit(&services, wrong).await.expect_err("wrong anyway");
        assert_eq!(told(&refused).2, ["response.score"]);

        let patch = |response: Response| AmendResponseRequest {
            response: Some(Response { response_id: given.response_id.clone(), ..response }),
            update_mask: None,
            request_id: String::new(),
        };
        let mut client = services.surveys.clone();
        waits(client.amend_response(patch(by_key(&survey, "c-1"))).await.expect_err("nobody knows the key"));
        let comment = Response { comment: "better".to_owned(), ..Response::default() };
        client.amend_response(patch(comment)).await.expect("amended");
        let anonymous = AmendResponseRequest { update_mask: mask(&["customer_id"]), ..patch(Response::default()) };
        let amended = client.amend_response(anonymous).await.expect("amended").into_inner();
        assert_eq!(amended.customer, None);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn rows_of_surveys_that_take_no_answers_are_refused_alone() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        crate::create(&services, barometer_tests::samples::survey("draft", SurveyKind::Nps)).await.expect("created");
        let named =
            |name: &str| Response { survey: Some(response::Survey::SurveyName(name.to_owned())), ..sample(&survey, 9) };
        let imported = import(&services, vec![named("draft"), named("s"), named("nobody's")]).await.expect("imported");
        assert_eq!(imported.recorded, 1);
        let refused = imported.rejected.iter().map(|rejected| {
            let violation = &rejected.violations[0];
            (rejected.row, violation.field.as_str(), violation.reason.as_str())
        });
        assert!(refused.eq([(0, "survey_id", "WRONG_STATE"), (2, "survey_id", "NOT_FOUND")]));
        services.stop().await;
    })
    .await;
}
