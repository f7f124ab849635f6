//! What a feed tells of itself.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use opentelemetry::{KeyValue, metrics::Histogram};

use super::{Batch, Inner};
use crate::{
    clock::Micros,
    telemetry::{self, SECONDS, SIZES, meter},
};

/// The feed's metrics.
#[derive(Debug)]
pub(super) struct Instruments {
    attributes: [KeyValue; 1],
    durations: Histogram<f64>,
    facts: Histogram<u64>,
}

impl Instruments {
    pub(super) fn new(service: &'static str) -> Self {
        Instruments {
            attributes: [telemetry::service(service)],
            durations: meter()
                .f64_histogram("barometer.feed.read.duration")
                .with_unit("s")
                .with_description("Duration of reading a batch of the feed from the database")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            facts: meter()
                .u64_histogram("barometer.feed.batch.facts")
                .with_unit("{fact}")
                .with_description("Facts of a batch of the feed")
                .with_boundaries(SIZES.to_vec())
                .build(),
        }
    }

    /// A batch was read.
    pub(super) fn read<F>(&self, batch: &Batch<F>, took: Duration) {
        self.durations.record(took.as_secs_f64(), &self.attributes);
        self.holds(batch);
    }

    /// A batch was read or handed over.
    pub(super) fn holds<F>(&self, batch: &Batch<F>) {
        self.facts.record(batch.entries.len() as u64, &self.attributes);
    }
}

/// Tells how the feed stands, whenever metrics are exported.
pub(super) fn observe<F: Send + Sync + 'static>(inner: &Arc<Inner<F>>) {
    let attributes = [telemetry::service(inner.service)];
    let (feed, of_lag) = (Arc::downgrade(inner), attributes.clone());
    meter()
        .f64_observable_gauge("barometer.feed.lag")
        .with_unit("s")
        .with_description("Time since the feed was last read to its end: it grows while the database is away")
        .with_callback(move |observer| {
            if let Some(feed) = feed.upgrade() {
                let age = Micros::now().0.saturating_sub(feed.complete_until.load(Ordering::Relaxed));
                observer.observe(telemetry::seconds(age.max(0)), &of_lag);
            }
        })
        .build();
    let (feed, of_position) = (Arc::downgrade(inner), attributes.clone());
    meter()
        .i64_observable_gauge("barometer.feed.position")
        .with_unit("{change}")
        .with_description("Changes of facts until the position that watchers were last given")
        .with_callback(move |observer| {
            if let Some(feed) = feed.upgrade() {
                let given = feed.latest.borrow().last().map(|latest| latest.until.n);
                observer.observe(given.unwrap_or_default(), &of_position);
            }
        })
        .build();
    let feed = Arc::downgrade(inner);
    meter()
        .i64_observable_up_down_counter("barometer.feed.watchers")
        .with_unit("{watcher}")
        .with_description("Watchers of the feed")
        .with_callback(move |observer| {
            if let Some(feed) = feed.upgrade() {
                observer.observe(i64::try_from(feed.latest.receiver_count()).unwrap_or(i64::MAX), &attributes);
            }
        })
        .build();
}
