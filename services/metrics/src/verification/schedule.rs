//! Verifications that nobody has to ask for.

use std::{sync::Arc, time::Duration};

use barometer_chassis::{error::Error, shutdown::Shutdown};
use barometer_proto::metrics::v1::{self as wire, Granularity, VerificationTrigger};

use super::{Verifier, count_facts, parse, sources_of};
use crate::{
    definitions::Definitions,
    fold::{Fold, Source},
    query::{Query, Setting, Vocabulary, Zones},
};

/// How soon it is tried again when a verification could not be done.
const AGAIN: Duration = Duration::from_secs(600);

/// What is verified again and again.
pub(crate) struct Schedule {
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) fold: Arc<Fold>,
    pub(crate) zones: Arc<Zones>,
    pub(crate) definitions: Definitions,
    pub(crate) minimum_sample: u64,
    /// How often; never when it is 0.
    pub(crate) every: Duration,
    /// Names of metrics; all when there are none.
    pub(crate) metrics: Vec<String>,
}

impl Schedule {
    /// Verifies until the process is `ending`. The first time after a whole turn.
    pub(crate) async fn run(self, ending: Shutdown) {
        if self.every.is_zero() {
            return;
        }
        tokio::select! {
            () = ending.cancelled() => {}
            () = self.run_for_ever() => {}
        }
    }

    async fn run_for_ever(self) {
        let mut pause = self.every;
        loop {
            // A tenth of it by chance: replicas that started together do not verify together.
            tokio::time::sleep(pause.mul_f64(0.95 + fastrand::f64() / 10.0)).await;
            pause = match self.verify().await {
                Ok(()) => self.every,
                Err(error) => {
                    tracing::warn!(%error, "the figures were not verified");
                    self.every.min(AGAIN)
                }
            };
        }
    }

    async fn verify(&self) -> Result<(), Error> {
        let queries = self.queries().await?;
        let place = self.verifier.place()?;
        let verified = self.verifier.verify(place, VerificationTrigger::Schedule, queries, &|_| {}).await?;
        let wire::Verification { metrics, difference_count, .. } = verified;
        tracing::info!(metrics = metrics.len(), difference_count, "the figures were verified");
        Ok(())
    }

    /// By month over all time.
    async fn queries(&self) -> Result<Vec<Query>, Error> {
        let defined = self.definitions.look_up(&self.metrics).await?;
        let (fold, zones, minimum_sample) = (Arc::clone(&self.fold), Arc::clone(&self.zones), self.minimum_sample);
        let query = wire::QueryMetricsRequest {
            metrics: self.metrics.clone(),
            granularity: Granularity::Month.into(),
            ..Default::default()
        };
        let verifier = Arc::clone(&self.verifier);
        super::away(move || {
            let state = fold.read();
            let complete_until = Source::ALL.map(|source| state.reached(source).complete_until.map(|until| until.0));
            let request = wire::VerifyMetricsRequest { query: Some(query) };
            let setting = Setting { complete_until, minimum_sample };
            let queries = parse(request, &Vocabulary::of(&state.facts).with(defined), &zones, setting)?;
            let sources = sources_of(&queries);
            if let Some(missing) = sources.iter().find(|source| !state.has(**source)) {
                return Err(crate::service::not_ready(*missing));
            }
            verifier.check(count_facts(&state.facts, &sources))?;
            Ok(queries)
        })
        .await?
    }
}
