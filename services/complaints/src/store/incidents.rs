//! Incidents: which cases belong to them, whom they affect.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use barometer_chassis::{
    door::{Page, PageToken},
    error::Error,
    id, reader,
    writer::{self, Done, Write},
};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{CaseEntryType, IncidentCaseResult, IncidentState, case::State};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::{add_entries, erased_traces::find_erased_customers};
use crate::{
    case,
    case_entry::{self, CaseId, Said},
    incident::{Column as Of, Entity, IncidentId, MAX_CUSTOMERS, Model},
    incident_case, incident_customer,
    incident_task::{self, Work},
};

/// How many incidents are open.
pub(crate) async fn count_open_incidents(db: &impl ConnectionTrait) -> Result<u64, Error> {
    Ok(Entity::find().filter(Of::State.eq(i32::from(IncidentState::Open))).count(db).await?)
}

/// A page of incidents that meet `filter`, newest first by their start; and the token of the next page.
pub(crate) async fn list_incidents(
    db: &impl ConnectionTrait,
    page: Page,
    filter: Condition,
) -> Result<(Vec<Model>, String), Error> {
    let select = reader::newest_first::<Entity>(page, "start_time").filter(filter);
    Ok(page.cut(select.all(db).await?, place_of_incident))
}

/// An incident's place in a list.
pub(crate) fn place_of_incident(row: &Model) -> PageToken {
    PageToken { key: row.start_time.0, id: row.id }
}

/// A page of the cases of an incident, those that were linked last first.
pub(crate) async fn list_incident_cases(
    db: &impl ConnectionTrait,
    incident: IncidentId,
    page: Page,
) -> Result<(Vec<incident_case::Model>, String), Error> {
    use incident_case::Column;
    let select = reader::newest_first::<incident_case::Entity>(page, "create_time");
    let select = select.filter(Column::IncidentId.eq(incident)).filter(Column::Unlinked.eq(false));
    Ok(page.cut(select.all(db).await?, |row| PageToken { key: row.create_time.0, id: row.id }))
}

/// A page of the customers whom an incident affects, those who were named last first.
pub(crate) async fn list_affected(
    db: &impl ConnectionTrait,
    incident: IncidentId,
    page: Page,
) -> Result<(Vec<incident_customer::Model>, String), Error> {
    let select = reader::newest_first::<incident_customer::Entity>(page, "create_time");
    let select = select.filter(incident_customer::Column::IncidentId.eq(incident));
    Ok(page.cut(select.all(db).await?, |row| PageToken { key: row.create_time.0, id: row.id }))
}

/// The incidents that a case is linked to.
pub(crate) async fn list_incidents_of(db: &impl ConnectionTrait, case: CaseId) -> Result<Vec<IncidentId>, Error> {
    use incident_case::Column;
    let links = incident_case::Entity::find().select_only().column(Column::IncidentId);
    let links = links.filter(Column::CaseId.eq(case)).filter(Column::Unlinked.eq(false));
    Ok(links.order_by_asc(Column::Id).into_tuple().all(db).await?)
}

/// Links cases that were just written to the open incidents whose rules they meet.
pub(crate) async fn link_by_rules(write: &Write<'_>, cases: &[case::Model]) -> Result<(), Error> {
    let open = Entity::find().filter(Of::State.eq(i32::from(IncidentState::Open)));
    for incident in open.filter(Of::Rule.is_not_null()).all(write.db).await? {
        let belong: Vec<case::Model> = cases.iter().filter(|case| belongs(&incident, case)).cloned().collect();
        link_cases(write, &incident, belong, true, &incident.actor).await?;
    }
    Ok(())
}

/// Whether a case belongs to an incident by its rule. What was imported is the past of another desk: nobody is told of it.
pub(crate) fn belongs(incident: &Model, case: &case::Model) -> bool {
    let counts = !matches!(case.state(), State::Cancelled | State::Merged) && case.withdraw_time.is_none();
    let (rule, is_imported) = (incident.rule.as_ref(), case.quiet_until.is_some());
    counts && !is_imported && case.open_time >= incident.start_time && rule.is_some_and(|rule| rule.matches(case))
}

/// Links cases to an incident, and names their customers; how many were not linked before. A case that was taken out by
/// hand is linked again by hand only.
pub(crate) async fn link_cases(
    write: &Write<'_>,
    incident: &Model,
    cases: Vec<case::Model>,
    by_rule: bool,
    actor: &str,
) -> Result<usize, Error> {
    use incident_case::Column;
    if cases.is_empty() {
        return Ok(0);
    }
    let ids: Vec<CaseId> = cases.iter().map(|case| CaseId(case.id)).collect();
    let known = incident_case::Entity::find().filter(Column::IncidentId.eq(incident.id()));
    let known = known.filter(Column::CaseId.is_in(writer::any_of(ids))).all(write.db).await?;
    let known: BTreeMap<CaseId, incident_case::Model> = known.into_iter().map(|row| (row.case_id, row)).collect();
    let (mut rows, mut again, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        match known.get(&CaseId(case.id)) {
            Some(row) if row.unlinked && !by_rule => again.push(row.id),
            Some(_) => continue,
            None => rows.push(incident_case::Model {
                id: id::new(),
                incident_id: incident.id(),
                case_id: CaseId(case.id),
                by_rule,
                unlinked: false,
                result: IncidentCaseResult::Unspecified.into(),
                create_time: write.now,
            }),
        }
        linked.push(case);
    }
    writer::insert(write.db, &rows).await?;
    if !again.is_empty() {
        let update = incident_case::Entity::update_many().col_expr(Column::Unlinked, Expr::value(false));
        let update = update.col_expr(Column::ByRule, Expr::value(false));
        update.filter(Column::Id.is_in(again)).exec(write.db).await?;
    }
    let customers: BTreeSet<CustomerId> = linked.iter().filter_map(|case| case.customer_id).collect();
    let count = linked.len();
    count_up(write, incident.id(), &[(Of::LinkedCases, count)]).await?;
    // More than may be are not named; their cases are linked all the same.
    match add_affected(write, incident, customers).await {
        Ok(_) | Err(Error::State { .. }) => {}
        Err(error) => return Err(error),
    }
    tell(write, linked, CaseEntryType::IncidentLinked, incident.id(), actor).await?;
    Ok(count)
}

/// Takes a case out of an incident. NOT_FOUND when it is not in it.
pub(crate) async fn unlink_case(write: &Write<'_>, incident: &Model, case: Uuid, actor: &str) -> Result<(), Error> {
    use incident_case::Column;
    let links = incident_case::Entity::find().filter(Column::IncidentId.eq(incident.id()));
    let link = links.filter(Column::CaseId.eq(CaseId(case))).filter(Column::Unlinked.eq(false)).one(write.db).await?;
    let link = link.ok_or_else(|| Error::not_found("link", case))?;
    let update = incident_case::Entity::update_many().col_expr(Column::Unlinked, Expr::value(true));
    update.filter(Column::Id.eq(link.id)).exec(write.db).await?;
    let update = Entity::update_many();
    let less = Expr::col(Of::LinkedCases).sub(1);
    update.col_expr(Of::LinkedCases, less).filter(Of::Id.eq(incident.id)).exec(write.db).await?;
    let case: Vec<case::Model> = case::Entity::find_by_id(case).all(write.db).await?;
    let case = case.into_iter().filter(|case| case.withdraw_time.is_none()).collect();
    tell(write, case, CaseEntryType::IncidentUnlinked, incident.id(), actor).await
}

/// Names customers as affected, but for those who were erased; how many were not named before. FAILED_PRECONDITION when they
/// are too many.
pub(crate) async fn add_affected(
    write: &Write<'_>,
    incident: &Model,
    customers: BTreeSet<CustomerId>,
) -> Result<usize, Error> {
    use incident_customer::Column;
    let erased = find_erased_customers(write.db, customers.iter().copied()).await?;
    let customers: BTreeSet<CustomerId> = customers.into_iter().filter(|id| !erased.contains(id)).collect();
    if customers.is_empty() {
        return Ok(0);
    }
    let known = incident_customer::Entity::find().select_only().column(Column::CustomerId);
    let known = known.filter(Column::IncidentId.eq(incident.id()));
    let named = writer::any_of(customers.iter().copied().collect());
    let known: HashSet<CustomerId> =
        known.filter(Column::CustomerId.is_in(named)).into_tuple().all(write.db).await?.into_iter().collect();
    let row = |(number, customer_id)| incident_customer::Model {
        id: id::new(),
        incident_id: incident.id(),
        customer_id,
        create_time: write.now,
        number,
    };
    let new = customers.into_iter().filter(|id| !known.contains(id));
    let numbers = last_number(write.db, incident.id()).await? + 1..;
    let rows: Vec<_> = numbers.zip(new).map(row).collect();
    // As it is in this transaction: the row at hand may be older.
    let now = reader::get::<Model>(write.db, incident.id).await?.affected_customers;
    if now + i64::try_from(rows.len()).unwrap_or(i64::MAX) > MAX_CUSTOMERS {
        let message = format!("an incident affects {MAX_CUSTOMERS} customers at most");
        return Err(Error::State { reason: "TOO_MANY_CUSTOMERS", message });
    }
    writer::insert(write.db, &rows).await?;
    count_up(write, incident.id(), &[(Of::AffectedCustomers, rows.len())]).await?;
    Ok(rows.len())
}

/// The number of the customer who was named last; 0 when there is none.
pub(super) async fn last_number(db: &impl ConnectionTrait, incident: IncidentId) -> Result<i64, Error> {
    use incident_customer::Column;
    let last = incident_customer::Entity::find().select_only().column(Column::Number);
    let last = last.filter(Column::IncidentId.eq(incident)).order_by_desc(Column::Number).limit(1);
    Ok(last.into_tuple().one(db).await?.unwrap_or_default())
}

/// One customer less is affected.
pub(super) async fn forget_affected(write: &Write<'_>, incident: IncidentId) -> Result<(), Error> {
    let less = Expr::col(Of::AffectedCustomers).sub(1);
    let update = Entity::update_many().col_expr(Of::AffectedCustomers, less);
    update.filter(Of::Id.eq(incident.0)).exec(write.db).await?;
    Ok(())
}

/// Ends an incident, and begins to resolve its cases. Errors: as of [`writer::current`]; FAILED_PRECONDITION.
pub(crate) async fn end_incident(
    write: &Write<'_>,
    id: Uuid,
    etag: &str,
    message: String,
    actor: &str,
) -> Result<Done, Error> {
    let incident: Model = writer::current(write, id, etag).await?;
    let ended = incident.clone().end(write.now)?;
    // However many others are at work: of this task there is one at most, and they end by it.
    let task = incident_task::Model::new(incident.id(), Work::ResolveCases(message), actor, write.now);
    writer::insert(write.db, &[task]).await?;
    writer::replace(write, incident, ended).await
}

/// Adds to counts of an incident. They are no part of its version.
pub(crate) async fn count_up(write: &Write<'_>, incident: IncidentId, counts: &[(Of, usize)]) -> Result<(), Error> {
    let mut update = Entity::update_many();
    for (column, more) in counts {
        let more = i64::try_from(*more).unwrap_or(i64::MAX);
        update = update.col_expr(*column, Expr::col(*column).add(more));
    }
    update.filter(Of::Id.eq(incident.0)).exec(write.db).await?;
    Ok(())
}

/// Writes an entry into the history of each case.
async fn tell(
    write: &Write<'_>,
    cases: Vec<case::Model>,
    event: CaseEntryType,
    incident: IncidentId,
    actor: &str,
) -> Result<(), Error> {
    let said = Said { incident: Some(incident), ..Said::default() };
    let entries = cases.into_iter().flat_map(|case| {
        let step = case.told(event, write.now);
        case_entry::of_step(&step, actor, &said, write.now)
    });
    add_entries(write, entries.collect()).await
}
