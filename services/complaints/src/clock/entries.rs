//! From the entries of a case to the events of its clocks.

use std::sync::Arc;

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{CaseEntryType as Type, ReplyType, case::State};

use super::{Dated, Event, Message, Version, Wait};
use crate::case::Rebase;

/// What clocks need of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub entry_type: Type,
    /// When.
    pub time: Micros,
    /// State of the case after it.
    pub state: State,
    /// What kind of reply it was; only of replies.
    pub reply: ReplyType,
    /// Whether the message asks for nothing; only of the customer's.
    pub needs_no_answer: bool,
    /// The calendar by which the case counts from then on; only of hand-overs to another team.
    pub calendar: Option<Version>,
    /// By what the case was counted, and is since; only of re-bases.
    pub rebase: Option<Arc<Rebase>>,
}

impl Entry {
    /// That a case is counted by something else from now on.
    pub(crate) fn rebased(time: Micros, state: State, rebase: Rebase) -> Entry {
        Entry {
            entry_type: Type::Rebased,
            time,
            state,
            reply: ReplyType::Unspecified,
            needs_no_answer: false,
            calendar: None,
            rebase: Some(Arc::new(rebase)),
        }
    }
}

/// What happened to a case until an instant, in the order in which it happened; of all entries, in the order in which they
/// were recorded. Also of those after that instant: the state of an entry is that of when it was recorded, so only with
/// those before it does it tell what moved the case. And the calendars of its desks by their index, of which the first is
/// that by which it was opened.
pub fn events(entries: &[Entry], opened_by: Version, until: Micros) -> (Vec<Dated>, Vec<Version>) {
    let mut desks = Desks { calendars: vec![opened_by], policy: opened_by, in_force: opened_by };
    let mut events: Vec<Dated> = Vec::with_capacity(entries.len() + 1);
    let mut state = State::Received;
    let (mut rebases, mut rebased_at) = (0_u16, Micros(i64::MIN));
    for entry in entries {
        let mut add = |event| events.push(Dated { at: entry.time, event });
        // What leaves the case where it is can be recorded late. What moves it is recorded as it happens, and only that
        // begins and ends waits.
        let before = std::mem::replace(&mut state, entry.state);
        if before != state {
            wait(before).into_iter().for_each(|wait| add(Event::WaitEnded(wait)));
        }
        match entry.entry_type {
            Type::Opened => add(Event::Opened),
            Type::Acknowledged => add(Event::Acknowledged),
            Type::Responded => add(Event::ToCustomer(message(entry.reply))),
            // A question back is an answer: it is the customer's turn.
            Type::AwaitedCustomer => add(Event::ToCustomer(Message::Answer)),
            Type::CustomerWrote if !entry.needs_no_answer => add(Event::FromCustomer),
            Type::Resolved | Type::SelfServed => add(Event::Resolved),
            Type::Closed => add(Event::Closed),
            Type::Cancelled => add(Event::Cancelled),
            Type::Reopened => add(Event::Reopened),
            // The first terms are those before all re-bases; each of these has its own, in their order.
            Type::Rebased if let Some(rebase) = &entry.rebase => {
                rebases = rebases.saturating_add(1);
                // The later one counts, though a clock that lags dated it.
                rebased_at = rebased_at.max(entry.time);
                let (terms, desk) = (rebases, desks.rebased(rebase.to.calendar()));
                events.push(Dated { at: rebased_at, event: Event::Rebased { terms, desk } });
            }
            // A case that had been resolved has met what it met, merged or not.
            Type::Merged if before != State::Resolved => add(Event::Cancelled),
            // Who works by the same calendar changes nothing, not even for clocks that started by a newer version of it.
            Type::Assigned if let Some(calendar) = entry.calendar.filter(|calendar| *calendar != desks.in_force) => {
                add(Event::HandedOver { desk: desks.hand_over(calendar) });
            }
            Type::Unmerged if state != State::Resolved => add(Event::Reopened),
            _ => {}
        }
        if before != state {
            let began = wait(state).map(|wait| Dated { at: entry.time, event: Event::WaitBegan(wait) });
            events.extend(began);
        }
    }
    events.retain(|dated| dated.at <= until);
    events.sort_by_key(|dated| dated.at);
    (events, desks.calendars)
}

/// The calendars that a case has had, each of which stands once.
struct Desks {
    calendars: Vec<Version>,
    /// That of its policy.
    policy: Version,
    /// That by which it counts: its policy's, or that of the team that has it.
    in_force: Version,
}

impl Desks {
    /// The desk of those who have the case from now on.
    fn hand_over(&mut self, to: Version) -> u16 {
        self.in_force = to;
        self.index()
    }

    /// The desk under another policy. A team that works by a calendar of its own goes on by that.
    fn rebased(&mut self, to: Version) -> u16 {
        if self.in_force == self.policy {
            self.in_force = to;
        }
        self.policy = to;
        self.index()
    }

    fn index(&mut self) -> u16 {
        let known = self.calendars.iter().position(|known| *known == self.in_force);
        let index = known.unwrap_or_else(|| {
            self.calendars.push(self.in_force);
            self.calendars.len() - 1
        });
        // A case has far fewer entries than there are indices.
        u16::try_from(index).unwrap_or(u16::MAX)
    }
}

fn wait(state: State) -> Option<Wait> {
    match state {
        State::WaitingForCustomer => Some(Wait::Customer),
        State::WaitingForThirdParty => Some(Wait::ThirdParty),
        _ => None,
    }
}

fn message(reply: ReplyType) -> Message {
    match reply {
        ReplyType::Holding => Message::Holding,
        ReplyType::Update => Message::Update,
        ReplyType::Answer | ReplyType::Unspecified => Message::Answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{calendar_version::CalendarId, case::Binding};

    const HOUR: i64 = 3_600 * Micros::SECOND;
    const FIRST: Version = version(1);

    const fn version(of: u128) -> Version {
        Version { id: uuid::Uuid::from_u128(of), version: 1 }
    }

    fn entry(hour: i64, entry_type: Type, state: State) -> Entry {
        let reply = if entry_type == Type::Responded { ReplyType::Answer } else { ReplyType::Unspecified };
        Entry {
            entry_type,
            time: Micros(hour * HOUR),
            state,
            reply,
            needs_no_answer: false,
            calendar: None,
            rebase: None,
        }
    }

    fn told(entries: &[Entry], until: i64) -> Vec<(i64, Event)> {
        let (events, _) = events(entries, FIRST, Micros(until * HOUR));
        events.into_iter().map(|dated| (dated.at.0 / HOUR, dated.event)).collect()
    }

    #[test]
    fn waits_begin_and_end_with_the_state() {
        let entries = [
            entry(0, Type::Opened, State::Received),
            entry(1, Type::AwaitedCustomer, State::WaitingForCustomer),
            entry(3, Type::CustomerWrote, State::InProgress),
            entry(4, Type::AwaitedThirdParty, State::WaitingForThirdParty),
            entry(5, Type::Resolved, State::Resolved),
        ];
        let expected = [
            (0, Event::Opened),
            (1, Event::ToCustomer(Message::Answer)),
            (1, Event::WaitBegan(Wait::Customer)),
            (3, Event::WaitEnded(Wait::Customer)),
            (3, Event::FromCustomer),
            (4, Event::WaitBegan(Wait::ThirdParty)),
            (5, Event::WaitEnded(Wait::ThirdParty)),
            (5, Event::Resolved),
        ];
        assert_eq!(told(&entries, 9), expected);
        assert_eq!(told(&entries, 3), expected[..5]);
        assert_eq!(told(&entries, 0), expected[..1]);
    }

    #[test]
    fn what_is_recorded_late_stands_where_it_happened_and_moves_no_wait() {
        let entries = [
            entry(0, Type::Opened, State::Received),
            entry(2, Type::AwaitedThirdParty, State::WaitingForThirdParty),
            // A letter of an hour before.
            entry(1, Type::CustomerWrote, State::WaitingForThirdParty),
        ];
        let expected = [(0, Event::Opened), (1, Event::FromCustomer), (2, Event::WaitBegan(Wait::ThirdParty))];
        assert_eq!(told(&entries, 9), expected);
    }

    #[test]
    fn a_hand_over_brings_its_calendar_and_each_calendar_stands_once() {
        let calendar = |of| Some(version(of));
        let to = |hour, of| Entry { calendar: of, ..entry(hour, Type::Assigned, State::Received) };
        let within = to(3, None);
        let entries = [
            entry(0, Type::Opened, State::Received),
            to(1, calendar(7)),
            to(2, calendar(8)),
            within,
            to(4, calendar(7)),
        ];
        let over = |hour, desk| (hour, Event::HandedOver { desk });
        assert_eq!(told(&entries, 9), [(0, Event::Opened), over(1, 1), over(2, 2), over(4, 1)]);
        let calendars = events(&entries, FIRST, Micros(9 * HOUR)).1;
        assert_eq!(calendars, [FIRST, version(7), version(8)]);
    }

    #[test]
    fn a_hand_over_to_who_works_by_the_same_calendar_is_no_event() {
        let to = |hour, of| Entry { calendar: Some(of), ..entry(hour, Type::Assigned, State::Received) };
        let newer = Version { version: 2, ..version(7) };
        let entries = [
            entry(0, Type::Opened, State::Received),
            to(1, FIRST),
            to(2, version(7)),
            to(3, version(7)),
            to(4, newer),
            to(5, FIRST),
            to(6, FIRST),
        ];
        let over = |hour, desk| (hour, Event::HandedOver { desk });
        assert_eq!(told(&entries, 9), [(0, Event::Opened), over(2, 1), over(4, 2), over(5, 0)]);
    }

    #[test]
    fn a_team_keeps_its_calendar_under_another_policy() {
        let binding = |calendar: u128| Binding {
            set_version: 1,
            policy: "all".to_owned(),
            calendar_id: CalendarId(version(calendar).id),
            calendar_version: 1,
        };
        let rebased = |hour, to| {
            let rebase = Rebase { from: None, to: binding(to) };
            Entry::rebased(Micros(hour * HOUR), State::Received, rebase)
        };
        let to = |hour, of| Entry { calendar: Some(version(of)), ..entry(hour, Type::Assigned, State::Received) };
        let entries = [
            entry(0, Type::Opened, State::Received),
            rebased(1, 2),
            to(2, 7),
            rebased(3, 3),
            // To a team without one.
            to(4, 3),
            rebased(5, 2),
        ];
        let expected = [
            (0, Event::Opened),
            (1, Event::Rebased { terms: 1, desk: 1 }),
            (2, Event::HandedOver { desk: 2 }),
            (3, Event::Rebased { terms: 2, desk: 2 }),
            (4, Event::HandedOver { desk: 3 }),
            (5, Event::Rebased { terms: 3, desk: 1 }),
        ];
        assert_eq!(told(&entries, 9), expected);
        let by_a_clock_that_lags = [entry(0, Type::Opened, State::Received), rebased(4, 2), rebased(3, 3)];
        let expected = [Event::Opened, Event::Rebased { terms: 1, desk: 1 }, Event::Rebased { terms: 2, desk: 2 }];
        assert_eq!(told(&by_a_clock_that_lags, 9), [(0, expected[0]), (4, expected[1]), (4, expected[2])]);
    }

    #[test]
    fn what_is_recorded_late_moves_no_wait_before_it_began_or_ended_either() {
        let waited = [
            entry(0, Type::Opened, State::Received),
            entry(3, Type::AwaitedCustomer, State::WaitingForCustomer),
            entry(10, Type::Resolved, State::Resolved),
            entry(4, Type::OutcomeSet, State::Resolved),
        ];
        let expected = [
            (0, Event::Opened),
            (3, Event::ToCustomer(Message::Answer)),
            (3, Event::WaitBegan(Wait::Customer)),
            (10, Event::WaitEnded(Wait::Customer)),
            (10, Event::Resolved),
        ];
        assert_eq!(told(&waited, 6), expected[..3]);
        assert_eq!(told(&waited, 12), expected);
        let waits = [
            entry(0, Type::Opened, State::Received),
            entry(2, Type::Responded, State::InProgress),
            entry(8, Type::AwaitedThirdParty, State::WaitingForThirdParty),
            entry(5, Type::CustomerWrote, State::WaitingForThirdParty),
        ];
        let expected = [(0, Event::Opened), (2, Event::ToCustomer(Message::Answer)), (5, Event::FromCustomer)];
        assert_eq!(told(&waits, 6), expected);
    }

    #[test]
    fn thanks_ask_for_no_answer() {
        let thanks = Entry { needs_no_answer: true, ..entry(1, Type::CustomerWrote, State::Received) };
        assert_eq!(told(&[entry(0, Type::Opened, State::Received), thanks], 9), [(0, Event::Opened)]);
    }
}
