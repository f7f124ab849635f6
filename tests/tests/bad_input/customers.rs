//! Every RPC of the customers service.

use barometer_chassis::{position::Position, testing::on_each_database};
use barometer_proto::customers::v1::{CreateCustomerRequest, UpdateCustomerRequest};
use barometer_tests::{samples::customer, services::Services};
use prost::Message;
use tonic::Code;

use crate::{
    facts::{batches, pages},
    nouns,
    table::{Edit, Rpc, Table, clear, copies, number, numbers, pair, text, texts},
    world::{DONE, NOBODY, World},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let world = World::new(&services).await;
        let mut table = Table::of("barometer.customers.v1.CustomerService");
        create(&mut table, &world);
        read(&mut table);
        update(&mut table, &world);
        list(&mut table);
        resolve(&mut table);
        batches(&mut table.rpc("ImportCustomers", &[]));
        nouns::attribute_changes(&mut table, &world);
        nouns::purchases(&mut table, &world);
        nouns::interactions(&mut table, &world);
        nouns::subscription_events(&mut table, &world);
        watch(&mut table.rpc("WatchFacts", &[]), "customers", &world.draft.position);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}

fn create(table: &mut Table, world: &World) {
    let good = CreateCustomerRequest { customer: Some(customer("c-3")), request_id: String::new() };
    let rpc = &mut table.rpc("CreateCustomer", &good.encode_to_vec());
    rpc.invalid("no message", vec![clear("customer")], &["customer"])
        .invalid("garbage request id", vec![text("request_id", "r-1")], &["request_id"])
        .refused(
            "a key that is taken",
            vec![text("customer.external_ids[0].value", "c-1")],
            Code::AlreadyExists,
            "KEY_TAKEN",
        )
        .refused(
            "a request id with other values",
            vec![text("request_id", DONE)],
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
        );
    values(rpc);
    let several = vec![text("request_id", "x"), text("customer.email", "x"), text("customer.language", "x y")];
    rpc.invalid("several at once", several, &["request_id", "customer.email", "customer.language"]);
    let ignored = vec![text("customer.customer_id", &world.customer.customer_id), text("customer.email", "nowhere")];
    rpc.invalid("fields that are output only", ignored, &["customer.email"]);
}

/// What a customer may not hold.
fn values(rpc: &mut Rpc<'_>) {
    nouns::texts(rpc, "customer", &[("display_name", 200), ("phone", 32)]);
    nouns::texts(rpc, "customer.attributes", &[("tier", 64), ("country", 64)]);
    let band = "customer.attributes.value_band";
    rpc.invalid("no value band", vec![text(band, "unknown")], &[band]);
    let mail = "customer.email";
    rpc.invalid("no address", vec![text(mail, "nowhere")], &[mail])
        .invalid("a long address", vec![text(mail, format!("@{}", "x".repeat(254)))], &[mail])
        .invalid("an address with a control character", vec![text(mail, "a\u{0}@b")], &[mail])
        .invalid(
            "a key without value",
            vec![text("customer.external_ids[0].value", "")],
            &["customer.external_ids[0].value"],
        )
        .invalid("33 keys", vec![copies("customer.external_ids", 33)], &["customer.external_ids"])
        .invalid("65 tags", vec![copies("customer.tags", 65)], &["customer.tags"])
        .invalid(
            "tags",
            vec![texts("customer.tags", &["", &"t".repeat(65), "a\u{0}", "fine"])],
            &["customer.tags[0]", "customer.tags[1]", "customer.tags[2]"],
        )
        .invalid("a tag twice", vec![texts("customer.tags", &["a", "b", "a"])], &["customer.tags"])
        .invalid(
            "segments",
            vec![texts("customer.attributes.segments", &["", &"s".repeat(65)])],
            &["customer.attributes.segments[0]", "customer.attributes.segments[1]"],
        )
        .invalid("65 segments", vec![copies("customer.attributes.segments", 65)], &["customer.attributes.segments"])
        .invalid("since the future", vec![number("customer.since.seconds", 4_000_000_000)], &["customer.since"])
        .invalid("since never", vec![number("customer.since.nanos", 1_000_000_000)], &["customer.since"])
        .invalid(
            "a reserved dimension",
            vec![pair("customer.dimensions", "country", "x")],
            &["customer.dimensions.country"],
        );
    for language in ["english language", "en_US", "-", "e\u{0}", "12", &"a".repeat(36)] {
        rpc.invalid("a language", vec![text("customer.language", language)], &["customer.language"]);
    }
}

fn read(table: &mut Table) {
    table
        .rpc("GetCustomer", &[])
        .invalid("no id", vec![], &["customer_id"])
        .invalid("a garbage id", vec![text("customer_id", "c-1")], &["customer_id"])
        .unknown("an unknown id", vec![text("customer_id", NOBODY)]);
    let rpc = &mut table.rpc("BatchGetCustomers", &[]);
    rpc.invalid("no ids", vec![], &["customer_ids"])
        .invalid("1,001 ids", vec![copies("customer_ids", 1_001)], &["customer_ids"])
        .invalid(
            "garbage ids",
            vec![texts("customer_ids", &["", NOBODY, "x"])],
            &["customer_ids[0]", "customer_ids[2]"],
        )
        .unknown("an unknown id", vec![texts("customer_ids", &[NOBODY])]);
    let rpc = &mut table.rpc("BatchGetCustomerValues", &[]);
    rpc.invalid("no ids", vec![], &["customer_ids"])
        .invalid("1,001 ids", vec![copies("customer_ids", 1_001)], &["customer_ids"])
        .invalid("garbage ids", vec![texts("customer_ids", &["", NOBODY])], &["customer_ids[0]"])
        .answered("an unknown id", vec![texts("customer_ids", &[NOBODY])]);
    let rpc = &mut table.rpc("LookupCustomer", &[]);
    rpc.invalid("no key", vec![], &["external_id"])
        .invalid("no value", vec![text("external_id.system", "shop")], &["external_id.value"])
        .invalid("too long", vec![text("external_id.value", "k".repeat(257))], &["external_id.value"])
        .invalid("a control character", vec![text("external_id.value", "\u{0}")], &["external_id.value"])
        .unknown("an unknown key", vec![text("external_id.value", "c-1")]);
}

fn update(table: &mut Table, world: &World) {
    let id = &world.customer.customer_id;
    let good = UpdateCustomerRequest { customer: Some(customer("c-3")), ..Default::default() };
    let rpc = &mut table.rpc("UpdateCustomer", &good.encode_to_vec());
    let with = |edits: Vec<Edit>| {
        let named = [text("customer.customer_id", id), text("customer.language", "de")];
        named.into_iter().chain(edits).collect::<Vec<_>>()
    };
    let paths = |paths: &[&str]| texts("update_mask.paths", paths);
    rpc.invalid("no message", vec![clear("customer")], &["customer"])
        .invalid("no id", vec![text("request_id", "x")], &["customer.customer_id", "request_id"])
        .invalid("a garbage id", vec![text("customer.customer_id", "c-1")], &["customer.customer_id"])
        .unknown("an unknown id", vec![text("customer.customer_id", NOBODY)])
        .refused("a stale etag", with(vec![text("customer.etag", "1")]), Code::Aborted, "STALE_ETAG")
        .invalid(
            "what can not be changed",
            with(vec![paths(&["customer_id", "language", "etag", "position"])]),
            &["update_mask.paths[0]", "update_mask.paths[2]", "update_mask.paths[3]"],
        )
        .invalid(
            "no field",
            with(vec![paths(&["nonsense", "attributes.tier"])]),
            &["update_mask.paths[0]", "update_mask.paths[1]"],
        )
        .refused(
            "a key that is taken",
            with(vec![text("customer.external_ids[0].value", "c-2")]),
            Code::AlreadyExists,
            "KEY_TAKEN",
        )
        .refused(
            "a request id with other values",
            with(vec![text("request_id", DONE)]),
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
        );
    let named = UpdateCustomerRequest {
        customer: Some(barometer_proto::customers::v1::Customer { customer_id: id.clone(), ..customer("c-1") }),
        ..Default::default()
    };
    values(&mut table.rpc("UpdateCustomer", &named.encode_to_vec()));
}

fn list(table: &mut Table) {
    let rpc = &mut table.rpc("ListCustomers", &[]);
    pages(rpc);
    for field in ["tier", "country", "tag", "segment"] {
        rpc.invalid("too long", vec![text(field, "x".repeat(65))], &[field]).invalid(
            "a control character",
            vec![text(field, "\u{0}")],
            &[field],
        );
    }
    let times = vec![number("created_from.nanos", -1), number("created_to.seconds", i64::MIN)];
    let backwards = vec![number("created_from.seconds", 9), number("created_to.seconds", 8)];
    rpc.invalid("times", times, &["created_from", "created_to"]).invalid("backwards", backwards, &["created_from"]);
}

fn resolve(table: &mut Table) {
    let rpc = &mut table.rpc("ResolveCustomers", &[]);
    let second = vec![copies("external_ids", 2), text("external_ids[0].value", "c-9")];
    rpc.invalid("no keys", vec![], &["external_ids"])
        .invalid("1,001 keys", vec![copies("external_ids", 1_001)], &["external_ids"])
        .invalid("one of two keys without value", second, &["external_ids[1].value"])
        .invalid(
            "a long system",
            vec![
                copies("external_ids", 1),
                text("external_ids[0].value", "c-9"),
                text("external_ids[0].system", "s".repeat(65)),
            ],
            &["external_ids[0].system"],
        );
}

/// Following a feed, from positions that are none of it. `other` is a position of another service.
pub(crate) fn watch(rpc: &mut Rpc<'_>, service: &str, other: &str) {
    let elsewhere = Position { n: 3, marker: uuid::Uuid::from_u128(7) }.encode(service);
    let ahead = Position { n: i64::MAX, marker: uuid::Uuid::from_u128(7) }.encode(service);
    for garbage in ["x", "AAAA", "\u{0}", &"A".repeat(10_000)] {
        rpc.invalid("a garbage position", vec![text("after", garbage)], &["after"]);
    }
    rpc.invalid("a position of another service", vec![text("after", other)], &["after"])
        .refused("a position of another history", vec![text("after", elsewhere)], Code::OutOfRange, "POSITION_GONE")
        .refused("a position that is not reached", vec![text("after", ahead)], Code::OutOfRange, "POSITION_GONE");
    for (kinds, offending) in [(vec![1, 99], "kinds[1]"), (vec![0], "kinds[0]"), (vec![-1], "kinds[0]")] {
        rpc.invalid("an unknown kind", vec![numbers("kinds", kinds)], &[offending]);
    }
    let all = vec![numbers("kinds", vec![1, 99, -1]), text("after", "x")];
    rpc.invalid("all at once", all, &["kinds[1]", "kinds[2]", "after"]);
}
