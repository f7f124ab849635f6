//! Every RPC of the analyses.

use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_tests::Suite;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{
    moves,
    table::{Edit, Rpc, Table, copies, double, flag, number, text, texts},
    transport::check_refuses_garbage,
};

const SERVICE: &str = "barometer.metrics.v1.AnalysisService";

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let suite = Suite::start(database).await;
        let channel: Channel = Endpoint::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy();
        let mut table = Table::of(SERVICE);
        retention(&mut table.rpc("QueryRetention", &[]));
        survival(&mut table.rpc("QuerySurvival", &[]));
        moves::add(&mut table);
        table.check(&channel).await;
        check_refuses_garbage(&channel, SERVICE).await;
        suite.stop().await;
    })
    .await;
}

fn retention(rpc: &mut Rpc<'_>) {
    both(rpc, "survey");
    let brackets = |of: &[(i64, i64)]| {
        let each = of.iter().enumerate().flat_map(|(index, (start, end))| {
            [number(&format!("brackets[{index}].start"), *start), number(&format!("brackets[{index}].end"), *end)]
        });
        std::iter::once(copies("brackets", of.len())).chain(each).collect::<Vec<Edit>>()
    };
    let and = |mut edits: Vec<Edit>, more: Edit| {
        edits.push(more);
        edits
    };
    rpc.answered("nothing at all", vec![])
        .answered("400 periods", vec![number("periods", 400)])
        .answered("brackets that overlap", brackets(&[(0, 400), (1, 4), (3, 13)]))
        .invalid("an unknown activity", vec![number("activity", 6)], &["activity"])
        .invalid("an unknown granularity", vec![number("granularity", 6)], &["granularity"])
        .invalid("an unknown definition", vec![number("definition", 3)], &["definition"])
        .invalid("more days than a year has", vec![number("rolling_days", 367)], &["rolling_days"])
        .invalid("less than no days", vec![number("rolling_days", -1)], &["rolling_days"])
        .invalid("too many periods", vec![number("periods", 401)], &["periods"])
        .invalid("less than no periods", vec![number("periods", -1)], &["periods"])
        .invalid("51 brackets", vec![copies("brackets", 51)], &["brackets"])
        .invalid("empty brackets", brackets(&[(0, 1), (3, 3), (4, 2)]), &["brackets[1].end", "brackets[2].end"])
        .invalid(
            "far brackets",
            brackets(&[(-1, 1), (400, 401)]),
            &["brackets[0].start", "brackets[1].end", "brackets[1].start"],
        )
        .invalid("periods and brackets", and(brackets(&[(0, 1)]), number("periods", 3)), &["periods"])
        .invalid("brackets and all later ones", and(brackets(&[(0, 1)]), number("definition", 2)), &["definition"]);
    let recurring = || flag("recurring", true);
    rpc.answered("recurring", vec![recurring()])
        .invalid("recurring and rolling", vec![recurring(), number("rolling_days", 7)], &["rolling_days"])
        .invalid("recurring together", vec![recurring(), flag("together", true)], &["together"])
        .invalid(
            "a dimension of another table",
            vec![number("beginning", 2), texts("group_by", &["channel"])],
            &["group_by[0]"],
        )
        .answered("a dimension of this table", vec![number("beginning", 3), texts("group_by", &["survey"])]);
    let everything = vec![
        number("scope.start_time.nanos", -1),
        text("scope.time_zone", "Mars"),
        number("beginning", 6),
        number("activity", -1),
        number("rolling_days", 1_000),
        number("periods", 1_000),
        texts("group_by", &[""]),
        double("level", 1.0),
    ];
    let fields = [
        "scope.start_time",
        "scope.time_zone",
        "beginning",
        "activity",
        "rolling_days",
        "periods",
        "group_by[0]",
        "level",
    ];
    rpc.invalid("everything at once", everything, &fields);
}

fn survival(rpc: &mut Rpc<'_>) {
    both(rpc, "channel");
    rpc.answered("nothing at all", vec![])
        .invalid("an unknown ending", vec![number("ending", 6)], &["ending"])
        .invalid("too many days of inactivity", vec![number("inactivity_days", 3_651)], &["inactivity_days"])
        .invalid("less than no days of inactivity", vec![number("inactivity_days", -1)], &["inactivity_days"])
        .invalid("too many days", vec![number("max_days", 36_501)], &["max_days"])
        .invalid("less than no days", vec![number("max_days", -1)], &["max_days"])
        .invalid(
            "inactivity of contracts",
            vec![number("ending", 2), number("inactivity_days", 9)],
            &["inactivity_days"],
        )
        .invalid(
            "reasons of inactivity",
            vec![texts("reasons", &["price"]), flag("voluntary", false)],
            &["reasons", "voluntary"],
        )
        .invalid("reasons of inactivity that compete", vec![flag("by_reason", true)], &["by_reason"])
        .invalid(
            "reasons that compete, of some only",
            vec![number("ending", 2), flag("by_reason", true), texts("reasons", &["price"])],
            &["by_reason"],
        )
        .answered("reasons that compete", vec![number("ending", 2), flag("by_reason", true)])
        .invalid("51 reasons", vec![number("ending", 2), texts("reasons", &["x"; 51])], &["reasons"])
        .invalid("a long reason", vec![number("ending", 2), texts("reasons", &["", &"x".repeat(129)])], &["reasons[1]"])
        .answered(
            "reasons that nothing has",
            vec![number("ending", 2), texts("reasons", &["", "nonsense"]), flag("voluntary", false)],
        );
}

/// What the two have in common; `other` is no dimension of theirs.
fn both(rpc: &mut Rpc<'_>, other: &str) {
    let range =
        |start: i64, end: i64| vec![number("scope.start_time.seconds", start), number("scope.end_time.seconds", end)];
    let position = |service: &str| Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode(service);
    let level = |level: f64| vec![double("level", level)];
    rpc.invalid("an end at the start", range(5, 5), &["scope.end_time"])
        .invalid("an end before the start", range(5, 4), &["scope.end_time"])
        .invalid(
            "a start in the future",
            vec![number("scope.start_time.seconds", 4_000_000_000)],
            &["scope.start_time"],
        )
        .answered("an end in the future", vec![number("scope.end_time.seconds", 4_000_000_000)])
        .invalid("no time zone", vec![text("scope.time_zone", "Nowhere/Land")], &["scope.time_zone"])
        .invalid("an unknown beginning", vec![number("beginning", 6)], &["beginning"])
        .invalid("three dimensions", vec![texts("group_by", &["tier", "member", "country"])], &["group_by"])
        .invalid("one twice", vec![texts("group_by", &["tier", "tier"])], &["group_by[1]"])
        .invalid("no dimension of these", vec![texts("group_by", &[other])], &["group_by[0]"])
        .invalid("33 filters", vec![copies("scope.filters", 33)], &["scope.filters"])
        .invalid(
            "a filter of nothing",
            vec![copies("scope.filters", 1)],
            &["scope.filters[0].dimension", "scope.filters[0].values"],
        )
        .invalid("a low level", level(0.4), &["level"])
        .invalid("a level of all", level(1.0), &["level"])
        .invalid("no number", level(f64::NAN), &["level"])
        .invalid("no position", vec![texts("scope.at_least", &["x"])], &["scope.at_least[0]"])
        .refused(
            "another history",
            vec![texts("scope.at_least", &[&position("surveys")])],
            Code::OutOfRange,
            "POSITION_GONE",
        );
}
