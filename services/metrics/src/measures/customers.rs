//! Measures of customers: who they are, how they were in touch, what they belong to and what they cost.

pub(crate) mod contacts;
pub(crate) mod costs;
pub(crate) mod engagement;
pub(crate) mod known;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod referrals;
pub(crate) mod serving;
