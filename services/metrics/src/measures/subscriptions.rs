//! Measures of subscriptions: what they bring in, and who leaves.

pub(crate) mod churn;
pub(crate) mod contracts;
pub(crate) mod revenue;
