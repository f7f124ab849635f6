//! What the suite is compared with, in processes of their own, as it runs in one itself.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use clap::Subcommand;
use sea_orm::sqlx::{
    self, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::Mutex;
use tokio_stream::wrappers::TcpListenerStream;

use crate::{
    answers::{self, Answer},
    figures,
    load::{self, Effort},
    report::Measured,
};

/// A part that this program plays when it starts itself.
#[derive(Clone, Debug, Subcommand)]
pub enum Helper {
    /// Commits one row after another to a SQLite database of the surveys service and prints rows/s
    #[command(hide = true)]
    Sqlite {
        /// The database.
        file: PathBuf,
        /// How many want to commit.
        callers: usize,
        /// Milliseconds of a measurement.
        time: u64,
        /// Measurements.
        repetitions: usize,
    },
    /// Folds answers, with the columns that no figure reads in files, and prints the bytes that each takes in memory otherwise
    #[command(hide = true)]
    Fold {
        /// How many.
        facts: u64,
        /// Where the files go.
        directory: PathBuf,
    },
    /// Serves an echo and prints where
    #[command(hide = true)]
    Echo,
}

impl Helper {
    /// Plays it.
    pub async fn run(self) {
        match self {
            Helper::Sqlite { file, callers, time, repetitions } => {
                let effort = Effort { time: Duration::from_millis(time), repetitions };
                let Measured { median, low, high } = commit_rows(&file, callers, effort).await;
                writeln!(std::io::stdout(), "{median} {low} {high}").expect("somebody reads it");
            }
            Helper::Fold { facts, directory } => {
                let bytes = figures::bytes_beside_files(facts, &directory);
                writeln!(std::io::stdout(), "{bytes}").expect("somebody reads it");
            }
            Helper::Echo => serve_echo().await,
        }
    }
}

/// One-row commits a second into a copy of the surveys service's database, by a process of its own.
pub fn sqlite_commits(file: &Path, callers: usize, effort: Effort, preload: Option<&Path>) -> Measured {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    let numbers = [callers.to_string(), effort.time.as_millis().to_string(), effort.repetitions.to_string()];
    command.arg("sqlite").arg(file).args(numbers);
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    let output = command.output().expect("this program starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let numbers: Vec<f64> = told.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [median, low, high] = numbers[..] else { panic!("three numbers, not {told}") };
    Measured { median, low, high }
}

/// The bytes that an answer takes in memory when what no figure reads is in files, in a process of its own.
pub fn bytes_beside_files(facts: u64, directory: &Path) -> f64 {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    let output = command.arg("fold").arg(facts.to_string()).arg(directory).output().expect("this program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

/// An empty gRPC server: tonic's health service and nothing around it. Killed when dropped.
#[derive(Debug)]
pub struct Echo {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    child: Child,
}

impl Echo {
    /// Starts it.
    pub fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        let mut child = command.arg("echo").stdout(Stdio::piped()).spawn().expect("this program starts");
        let mut address = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut address).expect("it says where it listens");
        Echo { endpoint: format!("http://{}", address.trim()), child }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn serve_echo() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    writeln!(std::io::stdout(), "{}", listener.local_addr().expect("it is bound")).expect("somebody reads it");
    let (_reporter, health) = tonic_health::server::health_reporter();
    let incoming = TcpListenerStream::new(listener);
    tonic::transport::Server::builder()
        .tcp_nodelay(true)
        .add_service(health)
        .serve_with_incoming(incoming)
        .await
        .expect("it serves");
}

const INSERT: &str = "INSERT INTO response (id, number, position, version, survey_id, customer_id, score, category, \
    disposition, comment, language, channel, touchpoint, journey_stage, time, weight, dimensions, external_system, \
    external_id, fingerprint, actor, create_time, update_time, withdraw_time) VALUES (?, ?, ?, 1, ?, ?, ?, 1, 0, '', ?, \
    ?, '', '', ?, 1000000000000, ?, NULL, NULL, 1234567890123456789, 'anonymous', ?, ?, NULL)";

/// The rows and settings of the service, through the same library, without a service: each caller inserts and commits
/// one row at a time. They share one connection, because connections would only fight over the one lock.
async fn commit_rows(file: &Path, callers: usize, effort: Effort) -> Measured {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM response")
        .fetch_one(&mut connection)
        .await
        .expect("its table is there");
    let connection = Arc::new(Mutex::new(connection));
    let survey = answers::id(1);
    load::rate(effort, callers, move |_, call| {
        let connection = Arc::clone(&connection);
        async move {
            let answer = Answer::new(call, 1_000_000);
            let position = last + 1 + i64::try_from(call).expect("a small number");
            let id = answers::id((1 << 41) + position.unsigned_abs());
            let insert = sqlx::query(INSERT)
                .bind(id)
                .bind(position)
                .bind(position)
                .bind(survey)
                .bind(answers::id(answer.customer))
                .bind(answer.score)
                .bind(answer.language)
                .bind(answer.channel)
                .bind(answer.time)
                .bind(format!("{{\"{}\":\"{}\"}}", answers::MARKET, answer.market))
                .bind(answer.time)
                .bind(answer.time);
            insert.execute(&mut *connection.lock().await).await.expect("a row");
        }
    })
    .await
}
