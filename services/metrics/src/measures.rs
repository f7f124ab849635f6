//! Measures: what each metric counts and adds up, a room for each family of facts.
//!
//! A [`query`](crate::query) asks the measure of each of its metrics, as the [`catalogue`](crate::catalogue) names it. A
//! measure goes through the rows of a table, each in its cell of period and group, and makes a figure of every cell by
//! the formulas in [`rules`](crate::rules).

pub(crate) mod complaints;
pub(crate) mod customers;
pub(crate) mod sales;
pub(crate) mod subscriptions;
pub(crate) mod surveys;
