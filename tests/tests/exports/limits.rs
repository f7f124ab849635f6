//! Tables are bounded: so many at once, until the caller's deadline, and until the server stops.

use std::time::Duration;

use barometer_chassis::testing::on_each_database;
use barometer_proto::{
    customers::v1::{ImportPurchasesRequest, PurchaseRow, ResolveCustomersRequest},
    metrics::v1::ExportChunk,
};
use barometer_tests::{
    Suite, eventually,
    samples::{key, purchase},
};
use futures_util::future::join_all;
use tonic::{Code, Request, Streaming};

use crate::{client, facts_of, next, whole};

/// Many more bytes than the windows of a connection and the server hold of a table together.
async fn load(suite: &Suite) {
    let request = ResolveCustomersRequest { external_ids: vec![key("c-1")] };
    let resolved = suite.customers.clone().resolve_customers(request).await.expect("resolved").into_inner();
    let mut large = purchase(&resolved.customers[0].customer_id);
    let mut line = large.lines.remove(0);
    line.category = "é".repeat(64);
    (large.lines, large.amount) = (vec![line; 500], None);
    let row = |row| PurchaseRow { row, purchase: Some(large.clone()) };
    let batches = (0..10).map(|batch| ImportPurchasesRequest { rows: (0..10).map(|n| row(batch * 10 + n)).collect() });
    let batches: Vec<_> = batches.collect();
    let mut told =
        suite.customers.clone().import_purchases(tokio_stream::iter(batches)).await.expect("taken").into_inner();
    while let Some(told) = told.message().await.expect("acknowledged") {
        assert!(told.rejected.is_empty(), "{told:?}");
    }
}

async fn open(suite: &Suite, deadline: Option<Duration>) -> Result<Streaming<ExportChunk>, tonic::Status> {
    let mut request = Request::new(facts_of("customers.purchase"));
    if let Some(deadline) = deadline {
        request.set_timeout(deadline);
    }
    // A connection of its own, as every other caller has.
    Ok(client(suite).export_facts(request).await?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_have_places_deadlines_and_an_end() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        load(&suite).await;

        let mut slow: Vec<_> =
            join_all((0..4).map(|_| open(&suite, None))).await.into_iter().map(|of| of.expect("a place")).collect();
        let full = open(&suite, None).await.expect_err("no place");
        assert_eq!(full.code(), Code::ResourceExhausted);
        // Those who do not read stand in nobody's way.
        let figures = barometer_proto::metrics::v1::QueryMetricsRequest {
            metrics: vec!["purchases".to_owned()],
            ..Default::default()
        };
        suite.metrics.clone().query_metrics(figures).await.expect("figures");
        let table = whole(slow.remove(0)).await.expect("who reads in the end gets all of it");
        assert_eq!(table.tail.rows, 100);
        drop(slow);
        let is_free = async || open(&suite, None).await.is_ok();
        eventually("there are places again", is_free).await;

        let mut late = open(&suite, Some(Duration::from_millis(400))).await.expect("a place");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(ends(&mut late).await, Code::DeadlineExceeded);

        let mut stopped = open(&suite, None).await.expect("a place");
        let Ok(Some(_)) = next(&mut stopped).await else { panic!("it has begun") };
        let (code, ()) = tokio::join!(
            async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                ends(&mut stopped).await
            },
            suite.stop()
        );
        assert_eq!(code, Code::Unavailable);
    })
    .await;
}

/// Reads to the end; how it ends. There is no tail.
async fn ends(chunks: &mut Streaming<ExportChunk>) -> Code {
    loop {
        match next(chunks).await {
            Ok(Some(part)) => {
                assert!(!matches!(part, barometer_proto::metrics::v1::export_chunk::Part::Tail(_)), "a tail")
            }
            Ok(None) => return Code::Ok,
            Err(status) => return status.code(),
        }
    }
}
