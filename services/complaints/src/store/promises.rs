//! Promises: their list, and what happens to them.

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    writer::{self, Done, Write},
};
use barometer_proto::complaints::v1::{CaseEntryType, WebhookEvent, promise::State};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::{
    case,
    case_entry::{self, CaseId, Said},
    promise::{Column, Entity, Model, Turn},
    store::{self, Book, clear_alarms},
    webhooks::{self, Notice},
};

/// From when on a notice is late, in microseconds: nobody was there to give it in time.
const LATE: i64 = 10 * Micros::SECOND;
/// Who does what happens by itself.
pub(crate) const BY_ITSELF: &str = "barometer";

/// A page of promises that meet `filter`, the one due first first; and the token of the next page.
pub(crate) async fn list_promises(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<Model>, String), Error> {
    let mut select = Entity::find().filter(filter).order_by_asc(Column::DueTime).order_by_asc(Column::Id);
    if let Some(PageToken { key, id }) = page.after {
        let later = Condition::all().add(Column::DueTime.eq(key)).add(Column::Id.gt(id));
        select = select.filter(Condition::any().add(Column::DueTime.gt(key)).add(later));
    }
    Ok(page.cut(select.limit(page.limit()).all(db).await?, place_of_promise))
}

/// A promise's place in a list.
pub(crate) fn place_of_promise(row: &Model) -> PageToken {
    PageToken { key: row.due_time.0, id: row.id }
}

/// Promises to which something has happened by itself until `now`, the earliest first, at most `max`.
pub(crate) async fn due_promises(db: &impl ConnectionTrait, now: Micros, max: u64) -> Result<Vec<Uuid>, Error> {
    let due = Entity::find().select_only().column(Column::Id).filter(Column::NextTime.lte(now));
    Ok(due.order_by_asc(Column::NextTime).limit(max).into_tuple().all(db).await?)
}

/// Writes down what has happened to promises by itself. Those to which nothing has, as another replica has written it down
/// already, stay as they are.
pub(crate) async fn settle_promises(write: &Write<'_>, book: &Book, ids: Vec<Uuid>) -> Result<(), Error> {
    let due = Entity::find().filter(Column::Id.is_in(writer::any_of(ids))).filter(Column::NextTime.lte(write.now));
    let mut notices = Vec::new();
    for promise in due.order_by_asc(Column::NextTime).order_by_asc(Column::Id).all(write.db).await? {
        let turn = promise.fall_due(write.now);
        notices.extend(notice(&turn, write.now));
        take_turn(write, book, turn, BY_ITSELF, "").await?;
    }
    webhooks::notify(write, notices).await?;
    Ok(())
}

/// Changes a promise by a verb. What was said goes with the verb's own entry, the last one.
///
/// Errors: as of [`writer::current`]; what the verb answers.
pub(crate) async fn change_promise(
    write: &Write<'_>,
    book: &Book,
    id: Uuid,
    etag: &str,
    actor: &str,
    text: &str,
    verb: impl FnOnce(Model) -> Result<Turn, Error>,
) -> Result<Done, Error> {
    let turn = verb(writer::current(write, id, etag).await?)?;
    act(write, book, turn, actor, text).await
}

async fn act(write: &Write<'_>, book: &Book, turn: Turn, actor: &str, text: &str) -> Result<Done, Error> {
    webhooks::notify(write, notice(&turn, write.now).into_iter().collect()).await?;
    take_turn(write, book, turn, actor, text).await
}

/// Corrects what is said of a promise: the entry has what was promised as it reads since. Errors as of [`change_promise`].
pub(crate) async fn amend_promise(
    write: &Write<'_>,
    book: &Book,
    id: Uuid,
    etag: &str,
    actor: &str,
    verb: impl FnOnce(Model) -> Result<Turn, Error>,
) -> Result<Done, Error> {
    let turn = verb(writer::current(write, id, etag).await?)?;
    let text = turn.promise.description.clone();
    act(write, book, turn, actor, &text).await
}

/// Tells in the history of a case what was promised in it.
pub(crate) async fn tell_of_new_promise(write: &Write<'_>, case: case::Model, promise: &Model) -> Result<(), Error> {
    let said = Said { text: promise.description.clone(), promise: Some(promise.id), ..Said::default() };
    let step = case.told(CaseEntryType::PromiseMade, promise.make_time);
    store::add_entries(write, case_entry::of_step(&step, &promise.actor, &said, write.now)).await
}

/// Withdraws the promises that were made in a case that is withdrawn. Of that there is nothing to tell.
pub(super) async fn withdraw_promises_of(write: &Write<'_>, case: CaseId) -> Result<(), Error> {
    let promises = Entity::find().filter(Column::CaseId.eq(case)).filter(Column::WithdrawTime.is_null());
    for promise in promises.order_by_asc(Column::Id).all(write.db).await? {
        let Turn { before, promise, events: _ } = promise.take_back(write.now)?;
        clear_alarms(write, vec![promise.id]).await?;
        writer::replace(write, before, promise).await?;
    }
    Ok(())
}

/// Writes down what has happened by itself to what is open of what was promised in a case.
pub(super) async fn settle_open_of(write: &Write<'_>, book: &Book, case: CaseId) -> Result<(), Error> {
    settle_promises(write, book, open_of(case).select_only().column(Column::Id).into_tuple().all(write.db).await?).await
}

/// Withdraws what is open of what was promised in a case that is about to be written as cancelled: its history tells.
pub(super) async fn withdraw_open_of(
    write: &Write<'_>,
    book: &Book,
    case: &case::Model,
    actor: &str,
) -> Result<(), Error> {
    for promise in open_of(CaseId(case.id)).order_by_asc(Column::Id).all(write.db).await? {
        let turn = promise.take_back(write.now)?;
        tell_case(write, case, &turn, actor, "").await?;
        write_turn(write, book, turn).await?;
    }
    Ok(())
}

fn open_of(case: CaseId) -> Select<Entity> {
    Entity::find().filter(Column::CaseId.eq(case)).filter(Column::State.eq(i32::from(State::Open)))
}

/// Which promises a list shows without being asked for states.
pub(crate) fn not_withdrawn() -> Condition {
    Condition::all().add(Column::State.ne(i32::from(State::Withdrawn)))
}

/// Writes what a turn made of a promise, the entries of its case, and when the next step of its ladder is.
pub(super) async fn take_turn(
    write: &Write<'_>,
    book: &Book,
    turn: Turn,
    actor: &str,
    text: &str,
) -> Result<Done, Error> {
    if let Some(CaseId(id)) = turn.promise.case_id.filter(|_| !turn.events.is_empty()) {
        let case = case::Entity::find_by_id(id).one(write.db).await?;
        let case = case.ok_or_else(|| Error::Internal("a promise of a case that is not there".to_owned()))?;
        tell_case(write, &case, &turn, actor, text).await?;
    }
    write_turn(write, book, turn).await
}

/// Writes a promise, and when the next step of its ladder is.
async fn write_turn(write: &Write<'_>, book: &Book, turn: Turn) -> Result<Done, Error> {
    let Turn { before, promise, events: _ } = turn;
    store::set_promise_alarm(write, book, &promise).await?;
    writer::replace(write, before, promise).await
}

/// What webhooks are told of a turn: the last that it has come to. What was due soon and is broken by now, or was kept late,
/// is not told as due soon.
fn notice(turn: &Turn, now: Micros) -> Option<Notice> {
    let Turn { before: _, promise, events } = turn;
    let told = events.iter().rev().find_map(|(event, time)| match event {
        CaseEntryType::PromiseDueSoon => Some((WebhookEvent::PromiseDueSoon, *time)),
        CaseEntryType::PromiseBroken => Some((WebhookEvent::PromiseBroken, *time)),
        _ => None,
    });
    let holds = |event: &WebhookEvent| match promise.state() {
        State::Open => *event == WebhookEvent::PromiseDueSoon && promise.due_soon_time.is_some(),
        State::Broken => *event == WebhookEvent::PromiseBroken,
        State::Kept | State::Withdrawn | State::Unspecified => false,
    };
    let (event, time) = told.filter(|(event, _)| holds(event))?;
    let audience: &[&str] = if event == WebhookEvent::PromiseBroken { &["OWNER", "TEAM_LEAD"] } else { &["OWNER"] };
    let notice = Notice::new(event, time)
        .id("promise_id", promise.id)
        .word("employee", &promise.employee)
        .word("team", &promise.team)
        .words("audience", audience.iter().copied())
        .time("due_time", promise.due_time)
        .flag("late", now.0.saturating_sub(time.0) > LATE);
    Some(match promise.case_id {
        Some(CaseId(case)) => notice.id("case_id", case),
        None => notice,
    })
}

/// Tells the case of a promise what became of it.
async fn tell_case(write: &Write<'_>, case: &case::Model, turn: &Turn, actor: &str, text: &str) -> Result<(), Error> {
    let Turn { before, promise, events } = turn;
    let mut entries = Vec::new();
    for (at, (event, time)) in events.iter().enumerate() {
        // What fell due before the verb did so by itself.
        let last = at + 1 == events.len();
        let (actor, text) = if last { (actor, text) } else { (BY_ITSELF, "") };
        let said = Said { text: text.to_owned(), promise: Some(promise.id), ..Said::default() };
        let told = case_entry::of_step(&case.clone().told(*event, *time), actor, &said, write.now);
        entries.extend(told.into_iter().map(|entry| match event {
            CaseEntryType::PromiseAssigned => entry.of_hand_over(before.holder(), promise.holder()),
            _ => entry,
        }));
    }
    store::add_entries(write, entries).await
}
