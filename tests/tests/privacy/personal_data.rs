//! Every method of the exports and erasures of complaints.

use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{
        Case, EraseCustomerRequest, Erasure, ExportCustomerRequest, ExportCustomerResponse, GetErasureRequest,
        OpenCaseRequest, case as of_case,
    },
};
use barometer_tests::samples::case;

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.PrivacyService";

pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let key = ExternalId { system: MARK.to_owned(), value: format!("{MARK} to be forgotten") };
    let customer = Some(of_case::Customer::CustomerKey(key.clone()));
    let case = Case { customer, subject: MARK.to_owned(), description: MARK.to_owned(), ..case("") };
    let open = OpenCaseRequest { case: Some(case), request_id: String::new() };
    let Case { customer, .. } = caller.call("barometer.complaints.v1.ComplaintService/OpenCase", &open).await;
    let Some(of_case::Customer::CustomerId(customer_id)) = customer else { panic!("a customer") };
    let export = ExportCustomerRequest { customer_id: customer_id.clone() };
    let _: ExportCustomerResponse = caller.call(&method("ExportCustomer"), &export).await;
    let erase = EraseCustomerRequest { customer_id, customer_keys: vec![key], request_id: String::new() };
    let Erasure { erasure_id, .. } = caller.call(&method("EraseCustomer"), &erase).await;
    let _: Erasure = caller.call(&method("GetErasure"), &GetErasureRequest { erasure_id }).await;
}
