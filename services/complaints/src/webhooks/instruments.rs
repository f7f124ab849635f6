//! What the deliverer tells of itself.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use barometer_chassis::telemetry::{self, meter};
use barometer_proto::complaints::v1::DeliveryError;
use opentelemetry::{KeyValue, metrics::Counter};

use crate::{NAME, delivery::Attempt};

/// The deliverer's metrics.
#[derive(Clone, Debug)]
pub(super) struct Instruments {
    attempts: Counter<u64>,
    waiting: Arc<AtomicI64>,
}

impl Instruments {
    pub(super) fn new() -> Self {
        let attempts = meter()
            .u64_counter("barometer.webhook.attempts")
            .with_unit("{attempt}")
            .with_description("Attempts to deliver notices, by how they ended")
            .build();
        // Told from the start: a rate needs a zero to begin with.
        for result in ["delivered", "failed", "dead"] {
            attempts.add(0, &attributes(result));
        }
        let waiting = Arc::new(AtomicI64::new(0));
        let weak = Arc::downgrade(&waiting);
        meter()
            .i64_observable_up_down_counter("barometer.webhook.waiting")
            .with_unit("{delivery}")
            .with_description("Deliveries that wait, those that are tried again included")
            .with_callback(move |observer| {
                if let Some(waiting) = weak.upgrade() {
                    observer.observe(waiting.load(Ordering::Relaxed), &[telemetry::service(NAME)]);
                }
            })
            .build();
        Instruments { attempts, waiting }
    }

    /// An attempt ended; whether the delivery was given up with it.
    pub(super) fn ended(&self, attempt: Attempt, dead: bool) {
        if attempt.succeeded() {
            self.attempts.add(1, &attributes("delivered"));
            return;
        }
        let [service, result] = attributes(if dead { "dead" } else { "failed" });
        self.attempts.add(1, &[service, result, KeyValue::new("error.type", class(attempt.error))]);
    }

    /// So many wait, for all webhooks.
    pub(super) fn wait(&self, deliveries: i64) {
        self.waiting.store(deliveries, Ordering::Relaxed);
    }
}

fn attributes(result: &'static str) -> [KeyValue; 2] {
    [telemetry::service(NAME), KeyValue::new("barometer.result", result)]
}

/// The error without the name of its enum.
fn class(error: DeliveryError) -> &'static str {
    let name = error.as_str_name();
    name.strip_prefix("DELIVERY_ERROR_").unwrap_or(name)
}
