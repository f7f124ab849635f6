//! One caller: records, amends, withdraws and imports, one thing after another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use barometer_proto::metrics::v1::{
    self as metrics, Filter, QueryMetricsRequest, QueryMetricsResponse, metrics_service_client::MetricsServiceClient,
};
use fastrand::Rng;
use tonic::{Code, Request, transport::Channel};

use super::{
    Phase, Shared, import,
    send::{self, Order, Outcome},
};
use crate::{
    kinds::{Counted, Row, Written},
    ledger::{Act, Receipt},
    proof::whole,
    world::World,
};

/// Facts that a caller remembers, to amend and withdraw them.
const REMEMBERED: usize = 100;

pub(super) struct Caller {
    pub(super) shared: Arc<Shared>,
    /// Two connections to the service of each kind.
    pub(super) channels: Vec<[Channel; 2]>,
    metrics: Channel,
    pub(super) rng: Rng,
    remembered: Vec<Remembered>,
}

/// A fact of this caller, which nobody else changes.
struct Remembered {
    kind: usize,
    row: Row,
    id: String,
}

impl Caller {
    pub(super) fn new(shared: Arc<Shared>, world: &World, seed: u64) -> Self {
        let channels = shared.kinds.iter().map(|kind| [world.call(kind.service()), world.call(kind.service())]);
        Caller {
            channels: channels.collect(),
            metrics: world.call("metrics"),
            rng: Rng::with_seed(seed),
            remembered: Vec::new(),
            shared,
        }
    }

    pub(super) async fn run(mut self) {
        while self.shared.phase() == Phase::Writing {
            match self.rng.u8(..100) {
                0..55 => self.record().await,
                55..75 => self.amend().await,
                75..85 => self.withdraw().await,
                85..90 => self.send_nonsense().await,
                _ => import::import(&mut self).await,
            }
            tokio::time::sleep(Duration::from_millis(self.rng.u64(..40))).await;
        }
    }

    /// A kind; the first as often as all others together.
    pub(super) fn some_kind(&mut self) -> usize {
        if self.rng.bool() { 0 } else { self.rng.usize(..self.shared.kinds.len()) }
    }

    /// A customer, of whom there are more and more, or nobody.
    pub(super) fn some_customer(&mut self, kind: usize) -> Option<u64> {
        if self.shared.kinds[kind].may_be_anonymous() && self.rng.bool() {
            return None;
        }
        let known = 100 + self.shared.numbers[0].load(Ordering::Relaxed) / 4;
        Some(self.rng.u64(..known))
    }

    fn request_id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid().to_string()
    }

    async fn record(&mut self) {
        let kind = self.some_kind();
        let customer = self.some_customer(kind);
        let row = self.shared.row(kind, customer, self.rng.bool(), true);
        let request_id = if self.rng.bool() { self.request_id() } else { String::new() };
        self.shared.ledger.intend(kind, row);
        let order = Order { kind, act: Act::Record, row, id: String::new(), request_id };
        if let Some(written) = self.send(&order).await {
            self.remember(Remembered { kind, row, id: written.id });
        }
    }

    async fn amend(&mut self) {
        let Some(fact) = self.some_remembered() else { return };
        let row = Row { turn: fact.row.turn + 1, ..fact.row };
        let order = self.change(Act::Amend, row, &fact);
        if self.send(&order).await.is_some() {
            self.remember(Remembered { row, ..fact });
        }
    }

    async fn withdraw(&mut self) {
        let Some(fact) = self.some_remembered() else { return };
        let order = self.change(Act::Withdraw, fact.row, &fact);
        self.send(&order).await;
    }

    /// Most changes can be repeated, some can not.
    fn change(&mut self, act: Act, row: Row, fact: &Remembered) -> Order {
        let request_id = if self.rng.u8(..4) > 0 { self.request_id() } else { String::new() };
        Order { kind: fact.kind, act, row, id: fact.id.clone(), request_id }
    }

    /// Sends a row that must be refused, and of which nothing may be left.
    async fn send_nonsense(&mut self) {
        let kind = self.some_kind();
        let customer = self.some_customer(kind);
        let row = self.shared.row(kind, customer, true, false);
        self.shared.ledger.intend(kind, row);
        let order = Order { kind, act: Act::Record, row, id: String::new(), request_id: self.request_id() };
        match send::send(&self.shared, &order, self.channels[kind].clone(), &mut self.rng).await {
            Outcome::Refused(status) if status.code() == Code::InvalidArgument => {
                self.shared.ledger.refused(kind, Act::Record);
            }
            Outcome::Unknown => {}
            other => self.shared.ledger.violate(format!("nonsense was answered {other:?}: {order:?}")),
        }
    }

    /// Sends an order and notes its outcome; what was written, if that is known.
    async fn send(&mut self, order: &Order) -> Option<Written> {
        let Order { kind, act, row, .. } = *order;
        let ledger = Arc::clone(&self.shared.ledger);
        match send::send(&self.shared, order, self.channels[kind].clone(), &mut self.rng).await {
            Outcome::Acknowledged(written) => {
                self.acknowledged(order, &written).await;
                Some(written)
            }
            Outcome::Refused(status) => {
                ledger.refused(kind, act);
                ledger.violate(format!("{order:?} was refused: {status:?}"));
                None
            }
            Outcome::Unknown => {
                ledger.unknown(kind, act, row);
                None
            }
        }
    }

    async fn acknowledged(&mut self, order: &Order, written: &Written) {
        let Order { kind, act, row, ref request_id, .. } = *order;
        let (ledger, kinds) = (Arc::clone(&self.shared.ledger), &self.shared.kinds);
        ledger.acknowledged(kind, act, row, kinds[kind].service(), &written.position);
        let sent = (format!("t{}", row.turn), kinds[kind].value(&row));
        if act != Act::Withdraw && (&written.shown.turn, written.shown.value) != (&sent.0, sent.1) {
            ledger.violate(format!("{order:?} was answered with other values: {written:?}"));
        }
        if !request_id.is_empty() {
            let Written { id, position, .. } = written.clone();
            ledger.keep(Receipt { kind, act, row, request_id: request_id.clone(), id, position });
        }
        if let Some(counted) = kinds[kind].counted()
            && self.rng.u8(..8) == 0
        {
            self.read_back(order, counted, written).await;
        }
    }

    /// Asks for figures that include what was written just now: it is in them as it was written, once.
    async fn read_back(&self, order: &Order, counted: Counted, written: &Written) {
        let only =
            |dimension: &str, value| Filter { dimension: dimension.to_owned(), values: vec![value], exclude: false };
        let turn = only(counted.turn, format!("t{}", order.row.turn));
        let mut request = Request::new(QueryMetricsRequest {
            metrics: vec![counted.metric.to_owned()],
            filters: vec![only("write", order.row.number.to_string()), turn],
            at_least: vec![written.position.clone()],
            ..Default::default()
        });
        request.set_timeout(Duration::from_secs(4));
        let mut client = MetricsServiceClient::new(self.metrics.clone());
        let ledger = &self.shared.ledger;
        match tokio::time::timeout(Duration::from_secs(5), client.query_metrics(request)).await {
            Ok(Ok(answer)) => {
                let count = count(&answer.into_inner(), counted);
                match count == i64::from(order.act != Act::Withdraw) {
                    true => ledger.read_back(),
                    false => {
                        ledger.violate(format!("figures that include {order:?} count it {count} times: {written:?}"));
                    }
                }
            }
            Ok(Err(status)) if send::is_final(&status) => {
                ledger.violate(format!("figures that include {order:?} were refused: {status:?}"));
            }
            Ok(Err(status)) => send::note(&self.shared, &status),
            Err(_) => ledger.failed("figures: no answer".to_owned()),
        }
    }

    fn some_remembered(&mut self) -> Option<Remembered> {
        let count = self.remembered.len();
        (count > 0).then(|| self.remembered.swap_remove(self.rng.usize(..count)))
    }

    fn remember(&mut self, fact: Remembered) {
        if self.remembered.len() >= REMEMBERED {
            let place = self.rng.usize(..REMEMBERED);
            self.remembered.swap_remove(place);
        }
        self.remembered.push(fact);
    }
}

/// How many facts an answer counts.
fn count(answer: &QueryMetricsResponse, counted: Counted) -> i64 {
    let of_row = |row: &metrics::Row| -> f64 { counted.counts.iter().filter_map(|name| row.counts.get(*name)).sum() };
    whole(answer.results.iter().flat_map(|result| &result.rows).map(of_row).sum())
}
