//! The book of what was promised: policies and timetables as cases are bound to them, each read and made once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use barometer_chassis::{clock::Micros, error::Error, writer::any_of};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{get_calendar_version, get_policy_set};
use crate::{
    calendar::Timetable,
    calendar_version::{self, CalendarId},
    case,
    clock::{Desk, PolicyVersion, Terms, Version},
    policy::{self, Policy},
    policy_set,
};

/// The most versions of policies, and of calendars, that are kept in memory. When there are more, any of them makes room.
const KEPT: usize = 256;

/// Versions that were read. They never change.
#[derive(Debug, Default)]
pub struct Book {
    policies: Shelf<i64, policy_set::Model>,
    timetables: Shelf<(CalendarId, i64), Kept>,
}

/// A version of a calendar.
#[derive(Debug)]
struct Kept {
    timetable: Arc<Timetable>,
    /// When it came to be.
    since: Micros,
}

/// What cases are bound to that come in now.
#[derive(Debug, Default)]
pub(crate) struct Today {
    policies: Option<Arc<policy_set::Model>>,
    /// The latest versions of the calendars that the policies name.
    calendars: HashMap<CalendarId, i64>,
}

impl Book {
    /// What cases are bound to that come in now: nothing when no policies were published.
    pub(crate) async fn today(&self, db: &impl ConnectionTrait) -> Result<Today, Error> {
        use calendar_version::Column;
        let Some(version) = latest_policies(db).await? else { return Ok(Today::default()) };
        let policies = self.policies(db, version).await?;
        let named = policies.policies.0.iter().map(|policy| policy.calendar_id.0);
        let named = named.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let latest = calendar_version::Entity::find()
            .select_only()
            .columns([Column::Id, Column::Version])
            .filter(Column::Latest.eq(true))
            .filter(Column::Id.is_in(any_of(named)));
        let calendars = latest.into_tuple().all(db).await?.into_iter().collect();
        Ok(Today { policies: Some(policies), calendars })
    }

    /// What the policy of a case demands, and by which calendar; nothing of a case that is bound to none.
    pub(crate) async fn terms(
        &self,
        db: &impl ConnectionTrait,
        case: &case::Model,
    ) -> Result<Option<(Terms, Desk)>, Error> {
        let Some(calendar) = case.calendar_id else { return Ok(None) };
        let set = self.policies(db, case.policy_set_version).await?;
        let policy = set.policies.0.iter().find(|policy| policy.name == case.policy_name);
        let Policy { name, targets, .. } =
            policy.ok_or_else(|| Error::Internal("a case is bound to a policy that is not there".to_owned()))?;
        let policy = PolicyVersion { name: name.clone(), set_version: set.version };
        let desk = self.desk(db, calendar, case.calendar_version).await?;
        Ok(Some((Terms::new(policy, targets.iter().copied()), desk)))
    }

    /// A version of a calendar, to count by.
    pub(crate) async fn desk(&self, db: &impl ConnectionTrait, id: CalendarId, version: i64) -> Result<Desk, Error> {
        let timetable = self.calendar(db, id, version).await?.timetable.clone();
        Ok(Desk { calendar: Version { id: id.0, version }, timetable })
    }

    /// When a version of a calendar came to be.
    pub(super) async fn since(&self, db: &impl ConnectionTrait, id: CalendarId, version: i64) -> Result<Micros, Error> {
        Ok(self.calendar(db, id, version).await?.since)
    }

    async fn calendar(&self, db: &impl ConnectionTrait, id: CalendarId, version: i64) -> Result<Arc<Kept>, Error> {
        match self.timetables.find(&(id, version)) {
            Some(kept) => Ok(kept),
            None => {
                let row = get_calendar_version(db, id, version).await?;
                let timetable = Arc::new(Timetable::new(&row.calendar)?);
                Ok(self.timetables.put((id, version), Kept { timetable, since: row.update_time }))
            }
        }
    }

    async fn policies(&self, db: &impl ConnectionTrait, version: i64) -> Result<Arc<policy_set::Model>, Error> {
        match self.policies.find(&version) {
            Some(policies) => Ok(policies),
            None => Ok(self.policies.put(version, get_policy_set(db, version).await?)),
        }
    }
}

impl Today {
    /// Binds a case that comes in to the first policy that matches it.
    pub(crate) fn bind(&self, case: &mut case::Model) -> Result<(), Error> {
        let Some(set) = &self.policies else { return Ok(()) };
        let broken = |what: &str| Error::Internal(format!("a list of policies was published without {what}"));
        let (_, policy) = policy::choose(&set.policies, &case.subject()).ok_or_else(|| broken("a fallback"))?;
        let version = self.calendars.get(&policy.calendar_id).ok_or_else(|| broken("its calendar"))?;
        (case.policy_set_version, case.policy_name) = (set.version, policy.name.clone());
        (case.calendar_id, case.calendar_version) = (Some(policy.calendar_id), *version);
        Ok(())
    }
}

async fn latest_policies(db: &impl ConnectionTrait) -> Result<Option<i64>, Error> {
    use policy_set::Column;
    let select = policy_set::Entity::find().select_only().column(Column::Version).order_by_desc(Column::Version);
    Ok(select.limit(1).into_tuple().one(db).await?)
}

/// Things that never change, by their keys.
#[derive(Debug)]
struct Shelf<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Shelf(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    fn find(&self, key: &K) -> Option<Arc<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: K, value: V) -> Arc<V> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = shelf.keys().next().filter(|_| shelf.len() >= KEPT).cloned();
        gone.and_then(|gone| shelf.remove(&gone));
        shelf.entry(key).or_insert_with(|| Arc::new(value)).clone()
    }
}
