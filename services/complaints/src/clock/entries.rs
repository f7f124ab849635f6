//! From the entries of a case to the events of its clocks.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{CaseEntryType as Type, ReplyType, case::State};

use super::{Dated, Event, Message, Wait};

/// What clocks need of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// What happened to a case until an instant, in the order in which it happened; of all entries, in the order in which they
/// were recorded. Also of those after that instant: the state of an entry is that of when it was recorded, so only with
/// those before it does it tell what moved the case.
pub fn events(entries: &[Entry], until: Micros) -> Vec<Dated> {
    let mut events: Vec<Dated> = Vec::with_capacity(entries.len() + 1);
    let mut state = State::Received;
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
            // A case that had been resolved has met what it met, merged or not.
            Type::Merged if before != State::Resolved => add(Event::Cancelled),
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
    events
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

    const HOUR: i64 = 3_600 * Micros::SECOND;

    fn entry(hour: i64, entry_type: Type, state: State) -> Entry {
        let reply = if entry_type == Type::Responded { ReplyType::Answer } else { ReplyType::Unspecified };
        Entry { entry_type, time: Micros(hour * HOUR), state, reply, needs_no_answer: false }
    }

    fn told(entries: &[Entry], until: i64) -> Vec<(i64, Event)> {
        let events = events(entries, Micros(until * HOUR));
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
