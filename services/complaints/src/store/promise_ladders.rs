//! The ladders of promises: when their next step is, and what is taken.

use barometer_chassis::{
    clock::Micros,
    error::Error,
    id,
    writer::{self, Write},
};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use super::{
    BY_ITSELF, Book,
    book::Ladders,
    clear_alarms,
    escalations::{list_fired_of, record, with_steps},
    promises::take_turn,
    set_alarms, settle_promises, take_step,
};
use crate::{
    alarm::{self, Subject},
    case,
    clock::Desk,
    escalation::{self, Notified},
    ladder::{Firing, Rung},
    promise::{Entity, Model},
};

/// By what a promise climbs: the ladders of its policy, and the desk whose working time counts. Nothing when it climbs none.
async fn ladders_of(db: &impl ConnectionTrait, book: &Book, promise: &Model) -> Result<Option<(Ladders, Desk)>, Error> {
    let Some(binding) = promise.binding() else { return Ok(None) };
    let ladders = book.ladders(db, Some(&binding)).await?;
    if ladders.of_promises().is_empty() {
        return Ok(None);
    }
    Ok(Some((ladders, book.desk(db, binding.calendar_id, binding.calendar_version).await?)))
}

/// Sets the alarm of a promise to when the next step of its ladder is, or clears it.
pub(crate) async fn set_promise_alarm(write: &Write<'_>, book: &Book, promise: &Model) -> Result<(), Error> {
    let Some((ladders, desk)) = ladders_of(write.db, book, promise).await? else { return Ok(()) };
    let next = match promise.climbs(&desk.timetable) {
        Some(course) => course.next(ladders.of_promises(), &list_fired_of(write.db, promise).await?),
        None => None,
    };
    match next {
        Some(time) => {
            let (subject_id, subject, set_time) = (promise.id, Subject::Promise.number(), write.now);
            set_alarms(write, vec![alarm::Model { subject_id, subject, case_id: None, time, set_time }]).await
        }
        None => clear_alarms(write, vec![promise.id]).await,
    }
}

/// Takes the steps of a promise's ladder that are due at an instant, and sets its next alarm; answers how many there were.
pub(crate) async fn climb_of_promise(write: &Write<'_>, book: &Book, id: Uuid, now: Micros) -> Result<usize, Error> {
    // What was broken meanwhile is so before anything follows from it.
    settle_promises(write, book, vec![id]).await?;
    let Some(mut promise) = Entity::find_by_id(id).one(write.db).await? else {
        clear_alarms(write, vec![id]).await?;
        return Ok(0);
    };
    let due = due(write, book, &promise, now).await?;
    for (firing, rung) in &due {
        promise = take(write, book, promise, *firing, rung, now).await?;
    }
    set_promise_alarm(write, book, &promise).await?;
    Ok(due.len())
}

/// What of a promise's ladder is due.
async fn due(write: &Write<'_>, book: &Book, promise: &Model, now: Micros) -> Result<Vec<(Firing, Rung)>, Error> {
    let Some((ladders, desk)) = ladders_of(write.db, book, promise).await? else { return Ok(Vec::new()) };
    let Some(course) = promise.climbs(&desk.timetable) else { return Ok(Vec::new()) };
    let (steps, fired) = (ladders.of_promises(), list_fired_of(write.db, promise).await?);
    Ok(with_steps(course.due(steps, &fired, now), steps))
}

/// Takes a step: the case of the promise is raised, and the promise is handed over; answers the promise after it.
async fn take(
    write: &Write<'_>,
    book: &Book,
    promise: Model,
    firing: Firing,
    rung: &Rung,
    now: Micros,
) -> Result<Model, Error> {
    let case = match promise.case_id {
        Some(id) => case::Entity::find_by_id(id.0).one(write.db).await?,
        None => None,
    };
    let step = case.map(|case| {
        let raise = rung.raise.filter(|_| case.is_open());
        case.escalate(&Rung { raise, ..Rung::default() }, now)
    });
    let turn = rung.hand_over.as_ref().and_then(|to| promise.clone().hand_over(now, to));
    let after = turn.as_ref().map_or(&promise, |turn| &turn.promise);
    let Firing { time, step: place, repetition, missed } = firing;
    let escalation = escalation::Model {
        id: id::new(),
        position: write.next_position(),
        case_id: promise.case_id.unwrap_or_default(),
        case_number: step.as_ref().map_or(0, |step| step.case.number),
        subject_id: promise.id,
        promise_id: Some(promise.id),
        promise_number: promise.number,
        kind: 0,
        instance: promise.run(),
        step: place.into(),
        repetition: repetition.into(),
        missed: missed.into(),
        time,
        fire_time: now,
        policy_name: promise.policy_name.clone(),
        policy_set_version: promise.policy_set_version,
        priority: step.as_ref().map_or(0, |step| step.case.priority),
        previous_priority: step.as_ref().map_or(0, |step| step.before.priority),
        employee: after.employee.clone(),
        team: after.team.clone(),
        previous_employee: promise.employee.clone(),
        previous_team: promise.team.clone(),
        notified: Notified(rung.notify.clone()),
        create_time: write.now,
    };
    let said = record(write, escalation, rung).await?;
    if let Some(step) = step {
        take_step(write, book, step, BY_ITSELF, &said).await?;
    }
    let Some(turn) = turn else { return Ok(promise) };
    take_turn(write, book, turn, BY_ITSELF, "").await?;
    // With its version.
    writer::current(write, promise.id, "").await
}
