//! What the RPCs of claims do.

use barometer_chassis::{
    door::{Door, PageToken, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    reader,
    writer::Done,
};
use barometer_proto::complaints::v1 as wire;
use uuid::Uuid;

use super::{Work, mutation};
use crate::{
    case,
    claim::Model,
    store,
    wire::{parse_asked, parse_claims, render_case, render_claim},
};

impl Work {
    pub(super) async fn next(
        &self,
        actor: &Principal,
        request: wire::ClaimNextRequest,
    ) -> Result<wire::ClaimNextResponse, Error> {
        let (asked, request_id) = Door::open(|door| {
            let request_id = door.request_id(&request.request_id);
            (parse_asked(door, request, self.claim_limit), request_id)
        })?;
        let request = mutation("ClaimNext", actor, request_id, fingerprint::of(&asked)?);
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self
            .store
            .writer
            .run(request, move |write| Box::pin(async move { store::claim_next(write, &book, asked, &actor).await }));
        let done = work.await?;
        if done.id.is_nil() {
            return Ok(wire::ClaimNextResponse::default());
        }
        let claim = self.after(done).await?;
        let id = Door::open(|door| door.id("case_id", &claim.case_id))?;
        let case: case::Model = reader::get(self.store.db(), id).await?;
        let position = self.store.feed.token(case.position).await?;
        Ok(wire::ClaimNextResponse { claim: Some(claim), case: Some(render_case(case, position)) })
    }

    pub(super) async fn heartbeat(
        &self,
        actor: &Principal,
        request: wire::HeartbeatClaimRequest,
    ) -> Result<wire::Claim, Error> {
        let wire::HeartbeatClaimRequest { claim_id, request_id } = request;
        let (id, request_id) = parse(&claim_id, &request_id)?;
        let request = mutation("HeartbeatClaim", actor, request_id, fingerprint::of(&id)?);
        let work =
            self.store.writer.run(request, move |write| Box::pin(async move { store::renew_claim(write, id).await }));
        self.after(work.await?).await
    }

    pub(super) async fn release(
        &self,
        actor: &Principal,
        request: wire::ReleaseClaimRequest,
    ) -> Result<wire::Claim, Error> {
        let wire::ReleaseClaimRequest { claim_id, request_id } = request;
        let (id, request_id) = parse(&claim_id, &request_id)?;
        let request = mutation("ReleaseClaim", actor, request_id, fingerprint::of(&id)?);
        let (book, actor) = (self.book.clone(), actor.to_string());
        let work = self
            .store
            .writer
            .run(request, move |write| Box::pin(async move { store::release_claim(write, &book, id, &actor).await }));
        self.after(work.await?).await
    }

    pub(super) async fn finish(
        &self,
        actor: &Principal,
        request: wire::FinishClaimRequest,
    ) -> Result<wire::Claim, Error> {
        let wire::FinishClaimRequest { claim_id, request_id } = request;
        let (id, request_id) = parse(&claim_id, &request_id)?;
        let request = mutation("FinishClaim", actor, request_id, fingerprint::of(&id)?);
        let work =
            self.store.writer.run(request, move |write| Box::pin(async move { store::finish_claim(write, id).await }));
        self.after(work.await?).await
    }

    pub(super) async fn claim(&self, request: wire::GetClaimRequest) -> Result<wire::Claim, Error> {
        let id = Door::open(|door| door.id("claim_id", &request.claim_id))?;
        self.render(store::get_claim(self.store.db(), id).await?).await
    }

    pub(super) async fn claims(&self, request: wire::ListClaimsRequest) -> Result<wire::ListClaimsResponse, Error> {
        let wire::ListClaimsRequest { page_size, page_token, employee, team, case_id, running } = request;
        let (page, filter) = Door::open(|door| {
            (door.page(page_size, &page_token), parse_claims(door, (employee, team), &case_id, running))
        })?;
        let (rows, next) = store::list_claims(self.store.db(), page, filter).await?;
        let places: Vec<_> = rows.iter().map(|row| PageToken { key: row.start_time.0, id: row.id }).collect();
        let mut claims = Vec::with_capacity(rows.len());
        for row in rows {
            claims.push(self.render(row).await?);
        }
        let (claims, next_page_token) = fit(claims, &places, next);
        Ok(wire::ListClaimsResponse { claims, next_page_token })
    }

    async fn after(&self, done: Done) -> Result<wire::Claim, Error> {
        let row = store::get_claim(self.store.db(), done.id).await?;
        let position = self.store.feed.token(done.position).await?;
        Ok(render_claim(row, position))
    }

    async fn render(&self, row: Model) -> Result<wire::Claim, Error> {
        let position = self.store.feed.token(row.position).await?;
        Ok(render_claim(row, position))
    }
}

fn parse(claim_id: &str, request_id: &str) -> Result<(Uuid, Option<Uuid>), Error> {
    Door::open(|door| (door.id("claim_id", claim_id), door.request_id(request_id)))
}
