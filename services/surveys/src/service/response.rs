//! What the RPCs on responses do.

use barometer_chassis::{
    door::{Door, PageToken, fit},
    error::Error,
    fingerprint,
    import::MAX_ROWS,
    layers::Principal,
    mask, reader,
    store::Numbered,
    writer::{self, Pending},
};
use barometer_directory::{CustomerRef, Resolved};
use barometer_proto::surveys::v1::{self as wire, response::Customer};
use uuid::Uuid;

use super::{Surveys, mutation};
use crate::{
    response::Model,
    store::{self, SurveyRef},
    wire::{AMENDABLE, parse_list_responses, parse_response, parse_survey_ref, render_response},
};

/// A response, who gave it, and the request's id.
type Parsed = (Model, CustomerRef, Option<Uuid>);

impl Surveys {
    pub(super) async fn submit(
        &self,
        actor: &Principal,
        request: wire::SubmitResponseRequest,
    ) -> Result<wire::Response, Error> {
        let wire::SubmitResponseRequest { response, request_id } = request;
        let (row, customer, request_id) = self.parse(actor, response, &request_id, "response").await?;
        let customers = match &customer {
            CustomerRef::Anonymous | CustomerRef::Id(_) => Resolved::default(),
            CustomerRef::Key(_) => self.resolve_for(row.survey_id.0, &customer).await?,
        };
        let pending = pending("SubmitResponse", actor, row, customer, &customers, request_id)?;
        let (row, position) = self.store.record_one(pending).await.inspect_err(|error| self.doubt(error))?;
        Ok(render_response(row, position))
    }

    /// The customer of an answer's key, created when new.
    async fn resolve_for(&self, survey: Uuid, customer: &CustomerRef) -> Result<Resolved, Error> {
        let survey = store::get_survey(self.store.db(), &SurveyRef::Id(survey)).await?;
        match survey.check_takes_answers() {
            Ok(()) => self.directory.resolve([customer].into_iter()).await,
            // Refused, and so nobody is created for it; unless it repeats a request, whose customer is there.
            Err(refused) => self.directory.look_up(customer).await?.ok_or(refused),
        }
    }

    /// Parses one batch of an import, and finds its customers.
    pub(super) async fn prepare(
        &self,
        actor: &Principal,
        rows: Vec<wire::ResponseRow>,
    ) -> Result<Numbered<Model>, Error> {
        if rows.is_empty() || rows.len() > MAX_ROWS {
            return Err(Error::invalid("rows", "OUT_OF_RANGE", format!("a batch holds 1 to {MAX_ROWS} rows")));
        }
        let mut parsed = Vec::with_capacity(rows.len());
        for wire::ResponseRow { row, response } in rows {
            match self.parse(actor, response, "", "response").await {
                Err(error) if error.is_outage() => return Err(error),
                result => parsed.push((row, result)),
            }
        }
        let named = parsed.iter().filter_map(|(_, result)| result.as_ref().ok()).map(|(_, customer, _)| customer);
        let customers = self.directory.resolve(named).await?;
        let pending = |(number, result): (i64, Result<Parsed, Error>)| {
            let row = result.and_then(|(row, customer, request_id)| {
                let row = Model { imported: true, ..row };
                pending("ImportResponses", actor, row, customer, &customers, request_id)
            });
            (number, row)
        };
        Ok(parsed.into_iter().map(pending).collect())
    }

    /// Records one batch of an import.
    pub(super) async fn import(&self, rows: Numbered<Model>) -> Result<wire::ImportResponsesResponse, Error> {
        let mut batch = self.store.record_batch(rows, "response").await?;
        for violation in batch.rejected.iter_mut().flat_map(|rejected| &mut rejected.violations) {
            match violation.reason.as_str() {
                "WRONG_STATE" => "survey_id".clone_into(&mut violation.field),
                "NOT_FOUND" => self.known.forget(),
                _ => {}
            }
        }
        Ok(wire::ImportResponsesResponse {
            recorded: batch.recorded,
            unchanged: batch.unchanged,
            rejected: batch.rejected,
            position: batch.position,
        })
    }

    pub(super) async fn get(&self, request: wire::GetResponseRequest) -> Result<wire::Response, Error> {
        use wire::get_response_request::By;
        let row: Model = match request.by {
            Some(By::ResponseId(id)) => {
                let id = Door::open(|door| door.id("response_id", &id))?;
                reader::get(self.store.db(), id).await?
            }
            Some(By::ExternalId(key)) => {
                let key = Door::open(|door| door.inside("external_id", |door| door.key(key)))?;
                reader::get_by_key(self.store.db(), &key).await?
            }
            None => return Err(Error::invalid("response_id", "REQUIRED", "is required")),
        };
        self.render(row).await
    }

    pub(super) async fn list(&self, request: wire::ListResponsesRequest) -> Result<wire::ListResponsesResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_responses(door, request))?;
        let place = |row: &Model| PageToken { key: row.time.0, id: row.id };
        let (rows, next) = reader::list(self.store.db(), page, filter, place).await?;
        let places: Vec<_> = rows.iter().map(place).collect();
        let mut responses = Vec::with_capacity(rows.len());
        for row in rows {
            responses.push(self.render(row).await?);
        }
        let (responses, next_page_token) = fit(responses, &places, next);
        Ok(wire::ListResponsesResponse { responses, next_page_token })
    }

    pub(super) async fn amend(
        &self,
        actor: &Principal,
        mut request: wire::AmendResponseRequest,
    ) -> Result<wire::Response, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendResponseRequest { response, update_mask, request_id: _ } = request;
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required("response", response);
            let id = door.inside("response", |door| door.id("response_id", &patch.response_id));
            (patch, id, door.request_id(&request_text))
        })?;
        if matches!(patch.customer, Some(Customer::CustomerKey(_))) {
            // Before somebody is created for an answer that is not there.
            reader::get::<Model>(self.store.db(), id).await?;
        }
        let customers = self.resolve_patch(&patch).await?;
        let request = mutation("AmendResponse", actor, request_id, fingerprint);
        let stages = self.stages.clone();
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let old: Model = writer::current(write, id, &patch.etag).await?;
                let mut shown = render_response(old.clone(), String::new());
                let names_score = update_mask.as_ref().is_none_or(|mask| {
                    mask.paths.is_empty() || mask.paths.iter().any(|path| path == "score" || path == "*")
                });
                // Who gives a score need not take back why there was none.
                if names_score && patch.score.is_some() {
                    shown.disposition = wire::Disposition::Unspecified.into();
                }
                let merged = mask::merge(&shown, &patch, update_mask.as_ref(), &AMENDABLE, "response")?;
                let by =
                    Door::open(|door| door.inside("response", |door| parse_survey_ref(door, merged.survey.as_ref())))?;
                let survey = match by {
                    Some(by) => Some(store::get_survey(write.db, &by).await?),
                    None => None,
                };
                let (mut new, customer) = Door::open(|door| {
                    let parse =
                        |door: &mut Door| parse_response(door, merged, survey.as_ref(), &stages, old.actor.clone());
                    door.inside("response", parse)
                })?;
                new.customer_id = customers.id(&customer)?;
                writer::replace(write, old.clone(), amended(old, new)).await
            })
        });
        let (row, position) = work.await?;
        Ok(render_response(row, position))
    }

    pub(super) async fn withdraw(
        &self,
        actor: &Principal,
        request: wire::WithdrawResponseRequest,
    ) -> Result<wire::Response, Error> {
        let wire::WithdrawResponseRequest { response_id, etag, request_id } = request;
        let (id, request_id) = Door::open(|door| (door.id("response_id", &response_id), door.request_id(&request_id)))?;
        let request = mutation("WithdrawResponse", actor, request_id, fingerprint::of(&(id, &etag))?);
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move { writer::withdraw::<Model>(write, id, &etag).await })
        });
        let (row, position) = work.await?;
        Ok(render_response(row, position))
    }

    /// The customer of the key that an amendment names.
    async fn resolve_patch(&self, patch: &wire::Response) -> Result<Resolved, Error> {
        let Some(Customer::CustomerKey(key)) = &patch.customer else { return Ok(Resolved::default()) };
        let key = Door::open(|door| {
            door.inside("response", |door| door.inside("customer_key", |door| door.key(key.clone())))
        })?;
        self.directory.resolve([&CustomerRef::Key(key)].into_iter()).await
    }

    async fn render(&self, row: Model) -> Result<wire::Response, Error> {
        let position = self.store.feed.token(row.position).await?;
        Ok(render_response(row, position))
    }

    /// Parses a response under the field's name; its survey is looked up on the way. All violations are told together,
    /// and before it is told that there is no such survey.
    async fn parse(
        &self,
        actor: &Principal,
        response: Option<wire::Response>,
        request_id: &str,
        field: &str,
    ) -> Result<Parsed, Error> {
        let by = response.as_ref().map(|response| response.survey.as_ref());
        let by = by.and_then(|survey| Door::open(|door| parse_survey_ref(door, survey)).ok().flatten());
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
            let response = door.required(field, response);
            let (row, customer) = door.inside(field, |door| {
                parse_survey_ref(door, response.survey.as_ref());
                parse_response(door, response, known.as_deref(), &self.stages, actor.to_string())
            });
            (row, customer, door.request_id(request_id))
        })?;
        survey.map(|_| parsed)
    }

    /// A survey that was known and is not there: the database is another one now.
    fn doubt(&self, error: &Error) {
        if matches!(error, Error::NotFound { noun: "survey", .. }) {
            self.known.forget();
        }
    }
}

/// A row on its way to the writer, with its customer.
fn pending(
    method: &'static str,
    actor: &Principal,
    mut row: Model,
    customer: CustomerRef,
    customers: &Resolved,
    request_id: Option<Uuid>,
) -> Result<Pending<Model>, Error> {
    row.customer_id = customers.id(&customer)?;
    let request = mutation(method, actor, request_id, fingerprint::of(&row)?);
    Ok(Pending { row, context: (), request, refused: None })
}

/// The corrected row: new values under the head of the old one.
fn amended(old: Model, new: Model) -> Model {
    let Model {
        survey_id,
        customer_id,
        score,
        category,
        disposition,
        comment,
        language,
        channel,
        touchpoint,
        journey_stage,
        time,
        weight,
        dimensions,
        id: _,
        number: _,
        position: _,
        version: _,
        external_system: _,
        external_id: _,
        fingerprint: _,
        actor: _,
        create_time: _,
        update_time: _,
        withdraw_time: _,
        imported: _,
    } = new;
    Model {
        survey_id,
        customer_id,
        score,
        category,
        disposition,
        comment,
        language,
        channel,
        touchpoint,
        journey_stage,
        time,
        weight,
        dimensions,
        ..old
    }
}
