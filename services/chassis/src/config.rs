//! Flags that every process of the suite has. The binary flattens these groups into its command line; each flag can also
//! be given as the environment variable `BAROMETER_…`, and nothing else reads the environment.
//!
//! [`ServerConfig::validate`] and its sisters name everything that is wrong at once, before anything binds.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Exit code of a process whose configuration is wrong (`EX_USAGE` of sysexits).
pub const EXIT_BAD_CONFIG: u8 = 64;

/// How this process serves calls.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerConfig {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, env = "BAROMETER_LISTEN", default_value = "127.0.0.1:7400", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,

    /// Allow to listen beyond this machine: nobody is authenticated and nothing is encrypted
    #[arg(long, env = "BAROMETER_INSECURE", value_parser = BoolishValueParser::new())]
    pub insecure: bool,

    /// Largest message received or sent, in bytes
    #[arg(long, env = "BAROMETER_MAX_MESSAGE_BYTES", default_value = "4194304", value_name = "BYTES")]
    pub max_message_bytes: usize,

    /// Calls handled at the same time; more are refused at once. Watch streams have a budget of their own
    #[arg(long, env = "BAROMETER_MAX_CONCURRENT_REQUESTS", default_value = "512", value_name = "CALLS")]
    pub max_concurrent_requests: u32,

    /// Watch streams open at the same time; more are refused at once
    #[arg(long, env = "BAROMETER_MAX_WATCHES", default_value = "256", value_name = "STREAMS")]
    pub max_watches: u32,

    /// Longest time a call may take, and the deadline of callers that set none (as in 500ms, 30s, 2m). Watches and
    /// imports are only bound by a deadline of the caller
    #[arg(long, env = "BAROMETER_MAX_DEADLINE", default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub max_deadline: Duration,

    /// Time a stopping process keeps serving while it already reports NOT_SERVING, so that load balancers notice
    #[arg(long, env = "BAROMETER_DRAIN_PAUSE", default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub drain_pause: Duration,

    /// Time within which a stopping process ends its calls, the pause included; then the rest is cut off
    #[arg(long, env = "BAROMETER_DRAIN_TIMEOUT", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub drain_timeout: Duration,

    /// Time between pings that find dead callers
    #[arg(long, env = "BAROMETER_KEEPALIVE", default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub keepalive: Duration,

    /// Time an unanswered ping may take before the connection is closed
    #[arg(long, env = "BAROMETER_KEEPALIVE_TIMEOUT", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub keepalive_timeout: Duration,

    /// Age at which a connection is asked to reconnect, so that callers spread over new replicas; never by default
    #[arg(long, env = "BAROMETER_MAX_CONNECTION_AGE", value_name = "TIME", value_parser = duration)]
    pub max_connection_age: Option<Duration>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7400)),
            insecure: false,
            max_message_bytes: 4 * 1024 * 1024,
            max_concurrent_requests: 512,
            max_watches: 256,
            max_deadline: Duration::from_secs(30),
            drain_pause: Duration::from_secs(1),
            drain_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            max_connection_age: None,
        }
    }
}

impl ServerConfig {
    /// Everything that is wrong with these values; empty when nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.check(self.insecure || self.listen.ip().is_loopback(), "--listen", || {
            format!(
                "{} can be reached from other machines, and callers are not authenticated yet; \
                     add --insecure if the network is trusted",
                self.listen
            )
        });
        problems.within("--max-message-bytes", self.max_message_bytes, 1024, 1024 * 1024 * 1024);
        problems.within("--max-concurrent-requests", self.max_concurrent_requests, 1, 65_536);
        problems.within("--max-watches", self.max_watches, 1, 65_536);
        problems.time_within("--max-deadline", self.max_deadline, MILLISECOND, HOUR);
        problems.time_within("--drain-timeout", self.drain_timeout, MILLISECOND, HOUR);
        problems.check(self.drain_pause < self.drain_timeout, "--drain-pause", || {
            format!("{:?} must be shorter than --drain-timeout, which is {:?}", self.drain_pause, self.drain_timeout)
        });
        problems.time_within("--keepalive", self.keepalive, SECOND, HOUR);
        problems.time_within("--keepalive-timeout", self.keepalive_timeout, SECOND, HOUR);
        if let Some(age) = self.max_connection_age {
            problems.time_within("--max-connection-age", age, SECOND, 24 * HOUR);
        }
        problems.0
    }
}

/// How this process calls other services.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Calls to other services")]
pub struct ClientConfig {
    /// Deadline of a call to another service that is not made for a caller with a deadline of its own
    #[arg(long, env = "BAROMETER_CALL_DEADLINE", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub call_deadline: Duration,

    /// Time within which a connection to another service must be made
    #[arg(long, env = "BAROMETER_CONNECT_TIMEOUT", default_value = "3s", value_name = "TIME", value_parser = duration)]
    pub connect_timeout: Duration,

    /// Time between pings that find dead services, also while nothing is called
    #[arg(long, env = "BAROMETER_CALL_KEEPALIVE", default_value = "20s", value_name = "TIME", value_parser = duration)]
    pub call_keepalive: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            call_deadline: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            call_keepalive: Duration::from_secs(20),
        }
    }
}

impl ClientConfig {
    /// Everything that is wrong with these values; empty when nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.time_within("--call-deadline", self.call_deadline, MILLISECOND, HOUR);
        problems.time_within("--connect-timeout", self.connect_timeout, MILLISECOND, HOUR);
        problems.time_within("--call-keepalive", self.call_keepalive, SECOND, HOUR);
        problems.0
    }
}

/// What this process tells about itself, and to whom.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Telemetry")]
pub struct TelemetryConfig {
    /// How lines of the log (standard error) look
    #[arg(long, env = "BAROMETER_LOG_FORMAT", default_value = "text", value_enum, value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// What is logged: off, error, warn, info, debug, trace, also by module (info,barometer_surveys=debug)
    #[arg(long, env = "BAROMETER_LOG_LEVEL", default_value = "info", value_name = "FILTER")]
    pub log_level: String,

    /// OTLP collector for traces, metrics and logs (gRPC, http://host:4317); without it nothing is exported
    #[arg(long, env = "BAROMETER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Time between two exports of metrics
    #[arg(long, env = "BAROMETER_METRICS_INTERVAL", default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub metrics_interval: Duration,

    /// Share of the traces begun here that is exported, 0.0 to 1.0; a caller's decision always wins
    #[arg(long, env = "BAROMETER_TRACE_SAMPLE_RATIO", default_value = "1.0", value_name = "RATIO")]
    pub trace_sample_ratio: f64,

    /// Facts about this process for the collector (as in k8s.pod.name=barometer-0); several by commas
    #[arg(long, env = "BAROMETER_RESOURCE_ATTRIBUTES", value_delimiter = ',', value_name = "KEY=VALUE")]
    pub resource_attributes: Vec<ResourceAttribute>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
            otlp_endpoint: None,
            metrics_interval: Duration::from_secs(30),
            trace_sample_ratio: 1.0,
            resource_attributes: Vec::new(),
        }
    }
}

impl TelemetryConfig {
    /// Everything that is wrong with these values; empty when nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        if let Err(error) = EnvFilter::try_new(&self.log_level) {
            problems.add("--log-level", error.to_string());
        }
        if let Some(endpoint) = &self.otlp_endpoint {
            problems.check(is_plain_http(endpoint), "--otlp-endpoint", || {
                format!("{endpoint:?} is not of the form http://host:port")
            });
        }
        problems.time_within("--metrics-interval", self.metrics_interval, SECOND, HOUR);
        problems.check((0.0..=1.0).contains(&self.trace_sample_ratio), "--trace-sample-ratio", || {
            format!("{} is not between 0.0 and 1.0", self.trace_sample_ratio)
        });
        problems.0
    }
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, with `trace_id` and `span_id`.
    Json,
}

/// One fact about this process: `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceAttribute {
    /// Name, after OpenTelemetry's conventions.
    pub key: String,
    /// Value, taken as text.
    pub value: String,
}

impl std::str::FromStr for ResourceAttribute {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err(format!("{text:?} is not of the form key=value")),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The flag, with its dashes.
    pub flag: &'static str,
    /// What is wrong, and what would do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.flag, self.message)
    }
}

/// Whether `url` is `http://host[:port]`: what this suite can call until there is TLS.
pub fn is_plain_http(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme() == Some(&http::uri::Scheme::HTTP)
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.path_and_query().is_none_or(|rest| rest.as_str() == "/")
    })
}

/// Parses a time span with its unit, as in `500ms`, `30s`, `2m`, `1h 30m`: for clap's `value_parser`.
///
/// # Errors
/// When the text is no such time span, or a negative one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a time with its unit, as in 500ms, 30s or 2m".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, flag: &'static str, message: String) {
        self.0.push(Problem { flag, message });
    }

    fn check(&mut self, good: bool, flag: &'static str, message: impl FnOnce() -> String) {
        if !good {
            self.add(flag, message());
        }
    }

    fn within<T: PartialOrd + fmt::Display>(&mut self, flag: &'static str, value: T, low: T, high: T) {
        self.check(value >= low && value <= high, flag, || format!("{value} is not between {low} and {high}"));
    }

    fn time_within(&mut self, flag: &'static str, value: Duration, low: Duration, high: Duration) {
        self.check(value >= low && value <= high, flag, || format!("{value:?} is not between {low:?} and {high:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        server: ServerConfig,
        #[command(flatten)]
        client: ClientConfig,
        #[command(flatten)]
        telemetry: TelemetryConfig,
    }

    fn parse(flags: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once(&"barometer").chain(flags)).expect("flags parse")
    }

    #[test]
    fn no_flags_give_the_defaults() {
        let cli = parse(&[]);
        assert_eq!(cli.server, ServerConfig::default());
        assert_eq!(cli.client, ClientConfig::default());
        assert_eq!(cli.telemetry, TelemetryConfig::default());
        assert_eq!(cli.server.validate(), []);
        assert_eq!(cli.client.validate(), []);
        assert_eq!(cli.telemetry.validate(), []);
    }

    #[test]
    fn flags_are_read_with_their_units() {
        let cli = parse(&[
            "--listen",
            "[::1]:0",
            "--max-deadline",
            "1m 30s",
            "--log-format",
            "json",
            "--resource-attributes",
            "k8s.pod.name=a-0,team=cx",
        ]);
        assert_eq!(cli.server.listen.port(), 0);
        assert_eq!(cli.server.max_deadline, Duration::from_secs(90));
        assert_eq!(cli.telemetry.log_format, LogFormat::Json);
        assert_eq!(cli.telemetry.resource_attributes[1].value, "cx");
    }

    #[test]
    fn times_need_a_unit_and_a_direction() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("30").is_err());
        assert!(duration("-3s").is_err());
        assert!(duration("").is_err());
    }

    #[test]
    fn every_flag_has_its_environment_variable() {
        use clap::CommandFactory;
        for arg in Cli::command().get_arguments() {
            let Some(long) = arg.get_long().filter(|long| *long != "help") else {
                continue;
            };
            let expected = format!("BAROMETER_{}", long.replace('-', "_").to_uppercase());
            let env = arg.get_env().and_then(|env| env.to_str());
            assert_eq!(env, Some(expected.as_str()), "--{long}");
            assert!(arg.get_help().is_some(), "--{long} has no help");
        }
    }

    #[test]
    fn all_problems_are_named_together() {
        let server = ServerConfig {
            listen: "0.0.0.0:7400".parse().expect("an address"),
            max_message_bytes: 1,
            max_deadline: Duration::ZERO,
            drain_pause: Duration::from_secs(20),
            ..ServerConfig::default()
        };
        let flags: Vec<_> = server.validate().iter().map(|p| p.flag).collect();
        assert_eq!(flags, ["--listen", "--max-message-bytes", "--max-deadline", "--drain-pause"]);
        assert_eq!(ServerConfig { insecure: true, ..server }.validate().len(), 3);
    }

    #[test]
    fn telemetry_refuses_what_it_cannot_do() {
        let telemetry = TelemetryConfig {
            log_level: "info=very=loud".to_owned(),
            otlp_endpoint: Some("https://collector:4317".to_owned()),
            trace_sample_ratio: f64::NAN,
            ..TelemetryConfig::default()
        };
        let flags: Vec<_> = telemetry.validate().iter().map(|p| p.flag).collect();
        assert_eq!(flags, ["--log-level", "--otlp-endpoint", "--trace-sample-ratio"]);
    }
}
