//! How soon the suite listens, and what it takes when nothing happens.

use std::time::Duration;

use crate::{
    Settings,
    process::{Start, Suite},
    report::{Aim, Line, Measured, Report, Unit},
};

const STARTS: usize = 5;

/// Starts the whole suite with nothing, and again with the databases made.
pub async fn measure(settings: &Settings, report: &mut Report) {
    let (mut first, mut again, mut healthy, mut memories) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let data = settings.directory();
        let start = Start { program: &settings.program, data: data.path(), postgres: None, preload: None, flags: &[] };
        let suite = Suite::start(&start).await;
        first.push(suite.listening);
        suite.healthy().await;
        suite.stop().await;
        let suite = Suite::start(&start).await;
        again.push(suite.listening);
        healthy.push(suite.healthy().await);
        // Idle: what the start needed is given back, and the watches are open.
        tokio::time::sleep(Duration::from_secs(1)).await;
        memories.push(suite.memory());
    }
    let time = |what: &str, times: Vec<Duration>| {
        let figure = Measured::of(times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect());
        Line::new("start", format!("whole suite, {what}, SQLite"), figure, Unit::Milliseconds)
    };
    report.lines.push(time("listening, with nothing yet", first).aim(Aim::Value(300.0)));
    report.lines.push(time("listening, again", again).aim(Aim::Value(300.0)));
    report.lines.push(time("healthy, again", healthy));
    let memory = |what: &str, of: fn(&crate::process::Memory) -> f64| {
        let figure = Measured::of(memories.iter().map(of).collect());
        Line::new("memory", format!("whole suite idle, {what}"), figure, Unit::Megabytes)
    };
    report.lines.push(memory("resident", |memory| memory.resident).aim(Aim::Value(60.0)));
    report.lines.push(memory("proportional", |memory| memory.proportional));
    report.lines.push(memory("private", |memory| memory.private));
}
