//! Customers by the keys that other systems gave them.

use std::collections::{HashMap, HashSet};

use barometer_chassis::{
    door::ExternalKey,
    error::Error,
    writer::{Pending, Write, any_of, insert},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::{
    customer::{self, CustomerId, key},
    noun::{Naming, Noun},
};

/// A customer as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum CustomerRef {
    /// By the suite's id.
    Id(CustomerId),
    /// By the caller's key.
    Key(ExternalKey),
}

impl CustomerRef {
    fn id(&self) -> Option<CustomerId> {
        if let Self::Id(id) = self { Some(*id) } else { None }
    }

    fn key(&self) -> Option<&ExternalKey> {
        if let Self::Key(key) = self { Some(key) } else { None }
    }
}

/// Finds the customers of new rows: those of keys are created when new, an unknown id is refused, and then nobody is created
/// for the row.
pub(crate) async fn find_customers<N: Noun>(write: &Write<'_>, rows: &mut [Pending<N>]) -> Result<(), Error> {
    let ids = rows.iter().flat_map(|pending| named(&pending.context)).filter_map(CustomerRef::id).collect();
    let known = existing(write.db, ids).await?;
    for pending in rows.iter_mut() {
        let unknown = named(&pending.context).filter_map(CustomerRef::id).find(|id| !known.contains(id));
        pending.refused = unknown.map(|id| Error::not_found("customer", id));
    }
    let wanted = rows.iter().filter(|pending| pending.refused.is_none());
    let keys = wanted.flat_map(|pending| named(&pending.context)).filter_map(CustomerRef::key).cloned().collect();
    let actor = rows.first().map(|pending| pending.request.actor.clone()).unwrap_or_default();
    let (by_key, _) = find_or_create(write, keys, &actor).await?;
    let find = |customer: &CustomerRef| match customer {
        CustomerRef::Key(key) => by_key.get(key).copied().ok_or_else(|| Error::not_found("customer", &key.value)),
        CustomerRef::Id(id) => Ok(*id),
    };
    for Pending { row, context, refused, .. } in rows.iter_mut().filter(|pending| pending.refused.is_none()) {
        let mut place = || {
            if let Some(customer) = context.customer() {
                row.set_customer(find(customer)?);
            }
            if let Some(other) = context.other() {
                row.set_other(find(other)?);
            }
            row.check()
        };
        *refused = place().err();
    }
    Ok(())
}

/// All that a row names.
fn named(context: &impl Naming) -> impl Iterator<Item = &CustomerRef> {
    context.customer().into_iter().chain(context.other())
}

/// The customers of keys, and which of them were created just now.
pub(crate) async fn find_or_create(
    write: &Write<'_>,
    mut keys: Vec<ExternalKey>,
    actor: &str,
) -> Result<(HashMap<ExternalKey, CustomerId>, HashSet<CustomerId>), Error> {
    keys.sort_unstable();
    keys.dedup();
    let mut found = find_by_keys(write.db, &keys).await?;
    let before = write.position();
    let (mut customers, mut new_keys, mut created) = (Vec::new(), Vec::new(), HashSet::new());
    for key in keys.into_iter().filter(|key| !found.contains_key(key)).collect::<Vec<_>>() {
        let position = write.next_position();
        let id = CustomerId(barometer_chassis::id::new());
        let row = customer::Model {
            id,
            number: position,
            position,
            version: 1,
            actor: actor.to_owned(),
            create_time: write.now,
            update_time: write.now,
            ..customer::Model::default()
        };
        customers.push(row);
        let ExternalKey { system, value } = key.clone();
        new_keys.push(key::Model { system, value, customer_id: id });
        created.insert(id);
        found.insert(key, id);
    }
    insert(write.db, &customers).await?;
    insert(write.db, &new_keys).await?;
    write.tell(before + 1, &customers);
    Ok((found, created))
}

/// The customers of those keys that are known.
pub(crate) async fn find_by_keys(
    db: &impl ConnectionTrait,
    keys: &[ExternalKey],
) -> Result<HashMap<ExternalKey, CustomerId>, Error> {
    let mut systems: HashMap<&str, Vec<&str>> = HashMap::new();
    for key in keys {
        systems.entry(&key.system).or_default().push(&key.value);
    }
    let mut found = HashMap::new();
    for (system, values) in systems {
        let of_system =
            key::Entity::find().filter(key::Column::System.eq(system)).filter(key::Column::Value.is_in(any_of(values)));
        for key::Model { system, value, customer_id } in of_system.all(db).await? {
            found.insert(ExternalKey { system, value }, customer_id);
        }
    }
    Ok(found)
}

/// Gives keys to a customer. ALREADY_EXISTS when one belongs to another.
pub(crate) async fn add_keys(write: &Write<'_>, id: CustomerId, keys: &[ExternalKey]) -> Result<(), Error> {
    let taken = find_by_keys(write.db, keys).await?;
    if let Some(key) = keys.iter().find(|key| taken.get(key).is_some_and(|owner| *owner != id)) {
        let message = format!("the key `{}` of `{}` belongs to another customer", key.value, key.system);
        return Err(Error::Exists { reason: "KEY_TAKEN", message });
    }
    let new = keys.iter().filter(|key| !taken.contains_key(key));
    let row = |key: &ExternalKey| {
        let ExternalKey { system, value } = key.clone();
        key::Model { system, value, customer_id: id }
    };
    let rows: Vec<_> = new.map(row).collect();
    Ok(insert(write.db, &rows).await?)
}

/// Those of the ids that customers have.
async fn existing(db: &impl ConnectionTrait, mut ids: Vec<CustomerId>) -> Result<HashSet<CustomerId>, Error> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let known = customer::Entity::find()
        .select_only()
        .column(customer::Column::Id)
        .filter(customer::Column::Id.is_in(any_of(ids)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(known.into_iter().collect())
}
