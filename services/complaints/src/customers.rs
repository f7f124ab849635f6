//! The customers whom callers name. A key of somebody who was erased is refused before the customers service is asked: it
//! would create a new customer for it. It is looked for once more when that has answered: who was erased meanwhile may be a
//! new customer there, and would come in again as somebody else.

use std::future::Future;

use barometer_chassis::{door::ExternalKey, error::Error, store::Store};
use barometer_directory::{CustomerRef, Directory, Resolved};
use barometer_proto::complaints::v1 as wire;
use sea_orm::ConnectionTrait;

use crate::{
    case::{self, PriorityTable},
    erasure::Trace,
    store,
    workers::appraiser,
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
        unless_erased(self.store.db(), &keys, self.directory.resolve(named.iter())).await
    }

    /// The same for the rows of an import: each that names somebody who was erased is refused by itself.
    pub(crate) async fn resolve_rows<R: Send + Sync>(
        &self,
        mut rows: Vec<&mut Result<R, Error>>,
        customer: fn(&R) -> &CustomerRef,
    ) -> Result<Resolved, Error> {
        refuse_rows(self.store.db(), &mut rows, customer).await?;
        let named: Vec<&CustomerRef> = rows.iter().filter_map(|row| taken(row)).map(customer).collect();
        let resolved = self.directory.resolve(named.into_iter()).await?;
        refuse_rows(self.store.db(), &mut rows, customer).await?;
        Ok(resolved)
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

/// Asks, unless one of these keys was erased before, or is meanwhile.
async fn unless_erased<A>(
    db: &impl ConnectionTrait,
    keys: &[Trace<'_>],
    ask: impl Future<Output = Result<A, Error>>,
) -> Result<A, Error> {
    let check = async || match store::find_erased(db, keys).await?.is_empty() {
        true => Ok(()),
        false => Err(store::erased()),
    };
    check().await?;
    let answer = ask.await?;
    check().await?;
    Ok(answer)
}

/// Refuses those rows that name somebody who was erased.
async fn refuse_rows<R: Send + Sync>(
    db: &impl ConnectionTrait,
    rows: &mut [&mut Result<R, Error>],
    customer: fn(&R) -> &CustomerRef,
) -> Result<(), Error> {
    let named = rows.iter().enumerate().filter_map(|(at, row)| Some((at, customer(taken(row)?).key()?.clone())));
    let named: Vec<(usize, ExternalKey)> = named.collect();
    let keys: Vec<Trace<'_>> = named.iter().map(|(_, key)| Trace::Key(key)).collect();
    for erased in store::find_erased(db, &keys).await? {
        let row = named.get(erased).and_then(|(at, _)| rows.get_mut(*at));
        if let Some(row) = row {
            **row = Err(store::erased());
        }
    }
    Ok(())
}

/// A row that was not refused.
fn taken<R>(row: &Result<R, Error>) -> Option<&R> {
    row.as_ref().ok()
}

#[cfg(test)]
mod tests {
    use barometer_chassis::testing::{TestDatabase, on_each_database};
    use barometer_directory::CustomerId;
    use uuid::Uuid;

    use super::*;
    use crate::workers::watch::tests::Replica;

    #[tokio::test]
    async fn a_key_that_is_erased_while_customers_is_asked_is_refused() {
        on_each_database(async |database: &TestDatabase| {
            let replica = Replica::start(database).await;
            let key = |value: &str| ExternalKey { system: "shop".to_owned(), value: value.to_owned() };
            let (gone, other) = (key("gone"), key("other"));
            let erase = async || {
                let keys = vec![gone.clone()];
                let erased = replica.write(move |write| {
                    Box::pin(async move {
                        store::begin_erasure(write, CustomerId(Uuid::from_u128(7)), keys, "test".to_owned()).await
                    })
                });
                erased.await;
                Ok("a new customer")
            };
            let db = replica.store.db();
            let asked = async |key: &ExternalKey, ask: bool| {
                let answer = async { if ask { erase().await } else { Ok("somebody") } };
                unless_erased(db, &[Trace::Key(key)], answer).await.map_err(|error| error.to_string())
            };
            let erased = Err(store::erased().to_string());
            assert_eq!(asked(&gone, false).await, Ok("somebody"));
            assert_eq!(asked(&gone, true).await, erased, "meanwhile");
            assert_eq!(asked(&gone, false).await, erased, "before");
            assert_eq!(asked(&other, true).await, Ok("a new customer"));

            let mut rows = [Ok(CustomerRef::Key(gone.clone())), Ok(CustomerRef::Key(other)), Err(Error::Gone)];
            refuse_rows(db, &mut rows.iter_mut().collect::<Vec<_>>(), |row| row).await.expect("readable");
            assert_eq!(rows.each_ref().map(Result::is_ok), [false, true, false], "each by itself");
            replica.stop().await;
        })
        .await;
    }
}
