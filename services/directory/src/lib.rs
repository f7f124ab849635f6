//! The customers service as other services ask it: who has a key, and what customers are worth.

use std::{collections::HashMap, time::Duration};

use barometer_chassis::{
    client::Channel,
    door::{ExternalKey, is_unreachable},
    error::Error,
    id,
};
use barometer_proto::customers::v1::{
    BatchGetCustomerValuesRequest, Customer, CustomerValue, ListCustomersRequest, LookupCustomerRequest,
    ResolveCustomersRequest, customer_service_client::CustomerServiceClient,
};
use tonic::{Code, Request, Status};
use uuid::Uuid;

/// The reason that is told when the customers service can not be reached.
pub const CUSTOMERS_UNAVAILABLE: &str = "CUSTOMERS_UNAVAILABLE";
/// Customers that are listed at a time.
const LISTED: i32 = 500;

id! {
    /// Id of a customer, as the customers service gave it.
    CustomerId
}

/// A customer, as a caller named one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerRef {
    /// Nobody known.
    Anonymous,
    /// By the suite's id.
    Id(CustomerId),
    /// By the caller's key.
    Key(ExternalKey),
}

impl CustomerRef {
    /// The caller's key, of who is named by one.
    pub fn key(&self) -> Option<&ExternalKey> {
        match self {
            CustomerRef::Key(key) => Some(key),
            CustomerRef::Anonymous | CustomerRef::Id(_) => None,
        }
    }
}

/// What a customer is worth to the company, and what else decides how they are served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// `high`, `medium`, `low` or `unknown`.
    pub value_band: String,
    /// Loyalty tier; empty when unknown.
    pub tier: String,
    /// Country; empty when unknown.
    pub country: String,
}

/// Asks the customers service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    customers: CustomerServiceClient<Channel>,
}

impl Directory {
    /// Over a channel to the customers service, which need not be there yet.
    pub fn new(customers: Channel) -> Self {
        Directory { customers: CustomerServiceClient::new(customers) }
    }

    /// The customers of the keys that callers gave, created when new; asks once for all of them, and nobody when there
    /// are no keys.
    ///
    /// Errors: UNAVAILABLE when the customers service can not be reached.
    pub async fn resolve<'c>(&self, named: impl Iterator<Item = &'c CustomerRef>) -> Result<Resolved, Error> {
        let mut keys: Vec<ExternalKey> = named.filter_map(CustomerRef::key).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(Resolved::default());
        }
        let external_ids = keys.iter().map(ExternalKey::to_wire).collect();
        let request = Request::new(ResolveCustomersRequest { external_ids });
        let answer = self.customers.clone().resolve_customers(request).await.map_err(|status| refused(&status))?;
        let resolved = answer.into_inner().customers;
        let by_key: Result<_, Error> =
            keys.into_iter().zip(resolved).map(|(key, customer)| Ok((key, parse(&customer.customer_id)?))).collect();
        Ok(Resolved(by_key?))
    }

    /// What each of these customers is worth, also of those that customers does not know; asks once for all of them, at most
    /// 1,000 different ones, and waits no longer than `patience`.
    ///
    /// Errors: UNAVAILABLE when the customers service can not be reached.
    pub async fn worths(
        &self,
        mut customers: Vec<CustomerId>,
        patience: Duration,
    ) -> Result<HashMap<CustomerId, Worth>, Error> {
        customers.sort_unstable();
        customers.dedup();
        let customer_ids = customers.iter().map(ToString::to_string).collect();
        let mut request = Request::new(BatchGetCustomerValuesRequest { customer_ids });
        request.set_timeout(patience);
        let answer = self.customers.clone().batch_get_customer_values(request).await;
        let values = answer.map_err(|status| refused(&status))?.into_inner().customer_values;
        let worth = |value: CustomerValue| {
            let CustomerValue { customer_id: _, exists: _, value_band, source: _, spend: _, tier, country } = value;
            Worth { value_band, tier, country }
        };
        Ok(customers.into_iter().zip(values.into_iter().map(worth)).collect())
    }

    /// A page of customers, after the page that gave `page_token`; and the token of the next one, empty on the last.
    ///
    /// Errors as for [`Directory::resolve`].
    pub async fn list(&self, filter: ListFilter, page_token: &str) -> Result<(Vec<CustomerId>, String), Error> {
        let ListFilter { country, tier, tag, segment } = filter;
        let request = ListCustomersRequest {
            page_size: LISTED,
            page_token: page_token.to_owned(),
            tier,
            country,
            tag,
            segment: segment.clone(),
            ..Default::default()
        };
        let answer = self.customers.clone().list_customers(Request::new(request)).await;
        let page = answer.map_err(|status| refused(&status))?.into_inner();
        // A customers service of an older release knows no such filter, and lists everybody.
        let is_in = |customer: &&Customer| {
            segment.is_empty() || customer.attributes.as_ref().is_some_and(|held| held.segments.contains(&segment))
        };
        let ids: Result<_, Error> =
            page.customers.iter().filter(is_in).map(|customer| parse(&customer.customer_id)).collect();
        Ok((ids?, page.next_page_token))
    }

    /// The same as [`Directory::resolve`] for one customer that is there already; `None` when nobody has the key. Errors as for
    /// [`Directory::resolve`].
    pub async fn look_up(&self, customer: &CustomerRef) -> Result<Option<Resolved>, Error> {
        let CustomerRef::Key(key) = customer else { return Ok(Some(Resolved::default())) };
        let request = Request::new(LookupCustomerRequest { external_id: Some(key.to_wire()) });
        match self.customers.clone().lookup_customer(request).await {
            Ok(found) => Ok(Some(Resolved(HashMap::from([(key.clone(), parse(&found.into_inner().customer_id)?)])))),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(refused(&status)),
        }
    }
}

/// Which customers are listed: those of whom all holds that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// The country that they have now.
    pub country: String,
    /// The tier that they have now.
    pub tier: String,
    /// A tag of theirs.
    pub tag: String,
    /// A segment in which they are now.
    pub segment: String,
}

/// Customers by the keys that callers gave.
#[derive(Clone, Debug, Default)]
pub struct Resolved(HashMap<ExternalKey, CustomerId>);

impl Resolved {
    /// The id of a customer whose key was asked for; `None` for nobody known.
    pub fn id(&self, customer: &CustomerRef) -> Result<Option<CustomerId>, Error> {
        match customer {
            CustomerRef::Anonymous => Ok(None),
            CustomerRef::Id(id) => Ok(Some(*id)),
            CustomerRef::Key(key) => match self.0.get(key) {
                Some(id) => Ok(Some(*id)),
                None => Err(Error::Internal("a key was not resolved".to_owned())),
            },
        }
    }
}

fn parse(id: &str) -> Result<CustomerId, Error> {
    Uuid::try_parse(id).map(CustomerId).map_err(|error| Error::Internal(error.to_string()))
}

/// What a caller is told when the customers service gave no customer.
fn refused(status: &Status) -> Error {
    match status.code() {
        code if is_unreachable(status) || code == Code::ResourceExhausted => Error::Unavailable {
            reason: CUSTOMERS_UNAVAILABLE,
            message: "the customers service, which knows the customer, can not be reached".to_owned(),
        },
        code => Error::Internal(format!("customers answered {code:?}: {}", status.message())),
    }
}
