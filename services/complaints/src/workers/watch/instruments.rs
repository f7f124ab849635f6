//! What the watch tells of itself.

use std::sync::{Mutex, PoisonError};

use barometer_chassis::{clock::Micros, store::Store, telemetry};
use barometer_proto::complaints::v1 as wire;
use opentelemetry::{KeyValue, metrics::Gauge};

use crate::{NAME, alarm, store};

/// How often alarms are counted.
const COUNTING: i64 = 15 * Micros::SECOND;

/// The watch's metrics.
#[derive(Debug)]
pub(crate) struct Instruments {
    attributes: [KeyValue; 1],
    waiting: Gauge<u64>,
    delay: Gauge<f64>,
    counted: Mutex<Micros>,
}

impl Instruments {
    pub(crate) fn new() -> Self {
        let meter = telemetry::meter();
        let instruments = Instruments {
            attributes: [telemetry::service(NAME)],
            waiting: meter
                .u64_gauge("barometer.alarms.waiting")
                .with_unit("{alarm}")
                .with_description("Alarms that are set")
                .build(),
            delay: meter
                .f64_gauge("barometer.alarms.delay")
                .with_unit("s")
                .with_description(
                    "How late the last alarm rang, since it was due or, if that was later, since it was set",
                )
                .build(),
            counted: Mutex::default(),
        };
        // Told from the start.
        instruments.delay.record(0.0, &instruments.attributes);
        instruments
    }

    /// Alarms rang.
    pub(super) fn rang(&self, rung: usize, due: &[alarm::Model], now: Micros) {
        let last = due.last().filter(|_| rung > 0);
        if let Some(alarm) = last {
            let late = Micros::now().max(now).0.saturating_sub(alarm.time.max(alarm.set_time).0).max(0);
            let millis = u32::try_from(late / 1_000).unwrap_or(u32::MAX);
            self.delay.record(f64::from(millis) / 1_000.0, &self.attributes);
        }
    }

    /// Counts the alarms that wait, now and then. What fails is told by others.
    pub(super) async fn count(&self, store: &Store<wire::Fact>) {
        let now = Micros::now();
        {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            if now.0 - counted.0 < COUNTING {
                return;
            }
            *counted = now;
        }
        if let Ok(alarms) = store::count_alarms(store.db()).await {
            self.waiting.record(alarms, &self.attributes);
        }
    }
}
