//! Traces of those who were erased: by what they could come in again, which is refused.

use std::collections::HashSet;

use barometer_chassis::{
    error::Error,
    writer::{self, Recorded, Write},
};
use barometer_directory::CustomerId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::{erased_trace, erasure::Trace, erasure_secret, webhook::Secret};

/// Traces that are looked for at a time.
const TRACES: usize = 4_096;

/// Those of these traces that were erased, by their places.
pub(crate) async fn find_erased(db: &impl ConnectionTrait, traces: &[Trace<'_>]) -> Result<HashSet<usize>, Error> {
    if traces.is_empty() {
        return Ok(HashSet::new());
    }
    let Some(secret) = find_secret(db).await? else { return Ok(HashSet::new()) };
    let hashes: Vec<String> = traces.iter().map(|trace| trace.hash(&secret)).collect();
    let mut erased: HashSet<String> = HashSet::new();
    for some in hashes.chunks(TRACES) {
        let found = erased_trace::Entity::find();
        let found = found.filter(erased_trace::Column::Hash.is_in(writer::any_of(some.to_vec()))).all(db).await?;
        erased.extend(found.into_iter().map(|row| row.hash));
    }
    Ok(hashes.iter().enumerate().filter(|(_, hash)| erased.contains(*hash)).map(|(at, _)| at).collect())
}

/// Those of these customers who were erased.
pub(crate) async fn find_erased_customers(
    db: &impl ConnectionTrait,
    customers: impl IntoIterator<Item = CustomerId>,
) -> Result<HashSet<CustomerId>, Error> {
    let customers: Vec<CustomerId> = customers.into_iter().collect();
    let traces: Vec<Trace<'_>> = customers.iter().copied().map(Trace::Customer).collect();
    let erased = find_erased(db, &traces).await?;
    Ok(erased.into_iter().filter_map(|at| customers.get(at).copied()).collect())
}

/// Refuses customers of whom one was erased.
pub(crate) async fn check_not_erased(
    db: &impl ConnectionTrait,
    customers: impl IntoIterator<Item = CustomerId>,
) -> Result<(), Error> {
    if find_erased_customers(db, customers).await?.is_empty() { Ok(()) } else { Err(erased()) }
}

/// Why what comes in of somebody who was erased is refused.
pub(crate) fn erased() -> Error {
    let message = "the customer was erased, or what was erased comes in again: nothing of it is taken".to_owned();
    Error::State { reason: "CUSTOMER_ERASED", message }
}

/// Refuses a new row whose customer, or whose own key, was erased.
pub(crate) async fn refuse_erased<M: Recorded>(
    write: &Write<'_>,
    rows: &mut [writer::Pending<M>],
    customer: fn(&M) -> Option<CustomerId>,
) -> Result<(), Error> {
    let mut refused = Vec::new();
    {
        let (mut traces, mut of) = (Vec::new(), Vec::new());
        for (at, pending) in rows.iter().enumerate() {
            let thing = pending.row.head().external.map(|(system, value)| Trace::Thing(M::NOUN, system, value));
            for trace in customer(&pending.row).map(Trace::Customer).into_iter().chain(thing) {
                traces.push(trace);
                of.push(at);
            }
        }
        let erased = find_erased(write.db, &traces).await?;
        refused.extend(erased.into_iter().filter_map(|at| of.get(at).copied()));
    }
    for at in refused {
        if let Some(pending) = rows.get_mut(at) {
            pending.refused = Some(erased());
        }
    }
    Ok(())
}

/// The secret by which traces are hashed, once there is one.
pub(super) async fn find_secret(db: &impl ConnectionTrait) -> Result<Option<String>, Error> {
    Ok(erasure_secret::Entity::find_by_id(1).one(db).await?.map(|row| row.secret))
}

/// The same, made when there is none.
pub(super) async fn secret(write: &Write<'_>) -> Result<String, Error> {
    if let Some(secret) = find_secret(write.db).await? {
        return Ok(secret);
    }
    let secret = Secret::new().text().to_owned();
    writer::insert(write.db, &[erasure_secret::Model { id: 1, secret: secret.clone() }]).await?;
    Ok(secret)
}

/// Notes traces by their hashes.
pub(super) async fn note_traces(write: &Write<'_>, hashes: Vec<String>) -> Result<(), Error> {
    let wanted: HashSet<String> = hashes.into_iter().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let known = erased_trace::Entity::find();
    let known = known.filter(erased_trace::Column::Hash.is_in(wanted.iter().cloned())).all(write.db).await?;
    let known: HashSet<String> = known.into_iter().map(|row| row.hash).collect();
    let new: Vec<_> = wanted.difference(&known).cloned().map(|hash| erased_trace::Model { hash }).collect();
    Ok(writer::insert(write.db, &new).await?)
}
