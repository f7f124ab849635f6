//! Claims: who is handed which case, decided in the one transaction in which it is written.
//!
//! Writers of all replicas follow one another, so what a transaction reads here nobody else changes before it is committed;
//! and should that ever fail, a unique index refuses a second claim that runs of one case.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{self, Done, Write},
};
use barometer_proto::complaints::v1::ClaimEnd;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{BY_ITSELF, Book, queue, take_step};
use crate::{
    case::{self, Holder, Step, When},
    case_entry::{CaseId, Said},
    claim::{Column, Entity, Model},
};

/// How many claims of a team whose lease ended whoever asks for a case ends first: what is left comes back by itself.
const FEW: u64 = 5;

/// When the lease of a claim ended, and which one it is.
pub(crate) type LeaseEnd = (Micros, Uuid);

/// What is asked for with a claim.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Asked {
    /// From whose queue.
    pub(crate) team: String,
    /// For whom.
    pub(crate) employee: String,
    /// How long it runs without a heartbeat, in microseconds.
    pub(crate) lease_micros: i64,
    /// How many claims of an employee may run.
    #[serde(skip)]
    pub(crate) limit: u32,
}

/// Hands the most urgent case of a queue to an employee; nothing when there is none: then the id is nil.
///
/// Errors: FAILED_PRECONDITION when as many claims of the employee run as may.
pub(crate) async fn claim_next(write: &Write<'_>, book: &Arc<Book>, asked: Asked, actor: &str) -> Result<Done, Error> {
    let Asked { team, employee, lease_micros, limit } = asked;
    // What comes back at this instant can be handed out at this instant.
    let expired =
        Entity::find().select_only().column(Column::Id).filter(over(write.now)).filter(Column::Team.eq(&team));
    for id in expired.order_by_asc(Column::LeaseTime).limit(FEW).into_tuple().all(write.db).await? {
        if let Err(error) = expire(write, book, id).await? {
            tracing::debug!(%error, claim = %id, "a claim whose lease ended can not be ended");
        }
    }
    let running = Entity::find().filter(Column::Employee.eq(&employee)).filter(Column::EndTime.is_null());
    let running = running.filter(Column::LeaseTime.gt(write.now));
    if running.count(write.db).await? >= u64::from(limit) {
        let message = format!("{limit} claims of the employee run: finish or release one of them");
        return Err(Error::State { reason: "TOO_MANY_CLAIMS", message });
    }
    let Some(next) = queue::find_next(write.db, &team, &employee, write.now).await? else {
        return Ok(Done { id: Uuid::nil(), position: write.position() });
    };
    let case: case::Model = writer::current(write, next, "").await?;
    let claim = Model {
        id: id::new(),
        version: 1,
        case_id: CaseId(case.id),
        case_number: case.number,
        employee: employee.clone(),
        team: team.clone(),
        start_time: write.now,
        heartbeat_time: write.now,
        lease_micros,
        lease_time: Micros(write.now.0.saturating_add(lease_micros)),
        actor: actor.to_owned(),
        update_time: write.now,
        ..Model::default()
    };
    assign(write, book, case, Holder { employee, team }, actor).await?;
    let position = write.next_position();
    let done = Done { id: claim.id, position };
    let row = Model { number: position, position, ..claim };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(done)
}

/// Begins the lease anew. A heartbeat is no fact: it takes no position. Errors: NOT_FOUND; FAILED_PRECONDITION for one that
/// has ended.
pub(crate) async fn renew_claim(write: &Write<'_>, id: Uuid) -> Result<Done, Error> {
    let claim = get_claim(write.db, id).await?;
    claim.check(write.now)?;
    let done = Done { id, position: claim.position };
    claim.renewed(write.now).into_active_model().reset_all().update(write.db).await?;
    Ok(done)
}

/// Ends a claim: the case stays with the employee. Nothing happens to one that was finished already. Errors as of
/// [`renew_claim`].
pub(crate) async fn finish_claim(write: &Write<'_>, id: Uuid) -> Result<Done, Error> {
    let claim = get_claim(write.db, id).await?;
    if claim.end == i32::from(ClaimEnd::Finished) {
        return Ok(Done { id, position: claim.position });
    }
    claim.check(write.now)?;
    end(write, claim, ClaimEnd::Finished).await
}

/// Ends a claim and gives the case back. Errors as of [`renew_claim`].
pub(crate) async fn release_claim(write: &Write<'_>, book: &Book, id: Uuid, actor: &str) -> Result<Done, Error> {
    let claim = get_claim(write.db, id).await?;
    claim.check(write.now)?;
    let done = end(write, claim.clone(), ClaimEnd::Released).await?;
    give_back(write, book, &claim, actor).await?;
    Ok(done)
}

/// Claims behind this one whose lease has ended, in the order in which it did, at most `max`.
pub(crate) async fn due_claims(
    db: &impl ConnectionTrait,
    after: Option<LeaseEnd>,
    now: Micros,
    max: u64,
) -> Result<Vec<LeaseEnd>, Error> {
    let mut due = over(now);
    if let Some((time, id)) = after {
        let same = Condition::all().add(Column::LeaseTime.eq(time)).add(Column::Id.gt(id));
        due = due.add(Condition::any().add(Column::LeaseTime.gt(time)).add(same));
    }
    let select = Entity::find().select_only().columns([Column::LeaseTime, Column::Id]).filter(due);
    let select = select.order_by_asc(Column::LeaseTime).order_by_asc(Column::Id).limit(max);
    Ok(select.into_tuple().all(db).await?)
}

/// Ends these claims and gives their cases back, unless they run on or another replica has done so. What stands in the way
/// of one is in nobody else's: answers the last that could not be ended.
pub(crate) async fn expire_claims(
    write: &Write<'_>,
    book: &Arc<Book>,
    claims: Vec<LeaseEnd>,
) -> Result<Option<LeaseEnd>, Error> {
    let mut failed = None;
    for claim in claims {
        if let Err(error) = expire(write, book, claim.1).await? {
            tracing::error!(%error, claim = %claim.1, "a claim whose lease ended can not be ended: it is tried again in a minute");
            failed = Some(claim);
        }
    }
    Ok(failed)
}

/// Ends a claim and gives its case back, if its lease has ended: both or nothing. Fails as a whole when nothing can be
/// written any more.
async fn expire(write: &Write<'_>, book: &Arc<Book>, id: Uuid) -> Result<Result<(), Error>, Error> {
    let book = Arc::clone(book);
    let work = writer::attempt(write, move |write| {
        Box::pin(async move {
            let claim = get_claim(write.db, id).await?;
            if claim.end_time.is_none() && !claim.runs(write.now) {
                end(write, claim.clone(), ClaimEnd::Expired).await?;
                give_back(write, &book, &claim, BY_ITSELF).await?;
            }
            Ok(())
        })
    });
    work.await
}

/// Ends the claim of a case that somebody else has from now on, or that has ended.
pub(super) async fn end_claim_after(write: &Write<'_>, step: &Step) -> Result<(), Error> {
    let Step { before, case, .. } = step;
    let taken = (&case.employee, &case.team) != (&before.employee, &before.team);
    let ended = before.is_open() && !case.is_open();
    if taken || ended {
        end_claim_of(write, case.id, if taken { ClaimEnd::Taken } else { ClaimEnd::Finished }).await?;
    }
    Ok(())
}

/// Ends the claim of a case that runs, if one does.
pub(super) async fn end_claim_of(write: &Write<'_>, case: Uuid, how: ClaimEnd) -> Result<(), Error> {
    let running = Entity::find().filter(Column::CaseId.eq(case)).filter(Column::EndTime.is_null());
    match running.one(write.db).await? {
        Some(claim) if !claim.runs(write.now) => end(write, claim, ClaimEnd::Expired).await?,
        Some(claim) => end(write, claim, how).await?,
        None => return Ok(()),
    };
    Ok(())
}

/// A claim. NOT_FOUND when there is none.
pub(crate) async fn get_claim(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("claim", id))
}

/// A page of claims, the latest first; and the token of the next page.
pub(crate) async fn list_claims(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<Model>, String), Error> {
    let rows = reader::newest_first::<Entity>(page, "start_time").filter(filter).all(db).await?;
    Ok(page.cut(rows, |row| PageToken { key: row.start_time.0, id: row.id }))
}

fn over(now: Micros) -> Condition {
    Condition::all().add(Column::EndTime.is_null()).add(Column::LeaseTime.lte(now))
}

/// Writes that a claim ended.
async fn end(write: &Write<'_>, claim: Model, how: ClaimEnd) -> Result<Done, Error> {
    let position = write.next_position();
    let done = Done { id: claim.id, position };
    let (version, update_time) = (claim.version + 1, write.now);
    let ended = Model { position, version, update_time, ..claim.ended(how, write.now) };
    ended.into_active_model().reset_all().update(write.db).await?;
    Ok(done)
}

/// Gives the case of a claim that ended back to its team, unless it has ended itself, or the employee has it no more.
async fn give_back(write: &Write<'_>, book: &Book, claim: &Model, actor: &str) -> Result<(), Error> {
    let case: case::Model = match writer::current(write, claim.case_id.0, "").await {
        Ok(case) => case,
        Err(Error::State { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    if case.is_open() && case.employee == claim.employee {
        let holder = Holder { employee: String::new(), team: case.team.clone() };
        assign(write, book, case, holder, actor).await?;
    }
    Ok(())
}

async fn assign(write: &Write<'_>, book: &Book, case: case::Model, holder: Holder, actor: &str) -> Result<(), Error> {
    let step = case.assign(When { given: None, now: write.now }, holder)?;
    if step.events.is_empty() {
        return Ok(());
    }
    take_step(write, book, step, actor, &Said::default()).await.map(drop)
}
