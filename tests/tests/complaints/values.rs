//! What customers are worth decides how urgent their cases are, also when customers could not be asked at once.

use barometer_chassis::testing::on_each_database;
use barometer_proto::{
    complaints::v1::{
        AmendCaseRequest, Case, CaseEntryType as Event, CaseRow, Conditions, CreateCalendarRequest, GetCaseRequest,
        ImportCasesRequest, Policy, PolicySet, Priority, PublishPoliciesRequest, case::Customer as Of,
        get_case_request::By,
    },
    customers::v1::{Attributes, CreateCustomerRequest, Customer},
};
use barometer_tests::{
    eventually,
    samples::{calendar, case, customer, hour, key, mask, policy},
    services::Services,
};

use crate::{How, Verb, act, entries, get, open_one};

/// A customer who is worth this.
async fn known(services: &Services, name: &str, band: &str) -> String {
    let attributes = Attributes {
        value_band: band.to_owned(),
        tier: "gold".to_owned(),
        country: "MD".to_owned(),
        ..Default::default()
    };
    let new = Customer { attributes: Some(attributes), ..customer(name) };
    let request = CreateCustomerRequest { customer: Some(new), request_id: String::new() };
    services.customers.clone().create_customer(request).await.expect("created").into_inner().customer_id
}

fn valued(case: &Case) -> (&str, Priority, bool) {
    (case.value_band.as_str(), case.priority(), case.value_pending)
}

#[tokio::test]
async fn a_case_has_the_value_of_its_customer_from_the_beginning() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let high = known(&services, "c-1", "high").await;
        let opened = open_one(&services, case(&high)).await.expect("opened");
        assert_eq!(valued(&opened), ("high", Priority::High, false));
        assert_eq!((opened.customer_tier.as_str(), opened.customer_country.as_str()), ("gold", "MD"));
        let by_key = Case { customer: Some(Of::CustomerKey(key("c-1"))), ..case("") };
        assert_eq!(valued(&open_one(&services, by_key).await.expect("opened")), ("high", Priority::High, false));
        let nobodys = open_one(&services, Case { customer: None, ..case("") }).await.expect("opened");
        assert_eq!(valued(&nobodys), ("unknown", Priority::Normal, false));

        let row = |row, case: Case, resolve_time| CaseRow { row, case: Some(case), resolve_time, ..CaseRow::default() };
        let named = |name: &str| Case { external_id: Some(key(name)), ..case(&high) };
        let rows = vec![row(1, named("open"), None), row(2, named("ended"), Some(hour(2)))];
        let batches = tokio_stream::iter([ImportCasesRequest { rows }]);
        let mut answers = services.complaints.clone().import_cases(batches).await.expect("a stream").into_inner();
        answers.message().await.expect("an answer");
        let by_key = async |name: &str| {
            let request = GetCaseRequest { by: Some(By::ExternalId(key(name))) };
            services.complaints.clone().get_case(request).await.expect("there").into_inner()
        };
        assert_eq!(valued(&by_key("open").await), ("high", Priority::High, false));
        assert_eq!(valued(&by_key("ended").await), ("unknown", Priority::Normal, false));

        let low = known(&services, "c-2", "low").await;
        let patch = Case { case_id: opened.case_id.clone(), customer: Some(Of::CustomerId(low)), ..Case::default() };
        let request =
            AmendCaseRequest { case: Some(patch), update_mask: mask(&["customer_id"]), request_id: String::new() };
        services.complaints.clone().amend_case(request).await.expect("amended");
        let another = async || valued(&get(&services, &opened.case_id).await) == ("low", Priority::Low, false);
        eventually("the value is that of the other customer", another).await;
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_could_not_be_asked_for_is_asked_for_later_also_after_a_restart() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let high = known(&services, "c-1", "high").await;
        let request = CreateCalendarRequest { calendar: Some(calendar("desk")), request_id: String::new() };
        let calendar = services.policies.clone().create_calendar(request).await.expect("created").into_inner();
        let gold = Policy {
            conditions: Some(Conditions { customer_tiers: vec!["gold".to_owned()], ..Conditions::default() }),
            ..policy("gold", &calendar.calendar_id)
        };
        let policies = vec![gold, policy("all", &calendar.calendar_id)];
        let set = PolicySet { policies, ..PolicySet::default() };
        let request = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
        services.policies.clone().publish_policies(request).await.expect("published");
        assert_eq!(open_one(&services, case(&high)).await.expect("opened").policy_name, "gold");
        services.stop().await;

        let services = Services::start_apart(database).await;
        let opened = open_one(&services, case(&high)).await.expect("opened without an answer");
        assert_eq!((valued(&opened), opened.policy_name.as_str()), (("unknown", Priority::Normal, true), "all"));
        let set = open_one(&services, case(&high)).await.expect("opened without an answer").case_id;
        act(&services, &set, Verb::Prioritize(Priority::Low), How::default()).await.expect("allowed");
        let ended = open_one(&services, case(&high)).await.expect("opened without an answer").case_id;
        act(&services, &ended, Verb::Resolve, How::default()).await.expect("allowed");
        services.stop().await;

        let services = Services::start(database).await;
        let known = async |id: &str| !get(&services, id).await.value_pending;
        let all = async || known(&opened.case_id).await && known(&set).await && known(&ended).await;
        eventually("customers has answered", all).await;
        let corrected = get(&services, &opened.case_id).await;
        assert_eq!(valued(&corrected), ("high", Priority::High, false));
        assert_eq!((corrected.policy_name.as_str(), corrected.customer_tier.as_str()), ("all", "gold"));
        assert_eq!(entries(&services, &opened.case_id).await, [Event::Opened, Event::Prioritized]);
        assert_eq!(valued(&get(&services, &set).await), ("high", Priority::Low, false), "somebody set it");
        assert_eq!(valued(&get(&services, &ended).await), ("high", Priority::Normal, false), "it ended");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_case_does_not_wait_for_a_customers_service_that_says_nothing() {
    on_each_database(async |database| {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = silent.local_addr().expect("it is bound");
        let services = Services::start_towards(database, &format!("http://{address}")).await;
        let begun = std::time::Instant::now();
        let opened = open_one(&services, case(&uuid::Uuid::new_v4().to_string())).await.expect("opened");
        assert!(opened.value_pending);
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        services.stop().await;
    })
    .await;
}
