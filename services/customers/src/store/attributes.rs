//! The dated attributes of customers: their changes are what was recorded, what holds now is derived from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use barometer_chassis::{clock::Micros, error::Error, writer::Write};
use barometer_proto::customers::v1::Attribute;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::{
    attribute_change,
    customer::{self, CustomerId, Segments},
};

/// What is to be recorded of a customer's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    /// From this instant on.
    From(Micros),
    /// What is said for the first time holds from then (or from ever) on, anything else from the instant of the write.
    FirstFrom(Option<Micros>),
}

/// Before everything that can be recorded: 0001-01-01T00:00:00Z.
const EVER: Micros = Micros(-62_135_596_800_000_000);

/// Records what differs between the attributes that hold now and those that are to hold. `Some(empty)` clears.
pub(crate) async fn record_attributes(
    write: &Write<'_>,
    row: &customer::Model,
    wanted: &customer::Model,
    recording: Recording,
) -> Result<bool, Error> {
    let changes = differences(row, wanted);
    if changes.is_empty() {
        return Ok(false);
    }
    let said = match recording {
        Recording::From(_) => BTreeSet::new(),
        Recording::FirstFrom(_) => {
            let of_customer = attribute_change::Column::CustomerId.eq(row.id);
            let earlier = attribute_change::Entity::find().filter(of_customer).all(write.db).await?;
            earlier.into_iter().map(|change| change.attribute).collect()
        }
    };
    let change = |(attribute, value, leaves): (Attribute, String, bool)| {
        let attribute = i32::from(attribute);
        let position = write.next_position();
        let time = match recording {
            Recording::From(time) => time,
            Recording::FirstFrom(time) if !said.contains(&attribute) => time.unwrap_or(EVER),
            Recording::FirstFrom(_) => write.now,
        };
        attribute_change::Model {
            id: barometer_chassis::id::new(),
            number: position,
            position,
            version: 1,
            customer_id: row.id,
            time,
            attribute,
            value,
            leaves,
            actor: wanted.actor.clone(),
            create_time: write.now,
            update_time: write.now,
            ..attribute_change::Model::default()
        }
    };
    let rows: Vec<_> = changes.into_iter().map(change).map(|row| row.into_active_model().reset_all()).collect();
    attribute_change::Entity::insert_many(rows).exec_without_returning(write.db).await?;
    refresh_attributes(write, BTreeSet::from([row.id])).await?;
    Ok(true)
}

/// Derives what holds now of these customers again, and keeps it beside them. Their etags change with it; their place in
/// the feed does not, where each change of an attribute is a fact of its own.
pub(crate) async fn refresh_attributes(write: &Write<'_>, customers: BTreeSet<CustomerId>) -> Result<(), Error> {
    let changes = attribute_change::Entity::find()
        .filter(attribute_change::Column::CustomerId.is_in(customers.iter().copied()))
        .filter(attribute_change::Column::WithdrawTime.is_null())
        .filter(attribute_change::Column::Time.lte(write.now))
        .order_by_asc(attribute_change::Column::Time)
        .order_by_asc(attribute_change::Column::Number)
        .all(write.db)
        .await?;
    let mut held: BTreeMap<CustomerId, Held> = customers.iter().map(|id| (*id, Held::default())).collect();
    for change in changes {
        held.entry(change.customer_id).or_default().apply(change);
    }
    let ids = held.keys().copied();
    let rows = customer::Entity::find().filter(customer::Column::Id.is_in(ids)).all(write.db).await?;
    let rows: HashMap<CustomerId, customer::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    for (id, Held { tier, country, member, segments, value_band }) in held {
        let holds = |row: &customer::Model| {
            (&row.tier, &row.country, &row.member, &row.segments.0, &row.value_band)
                == (&tier, &country, &member, &segments, &value_band)
        };
        let Some(row) = rows.get(&id).filter(|row| !holds(row)) else { continue };
        let update = customer::ActiveModel {
            id: Set(id),
            version: Set(row.version + 1),
            update_time: Set(write.now),
            tier: Set(tier),
            country: Set(country),
            member: Set(member),
            segments: Set(Segments(segments)),
            value_band: Set(value_band),
            ..Default::default()
        };
        update.update(write.db).await?;
    }
    Ok(())
}

/// The attributes of a customer at one instant: its changes until then, applied in their order.
#[derive(Debug, Default)]
struct Held {
    tier: String,
    country: String,
    member: Option<bool>,
    segments: BTreeSet<String>,
    value_band: String,
}

impl Held {
    fn apply(&mut self, change: attribute_change::Model) {
        match Attribute::try_from(change.attribute).unwrap_or_default() {
            Attribute::Tier => self.tier = change.value,
            Attribute::Country => self.country = change.value,
            Attribute::Member => self.member = change.value.parse().ok(),
            Attribute::Segment if change.leaves => drop(self.segments.remove(&change.value)),
            Attribute::Segment => drop(self.segments.insert(change.value)),
            Attribute::ValueBand => self.value_band = change.value,
            Attribute::Unspecified => {}
        }
    }
}

/// The changes that lead from one set of attributes to another.
fn differences(row: &customer::Model, wanted: &customer::Model) -> Vec<(Attribute, String, bool)> {
    let mut changes = Vec::new();
    if row.tier != wanted.tier {
        changes.push((Attribute::Tier, wanted.tier.clone(), false));
    }
    if row.country != wanted.country {
        changes.push((Attribute::Country, wanted.country.clone(), false));
    }
    if row.member != wanted.member {
        changes.push((Attribute::Member, wanted.member.map(|member| member.to_string()).unwrap_or_default(), false));
    }
    if row.value_band != wanted.value_band {
        changes.push((Attribute::ValueBand, wanted.value_band.clone(), false));
    }
    let (old, new) = (&row.segments.0, &wanted.segments.0);
    changes.extend(new.difference(old).map(|segment| (Attribute::Segment, segment.clone(), false)));
    changes.extend(old.difference(new).map(|segment| (Attribute::Segment, segment.clone(), true)));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tier: &str, member: Option<bool>, segments: &[&str]) -> customer::Model {
        let segments = Segments(segments.iter().map(ToString::to_string).collect());
        customer::Model { tier: tier.to_owned(), member, segments, ..customer::Model::default() }
    }

    #[test]
    fn only_what_differs_is_a_change() {
        assert!(differences(&row("gold", None, &["a"]), &row("gold", None, &["a"])).is_empty());
        let changes = differences(&row("gold", Some(true), &["a", "b"]), &row("", None, &["b", "c"]));
        let said: Vec<_> = changes.iter().map(|(of, value, leaves)| (*of, value.as_str(), *leaves)).collect();
        let expected = [
            (Attribute::Tier, "", false),
            (Attribute::Member, "", false),
            (Attribute::Segment, "c", false),
            (Attribute::Segment, "a", true),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn applying_the_differences_leads_to_what_was_wanted() {
        let wanted = row("silver", Some(false), &["x"]);
        let mut held = Held::default();
        for (attribute, value, leaves) in differences(&row("", None, &[]), &wanted) {
            let attribute = attribute.into();
            held.apply(attribute_change::Model { attribute, value, leaves, ..Default::default() });
        }
        assert_eq!((held.tier, held.member, held.segments), (wanted.tier, wanted.member, wanted.segments.0));
    }
}
