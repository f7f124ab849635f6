//! Every method of the customers service.

use barometer_proto::{
    common::v1::ExternalId,
    customers::v1::{
        AttributeChange, BatchGetCustomerValuesRequest, BatchGetCustomerValuesResponse, BatchGetCustomersRequest,
        BatchGetCustomersResponse, CreateCustomerRequest, Customer, CustomerRow, GetCustomerRequest,
        ImportCustomersRequest, ImportCustomersResponse, Interaction, ListCustomersRequest, ListCustomersResponse,
        LookupCustomerRequest, PurchaseLine, ResolveCustomersRequest, ResolveCustomersResponse, SubscriptionEvent,
        UpdateCustomerRequest, WatchFactsRequest, WatchFactsResponse, attribute_change, interaction, purchase,
        subscription_event,
    },
};
use barometer_tests::samples::{self, mask};
use prost::Message;

use crate::{
    caller::{Caller, MARK},
    recorded::{self, Noun},
};

const SERVICE: &str = "barometer.customers.v1.CustomerService";

pub(crate) fn marked() -> String {
    MARK.to_owned()
}

pub(crate) fn key(value: &str) -> ExternalId {
    ExternalId { system: marked(), value: format!("{MARK} {value}") }
}

/// Somebody who is known by this key.
fn customer(value: &str) -> Customer {
    Customer {
        external_ids: vec![key(value)],
        display_name: marked(),
        email: marked(),
        phone: marked(),
        tags: vec![marked()],
        ..Customer::default()
    }
}

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let create = CreateCustomerRequest { customer: Some(customer("known")), request_id: String::new() };
    let Customer { customer_id, .. } = caller.call(&method("CreateCustomer"), &create).await;
    let get = GetCustomerRequest { customer_id: customer_id.clone() };
    let _: Customer = caller.call(&method("GetCustomer"), &get).await;
    let get = BatchGetCustomersRequest { customer_ids: vec![customer_id.clone()] };
    let _: BatchGetCustomersResponse = caller.call(&method("BatchGetCustomers"), &get).await;
    let values = BatchGetCustomerValuesRequest { customer_ids: vec![customer_id.clone()] };
    let _: BatchGetCustomerValuesResponse = caller.call(&method("BatchGetCustomerValues"), &values).await;
    let lookup = LookupCustomerRequest { external_id: Some(key("known")) };
    let _: Customer = caller.call(&method("LookupCustomer"), &lookup).await;
    let update = UpdateCustomerRequest {
        customer: Some(Customer { customer_id, display_name: format!("{MARK} II"), ..customer("known") }),
        update_mask: mask(&["display_name"]),
        request_id: String::new(),
    };
    let _: Customer = caller.call(&method("UpdateCustomer"), &update).await;
    let _: ListCustomersResponse = caller.call(&method("ListCustomers"), &ListCustomersRequest::default()).await;
    let resolve = ResolveCustomersRequest { external_ids: vec![key("resolved")] };
    let _: ResolveCustomersResponse = caller.call(&method("ResolveCustomers"), &resolve).await;
    let import = ImportCustomersRequest { rows: vec![CustomerRow { row: 1, customer: Some(customer("imported")) }] };
    let imported: ImportCustomersResponse = caller.call(&method("ImportCustomers"), &import).await;
    assert!(imported.rejected.is_empty(), "{imported:?}");

    for (name, field, sample) in [
        ("AttributeChange", "attribute_change", attribute_change()),
        ("Purchase", "purchase", purchase()),
        ("Interaction", "interaction", interaction()),
        ("SubscriptionEvent", "subscription_event", subscription_event()),
    ] {
        recorded::call_all(caller, Noun { service: SERVICE, verb: "Record", name, field, sample }).await;
    }
    let _: WatchFactsResponse = caller.call(&method("WatchFacts"), &WatchFactsRequest::default()).await;
}

fn attribute_change() -> Vec<u8> {
    let customer = Some(attribute_change::Customer::CustomerKey(key("known")));
    AttributeChange { customer, external_id: Some(key("known")), ..samples::attribute_change("") }.encode_to_vec()
}

fn purchase() -> Vec<u8> {
    let mut purchase = samples::purchase("");
    purchase.customer = Some(purchase::Customer::CustomerKey(key("known")));
    purchase.external_id = Some(key("known"));
    purchase.lines = vec![PurchaseLine { product: marked(), voucher: marked(), ..purchase.lines[0].clone() }];
    (purchase.voucher, purchase.return_of) = (marked(), Some(key("other")));
    purchase.encode_to_vec()
}

fn interaction() -> Vec<u8> {
    Interaction {
        customer: Some(interaction::Customer::CustomerKey(key("known"))),
        external_id: Some(key("known")),
        journey_id: marked(),
        session_id: marked(),
        text: marked(),
        in_answer_to: Some(key("other")),
        ..samples::interaction("")
    }
    .encode_to_vec()
}

fn subscription_event() -> Vec<u8> {
    SubscriptionEvent {
        customer: Some(subscription_event::Customer::CustomerKey(key("known"))),
        external_id: Some(key("known")),
        subscription: marked(),
        ..samples::subscription_event("")
    }
    .encode_to_vec()
}
