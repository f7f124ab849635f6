//! The RPCs of promises: parse, act, render.

use std::{slice, sync::Arc};

use barometer_chassis::{
    clock::Micros,
    door::{Door, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    mask, reader,
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
    case::{Holder, When},
    customers::Customers,
    promise::{Lead, Model, Turn, check_ahead},
    store::{self, Book},
    wire::{AMENDABLE_OF_PROMISES, NewPromise, parse_amendment, parse_list_promises, parse_promise, render_promise},
};

/// The service.
#[derive(Clone)]
pub(crate) struct Promises {
    store: Store<wire::Fact>,
    customers: Customers,
    lead: Lead,
    book: Arc<Book>,
}

/// A verb's request. Serialised for its fingerprint; what came to it after its first release is left out where it was not
/// given, so that a repeat of an older request is still known as one.
#[derive(Debug, Serialize)]
struct Command {
    id: Uuid,
    etag: String,
    /// The note or reason.
    text: String,
    /// When it happened, if the caller says so; of a move, by when it is due from now on.
    time: Option<Micros>,
    /// Who answers for it from now on; of assignments only.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
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
            let (new, request_id) = (door.inside("promise", parse), door.request_id(&request_id));
            let repeatable = request_id.is_some() || new.row.external_id.is_some();
            refuse_past(door, new.row.due_time, repeatable, |now| new.row.check_new(now));
            (new, request_id)
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
            let command = Command { time: Some(due), ..parse(door, &promise_id, etag, text, None, &request_id) };
            refuse_past(door, due, command.request_id.is_some(), |now| check_ahead("due_time", due, now));
            (due, command)
        })?;
        self.act("MovePromise", actor, command, move |promise, now| promise.shift(now, due)).await
    }

    async fn assign(&self, actor: &Principal, request: wire::AssignPromiseRequest) -> Result<wire::Promise, Error> {
        let wire::AssignPromiseRequest { promise_id, employee, team, note, etag, request_id } = request;
        let (to, command) = Door::open(|door| {
            let to = Holder { employee: door.text("employee", employee, 64), team: door.text("team", team, 64) };
            if to == Holder::default() {
                door.refuse("employee", "REQUIRED", "or `team` is required: somebody answers for a promise");
            }
            let text = door.text("note", note, MAX_TEXT);
            let command = parse(door, &promise_id, etag, text, None, &request_id);
            (to.clone(), Command { holder: Some(to), ..command })
        })?;
        self.act("AssignPromise", actor, command, move |promise, now| promise.assign(now, &to)).await
    }

    async fn amend(&self, actor: &Principal, mut request: wire::AmendPromiseRequest) -> Result<wire::Promise, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendPromiseRequest { promise, update_mask, request_id: _ } = request;
        let lead = self.lead;
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required("promise", promise);
            let id = door.inside("promise", |door| door.id("promise_id", &patch.promise_id));
            mask::check(door, "promise", &patch, (update_mask.as_ref(), &AMENDABLE_OF_PROMISES), |door, set| {
                parse_amendment(door, set, None, lead)
            });
            (patch, id, door.request_id(&request_text))
        })?;
        let actor = actor.to_string();
        let request = Mutation { method: "AmendPromise", actor: actor.clone(), id: request_id, fingerprint };
        let book = self.book.clone();
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let verb = |promise: Model| {
                    let shown = render_promise(promise.clone(), String::new());
                    let merged = mask::merge(&shown, &patch, update_mask.as_ref(), &AMENDABLE_OF_PROMISES, "promise")?;
                    let kept = Some(promise.description.as_str());
                    let parse = |door: &mut Door| parse_amendment(door, merged, kept, lead);
                    let (description, lead) = Door::open(|door| door.inside("promise", parse))?;
                    promise.amend(write.now, description, lead)
                };
                store::amend_promise(write, &book, id, &patch.etag, &actor, verb).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_promise(row, position))
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
                let Command { id, etag, text, time: _, holder: _, request_id: _ } = command;
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

/// Notes a due time that does not lie ahead. What may be a repeat was good in its day: it is refused here with other things
/// only, and by itself when the writer does not know it.
fn refuse_past(door: &mut Door, due: Micros, repeatable: bool, check: impl FnOnce(Micros) -> Result<(), Error>) {
    // One that was refused already is 0.
    if due.0 != 0
        && (door.has_refused() || !repeatable)
        && let Err(Error::Invalid(violations)) = check(door.now())
    {
        door.refuse_all(violations);
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
    Command { id, etag, text, time, holder: None, request_id: door.request_id(request_id) }
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

    async fn amend_promise(
        &self,
        request: Request<wire::AmendPromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.amend(&actor, request.into_inner()).await?))
    }

    async fn assign_promise(
        &self,
        request: Request<wire::AssignPromiseRequest>,
    ) -> Result<Response<wire::Promise>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.assign(&actor, request.into_inner()).await?))
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
