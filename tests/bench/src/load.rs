//! Callers that ask one thing after another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::report::Measured;

/// How long and how often a rate is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Of one measurement.
    pub time: Duration,
    /// After one that does not count.
    pub repetitions: usize,
}

/// How many calls a second so many callers get answered when each waits for its answer before it calls again.
///
/// `call` is told who calls and how many calls went before.
pub async fn rate<F>(effort: Effort, callers: usize, call: impl Fn(usize, u64) -> F + Send + Sync + 'static) -> Measured
where
    F: Future<Output = ()> + Send + 'static,
{
    let (call, calls) = (Arc::new(call), Arc::new(AtomicU64::new(0)));
    let mut rates = Vec::new();
    for repetition in 0..=effort.repetitions {
        let time = if repetition == 0 { effort.time / 4 } else { effort.time };
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            let (call, calls) = (Arc::clone(&call), Arc::clone(&calls));
            tasks.spawn(async move {
                let mut answered = 0_u32;
                while begun.elapsed() < time {
                    call(caller, calls.fetch_add(1, Ordering::Relaxed)).await;
                    answered += 1;
                }
                answered
            });
        }
        let answered: u32 = tasks.join_all().await.into_iter().sum();
        if repetition > 0 {
            rates.push(f64::from(answered) / begun.elapsed().as_secs_f64());
        }
    }
    Measured::of(rates)
}

/// So many connections for so many callers: as they would have from a few processes.
pub fn connections(callers: usize) -> usize {
    callers.div_ceil(16)
}
