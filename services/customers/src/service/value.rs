//! What the RPC does that tells what customers are worth.

use barometer_chassis::{clock::Micros, door::Door, error::Error};
use barometer_proto::customers::v1 as wire;

use super::{Customers, customer::MAX_NAMED};
use crate::{customer::CustomerId, store, wire::render_value};

impl Customers {
    pub(super) async fn batch_get_values(
        &self,
        request: wire::BatchGetCustomerValuesRequest,
    ) -> Result<wire::BatchGetCustomerValuesResponse, Error> {
        let ids = Door::open(|door| {
            if request.customer_ids.is_empty() {
                door.missing("customer_ids");
            }
            door.each("customer_ids", request.customer_ids, MAX_NAMED, |door, id| CustomerId(door.id("", &id)))
        })?;
        let standings = store::find_standings(self.store.db(), &ids).await?;
        let currencies = self.thresholds.currencies().collect();
        let spent = store::find_spend(self.store.db(), &ids, currencies, Micros::now()).await?;
        // An id may be asked for more than once.
        let value = |id: CustomerId| {
            let spent = spent.get(&id).cloned().unwrap_or_default();
            let by_spend = self.thresholds.band(&spent);
            render_value(id, standings.get(&id).cloned(), spent, by_spend)
        };
        Ok(wire::BatchGetCustomerValuesResponse { customer_values: ids.into_iter().map(value).collect() })
    }
}
