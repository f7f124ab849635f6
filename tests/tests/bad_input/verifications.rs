//! Every RPC of the verifications.

use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_proto::metrics::v1::{
    GetVerificationRequest, ListVerificationsRequest, QueryMetricsRequest, VerifyMetricsRequest,
};
use barometer_tests::Suite;
use prost::Message;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{
    table::{Table, clear, copies, number, pair, text, texts},
    transport::check_refuses_garbage,
};

const SERVICE: &str = "barometer.metrics.v1.VerificationService";

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let channel: Channel = Endpoint::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
        let mut table = Table::of(SERVICE);
        let query = QueryMetricsRequest { metrics: vec!["nps".to_owned()], ..Default::default() };
        let good = VerifyMetricsRequest { query: Some(query) }.encode_to_vec();
        let position = Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode("surveys");
        let many: Vec<_> = (0..17).map(|_| "nps").collect();
        // Only one: another at the same time is refused.
        table
            .rpc("VerifyMetrics", &good)
            .answered("all metrics of no facts", vec![clear("query")])
            .invalid("an unknown metric", vec![texts("query.metrics", &["nps", "npz"])], &["query.metrics[1]"])
            .invalid("a metric twice", vec![texts("query.metrics", &["nps", "nps"])], &["query.metrics[1]"])
            .invalid("17 metrics", vec![texts("query.metrics", &many)], &["query.metrics"])
            .invalid(
                "a dimension that not all metrics have",
                vec![texts("query.metrics", &[]), texts("query.group_by", &["touchpoint"])],
                &["query.group_by[0]"],
            )
            .refused("another history", vec![texts("query.at_least", &[&position])], Code::OutOfRange, "POSITION_GONE")
            .invalid(
                "everything at once",
                vec![
                    texts("query.metrics", &["nonsense"]),
                    number("query.start_time.nanos", -1),
                    number("query.granularity", 9),
                    text("query.time_zone", "Mars"),
                    texts("query.group_by", &[""]),
                    copies("query.filters", 1),
                    pair("query.parameters", "x", "y"),
                    texts("query.at_least", &["x"]),
                ],
                &[
                    "query.metrics[0]",
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
        let good = GetVerificationRequest { verification_id: uuid::Uuid::from_u128(7).to_string() }.encode_to_vec();
        table
            .rpc("GetVerification", &good)
            .refused("nobody's", vec![], Code::NotFound, "NOT_FOUND")
            .invalid("no id", vec![clear("verification_id")], &["verification_id"])
            .invalid("no UUID", vec![text("verification_id", "x")], &["verification_id"]);
        table
            .rpc("ListVerifications", &ListVerificationsRequest::default().encode_to_vec())
            .answered("as it is", vec![])
            .answered("a huge page", vec![number("page_size", i64::from(i32::MAX))])
            .invalid(
                "everything at once",
                vec![number("page_size", -1), text("page_token", "x")],
                &["page_size", "page_token"],
            );
        table.check(&channel).await;
        check_refuses_garbage(&channel, SERVICE).await;
        suite.stop().await;
    })
    .await;
}
