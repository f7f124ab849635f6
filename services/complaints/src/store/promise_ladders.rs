//! The ladders of promises: when their next step is, and what is taken.

use barometer_chassis::{
    clock::Micros,
    error::Error,
    id,
    writer::{self, Write},
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{
    BY_ITSELF, Book, clear_alarms,
    escalations::{list_fired_of, record, with_steps},
    promises::take_turn,
    set_alarms, settle_promises, take_step,
};
use crate::{
    alarm::{self, Subject},
    case,
    escalation::{self, Notified},
    ladder::{Firing, Rung},
    promise::{Entity, Model},
};

/// Sets the alarm of a promise to when the next step of its ladder is, or clears it.
pub(crate) async fn set_promise_alarm(write: &Write<'_>, book: &Book, promise: &Model) -> Result<(), Error> {
    let Some(binding) = promise.binding() else { return Ok(()) };
    let ladders = book.ladders(write.db, Some(&binding)).await?;
    let steps = ladders.of_promises();
    if steps.is_empty() {
        return Ok(());
    }
    let desk = book.desk(write.db, binding.calendar_id, binding.calendar_version).await?;
    let next = match promise.climbs(&desk.timetable) {
        Some(course) => course.next(steps, &list_fired_of(write.db, promise).await?),
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
pub(crate) async fn climb_of_promise(
    write: &Write<'_>,
    book: &Book,
    promise: Uuid,
    now: Micros,
) -> Result<usize, Error> {
    // What was broken meanwhile is so before anything follows from it.
    settle_promises(write, book, vec![promise]).await?;
    let Some(promise) = Entity::find_by_id(promise).one(write.db).await? else {
        clear_alarms(write, vec![promise]).await?;
        return Ok(0);
    };
    let due = due(write, book, &promise, now).await?;
    for (firing, rung) in &due {
        take(write, book, promise.id, *firing, rung, now).await?;
    }
    if due.is_empty() {
        // It rang in vain: whatever holds now is set.
        set_promise_alarm(write, book, &promise).await?;
    }
    Ok(due.len())
}

/// What of a promise's ladder is due.
async fn due(write: &Write<'_>, book: &Book, promise: &Model, now: Micros) -> Result<Vec<(Firing, Rung)>, Error> {
    let Some(binding) = promise.binding() else { return Ok(Vec::new()) };
    let ladders = book.ladders(write.db, Some(&binding)).await?;
    let desk = book.desk(write.db, binding.calendar_id, binding.calendar_version).await?;
    let Some(course) = promise.climbs(&desk.timetable) else { return Ok(Vec::new()) };
    let (steps, fired) = (ladders.of_promises(), list_fired_of(write.db, promise).await?);
    Ok(with_steps(course.due(steps, &fired, now), steps))
}

/// Takes a step: the case of the promise is raised, and the promise is handed over.
async fn take(
    write: &Write<'_>,
    book: &Book,
    promise: Uuid,
    firing: Firing,
    rung: &Rung,
    now: Micros,
) -> Result<(), Error> {
    let promise: Model = writer::current(write, promise, "").await?;
    let case = match promise.case_id {
        Some(id) => case::Entity::find_by_id(id.0).one(write.db).await?,
        None => None,
    };
    let step = case.map(|case| {
        let raise = rung.raise.filter(|_| case.is_open());
        case.escalate(&Rung { raise, ..Rung::default() }, now)
    });
    let turn = match &rung.hand_over {
        Some(to) => promise.clone().hand_over(to),
        None => None,
    };
    let after = turn.as_ref().map_or(&promise, |turn| &turn.promise);
    let Firing { time, step: place, repetition, missed } = firing;
    let escalation = escalation::Model {
        id: id::new(),
        position: write.next_position(),
        case_id: promise.case_id.unwrap_or_default(),
        case_number: step.as_ref().map_or(0, |step| step.case.number),
        subject_id: promise.id,
        promise_id: Some(promise.id),
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
    match turn {
        Some(turn) => take_turn(write, book, turn, BY_ITSELF, "").await.map(drop),
        None => set_promise_alarm(write, book, &promise).await,
    }
}
