//! The RPCs of promises: parse, act, render.

use std::{slice, sync::Arc};

use barometer_chassis::{
    clock::Micros,
    door::{Door, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    reader,
    store::Store,
    writer::{Pending, Request as Mutation},
};
use barometer_proto::complaints::v1::{self as wire, promise_service_server::PromiseService};
use prost_types::Timestamp;
use serde::Serialize;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::command::MAX_TEXT;
use crate::{
    case::When,
    customers::Customers,
    promise::{Lead, Model, Turn},
    store::{self, Book},
    wire::{NewPromise, parse_list_promises, parse_promise, render_promise},
};

/// The service.
#[derive(Clone)]
pub(crate) struct Promises {
    store: Store<wire::Fact>,
    customers: Customers,
    lead: Lead,
    book: Arc<Book>,
}

/// A verb's request. Serialised for its fingerprint.
#[derive(Debug, Serialize)]
struct Command {
    id: Uuid,
    etag: String,
    /// The note or reason.
    text: String,
    /// When it happened, if the caller says so; of a move, by when it is due from now on.
    time: Option<Micros>,
    #[serde(skip)]
    request_id: Option<Uuid>,
}

impl Promises {
    /// The service over its store.
    pub(crate) fn new(store: Store<wire::Fact>, customers: Customers, lead: Lead, book: Arc<Book>) -> Self {
        Promises { store, customers, lead, book }
    }

    async fn make(&self, actor: &Principal, request: wire::MakePromiseRequest) -> Result<wire::Promise, Error> {
        let wire::MakePromiseRequest { promise, request_id } = request;
        let (new, request_id) = Door::open(|door| {
            let promise = door.required("promise", promise);
            let parse = |door: &mut Door| parse_promise(door, promise, self.lead, actor.to_string());
            (door.inside("promise", parse), door.request_id(&request_id))
        })?;
        let NewPromise { mut row, customer, make_time, lead } = new;
        row.customer_id = self.customers.resolve(slice::from_ref(&customer)).await?.id(&customer)?;
        let fingerprint = fingerprint::of(&(&row, make_time, lead))?;
        if make_time.is_none() {
            row.make_time = Micros::now();
        }
        let request = Mutation { method: "MakePromise", actor: actor.to_string(), id: request_id, fingerprint };
        let pending = Pending { row, context: self.book.clone(), request, refused: None };
        let (row, position) = self.store.record_one(pending).await?;
        Ok(render_promise(row, position))
    }

    async fn keep(&self, actor: &Principal, request: wire::KeepPromiseRequest) -> Result<wire::Promise, Error> {
        let wire::KeepPromiseRequest { promise_id, note, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.text("note", note, MAX_TEXT);
            parse(door, &promise_id, etag, text, time, &request_id)
        })?;
        let given = command.time;
        self.act("KeepPromise", actor, command, move |promise, now| promise.keep(When { given, now })).await
    }

    async fn break_early(&self, actor: &Principal, request: wire::BreakPromiseRequest) -> Result<wire::Promise, Error> {
        let wire::BreakPromiseRequest { promise_id, reason, time, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.required_text("reason", reason, MAX_TEXT);
            parse(door, &promise_id, etag, text, time, &request_id)
        })?;
        let given = command.time;
        self.act("BreakPromise", actor, command, move |promise, now| promise.break_early(When { given, now })).await
    }

    async fn shift(&self, actor: &Principal, request: wire::MovePromiseRequest) -> Result<wire::Promise, Error> {
        let wire::MovePromiseRequest { promise_id, due_time, reason, etag, request_id } = request;
        let (due, command) = Door::open(|door| {
            let due = door.time("due_time", due_time);
            let text = door.required_text("reason", reason, MAX_TEXT);
            (due, Command { time: Some(due), ..parse(door, &promise_id, etag, text, None, &request_id) })
        })?;
        self.act("MovePromise", actor, command, move |promise, now| promise.shift(now, due)).await
    }

    async fn take_back(
        &self,
        actor: &Principal,
        request: wire::WithdrawPromiseRequest,
    ) -> Result<wire::Promise, Error> {
        let wire::WithdrawPromiseRequest { promise_id, reason, etag, request_id } = request;
        let command = Door::open(|door| {
            let text = door.required_text("reason", reason, MAX_TEXT);
            parse(door, &promise_id, etag, text, None, &request_id)
        })?;
        self.act("WithdrawPromise", actor, command, Model::take_back).await
    }

    async fn get(&self, request: wire::GetPromiseRequest) -> Result<wire::Promise, Error> {
        use wire::get_promise_request::By;
        let row: Model = match request.by {
            Some(By::PromiseId(id)) => {
                let id = Door::open(|door| door.id("promise_id", &id))?;
                reader::get(self.store.db(), id).await?
            }
            Some(By::ExternalId(key)) => {
                let key = Door::open(|door| door.inside("external_id", |door| door.key(key)))?;
                reader::get_by_key(self.store.db(), &key).await?
            }
            None => return Err(Error::invalid("promise_id", "REQUIRED", "is required")),
        };
        self.render(row).await
    }

    async fn list(&self, request: wire::ListPromisesRequest) -> Result<wire::ListPromisesResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_promises(door, request))?;
        let (rows, next) = store::list_promises(self.store.db(), page, filter).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_promise).collect();
        let mut promises = Vec::with_capacity(rows.len());
        for row in rows {
            promises.push(self.render(row).await?);
        }
        let (promises, next_page_token) = fit(promises, &places, next);
        Ok(wire::ListPromisesResponse { promises, next_page_token })
    }

    /// The promise after a verb.
    async fn act(
        &self,
        method: &'static str,
        actor: &Principal,
        command: Command,
        verb: impl FnOnce(Model, Micros) -> Result<Turn, Error> + Send + 'static,
    ) -> Result<wire::Promise, Error> {
        let actor = actor.to_string();
        let fingerprint = fingerprint::of(&command)?;
        let request = Mutation { method, actor: actor.clone(), id: command.request_id, fingerprint };
        let book = self.book.clone();
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let Command { id, etag, text, time: _, request_id: _ } = command;
                let verb = |promise| verb(promise, write.now);
                store::change_promise(write, &book, id, &etag, &actor, &text, verb).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_promise(row, position))
    }

    async fn render(&self, row: Model) -> Result<wire::Promise, Error> {
        let position = self.store.feed.token(row.position).await?;
        Ok(render_promise(row, position))
    }
}

/// What all verbs have in common.
fn parse(
    door: &mut Door,
    promise_id: &str,
    etag: String,
    text: String,
    time: Option<Timestamp>,
    request_id: &str,
) -> Command {
    let id = door.id("promise_id", promise_id);
    let time = time.map(|at| door.past_time("time", Some(at)));
    Command { id, etag, text, time, request_id: door.request_id(request_id) }
}

#[tonic::async_trait]
impl PromiseService for Promises {
    async fn make_promise(
        &self,
        request: Request<wire::MakePromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.make(&actor, request.into_inner()).await?))
    }

    async fn keep_promise(
        &self,
        request: Request<wire::KeepPromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.keep(&actor, request.into_inner()).await?))
    }

    async fn break_promise(
        &self,
        request: Request<wire::BreakPromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.break_early(&actor, request.into_inner()).await?))
    }

    async fn move_promise(
        &self,
        request: Request<wire::MovePromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.shift(&actor, request.into_inner()).await?))
    }

    async fn withdraw_promise(
        &self,
        request: Request<wire::WithdrawPromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.take_back(&actor, request.into_inner()).await?))
    }

    async fn get_promise(&self, request: Request<wire::GetPromiseRequest>) -> Result<Response<wire::Promise>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_promises(
        &self,
        request: Request<wire::ListPromisesRequest>,
    ) -> Result<Response<wire::ListPromisesResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}
