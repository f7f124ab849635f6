//! Cases of complaints.
//!
//! A case says by itself most of what figures need. Of its history only its turns and hand-offs are kept, beside it.

use barometer_proto::complaints::v1::{CaseEntryFact, CaseEntryType, CaseFact, case::State};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    customer,
    declared::Declared,
    dictionary::Column,
    hand_offs::HandOffs,
    instant, optional_instant,
    people::{Ids, NOBODY},
    redresses::{REMEDIES, Redress, Redresses},
    revisions::Revisions,
    rows::{Rows, put},
    timelines::{Timelines, done},
    times::{NEVER, Times},
    turns::{Event, Turns},
};
use crate::rules::course::{Turn, is_hand_off};

/// What is known of cases by few words, as the contract numbers them.
pub(crate) const STATES: [&str; 9] = [
    "",
    "received",
    "acknowledged",
    "in_progress",
    "waiting_for_customer",
    "waiting_for_third_party",
    "resolved",
    "closed",
    "cancelled",
];
pub(crate) const KINDS: [&str; 6] = ["", "question", "suggestion", "complaint", "loss", "survey_follow_up"];
pub(crate) const SEVERITIES: [&str; 5] = ["", "low", "medium", "high", "critical"];
pub(crate) const PRIORITIES: [&str; 5] = ["", "low", "normal", "high", "urgent"];
pub(crate) const FINDINGS: [&str; 4] = ["", "upheld", "partly_upheld", "rejected"];
pub(crate) const ACCEPTANCES: [&str; 6] = ["", "open", "asked", "accepted", "declined", "not_asked"];

/// Taken for a kind and a severity that are not said.
const COMPLAINT: u8 = 3;
const MEDIUM: u8 = 2;
const CANCELLED: u8 = 8;
/// The highest satisfaction.
const MOST_SATISFIED: i32 = 5;

/// All cases.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cases {
    pub(crate) rows: Rows,
    /// When each was opened.
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    /// When the customer was told that it came in; [`NEVER`] while they were not.
    acknowledged: Vec<i64>,
    /// When the customer first got an answer; [`NEVER`] while there is none.
    first_responses: Vec<i64>,
    /// When it was resolved for the first time; [`NEVER`] while it was not.
    first_resolves: Vec<i64>,
    /// By when cases were first resolved.
    pub(crate) resolutions: Revisions,
    /// How often each changed hands.
    hand_off_counts: Vec<u32>,
    /// 1 to 5; 0 when nobody said.
    satisfaction: Choice,
    pub(crate) state: Choice,
    pub(crate) kind: Choice,
    pub(crate) severity: Choice,
    pub(crate) priority: Choice,
    pub(crate) remedy_sought: Choice,
    pub(crate) finding: Choice,
    pub(crate) acceptance: Choice,
    pub(crate) category: Column,
    pub(crate) product: Column,
    pub(crate) channel: Column,
    pub(crate) touchpoint: Column,
    pub(crate) journey_stage: Column,
    pub(crate) employee: Column,
    pub(crate) team: Column,
    pub(crate) value_band: Column,
    pub(crate) root_cause: Column,
    pub(crate) policy: Column,
    pub(crate) declared: Declared,
    #[serde(skip)]
    timelines: Timelines,
    pub(crate) redresses: Redresses,
    pub(crate) turns: Turns,
    pub(crate) hand_offs: HandOffs,
}

impl Cases {
    /// Puts in a case, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: CaseFact, people: &mut Ids) -> Result<(), Unreadable> {
        let CaseFact {
            customer_id,
            state,
            category,
            product,
            channel,
            touchpoint,
            journey_stage,
            employee,
            team,
            open_time,
            acknowledge_time,
            first_response_time,
            first_resolve_time,
            resolve_time: _,
            close_time: _,
            reopenings: _,
            hand_offs,
            dimensions,
            kind,
            severity,
            priority,
            value_band,
            remedy_sought,
            cancel_time: _,
            self_served: _,
            merged_into: _,
            finding,
            redress,
            root_cause,
            acceptance,
            satisfaction,
            policy_name,
        } = fact;
        let customer = if customer_id.is_empty() { NOBODY } else { customer(people, &customer_id)? };
        if state == i32::from(State::Merged) {
            // The case that it was merged into stands for it.
            self.withdraw(stamp);
            return Ok(());
        }
        let state = known(state, &STATES, "state").and_then(|state| match state {
            0 => Err(Unreadable("state")),
            state => Ok(state),
        })?;
        let kind = known(kind, &KINDS, "kind").map(|kind| if kind == 0 { COMPLAINT } else { kind })?;
        let severity =
            known(severity, &SEVERITIES, "severity").map(|severity| if severity == 0 { MEDIUM } else { severity })?;
        let priority = known(priority, &PRIORITIES, "priority")?;
        let remedy_sought = known(remedy_sought, &REMEDIES, "remedy_sought")?;
        let finding = known(finding, &FINDINGS, "finding")?;
        let acceptance = known(acceptance, &ACCEPTANCES, "acceptance")?;
        let satisfaction = satisfaction.filter(|points| (1..=MOST_SATISFIED).contains(points)).unwrap_or_default();
        let redress = redress.into_iter().map(Redress::read).collect::<Result<Vec<_>, _>>()?;
        let opened = instant(open_time)?;
        let moments = [acknowledge_time, first_response_time, first_resolve_time];
        let moments = moments.map(|at| Ok(optional_instant(at)?.unwrap_or(NEVER)));
        let [acknowledged, first_response, first_resolve] = moments;
        let (acknowledged, first_response, first_resolve) = (acknowledged?, first_response?, first_resolve?);
        if let Some(row) = self.rows.claim(stamp) {
            self.timelines.note(done(&self.customers, &self.times, row), (customer, opened));
            self.times.put(row, opened, stamp.written);
            put(&mut self.customers, row, customer);
            put(&mut self.acknowledged, row, acknowledged);
            put(&mut self.first_responses, row, first_response);
            let before = put(&mut self.first_resolves, row, first_resolve);
            self.resolutions.note(before.unwrap_or(NEVER), first_resolve, stamp.written);
            put(&mut self.hand_off_counts, row, u32::try_from(hand_offs).unwrap_or_default());
            self.satisfaction.set(row, u8::try_from(satisfaction).unwrap_or_default());
            let codes = [state, kind, severity, priority, remedy_sought, finding, acceptance];
            self.choices().into_iter().zip(codes).for_each(|(choice, code)| choice.set(row, code));
            let texts = [
                &category,
                &product,
                &channel,
                &touchpoint,
                &journey_stage,
                &employee,
                &team,
                &value_band,
                &root_cause,
                &policy_name,
            ];
            self.texts().into_iter().zip(texts).for_each(|(column, text)| column.set(row, text));
            self.declared.set(row, &dimensions);
            self.redresses.set(number_of(row), &redress);
        }
        Ok(())
    }

    /// Takes a case out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.clear(row, stamp.written);
        }
    }

    /// Puts in an entry of a case's history, if figures need it: it ended, was reopened, or changed hands. That it was
    /// closed is no end, as it was resolved before; nor is a merge, after which it is no case at all.
    pub(crate) fn put_entry(&mut self, stamp: Stamp, fact: CaseEntryFact) -> Result<(), Unreadable> {
        let at = instant(fact.time)?;
        let (from, to) = ([&*fact.previous_employee, &*fact.previous_team], [&*fact.employee, &*fact.team]);
        let event = match CaseEntryType::try_from(fact.r#type).map_err(|_| Unreadable("type"))? {
            CaseEntryType::Resolved | CaseEntryType::SelfServed => Event::Turn(Turn::Resolved),
            CaseEntryType::Cancelled => Event::Turn(Turn::Cancelled),
            CaseEntryType::Reopened => Event::Turn(Turn::Reopened),
            CaseEntryType::Assigned if is_hand_off(from, to) => Event::HandedOver,
            _ => return Ok(()),
        };
        let case = self.row_of(fact.case_number)?;
        if self.turns.note(case, at, stamp.number, stamp.id, event) && event == Event::HandedOver {
            self.hand_offs.push(stamp, case, at, from, to);
        }
        Ok(())
    }

    /// The row of a case by its number. What belongs to it may come first: until then it is a case that is not there.
    pub(crate) fn row_of(&mut self, number: i64) -> Result<u32, Unreadable> {
        if let Some(row) = self.rows.claim(Stamp::awaited(number)) {
            self.clear(row, None);
        }
        self.rows.find(number).ok_or(Unreadable("case_number"))
    }

    /// Whether there is a case in that row: it came, and was neither withdrawn nor merged into another.
    pub(crate) fn is_there(&self, row: u32) -> bool {
        self.times.at(row as usize) != NEVER
    }

    /// When the customer of a case was told that it came in, if they were.
    pub(crate) fn acknowledged(&self, row: u32) -> Option<i64> {
        Some(self.acknowledged[row as usize]).filter(|at| *at != NEVER)
    }

    /// When the customer of a case first got an answer, if there was one.
    pub(crate) fn first_response(&self, row: u32) -> Option<i64> {
        Some(self.first_responses[row as usize]).filter(|at| *at != NEVER)
    }

    /// When a case was resolved for the first time, if it was.
    pub(crate) fn first_resolve(&self, row: u32) -> Option<i64> {
        Some(self.first_resolves[row as usize]).filter(|at| *at != NEVER)
    }

    /// How often a case changed hands.
    pub(crate) fn hand_offs_of(&self, row: u32) -> u64 {
        u64::from(self.hand_off_counts[row as usize])
    }

    /// How satisfied the customer of a case is, 1 to 5, if they said so.
    pub(crate) fn satisfaction(&self, row: u32) -> Option<u8> {
        Some(self.satisfaction.get(row as usize)).filter(|points| *points != 0)
    }

    /// Whether a case was cancelled: nobody waits for an answer to it.
    pub(crate) fn is_cancelled(&self, row: u32) -> bool {
        self.state.get(row as usize) == CANCELLED
    }

    /// When a case was cancelled, if it is so now.
    pub(crate) fn cancelled_at(&self, row: u32) -> Option<i64> {
        self.turns.of(row).last().filter(|_| self.is_cancelled(row)).map(|(at, _)| at.max(self.times.at(row as usize)))
    }

    /// The number of the case in a row.
    pub(crate) fn number(&self, row: u32) -> i64 {
        self.rows.number(row as usize)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> u32 {
        number_of(self.customers.len())
    }

    /// The instants of openings by customer, of so many customers.
    pub(crate) fn timelines(&self, people: usize) -> &Timelines {
        self.timelines.get(people, || (0..self.customers.len()).map(|row| done(&self.customers, &self.times, row)))
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.texts().into_iter().for_each(Column::restore);
        self.declared.restore();
        self.redresses.restore();
        self.hand_offs.restore();
    }

    fn clear(&mut self, row: usize, written: Option<i64>) {
        self.timelines.note(done(&self.customers, &self.times, row), (NOBODY, NEVER));
        self.times.put(row, NEVER, written);
        put(&mut self.customers, row, NOBODY);
        put(&mut self.acknowledged, row, NEVER);
        put(&mut self.first_responses, row, NEVER);
        let before = put(&mut self.first_resolves, row, NEVER);
        self.resolutions.note(before.unwrap_or(NEVER), NEVER, written);
        put(&mut self.hand_off_counts, row, 0);
        self.satisfaction.set(row, 0);
        self.choices().into_iter().for_each(|choice| choice.set(row, 0));
        self.texts().into_iter().for_each(|column| column.set(row, ""));
        self.declared.set(row, &Default::default());
        self.redresses.set(number_of(row), &[]);
    }

    fn choices(&mut self) -> [&mut Choice; 7] {
        [
            &mut self.state,
            &mut self.kind,
            &mut self.severity,
            &mut self.priority,
            &mut self.remedy_sought,
            &mut self.finding,
            &mut self.acceptance,
        ]
    }

    fn texts(&mut self) -> [&mut Column; 10] {
        [
            &mut self.category,
            &mut self.product,
            &mut self.channel,
            &mut self.touchpoint,
            &mut self.journey_stage,
            &mut self.employee,
            &mut self.team,
            &mut self.value_band,
            &mut self.root_cause,
            &mut self.policy,
        ]
    }
}

/// A row as it is kept; there are never more than [`Rows`] gives out.
fn number_of(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}
