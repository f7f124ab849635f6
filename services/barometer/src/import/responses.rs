//! Imports of answers to surveys.

use std::collections::HashSet;

use barometer_chassis::client::Channel;
use barometer_proto::surveys::v1::survey_service_client::SurveyServiceClient;
use barometer_proto::surveys::v1::{
    ActivateSurveyRequest, Category, CreateSurveyRequest, GetSurveyRequest, ImportResponsesRequest,
    ImportResponsesResponse, Response, ResponseRow, Survey, SurveyKind, SurveyType, get_survey_request, response,
    survey,
};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::line::Line;
use super::noun::{Acknowledgement, Acknowledgements, Noun, Trouble, count};
use super::plan::Plan;
use super::value::{self, Problem, Words};
use crate::endpoint::request;
use crate::failure::Failure;

/// Longest name of a survey.
const MAX_NAME: usize = 128;

/// Answers to surveys. A survey that is not there is created and opened.
pub(crate) struct Responses {
    client: SurveyServiceClient<Channel>,
    /// Kind of the surveys, if the user said which.
    kind: Option<i32>,
    /// Their type, if the user said which.
    r#type: Option<i32>,
    /// The dimensions that the rows carry.
    dimensions: Vec<String>,
    /// Surveys that take answers with these dimensions.
    ready: HashSet<String>,
}

impl Responses {
    pub(crate) fn new(channel: Channel, plan: &Plan) -> Self {
        // Values that are set were checked with the flags.
        let word = |name, words: Words| plan.constant(name).and_then(|text| value::word(text, words).ok());
        Self {
            client: SurveyServiceClient::new(channel),
            kind: word("kind", value::SURVEY_KIND),
            r#type: word("type", value::SURVEY_TYPE),
            dimensions: plan.dimensions.iter().map(|(name, _)| name.clone()).collect(),
            ready: HashSet::new(),
        }
    }
}

impl Noun for Responses {
    type Row = ResponseRow;

    fn read(number: i64, line: &mut Line<'_>) -> ResponseRow {
        ResponseRow { row: number, response: Some(response(line)) }
    }

    async fn prepare(&mut self, rows: &[ResponseRow]) -> Result<Vec<String>, Trouble> {
        let mut remarks = Vec::new();
        for row in rows {
            let Some(name) = survey_name(row).filter(|name| !self.ready.contains(*name)) else { continue };
            let (survey, mut remark) = self.find_or_create(name).await?;
            self.check(&survey)?;
            if survey.state() == survey::State::Draft {
                self.activate(&survey).await?;
                remark = remark.or_else(|| Some(format!("opened the survey {name:?}, which was a draft")));
            }
            remarks.extend(remark);
            self.ready.insert(name.to_owned());
        }
        Ok(remarks)
    }

    async fn open(&mut self, batches: ReceiverStream<Vec<ResponseRow>>) -> Result<Acknowledgements, Status> {
        let requests = batches.map(|rows| ImportResponsesRequest { rows });
        let answers = self.client.import_responses(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map(Acknowledgement::from)).boxed())
    }
}

impl Responses {
    async fn find_or_create(&mut self, name: &str) -> Result<(Survey, Option<String>), Status> {
        if let Some(survey) = self.find(name).await? {
            return Ok((survey, None));
        }
        let survey = Survey {
            name: name.to_owned(),
            kind: self.kind.unwrap_or(SurveyKind::Nps.into()),
            r#type: self.r#type.unwrap_or(SurveyType::Relational.into()),
            dimensions: self.dimensions.clone(),
            ..Survey::default()
        };
        let create = CreateSurveyRequest { survey: Some(survey), request_id: String::new() };
        match self.client.create_survey(request(create)).await {
            Ok(survey) => {
                let survey = survey.into_inner();
                let remark = format!("created the survey {name:?} ({})", spelled(survey.kind, value::SURVEY_KIND));
                Ok((survey, Some(remark)))
            }
            // Somebody else was quicker, or the answer to an earlier try was lost.
            Err(taken) if taken.code() == Code::AlreadyExists => Ok((self.find(name).await?.ok_or(taken)?, None)),
            Err(status) => Err(status),
        }
    }

    async fn find(&mut self, name: &str) -> Result<Option<Survey>, Status> {
        let by = Some(get_survey_request::By::Name(name.to_owned()));
        match self.client.get_survey(request(GetSurveyRequest { by })).await {
            Ok(survey) => Ok(Some(survey.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// Whether the rows can be answers to a survey that was there before.
    fn check(&self, survey: &Survey) -> Result<(), Failure> {
        let name = &survey.name;
        if let Some(kind) = self.kind.filter(|kind| *kind != survey.kind) {
            let (is, not) = (spelled(survey.kind, value::SURVEY_KIND), spelled(kind, value::SURVEY_KIND));
            return Err(Failure::data(format!("the survey {name:?} is of kind {is}, not {not}")));
        }
        if let Some(r#type) = self.r#type.filter(|r#type| *r#type != survey.r#type) {
            let (is, not) = (spelled(survey.r#type, value::SURVEY_TYPE), spelled(r#type, value::SURVEY_TYPE));
            return Err(Failure::data(format!("the survey {name:?} is of type {is}, not {not}")));
        }
        let undeclared: Vec<_> = self.dimensions.iter().filter(|name| !survey.dimensions.contains(name)).collect();
        if !undeclared.is_empty() {
            let words = |names: &[&String]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let declared = match survey.dimensions.as_slice() {
                [] => "none".to_owned(),
                declared => words(&declared.iter().collect::<Vec<_>>()),
            };
            return Err(Failure::data(format!(
                "the survey {name:?} does not declare the dimensions {}; it declares {declared}",
                words(&undeclared)
            )));
        }
        if survey.state() == survey::State::Closed {
            return Err(Failure::data(format!("the survey {name:?} is closed and takes no new answers")));
        }
        Ok(())
    }

    async fn activate(&mut self, survey: &Survey) -> Result<(), Status> {
        let activate = ActivateSurveyRequest { survey_id: survey.survey_id.clone(), ..Default::default() };
        match self.client.activate_survey(request(activate)).await {
            // Somebody else was quicker.
            Err(status) if status.code() == Code::FailedPrecondition => Ok(()),
            answer => answer.map(drop),
        }
    }
}

fn response(line: &mut Line<'_>) -> Response {
    Response {
        survey: survey(line).map(response::Survey::SurveyName),
        customer: line.customer().map(response::Customer::CustomerKey),
        score: line.integer("score"),
        disposition: line.word("disposition"),
        comment: line.text("comment"),
        language: line.text("language"),
        channel: line.text("channel"),
        touchpoint: line.text("touchpoint"),
        journey_stage: line.text("journey_stage"),
        answer_time: line.time("time"),
        weight: line.number("weight"),
        invitation: line.reference("invitation").map(response::Invitation::InvitationKey),
        external_id: line.external_id(),
        dimensions: line.dimensions(),
        // What the service alone sets.
        response_id: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        withdraw_time: None,
        position: String::new(),
        category: Category::Unspecified.into(),
    }
}

/// The survey's name. One that no survey can have is refused here, because a survey is created for each new name.
fn survey(line: &mut Line<'_>) -> Option<String> {
    let name = line.text("survey");
    if name.chars().count() > MAX_NAME {
        line.note("survey", Problem::new("TOO_LONG", format!("has more than {MAX_NAME} characters")));
    } else if name.chars().any(char::is_control) {
        line.note("survey", Problem::new("CONTROL_CHARACTER", "holds a control character"));
    }
    (!name.is_empty()).then_some(name)
}

fn survey_name(row: &ResponseRow) -> Option<&str> {
    match row.response.as_ref()?.survey.as_ref()? {
        response::Survey::SurveyName(name) => Some(name),
        response::Survey::SurveyId(_) => None,
    }
}

fn spelled(value: i32, words: Words) -> &'static str {
    words().into_iter().find(|(_, known)| *known == value).map_or("another", |(word, _)| word)
}

impl From<ImportResponsesResponse> for Acknowledgement {
    fn from(answer: ImportResponsesResponse) -> Self {
        let ImportResponsesResponse { recorded, unchanged, rejected, position } = answer;
        Self { recorded: count(recorded), unchanged: count(unchanged), rejected, position }
    }
}
