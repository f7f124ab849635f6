//! Writes an event log of a complaint desk: `histories [CASES [SEED]] > log.csv`, 1,000 cases of seed 1 when not said.
//!
//! The desk worked in the year 2025 (UTC). `barometer import histories log.csv --map-by-name` brings it in.

use std::{
    env,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use barometer_simulator::histories::{COLUMNS, Desk};

/// 2025-01-01 and 2026-01-01, in microseconds.
const START: i64 = 1_735_689_600_000_000;
const UNTIL: i64 = 1_767_225_600_000_000;

fn main() -> ExitCode {
    let arguments: Option<Vec<u64>> = env::args().skip(1).map(|text| text.parse().ok()).collect();
    let numbers = arguments.filter(|numbers| numbers.len() <= 2).and_then(|numbers| {
        let cases = numbers.first().map_or(Ok(1_000), |cases| u32::try_from(*cases)).ok()?;
        Some((cases, numbers.get(1).copied().unwrap_or(1)))
    });
    let Some((cases, seed)) = numbers else {
        return tell("usage: histories [CASES [SEED]] > log.csv");
    };
    match write(&Desk { cases, seed, start: START, until: UNTIL }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => tell(&error.to_string()),
    }
}

fn write(desk: &Desk) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "{COLUMNS}")?;
    for event in desk.log() {
        writeln!(out, "{event}")?;
    }
    out.flush()
}

fn tell(message: &str) -> ExitCode {
    // When even this can not be written, the exit code says it.
    let _told = writeln!(io::stderr(), "{message}");
    ExitCode::FAILURE
}
