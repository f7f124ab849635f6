//! What customers spent, and what else tells what they are worth.

use std::collections::HashMap;

use barometer_chassis::{clock::Micros, door::Currency, error::Error, writer::any_of};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{CaseStatement, Expr, ExprTrait, Func, SimpleExpr},
};

use crate::{
    customer::{self, CustomerId},
    purchase,
    value::{Spend, WINDOW},
};

/// What the customer's row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// As somebody said; empty when nobody did.
    pub(crate) value_band: String,
    /// The tier that holds now.
    pub(crate) tier: String,
    /// The country that holds now.
    pub(crate) country: String,
}

/// What is known of those of these customers that there are.
pub(crate) async fn find_standings(
    db: &impl ConnectionTrait,
    ids: &[CustomerId],
) -> Result<HashMap<CustomerId, Standing>, Error> {
    use customer::Column;
    let select = customer::Entity::find().select_only();
    let select = select.columns([Column::Id, Column::ValueBand, Column::Tier, Column::Country]);
    let select = select.filter(Column::Id.is_in(any_of(ids.to_vec())));
    let rows: Vec<(CustomerId, String, String, String)> = select.into_tuple().all(db).await?;
    let standing = |(id, value_band, tier, country)| (id, Standing { value_band, tier, country });
    Ok(rows.into_iter().map(standing).collect())
}

/// What each of these customers spent until `now`, over as long as it counts, in each of these currencies in which they
/// ever bought, by the currency's code.
pub(crate) async fn find_spend(
    db: &impl ConnectionTrait,
    ids: &[CustomerId],
    currencies: Vec<Currency>,
    now: Micros,
) -> Result<HashMap<CustomerId, Vec<Spend>>, Error> {
    use purchase::Column;
    let mut spent: HashMap<CustomerId, Vec<Spend>> = HashMap::new();
    if currencies.is_empty() {
        return Ok(spent);
    }
    let codes = currencies.iter().map(|currency| currency.as_str().to_owned()).collect();
    let rows: Vec<(CustomerId, String, i64, i64)> = purchase::Entity::find()
        .select_only()
        .columns([Column::CustomerId, Column::Currency])
        .column_as(recent("amount / 1000000", now), "units")
        .column_as(recent("amount % 1000000", now), "micros")
        .filter(Column::CustomerId.is_in(any_of(ids.to_vec())))
        .filter(Column::Currency.is_in(any_of::<String>(codes)))
        .filter(Column::Time.lte(now))
        .filter(Column::WithdrawTime.is_null())
        .group_by(Column::CustomerId)
        .group_by(Column::Currency)
        .into_tuple()
        .all(db)
        .await?;
    for (customer, code, units, micros) in rows {
        let Some(currency) = Currency::parse(&code) else { continue };
        let micros = i128::from(units) * 1_000_000 + i128::from(micros);
        spent.entry(customer).or_default().push(Spend { currency, micros });
    }
    spent.values_mut().for_each(|spent| spent.sort_unstable_by_key(|spend| spend.currency));
    Ok(spent)
}

/// The sum of a part of the amounts that are recent enough to count. In two parts, whole units and the rest, neither sum
/// can grow out of 64 bits.
fn recent(part: &'static str, now: Micros) -> SimpleExpr {
    let recent = purchase::Column::Time.gt(Micros(now.0.saturating_sub(WINDOW)));
    let part = CaseStatement::new().case(recent, Expr::cust(part)).finally(0_i64);
    SimpleExpr::from(Func::sum(part)).cast_as("bigint")
}
