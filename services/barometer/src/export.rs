//! `barometer export`: tables for other programs.

mod file;
mod part;

use std::path::PathBuf;

use barometer_chassis::client::Channel;
use barometer_chassis::shutdown;
use barometer_proto::metrics::v1::export_service_client::ExportServiceClient;
use barometer_proto::metrics::v1::{
    CustomerStateFilter, CustomerStateView, ExportChunk, ExportCustomerStatesRequest, ExportFactsRequest, ExportFormat,
    ExportMetricsRequest, LoyaltyCategory,
};
use barometer_proto::surveys::v1::SurveyType;
use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use tonic::{Response, Status, Streaming};

use crate::decimal::grouped;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::moves::Category;
use crate::query::{self, Condition, Question, condition, filters};
use crate::suite::{Suite, patiently};
use crate::{instant, output};

use file::Target;
use part::Parts;

const EXAMPLES: &str = "\
Examples:
  barometer export metrics nps --every month --by channel -o nps.csv
  barometer export metrics revenue --every day --format parquet -o revenue.parquet
  barometer export facts surveys.response --format parquet -o answers.parquet
  barometer export facts customers.purchase --from 2025 --to 2026 > purchases.csv
  barometer export states --category detractor --where tier=gold -o detractors.csv

A file is there when it is whole: until then it is written under another name beside it. Texts in CSV that a spreadsheet would
take for formulas have an apostrophe before them; Parquet has all texts as they are.";

/// Write figures, facts or where customers stand as a table, for pandas, DuckDB, spreadsheets and warehouses
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The answer of a query: a row for each period and group
    #[command(after_help = EXAMPLES)]
    Metrics {
        #[command(flatten)]
        question: Question,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The facts of one kind, a row for each: everything that figures are made of, without personal data
    #[command(after_help = EXAMPLES)]
    Facts {
        #[command(flatten)]
        facts: FactsArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Where customers stand, a row for each: category by type of survey, last activity, lifecycle
    #[command(after_help = EXAMPLES)]
    States {
        #[command(flatten)]
        states: StatesArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

#[derive(Debug, Args)]
struct StatesArgs {
    /// Only customers with this value of a dimension; repeat it for other values and dimensions. `!=` excludes; an empty
    /// value stands for those without the dimension
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = condition)]
    conditions: Vec<Condition>,

    /// Only who is in one of these categories
    #[arg(long, value_enum, value_name = "CATEGORY,…", value_delimiter = ',')]
    category: Vec<Category>,

    /// Only who gave a score to surveys of this type, in which the categories are
    #[arg(long, value_enum, value_name = "TYPE")]
    survey_type: Option<Type>,

    /// As they stood then: a year, month or date (its first moment), a local time, or an instant with offset. Now when absent
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Time zone of --at; the server's when absent
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Days without a sale after which a customer is dormant, 1 to 3,650; 90 when absent
    #[arg(long, default_value = "0", hide_default_value = true, value_name = "DAYS")]
    lifecycle_days: i32,

    /// Position that a write or an import gave: the table includes it; repeat it for each service
    #[arg(long, value_name = "POSITION")]
    at_least: Vec<String>,
}

/// A type of surveys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    /// About the relation as a whole
    Relational,
    /// About one event
    Transactional,
}

#[derive(Debug, Args)]
struct FactsArgs {
    /// Kind of the facts, as in `surveys.response` or `customers.purchase`; a wrong one is told all there are
    #[arg(value_name = "KIND")]
    kind: String,

    /// Only facts that happened at or after this: a year, month or date (its first moment), a local time, or an instant with
    /// offset
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Only facts that happened before this
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Time zone of --from and --to; the server's when absent
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Position that a write or an import to the service of this kind gave: the table includes it
    #[arg(long, value_name = "POSITION")]
    at_least: Vec<String>,
}

/// How the table is written, and where to.
#[derive(Debug, Args)]
struct OutputArgs {
    /// How the table is written
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,

    /// The file to write; one that is there is replaced once this one is whole. Standard output when absent, for CSV only
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For spreadsheets, and everything else.
    Csv,
    /// For pandas, DuckDB and warehouses: with types, and smaller.
    Parquet,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Parquet => Self::Parquet,
        }
    }
}

impl ExportArgs {
    /// Asks for the table and writes it.
    ///
    /// # Errors
    /// When the flags are wrong, the suite does not answer or breaks off, or the file can not be written.
    pub async fn run(self) -> Result<(), Failure> {
        let (What::Metrics { output, .. } | What::Facts { output, .. } | What::States { output, .. }) = &self.what;
        if output.format == Format::Parquet && output.output.is_none() {
            return Err(Failure::usage("--format parquet needs a file to write: --output FILE"));
        }
        tokio::select! {
            done = self.what.run() => done,
            signal = shutdown::signal() => {
                // What was written is dropped by now, and its file removed.
                let name = signal.unwrap_or("a signal");
                Err(Failure::unavailable(format!("stopped by {name}: no table was written")))
            }
        }
    }
}

impl What {
    async fn run(&self) -> Result<(), Failure> {
        match self {
            What::Metrics { question, output } => {
                let suite = Suite::new(&output.endpoint)?;
                let query = Some(question.request(&suite).await?);
                let request = ExportMetricsRequest { query, format: ExportFormat::from(output.format).into() };
                let flag_of = |field: &str| query::flag_of(field.strip_prefix("query.").unwrap_or(field));
                let call = |mut client: Client| {
                    let request = request.clone();
                    async move { client.export_metrics(request).await }
                };
                output.write(call, flag_of).await
            }
            What::Facts { facts, output } => {
                let suite = Suite::new(&output.endpoint)?;
                let request = ExportFactsRequest {
                    format: ExportFormat::from(output.format).into(),
                    ..facts.request(&suite).await?
                };
                let call = |mut client: Client| {
                    let request = request.clone();
                    async move { client.export_facts(request).await }
                };
                output.write(call, flag_of).await
            }
            What::States { states, output } => {
                let suite = Suite::new(&output.endpoint)?;
                let request = ExportCustomerStatesRequest {
                    format: ExportFormat::from(output.format).into(),
                    ..states.request(&suite).await?
                };
                let call = |mut client: Client| {
                    let request = request.clone();
                    async move { client.export_customer_states(request).await }
                };
                output.write(call, flag_of_states).await
            }
        }
    }
}

type Client = ExportServiceClient<Channel>;

/// The flag behind a field of a request for facts.
fn flag_of(field: &str) -> String {
    const FLAGS: [(&str, &str); 4] =
        [("kind", "KIND"), ("start_time", "--from"), ("end_time", "--to"), ("at_least", "--at-least")];
    let found = FLAGS.iter().find(|(name, _)| field.split('[').next() == Some(name));
    found.map_or(field, |(_, flag)| flag).to_owned()
}

impl FactsArgs {
    async fn request(&self, suite: &Suite) -> Result<ExportFactsRequest, Failure> {
        let zone = match &self.time_zone {
            None if instant::is_local(self.from.as_deref()) || instant::is_local(self.to.as_deref()) => {
                Some(instant::time_zone(&suite.time_zone().await?).map_err(Failure::internal)?)
            }
            zone => zone.clone(),
        };
        let (start_time, end_time) = instant::span(self.from.as_deref(), self.to.as_deref(), zone.as_ref())?;
        let FactsArgs { kind, at_least, .. } = self;
        Ok(ExportFactsRequest { kind: kind.clone(), start_time, end_time, at_least: at_least.clone(), format: 0 })
    }
}

/// The flag behind a field of a request for states.
fn flag_of_states(field: &str) -> String {
    const FLAGS: [(&str, &str); 6] = [
        ("filter.filters", "--where"),
        ("filter.categories", "--category"),
        ("filter.survey_type", "--survey-type"),
        ("view.as_of_time", "--at"),
        ("view.lifecycle_days", "--lifecycle-days"),
        ("view.at_least", "--at-least"),
    ];
    let found = FLAGS.iter().find(|(name, _)| field.split('[').next() == Some(name));
    found.map_or(field, |(_, flag)| flag).to_owned()
}

impl StatesArgs {
    async fn request(&self, suite: &Suite) -> Result<ExportCustomerStatesRequest, Failure> {
        let zone = match &self.time_zone {
            None if instant::is_local(self.at.as_deref()) => {
                instant::time_zone(&suite.time_zone().await?).map_err(Failure::internal)?
            }
            zone => zone.clone().unwrap_or(TimeZone::UTC),
        };
        let wrong = |text: &String| {
            let examples = "2017, 2017-05, 2017-05-13, 2017-05-13T09:00 or 2017-05-13T09:00:00Z";
            Failure::usage(format!("--at: {text:?} is not a time such as {examples}"))
        };
        let at = self.at.as_ref().map(|text| instant::boundary(text, &zone).ok_or_else(|| wrong(text))).transpose()?;
        let survey_type = match self.survey_type {
            None => SurveyType::Unspecified,
            Some(Type::Relational) => SurveyType::Relational,
            Some(Type::Transactional) => SurveyType::Transactional,
        };
        let filter = CustomerStateFilter {
            filters: filters(&self.conditions),
            categories: self.category.iter().map(|category| LoyaltyCategory::from(*category).into()).collect(),
            survey_type: survey_type.into(),
        };
        let view = CustomerStateView {
            as_of_time: at.map(|at| at.to_wire()),
            lifecycle_days: self.lifecycle_days,
            at_least: self.at_least.clone(),
        };
        Ok(ExportCustomerStatesRequest { filter: Some(filter), view: Some(view), format: 0 })
    }
}

impl OutputArgs {
    /// Writes what `call` streams, and tells how much it was.
    async fn write<F>(&self, call: impl Fn(Client) -> F, flag_of: impl Fn(&str) -> String) -> Result<(), Failure>
    where
        F: Future<Output = Result<Response<Streaming<ExportChunk>>, Status>>,
    {
        // The suite limits its messages itself.
        let client = ExportServiceClient::new(self.endpoint.connect()?).max_decoding_message_size(usize::MAX);
        let failed = |status: &Status| Failure::of_request(status, &self.endpoint.url(), &flag_of);
        let chunks = patiently(|| call(client.clone())).await.map_err(|status| failed(&status))?;
        let mut parts = Parts::new(chunks.into_inner());
        let mut target = Target::open(self.output.as_deref())?;
        while let Some(data) = parts.next().await.map_err(|cut| cut.told(failed))? {
            if !target.write(&data)? {
                // Whoever read standard output has seen enough.
                return Ok(());
            }
        }
        let tail = parts.tail().map_err(|cut| cut.told(failed))?;
        let written = target.finish()?;
        let count = |number: i64| grouped(number.unsigned_abs());
        let (rows, bytes) = (count(tail.rows), count(tail.bytes));
        let until = tail.freshness.iter().map(|source| {
            let at = query::utc(source.complete_until.as_ref());
            format!("{} until {at}", source.source)
        });
        let until = until.collect::<Vec<_>>().join(", ");
        output::remark(&format!("{written}: {rows} rows, {bytes} bytes ({until})"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        export: ExportArgs,
    }

    fn parse(flags: &str) -> ExportArgs {
        Cli::try_parse_from(std::iter::once("x").chain(flags.split_whitespace())).expect("flags parse").export
    }

    #[tokio::test]
    async fn parquet_needs_a_file() {
        for flags in
            ["metrics nps --format parquet", "facts surveys.response --format parquet", "states --format parquet"]
        {
            let failure = parse(flags).run().await.expect_err("it is no text");
            assert_eq!((failure.exit_code(), failure.to_string().contains("--output")), (crate::failure::USAGE, true));
        }
    }

    #[test]
    fn fields_are_flags() {
        assert_eq!(flag_of("start_time"), "--from");
        assert_eq!(flag_of("at_least[0]"), "--at-least");
        assert_eq!(flag_of("format"), "format");
        assert_eq!(flag_of_states("filter.filters[0].dimension"), "--where");
        assert_eq!(flag_of_states("view.lifecycle_days"), "--lifecycle-days");
    }
}
