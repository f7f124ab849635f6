//! Pages of answers with long comments: as many as fit into one message.

use barometer_chassis::testing::on_each_database;
use barometer_proto::surveys::v1::{ImportResponsesRequest, ListResponsesRequest, Response, ResponseRow, SurveyKind};
use barometer_tests::{samples::response as sample, services::Services};

use crate::active;

#[tokio::test]
async fn what_does_not_fit_into_a_page_comes_with_the_next() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let survey = active(&services, "s", SurveyKind::Nps).await;
        let long =
            |row| ResponseRow { row, response: Some(Response { comment: "é".repeat(10_000), ..sample(&survey, 9) }) };
        // 6 MB of comments, while a message holds 4.
        let batches =
            (0..6).map(|batch| ImportResponsesRequest { rows: (batch * 50..batch * 50 + 50).map(long).collect() });
        let batches = tokio_stream::iter(batches.collect::<Vec<_>>());
        let mut answers = services.surveys.clone().import_responses(batches).await.expect("a stream").into_inner();
        while answers.message().await.expect("imported").is_some() {}

        let mut request = ListResponsesRequest { page_size: 1_000, ..Default::default() };
        let mut sizes = Vec::new();
        loop {
            let page = services.surveys.clone().list_responses(request.clone()).await.expect("a page").into_inner();
            sizes.push(page.responses.len());
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(sizes.iter().sum::<usize>(), 300, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size > 0));
        services.stop().await;
    })
    .await;
}
