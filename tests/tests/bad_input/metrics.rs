//! Every RPC of the metrics service.

use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_proto::metrics::v1::QueryMetricsRequest;
use barometer_tests::Suite;
use prost::Message;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{
    facts::pages,
    table::{Edit, Rpc, Table, copies, number, pair, text, texts},
    transport::check_refuses_garbage,
};

const SERVICE: &str = "barometer.metrics.v1.MetricsService";

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let channel: Channel = Endpoint::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
        let mut table = Table::of(SERVICE);
        pages(&mut table.rpc("ListMetrics", &[]));
        table
            .rpc("GetMetric", &[])
            .invalid("no name", vec![], &["id"])
            .invalid("a long name", vec![text("id", "m".repeat(65))], &["id"])
            .invalid("a control character", vec![text("id", "nps\u{0}")], &["id"])
            .unknown("an unknown name", vec![text("id", "NPS")]);
        table.rpc("GetFold", &[]).answered("there is nothing to say wrong", vec![]);
        let good = QueryMetricsRequest { metrics: vec!["nps".to_owned()], ..Default::default() }.encode_to_vec();
        let rpc = &mut table.rpc("QueryMetrics", &good);
        metrics(rpc);
        times(rpc);
        groups(rpc);
        filters(rpc);
        parameters(rpc);
        positions(rpc);
        let everything = vec![
            texts("metrics", &["nps", "nonsense"]),
            number("start_time.nanos", -1),
            number("granularity", 9),
            text("time_zone", "Mars"),
            texts("group_by", &[""]),
            copies("filters", 1),
            pair("parameters", "x", "y"),
            texts("at_least", &["x"]),
        ];
        let fields = [
            "metrics[1]",
            "start_time",
            "granularity",
            "time_zone",
            "group_by[0]",
            "filters[0].dimension",
            "filters[0].values",
            "parameters.x",
            "at_least[0]",
        ];
        rpc.invalid("everything at once", everything, &fields);
        table.check(&channel).await;
        check_refuses_garbage(&channel, SERVICE).await;
        suite.stop().await;
    })
    .await;
}

fn metrics(rpc: &mut Rpc<'_>) {
    let many: Vec<String> = (0..17).map(|n| format!("m{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    rpc.invalid("none", vec![texts("metrics", &[])], &["metrics"])
        .invalid("17", vec![texts("metrics", &many)], &["metrics"])
        .invalid("one twice", vec![texts("metrics", &["nps", "csat", "nps"])], &["metrics[2]"])
        .invalid(
            "unknown ones",
            vec![texts("metrics", &["", "nps", "NPS", &"x".repeat(10_000)])],
            &["metrics[0]", "metrics[2]", "metrics[3]"],
        );
}

fn times(rpc: &mut Rpc<'_>) {
    let range = |start: i64, end: i64| vec![number("start_time.seconds", start), number("end_time.seconds", end)];
    let by = |granularity: i64, edits: Vec<Edit>| {
        edits.into_iter().chain([number("granularity", granularity)]).collect::<Vec<_>>()
    };
    rpc.invalid("an end at the start", range(5, 5), &["end_time"])
        .invalid("an end before the start", range(5, 4), &["end_time"])
        .invalid("a start in the future", vec![number("start_time.seconds", 4_000_000_000)], &["start_time"])
        .invalid("beyond the calendar", range(-62_135_596_801, 253_402_300_800), &["start_time", "end_time"])
        .invalid("an unknown granularity", by(6, vec![]), &["granularity"])
        .invalid("4,001 days", by(1, range(0, 4_001 * 86_400)), &["granularity"])
        .invalid("4,001 weeks and more", by(2, range(0, 4_002 * 7 * 86_400)), &["granularity"])
        .answered("4,000 days", by(1, range(0, 4_000 * 86_400)))
        .answered("all years there are", by(5, range(-30_000_000_000, 90_000_000_000)));
    for zone in ["Nowhere/Land", "utc+1", "\u{0}", &"x".repeat(10_000)] {
        rpc.invalid("an unknown time zone", vec![text("time_zone", zone)], &["time_zone"]);
    }
}

fn groups(rpc: &mut Rpc<'_>) {
    let by = |names: &[&str]| vec![texts("group_by", names)];
    rpc.invalid("five dimensions", by(&["survey", "channel", "language", "tier", "country"]), &["group_by"])
        .invalid("one twice", by(&["channel", "survey", "channel"]), &["group_by[2]"])
        .invalid(
            "unknown ones",
            by(&["channel", "nonsense", "", &"x".repeat(64)]),
            &["group_by[1]", "group_by[2]", "group_by[3]"],
        )
        .invalid(
            "one of another metric's",
            vec![texts("metrics", &["revenue"]), texts("group_by", &["survey"])],
            &["group_by[0]"],
        );
}

fn filters(rpc: &mut Rpc<'_>) {
    let on = |dimension: &str, values: &[&str]| {
        vec![copies("filters", 1), text("filters[0].dimension", dimension), texts("filters[0].values", values)]
    };
    rpc.invalid("33 filters", vec![copies("filters", 33)], &["filters"])
        .invalid("no dimension", on("", &["x"]), &["filters[0].dimension"])
        .invalid("an unknown dimension", on("nonsense", &["x"]), &["filters[0].dimension"])
        .invalid("no values", on("channel", &[]), &["filters[0].values"])
        .invalid("1,001 values", on("channel", &[""; 1_001]), &["filters[0].values"])
        .invalid(
            "values",
            on("channel", &["web", &"x".repeat(129), "\u{0}"]),
            &["filters[0].values[1]", "filters[0].values[2]"],
        )
        .answered("a value that nothing has", on("channel", &["nonsense"]));
}

fn parameters(rpc: &mut Rpc<'_>) {
    for (name, value) in [
        ("weighted", "yes"),
        ("level", "1"),
        ("level", "NaN"),
        ("interval", ""),
        ("inactivity_days", "30"),
        ("nonsense", "1"),
        ("", ""),
    ] {
        let field = format!("parameters.{name}");
        rpc.invalid("a parameter", vec![pair("parameters", name, value)], &[&field]);
    }
    let churn = || texts("metrics", &["churn_rate"]);
    for days in ["0", "-1", "3651", "1.5", "ninety", ""] {
        let edits = vec![churn(), pair("parameters", "inactivity_days", days)];
        rpc.invalid("days", edits, &["parameters.inactivity_days"]);
    }
}

fn positions(rpc: &mut Rpc<'_>) {
    let position = |service: &str| Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode(service);
    let (mine, other) = (position("surveys"), position("metrics"));
    let garbage = "A".repeat(10_000);
    rpc.invalid(
        "garbage",
        vec![texts("at_least", &["x", "", &garbage])],
        &["at_least[0]", "at_least[1]", "at_least[2]"],
    )
    .invalid("a position of a service that is no source", vec![texts("at_least", &[&other])], &["at_least[0]"])
    .refused("another history", vec![texts("at_least", &[&mine])], Code::OutOfRange, "POSITION_GONE");
}
