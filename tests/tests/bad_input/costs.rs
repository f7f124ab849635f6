//! Every RPC of costs.

use barometer_chassis::testing::on_each_database;
use barometer_tests::services::Services;

use crate::{
    nouns::{amounts, texts},
    table::{Edit, Table, clear, number, text},
    world::{NOBODY, World},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let mut table = Table::of("barometer.customers.v1.CostService");
        costs(&mut table, &world);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

fn costs(table: &mut Table, world: &World) {
    let kind = &world.cost;
    let rpc = &mut table.rpc("RecordCost", &kind.good);
    kind.record(rpc);
    rpc.unknown("unknown customer", vec![text("cost.customer_id", NOBODY)]);
    texts(rpc, "cost", &[("channel", 64), ("team", 64), ("campaign", 128)]);
    amounts(rpc, "cost.amount", Vec::new);
    let ends = |seconds: i64| number("cost.end_time.seconds", seconds);
    let rate = |field: &str| -> Vec<Edit> {
        vec![
            clear("cost.customer_id"),
            number("cost.kind", 2),
            text(&format!("cost.{field}.currency_code"), "EUR"),
            number(&format!("cost.{field}.units"), 3),
        ]
    };
    let rate_with = |edit: Edit| rate("per_contact").into_iter().chain([edit]).collect::<Vec<_>>();
    rpc.invalid("no kind", vec![number("cost.kind", 0)], &["cost.kind"])
        .invalid("unknown kind", vec![number("cost.kind", 4)], &["cost.kind"])
        .invalid("neither sum nor rate", vec![clear("cost.amount")], &["cost.amount"])
        .invalid("ends when it begins", vec![ends(1_704_070_800)], &["cost.end_time"])
        .invalid("ends never", vec![number("cost.end_time.nanos", -1)], &["cost.end_time"])
        .invalid("ends in eleven years", vec![ends(1_704_070_801 + 3_653 * 86_400)], &["cost.end_time"])
        .invalid("a rate of advertising", rate_with(number("cost.kind", 1)), &["cost.per_contact"])
        .invalid("a rate of a customer", rate_with(text("cost.customer_id", NOBODY)), &["cost.customer_id"])
        .invalid(
            "a rate of a customer by key",
            rate_with(text("cost.customer_key.value", "c-1")),
            &["cost.customer_key"],
        )
        .invalid("a rate of a campaign", rate_with(text("cost.campaign", "spring")), &["cost.campaign"]);
    for field in ["per_contact", "per_hour"] {
        let of = |field: &str| format!("cost.{field}");
        let negative = number(&format!("cost.{field}.units"), -3);
        rpc.invalid("a negative rate", rate(field).into_iter().chain([negative]).collect(), &[&of(field)]);
    }
    kind.add_to(table, "Cost", "Costs");
    let rpc = &mut table.rpc("ListCosts", &[]);
    rpc.invalid("unknown kind", vec![number("kind", 4)], &["kind"]).invalid(
        "a long campaign",
        vec![text("campaign", "c".repeat(129))],
        &["campaign"],
    );
    let rpc = &mut table.rpc("AmendCost", &[]);
    let named = |edit: Edit| vec![text("cost.cost_id", &kind.id), edit];
    rpc.invalid(
        "amended to a rate in no currency, though it is a customer's and of advertising",
        named(number("cost.per_hour.units", 3)),
        &["cost.customer_id", "cost.per_hour", "cost.per_hour.currency_code"],
    )
    .invalid("amended to end before", named(ends(0)), &["cost.end_time"]);
}
