//! Metrics that users defined, looked up for those who ask for them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use barometer_chassis::{error::Error, store::Store, writer::Request};
use barometer_proto::metrics::v1::definition::State;
use uuid::Uuid;

use crate::{
    NAME,
    catalogue::{self, Metric},
    definition::{self, Definition},
    definition_version::Model,
    query::{Looked, MAX_METRICS},
    store,
};

/// The definitions, and the metrics that were made of them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Definitions {
    pub(crate) store: Store<()>,
    made: Arc<Mutex<HashMap<(Uuid, i64), Made>>>,
}

/// Of what a metric was made, and that, when the program has all of it.
#[derive(Debug)]
struct Made {
    of: Definition,
    metric: Option<&'static Metric>,
}

impl Definitions {
    /// Those of a store.
    pub(crate) fn new(store: Store<()>) -> Self {
        Definitions { store, made: Arc::default() }
    }

    /// Makes new versions of those that were written when built-in metrics were defined otherwise, so that none of them changes under
    /// a version that stays.
    ///
    /// Errors: those of the database.
    pub(crate) async fn bring_up(&self) -> Result<(), Error> {
        let version: fn(&str) -> Option<i32> = |metric| Some(catalogue::find(metric)?.version);
        for row in store::all_latest(self.store.db()).await? {
            if row.definition.brought_up(version).is_none() {
                continue;
            }
            let (name, actor) = (row.name.clone(), NAME.to_owned());
            let mutation = Request { method: "BringUp", actor: actor.clone(), id: None, fingerprint: 0 };
            let work = self.store.writer.run(mutation, move |write| {
                Box::pin(async move { store::bring_up(write, &name, version, actor).await })
            });
            match work.await {
                Ok(_) => tracing::info!(definition = row.name, "what it is made of is defined anew: a new version"),
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => tracing::warn!(definition = row.name, %error, "it could not be given a new version"),
            }
        }
        Ok(())
    }

    /// Looks up those of the names that may be of definitions, as many as a query has at most. What is not found is left out.
    ///
    /// Errors: those of the database, which is not asked when no name is such.
    pub(crate) async fn look_up(&self, names: &[String]) -> Result<BTreeMap<String, Looked>, Error> {
        let asked: Vec<_> =
            names.iter().filter_map(|id| definition::split(id).map(|of| (id, of))).take(MAX_METRICS).collect();
        let mut looked = BTreeMap::new();
        if asked.is_empty() {
            return Ok(looked);
        }
        let wanted: BTreeSet<_> = asked.iter().map(|(_, (name, _))| (*name).to_owned()).collect();
        let latest = store::find_definitions(self.store.db(), wanted.into_iter().collect()).await?;
        for (id, (name, version)) in asked {
            let Some(row) = latest.iter().find(|row| row.name == name) else { continue };
            if row.state() == State::Retired {
                looked.insert(id.clone(), Looked::Retired);
                continue;
            }
            let row = match version {
                Some(version) if version != row.version => self.version(row, version).await?,
                _ => Some(row.clone()),
            };
            let found = |row: Model| self.metric(&row).map_or(Looked::Outdated, Looked::Found);
            looked.extend(row.map(|row| (id.clone(), found(row))));
        }
        Ok(looked)
    }

    /// The metrics of all definitions that are in use, each with the place that it has for good among them.
    pub(crate) async fn in_use(&self) -> Result<Vec<(i64, &'static Metric)>, Error> {
        let rows = store::all_in_use(self.store.db()).await?;
        Ok(rows.iter().filter_map(|row| Some((row.number, self.metric(row)?))).collect())
    }

    async fn version(&self, latest: &Model, version: i64) -> Result<Option<Model>, Error> {
        match store::get_definition_version(self.store.db(), &latest.name, version).await {
            Ok(row) => Ok(Some(row)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The metric of a version, made once.
    fn metric(&self, row: &Model) -> Option<&'static Metric> {
        let Model { id, version, name, definition, .. } = row;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // A database that was restored may have another one under the same version.
        if let Some(known) = made.get(&(*id, *version)).filter(|known| known.of == *definition) {
            return known.metric;
        }
        let number = i32::try_from(*version).unwrap_or(i32::MAX);
        let metric = catalogue::define(name, number, definition);
        made.insert((*id, *version), Made { of: definition.clone(), metric });
        metric
    }
}
