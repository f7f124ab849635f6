//! Customers: their profiles, their attributes then and now, their keys.

mod attributes;
mod importing;
mod profiles;
mod resolving;
mod values;

use barometer_proto::customers::v1::{CreateCustomerRequest, Customer, GetCustomerRequest};
use barometer_tests::services::Services;
use tonic::Status;

async fn create(services: &Services, customer: Customer) -> Result<Customer, Status> {
    let request = CreateCustomerRequest { customer: Some(customer), request_id: String::new() };
    Ok(services.customers.clone().create_customer(request).await?.into_inner())
}

async fn get(services: &Services, id: &str) -> Customer {
    let request = GetCustomerRequest { customer_id: id.to_owned() };
    services.customers.clone().get_customer(request).await.expect("there").into_inner()
}
