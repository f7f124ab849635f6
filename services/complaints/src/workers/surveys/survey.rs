//! What surveys ask: kept as the feed tells it, asked for when it has not yet.

use std::collections::HashMap;

use barometer_chassis::client::Channel;
use barometer_proto::surveys::v1::{
    GetSurveyRequest, SurveyFact, SurveyKind, SurveyType, get_survey_request::By,
    survey_service_client::SurveyServiceClient,
};
use tonic::{Code, Status};
use uuid::Uuid;

/// The most surveys that are kept in memory. When there are more, all are asked for again.
const KEPT: usize = 10_000;

/// The surveys that are known.
pub(super) struct Surveys {
    client: SurveyServiceClient<Channel>,
    /// What they ask and when never changes.
    known: HashMap<Uuid, (SurveyKind, SurveyType)>,
}

impl Surveys {
    /// None yet.
    pub(super) fn new(client: SurveyServiceClient<Channel>) -> Self {
        Surveys { client, known: HashMap::new() }
    }

    /// Keeps what the feed tells.
    pub(super) fn learn(&mut self, id: &str, survey: &SurveyFact) {
        if let Ok(id) = Uuid::try_parse(id) {
            self.keep(id, (survey.kind(), survey.r#type()));
        }
    }

    /// What a survey asks, and on what occasion; nothing when there is none.
    pub(super) async fn get(&mut self, id: Uuid) -> Result<Option<(SurveyKind, SurveyType)>, Status> {
        if let Some(survey) = self.known.get(&id) {
            return Ok(Some(*survey));
        }
        let request = GetSurveyRequest { by: Some(By::SurveyId(id.to_string())) };
        match self.client.get_survey(request).await {
            Ok(survey) => {
                let survey = survey.into_inner();
                let survey = (survey.kind(), survey.r#type());
                self.keep(id, survey);
                Ok(Some(survey))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    fn keep(&mut self, id: Uuid, survey: (SurveyKind, SurveyType)) {
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.known.insert(id, survey);
    }
}
