//! What a list of policies leaves open though nothing of it is wrong: cases that are reopened and have no deadline then.

use super::{Policy, PolicyList};
use crate::clock::Kind;

/// When a case has no deadline by its policy that is reopened after it was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Whenever it is.
    Reopened,
    /// When it is reopened otherwise than by a message of the customer.
    ReopenedWithoutMessage,
}

/// The policies that leave such cases without a deadline, by their places.
pub fn gaps(policies: &PolicyList) -> Vec<(usize, Gap)> {
    policies.0.iter().enumerate().filter_map(|(place, policy)| Some((place, gap(policy)?))).collect()
}

/// A reopening starts the total resolution again and a periodic update anew, and the next response only when the customer
/// waits for one; all other clocks ended when the case was resolved.
fn gap(policy: &Policy) -> Option<Gap> {
    let has = |kind| policy.targets.iter().any(|target| target.kind == kind);
    match (has(Kind::TotalResolution) || has(Kind::PeriodicUpdate), has(Kind::NextResponse)) {
        (true, _) => None,
        (false, true) => Some(Gap::ReopenedWithoutMessage),
        (false, false) => Some(Gap::Reopened),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calendar::tests::{WORKDAYS, at, timetable},
        clock::{ClockTarget, Dated, Desk, Event, History, PolicyVersion, State, Terms, Unit, Version},
    };

    /// Whether any clock runs of a case that was resolved and reopened.
    fn is_due(targets: &[ClockTarget], by_message: bool) -> bool {
        let told = [
            ("2026-03-02T08:00:00Z", Event::Opened),
            ("2026-03-02T09:00:00Z", Event::Resolved),
            ("2026-03-02T10:00:00Z", Event::FromCustomer),
            ("2026-03-02T10:00:00Z", Event::Reopened),
        ];
        let told = told.into_iter().filter(|(_, event)| by_message || *event != Event::FromCustomer);
        let events: Vec<_> = told.map(|(time, event)| Dated { at: at(time), event }).collect();
        let terms = [Terms::new(PolicyVersion::default(), targets.iter().copied())];
        let timetable = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &[]);
        let desks = [Desk { calendar: Version::default(), timetable }];
        let history = History::new(&events, &terms, &desks).expect("a good history");
        history.clocks(at("2026-03-02T11:00:00Z")).iter().any(|clock| clock.state == State::Running)
    }

    #[test]
    fn a_gap_is_where_no_clock_of_a_reopened_case_runs() {
        for chosen in 0..1_u32 << Kind::ALL.len() {
            let kinds = Kind::ALL.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0).map(|(_, kind)| *kind);
            let targets: Vec<_> = kinds.map(|kind| ClockTarget::new(kind, 30, Unit::CalendarDays)).collect();
            let expected = match (is_due(&targets, true), is_due(&targets, false)) {
                (true, true) => None,
                (true, false) => Some(Gap::ReopenedWithoutMessage),
                (false, false) => Some(Gap::Reopened),
                (false, true) => panic!("a message takes no deadline away: {targets:?}"),
            };
            assert_eq!(gap(&Policy { targets: targets.clone(), ..Policy::default() }), expected, "{targets:?}");
        }
    }

    #[test]
    fn gaps_are_told_by_their_places() {
        let policy = |kinds: &[Kind]| Policy {
            targets: kinds.iter().map(|kind| ClockTarget::new(*kind, 1, Unit::Weeks)).collect(),
            ..Policy::default()
        };
        let list = PolicyList(vec![
            policy(&[Kind::TotalResolution]),
            policy(&[Kind::Resolution, Kind::NextResponse]),
            policy(&[Kind::Resolution]),
        ]);
        assert_eq!(gaps(&list), [(1, Gap::ReopenedWithoutMessage), (2, Gap::Reopened)]);
    }
}
