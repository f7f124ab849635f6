//! The faults: a plan made from a seed, and its execution.

mod act;

use std::{fmt, sync::Arc, time::Duration};

use clap::ValueEnum;
use fastrand::Rng;
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{report::Log, world::World};

/// One fault to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// After the beginning.
    at: Duration,
    target: Target,
    what: What,
    /// How long it lasts, for those that last.
    length: Duration,
}

/// What a fault strikes, by its place in the world.
#[derive(Clone, Copy, Debug)]
enum Target {
    Process(usize),
    Link(usize),
    Postgres,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum What {
    /// SIGKILL to a service, which is started again.
    Kill,
    /// SIGTERM to a service, which is started again.
    Terminate,
    /// SIGSTOP to a service, and SIGCONT.
    Pause,
    /// All connections of a link are closed.
    Cut,
    /// The same, but towards the called only.
    HalfClose,
    /// Nothing passes a link's connections any more, for ever.
    Lose,
    /// Nothing passes a link for a while.
    Stall,
    /// A link lets no answers pass for a while, and is then cut: they are lost.
    DropAnswers,
    /// A link lets no requests pass for a while.
    StallRequests,
    /// A link takes no connections for a while, and those it has are closed.
    Refuse,
    /// PostgreSQL is stopped in order and started.
    RestartFast,
    /// PostgreSQL is stopped without a checkpoint and started.
    RestartImmediate,
    /// SIGKILL to PostgreSQL's first process.
    KillServer,
    /// SIGKILL to a session of PostgreSQL, which makes it end all others and recover.
    KillSession,
    /// SIGTERM to a session of PostgreSQL.
    EndSession,
    /// SIGSTOP to a session of PostgreSQL, and SIGCONT.
    PauseSession,
}

const OF_PROCESSES: [(What, u32); 3] = [(What::Kill, 4), (What::Terminate, 3), (What::Pause, 4)];
const OF_LINKS: [(What, u32); 7] = [
    (What::Cut, 4),
    (What::HalfClose, 2),
    (What::Lose, 1),
    (What::Stall, 2),
    (What::DropAnswers, 3),
    (What::StallRequests, 1),
    (What::Refuse, 2),
];
const OF_POSTGRES: [(What, u32); 6] = [
    (What::RestartFast, 2),
    (What::RestartImmediate, 2),
    (What::KillServer, 2),
    (What::KillSession, 3),
    (What::EndSession, 4),
    (What::PauseSession, 3),
];

/// From this time on a run also holds faults that last longer than the suite's own time limits.
const LONG_RUN: Duration = Duration::from_secs(60);

/// What was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) what: What,
    /// When it was over.
    pub(crate) ended: std::time::Instant,
}

/// Makes the plan: faults of the kinds given, or of all. The same seed gives the same plan for the same world and time.
pub(crate) fn plan(world: &World, seed: u64, time: Duration, only: &[What]) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let mut steps = Vec::new();
    // Let it come up to speed first.
    let mut at = Duration::from_secs(2);
    while at < time {
        let (target, choice): (Target, &[(What, u32)]) = match rng.u8(..100) {
            0..15 if world.cluster.is_some() => (Target::Postgres, &OF_POSTGRES),
            0..60 => (Target::Process(rng.usize(..world.processes.len())), &OF_PROCESSES),
            _ => (Target::Link(rng.usize(..world.links.len())), &OF_LINKS),
        };
        let what = some(choice, &mut rng);
        let length = match rng.u8(..10) {
            0 if time > LONG_RUN => rng.u64(4_000..14_000),
            _ => rng.u64(100..2_500),
        };
        let length = Duration::from_millis(length);
        if only.is_empty() || only.contains(&what) {
            steps.push(Step { at, target, what, length });
        }
        at += Duration::from_millis(rng.u64(200..3_000));
    }
    steps
}

fn some(choice: &[(What, u32)], rng: &mut Rng) -> What {
    let all: u32 = choice.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.u32(..all);
    for (what, weight) in choice {
        if left < *weight {
            return *what;
        }
        left -= weight;
    }
    What::Kill
}

/// Carries out the plan, and returns once every fault is over. A target that still has one is left alone.
pub(crate) async fn run(world: &Arc<World>, plan: Vec<Step>, time: Duration, seed: u64, log: &Arc<Log>) -> Vec<Done> {
    let begun = Instant::now();
    let locks = |count: usize| (0..count).map(|_| Arc::new(Mutex::new(()))).collect::<Vec<_>>();
    let (processes, links, postgres) = (locks(world.processes.len()), locks(world.links.len()), Arc::default());
    let (mut tasks, mut done) = (JoinSet::new(), Vec::new());
    for (nth, step) in (0_u64..).zip(plan) {
        sleep_until(begun + step.at).await;
        let lock = match step.target {
            Target::Process(index) => processes[index].clone(),
            Target::Link(index) => links[index].clone(),
            Target::Postgres => Arc::clone(&postgres),
        };
        let Ok(alone) = lock.try_lock_owned() else { continue };
        let (world, log) = (Arc::clone(world), Arc::clone(log));
        tasks.spawn(async move {
            let _alone = alone;
            log.line(&format!("{:>8.2} s  {}", begun.elapsed().as_secs_f64(), Described(&world, step)));
            act::act(&world, step, &mut Rng::with_seed(seed ^ nth), &log).await;
            let Step { what, .. } = step;
            Done { what, ended: std::time::Instant::now() }
        });
        while let Some(Ok(ended)) = tasks.try_join_next() {
            done.push(ended);
        }
    }
    sleep_until(begun + time).await;
    done.extend(tasks.join_all().await);
    log.line(&format!("{:>8.2} s  the faults are over", begun.elapsed().as_secs_f64()));
    done
}

/// A step in words.
struct Described<'s>(&'s World, Step);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Described(world, Step { target, what, length, .. }) = self;
        let name = match target {
            Target::Process(index) => world.processes[*index].name.as_str(),
            Target::Link(index) => world.links[*index].name.as_str(),
            Target::Postgres => "PostgreSQL",
        };
        write!(f, "{what:?} {name}")?;
        match what.lasts() {
            true => write!(f, " for {} ms", length.as_millis()),
            false => Ok(()),
        }
    }
}

impl What {
    fn lasts(self) -> bool {
        use What::{DropAnswers, Pause, PauseSession, Refuse, Stall, StallRequests};
        matches!(self, Pause | Stall | DropAnswers | StallRequests | Refuse | PauseSession)
    }
}
