//! What the RPCs do that publish, read and try policies.

use barometer_chassis::{door::Door, error::Error, fingerprint, layers::Principal};
use barometer_proto::complaints::v1 as wire;

use super::{Policies, mutation};
use crate::{
    policy, store,
    wire::{
        named_calendars, parse_described_case, parse_open_time, parse_policy_list, parse_version, render_due_times,
        render_looked_up, render_policy_list, render_policy_set,
    },
};

impl Policies {
    pub(super) async fn publish(
        &self,
        actor: &Principal,
        request: wire::PublishPoliciesRequest,
    ) -> Result<wire::PolicySet, Error> {
        let wire::PublishPoliciesRequest { policy_set, validate_only, request_id } = request;
        let etag = policy_set.as_ref().map(|set| set.etag.clone()).unwrap_or_default();
        let named = policy_set.as_ref().map(named_calendars).unwrap_or_default();
        // Calendars are never deleted: those that there are now will be there when the list is written.
        let calendars = store::known_calendars(self.store.db(), named).await?;
        let (list, request_id) = Door::open(|door| {
            let set = door.required("policy_set", policy_set);
            let list = door.inside("policy_set", |door| parse_policy_list(door, set, &calendars));
            (list, door.request_id(&request_id))
        })?;
        if validate_only {
            return Ok(wire::PolicySet { policies: render_policy_list(list), ..Default::default() });
        }
        let request = mutation("PublishPolicies", actor, request_id, fingerprint::of(&(&list, &etag))?);
        let actor = actor.to_string();
        let work = self.store.writer.run(request, move |write| {
            Box::pin(async move { store::publish_policies(write, list, &etag, actor).await })
        });
        let row = store::get_policy_set_by_id(self.store.db(), work.await?.id).await?;
        Ok(render_policy_set(row))
    }

    pub(super) async fn policy_set(&self, request: wire::GetPolicySetRequest) -> Result<wire::PolicySet, Error> {
        let version = Door::open(|door| parse_version(door, request.version))?;
        Ok(render_policy_set(store::get_policy_set(self.store.db(), version).await?))
    }

    pub(super) async fn policy_sets(
        &self,
        request: wire::ListPolicySetsRequest,
    ) -> Result<wire::ListPolicySetsResponse, Error> {
        let page = Door::open(|door| door.page(request.page_size, &request.page_token))?;
        let (rows, next_page_token) = store::list_policy_sets(self.store.db(), page).await?;
        let policy_sets = rows.into_iter().map(render_policy_set).collect();
        Ok(wire::ListPolicySetsResponse { policy_sets, next_page_token })
    }
}
