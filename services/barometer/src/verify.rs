//! `barometer verify`: figures computed again from the facts, and compared.

use std::io::{self, Write};

use barometer_proto::metrics::v1::verification_service_client::VerificationServiceClient;
use barometer_proto::metrics::v1::verify_metrics_response::Part;
use barometer_proto::metrics::v1::{
    FigureDifference, Granularity, MetricVerification, QueryMetricsRequest, Verification, VerificationProgress,
    VerificationWay, VerifyMetricsRequest,
};
use clap::Args;
use jiff::tz::TimeZone;
use tonic::Status;

use crate::decimal::grouped;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::instant;
use crate::output::{self, Align, Table};
use crate::query::{self, Condition, Every, condition, filters, flag_of};
use crate::suite::{Suite, patiently};

/// Compute figures again from the facts of the other services, and tell where they differ
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// Names of metrics, up to 16; all of the catalogue when there are none
    #[arg(value_name = "METRIC")]
    metrics: Vec<String>,

    /// Start of the time asked for: a year, month or date (its first moment), a local time, or an instant with offset
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// End of the time asked for, itself excluded
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Length of the periods; one for the whole time when absent
    #[arg(long, value_enum, value_name = "PERIOD")]
    every: Option<Every>,

    /// Dimensions to group by, at most 4, that all of the metrics have
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    by: Vec<String>,

    /// Only facts with this value of a dimension; repeat it for other values and dimensions. `!=` excludes
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = condition)]
    conditions: Vec<Condition>,

    /// Time zone that decides where days begin, those of --from and --to too; the server's when absent
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Position that a write or an import gave: it begins when the figures include it; repeat it for each service
    #[arg(long, value_name = "POSITION")]
    at_least: Vec<String>,

    #[command(flatten)]
    endpoint: Endpoint,
}

const EXAMPLES: &str = "\
Examples:
  barometer verify
  barometer verify nps revenue --every month
  barometer verify churn_rate --from 2025 --to 2026 --every quarter --by tier

Figures are folded again from nothing, and those that can be are counted fact by fact. It ends with 1 when there are
differences, or a metric could not be verified.";

/// Differences that are shown.
const SHOWN: usize = 20;

impl VerifyArgs {
    /// Verifies and shows what came of it.
    ///
    /// # Errors
    /// When there are differences; when the flags are wrong, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let request = VerifyMetricsRequest { query: Some(self.query().await?) };
        let verification = self.verify(request).await?;
        output::print(|out| tell(&verification, out))?;
        let unverified = verification.metrics.iter().filter(|metric| !metric.error.is_empty()).count();
        match (verification.difference_count, unverified) {
            (0, 0) => Ok(()),
            (0, metrics) => Err(Failure::problems(format!("{metrics} metrics could not be verified"))),
            (differences, _) => Err(Failure::problems(format!("{differences} differences"))),
        }
    }

    async fn query(&self) -> Result<QueryMetricsRequest, Failure> {
        let is_local = [&self.from, &self.to].into_iter().any(|time| instant::is_local(time.as_deref()));
        let zone = match &self.time_zone {
            None if is_local => {
                let zone = Suite::new(&self.endpoint)?.time_zone().await?;
                Some(instant::time_zone(&zone).map_err(Failure::internal)?)
            }
            zone => zone.clone(),
        };
        let (start_time, end_time) = instant::span(self.from.as_deref(), self.to.as_deref(), zone.as_ref())?;
        Ok(QueryMetricsRequest {
            metrics: self.metrics.clone(),
            start_time,
            end_time,
            granularity: self.every.map_or(Granularity::Unspecified, Granularity::from).into(),
            time_zone: zone.as_ref().and_then(TimeZone::iana_name).unwrap_or_default().to_owned(),
            group_by: self.by.clone(),
            filters: filters(&self.conditions),
            at_least: self.at_least.clone(),
            ..QueryMetricsRequest::default()
        })
    }

    async fn verify(&self, request: VerifyMetricsRequest) -> Result<Verification, Failure> {
        // The suite limits its messages itself.
        let client = VerificationServiceClient::new(self.endpoint.connect()?).max_decoding_message_size(usize::MAX);
        let failed = |status: Status| Failure::of_request(&status, &self.endpoint.url(), flag_of);
        let call = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.verify_metrics(request).await }
        };
        let mut parts = patiently(call).await.map_err(failed)?.into_inner();
        while let Some(part) = parts.message().await.map_err(failed)? {
            match part.part {
                Some(Part::Progress(progress)) => remark(&progress),
                Some(Part::Verification(verification)) => return Ok(verification),
                None => {}
            }
        }
        Err(Failure::unavailable("it was cut off on its way: try again"))
    }
}

fn remark(progress: &VerificationProgress) {
    let read: i64 = progress.sources.iter().map(|source| source.facts).sum();
    if read > 0 {
        // More may have come meanwhile, or be known under several names.
        let all = Some(progress.facts_to_read).filter(|all| *all > read);
        let all = all.map(|all| format!(" of about {}", count(all))).unwrap_or_default();
        output::remark(&format!("{}{all} facts read", count(read)));
    }
}

fn tell(verification: &Verification, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::default();
    for (title, align) in
        [("metric", Align::Left), ("rows", Align::Right), ("ways", Align::Left), ("differences", Align::Right)]
    {
        table.column(title, align);
    }
    for metric in &verification.metrics {
        let MetricVerification { metric: name, rows, difference_count, error, .. } = metric;
        let ways: Vec<_> = metric.ways().map(way).collect();
        let ways = if error.is_empty() { ways.join(", ") } else { "none: see below".to_owned() };
        table.row(vec![name.clone(), count(*rows), ways, count(*difference_count)]);
    }
    table.write(out)?;
    for metric in verification.metrics.iter().filter(|metric| !metric.error.is_empty()) {
        writeln!(out, "\n{}: {}", metric.metric, output::one_line(&metric.error))?;
    }
    tell_differences(verification, out)?;
    let sources = verification.sources.iter().map(|source| format!("{} {}", count(source.facts), source.source));
    writeln!(out, "\nfacts read: {}", sources.collect::<Vec<_>>().join(", "))
}

fn tell_differences(verification: &Verification, out: &mut dyn Write) -> io::Result<()> {
    let all = verification.metrics.iter().flat_map(|metric| metric.differences.iter().map(|one| (&metric.metric, one)));
    let mut all = all.peekable();
    if all.peek().is_none() {
        return Ok(());
    }
    let mut table = Table::default();
    for title in ["metric", "period", "group", "field", "way"] {
        table.column(title, Align::Left);
    }
    for title in ["answered", "recomputed"] {
        table.column(title, Align::Right);
    }
    for (metric, difference) in all.take(SHOWN) {
        let FigureDifference { label, start_time, group, field, live, recomputed, .. } = difference;
        let period = if label.is_empty() { query::utc(start_time.as_ref()) } else { label.clone() };
        let group = group.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
        let way = way(difference.way()).to_owned();
        table.row(vec![metric.clone(), period, group, field.clone(), way, live.clone(), recomputed.clone()]);
    }
    writeln!(out)?;
    table.write(out)
}

/// How it was computed again, in a word.
fn way(way: VerificationWay) -> &'static str {
    match way {
        VerificationWay::Unspecified => "",
        VerificationWay::Folded => "folded",
        VerificationWay::Counted => "counted",
    }
}

fn count(number: i64) -> String {
    grouped(number.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_what_was_verified_and_what_differs() {
        let difference = FigureDifference {
            way: VerificationWay::Counted.into(),
            label: "2024-01".to_owned(),
            group: [("currency".to_owned(), "EUR".to_owned())].into(),
            field: "value".to_owned(),
            live: "1".to_owned(),
            recomputed: "2".to_owned(),
            ..FigureDifference::default()
        };
        let metric = MetricVerification {
            metric: "revenue".to_owned(),
            ways: [VerificationWay::Folded, VerificationWay::Counted].map(i32::from).to_vec(),
            rows: 1_200,
            difference_count: 1,
            differences: vec![difference],
            ..MetricVerification::default()
        };
        let mut out = Vec::new();
        tell(&Verification { metrics: vec![metric], ..Verification::default() }, &mut out).expect("a vector");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "metric    rows  ways             differences\n\
             revenue  1,200  folded, counted            1\n\
             \n\
             metric   period   group         field  way      answered  recomputed\n\
             revenue  2024-01  currency=EUR  value  counted         1           2\n\
             \n\
             facts read: \n"
        );
    }
}
