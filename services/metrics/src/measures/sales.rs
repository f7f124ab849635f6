//! Measures of purchases, of who buys and how often, and of payments.

pub(crate) mod activity;
pub(crate) mod cohorts;
pub(crate) mod lifecycle;
pub(crate) mod payments;
pub(crate) mod sales;
