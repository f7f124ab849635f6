//! The RPCs of personal data: parse, act, render.

use std::time::Duration;

use barometer_chassis::{
    door::{Door, Page, PageToken},
    error::Error,
    fingerprint,
    layers::Principal,
    store::Store,
    writer::Request as Mutation,
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{
    self as wire, export_customer_response::Item, privacy_service_server::PrivacyService,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    store,
    wire::{
        render_affecting, render_answer, render_case, render_delivery, render_entry, render_erasure, render_follow_up,
        render_promise,
    },
};

/// The most keys of a customer.
const MAX_KEYS: usize = 100;
/// How long an erasure is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it is done.
const PAUSE: Duration = Duration::from_millis(50);
/// How much is read at a time for an export.
const PAGE: u16 = 100;

/// The service.
#[derive(Clone)]
pub(crate) struct Privacy {
    store: Store<wire::Fact>,
}

/// To whoever exports. It fails when they are gone.
struct Told(mpsc::Sender<Result<wire::ExportCustomerResponse, Status>>);

/// They are gone.
struct Gone;

impl Told {
    async fn tell(&self, item: Item) -> Result<(), Gone> {
        self.0.send(Ok(wire::ExportCustomerResponse { item: Some(item) })).await.map_err(|_| Gone)
    }
}

impl Privacy {
    /// The service over its store.
    pub(crate) fn new(store: Store<wire::Fact>) -> Self {
        Privacy { store }
    }

    async fn erase(&self, actor: &Principal, request: wire::EraseCustomerRequest) -> Result<wire::Erasure, Error> {
        let wire::EraseCustomerRequest { customer_id, customer_keys, request_id } = request;
        let (customer, keys, request_id) = Door::open(|door| {
            let customer = CustomerId(door.id("customer_id", &customer_id));
            let keys = door.each("customer_keys", customer_keys, MAX_KEYS, |door, key| door.key(key));
            (customer, keys, door.request_id(&request_id))
        })?;
        let pairs: Vec<_> = keys.iter().map(|key| (&key.system, &key.value)).collect();
        let fingerprint = fingerprint::of(&(customer, pairs))?;
        let request = Mutation { method: "EraseCustomer", actor: actor.to_string(), id: request_id, fingerprint };
        let actor = actor.to_string();
        let begun = self.store.writer.run(request, move |write| {
            Box::pin(async move { store::begin_erasure(write, customer, keys, actor).await })
        });
        let id = begun.await?.id;
        let since = Instant::now();
        loop {
            let erasure = store::get_erasure(self.store.db(), id).await?;
            if erasure.end_time.is_some() || since.elapsed() >= PATIENCE {
                return Ok(render_erasure(erasure));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Tells all that is held of a customer, part by part; ends early when nobody listens.
    async fn export(&self, customer: CustomerId, told: &Told) -> Result<Result<(), Gone>, Error> {
        let db = self.store.db();
        let mut page = Page { size: PAGE, after: None };
        loop {
            let cases = store::list_cases_of(db, customer, page).await?;
            let Some(last) = cases.last() else { break };
            page.after = Some(PageToken { key: 0, id: last.id });
            for case in cases {
                let (id, position) = (case.id, self.store.feed.token(case.position).await?);
                if told.tell(Item::Case(render_case(case, position))).await.is_err() {
                    return Ok(Err(Gone));
                }
                if self.export_entries(id, told).await?.is_err() {
                    return Ok(Err(Gone));
                }
            }
        }
        page.after = None;
        loop {
            let promises = store::list_promises_of(db, customer, page).await?;
            let Some(last) = promises.last() else { break };
            page.after = Some(PageToken { key: 0, id: last.id });
            for promise in promises {
                let position = self.store.feed.token(promise.position).await?;
                if told.tell(Item::Promise(render_promise(promise, position))).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
        }
        page.after = None;
        loop {
            let follow_ups = store::list_follow_ups_of(db, customer, page).await?;
            let Some(last) = follow_ups.last() else { break };
            page.after = Some(PageToken { key: 0, id: last.id });
            for follow_up in follow_ups {
                let position = self.store.feed.token(follow_up.position).await?;
                if told.tell(Item::FollowUp(render_follow_up(follow_up, position))).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
        }
        page.after = None;
        loop {
            let answers = store::list_answers_of(db, customer, page).await?;
            let Some(last) = answers.last() else { break };
            page.after = Some(PageToken { key: 0, id: last.response_id });
            for answer in answers {
                if told.tell(render_answer(answer)).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
        }
        page.after = None;
        loop {
            let incidents = store::list_affecting(db, customer, page).await?;
            let Some(last) = incidents.last() else { break };
            page.after = Some(PageToken { key: 0, id: last.id });
            for incident in incidents {
                if told.tell(render_affecting(incident)).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
        }
        let mut after = None;
        loop {
            let (deliveries, last) = store::list_naming(db, customer, after).await?;
            for delivery in deliveries {
                if told.tell(Item::Delivery(render_delivery(delivery))).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
            if last.is_none() {
                return Ok(Ok(()));
            }
            after = last;
        }
    }

    async fn export_entries(&self, case: Uuid, told: &Told) -> Result<Result<(), Gone>, Error> {
        let mut page = Page { size: PAGE, after: None };
        loop {
            let (entries, next) = store::list_entries(self.store.db(), case, page).await?;
            let place = entries.last().map(store::place_of_entry);
            for entry in entries {
                if told.tell(Item::CaseEntry(render_entry(entry))).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
            if next.is_empty() {
                return Ok(Ok(()));
            }
            page.after = place;
        }
    }
}

#[tonic::async_trait]
impl PrivacyService for Privacy {
    type ExportCustomerStream = ReceiverStream<Result<wire::ExportCustomerResponse, Status>>;

    async fn export_customer(
        &self,
        request: Request<wire::ExportCustomerRequest>,
    ) -> Result<Response<Self::ExportCustomerStream>, Status> {
        let customer = Door::open(|door| CustomerId(door.id("customer_id", &request.get_ref().customer_id)))?;
        let (sender, receiver) = mpsc::channel(16);
        let service = self.clone();
        tokio::spawn(async move {
            let told = Told(sender);
            if let Err(error) = service.export(customer, &told).await {
                // Nobody may be there to hear it.
                let _gone = told.0.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn erase_customer(
        &self,
        request: Request<wire::EraseCustomerRequest>,
    ) -> Result<Response<wire::Erasure>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.erase(&actor, request.into_inner()).await?))
    }

    async fn get_erasure(&self, request: Request<wire::GetErasureRequest>) -> Result<Response<wire::Erasure>, Status> {
        let id = Door::open(|door| door.id("erasure_id", &request.get_ref().erasure_id))?;
        Ok(Response::new(render_erasure(store::get_erasure(self.store.db(), id).await?)))
    }
}
