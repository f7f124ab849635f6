//! The RPCs of follow-ups and their rules: parse, act, render.

use barometer_chassis::{
    door::{Door, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    store::Store,
    writer::Request as Mutation,
};
use barometer_proto::complaints::v1::{self as wire, follow_up_service_server::FollowUpService};
use tonic::{Request, Response, Status};

use crate::{
    follow_up::Model,
    store,
    wire::{
        parse_follow_up_ref, parse_list_follow_ups, parse_rule_list, parse_version, render_follow_up, render_rule_list,
        render_rule_set,
    },
};

/// The service.
#[derive(Clone)]
pub(crate) struct FollowUps {
    store: Store<wire::Fact>,
}

impl FollowUps {
    /// The service over its store.
    pub(crate) fn new(store: Store<wire::Fact>) -> Self {
        FollowUps { store }
    }

    async fn publish(
        &self,
        actor: &Principal,
        request: wire::PublishFollowUpRulesRequest,
    ) -> Result<wire::FollowUpRuleSet, Error> {
        let wire::PublishFollowUpRulesRequest { rule_set, validate_only, request_id } = request;
        let etag = rule_set.as_ref().map(|set| set.etag.clone()).unwrap_or_default();
        let (rules, request_id) = Door::open(|door| {
            let set = door.required("rule_set", rule_set);
            (door.inside("rule_set", |door| parse_rule_list(door, set)), door.request_id(&request_id))
        })?;
        if validate_only {
            return Ok(wire::FollowUpRuleSet { rules: render_rule_list(rules), ..Default::default() });
        }
        let fingerprint = fingerprint::of(&(&rules, &etag))?;
        let actor = actor.to_string();
        let request = Mutation { method: "PublishFollowUpRules", actor: actor.clone(), id: request_id, fingerprint };
        let work = self
            .store
            .writer
            .run(request, move |write| Box::pin(async move { store::publish_rules(write, rules, &etag, actor).await }));
        Ok(render_rule_set(store::get_rule_set_by_id(self.store.db(), work.await?.id).await?))
    }

    async fn rules(&self, request: wire::GetFollowUpRulesRequest) -> Result<wire::FollowUpRuleSet, Error> {
        let version = Door::open(|door| parse_version(door, request.version))?;
        Ok(render_rule_set(store::get_rule_set(self.store.db(), version).await?))
    }

    async fn rule_sets(
        &self,
        request: wire::ListFollowUpRuleSetsRequest,
    ) -> Result<wire::ListFollowUpRuleSetsResponse, Error> {
        let page = Door::open(|door| door.page(request.page_size, &request.page_token))?;
        let (rows, next) = store::list_rule_sets(self.store.db(), page).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_rule_set).collect();
        let (rule_sets, next_page_token) = fit(rows.into_iter().map(render_rule_set).collect(), &places, next);
        Ok(wire::ListFollowUpRuleSetsResponse { rule_sets, next_page_token })
    }

    async fn get(&self, request: wire::GetFollowUpRequest) -> Result<wire::FollowUp, Error> {
        let by = Door::open(|door| parse_follow_up_ref(door, request.by))?;
        self.render(store::get_follow_up(self.store.db(), by).await?).await
    }

    async fn list(&self, request: wire::ListFollowUpsRequest) -> Result<wire::ListFollowUpsResponse, Error> {
        let (page, filter) = Door::open(|door| parse_list_follow_ups(door, request))?;
        let (rows, next) = store::list_follow_ups(self.store.db(), page, filter).await?;
        let places: Vec<_> = rows.iter().map(store::place_of_follow_up).collect();
        let mut follow_ups = Vec::with_capacity(rows.len());
        for row in rows {
            follow_ups.push(self.render(row).await?);
        }
        let (follow_ups, next_page_token) = fit(follow_ups, &places, next);
        Ok(wire::ListFollowUpsResponse { follow_ups, next_page_token })
    }

    async fn render(&self, row: Model) -> Result<wire::FollowUp, Error> {
        let position = self.store.feed.token(row.position).await?;
        Ok(render_follow_up(row, position))
    }
}

#[tonic::async_trait]
impl FollowUpService for FollowUps {
    async fn publish_follow_up_rules(
        &self,
        request: Request<wire::PublishFollowUpRulesRequest>,
    ) -> Result<Response<wire::FollowUpRuleSet>, Status> {
        let actor = Principal::of(&request);
        Ok(Response::new(self.publish(&actor, request.into_inner()).await?))
    }

    async fn get_follow_up_rules(
        &self,
        request: Request<wire::GetFollowUpRulesRequest>,
    ) -> Result<Response<wire::FollowUpRuleSet>, Status> {
        Ok(Response::new(self.rules(request.into_inner()).await?))
    }

    async fn list_follow_up_rule_sets(
        &self,
        request: Request<wire::ListFollowUpRuleSetsRequest>,
    ) -> Result<Response<wire::ListFollowUpRuleSetsResponse>, Status> {
        Ok(Response::new(self.rule_sets(request.into_inner()).await?))
    }

    async fn get_follow_up(
        &self,
        request: Request<wire::GetFollowUpRequest>,
    ) -> Result<Response<wire::FollowUp>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_follow_ups(
        &self,
        request: Request<wire::ListFollowUpsRequest>,
    ) -> Result<Response<wire::ListFollowUpsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}
