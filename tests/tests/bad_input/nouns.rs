//! What is particular to each kind of fact about customers.

use tonic::Code;

use crate::{
    table::{Edit, Rpc, Table, clear, copies, flag, number, text},
    world::World,
};

pub(crate) fn attribute_changes(table: &mut Table, world: &World) {
    let kind = &world.attribute_change;
    let rpc = &mut table.rpc("RecordAttributeChange", &kind.good);
    kind.record(rpc);
    kind.record_of_customer(rpc);
    let is = |attribute: i64| number("attribute_change.attribute", attribute);
    let value = |value: &str| text("attribute_change.value", value);
    texts(rpc, "attribute_change", &[("value", 64)]);
    rpc.invalid("no attribute", vec![is(0)], &["attribute_change.attribute"])
        .invalid("unknown attribute", vec![is(99)], &["attribute_change.attribute"])
        .invalid("no segment", vec![is(3), value("")], &["attribute_change.value"])
        .invalid("neither true nor false", vec![is(4), value("yes")], &["attribute_change.value"])
        .invalid("no value band", vec![is(5), value("platinum")], &["attribute_change.value"])
        .invalid("leaves a tier", vec![flag("attribute_change.leaves", true)], &["attribute_change.leaves"]);
    kind.add_to(table, "AttributeChange", "AttributeChanges");
    table.rpc("ListAttributeChanges", &[]).invalid("unknown attribute", vec![number("attribute", 99)], &["attribute"]);
}

pub(crate) fn purchases(table: &mut Table, world: &World) {
    let kind = &world.purchase;
    let rpc = &mut table.rpc("RecordPurchase", &kind.good);
    kind.record(rpc);
    kind.record_of_customer(rpc);
    texts(rpc, "purchase", &[("channel", 64), ("country", 64), ("voucher", 64)]);
    texts(rpc, "purchase.lines[0]", &[("product", 128), ("category", 64), ("voucher", 64)]);
    money(rpc, "purchase.lines[0].list_price");
    money(rpc, "purchase.lines[0].discount");
    let whole = "purchase.amount";
    rpc.invalid("neither amount nor lines", vec![clear(whole), clear("purchase.lines")], &[whole])
        .invalid("not the sum of the lines", vec![number("purchase.amount.units", 13)], &[whole])
        .invalid("501 lines", vec![copies("purchase.lines", 501)], &["purchase.lines"])
        .invalid(
            "a line without amount",
            vec![clear("purchase.lines[0].amount"), clear(whole)],
            &["purchase.lines[0].amount"],
        )
        .invalid(
            "a line in dollars",
            vec![text("purchase.lines[0].amount.currency_code", "USD")],
            &["purchase.lines[0].amount"],
        )
        .invalid(
            "prices in dollars",
            vec![text("purchase.lines[0].list_price.currency_code", "USD")],
            &["purchase.lines[0].list_price"],
        )
        .invalid(
            "a negative discount",
            vec![number("purchase.lines[0].discount.units", -1)],
            &["purchase.lines[0].discount"],
        )
        .invalid("due before it was bought", vec![number("purchase.due_time.seconds", 0)], &["purchase.due_time"])
        .invalid(
            "times",
            vec![number("purchase.due_time.nanos", -1), number("purchase.paid_time.nanos", -1)],
            &["purchase.due_time", "purchase.paid_time"],
        )
        .invalid("a return of nothing", vec![text("purchase.return_of.system", "shop")], &["purchase.return_of.value"]);
    for quantity in [-1, 1_000_000_001, i64::MIN] {
        let edits = vec![number("purchase.lines[0].quantity", quantity)];
        rpc.invalid("a quantity out of range", edits, &["purchase.lines[0].quantity"]);
    }

    let rpc = &mut table.rpc("RecordPurchase", &kind.good);
    let without_lines = |edit: Edit| vec![clear("purchase.lines"), edit];
    for code in ["", "EU", "EURO", "eur", "€", "E\u{0}R"] {
        let field = "purchase.amount.currency_code";
        rpc.invalid("a currency", without_lines(text(field, code)), &[field]);
    }
    amounts(rpc, whole, || vec![clear("purchase.lines")]);
    kind.add_to(table, "Purchase", "Purchases");
}

pub(crate) fn interactions(table: &mut Table, world: &World) {
    let kind = &world.interaction;
    let rpc = &mut table.rpc("RecordInteraction", &kind.good);
    kind.record(rpc);
    kind.record_of_customer(rpc);
    let lengths = [
        ("channel", 64),
        ("touchpoint", 64),
        ("journey_id", 128),
        ("session_id", 128),
        ("landing_page", 256),
        ("exit_page", 256),
        ("campaign", 128),
        ("text", 10_000),
        ("employee", 64),
        ("team", 64),
        ("outcome", 64),
    ];
    texts(rpc, "interaction", &lengths);
    money(rpc, "interaction.cost");
    let direction = "interaction.direction";
    rpc.invalid("no channel", vec![text("interaction.channel", "")], &["interaction.channel"])
        .invalid("no direction", vec![number(direction, 0)], &[direction])
        .invalid("unknown direction", vec![number(direction, -1)], &[direction])
        .invalid(
            "an undeclared stage",
            vec![text("interaction.journey_stage", "limbo")],
            &["interaction.journey_stage"],
        )
        .invalid(
            "a page with a query",
            vec![text("interaction.landing_page", "/a?mail=b")],
            &["interaction.landing_page"],
        )
        .invalid("a page with a fragment", vec![text("interaction.exit_page", "/a#b")], &["interaction.exit_page"])
        .invalid(
            "answers nothing",
            vec![text("interaction.in_answer_to.system", "mail")],
            &["interaction.in_answer_to.value"],
        )
        .invalid(
            "a negative cost",
            vec![text("interaction.cost.currency_code", "EUR"), number("interaction.cost.units", -1)],
            &["interaction.cost"],
        );
    for (seconds, nanos) in [(-1, 0), (30 * 86_400 + 1, 0), (0, -1), (i64::MAX, 0), (i64::MIN, 0)] {
        let time = "interaction.handling_time";
        let edits = vec![number(&format!("{time}.seconds"), seconds), number(&format!("{time}.nanos"), nanos)];
        rpc.invalid("handling time", edits, &[time]);
    }
    kind.add_to(table, "Interaction", "Interactions");
}

pub(crate) fn subscription_events(table: &mut Table, world: &World) {
    let kind = &world.subscription_event;
    let rpc = &mut table.rpc("RecordSubscriptionEvent", &kind.good);
    kind.record(rpc);
    kind.record_of_customer(rpc);
    let is = |event: i64| number("subscription_event.type", event);
    let amount = "subscription_event.monthly_amount";
    texts(rpc, "subscription_event", &[("subscription", 128), ("plan", 64), ("reason", 64)]);
    amounts(rpc, amount, Vec::new);
    rpc.invalid(
        "no subscription",
        vec![text("subscription_event.subscription", "")],
        &["subscription_event.subscription"],
    )
    .invalid("no type", vec![is(0)], &["subscription_event.type"])
    .invalid("unknown type", vec![is(4)], &["subscription_event.type"])
    .invalid("no amount", vec![clear(amount)], &[amount])
    .invalid("a change without amount", vec![is(2), clear(amount)], &[amount])
    .invalid("a negative amount", vec![number("subscription_event.monthly_amount.units", -9)], &[amount])
    .invalid(
        "a currency",
        vec![text("subscription_event.monthly_amount.currency_code", "")],
        &["subscription_event.monthly_amount.currency_code"],
    )
    .invalid("an amount of a cancellation", vec![is(3)], &[amount])
    .invalid("a voluntary start", vec![flag("subscription_event.voluntary", false)], &["subscription_event.voluntary"])
    .invalid(
        "a cancellation that had effect before",
        vec![is(3), clear(amount), number("subscription_event.effective_time.seconds", 0)],
        &["subscription_event.effective_time"],
    );
    kind.add_to(table, "SubscriptionEvent", "SubscriptionEvents");
    table.rpc("ListSubscriptionEvents", &[]).invalid(
        "a long subscription",
        vec![text("subscription", "s".repeat(129))],
        &["subscription"],
    );
    table.rpc("AmendSubscriptionEvent", &[]).refused(
        "an amendment of what was withdrawn comes before its values",
        vec![text("subscription_event.subscription_event_id", &kind.withdrawn), is(99)],
        Code::FailedPrecondition,
        "WITHDRAWN",
    );
}

/// Texts that are too long, or hold control characters.
pub(crate) fn texts(rpc: &mut Rpc<'_>, message: &str, lengths: &[(&str, usize)]) {
    for (field, longest) in lengths {
        let field = &format!("{message}.{field}");
        rpc.invalid("too long", vec![text(field, "é".repeat(longest + 1))], &[field]).invalid(
            "a control character",
            vec![text(field, "a\u{0}b")],
            &[field],
        );
    }
}

/// An amount in no currency.
pub(crate) fn money(rpc: &mut Rpc<'_>, field: &str) {
    let code = &format!("{field}.currency_code");
    rpc.invalid("no currency", vec![clear(field), number(&format!("{field}.units"), 1)], &[code]);
}

/// Amounts out of range.
pub(crate) fn amounts(rpc: &mut Rpc<'_>, field: &str, before: impl Fn() -> Vec<Edit>) {
    let (units, nanos) = (&format!("{field}.units"), &format!("{field}.nanos"));
    let cases = [
        ((9_000_000_000_001, 0), units),
        ((i64::MAX, 0), units),
        ((-9_223_372_036_854, -775_808_000), units),
        ((1, -1_000), nanos),
        ((-1, 1_000), nanos),
        ((0, 1_000_000_000), nanos),
        ((0, i64::from(i32::MIN)), nanos),
        ((0, 1), nanos),
    ];
    for ((whole, part), offending) in cases {
        let edits = before().into_iter().chain([number(units, whole), number(nanos, part)]).collect();
        rpc.invalid(&format!("{whole} and {part} billionths"), edits, &[offending]);
    }
}
