//! What is there before bad input comes: of each kind of fact one that was amended and one that was withdrawn.

use barometer_proto::{
    customers::v1::{
        AmendAttributeChangeRequest, AmendCostRequest, AmendInteractionRequest, AmendMembershipEventRequest,
        AmendPurchaseRequest, AmendReferralRequest, AmendSubscriptionEventRequest, AttributeChange, Cost,
        CreateCustomerRequest, Customer, Interaction, MembershipEvent, Purchase, RecordAttributeChangeRequest,
        RecordCostRequest, RecordInteractionRequest, RecordMembershipEventRequest, RecordPurchaseRequest,
        RecordReferralRequest, RecordSubscriptionEventRequest, Referral, SubscriptionEvent, UpdateCustomerRequest,
        WithdrawAttributeChangeRequest, WithdrawCostRequest, WithdrawInteractionRequest,
        WithdrawMembershipEventRequest, WithdrawPurchaseRequest, WithdrawReferralRequest,
        WithdrawSubscriptionEventRequest,
    },
    surveys::v1::{
        ActivateSurveyRequest, AmendInvitationRequest, AmendResponseRequest, CloseSurveyRequest, CreateSurveyRequest,
        Invitation, RecordInvitationRequest, Response, SubmitResponseRequest, Survey, SurveyKind,
        WithdrawInvitationRequest, WithdrawResponseRequest,
    },
};
use barometer_tests::{
    samples::{
        attribute_change, cost, customer, hour, interaction, invitation, key, mask, membership_event, purchase,
        referral, response, subscription_event, survey,
    },
    services::Services,
};
use prost::Message;

use crate::facts::Recorded;

/// An id that nothing has.
pub(crate) const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// The `request_id` of all that was done.
pub(crate) const DONE: &str = "11111111-2222-4333-8444-555555555555";

pub(crate) struct World {
    /// Has an etag of 2.
    pub(crate) customer: Customer,
    pub(crate) draft: Survey,
    pub(crate) active: Survey,
    pub(crate) closed: Survey,
    pub(crate) attribute_change: Recorded,
    pub(crate) purchase: Recorded,
    pub(crate) interaction: Recorded,
    pub(crate) subscription_event: Recorded,
    pub(crate) membership_event: Recorded,
    pub(crate) referral: Recorded,
    pub(crate) cost: Recorded,
    pub(crate) response: Recorded,
    pub(crate) invitation: Recorded,
}

impl World {
    pub(crate) async fn new(services: &Services) -> Self {
        let customer = customers(services).await;
        let [draft, active, closed] = surveys(services).await;
        let id = customer.customer_id.clone();
        World {
            attribute_change: attribute_changes(services, &id).await,
            purchase: purchases(services, &id).await,
            interaction: interactions(services, &id).await,
            subscription_event: subscription_events(services, &id).await,
            membership_event: membership_events(services, &id).await,
            referral: referrals(services, &id).await,
            cost: costs(services, &id).await,
            response: responses(services, &active.survey_id).await,
            invitation: invitations(services, &active.survey_id).await,
            customer,
            draft,
            active,
            closed,
        }
    }
}

async fn customers(services: &Services) -> Customer {
    let mut client = services.customers.clone();
    for name in ["c-1", "c-2"] {
        let request_id = if name == "c-1" { DONE.to_owned() } else { String::new() };
        let request = CreateCustomerRequest { customer: Some(customer(name)), request_id };
        let created = client.create_customer(request).await.expect("created").into_inner();
        if name == "c-2" {
            continue;
        }
        let changed = Customer { customer_id: created.customer_id, language: "fr".to_owned(), ..Default::default() };
        let request = UpdateCustomerRequest {
            customer: Some(changed),
            update_mask: mask(&["language"]),
            request_id: DONE.to_owned(),
        };
        client.update_customer(request).await.expect("updated");
    }
    let request = barometer_proto::customers::v1::LookupCustomerRequest { external_id: Some(key("c-1")) };
    client.lookup_customer(request).await.expect("there").into_inner()
}

async fn surveys(services: &Services) -> [Survey; 3] {
    let mut client = services.surveys.clone();
    let mut made = Vec::new();
    for (name, request_id) in [("draft", DONE), ("active", ""), ("closed", "")] {
        let request =
            CreateSurveyRequest { survey: Some(survey(name, SurveyKind::Nps)), request_id: request_id.to_owned() };
        let mut created = client.create_survey(request).await.expect("created").into_inner();
        let survey_id = created.survey_id.clone();
        if name != "draft" {
            let request_id = if name == "active" { DONE.to_owned() } else { String::new() };
            let request = ActivateSurveyRequest { survey_id: survey_id.clone(), etag: String::new(), request_id };
            created = client.activate_survey(request).await.expect("activated").into_inner();
        }
        if name == "closed" {
            let request = CloseSurveyRequest { survey_id, etag: String::new(), request_id: DONE.to_owned() };
            created = client.close_survey(request).await.expect("closed").into_inner();
        }
        made.push(created);
    }
    made.try_into().expect("three")
}

/// Records one fact and amends it, records another and withdraws it; all by the same `request_id`, which is unique for
/// each method only.
macro_rules! recorded {
    (
        $function:ident, $client:ident, $noun:ident: $Wire:ident, $id:ident, $sample:expr, $time:ident,
        $record:ident $Record:ident, $amend:ident $Amend:ident, $withdraw:ident $Withdraw:ident
    ) => {
        async fn $function(services: &Services, of: &str) -> Recorded {
            let mut client = services.$client.clone();
            let sample: $Wire = $sample(of);
            let first = $Wire { external_id: Some(key("k-1")), ..sample.clone() };
            let request = $Record { $noun: Some(first), request_id: DONE.to_owned() };
            let first = client.$record(request).await.expect("recorded").into_inner();
            let changed = $Wire { $id: first.$id.clone(), $time: Some(hour(2)), ..$Wire::default() };
            let request =
                $Amend { $noun: Some(changed), update_mask: mask(&[stringify!($time)]), request_id: DONE.to_owned() };
            client.$amend(request).await.expect("amended");

            let request = $Record { $noun: Some(sample.clone()), request_id: String::new() };
            let second = client.$record(request).await.expect("recorded").into_inner();
            let request = $Withdraw { $id: second.$id.clone(), etag: String::new(), request_id: DONE.to_owned() };
            client.$withdraw(request).await.expect("withdrawn");
            Recorded {
                field: stringify!($noun),
                time: stringify!($time),
                good: $Record { $noun: Some(sample), request_id: String::new() }.encode_to_vec(),
                id: first.$id,
                withdrawn: second.$id,
            }
        }
    };
}

recorded!(
    attribute_changes, customers, attribute_change: AttributeChange, attribute_change_id, attribute_change, time,
    record_attribute_change RecordAttributeChangeRequest, amend_attribute_change AmendAttributeChangeRequest,
    withdraw_attribute_change WithdrawAttributeChangeRequest
);
recorded!(
    purchases, customers, purchase: Purchase, purchase_id, purchase, time,
    record_purchase RecordPurchaseRequest, amend_purchase AmendPurchaseRequest,
    withdraw_purchase WithdrawPurchaseRequest
);
recorded!(
    interactions, customers, interaction: Interaction, interaction_id, interaction, time,
    record_interaction RecordInteractionRequest, amend_interaction AmendInteractionRequest,
    withdraw_interaction WithdrawInteractionRequest
);
recorded!(
    subscription_events, customers, subscription_event: SubscriptionEvent, subscription_event_id, subscription_event,
    time, record_subscription_event RecordSubscriptionEventRequest,
    amend_subscription_event AmendSubscriptionEventRequest,
    withdraw_subscription_event WithdrawSubscriptionEventRequest
);
recorded!(
    membership_events, loyalty, membership_event: MembershipEvent, membership_event_id, membership_event, time,
    record_membership_event RecordMembershipEventRequest, amend_membership_event AmendMembershipEventRequest,
    withdraw_membership_event WithdrawMembershipEventRequest
);
recorded!(
    referrals, loyalty, referral: Referral, referral_id, referral, time,
    record_referral RecordReferralRequest, amend_referral AmendReferralRequest,
    withdraw_referral WithdrawReferralRequest
);
recorded!(
    costs, costs, cost: Cost, cost_id, cost, time,
    record_cost RecordCostRequest, amend_cost AmendCostRequest, withdraw_cost WithdrawCostRequest
);
recorded!(
    responses, surveys, response: Response, response_id, (|survey: &str| response(survey, 9)), answer_time,
    submit_response SubmitResponseRequest, amend_response AmendResponseRequest,
    withdraw_response WithdrawResponseRequest
);
recorded!(
    invitations, invitations, invitation: Invitation, invitation_id,
    (|survey: &str| Invitation { customer: None, ..invitation(survey, "") }), send_time,
    record_invitation RecordInvitationRequest, amend_invitation AmendInvitationRequest,
    withdraw_invitation WithdrawInvitationRequest
);
