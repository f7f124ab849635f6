//! What the entries of a history name by ids only, so that each reads by itself.

use std::collections::BTreeMap;

use barometer_proto::complaints::v1::{
    Audience, CaseEntry, ClockKind, Escalation, FollowUp, Incident, LadderStep, PolicySet, ladder_step::When,
};

use super::words::{clock, duration, plain, tail};

/// What was looked up. What is not there, or no more, is told by its id or not at all.
#[derive(Debug, Default)]
pub(super) struct Named {
    escalations: BTreeMap<String, Taken>,
    incidents: BTreeMap<String, Incident>,
    follow_up: Option<FollowUp>,
    /// The entry that tells of the follow-up's outcome as it is now.
    ended_by: String,
}

/// A step of a ladder that was taken, with when that was to be.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) escalation: Escalation,
    pub(super) when: Option<When>,
}

impl Named {
    /// Adds steps that were taken, with the policies by which that was, by their versions.
    pub(super) fn add_escalations(&mut self, escalations: Vec<Escalation>, policy_sets: &BTreeMap<i64, PolicySet>) {
        for escalation in escalations {
            let policy_set = policy_sets.get(&escalation.policy_set_version);
            let when = policy_set.and_then(|set| step(set, &escalation)).and_then(|step| step.when);
            self.escalations.insert(escalation.escalation_id.clone(), Taken { escalation, when });
        }
    }

    pub(super) fn add_incident(&mut self, incident: Incident) {
        self.incidents.insert(incident.incident_id.clone(), incident);
    }

    /// The follow-up that the case is, and the last entry of what came of it.
    pub(super) fn set_follow_up(&mut self, follow_up: FollowUp, ended: Option<&CaseEntry>) {
        let ended = ended.filter(|entry| entry.follow_up_outcome == follow_up.outcome);
        self.ended_by = ended.map(|entry| entry.case_entry_id.clone()).unwrap_or_default();
        self.follow_up = Some(follow_up);
    }

    pub(super) fn escalation(&self, entry: &CaseEntry) -> Option<&Taken> {
        self.escalations.get(&entry.escalation_id)
    }

    pub(super) fn follow_up(&self) -> Option<&FollowUp> {
        self.follow_up.as_ref()
    }

    /// `escalated: first response, step 2 (90 %); told owner, team lead`.
    pub(super) fn escalated(&self, entry: &CaseEntry) -> String {
        let Some(Taken { escalation, when }) = self.escalation(entry) else { return "escalated".to_owned() };
        let subject = subject(escalation).map(|subject| format!("{subject}, ")).unwrap_or_default();
        let mut told = format!("escalated: {subject}step {}", escalation.step.saturating_add(1));
        if let Some(when) = when {
            told.push_str(&format!(" ({})", instant(when)));
        }
        if escalation.repetition > 0 {
            told.push_str(&format!(", repetition {}", escalation.repetition));
        }
        match escalation.missed {
            0 => {}
            1 => told.push_str(", one before it left out"),
            missed => told.push_str(&format!(", {missed} before it left out")),
        }
        if escalation.late {
            told.push_str(", late");
        }
        let notified = escalation.notified.iter().filter_map(|audience| Audience::try_from(*audience).ok());
        let notified: Vec<String> = notified.map(|audience| plain(audience.as_str_name(), "AUDIENCE_")).collect();
        if !notified.is_empty() {
            told.push_str(&format!("; told {}", notified.join(", ")));
        }
        told
    }

    pub(super) fn incident_title(&self, entry: &CaseEntry) -> Option<&str> {
        self.incidents.get(&entry.incident_id).map(|incident| incident.title.as_str())
    }

    /// `Trains do not run (01890a5d-ac96-774b-bcce-b302099a8057)`; the id alone when there is no more to be had.
    pub(super) fn incident(&self, entry: &CaseEntry) -> String {
        match self.incidents.get(&entry.incident_id) {
            Some(incident) => format!("{} ({})", incident.title, incident.incident_id),
            None => entry.incident_id.clone(),
        }
    }

    /// `recovered, score 9`; without the score of an outcome that has changed since.
    pub(super) fn follow_up_outcome(&self, entry: &CaseEntry) -> String {
        let mut told = plain(entry.follow_up_outcome().as_str_name(), "FOLLOW_UP_OUTCOME_");
        let now = !entry.case_entry_id.is_empty() && entry.case_entry_id == self.ended_by;
        let score = self.follow_up.as_ref().filter(|_| now).and_then(|follow_up| follow_up.closing_score);
        if let Some(score) = score {
            told.push_str(&format!(", score {score}"));
        }
        told
    }
}

/// Whose ladder it was, as far as this program knows.
fn subject(escalation: &Escalation) -> Option<String> {
    match escalation.kind() {
        _ if !escalation.promise_id.is_empty() => Some(format!("promise {}", tail(&escalation.promise_id))),
        ClockKind::Unspecified => None,
        kind => Some(clock(kind, escalation.instance)),
    }
}

/// The step that an escalation took.
fn step<'s>(policy_set: &'s PolicySet, escalation: &Escalation) -> Option<&'s LadderStep> {
    let policy = policy_set.policies.iter().find(|policy| policy.name == escalation.policy_name)?;
    let steps = if escalation.promise_id.is_empty() {
        &policy.ladders.iter().find(|ladder| ladder.kind == escalation.kind)?.steps
    } else {
        &policy.promise_steps
    };
    steps.get(usize::try_from(escalation.step).ok()?)
}

fn instant(when: &When) -> String {
    match when {
        When::Percent(percent) => format!("{percent} %"),
        When::AfterDue(after) => format!("{} after due", duration(after)),
    }
}

#[cfg(test)]
mod tests {
    use barometer_proto::complaints::v1::{
        CaseEntryType as Event, ClockDuration, DurationUnit, FollowUpOutcome, Ladder, Policy,
    };

    use super::*;

    fn named() -> Named {
        let after = ClockDuration { amount: 240, unit: DurationUnit::WorkingMinutes.into() };
        let steps = [When::Percent(50), When::Percent(90), When::AfterDue(after)];
        let steps = steps.map(|when| LadderStep { when: Some(when), ..LadderStep::default() }).to_vec();
        let other = Ladder { kind: ClockKind::Resolution.into(), steps: Vec::new() };
        let promise_steps = vec![LadderStep { when: Some(When::Percent(80)), ..LadderStep::default() }];
        let ladders = vec![other, Ladder { kind: ClockKind::FirstResponse.into(), steps }];
        let policies = ["rest", "all"].map(|name| Policy { name: name.to_owned(), ..Policy::default() });
        let [rest, all] = policies;
        let set = PolicySet {
            version: 3,
            policies: vec![rest, Policy { ladders, promise_steps, ..all }],
            ..PolicySet::default()
        };
        let escalation = |id: &str, step, version| Escalation {
            escalation_id: id.to_owned(),
            kind: ClockKind::FirstResponse.into(),
            instance: 1,
            step,
            policy_name: "all".to_owned(),
            policy_set_version: version,
            ..Escalation::default()
        };
        let repeated = Escalation { repetition: 2, missed: 1, late: true, ..escalation("third", 2, 3) };
        let notified = vec![Audience::Owner.into(), Audience::TeamLead.into()];
        let second = Escalation { notified, ..escalation("second", 1, 3) };
        let promise = Escalation { kind: 0, promise_id: "p-1".to_owned(), ..escalation("promise", 0, 3) };
        let unknown = Escalation { kind: 0, ..escalation("unknown", 0, 2) };
        let mut named = Named::default();
        named.add_escalations(
            vec![promise, unknown, repeated, second, escalation("lost", 9, 3), escalation("old", 0, 2)],
            &[(3, set)].into(),
        );
        named
    }

    fn escalated(id: &str) -> String {
        named().escalated(&CaseEntry { escalation_id: id.to_owned(), ..CaseEntry::default() })
    }

    #[test]
    fn an_escalation_names_its_clock_and_step() {
        assert_eq!(escalated("second"), "escalated: first response, step 2 (90 %); told owner, team lead");
        let third =
            "escalated: first response, step 3 (4:00 working h after due), repetition 2, one before it left out, late";
        assert_eq!(escalated("third"), third);
        assert_eq!(escalated("promise"), "escalated: promise p-1, step 1 (80 %)");
        assert_eq!(escalated("lost"), "escalated: first response, step 10", "its step is no more");
        assert_eq!(escalated("old"), "escalated: first response, step 1", "its policies are not known");
        assert_eq!(escalated("unknown"), "escalated: step 1", "of something that a later release has");
        assert_eq!(escalated("nobody's"), "escalated");
    }

    #[test]
    fn an_incident_has_a_title() {
        let mut named = Named::default();
        named.add_incident(Incident { incident_id: "1".to_owned(), title: "Flood".to_owned(), ..Incident::default() });
        let entry = |id: &str| CaseEntry { incident_id: id.to_owned(), ..CaseEntry::default() };
        assert_eq!(
            (named.incident(&entry("1")), named.incident(&entry("2"))),
            ("Flood (1)".to_owned(), "2".to_owned())
        );
    }

    #[test]
    fn the_score_stands_with_the_outcome_that_holds() {
        let entry = |id: &str, outcome: FollowUpOutcome| CaseEntry {
            case_entry_id: id.to_owned(),
            r#type: Event::FollowUpEnded.into(),
            follow_up_outcome: outcome.into(),
            ..CaseEntry::default()
        };
        let (before, now) = (entry("1", FollowUpOutcome::Recovered), entry("2", FollowUpOutcome::Recovered));
        let outcome = FollowUpOutcome::Recovered.into();
        let follow_up = FollowUp { outcome, closing_score: Some(9), ..FollowUp::default() };
        let mut named = Named::default();
        named.set_follow_up(follow_up.clone(), Some(&now));
        assert_eq!(named.follow_up_outcome(&before), "recovered");
        assert_eq!(named.follow_up_outcome(&now), "recovered, score 9");
        // What holds now was not told yet when the entries were read.
        named.set_follow_up(FollowUp { outcome: FollowUpOutcome::Worse.into(), ..follow_up }, Some(&now));
        assert_eq!(named.follow_up_outcome(&now), "recovered");
    }
}
