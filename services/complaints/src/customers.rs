//! The customers whom callers name. A key of somebody who was erased is refused before the customers service is asked: it
//! would create a new customer for it.

use barometer_chassis::{door::ExternalKey, error::Error, store::Store};
use barometer_directory::{CustomerRef, Directory, Resolved};
use barometer_proto::complaints::v1 as wire;

use crate::{
    appraiser,
    case::{self, PriorityTable},
    erasure::Trace,
    store,
};

/// The one way to whom callers name: no RPC asks the customers service by itself. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Customers {
    store: Store<wire::Fact>,
    directory: Directory,
}

impl Customers {
    /// Over the service's store and the customers service.
    pub(crate) fn new(store: Store<wire::Fact>, directory: Directory) -> Self {
        Customers { store, directory }
    }

    /// The customers of the keys that callers gave, created when new. Errors: FAILED_PRECONDITION (CUSTOMER_ERASED);
    /// UNAVAILABLE.
    pub(crate) async fn resolve(&self, named: &[CustomerRef]) -> Result<Resolved, Error> {
        let keys: Vec<Trace<'_>> = named.iter().filter_map(CustomerRef::key).map(Trace::Key).collect();
        if !store::find_erased(self.store.db(), &keys).await?.is_empty() {
            return Err(store::erased());
        }
        self.directory.resolve(named.iter()).await
    }

    /// The same for the rows of an import: each that names somebody who was erased is refused by itself.
    pub(crate) async fn resolve_rows<R: Send + Sync>(
        &self,
        mut rows: Vec<&mut Result<R, Error>>,
        customer: fn(&R) -> &CustomerRef,
    ) -> Result<Resolved, Error> {
        let named = rows.iter().enumerate().filter_map(|(at, row)| Some((at, customer(taken(row)?).key()?.clone())));
        let named: Vec<(usize, ExternalKey)> = named.collect();
        let keys: Vec<Trace<'_>> = named.iter().map(|(_, key)| Trace::Key(key)).collect();
        for erased in store::find_erased(self.store.db(), &keys).await? {
            let row = named.get(erased).and_then(|(at, _)| rows.get_mut(*at));
            if let Some(row) = row {
                **row = Err(store::erased());
            }
        }
        let named: Vec<&CustomerRef> = rows.iter().filter_map(|row| taken(row)).map(customer).collect();
        self.directory.resolve(named.into_iter()).await
    }

    /// Asks what the customers of new cases are worth: see [`appraiser::appraise`].
    pub(crate) async fn appraise<'c>(
        &self,
        cases: impl IntoIterator<Item = &'c mut case::Model>,
        priorities: &PriorityTable,
    ) {
        appraiser::appraise(&self.directory, cases, priorities).await;
    }
}

/// A row that was not refused.
fn taken<R>(row: &Result<R, Error>) -> Option<&R> {
    row.as_ref().ok()
}
