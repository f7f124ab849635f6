//! The suite as its users run it, in processes of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use barometer_proto::{
    complaints::v1::{complaint_service_client::ComplaintServiceClient, work_service_client::WorkServiceClient},
    surveys::v1::{ActivateSurveyRequest, CreateSurveyRequest, survey_service_client::SurveyServiceClient},
};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::answers;

/// Longest time that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running `barometer serve`. Killed when dropped.
#[derive(Debug)]
pub struct Suite {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    /// From the start of the process until it listened and its databases were open.
    pub listening: Duration,
    begun: Instant,
    child: Child,
}

/// How a suite is started.
#[derive(Clone, Debug)]
pub struct Start<'s> {
    /// The program `barometer`.
    pub program: &'s Path,
    /// Its data directory.
    pub data: &'s Path,
    /// PostgreSQL instead of SQLite.
    pub postgres: Option<&'s str>,
    /// A library that is loaded before all others.
    pub preload: Option<&'s Path>,
    /// More flags, a service first if it is to be one alone.
    pub flags: &'s [&'s str],
}

impl Suite {
    /// Starts it and waits until it listens.
    pub async fn start(start: &Start<'_>) -> Self {
        let Start { program, data, postgres, preload, flags } = start;
        fs::create_dir_all(data).expect("a data directory");
        let port_file = data.join("port");
        drop(fs::remove_file(&port_file));
        let log = data.join("serve.log");
        let told = fs::File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = Command::new(program);
        command.arg("serve").args(*flags).args(["--listen", "127.0.0.1:0", "--drain-pause", "1ms"]);
        command.args(["--log-level", "warn", "--port-file"]).arg(&port_file).arg("--data-dir").arg(data);
        if let Some(url) = postgres {
            command.args(["--database-url", url]);
        }
        if let Some(library) = preload {
            command.env("LD_PRELOAD", library);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(told);
        let begun = Instant::now();
        let mut child = command.spawn().expect("the program starts");
        let address = loop {
            if let Ok(address) = fs::read_to_string(&port_file) {
                break address;
            }
            let ended = child.try_wait().expect("the process can be asked");
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it ended: {}", tail(&log));
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        Suite { endpoint: format!("http://{address}"), listening: begun.elapsed(), begun, child }
    }

    /// Waits until everything in it is healthy; gives the time since the start of the process.
    pub async fn healthy(&self) -> Duration {
        let mut health = HealthClient::new(self.channel());
        loop {
            let answer = health.check(HealthCheckRequest::default()).await;
            if answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving) {
                return self.begun.elapsed();
            }
            assert!(self.begun.elapsed() < PATIENCE, "it does not become healthy");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A connection of its own.
    pub fn channel(&self) -> Channel {
        Channel::from_shared(self.endpoint.clone()).expect("a URL").tcp_nodelay(true).connect_lazy()
    }

    /// A client of the complaints service.
    pub fn complaints(&self) -> ComplaintServiceClient<Channel> {
        ComplaintServiceClient::new(self.channel())
    }

    /// A client of its queues and claims.
    pub fn work(&self) -> WorkServiceClient<Channel> {
        WorkServiceClient::new(self.channel())
    }

    /// A client of the surveys service.
    pub fn surveys(&self) -> SurveyServiceClient<Channel> {
        SurveyServiceClient::new(self.channel())
    }

    /// Creates and opens the survey that answers are to; gives its id.
    pub async fn open_survey(&self) -> String {
        let mut surveys = self.surveys();
        let create = CreateSurveyRequest { survey: Some(answers::survey()), request_id: String::new() };
        let survey_id = surveys.create_survey(create).await.expect("a survey").into_inner().survey_id;
        let activate = ActivateSurveyRequest { survey_id: survey_id.clone(), ..Default::default() };
        surveys.activate_survey(activate).await.expect("it opens");
        survey_id
    }

    /// Its memory now.
    pub fn memory(&self) -> Memory {
        Memory::of(&self.child.id().to_string())
    }

    /// Ends it in order, so that its databases are whole.
    pub async fn stop(mut self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()), "the process is told to end");
        let begun = Instant::now();
        while self.child.try_wait().expect("the process can be asked").is_none() {
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Memory of a process, in MB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is in memory, shared or not.
    pub resident: f64,
    /// The same, with what is shared divided among those who share it.
    pub proportional: f64,
    /// What nobody else has.
    pub private: f64,
    /// What is in no file.
    pub anonymous: f64,
}

impl Memory {
    /// Of this process.
    pub fn own() -> Self {
        Self::of("self")
    }

    fn of(process: &str) -> Self {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("Linux tells it");
        let field = |name: &str| {
            let line = rollup.lines().find(|line| line.starts_with(name));
            let kib: f64 = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default();
            kib * 1024.0 / 1e6
        };
        Memory {
            resident: field("Rss:"),
            proportional: field("Pss:"),
            private: field("Private_Clean:") + field("Private_Dirty:"),
            anonymous: field("Anonymous:"),
        }
    }
}

/// Compiles the library that makes every flush 1 ms slower.
pub fn slow_flushes(directory: &Path) -> PathBuf {
    let (source, library) = (directory.join("slow_fsync.c"), directory.join("slow_fsync.so"));
    fs::write(&source, include_str!("../slow_fsync.c")).expect("a file");
    let compiled =
        Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().expect("cc");
    assert!(compiled.success(), "the library compiles");
    library
}

/// Opens a directory to PostgreSQL, which runs as another user when this is run by root.
pub fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
