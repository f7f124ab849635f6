//! What the RPCs do that open, import, read, correct and withdraw cases.

use std::slice;

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page, fit},
    error::Error,
    fingerprint,
    import::MAX_ROWS,
    layers::Principal,
    mask, reader,
    store::Numbered,
    writer::{self, Done, Pending, Request as Mutation},
};
use barometer_directory::{CustomerRef, Resolved};
use barometer_proto::complaints::v1::{self as wire, case::Customer};
use uuid::Uuid;

use super::Complaints;
use crate::{
    case::{Arrival, Incoming, Model},
    case_entry::{CaseId, Said},
    store,
    wire::{AMENDABLE, Past, amended, parse_case, parse_list_cases, parse_past, render_case, render_entry},
};

/// Entries of the history that a case is shown with.
const SHOWN: u16 = 100;

/// A case that is to be recorded.
struct Parsed {
    row: Model,
    customer: CustomerRef,
    /// When it was received, if the caller said so.
    open_time: Option<Micros>,
    request_id: Option<Uuid>,
}

impl Complaints {
    pub(super) async fn open(&self, actor: &Principal, request: wire::OpenCaseRequest) -> Result<wire::Case, Error> {
        let wire::OpenCaseRequest { case, request_id } = request;
        let mut parsed = Door::open(|door| {
            let case = door.required("case", case);
            let (row, customer, open_time) = door
                .inside("case", |door| parse_case(door, case, &self.stages, &self.rules.priorities, actor.to_string()));
            Parsed { row, customer, open_time, request_id: door.request_id(&request_id) }
        })?;
        let customers = self.customers.resolve(slice::from_ref(&parsed.customer)).await?;
        parsed.row.customer_id = customers.id(&parsed.customer)?;
        self.customers.appraise([&mut parsed.row], &self.rules.priorities).await;
        let pending = self.pending("OpenCase", actor, parsed, &customers, Arrival::Live)?;
        let (row, position) = self.store.record_one(pending).await?;
        // The caller's clock may be ahead, and the case come in by it.
        let at = Micros::now().max(row.open_time);
        let (clocks, reception) = self.received(&row, at).await;
        Ok(wire::Case { reception: Some(reception), clocks, ..render_case(row, position) })
    }

    /// Parses one batch of an import, and finds its customers.
    pub(super) async fn prepare(&self, actor: &Principal, rows: Vec<wire::CaseRow>) -> Result<Numbered<Model>, Error> {
        if rows.is_empty() || rows.len() > MAX_ROWS {
            return Err(Error::invalid("rows", "OUT_OF_RANGE", format!("a batch holds 1 to {MAX_ROWS} rows")));
        }
        let mut parsed: Vec<_> = rows.into_iter().map(|row| (row.row, self.parse_row(actor, row))).collect();
        let rows = parsed.iter_mut().map(|(_, row)| row).collect();
        let customers = self.customers.resolve_rows(rows, |parsed| &parsed.customer).await?;
        for parsed in parsed.iter_mut().filter_map(|(_, result)| result.as_mut().ok()) {
            parsed.row.customer_id = customers.id(&parsed.customer)?;
        }
        let cases = parsed.iter_mut().filter_map(|(_, result)| result.as_mut().ok()).map(|parsed| &mut parsed.row);
        self.customers.appraise(cases, &self.rules.priorities).await;
        let pending = |(number, result): (i64, Result<Parsed, Error>)| {
            let pending =
                result.and_then(|parsed| self.pending("ImportCases", actor, parsed, &customers, Arrival::Imported));
            (number, pending)
        };
        Ok(parsed.into_iter().map(pending).collect())
    }

    /// Records one batch of an import.
    pub(super) async fn import(&self, rows: Numbered<Model>) -> Result<wire::ImportCasesResponse, Error> {
        let batch = self.store.record_batch(rows, "case").await?;
        Ok(wire::ImportCasesResponse {
            recorded: batch.recorded,
            unchanged: batch.unchanged,
            rejected: batch.rejected,
            position: batch.position,
        })
    }

    fn parse_row(&self, actor: &Principal, row: wire::CaseRow) -> Result<Parsed, Error> {
        let wire::CaseRow { row: _, case, acknowledge_time, first_response_time, resolve_time, close_time, outcome } =
            row;
        let past = Past {
            acknowledge: acknowledge_time,
            first_response: first_response_time,
            resolve: resolve_time,
            close: close_time,
            outcome,
        };
        Door::open(|door| {
            let case = door.required("case", case);
            let (row, customer, open_time) = door.inside("case", |door| {
                let parsed = parse_case(door, case, &self.stages, &self.rules.priorities, actor.to_string());
                if parsed.2.is_none() {
                    door.missing("open_time");
                }
                parsed
            });
            Parsed { row: parse_past(door, row, past), customer, open_time, request_id: None }
        })
    }

    pub(super) async fn get(&self, request: wire::GetCaseRequest) -> Result<wire::Case, Error> {
        use wire::get_case_request::By;
        let row: Model = match request.by {
            Some(By::CaseId(id)) => {
                let id = Door::open(|door| door.id("case_id", &id))?;
                reader::get(self.store.db(), id).await?
            }
            Some(By::ExternalId(key)) => {
                let key = Door::open(|door| door.inside("external_id", |door| door.key(key)))?;
                reader::get_by_key(self.store.db(), &key).await?
            }
            None => return Err(Error::invalid("case_id", "REQUIRED", "is required")),
        };
        let (history, _) = self.history(row.id, Page { size: SHOWN, after: None }).await?;
        let links = self.links(row.id).await?;
        let merged = store::list_merged(self.store.db(), row.id).await?;
        let merged_case_ids = merged.into_iter().map(|id| id.to_string()).collect();
        let incidents = store::list_incidents_of(self.store.db(), CaseId(row.id)).await?;
        let incident_ids = incidents.into_iter().map(|id| id.to_string()).collect();
        let clocks = self.latest_clocks(&row, Micros::now()).await?;
        Ok(wire::Case { incident_ids, history, links, merged_case_ids, clocks, ..self.render(row).await? })
    }

    pub(super) async fn list(&self, request: wire::ListCasesRequest) -> Result<wire::ListCasesResponse, Error> {
        let (page, filter, order) =
            Door::open(|door| parse_list_cases(door, request, self.store.db().get_database_backend()))?;
        let (rows, next) = store::list_cases(self.store.db(), page, filter, order).await?;
        let places: Vec<_> = rows.iter().map(|row| store::place_of_case(row, order)).collect();
        let mut cases = Vec::with_capacity(rows.len());
        for row in rows {
            cases.push(self.render(row).await?);
        }
        let (cases, next_page_token) = fit(cases, &places, next);
        Ok(wire::ListCasesResponse { cases, next_page_token })
    }

    pub(super) async fn list_entries(
        &self,
        request: wire::ListCaseEntriesRequest,
    ) -> Result<wire::ListCaseEntriesResponse, Error> {
        let wire::ListCaseEntriesRequest { case_id, page_size, page_token } = request;
        let (id, page) = Door::open(|door| (door.id("case_id", &case_id), door.page(page_size, &page_token)))?;
        let case: Model = reader::get(self.store.db(), id).await?;
        if case.withdraw_time.is_some() {
            return Ok(wire::ListCaseEntriesResponse::default());
        }
        let (case_entries, next_page_token) = self.history(id, page).await?;
        Ok(wire::ListCaseEntriesResponse { case_entries, next_page_token })
    }

    pub(super) async fn amend(
        &self,
        actor: &Principal,
        mut request: wire::AmendCaseRequest,
    ) -> Result<wire::Case, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::AmendCaseRequest { case, update_mask, request_id: _ } = request;
        let check = |shown: Option<&wire::Case>| {
            Door::open(|door| {
                let patch = door.required("case", case.clone());
                let id = door.inside("case", |door| door.id("case_id", &patch.case_id));
                mask::check(door, "case", &patch, (update_mask.as_ref(), &AMENDABLE), |door, mut set| {
                    let _kept = match shown {
                        Some(shown) => forget_kept(shown, &mut set),
                        None => forget_kept(&set.clone(), &mut set),
                    };
                    parse_case(door, set, &self.stages, &self.rules.priorities, String::new())
                });
                (patch, id, door.request_id(&request_text))
            })
        };
        let (patch, id, request_id) = match check(None) {
            // Whether the category and the stage stay as they are, only the case tells.
            Err(Error::Invalid(_)) => check(Some(&self.shown(case.as_ref()).await?))?,
            checked => checked?,
        };
        let customers = self.resolve_patch(&patch, id).await?;
        let request = Mutation { method: "AmendCase", actor: actor.to_string(), id: request_id, fingerprint };
        let (actor, stages, priorities) = (actor.to_string(), self.stages.clone(), self.rules.priorities);
        let book = self.book.clone();
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move {
                let old: Model = writer::current(write, id, &patch.etag).await?;
                let shown = render_case(old.clone(), String::new());
                let mut merged = mask::merge(&shown, &patch, update_mask.as_ref(), &AMENDABLE, "case")?;
                let kept = forget_kept(&shown, &mut merged);
                let parse = |door: &mut Door| parse_case(door, merged, &stages, &priorities, old.actor.clone());
                let (mut new, customer, _) = Door::open(|door| door.inside("case", parse))?;
                let [category, journey_stage] = kept;
                new.category = category.unwrap_or(new.category);
                new.journey_stage = journey_stage.unwrap_or(new.journey_stage);
                new.customer_id = customers.id(&customer)?;
                if new.customer_id != old.customer_id {
                    // In the write: who is erased at this moment may have been found before.
                    store::check_not_erased(write.db, new.customer_id).await?;
                }
                let step = amended(old.clone(), new).amended(old, write.now, &priorities)?;
                let done = store::take_step(write, &book, step, &actor, &Said::default()).await?;
                let amended: Model = reader::get(write.db, id).await?;
                let before = write.position();
                store::link_by_rules(write, &[amended]).await?;
                let linked = Some(write.position()).filter(|after| *after > before);
                Ok(Done { position: linked.unwrap_or(done.position), ..done })
            })
        });
        let (row, position) = work.await?;
        Ok(render_case(row, position))
    }

    pub(super) async fn withdraw(
        &self,
        actor: &Principal,
        request: wire::WithdrawCaseRequest,
    ) -> Result<wire::Case, Error> {
        let wire::WithdrawCaseRequest { case_id, etag, request_id } = request;
        let (id, request_id) = Door::open(|door| (door.id("case_id", &case_id), door.request_id(&request_id)))?;
        let fingerprint = fingerprint::of(&(id, &etag))?;
        let request = Mutation { method: "WithdrawCase", actor: actor.to_string(), id: request_id, fingerprint };
        let work = self.store.change::<Model, _>(request, move |write| {
            Box::pin(async move { store::withdraw_case(write, id, &etag).await })
        });
        let (row, position) = work.await?;
        Ok(render_case(row, position))
    }

    /// A page of a case's history, as much as fits into one message.
    async fn history(&self, id: Uuid, page: Page) -> Result<(Vec<wire::CaseEntry>, String), Error> {
        let (rows, next) = store::list_entries(self.store.db(), id, page).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_entry).collect();
        Ok(fit(rows.into_iter().map(render_entry).collect(), &places, next))
    }

    /// The case that a patch names, as callers see it; an empty one when it is not there.
    async fn shown(&self, patch: Option<&wire::Case>) -> Result<wire::Case, Error> {
        let Some(id) = patch.and_then(|patch| Uuid::try_parse(&patch.case_id).ok()) else {
            return Ok(wire::Case::default());
        };
        match reader::get::<Model>(self.store.db(), id).await {
            Ok(row) => Ok(render_case(row, String::new())),
            Err(Error::NotFound { .. }) => Ok(wire::Case::default()),
            Err(error) => Err(error),
        }
    }

    /// The customer of the key that an amendment names; looked for only when the case is there, so that nobody is
    /// created for one that is not.
    async fn resolve_patch(&self, patch: &wire::Case, id: Uuid) -> Result<Resolved, Error> {
        let Some(Customer::CustomerKey(key)) = &patch.customer else { return Ok(Resolved::default()) };
        let key =
            Door::open(|door| door.inside("case", |door| door.inside("customer_key", |door| door.key(key.clone()))))?;
        reader::get::<Model>(self.store.db(), id).await?;
        self.customers.resolve(&[CustomerRef::Key(key)]).await
    }

    async fn render(&self, row: Model) -> Result<wire::Case, Error> {
        let position = self.store.feed.token(row.position).await?;
        Ok(render_case(row, position))
    }

    /// A case on its way to the writer, with its customer. One that says not when it was received was received now; a
    /// repeat of it asks for the same.
    fn pending(
        &self,
        method: &'static str,
        actor: &Principal,
        parsed: Parsed,
        customers: &Resolved,
        arrival: Arrival,
    ) -> Result<Pending<Model>, Error> {
        let Parsed { mut row, customer, open_time, request_id } = parsed;
        row.customer_id = customers.id(&customer)?;
        let fingerprint = fingerprint::of(&(&row, open_time))?;
        if open_time.is_none() {
            let now = Micros::now();
            (row.open_time, row.move_time) = (now, now);
        }
        let request = Mutation { method, actor: actor.to_string(), id: request_id, fingerprint };
        Ok(Pending { row, context: Incoming { arrival, book: self.book.clone() }, request, refused: None })
    }
}

/// What an amendment leaves as it is need not be what would be taken today: takes the category and the stage out, if they
/// stay.
fn forget_kept(shown: &wire::Case, merged: &mut wire::Case) -> [Option<String>; 2] {
    let stays = |was: &String, now: &mut String| (was == now).then(|| std::mem::take(now));
    [stays(&shown.category, &mut merged.category), stays(&shown.journey_stage, &mut merged.journey_stage)]
}
