//! The book of what was promised: policies and timetables as cases are bound to them, each read and made once.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use barometer_chassis::{clock::Micros, error::Error};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{get_calendar_version, get_policy_set, latest_versions};
use crate::{
    calendar::Timetable,
    calendar_version::CalendarId,
    case::{self, Binding},
    clock::{Desk, Kind, PolicyVersion, Terms, Version},
    ladder::{Ladder, Rung},
    policy::{self, Policy, PolicyList},
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

/// The ladders of a policy.
#[derive(Debug)]
pub(crate) struct Ladders(Option<(Arc<policy_set::Model>, usize)>);

impl Ladders {
    /// All of clocks.
    fn all(&self) -> &[Ladder] {
        self.policy().map(|policy| policy.ladders.as_slice()).unwrap_or_default()
    }

    fn policy(&self) -> Option<&Policy> {
        self.0.as_ref().and_then(|(set, place)| set.policies.0.get(*place))
    }

    /// The steps of a clock's; none when it has no ladder.
    pub(crate) fn of(&self, kind: Kind) -> &[Rung] {
        let ladder = self.all().iter().find(|ladder| ladder.kind == kind);
        ladder.map(|ladder| ladder.steps.as_slice()).unwrap_or_default()
    }

    /// The steps of promises.
    pub(crate) fn of_promises(&self) -> &[Rung] {
        self.policy().map(|policy| policy.promise_steps.as_slice()).unwrap_or_default()
    }

    /// Whether there are none of clocks.
    pub(crate) fn are_none(&self) -> bool {
        self.all().is_empty()
    }
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
        match latest_policies(db).await? {
            Some(version) => Self::by(db, self.policies(db, version).await?).await,
            None => Ok(Today::default()),
        }
    }

    /// What they would be bound to if this list were published now.
    pub(crate) async fn trying(&self, db: &impl ConnectionTrait, policies: PolicyList) -> Result<Today, Error> {
        let version = latest_policies(db).await?.unwrap_or(0) + 1;
        let now = Micros::now();
        let set = policy_set::Model { id: Uuid::nil(), version, policies, actor: String::new(), create_time: now };
        Self::by(db, Arc::new(set)).await
    }

    /// These policies with the calendars of now.
    async fn by(db: &impl ConnectionTrait, policies: Arc<policy_set::Model>) -> Result<Today, Error> {
        let named: BTreeSet<Uuid> = policies.policies.0.iter().map(|policy| policy.calendar_id.0).collect();
        let calendars = latest_versions(db, named.into_iter().collect()).await?;
        Ok(Today { policies: Some(policies), calendars })
    }

    /// What a policy demands.
    pub(crate) async fn terms(&self, db: &impl ConnectionTrait, binding: &Binding) -> Result<Terms, Error> {
        let set = self.policies(db, binding.set_version).await?;
        Ok(terms_of(policy_of(&set, &binding.policy)?, set.version))
    }

    /// Whether a case that is bound to these would be counted otherwise by policies that bind it to those.
    pub(crate) async fn differ(
        &self,
        db: &impl ConnectionTrait,
        from: Option<&Binding>,
        policies: &Today,
        to: &Binding,
    ) -> Result<bool, Error> {
        let Some(from) = from else { return Ok(true) };
        if (&from.policy, from.calendar()) != (&to.policy, to.calendar()) {
            return Ok(true);
        }
        let before = self.policies(db, from.set_version).await?;
        let (before, after) = (policy_of(&before, &from.policy)?, policies.policy(to)?);
        let same = before.targets == after.targets
            && before.ladders == after.ladders
            && before.promise_steps == after.promise_steps;
        Ok(!same)
    }

    /// The ladders of a policy; none without one.
    pub(crate) async fn ladders(&self, db: &impl ConnectionTrait, binding: Option<&Binding>) -> Result<Ladders, Error> {
        let Some(Binding { set_version, policy, .. }) = binding else { return Ok(Ladders(None)) };
        let set = self.policies(db, *set_version).await?;
        let place = set.policies.0.iter().position(|known| known.name == *policy);
        Ok(Ladders(place.map(|place| (set, place))))
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
    /// Whether no policies were published.
    pub(crate) fn is_empty(&self) -> bool {
        self.policies.is_none()
    }

    /// Version of their list.
    pub(crate) fn version(&self) -> Option<i64> {
        self.policies.as_ref().map(|set| set.version)
    }

    /// What the policy demands that a case would be bound to.
    pub(crate) fn terms(&self, binding: &Binding) -> Result<Terms, Error> {
        Ok(terms_of(self.policy(binding)?, binding.set_version))
    }

    fn policy(&self, binding: &Binding) -> Result<&Policy, Error> {
        let set = self.policies.as_deref().ok_or_else(|| Error::Internal("no policies were published".to_owned()))?;
        policy_of(set, &binding.policy)
    }

    /// Binds a case that comes in to the first policy that matches it.
    pub(crate) fn bind(&self, case: &mut case::Model) -> Result<(), Error> {
        let Some(set) = &self.policies else { return Ok(()) };
        let chosen = policy::choose(&set.policies, &case.subject());
        let binding = self.binding(set, chosen.map(|(_, policy)| policy))?;
        (case.policy_set_version, case.policy_name) = (binding.set_version, binding.policy);
        (case.calendar_id, case.calendar_version) = (Some(binding.calendar_id), binding.calendar_version);
        Ok(())
    }

    /// By what counts that belongs to no case: the fallback.
    pub(crate) fn fallback(&self) -> Result<Option<Binding>, Error> {
        self.policies.as_ref().map(|set| self.binding(set, set.policies.0.last())).transpose()
    }

    fn binding(&self, set: &policy_set::Model, policy: Option<&Policy>) -> Result<Binding, Error> {
        let broken = |what: &str| Error::Internal(format!("a list of policies was published without {what}"));
        let Policy { name, calendar_id, .. } = policy.ok_or_else(|| broken("a fallback"))?;
        let version = self.calendars.get(calendar_id).ok_or_else(|| broken("its calendar"))?;
        Ok(Binding {
            set_version: set.version,
            policy: name.clone(),
            calendar_id: *calendar_id,
            calendar_version: *version,
        })
    }
}

fn policy_of<'s>(set: &'s policy_set::Model, name: &str) -> Result<&'s Policy, Error> {
    let policy = set.policies.0.iter().find(|policy| policy.name == name);
    policy.ok_or_else(|| Error::Internal("a case is bound to a policy that is not there".to_owned()))
}

fn terms_of(Policy { name, targets, .. }: &Policy, set_version: i64) -> Terms {
    Terms::new(PolicyVersion { name: name.clone(), set_version }, targets.iter().copied())
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
