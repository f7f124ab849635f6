//! What the program tells.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    faults::{Done, What},
    kinds::Kind,
    ledger::{Act, Ledger, Tally},
    proof::Proof,
    world::World,
};

/// The log of a run, in its folder; on the terminal too when that is asked for.
#[derive(Debug)]
pub(crate) struct Log {
    file: Mutex<File>,
    aloud: bool,
    violations: Mutex<Vec<String>>,
}

impl Log {
    pub(crate) fn open(folder: &Path, aloud: bool) -> std::io::Result<Self> {
        let file = Mutex::new(File::create(folder.join("faults.log"))?);
        Ok(Log { file, aloud, violations: Mutex::default() })
    }

    pub(crate) fn line(&self, line: &str) {
        // A log that can not be written stops no test.
        let _full = writeln!(self.file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
        if self.aloud {
            println!("{line}");
        }
    }

    /// Notes what must not be.
    pub(crate) fn violate(&self, what: String) {
        self.line(&format!("          {what}"));
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tells what happened and what was proved; whether all of it holds.
pub(crate) fn tell(world: &World, kinds: &[&dyn Kind], ledger: &Ledger, done: &[Done], proofs: &[Proof]) -> bool {
    println!("\n  {:<28}{:>13}{:>10}{:>10}{:>10}", "writes", "acknowledged", "refused", "unknown", "retries");
    let inner = ledger.lock();
    for (nth, kind) in kinds.iter().enumerate() {
        for act in [Act::Record, Act::Amend, Act::Withdraw, Act::Import] {
            let name = format!("{} {}", kind.name(), format!("{act:?}").to_lowercase());
            let Tally { acknowledged, refused, unknown, retried } =
                inner.tallies.get(&(nth, act)).copied().unwrap_or_default();
            println!("  {name:<28}{acknowledged:>13}{refused:>10}{unknown:>10}{retried:>10}");
        }
    }
    println!("  figures read right after a write: {} included it", inner.read_back);

    println!("\n  {:<28}{:>13}{:>30}", "faults", "times", "writes go on after, at most");
    let mut by_kind: BTreeMap<What, Vec<Duration>> = BTreeMap::new();
    for Done { what, ended } in done {
        by_kind.entry(*what).or_default().push(until_all_go_on(&inner.acknowledged, *ended));
    }
    for (what, recovered) in &by_kind {
        let longest = recovered.iter().max().copied().unwrap_or_default();
        println!("  {:<28}{:>13}{:>28.1} s", format!("{what:?}"), recovered.len(), longest.as_secs_f64());
    }
    let failures: Vec<_> = inner.failures.iter().map(|(what, times)| format!("{what} {times}")).collect();
    println!(
        "\n  answers that were failures: {}",
        if failures.is_empty() { "none".to_owned() } else { failures.join(", ") }
    );
    drop(inner);
    for (service, silence) in ledger.longest_silence() {
        println!("  longest time in which {service} acknowledged nothing: {:.1} s", silence.as_secs_f64());
    }
    for process in &world.processes {
        let (_, starts, failed) = process.history();
        println!("  {}: started {starts} times, {failed} of them in vain", process.name);
    }

    println!("\n  proofs");
    for Proof { name, result } in proofs {
        match result {
            Ok(told) => println!("  holds   {name}: {told}"),
            Err(differences) => {
                let mut told: BTreeMap<&str, usize> = BTreeMap::new();
                differences.iter().for_each(|difference| *told.entry(difference).or_default() += 1);
                println!("  FAILS   {name}: {} differences", differences.len());
                told.iter().take(20).for_each(|(difference, times)| println!("          {times} x {difference}"));
            }
        }
    }
    proofs.iter().all(|proof| proof.result.is_ok())
}

/// The time from an instant until every service had acknowledged a write again.
fn until_all_go_on(acknowledged: &BTreeMap<String, Vec<Instant>>, from: Instant) -> Duration {
    let next = |times: &Vec<Instant>| {
        let place = times.partition_point(|time| *time < from);
        times.get(place).map_or(Duration::ZERO, |time| time.duration_since(from))
    };
    acknowledged.values().map(next).max().unwrap_or_default()
}
