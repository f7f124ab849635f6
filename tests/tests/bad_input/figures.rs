//! Every RPC of the figure service.

use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_proto::metrics::v1::{
    ExplainMetricRequest, QueryComparisonsRequest, QueryMetricsRequest, QueryTrendsRequest, Rest, Side,
    WatchMetricsRequest, query_comparisons_request::Against,
};
use barometer_tests::Suite;
use prost::Message;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{
    table::{Edit, Rpc, Table, clear, copies, number, pair, text, texts},
    transport::check_refuses_garbage,
};

const SERVICE: &str = "barometer.metrics.v1.FigureService";

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let channel: Channel = Endpoint::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
        let mut table = Table::of(SERVICE);
        let good = QueryComparisonsRequest {
            metrics: vec!["nps".to_owned()],
            side: Some(Side::default()),
            against: Some(Against::Rest(Rest {})),
            group_by: vec!["channel".to_owned()],
            ..Default::default()
        };
        comparisons(&mut table.rpc("QueryComparisons", &good.encode_to_vec()));
        // Of a week without any fact.
        let query = QueryMetricsRequest {
            metrics: vec!["nps".to_owned()],
            start_time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            end_time: Some(prost_types::Timestamp { seconds: 7 * 86_400, nanos: 0 }),
            granularity: 1,
            ..Default::default()
        };
        let watched = WatchMetricsRequest { query: Some(query.clone()), min_interval: None };
        watches(&mut table.rpc("WatchMetrics", &watched.encode_to_vec()));
        trends(&mut table.rpc("QueryTrends", &QueryTrendsRequest { query: Some(query) }.encode_to_vec()));
        let good = ExplainMetricRequest { metric: "nps".to_owned(), ..Default::default() };
        explanations(&mut table.rpc("ExplainMetric", &good.encode_to_vec()));
        table.check(&channel).await;
        check_refuses_garbage(&channel, SERVICE).await;
        suite.stop().await;
    })
    .await;
}

fn comparisons(rpc: &mut Rpc<'_>) {
    let position = |service: &str| Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode(service);
    let range = |side: &str, start: i64, end: i64| -> Vec<Edit> {
        vec![number(&format!("{side}.start_time.seconds"), start), number(&format!("{side}.end_time.seconds"), end)]
    };
    let on = |filters: &str, dimension: &str, values: &[&str]| -> Vec<Edit> {
        let first = format!("{filters}[0]");
        vec![
            copies(filters, 1),
            text(&format!("{first}.dimension"), dimension),
            texts(&format!("{first}.values"), values),
        ]
    };
    rpc.answered("as it is", vec![])
        .invalid("no metric", vec![texts("metrics", &[])], &["metrics"])
        .invalid("an unknown one", vec![texts("metrics", &["nps", "npz"])], &["metrics[1]"])
        .invalid("no side", vec![clear("side")], &["side"])
        .invalid("against nothing", vec![clear("rest")], &["against"])
        .invalid("a rest of no groups", vec![texts("group_by", &[])], &["group_by"])
        .invalid("an end at the start", range("side", 5, 5), &["side.end_time"])
        .invalid("an end before the start", range("other", 5, 4), &["other.end_time"])
        .answered("another time", range("other", 4, 5))
        .invalid(
            "five dimensions",
            vec![texts("group_by", &["survey", "channel", "language", "tier", "country"])],
            &["group_by"],
        )
        .invalid("an unknown dimension", vec![texts("group_by", &["nonsense"])], &["group_by[0]"])
        .invalid("33 filters", vec![copies("filters", 33)], &["filters"])
        .invalid("a filter of nothing", on("filters", "", &["x"]), &["filters[0].dimension"])
        .invalid("33 filters of a side", vec![copies("side.filters", 33)], &["side.filters"])
        .invalid("an unknown filter", on("side.filters", "nonsense", &["x"]), &["side.filters[0].dimension"])
        .invalid("a filter without values", on("other.filters", "channel", &[]), &["other.filters[0].values"])
        .invalid("an incomplete reference", vec![pair("reference.group", "tier", "gold")], &["reference.group"])
        .invalid("a long value", vec![pair("reference.group", "channel", &"x".repeat(129))], &["reference.group"])
        .answered("a group that nothing is in", vec![pair("reference.group", "channel", "nonsense")])
        .invalid("an unknown time zone", vec![text("time_zone", "Mars")], &["time_zone"])
        .invalid(
            "an unknown parameter",
            vec![pair("parameters", "inactivity_days", "3")],
            &["parameters.inactivity_days"],
        )
        .invalid("a level", vec![pair("parameters", "level", "1")], &["parameters.level"])
        .answered(
            "a level of what has no interval",
            vec![texts("metrics", &["responses"]), pair("parameters", "level", "0.9")],
        )
        .invalid("an unknown adjustment", vec![number("adjustment", 3)], &["adjustment"])
        .invalid("no position", vec![texts("at_least", &["x"])], &["at_least[0]"])
        .refused("another history", vec![texts("at_least", &[&position("surveys")])], Code::OutOfRange, "POSITION_GONE")
        .invalid(
            "everything at once",
            vec![
                texts("metrics", &["nonsense"]),
                number("side.start_time.nanos", -1),
                clear("rest"),
                text("time_zone", "Mars"),
                texts("group_by", &[""]),
                copies("filters", 1),
                pair("parameters", "x", "y"),
                texts("at_least", &["x"]),
                number("adjustment", 9),
            ],
            &[
                "metrics[0]",
                "side.start_time",
                "against",
                "time_zone",
                "group_by[0]",
                "filters[0].dimension",
                "filters[0].values",
                "parameters.x",
                "at_least[0]",
                "adjustment",
            ],
        );
}

fn explanations(rpc: &mut Rpc<'_>) {
    let position = Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode("surveys");
    rpc.answered("as it is", vec![])
        .invalid("no metric", vec![text("metric", "")], &["metric"])
        .invalid("an unknown one", vec![text("metric", "npz")], &["metric"])
        .invalid("no parameter of it", vec![pair("parameters", "basis", "days")], &["parameters.basis"])
        .invalid("no such row", vec![pair("group", "survey_type", "x")], &["group"])
        .invalid("a long name", vec![pair("group", &"x".repeat(65), "x")], &["group"])
        .invalid("no count of it", vec![text("count", "sales")], &["count"])
        .invalid("a count that is computed", vec![text("count", "effective_answers")], &["count"])
        .answered("a count", vec![text("count", "promoters")])
        .invalid("a negative size", vec![number("page_size", -1)], &["page_size"])
        .answered("a large size", vec![number("page_size", 100_000)])
        .invalid("no token", vec![text("page_token", "x")], &["page_token"])
        .refused("another history", vec![texts("at_least", &[&position])], Code::OutOfRange, "POSITION_GONE")
        .invalid(
            "everything at once",
            vec![
                text("metric", "nonsense"),
                number("start_time.nanos", -1),
                text("time_zone", "Mars"),
                copies("filters", 1),
                texts("at_least", &["x"]),
                number("page_size", -1),
                text("page_token", "x"),
            ],
            &[
                "metric",
                "start_time",
                "time_zone",
                "filters[0].dimension",
                "filters[0].values",
                "at_least[0]",
                "page_size",
                "page_token",
            ],
        );
}

fn watches(rpc: &mut Rpc<'_>) {
    rpc.invalid("no query", vec![clear("query")], &["query"])
        .invalid("no metric", vec![texts("query.metrics", &[])], &["query.metrics"])
        .invalid("no time at all", vec![number("min_interval.nanos", 199_999_999)], &["min_interval"])
        .invalid("less than nothing", vec![number("min_interval.seconds", -1)], &["min_interval"])
        .invalid("two hours", vec![number("min_interval.seconds", 7_200)], &["min_interval"])
        .invalid(
            "everything at once",
            vec![
                texts("query.metrics", &["nonsense"]),
                number("query.granularity", 99),
                text("query.time_zone", "Mars"),
                texts("query.at_least", &["x"]),
                number("min_interval.seconds", 7_200),
            ],
            &["query.metrics[0]", "query.granularity", "query.time_zone", "query.at_least[0]", "min_interval"],
        );
}

fn trends(rpc: &mut Rpc<'_>) {
    let position = Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode("surveys");
    rpc.answered("as it is", vec![])
        .invalid("no query", vec![clear("query")], &["query"])
        .invalid("no granularity", vec![number("query.granularity", 0)], &["query.granularity"])
        .invalid("an unknown granularity", vec![number("query.granularity", 6)], &["query.granularity"])
        .invalid("no metric", vec![texts("query.metrics", &[])], &["query.metrics"])
        .invalid("no parameter of it", vec![pair("query.parameters", "basis", "days")], &["query.parameters.basis"])
        .answered(
            "a level of what has no interval",
            vec![texts("query.metrics", &["responses"]), pair("query.parameters", "level", "0.9")],
        )
        .refused("another history", vec![texts("query.at_least", &[&position])], Code::OutOfRange, "POSITION_GONE")
        .invalid(
            "everything at once",
            vec![
                texts("query.metrics", &["nonsense"]),
                number("query.start_time.nanos", -1),
                number("query.granularity", 0),
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
}
