//! What the fold tells of itself.

use std::{sync::Arc, time::Duration};

use barometer_chassis::{
    clock::Micros,
    telemetry::{self, SECONDS, continue_trace, meter},
};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use tracing::Span;

use super::{Fold, Link, Source};

/// The most traces that a batch is put into.
const MAX_TRACES: usize = 16;

/// The fold's metrics.
#[derive(Debug)]
pub(super) struct Instruments {
    facts: Counter<u64>,
    unreadable: Counter<u64>,
    restarts: Counter<u64>,
    durations: Histogram<f64>,
}

impl Instruments {
    pub(super) fn new() -> Self {
        let counter = |name: &'static str, unit: &'static str, description: &'static str| {
            let counter = meter().u64_counter(name).with_unit(unit).with_description(description).build();
            // Told from the start: a rate needs a zero to begin with.
            Source::ALL.iter().for_each(|source| counter.add(0, &[of(*source)]));
            counter
        };
        Instruments {
            facts: counter("barometer.fold.facts", "{fact}", "Facts taken into the figures"),
            unreadable: counter(
                "barometer.fold.unreadable",
                "{fact}",
                "Facts left out of the figures because they could not be understood",
            ),
            restarts: counter(
                "barometer.fold.restarts",
                "{restart}",
                "How often a source was read again from its beginning because its history was another",
            ),
            durations: meter()
                .f64_histogram("barometer.fold.duration")
                .with_unit("s")
                .with_description("Duration of taking in a batch of facts, the wait for running queries included")
                .with_boundaries(SECONDS.to_vec())
                .build(),
        }
    }

    /// A batch was taken in.
    pub(super) fn folded(&self, source: Source, facts: usize, unreadable: usize, took: Duration) {
        if facts == 0 {
            return;
        }
        let attributes = [of(source)];
        self.durations.record(took.as_secs_f64(), &attributes);
        self.facts.add(facts as u64, &attributes);
        self.unreadable.add(unreadable as u64, &attributes);
    }

    /// A source is read again from its beginning.
    pub(super) fn restarted(&self, source: Source) {
        self.restarts.add(1, &[of(source)]);
    }
}

/// A span in each trace that a batch belongs to: where the figures include what was written in it.
pub(super) fn spans(source: Source, facts: usize, trace_parents: &[String]) -> Vec<Span> {
    // An unsigned number would be exported as text.
    let facts = i64::try_from(facts).unwrap_or(i64::MAX);
    let span = |trace_parent: &String| {
        let span = tracing::info_span!("fold", barometer.source = source.name(), barometer.fold.facts = facts);
        continue_trace(&span, trace_parent);
        span
    };
    trace_parents.iter().take(MAX_TRACES).map(span).collect()
}

/// Tells how the fold stands, whenever metrics are exported.
pub(super) fn observe(fold: &Arc<Fold>) {
    let weak = Arc::downgrade(fold);
    meter()
        .f64_observable_gauge("barometer.fold.lag")
        .with_unit("s")
        .with_description("Age of the figures: everything acknowledged before it is included")
        .with_callback(move |observer| {
            for (source, link) in links(&weak) {
                if let Some(complete) = link.reached.complete_until {
                    let age = Micros::now().0.saturating_sub(complete.0);
                    observer.observe(telemetry::seconds(age.max(0)), &[of(source)]);
                }
            }
        })
        .build();
    let weak = Arc::downgrade(fold);
    meter()
        .i64_observable_gauge("barometer.fold.caught_up")
        .with_unit("1")
        .with_description("1 while the feed is open and the figures include all it had, else 0")
        .with_callback(move |observer| {
            for (source, link) in links(&weak) {
                observer.observe((link.connected && link.caught_up).into(), &[of(source)]);
            }
        })
        .build();
    let weak = Arc::downgrade(fold);
    meter()
        .i64_observable_gauge("barometer.fold.position")
        .with_unit("{change}")
        .with_description("Changes of facts until the position that the figures include")
        .with_callback(move |observer| {
            for (source, link) in links(&weak) {
                observer.observe(link.reached.position.n, &[of(source)]);
            }
        })
        .build();
}

fn of(source: Source) -> KeyValue {
    KeyValue::new("barometer.source", source.name())
}

fn links(fold: &std::sync::Weak<Fold>) -> Vec<(Source, Link)> {
    fold.upgrade().map_or_else(Vec::new, |fold| Source::ALL.map(|source| (source, fold.link(source))).to_vec())
}
