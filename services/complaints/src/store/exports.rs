//! Everything that is held of a customer, page by page in the order of ids.

use barometer_chassis::{door::Page, error::Error};
use barometer_directory::CustomerId;
use sea_orm::{
    ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Order, SimpleExpr},
};

use crate::{case, follow_up, incident_customer, promise, survey_answer};

/// Cases, withdrawn ones too.
pub(crate) async fn list_cases_of(
    db: &impl ConnectionTrait,
    customer: CustomerId,
    page: Page,
) -> Result<Vec<case::Model>, Error> {
    list::<case::Entity>(db, owned_by(customer), page).await
}

/// Promises, withdrawn ones too.
pub(crate) async fn list_promises_of(
    db: &impl ConnectionTrait,
    customer: CustomerId,
    page: Page,
) -> Result<Vec<promise::Model>, Error> {
    list::<promise::Entity>(db, owned_by(customer), page).await
}

/// Incidents that affect the customer.
pub(crate) async fn list_affecting(
    db: &impl ConnectionTrait,
    customer: CustomerId,
    page: Page,
) -> Result<Vec<incident_customer::Model>, Error> {
    list::<incident_customer::Entity>(db, owned_by(customer), page).await
}

/// Follow-ups of the customer's answers.
pub(crate) async fn list_follow_ups_of(
    db: &impl ConnectionTrait,
    customer: CustomerId,
    page: Page,
) -> Result<Vec<follow_up::Model>, Error> {
    list::<follow_up::Entity>(db, owned_by(customer), page).await
}

/// Answers of the customer, as far as they are known.
pub(crate) async fn list_answers_of(
    db: &impl ConnectionTrait,
    customer: CustomerId,
    page: Page,
) -> Result<Vec<survey_answer::Model>, Error> {
    list_by::<survey_answer::Entity>(db, "response_id", owned_by(customer), page).await
}

fn owned_by(customer: CustomerId) -> SimpleExpr {
    Expr::col("customer_id").eq(customer)
}

async fn list<E: EntityTrait>(
    db: &impl ConnectionTrait,
    condition: SimpleExpr,
    page: Page,
) -> Result<Vec<E::Model>, Error> {
    list_by::<E>(db, "id", condition, page).await
}

async fn list_by<E: EntityTrait>(
    db: &impl ConnectionTrait,
    key: &'static str,
    condition: SimpleExpr,
    page: Page,
) -> Result<Vec<E::Model>, Error> {
    let mut select = E::find().filter(condition).order_by(Expr::col(key), Order::Asc);
    if let Some(after) = page.after {
        select = select.filter(Expr::col(key).gt(after.id));
    }
    Ok(select.limit(u64::from(page.size)).all(db).await?)
}
