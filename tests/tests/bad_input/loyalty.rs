//! Every RPC of the loyalty programme and of referrals.

use barometer_chassis::testing::on_each_database;
use barometer_tests::services::Services;

use crate::{
    nouns::{amounts, money, texts},
    table::{Edit, Table, clear, number, text},
    world::{NOBODY, World},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let mut table = Table::of("barometer.customers.v1.LoyaltyService");
        membership_events(&mut table, &world);
        referrals(&mut table, &world);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

fn membership_events(table: &mut Table, world: &World) {
    let kind = &world.membership_event;
    let rpc = &mut table.rpc("RecordMembershipEvent", &kind.good);
    kind.record(rpc);
    kind.record_of_customer(rpc);
    let [event_type, points, voucher] = ["type", "points", "voucher"].map(|field| kind.of(field));
    let [value, cost, expire_time] = ["value", "cost", "expire_time"].map(|field| kind.of(field));
    let is = |event: i64| number(&event_type, event);
    let of_voucher = |edit: Edit| vec![is(7), number(&points, 0), edit];
    texts(rpc, "membership_event", &[("programme", 64), ("reason", 64), ("channel", 64), ("campaign", 128)]);
    money(rpc, &cost);
    amounts(rpc, &value, Vec::new);
    rpc.invalid("no type", vec![is(0)], &[&event_type])
        .invalid("unknown type", vec![is(11)], &[&event_type])
        .invalid("no points", vec![number(&points, 0)], &[&points])
        .invalid("nothing to set right", vec![is(6), number(&points, 0)], &[&points])
        .invalid("negative points", vec![number(&points, -1)], &[&points])
        .invalid("too many points", vec![number(&points, 1_000_000_000_001)], &[&points])
        .invalid("points of a gesture", vec![is(10)], &[&points])
        .invalid("points and value of leaving", vec![is(2)], &[&points, &value])
        .invalid("no voucher", of_voucher(text(&voucher, "")), &[&voucher])
        .invalid("a long voucher", of_voucher(text(&voucher, "v".repeat(129))), &[&voucher])
        .invalid("a voucher with a control character", of_voucher(text(&voucher, "v\u{0}")), &[&voucher])
        .invalid("a voucher of points", vec![text(&voucher, "v-1")], &[&voucher])
        .invalid("a negative value", vec![number(&format!("{value}.units"), -1)], &[&value])
        .invalid("expires at once", vec![number(&format!("{expire_time}.seconds"), 1_704_070_800)], &[&expire_time])
        .invalid("expires never", vec![number(&format!("{expire_time}.nanos"), -1)], &[&expire_time])
        .invalid(
            "expires when it is redeemed",
            vec![is(4), number(&format!("{expire_time}.seconds"), 1_904_070_800)],
            &[&expire_time],
        );
    kind.keys(rpc, &kind.of("purchase"));
    kind.add_to(table, "MembershipEvent", "MembershipEvents");
    let rpc = &mut table.rpc("ListMembershipEvents", &[]);
    rpc.invalid("unknown type", vec![number("type", 11)], &["type"]).invalid(
        "a long programme",
        vec![text("programme", "p".repeat(65))],
        &["programme"],
    );
}

fn referrals(table: &mut Table, world: &World) {
    let kind = &world.referral;
    let rpc = &mut table.rpc("RecordReferral", &kind.good);
    kind.record(rpc);
    kind.record_of_customer(rpc);
    let [referred, by_key] = ["referred_customer_id", "referred_customer_key"].map(|field| kind.of(field));
    let join_time = kind.of("join_time");
    let joins = |seconds: i64| number(&format!("{join_time}.seconds"), seconds);
    let of_another = || text(&format!("{by_key}.value"), "nobody yet");
    texts(rpc, "referral", &[("channel", 64), ("campaign", 128)]);
    money(rpc, &kind.of("reward"));
    kind.keys(rpc, &by_key);
    rpc.invalid("garbage referred", vec![text(&referred, "c-2")], &[&referred])
        .invalid("empty referred", vec![text(&referred, "")], &[&referred])
        .invalid("itself", vec![text(&referred, &world.customer.customer_id)], &[&referred])
        .invalid(
            "itself by key",
            vec![text(&format!("{by_key}.system"), "shop"), text(&format!("{by_key}.value"), "c-1")],
            &[&referred],
        )
        .invalid("nobody joined", vec![joins(1_704_070_900)], &[&join_time])
        .invalid("joined before", vec![of_another(), joins(1_704_070_799)], &[&join_time])
        .invalid("joined in the future", vec![of_another(), joins(4_000_000_000)], &[&join_time])
        .invalid(
            "a negative reward",
            vec![text("referral.reward.currency_code", "EUR"), number("referral.reward.units", -1)],
            &["referral.reward"],
        )
        .unknown("unknown referred", vec![text(&referred, NOBODY)])
        .unknown(
            "unknown referred by a new customer",
            vec![clear("referral.customer_id"), text("referral.customer_key.value", "new"), text(&referred, NOBODY)],
        );
    kind.add_to(table, "Referral", "Referrals");
    let rpc = &mut table.rpc("ListReferrals", &[]);
    rpc.invalid("garbage referred", vec![text("referred_customer_id", "c-1")], &["referred_customer_id"]);
    let rpc = &mut table.rpc("AmendReferral", &[]);
    let named = |edit: Edit| vec![text("referral.referral_id", &kind.id), edit];
    rpc.invalid("amended to itself", named(text(&referred, &world.customer.customer_id)), &[&referred])
        .unknown("amended to nobody", named(text(&referred, NOBODY)))
        .invalid("amended to have joined", named(joins(1_804_070_900)), &[&join_time]);
}
