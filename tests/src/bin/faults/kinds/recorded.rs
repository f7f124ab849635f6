//! The kinds that customers, surveys and complaints keep, over the generated clients.

use std::{collections::BTreeMap, time::Duration};

use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{self as complaints, Case, complaint_service_client::ComplaintServiceClient},
    customers::v1::{
        self as customers, Attribute, AttributeChange, Cost, CostKind, Direction, Interaction, MembershipEvent,
        MembershipEventType, Purchase, Referral, SubscriptionEvent, SubscriptionEventType, cost,
        cost_service_client::CostServiceClient, customer_service_client::CustomerServiceClient,
        loyalty_service_client::LoyaltyServiceClient,
    },
    surveys::v1::{self as surveys, Response, survey_service_client::SurveyServiceClient},
};
use barometer_tests::samples::{eur, mask};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, transport::Channel};

use super::{Counted, Imported, Importing, Kind, LOT, Listed, Row, SURVEY, Shown, Written};

/// How long one page of a list may take.
const PAGE: Duration = Duration::from_secs(30);
/// How long a write may take before the caller gives up on the answer.
pub(crate) const CALL: Duration = Duration::from_secs(5);

fn key(value: String) -> ExternalId {
    ExternalId { system: "faults".to_owned(), value }
}

fn external_id(row: &Row) -> Option<ExternalId> {
    row.keyed.then(|| key(format!("w-{}", row.number)))
}

fn dimensions(row: &Row) -> BTreeMap<String, String> {
    let lot = (row.number / LOT).to_string();
    BTreeMap::from([("write".to_owned(), row.number.to_string()), ("lot".to_owned(), lot)])
}

pub(super) fn number(dimensions: &BTreeMap<String, String>) -> Option<u64> {
    dimensions.get("write")?.parse().ok()
}

fn within<T>(time: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

/// Implements a kind over the methods of its noun, which all have the same form.
macro_rules! kind {
    (
        $Kind:ident: $Wire:ident, $Client:ident, $service:ident, $noun:ident, $plural:ident, $id:ident, $counted:expr,
        $message:expr, $value:expr, $shown:expr, $mask:expr, $record:ident $Record:ident, $amend:ident $Amend:ident,
        $withdraw:ident $Withdraw:ident, $import:ident $Import:ident $Row:ident, $list:ident $List:ident
    ) => {
        pub(super) struct $Kind;

        impl $Kind {
            fn shown(message: &$Wire) -> Shown {
                let shown: fn(&$Wire) -> (&str, i64) = $shown;
                let (turn, value) = shown(message);
                let customer_id = match &message.customer {
                    Some($service::$noun::Customer::CustomerId(id)) => id.clone(),
                    _ => String::new(),
                };
                Shown { number: number(&message.dimensions), turn: turn.to_owned(), value, customer_id }
            }

            fn written(message: $Wire) -> Written {
                Written { shown: Self::shown(&message), id: message.$id, position: message.position }
            }

            fn message(row: &Row) -> $Wire {
                let customer = row.customer_key().map(|name| $service::$noun::Customer::CustomerKey(key(name)));
                let message: fn(&Row) -> $Wire = $message;
                let message = message(row);
                $Wire { customer, external_id: external_id(row), dimensions: dimensions(row), ..message }
            }
        }

        #[tonic::async_trait]
        impl Kind for $Kind {
            fn name(&self) -> &'static str {
                stringify!($noun)
            }

            fn service(&self) -> &'static str {
                stringify!($service)
            }

            fn counted(&self) -> Option<Counted> {
                $counted
            }

            fn value(&self, row: &Row) -> i64 {
                let value: fn(&Row) -> i64 = $value;
                value(row)
            }

            async fn record(&self, to: Channel, row: &Row, request_id: &str) -> Result<Written, Status> {
                let request_id = request_id.to_owned();
                let request = $service::$Record { $noun: Some(Self::message(row)), request_id };
                Ok(Self::written($Client::new(to).$record(within(CALL, request)).await?.into_inner()))
            }

            async fn amend(&self, to: Channel, id: &str, row: &Row, request_id: &str) -> Result<Written, Status> {
                let message = $Wire { $id: id.to_owned(), ..Self::message(row) };
                let (update_mask, request_id) = (mask(&$mask), request_id.to_owned());
                let request = $service::$Amend { $noun: Some(message), update_mask, request_id };
                Ok(Self::written($Client::new(to).$amend(within(CALL, request)).await?.into_inner()))
            }

            async fn withdraw(&self, to: Channel, id: &str, request_id: &str) -> Result<Written, Status> {
                let (id, request_id) = (id.to_owned(), request_id.to_owned());
                let request = $service::$Withdraw { $id: id, etag: String::new(), request_id };
                Ok(Self::written($Client::new(to).$withdraw(within(CALL, request)).await?.into_inner()))
            }

            async fn import(&self, to: Channel, batches: mpsc::Receiver<Vec<Row>>) -> Result<Importing, Status> {
                #[allow(clippy::needless_update, reason = "some rows have more fields")]
                let row = |row: &Row| $service::$Row {
                    row: i64::try_from(row.number).unwrap_or_default(),
                    $noun: Some(Self::message(row)),
                    ..Default::default()
                };
                let batches = ReceiverStream::new(batches)
                    .map(move |rows| $service::$Import { rows: rows.iter().map(row).collect() });
                let answers = $Client::new(to).$import(batches).await?.into_inner();
                Ok(Box::pin(answers.map(|answer| {
                    let answer = answer?;
                    let reason = |rejected: barometer_proto::common::v1::RejectedRow| {
                        (rejected.row, rejected.violations.into_iter().map(|v| v.reason).collect())
                    };
                    let taken = usize::try_from(answer.recorded + answer.unchanged).unwrap_or_default();
                    let rejected = answer.rejected.into_iter().map(reason).collect();
                    Ok(Imported { taken, rejected, position: answer.position })
                })))
            }

            async fn list(&self, to: Channel) -> Result<Vec<Listed>, Status> {
                let mut client = $Client::new(to).max_decoding_message_size(usize::MAX);
                let (mut listed, mut page_token) = (Vec::new(), String::new());
                loop {
                    let request =
                        $service::$List { page_size: 1_000, page_token, show_withdrawn: true, ..Default::default() };
                    let page = client.$list(within(PAGE, request)).await?.into_inner();
                    listed.extend(page.$plural.into_iter().map(|message| Listed {
                        shown: Self::shown(&message),
                        withdrawn: message.withdraw_time.is_some(),
                        id: message.$id,
                    }));
                    page_token = page.next_page_token;
                    if page_token.is_empty() {
                        return Ok(listed);
                    }
                }
            }
        }
    };
}

kind!(
    Responses: Response, SurveyServiceClient, surveys, response, responses, response_id,
    Some(Counted { metric: "responses", counts: &["responses"], turn: "touchpoint" }),
    |row| Response {
        survey: Some(surveys::response::Survey::SurveyName(SURVEY.to_owned())),
        // 11 is on no scale.
        score: Some(if row.good { i32::try_from(row.value(11)).unwrap_or_default() } else { 11 }),
        touchpoint: row.turn_name(),
        answer_time: Some(row.time()),
        ..Response::default()
    },
    |row| row.value(11),
    |response| (&response.touchpoint, i64::from(response.score.unwrap_or(-1))),
    ["score", "touchpoint"],
    submit_response SubmitResponseRequest, amend_response AmendResponseRequest,
    withdraw_response WithdrawResponseRequest, import_responses ImportResponsesRequest ResponseRow,
    list_responses ListResponsesRequest
);
kind!(
    Purchases: Purchase, CustomerServiceClient, customers, purchase, purchases, purchase_id,
    Some(Counted { metric: "purchases", counts: &["sales", "returns"], turn: "channel" }),
    |row| Purchase {
        time: row.good.then(|| row.time()),
        // A tenth of them are returns.
        amount: Some(eur(row.value(1_000) - 100)),
        channel: row.turn_name(),
        ..Purchase::default()
    },
    |row| row.value(1_000) - 100,
    |purchase| (&purchase.channel, purchase.amount.as_ref().map_or(0, |amount| amount.units)),
    ["amount", "channel"],
    record_purchase RecordPurchaseRequest, amend_purchase AmendPurchaseRequest,
    withdraw_purchase WithdrawPurchaseRequest, import_purchases ImportPurchasesRequest PurchaseRow,
    list_purchases ListPurchasesRequest
);
kind!(
    Interactions: Interaction, CustomerServiceClient, customers, interaction, interactions, interaction_id, None,
    |row| Interaction {
        time: row.good.then(|| row.time()),
        channel: "phone".to_owned(),
        direction: Direction::Inbound.into(),
        handling_time: Some(prost_types::Duration { seconds: row.value(3_600), nanos: 0 }),
        outcome: row.turn_name(),
        ..Interaction::default()
    },
    |row| row.value(3_600),
    |interaction| (&interaction.outcome, interaction.handling_time.as_ref().map_or(0, |time| time.seconds)),
    ["handling_time", "outcome"],
    record_interaction RecordInteractionRequest, amend_interaction AmendInteractionRequest,
    withdraw_interaction WithdrawInteractionRequest, import_interactions ImportInteractionsRequest InteractionRow,
    list_interactions ListInteractionsRequest
);
kind!(
    AttributeChanges: AttributeChange, CustomerServiceClient, customers, attribute_change, attribute_changes,
    attribute_change_id, None,
    |row| AttributeChange {
        time: row.good.then(|| row.time()),
        attribute: Attribute::Tier.into(),
        value: row.turn_name(),
        ..AttributeChange::default()
    },
    |_| 0,
    |change| (&change.value, 0),
    ["value"],
    record_attribute_change RecordAttributeChangeRequest, amend_attribute_change AmendAttributeChangeRequest,
    withdraw_attribute_change WithdrawAttributeChangeRequest,
    import_attribute_changes ImportAttributeChangesRequest AttributeChangeRow,
    list_attribute_changes ListAttributeChangesRequest
);
kind!(
    SubscriptionEvents: SubscriptionEvent, CustomerServiceClient, customers, subscription_event, subscription_events,
    subscription_event_id, None,
    |row| SubscriptionEvent {
        subscription: format!("s-{}", row.number),
        r#type: SubscriptionEventType::Start.into(),
        time: row.good.then(|| row.time()),
        plan: row.turn_name(),
        monthly_amount: Some(eur(row.value(90))),
        ..SubscriptionEvent::default()
    },
    |row| row.value(90),
    |event| (&event.plan, event.monthly_amount.as_ref().map_or(0, |amount| amount.units)),
    ["plan", "monthly_amount"],
    record_subscription_event RecordSubscriptionEventRequest,
    amend_subscription_event AmendSubscriptionEventRequest,
    withdraw_subscription_event WithdrawSubscriptionEventRequest,
    import_subscription_events ImportSubscriptionEventsRequest SubscriptionEventRow,
    list_subscription_events ListSubscriptionEventsRequest
);
kind!(
    MembershipEvents: MembershipEvent, LoyaltyServiceClient, customers, membership_event, membership_events,
    membership_event_id, None,
    |row| MembershipEvent {
        time: row.good.then(|| row.time()),
        r#type: MembershipEventType::Earn.into(),
        points: row.value(1_000) + 1,
        programme: row.turn_name(),
        ..MembershipEvent::default()
    },
    |row| row.value(1_000) + 1,
    |event| (&event.programme, event.points),
    ["programme", "points"],
    record_membership_event RecordMembershipEventRequest,
    amend_membership_event AmendMembershipEventRequest,
    withdraw_membership_event WithdrawMembershipEventRequest,
    import_membership_events ImportMembershipEventsRequest MembershipEventRow,
    list_membership_events ListMembershipEventsRequest
);
kind!(
    Referrals: Referral, LoyaltyServiceClient, customers, referral, referrals, referral_id, None,
    |row| Referral {
        time: row.good.then(|| row.time()),
        campaign: row.turn_name(),
        reward: Some(eur(row.value(50))),
        ..Referral::default()
    },
    |row| row.value(50),
    |referral| (&referral.campaign, referral.reward.as_ref().map_or(0, |amount| amount.units)),
    ["campaign", "reward"],
    record_referral RecordReferralRequest, amend_referral AmendReferralRequest,
    withdraw_referral WithdrawReferralRequest, import_referrals ImportReferralsRequest ReferralRow,
    list_referrals ListReferralsRequest
);
kind!(
    Costs: Cost, CostServiceClient, customers, cost, costs, cost_id, None,
    |row| Cost {
        time: row.good.then(|| row.time()),
        kind: CostKind::Acquisition.into(),
        // A tenth of them are refunds.
        basis: Some(cost::Basis::Amount(eur(row.value(1_000) - 100))),
        campaign: row.turn_name(),
        ..Cost::default()
    },
    |row| row.value(1_000) - 100,
    |cost| (&cost.campaign, if let Some(cost::Basis::Amount(amount)) = &cost.basis { amount.units } else { 0 }),
    ["amount", "campaign"],
    record_cost RecordCostRequest, amend_cost AmendCostRequest, withdraw_cost WithdrawCostRequest,
    import_costs ImportCostsRequest CostRow, list_costs ListCostsRequest
);
kind!(
    Cases: Case, ComplaintServiceClient, complaints, case, cases, case_id,
    Some(Counted { metric: "complaints_opened", counts: &["opened"], turn: "product" }),
    |row| Case {
        open_time: Some(row.time()),
        product: row.turn_name(),
        // A channel may be 64 characters long.
        channel: if row.good { "phone".to_owned() } else { "x".repeat(65) },
        ..Case::default()
    },
    |_| 0,
    |case| (&case.product, 0),
    ["product"],
    open_case OpenCaseRequest, amend_case AmendCaseRequest, withdraw_case WithdrawCaseRequest,
    import_cases ImportCasesRequest CaseRow, list_cases ListCasesRequest
);
