//! A private PostgreSQL cluster that a test may stop, kill, and give an older past.

mod backups;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use tempfile::TempDir;

use uuid::Uuid;

pub use self::backups::{DataCopy, Dump};

/// How [`Cluster::stop`] ends the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Orderly: clients are disconnected, what they had open is rolled back, a checkpoint is written.
    Fast,
    /// At once, without a checkpoint; the next start recovers from the log.
    Immediate,
}

/// A PostgreSQL server of one's own on a loopback port that stays the same over restarts. `fsync` is on.
///
/// When it is dropped, and also when the test process is killed, the server is stopped and its files are deleted.
#[derive(Debug)]
pub struct Cluster {
    binaries: PathBuf,
    /// Whom the server runs as, where that is somebody else: it refuses to run as root.
    user: Option<User>,
    home: PathBuf,
    port: u16,
    /// What the server loads before all other libraries.
    preload: Option<PathBuf>,
    keeper: Child,
}

impl Cluster {
    /// Creates a cluster and starts it.
    pub async fn start() -> Self {
        blocking(|| Self::start_now(None)).await
    }

    /// The same with a library that the server's processes load before all others (`LD_PRELOAD`).
    pub async fn start_preloading(library: &Path) -> Self {
        let library = library.to_owned();
        blocking(|| Self::start_now(Some(library))).await
    }

    /// A program of PostgreSQL's, run as whom the server runs as.
    pub fn tool(&self, name: &str) -> Command {
        self.command(self.binaries.join(name))
    }

    /// `postgres://…` of the database `postgres`.
    pub fn url(&self) -> String {
        self.database_url("postgres")
    }

    /// `postgres://…` of the database of this name.
    pub fn database_url(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Creates an empty database and returns its URL.
    pub async fn create_database(&self, name: &str) -> String {
        psql(&self.url(), &format!("CREATE DATABASE {name}")).await;
        self.database_url(name)
    }

    /// Runs SQL in a database and returns what it prints: rows on lines, columns parted by `|`.
    pub async fn sql(&self, database: &str, sql: &str) -> String {
        psql(&self.database_url(database), sql).await
    }

    /// Stops the server.
    pub async fn stop(&self, mode: StopMode) {
        let mode = match mode {
            StopMode::Fast => "fast",
            StopMode::Immediate => "immediate",
        };
        let mut stop = self.pg_ctl("stop");
        stop.args(["-m", mode]);
        blocking(move || run(stop)).await;
    }

    /// Kills the server with SIGKILL, as the kernel does when memory runs out.
    pub async fn kill9(&self) {
        let mut kill = Command::new("kill");
        kill.args(["-9", &self.pid().expect("the server runs").to_string()]);
        blocking(move || run(kill)).await;
    }

    /// The process ids of the server's sessions in a database, as `ps` would show them: the server itself is not asked.
    pub fn sessions(&self, database: &str) -> Vec<u32> {
        let Some(server) = self.pid() else { return Vec::new() };
        let processes = fs::read_dir("/proc").expect("Linux's /proc").filter_map(|entry| {
            let entry = entry.ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // `pid (name) state parent …`, of which the name may hold anything.
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let parent: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            let title = fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let words: Vec<_> = title.split(|c: char| c.is_whitespace() || c == '\0').collect();
            (parent == server && words.get(..3) == Some(&["postgres:", "postgres", database])).then_some(pid)
        });
        processes.collect()
    }

    fn pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    /// Starts the stopped or killed server again, on the same port.
    pub async fn start_again(&self) {
        let launches: Vec<_> = (0..START_ATTEMPTS).map(|_| self.launch()).collect();
        let log = self.log();
        blocking(move || {
            for launch in launches {
                if succeeds(launch) {
                    return;
                }
                // After a kill, the old server's children hold its memory until they notice.
                pause();
            }
            panic!("PostgreSQL does not start again:\n{}", tail(&log));
        })
        .await;
    }

    /// Stops the server and starts it again.
    pub async fn restart(&self, mode: StopMode) {
        self.stop(mode).await;
        self.start_again().await;
    }

    fn start_now(preload: Option<PathBuf>) -> Self {
        let binaries = find_binaries();
        let user = User::for_server();
        let home = TempDir::with_prefix("barometer-postgres-").expect("create a temporary directory").keep();
        if let Some(user) = user {
            chown(&home, Some(user.uid), Some(user.gid)).expect("give the directory to the server's user");
        }
        let keeper = keep(&binaries, user, &home);
        let mut cluster = Self { binaries, user, home, port: 0, preload, keeper };
        cluster.init();
        for _ in 0..START_ATTEMPTS {
            cluster.port = free_port();
            if succeeds(cluster.launch()) {
                return cluster;
            }
        }
        panic!("PostgreSQL does not start:\n{}", tail(&cluster.log()));
    }

    fn init(&self) {
        let mut initdb = self.tool("initdb");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            // Not the C collation: text sorts here as it does on most servers, and unlike in SQLite.
            .args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"])
            .arg("--no-sync");
        run(initdb);
    }

    /// The command that starts the server and waits until it answers.
    fn launch(&self) -> Command {
        let mut start = self.pg_ctl("start");
        start.arg("--log").arg(self.log()).arg("--options").arg(format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={} -c max_connections=300 \
                 -c shared_buffers=32MB -c restore_command=false",
            self.port,
            self.home.display()
        ));
        if let Some(library) = &self.preload {
            start.env("LD_PRELOAD", library);
        }
        start
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.tool("pg_ctl");
        command.args([action, "--wait", "--silent", "--pgdata"]).arg(self.data());
        command
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command_as(self.user, &self.home, program)
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn log(&self) -> PathBuf {
        self.home.join("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Nothing to be done if it fails: the files are in the temporary directory.
        let _ = self.keeper.wait();
    }
}

const START_ATTEMPTS: usize = 20;

/// Starts the shell that outlives this process to stop the server and delete its files: its input ends when the cluster
/// is dropped or when the process dies, however it dies.
fn keep(binaries: &Path, user: Option<User>, home: &Path) -> Child {
    let script = r#"cat; "$1" stop --silent --mode immediate --pgdata "$2/data"; cd /; rm -rf "$2""#;
    command_as(user, home, "sh")
        .args(["-c", script, "sh"])
        .arg(binaries.join("pg_ctl"))
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of reach of an interrupt typed at the terminal.
        .process_group(0)
        .spawn()
        .expect("start a shell")
}

/// Whom the server runs as when the tests run as root.
#[derive(Clone, Copy, Debug)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    fn for_server() -> Option<Self> {
        let me = fs::metadata("/proc/self").expect("Linux's /proc").uid();
        (me == 0).then(|| {
            Self::named("postgres")
                .expect("tests run as root, PostgreSQL does not, and there is no user `postgres` that it could run as")
        })
    }

    fn named(name: &str) -> Option<Self> {
        let users = fs::File::open("/etc/passwd").expect("open /etc/passwd");
        BufReader::new(users).lines().find_map(|line| {
            let line = line.ok()?;
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let mut ids = fields.skip(1).map(str::parse);
            Some(Self { uid: ids.next()?.ok()?, gid: ids.next()?.ok()? })
        })
    }
}

fn command_as(user: Option<User>, directory: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory);
    if let Some(User { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Runs SQL on the server at `url` and returns what it prints.
pub(super) async fn psql(url: &str, sql: &str) -> String {
    let command = psql_command(url, [sql]);
    blocking(move || run(command)).await
}

/// Drops the database of this name, and those whose names begin with it and `_`, ending their connections.
///
/// It blocks, to be called from `Drop`, and ignores failures: the server may be gone already.
pub(super) fn drop_database(server: &str, name: &str) {
    let names = format!("SELECT datname FROM pg_database WHERE datname = '{name}' OR starts_with(datname, '{name}_')");
    let Ok(names) = psql_command(server, [&names]).output() else {
        return;
    };
    let drops: Vec<_> = String::from_utf8_lossy(&names.stdout)
        .lines()
        .map(|name| format!(r#"DROP DATABASE "{name}" WITH (FORCE)"#))
        .collect();
    succeeds(psql_command(server, &drops));
}

/// Each statement is a transaction of its own.
fn psql_command(url: &str, statements: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(find_binaries().join("psql"));
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname", url]);
    for statement in statements {
        command.arg("--command").arg(statement);
    }
    command
}

/// The URL of another database on the same server.
pub(super) fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, rest) = address.split_once("://").expect("the server's URL begins with postgres://");
    let authority = rest.split('/').next().unwrap_or_default();
    let separator = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{authority}/{name}{separator}{parameters}")
}

/// A variable of the environment, if it is set and not empty.
#[allow(clippy::disallowed_methods, reason = "how tests are told of a server, as configuration tells a service")]
pub(super) fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The directory of the newest PostgreSQL installed.
fn find_binaries() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        Some((version, path.join("bin")))
    });
    let newest = debian.filter(|(_, binaries)| binaries.join("initdb").is_file()).max().map(|(_, binaries)| binaries);
    let in_path = || {
        let path = setting("PATH")?;
        env::split_paths(&path).find(|directory| directory.join("initdb").is_file())
    };
    setting("BAROMETER_TEST_POSTGRES_BIN").map(PathBuf::from).or(newest).or_else(in_path).expect(
        "tests need PostgreSQL: install it (Debian: `apt-get install postgresql`) or set BAROMETER_TEST_POSTGRES_BIN \
             to the directory of its programs",
    )
}

/// A loopback port that is free now, below those that Linux hands out to outgoing connections.
fn free_port() -> u16 {
    loop {
        let [high, low, ..] = Uuid::new_v4().into_bytes();
        let port = 20_000 + u16::from_be_bytes([high, low]) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Runs a command to its end and returns its output; it must succeed.
fn run(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command to its end, without its output, and tells whether it succeeded.
fn succeeds(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[allow(clippy::disallowed_methods, reason = "it runs on a thread for blocking work")]
fn pause() {
    std::thread::sleep(Duration::from_millis(100));
}

/// Keeps waiting for processes off the runtime's threads, where the server under test may be running.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_keeps_server_and_parameters() {
        let cases = [
            ("postgres://a:b@host:1/postgres", "postgres://a:b@host:1/new"),
            ("postgres://host", "postgres://host/new"),
            ("postgres://host/postgres?sslmode=require", "postgres://host/new?sslmode=require"),
        ];
        for (server, expected) in cases {
            assert_eq!(with_database(server, "new"), expected);
        }
    }

    #[tokio::test]
    async fn a_cluster_survives_what_tests_do_to_it() {
        let cluster = Cluster::start().await;
        cluster.create_database("world").await;
        cluster.sql("world", "CREATE TABLE facts (n int)").await;
        let add = async |n: u32| cluster.sql("world", &format!("INSERT INTO facts VALUES ({n})")).await;
        let all = async || cluster.sql("world", "SELECT string_agg(n::text, ' ' ORDER BY n) FROM facts").await;
        let timeline = async || cluster.sql("world", "SELECT timeline_id FROM pg_control_checkpoint()").await;

        add(1).await;
        let dump = cluster.dump("world").await;
        add(2).await;
        let copy = cluster.copy_data().await;
        add(3).await;
        cluster.restart(StopMode::Fast).await;
        assert!(cluster.sessions("world").is_empty());
        cluster.kill9().await;
        cluster.start_again().await;
        assert_eq!(all().await, "1 2 3\n");

        cluster.put_back(&copy).await;
        assert_eq!((all().await, timeline().await), ("1 2\n".to_owned(), "1\n".to_owned()));

        cluster.recover(&copy).await;
        assert_eq!((all().await, timeline().await), ("1 2\n".to_owned(), "2\n".to_owned()));

        cluster.restore("world", &dump).await;
        assert_eq!(all().await, "1\n");

        let home = cluster.home.clone();
        drop(cluster);
        assert!(!home.exists());
    }
}
