//! What the writer tells of itself.

use std::{sync::Arc, time::Duration};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram},
};
use tokio::sync::Semaphore;
use tracing::Span;

use super::Queued;
use crate::{
    feed::Traces,
    telemetry::{self, SECONDS, SIZES, meter, spans},
};

/// The writer's metrics and spans.
#[derive(Debug)]
pub(super) struct Instruments {
    service: &'static str,
    attributes: [KeyValue; 1],
    traces: Arc<Traces>,
    durations: Histogram<f64>,
    commands: Histogram<u64>,
    facts: Histogram<u64>,
    refused: Counter<u64>,
}

impl Instruments {
    pub(super) fn new(service: &'static str, traces: Arc<Traces>) -> Self {
        let (meter, attributes) = (meter(), [telemetry::service(service)]);
        let refused = meter
            .u64_counter("barometer.writer.refused")
            .with_unit("{write}")
            .with_description("Single writes that were refused because too many were waiting")
            .build();
        // Told from the start: a rate needs a zero to begin with.
        refused.add(0, &attributes);
        Instruments {
            service,
            attributes,
            traces,
            refused,
            durations: meter
                .f64_histogram("barometer.writer.commit.duration")
                .with_unit("s")
                .with_description("Duration of commits, from the first statement to the disk")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            commands: meter
                .u64_histogram("barometer.writer.commit.commands")
                .with_unit("{command}")
                .with_description("Writes of callers that shared a commit; a batch of an import is one")
                .with_boundaries(SIZES.to_vec())
                .build(),
            facts: meter
                .u64_histogram("barometer.writer.commit.facts")
                .with_unit("{fact}")
                .with_description("Facts that a commit wrote")
                .with_boundaries(SIZES.to_vec())
                .build(),
        }
    }

    /// Tells how much waits in a queue, whenever metrics are exported.
    pub(super) fn observe_queue(&self, queue: &'static str, room: &Arc<Semaphore>, capacity: u32) {
        let attributes = [telemetry::service(self.service), KeyValue::new("barometer.queue", queue)];
        let (weak, of_limit) = (Arc::downgrade(room), attributes.clone());
        meter()
            .i64_observable_up_down_counter("barometer.writer.queue.rows")
            .with_unit("{row}")
            .with_description("Rows that wait for their commit")
            .with_callback(move |observer| {
                if let Some(room) = weak.upgrade() {
                    let free = i64::try_from(room.available_permits()).unwrap_or(i64::MAX);
                    observer.observe(i64::from(capacity).saturating_sub(free), &attributes);
                }
            })
            .build();
        let weak = Arc::downgrade(room);
        meter()
            .i64_observable_up_down_counter("barometer.writer.queue.limit")
            .with_unit("{row}")
            .with_description("Rows that may wait for their commit")
            .with_callback(move |observer| {
                if weak.strong_count() > 0 {
                    observer.observe(i64::from(capacity), &of_limit);
                }
            })
            .build();
    }

    /// A write found no room.
    pub(super) fn refused(&self) {
        self.refused.add(1, &self.attributes);
    }

    /// The span of a commit: in the trace of the first of its writes that is sampled, linked with those of the others.
    /// None when nobody looks.
    pub(super) fn begin(&self, batch: &[Queued]) -> Span {
        let mut causes = batch.iter().filter_map(|queued| queued.span.as_ref()).peekable();
        if causes.peek().is_none() {
            return Span::none();
        }
        // An unsigned number would be exported as text.
        let commands = i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let span =
            tracing::info_span!("commit", barometer.service = self.service, barometer.commit.commands = commands);
        spans::follow(&span, causes);
        span
    }

    /// The current commit is about to take the positions until `reached`.
    pub(super) fn committing(&self, reached: i64) {
        if let Some(commit) = spans::sampled() {
            self.traces
                .note(reached, tracing::info_span!(parent: &commit, "publish", barometer.service = self.service));
        }
    }

    /// A commit ended: so many facts were written, or none because it failed.
    pub(super) fn ended(&self, took: Duration, commands: usize, facts: Option<i64>) {
        match facts {
            Some(facts) => {
                self.durations.record(took.as_secs_f64(), &self.attributes);
                self.commands.record(u64::try_from(commands).unwrap_or_default(), &self.attributes);
                self.facts.record(u64::try_from(facts).unwrap_or_default(), &self.attributes);
            }
            None => {
                let [service] = self.attributes.clone();
                self.durations.record(took.as_secs_f64(), &[service, KeyValue::new("error.type", "failed")]);
            }
        }
    }
}
