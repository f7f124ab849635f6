//! `barometer demo` as its users run it: what it prints is the truth, and it leaves nothing behind.

#![allow(clippy::disallowed_methods, reason = "the test waits for processes, without a runtime")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use barometer_simulator::{Company, Parameters, company::Survey, timeline::MONTHS};
use barometer_tests::process;

/// 2026-10-20T12:00:00Z.
const UNTIL: i64 = 1_792_497_600_000_000;
const FLAGS: [&str; 9] =
    ["demo", "--listen", "127.0.0.1:0", "--customers", "200", "--seed", "5", "--until", "2026-10-20T12:00:00Z"];

fn demo(flags: &[&str]) -> Command {
    let mut command = Command::new(process::program());
    command.args(FLAGS).args(flags).stdin(Stdio::null());
    command
}

#[test]
fn the_report_is_the_truth() {
    let output = demo(&["--exit", "--ascii"]).output().expect("the program runs");
    let (report, told) = (String::from_utf8(output.stdout).expect("text"), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(report.is_ascii() && report.lines().all(|line| line.len() <= 96), "{report}");

    let company = Company::new(Parameters { customers: 200, seed: 5, until: UNTIL }).expect("an end of time");
    let truth = company.truth();
    for month in 0..MONTHS {
        let label = company.timeline().label(month);
        let mut lines = report.lines().filter(|line| line.starts_with(&label)).map(str::split_whitespace);
        let (mut recommending, mut following) = (lines.next().expect("a line"), lines.next().expect("another"));

        let (promoters, passives, detractors) = truth.answers_of(Survey::Relationship, month).recommend();
        let answers = promoters + passives + detractors;
        let score = 100.0 * (promoters as f64 - detractors as f64) / answers as f64;
        let shown: f64 = recommending.nth(1).and_then(|score| score.parse().ok()).expect("a score");
        assert!((shown - score).abs() <= 0.05 + 1e-9, "{label}: {shown} {score}");
        assert_eq!(recommending.next(), Some(answers.to_string().as_str()), "{label}");

        let cases = truth.cases_of(month);
        assert_eq!(following.nth(1), Some(cases.opened.to_string().as_str()), "{label}");
        let months = &truth.months[month];
        assert!(following.any(|word| word == months.active_at_end.to_string()), "{label}: {months:?}");
    }
    assert!(!left_behind(&report), "{report}");
}

#[test]
fn it_stays_up_and_what_it_recommends_works() {
    let mut demo = demo(&[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    let mut lines = BufReader::new(demo.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let report: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("It stays up")).collect();
    let commands: Vec<&String> = report.iter().filter(|line| line.contains("--endpoint http://127.0.0.1:")).collect();
    assert!(commands.len() >= 4, "{report:?}");
    for command in commands {
        let mut words = command.split_whitespace();
        let output = Command::new(words.next().expect("the program")).args(words).output().expect("it runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && told.lines().count() > 4, "{command}: {output:?}");
        assert!(!told.contains("no facts\n\n"), "{command}: {told}");
    }
    let stopped = Command::new("kill").args(["-INT", &demo.id().to_string()]).status().expect("kill runs");
    assert!(stopped.success());
    assert!(demo.wait().expect("it ends").success());
    assert!(!left_behind(&report.join("\n")));
}

#[test]
fn a_kept_company_is_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("company");
    let flags = ["--exit", "--ascii", "--data-dir", data.to_str().expect("text")];
    let run = || String::from_utf8(demo(&flags).output().expect("the program runs").stdout).expect("text");
    let figures = |report: &str| report.lines().skip(6).map(str::to_owned).collect::<Vec<_>>();
    let (first, again) = (run(), run());
    assert!(first.contains("stays in") && figures(&first).len() > 2 * MONTHS, "{first}");
    assert_eq!(figures(&first), figures(&again));
    assert!(data.is_dir());
}

/// Whether the temporary directory that a report names is there.
fn left_behind(report: &str) -> bool {
    let line = report.lines().find(|line| line.ends_with("and removed at the end.")).expect("a line about it");
    let path = line.trim_start_matches("Their data is in ").trim_end_matches(" and removed at the end.");
    Path::new(path).exists()
}
