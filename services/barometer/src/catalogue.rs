//! `barometer catalogue`: what can be asked for, and what it means.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{Additivity, Direction, Metric, Parameter};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::output::{self, Align, Table, wrap};
use crate::query::unit;
use crate::suite::Suite;

/// List the metrics, or tell the definition of one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CatalogueArgs {
    /// Name of a metric, for its whole definition
    #[arg(value_name = "METRIC")]
    metric: Option<String>,

    /// How the answer looks
    #[arg(long, value_enum, default_value = "table")]
    format: Format,

    #[command(flatten)]
    endpoint: Endpoint,
}

const EXAMPLES: &str = "\
Examples:
  barometer catalogue
  barometer catalogue nps
  barometer catalogue --format json";

/// How the answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl CatalogueArgs {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// When there is no such metric, the suite does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let suite = Suite::new(&self.endpoint)?;
        match &self.metric {
            None => {
                let metrics = suite.metrics().await?;
                output::print(|out| match self.format {
                    Format::Table => list(&metrics, out),
                    Format::Json => output::json(&metrics.iter().map(Definition::from).collect::<Vec<_>>(), out),
                })
            }
            Some(id) => {
                let metric = suite.metric(id).await?;
                output::print(|out| match self.format {
                    Format::Table => tell(&metric, out),
                    Format::Json => output::json(&Definition::from(&metric), out),
                })
            }
        }
    }
}

/// Widest line.
const WIDTH: usize = 100;

fn list(metrics: &[Metric], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::default();
    for title in ["metric", "title", "unit", "better"] {
        table.column(title, Align::Left);
    }
    for metric in metrics {
        let (unit, better) = (unit(metric.unit()), better(metric.direction()));
        table.row(vec![metric.id.clone(), metric.title.clone(), unit.to_owned(), better.to_owned()]);
    }
    table.write(out)?;
    writeln!(out, "\n`barometer catalogue METRIC` tells what a metric means and what it can be asked by.")
}

fn tell(metric: &Metric, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {} (version {})\n", metric.id, metric.title, metric.version)?;
    for line in wrap(&metric.description, WIDTH) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    entry("formula", &metric.formula, out)?;
    entry("unit", unit(metric.unit()), out)?;
    entry("better", better(metric.direction()), out)?;
    entry("range", &range(metric), out)?;
    entry("adds up", additivity(metric.additivity()), out)?;
    entry("sample", &sample(metric), out)?;
    entry("interval", &metric.interval, out)?;
    entry("test", &metric.test, out)?;
    entry("made of", &metric.sources.join(", "), out)?;
    entry("dimensions", &metric.dimensions.join(", "), out)?;
    entry("", "and every dimension that its facts declare", out)?;
    let always = match metric.always_grouped_by.as_slice() {
        [] => String::new(),
        names => format!("{}, unless the query groups or filters by it", names.join(", ")),
    };
    entry("grouped by", &always, out)?;
    entry("counts", &metric.counts.join(", "), out)?;
    entry("amounts", &metric.amounts.join(", "), out)?;
    entry("statistics", &metric.statistics.join(", "), out)?;
    for (index, Parameter { name, description, default_value, allowed }) in metric.parameters.iter().enumerate() {
        let told = format!("{name}: {description} Allowed: {allowed}; {default_value} by default.");
        entry(if index == 0 { "parameters" } else { "" }, &told, out)?;
    }
    entry("example", &metric.example, out)
}

/// The lowest and the highest value that there can be.
fn range(metric: &Metric) -> String {
    match (metric.lowest, metric.highest) {
        (Some(lowest), Some(highest)) => format!("{lowest} to {highest}"),
        (Some(lowest), None) => format!("{lowest} or more"),
        (None, Some(highest)) => format!("{highest} or less"),
        (None, None) => String::new(),
    }
}

/// Of what there is a sample, and how large it must be.
fn sample(metric: &Metric) -> String {
    match metric.minimum_sample {
        0 => metric.sample.clone(),
        least => format!("{}, {least} or more", metric.sample),
    }
}

/// What figures of parts come to.
fn additivity(additivity: Additivity) -> &'static str {
    match additivity {
        Additivity::Unspecified => "",
        Additivity::Sum => "values of parts add up to that of the whole",
        Additivity::Counts => "counts do, values do not: never an average of averages",
        Additivity::Groups => "over groups that do not overlap, not over periods",
        Additivity::None => "no",
    }
}

/// A name and its text, in two columns. Nothing when there is no text.
fn entry(name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    const NAMES: usize = 12;
    for (index, line) in wrap(text, WIDTH - NAMES).into_iter().enumerate() {
        writeln!(out, "{:<NAMES$}{line}", if index == 0 { name } else { "" })?;
    }
    Ok(())
}

/// Which way is better.
fn better(direction: Direction) -> &'static str {
    match direction {
        Direction::Unspecified => "",
        Direction::Up => "more",
        Direction::Down => "less",
        Direction::Neutral => "it depends",
    }
}

/// A definition, for programs.
#[derive(Serialize)]
struct Definition<'a> {
    id: &'a str,
    version: i32,
    defined: bool,
    title: &'a str,
    description: &'a str,
    formula: &'a str,
    unit: &'static str,
    direction: &'static str,
    sources: &'a [String],
    dimensions: &'a [String],
    always_grouped_by: &'a [String],
    parameters: Vec<Setting<'a>>,
    counts: &'a [String],
    amounts: &'a [String],
    statistics: &'a [String],
    interval: &'a str,
    lowest: Option<f64>,
    highest: Option<f64>,
    additivity: &'static str,
    sample: &'a str,
    minimum_sample: i64,
    test: &'a str,
    example: &'a str,
}

#[derive(Serialize)]
struct Setting<'a> {
    name: &'a str,
    description: &'a str,
    default: &'a str,
    allowed: &'a str,
}

impl<'a> From<&'a Metric> for Definition<'a> {
    fn from(metric: &'a Metric) -> Self {
        Self {
            id: &metric.id,
            version: metric.version,
            defined: metric.defined,
            title: &metric.title,
            description: &metric.description,
            formula: &metric.formula,
            unit: unit(metric.unit()),
            direction: match metric.direction() {
                Direction::Unspecified => "unspecified",
                Direction::Up => "up",
                Direction::Down => "down",
                Direction::Neutral => "neutral",
            },
            sources: &metric.sources,
            dimensions: &metric.dimensions,
            always_grouped_by: &metric.always_grouped_by,
            parameters: metric.parameters.iter().map(Setting::from).collect(),
            counts: &metric.counts,
            amounts: &metric.amounts,
            statistics: &metric.statistics,
            interval: &metric.interval,
            lowest: metric.lowest,
            highest: metric.highest,
            additivity: match metric.additivity() {
                Additivity::Unspecified => "unspecified",
                Additivity::Sum => "sum",
                Additivity::Counts => "counts",
                Additivity::Groups => "groups",
                Additivity::None => "none",
            },
            sample: &metric.sample,
            minimum_sample: metric.minimum_sample,
            test: &metric.test,
            example: &metric.example,
        }
    }
}

impl<'a> From<&'a Parameter> for Setting<'a> {
    fn from(parameter: &'a Parameter) -> Self {
        let Parameter { name, description, default_value, allowed } = parameter;
        Self { name, description, default: default_value, allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barometer_proto::metrics::v1::Unit;

    fn metric() -> Metric {
        Metric {
            id: "nps".into(),
            version: 1,
            title: "Net promoter score".into(),
            description: "Share of promoters minus share of detractors.".into(),
            unit: Unit::Points.into(),
            direction: Direction::Up.into(),
            dimensions: (0..20).map(|n| format!("dimension_{n}")).collect(),
            always_grouped_by: vec!["survey_type".into()],
            statistics: vec!["mean".into(), "p50".into()],
            lowest: Some(-100.0),
            highest: Some(100.0),
            additivity: Additivity::Counts.into(),
            sample: "answers".into(),
            minimum_sample: 5,
            example: "barometer query nps".into(),
            parameters: vec![Parameter {
                name: "weighted".into(),
                description: "Counts each answer by its weight.".into(),
                default_value: "false".into(),
                allowed: "one of true, false".into(),
            }],
            ..Metric::default()
        }
    }

    fn told(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn a_definition_is_told_in_lines_that_fit() {
        let text = told(|out| tell(&metric(), out));
        assert!(text.starts_with("nps: Net promoter score (version 1)\n\nShare of promoters"), "{text}");
        assert!(text.contains("\ngrouped by  survey_type, unless"), "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("weight. Allowed: one of true, false; false by default."), "{text}");
        assert!(text.contains("\nstatistics  mean, p50\n"), "{text}");
        assert!(text.contains("\nrange       -100 to 100\nadds up     counts do, values"), "{text}");
        assert!(text.contains("\nsample      answers, 5 or more\n"), "{text}");
        assert!(text.ends_with("\nexample     barometer query nps\n"), "{text}");
        assert!(!text.contains("amounts"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn the_list_has_a_line_for_each() {
        assert!(told(|out| list(&[metric()], out)).contains("\nnps     Net promoter score  points  more\n"));
        let json = told(|out| output::json(&[Definition::from(&metric())], out));
        assert!(json.contains("\"direction\": \"up\"") && json.contains("\"additivity\": \"counts\""), "{json}");
    }
}
