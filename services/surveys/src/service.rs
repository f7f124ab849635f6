//! The RPCs: parse, act, render.

mod invitation;
mod recorded;
mod response;

use barometer_chassis::{
    door::{Door, Stages, fit},
    error::Error,
    feed::{Delivery, Watch},
    fingerprint,
    import::{self, Acknowledgements},
    layers::Principal,
    shutdown::Shutdown,
    store::Store,
    writer::Request as Mutation,
};
use barometer_directory::Directory;
use barometer_proto::surveys::v1::{self as wire, survey_service_server::SurveyService};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::{
    store::{self, KnownSurveys, SurveyRef},
    survey,
    wire::{parse_survey, render_survey},
};

/// The service.
#[derive(Clone)]
pub(crate) struct Surveys {
    store: Store<wire::Fact>,
    directory: Directory,
    stages: Stages,
    known: KnownSurveys,
    ending: Shutdown,
}

impl Surveys {
    /// The service over its store. Streams end with `ending`.
    pub(crate) fn new(store: Store<wire::Fact>, directory: Directory, stages: Stages, ending: Shutdown) -> Self {
        Surveys { store, directory, stages, known: KnownSurveys::default(), ending }
    }

    /// A survey after a command on it.
    async fn change_survey(
        &self,
        request: Mutation,
        id: Uuid,
        etag: String,
        verb: fn(survey::Model) -> Result<survey::Model, Error>,
    ) -> Result<wire::Survey, Error> {
        let work = self
            .store
            .writer
            .run(request, move |write| Box::pin(async move { store::change_survey(write, id, &etag, verb).await }));
        self.survey_after(work.await?).await
    }

    async fn survey_after(&self, done: barometer_chassis::writer::Done) -> Result<wire::Survey, Error> {
        let row = store::get_survey(self.store.db(), &SurveyRef::Id(done.id)).await?;
        Ok(render_survey(row, self.store.feed.token(done.position).await?))
    }
}

/// Who asks for a change, by which request.
fn mutation(method: &'static str, actor: &Principal, id: Option<Uuid>, fingerprint: i64) -> Mutation {
    Mutation { method, actor: actor.to_string(), id, fingerprint }
}

#[tonic::async_trait]
impl SurveyService for Surveys {
    async fn create_survey(
        &self,
        request: Request<wire::CreateSurveyRequest>,
    ) -> Result<Response<wire::Survey>, Status> {
        let actor = Principal::of(&request);
        let wire::CreateSurveyRequest { survey, request_id } = request.into_inner();
        let (row, request_id) = Door::open(|door| {
            let survey = door.required("survey", survey);
            let row = door.inside("survey", |door| parse_survey(door, survey, actor.to_string()));
            (row, door.request_id(&request_id))
        })?;
        let request = mutation("CreateSurvey", &actor, request_id, fingerprint::of(&row)?);
        let work = self.store.writer.run(request, move |write| Box::pin(store::create_survey(write, row)));
        Ok(Response::new(self.survey_after(work.await?).await?))
    }

    async fn get_survey(&self, request: Request<wire::GetSurveyRequest>) -> Result<Response<wire::Survey>, Status> {
        use wire::get_survey_request::By;
        let by = Door::open(|door| match request.into_inner().by {
            Some(By::SurveyId(id)) => SurveyRef::Id(door.id("survey_id", &id)),
            Some(By::Name(name)) => SurveyRef::Name(door.required_text("name", name, 128)),
            None => {
                door.missing("survey_id");
                SurveyRef::Id(Uuid::nil())
            }
        })?;
        let row = store::get_survey(self.store.db(), &by).await?;
        let position = self.store.feed.token(row.position).await?;
        Ok(Response::new(render_survey(row, position)))
    }

    async fn list_surveys(
        &self,
        request: Request<wire::ListSurveysRequest>,
    ) -> Result<Response<wire::ListSurveysResponse>, Status> {
        let wire::ListSurveysRequest { page_size, page_token, state } = request.into_inner();
        let (page, state) =
            Door::open(|door| (door.page(page_size, &page_token), door.optional_choice("state", state)))?;
        let (rows, next) = store::list_surveys(self.store.db(), page, state).await?;
        let places: Vec<_> = rows.iter().map(store::place).collect();
        let mut surveys = Vec::with_capacity(rows.len());
        for row in rows {
            let position = self.store.feed.token(row.position).await?;
            surveys.push(render_survey(row, position));
        }
        let (surveys, next_page_token) = fit(surveys, &places, next);
        Ok(Response::new(wire::ListSurveysResponse { surveys, next_page_token }))
    }

    async fn activate_survey(
        &self,
        request: Request<wire::ActivateSurveyRequest>,
    ) -> Result<Response<wire::Survey>, Status> {
        let actor = Principal::of(&request);
        let wire::ActivateSurveyRequest { survey_id, etag, request_id } = request.into_inner();
        let (id, request_id) = Door::open(|door| (door.id("survey_id", &survey_id), door.request_id(&request_id)))?;
        let request = mutation("ActivateSurvey", &actor, request_id, fingerprint::of(&(id, &etag))?);
        Ok(Response::new(self.change_survey(request, id, etag, survey::Model::activate).await?))
    }

    async fn close_survey(&self, request: Request<wire::CloseSurveyRequest>) -> Result<Response<wire::Survey>, Status> {
        let actor = Principal::of(&request);
        let wire::CloseSurveyRequest { survey_id, etag, request_id } = request.into_inner();
        let (id, request_id) = Door::open(|door| (door.id("survey_id", &survey_id), door.request_id(&request_id)))?;
        let request = mutation("CloseSurvey", &actor, request_id, fingerprint::of(&(id, &etag))?);
        Ok(Response::new(self.change_survey(request, id, etag, survey::Model::close).await?))
    }

    async fn submit_response(
        &self,
        request: Request<wire::SubmitResponseRequest>,
    ) -> Result<Response<wire::Response>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.submit(&actor, request.into_inner()).await?))
    }

    type ImportResponsesStream = Acknowledgements<wire::ImportResponsesResponse>;

    async fn import_responses(
        &self,
        request: Request<Streaming<wire::ImportResponsesRequest>>,
    ) -> Result<Response<Self::ImportResponsesStream>, Status> {
        let actor = Principal::of(&request);
        let (preparing, recording) = (self.clone(), self.clone());
        let prepare = move |batch: wire::ImportResponsesRequest| {
            let (service, actor) = (preparing.clone(), actor.clone());
            let rows = batch.rows.into_iter().map(|wire::ResponseRow { row, response }| (row, response)).collect();
            async move { service.prepare::<crate::response::Model>("ImportResponses", &actor, rows).await }
        };
        let record = move |rows| {
            let service = recording.clone();
            async move { service.import::<crate::response::Model>(rows).await.map(self::response::acknowledge) }
        };
        let ending = self.ending.clone();
        Ok(Response::new(import::acknowledge_in_stages(request.into_inner(), ending, prepare, record)))
    }

    async fn get_response(
        &self,
        request: Request<wire::GetResponseRequest>,
    ) -> Result<Response<wire::Response>, Status> {
        Ok(Response::new(self.get_answer(request.into_inner()).await?))
    }

    async fn list_responses(
        &self,
        request: Request<wire::ListResponsesRequest>,
    ) -> Result<Response<wire::ListResponsesResponse>, Status> {
        Ok(Response::new(self.list_answers(request.into_inner()).await?))
    }

    async fn amend_response(
        &self,
        request: Request<wire::AmendResponseRequest>,
    ) -> Result<Response<wire::Response>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.amend_answer(&actor, request.into_inner()).await?))
    }

    async fn withdraw_response(
        &self,
        request: Request<wire::WithdrawResponseRequest>,
    ) -> Result<Response<wire::Response>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.withdraw_answer(&actor, request.into_inner()).await?))
    }

    type WatchFactsStream = Watch<wire::WatchFactsResponse>;

    async fn watch_facts(
        &self,
        request: Request<wire::WatchFactsRequest>,
    ) -> Result<Response<Self::WatchFactsStream>, Status> {
        let wire::WatchFactsRequest { kinds, after } = request.into_inner();
        let render = |delivery: Delivery<wire::Fact>| wire::WatchFactsResponse {
            facts: delivery.facts,
            position: delivery.position,
            caught_up: delivery.caught_up,
            read_time: Some(delivery.read_time.to_wire()),
            trace_parents: delivery.trace_parents,
        };
        Ok(Response::new(self.store.feed.watch(
            &after,
            kinds,
            self.ending.clone(),
            prost::Message::encoded_len,
            render,
        )?))
    }
}
