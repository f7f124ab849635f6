//! What is asked of the complaints service to show a case.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::{client::Channel, clock::Micros};
use barometer_proto::complaints::v1::{
    BatchGetClocksRequest, Case, CaseEntry, CaseEntryType, CaseKind, Clock, ClockKind, Escalation, ExplainClockRequest,
    FollowUp, GetCalendarRequest, GetCaseRequest, GetFollowUpRequest, GetIncidentRequest, GetPolicySetRequest,
    Incident, ListCaseEntriesRequest, ListEscalationsRequest, PolicySet,
    complaint_service_client::ComplaintServiceClient, escalation_service_client::EscalationServiceClient,
    follow_up_service_client::FollowUpServiceClient, get_calendar_request, get_case_request::By, get_follow_up_request,
    incident_service_client::IncidentServiceClient, policy_service_client::PolicyServiceClient,
};
use jiff::tz::TimeZone;
use tonic::{Code, Response, Status};

use super::named::Named;
use crate::endpoint::{Endpoint, request};
use crate::failure::Failure;
use crate::instant;

/// The most entries that are shown: the latest.
const MAX_ENTRIES: usize = 10_000;
/// The most incidents that are looked up; of more, entries name the ids.
const MAX_INCIDENTS: usize = 100;
/// Entries of a page.
const PAGE: i32 = 1_000;

/// The complaints service of a running suite.
pub(super) struct Desk {
    cases: ComplaintServiceClient<Channel>,
    policies: PolicyServiceClient<Channel>,
    escalations: EscalationServiceClient<Channel>,
    incidents: IncidentServiceClient<Channel>,
    follow_ups: FollowUpServiceClient<Channel>,
    url: String,
}

impl Desk {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        let channel = endpoint.connect()?;
        Ok(Desk {
            cases: ComplaintServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
            policies: PolicyServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
            escalations: EscalationServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
            incidents: IncidentServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
            follow_ups: FollowUpServiceClient::new(channel).max_decoding_message_size(usize::MAX),
            url: endpoint.url(),
        })
    }

    pub(super) async fn case(&mut self, id: &str, by: By) -> Result<Case, Failure> {
        match self.cases.get_case(request(GetCaseRequest { by: Some(by) })).await {
            Err(status) if status.code() == Code::NotFound => Err(Failure::not_there(format!("there is no case {id}"))),
            answer => self.told(answer),
        }
    }

    /// The zone of the calendar by which a case is counted.
    pub(super) async fn zone(&mut self, case: &Case) -> Result<TimeZone, Failure> {
        let Some(clock) = case.clocks.first() else { return Ok(TimeZone::UTC) };
        let by = Some(get_calendar_request::By::CalendarId(clock.calendar_id.clone()));
        let asked = request(GetCalendarRequest { by, version: clock.calendar_version });
        let answer = self.policies.get_calendar(asked).await;
        instant::time_zone(&self.told(answer)?.time_zone).map_err(Failure::internal)
    }

    /// What happened, from the first to the last, and whether there is more before that.
    pub(super) async fn entries(&mut self, case_id: &str) -> Result<(Vec<CaseEntry>, bool), Failure> {
        let (mut entries, mut page_token) = (Vec::new(), String::new());
        loop {
            let asked = ListCaseEntriesRequest { case_id: case_id.to_owned(), page_size: PAGE, page_token };
            let answer = self.cases.list_case_entries(request(asked)).await;
            let mut page = self.told(answer)?;
            entries.append(&mut page.case_entries);
            page_token = page.next_page_token;
            if page_token.is_empty() || entries.len() >= MAX_ENTRIES {
                entries.truncate(MAX_ENTRIES);
                entries.reverse();
                return Ok((entries, !page_token.is_empty()));
            }
        }
    }

    pub(super) async fn clocks(&mut self, case_id: &str, at: Micros) -> Result<Vec<Clock>, Failure> {
        let asked = BatchGetClocksRequest { case_ids: vec![case_id.to_owned()], time: Some(at.to_wire()) };
        let answer = self.cases.batch_get_clocks(request(asked)).await;
        let mut cases = self.told(answer)?.cases;
        Ok(cases.pop().map(|case| case.clocks).unwrap_or_default())
    }

    /// A clock with its stretches.
    pub(super) async fn explain(&mut self, case_id: &str, clock: &Clock, at: Micros) -> Result<Clock, Failure> {
        let (kind, instance) = (ClockKind::into(clock.kind()), clock.instance);
        let asked = ExplainClockRequest { case_id: case_id.to_owned(), kind, instance, time: Some(at.to_wire()) };
        let answer = self.cases.explain_clock(request(asked)).await;
        self.told(answer)
    }

    /// What these entries of a case name by ids only.
    pub(super) async fn named(&mut self, case: &Case, entries: &[CaseEntry]) -> Result<Named, Failure> {
        let mut named = Named::default();
        if entries.iter().any(|entry| !entry.escalation_id.is_empty()) {
            let escalations = self.escalations(&case.case_id).await?;
            let versions = escalations.iter().map(|escalation| escalation.policy_set_version).collect::<BTreeSet<_>>();
            let mut policy_sets = BTreeMap::new();
            for version in versions {
                if let Some(policy_set) = self.policy_set(version).await? {
                    policy_sets.insert(version, policy_set);
                }
            }
            named.add_escalations(escalations, &policy_sets);
        }
        let incidents = entries.iter().map(|entry| entry.incident_id.as_str()).filter(|id| !id.is_empty());
        for id in incidents.collect::<BTreeSet<_>>().into_iter().take(MAX_INCIDENTS) {
            if let Some(incident) = self.incident(id).await? {
                named.add_incident(incident);
            }
        }
        let ended = entries.iter().rev().find(|entry| entry.r#type() == CaseEntryType::FollowUpEnded);
        if (case.kind() == CaseKind::SurveyFollowUp || ended.is_some())
            && let Some(follow_up) = self.follow_up(&case.case_id).await?
        {
            named.set_follow_up(follow_up, ended);
        }
        Ok(named)
    }

    /// The steps of ladders that were taken for a case. Of one that was withdrawn the suite tells none.
    async fn escalations(&mut self, case_id: &str) -> Result<Vec<Escalation>, Failure> {
        let (mut escalations, mut page_token) = (Vec::new(), String::new());
        loop {
            let case_id = case_id.to_owned();
            let asked = ListEscalationsRequest { case_id, page_size: PAGE, page_token, ..Default::default() };
            let answer = self.escalations.list_escalations(request(asked)).await;
            let mut page = self.told(answer)?;
            escalations.append(&mut page.escalations);
            page_token = page.next_page_token;
            if page_token.is_empty() || escalations.len() >= MAX_ENTRIES {
                return Ok(escalations);
            }
        }
    }

    async fn policy_set(&mut self, version: i64) -> Result<Option<PolicySet>, Failure> {
        let answer = self.policies.get_policy_set(request(GetPolicySetRequest { version })).await;
        self.found(answer)
    }

    async fn incident(&mut self, incident_id: &str) -> Result<Option<Incident>, Failure> {
        let asked = GetIncidentRequest { incident_id: incident_id.to_owned() };
        let answer = self.incidents.get_incident(request(asked)).await;
        self.found(answer)
    }

    async fn follow_up(&mut self, case_id: &str) -> Result<Option<FollowUp>, Failure> {
        let by = Some(get_follow_up_request::By::CaseId(case_id.to_owned()));
        let answer = self.follow_ups.get_follow_up(request(GetFollowUpRequest { by })).await;
        self.found(answer)
    }

    fn found<A>(&self, answer: Result<Response<A>, Status>) -> Result<Option<A>, Failure> {
        match answer {
            Err(status) if status.code() == Code::NotFound => Ok(None),
            answer => self.told(answer).map(Some),
        }
    }

    fn told<A>(&self, answer: Result<Response<A>, Status>) -> Result<A, Failure> {
        let flag_of = |field: &str| match field {
            "time" => "--at".to_owned(),
            _ => "ID".to_owned(),
        };
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.url, flag_of))
    }
}
