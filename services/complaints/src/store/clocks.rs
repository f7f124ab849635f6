//! The clocks of cases as they are kept: written with whatever happens to a case, in the same transaction.

use std::collections::{BTreeMap, HashMap};

use barometer_chassis::{
    clock::Micros,
    error::Error,
    id,
    writer::{self, Write},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{Book, MAX_PARAMETERS, clear_alarms, clear_alarms_of, list_alarms, list_fired, list_past, set_alarms};
use crate::{
    alarm::{self, Subject},
    case::{self, Incoming, Step},
    case_clock::{Column, Entity, Model},
    case_entry::{self, CaseId},
    clock::{Clock, Entry},
    ladder::{Course, Fired},
};

/// The most entries of a case whose clocks are kept. They stay as they are once it has more.
pub(crate) const MAX_ENTRIES: u64 = 50_000;

/// An instant after everything, however far ahead it was dated.
const END: Micros = Micros(i64::MAX);

/// Which steps were taken of the ladders of clocks, by kind and instance.
type Taken = HashMap<(i32, i32), Fired>;

/// The clocks of a case with this history, and when the next step of each one's ladder is. Their ids, positions and times
/// are still to be given.
async fn clocks_of(
    db: &impl ConnectionTrait,
    book: &Book,
    case: &case::Model,
    entries: &[Entry],
    taken: &Taken,
    now: Micros,
) -> Result<Vec<(Model, Option<Micros>)>, Error> {
    let Some(counted) = book.count(db, case, entries, END).await? else { return Ok(Vec::new()) };
    let (history, ladders, none) =
        (counted.history()?, book.ladders(db, case.binding().as_ref()).await?, Fired::default());
    let clocks = history.settled(now);
    let row = |clock: &Clock| {
        let row = Model::new(case, &history, &history.keep(clock));
        let course = Course::of_clock(&history, clock, case.quiet_until);
        let fired = taken.get(&row.key()).unwrap_or(&none);
        let next = course.and_then(|course| course.next(ladders.of(clock.kind), fired));
        (row, next)
    };
    Ok(clocks.iter().map(row).collect())
}

/// Notes on a new case what is due first of its clocks.
pub(crate) async fn note_due(write: &Write<'_>, case: &mut case::Model, incoming: &Incoming) -> Result<(), Error> {
    case.quiet_until = incoming.arrival.is_imported().then_some(write.now);
    let clocks = clocks_of_new(write, case, incoming).await?;
    // Its first version is written next.
    case.clocked = 1;
    (case.due_time, case.due_clock) = first_due(clocks.iter().map(|(clock, _)| clock));
    Ok(())
}

/// Writes the clocks of new cases.
pub(crate) async fn add_clocks(
    write: &Write<'_>,
    cases: impl Iterator<Item = (&case::Model, &Incoming)>,
) -> Result<(), Error> {
    let mut all = Vec::new();
    for (case, incoming) in cases {
        all.append(&mut clocks_of_new(write, case, incoming).await?);
    }
    let mut alarms = Vec::new();
    for (clock, next) in &mut all {
        put_first(write, clock);
        alarms.extend(next.map(|next| alarm(write, clock, next)));
    }
    let clocks: Vec<Model> = all.into_iter().map(|(clock, _)| clock).collect();
    writer::insert(write.db, &clocks).await?;
    set_alarms(write, alarms).await
}

/// The alarm of a clock, at an instant.
fn alarm(write: &Write<'_>, clock: &Model, time: Micros) -> alarm::Model {
    let (subject_id, case_id, set_time) = (clock.id, Some(clock.case_id), write.now);
    alarm::Model { subject_id, subject: Subject::Clock.number(), case_id, time, set_time }
}

async fn clocks_of_new(
    write: &Write<'_>,
    case: &case::Model,
    incoming: &Incoming,
) -> Result<Vec<(Model, Option<Micros>)>, Error> {
    let Incoming { arrival, book } = incoming;
    let entries: Vec<_> = arrival.history(case, write.now).iter().map(case_entry::Model::for_clocks).collect();
    clocks_of(write.db, book, case, &entries, &Taken::new(), write.now).await
}

/// Writes the clocks of a case as a step leaves them, whose entries are not written yet; and notes on the case what is due
/// first.
pub(crate) async fn keep_clocks(
    write: &Write<'_>,
    book: &Book,
    step: &mut Step,
    entries: &[case_entry::Model],
) -> Result<(), Error> {
    let Step { before, case, .. } = step;
    let moved = case != before;
    let version = before.version + i64::from(moved);
    if entries.is_empty() {
        // Nothing happened that a clock counts: they are as they were, and of the new version too.
        if before.clocked == before.version {
            case.clocked = version;
        }
        return Ok(());
    }
    if !case.has_clocks() {
        return Ok(());
    }
    // Put under another policy, it may have alarms of the one before.
    let rebound = (case.policy_set_version, &case.policy_name) != (before.policy_set_version, &before.policy_name);
    let rings = rebound || !book.ladders(write.db, case.binding().as_ref()).await?.are_none();
    let (due_time, due_clock) = match list_past(write.db, vec![case.id], MAX_ENTRIES).await? {
        None => (case.due_time, case.due_clock),
        Some(mut past) => {
            let mut past = past.remove(&case.id).unwrap_or_default();
            past.extend(entries.iter().map(case_entry::Model::for_clocks));
            write_clocks(write, book, case, &past, rings).await?
        }
    };
    if !moved && (before.due_time, before.due_clock, before.clocked) != (due_time, due_clock, version) {
        // What is due first is no part of what the case is: it has no new version by that alone.
        note(write, case.id, due_time, due_clock, version).await?;
        (before.due_time, before.due_clock, before.clocked) = (due_time, due_clock, version);
    }
    (case.due_time, case.due_clock, case.clocked) = (due_time, due_clock, version);
    Ok(())
}

/// Cases whose clocks were last kept for another version of them, or never, by their ids from one on: those of a release
/// before, and what its replicas still write.
pub(crate) async fn list_unclocked(db: &impl ConnectionTrait, after: Uuid, limit: u64) -> Result<Vec<Uuid>, Error> {
    let select = case::Entity::find().select_only().column(case::Column::Id).filter(unclocked());
    let select = select.filter(case::Column::Id.gt(after)).order_by_asc(case::Column::Id).limit(limit);
    Ok(select.into_tuple().all(db).await?)
}

fn unclocked() -> Condition {
    Condition::all()
        .add(case::Column::CalendarId.is_not_null())
        .add(case::Column::WithdrawTime.is_null())
        .add(Expr::col("clocked").not_equals("version"))
}

/// Writes the clocks of those of these cases that need it.
pub(crate) async fn catch_up(write: &Write<'_>, book: &Book, cases: Vec<Uuid>) -> Result<(), Error> {
    let cases = case::Entity::find().filter(case::Column::Id.is_in(writer::any_of(cases))).filter(unclocked());
    for case in cases.all(write.db).await? {
        let (due_time, due_clock) = match list_past(write.db, vec![case.id], MAX_ENTRIES).await? {
            None => (case.due_time, case.due_clock),
            Some(mut past) => {
                write_clocks(write, book, &case, &past.remove(&case.id).unwrap_or_default(), false).await?
            }
        };
        note(write, case.id, due_time, due_clock, case.version).await?;
    }
    Ok(())
}

/// Brings the clocks of a case up to its history, and their alarms if it `rings` or a clock has one; answers what is due
/// first.
async fn write_clocks(
    write: &Write<'_>,
    book: &Book,
    case: &case::Model,
    entries: &[Entry],
    rings: bool,
) -> Result<(Option<Micros>, Option<i32>), Error> {
    let taken = match book.ladders(write.db, case.binding().as_ref()).await?.are_none() {
        true => Taken::new(),
        false => list_fired(write.db, CaseId(case.id)).await?,
    };
    let clocks = clocks_of(write.db, book, case, entries, &taken, write.now).await?;
    let first = first_due(clocks.iter().map(|(clock, _)| clock));
    let kept = Entity::find().filter(Column::CaseId.eq(CaseId(case.id))).all(write.db).await?;
    let mut kept: BTreeMap<_, Model> = kept.into_iter().map(|clock| (clock.key(), clock)).collect();
    let (mut changed, mut alarms) = (Vec::new(), Vec::new());
    for (mut clock, next) in clocks {
        let old = kept.remove(&clock.key());
        match &old {
            None => {
                put_first(write, &mut clock);
                changed.push(clock.clone());
            }
            Some(old) => {
                clock.id = old.id;
                changed.extend(clock.clone().change(old).map(|new| put_again(write, new)));
            }
        }
        alarms.extend(next.map(|next| alarm(write, &clock, next)));
    }
    // Every clock that was there before may have one.
    if !kept.is_empty() || !alarms.is_empty() || rings {
        change_alarms(write, CaseId(case.id), alarms).await?;
    }
    for gone in kept.into_values().filter(|clock| clock.withdraw_time.is_none()) {
        changed.push(put_again(write, Model { withdraw_time: Some(write.now), ..gone }));
    }
    let others = Column::iter().filter(|column| !matches!(column, Column::Id));
    let conflict = OnConflict::column(Column::Id).update_columns(others).to_owned();
    for chunk in changed.chunks(MAX_PARAMETERS / Column::iter().count()) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model().reset_all());
        Entity::insert_many(rows).on_conflict(conflict.clone()).exec_without_returning(write.db).await?;
    }
    Ok(first)
}

/// Brings the alarms of a case's clocks to these.
async fn change_alarms(write: &Write<'_>, case: CaseId, mut alarms: Vec<alarm::Model>) -> Result<(), Error> {
    let of_clocks = |alarm: &alarm::Model| alarm.subject == Subject::Clock.number();
    let set: Vec<_> = list_alarms(write.db, case).await?.into_iter().filter(of_clocks).collect();
    let same =
        |alarm: &alarm::Model, other: &alarm::Model| alarm.subject_id == other.subject_id && alarm.time == other.time;
    let gone = set.iter().filter(|old| alarms.iter().all(|new| new.subject_id != old.subject_id));
    clear_alarms(write, gone.map(|old| old.subject_id).collect()).await?;
    alarms.retain(|new| !set.iter().any(|old| same(old, new)));
    set_alarms(write, alarms).await
}

/// Sets the alarms of a case's clocks to what holds now.
pub(crate) async fn set_anew(write: &Write<'_>, book: &Book, case: &case::Model) -> Result<(), Error> {
    if !case.has_clocks() {
        return clear_alarms_of(write, CaseId(case.id)).await;
    }
    if let Some(mut past) = list_past(write.db, vec![case.id], MAX_ENTRIES).await? {
        write_clocks(write, book, case, &past.remove(&case.id).unwrap_or_default(), true).await?;
    }
    Ok(())
}

/// A new clock at the next position.
fn put_first(write: &Write<'_>, clock: &mut Model) {
    let position = write.next_position();
    (clock.id, clock.number, clock.position, clock.version) = (id::new(), position, position, 1);
    (clock.create_time, clock.update_time) = (write.now, write.now);
}

/// A changed clock at the next position.
fn put_again(write: &Write<'_>, clock: Model) -> Model {
    Model { position: write.next_position(), version: clock.version + 1, update_time: write.now, ..clock }
}

/// What is due first of the clocks that run, and when.
fn first_due<'c>(clocks: impl Iterator<Item = &'c Model>) -> (Option<Micros>, Option<i32>) {
    let first = clocks.filter_map(|clock| Some((clock.runs_until()?, clock.kind))).min();
    first.unzip()
}

async fn note(
    write: &Write<'_>,
    case: Uuid,
    due_time: Option<Micros>,
    due_clock: Option<i32>,
    clocked: i64,
) -> Result<(), Error> {
    use case::Column;
    let update = case::Entity::update_many().filter(Column::Id.eq(case));
    let update = update.col_expr(Column::DueTime, Expr::value(due_time));
    let update = update.col_expr(Column::DueClock, Expr::value(due_clock));
    update.col_expr(Column::Clocked, Expr::value(clocked)).exec(write.db).await?;
    Ok(())
}
