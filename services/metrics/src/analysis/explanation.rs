//! What one figure is made of: its row, and a page of the facts behind it.

use std::collections::BTreeMap;

use barometer_chassis::{
    door::{Door, Page, PageToken},
    error::Error,
};
use barometer_proto::metrics::v1 as wire;
use prost::Message;

use crate::{
    catalogue::{Metric, Parameters},
    columns::Facts,
    query::{
        Condition, Figure, Query, Setting, Vocabulary, Zones, check_positions,
        parse::{parse_parameters, parse_times, tables_of},
        parse_filters, parse_zone,
        told::{Recorder, Told, Wanted},
    },
    rules::granularity::Granularity,
};

/// Facts of a page where nobody says how many.
const DEFAULT_SIZE: u16 = 100;
const MAX_GROUP: usize = 8;
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 128;
/// Rows that a refusal names.
const MAX_NAMED: usize = 10;
/// What tells the rows of cohorts apart, beside dimensions.
const COHORT: &str = "cohort";
const SINCE: &str = "periods_since";

/// One figure to explain.
#[derive(Debug)]
pub(crate) struct Explaining {
    query: Query,
    /// As they were given.
    given: BTreeMap<String, String>,
    /// Which row is meant.
    group: BTreeMap<String, String>,
    count: Option<&'static str>,
    page: Page,
    /// Of the request, to which tokens of pages belong.
    fingerprint: u64,
}

/// A figure explained.
#[derive(Debug)]
pub(crate) struct Explanation {
    pub(crate) metric: &'static Metric,
    /// Every parameter with its value.
    pub(crate) parameters: BTreeMap<&'static str, String>,
    pub(crate) filters: Vec<Condition>,
    pub(crate) figure: Figure,
    pub(crate) facts: Vec<Told>,
    /// How many facts there are on all pages.
    pub(crate) total: u64,
    pub(crate) next_page_token: String,
}

/// Parses a request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::ExplainMetricRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
) -> Result<Explaining, Error> {
    let parsed = Door::open(|door| {
        let fingerprint = fingerprint(&request);
        let wire::ExplainMetricRequest {
            metric,
            start_time,
            end_time,
            time_zone,
            filters,
            parameters,
            at_least,
            group,
            count,
            page_size,
            page_token,
        } = request;
        let page = door.page_of(page_size, DEFAULT_SIZE, &page_token, fingerprint);
        if group.len() > MAX_GROUP {
            door.refuse("group", "TOO_MANY", format!("at most {MAX_GROUP}"));
        }
        for (name, value) in group.iter().take(MAX_GROUP) {
            door.text("group", name.clone(), MAX_NAME);
            door.text("group", value.clone(), MAX_VALUE);
        }
        let metric = parse_metric(door, &metric, vocabulary);
        let (start, end) = parse_times(door, start_time, end_time);
        let days = parse_zone(door, &time_zone, zones);
        let metrics: Vec<_> = metric.into_iter().collect();
        let filters = parse_filters(door, filters, &tables_of(&metrics), vocabulary);
        let given = parameters;
        // Those of a metric that is none are not checked.
        let parameters = match metric {
            Some(_) => parse_parameters(door, &given, &metrics, &[]),
            None => Parameters::default(),
        };
        check_positions(door, &at_least);
        let known = metric.and_then(|metric| parse_count(door, metric, &count));
        let granularity = Granularity::default();
        let (group_by, now) = (Vec::new(), door.now().0);
        let days = days?;
        let query = Query { metrics, start, end, granularity, days, group_by, filters, parameters, now, setting };
        Some(Explaining { query, given, group, count: known, page, fingerprint })
    });
    parsed?.ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_metric(door: &mut Door, name: &str, vocabulary: &Vocabulary) -> Option<&'static Metric> {
    if name.is_empty() {
        door.missing("metric");
        return None;
    }
    vocabulary.metric(door, "metric", name)
}

/// A count to which facts add.
fn parse_count(door: &mut Door, metric: &Metric, count: &str) -> Option<&'static str> {
    let known = metric.counts.iter().copied().find(|name| *name == count);
    if known.is_none() && !count.is_empty() {
        let told = format!("is no count of {}; there are {}", metric.id, metric.counts.join(", "));
        door.refuse("count", "UNKNOWN_VALUE", told);
    } else if known.is_some_and(|name| metric.computed.contains(&name)) {
        door.refuse("count", "COMPUTED", "is computed of the others: no fact adds to it");
    }
    known
}

impl Explaining {
    /// Explains the figure.
    ///
    /// Errors: INVALID when the request fits no row, or several; and as queries do.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Explanation, Error> {
        let Explaining { query, given, count, page, fingerprint, .. } = self;
        let mut figures = query.run(facts)?.into_iter();
        let metric = query.metrics[0];
        let figures = figures.next().map(|of_metric| of_metric.figures).unwrap_or_default();
        let figure = self.meant(figures)?;
        let after = page.after.map(|token| (token.key, token.id));
        // One more tells whether there is another page.
        let size = usize::from(page.size) + 1;
        let recorder = Recorder::new(Wanted { count: *count, worth: false, after, size, cohort: cohort(&figure) });
        if !figure.suppressed {
            self.only(&figure).explain(facts, &recorder)?;
        }
        let (told, total) = recorder.told();
        let place = |told: &Told| PageToken { key: told.at, id: told.id };
        let (told, next_page_token) = page.cut_of(told, place, *fingerprint);
        let chosen = |name: &str, default: &str| given.get(name).map_or_else(|| default.to_owned(), Clone::clone);
        let parameters = metric.parameters.iter().map(|of| (of.name, chosen(of.name, of.default))).collect();
        let filters = query.filters.clone();
        Ok(Explanation { metric, parameters, filters, figure, facts: told, total, next_page_token })
    }

    /// The row that is meant.
    fn meant(&self, figures: Vec<Figure>) -> Result<Figure, Error> {
        let fits = |figure: &Figure| {
            let has = |(name, value): (&String, &String)| figure.group.iter().any(|of| (&of.0, &of.1) == (name, value));
            self.group.iter().all(has)
        };
        let all = named(&figures);
        let mut fitting: Vec<_> = figures.into_iter().filter(fits).collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some(figure), true) => Ok(figure),
            (Some(figure), false) => {
                fitting.push(figure);
                let told = format!("there are {} such rows: {}", fitting.len(), named(&fitting));
                Err(Error::invalid("group", "AMBIGUOUS", told))
            }
            (None, _) => Err(Error::invalid("group", "NO_SUCH_ROW", format!("there is no such row; there are {all}"))),
        }
    }

    /// The query of one row alone.
    fn only(&self, figure: &Figure) -> Query {
        let of_group = figure.group.iter().filter(|(name, _)| name != COHORT && name != SINCE);
        let conditions = of_group.map(|(dimension, value)| Condition {
            dimension: dimension.clone(),
            values: vec![value.clone()],
            exclude: false,
        });
        let mut query = self.query.clone();
        query.filters.extend(conditions);
        query
    }
}

/// The cohort of a row, and how many periods later it is.
fn cohort(figure: &Figure) -> Option<(String, usize)> {
    let value = |wanted: &str| figure.group.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    Some((value(COHORT)?.clone(), value(SINCE)?.parse().ok()?))
}

/// The groups of rows, a few of them.
fn named(figures: &[Figure]) -> String {
    let name = |figure: &Figure| {
        let pairs: Vec<_> = figure.group.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { "that of no group".to_owned() } else { pairs.join(" ") }
    };
    let mut names: Vec<_> = figures.iter().take(MAX_NAMED).map(name).collect();
    names.extend((figures.len() > MAX_NAMED).then(|| "…".to_owned()));
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What tells a request from others: all of it but where its page begins, how long it is, and what it waits for.
fn fingerprint(request: &wire::ExplainMetricRequest) -> u64 {
    let of =
        wire::ExplainMetricRequest { page_size: 0, page_token: String::new(), at_least: Vec::new(), ..request.clone() };
    let hash = blake3::hash(&of.encode_to_vec());
    hash.as_bytes()[..8].iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
