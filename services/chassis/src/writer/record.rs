//! Facts that callers record: inserted many at a time, each by itself right or refused.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, ModelTrait, QueryFilter, TransactionTrait,
    sea_query::{Expr, ExprTrait},
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Done, Job, Request, Settle, Write, by_ids, ledger};
use crate::{clock::Micros, error::Error, reader};

/// A row that callers record, amend and withdraw.
pub trait Recorded:
    ModelTrait<Entity = Self::Table>
    + FromQueryResult
    + IntoActiveModel<Self::Active>
    + Clone
    + PartialEq
    + Send
    + Sync
    + 'static
{
    /// Its table.
    type Table: EntityTrait<Model = Self, ActiveModel = Self::Active>;
    /// Its row for writing.
    type Active: ActiveModelTrait<Entity = Self::Table> + Send;
    /// What a row brings with it: what is looked up inside the transaction before it is written, or written with it.
    type Context: Send + Sync + std::fmt::Debug;
    /// Its name in errors, e.g. `purchase`.
    const NOUN: &'static str;

    /// The columns that every recorded row has.
    fn head(&self) -> Head<'_>;

    /// The same for writing.
    fn head_mut(&mut self) -> HeadMut<'_>;

    /// Completes new rows inside the transaction from their context, or refuses them one by one.
    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>>;

    /// Writes what new rows bring with them, inside the transaction and before them: so the position of a row includes all
    /// that came with it. They have their ids and numbers, their positions not yet.
    fn bring<'w>(
        write: &'w Write<'w>,
        rows: &'w [Self],
        contexts: &'w [Self::Context],
    ) -> BoxFuture<'w, Result<(), Error>> {
        let _ = (write, rows, contexts);
        Box::pin(async { Ok(()) })
    }

    /// Called inside the transaction with rows that were written, changed or withdrawn.
    fn written<'w>(write: &'w Write<'w>, rows: &'w [Self]) -> BoxFuture<'w, Result<(), Error>> {
        let _ = (write, rows);
        Box::pin(async { Ok(()) })
    }
}

/// The columns that every recorded row has.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "see `HeadMut`")]
pub struct Head<'m> {
    pub id: Uuid,
    pub position: i64,
    pub version: i64,
    pub external: Option<(&'m str, &'m str)>,
    pub fingerprint: i64,
    pub withdraw_time: Option<Micros>,
}

/// The columns that every recorded row has, for writing.
#[derive(Debug)]
pub struct HeadMut<'m> {
    /// The suite's id.
    pub id: &'m mut Uuid,
    /// The first position; names the row in the feed.
    pub number: &'m mut i64,
    /// The latest position.
    pub position: &'m mut i64,
    /// From 1, one more with each change.
    pub version: &'m mut i64,
    /// Hash of the values that were recorded first.
    pub fingerprint: &'m mut i64,
    /// When it was recorded.
    pub create_time: &'m mut Micros,
    /// When it was last changed.
    pub update_time: &'m mut Micros,
    /// When it was withdrawn.
    pub withdraw_time: &'m mut Option<Micros>,
}

/// Implements `head` and `head_mut` of [`Recorded`] for a model whose columns have the usual names.
#[macro_export]
macro_rules! recorded_head {
    () => {
        fn head(&self) -> $crate::writer::Head<'_> {
            $crate::writer::Head {
                id: self.id,
                position: self.position,
                version: self.version,
                external: self.external_system.as_deref().zip(self.external_id.as_deref()),
                fingerprint: self.fingerprint,
                withdraw_time: self.withdraw_time,
            }
        }

        fn head_mut(&mut self) -> $crate::writer::HeadMut<'_> {
            $crate::writer::HeadMut {
                id: &mut self.id,
                number: &mut self.number,
                position: &mut self.position,
                version: &mut self.version,
                fingerprint: &mut self.fingerprint,
                create_time: &mut self.create_time,
                update_time: &mut self.update_time,
                withdraw_time: &mut self.withdraw_time,
            }
        }
    };
}

/// A row on its way into its table.
#[derive(Debug)]
pub struct Pending<M: Recorded> {
    /// The row; its head is filled in by the writer.
    pub row: M,
    /// What it brings with it.
    pub context: M::Context,
    /// The request that brought it; its fingerprint is the row's.
    pub request: Request,
    /// Set by [`Recorded::prepare`] when the row can not be written.
    pub refused: Option<Error>,
}

/// What became of a row.
#[derive(Clone, Debug)]
pub enum Outcome<M> {
    /// It was written.
    Recorded(M),
    /// It was there already, by its key or by its request: as it is now, and a position that includes the first write.
    Unchanged(M, i64),
}

/// Rows of one kind in the writer's queue.
#[derive(Debug)]
pub(super) struct Recording<M: Recorded> {
    pub(super) rows: Vec<Pending<M>>,
    pub(super) reply: oneshot::Sender<Vec<Result<Outcome<M>, Error>>>,
}

impl<M: Recorded> Job for Recording<M> {
    fn expected(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or_default()
    }

    fn lane(&self) -> Option<TypeId> {
        Some(TypeId::of::<M>())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }

    fn run<'w>(
        self: Box<Self>,
        others: Vec<Box<dyn Any + Send>>,
        write: &'w Write<'w>,
    ) -> BoxFuture<'w, Result<Settle, Error>> {
        Box::pin(async move {
            let others = others.into_iter().filter_map(|other| other.downcast::<Self>().ok()).map(|other| *other);
            let (mut all, mut replies) = (Vec::new(), Vec::new());
            for Recording { rows, reply } in std::iter::once(*self).chain(others) {
                replies.push((rows.len(), reply));
                all.extend(rows);
            }
            let mut outcomes = record_all(write, all).await?.into_iter();
            Ok(Box::new(move || {
                for (size, reply) in replies {
                    let _gone = reply.send(outcomes.by_ref().take(size).collect());
                }
            }) as Settle)
        })
    }
}

/// Records rows; each has its own outcome, in their order.
async fn record_all<M: Recorded>(
    write: &Write<'_>,
    rows: Vec<Pending<M>>,
) -> Result<Vec<Result<Outcome<M>, Error>>, Error> {
    let mut outcomes: Vec<Option<Result<Outcome<M>, Error>>> = rows.iter().map(|_| None).collect();
    let mut waiting: Vec<(usize, Pending<M>)> = rows.into_iter().enumerate().collect();
    // Rows that bring a key or a request once more wait for a turn in which they find what the first has written.
    while !waiting.is_empty() {
        let (told, later) = record_turn(write, waiting).await?;
        for (index, outcome) in told {
            outcomes[index] = Some(outcome);
        }
        waiting = later;
    }
    let missing = || Err(Error::Internal("a row without an outcome".to_owned()));
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
}

type Indexed<T> = Vec<(usize, T)>;

/// Records rows, but for those that bring a key or a request of another row of this turn: they are returned.
async fn record_turn<M: Recorded>(
    write: &Write<'_>,
    rows: Indexed<Pending<M>>,
) -> Result<(Indexed<Result<Outcome<M>, Error>>, Indexed<Pending<M>>), Error> {
    let requests: Vec<&Request> = rows.iter().map(|(_, pending)| &pending.request).collect();
    let repeats = ledger::find_all(write, &requests).await?;
    let repeated: Vec<Uuid> = repeats.iter().filter_map(|r| r.as_ref().ok().copied().flatten()).map(|d| d.id).collect();
    let repeated = by_ids::<M::Table>(write.db, repeated).await?;
    let repeated: HashMap<Uuid, &M> = repeated.iter().map(|row| (row.head().id, row)).collect();
    let keys = rows.iter().filter_map(|(_, pending)| pending.row.head().external);
    let existing: Vec<M> = reader::of_keys(write.db, keys).await?;
    let existing: HashMap<Key<'_>, &M> = existing.iter().filter_map(|row| Some((row.head().external?, row))).collect();
    let again = again(&rows, &repeats);

    let mut later = Vec::new();
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut new = Vec::with_capacity(rows.len());
    let mut noted = Vec::new();
    for (((index, pending), repeat), again) in rows.into_iter().zip(repeats).zip(again) {
        match repeat {
            Err(error) => outcomes.push((index, Err(error))),
            Ok(Some(done)) => {
                let row = repeated.get(&done.id).copied().cloned();
                let row = row.ok_or_else(|| Error::not_found(M::NOUN, done.id));
                outcomes.push((index, row.map(|row| Outcome::Unchanged(row, done.position))));
            }
            Ok(None) => {
                let known = pending.row.head().external.and_then(|key| existing.get(&key).copied());
                match known {
                    _ if again.request => later.push((index, pending)),
                    Some(row) if row.head().fingerprint == pending.request.fingerprint => {
                        let Head { id, position, .. } = row.head();
                        noted.push((pending.request, Done { id, position }));
                        outcomes.push((index, Ok(Outcome::Unchanged(row.clone(), position))));
                    }
                    Some(row) => outcomes.push((index, Err(key_reused(row)))),
                    None if again.key => later.push((index, pending)),
                    None => new.push((index, pending)),
                }
            }
        }
    }

    let (indices, mut new): (Vec<usize>, Vec<Pending<M>>) = new.into_iter().unzip();
    M::prepare(write, &mut new).await?;
    let mut rows = Vec::with_capacity(new.len());
    for (index, pending) in indices.into_iter().zip(new) {
        match pending.refused {
            Some(error) => outcomes.push((index, Err(error))),
            None => rows.push((index, pending)),
        }
    }
    for (_, Pending { row, request, .. }) in &mut rows {
        let head = row.head_mut();
        *head.id = crate::id::new();
        *head.version = 1;
        *head.fingerprint = request.fingerprint;
        *head.create_time = write.now;
        *head.update_time = write.now;
    }
    let split = |(index, Pending { row, context, request, .. })| ((index, request), (row, context));
    let (asked, (rows, contexts)): (Vec<_>, (Vec<M>, Vec<_>)) = rows.into_iter().map(split).unzip();
    for ((index, request), result) in asked.into_iter().zip(insert(write, rows, contexts).await?) {
        if let Ok(row) = &result {
            let Head { id, position, .. } = row.head();
            noted.push((request, Done { id, position }));
        }
        outcomes.push((index, result.map(Outcome::Recorded)));
    }
    ledger::note(write, noted).await?;
    Ok((outcomes, later))
}

/// A row's key: its system and its value.
type Key<'r> = (&'r str, &'r str);

/// What a row has in common with one before it.
struct Again {
    request: bool,
    key: bool,
}

/// Which rows bring a request or a key once more; repeated requests bring nothing.
fn again<M: Recorded>(rows: &[(usize, Pending<M>)], repeats: &[Result<Option<Done>, Error>]) -> Vec<Again> {
    let (mut requests, mut keys) = (HashSet::new(), HashSet::new());
    let mut all = Vec::with_capacity(rows.len());
    for ((_, Pending { row, request, .. }), repeat) in rows.iter().zip(repeats) {
        let counts = matches!(repeat, Ok(None));
        let by = request.id.filter(|_| counts).map(|id| (id, request.method, request.actor.as_str()));
        let again = by.is_some_and(|by| !requests.insert(by));
        let key = row.head().external.filter(|_| counts && !again);
        all.push(Again { request: again, key: key.is_some_and(|key| !keys.insert(key)) });
    }
    all
}

/// Inserts rows. When the database refuses them the halves are tried, so that a bad row fails alone.
fn insert<'w, M: Recorded>(
    write: &'w Write<'w>,
    mut rows: Vec<M>,
    mut contexts: Vec<M::Context>,
) -> BoxFuture<'w, Result<Vec<Result<M, Error>>, Error>> {
    Box::pin(async move {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let before = write.position();
        match insert_all(write, &mut rows, &contexts).await {
            Ok(()) => {
                write.tell(rows.first().map_or(before, |row| row.head().position), &rows);
                Ok(rows.into_iter().map(Ok).collect())
            }
            Err(error) if error.is_outage() => Err(error),
            Err(error) => {
                write.rewind(before);
                if rows.len() == 1 {
                    return Ok(vec![Err(error)]);
                }
                let half = rows.len() / 2;
                let second = (rows.split_off(half), contexts.split_off(half));
                let mut results = insert(write, rows, contexts).await?;
                results.extend(insert(write, second.0, second.1).await?);
                Ok(results)
            }
        }
    })
}

/// Inserts all rows or, in a savepoint, none.
async fn insert_all<M: Recorded>(write: &Write<'_>, rows: &mut [M], contexts: &[M::Context]) -> Result<(), Error> {
    let savepoint = write.db.begin().await?;
    let inner = Write { db: &savepoint, ..*write };
    match insert_with(&inner, rows, contexts).await {
        Ok(()) => Ok(savepoint.commit().await?),
        Err(error) => {
            savepoint.rollback().await?;
            Err(error)
        }
    }
}

/// Inserts rows, whose ids, versions and times are theirs already, at consecutive positions, behind what they bring with
/// them. A row's number is the first position that was taken for it: its own, when none of them brings anything.
pub async fn insert_with<M: Recorded>(write: &Write<'_>, rows: &mut [M], contexts: &[M::Context]) -> Result<(), Error> {
    for row in rows.iter_mut() {
        *row.head_mut().number = write.next_position();
    }
    let numbered = write.position();
    M::bring(write, rows, contexts).await?;
    let brought = write.position() > numbered;
    for row in rows.iter_mut() {
        let head = row.head_mut();
        *head.position = if brought { write.next_position() } else { *head.number };
    }
    super::insert(write.db, rows).await?;
    M::written(write, rows).await
}

/// Replaces a row by its corrected values; when nothing differs nothing is written.
pub async fn replace<M: Recorded>(write: &Write<'_>, old: M, new: M) -> Result<Done, Error> {
    if new == old {
        return Ok(Done { id: old.head().id, position: old.head().position });
    }
    store(write, old, new).await
}

/// Withdraws a row. Errors as for [`current`].
pub async fn withdraw<M: Recorded>(write: &Write<'_>, id: Uuid, etag: &str) -> Result<Done, Error> {
    let old = current::<M>(write, id, etag).await?;
    let mut new = old.clone();
    *new.head_mut().withdraw_time = Some(write.now);
    store(write, old, new).await
}

/// A row that is to be changed.
///
/// Errors: NOT_FOUND; ABORTED for a stale etag; FAILED_PRECONDITION when it was withdrawn.
pub async fn current<M: Recorded>(write: &Write<'_>, id: Uuid, etag: &str) -> Result<M, Error> {
    let row = by_ids::<M::Table>(write.db, vec![id]).await?.pop().ok_or_else(|| Error::not_found(M::NOUN, id))?;
    let head = row.head();
    if head.withdraw_time.is_some() {
        let message = format!("the {} was withdrawn: it can not be changed any more", M::NOUN);
        return Err(Error::State { reason: "WITHDRAWN", message });
    }
    if !etag.is_empty() && etag != head.version.to_string() {
        return Err(Error::Stale { noun: M::NOUN });
    }
    Ok(row)
}

/// Writes a changed row at a new position.
async fn store<M: Recorded>(write: &Write<'_>, old: M, mut new: M) -> Result<Done, Error> {
    let done = Done { id: old.head().id, position: write.next_position() };
    let head = new.head_mut();
    *head.position = done.position;
    *head.version = old.head().version + 1;
    *head.update_time = write.now;
    M::Table::update_many()
        .set(new.clone().into_active_model().reset_all())
        .filter(Expr::col("id").eq(done.id))
        .exec(write.db)
        .await?;
    M::written(write, &[old, new]).await?;
    Ok(done)
}

fn key_reused<M: Recorded>(row: &M) -> Error {
    let id = row.head().external.map(|(_, id)| id).unwrap_or_default();
    let message = format!("a {} of the key `{id}` is there already with other values: amend it instead", M::NOUN);
    Error::Exists { reason: "KEY_REUSED", message }
}
