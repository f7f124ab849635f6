//! Metrics that users define: parse, act, render.

use std::time::Duration;

use barometer_chassis::{
    door::{Door, PageToken, fit},
    error::Error,
    fingerprint,
    layers::{Deadline, Principal},
    writer::{Done, Request as Mutation, Write},
};
use barometer_proto::metrics::v1::{
    self as wire,
    definition::{Expression, State},
    definition_service_server::DefinitionService,
};
use futures_util::future::BoxFuture;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::Metrics;
use crate::{
    columns::Facts,
    definition::Definition,
    definition_version::Model,
    query::{Vocabulary, Zones},
    store,
    wire::definition::{parse, parse_id, render},
};

/// A definition that was checked, the id that it is to have, the etag that came with it, and the id of the request.
struct Checked {
    id: String,
    definition: Definition,
    etag: String,
    request_id: Option<Uuid>,
    /// Of what was sent: what it means may change.
    fingerprint: i64,
}

impl Metrics {
    /// Checks a definition against what facts there are.
    async fn check(
        &self,
        definition: Option<wire::Definition>,
        request_id: String,
        left: Option<Duration>,
    ) -> Result<Checked, Error> {
        let fingerprint = definition.as_ref().map(said).as_ref().map_or(0, fingerprint::of_message);
        let names = definition.as_ref().and_then(|of| of.expression.as_ref()).map(metrics_of).unwrap_or_default();
        let checked = move |_: &Facts, vocabulary: &Vocabulary, _: &Zones, _| {
            let checked = Door::open(|door| {
                let request_id = door.request_id(&request_id);
                let definition = door.required("definition", definition);
                let etag = definition.etag.clone();
                let (id, definition) = door.inside("definition", |door| parse(door, definition, vocabulary))?;
                Some(Checked { id, definition, etag, request_id, fingerprint })
            })?;
            checked.ok_or_else(|| Error::Internal("a definition was refused without a word".to_owned()))
        };
        Ok(self.compute(names, &[], left, checked).await?.0)
    }

    /// Runs a verb on the definition of an id: as it is then.
    async fn change<W>(&self, id: &str, mutation: Mutation, work: W) -> Result<wire::Definition, Error>
    where
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    {
        let store = &self.definitions.store;
        store.writer.run(mutation, work).await?;
        Ok(render(store::get_definition(store.db(), id).await?))
    }

    async fn set_state(
        &self,
        method: &'static str,
        actor: String,
        (id, etag, request_id): (String, String, String),
        state: State,
    ) -> Result<wire::Definition, Error> {
        let (id, request_id) = Door::open(|door| (parse_id(door, id), door.request_id(&request_id)))?;
        let mutation = Mutation { method, actor, id: request_id, fingerprint: fingerprint::of(&(&id, &etag))? };
        let name = id.clone();
        self.change(&id, mutation, move |write| {
            Box::pin(async move { store::set_state(write, &name, &etag, state).await })
        })
        .await
    }
}

/// What callers say of a definition; the rest is output only.
fn said(definition: &wire::Definition) -> wire::Definition {
    let wire::Definition { id, title, description, expression, unit, direction, etag, .. } = definition.clone();
    wire::Definition { id, title, description, expression, unit, direction, etag, ..Default::default() }
}

/// The metrics that an expression names.
fn metrics_of(expression: &Expression) -> Vec<String> {
    let of = |part: &Option<wire::Part>| part.as_ref().map(|part| part.metric.clone());
    match expression {
        Expression::Variant(variant) => vec![variant.metric.clone()],
        Expression::Ratio(ratio) => [&ratio.numerator, &ratio.denominator].into_iter().filter_map(of).collect(),
        Expression::Sum(sum) => sum.terms.iter().filter_map(|term| of(&term.part)).collect(),
    }
}

#[tonic::async_trait]
impl DefinitionService for Metrics {
    async fn create_definition(
        &self,
        request: Request<wire::CreateDefinitionRequest>,
    ) -> Result<Response<wire::Definition>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let actor = Principal::of(&request).to_string();
        let wire::CreateDefinitionRequest { definition, request_id } = request.into_inner();
        let checked = self.check(definition, request_id, left).await?;
        let Checked { id, definition, etag: _, request_id, fingerprint } = checked;
        let mutation = Mutation { method: "CreateDefinition", actor: actor.clone(), id: request_id, fingerprint };
        let name = id.clone();
        let work = self.change(&id, mutation, move |write| {
            Box::pin(async move { store::create_definition(write, name, definition, actor).await })
        });
        Ok(Response::new(work.await?))
    }

    async fn revise_definition(
        &self,
        request: Request<wire::ReviseDefinitionRequest>,
    ) -> Result<Response<wire::Definition>, Status> {
        let left = Deadline::of(&request).map(Deadline::remaining);
        let actor = Principal::of(&request).to_string();
        let wire::ReviseDefinitionRequest { definition, request_id } = request.into_inner();
        let checked = self.check(definition, request_id, left).await?;
        let Checked { id, definition, etag, request_id, fingerprint } = checked;
        let mutation = Mutation { method: "ReviseDefinition", actor: actor.clone(), id: request_id, fingerprint };
        let name = id.clone();
        let work = self.change(&id, mutation, move |write| {
            Box::pin(async move { store::revise_definition(write, &name, &etag, definition, actor).await })
        });
        Ok(Response::new(work.await?))
    }

    async fn get_definition(
        &self,
        request: Request<wire::GetDefinitionRequest>,
    ) -> Result<Response<wire::Definition>, Status> {
        let wire::GetDefinitionRequest { id, version } = request.into_inner();
        let id = Door::open(|door| {
            if version < 0 {
                door.refuse("version", "OUT_OF_RANGE", "is negative");
            }
            parse_id(door, id)
        })?;
        let db = self.definitions.store.db();
        let row = match version {
            0 => store::get_definition(db, &id).await?,
            version => store::get_definition_version(db, &id, version.into()).await?,
        };
        Ok(Response::new(render(row)))
    }

    async fn list_definitions(
        &self,
        request: Request<wire::ListDefinitionsRequest>,
    ) -> Result<Response<wire::ListDefinitionsResponse>, Status> {
        let wire::ListDefinitionsRequest { page_size, page_token, state } = request.into_inner();
        let (page, state) =
            Door::open(|door| (door.page(page_size, &page_token), door.optional_choice("state", state)))?;
        let (rows, next) = store::list_definitions(self.definitions.store.db(), page, state).await?;
        let (definitions, next_page_token) = rendered(rows, store::place, next);
        Ok(Response::new(wire::ListDefinitionsResponse { definitions, next_page_token }))
    }

    async fn list_definition_versions(
        &self,
        request: Request<wire::ListDefinitionVersionsRequest>,
    ) -> Result<Response<wire::ListDefinitionVersionsResponse>, Status> {
        let wire::ListDefinitionVersionsRequest { id, page_size, page_token } = request.into_inner();
        let (id, page) = Door::open(|door| (parse_id(door, id), door.page(page_size, &page_token)))?;
        let (rows, next) = store::list_definition_versions(self.definitions.store.db(), &id, page).await?;
        let (definitions, next_page_token) = rendered(rows, store::place_of_version, next);
        Ok(Response::new(wire::ListDefinitionVersionsResponse { definitions, next_page_token }))
    }

    async fn retire_definition(
        &self,
        request: Request<wire::RetireDefinitionRequest>,
    ) -> Result<Response<wire::Definition>, Status> {
        let actor = Principal::of(&request).to_string();
        let wire::RetireDefinitionRequest { id, etag, request_id } = request.into_inner();
        let retired = self.set_state("RetireDefinition", actor, (id, etag, request_id), State::Retired).await;
        Ok(Response::new(retired?))
    }

    async fn restore_definition(
        &self,
        request: Request<wire::RestoreDefinitionRequest>,
    ) -> Result<Response<wire::Definition>, Status> {
        let actor = Principal::of(&request).to_string();
        let wire::RestoreDefinitionRequest { id, etag, request_id } = request.into_inner();
        let restored = self.set_state("RestoreDefinition", actor, (id, etag, request_id), State::Active).await;
        Ok(Response::new(restored?))
    }
}

/// As many as a message holds, and the token of the next page.
fn rendered(rows: Vec<Model>, place: fn(&Model) -> PageToken, next: String) -> (Vec<wire::Definition>, String) {
    let places: Vec<_> = rows.iter().map(place).collect();
    fit(rows.into_iter().map(render).collect(), &places, next)
}
