//! Every RPC of the tables.

use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_proto::metrics::v1::{ExportFactsRequest, ExportMetricsRequest, QueryMetricsRequest};
use barometer_tests::Suite;
use prost::Message;
use tonic::transport::{Channel, Endpoint};

use crate::{
    moves,
    table::{Table, clear, copies, number, pair, text, texts},
    transport::check_refuses_garbage,
};

const SERVICE: &str = "barometer.metrics.v1.ExportService";

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let channel: Channel = Endpoint::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
        let mut table = Table::of(SERVICE);
        let query = QueryMetricsRequest { metrics: vec!["nps".to_owned()], ..Default::default() };
        let good = ExportMetricsRequest { query: Some(query), format: 0 }.encode_to_vec();
        table
            .rpc("ExportMetrics", &good)
            .answered("CSV when nothing is said", vec![])
            .invalid("no query", vec![clear("query")], &["query"])
            .invalid("no query, no format", vec![clear("query"), number("format", 9)], &["query", "format"])
            .invalid("an unknown format", vec![number("format", 3)], &["format"])
            .invalid("no metric", vec![texts("query.metrics", &[])], &["query.metrics"])
            .invalid("two metrics", vec![texts("query.metrics", &["nps", "csat"])], &["query.metrics"])
            .invalid("an unknown metric", vec![texts("query.metrics", &["NPS"])], &["query.metrics[0]"])
            .invalid(
                "everything at once",
                vec![
                    number("format", 9),
                    number("query.start_time.nanos", -1),
                    number("query.granularity", 9),
                    text("query.time_zone", "Mars"),
                    texts("query.group_by", &[""]),
                    copies("query.filters", 1),
                    pair("query.parameters", "x", "y"),
                    texts("query.at_least", &["x"]),
                ],
                &[
                    "format",
                    "query.start_time",
                    "query.granularity",
                    "query.time_zone",
                    "query.group_by[0]",
                    "query.filters[0].dimension",
                    "query.filters[0].values",
                    "query.parameters.x",
                    "query.at_least[0]",
                ],
            );
        let good = ExportFactsRequest { kind: "surveys.response".to_owned(), ..Default::default() }.encode_to_vec();
        let position = |service: &str| Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode(service);
        let (mine, other) = (position("surveys"), position("customers"));
        let range = |start: i64, end: i64| vec![number("start_time.seconds", start), number("end_time.seconds", end)];
        table
            .rpc("ExportFacts", &good)
            .answered("CSV when nothing is said", vec![])
            .invalid("no kind", vec![clear("kind")], &["kind"])
            .invalid("an unknown kind", vec![text("kind", "surveys.tombstone")], &["kind"])
            .invalid("a long kind", vec![text("kind", "k".repeat(65))], &["kind"])
            .invalid("an unknown format", vec![number("format", 3)], &["format"])
            .invalid("an end at the start", range(5, 5), &["end_time"])
            .invalid("an end before the start", range(5, 4), &["start_time"])
            .invalid(
                "a time of what has none",
                range(4, 5).into_iter().chain([text("kind", "customers.customer")]).collect(),
                &["start_time", "end_time"],
            )
            .invalid("a position of another service", vec![texts("at_least", &[&other])], &["at_least[0]"])
            .invalid("two positions", vec![texts("at_least", &[&mine, &mine])], &["at_least"])
            .invalid(
                "everything at once",
                vec![
                    text("kind", "\u{0}"),
                    number("format", -1),
                    number("start_time.nanos", -1),
                    number("end_time.seconds", i64::MAX),
                    texts("at_least", &["x"]),
                ],
                &["kind", "format", "start_time", "end_time", "at_least[0]"],
            );
        let mut states = table.rpc("ExportCustomerStates", &[]);
        states.answered("CSV when nothing is said", vec![]).invalid(
            "an unknown format",
            vec![number("format", 3)],
            &["format"],
        );
        moves::viewed(&mut states);
        moves::filtered(&mut states);
        table.check(&channel).await;
        check_refuses_garbage(&channel, SERVICE).await;
        suite.stop().await;
    })
    .await;
}
