//! Moves, states, journeys and drivers, of the analyses.

use barometer_chassis::position::Position;
use barometer_proto::metrics::v1::{BatchGetCustomerStatesRequest, Driver, DriverFact, QueryDriversRequest, driver};
use prost::Message;
use tonic::Code;

use crate::table::{Edit, Rpc, Table, copies, double, flag, number, text, texts};

/// Adds the cases of these RPCs.
pub(crate) fn add(table: &mut Table) {
    transitions(&mut table.rpc("QueryTransitions", &[]));
    journeys(&mut table.rpc("QueryJourneys", &[]));
    let fact = |fact: DriverFact| Driver { driver: Some(driver::Driver::Fact(fact.into())) };
    let good = QueryDriversRequest { drivers: vec![fact(DriverFact::Contacts)], ..Default::default() };
    drivers(&mut table.rpc("QueryDrivers", &good.encode_to_vec()));
    moves(&mut table.rpc("ListCategoryMoves", &[]));
    let nobody = uuid::Uuid::from_u128(7).to_string();
    let good = BatchGetCustomerStatesRequest { customer_ids: vec![nobody], view: None };
    batch(&mut table.rpc("BatchGetCustomerStates", &good.encode_to_vec()));
    list(&mut table.rpc("ListCustomerStates", &[]));
}

fn gone(service: &str) -> String {
    Position { n: 1, marker: uuid::Uuid::from_u128(7) }.encode(service)
}

/// What those with a scope have in common.
fn scoped(rpc: &mut Rpc<'_>) {
    let range =
        |start: i64, end: i64| vec![number("scope.start_time.seconds", start), number("scope.end_time.seconds", end)];
    rpc.invalid("an end at the start", range(5, 5), &["scope.end_time"])
        .invalid("no time zone", vec![text("scope.time_zone", "Nowhere/Land")], &["scope.time_zone"])
        .invalid("33 filters", vec![copies("scope.filters", 33)], &["scope.filters"])
        .invalid(
            "a filter of nothing",
            vec![copies("scope.filters", 1)],
            &["scope.filters[0].dimension", "scope.filters[0].values"],
        )
        .invalid("no position", vec![texts("scope.at_least", &["x"])], &["scope.at_least[0]"])
        .refused(
            "another history",
            vec![texts("scope.at_least", &[&gone("surveys")])],
            Code::OutOfRange,
            "POSITION_GONE",
        );
}

fn grouped(rpc: &mut Rpc<'_>) {
    scoped(rpc);
    rpc.answered("a dimension", vec![texts("group_by", &["tier_now", "survey"])])
        .invalid("three dimensions", vec![texts("group_by", &["tier", "member", "country"])], &["group_by"])
        .invalid("one twice", vec![texts("group_by", &["tier", "tier"])], &["group_by[1]"])
        .invalid("no dimension of these", vec![texts("group_by", &["voucher"])], &["group_by[0]"]);
}

fn transitions(rpc: &mut Rpc<'_>) {
    grouped(rpc);
    let two = |more: Vec<Edit>| {
        let both = vec![number("before.end_time.seconds", 100), number("after.start_time.seconds", 100)];
        both.into_iter().chain(more).collect::<Vec<Edit>>()
    };
    rpc.answered("nothing at all", vec![])
        .answered("two times", two(vec![flag("carry", true)]))
        .invalid("an unknown granularity", vec![number("granularity", 6)], &["granularity"])
        .invalid("the one time only", vec![number("before.end_time.seconds", 100)], &["after"])
        .invalid("the other time only", vec![number("after.start_time.seconds", 100)], &["before"])
        .invalid("two times and periods", two(vec![number("granularity", 3)]), &["granularity"])
        .invalid("two times and a third", two(vec![number("scope.start_time.seconds", 5)]), &["scope"])
        .invalid("times that overlap", two(vec![number("after.start_time.seconds", 99)]), &["after.start_time"])
        .invalid("a time that is none", two(vec![number("before.start_time.seconds", 100)]), &["before.end_time"])
        .invalid("a later time that is none", two(vec![number("after.end_time.seconds", 100)]), &["after.end_time"])
        .invalid("a far future", two(vec![number("after.start_time.seconds", 4_000_000_000)]), &["after.start_time"])
        .invalid(
            "times without limits",
            vec![number("before.start_time.seconds", 5), number("after.end_time.seconds", 9)],
            &["before.end_time", "after.start_time"],
        );
}

fn journeys(rpc: &mut Rpc<'_>) {
    grouped(rpc);
    rpc.answered("nothing at all", vec![])
        .answered("the most", vec![number("gap_days", 3_650), number("max_length", 20), number("max_paths", 200)])
        .invalid("less than nothing", vec![number("gap_days", -1)], &["gap_days"])
        .invalid(
            "too much",
            vec![number("gap_days", 3_651), number("max_length", 21), number("max_paths", 201), double("level", 1.0)],
            &["gap_days", "max_length", "max_paths", "level"],
        );
}

fn drivers(rpc: &mut Rpc<'_>) {
    grouped(rpc);
    rpc.answered("contacts", vec![])
        .answered("a dimension that nothing has", vec![text("drivers[0].dimension", "nonsense")])
        .invalid("no driver", vec![copies("drivers", 0)], &["drivers"])
        .invalid("16 drivers", vec![copies("drivers", 16)], &["drivers"])
        .invalid("one twice", vec![copies("drivers", 2)], &["drivers[1]"])
        .invalid("an unknown fact", vec![number("drivers[0].fact", 13)], &["drivers[0].fact"])
        .invalid("no fact", vec![number("drivers[0].fact", 0)], &["drivers[0].fact"])
        .invalid("no dimension", vec![text("drivers[0].dimension", "")], &["drivers[0].dimension"])
        .invalid("a long dimension", vec![text("drivers[0].dimension", "x".repeat(64))], &["drivers[0].dimension"])
        .invalid("spend of no currency", vec![number("drivers[0].fact", 11)], &["currency"])
        .invalid("a currency of nothing", vec![text("currency", "EUR")], &["currency"])
        .invalid("no currency", vec![number("drivers[0].fact", 11), text("currency", "eur")], &["currency"])
        .invalid(
            "everything at once",
            vec![number("outcome", 4), number("method", 3), number("window_days", 3_651), text("scope.time_zone", "x")],
            &["outcome", "method", "window_days", "scope.time_zone"],
        );
}

fn moves(rpc: &mut Rpc<'_>) {
    scoped(rpc);
    let nobody = uuid::Uuid::from_u128(7).to_string();
    rpc.answered("nothing at all", vec![])
        .answered("of nobody", vec![texts("customer_ids", &[&nobody])])
        .answered("more than a page holds", vec![number("page_size", 1_000_000)])
        .invalid("no id", vec![texts("customer_ids", &[&nobody, "", "x"])], &["customer_ids[1]", "customer_ids[2]"])
        .invalid("1,001 ids", vec![texts("customer_ids", &[nobody.as_str(); 1_001])], &["customer_ids"])
        .invalid("unknown categories", vec![number("from", 4), number("to", -1)], &["from", "to"])
        .invalid("no page", vec![number("page_size", -1), text("page_token", "x")], &["page_size", "page_token"]);
}

fn batch(rpc: &mut Rpc<'_>) {
    viewed(rpc);
    let nobody = uuid::Uuid::from_u128(7).to_string();
    rpc.answered("nobody", vec![])
        .invalid("no ids", vec![texts("customer_ids", &[])], &["customer_ids"])
        .invalid("1,001 ids", vec![texts("customer_ids", &[nobody.as_str(); 1_001])], &["customer_ids"])
        .invalid("no id", vec![texts("customer_ids", &["x"])], &["customer_ids[0]"]);
}

fn list(rpc: &mut Rpc<'_>) {
    viewed(rpc);
    filtered(rpc);
    rpc.answered("nothing at all", vec![]).invalid(
        "no page",
        vec![number("page_size", -1), text("page_token", "x")],
        &["page_size", "page_token"],
    );
}

/// What states of several customers have in common.
pub(crate) fn filtered(rpc: &mut Rpc<'_>) {
    rpc.invalid("33 filters", vec![copies("filter.filters", 33)], &["filter.filters"])
        .invalid(
            "a filter of nothing",
            vec![copies("filter.filters", 1)],
            &["filter.filters[0].dimension", "filter.filters[0].values"],
        )
        .invalid("an unknown type", vec![number("filter.survey_type", 3)], &["filter.survey_type"]);
}

/// What states have in common.
pub(crate) fn viewed(rpc: &mut Rpc<'_>) {
    rpc.answered("the future", vec![number("view.as_of_time.seconds", 4_000_000_000)])
        .invalid("no instant", vec![number("view.as_of_time.nanos", -1)], &["view.as_of_time"])
        .invalid("less than no days", vec![number("view.lifecycle_days", -1)], &["view.lifecycle_days"])
        .invalid("too many days", vec![number("view.lifecycle_days", 3_651)], &["view.lifecycle_days"])
        .invalid("no position", vec![texts("view.at_least", &["x"])], &["view.at_least[0]"])
        .refused(
            "another history",
            vec![texts("view.at_least", &[&gone("customers")])],
            Code::OutOfRange,
            "POSITION_GONE",
        );
}
