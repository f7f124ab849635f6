//! An import of many answers; what they take in memory and on the disk; reading all of them anew.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use jiff::Timestamp;

use crate::{
    Settings,
    answers::{self, Answer},
    process::{Start, Suite},
    report::{Aim, Line, Measured, Report, Unit},
};

/// Customers in a file that names them.
const CUSTOMERS: u64 = 100_000;

/// Imports answers of nobody, then answers of customers; reads the former anew.
pub async fn measure(settings: &Settings, report: &mut Report) {
    let rows = settings.rows;
    for of_customers in [false, true] {
        let directory = settings.directory();
        let file = directory.path().join("answers.csv");
        write_file(&file, rows, of_customers);
        let data = directory.path().join("data");
        let start = Start { program: &settings.program, data: &data, postgres: None, preload: None, flags: &[] };
        let suite = Suite::start(&start).await;
        suite.healthy().await;
        let begun = Instant::now();
        import(settings, &suite, &file, of_customers).await;
        let rate = count(rows) / begun.elapsed().as_secs_f64();
        let whose = if of_customers { format!("of {CUSTOMERS} new customers") } else { "of nobody known".to_owned() };
        let figure = Measured::once(rate);
        let line = Line::new("import", format!("{rows} answers {whose}, SQLite"), figure, Unit::PerSecond("rows"));
        report.lines.push(if of_customers { line } else { line.aim(Aim::Value(50_000.0)) });
        if of_customers {
            continue;
        }

        let memory = suite.memory();
        let loaded = |what: &str, figure| {
            Line::new("memory", format!("{what} after {rows} answers"), Measured::once(figure), Unit::Megabytes)
        };
        report.lines.push(loaded("whole suite, resident,", memory.resident));
        report.lines.push(loaded("whole suite, private,", memory.private));
        rebuild(settings, report, &suite, &directory.path().join("anew")).await;
        suite.stop().await;
        let bytes = fs::metadata(data.join("surveys.sqlite")).expect("the database").len();
        let figure = Measured::once(count(bytes) / count(rows));
        report.lines.push(Line::new("disk", "SQLite database with indexes", figure, Unit::BytesPerFact));
    }
}

/// A metrics process that begins with nothing, beside a suite with all facts.
async fn rebuild(settings: &Settings, report: &mut Report, suite: &Suite, data: &Path) {
    let mut rates = Vec::new();
    for repetition in 0..settings.effort.repetitions {
        let data = data.join(repetition.to_string());
        let mut flags = vec!["metrics"];
        for flag in ["--customers-endpoint", "--surveys-endpoint", "--complaints-endpoint"] {
            flags.extend([flag, &suite.endpoint]);
        }
        let start = Start { program: &settings.program, data: &data, postgres: None, preload: None, flags: &flags };
        let metrics = Suite::start(&start).await;
        rates.push(count(settings.rows) / metrics.healthy().await.as_secs_f64());
    }
    let what = format!("metrics started anew, until {} answers are in its figures", settings.rows);
    report.lines.push(Line::new("rebuild", what, Measured::of(rates), Unit::PerSecond("facts")));
}

/// Imports a file of answers, and waits until it is done.
pub async fn import(settings: &Settings, suite: &Suite, file: &Path, of_customers: bool) {
    let mut import = Command::new(&settings.program);
    import.args(["import", "responses"]).arg(file).args(["--endpoint", &suite.endpoint]);
    import.args(["--set", &format!("survey={}", answers::SURVEY)]);
    for field in ["time", "score", "channel", "language", "external_id"] {
        import.args(["--map", &format!("{field}={field}")]);
    }
    if of_customers {
        import.args(["--map", "customer=customer", "--customer-system", answers::SYSTEM]);
    }
    import.args(["--dimension", answers::MARKET]).stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || import.output().expect("the program runs"));
    let output = run.await.expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes so many answers, of customers or of nobody known.
pub fn write_file(path: &Path, rows: u64, of_customers: bool) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let header = format!("external_id,time,score,channel,language,{},customer", answers::MARKET);
    writeln!(file, "{header}").expect("the disk takes it");
    for index in 0..rows {
        let Answer { time, score, channel, market, language, customer, .. } = Answer::new(index, rows);
        let time = Timestamp::from_microsecond(time).expect("an instant");
        let score = score.map_or_else(String::new, |score| score.to_string());
        let customer = if of_customers { answers::key(customer % CUSTOMERS).value } else { String::new() };
        writeln!(file, "a-{index},{time},{score},{channel},{language},{market},{customer}").expect("the disk takes it");
    }
    file.flush().expect("the disk takes it");
}

#[allow(clippy::cast_precision_loss, reason = "below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}
