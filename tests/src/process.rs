//! The program as its users run it: processes that can be killed.

#![allow(clippy::disallowed_methods, reason = "threads wait for processes here, without a runtime")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use barometer_chassis::testing::TestDatabase;
use serde_json::Value;

/// The program: the one that `BAROMETER_TEST_PROGRAM` names, or else built from the sources as they are.
#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = std::env::var_os("BAROMETER_TEST_PROGRAM") {
            return program.into();
        }
        let built = Command::new(env!("CARGO"))
            // All of the workspace: another selection would choose other features, and build everything again.
            .args(["build", "--quiet", "--workspace", "--bins"])
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the program builds");
        let test = std::env::current_exe().expect("the test has a path");
        let folder = test.ancestors().nth(2).expect("tests stand in `deps` beside the program");
        folder.join("barometer")
    })
}

/// A server in a process of its own. Killed, as by a crash, when dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub endpoint: String,
    child: Child,
    /// What it told on standard error; shown when a test fails.
    log: PathBuf,
}

impl Server {
    /// Starts `barometer serve` with the flags given and waits until it listens.
    pub fn start(database: &TestDatabase, flags: &[&str]) -> Self {
        Self::start_in(database, database.directory(), flags)
    }

    /// The same with a data directory of its own.
    pub fn start_in(database: &TestDatabase, data: &Path, flags: &[&str]) -> Self {
        std::fs::create_dir_all(data).expect("a data directory");
        let port_file = data.join("port");
        drop(std::fs::remove_file(&port_file));
        let mut command = Command::new(program());
        command.arg("serve").args(flags).args(["--drain-pause", "1ms"]);
        if !flags.contains(&"--log-level") {
            command.args(["--log-level", "warn"]);
        }
        if !flags.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.arg("--port-file").arg(&port_file).arg("--data-dir").arg(data);
        if let Some(url) = database.postgres_url() {
            command.args(["--database-url", &url]);
        }
        let log = data.join("serve.log");
        let told = std::fs::File::options().create(true).append(true).open(&log).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(told);
        let mut child = command.spawn().expect("the program starts");
        let begun = Instant::now();
        let address = loop {
            if let Ok(address) = std::fs::read_to_string(&port_file) {
                break address;
            }
            if let Ok(Some(status)) = child.try_wait() {
                let told = std::fs::read_to_string(&log).unwrap_or_default();
                panic!("`barometer serve` ended with {status}: {told}");
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "`barometer serve` does not listen");
            std::thread::sleep(Duration::from_millis(5));
        };
        Server { endpoint: format!("http://{address}"), child, log }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGTERM; waits until it is gone and gives its log.
    pub fn stop(mut self) -> String {
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()), "SIGTERM is sent");
        let ended = self.child.wait().expect("its own child");
        assert!(ended.success(), "`barometer serve` ended with {ended}");
        std::fs::read_to_string(&self.log).expect("its log")
    }

    fn end(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.endpoint, std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// Runs a client command to its end.
pub fn run(endpoint: &str, arguments: &[&str], folder: &Path) -> Output {
    command(endpoint, arguments, folder).output().expect("the program runs")
}

/// Starts a client command that may be killed.
pub fn start(endpoint: &str, arguments: &[&str], folder: &Path) -> Child {
    command(endpoint, arguments, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// A client command that goes on, and the lines that it prints. It is killed when nobody follows it any more.
#[derive(Debug)]
pub struct Following {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Following {
    /// Starts it.
    pub fn start(endpoint: &str, arguments: &[&str], folder: &Path) -> Self {
        let mut child =
            command(endpoint, arguments, folder).stdout(Stdio::piped()).spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Following { child, lines }
    }

    /// The next line that it prints.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("a line within a minute")
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(endpoint: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).args(["--endpoint", endpoint]).current_dir(folder).stdin(Stdio::null());
    command
}

/// The rows of a query, as the command line prints them in JSON.
pub fn query(endpoint: &str, arguments: &[&str], folder: &Path) -> Value {
    let begun = Instant::now();
    loop {
        let output = run(endpoint, &[&["query"], arguments, &["--format", "json"]].concat(), folder);
        if output.status.success() {
            let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            return answer["rows"].clone();
        }
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(69), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(60), "no answer within a minute: {told}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
