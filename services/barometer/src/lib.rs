//! The barometer program: serve, import, query, cohorts, survival, transitions, moves, journeys, drivers, explain, export,
//! verify, catalogue, definition, case, policy, calendar, demo.

pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod cohorts;
pub mod decimal;
pub mod definition;
pub mod demo;
pub mod drivers;
pub mod endpoint;
pub mod explain;
pub mod export;
pub mod failure;
pub mod import;
pub mod instant;
pub mod journeys;
pub mod moves;
pub mod output;
pub mod policy;
pub mod query;
pub mod scope;
pub mod serve;
pub mod suite;
pub mod survival;
pub mod transitions;
pub mod verify;
