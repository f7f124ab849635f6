//! `barometer serve`: one service, or the whole suite in one process.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use barometer_chassis::{
    client::{self, Channel},
    config::{ClientConfig, Problem, ServerConfig, TelemetryConfig},
    database::Location,
    door::Stages,
    server::{self, Server, ServerError},
    shutdown::{self, Shutdown},
    telemetry,
    writer::DEFAULT_QUEUE,
};
use barometer_complaints::{
    Authorities, WebhookSettings,
    case::{PriorityTable, Rules, Window},
    claim::ClaimLimit,
    promise::Lead,
};
use barometer_customers::value::Thresholds;
use barometer_metrics::Directory;
use clap::{Args, ValueEnum};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  barometer serve
      the whole suite on 127.0.0.1:7400, with SQLite in ./barometer-data
  barometer serve --database-url postgres://barometer@db/barometer
      the same with PostgreSQL, a schema for each service
  barometer serve surveys --listen 0.0.0.0:7400 --insecure \\
      --customers-endpoint http://customers:7400
      one service, as on Kubernetes";

/// The stages of the customers' journey, unless declared otherwise.
const STAGES: &str = "awareness,consideration,purchase,delivery,onboarding,use,support,renewal,advocacy";

/// Run the suite, or one service of it
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// What to run in this process
    #[arg(value_enum, default_value = "all")]
    pub what: What,

    /// Directory of the embedded databases and of the figures' snapshot
    #[arg(long, env = "BAROMETER_DATA_DIR", default_value = "barometer-data", value_name = "DIRECTORY")]
    pub data_dir: PathBuf,

    /// PostgreSQL instead of embedded databases (postgres://user@host/database); each service has a schema of its own
    #[arg(long, env = "BAROMETER_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Where the customers service is, when it runs elsewhere
    #[arg(long, env = "BAROMETER_CUSTOMERS_ENDPOINT", value_name = "URL")]
    pub customers_endpoint: Option<String>,

    /// Where the surveys service is, when it runs elsewhere; complaints alone follows up no answers without it
    #[arg(long, env = "BAROMETER_SURVEYS_ENDPOINT", value_name = "URL")]
    pub surveys_endpoint: Option<String>,

    /// Where the complaints service is, when it runs elsewhere
    #[arg(long, env = "BAROMETER_COMPLAINTS_ENDPOINT", value_name = "URL")]
    pub complaints_endpoint: Option<String>,

    /// Stages of the customers' journey, in their order; facts that name another one are refused
    #[arg(long, env = "BAROMETER_JOURNEY_STAGES", default_value = STAGES, value_name = "STAGE,STAGE,…")]
    pub journey_stages: Stages,

    /// Days after the end of a case (resolved, closed, cancelled) in which it can be reopened
    #[arg(long, env = "BAROMETER_REOPEN_WINDOW", default_value_t = 30, value_name = "DAYS")]
    pub reopen_window: u16,

    /// Priority (low, normal, high, urgent) of a case by its severity, each for customers of low, medium (or unknown) and
    /// high value
    #[arg(
        long,
        env = "BAROMETER_PRIORITY_TABLE",
        default_value_t,
        value_name = "SEVERITY=PRIORITY,PRIORITY,PRIORITY;…"
    )]
    pub priority_table: PriorityTable,

    /// Hours before the due time of a promise at which it is due soon, unless the promise says otherwise; 0 for never
    #[arg(long, env = "BAROMETER_PROMISE_LEAD", default_value_t = 24, value_name = "HOURS")]
    pub promise_lead: u16,

    /// How many cases an employee may have claimed at a time
    #[arg(long, env = "BAROMETER_CLAIM_LIMIT", default_value_t = 5, value_name = "CLAIMS")]
    pub claim_limit: u32,

    /// From how much spent in 365 days a customer is of medium and of high value, in whole units, for each currency that is
    /// to tell it; who spent less is of low value
    #[arg(long, env = "BAROMETER_VALUE_BANDS", default_value_t, value_name = "CURRENCY=MEDIUM,HIGH;…")]
    pub value_bands: Thresholds,

    /// Let webhooks lead to private addresses, and by plain http; without it only to public ones by https
    #[arg(long, env = "BAROMETER_WEBHOOK_ALLOW_PRIVATE")]
    pub webhook_allow_private: bool,

    /// Certificates (PEM) of the authorities that vouch for webhooks' receivers, instead of the public ones
    #[arg(long, env = "BAROMETER_WEBHOOK_CA_FILE", value_name = "FILE")]
    pub webhook_ca_file: Option<PathBuf>,

    /// Rows that may wait to be written, in each service; beyond it single writes are refused and imports wait
    #[arg(long, env = "BAROMETER_WRITE_QUEUE", default_value_t = DEFAULT_QUEUE, value_name = "ROWS")]
    pub write_queue: u32,

    /// File to write the address to once it is bound, for whoever started this with port 0
    #[arg(long, env = "BAROMETER_PORT_FILE", value_name = "FILE")]
    pub port_file: Option<PathBuf>,

    /// How calls are served
    #[command(flatten)]
    pub server: ServerConfig,

    /// How figures are made
    #[command(flatten)]
    pub metrics: barometer_metrics::Config,

    /// How other services are called
    #[command(flatten)]
    pub client: ClientConfig,

    /// What the process tells about itself
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
}

/// What runs in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Every service, on one port
    All,
    /// Profiles, purchases, interactions, subscriptions
    Customers,
    /// Surveys and responses
    Surveys,
    /// Cases and their histories
    Complaints,
    /// Figures
    Metrics,
}

impl What {
    fn includes(self, service: What) -> bool {
        self == What::All || self == service
    }

    fn name(self) -> &'static str {
        match self {
            What::All => "barometer",
            What::Customers => barometer_customers::NAME,
            What::Surveys => barometer_surveys::NAME,
            What::Complaints => barometer_complaints::NAME,
            What::Metrics => barometer_metrics::NAME,
        }
    }
}

impl ServeArgs {
    /// Everything that is wrong with the flags; empty when nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = self.server.validate();
        problems.extend(self.client.validate());
        problems.extend(self.telemetry.validate());
        problems.extend(self.metrics.validate());
        let mut wrong = |flag, message: &str| problems.push(Problem { flag, message: message.to_owned() });
        let scheme = |url: &String| url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !self.database_url.as_ref().is_none_or(scheme) {
            wrong("--database-url", "is not a URL of PostgreSQL, as in postgres://user@host/database");
        }
        if self.write_queue < 1_000 {
            wrong("--write-queue", "must have room for a batch of an import: at least 1000");
        }
        if self.claim_limit == 0 {
            wrong("--claim-limit", "must be at least 1");
        }
        if matches!(self.what, What::Surveys | What::Complaints) && self.customers_endpoint.is_none() {
            let message = format!("is required: {} asks customers for the owners of keys", self.what.name());
            wrong("--customers-endpoint", &message);
        }
        let watched = [&self.customers_endpoint, &self.surveys_endpoint, &self.complaints_endpoint];
        if self.what == What::Metrics && watched.iter().any(|endpoint| endpoint.is_none()) {
            let message = "and --surveys-endpoint and --complaints-endpoint are required: metrics watches them";
            wrong("--customers-endpoint", message);
        }
        problems
    }

    /// The stages of the customers' journey that hold unless others are declared.
    pub(crate) fn default_stages() -> Result<Stages, Failure> {
        STAGES.parse().map_err(Failure::internal)
    }

    /// Binds, says so, and serves until SIGTERM or Ctrl-C.
    pub async fn run(self) -> Result<(), Failure> {
        let problems = self.validate();
        if !problems.is_empty() {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(Failure::usage(told.join("; ")));
        }
        let telemetry = telemetry::init(&self.telemetry, self.what.name(), env!("CARGO_PKG_VERSION"))
            .map_err(|error| Failure::usage(error.to_string()))?;
        let directory = self.claim()?;
        let listener =
            server::bind(self.server.listen).await.map_err(|error| Failure::unavailable(self.told(&error)))?;
        let address = listener.local_addr().map_err(|error| Failure::internal(error.to_string()))?;
        let stop = Shutdown::new();
        tokio::spawn({
            let stop = stop.clone();
            async move {
                if shutdown::signal().await.is_ok() {
                    stop.cancel();
                }
            }
        });
        let flags = self.clone();
        let ready = move || {
            if let Some(file) = &flags.port_file {
                write_atomically(file, &address.to_string())
                    .map_err(|error| Failure::output(file.display(), &error))?;
            }
            flags.welcome(address);
            Ok(())
        };
        let served = serve_in(directory, self, listener, stop, ready).await;
        telemetry.shutdown().await;
        served
    }

    /// Why it can not listen, and what would do.
    fn told(&self, error: &ServerError) -> String {
        match error {
            ServerError::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                format!("{error}; --listen {} takes a free port", SocketAddr::new(self.server.listen.ip(), 0))
            }
            error => error.to_string(),
        }
    }

    /// The directory of metrics, if they run here, which is this process's from now on.
    fn claim(&self) -> Result<Option<Directory>, Failure> {
        let claimed = self.what.includes(What::Metrics).then(|| Directory::claim(&self.data_dir));
        claimed.transpose().map_err(|error| Failure::of_start(&error))
    }

    /// Says where it listens and what to try next.
    fn welcome(&self, address: SocketAddr) {
        let kept = match &self.database_url {
            Some(_) => "PostgreSQL".to_owned(),
            None => self.data_dir.display().to_string(),
        };
        let next = match self.what {
            What::All | What::Metrics => format!(
                "\nTry, in another terminal:\n  \
                 barometer catalogue --endpoint http://{address}\n  \
                 barometer import responses answers.csv --map score=score --map time=date --set survey=NPS --endpoint http://{address}\n  \
                 barometer query nps --every month --endpoint http://{address}"
            ),
            What::Customers | What::Surveys | What::Complaints => String::new(),
        };
        let name = if self.what == What::All { "the suite" } else { self.what.name() };
        // Nobody may be there to read it.
        let _unread = writeln!(std::io::stdout(), "barometer: {name} listens on {address}, data in {kept}{next}");
    }
}

/// Serves on a listener until `stop`, then ends calls, writes what was acknowledged, and returns. `ready` is called once
/// the databases are open.
pub async fn serve(
    args: ServeArgs,
    listener: TcpListener,
    stop: Shutdown,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    serve_in(args.claim()?, args, listener, stop, ready).await
}

async fn serve_in(
    directory: Option<Directory>,
    args: ServeArgs,
    listener: TcpListener,
    stop: Shutdown,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    // Writers and the fold outlive the calls that use them.
    let background = Shutdown::new();
    let (server, tasks) = tokio::select! {
        opened = open(&args, directory, &listener, &background) => opened?,
        // Opening may wait long, for other replicas that migrate.
        () = stop.cancelled() => return Ok(()),
    };
    ready()?;
    let served = server.serve(listener, stop.into_cancelled()).await;
    background.cancel();
    for task in tasks {
        if task.await.is_err() {
            tracing::error!("a background task broke");
        }
    }
    served.map_err(|error| Failure::internal(error.to_string()))
}

/// Opens what runs in this process: the services on their server, and the tasks that end after `background`.
async fn open(
    args: &ServeArgs,
    directory: Option<Directory>,
    listener: &TcpListener,
    background: &Shutdown,
) -> Result<(Server, Vec<JoinHandle<()>>), Failure> {
    let address = listener.local_addr().map_err(|error| Failure::internal(error.to_string()))?;
    let here = reachable(address);
    let location = match &args.database_url {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Directory(args.data_dir.clone()),
    };
    let mut server = Server::new(&args.server);
    server.add_descriptors(barometer_proto::FILE_DESCRIPTOR_SET);
    let mut tasks = Vec::new();
    let broken = |error: barometer_chassis::error::Error| Failure::of_start(&error);

    if args.what.includes(What::Customers) {
        let config = barometer_customers::Config {
            location: location.clone(),
            write_queue: args.write_queue,
            stages: args.journey_stages.clone(),
            thresholds: args.value_bands.clone(),
        };
        let task = barometer_customers::add(config, &mut server, background.clone()).await;
        tasks.push(task.map_err(broken)?);
    }
    if args.what.includes(What::Surveys) {
        let config = barometer_surveys::Config {
            location: location.clone(),
            write_queue: args.write_queue,
            stages: args.journey_stages.clone(),
        };
        let customers = channel(args.customers_endpoint.as_ref().unwrap_or(&here), &args.client)?;
        let task = barometer_surveys::add(config, customers, &mut server, background.clone()).await;
        tasks.push(task.map_err(broken)?);
    }
    if args.what.includes(What::Complaints) {
        let config = barometer_complaints::Config {
            location: location.clone(),
            write_queue: args.write_queue,
            stages: args.journey_stages.clone(),
            rules: Rules {
                reopen_window: Window::of_days(args.reopen_window),
                priorities: args.priority_table,
                promise_lead: Lead::of_hours(args.promise_lead),
                claim_limit: ClaimLimit(args.claim_limit),
            },
            webhooks: WebhookSettings {
                allow_private: args.webhook_allow_private,
                authorities: authorities(args.webhook_ca_file.as_deref())?,
                ..WebhookSettings::default()
            },
        };
        let customers = channel(args.customers_endpoint.as_ref().unwrap_or(&here), &args.client)?;
        let surveys = match (&args.surveys_endpoint, args.what) {
            (Some(endpoint), _) => Some(channel(endpoint, &args.client)?),
            (None, What::All) => Some(channel(&here, &args.client)?),
            (None, _) => None,
        };
        let task = barometer_complaints::add(config, customers, surveys, &mut server, background.clone()).await;
        tasks.push(task.map_err(broken)?);
    }
    if let Some(directory) = directory {
        let upstreams = barometer_metrics::Upstreams {
            customers: channel(args.customers_endpoint.as_ref().unwrap_or(&here), &args.client)?,
            surveys: channel(args.surveys_endpoint.as_ref().unwrap_or(&here), &args.client)?,
            complaints: channel(args.complaints_endpoint.as_ref().unwrap_or(&here), &args.client)?,
        };
        let storage = barometer_metrics::Storage { location, write_queue: args.write_queue, directory };
        let task = barometer_metrics::add(&args.metrics, storage, upstreams, &mut server, background.clone());
        tasks.push(task.await.map_err(broken)?);
    }

    Ok((server, tasks))
}

/// Who vouches for webhooks' receivers.
fn authorities(file: Option<&Path>) -> Result<Authorities, Failure> {
    let read = |file| Authorities::read(file).map_err(|told| Failure::usage(format!("--webhook-ca-file: {told}")));
    file.map_or(Ok(Authorities::Public), read)
}

fn channel(endpoint: &str, config: &ClientConfig) -> Result<Channel, Failure> {
    client::connect(endpoint, config).map_err(|error| Failure::usage(error.to_string()))
}

/// The URL under which this process reaches itself.
fn reachable(address: SocketAddr) -> String {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "[::1]".to_owned(),
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    };
    format!("http://{ip}:{}", address.port())
}

/// Whoever waits for the file sees it whole or not at all.
fn write_atomically(file: &Path, text: &str) -> std::io::Result<()> {
    let mut half = file.as_os_str().to_owned();
    half.push(".half");
    std::fs::write(&half, text)?;
    std::fs::rename(&half, file)
}
