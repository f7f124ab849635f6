//! What is done for incidents in the background: each step in a transaction of its own, which finds the task where the
//! step before left it, or else does nothing.

use std::collections::{BTreeSet, HashMap};

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    reader,
    writer::{self, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{IncidentCaseResult, IncidentTaskType, WebhookEvent};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{
    Book,
    incidents::{add_affected, belongs, count_up, last_number, link_cases},
    take_step,
};
use crate::{
    case::{self, When},
    case_entry::Said,
    incident::{self, IncidentId},
    incident_case, incident_customer,
    incident_task::{Column, Entity, Model},
    webhooks::{self, Notice},
};

/// The most tasks of an incident that are at work.
const MAX_RUNNING: u64 = 20;
/// Cases that are looked at in one step.
pub(crate) const CASES: u16 = 500;
/// Cases that are resolved in one step.
const RESOLVED: u64 = 50;
/// Customers whom one notice names.
const CUSTOMERS: u64 = 500;
/// How long a task waits after a step that failed.
const PAUSE: i64 = 5 * Micros::SECOND;
/// Why a task ends early when its incident has ended.
const NOT_OPEN: &str = "NOT_OPEN";
/// Why nobody is told: no webhook wants to be, or none has room.
pub(crate) const NO_RECEIVER: &str = "NO_RECEIVER";

/// Begins a task. FAILED_PRECONDITION when too many are at work.
pub(crate) async fn add_task(write: &Write<'_>, mut task: Model) -> Result<(), Error> {
    if count_running(write.db, task.incident_id).await? >= MAX_RUNNING {
        let message = format!("{MAX_RUNNING} tasks of the incident are at work already");
        return Err(Error::State { reason: "TOO_MANY_TASKS", message });
    }
    if task.task_type() == IncidentTaskType::SendMessage {
        task.last_number = last_number(write.db, task.incident_id).await?;
    }
    Ok(writer::insert(write.db, &[task]).await?)
}

/// How many tasks of an incident are at work.
pub(crate) async fn count_running(db: &impl ConnectionTrait, of: IncidentId) -> Result<u64, Error> {
    Ok(Entity::find().filter(Column::IncidentId.eq(of)).filter(Column::Done.eq(false)).count(db).await?)
}

/// How many tasks of each of these incidents are at work; those of which none is are left out.
pub(crate) async fn count_running_of(
    db: &impl ConnectionTrait,
    of: Vec<IncidentId>,
) -> Result<HashMap<IncidentId, u64>, Error> {
    let running = Entity::find().select_only().column(Column::IncidentId).column_as(Column::Id.count(), "running");
    let running = running.filter(Column::IncidentId.is_in(writer::any_of(of))).filter(Column::Done.eq(false));
    let rows: Vec<(IncidentId, i64)> = running.group_by(Column::IncidentId).into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(id, running)| (id, u64::try_from(running).unwrap_or_default())).collect())
}

/// A page of the tasks of an incident, newest first.
pub(crate) async fn list_tasks(
    db: &impl ConnectionTrait,
    of: IncidentId,
    page: Page,
) -> Result<(Vec<Model>, String), Error> {
    let select = reader::newest_first::<Entity>(page, "create_time").filter(Column::IncidentId.eq(of));
    Ok(page.cut(select.all(db).await?, |row| PageToken { key: row.create_time.0, id: row.id }))
}

/// Tasks that have something to do now.
pub(crate) async fn list_at_work(db: &impl ConnectionTrait, now: Micros, most: u64) -> Result<Vec<Model>, Error> {
    let running = Entity::find().filter(Column::Done.eq(false)).filter(Column::NextTime.lte(now));
    Ok(running.order_by_asc(Column::NextTime).limit(most).all(db).await?)
}

/// A page of the cases that came in since an incident started and were written before it, the first first; those that are
/// written later are linked then. By their positions: clocks of replicas may differ.
pub(crate) async fn list_since(
    db: &impl ConnectionTrait,
    incident: &incident::Model,
    page: Page,
) -> Result<Vec<case::Model>, Error> {
    use case::Column;
    let mut select = case::Entity::find().filter(Column::OpenTime.gte(incident.start_time));
    if let Some(PageToken { key, id }) = page.after {
        let later = Condition::all().add(Column::OpenTime.eq(key)).add(Column::Id.gt(id));
        select = select.filter(Condition::any().add(Column::OpenTime.gt(key)).add(later));
    }
    let select = select.filter(Column::Number.lt(incident.number));
    let select = select.order_by_asc(Column::OpenTime).order_by_asc(Column::Id);
    Ok(select.limit(u64::from(page.size)).all(db).await?)
}

/// Links those of the cases that still belong to the incident, and goes on at a place.
pub(crate) async fn link_step(
    write: &Write<'_>,
    task: &Model,
    cases: Vec<Uuid>,
    looked_at: usize,
    place: Option<String>,
) -> Result<(), Error> {
    let Some((task, incident)) = resume(write, task).await? else { return Ok(()) };
    if incident.check_open().is_err() {
        // It has ended meanwhile: nothing is linked any more.
        return keep(write, task.cut_short(NOT_OPEN, write.now)).await;
    }
    if !cases.is_empty() {
        let found = case::Entity::find().filter(case::Column::Id.is_in(writer::any_of(cases))).all(write.db).await?;
        let found = found.into_iter().filter(|case| belongs(&incident, case)).collect();
        link_cases(write, &incident, found, true, &task.actor).await?;
    }
    keep(write, task.advance(looked_at, place, write.now)).await
}

/// Names customers who were found, and goes on at a place. More than may be end the task, which says so.
pub(crate) async fn add_step(
    write: &Write<'_>,
    task: &Model,
    found: BTreeSet<CustomerId>,
    place: Option<String>,
) -> Result<(), Error> {
    let Some((task, incident)) = resume(write, task).await? else { return Ok(()) };
    if incident.check_open().is_err() {
        return keep(write, task.cut_short(NOT_OPEN, write.now)).await;
    }
    let count = found.len();
    match add_affected(write, &incident, found).await {
        Ok(_) => keep(write, task.advance(count, place, write.now)).await,
        Err(Error::State { reason, .. }) => keep(write, task.cut_short(reason, write.now)).await,
        Err(error) => Err(error),
    }
}

/// Notes that a step failed: it is tried again after a while, unless there is nothing to do any more.
pub(crate) async fn fail_step(write: &Write<'_>, task: &Model, reason: &'static str) -> Result<(), Error> {
    let Some((task, incident)) = resume(write, task).await? else { return Ok(()) };
    let links_or_names = matches!(task.task_type(), IncidentTaskType::LinkCases | IncidentTaskType::AddCustomers);
    if links_or_names && incident.check_open().is_err() {
        return keep(write, task.cut_short(NOT_OPEN, write.now)).await;
    }
    keep(write, task.fail(reason, Micros(write.now.0 + PAUSE))).await
}

/// Tells the next customers. When nobody takes the notice they are not told yet: it is tried again after a while.
pub(crate) async fn send_step(write: &Write<'_>, task: &Model) -> Result<(), Error> {
    use incident_customer::Column;
    let Some((task, incident)) = resume(write, task).await? else { return Ok(()) };
    let after: i64 = task.place.parse().unwrap_or_default();
    let next = incident_customer::Entity::find().filter(Column::IncidentId.eq(incident.id()));
    let next = next.filter(Column::Number.gt(after)).filter(Column::Number.lte(task.last_number));
    let next = next.order_by_asc(Column::Number).limit(CUSTOMERS).all(write.db).await?;
    if !next.is_empty() {
        let notice = incident.notice(WebhookEvent::IncidentMessage, write.now).id("message_id", task.id);
        let customers = next.iter().map(|row| row.customer_id.0);
        let notice: Notice = notice.message(&task.message).ids("customer_ids", customers);
        if webhooks::notify(write, vec![notice]).await? == 0 {
            return keep(write, task.fail(NO_RECEIVER, Micros(write.now.0 + PAUSE))).await;
        }
    }
    let place = next.last().map(|row| row.number.to_string());
    keep(write, task.advance(next.len(), place, write.now)).await
}

/// Resolves the next cases; when none is left the incident is closed.
pub(crate) async fn resolve_step(write: &Write<'_>, book: &Book, task: &Model) -> Result<(), Error> {
    use incident_case::Column;
    let Some((task, incident)) = resume(write, task).await? else { return Ok(()) };
    let left = incident_case::Entity::find().filter(Column::IncidentId.eq(incident.id()));
    let left = left.filter(Column::Unlinked.eq(false)).filter(Column::Result.eq(0));
    let left = left.order_by_asc(Column::Id).limit(RESOLVED).all(write.db).await?;
    if left.is_empty() {
        let closed = incident.clone().close(write.now);
        let notice = closed.notice(WebhookEvent::IncidentClosed, write.now);
        let notice = notice.number("resolved_cases", closed.resolved_cases);
        webhooks::notify(write, vec![notice.number("passed_over_cases", closed.passed_over_cases)]).await?;
        writer::replace(write, incident, closed).await?;
        return keep(write, task.advance(0, None, write.now)).await;
    }
    let said = Said { text: task.message.clone(), incident: Some(incident.id()), ..Said::default() };
    let (mut resolved, count) = (0, left.len());
    for link in left {
        let case: Option<case::Model> = case::Entity::find_by_id(link.case_id.0).one(write.db).await?;
        let step = case.filter(|case| case.withdraw_time.is_none());
        let step = step.and_then(|case| case.resolve(When { given: None, now: write.now }).ok());
        let result = match step {
            Some(step) => {
                take_step(write, book, step, &task.actor, &said).await?;
                resolved += 1;
                IncidentCaseResult::Resolved
            }
            None => IncidentCaseResult::PassedOver,
        };
        incident_case::Model { result: result.into(), ..link }.into_active_model().reset_all().update(write.db).await?;
    }
    let counts = [(incident::Column::ResolvedCases, resolved), (incident::Column::PassedOverCases, count - resolved)];
    count_up(write, incident.id(), &counts).await?;
    let place = task.place.clone();
    keep(write, task.advance(count, Some(place), write.now)).await
}

/// A task and its incident, when the task is still where it was.
async fn resume(write: &Write<'_>, task: &Model) -> Result<Option<(Model, incident::Model)>, Error> {
    let now = Entity::find_by_id(task.id).one(write.db).await?;
    let Some(now) = now.filter(|now| !now.done && now.place == task.place && now.count == task.count) else {
        return Ok(None);
    };
    let incident = reader::get(write.db, now.incident_id.0).await?;
    Ok(Some((now, incident)))
}

async fn keep(write: &Write<'_>, task: Model) -> Result<(), Error> {
    task.into_active_model().reset_all().update(write.db).await?;
    Ok(())
}
