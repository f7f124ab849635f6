//! The queues of teams: open cases, the most urgent first.

use barometer_chassis::{
    clock::Micros,
    door::{Page, PageToken},
    error::Error,
    writer::any_of,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Order, Query, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    case::{Column, Entity, Model},
    claim, urgency,
};

/// The conditions of the index: in numbers, as it has them, so that it can be used.
const OPEN: &str = "state IN (1, 2, 3, 4, 5)";
/// The open states in which nobody is waited for.
const IDLE: &str = "state IN (1, 2, 3)";

/// A case in its queue, and whether somebody works on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Queued {
    pub(crate) case: Model,
    pub(crate) claimed: bool,
}

/// The case that an employee is to take next, if there is one: the most urgent of those that nobody has and those that the
/// employee has, on which nobody works. One that waits only once its urgency has passed: of what stands meanwhile nothing is
/// due.
pub(crate) async fn find_next(
    db: &impl ConnectionTrait,
    team: &str,
    employee: &str,
    now: Micros,
) -> Result<Option<Uuid>, Error> {
    let waiting = Condition::all().add(Column::DueTime.is_not_null()).add(urgency().lte(now));
    let worked_on = Query::select()
        .column(claim::Column::CaseId)
        .from(claim::Entity)
        .and_where(claim::Column::EndTime.is_null())
        .to_owned();
    let mut first: Option<(i64, Uuid)> = None;
    // One after the other, each in the order of the index.
    for holder in ["", employee] {
        let next = queue(team)
            .select_only()
            .column_as(urgency(), "urgency")
            .column(Column::Id)
            .filter(Column::Employee.eq(holder))
            .filter(Condition::any().add(Expr::cust(IDLE)).add(waiting.clone()))
            .filter(Column::Id.not_in_subquery(worked_on.clone()))
            .order_by(urgency(), Order::Asc)
            .order_by(Column::Id, Order::Asc)
            .limit(1);
        first = first.into_iter().chain(next.into_tuple().one(db).await?).min();
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
    let mut select = queue(team).order_by(urgency(), Order::Asc).order_by(Column::Id, Order::Asc).limit(page.limit());
    if let Some(PageToken { key, id }) = page.after {
        let same = Condition::all().add(urgency().eq(key)).add(Column::Id.gt(id));
        select = select.filter(Condition::any().add(urgency().gt(key)).add(same));
    }
    let (cases, next) = page.cut(select.all(db).await?, |case| PageToken { key: case.urgency().0, id: case.id });
    Ok((with_claims(db, cases, now).await?, next))
}

/// The open cases of a team of which something is due until an instant, the first due first; at most `max`.
pub(crate) async fn list_due_cases(
    db: &impl ConnectionTrait,
    team: &str,
    until: Micros,
    now: Micros,
    max: u64,
) -> Result<Vec<Queued>, Error> {
    let due = queue(team).filter(Column::DueTime.lte(until));
    let due = due.order_by_asc(Column::DueTime).order_by_asc(Column::Id).limit(max);
    with_claims(db, due.all(db).await?, now).await
}

/// The open cases of a team.
fn queue(team: &str) -> Select<Entity> {
    Entity::find().filter(Column::Team.eq(team)).filter(Column::WithdrawTime.is_null()).filter(Expr::cust(OPEN))
}

fn urgency() -> SimpleExpr {
    Expr::cust(format!("({})", urgency::SQL))
}

async fn with_claims(db: &impl ConnectionTrait, cases: Vec<Model>, now: Micros) -> Result<Vec<Queued>, Error> {
    use claim::Column as Of;
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let ids = cases.iter().map(|case| case.id).collect();
    let running = claim::Entity::find().select_only().column(Of::CaseId).filter(Of::CaseId.is_in(any_of::<Uuid>(ids)));
    let running = running.filter(Of::EndTime.is_null()).filter(Of::LeaseTime.gt(now));
    let running: std::collections::HashSet<Uuid> = running.into_tuple().all(db).await?.into_iter().collect();
    Ok(cases.into_iter().map(|case| Queued { claimed: running.contains(&case.id), case }).collect())
}
