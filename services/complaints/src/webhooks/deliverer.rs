//! The deliverer: in each replica it claims what is due, sends it, and notes what became of it.
//!
//! A claim moves the instant at which a delivery is due beyond the time that an attempt may take, in a transaction, so that
//! no other replica takes it meanwhile; when the process dies it falls due again by itself. Each webhook has its own few
//! attempts under way, and one only while it fails, so that none waits for another.

use std::{collections::HashMap, time::Duration};

use barometer_chassis::{clock::Micros, error::Error, shutdown::Shutdown, store::Store, writer::Write};
use barometer_proto::complaints::v1 as wire;
use futures_util::future::BoxFuture;
use tokio::{task::JoinSet, time::Instant};

use super::{
    Settings,
    instruments::Instruments,
    sender::{Letter, Sender},
};
use crate::{
    delivery::{self, Patience},
    store::{self, in_writer},
    webhook::{self, WebhookId},
};

/// Attempts that are under way at once for each webhook.
const AT_ONCE: usize = 4;
/// How often the outbox is looked into when nothing happens.
const IDLE: Duration = Duration::from_millis(250);
/// How long after an attempt had to end it is taken for lost.
const GRACE: Duration = Duration::from_secs(50);
/// How often what is old is cleaned away.
const CLEANING: Duration = Duration::from_secs(60);

/// Sends what is in the outbox.
pub(crate) struct Deliverer {
    store: Store<wire::Fact>,
    sender: Sender,
    patience: Patience,
    lease: i64,
    instruments: Instruments,
    /// Attempts under way.
    under_way: JoinSet<WebhookId>,
    /// How many of them for each webhook.
    busy: HashMap<WebhookId, usize>,
}

impl Deliverer {
    /// Over the store of its service.
    pub(crate) fn new(store: Store<wire::Fact>, settings: &Settings) -> Result<Self, Error> {
        Ok(Deliverer {
            store,
            sender: Sender::new(settings).map_err(|error| Error::Internal(error.to_string()))?,
            patience: settings.patience,
            lease: micros(settings.timeout + GRACE),
            instruments: Instruments::new(),
            under_way: JoinSet::new(),
            busy: HashMap::new(),
        })
    }

    /// Sends until `stop`; attempts that are under way then come to their end.
    pub(crate) async fn run(mut self, stop: Shutdown) {
        let mut cleaned: Option<Instant> = None;
        loop {
            if let Err(error) = self.claim().await {
                tracing::warn!(%error, "the outbox can not be read");
            }
            if cleaned.is_none_or(|at| at.elapsed() >= CLEANING) {
                match self.clean().await {
                    // There may be more.
                    Ok(true) => {}
                    Ok(false) => cleaned = Some(Instant::now()),
                    Err(error) => {
                        cleaned = Some(Instant::now());
                        tracing::warn!(%error, "old deliveries could not be cleaned away");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = self.under_way.join_next() => self.ended(ended.ok()),
                () = tokio::time::sleep(IDLE) => {}
            }
            while let Some(ended) = self.under_way.try_join_next() {
                self.ended(ended.ok());
            }
        }
        while self.under_way.join_next().await.is_some() {}
    }

    /// Takes what is due and sets it on its way.
    async fn claim(&mut self) -> Result<(), Error> {
        let (db, now) = (self.store.db(), Micros::now());
        let webhooks = store::list_told(db).await?;
        self.instruments.wait(webhooks.iter().map(|webhook| webhook.waiting).sum());
        let mut due = Vec::new();
        for webhook in webhooks.iter().filter(|webhook| webhook.waiting > 0) {
            let room = webhook.room(now, AT_ONCE, self.busy.get(&webhook.id).copied().unwrap_or_default());
            if room > 0 {
                due.append(&mut store::list_due(db, webhook.id, now, room).await?);
            }
        }
        if due.is_empty() {
            return Ok(());
        }
        let lease = self.lease;
        let claimed = self.write("ClaimDeliveries", move |write| {
            Box::pin(async move { store::claim_deliveries(write, due, lease).await })
        });
        for (webhook, delivery) in claimed.await? {
            *self.busy.entry(webhook.id).or_default() += 1;
            self.set_out(webhook, delivery);
        }
        Ok(())
    }

    fn set_out(&mut self, webhook: webhook::Model, delivery: delivery::Model) {
        let (store, sender, instruments) = (self.store.clone(), self.sender.clone(), self.instruments.clone());
        let patience = self.patience;
        self.under_way.spawn(async move {
            let letter = letter(&webhook, &delivery, Micros::now());
            let attempt = sender.send(&webhook.url, letter).await;
            let (id, number) = (delivery.id, delivery.attempts);
            let settled = in_writer(&store, "SettleDelivery", move |write| {
                Box::pin(async move { store::settle_delivery(write, id, number, attempt, patience).await })
            });
            match settled.await {
                Ok(dead) => instruments.ended(attempt, dead),
                // It falls due again, and the receiver may get it twice.
                Err(error) => tracing::warn!(%error, delivery = %id, "what became of a delivery could not be noted"),
            }
            webhook.id
        });
    }

    fn ended(&mut self, webhook: Option<WebhookId>) {
        match webhook {
            Some(webhook) => {
                if let Some(busy) = self.busy.get_mut(&webhook) {
                    *busy = busy.saturating_sub(1);
                }
            }
            // Nobody knows whose it was: only when nothing is under way are the counts known again.
            None => tracing::error!("an attempt to deliver panicked"),
        }
        if self.under_way.is_empty() {
            self.busy.clear();
        }
    }

    /// Cleans away some of what is old; whether there was any.
    async fn clean(&self) -> Result<bool, Error> {
        let stale = store::list_stale(self.store.db(), Micros::now()).await?;
        let any = !stale.is_empty();
        if any {
            self.write("CleanDeliveries", move |write| {
                Box::pin(async move { store::clean_deliveries(write, stale).await })
            })
            .await?;
        }
        Ok(any)
    }

    async fn write<T, W>(&self, method: &'static str, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'w> FnOnce(&'w Write<'w>) -> BoxFuture<'w, Result<T, Error>> + Send + 'static,
    {
        in_writer(&self.store, method, work).await
    }
}

fn letter(webhook: &webhook::Model, delivery: &delivery::Model, now: Micros) -> Letter {
    let (id, seconds) = (delivery.id.to_string(), now.0.div_euclid(Micros::SECOND));
    let signatures: Vec<String> =
        webhook.secrets(now).map(|secret| secret.sign(&id, seconds, &delivery.body)).collect();
    Letter { id, seconds, signatures: signatures.join(" "), body: delivery.body.clone() }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
