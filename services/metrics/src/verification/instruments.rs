//! What verifications tell of themselves.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use barometer_chassis::{
    clock::Micros,
    telemetry::{self, meter},
};
use barometer_proto::metrics::v1::{VerificationOutcome, VerificationTrigger, VerificationWay};
use opentelemetry::{KeyValue, metrics::Counter};

const OUTCOMES: [(VerificationOutcome, &str); 4] = [
    (VerificationOutcome::Same, "same"),
    (VerificationOutcome::Different, "different"),
    (VerificationOutcome::Incomplete, "incomplete"),
    (VerificationOutcome::Failed, "failed"),
];
const WAYS: [(VerificationWay, &str); 2] = [(VerificationWay::Folded, "folded"), (VerificationWay::Counted, "counted")];

/// The metrics of verifications.
#[derive(Debug)]
pub(super) struct Instruments {
    runs: Counter<u64>,
    differences: Counter<u64>,
    /// When the last one began that found everything the same; before that, when the process did.
    good_since: Arc<AtomicI64>,
}

impl Instruments {
    pub(super) fn new() -> Self {
        let runs = meter()
            .u64_counter("barometer.metrics.verification.runs")
            .with_unit("{verification}")
            .with_description("Verifications of figures, by what came of them")
            .build();
        let differences = meter()
            .u64_counter("barometer.metrics.verification.differences")
            .with_unit("{difference}")
            .with_description("Figures that were others when they were computed again")
            .build();
        // Told from the start: a rate needs a zero to begin with.
        OUTCOMES.iter().for_each(|(_, outcome)| runs.add(0, &[of_outcome(outcome)]));
        WAYS.iter().for_each(|(_, way)| differences.add(0, &[of_way(way)]));
        let good_since = Arc::new(AtomicI64::new(Micros::now().0));
        let since = Arc::downgrade(&good_since);
        meter()
            .f64_observable_gauge("barometer.metrics.verification.age")
            .with_unit("s")
            .with_description(
                "Time since the last verification by schedule began that found everything the same, or since the start",
            )
            .with_callback(move |observer| {
                if let Some(since) = since.upgrade() {
                    let age = Micros::now().0.saturating_sub(since.load(Ordering::Relaxed));
                    observer.observe(telemetry::seconds(age.max(0)), &[]);
                }
            })
            .build();
        Instruments { runs, differences, good_since }
    }

    /// So many differences were found, by way.
    pub(super) fn compared(&self, count: impl Fn(VerificationWay) -> u64) {
        WAYS.iter().for_each(|(way, name)| self.differences.add(count(*way), &[of_way(name)]));
    }

    /// A verification ended that began then. The age is that of the schedule's: a call may have looked at little.
    pub(super) fn ended(&self, trigger: VerificationTrigger, outcome: VerificationOutcome, begin: Micros) {
        if let Some((_, name)) = OUTCOMES.iter().find(|(of, _)| *of == outcome) {
            self.runs.add(1, &[of_outcome(name)]);
        }
        if trigger == VerificationTrigger::Schedule && outcome == VerificationOutcome::Same {
            self.good_since.store(begin.0, Ordering::Relaxed);
        }
    }
}

fn of_outcome(outcome: &'static str) -> KeyValue {
    KeyValue::new("barometer.verification.outcome", outcome)
}

fn of_way(way: &'static str) -> KeyValue {
    KeyValue::new("barometer.verification.way", way)
}
