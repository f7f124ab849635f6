//! What this service asks the customers service: who has a key.

use std::collections::HashMap;

use barometer_chassis::{
    door::{Door, ExternalKey, is_unreachable},
    error::Error,
};
use barometer_proto::{
    customers::v1::{LookupCustomerRequest, ResolveCustomersRequest},
    surveys::v1::{self as wire, response::Customer},
};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::Surveys;
use crate::{response::CustomerId, store::Customers, wire::CustomerRef};

impl Surveys {
    /// The customers of the keys that callers gave, created when new; asks once for all of them.
    pub(super) async fn resolve<'c>(&self, named: impl Iterator<Item = &'c CustomerRef>) -> Result<Customers, Error> {
        let key = |customer: &CustomerRef| match customer {
            CustomerRef::Key(key) => Some(key.clone()),
            CustomerRef::Anonymous | CustomerRef::Id(_) => None,
        };
        let mut keys: Vec<ExternalKey> = named.filter_map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let external_ids = keys.iter().map(ExternalKey::to_wire).collect();
        let request = Request::new(ResolveCustomersRequest { external_ids });
        let answer = self.customers.clone().resolve_customers(request).await.map_err(|status| refused(&status))?;
        let resolved = answer.into_inner().customers;
        keys.into_iter().zip(resolved).map(|(key, customer)| Ok((key, parse(&customer.customer_id)?))).collect()
    }

    /// The customer of a key that somebody has already; `None` when nobody does.
    pub(super) async fn look_up(&self, customer: &CustomerRef) -> Result<Option<Customers>, Error> {
        let CustomerRef::Key(key) = customer else { return Ok(Some(HashMap::new())) };
        let request = Request::new(LookupCustomerRequest { external_id: Some(key.to_wire()) });
        match self.customers.clone().lookup_customer(request).await {
            Ok(found) => Ok(Some(HashMap::from([(key.clone(), parse(&found.into_inner().customer_id)?)]))),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(refused(&status)),
        }
    }

    /// The customer of the key that an amendment names.
    pub(super) async fn resolve_patch(&self, patch: &wire::Response) -> Result<Customers, Error> {
        let Some(Customer::CustomerKey(key)) = &patch.customer else { return Ok(HashMap::new()) };
        let key = Door::open(|door| {
            door.inside("response", |door| door.inside("customer_key", |door| door.key(key.clone())))
        })?;
        self.resolve([&CustomerRef::Key(key)].into_iter()).await
    }
}

fn parse(id: &str) -> Result<CustomerId, Error> {
    Uuid::try_parse(id).map(CustomerId).map_err(|error| Error::Internal(error.to_string()))
}

/// What a caller is told when the customers service gave no customer.
fn refused(status: &Status) -> Error {
    match status.code() {
        code if is_unreachable(status) || code == Code::ResourceExhausted => Error::Unavailable {
            reason: "CUSTOMERS_UNAVAILABLE",
            message: "the customers service, which knows the key of the customer, can not be reached".to_owned(),
        },
        code => Error::Internal(format!("customers answered {code:?}: {}", status.message())),
    }
}
