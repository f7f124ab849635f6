//! Every RPC of the exports and erasures of complaints.

use barometer_chassis::testing::on_each_database;
use barometer_proto::complaints::v1::{EraseCustomerRequest, ExportCustomerRequest, GetErasureRequest};
use barometer_tests::{samples::key, services::Services};
use prost::Message;
use tonic::Code;

use crate::{
    table::{Table, clear, copies, text},
    world::{DONE, NOBODY},
};

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request = EraseCustomerRequest {
            customer_id: NOBODY.to_owned(),
            customer_keys: vec![key("one")],
            request_id: DONE.to_owned(),
        };
        services.privacy.clone().erase_customer(request).await.expect("nothing to erase");
        let mut table = Table::of("barometer.complaints.v1.PrivacyService");
        let good = ExportCustomerRequest { customer_id: NOBODY.to_owned() };
        table
            .rpc("ExportCustomer", &good.encode_to_vec())
            .answered("nobody known", vec![])
            .invalid("no id", vec![clear("customer_id")], &["customer_id"])
            .invalid("a garbage id", vec![text("customer_id", "x")], &["customer_id"]);
        let good = EraseCustomerRequest {
            customer_id: NOBODY.to_owned(),
            customer_keys: vec![key("one")],
            request_id: String::new(),
        };
        table
            .rpc("EraseCustomer", &good.encode_to_vec())
            .invalid("no id", vec![clear("customer_id")], &["customer_id"])
            .invalid(
                "garbage",
                vec![text("customer_id", "x"), text("request_id", "x"), text("customer_keys[0].value", "")],
                &["customer_id", "request_id", "customer_keys[0].value"],
            )
            .invalid("101 keys", vec![copies("customer_keys", 101)], &["customer_keys"])
            .refused(
                "done before",
                vec![text("request_id", DONE), clear("customer_keys")],
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
        let good = GetErasureRequest { erasure_id: NOBODY.to_owned() };
        table
            .rpc("GetErasure", &good.encode_to_vec())
            .invalid("no id", vec![clear("erasure_id")], &["erasure_id"])
            .invalid("a garbage id", vec![text("erasure_id", "x")], &["erasure_id"])
            .unknown("an unknown id", vec![]);
        table.check(&services.channel).await;
        services.stop().await;
    })
    .await;
}
