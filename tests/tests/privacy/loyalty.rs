//! Every method of the loyalty programme and of referrals.

use barometer_proto::customers::v1::{MembershipEvent, MembershipEventType, Referral, membership_event, referral};
use barometer_tests::samples;
use prost::Message;

use crate::{
    caller::Caller,
    customers::{key, marked},
    recorded::{self, Noun},
};

const SERVICE: &str = "barometer.customers.v1.LoyaltyService";

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    for (name, field, sample) in
        [("MembershipEvent", "membership_event", membership_event()), ("Referral", "referral", referral())]
    {
        recorded::call_all(caller, Noun { service: SERVICE, verb: "Record", name, field, sample }).await;
    }
}

fn membership_event() -> Vec<u8> {
    MembershipEvent {
        customer: Some(membership_event::Customer::CustomerKey(key("known"))),
        external_id: Some(key("known")),
        r#type: MembershipEventType::GrantVoucher.into(),
        points: 0,
        voucher: marked(),
        purchase: Some(key("other")),
        ..samples::membership_event("")
    }
    .encode_to_vec()
}

fn referral() -> Vec<u8> {
    Referral {
        customer: Some(referral::Customer::CustomerKey(key("known"))),
        referred: Some(referral::Referred::ReferredCustomerKey(key("recommended"))),
        external_id: Some(key("known")),
        ..samples::referral("")
    }
    .encode_to_vec()
}
