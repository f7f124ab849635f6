//! Doing to the world what the plan says, and undoing it.

use barometer_chassis::testing::{Cluster, StopMode};
use fastrand::Rng;
use tokio::time::sleep;

use super::{Step, Target, What};
use crate::{
    report::Log,
    world::{
        DATABASE, World,
        link::{Link, Passes},
        process::{Process, signal},
    },
};

pub(super) async fn act(world: &World, step: Step, rng: &mut Rng, log: &Log) {
    match step.target {
        Target::Process(index) => on_process(&world.processes[index], step, log).await,
        Target::Link(index) => on_link(&world.links[index], step).await,
        Target::Postgres => {
            if let Some(cluster) = &world.cluster {
                on_postgres(cluster, step, rng).await;
            }
        }
    }
}

async fn on_process(process: &Process, step: Step, log: &Log) {
    match step.what {
        What::Terminate => {
            if process.terminate().await.is_none() {
                log.violate(format!("{} does not end within a minute after SIGTERM", process.name));
            }
        }
        What::Pause => {
            process.pause(true);
            sleep(step.length).await;
            process.pause(false);
        }
        _ => {
            process.kill();
        }
    }
}

async fn on_link(link: &Link, step: Step) {
    match step.what {
        What::HalfClose => link.half_close(),
        What::Lose => link.lose(),
        What::Stall => while_passing(link, Passes::Nothing, step).await,
        What::StallRequests => while_passing(link, Passes::OnlyAnswers, step).await,
        What::DropAnswers => {
            link.pass(Passes::OnlyRequests);
            sleep(step.length).await;
            link.cut();
            link.pass(Passes::Everything);
        }
        What::Refuse => {
            link.refuse(true);
            link.cut();
            sleep(step.length).await;
            link.refuse(false);
        }
        _ => link.cut(),
    }
}

async fn while_passing(link: &Link, passes: Passes, step: Step) {
    link.pass(passes);
    sleep(step.length).await;
    link.pass(Passes::Everything);
}

async fn on_postgres(cluster: &Cluster, step: Step, rng: &mut Rng) {
    let mut sessions = cluster.sessions(DATABASE);
    sessions.sort_unstable();
    let session = rng.choice(sessions);
    match (step.what, session) {
        (What::RestartFast, _) => cluster.restart(StopMode::Fast).await,
        (What::RestartImmediate, _) => cluster.restart(StopMode::Immediate).await,
        (What::KillServer, _) => {
            cluster.kill9().await;
            cluster.start_again().await;
        }
        (What::KillSession, Some(session)) => {
            signal(session, "-KILL");
        }
        (What::EndSession, Some(session)) => {
            signal(session, "-TERM");
        }
        (What::PauseSession, Some(session)) => {
            signal(session, "-STOP");
            sleep(step.length).await;
            signal(session, "-CONT");
        }
        // There is no session at the moment.
        (_, _) => {}
    }
}
