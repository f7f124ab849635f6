//! What customers are worth: as somebody said, or by what they spent.

use barometer_chassis::{clock::Micros, testing::on_each_database};
use barometer_proto::{
    common::v1::Money,
    customers::v1::{
        AmendPurchaseRequest, Attribute, AttributeChange, Attributes, BatchGetCustomerValuesRequest, Customer,
        CustomerValue, Purchase, RecordAttributeChangeRequest, RecordPurchaseRequest, UpdateCustomerRequest,
        WithdrawPurchaseRequest, attribute_change, customer_value::Source, purchase,
    },
};
use barometer_tests::{
    samples::{customer, from_now, mask},
    services::Services,
};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::create;

const DAY: i64 = 86_400;

async fn values(services: &Services, ids: &[&str]) -> Vec<CustomerValue> {
    let customer_ids = ids.iter().map(ToString::to_string).collect();
    let request = BatchGetCustomerValuesRequest { customer_ids };
    services.customers.clone().batch_get_customer_values(request).await.expect("values").into_inner().customer_values
}

async fn value(services: &Services, id: &str) -> (String, Source) {
    let value = values(services, &[id]).await.pop().expect("one");
    (value.value_band.clone(), value.source())
}

fn money(currency: &str, units: i64, nanos: i32) -> Money {
    Money { currency_code: currency.to_owned(), units, nanos }
}

async fn buy(services: &Services, id: &str, amount: Money, time: Timestamp) -> Purchase {
    let purchase = Purchase {
        customer: Some(purchase::Customer::CustomerId(id.to_owned())),
        time: Some(time),
        amount: Some(amount),
        ..Purchase::default()
    };
    let request = RecordPurchaseRequest { purchase: Some(purchase), request_id: String::new() };
    services.customers.clone().record_purchase(request).await.expect("recorded").into_inner()
}

fn by_spend(band: &str) -> (String, Source) {
    (band.to_owned(), Source::Spend)
}

#[tokio::test]
async fn spend_counts_as_it_comes_and_until_it_is_a_year_old() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = create(&services, customer("c-1")).await.expect("created").customer_id;
        assert_eq!(value(&services, &id).await, ("unknown".to_owned(), Source::None));

        // 100 EUR are medium, 1,000 are high: to the cent, over 365 days to the second.
        buy(&services, &id, money("EUR", 99, 990_000_000), from_now(-DAY)).await;
        assert_eq!(value(&services, &id).await, by_spend("low"));
        let more = buy(&services, &id, money("EUR", 0, 10_000_000), from_now(-365 * DAY + 60)).await;
        assert_eq!(value(&services, &id).await, by_spend("medium"));
        buy(&services, &id, money("EUR", 5_000, 0), from_now(-365 * DAY - 60)).await;
        assert_eq!(value(&services, &id).await, by_spend("medium"), "that is too long ago");
        // A day ahead at most: it is not spent yet.
        buy(&services, &id, money("EUR", 5_000, 0), from_now(3_600)).await;
        assert_eq!(value(&services, &id).await, by_spend("medium"), "that is to come");
        let much = buy(&services, &id, money("EUR", 2_000, 0), from_now(-2 * DAY)).await;
        assert_eq!(value(&services, &id).await, by_spend("high"));
        buy(&services, &id, money("EUR", -1_500, 0), from_now(-DAY)).await;
        assert_eq!(value(&services, &id).await, by_spend("medium"), "what was returned is taken off");

        let request = WithdrawPurchaseRequest { purchase_id: more.purchase_id, ..Default::default() };
        services.customers.clone().withdraw_purchase(request).await.expect("withdrawn");
        let grown = Purchase { purchase_id: much.purchase_id, time: Some(from_now(-400 * DAY)), ..Purchase::default() };
        let request =
            AmendPurchaseRequest { purchase: Some(grown), update_mask: mask(&["time"]), request_id: String::new() };
        services.customers.clone().amend_purchase(request).await.expect("amended");
        let told = values(&services, &[&id]).await.pop().expect("one");
        assert_eq!((told.value_band.as_str(), told.source()), ("low", Source::Spend));
        assert_eq!(told.spend, [money("EUR", -1_400, -10_000_000)]);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn currencies_are_apart_and_huge_amounts_add_up() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let id = create(&services, customer("c-1")).await.expect("created").customer_id;
        buy(&services, &id, money("JPY", 9_000_000, 0), from_now(-DAY)).await;
        assert_eq!(value(&services, &id).await, ("unknown".to_owned(), Source::None), "no thresholds for yen");
        buy(&services, &id, money("USD", 109, 0), from_now(-DAY)).await;
        buy(&services, &id, money("EUR", 99, 0), from_now(-DAY)).await;
        assert_eq!(value(&services, &id).await, by_spend("low"), "dollars and euros are not added up");
        for _ in 0..3 {
            buy(&services, &id, money("USD", 8_999_999_999_999, 999_999_000), from_now(-DAY)).await;
        }
        assert_eq!(value(&services, &id).await, by_spend("high"));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_somebody_said_comes_first_as_long_as_it_holds() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let attributes = |value_band: &str| {
            let (tier, country) = ("gold".to_owned(), "MD".to_owned());
            Some(Attributes { tier, country, value_band: value_band.to_owned(), ..Attributes::default() })
        };
        let new = Customer { attributes: attributes("high"), ..customer("c-1") };
        let id = create(&services, new).await.expect("created").customer_id;
        buy(&services, &id, money("EUR", 1, 0), from_now(-DAY)).await;
        let nobody = Uuid::new_v4().to_string();
        let told = values(&services, &[&id, &nobody, &id]).await;
        let known = CustomerValue {
            customer_id: id.clone(),
            exists: true,
            value_band: "high".to_owned(),
            source: Source::Set.into(),
            spend: vec![money("EUR", 1, 0)],
            tier: "gold".to_owned(),
            country: "MD".to_owned(),
        };
        let unknown = CustomerValue {
            customer_id: nobody,
            value_band: "unknown".to_owned(),
            source: Source::None.into(),
            ..CustomerValue::default()
        };
        assert_eq!(told, [known.clone(), unknown, known]);

        let change = AttributeChange {
            customer: Some(attribute_change::Customer::CustomerId(id.clone())),
            attribute: Attribute::ValueBand.into(),
            value: "medium".to_owned(),
            time: Some(Micros::now().to_wire()),
            ..AttributeChange::default()
        };
        let request = RecordAttributeChangeRequest { attribute_change: Some(change), request_id: String::new() };
        services.customers.clone().record_attribute_change(request).await.expect("recorded");
        assert_eq!(value(&services, &id).await, ("medium".to_owned(), Source::Set));

        let patch = Customer { customer_id: id.clone(), attributes: attributes(""), ..Customer::default() };
        let request =
            UpdateCustomerRequest { customer: Some(patch), update_mask: mask(&["attributes"]), ..Default::default() };
        services.customers.clone().update_customer(request).await.expect("updated");
        assert_eq!(value(&services, &id).await, by_spend("low"), "nobody says so any more");
        services.stop().await;
    })
    .await;
}
