//! Queries of the complaints service.

mod alarms;
mod answers;
mod book;
mod calendars;
mod claims;
mod clocks;
mod counted;
mod deliveries;
mod effects;
mod erased_traces;
mod erasures;
mod escalations;
mod exports;
mod follow_up_rules;
mod follow_ups;
mod incident_tasks;
mod incidents;
mod links;
#[cfg(test)]
mod plans;
mod policies;
mod promise_ladders;
mod promises;
mod queue;
mod teams;
mod webhooks;
mod workload;

pub(crate) use alarms::{
    clear_alarms, clear_alarms_of, count_alarms, find_alarm, list_alarms, list_due_alarms, next_alarm, set_alarms,
};
pub(crate) use answers::{
    SaidByCustomer, Seen, advance, drop_lost, get_upstream, start_over, take_answers, take_verdicts,
};
pub(crate) use book::{Book, Today};
use calendars::latest_versions;
pub(crate) use calendars::{
    CalendarRef, change_calendar, create_calendar, get_calendar, get_calendar_version, known_calendars,
    list_calendar_versions, list_calendars, list_newer_versions, place_of_calendar, place_of_version,
};
pub(crate) use claims::{
    Asked, LeaseEnd, claim_next, due_claims, expire_claims, finish_claim, get_claim, list_claims, release_claim,
    renew_claim,
};
pub(crate) use clocks::{MAX_ENTRIES, add_clocks, catch_up, list_unclocked, note_due};
pub(crate) use deliveries::{
    add_deliveries, add_delivery, claim_deliveries, clean_deliveries, get_delivery, list_deliveries, list_due,
    list_naming, list_stale, list_told, retry_delivery, settle_delivery,
};
pub(crate) use effects::{list_open, rebase};
pub(crate) use erased_traces::{check_not_erased, erased, find_erased, refuse_erased};
pub(crate) use erasures::{
    Left, begin_erasure, end_erasure, erase_deliveries, erase_step, get_erasure, list_under_way,
};
pub(crate) use escalations::{climb, get_escalation, list_escalations, list_fired, place_of_escalation};
pub(crate) use exports::{list_affecting, list_answers_of, list_cases_of, list_follow_ups_of, list_promises_of};
pub(crate) use follow_up_rules::{
    get_rule_set, get_rule_set_by_id, list_rule_sets, place_of_rule_set, publish_rules, rules_since,
};
pub(crate) use follow_ups::{
    FollowUpRef, due_follow_ups, end_follow_ups, get_follow_up, list_follow_ups, place_of_follow_up,
};
pub(crate) use incident_tasks::{
    CASES, NO_RECEIVER, add_step, add_task, count_running, count_running_of, fail_step, link_step, list_at_work,
    list_since, list_tasks, resolve_step, send_step,
};
pub(crate) use incidents::{
    add_affected, belongs, count_open_incidents, end_incident, link_by_rules, link_cases, list_affected,
    list_incident_cases, list_incidents, list_incidents_of, place_of_incident, unlink_case,
};
pub(crate) use policies::{get_policy_set, get_policy_set_by_id, list_policy_sets, publish_policies};
pub(crate) use promise_ladders::{climb_of_promise, set_promise_alarm};
pub(crate) use promises::{
    BY_ITSELF, amend_promise, change_promise, due_promises, list_promises, not_withdrawn, place_of_promise,
    settle_promises, tell_of_new_promise,
};
use promises::{settle_open_of, withdraw_open_of};
pub(crate) use queue::{Queued, list_due_cases, list_queue, place_of_queued};
pub(crate) use teams::{
    TeamCalendars, change_team, create_team, find_team, get_team, get_team_by_id, handed_to, list_teams,
};
pub(crate) use webhooks::{
    WebhookValues, change_webhook, create_webhook, delete_webhook, get_webhook, list_webhooks, rotate_secret,
};
pub(crate) use workload::{Span, Whose, Workload, list_workloads};

use std::{collections::HashMap, sync::Arc};

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    store::Store,
    writer::{self, Done, Request, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{CaseEntryType, Fact, ReplyType, case::State};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use tokio::sync::oneshot;
use uuid::Uuid;

pub(crate) use self::links::{add_link, list_links, list_merged, merge, remove_link, unmerge, withdraw_case};
use crate::{
    case::{self, Arrival, Incoming, Rebase, Step},
    case_entry::{self, CaseId, Said},
    clock::{Entry, Version},
};

/// The most parameters of a statement: both databases bound them, and SQLite's bound is the smaller one.
const MAX_PARAMETERS: usize = 32_000;

/// A page of cases that meet `filter`, in an order; and the token of the next page.
pub(crate) async fn list_cases(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
    order: case::Order,
) -> Result<(Vec<case::Model>, String), Error> {
    let select = match order {
        case::Order::Newest => reader::newest_first::<case::Entity>(page, "open_time"),
        case::Order::Due => due_first(page),
    };
    Ok(page.cut(select.filter(filter).all(db).await?, |row| place_of_case(row, order)))
}

/// Selects one page of the cases of which something is due.
fn due_first(page: Page) -> sea_orm::Select<case::Entity> {
    use case::Column;
    let select = case::Entity::find().filter(Column::DueTime.is_not_null());
    let select = select.order_by_asc(Column::DueTime).order_by_asc(Column::Id).limit(page.limit());
    match page.after {
        None => select,
        Some(PageToken { key, id }) => {
            let same = Condition::all().add(Column::DueTime.eq(key)).add(Column::Id.gt(id));
            select.filter(Condition::any().add(Column::DueTime.gt(key)).add(same))
        }
    }
}

/// Cases by their ids, in their order. NOT_FOUND when one is not there.
pub(crate) async fn get_cases(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<case::Model>, Error> {
    let rows = case::Entity::find().filter(case::Column::Id.is_in(writer::any_of(ids.to_vec()))).all(db).await?;
    let mut rows: HashMap<Uuid, case::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    ids.iter().map(|id| rows.remove(id).ok_or_else(|| Error::not_found("case", id))).collect()
}

/// Cases after this one, by their ids, whose customers could not be asked for, and those customers; at most `max`.
pub(crate) async fn list_value_pending(
    db: &impl ConnectionTrait,
    after: Uuid,
    max: u64,
) -> Result<Vec<(Uuid, CustomerId)>, Error> {
    use case::Column;
    let pending = case::Entity::find()
        .select_only()
        .columns([Column::Id, Column::CustomerId])
        .filter(Expr::col(Column::ValuePending))
        .filter(Column::CustomerId.is_not_null())
        .filter(Column::WithdrawTime.is_null())
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(max);
    Ok(pending.into_tuple().all(db).await?)
}

/// What happened to each of these cases, in the order in which it was recorded; nothing when it is more than `max` entries.
pub(crate) async fn list_past(
    db: &impl ConnectionTrait,
    cases: Vec<Uuid>,
    max: u64,
) -> Result<Option<HashMap<Uuid, Vec<Entry>>>, Error> {
    use case_entry::Column;
    /// As the columns below.
    type Row = (CaseId, i32, Micros, i32, i32, bool, Option<Uuid>, i64, Option<Rebase>);
    let mut past: HashMap<Uuid, Vec<Entry>> = HashMap::new();
    if cases.is_empty() {
        return Ok(Some(past));
    }
    let columns = [
        Column::CaseId,
        Column::EntryType,
        Column::Time,
        Column::State,
        Column::Reply,
        Column::NeedsNoAnswer,
        Column::CalendarId,
        Column::CalendarVersion,
        Column::Rebase,
    ];
    let select = case_entry::Entity::find().select_only().columns(columns);
    let select = select.filter(Column::CaseId.is_in(writer::any_of(cases))).order_by_asc(Column::Position);
    let rows: Vec<Row> = select.limit(max + 1).into_tuple().all(db).await?;
    if rows.len() as u64 > max {
        return Ok(None);
    }
    for (case, entry_type, time, state, reply, needs_no_answer, calendar, version, rebase) in rows {
        past.entry(case.0).or_default().push(Entry {
            entry_type: CaseEntryType::try_from(entry_type).unwrap_or_default(),
            time,
            state: State::try_from(state).unwrap_or_default(),
            reply: ReplyType::try_from(reply).unwrap_or_default(),
            needs_no_answer,
            calendar: calendar.map(|id| Version { id, version }),
            rebase: rebase.map(Arc::new),
        });
    }
    Ok(Some(past))
}

/// A case's place in a list of that order.
pub(crate) fn place_of_case(row: &case::Model, order: case::Order) -> PageToken {
    let key = match order {
        case::Order::Newest => row.open_time,
        case::Order::Due => row.due_time.unwrap_or_default(),
    };
    PageToken { key: key.0, id: row.id }
}

/// A page of a case's history, latest first; and the token of the next page.
pub(crate) async fn list_entries(
    db: &impl ConnectionTrait,
    case: Uuid,
    page: Page,
) -> Result<(Vec<case_entry::Model>, String), Error> {
    use case_entry::Column;
    let mut select = case_entry::Entity::find()
        .filter(Column::CaseId.eq(CaseId(case)))
        .order_by_desc(Column::Time)
        .order_by_desc(Column::Position)
        .limit(page.limit());
    if let Some(PageToken { key, id }) = page.after {
        let position = i64::try_from(id.as_u128()).unwrap_or(i64::MAX);
        let before = Condition::all().add(Column::Time.eq(key)).add(Column::Position.lt(position));
        select = select.filter(Condition::any().add(Column::Time.lt(key)).add(before));
    }
    Ok(page.cut(select.all(db).await?, place_of_entry))
}

/// An entry's place in its history: of the same instant they stand in the order in which they were written.
pub(crate) fn place_of_entry(row: &case_entry::Model) -> PageToken {
    PageToken { key: row.time.0, id: Uuid::from_u128(u128::from(row.position.unsigned_abs())) }
}

/// Changes a case by a verb, and writes the entries of it.
///
/// Errors: as of [`writer::current`]; what the verb answers.
pub(crate) async fn change_case(
    write: &Write<'_>,
    book: &Book,
    id: Uuid,
    etag: &str,
    actor: &str,
    said: &Said,
    verb: impl FnOnce(case::Model) -> Result<Step, Error>,
) -> Result<Done, Error> {
    let step = verb(writer::current(write, id, etag).await?)?;
    take_step(write, book, step, actor, said).await
}

/// Writes what a step made of a case, its entries and its clocks.
pub(crate) async fn take_step(
    write: &Write<'_>,
    book: &Book,
    mut step: Step,
    actor: &str,
    said: &Said,
) -> Result<Done, Error> {
    let mut entries = case_entry::of_step(&step, actor, said, write.now);
    TeamCalendars::of(write.db, handed_to(&entries)).await?.note(&step.case, &mut entries);
    let cancelled = step.events.iter().any(|(event, _)| *event == CaseEntryType::Cancelled);
    if cancelled {
        // What was broken before stays so.
        settle_open_of(write, book, CaseId(step.case.id)).await?;
    }
    claims::end_claim_after(write, &step).await?;
    let happened = !entries.is_empty();
    clocks::keep_clocks(write, book, &mut step, &entries).await?;
    add_entries(write, entries).await?;
    if cancelled {
        withdraw_open_of(write, book, &step.case, actor).await?;
    }
    let noted = if happened { write.position() } else { 0 };
    let Done { id, position } = writer::replace(write, step.before, step.case).await?;
    Ok(Done { id, position: position.max(noted) })
}

/// Opens a case that comes of something else that is written.
pub(crate) async fn open_case(write: &Write<'_>, book: &Arc<Book>, case: case::Model) -> Result<case::Model, Error> {
    let incoming = [Incoming { arrival: Arrival::Live, book: Arc::clone(book) }];
    let (create_time, update_time) = (write.now, write.now);
    let mut opened = [case::Model { id: id::new(), version: 1, create_time, update_time, ..case }];
    for case in &mut opened {
        note_due(write, case, &incoming[0]).await?;
    }
    writer::insert_with(write, &mut opened, &incoming).await?;
    let [case] = opened;
    Ok(case)
}

/// Adds entries at the next positions, in their order.
pub(crate) async fn add_entries(write: &Write<'_>, mut entries: Vec<case_entry::Model>) -> Result<(), Error> {
    for entry in &mut entries {
        (entry.id, entry.position) = (id::new(), write.next_position());
    }
    let columns = case_entry::Column::iter().count();
    for chunk in entries.chunks(MAX_PARAMETERS / columns) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model().reset_all());
        case_entry::Entity::insert_many(rows).exec_without_returning(write.db).await?;
    }
    Ok(())
}

/// Runs a command of this service's own, and gives what it answers once it is committed.
pub(crate) async fn in_writer<T, W>(store: &Store<Fact>, method: &'static str, work: W) -> Result<T, Error>
where
    T: Send + 'static,
    W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<T, Error>> + Send + 'static,
{
    let request = Request { method, actor: String::new(), id: None, fingerprint: 0 };
    let (tell, told) = oneshot::channel();
    let done = store.writer.run_in_turn(request, move |write| {
        Box::pin(async move {
            // Nobody waits any more when the caller is gone.
            let _gone = tell.send(work(write).await?);
            Ok(Done { id: Uuid::nil(), position: write.position() })
        })
    });
    done.await?;
    told.await.map_err(|_| Error::Internal("a command without an answer".to_owned()))
}
