//! What employees and teams have to do, and what went from hand to hand.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::{clock::Micros, door::NamedPage, error::Error, writer::any_of};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{CaseStatement, Expr, ExprTrait, Func, Order, Query, SimpleExpr},
};

use crate::{case, case_entry, claim};

/// Of whom it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of each employee.
    Employee,
    /// Of each team.
    Team,
}

impl Whose {
    /// The column that names them, in cases, claims and entries alike.
    fn column(self) -> &'static str {
        match self {
            Whose::Employee => "employee",
            Whose::Team => "team",
        }
    }

    /// The column that names who had a case before.
    fn previous(self) -> &'static str {
        match self {
            Whose::Employee => "previous_employee",
            Whose::Team => "previous_team",
        }
    }
}

/// What is asked of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// What is due before is due soon.
    pub(crate) soon: Micros,
    /// When it is asked.
    pub(crate) now: Micros,
    /// Hand-offs from here
    pub(crate) from: Micros,
    /// until before here.
    pub(crate) until: Micros,
}

/// What one of them has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) open: i64,
    pub(crate) claimed: i64,
    pub(crate) overdue: i64,
    pub(crate) due_soon: i64,
    pub(crate) hand_offs_in: i64,
    pub(crate) hand_offs_out: i64,
}

/// A page of them, by name and byte by byte; and the token of the next page.
pub(crate) async fn list_workloads(
    db: &impl ConnectionTrait,
    whose: Whose,
    span: Span,
    page: &NamedPage,
) -> Result<(Vec<Workload>, String), Error> {
    let (column, previous) = (whose.column(), whose.previous());
    let mut names = BTreeSet::new();
    names.extend(named(db, open(), column, page).await?);
    names.extend(named(db, running(span.now), column, page).await?);
    names.extend(named(db, hand_offs(span), column, page).await?);
    names.extend(named(db, hand_offs(span), previous, page).await?);
    let (names, next) = page.cut(names.into_iter().collect());
    let mut loads: BTreeMap<String, Workload> = BTreeMap::new();
    for name in &names {
        loads.insert(name.clone(), Workload { name: name.clone(), ..Workload::default() });
    }
    if !names.is_empty() {
        let of_names = |column: &'static str| Expr::col(column).is_in(any_of(names.clone()));
        let due = |from: SimpleExpr| {
            SimpleExpr::from(Func::sum(CaseStatement::new().case(from, 1_i64).finally(0_i64))).cast_as("bigint")
        };
        let overdue = Expr::col("due_time").lt(span.now);
        let soon = Expr::col("due_time").gte(span.now).and(Expr::col("due_time").lte(span.soon));
        let select = open().select_only().column_as(Expr::col(column), "name").column_as(count(), "open");
        let select = select.column_as(due(overdue), "overdue").column_as(due(soon), "due_soon");
        let rows = select.filter(of_names(column)).group_by(Expr::col(column)).into_tuple().all(db).await?;
        for (name, open, overdue, due_soon) in rows {
            let name: String = name;
            if let Some(load) = loads.get_mut(&name) {
                (load.open, load.overdue, load.due_soon) = (open, overdue, due_soon);
            }
        }
        for (name, claimed) in counts(db, running(span.now).filter(of_names(column)), column).await? {
            loads.entry(name).or_default().claimed = claimed;
        }
        let changed = Expr::col(column).not_equals(previous);
        let came = hand_offs(span).filter(of_names(column)).filter(changed.clone());
        for (name, came) in counts(db, came, column).await? {
            loads.entry(name).or_default().hand_offs_in = came;
        }
        let went = hand_offs(span).filter(of_names(previous)).filter(changed);
        for (name, went) in counts(db, went, previous).await? {
            loads.entry(name).or_default().hand_offs_out = went;
        }
    }
    Ok((loads.into_values().collect(), next))
}

/// The open cases.
fn open() -> Select<case::Entity> {
    case::Entity::find().filter(case::Column::WithdrawTime.is_null()).filter(Expr::cust("state IN (1, 2, 3, 4, 5)"))
}

/// The claims that run.
fn running(now: Micros) -> Select<claim::Entity> {
    use claim::Column;
    claim::Entity::find().filter(Column::EndTime.is_null()).filter(Column::LeaseTime.gt(now))
}

/// The assignments of a period that took a case from an employee or a team that had it, as
/// [`Holder`](crate::case::Holder) has it; those of withdrawn cases apart.
pub(super) fn hand_offs(Span { from, until, .. }: Span) -> Select<case_entry::Entity> {
    use case_entry::Column;
    let taken =
        |before: &'static str, after: &'static str| Expr::col(before).ne("").and(Expr::col(before).not_equals(after));
    // Asked of each entry of the period: of cases there are far more.
    let there = Query::select()
        .expr(Expr::val(1))
        .from(case::Entity)
        .and_where(Expr::col((case::Entity, case::Column::Id)).equals((case_entry::Entity, Column::CaseId)))
        .and_where(Expr::col((case::Entity, case::Column::WithdrawTime)).is_null())
        .to_owned();
    case_entry::Entity::find()
        // In a number, as the index has it: ASSIGNED.
        .filter(Expr::cust("type = 7"))
        .filter(Column::Time.gte(from))
        .filter(Column::Time.lt(until))
        .filter(Condition::any().add(taken("previous_employee", "employee")).add(taken("previous_team", "team")))
        .filter(Expr::exists(there))
}

/// The names in a column, as many as a page has and one more.
async fn named<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    column: &'static str,
    page: &NamedPage,
) -> Result<Vec<String>, Error> {
    let name = by_bytes(db, column);
    let after = page.after.clone().unwrap_or_default();
    let select = rows.select_only().column_as(name.clone(), "name").distinct();
    let select = select.filter(name.clone().gt(after)).order_by(name, Order::Asc).limit(page.limit());
    Ok(select.into_tuple().all(db).await?)
}

/// A column in the order in which names are put together and cut: PostgreSQL has one of its own.
fn by_bytes(db: &impl ConnectionTrait, column: &'static str) -> SimpleExpr {
    match db.get_database_backend() {
        DbBackend::Postgres => Expr::cust(format!("{column} COLLATE \"C\"")),
        _ => Expr::col(column),
    }
}

async fn counts<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    column: &'static str,
) -> Result<Vec<(String, i64)>, Error> {
    let select = rows.select_only().column_as(Expr::col(column), "name").column_as(count(), "rows");
    Ok(select.group_by(Expr::col(column)).into_tuple().all(db).await?)
}

fn count() -> SimpleExpr {
    SimpleExpr::from(Func::count(Expr::cust("*"))).cast_as("bigint")
}
