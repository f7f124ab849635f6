//! The kinds of facts behind one face, over the generated clients.

use std::fmt::Debug;

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::{ExternalId, RejectedRow},
    complaints::v1::{self as complaints, Case},
    customers::v1::{
        self as customers, AttributeChange, Cost, Interaction, MembershipEvent, Purchase, Referral,
        ResolveCustomersRequest, SubscriptionEvent,
    },
    surveys::v1::{self as surveys, ActivateSurveyRequest, CreateSurveyRequest, Invitation, Response, SurveyKind},
};
use barometer_tests::{
    samples::{
        attribute_change, case, cost, interaction, invitation, key, membership_event, purchase, referral, region,
        response, subscription_event, survey,
    },
    services::{Services, is_since},
};
use prost_types::{FieldMask, Timestamp};
use tonic::Status;

/// What facts refer to.
pub(crate) struct World {
    /// Two customers, `c-1` and `c-2`.
    pub(crate) customers: [String; 2],
    /// An active NPS survey.
    pub(crate) survey: String,
}

impl World {
    pub(crate) async fn new(services: &Services) -> Self {
        let request = ResolveCustomersRequest { external_ids: vec![key("c-1"), key("c-2")] };
        let resolved = services.customers.clone().resolve_customers(request).await.expect("resolved").into_inner();
        let ids: Vec<String> = resolved.customers.into_iter().map(|customer| customer.customer_id).collect();
        let mut client = services.surveys.clone();
        let request = CreateSurveyRequest { survey: Some(survey("s", SurveyKind::Nps)), request_id: String::new() };
        let survey_id = client.create_survey(request).await.expect("created").into_inner().survey_id;
        let request = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
        client.activate_survey(request).await.expect("activated");
        World { customers: ids.try_into().expect("two"), survey: survey_id }
    }
}

/// What a list is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) page_size: i32,
    pub(crate) page_token: String,
    pub(crate) customer_id: String,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) end_time: Option<Timestamp>,
    pub(crate) show_withdrawn: bool,
}

/// What became of a batch of an import.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Imported {
    pub(crate) recorded: i32,
    pub(crate) unchanged: i32,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) position: String,
}

/// A kind of fact that callers record, amend and withdraw.
pub(crate) trait Fact: Clone + Debug + PartialEq + Default + Send + 'static {
    const ID: &'static str;
    const TIME: &'static str;

    /// A good one of the first customer.
    fn sample(world: &World) -> Self;
    fn id(&self) -> &str;
    fn etag(&self) -> &str;
    fn position(&self) -> &str;
    fn key(&self) -> Option<ExternalId>;
    fn time(&self) -> Option<Timestamp>;
    fn region(&self) -> &str;
    fn customer_id(&self) -> &str;
    fn update_time(&self) -> Option<Timestamp>;
    fn withdraw_time(&self) -> Option<Timestamp>;

    /// Without what only reading one gives, or only recording it.
    fn bare(self) -> Self {
        self
    }
    fn with_id(self, id: &str) -> Self;
    fn with_etag(self, etag: &str) -> Self;
    fn with_key(self, value: &str) -> Self;
    fn without_key(self) -> Self;
    fn with_time(self, time: Option<Timestamp>) -> Self;
    fn with_region(self, region: &str) -> Self;
    fn with_customer(self, id: &str) -> Self;
    fn with_customer_key(self, value: &str) -> Self;

    async fn record(self, services: &Services, request_id: &str) -> Result<Self, Status>;
    async fn get(services: &Services, id: &str) -> Result<Self, Status>;
    async fn get_by_key(services: &Services, key: ExternalId) -> Result<Self, Status>;
    async fn list(services: &Services, wanted: Wanted) -> Result<(Vec<Self>, String), Status>;
    async fn amend(self, services: &Services, mask: Option<FieldMask>, request_id: &str) -> Result<Self, Status>;
    async fn withdraw(services: &Services, id: &str, etag: &str, request_id: &str) -> Result<Self, Status>;
    /// Sends batches of numbered rows; the answer to each.
    async fn import(services: &Services, batches: Vec<Vec<(i64, Self)>>) -> Result<Vec<Imported>, Status>;
    /// All facts of this kind in the feed: their ids, versions, and whether they are tombstones.
    async fn watch(services: &Services) -> Vec<(String, i64, bool)>;
}

macro_rules! kind {
    (
        $Wire:ident, $sample:expr, $feed:ident.$client:ident, $noun:ident, $plural:ident, $id:ident, $time:ident, $tag:ident,
        $record:ident $Record:ident, $get:ident $Get:ident $by:ident $Id:ident, $list:ident $List:ident,
        $amend:ident $Amend:ident, $withdraw:ident $Withdraw:ident, $import:ident $Import:ident $Row:ident
        $($more:tt)*
    ) => {
        impl Fact for $Wire {
            const ID: &'static str = stringify!($id);
            const TIME: &'static str = stringify!($time);

            $($more)*

            fn sample(world: &World) -> Self {
                $sample(world)
            }

            fn id(&self) -> &str {
                &self.$id
            }

            fn etag(&self) -> &str {
                &self.etag
            }

            fn position(&self) -> &str {
                &self.position
            }

            fn key(&self) -> Option<ExternalId> {
                self.external_id.clone()
            }

            fn time(&self) -> Option<Timestamp> {
                self.$time
            }

            fn region(&self) -> &str {
                &self.dimensions["region"]
            }

            fn customer_id(&self) -> &str {
                match &self.customer {
                    Some($feed::$noun::Customer::CustomerId(id)) => id,
                    other => panic!("no id of a customer: {other:?}"),
                }
            }

            fn update_time(&self) -> Option<Timestamp> {
                self.update_time
            }

            fn withdraw_time(&self) -> Option<Timestamp> {
                self.withdraw_time
            }

            fn with_id(self, id: &str) -> Self {
                $Wire { $id: id.to_owned(), ..self }
            }

            fn with_etag(self, etag: &str) -> Self {
                $Wire { etag: etag.to_owned(), ..self }
            }

            fn with_key(self, value: &str) -> Self {
                $Wire { external_id: Some(key(value)), ..self }
            }

            fn without_key(self) -> Self {
                $Wire { external_id: None, ..self }
            }

            fn with_time(self, time: Option<Timestamp>) -> Self {
                $Wire { $time: time, ..self }
            }

            fn with_region(self, value: &str) -> Self {
                $Wire { dimensions: region(value), ..self }
            }

            fn with_customer(self, id: &str) -> Self {
                $Wire { customer: Some($feed::$noun::Customer::CustomerId(id.to_owned())), ..self }
            }

            fn with_customer_key(self, value: &str) -> Self {
                $Wire { customer: Some($feed::$noun::Customer::CustomerKey(key(value))), ..self }
            }

            async fn record(self, services: &Services, request_id: &str) -> Result<Self, Status> {
                let request = $feed::$Record { $noun: Some(self), request_id: request_id.to_owned() };
                Ok(services.$client.clone().$record(request).await?.into_inner())
            }

            async fn get(services: &Services, id: &str) -> Result<Self, Status> {
                let by = Some($feed::$by::By::$Id(id.to_owned()));
                Ok(services.$client.clone().$get($feed::$Get { by }).await?.into_inner())
            }

            async fn get_by_key(services: &Services, key: ExternalId) -> Result<Self, Status> {
                let by = Some($feed::$by::By::ExternalId(key));
                Ok(services.$client.clone().$get($feed::$Get { by }).await?.into_inner())
            }

            async fn list(services: &Services, wanted: Wanted) -> Result<(Vec<Self>, String), Status> {
                let Wanted { page_size, page_token, customer_id, start_time, end_time, show_withdrawn } = wanted;
                #[allow(clippy::needless_update, reason = "some kinds have more filters")]
                let request = $feed::$List {
                    page_size,
                    page_token,
                    customer_id,
                    start_time,
                    end_time,
                    show_withdrawn,
                    ..Default::default()
                };
                let page = services.$client.clone().$list(request).await?.into_inner();
                Ok((page.$plural, page.next_page_token))
            }

            async fn amend(
                self,
                services: &Services,
                mask: Option<FieldMask>,
                request_id: &str,
            ) -> Result<Self, Status> {
                let request_id = request_id.to_owned();
                let request = $feed::$Amend { $noun: Some(self), update_mask: mask, request_id };
                Ok(services.$client.clone().$amend(request).await?.into_inner())
            }

            async fn withdraw(services: &Services, id: &str, etag: &str, request_id: &str) -> Result<Self, Status> {
                let (etag, request_id) = (etag.to_owned(), request_id.to_owned());
                let request = $feed::$Withdraw { $id: id.to_owned(), etag, request_id };
                Ok(services.$client.clone().$withdraw(request).await?.into_inner())
            }

            async fn import(services: &Services, batches: Vec<Vec<(i64, Self)>>) -> Result<Vec<Imported>, Status> {
                #[allow(clippy::needless_update, reason = "some rows have more fields")]
                let row = |(row, message)| $feed::$Row { row, $noun: Some(message), ..Default::default() };
                let batch = move |rows: Vec<_>| $feed::$Import { rows: rows.into_iter().map(row).collect() };
                let batches = tokio_stream::iter(batches.into_iter().map(batch).collect::<Vec<_>>());
                let mut answers = services.$client.clone().$import(batches).await?.into_inner();
                let mut imported = Vec::new();
                while let Some(answer) = answers.message().await? {
                    imported.push(Imported {
                        recorded: answer.recorded,
                        unchanged: answer.unchanged,
                        rejected: answer.rejected,
                        position: answer.position,
                    });
                }
                Ok(imported)
            }

            async fn watch(services: &Services) -> Vec<(String, i64, bool)> {
                use $feed::{FactKind, WatchFactsRequest, fact};
                let request = WatchFactsRequest { kinds: vec![FactKind::$tag.into()], after: String::new() };
                let mut batches = services.$feed.clone().watch_facts(request).await.expect("a watch").into_inner();
                let (mut facts, begun) = (Vec::new(), Micros::now());
                loop {
                    let batch = batches.message().await.expect("a batch").expect("it goes on");
                    let is_gone = |fact: &Option<fact::Fact>| matches!(fact, Some(fact::Fact::Tombstone(_)));
                    let seen: Vec<_> = batch.facts.into_iter().map(|f| (f.id, f.version, is_gone(&f.fact))).collect();
                    // What moved meanwhile comes once more, in its latest state.
                    facts.retain(|(id, ..): &(String, i64, bool)| seen.iter().all(|(other, ..)| other != id));
                    facts.extend(seen);
                    if batch.caught_up && is_since(begun, batch.read_time) {
                        return facts;
                    }
                }
            }
        }
    };
}

kind!(
    AttributeChange, (|world: &World| attribute_change(&world.customers[0])), customers.customers, attribute_change,
    attribute_changes, attribute_change_id, time, AttributeChange,
    record_attribute_change RecordAttributeChangeRequest,
    get_attribute_change GetAttributeChangeRequest get_attribute_change_request AttributeChangeId,
    list_attribute_changes ListAttributeChangesRequest, amend_attribute_change AmendAttributeChangeRequest,
    withdraw_attribute_change WithdrawAttributeChangeRequest,
    import_attribute_changes ImportAttributeChangesRequest AttributeChangeRow
);
kind!(
    Purchase, (|world: &World| purchase(&world.customers[0])), customers.customers, purchase, purchases, purchase_id, time,
    Purchase, record_purchase RecordPurchaseRequest, get_purchase GetPurchaseRequest get_purchase_request PurchaseId,
    list_purchases ListPurchasesRequest, amend_purchase AmendPurchaseRequest, withdraw_purchase WithdrawPurchaseRequest,
    import_purchases ImportPurchasesRequest PurchaseRow
);
kind!(
    Interaction, (|world: &World| interaction(&world.customers[0])), customers.customers, interaction, interactions,
    interaction_id, time, Interaction, record_interaction RecordInteractionRequest,
    get_interaction GetInteractionRequest get_interaction_request InteractionId,
    list_interactions ListInteractionsRequest, amend_interaction AmendInteractionRequest,
    withdraw_interaction WithdrawInteractionRequest, import_interactions ImportInteractionsRequest InteractionRow
);
kind!(
    SubscriptionEvent, (|world: &World| subscription_event(&world.customers[0])), customers.customers, subscription_event,
    subscription_events, subscription_event_id, time, SubscriptionEvent,
    record_subscription_event RecordSubscriptionEventRequest,
    get_subscription_event GetSubscriptionEventRequest get_subscription_event_request SubscriptionEventId,
    list_subscription_events ListSubscriptionEventsRequest, amend_subscription_event AmendSubscriptionEventRequest,
    withdraw_subscription_event WithdrawSubscriptionEventRequest,
    import_subscription_events ImportSubscriptionEventsRequest SubscriptionEventRow
);
kind!(
    Response, of_customer, surveys.surveys, response, responses, response_id, answer_time, Response,
    submit_response SubmitResponseRequest, get_response GetResponseRequest get_response_request ResponseId,
    list_responses ListResponsesRequest, amend_response AmendResponseRequest,
    withdraw_response WithdrawResponseRequest, import_responses ImportResponsesRequest ResponseRow
);
kind!(
    Invitation, (|world: &World| invitation(&world.survey, &world.customers[0])), surveys.invitations, invitation,
    invitations, invitation_id, send_time, Invitation, record_invitation RecordInvitationRequest,
    get_invitation GetInvitationRequest get_invitation_request InvitationId,
    list_invitations ListInvitationsRequest, amend_invitation AmendInvitationRequest,
    withdraw_invitation WithdrawInvitationRequest, import_invitations ImportInvitationsRequest InvitationRow
);
kind!(
    Case, (|world: &World| case(&world.customers[0])), complaints.complaints, case, cases, case_id, open_time, Case,
    open_case OpenCaseRequest, get_case GetCaseRequest get_case_request CaseId, list_cases ListCasesRequest,
    amend_case AmendCaseRequest, withdraw_case WithdrawCaseRequest, import_cases ImportCasesRequest CaseRow

    fn bare(self) -> Self {
        Case { history: Vec::new(), reception: None, ..self }
    }
);

kind!(
    MembershipEvent, (|world: &World| membership_event(&world.customers[0])), customers.loyalty, membership_event,
    membership_events, membership_event_id, time, MembershipEvent,
    record_membership_event RecordMembershipEventRequest,
    get_membership_event GetMembershipEventRequest get_membership_event_request MembershipEventId,
    list_membership_events ListMembershipEventsRequest, amend_membership_event AmendMembershipEventRequest,
    withdraw_membership_event WithdrawMembershipEventRequest,
    import_membership_events ImportMembershipEventsRequest MembershipEventRow
);
kind!(
    Referral, (|world: &World| referral(&world.customers[0])), customers.loyalty, referral, referrals, referral_id, time,
    Referral, record_referral RecordReferralRequest, get_referral GetReferralRequest get_referral_request ReferralId,
    list_referrals ListReferralsRequest, amend_referral AmendReferralRequest,
    withdraw_referral WithdrawReferralRequest, import_referrals ImportReferralsRequest ReferralRow
);
kind!(
    Cost, (|world: &World| cost(&world.customers[0])), customers.costs, cost, costs, cost_id, time, Cost,
    record_cost RecordCostRequest, get_cost GetCostRequest get_cost_request CostId, list_costs ListCostsRequest,
    amend_cost AmendCostRequest, withdraw_cost WithdrawCostRequest, import_costs ImportCostsRequest CostRow
);

fn of_customer(world: &World) -> Response {
    let customer = Some(surveys::response::Customer::CustomerId(world.customers[0].clone()));
    Response { customer, ..response(&world.survey, 9) }
}
