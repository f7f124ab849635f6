//! What the RPCs on answers and on invitations do, for both alike.

use barometer_chassis::{
    door::{Door, Page, fit},
    error::Error,
    fingerprint,
    import::MAX_ROWS,
    layers::Principal,
    mask, reader,
    store::{Batch, Numbered},
    writer::{self, Pending},
};
use barometer_directory::{CustomerRef, Resolved};
use prost_types::FieldMask;
use sea_orm::Condition;
use uuid::Uuid;

use super::{Surveys, mutation};
use crate::{
    noun::{By, Noun, Parsed},
    store,
};

/// What was parsed, and the id of the request that brought it.
type Requested<N> = (Parsed<N>, Option<Uuid>);

impl Surveys {
    /// Records one that was parsed, of whom customers found.
    pub(super) async fn record<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        parsed: Parsed<N>,
        customers: &Resolved,
        request_id: Option<Uuid>,
    ) -> Result<N::Wire, Error> {
        let pending = pending(method, actor, parsed, customers, request_id)?;
        let (row, position) = self.store.record_one(pending).await.inspect_err(|error| self.doubt(error))?;
        self.render_one(row, position).await
    }

    /// Parses one batch of an import, and finds its customers.
    pub(super) async fn prepare<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        rows: Vec<(i64, Option<N::Wire>)>,
    ) -> Result<Numbered<N>, Error> {
        if rows.is_empty() || rows.len() > MAX_ROWS {
            return Err(Error::invalid("rows", "OUT_OF_RANGE", format!("a batch holds 1 to {MAX_ROWS} rows")));
        }
        let mut parsed = Vec::with_capacity(rows.len());
        for (number, message) in rows {
            match self.parse::<N>(actor, message, "").await {
                Err(error) if error.is_outage() => return Err(error),
                result => parsed.push((number, result)),
            }
        }
        let named = parsed.iter().filter_map(|(_, result)| result.as_ref().ok()).map(|((_, customer, _), _)| customer);
        let customers = self.directory.resolve(named).await?;
        let pending = |(number, result): (i64, Result<Requested<N>, Error>)| {
            let row = result.and_then(|((row, customer, context), request_id)| {
                pending(method, actor, (row.imported(), customer, context), &customers, request_id)
            });
            (number, row)
        };
        Ok(parsed.into_iter().map(pending).collect())
    }

    /// Records one batch of an import.
    pub(super) async fn import<N: Noun>(&self, rows: Numbered<N>) -> Result<Batch, Error> {
        let mut batch = self.store.record_batch(rows, N::FIELD).await?;
        for violation in batch.rejected.iter_mut().flat_map(|rejected| &mut rejected.violations) {
            match violation.reason.as_str() {
                "WRONG_STATE" => "survey_id".clone_into(&mut violation.field),
                "NOT_FOUND" if violation.field == "survey_id" => self.known.forget(),
                _ => {}
            }
        }
        Ok(batch)
    }

    /// Reads one.
    pub(super) async fn get<N: Noun>(&self, by: Option<By>) -> Result<N::Wire, Error> {
        let row: N = match by {
            Some(By::Id(id)) => {
                let id = Door::open(|door| door.id(N::ID_FIELD, &id))?;
                reader::get(self.store.db(), id).await?
            }
            Some(By::Key(key)) => {
                let key = Door::open(|door| door.inside("external_id", |door| door.key(key)))?;
                reader::get_by_key(self.store.db(), &key).await?
            }
            None => return Err(Error::invalid(N::ID_FIELD, "REQUIRED", "is required")),
        };
        let position = self.store.feed.token(row.head().position).await?;
        self.render_one(row, position).await
    }

    /// Reads a page.
    pub(super) async fn list<N: Noun>(&self, page: Page, filter: Condition) -> Result<(Vec<N::Wire>, String), Error> {
        let (rows, next) = reader::list(self.store.db(), page, filter, N::place).await?;
        let places: Vec<_> = rows.iter().map(N::place).collect();
        let mut messages = Vec::with_capacity(rows.len());
        for row in rows {
            let position = self.store.feed.token(row.head().position).await?;
            messages.push(row.render(position));
        }
        N::complete(self.store.db(), &mut messages).await?;
        Ok(fit(messages, &places, next))
    }

    /// Corrects one. The fingerprint is that of the whole request.
    pub(super) async fn amend<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        (message, update_mask): (Option<N::Wire>, Option<FieldMask>),
        request_id: &str,
        fingerprint: i64,
    ) -> Result<N::Wire, Error> {
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required(N::FIELD, message);
            let id = door.inside(N::FIELD, |door| door.id(N::ID_FIELD, N::named(&patch).0));
            (patch, id, door.request_id(request_id))
        })?;
        if N::customer_key(&patch).is_some() {
            // Before somebody is created for one that is not there.
            reader::get::<N>(self.store.db(), id).await?;
        }
        let customers = self.resolve_patch::<N>(&patch).await?;
        let request = mutation(method, actor, request_id, fingerprint);
        let (stages, actor) = (self.stages.clone(), actor.to_string());
        let work = self.store.change::<N, _>(request, move |write| {
            Box::pin(async move {
                let old: N = writer::current(write, id, N::named(&patch).1).await?;
                let mut shown = old.clone().render(String::new());
                N::leave_out_derived(&mut shown, &patch, update_mask.as_ref());
                let merged = mask::merge(&shown, &patch, update_mask.as_ref(), N::AMENDABLE, N::FIELD)?;
                let by = Door::open(|door| door.inside(N::FIELD, |door| N::survey(door, &merged)))?;
                let survey = match by {
                    Some(by) => Some(store::get_survey(write.db, &by).await?),
                    None => None,
                };
                let (mut new, customer, context) = Door::open(|door| {
                    door.inside(N::FIELD, |door| N::parse(door, merged, survey.as_ref(), &stages, actor.clone()))
                })?;
                new.set_customer(customers.id(&customer)?);
                N::check(write, &old, &mut new, context).await?;
                writer::replace(write, old.clone(), N::amended(old, new)).await
            })
        });
        let (row, position) = work.await?;
        self.render_one(row, position).await
    }

    /// Withdraws one.
    pub(super) async fn withdraw<N: Noun>(
        &self,
        method: &'static str,
        actor: &Principal,
        id: &str,
        etag: String,
        request_id: &str,
    ) -> Result<N::Wire, Error> {
        let (id, request_id) = Door::open(|door| (door.id(N::ID_FIELD, id), door.request_id(request_id)))?;
        let request = mutation(method, actor, request_id, fingerprint::of(&(id, &etag))?);
        let work = self.store.change::<N, _>(request, move |write| {
            Box::pin(async move { writer::withdraw::<N>(write, id, &etag).await })
        });
        let (row, position) = work.await?;
        self.render_one(row, position).await
    }

    /// Parses one, with the request's id; its survey is looked up on the way. All violations are told together, and before it
    /// is told that there is no such survey.
    pub(super) async fn parse<N: Noun>(
        &self,
        actor: &Principal,
        message: Option<N::Wire>,
        request_id: &str,
    ) -> Result<Requested<N>, Error> {
        let by = message.as_ref().and_then(|message| Door::open(|door| N::survey(door, message)).ok().flatten());
        let survey = match by {
            Some(by) => match self.known.get(self.store.db(), &by).await {
                Ok(survey) => Ok(Some(survey)),
                Err(error @ Error::NotFound { .. }) => Err(error),
                Err(error) => return Err(error),
            },
            None => Ok(None),
        };
        let known = survey.as_ref().ok().cloned().flatten();
        let parsed = Door::open(|door| {
            let message = door.required(N::FIELD, message);
            let parsed = door.inside(N::FIELD, |door| {
                N::survey(door, &message);
                N::parse(door, message, known.as_deref(), &self.stages, actor.to_string())
            });
            (parsed, door.request_id(request_id))
        })?;
        survey.map(|_| parsed)
    }

    /// The customer of the key that an amendment names.
    async fn resolve_patch<N: Noun>(&self, patch: &N::Wire) -> Result<Resolved, Error> {
        let Some(key) = N::customer_key(patch) else { return Ok(Resolved::default()) };
        let key =
            Door::open(|door| door.inside(N::FIELD, |door| door.inside("customer_key", |door| door.key(key.clone()))))?;
        self.directory.resolve([&CustomerRef::Key(key)].into_iter()).await
    }

    async fn render_one<N: Noun>(&self, row: N, position: String) -> Result<N::Wire, Error> {
        let mut message = row.render(position);
        N::complete(self.store.db(), std::slice::from_mut(&mut message)).await?;
        Ok(message)
    }

    /// A survey that was known and is not there: the database is another one now.
    fn doubt(&self, error: &Error) {
        if matches!(error, Error::NotFound { noun: "survey", .. }) {
            self.known.forget();
        }
    }
}

/// A row on its way to the writer, with its customer.
fn pending<N: Noun>(
    method: &'static str,
    actor: &Principal,
    (mut row, customer, context): Parsed<N>,
    customers: &Resolved,
    request_id: Option<Uuid>,
) -> Result<Pending<N>, Error> {
    row.set_customer(customers.id(&customer)?);
    let request = mutation(method, actor, request_id, row.fingerprint_with(&context)?);
    Ok(Pending { row, context, request, refused: None })
}
