//! Explanations as messages.

use std::collections::BTreeMap;

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1 as wire;

use super::{metric, money, row, seconds};
use crate::{
    analysis::explanation::Explanation,
    query::{
        Condition,
        told::{Told, Worth},
    },
};

/// An explanation.
pub(crate) fn explanation(explained: Explanation, freshness: Vec<wire::Freshness>) -> wire::ExplainMetricResponse {
    let Explanation { metric: of, parameters, filters, figure, facts, total, next_page_token } = explained;
    let currency = figure.group.iter().find(|(name, _)| name == "currency").map(|(_, code)| code.clone());
    let numbers: BTreeMap<_, _> = figure.measured.counts.iter().copied().collect();
    let count = |name: &&'static str| {
        Some(wire::ExplainedCount {
            name: (*name).to_owned(),
            number: *numbers.get(name)?,
            meaning: of.meaning(name),
            computed: of.computed.contains(name),
        })
    };
    wire::ExplainMetricResponse {
        metric: Some(metric(of)),
        parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        filters: filters.iter().map(Condition::describe).collect(),
        counts: of.counts.iter().filter_map(count).collect(),
        row: Some(row(figure)),
        freshness,
        facts: facts.into_iter().map(|told| fact(told, currency.as_deref().unwrap_or_default())).collect(),
        next_page_token,
        total_facts: i64::try_from(total).unwrap_or(i64::MAX),
    }
}

fn fact(told: Told, currency: &str) -> wire::FactOfFigure {
    let Told { kind, id, at, customer, counts, worth } = told;
    let (source, kind) = kind.name();
    let (value, amount) = match worth {
        Worth::None => (None, None),
        Worth::Number(number) => (Some(number), None),
        Worth::Time(micros) => (Some(seconds(micros)), None),
        Worth::Amount(micros) => (None, Some(money(currency, micros))),
    };
    wire::FactOfFigure {
        source: source.to_owned(),
        kind: kind.to_owned(),
        id: id.to_string(),
        time: Some(Micros(at).to_wire()),
        customer_id: customer.map(|id| id.to_string()).unwrap_or_default(),
        counts: counts.into_iter().map(|(name, by)| (name.to_owned(), by)).collect(),
        value,
        amount,
    }
}
