//! `ladders`: replicas of complaints over many open cases whose ladders have steps all the time; replicas are killed and
//! started again, and at the end every step was taken exactly once, and none too late.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports to the terminal")]
#![allow(clippy::disallowed_methods, reason = "time passes here as it does for users")]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use barometer_chassis::{
    clock::Micros,
    config::duration,
    testing::{DatabaseKind, TestDatabase},
};
use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{
        Audience, Calendar, Case, CaseRow, ClockDuration, ClockKind, ClockTarget, CreateCalendarRequest, DurationUnit,
        EscalationFact, FactKind, ImportCasesRequest, Ladder, LadderStep, Policy, PolicySet, PublishPoliciesRequest,
        WatchFactsRequest, complaint_service_client::ComplaintServiceClient, fact, ladder_step::When,
        policy_service_client::PolicyServiceClient,
    },
};
use barometer_tests::samples::calendar;
use clap::{Parser, ValueEnum};
use tonic::transport::Channel;

/// Rows of a batch.
const BATCH: usize = 1_000;
/// How long the clock of each case may run: it is due after it, and half of it before.
const TARGET: i64 = 60 * Micros::SECOND;
/// The steps of each case.
const STEPS: usize = 2;

/// Opens many cases whose clocks run out one after the other, kills and restarts replicas meanwhile, and proves that each
/// step of each ladder was taken exactly once and in time
#[derive(Debug, Parser)]
#[command(name = "ladders")]
struct Args {
    /// Open cases
    #[arg(long, default_value = "300", value_name = "CASES")]
    cases: usize,

    /// Over how long their clocks run out
    #[arg(long, default_value = "20s", value_name = "TIME", value_parser = duration)]
    spread: Duration,

    /// How often a replica is killed
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration)]
    every: Duration,

    /// The latest that a step may be taken
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration)]
    bound: Duration,

    /// The databases to run on, one after the other: three replicas on PostgreSQL, one on SQLite
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,

    /// The program to run; `barometer` beside this one when it is not given
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let program = args.program.clone().or_else(|| Some(std::env::current_exe().ok()?.with_file_name("barometer")));
    let Some(program) = program.filter(|program| program.is_file()) else {
        eprintln!("ladders: there is no `barometer` beside this program: `cargo build --workspace --bins` makes it");
        return ExitCode::from(66);
    };
    let kinds = match args.database {
        Databases::Sqlite => &[DatabaseKind::Sqlite][..],
        Databases::Postgres => &[DatabaseKind::Postgres],
        Databases::Both => &[DatabaseKind::Sqlite, DatabaseKind::Postgres],
    };
    let mut good = true;
    for kind in kinds {
        good &= match run(&args, &program, *kind).await {
            Ok(good) => good,
            Err(error) => {
                eprintln!("ladders: {error}");
                false
            }
        };
    }
    ExitCode::from(u8::from(!good))
}

/// One run on one database; whether all is well.
async fn run(args: &Args, program: &Path, kind: DatabaseKind) -> Result<bool, Failure> {
    let database = TestDatabase::new(kind).await;
    let count = if kind == DatabaseKind::Postgres { 3 } else { 1 };
    println!("ladders on {kind}: {} cases, replicas: {count}, killed every {:?}", args.cases, args.every);
    let mut replicas = Vec::with_capacity(count);
    for number in 0..count {
        replicas.push(Replica::start(&database, program, number).await?);
    }
    publish(&replicas[0].channel).await?;
    // What is imported is quiet up to the import: all of it must be to come.
    let lead = Duration::from_secs(10) + Duration::from_millis(4) * u32::try_from(args.cases)?;
    let begin = Micros(Micros::now().0 + i64::try_from(lead.as_micros())? - TARGET / 2);
    load(&replicas[0].channel, args, begin).await?;
    let left = begin.0 + TARGET / 2 - Micros::now().0;
    println!("  loaded, {} s before the first step", left / Micros::SECOND);
    if left < 0 {
        return Err("loading took too long: the first steps are passed over".into());
    }

    let end = Micros(begin.0 + TARGET + i64::try_from(args.spread.as_micros())?);
    let (mut kills, mut random) = (0, fastrand::Rng::with_seed(7));
    while Micros::now() < end {
        tokio::time::sleep(args.every).await;
        let number = random.usize(0..count);
        replicas[number].kill();
        kills += 1;
        tokio::time::sleep(Duration::from_millis(random.u64(0..1_000))).await;
        replicas[number] = Replica::start(&database, program, number).await?;
    }
    tokio::time::sleep(args.bound).await;
    let taken = escalations(&replicas[0].channel, args.cases * STEPS).await?;
    Ok(tell(args, &taken, kills))
}

/// A process of the service. Killed when dropped.
struct Replica {
    child: Child,
    channel: Channel,
}

impl Replica {
    async fn start(database: &TestDatabase, program: &Path, number: usize) -> Result<Replica, Failure> {
        let folder = match database.postgres_url() {
            Some(_) => database.directory().join(format!("replica-{number}")),
            None => database.directory().to_owned(),
        };
        std::fs::create_dir_all(&folder)?;
        let port_file = folder.join("port");
        drop(std::fs::remove_file(&port_file));
        let mut command = Command::new(program);
        command.args(["serve", "complaints", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        // Nobody is asked for: cases come without customers.
        command.args(["--customers-endpoint", "http://127.0.0.1:1", "--surveys-endpoint", "http://127.0.0.1:1"]);
        command.arg("--port-file").arg(&port_file).arg("--data-dir").arg(&folder);
        if let Some(url) = database.postgres_url() {
            command.args(["--database-url", &url]);
        }
        let log = std::fs::File::options().create(true).append(true).open(folder.join("serve.log"))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        for _ in 0..3_000 {
            if let Ok(address) = std::fs::read_to_string(&port_file)
                && !address.is_empty()
            {
                let channel = Channel::from_shared(format!("http://{address}"))?.connect_lazy();
                return Ok(Replica { child, channel });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let told = std::fs::read_to_string(folder.join("serve.log")).unwrap_or_default();
        Err(format!("a replica does not listen: {told}").into())
    }

    /// SIGKILL.
    fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A minute round the clock until the first response, and a step at its half and at its end.
async fn publish(channel: &Channel) -> Result<(), Failure> {
    let mut client = PolicyServiceClient::new(channel.clone());
    let request = CreateCalendarRequest { calendar: Some(calendar("office")), request_id: String::new() };
    let Calendar { calendar_id, .. } = client.create_calendar(request).await?.into_inner();
    let minute = ClockDuration { amount: 1, unit: DurationUnit::ElapsedMinutes.into() };
    let kind = ClockKind::FirstResponse.into();
    let step = |percent, raise_by_one| LadderStep {
        when: Some(When::Percent(percent)),
        raise_by_one,
        notify: vec![Audience::Owner.into()],
        ..LadderStep::default()
    };
    let policy = Policy {
        name: "all".to_owned(),
        calendar_id,
        targets: vec![ClockTarget { kind, target: Some(minute), ..ClockTarget::default() }],
        ladders: vec![Ladder { kind, steps: vec![step(50, false), step(100, true)] }],
        ..Policy::default()
    };
    let policy_set = Some(PolicySet { policies: vec![policy], ..PolicySet::default() });
    client.publish_policies(PublishPoliciesRequest { policy_set, ..Default::default() }).await?;
    Ok(())
}

/// Records the cases: their clocks run out one after the other.
async fn load(channel: &Channel, args: &Args, begin: Micros) -> Result<(), Failure> {
    let spread = i64::try_from(args.spread.as_micros())?;
    let cases = i64::try_from(args.cases)?;
    let row = |number: i64| {
        let key = ExternalId { system: "ladders".to_owned(), value: number.to_string() };
        let open_time = Some(Micros(begin.0 + spread / cases * number).to_wire());
        CaseRow {
            row: number,
            case: Some(Case { external_id: Some(key), open_time, ..Case::default() }),
            ..CaseRow::default()
        }
    };
    let rows: Vec<CaseRow> = (0..cases).map(row).collect();
    let batches: Vec<_> = rows.chunks(BATCH).map(|rows| ImportCasesRequest { rows: rows.to_vec() }).collect();
    let mut client = ComplaintServiceClient::new(channel.clone());
    let mut answers = client.import_cases(tokio_stream::iter(batches)).await?.into_inner();
    let mut recorded = 0;
    while let Some(answer) = answers.message().await? {
        recorded += i64::from(answer.recorded);
    }
    if recorded != cases {
        return Err(format!("{recorded} of {cases} cases were recorded").into());
    }
    Ok(())
}

/// Every step that was taken, as a watcher sees it.
async fn escalations(channel: &Channel, expected: usize) -> Result<Vec<EscalationFact>, Failure> {
    let mut client = ComplaintServiceClient::new(channel.clone());
    let request = WatchFactsRequest { kinds: vec![FactKind::Escalation.into()], after: String::new() };
    let mut batches = client.watch_facts(request).await?.into_inner();
    let mut taken = Vec::with_capacity(expected);
    loop {
        let batch = batches.message().await?.ok_or("the feed ended")?;
        for fact in batch.facts {
            if let Some(fact::Fact::Escalation(escalation)) = fact.fact {
                taken.push(escalation);
            }
        }
        if batch.caught_up {
            return Ok(taken);
        }
    }
}

/// Tells how it went; whether all is well.
fn tell(args: &Args, taken: &[EscalationFact], kills: usize) -> bool {
    let mut seen: HashMap<(&str, i32, i32, i32, i32), usize> = HashMap::new();
    for taken in taken {
        let key = (taken.case_id.as_str(), taken.kind, taken.instance, taken.step, taken.repetition);
        *seen.entry(key).or_default() += 1;
    }
    let twice = seen.values().filter(|times| **times > 1).count();
    let missing = (args.cases * STEPS).saturating_sub(seen.len());
    let micros = |at: Option<prost_types::Timestamp>| at.and_then(|at| Micros::from_wire(&at)).unwrap_or_default().0;
    let mut late: Vec<i64> = taken.iter().map(|taken| micros(taken.fire_time) - micros(taken.time)).collect();
    late.sort_unstable();
    let at = |share: usize| late.get((late.len() * share / 1_000).min(late.len().saturating_sub(1))).copied();
    let [half, most, nearly_all] = [500, 990, 999].map(|share| at(share).unwrap_or_default() / 1_000);
    let last = late.last().copied().unwrap_or_default() / 1_000;
    println!(
        "  {} steps taken of {}, {twice} twice, {missing} not at all; {kills} kills",
        taken.len(),
        args.cases * STEPS
    );
    println!("  late by (ms): median {half}, 99 % {most}, 99.9 % {nearly_all}, latest {last}");
    let in_time = u128::try_from(last).unwrap_or_default() <= args.bound.as_millis();
    let good = twice == 0 && missing == 0 && seen.len() == args.cases * STEPS && in_time;
    println!("  {}", if good { "every step once and in time" } else { "NOT AS IT SHOULD BE" });
    good
}
