//! The RPCs on events of memberships and on referrals.

use barometer_chassis::{
    door::{Door, Page},
    fingerprint,
    import::Acknowledgements,
    layers::Principal,
    store::Batch,
};
use barometer_proto::customers::v1::{self as wire, MembershipEventType, loyalty_service_server::LoyaltyService};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Customers,
    recorded::{Common, equals},
    rpcs::serve_recorded,
};
use crate::{membership_event, noun::By, referral};

serve_recorded! { LoyaltyService:
    membership_event, membership_event, membership_events, membership_events,
    record_membership_event RecordMembershipEventRequest MembershipEvent,
    import_membership_events ImportMembershipEventsRequest ImportMembershipEventsStream
        ImportMembershipEventsResponse MembershipEventRow,
    get_membership_event GetMembershipEventRequest get_membership_event_request MembershipEventId,
    list_membership_events ListMembershipEventsRequest ListMembershipEventsResponse,
    amend_membership_event AmendMembershipEventRequest,
    withdraw_membership_event WithdrawMembershipEventRequest membership_event_id;

    referral, referral, referrals, referrals,
    record_referral RecordReferralRequest Referral,
    import_referrals ImportReferralsRequest ImportReferralsStream ImportReferralsResponse ReferralRow,
    get_referral GetReferralRequest get_referral_request ReferralId,
    list_referrals ListReferralsRequest ListReferralsResponse,
    amend_referral AmendReferralRequest,
    withdraw_referral WithdrawReferralRequest referral_id;
}

/// Which events of memberships a list is to hold.
fn membership_events(door: &mut Door, request: wire::ListMembershipEventsRequest) -> (Page, Condition) {
    let wire::ListMembershipEventsRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        r#type,
        programme,
    } = request;
    let (page, filter) =
        Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn }.parse(door);
    let event_type: MembershipEventType = door.optional_choice("type", r#type);
    let is_asked = event_type != MembershipEventType::Unspecified;
    let filter = filter.add_option(is_asked.then(|| Expr::col("type").eq(i32::from(event_type)))).add_option(equals(
        door,
        "programme",
        programme,
        64,
    ));
    (page, filter)
}

/// Which referrals a list is to hold.
fn referrals(door: &mut Door, request: wire::ListReferralsRequest) -> (Page, Condition) {
    let wire::ListReferralsRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        referred_customer_id,
        joined,
    } = request;
    let (page, filter) =
        Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn }.parse(door);
    let referred = door.optional_id("referred_customer_id", &referred_customer_id);
    let joined = joined.map(|joined| match joined {
        true => Expr::col("join_time").is_not_null(),
        false => Expr::col("join_time").is_null(),
    });
    let filter = filter.add_option(referred.map(|id| Expr::col("referred_customer_id").eq(id))).add_option(joined);
    (page, filter)
}
