//! Explanations for programs: one object whose keys stay as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use barometer_proto::metrics::v1::{ExplainMetricResponse, ExplainedCount, FactOfFigure};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::decimal::Decimal;
use crate::output;
use crate::query::json::{Figure, Source};
use crate::query::{number, unit, utc};

/// Writes the explanation.
pub(super) fn write(answer: &ExplainMetricResponse, out: &mut dyn Write) -> io::Result<()> {
    let metric = answer.metric.as_ref();
    let text = |of: fn(&barometer_proto::metrics::v1::Metric) -> &str| metric.map(of).unwrap_or_default();
    let explained = Explained {
        metric: text(|metric| &metric.id),
        version: metric.map_or(0, |metric| metric.version),
        title: text(|metric| &metric.title),
        description: text(|metric| &metric.description),
        formula: text(|metric| &metric.formula),
        unit: metric.map_or("unspecified", |metric| unit(metric.unit())),
        parameters: &answer.parameters,
        filters: &answer.filters,
        row: answer.row.as_ref().map(Figure::from),
        counts: answer.counts.iter().map(Count::from).collect(),
        facts: answer.facts.iter().map(Fact::from).collect(),
        total_facts: answer.total_facts,
        next_page_token: &answer.next_page_token,
        freshness: answer.freshness.iter().map(Source::from).collect(),
    };
    output::json(&explained, out)
}

#[derive(Serialize)]
struct Explained<'a> {
    metric: &'a str,
    version: i32,
    title: &'a str,
    description: &'a str,
    formula: &'a str,
    unit: &'static str,
    parameters: &'a BTreeMap<String, String>,
    filters: &'a [String],
    row: Option<Figure<'a>>,
    counts: Vec<Count<'a>>,
    facts: Vec<Fact<'a>>,
    total_facts: i64,
    next_page_token: &'a str,
    freshness: Vec<Source<'a>>,
}

#[derive(Serialize)]
struct Count<'a> {
    name: &'a str,
    number: Option<Box<RawValue>>,
    meaning: &'a str,
    computed: bool,
}

#[derive(Serialize)]
struct Fact<'a> {
    time: String,
    source: &'a str,
    kind: &'a str,
    id: &'a str,
    customer_id: Option<&'a str>,
    counts: BTreeMap<&'a str, Option<Box<RawValue>>>,
    value: Option<Box<RawValue>>,
    amount: Option<Box<RawValue>>,
    currency: Option<&'a str>,
}

impl<'a> From<&'a ExplainedCount> for Count<'a> {
    fn from(count: &'a ExplainedCount) -> Self {
        let ExplainedCount { name, number, meaning, computed } = count;
        Self { name, number: number::raw(number::text(*number)), meaning, computed: *computed }
    }
}

impl<'a> From<&'a FactOfFigure> for Fact<'a> {
    fn from(fact: &'a FactOfFigure) -> Self {
        let FactOfFigure { source, kind, id, time, customer_id, counts, value, amount } = fact;
        let counts = counts.iter().map(|(name, by)| (name.as_str(), number::raw(number::text(*by))));
        Self {
            time: utc(time.as_ref()),
            source,
            kind,
            id,
            customer_id: Some(customer_id.as_str()).filter(|id| !id.is_empty()),
            counts: counts.collect(),
            value: value.and_then(|value| number::raw(number::text(value))),
            amount: amount.as_ref().and_then(|money| number::raw(Decimal::from(money).to_string())),
            currency: amount.as_ref().map(|money| money.currency_code.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tests::answer;

    #[test]
    fn keys_are_stable_and_numbers_exact() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let read: serde_json::Value = serde_json::from_slice(&out).expect("it is JSON");
        assert_eq!((&read["metric"], &read["total_facts"]), (&"nps".into(), &3.into()));
        assert_eq!(read["row"]["counts"]["promoters"], 2);
        assert_eq!(read["counts"][0]["meaning"], "answers with a score of 9 or 10");
        let fact = &read["facts"][0];
        assert_eq!((&fact["kind"], &fact["value"], &fact["currency"]), (&"response".into(), &9.into(), &"EUR".into()));
        assert_eq!((&fact["counts"]["promoters"], &fact["customer_id"]), (&0.25.into(), &serde_json::Value::Null));
    }
}
