//! Steps of ladders that are taken, and those that were.

use std::collections::HashMap;

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{self, Write},
};
use barometer_proto::complaints::v1::{Audience, ClockKind, WebhookEvent};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
};
use uuid::Uuid;

use super::{BY_ITSELF, Book, MAX_ENTRIES, clear_alarms, find_team, list_past, take_step};
use crate::{
    case, case_clock,
    case_entry::{CaseId, Said},
    clock::Kind,
    escalation::{Column, Entity, Model, Notified},
    ladder::{Course, Fired, Firing, Rung},
    promise, team,
    webhooks::{self, Notice},
};

/// Takes the steps of a clock's ladder that are due at an instant, and sets its next alarm; answers how many there were. The
/// clock is counted anew: if it has stopped meanwhile, or stands, nothing happens.
pub(crate) async fn climb(write: &Write<'_>, book: &Book, clock: Uuid, now: Micros) -> Result<usize, Error> {
    let kept = case_clock::Entity::find_by_id(clock).one(write.db).await?;
    let case = match &kept {
        Some(kept) => case::Entity::find_by_id(kept.case_id.0).one(write.db).await?,
        None => None,
    };
    let (Some(kept), Some(case)) = (kept, case) else {
        clear_alarms(write, vec![clock]).await?;
        return Ok(0);
    };
    let due = due(write, book, &case, &kept, now).await?;
    if due.is_empty() {
        // It rang in vain: whatever holds now is set.
        super::clocks::set_anew(write, book, &case).await?;
        return Ok(0);
    }
    for (firing, rung) in &due {
        take(write, book, &kept, *firing, rung, now).await?;
    }
    Ok(due.len())
}

/// What of a clock's ladder is due.
async fn due(
    write: &Write<'_>,
    book: &Book,
    case: &case::Model,
    kept: &case_clock::Model,
    now: Micros,
) -> Result<Vec<(Firing, Rung)>, Error> {
    let Some(mut past) = list_past(write.db, vec![case.id], MAX_ENTRIES).await? else { return Ok(Vec::new()) };
    let past = past.remove(&case.id).unwrap_or_default();
    let Some(counted) = book.count(write.db, case, &past, Micros(i64::MAX)).await? else { return Ok(Vec::new()) };
    let (history, ladders) = (counted.history()?, book.ladders(write.db, case.binding().as_ref()).await?);
    let clocks = history.settled(now);
    let same = |kind: Kind, instance: u32| {
        (i32::from(kind.to_wire()), i32::try_from(instance).unwrap_or(i32::MAX)) == kept.key()
    };
    let Some(clock) = clocks.iter().find(|clock| same(clock.kind, clock.instance)) else { return Ok(Vec::new()) };
    let Some(course) = Course::of_clock(&history, clock, case.quiet_until) else { return Ok(Vec::new()) };
    let fired = list_fired(write.db, CaseId(case.id)).await?.remove(&kept.key()).unwrap_or_default();
    let steps = ladders.of(clock.kind);
    Ok(with_steps(course.due(steps, &fired, now), steps))
}

/// What is to be taken, each with its step.
pub(super) fn with_steps(due: Vec<Firing>, steps: &[Rung]) -> Vec<(Firing, Rung)> {
    let step = |firing: Firing| Some((firing, steps.get(usize::from(firing.step))?.clone()));
    due.into_iter().filter_map(step).collect()
}

/// Takes a step.
async fn take(
    write: &Write<'_>,
    book: &Book,
    clock: &case_clock::Model,
    firing: Firing,
    rung: &Rung,
    now: Micros,
) -> Result<(), Error> {
    let case: case::Model = writer::current(write, clock.case_id.0, "").await?;
    let Firing { time, step: place, repetition, missed } = firing;
    let step = case.escalate(rung, now);
    let escalation = Model {
        id: id::new(),
        position: write.next_position(),
        case_id: clock.case_id,
        case_number: clock.case_number,
        subject_id: clock.id,
        promise_id: None,
        kind: clock.kind,
        instance: clock.instance,
        step: place.into(),
        repetition: repetition.into(),
        missed: missed.into(),
        time,
        fire_time: now,
        policy_name: step.case.policy_name.clone(),
        policy_set_version: step.case.policy_set_version,
        priority: step.case.priority,
        previous_priority: step.before.priority,
        employee: step.case.employee.clone(),
        team: step.case.team.clone(),
        previous_employee: step.before.employee.clone(),
        previous_team: step.before.team.clone(),
        notified: Notified(rung.notify.clone()),
        create_time: write.now,
    };
    let said = record(write, escalation, rung).await?;
    take_step(write, book, step, BY_ITSELF, &said).await?;
    Ok(())
}

/// Writes down a step that is taken, and tells who is to be told; answers what goes with the entry of its case.
pub(super) async fn record(write: &Write<'_>, escalation: Model, rung: &Rung) -> Result<Said, Error> {
    if !rung.notify.is_empty() {
        let team = find_team(write.db, &escalation.team).await?;
        webhooks::notify(write, vec![notice(&escalation, rung, team)]).await?;
    }
    let said = Said { escalation: Some(escalation.id), promise: escalation.promise_id, ..Said::default() };
    Entity::insert(escalation.into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(said)
}

/// What is told of a step, and to whom: also who leads the team that has the case or the promise, and who that turns to, if
/// they are among those.
fn notice(escalation: &Model, rung: &Rung, team: Option<team::Model>) -> Notice {
    let told = |of: Audience| rung.audience().any(|audience| audience == of);
    let team::Model { lead, manager, .. } = team.unwrap_or_default();
    let key = |of: Audience, key: String| if told(of) { key } else { String::new() };
    let (lead, manager) = (key(Audience::TeamLead, lead), key(Audience::Manager, manager));
    let clock = ClockKind::try_from(escalation.kind).unwrap_or_default();
    let clock = clock.as_str_name().trim_start_matches("CLOCK_KIND_").to_lowercase();
    let audience = rung.audience().map(|audience| audience.as_str_name().trim_start_matches("AUDIENCE_"));
    let notice = Notice::new(WebhookEvent::Escalation, escalation.fire_time).id("escalation_id", escalation.id);
    let notice = match escalation.case() {
        Some(CaseId(case)) => notice.id("case_id", case),
        None => notice,
    };
    let notice = match escalation.promise_id {
        Some(promise) => notice.id("promise_id", promise),
        None => notice.word("clock", &clock),
    };
    notice
        .number("instance", escalation.instance.into())
        .number("step", escalation.step.into())
        .number("repetition", escalation.repetition.into())
        .time("planned_time", escalation.time)
        .flag("late", escalation.is_late())
        .words("audience", audience)
        .word("employee", &escalation.employee)
        .word("team", &escalation.team)
        .word("team_lead", &lead)
        .word("manager", &manager)
}

/// Which steps were taken of each of a case's clocks, by kind and instance.
pub(crate) async fn list_fired(db: &impl ConnectionTrait, case: CaseId) -> Result<HashMap<(i32, i32), Fired>, Error> {
    let columns = [Column::Kind, Column::Instance, Column::Step, Column::Repetition];
    let select = Entity::find().select_only().columns(columns).filter(Column::CaseId.eq(case));
    let select = select.filter(Column::PromiseId.is_null());
    let rows: Vec<(i32, i32, i32, i32)> = select.into_tuple().all(db).await?;
    let mut fired: HashMap<(i32, i32), Fired> = HashMap::new();
    for (kind, instance, step, repetition) in rows {
        note(fired.entry((kind, instance)).or_default(), step, repetition);
    }
    Ok(fired)
}

/// Which steps were taken in the run that a promise is in.
pub(super) async fn list_fired_of(db: &impl ConnectionTrait, promise: &promise::Model) -> Result<Fired, Error> {
    let select = Entity::find().select_only().columns([Column::Step, Column::Repetition]);
    let select = select.filter(Column::PromiseId.eq(promise.id)).filter(Column::Instance.eq(promise.run()));
    let mut fired = Fired::default();
    for (step, repetition) in select.into_tuple::<(i32, i32)>().all(db).await? {
        note(&mut fired, step, repetition);
    }
    Ok(fired)
}

fn note(fired: &mut Fired, step: i32, repetition: i32) {
    fired.note(u16::try_from(step).unwrap_or(u16::MAX), u16::try_from(repetition).unwrap_or(u16::MAX));
}

/// An escalation by its id. NOT_FOUND when there is none.
pub(crate) async fn get_escalation(db: &impl ConnectionTrait, id: Uuid) -> Result<Model, Error> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(|| Error::not_found("escalation", id))
}

/// A page of escalations that meet `filter`, latest first; and the token of the next page. Those of withdrawn cases, and of
/// withdrawn promises that stand alone, are left out.
pub(crate) async fn list_escalations(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<Model>, String), Error> {
    let there = case::Entity::find().select_only().column(case::Column::Id);
    let there = there.filter(case::Column::WithdrawTime.is_null()).into_query();
    let alone = promise::Entity::find().select_only().column(promise::Column::Id);
    let alone = alone.filter(promise::Column::WithdrawTime.is_null()).filter(promise::Column::CaseId.is_null());
    let there =
        Condition::any().add(Column::CaseId.in_subquery(there)).add(Column::PromiseId.in_subquery(alone.into_query()));
    let select = reader::newest_first::<Entity>(page, "fire_time").filter(filter);
    let rows = select.filter(there).all(db).await?;
    Ok(page.cut(rows, place_of_escalation))
}

/// An escalation's place in its list.
pub(crate) fn place_of_escalation(row: &Model) -> PageToken {
    PageToken { key: row.fire_time.0, id: row.id }
}
