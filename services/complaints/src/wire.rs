//! Messages to rows and back.

mod attachment;
mod calendar;
mod case;
mod case_clock;
mod case_entry;
mod case_link;
mod category;
mod clock;
mod escalation;
mod filter;
mod follow_up;
mod follow_up_rule;
mod history;
mod incident;
mod ladder;
mod outcome;
mod past;
mod policy;
mod policy_effect;
mod privacy;
mod promise;
mod team;
mod webhook;
mod work;

pub(crate) use attachment::parse_attachments;
pub(crate) use calendar::{CALENDAR_CHANGEABLE, parse_version, render_calendar};
pub use calendar::{parse_calendar, parse_holidays, render_holiday, render_plain_calendar};
pub(crate) use case::{AMENDABLE, amended, case_fact, parse_case, render_case};
pub(crate) use case_clock::case_clock_fact;
pub(crate) use case_entry::{case_entry_fact, render_entry};
pub(crate) use case_link::render_link;
pub(crate) use clock::{parse_batch_get_clocks, parse_explain_clock};
pub(crate) use escalation::{escalation_fact, parse_list_escalations, render_escalation};
pub(crate) use filter::parse_list_cases;
pub(crate) use follow_up::{follow_up_fact, parse_follow_up_ref, parse_list_follow_ups, render_follow_up};
pub(crate) use follow_up_rule::{parse_rule_list, render_rule_list, render_rule_set};
pub(crate) use history::{ParsedHistory, fingerprint_of, parse_acceptance, parse_history};
pub(crate) use incident::{
    incident_fact, parse_incident, parse_list_incidents, render_affected, render_incident, render_incident_case,
    render_task,
};
pub(crate) use outcome::parse_outcome;
pub(crate) use past::{Past, parse_past};
pub use policy::parse_policy_list;
pub(crate) use policy::{
    named_calendars, parse_described_case, parse_instant, render_due, render_policy, render_policy_list,
    render_policy_set,
};
pub(crate) use policy_effect::render_effect;
pub(crate) use privacy::{render_affecting, render_answer, render_erasure};
pub(crate) use promise::{
    AMENDABLE_OF_PROMISES, NewPromise, parse_amendment, parse_list_promises, parse_promise, promise_fact,
    render_promise,
};
pub(crate) use webhook::{
    WEBHOOK_CHANGEABLE, parse_list_deliveries, parse_overlap, parse_secret, parse_webhook, render_delivery,
    render_webhook,
};

pub(crate) use team::{TEAM_CHANGEABLE, parse_team, render_team};
pub(crate) use work::{
    claim_fact, parse_asked, parse_claims, parse_soon, parse_watched, parse_workloads, render_claim, render_queued,
    render_workload,
};

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1 as wire;

/// A fact for watchers.
fn fact(id: uuid::Uuid, number: i64, version: i64, written: Micros, fact: wire::fact::Fact) -> wire::Fact {
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact), write_time: Some(written.to_wire()) }
}
