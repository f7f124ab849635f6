//! The metrics, a file for each family of them.

mod answers;
mod clocks;
mod complaints;
mod contacts;
mod contracts;
mod customers;
mod invitations;
mod lifecycle;
mod loyalty;
mod outcomes;
mod purchases;
mod service;

use std::sync::LazyLock;

use super::Metric;

pub(super) const WILSON: &str = "Wilson score interval";

/// Every metric, by name.
pub(crate) static METRICS: LazyLock<Vec<&'static Metric>> = LazyLock::new(|| {
    let families = [
        answers::ALL,
        clocks::ALL,
        complaints::ALL,
        contacts::ALL,
        contracts::ALL,
        customers::ALL,
        invitations::ALL,
        loyalty::ALL,
        lifecycle::ALL,
        outcomes::ALL,
        purchases::ALL,
        service::ALL,
    ];
    let mut metrics: Vec<_> = families.into_iter().flatten().collect();
    metrics.sort_by_key(|metric| metric.id);
    metrics
});
