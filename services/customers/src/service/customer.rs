//! What the RPCs on customers do.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use barometer_chassis::{
    door::{Door, ExternalKey, fit},
    error::Error,
    fingerprint, import,
    layers::Principal,
    mask,
    store::Batch,
    writer::{Done, Write},
};
use barometer_proto::customers::v1 as wire;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::{Customers, mutation, recorded::check_rows};
use crate::{
    customer::CustomerId,
    store::{self, Profile, Recording},
    wire::{MUTABLE, parse_customer, parse_list_customers, render_customer},
};

/// Rows of an import of customers that are on their way to the writer at once.
const IMPORTING: usize = 128;
/// The most customers or keys that one call names.
pub(super) const MAX_NAMED: usize = 1_000;

impl Customers {
    pub(super) async fn create_customer(
        &self,
        actor: &Principal,
        request: wire::CreateCustomerRequest,
    ) -> Result<wire::Customer, Error> {
        let wire::CreateCustomerRequest { customer, request_id } = request;
        let (profile, request_id) = Door::open(|door| {
            let customer = door.required("customer", customer);
            let parse = |door: &mut Door| parse_customer(door, customer, actor.to_string());
            (door.inside("customer", parse), door.request_id(&request_id))
        })?;
        let request = mutation("CreateCustomer", actor, request_id, fingerprint::of(&profile)?);
        let done = self.store.writer.run(request, move |write| Box::pin(create(write, profile))).await?;
        self.after(done).await
    }

    pub(super) async fn get_customer(&self, request: wire::GetCustomerRequest) -> Result<wire::Customer, Error> {
        let id = Door::open(|door| door.id("customer_id", &request.customer_id))?;
        let profile = store::get_profile(self.store.db(), CustomerId(id)).await?;
        self.render_customer(profile).await
    }

    pub(super) async fn batch_get_customers(
        &self,
        request: wire::BatchGetCustomersRequest,
    ) -> Result<wire::BatchGetCustomersResponse, Error> {
        let ids = Door::open(|door| {
            if request.customer_ids.is_empty() {
                door.missing("customer_ids");
            }
            door.each("customer_ids", request.customer_ids, MAX_NAMED, |door, id| CustomerId(door.id("", &id)))
        })?;
        let profiles = store::find_profiles(self.store.db(), &ids).await?;
        if let Some(unknown) = ids.iter().find(|id| !profiles.iter().any(|profile| profile.row.id == **id)) {
            return Err(Error::not_found("customer", unknown));
        }
        Ok(wire::BatchGetCustomersResponse { customers: self.render_all(profiles).await? })
    }

    pub(super) async fn lookup_customer(&self, request: wire::LookupCustomerRequest) -> Result<wire::Customer, Error> {
        let key = Door::open(|door| {
            let key = door.required("external_id", request.external_id);
            door.inside("external_id", |door| door.key(key))
        })?;
        let profile = store::get_by_key(self.store.db(), &key).await?;
        self.render_customer(profile).await
    }

    pub(super) async fn update_customer(
        &self,
        actor: &Principal,
        mut request: wire::UpdateCustomerRequest,
    ) -> Result<wire::Customer, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::UpdateCustomerRequest { customer, update_mask, request_id: _ } = request;
        let (patch, id, request_id) = Door::open(|door| {
            let patch = door.required("customer", customer);
            let id = door.inside("customer", |door| door.id("customer_id", &patch.customer_id));
            (patch, CustomerId(id), door.request_id(&request_text))
        })?;
        let request = mutation("UpdateCustomer", actor, request_id, fingerprint);
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                let old = store::get_profile(write.db, id).await?;
                store::check_etag(&old.row, &patch.etag)?;
                let shown = render_customer(old.clone(), String::new());
                let merged = mask::merge(&shown, &patch, update_mask.as_ref(), &MUTABLE, "customer")?;
                let new = Door::open(|door| {
                    door.inside("customer", |door| parse_customer(door, merged, old.row.actor.clone()))
                })?;
                let (done, _) = change(write, old, new, Recording::From(write.now)).await?;
                Ok(done)
            })
        });
        self.after(work.await?).await
    }

    pub(super) async fn list_customers(
        &self,
        request: wire::ListCustomersRequest,
    ) -> Result<wire::ListCustomersResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_customers(door, request))?;
        let (profiles, next) = store::list_customers(self.store.db(), page, filter).await?;
        let places: Vec<_> = profiles.iter().map(|profile| store::place(&profile.row)).collect();
        let (customers, next_page_token) = fit(self.render_all(profiles).await?, &places, next);
        Ok(wire::ListCustomersResponse { customers, next_page_token })
    }

    /// Answers without a write when every key is known.
    pub(super) async fn resolve_customers(
        &self,
        actor: &Principal,
        request: wire::ResolveCustomersRequest,
    ) -> Result<wire::ResolveCustomersResponse, Error> {
        let keys = Door::open(|door| {
            if request.external_ids.is_empty() {
                door.missing("external_ids");
            }
            door.each("external_ids", request.external_ids, MAX_NAMED, |door, key| door.key(key))
        })?;
        let mut found = store::find_by_keys(self.store.db(), &keys).await?;
        let mut created = HashSet::new();
        let new: Vec<ExternalKey> = keys.iter().filter(|key| !found.contains_key(key)).cloned().collect();
        let position = if new.is_empty() {
            self.store.feed.end().await?
        } else {
            let (noted, actor_text) = (Arc::new(Mutex::default()), actor.to_string());
            let (note, request) = (noted.clone(), mutation("ResolveCustomers", actor, None, 0));
            let work = self.store.writer.run_in_turn(request, move |write| {
                Box::pin(async move {
                    let written = store::find_or_create(write, new, &actor_text).await?;
                    *note.lock().unwrap_or_else(PoisonError::into_inner) = written;
                    Ok(Done { id: Uuid::nil(), position: write.position() })
                })
            });
            let position = work.await?.position;
            let (written, new) = std::mem::take(&mut *noted.lock().unwrap_or_else(PoisonError::into_inner));
            found.extend(written);
            created = new;
            self.store.feed.token(position).await?
        };
        let resolved = |key: ExternalKey| {
            let id = found.get(&key).copied().ok_or_else(|| crate::noun::vanished("customer"))?;
            let external_id = Some(key.to_wire());
            Ok(wire::ResolvedCustomer { external_id, customer_id: id.to_string(), created: created.contains(&id) })
        };
        let customers = keys.into_iter().map(resolved).collect::<Result<_, Error>>()?;
        Ok(wire::ResolveCustomersResponse { customers, position })
    }

    /// Creates or completes the customers of one batch of an import.
    pub(super) async fn import_customers(
        &self,
        actor: &Principal,
        rows: Vec<wire::CustomerRow>,
    ) -> Result<wire::ImportCustomersResponse, Error> {
        check_rows(rows.len())?;
        let results: Vec<_> = stream::iter(rows)
            .map(
                |wire::CustomerRow { row, customer }| async move { (row, self.import_customer(actor, customer).await) },
            )
            .buffered(IMPORTING)
            .collect()
            .await;
        let (mut batch, mut reached) = (Batch::default(), 0);
        for (number, result) in results {
            match result {
                Ok((done, changed)) => {
                    reached = reached.max(done.position);
                    *(if changed { &mut batch.recorded } else { &mut batch.unchanged }) += 1;
                }
                Err(Error::Exists { reason, message }) => {
                    let taken = Error::invalid("external_ids", reason, message);
                    batch.rejected.push(import::reject(number, taken, "customer")?);
                }
                Err(error) => batch.rejected.push(import::reject(number, error, "customer")?),
            }
        }
        let position = if reached == 0 { String::new() } else { self.store.feed.token(reached).await? };
        let Batch { recorded, unchanged, rejected, position: _ } = batch;
        Ok(wire::ImportCustomersResponse { recorded, unchanged, rejected, position })
    }

    /// Creates or completes one customer; tells whether anything changed.
    async fn import_customer(
        &self,
        actor: &Principal,
        customer: Option<wire::Customer>,
    ) -> Result<(Done, bool), Error> {
        // Parsed for its violations first; what is written is parsed again with what is there already.
        let (patch, parsed) = Door::open(|door| {
            let patch = door.required("customer", customer);
            door.inside("customer", |door| {
                if patch.external_ids.is_empty() {
                    door.missing("external_ids");
                }
                let parsed = parse_customer(door, patch.clone(), actor.to_string());
                (patch, parsed)
            })
        })?;
        let first = patch.external_ids.first().cloned().unwrap_or_default();
        let first = Door::open(|door| door.key(first))?;
        let changed = Arc::new(AtomicBool::new(false));
        let (noted, actor_text) = (changed.clone(), actor.to_string());
        let request = mutation("ImportCustomers", actor, None, 0);
        let work = self.store.writer.run_in_turn(request, move |write| {
            Box::pin(async move {
                let known = store::find_by_keys(write.db, std::slice::from_ref(&first)).await?;
                let Some(id) = known.get(&first) else {
                    noted.store(true, Ordering::Relaxed);
                    return create(write, parsed).await;
                };
                let old = store::get_profile(write.db, *id).await?;
                let shown = render_customer(old.clone(), String::new());
                let mut patch = patch;
                let keys: BTreeSet<ExternalKey> = parsed.keys.into_iter().chain(old.keys.iter().cloned()).collect();
                patch.external_ids = keys.iter().map(ExternalKey::to_wire).collect();
                patch.attributes = merged(shown.attributes.clone(), patch.attributes);
                let merged = mask::merge(&shown, &patch, None, &MUTABLE, "customer")?;
                let new = Door::open(|door| parse_customer(door, merged, actor_text))?;
                let since = new.row.since;
                let (done, changes) = change(write, old, new, Recording::FirstFrom(since)).await?;
                noted.store(changes, Ordering::Relaxed);
                // What an earlier run recorded is included, whatever it was.
                Ok(Done { position: write.position(), ..done })
            })
        });
        let done = work.await?;
        Ok((done, changed.load(Ordering::Relaxed)))
    }

    async fn after(&self, done: Done) -> Result<wire::Customer, Error> {
        let profile = store::get_profile(self.store.db(), CustomerId(done.id)).await?;
        Ok(render_customer(profile, self.store.feed.token(done.position).await?))
    }

    async fn render_customer(&self, profile: Profile) -> Result<wire::Customer, Error> {
        let position = self.store.feed.token(profile.row.position).await?;
        Ok(render_customer(profile, position))
    }

    async fn render_all(&self, profiles: Vec<Profile>) -> Result<Vec<wire::Customer>, Error> {
        let mut customers = Vec::with_capacity(profiles.len());
        for profile in profiles {
            customers.push(self.render_customer(profile).await?);
        }
        Ok(customers)
    }
}

/// Creates a customer with its attributes.
async fn create(write: &Write<'_>, mut profile: Profile) -> Result<Done, Error> {
    let wanted = profile.row.clone();
    clear_attributes(&mut profile);
    let profile = store::create(write, profile).await?;
    let done = Done { id: profile.row.id.0, position: profile.row.position };
    store::record_attributes(write, &profile.row, &wanted, Recording::FirstFrom(wanted.since)).await?;
    Ok(Done { position: write.position(), ..done })
}

/// Writes what differs of a customer and of its attributes; tells whether anything did.
async fn change(
    write: &Write<'_>,
    old: Profile,
    mut new: Profile,
    recording: Recording,
) -> Result<(Done, bool), Error> {
    let mut wanted = new.row.clone();
    wanted.id = old.row.id;
    // The head and the attributes are not the caller's to set.
    let row = &mut new.row;
    (row.id, row.number, row.position, row.version) = (old.row.id, old.row.number, old.row.position, old.row.version);
    (row.actor, row.create_time, row.update_time) = (old.row.actor.clone(), old.row.create_time, old.row.update_time);
    (row.tier, row.country, row.member, row.segments) =
        (old.row.tier.clone(), old.row.country.clone(), old.row.member, old.row.segments.clone());
    row.value_band.clone_from(&old.row.value_band);
    let mut changed = old != new;
    let mut done = store::update(write, &old, new).await?;
    if store::record_attributes(write, &old.row, &wanted, recording).await? {
        changed = true;
        done.position = write.position();
    }
    Ok((done, changed))
}

/// Attributes are recorded as changes, after the row they belong to.
fn clear_attributes(profile: &mut Profile) {
    let row = &mut profile.row;
    row.tier.clear();
    row.country.clear();
    row.member = None;
    row.segments.0.clear();
    row.value_band.clear();
}

/// The attributes that hold, but for those that the row of an import gives.
fn merged(held: Option<wire::Attributes>, given: Option<wire::Attributes>) -> Option<wire::Attributes> {
    let (held, given) = (held?, given?);
    let text = |held: String, given: String| if given.is_empty() { held } else { given };
    Some(wire::Attributes {
        tier: text(held.tier, given.tier),
        country: text(held.country, given.country),
        member: given.member.or(held.member),
        segments: if given.segments.is_empty() { held.segments } else { given.segments },
        value_band: text(held.value_band, given.value_band),
    })
}
