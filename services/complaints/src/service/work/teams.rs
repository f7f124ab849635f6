//! What the RPCs of teams do.

use barometer_chassis::{
    door::{Door, PageToken, fit},
    error::Error,
    fingerprint,
    layers::Principal,
    mask,
};
use barometer_proto::complaints::v1 as wire;

use super::{Work, mutation};
use crate::{
    store,
    team::Model,
    wire::{TEAM_CHANGEABLE, parse_team, render_team},
};

impl Work {
    pub(super) async fn create(
        &self,
        actor: &Principal,
        request: wire::CreateTeamRequest,
    ) -> Result<wire::Team, Error> {
        let wire::CreateTeamRequest { team, request_id } = request;
        let (team, request_id) = Door::open(|door| {
            let team = door.required("team", team);
            (door.inside("team", |door| parse_team(door, team, actor.to_string())), door.request_id(&request_id))
        })?;
        let request = mutation("CreateTeam", actor, request_id, fingerprint::of(&team)?);
        let work =
            self.store.writer.run(request, move |write| Box::pin(async move { store::create_team(write, team).await }));
        Ok(render_team(store::get_team_by_id(self.store.db(), work.await?.id).await?))
    }

    pub(super) async fn update(
        &self,
        actor: &Principal,
        mut request: wire::UpdateTeamRequest,
    ) -> Result<wire::Team, Error> {
        let request_text = std::mem::take(&mut request.request_id);
        let fingerprint = fingerprint::of_message(&request);
        let wire::UpdateTeamRequest { team, update_mask, request_id: _ } = request;
        let (patch, request_id) = Door::open(|door| {
            let patch = door.required("team", team);
            let name = door.inside("team", |door| door.required_text("name", patch.name.clone(), 64));
            let parse = |door: &mut Door, set| parse_team(door, set, String::new());
            mask::check(door, "team", &patch, (update_mask.as_ref(), &TEAM_CHANGEABLE), parse);
            (wire::Team { name, ..patch }, door.request_id(&request_text))
        })?;
        let request = mutation("UpdateTeam", actor, request_id, fingerprint);
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move {
                let change = |old: &Model| {
                    let shown = render_team(old.clone());
                    let merged = mask::merge(&shown, &patch, update_mask.as_ref(), &TEAM_CHANGEABLE, "team")?;
                    Door::open(|door| door.inside("team", |door| parse_team(door, merged, old.actor.clone())))
                };
                store::change_team(write, &patch.name, &patch.etag, change).await
            })
        });
        Ok(render_team(store::get_team_by_id(self.store.db(), work.await?.id).await?))
    }

    pub(super) async fn team(&self, request: wire::GetTeamRequest) -> Result<wire::Team, Error> {
        let name = Door::open(|door| door.required_text("name", request.name, 64))?;
        Ok(render_team(store::get_team(self.store.db(), &name).await?))
    }

    pub(super) async fn teams(&self, request: wire::ListTeamsRequest) -> Result<wire::ListTeamsResponse, Error> {
        let page = Door::open(|door| door.page(request.page_size, &request.page_token))?;
        let (rows, next) = store::list_teams(self.store.db(), page).await?;
        let places: Vec<_> = rows.iter().map(|row| PageToken { key: row.create_time.0, id: row.id }).collect();
        let (teams, next_page_token) = fit(rows.into_iter().map(render_team).collect(), &places, next);
        Ok(wire::ListTeamsResponse { teams, next_page_token })
    }
}
