//! What it was measured on.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The machine and the programs that are measured beside the suite.
#[derive(Debug, Default)]
pub struct Machine {
    processor: String,
    cores: usize,
    memory_gb: f64,
    /// Flushes of 4 KiB a second, in the directory where the databases are.
    flushes: f64,
    /// Programs with their versions, as far as they were used.
    pub versions: Vec<String>,
}

impl Machine {
    /// Looks at this machine; databases will be in `directory`.
    pub fn look(directory: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field(&text("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        Machine {
            processor: field(&text("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: kib * 1024.0 / 1e9,
            flushes: flushes(directory),
            versions: vec![format!("Barometer {}", env!("CARGO_PKG_VERSION"))],
        }
    }

    /// Notes what a program says when it is asked for its version.
    pub fn note_version(&mut self, mut command: Command) {
        let output = command.arg("--version").output().expect("the program runs");
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !self.versions.contains(&version) {
            self.versions.push(version);
        }
    }

    /// The head of a report.
    pub fn facts(&self) -> Vec<String> {
        let Machine { processor, cores, memory_gb, flushes, versions } = self;
        vec![
            format!("{processor}, {cores} cores, {memory_gb:.0} GB of memory; what asks runs on the same cores"),
            format!("{flushes:.0} flushes of 4 KiB a second (fdatasync) where the databases are"),
            versions.join(", "),
        ]
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let Machine { processor, cores, memory_gb, flushes, versions } = self;
        json!({
            "processor": processor, "cores": cores, "memory_gb": memory_gb, "flushes_per_second": flushes,
            "versions": versions,
        })
    }
}

/// How often a second 4 KiB at the end of a file reach the disk.
fn flushes(directory: &Path) -> f64 {
    let path = directory.join("flushes");
    let mut file = File::create(&path).expect("a file");
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("the disk takes it");
        count += 1;
    }
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    drop(fs::remove_file(path));
    rate
}
