//! Which traces the latest commits of this process belong to, for whoever watches them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tracing::Span;

use crate::telemetry::trace_parent;

/// The most traces that a batch names.
const MAX_TOLD: usize = 16;
/// Commits that are remembered.
const REMEMBERED: usize = 64;

/// The latest commits of this process that belong to sampled traces. In memory only: a trace that ends early is no loss.
#[derive(Debug, Default)]
pub struct Traces {
    commits: Mutex<VecDeque<Commit>>,
}

#[derive(Debug)]
struct Commit {
    /// The last position that it took.
    position: i64,
    trace_parent: String,
    /// Open from just before the commit until the poller has passed it on.
    published: Option<Span>,
}

impl Traces {
    /// Notes that a commit takes the positions until this one. Told before it does, so that nobody reads it earlier.
    pub(crate) fn note(&self, position: i64, publish: Span) {
        let Some(trace_parent) = trace_parent(&publish) else { return };
        let mut commits = self.commits();
        // One that failed, or is no more since the history was rewound.
        commits.retain(|commit| commit.position < position);
        if commits.len() == REMEMBERED {
            commits.pop_front();
        }
        commits.push_back(Commit { position, trace_parent, published: Some(publish) });
    }

    /// The trace parents of the latest commits whose positions end after the first position and not after the second.
    pub(super) fn between(&self, after: i64, until: i64) -> Vec<String> {
        let commits = self.commits();
        let told = commits.iter().rev().filter(|commit| after < commit.position && commit.position <= until);
        told.take(MAX_TOLD).map(|commit| commit.trace_parent.clone()).collect()
    }

    /// Notes that watchers were given everything until this position.
    pub(super) fn published(&self, until: i64) {
        for commit in self.commits().iter_mut().filter(|commit| commit.position <= until) {
            commit.published = None;
        }
    }

    fn commits(&self) -> MutexGuard<'_, VecDeque<Commit>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    fn with_sampler(sampler: Sampler, test: impl FnOnce()) {
        let tracer = SdkTracerProvider::builder().with_sampler(sampler).build().tracer("test");
        let subscriber = tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(subscriber, test);
    }

    #[test]
    fn a_batch_is_told_the_traces_of_the_commits_in_it() {
        with_sampler(Sampler::AlwaysOn, || {
            let traces = Traces::default();
            (1..=100).for_each(|n| traces.note(n * 10, tracing::info_span!("publish")));
            assert_eq!(traces.between(0, 360), Vec::<String>::new(), "forgotten");
            assert_eq!(traces.between(980, 999).len(), 1);
            assert_eq!(traces.between(980, 1_000).len(), 2);
            assert_eq!(traces.between(0, 1_000).len(), MAX_TOLD);

            // A commit that takes positions again replaces those that had them.
            traces.note(985, tracing::info_span!("publish"));
            assert_eq!(traces.between(980, 1_000).len(), 1);
        });
    }

    #[test]
    fn what_is_not_sampled_is_not_told() {
        with_sampler(Sampler::AlwaysOff, || {
            let traces = Traces::default();
            traces.note(1, tracing::info_span!("publish"));
            assert_eq!(traces.between(0, 1), Vec::<String>::new());
        });
    }
}
