//! The proofs, once all faults are over: the suite is whole, and what it says is what callers were told.

mod facts;
mod feeds;
mod figures;
mod repeats;
mod verified;

use std::{
    collections::BTreeMap,
    fmt::Debug,
    time::{Duration, Instant},
};

use barometer_proto::metrics::v1::{GetFoldRequest, metrics_service_client::MetricsServiceClient};
use tokio::time::sleep;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use uuid::Uuid;

use self::{facts::Facts, figures::Figures};
use crate::{
    ledger::Act,
    load::{
        Shared,
        send::{Order, attempt},
    },
    report::Log,
    watching::Watching,
    world::{SERVICES, World, connect, process::Process},
};

/// What was proved, or the differences.
pub(crate) struct Proof {
    pub(crate) name: &'static str,
    pub(crate) result: Result<String, Vec<String>>,
}

/// Within this time after the last fault everything works again.
const RECOVERY: Duration = Duration::from_secs(60);

/// Proves everything. Once something is so broken that nothing more can be asked, the rest is left out.
pub(crate) async fn prove(world: &World, shared: &Shared, watching: Watching, log: &Log) -> Vec<Proof> {
    let mut proofs = Vec::new();
    let mut add = |name, result: Result<String, Vec<String>>| {
        let good = result.is_ok();
        proofs.push(Proof { name, result });
        good
    };
    if add("every process serves", serve(world).await) && add("every process takes writes", write(world, shared).await)
    {
        match Facts::read(world, shared).await {
            Err(wrong) => drop(add("the facts are what was acknowledged", Err(wrong))),
            Ok(facts) => {
                add("the facts are what was acknowledged", facts.compare(shared));
                add("customers are one for each key", facts.compare_customers(world, shared).await);
                add("feeds tell the facts", feeds::compare(world, shared, &facts, &watching).await);
                add("positions from before are good", feeds::positions(world, shared).await);
                add("the figures are those of the facts", figures(world, shared, &facts).await);
                add("figures verified are the same", verified::verify(world, shared).await);
                add("repeated requests do nothing", repeats::repeat(world, shared, &facts).await);
                add("figures made again are the same", rebuild(world, shared, &facts).await);
                add("and so they are when verified again", verified::verify(world, shared).await);
            }
        }
    }
    let mut violations = shared.ledger.lock().violations.clone();
    violations.extend(log.violations());
    violations.extend(world.processes.iter().flat_map(|process| process.history().0));
    let none = "none was wedged, broke, or answered what can not be".to_owned();
    add("processes and answers", if violations.is_empty() { Ok(none) } else { Err(violations) });
    proofs
}

/// A connection to a process itself, without a link.
async fn direct(process: &Process) -> Channel {
    connect(format!("http://{}", process.address().await))
}

/// Every process is healthy, and metrics are connected to their sources.
async fn serve(world: &World) -> Result<String, Vec<String>> {
    let begun = Instant::now();
    let mut wrong = Vec::new();
    for process in &world.processes {
        let Some(left) = RECOVERY.checked_sub(begun.elapsed()) else {
            wrong.push(format!("{} was not looked at: it took too long", process.name));
            continue;
        };
        let healthy = async {
            while !is_healthy(process).await {
                sleep(Duration::from_millis(50)).await
            }
        };
        if tokio::time::timeout(left, healthy).await.is_err() {
            wrong.push(format!("{} does not serve {RECOVERY:?} after the last fault", process.name));
        }
    }
    match wrong.is_empty() {
        true => Ok(format!("all {} after {:.1} s", world.processes.len(), begun.elapsed().as_secs_f64())),
        false => Err(wrong),
    }
}

async fn is_healthy(process: &Process) -> bool {
    let to = direct(process).await;
    let service = SERVICES.iter().find(|service| service.name == process.service).map(|service| service.health);
    let mut request = Request::new(HealthCheckRequest { service: service.unwrap_or_default().to_owned() });
    request.set_timeout(Duration::from_secs(2));
    let check = HealthClient::new(to.clone()).check(request).await;
    let serves = check.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving);
    if process.service != "metrics" {
        return serves;
    }
    let fold = MetricsServiceClient::new(to).get_fold(GetFoldRequest {}).await;
    let connected = |fold: barometer_proto::metrics::v1::Fold| {
        fold.sources.iter().all(|source| source.freshness.as_ref().is_some_and(|freshness| freshness.connected))
    };
    serves && fold.is_ok_and(|fold| connected(fold.into_inner()))
}

/// Every process that keeps facts takes one of each kind.
async fn write(world: &World, shared: &Shared) -> Result<String, Vec<String>> {
    let (mut wrong, mut writes) = (Vec::new(), 0);
    for (nth, kind) in shared.kinds.iter().enumerate() {
        for process in world.replicas(kind.service()) {
            let row = shared.row(nth, Some(0), true, true);
            shared.ledger.intend(nth, row);
            let request_id = Uuid::new_v4().to_string();
            let order = Order { kind: nth, act: Act::Record, row, id: String::new(), request_id };
            match patiently(async || attempt(shared, &order, direct(process).await).await).await {
                Ok(written) => {
                    shared.ledger.acknowledged(nth, Act::Record, row, kind.service(), &written.position);
                    writes += 1;
                }
                Err(status) => {
                    shared.ledger.unknown(nth, Act::Record, row);
                    wrong.push(format!("{} takes no {}: {status:?}", process.name, kind.name()));
                }
            }
        }
    }
    if wrong.is_empty() { Ok(format!("{writes} writes")) } else { Err(wrong) }
}

/// The figures of every replica are those of the facts.
async fn figures(world: &World, shared: &Shared, facts: &Facts) -> Result<String, Vec<String>> {
    let expected = Figures::of(shared, facts);
    let mut wrong = Vec::new();
    for process in world.replicas("metrics") {
        match Figures::ask(direct(process).await, shared, facts).await {
            Ok(figures) => wrong.extend(differences(&process.name, &expected.0, &figures.0)),
            Err(status) => wrong.push(format!("{} gives no figures: {status:?}", process.name)),
        }
    }
    let told = format!("{} figures by write, lot, turn, month, category and customer", expected.0.len());
    if wrong.is_empty() { Ok(told) } else { Err(wrong) }
}

/// Figures from the snapshot of an orderly end, and from nothing, are those from before.
async fn rebuild(world: &World, shared: &Shared, facts: &Facts) -> Result<String, Vec<String>> {
    let expected = Figures::of(shared, facts);
    let mut wrong = Vec::new();
    for from_nothing in [false, true] {
        for process in world.replicas("metrics") {
            process.hold(true);
            if process.terminate().await.is_none() {
                wrong.push(format!("{} does not end within a minute after SIGTERM", process.name));
            }
            if from_nothing && let Err(error) = std::fs::remove_dir_all(process.folder.join("metrics")) {
                wrong.push(format!("{} has no snapshot: {error}", process.name));
            }
            process.hold(false);
            let to = direct(process).await;
            let fold =
                patiently(async || MetricsServiceClient::new(to.clone()).get_fold(GetFoldRequest {}).await).await;
            match fold.map(|fold| fold.into_inner().resumed) {
                Ok(resumed) if resumed != from_nothing => {}
                other => wrong.push(format!("{} begun with a snapshot: {other:?}", process.name)),
            }
            match Figures::ask(to, shared, facts).await {
                Ok(figures) => wrong.extend(differences(&process.name, &expected.0, &figures.0)),
                Err(status) => wrong.push(format!("{} gives no figures: {status:?}", process.name)),
            }
        }
    }
    if wrong.is_empty() { Ok("from a snapshot, and from nothing".to_owned()) } else { Err(wrong) }
}

/// Asks until the answer is another than that it will be there later.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    let begun = Instant::now();
    loop {
        match ask().await {
            Err(status)
                if begun.elapsed() < RECOVERY
                    && !matches!(status.code(), Code::InvalidArgument | Code::OutOfRange | Code::NotFound) =>
            {
                sleep(Duration::from_millis(100)).await;
            }
            answer => return answer,
        }
    }
}

/// Where two maps differ, in words.
fn differences<K: Ord + Debug, V: PartialEq + Debug>(
    whose: &str,
    expected: &BTreeMap<K, V>,
    found: &BTreeMap<K, V>,
) -> Vec<String> {
    let missing = expected.iter().filter(|(key, value)| found.get(*key) != Some(*value));
    let missing = missing.map(|(key, value)| format!("{whose}: {key:?} is {:?}, not {value:?}", found.get(key)));
    let strange = found.iter().filter(|(key, _)| !expected.contains_key(*key));
    missing.chain(strange.map(|(key, value)| format!("{whose}: {key:?} is {value:?}, of which nobody knows"))).collect()
}

/// A whole number that came as a float.
#[allow(clippy::cast_possible_truncation, reason = "counts are far below 2^53")]
pub(crate) fn whole(number: f64) -> i64 {
    number.round() as i64
}
