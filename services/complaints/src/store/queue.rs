//! The queues of teams: open cases, the most urgent first.

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
};
use barometer_proto::complaints::v1::ClaimEnd;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Expr, ExprTrait, Order, Query, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    case::{Column, Entity},
    case_entry, claim, urgency,
};

/// The conditions of the indices: in numbers, as they have them, so that they can be used.
const OPEN: &str = "state IN (1, 2, 3, 4, 5)";
/// The open states in which nobody is waited for.
const IDLE: &str = "state IN (1, 2, 3)";

/// A case as it stands in its queue: what is told of it there, none of which is long.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Queued {
    pub(crate) id: Uuid,
    /// How urgent it is against others: the earlier the more.
    pub(crate) urgency: Micros,
    pub(crate) due_time: Option<Micros>,
    pub(crate) due_clock: Option<i32>,
    pub(crate) state: i32,
    pub(crate) kind: i32,
    pub(crate) severity: i32,
    pub(crate) priority: i32,
    pub(crate) value_band: String,
    pub(crate) category: String,
    pub(crate) product: String,
    pub(crate) employee: String,
    /// Whether somebody works on it.
    pub(crate) claimed: bool,
    pub(crate) open_time: Micros,
}

/// The case that an employee is to take next, if there is one: the most urgent of those that nobody has and those that the
/// employee has, on which nobody works. One that waits only once its urgency has passed, if anything of it is due: of what
/// stands meanwhile nothing is. One that the employee has finished for now only once something has happened to it since.
pub(crate) async fn find_next(
    db: &impl ConnectionTrait,
    team: &str,
    employee: &str,
    now: Micros,
) -> Result<Option<Uuid>, Error> {
    let mut first: Option<(i64, Uuid)> = None;
    // One after the other, each in the order of the index.
    for holder in ["", employee] {
        first = first.into_iter().chain(next_of(team, holder, now).into_tuple().one(db).await?).min();
    }
    Ok(first.map(|(_, id)| id))
}

/// A page of the open cases of a team, the most urgent first; and the token of the next page.
pub(crate) async fn list_queue(
    db: &impl ConnectionTrait,
    team: &str,
    page: Page,
    now: Micros,
) -> Result<(Vec<Queued>, String), Error> {
    Ok(page.cut(page_of(team, page, now).into_model().all(db).await?, place_of_queued))
}

/// A case's place in its queue.
pub(crate) fn place_of_queued(case: &Queued) -> PageToken {
    PageToken { key: case.urgency.0, id: case.id }
}

/// The open cases of a team of which something is due until an instant, the first due first; at most `max`.
pub(crate) async fn list_due_cases(
    db: &impl ConnectionTrait,
    team: &str,
    until: Micros,
    now: Micros,
    max: u64,
) -> Result<Vec<Queued>, Error> {
    Ok(due_of(team, until, now, max).into_model().all(db).await?)
}

/// How urgent the most urgent case of a holder is that can be handed out, and which that is.
pub(super) fn next_of(team: &str, holder: &str, now: Micros) -> Select<Entity> {
    let overdue = Condition::all().add(Column::DueTime.is_not_null()).add(urgency().lte(now));
    let worked_on = Query::select()
        .column(claim::Column::CaseId)
        .from(claim::Entity)
        .and_where(claim::Column::EndTime.is_null())
        .to_owned();
    let next = queue(team).select_only().column_as(urgency(), "urgency").column(Column::Id);
    let next = next
        .filter(Column::Employee.eq(holder))
        .filter(Condition::any().add(Expr::cust(IDLE)).add(overdue))
        .filter(Column::Id.not_in_subquery(worked_on));
    // Nobody has finished what nobody has.
    let next = if holder.is_empty() { next } else { next.filter(is_unsettled(holder, now)) };
    next.order_by(urgency(), Order::Asc).order_by(Column::Id, Order::Asc).limit(1)
}

/// Whether there is something to do again of a case that an employee has: each claim that they finished was followed by an
/// entry of its history, or by the instant at which it was due. Positions tell what came after what, whatever clocks say.
fn is_unsettled(employee: &str, now: Micros) -> SimpleExpr {
    use claim::Column as Of;
    let of_claim = |column| Expr::col((claim::Entity, column));
    let of_entry = |column| Expr::col((case_entry::Entity, column));
    let since = Query::select()
        .expr(Expr::val(1))
        .from(case_entry::Entity)
        .and_where(of_entry(case_entry::Column::CaseId).equals((claim::Entity, Of::CaseId)))
        .and_where(of_entry(case_entry::Column::Position).gt(of_claim(Of::Position)))
        .to_owned();
    let due_time = || Expr::col((Entity, Column::DueTime));
    let not_due_since =
        Condition::any().add(due_time().is_null()).add(due_time().gte(now)).add(due_time().lte(of_claim(Of::EndTime)));
    let settled = Query::select()
        .expr(of_claim(Of::Id).count())
        .from(claim::Entity)
        .and_where(of_claim(Of::CaseId).equals((Entity, Column::Id)))
        .and_where(of_claim(Of::Employee).eq(employee))
        .and_where(of_claim(Of::End).eq(i32::from(ClaimEnd::Finished)))
        .cond_where(not_due_since)
        .and_where(Expr::exists(since).not())
        .to_owned();
    // Counted, and not asked whether there are any: so that it stays a question to each case in the order of the index. And
    // not `= 0`, of which PostgreSQL expects that it hardly ever holds: it would ask all cases, and sort.
    Expr::expr(settled).lt(1)
}

/// A page of the open cases of a team.
pub(super) fn page_of(team: &str, page: Page, now: Micros) -> Select<Entity> {
    let select = shown(team, now).order_by(urgency(), Order::Asc).order_by(Column::Id, Order::Asc).limit(page.limit());
    match page.after {
        None => select,
        Some(PageToken { key, id }) => {
            // As one, so that it says where in the index to begin.
            let place = Expr::tuple([urgency(), Expr::col(Column::Id)]);
            select.filter(place.gt(Expr::tuple([Expr::val(key), Expr::val(id)])))
        }
    }
}

/// The open cases of a team of which something is due until an instant.
pub(super) fn due_of(team: &str, until: Micros, now: Micros, max: u64) -> Select<Entity> {
    let due = shown(team, now).filter(Column::DueTime.lte(until));
    due.order_by_asc(Column::DueTime).order_by_asc(Column::Id).limit(max)
}

/// The open cases of a team, as they stand in its queue.
fn shown(team: &str, now: Micros) -> Select<Entity> {
    use claim::Column as Of;
    let columns = [
        Column::Id,
        Column::DueTime,
        Column::DueClock,
        Column::State,
        Column::Kind,
        Column::Severity,
        Column::Priority,
        Column::ValueBand,
        Column::Category,
        Column::Product,
        Column::Employee,
        Column::OpenTime,
    ];
    let claimed = Query::select()
        .expr(Expr::val(1))
        .from(claim::Entity)
        .and_where(Expr::col((claim::Entity, Of::CaseId)).equals((Entity, Column::Id)))
        .and_where(Expr::col((claim::Entity, Of::EndTime)).is_null())
        .and_where(Expr::col((claim::Entity, Of::LeaseTime)).gt(now))
        .to_owned();
    let select = queue(team).select_only().columns(columns);
    select.column_as(urgency(), "urgency").column_as(Expr::exists(claimed), "claimed")
}

/// The open cases of a team.
fn queue(team: &str) -> Select<Entity> {
    Entity::find().filter(Column::Team.eq(team)).filter(Column::WithdrawTime.is_null()).filter(Expr::cust(OPEN))
}

fn urgency() -> SimpleExpr {
    Expr::cust(format!("({})", urgency::SQL))
}
