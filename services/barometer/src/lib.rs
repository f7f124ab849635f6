//! The barometer program: serve, import, query, catalogue, case, policy, calendar, demo.

pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod decimal;
pub mod demo;
pub mod endpoint;
pub mod failure;
pub mod import;
pub mod instant;
pub mod output;
pub mod policy;
pub mod query;
pub mod serve;
pub mod suite;
