//! Every method of costs.

use barometer_proto::customers::v1::{Cost, cost};
use barometer_tests::samples;
use prost::Message;

use crate::{
    caller::Caller,
    customers::key,
    recorded::{self, Noun},
};

const SERVICE: &str = "barometer.customers.v1.CostService";

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let customer = Some(cost::Customer::CustomerKey(key("known")));
    let sample = Cost { customer, external_id: Some(key("known")), ..samples::cost("") }.encode_to_vec();
    recorded::call_all(caller, Noun { service: SERVICE, verb: "Record", name: "Cost", field: "cost", sample }).await;
}
