//! One process of the suite, which is started again whenever it ends, as a supervisor would.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::link::Targets;

const LOOK: Duration = Duration::from_millis(10);
/// How long the supervisor waits before it starts the process again.
const PAUSE: Duration = Duration::from_millis(200);

/// Which process it is, and how it is started.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) service: &'static str,
    pub(crate) folder: PathBuf,
    program: PathBuf,
    flags: Vec<String>,
    /// Where links find it.
    targets: Arc<Targets>,
    state: Mutex<State>,
    /// The address while it listens.
    listening: watch::Sender<Option<SocketAddr>>,
}

#[derive(Debug, Default)]
struct State {
    pid: Option<u32>,
    /// It is about to end because it was told to.
    doomed: bool,
    /// It is not to be started again for now.
    held: bool,
    /// The program ends: it is never started again.
    over: bool,
    starts: u32,
    /// Starts that ended before it listened: the database was away.
    failed_starts: u32,
    /// Ends that nobody asked for.
    crashes: Vec<String>,
}

impl Process {
    /// Starts it and keeps it running.
    pub(crate) fn start(
        name: &str,
        service: &'static str,
        program: &Path,
        folder: PathBuf,
        flags: Vec<String>,
        targets: Arc<Targets>,
    ) -> Arc<Self> {
        let process = Arc::new(Process {
            name: name.to_owned(),
            service,
            folder,
            program: program.to_owned(),
            flags,
            targets,
            state: Mutex::default(),
            listening: watch::Sender::new(None),
        });
        tokio::spawn(Arc::clone(&process).supervise());
        process
    }

    /// Where it listens, itself, without a link; waits until it does.
    pub(crate) async fn address(&self) -> SocketAddr {
        let mut listening = self.listening.subscribe();
        loop {
            if let Some(address) = *listening.borrow_and_update() {
                return address;
            }
            // The sender is this process' own: it does not go.
            let _ = listening.changed().await;
        }
    }

    /// SIGKILL. Whether there was something to kill.
    pub(crate) fn kill(&self) -> bool {
        self.end("-KILL")
    }

    /// SIGTERM; the time until it was gone, or nothing when it was not within a minute.
    pub(crate) async fn terminate(&self) -> Option<Duration> {
        let pid = self.lock().pid;
        let begun = Instant::now();
        self.end("-TERM");
        while self.lock().pid == pid && pid.is_some() {
            if begun.elapsed() > Duration::from_secs(60) {
                self.kill();
                return None;
            }
            tokio::time::sleep(LOOK).await;
        }
        Some(begun.elapsed())
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn pause(&self, paused: bool) {
        if let Some(pid) = self.lock().pid {
            signal(pid, if paused { "-STOP" } else { "-CONT" });
        }
    }

    /// Whether it is to stay down when it ends.
    pub(crate) fn hold(&self, held: bool) {
        self.lock().held = held;
    }

    /// Kills it for good.
    pub(crate) fn finish(&self) {
        self.lock().over = true;
        self.end("-KILL");
    }

    /// Ends that nobody asked for, and how often it was started, of which so many times in vain.
    pub(crate) fn history(&self) -> (Vec<String>, u32, u32) {
        let state = self.lock();
        (state.crashes.clone(), state.starts, state.failed_starts)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("serve.log")
    }

    fn end(&self, how: &str) -> bool {
        let mut state = self.lock();
        state.doomed = true;
        state.pid.is_some_and(|pid| signal(pid, how))
    }

    async fn supervise(self: Arc<Self>) {
        loop {
            while self.lock().held {
                tokio::time::sleep(LOOK).await;
            }
            if self.lock().over {
                return;
            }
            if let Err(error) = self.run_once().await {
                self.lock().crashes.push(format!("{} can not be run: {error}", self.program.display()));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs it until it ends.
    async fn run_once(&self) -> std::io::Result<()> {
        let port_file = self.folder.join("port");
        let _not_there = std::fs::remove_file(&port_file);
        let told = std::fs::File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command.args(&self.flags).arg("--port-file").arg(&port_file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(told);
        let mut child = {
            let mut state = self.lock();
            let child = command.spawn()?;
            (state.pid, state.doomed) = (Some(child.id()), false);
            state.starts += 1;
            child
        };
        let ended = self.watch_over(&mut child, &port_file).await;
        let was_up = self.listening.send_replace(None).is_some();
        self.targets.remove(&self.name);
        let mut state = self.lock();
        state.pid = None;
        match ended {
            _ if state.doomed => {}
            Ok(status) if was_up => {
                let told = tail(&self.log());
                state.crashes.push(format!("{} ended by itself with {status}:\n{told}", self.name));
            }
            Ok(_) => state.failed_starts += 1,
            Err(error) => state.crashes.push(format!("{}: {error}", self.name)),
        }
        Ok(())
    }

    async fn watch_over(&self, child: &mut Child, port_file: &Path) -> std::io::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if self.listening.borrow().is_none()
                && let Ok(address) = std::fs::read_to_string(port_file)
                && let Ok(address) = address.parse()
            {
                self.targets.set(&self.name, address);
                self.listening.send_replace(Some(address));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a signal; whether there was somebody to take it.
pub(crate) fn signal(pid: u32, how: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args([how, &pid.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    kill.status().is_ok_and(|status| status.success())
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
