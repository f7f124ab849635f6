//! `grpc.health.v1.Health`: who is ready to serve.
//!
//! Own, because its watches must end before a server that drains waits for its calls, and because a service that is not
//! known is to be watched too (the protocol says SERVICE_UNKNOWN), not refused.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::error::Error;
use crate::shutdown::Shutdown;

/// The name that is SERVING for as long as the process answers, whatever becomes of its database and also while it
/// drains. For liveness probes: a restart mends nothing but a process that hangs.
pub const LIVENESS: &str = "liveness";

/// Handle on which services say whether they are ready. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Health {
    state: Arc<Mutex<State>>,
}

impl Health {
    /// Says whether `service` (`barometer.customers.v1.CustomerService`) is ready. The server as a whole, the service `""`,
    /// is ready when all are. A server that is stopping stays NOT_SERVING, whatever is said here.
    pub fn set(&self, service: &str, ready: bool) {
        let mut state = self.lock();
        let status = serving(ready && !state.draining);
        state.set(service, status);
        state.set_overall();
    }

    /// Whether the server as a whole is ready.
    pub fn is_serving(&self) -> bool {
        self.lock().get("") == Some(ServingStatus::Serving)
    }

    /// Turns every service NOT_SERVING for good; the process still lives.
    pub(crate) fn drain(&self) {
        let mut state = self.lock();
        state.draining = true;
        for (_, status) in state.services.iter().filter(|(service, _)| *service != LIVENESS) {
            status.send_replace(ServingStatus::NotServing);
        }
    }

    /// The service that answers from this; its watches end when `ending` says so.
    pub(crate) fn server(&self, ending: Shutdown) -> HealthServer<impl HealthRpc> {
        let mut state = self.lock();
        state.set(LIVENESS, ServingStatus::Serving);
        state.set_overall();
        drop(state);
        HealthServer::new(HealthService { health: self.clone(), ending })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    /// By name; `""` is the server as a whole.
    services: BTreeMap<String, watch::Sender<ServingStatus>>,
    draining: bool,
}

impl State {
    fn get(&self, service: &str) -> Option<ServingStatus> {
        self.services.get(service).map(|status| *status.borrow())
    }

    fn set(&mut self, service: &str, status: ServingStatus) {
        // Watchers are only woken by what is new.
        let changed = |known: &mut ServingStatus| std::mem::replace(known, status) != status;
        match self.services.get(service) {
            Some(known) => {
                known.send_if_modified(changed);
            }
            None => {
                let (known, _) = watch::channel(status);
                self.services.insert(service.to_owned(), known);
            }
        }
    }

    fn set_overall(&mut self) {
        let all = self
            .services
            .iter()
            .filter(|(service, _)| !service.is_empty())
            .all(|(_, status)| *status.borrow() == ServingStatus::Serving);
        self.set("", serving(all && !self.draining));
    }
}

fn serving(ready: bool) -> ServingStatus {
    if ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}

struct HealthService {
    health: Health,
    ending: Shutdown,
}

type Statuses = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl HealthRpc for HealthService {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = &request.get_ref().service;
        match self.health.lock().get(service) {
            Some(status) => Ok(Response::new(answer(status))),
            None => Err(Error::not_found("service", service).into()),
        }
    }

    type WatchStream = Statuses;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let known = self.health.lock().services.get(&service).map(watch::Sender::subscribe);
        let statuses = match known {
            Some(status) => WatchStream::new(status).left_stream(),
            // Services are all known before a server starts: this one will not come.
            None => stream::iter([ServingStatus::ServiceUnknown]).chain(stream::pending()).right_stream(),
        };
        let statuses = statuses.map(|status| Ok(answer(status))).take_until(self.ending.clone().into_cancelled());
        Ok(Response::new(Box::pin(statuses)))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_ready_when_all_are() {
        let health = Health::default();
        health.set("a", true);
        health.set("b", false);
        assert!(!health.is_serving());
        health.set("b", true);
        assert!(health.is_serving());
        health.set("a", false);
        assert!(!health.is_serving());
    }

    #[test]
    fn what_drains_does_not_come_back() {
        let health = Health::default();
        health.set("a", true);
        health.drain();
        health.set("a", true);
        health.set("late", true);
        assert!(!health.is_serving());
        assert_eq!(health.lock().get("a"), Some(ServingStatus::NotServing));
        assert_eq!(health.lock().get("late"), Some(ServingStatus::NotServing));
    }

    #[test]
    fn what_drains_still_lives() {
        let health = Health::default();
        health.set("a", false);
        let _server = health.server(Shutdown::new());
        assert_eq!(health.lock().get(LIVENESS), Some(ServingStatus::Serving));
        assert!(!health.is_serving(), "to live is not to be ready");
        health.drain();
        assert_eq!(health.lock().get(LIVENESS), Some(ServingStatus::Serving));
    }

    #[tokio::test]
    async fn a_watch_sees_changes_and_ends_with_the_server() {
        let health = Health::default();
        health.set("a", false);
        let ending = Shutdown::new();
        let service = HealthService { health: health.clone(), ending: ending.clone() };
        let watch = async |name: &str| {
            let service_name = name.to_owned();
            let request = Request::new(HealthCheckRequest { service: service_name });
            service.watch(request).await.expect("a stream").into_inner()
        };
        let next = async |statuses: &mut Statuses| {
            let answer = statuses.next().await?;
            Some(answer.expect("a status").status())
        };

        let mut known = watch("a").await;
        assert_eq!(next(&mut known).await, Some(ServingStatus::NotServing));
        health.set("a", true);
        assert_eq!(next(&mut known).await, Some(ServingStatus::Serving));

        let mut unknown = watch("nobody").await;
        assert_eq!(next(&mut unknown).await, Some(ServingStatus::ServiceUnknown));

        ending.cancel();
        assert_eq!(next(&mut known).await, None);
        assert_eq!(next(&mut unknown).await, None);
    }
}
