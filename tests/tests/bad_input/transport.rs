//! What is no request at all: bytes that are no message, messages that are too large, frames that are none.

use barometer_chassis::testing::on_each_database;
use barometer_tests::services::{MAX_MESSAGE, Services, told};
use tonic::{Code, transport::Channel};

use crate::{table::descriptor, wire};

const SERVICES: [&str; 4] = [
    "barometer.customers.v1.CustomerService",
    "barometer.surveys.v1.SurveyService",
    "barometer.complaints.v1.ComplaintService",
    "barometer.complaints.v1.PolicyService",
];

fn paths_of(service: &str) -> Vec<String> {
    descriptor(service).methods().map(|method| format!("/{service}/{}", method.name())).collect()
}

fn paths() -> Vec<String> {
    SERVICES.iter().flat_map(|service| paths_of(service)).collect()
}

/// Sends bytes that are no message to every RPC of a service.
pub(crate) async fn check_refuses_garbage(channel: &Channel, service: &str) {
    let cut_off = vec![0x0a, 0x7f, 0x01];
    let endless = vec![0xff; 11];
    for path in paths_of(service) {
        for garbage in [&cut_off, &endless] {
            let refused = wire::call(channel.clone(), &path, vec![garbage.clone()]).await.expect_err(&path);
            assert_eq!(told(&refused), (Code::InvalidArgument, "MALFORMED".to_owned(), vec![]), "{path}");
        }
        let refused = wire::call(channel.clone(), &path, vec![message(MAX_MESSAGE)]).await.expect_err(&path);
        let (code, reason, _) = told(&refused);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "MESSAGE_TOO_LARGE"), "{path}");
    }
}

/// An unknown field of so many bytes: a good message, but for its size.
fn message(bytes: usize) -> Vec<u8> {
    let mut message = vec![0xfa, 0x7f];
    prost::encoding::encode_varint(bytes as u64, &mut message);
    message.resize(message.len() + bytes, b'x');
    message
}

#[tokio::test]
async fn what_is_no_message_or_too_large_is_told() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        for service in SERVICES {
            check_refuses_garbage(&services.channel, service).await;
        }
        let not_utf8 = vec![0x0a, 0x02, 0xff, 0xfe];
        let path = "/barometer.customers.v1.CustomerService/GetCustomer";
        let refused = wire::call(services.channel.clone(), path, vec![not_utf8]).await.expect_err("not UTF-8");
        assert_eq!(told(&refused), (Code::InvalidArgument, "MALFORMED".to_owned(), vec![]));
        let path = "/barometer.customers.v1.CustomerService/ListCustomers";
        wire::call(services.channel.clone(), path, vec![message(MAX_MESSAGE - 100)]).await.expect("not too large");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn frames_that_are_none_fail_their_own_call_only() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        // A compression that was not announced; a flag that is none; a length without so many bytes; half a header; text.
        let bodies = ["\u{1}\0\0\0\u{1}x", "\u{7}\0\0\0\u{1}x", "\0\0\0\0\u{9}x", "\0\0", "GET / HTTP/1.1\r\n\r\n"];
        for path in paths().iter().filter(|path| !path.contains("/Import")) {
            for body in bodies {
                let refused = wire::post(services.channel.clone(), &services.endpoint, path, body.to_owned()).await;
                let (code, reason, _) = told(&refused.expect_err(path));
                assert_eq!(code, Code::InvalidArgument, "{path} {body:?}");
                assert!(["MALFORMED", "MESSAGE_TOO_LARGE"].contains(&reason.as_str()), "{path} {body:?}: {reason}");
            }
        }
        let nothing = wire::post(services.channel.clone(), &services.endpoint, &paths()[0], String::new()).await;
        assert_eq!(told(&nothing.expect_err("no message")).1, "MALFORMED");
        for unknown in ["/barometer.customers.v1.CustomerService/Nothing", "/nobody.Service/Get", "/"] {
            let refused =
                wire::post(services.channel.clone(), &services.endpoint, unknown, "\0\0\0\0\0".to_owned()).await;
            assert_eq!(told(&refused.expect_err(unknown)).0, Code::Unimplemented, "{unknown}");
        }
        let mut alive = services.customers.clone();
        alive.list_customers(barometer_proto::customers::v1::ListCustomersRequest::default()).await.expect("alive");
        services.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_can_not_all_be_told_still_arrives() {
    on_each_database(async |database| {
        let services = Services::start(database).await;
        let request =
            barometer_proto::customers::v1::BatchGetCustomersRequest { customer_ids: vec!["x".into(); 1_000] };
        let refused = services.customers.clone().batch_get_customers(request).await.expect_err("no ids");
        let (code, _, fields) = told(&refused);
        assert_eq!(code, Code::InvalidArgument);
        assert_eq!(fields[..2], ["customer_ids[0]", "customer_ids[1]"]);
        assert!(fields.len() < 1_000);

        let key = "k".repeat(2_000_000);
        let customer = barometer_proto::customers::v1::Customer {
            dimensions: [(key, "v".to_owned())].into(),
            ..Default::default()
        };
        let request =
            barometer_proto::customers::v1::CreateCustomerRequest { customer: Some(customer), ..Default::default() };
        let refused = services.customers.clone().create_customer(request).await.expect_err("a dimension's name");
        assert!(told(&refused).2[0].starts_with("customer.dimensions.kkk"));
        services.stop().await;
    })
    .await;
}
