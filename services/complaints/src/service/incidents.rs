//! The RPCs of incidents: parse, act, render.

use std::collections::BTreeSet;

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    reader,
    store::Store,
    writer::{self, Done, Pending, Request as Mutation, Write},
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::complaints::v1::{self as wire, WebhookEvent, incident_service_server::IncidentService};
use futures_util::future::BoxFuture;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    case,
    customers::Customers,
    incident::{IncidentId, Model},
    incident_task::{self, Work},
    store,
    wire::{parse_incident, parse_list_incidents, render_affected, render_incident, render_incident_case, render_task},
};

/// The most customers that one request names.
const MAX_CUSTOMERS: usize = 1_000;

/// The service.
#[derive(Clone)]
pub(crate) struct Incidents {
    store: Store<wire::Fact>,
    customers: Customers,
}

impl Incidents {
    /// The service over its store.
    pub(crate) fn new(store: Store<wire::Fact>, customers: Customers) -> Self {
        Incidents { store, customers }
    }

    async fn open(&self, actor: &Principal, request: wire::OpenIncidentRequest) -> Result<wire::Incident, Error> {
        let wire::OpenIncidentRequest { incident, request_id } = request;
        let (mut row, start_time, id) = Door::open(|door| {
            let incident = door.required("incident", incident);
            let (row, start_time) = door.inside("incident", |door| parse_incident(door, incident, actor.to_string()));
            (row, start_time, door.request_id(&request_id))
        })?;
        let fingerprint = fingerprint::of(&(&row, start_time))?;
        if start_time.is_none() {
            row.start_time = Micros::now();
        }
        let request = mutation("OpenIncident", actor, id, fingerprint);
        let pending = Pending { row, context: (), request, refused: None };
        let (row, position) = self.store.record_one(pending).await?;
        self.render(row, position).await
    }

    async fn list(&self, request: wire::ListIncidentsRequest) -> Result<wire::ListIncidentsResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_incidents(door, request))?;
        let (rows, next) = store::list_incidents(self.store.db(), page, filter).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_incident).collect();
        let running = store::count_running_of(self.store.db(), rows.iter().map(Model::id).collect()).await?;
        let mut incidents = Vec::with_capacity(rows.len());
        for row in rows {
            let position = self.store.feed.token(row.position).await?;
            let running = running.get(&row.id()).copied().unwrap_or_default();
            incidents.push(render_incident(row, running, position));
        }
        let (incidents, next_page_token) = fit(incidents, &places, next);
        Ok(wire::ListIncidentsResponse { incidents, next_page_token })
    }

    async fn add(
        &self,
        actor: &Principal,
        mut request: wire::AddAffectedCustomersRequest,
    ) -> Result<wire::Incident, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AddAffectedCustomersRequest { incident_id, customer_ids, customer_keys, request_id: _ } = request;
        let all = customer_ids.len() + customer_keys.len();
        let (id, customers, request_id) = Door::open(|door| {
            if all == 0 {
                door.missing("customer_ids");
            } else if all > MAX_CUSTOMERS {
                door.refuse("customer_ids", "TOO_MANY", format!("at most {MAX_CUSTOMERS} with `customer_keys`"));
            }
            let ids = door.each("customer_ids", customer_ids, usize::MAX, |door, id| {
                CustomerRef::Id(CustomerId(door.id("", &id)))
            });
            let keys =
                door.each("customer_keys", customer_keys, usize::MAX, |door, key| CustomerRef::Key(door.key(key)));
            let customers: Vec<CustomerRef> = ids.into_iter().chain(keys).collect();
            (door.id("incident_id", &incident_id), customers, door.request_id(&request_text))
        })?;
        // Nobody is created for an incident that is not there, or has ended; a repeat of what was done before is answered.
        let incident: Model = reader::get(self.store.db(), id).await?;
        if request_id.is_none() {
            incident.check_open()?;
        }
        let resolved = self.customers.resolve(&customers).await?;
        let customers: Result<Vec<_>, Error> = customers.iter().map(|customer| resolved.id(customer)).collect();
        let customers: BTreeSet<CustomerId> = customers?.into_iter().flatten().collect();
        self.change("AddAffectedCustomers", actor, (id, request_id, fingerprint), move |write, incident, _| {
            Box::pin(async move {
                store::check_not_erased(write.db, customers.iter().copied()).await?;
                store::add_affected(write, &incident, customers).await.map(drop)
            })
        })
        .await
    }

    async fn add_by_attribute(
        &self,
        actor: &Principal,
        request: wire::AddCustomersByAttributeRequest,
    ) -> Result<wire::Incident, Error> {
        let wire::AddCustomersByAttributeRequest { incident_id, country, tier, tag, segment, request_id } = request;
        let (id, [country, tier, tag, segment], request_id) = Door::open(|door| {
            let id = door.id("incident_id", &incident_id);
            let attributes = [("country", country), ("tier", tier), ("tag", tag), ("segment", segment)];
            if attributes.iter().all(|(_, text)| text.is_empty()) {
                door.missing("country");
            }
            (id, attributes.map(|(field, text)| door.text(field, text, 64)), door.request_id(&request_id))
        })?;
        let fingerprint = match segment.as_str() {
            // So that a repeat of an older request is still known as one.
            "" => fingerprint::of(&(id, &country, &tier, &tag))?,
            segment => fingerprint::of(&(id, &country, &tier, &tag, segment))?,
        };
        let work = Work::AddCustomers { country, tier, tag, segment };
        self.begin("AddCustomersByAttribute", actor, (id, request_id, fingerprint), work).await
    }

    async fn send(
        &self,
        actor: &Principal,
        request: wire::SendIncidentMessageRequest,
    ) -> Result<wire::Incident, Error> {
        let wire::SendIncidentMessageRequest { incident_id, message, request_id } = request;
        let (id, message, request_id) = Door::open(|door| {
            let message = door.required_text("message", message, 10_000);
            (door.id("incident_id", &incident_id), message, door.request_id(&request_id))
        })?;
        let fingerprint = fingerprint::of(&(id, &message))?;
        self.begin("SendIncidentMessage", actor, (id, request_id, fingerprint), Work::SendMessage(message)).await
    }

    async fn link(&self, actor: &Principal, request: wire::LinkToIncidentRequest) -> Result<wire::Incident, Error> {
        let wire::LinkToIncidentRequest { incident_id, case_id, request_id } = request;
        let (id, case, request_id) = parse_pair(&incident_id, &case_id, &request_id)?;
        let fingerprint = fingerprint::of(&(id, case))?;
        self.change("LinkToIncident", actor, (id, request_id, fingerprint), move |write, incident, actor| {
            Box::pin(async move {
                let case: case::Model = writer::current(write, case, "").await?;
                store::link_cases(write, &incident, vec![case], false, actor).await.map(drop)
            })
        })
        .await
    }

    async fn unlink(
        &self,
        actor: &Principal,
        request: wire::UnlinkFromIncidentRequest,
    ) -> Result<wire::Incident, Error> {
        let wire::UnlinkFromIncidentRequest { incident_id, case_id, request_id } = request;
        let (id, case, request_id) = parse_pair(&incident_id, &case_id, &request_id)?;
        let fingerprint = fingerprint::of(&(id, case))?;
        self.change("UnlinkFromIncident", actor, (id, request_id, fingerprint), move |write, incident, actor| {
            Box::pin(async move { store::unlink_case(write, &incident, case, actor).await })
        })
        .await
    }

    async fn close(&self, actor: &Principal, request: wire::CloseIncidentRequest) -> Result<wire::Incident, Error> {
        let wire::CloseIncidentRequest { incident_id, message, etag, request_id } = request;
        let (id, message, request_id) = Door::open(|door| {
            let message = door.text("message", message, 10_000);
            (door.id("incident_id", &incident_id), message, door.request_id(&request_id))
        })?;
        let fingerprint = fingerprint::of(&(id, &message, &etag))?;
        let (request, actor) = (mutation("CloseIncident", actor, request_id, fingerprint), actor.to_string());
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move { store::end_incident(write, id, &etag, message, &actor).await })
        });
        let (row, position) = work.await?;
        self.render(row, position).await
    }

    async fn cases(&self, request: wire::ListIncidentCasesRequest) -> Result<wire::ListIncidentCasesResponse, Error> {
        let wire::ListIncidentCasesRequest { incident_id, page_size, page_token } = request;
        let (id, page) = self.parse_page(&incident_id, page_size, &page_token).await?;
        let (rows, next_page_token) = store::list_incident_cases(self.store.db(), id, page).await?;
        let cases = rows.into_iter().map(render_incident_case).collect();
        Ok(wire::ListIncidentCasesResponse { cases, next_page_token })
    }

    async fn affected(
        &self,
        request: wire::ListAffectedCustomersRequest,
    ) -> Result<wire::ListAffectedCustomersResponse, Error> {
        let wire::ListAffectedCustomersRequest { incident_id, page_size, page_token } = request;
        let (id, page) = self.parse_page(&incident_id, page_size, &page_token).await?;
        let (rows, next_page_token) = store::list_affected(self.store.db(), id, page).await?;
        let customers = rows.into_iter().map(render_affected).collect();
        Ok(wire::ListAffectedCustomersResponse { customers, next_page_token })
    }

    async fn tasks(&self, request: wire::ListIncidentTasksRequest) -> Result<wire::ListIncidentTasksResponse, Error> {
        let wire::ListIncidentTasksRequest { incident_id, page_size, page_token } = request;
        let (id, page) = self.parse_page(&incident_id, page_size, &page_token).await?;
        let (rows, next_page_token) = store::list_tasks(self.store.db(), id, page).await?;
        let tasks = rows.into_iter().map(render_task).collect();
        Ok(wire::ListIncidentTasksResponse { tasks, next_page_token })
    }

    /// An incident that is there, and a page of what belongs to it.
    async fn parse_page(&self, incident: &str, size: i32, token: &str) -> Result<(IncidentId, Page), Error> {
        let (id, page) = Door::open(|door| (door.id("incident_id", incident), door.page(size, token)))?;
        reader::get::<Model>(self.store.db(), id).await?;
        Ok((IncidentId(id), page))
    }

    /// Begins a task of an open incident.
    async fn begin(
        &self,
        method: &'static str,
        actor: &Principal,
        request: (Uuid, Option<Uuid>, i64),
        work: Work,
    ) -> Result<wire::Incident, Error> {
        self.change(method, actor, request, move |write, incident, actor| {
            Box::pin(async move {
                if matches!(work, Work::SendMessage(_)) {
                    check_receiver(write).await?;
                }
                store::add_task(write, incident_task::Model::new(incident.id(), work, actor, write.now)).await
            })
        })
        .await
    }

    /// Does something to an open incident that is no part of its version.
    async fn change<W>(
        &self,
        method: &'static str,
        actor: &Principal,
        (id, request_id, fingerprint): (Uuid, Option<Uuid>, i64),
        work: W,
    ) -> Result<wire::Incident, Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>, Model, &'w str) -> BoxFuture<'w, Result<(), Error>> + Send + 'static,
    {
        let (request, actor) = (mutation(method, actor, request_id, fingerprint), actor.to_string());
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let incident: Model = writer::current(write, id, "").await?;
                incident.check_open()?;
                let position = incident.position;
                work_on(write, incident, actor, work).await?;
                Ok(Done { id, position: position.max(write.position()) })
            })
        });
        let (row, position) = work.await?;
        self.render(row, position).await
    }

    async fn render(&self, row: Model, position: String) -> Result<wire::Incident, Error> {
        let running = store::count_running(self.store.db(), row.id()).await?;
        Ok(render_incident(row, running, position))
    }
}

/// Lends the actor's name for as long as the work takes.
async fn work_on<W>(write: &Write<'_>, incident: Model, actor: String, work: W) -> Result<(), Error>
where
    W: for<'w> FnOnce(&'w Write<'w>, Model, &'w str) -> BoxFuture<'w, Result<(), Error>>,
{
    work(write, incident, &actor).await
}

/// Somebody must be told, who then tells the customers.
async fn check_receiver(write: &Write<'_>) -> Result<(), Error> {
    let told = store::list_told(write.db).await?;
    if told.iter().any(|webhook| webhook.events.include(WebhookEvent::IncidentMessage)) {
        return Ok(());
    }
    let message = "no webhook wants to be told of messages: nobody would tell the customers".to_owned();
    Err(Error::State { reason: store::NO_RECEIVER, message })
}

fn parse_pair(incident: &str, case: &str, request_id: &str) -> Result<(Uuid, Uuid, Option<Uuid>), Error> {
    Door::open(|door| (door.id("incident_id", incident), door.id("case_id", case), door.request_id(request_id)))
}

fn mutation(method: &'static str, actor: &Principal, id: Option<Uuid>, fingerprint: i64) -> Mutation {
    Mutation { method, actor: actor.to_string(), id, fingerprint }
}

#[tonic::async_trait]
impl IncidentService for Incidents {
    async fn get_incident(
        &self,
        request: Request<wire::GetIncidentRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let id = Door::open(|door| door.id("incident_id", &request.get_ref().incident_id))?;
        let row: Model = reader::get(self.store.db(), id).await?;
        let position = self.store.feed.token(row.position).await?;
        Ok(Response::new(self.render(row, position).await?))
    }

    async fn open_incident(
        &self,
        request: Request<wire::OpenIncidentRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.open(&actor, request.into_inner()).await?))
    }

    async fn list_incidents(
        &self,
        request: Request<wire::ListIncidentsRequest>,
    ) -> Result<Response<wire::ListIncidentsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn add_affected_customers(
        &self,
        request: Request<wire::AddAffectedCustomersRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.add(&actor, request.into_inner()).await?))
    }

    async fn add_customers_by_attribute(
        &self,
        request: Request<wire::AddCustomersByAttributeRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.add_by_attribute(&actor, request.into_inner()).await?))
    }

    async fn list_affected_customers(
        &self,
        request: Request<wire::ListAffectedCustomersRequest>,
    ) -> Result<Response<wire::ListAffectedCustomersResponse>, Status> {
        Ok(Response::new(self.affected(request.into_inner()).await?))
    }

    async fn send_incident_message(
        &self,
        request: Request<wire::SendIncidentMessageRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.send(&actor, request.into_inner()).await?))
    }

    async fn link_to_incident(
        &self,
        request: Request<wire::LinkToIncidentRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.link(&actor, request.into_inner()).await?))
    }

    async fn unlink_from_incident(
        &self,
        request: Request<wire::UnlinkFromIncidentRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.unlink(&actor, request.into_inner()).await?))
    }

    async fn list_incident_cases(
        &self,
        request: Request<wire::ListIncidentCasesRequest>,
    ) -> Result<Response<wire::ListIncidentCasesResponse>, Status> {
        Ok(Response::new(self.cases(request.into_inner()).await?))
    }

    async fn close_incident(
        &self,
        request: Request<wire::CloseIncidentRequest>,
    ) -> Result<Response<wire::Incident>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.close(&actor, request.into_inner()).await?))
    }

    async fn list_incident_tasks(
        &self,
        request: Request<wire::ListIncidentTasksRequest>,
    ) -> Result<Response<wire::ListIncidentTasksResponse>, Status> {
        Ok(Response::new(self.tasks(request.into_inner()).await?))
    }
}
