//! Erasures: what is found of a customer, some of it in each transaction, until nothing is left.

use barometer_chassis::{
    error::Error,
    id,
    writer::{self, Done, Recorded, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::ErasedKind;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    erased_traces::{find_secret, note_traces, secret},
    incidents::forget_affected,
};
use crate::{
    case,
    case_entry::{self, CaseId},
    delivery,
    erasure::{self, Column, Counts, Entity, Model, Trace, none, stripped},
    follow_up, incident_customer, promise, survey_answer,
};

/// How many of a kind are dealt with in one transaction.
const STEP: u64 = 50;
/// Entries that are stripped at a time: they are read for it.
const ENTRIES: u64 = 500;
/// Follow-ups that are moved in one transaction.
const FOLLOW_UPS: u64 = 1_000;

/// The receipt of an erasure. NOT_FOUND when there is none.
pub(crate) async fn get_erasure(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("erasure", id))
}

/// Erasures that are not done.
pub(crate) async fn list_under_way(db: &impl ConnectionTrait) -> Result<Vec<Uuid>, Error> {
    let under_way = Entity::find().select_only().column(Column::Id).filter(Column::EndTime.is_null());
    Ok(under_way.order_by_asc(Column::CreateTime).limit(STEP).into_tuple().all(db).await?)
}

/// Begins to erase a customer, or begins again: from now on nothing of theirs comes in.
pub(crate) async fn begin_erasure(
    write: &Write<'_>,
    customer: CustomerId,
    keys: Vec<barometer_chassis::door::ExternalKey>,
    actor: String,
) -> Result<Done, Error> {
    let secret = secret(write).await?;
    let traces = keys.iter().map(Trace::Key).chain([Trace::Customer(customer)]);
    note_traces(write, traces.map(|trace| trace.hash(&secret)).collect()).await?;
    let customer_hash = Trace::Customer(customer).hash(&secret);
    let known = Entity::find().filter(Column::CustomerHash.eq(&customer_hash)).one(write.db).await?;
    let row = Model {
        id: known.as_ref().map_or_else(id::new, |known| known.id),
        customer_hash,
        customer_id: Some(customer),
        anonymous_id: known.as_ref().and_then(|known| known.anonymous_id).or_else(|| Some(CustomerId(id::new()))),
        counts: known.as_ref().map(|known| known.counts.clone()).unwrap_or_default(),
        actor,
        create_time: known.as_ref().map_or(write.now, |known| known.create_time),
        end_time: None,
    };
    let done = Done { id: row.id, position: write.position() };
    match known {
        Some(_) => drop(row.into_active_model().reset_all().update(write.db).await?),
        None => writer::insert(write.db, &[row]).await?,
    }
    Ok(done)
}

/// What is left of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Cases, promises and the like, perhaps.
    Rows,
    /// At most deliveries that name them.
    Deliveries(CustomerId),
    /// Nothing, but for what was deleted where the database keeps it for a while.
    Nothing,
}

/// Erases some of what is left but for deliveries, and tells what is left then. When these are done as well, whose data it
/// was is forgotten.
pub(crate) async fn erase_step(write: &Write<'_>, id: Uuid, deliveries_done: bool) -> Result<Left, Error> {
    let mut erasure = get_erasure(write.db, id).await?;
    let (Some(customer), Some(anonymous)) = (erasure.customer_id, erasure.anonymous_id) else {
        return Ok(Left::Nothing);
    };
    let secret = find_secret(write.db).await?.unwrap_or_default();
    let mut step = Step { write, customer, anonymous, secret, counts: erasure.counts };
    let left = step.cases().await? || step.promises().await? || step.follow_ups().await? || step.incidents().await?;
    erasure.counts = step.counts;
    let left = match (left, deliveries_done) {
        (true, _) => Left::Rows,
        (false, false) => Left::Deliveries(customer),
        (false, true) => {
            (erasure.customer_id, erasure.anonymous_id) = (None, None);
            Left::Nothing
        }
    };
    erasure.into_active_model().reset_all().update(write.db).await?;
    Ok(left)
}

/// Puts the new customer into deliveries that name the one who is erased.
pub(crate) async fn erase_deliveries(write: &Write<'_>, id: Uuid, deliveries: Vec<Uuid>) -> Result<(), Error> {
    use delivery::Column;
    let mut erasure = get_erasure(write.db, id).await?;
    let (Some(customer), Some(anonymous)) = (erasure.customer_id, erasure.anonymous_id) else { return Ok(()) };
    let (old, new) = (customer.to_string(), anonymous.to_string());
    // As they are now: meanwhile they may have been delivered, or another replica has done it.
    let found = delivery::Entity::find().filter(Column::Id.is_in(writer::any_of(deliveries)));
    let found = found.filter(Column::Body.contains(old.as_str())).all(write.db).await?;
    erasure.counts.add(ErasedKind::Deliveries, found.len());
    for delivery in found {
        let delivery = delivery::Model { body: delivery.body.replace(&old, &new), ..delivery };
        delivery.into_active_model().reset_all().update(write.db).await?;
    }
    erasure.into_active_model().reset_all().update(write.db).await?;
    Ok(())
}

/// Notes that nothing is left, not even where the database keeps what was deleted; not when it was begun again meanwhile.
pub(crate) async fn end_erasure(write: &Write<'_>, id: Uuid) -> Result<(), Error> {
    let erasure = get_erasure(write.db, id).await?;
    if erasure.customer_id.is_none() && erasure.end_time.is_none() {
        let ended = Model { end_time: Some(write.now), ..erasure };
        ended.into_active_model().reset_all().update(write.db).await?;
    }
    Ok(())
}

/// One transaction of an erasure. Each kind tells whether it found something; then the next transaction begins with it.
struct Step<'s> {
    write: &'s Write<'s>,
    customer: CustomerId,
    anonymous: CustomerId,
    secret: String,
    counts: Counts,
}

impl Step<'_> {
    async fn cases(&mut self) -> Result<bool, Error> {
        let found = case::Entity::find().filter(case::Column::CustomerId.eq(self.customer)).limit(STEP);
        let found = found.all(self.write.db).await?;
        self.forget(&found).await?;
        for case in &found {
            self.entries(CaseId(case.id)).await?;
        }
        self.counts.add(ErasedKind::Cases, found.len());
        let any = !found.is_empty();
        for case in found {
            let erased = case::Model {
                customer_id: Some(self.anonymous),
                subject: String::new(),
                description: String::new(),
                attachments: none(),
                outcome: case.outcome.clone().map(stripped),
                external_system: None,
                external_id: None,
                fingerprint: 0,
                actor: String::new(),
                ..case.clone()
            };
            writer::replace(self.write, case, erased).await?;
        }
        Ok(any)
    }

    /// The history of a case. What watchers see of it is not changed, so it keeps its positions.
    async fn entries(&mut self, case: CaseId) -> Result<(), Error> {
        use case_entry::Column;
        let of_case = || case_entry::Entity::find().filter(Column::CaseId.eq(case));
        let mut after = 0;
        loop {
            let decided = of_case().filter(Column::Outcome.is_not_null()).filter(Column::Position.gt(after));
            let decided = decided.order_by_asc(Column::Position).limit(ENTRIES).all(self.write.db).await?;
            let Some(last) = decided.last() else { break };
            after = last.position;
            for entry in decided {
                let outcome = entry.outcome.clone().map(stripped);
                let entry = case_entry::Model { outcome, ..entry };
                entry.into_active_model().reset_all().update(self.write.db).await?;
            }
        }
        let update = case_entry::Entity::update_many().col_expr(Column::Text, Expr::value(""));
        let update = update.col_expr(Column::Attachments, Expr::value(none()));
        let emptied = update.filter(Column::CaseId.eq(case)).exec(self.write.db).await?.rows_affected;
        // Of what customers do themselves the actor may be they.
        let theirs = erasure::OF_CUSTOMERS.map(i32::from);
        let update = case_entry::Entity::update_many().col_expr(Column::Actor, Expr::value(""));
        let update = update.filter(Column::CaseId.eq(case)).filter(Column::EntryType.is_in(theirs));
        update.exec(self.write.db).await?;
        self.counts.add(ErasedKind::CaseEntries, usize::try_from(emptied).unwrap_or_default());
        Ok(())
    }

    async fn promises(&mut self) -> Result<bool, Error> {
        let found = promise::Entity::find().filter(promise::Column::CustomerId.eq(self.customer)).limit(STEP);
        let found = found.all(self.write.db).await?;
        self.forget(&found).await?;
        self.counts.add(ErasedKind::Promises, found.len());
        let any = !found.is_empty();
        for promise in found {
            let erased = promise::Model {
                customer_id: Some(self.anonymous),
                description: String::new(),
                external_system: None,
                external_id: None,
                fingerprint: 0,
                ..promise.clone()
            };
            writer::replace(self.write, promise, erased).await?;
        }
        Ok(any)
    }

    /// Both at once: what came of a follow-up is told by the answers of the same customer.
    async fn follow_ups(&mut self) -> Result<bool, Error> {
        let of_customer = survey_answer::Column::CustomerId.eq(self.customer);
        let update = survey_answer::Entity::update_many()
            .col_expr(survey_answer::Column::CustomerId, Expr::value(self.anonymous))
            .filter(of_customer);
        let answers = update.exec(self.write.db).await?.rows_affected;
        self.counts.add(ErasedKind::Answers, usize::try_from(answers).unwrap_or_default());
        let found = follow_up::Entity::find().filter(follow_up::Column::CustomerId.eq(self.customer)).limit(FOLLOW_UPS);
        let found = found.all(self.write.db).await?;
        self.counts.add(ErasedKind::FollowUps, found.len());
        let any = answers > 0 || !found.is_empty();
        for follow_up in found {
            let moved = follow_up::Model {
                customer_id: self.anonymous,
                position: self.write.next_position(),
                version: follow_up.version + 1,
                update_time: self.write.now,
                ..follow_up
            };
            moved.into_active_model().reset_all().update(self.write.db).await?;
        }
        Ok(any)
    }

    async fn incidents(&mut self) -> Result<bool, Error> {
        use incident_customer::{Column, Entity};
        // Where the new customer stands already there is no room for them twice.
        let taken =
            Entity::find().select_only().column(Column::IncidentId).filter(Column::CustomerId.eq(self.anonymous));
        let twice = Entity::find().filter(Column::CustomerId.eq(self.customer));
        let twice = twice.filter(Column::IncidentId.in_subquery(taken.into_query())).all(self.write.db).await?;
        for row in &twice {
            Entity::delete_by_id(row.id).exec(self.write.db).await?;
            forget_affected(self.write, row.incident_id).await?;
        }
        let update = Entity::update_many().col_expr(Column::CustomerId, Expr::value(self.anonymous));
        let moved = update.filter(Column::CustomerId.eq(self.customer)).exec(self.write.db).await?.rows_affected;
        let found = twice.len() + usize::try_from(moved).unwrap_or_default();
        self.counts.add(ErasedKind::Incidents, found);
        Ok(found > 0)
    }

    /// Refuses callers' keys of what was found, from now on.
    async fn forget<M: Recorded>(&mut self, rows: &[M]) -> Result<(), Error> {
        let keys = rows.iter().filter_map(|row| row.head().external);
        let hashes: Vec<String> =
            keys.map(|(system, value)| Trace::Thing(M::NOUN, system, value).hash(&self.secret)).collect();
        self.counts.add(ErasedKind::ExternalIds, hashes.len());
        note_traces(self.write, hashes).await
    }
}

#[cfg(test)]
mod tests {
    use barometer_chassis::{
        clock::Micros,
        testing::{TestDatabase, on_each_database},
        writer::{Pending, Request},
    };

    use super::*;
    use crate::{case::Incoming, workers::watch::tests::Replica};

    fn request(fingerprint: i64) -> Request {
        Request { method: "Test", actor: "test".to_owned(), id: None, fingerprint }
    }

    /// Hashes would confirm a guess of the texts.
    #[tokio::test]
    async fn what_was_first_recorded_can_not_be_guessed_by_its_hash() {
        on_each_database(async |database: &TestDatabase| {
            let replica = Replica::start(database).await;
            let customer = CustomerId(Uuid::from_u128(7));
            let row = case::Model { customer_id: Some(customer), ..case::Model::default() };
            let pending = Pending { row, context: Incoming::default(), request: request(41), refused: None };
            let (case, _) = replica.store.record_one(pending).await.expect("opened");
            let due_time = Micros(Micros::now().0 + Micros::DAY);
            let row = promise::Model { customer_id: Some(customer), due_time, ..promise::Model::default() };
            let pending = Pending { row, context: replica.book.clone(), request: request(42), refused: None };
            let (promise, _) = replica.store.record_one(pending).await.expect("made");
            assert_eq!((case.fingerprint, promise.fingerprint), (41, 42));

            let erasure = replica.write(move |write| {
                Box::pin(async move { begin_erasure(write, customer, Vec::new(), "test".to_owned()).await })
            });
            let erasure = erasure.await;
            for deliveries_done in [false, false, false, true] {
                let step = replica.write(move |write| {
                    Box::pin(async move {
                        erase_step(write, erasure, deliveries_done).await?;
                        Ok(Done { id: erasure, position: write.position() })
                    })
                });
                step.await;
            }
            let db = replica.store.db();
            let case = case::Entity::find_by_id(case.id).one(db).await.expect("readable").expect("there");
            let promise = promise::Entity::find_by_id(promise.id).one(db).await.expect("readable").expect("there");
            assert!(case.customer_id != Some(customer) && promise.customer_id != Some(customer), "they are erased");
            assert_eq!((case.fingerprint, promise.fingerprint), (0, 0));
            replica.stop().await;
        })
        .await;
    }
}
