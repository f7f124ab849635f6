//! Figures, as they follow from the facts and as metrics gives them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use barometer_proto::metrics::v1::{
    self as wire, Filter, GetFoldRequest, Granularity, QueryMetricsRequest,
    metrics_service_client::MetricsServiceClient,
};
use tonic::{Request, Status, transport::Channel};

use super::{facts::Facts, patiently, whole};
use crate::{
    kinds::{LOT, Listed},
    load::Shared,
};

/// Figures by their name; those of 0 are left out.
#[derive(Debug, Default)]
pub(super) struct Figures(pub(super) BTreeMap<String, i64>);

impl Figures {
    /// The figures that follow from the facts.
    pub(super) fn of(shared: &Shared, facts: &Facts) -> Self {
        let mut figures = Figures::default();
        let inner = shared.ledger.lock();
        for (nth, kind) in shared.kinds.iter().enumerate() {
            let name = kind.name();
            for fact in facts.live(nth) {
                figures.add(format!("{name} facts"), 1);
                let Some(number) = fact.shown.number else { continue };
                if kind.counted().is_some() {
                    figures.add(format!("{name} by lot {}", number / LOT), 1);
                    figures.add(format!("{name} by write {number}"), 1);
                    figures.add(format!("{name} by turn {}", fact.shown.turn), 1);
                    let month = inner.entries.get(&(nth, number)).map(|entry| month(entry.row.time().seconds));
                    figures.add(format!("{name} by month {}", month.unwrap_or_default()), 1);
                }
            }
            match name {
                "response" => figures.add_scores(facts.live(nth)),
                "purchase" => figures.add_sales(facts.live(nth)),
                _ => {}
            }
        }
        figures
    }

    fn add_scores<'f>(&mut self, answers: impl Iterator<Item = &'f Listed>) {
        for Listed { shown, .. } in answers {
            let category = match shown.value {
                9.. => "promoters",
                7..=8 => "passives",
                _ => "detractors",
            };
            self.add(format!("nps {category} by turn {}", shown.turn), 1);
        }
    }

    fn add_sales<'f>(&mut self, purchases: impl Iterator<Item = &'f Listed>) {
        let mut orders: HashMap<&str, i64> = HashMap::new();
        for Listed { shown, .. } in purchases {
            self.add(format!("revenue by turn {}", shown.turn), shown.value);
            if shown.value >= 0 {
                *orders.entry(&shown.customer_id).or_default() += 1;
            }
        }
        self.add("buyers".to_owned(), orders.values().map(|_| 1).sum());
        self.add("repeaters".to_owned(), orders.values().map(|orders| i64::from(*orders > 1)).sum());
    }

    /// The same figures as a process gives them.
    pub(super) async fn ask(to: Channel, shared: &Shared, facts: &Facts) -> Result<Self, Status> {
        let client = MetricsServiceClient::new(to).max_decoding_message_size(usize::MAX);
        let at_least = shared.ledger.lock().last.values().map(|(_, token)| token.clone()).collect();
        let asker = Asker { client, at_least };
        let mut figures = Figures::default();
        // What was ready before may not be up to date: this waits until it is.
        asker.ask(&["responses"], &[], None, Granularity::Unspecified).await?;
        for source in asker.facts().await? {
            for (kind, count) in source.facts {
                if shared.kinds.iter().any(|known| known.name() == kind) {
                    figures.add(format!("{kind} facts"), count);
                }
            }
        }
        for (nth, kind) in shared.kinds.iter().enumerate() {
            let Some(counted) = kind.counted() else { continue };
            let (name, metric) = (kind.name(), [counted.metric]);
            let of = |row: &wire::Row| whole(counted.counts.iter().filter_map(|name| row.counts.get(*name)).sum());
            for (by, dimension) in [("lot", "lot"), ("turn", counted.turn)] {
                for row in asker.ask(&metric, &[dimension], None, Granularity::Unspecified).await? {
                    figures.add(format!("{name} by {by} {}", group(&row, dimension)), of(&row));
                }
            }
            for row in asker.ask(&metric, &[], None, Granularity::Month).await? {
                figures.add(format!("{name} by month {}", row.label), of(&row));
            }
            let lots: BTreeSet<u64> =
                facts.of_kind[nth].values().filter_map(|fact| Some(fact.shown.number? / LOT)).collect();
            for lot in lots {
                for row in asker.ask(&metric, &["write"], Some(lot), Granularity::Unspecified).await? {
                    figures.add(format!("{name} by write {}", group(&row, "write")), of(&row));
                }
            }
        }
        for row in asker.ask(&["nps"], &["touchpoint"], None, Granularity::Unspecified).await? {
            for category in ["promoters", "passives", "detractors"] {
                let count = row.counts.get(category).copied().unwrap_or_default();
                figures.add(format!("nps {category} by turn {}", group(&row, "touchpoint")), whole(count));
            }
        }
        for row in asker.ask(&["revenue"], &["channel"], None, Granularity::Unspecified).await? {
            let net = row.amounts.get("net").map_or(0, |money| money.units);
            figures.add(format!("revenue by turn {}", group(&row, "channel")), net);
        }
        for row in asker.ask(&["repeat_purchase_rate"], &[], None, Granularity::Unspecified).await? {
            for count in ["buyers", "repeaters"] {
                figures.add(count.to_owned(), whole(row.counts.get(count).copied().unwrap_or_default()));
            }
        }
        Ok(figures)
    }

    fn add(&mut self, name: String, count: i64) {
        if count != 0 {
            *self.0.entry(name).or_default() += count;
        }
    }
}

/// Asks one process for figures that include all that was acknowledged.
struct Asker {
    client: MetricsServiceClient<Channel>,
    at_least: Vec<String>,
}

impl Asker {
    async fn ask(
        &self,
        metrics: &[&str],
        group_by: &[&str],
        lot: Option<u64>,
        granularity: Granularity,
    ) -> Result<Vec<wire::Row>, Status> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let of_lot = |lot: u64| Filter { dimension: "lot".to_owned(), values: vec![lot.to_string()], exclude: false };
        let mut query = QueryMetricsRequest {
            metrics: owned(metrics),
            group_by: owned(group_by),
            filters: lot.map(of_lot).into_iter().collect(),
            granularity: granularity.into(),
            at_least: self.at_least.clone(),
            ..Default::default()
        };
        if metrics == ["repeat_purchase_rate"] {
            query.parameters.insert("basis".to_owned(), "orders".to_owned());
        }
        let answer = patiently(async || {
            let mut request = Request::new(query.clone());
            request.set_timeout(Duration::from_secs(20));
            self.client.clone().query_metrics(request).await
        });
        Ok(answer.await?.into_inner().results.into_iter().flat_map(|result| result.rows).collect())
    }

    async fn facts(&self) -> Result<Vec<wire::FoldSource>, Status> {
        let fold = patiently(async || self.client.clone().get_fold(GetFoldRequest {}).await);
        Ok(fold.await?.into_inner().sources)
    }
}

fn group<'r>(row: &'r wire::Row, dimension: &str) -> &'r str {
    row.group.get(dimension).map_or("", String::as_str)
}

/// The month of an instant, as the figures label it.
fn month(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|at| at.strftime("%Y-%m").to_string()).unwrap_or_default()
}
