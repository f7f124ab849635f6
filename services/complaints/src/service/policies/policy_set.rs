//! What the RPCs do that publish, read and try policies.

use std::sync::Arc;

use barometer_chassis::{clock::Micros, door::Door, error::Error, fingerprint, layers::Principal, reader};
use barometer_proto::complaints::v1::{self as wire, lookup_policy_request::Subject as Asked};

use super::{Policies, mutation};
use crate::{
    calendar::Timetable,
    case,
    clock::{Desk, Version},
    policy,
    store::{self, CalendarRef},
    wire::{
        named_calendars, parse_described_case, parse_instant, parse_policy_list, parse_version, render_calendar,
        render_due, render_policy, render_policy_list, render_policy_set,
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

    /// Which policy a case would get, and when it would be due.
    pub(super) async fn lookup(&self, request: wire::LookupPolicyRequest) -> Result<wire::LookupPolicyResponse, Error> {
        let wire::LookupPolicyRequest { subject, open_time, version } = request;
        let described = match subject {
            Some(Asked::CaseId(id)) => {
                let (id, version) = Door::open(|door| {
                    if open_time.is_some() {
                        door.refuse("open_time", "NOT_OF_THIS_CASE", "is of cases that are not there");
                    }
                    (door.id("case_id", &id), parse_version(door, version))
                })?;
                let case: case::Model = reader::get(self.store.db(), id).await?;
                return self.choose(&case.subject(), case.open_time, version).await;
            }
            Some(Asked::Case(case)) => Some(case),
            None => None,
        };
        let (subject, open_time, version) = Door::open(|door| {
            let case = door.required("case", described);
            let subject = door.inside("case", |door| parse_described_case(door, case, &self.priorities));
            (subject, parse_instant(door, "open_time", open_time), parse_version(door, version))
        })?;
        self.choose(&subject, open_time, version).await
    }

    async fn choose(
        &self,
        subject: &policy::Subject,
        open_time: Micros,
        version: i64,
    ) -> Result<wire::LookupPolicyResponse, Error> {
        let set = store::get_policy_set(self.store.db(), version).await?;
        let (place, policy) = policy::choose(&set.policies, subject)
            .ok_or_else(|| Error::Internal("a list without a fallback was published".to_owned()))?;
        let calendar = store::get_calendar(self.store.db(), &CalendarRef::Id(policy.calendar_id)).await?;
        let pinned = Version { id: calendar.id.0, version: calendar.version };
        let desk = Desk { calendar: pinned, timetable: Arc::new(Timetable::new(&calendar.calendar)?) };
        let due_times = policy::due_times(&policy.targets, desk, open_time)?;
        Ok(wire::LookupPolicyResponse {
            policy_set_version: set.version,
            policy_index: i32::try_from(place).unwrap_or(i32::MAX),
            policy: Some(render_policy(policy.clone())),
            calendar: Some(wire::Calendar { holidays: Vec::new(), ..render_calendar(calendar) }),
            due_times: due_times.into_iter().map(render_due).collect(),
        })
    }
}
