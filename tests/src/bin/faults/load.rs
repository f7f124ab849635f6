//! The load: callers that write as real clients do, and note in the ledger what they were answered.

mod caller;
mod import;
pub(crate) mod send;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use barometer_proto::surveys::v1::{
    ActivateSurveyRequest, CreateSurveyRequest, GetSurveyRequest, Survey, SurveyKind, SurveyType, get_survey_request,
    survey::State, survey_service_client::SurveyServiceClient,
};
use tokio::{sync::watch, task::JoinSet};

use self::caller::Caller;
use crate::{
    kinds::{self, Kind, Row, SURVEY},
    ledger::Ledger,
    world::World,
};

/// How long callers may go on trying to get an answer once all faults are over.
const PATIENCE: Duration = Duration::from_secs(90);

/// The callers at work.
pub(crate) struct Load {
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    tasks: JoinSet<()>,
}

/// What callers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// New writes.
    Writing,
    /// No new ones, but those begun are repeated until they are answered.
    Settling,
    /// Nothing more.
    Over,
}

/// What all callers share.
pub(crate) struct Shared {
    pub(crate) kinds: Vec<&'static dyn Kind>,
    pub(crate) ledger: Arc<Ledger>,
    phase: watch::Receiver<Phase>,
    /// The next number of each kind.
    numbers: Vec<AtomicU64>,
}

impl Shared {
    /// A row with a number that nobody has.
    pub(crate) fn row(&self, kind: usize, customer: Option<u64>, keyed: bool, good: bool) -> Row {
        let number = self.numbers[kind].fetch_add(1, Ordering::Relaxed);
        Row { number, turn: 0, customer, keyed, good }
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }
}

impl Load {
    /// Starts the callers.
    pub(crate) fn start(world: &World, ledger: &Arc<Ledger>, seed: u64, callers: u64) -> Self {
        let phase = watch::Sender::new(Phase::Writing);
        let kinds = kinds::all();
        let shared = Arc::new(Shared {
            numbers: kinds.iter().map(|_| AtomicU64::new(0)).collect(),
            kinds,
            ledger: Arc::clone(ledger),
            phase: phase.subscribe(),
        });
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            tasks.spawn(Caller::new(Arc::clone(&shared), world, seed.wrapping_add(caller + 1)).run());
        }
        Load { shared, phase, tasks }
    }

    /// What the callers share.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Ends the load: waits until every write that may be repeated was answered, which must be soon.
    pub(crate) async fn settle(mut self) {
        self.phase.send_replace(Phase::Settling);
        let (phase, mut tasks) = (self.phase.clone(), std::mem::take(&mut self.tasks));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            phase.send_replace(Phase::Over);
            // Callers note what they never got an answer to.
            let rest = async { while tasks.join_next().await.is_some() {} };
            let _stuck = tokio::time::timeout(Duration::from_secs(30), rest).await;
        }
    }
}

/// Makes the survey that answers are to, however long the suite takes to come up.
pub(crate) async fn prepare(world: &World) -> Result<(), String> {
    let begun = std::time::Instant::now();
    loop {
        match prepare_once(world).await {
            Ok(()) => return Ok(()),
            Err(status) if begun.elapsed() > PATIENCE => return Err(format!("the suite does not come up: {status}")),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn prepare_once(world: &World) -> Result<(), tonic::Status> {
    let mut client = SurveyServiceClient::new(world.call("surveys"));
    let survey = Survey {
        name: SURVEY.to_owned(),
        kind: SurveyKind::Nps.into(),
        r#type: SurveyType::Transactional.into(),
        dimensions: vec!["write".to_owned(), "lot".to_owned()],
        ..Survey::default()
    };
    // It may be there already, from the try before.
    let _known = client.create_survey(CreateSurveyRequest { survey: Some(survey), ..Default::default() }).await;
    let by = Some(get_survey_request::By::Name(SURVEY.to_owned()));
    let survey = client.get_survey(GetSurveyRequest { by }).await?.into_inner();
    if survey.state() != State::Active {
        let request = ActivateSurveyRequest { survey_id: survey.survey_id, ..Default::default() };
        client.activate_survey(request).await?;
    }
    Ok(())
}
