//! Imports of customers: created when new, completed when known.

use barometer_chassis::testing::on_each_database;
use barometer_proto::customers::v1::{
    Attributes, Customer, CustomerRow, ImportCustomersRequest, ImportCustomersResponse, ListAttributeChangesRequest,
    LookupCustomerRequest,
};
use barometer_tests::{
    samples::{customer, hour, key},
    services::{Services, count},
};

async fn import(services: &Services, customers: &[Customer]) -> ImportCustomersResponse {
    let rows =
        (1..).zip(customers.iter().cloned()).map(|(row, customer)| CustomerRow { row, customer: Some(customer) });
    let batches = tokio_stream::iter([ImportCustomersRequest { rows: rows.collect() }]);
    let mut answers = services.customers.clone().import_customers(batches).await.expect("a stream").into_inner();
    answers.message().await.expect("an answer").expect("one for the batch")
}

async fn lookup(services: &Services, value: &str) -> Customer {
    let request = LookupCustomerRequest { external_id: Some(key(value)) };
    services.customers.clone().lookup_customer(request).await.expect("there").into_inner()
}

fn counts(answer: &ImportCustomersResponse) -> (i32, i32, usize) {
    (answer.recorded, answer.unchanged, answer.rejected.len())
}

fn tier(tier: &str) -> Option<Attributes> {
    Some(Attributes { tier: tier.to_owned(), ..Attributes::default() })
}

async fn said(services: &Services) -> usize {
    let request = ListAttributeChangesRequest { page_size: 1_000, ..Default::default() };
    services
        .customers
        .clone()
        .list_attribute_changes(request)
        .await
        .expect("a list")
        .into_inner()
        .attribute_changes
        .len()
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let rows: Vec<Customer> = (0..60)
            .map(|n| Customer {
                display_name: format!("Customer {n}"),
                external_ids: (0..20).map(|key_of| key(&format!("c-{n}-{key_of}"))).collect(),
                tags: vec!["b".to_owned(), "a".to_owned()],
                since: Some(hour(n)),
                attributes: Some(Attributes {
                    tier: "gold".to_owned(),
                    country: "MD".to_owned(),
                    member: Some(true),
                    segments: vec!["z".to_owned(), "y".to_owned()],
                    value_band: "high".to_owned(),
                }),
                ..Customer::default()
            })
            .collect();
        let first = import(&services, &rows).await;
        assert_eq!(counts(&first), (60, 0, 0));
        assert_eq!(said(&services).await, 6 * 60);
        let before = lookup(&services, "c-7-0").await;
        let second = import(&services, &rows).await;
        assert_eq!(counts(&second), (0, 60, 0), "{:?}", second.rejected.first());
        assert!(count(&second.position) <= count(&first.position), "nothing was written");
        assert_eq!(said(&services).await, 6 * 60);
        assert_eq!(lookup(&services, "c-7-19").await, before);
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_known_customer_is_completed() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let first = Customer { display_name: "Customer 1".into(), attributes: tier("gold"), ..customer("c-1") };
        import(&services, &[first]).await;
        let more = Customer {
            external_ids: vec![key("c-1"), key("mail-1")],
            phone: "+1".into(),
            attributes: Some(Attributes { country: "MD".into(), ..Attributes::default() }),
            ..Customer::default()
        };
        let answer = import(&services, std::slice::from_ref(&more)).await;
        assert_eq!(counts(&answer), (1, 0, 0));
        let held = lookup(&services, "mail-1").await;
        assert_eq!(
            (held.display_name.as_str(), held.phone.as_str(), held.language.as_str()),
            ("Customer 1", "+1", "en")
        );
        let attributes = held.attributes.clone().expect("attributes");
        assert_eq!((attributes.tier.as_str(), attributes.country.as_str()), ("gold", "MD"));
        assert_eq!(counts(&import(&services, &[more]).await), (0, 1, 0));

        // What was said before holds until now; what is new holds from now on.
        let changed = Customer { attributes: tier("silver"), ..customer("c-1") };
        assert_eq!(counts(&import(&services, &[changed]).await), (1, 0, 0));
        let request = ListAttributeChangesRequest { customer_id: held.customer_id, ..Default::default() };
        let changes = services.customers.clone().list_attribute_changes(request).await.expect("a list").into_inner();
        let latest = &changes.attribute_changes[0];
        assert_eq!((latest.value.as_str(), latest.time), ("silver", latest.create_time));
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_bad_row_is_refused_alone() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        import(&services, &[customer("taken")]).await;
        let rows = [
            customer("c-1"),
            Customer { email: "nowhere".into(), language: "_".into(), ..customer("c-2") },
            Customer { external_ids: vec![], ..customer("") },
            Customer { external_ids: vec![key("c-4"), key("taken")], ..Customer::default() },
            customer("c-5"),
            customer("c-5"),
        ];
        let answer = import(&services, &rows).await;
        assert_eq!(counts(&answer), (2, 1, 3));
        let refused: Vec<(i64, Vec<&str>)> = answer
            .rejected
            .iter()
            .map(|rejected| (rejected.row, rejected.violations.iter().map(|v| v.field.as_str()).collect()))
            .collect();
        let expected = [(2, vec!["email", "language"]), (3, vec!["external_ids"]), (4, vec!["external_ids"])];
        let sorted = |mut fields: Vec<&'static str>| {
            fields.sort_unstable();
            fields
        };
        for ((row, mut fields), (expected_row, expected)) in
            refused.into_iter().zip(expected.map(|(r, f)| (r, sorted(f))))
        {
            fields.sort_unstable();
            assert_eq!((row, fields), (expected_row, expected));
        }
        services.stop().await;
    })
    .await;
}
