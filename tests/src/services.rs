//! The services that keep facts, without metrics: for tests that ask for no figures. They start in milliseconds.

use std::time::Duration;

use barometer_chassis::{
    client,
    clock::Micros,
    config::{ClientConfig, ServerConfig},
    door::Stages,
    error::violations_of,
    position::Position,
    server::{self, Server},
    shutdown::Shutdown,
    testing::TestDatabase,
    writer::DEFAULT_QUEUE,
};
use barometer_complaints::{WebhookSettings, case::Rules, delivery::Patience};
use barometer_proto::{
    complaints::v1::{
        complaint_service_client::ComplaintServiceClient, escalation_service_client::EscalationServiceClient,
        follow_up_service_client::FollowUpServiceClient, incident_service_client::IncidentServiceClient,
        policy_service_client::PolicyServiceClient, privacy_service_client::PrivacyServiceClient,
        promise_service_client::PromiseServiceClient, webhook_service_client::WebhookServiceClient,
        work_service_client::WorkServiceClient,
    },
    customers::v1::{
        cost_service_client::CostServiceClient, customer_service_client::CustomerServiceClient,
        loyalty_service_client::LoyaltyServiceClient,
    },
    surveys::v1::{invitation_service_client::InvitationServiceClient, survey_service_client::SurveyServiceClient},
};
use prost_types::Timestamp;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

/// Customers, surveys and complaints on one port, with clients for all.
pub struct Services {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    /// Client of the customers service.
    pub customers: CustomerServiceClient<Channel>,
    /// Client of the loyalty programme and the referrals of customers.
    pub loyalty: LoyaltyServiceClient<Channel>,
    /// Client of the costs of customers.
    pub costs: CostServiceClient<Channel>,
    /// Client of the surveys service.
    pub surveys: SurveyServiceClient<Channel>,
    /// Client of the invitations of surveys.
    pub invitations: InvitationServiceClient<Channel>,
    /// Client of the complaints service.
    pub complaints: ComplaintServiceClient<Channel>,
    /// Client of the calendars and policies of complaints.
    pub policies: PolicyServiceClient<Channel>,
    /// Client of what the ladders of clocks did.
    pub escalations: EscalationServiceClient<Channel>,
    /// Client of the teams, queues and claims of complaints.
    pub work: WorkServiceClient<Channel>,
    /// Client of the promises of complaints.
    pub promises: PromiseServiceClient<Channel>,
    /// Client of the follow-ups of complaints.
    pub follow_ups: FollowUpServiceClient<Channel>,
    /// Client of the incidents of complaints.
    pub incidents: IncidentServiceClient<Channel>,
    /// Client of the exports and erasures of complaints.
    pub privacy: PrivacyServiceClient<Channel>,
    /// Client of the webhooks of complaints.
    pub webhooks: WebhookServiceClient<Channel>,
    /// For requests made by hand.
    pub channel: Channel,
    stop: Shutdown,
    task: JoinHandle<()>,
}

/// The stages of the journey that are declared.
pub const STAGES: [&str; 3] = ["awareness", "purchase", "use"];

/// From how much spent in a year a customer is of medium and of high value.
pub const VALUE_BANDS: &str = "EUR=100,1000;USD=110,1100";

/// The largest message taken.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

impl Services {
    /// Starts all on a database.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, None).await
    }

    /// Starts all, but the others look for customers where nobody listens.
    pub async fn start_apart(database: &TestDatabase) -> Self {
        let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("it is bound");
        Self::start_with(database, Some(format!("http://{nobody}"))).await
    }

    /// Starts all, but the others look for customers there.
    pub async fn start_towards(database: &TestDatabase, customers: &str) -> Self {
        Self::start_with(database, Some(customers.to_owned())).await
    }

    async fn start_with(database: &TestDatabase, customers: Option<String>) -> Self {
        let limits = ServerConfig {
            drain_pause: Duration::from_millis(1),
            max_message_bytes: MAX_MESSAGE,
            ..ServerConfig::default()
        };
        let listener = server::bind(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let customers = client::connect(&customers.unwrap_or(endpoint.clone()), &ClientConfig::default());
        let (stop, background) = (Shutdown::new(), Shutdown::new());
        let (location, write_queue) = (database.location(), DEFAULT_QUEUE);
        let stages = Stages(STAGES.map(ToOwned::to_owned).to_vec());

        let mut server = Server::new(&limits);
        let config = barometer_customers::Config {
            location: location.clone(),
            write_queue,
            stages: stages.clone(),
            thresholds: VALUE_BANDS.parse().expect("thresholds"),
        };
        let first = barometer_customers::add(config, &mut server, background.clone()).await.expect("customers");
        let customers = customers.expect("an address");
        let config = barometer_surveys::Config { location: location.clone(), write_queue, stages: stages.clone() };
        let second = barometer_surveys::add(config, customers.clone(), &mut server, background.clone());
        let second = second.await.expect("surveys");
        let surveys = client::connect(&endpoint, &ClientConfig::default()).expect("an address");
        let config = barometer_complaints::Config {
            location,
            write_queue,
            stages,
            webhooks: webhooks(),
            rules: Rules::default(),
        };
        let third = barometer_complaints::add(config, customers, Some(surveys), &mut server, background.clone());
        let third = third.await.expect("complaints");

        let task = tokio::spawn({
            let stop = stop.clone();
            async move {
                server.serve(listener, stop.into_cancelled()).await.expect("it serves");
                background.cancel();
                first.await.expect("the writer of customers ends");
                second.await.expect("the writer of surveys ends");
                third.await.expect("the writer of complaints ends");
            }
        });
        let channel = Channel::from_shared(endpoint.clone()).expect("a URL").connect_lazy();
        Services {
            endpoint,
            customers: CustomerServiceClient::new(channel.clone()),
            loyalty: LoyaltyServiceClient::new(channel.clone()),
            costs: CostServiceClient::new(channel.clone()),
            surveys: SurveyServiceClient::new(channel.clone()),
            invitations: InvitationServiceClient::new(channel.clone()),
            complaints: ComplaintServiceClient::new(channel.clone()),
            policies: PolicyServiceClient::new(channel.clone()),
            escalations: EscalationServiceClient::new(channel.clone()),
            work: WorkServiceClient::new(channel.clone()),
            promises: PromiseServiceClient::new(channel.clone()),
            follow_ups: FollowUpServiceClient::new(channel.clone()),
            webhooks: WebhookServiceClient::new(channel.clone()),
            incidents: IncidentServiceClient::new(channel.clone()),
            privacy: PrivacyServiceClient::new(channel.clone()),
            channel,
            stop,
            task,
        }
    }

    /// Stops them as SIGTERM would and waits until they are gone.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("they end in order");
    }
}

/// Webhooks lead to this machine, and what failed is tried again soon.
fn webhooks() -> WebhookSettings {
    WebhookSettings {
        allow_private: true,
        timeout: Duration::from_secs(1),
        patience: Patience { attempts: 4, first_delay: 50_000 },
        ..WebhookSettings::default()
    }
}

/// What programs get to know of an error: its code, the reason, and the paths of the offending fields.
///
/// Panics when the error does not say what every error has to say.
pub fn told(status: &Status) -> (Code, String, Vec<String>) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "barometer", "{status:?}");
    assert!(!status.message().is_empty(), "{status:?}");
    let violations = violations_of(status);
    for violation in &violations {
        assert!(is_reason(&violation.reason) && !violation.description.is_empty(), "{violation:?}");
    }
    let fields = violations.into_iter().map(|violation| violation.field).collect();
    (status.code(), info.reason.clone(), fields)
}

/// Whether programs can tell something by this word: `LIKE_THIS`, of at most 63 characters.
fn is_reason(word: &str) -> bool {
    let good = |part: &str| part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) && !part.is_empty();
    word.starts_with(|first: char| first.is_ascii_uppercase()) && word.split('_').all(good) && word.len() <= 63
}

/// Whether a batch of a feed, which is all there was, was read since an instant: until then what was acknowledged before
/// may be on its way.
pub fn is_since(begun: Micros, read_time: Option<Timestamp>) -> bool {
    read_time.and_then(|at| Micros::from_wire(&at)).is_some_and(|at| at >= begun)
}

/// How many changes of facts a position counts.
pub fn count(position: &str) -> i64 {
    Position::decode(position).unwrap_or_else(|| panic!("no position: {position}")).1.n
}
