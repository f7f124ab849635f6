//! Follow-ups: their list, and what the answers make of them.

use std::sync::Arc;

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{self, Write},
};
use barometer_proto::complaints::v1::{CaseEntryType as Event, CaseKind, FollowUpOutcome, case::State};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{BY_ITSELF, Book, add_entries, book::Today, open_case, take_step};
use crate::{
    case::{self, PriorityTable, UNKNOWN_BAND, When},
    case_entry::{self, CaseId, Said},
    follow_up::{Answer, Column, Entity, Model, Newcomer, Rule},
    survey_answer,
};

/// What is written into the case of an answer that needs no follow-up any more.
const NOT_NEEDED: &str = "The answer to the survey was withdrawn, or needs no follow-up any more.";

/// How a follow-up is named.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FollowUpRef {
    Id(Uuid),
    Case(Uuid),
    Response(Uuid),
}

/// One follow-up. NOT_FOUND when there is none.
pub(crate) async fn get_follow_up(db: &impl ConnectionTrait, by: FollowUpRef) -> Result<Model, Error> {
    let (column, id) = match by {
        FollowUpRef::Id(id) => (Column::Id, id),
        FollowUpRef::Case(id) => (Column::CaseId, id),
        FollowUpRef::Response(id) => (Column::ResponseId, id),
    };
    let row = Entity::find().filter(column.eq(id)).one(db).await?;
    row.ok_or_else(|| Error::not_found("follow-up", id))
}

/// A page of follow-ups that meet `filter`, newest first; and the token of the next page.
pub(crate) async fn list_follow_ups(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<Model>, String), Error> {
    let rows = reader::newest_first::<Entity>(page, "open_time").filter(filter).all(db).await?;
    Ok(page.cut(rows, place_of_follow_up))
}

/// A follow-up's place in a list.
pub(crate) fn place_of_follow_up(row: &Model) -> PageToken {
    PageToken { key: row.open_time.0, id: row.id }
}

/// Follow-ups whose window has ended by `now`, the earliest first, at most `max`.
pub(crate) async fn due_follow_ups(db: &impl ConnectionTrait, now: Micros, max: u64) -> Result<Vec<Uuid>, Error> {
    let due = Entity::find().select_only().column(Column::Id).filter(Column::NextTime.lte(now));
    Ok(due.order_by_asc(Column::NextTime).limit(max).into_tuple().all(db).await?)
}

/// Ends those of these follow-ups whose window has ended, unless another replica has done it already.
pub(crate) async fn end_follow_ups(write: &Write<'_>, book: &Book, ids: Vec<Uuid>) -> Result<(), Error> {
    let due = Entity::find().filter(Column::Id.is_in(writer::any_of(ids))).filter(Column::NextTime.lte(write.now));
    for follow_up in due.order_by_asc(Column::NextTime).order_by_asc(Column::Id).all(write.db).await? {
        settle(write, book, follow_up).await?;
    }
    Ok(())
}

/// Opens the case of an answer, and the chain that begins with it.
pub(super) async fn open_follow_up(
    write: &Write<'_>,
    answer: &Newcomer,
    customer: barometer_directory::CustomerId,
    (rule, rule_set_version): (&Rule, i64),
    (today, priorities, book): (&Today, &PriorityTable, &Arc<Book>),
) -> Result<Model, Error> {
    let mut case = case::Model {
        customer_id: Some(customer),
        state: State::Received.into(),
        category: rule.category.clone(),
        open_time: write.now,
        move_time: write.now,
        employee: rule.employee.clone(),
        team: rule.team.clone(),
        actor: BY_ITSELF.to_owned(),
        kind: CaseKind::SurveyFollowUp.into(),
        severity: rule.severity,
        value_band: UNKNOWN_BAND.to_owned(),
        ..case::Model::default()
    };
    case.priority = priorities.of(&case).into();
    today.bind(&mut case)?;
    let case = open_case(write, book, case).await?;
    let window_end_time = Micros(write.now.0.saturating_add(rule.window));
    let position = write.next_position();
    let follow_up = Model {
        id: id::new(),
        number: position,
        position,
        version: 1,
        case_id: CaseId(case.id),
        customer_id: customer,
        survey_id: answer.survey_id,
        response_id: answer.response_id,
        score: answer.score,
        survey_kind: answer.survey_kind.into(),
        response_time: answer.time,
        at_most: rule.at_most,
        rule_set_version,
        rule_name: rule.name.clone(),
        open_time: write.now,
        window_end_time,
        outcome: FollowUpOutcome::Pending.into(),
        close_time: None,
        closing_response_id: None,
        closing_score: None,
        next_time: Some(Micros(window_end_time.0.saturating_add(1))),
        update_time: write.now,
    };
    Entity::insert(follow_up.clone().into_active_model().reset_all()).exec_without_returning(write.db).await?;
    Ok(follow_up)
}

/// Makes a follow-up what its answers make of it now, and tells its case when another thing has come of it.
pub(super) async fn settle(write: &Write<'_>, book: &Book, before: Model) -> Result<Model, Error> {
    let answers = answers_of(write.db, &before).await?;
    let after = before.clone().settled(before.chain().standing(&answers, write.now));
    change(write, book, before, after).await
}

/// Cancels the follow-up of a case that is withdrawn. Of that there is nothing to tell.
pub(super) async fn cancel_follow_up_of(write: &Write<'_>, case: CaseId) -> Result<(), Error> {
    let Some(before) = Entity::find().filter(Column::CaseId.eq(case)).one(write.db).await? else { return Ok(()) };
    let standing = before.chain().standing(&[], write.now);
    let after = before.clone().settled(standing);
    if after != before {
        replace(write, before, after).await?;
    }
    Ok(())
}

async fn change(write: &Write<'_>, book: &Book, before: Model, after: Model) -> Result<Model, Error> {
    if after == before {
        return Ok(before);
    }
    if after.outcome != before.outcome {
        tell_case(write, book, &after).await?;
    }
    replace(write, before, after).await
}

/// Writes a changed follow-up at a new position.
async fn replace(write: &Write<'_>, before: Model, after: Model) -> Result<Model, Error> {
    let (position, version) = (write.next_position(), before.version + 1);
    let after = Model { position, version, update_time: write.now, ..after };
    let changed = Entity::update_many().set(after.clone().into_active_model().reset_all());
    changed.filter(Column::Id.eq(after.id)).exec(write.db).await?;
    Ok(after)
}

/// Tells a case what came of its follow-up, and cancels it when it needs none and nobody has worked on it.
async fn tell_case(write: &Write<'_>, book: &Book, follow_up: &Model) -> Result<(), Error> {
    let CaseId(id) = follow_up.case_id;
    let case = case::Entity::find_by_id(id).filter(case::Column::WithdrawTime.is_null()).one(write.db).await?;
    let Some(case) = case else { return Ok(()) };
    let untouched = is_untouched(write.db, &case).await?;
    let said = Said { follow_up_outcome: follow_up.outcome(), ..Said::default() };
    let step = case.clone().told(Event::FollowUpEnded, write.now);
    add_entries(write, case_entry::of_step(&step, BY_ITSELF, &said, write.now)).await?;
    if untouched && follow_up.outcome() == FollowUpOutcome::Cancelled {
        let said = Said { text: NOT_NEEDED.to_owned(), ..Said::default() };
        let step = case.cancel(When { given: None, now: write.now })?;
        take_step(write, book, step, BY_ITSELF, &said).await?;
    }
    Ok(())
}

/// Whether nobody has done anything with a case yet: all that happened to it happened by itself.
async fn is_untouched(db: &impl ConnectionTrait, case: &case::Model) -> Result<bool, Error> {
    use case_entry::Column;
    if case.state() != State::Received {
        return Ok(false);
    }
    let by_others = case_entry::Entity::find().filter(Column::CaseId.eq(CaseId(case.id)));
    Ok(by_others.filter(Column::Actor.ne(BY_ITSELF)).one(db).await?.is_none())
}

/// The answers that a follow-up depends on: the one that was followed up and the one after it.
async fn answers_of(db: &impl ConnectionTrait, follow_up: &Model) -> Result<Vec<Answer>, Error> {
    use survey_answer::Column;
    let live = || survey_answer::Entity::find().filter(Column::Gone.eq(false));
    let Some(opening) = live().filter(Column::ResponseId.eq(follow_up.response_id)).one(db).await? else {
        return Ok(Vec::new());
    };
    let of_the_same =
        live()
            .filter(Column::CustomerId.eq(follow_up.customer_id))
            .filter(Column::SurveyId.eq(follow_up.survey_id))
            .filter(Condition::any().add(Column::Time.gt(opening.time)).add(
                Condition::all().add(Column::Time.eq(opening.time)).add(Column::ResponseId.gt(opening.response_id)),
            ));
    let next = of_the_same.order_by_asc(Column::Time).order_by_asc(Column::ResponseId).limit(1).one(db).await?;
    Ok([Some(opening), next].into_iter().flatten().map(|row| row.answer()).collect())
}
