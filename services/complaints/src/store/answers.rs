//! Answers to surveys as they come, and how far their feed was read. All that is made of them is decided inside the write,
//! so that it does not matter who reads the feed, how many do, and how often.

use std::{collections::HashMap, sync::Arc};

use barometer_chassis::{
    clock::Micros,
    error::Error,
    position::Position,
    writer::{Write, any_of},
};
use barometer_directory::CustomerId;
use barometer_proto::{
    complaints::v1::FollowUpOutcome,
    surveys::v1::{SurveyKind, SurveyType},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{
    BY_ITSELF, Book,
    erased_traces::find_erased_customers,
    follow_up_rules::{find_latest_rules, rules_since},
    follow_ups::{open_follow_up, settle},
    take_step,
};
use crate::{
    case::{self, PriorityTable, Verdict},
    case_entry::Said,
    follow_up::{self, Judgement, Newcomer},
    follow_up_rule_set,
    survey_answer::{Column, Entity, Model},
    upstream,
};

/// An answer of the feed as it is now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Its id.
    pub(crate) response_id: Uuid,
    /// Its version in the feed.
    pub(crate) version: i64,
    /// What it says; nothing when it was withdrawn, or is anonymous or without a score.
    pub(crate) said: Option<SaidByCustomer>,
    /// What it says of a case, if it is about one.
    pub(crate) verdict: Option<Verdict>,
}

/// What an answer says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SaidByCustomer {
    pub(crate) survey_id: Uuid,
    pub(crate) survey_kind: SurveyKind,
    pub(crate) survey_type: SurveyType,
    pub(crate) customer_id: CustomerId,
    pub(crate) score: i32,
    pub(crate) time: Micros,
    pub(crate) imported: bool,
}

/// How far a feed was read; from the beginning when it never was.
pub(crate) async fn get_upstream(db: &impl ConnectionTrait, name: &str) -> Result<upstream::Model, Error> {
    let row = upstream::Entity::find_by_id(name).one(db).await?;
    Ok(row.unwrap_or_else(|| upstream::Model { name: name.to_owned(), ..upstream::Model::default() }))
}

/// Notes that a feed was read up to here. It never goes back. ABORTED when it was begun anew meanwhile, by another replica.
pub(crate) async fn advance(write: &Write<'_>, name: &str, generation: i64, position: &str) -> Result<(), Error> {
    let before = current(write, name, generation).await?;
    let n = |token: &str| Position::decode(token).map_or(-1, |(_, position)| position.n);
    if n(position) <= n(&before.position) {
        return Ok(());
    }
    put_upstream(write, upstream::Model { position: position.to_owned(), ..before }).await
}

/// Begins a feed anew, unless another replica has done so already.
pub(crate) async fn start_over(write: &Write<'_>, name: &str, generation: i64) -> Result<(), Error> {
    let before = get_upstream(write.db, name).await?;
    if before.generation != generation {
        return Ok(());
    }
    let after = upstream::Model { generation: generation + 1, position: String::new(), rereading: true, ..before };
    put_upstream(write, after).await
}

/// After a feed was read again: takes back answers of the history before that there are no more, at most `max`. Whether
/// there may be more.
pub(crate) async fn drop_lost(
    write: &Write<'_>,
    book: &Book,
    (name, generation): (&str, i64),
    max: u64,
) -> Result<bool, Error> {
    let upstream = current(write, name, generation).await?;
    let lost = Entity::find().filter(Column::Generation.lt(generation)).order_by_asc(Column::ResponseId);
    let lost = lost.limit(max).all(write.db).await?;
    let more = lost.len() as u64 >= max;
    for answer in lost {
        let gone = Model { gone: true, generation, version: 0, ..answer.clone() };
        put_answer(write, gone, true).await?;
        let chains = chains_of(write.db, vec![answer.response_id], vec![answer.customer_id]).await?;
        for chain in chains.into_iter().filter(|chain| concerns(chain, &answer)) {
            settle(write, book, chain).await?;
        }
    }
    if !more {
        put_upstream(write, upstream::Model { rereading: false, ..upstream }).await?;
    }
    Ok(more)
}

/// Takes answers in: opens follow-ups, and settles those that are. What was taken in before changes nothing.
pub(crate) async fn take_answers(
    write: &Write<'_>,
    (name, generation): (&str, i64),
    (book, priorities): (&Arc<Book>, &PriorityTable),
    seen: &[Seen],
) -> Result<(), Error> {
    current(write, name, generation).await?;
    let Some(rules) = find_latest_rules(write.db).await? else { return Ok(()) };
    let since = rules_since(write.db).await?.unwrap_or(rules.create_time);
    let today = book.today(write.db).await?;
    let ids: Vec<Uuid> = seen.iter().map(|seen| seen.response_id).collect();
    let known = Entity::find().filter(Column::ResponseId.is_in(any_of(ids.clone()))).all(write.db).await?;
    let known: HashMap<Uuid, Model> = known.into_iter().map(|row| (row.response_id, row)).collect();
    let customers = seen.iter().filter_map(|seen| Some(seen.said?.customer_id));
    let customers = customers.chain(known.values().map(|row| row.customer_id)).collect();
    let mut chains = chains_of(write.db, ids, customers).await?;
    let said = seen.iter().filter_map(|seen| Some(seen.said?.customer_id));
    let erased = find_erased_customers(write.db, said).await?;
    for one in seen {
        let before = known.get(&one.response_id);
        if before.is_some_and(|row| (row.generation, row.version) >= (generation, one.version)) {
            continue;
        }
        if one.said.is_some_and(|said| erased.contains(&said.customer_id)) {
            // What is known of it is somebody else's by now, without a name, and stays as it is.
            if let Some(row) = before {
                put_answer(write, Model { generation, version: one.version, ..row.clone() }, true).await?;
            }
            continue;
        }
        let after = match (before, one.said) {
            (None, None) => continue,
            (Some(row), None) => Model { gone: true, generation, version: one.version, ..row.clone() },
            (_, Some(said)) => row_of(one, said, generation),
        };
        let ends: Vec<&Model> = before.into_iter().chain([&after]).collect();
        let is_old = write.now.0.saturating_sub(after.time.0) > rules.rules.longest_age();
        if before.is_none() && is_old && !chains.iter().any(|chain| concerns(chain, &after)) {
            continue;
        }
        put_answer(write, after.clone(), before.is_some()).await?;
        if before.is_some_and(|row| says_the_same(row, &after)) {
            continue;
        }
        if let Some(said) = one.said {
            let newcomer = newcomer(one, said);
            if let Some(rule) = judge(&rules, since, &newcomer, said.customer_id, &chains, write.now) {
                let by = (rule, rules.version);
                chains.push(open_follow_up(write, &newcomer, said.customer_id, by, (&today, priorities, book)).await?);
            }
        }
        for chain in &mut chains {
            if ends.iter().any(|end| concerns(chain, end)) {
                *chain = settle(write, book, chain.clone()).await?;
            }
        }
    }
    Ok(())
}

/// Notes on cases what their customers answered to surveys about them.
pub(crate) async fn take_verdicts(write: &Write<'_>, book: &Book, seen: &[Seen]) -> Result<(), Error> {
    for verdict in seen.iter().filter_map(|seen| seen.verdict) {
        let case = case::Entity::find_by_id(verdict.case).filter(case::Column::WithdrawTime.is_null());
        let Some(case) = case.one(write.db).await? else { continue };
        if let Some(step) = case.judged(&verdict, write.now)? {
            take_step(write, book, step, BY_ITSELF, &Said::default()).await?;
        }
    }
    Ok(())
}

/// The rule by which an answer is followed up, if it is. One that was followed up already is not.
fn judge<'r>(
    rules: &'r follow_up_rule_set::Model,
    since: Micros,
    newcomer: &Newcomer,
    customer: CustomerId,
    chains: &[follow_up::Model],
    now: Micros,
) -> Option<&'r follow_up::Rule> {
    if chains.iter().any(|chain| chain.response_id == newcomer.response_id) {
        return None;
    }
    let counts =
        |chain: &&follow_up::Model| chain.customer_id == customer && chain.outcome() != FollowUpOutcome::Cancelled;
    let others: Vec<Micros> = chains.iter().filter(counts).map(|chain| chain.response_time).collect();
    match rules.rules.judge(newcomer, since, &others, now) {
        Judgement::FollowUp(rule) => Some(rule),
        _ => None,
    }
}

fn newcomer(seen: &Seen, said: SaidByCustomer) -> Newcomer {
    let SaidByCustomer { survey_id, survey_kind, survey_type, customer_id: _, score, time, imported } = said;
    Newcomer { response_id: seen.response_id, survey_id, survey_kind, survey_type, score, time, imported }
}

fn row_of(seen: &Seen, said: SaidByCustomer, generation: i64) -> Model {
    let SaidByCustomer { survey_id, customer_id, score, time, survey_kind: _, survey_type: _, imported: _ } = said;
    let Seen { response_id, version, said: _, verdict: _ } = *seen;
    Model { response_id, survey_id, customer_id, score, time, gone: false, generation, version }
}

/// Whether two versions of an answer are the same to follow-ups.
fn says_the_same(one: &Model, other: &Model) -> bool {
    one.gone == other.gone && one.answer() == other.answer()
}

/// Whether what came of a follow-up may depend on an answer.
fn concerns(chain: &follow_up::Model, answer: &Model) -> bool {
    chain.response_id == answer.response_id
        || (chain.customer_id == answer.customer_id && chain.survey_id == answer.survey_id)
}

/// The follow-ups of these answers and customers.
async fn chains_of(
    db: &impl ConnectionTrait,
    answers: Vec<Uuid>,
    customers: Vec<CustomerId>,
) -> Result<Vec<follow_up::Model>, Error> {
    use follow_up::Column;
    let either = Condition::any()
        .add(Column::CustomerId.is_in(any_of(customers)))
        .add(Column::ResponseId.is_in(any_of(answers)));
    let rows = follow_up::Entity::find().filter(either).order_by_asc(Column::OpenTime).order_by_asc(Column::Id);
    Ok(rows.all(db).await?)
}

/// How far a feed was read in this generation; ABORTED in another one.
async fn current(write: &Write<'_>, name: &str, generation: i64) -> Result<upstream::Model, Error> {
    let row = get_upstream(write.db, name).await?;
    if row.generation == generation { Ok(row) } else { Err(Error::Stale { noun: "feed" }) }
}

async fn put_upstream(write: &Write<'_>, row: upstream::Model) -> Result<(), Error> {
    let there = upstream::Entity::find_by_id(&row.name).one(write.db).await?.is_some();
    let row = row.into_active_model().reset_all();
    if there {
        upstream::Entity::update(row).exec(write.db).await?;
    } else {
        upstream::Entity::insert(row).exec_without_returning(write.db).await?;
    }
    Ok(())
}

/// Writes an answer, in place of its row if it is there.
async fn put_answer(write: &Write<'_>, row: Model, there: bool) -> Result<(), Error> {
    let id = row.response_id;
    let row = row.into_active_model().reset_all();
    if there {
        Entity::update_many().set(row).filter(Column::ResponseId.eq(id)).exec(write.db).await?;
    } else {
        Entity::insert(row).exec_without_returning(write.db).await?;
    }
    Ok(())
}
