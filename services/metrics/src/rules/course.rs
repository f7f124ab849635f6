//! How a case went, as far as figures ask: when it ended, and when it turned out that it had not.

use std::ops::Range;

/// What ends a case, or takes it up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It was resolved, by a person or by self-service.
    Resolved,
    /// It was cancelled: nobody need answer it.
    Cancelled,
    /// It was taken up again.
    Reopened,
}

/// The stretches of time in which a case that was opened at `opened` was open, from its turns in the order in which they
/// came; the last one ends with `i64::MAX` when it is open still. What ends an ended case, or reopens an open one, changes
/// nothing, and what is said to come before the opening comes with it.
pub fn open_stretches(opened: i64, turns: impl IntoIterator<Item = (i64, Turn)>) -> impl Iterator<Item = Range<i64>> {
    let mut since = Some(opened);
    let still_open = std::iter::once((i64::MAX, Turn::Cancelled));
    let turns = turns.into_iter().chain(still_open).map(move |(at, turn)| (at.max(opened), turn));
    turns.filter_map(move |(at, turn)| match (turn, since) {
        (Turn::Resolved | Turn::Cancelled, Some(start)) => {
            since = None;
            Some(start..at)
        }
        (Turn::Reopened, None) => {
            since = Some(at);
            None
        }
        (Turn::Resolved | Turn::Cancelled, None) | (Turn::Reopened, Some(_)) => None,
    })
}

/// Whether a case was reopened after it had been resolved.
pub fn was_reopened(turns: impl IntoIterator<Item = (i64, Turn)>) -> bool {
    let mut resolved = false;
    turns.into_iter().any(|(_, turn)| {
        resolved |= turn == Turn::Resolved;
        resolved && turn == Turn::Reopened
    })
}

/// How long a case was open until it was resolved for good, without the time in which it had ended; `None` unless it is
/// resolved now.
pub fn time_to_last_resolution(opened: i64, turns: impl IntoIterator<Item = (i64, Turn)> + Clone) -> Option<i64> {
    turns.clone().into_iter().last().filter(|(_, turn)| *turn == Turn::Resolved)?;
    let ended = open_stretches(opened, turns).filter(|stretch| stretch.end != i64::MAX);
    Some(ended.map(|stretch| stretch.end.saturating_sub(stretch.start)).fold(0, i64::saturating_add))
}

/// Whether somebody handed a case over: it was taken from an employee or a team that had it. Given to an employee of the
/// team that has it while no employee did, it was not; nor when it is given to somebody for the first time.
pub fn is_hand_off(before: [&str; 2], after: [&str; 2]) -> bool {
    before.iter().zip(after).any(|(before, after)| !before.is_empty() && *before != after)
}

/// How old an open case is: the ages that a backlog is told by, each by the name that it has in figures and the age in
/// microseconds from which on the next one holds. A day is 24 hours.
pub const AGES: [(&str, i64); 5] = [
    ("under_1_day", DAY),
    ("under_3_days", 3 * DAY),
    ("under_7_days", 7 * DAY),
    ("under_30_days", 30 * DAY),
    ("older", i64::MAX),
];
const DAY: i64 = 86_400_000_000;

/// Which of the [`AGES`] something of that age has.
pub fn age(micros: i64) -> usize {
    AGES.iter().position(|(_, until)| micros < *until).unwrap_or(AGES.len() - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Turn::{Cancelled, Reopened, Resolved},
        *,
    };

    const MAX: i64 = i64::MAX;

    #[test]
    fn a_case_is_open_until_it_ends_and_again_from_its_reopening() {
        for (turns, expected, total) in [
            (&[][..], &[(10, MAX)][..], None),
            (&[(20, Resolved)], &[(10, 20)], Some(10)),
            (&[(20, Resolved), (25, Resolved)], &[(10, 20)], Some(10)),
            (&[(20, Resolved), (30, Reopened)], &[(10, 20), (30, MAX)], None),
            (&[(20, Resolved), (30, Reopened), (33, Resolved)], &[(10, 20), (30, 33)], Some(13)),
            (&[(20, Cancelled), (30, Reopened), (33, Resolved)], &[(10, 20), (30, 33)], Some(13)),
            (&[(20, Resolved), (30, Reopened), (33, Cancelled)], &[(10, 20), (30, 33)], None),
            (&[(20, Resolved), (20, Reopened), (20, Resolved)], &[(10, 20), (20, 20)], Some(10)),
            (&[(15, Reopened), (20, Resolved)], &[(10, 20)], Some(10)),
            (&[(3, Resolved), (5, Reopened), (20, Resolved)], &[(10, 10), (10, 20)], Some(10)),
        ] {
            let stretches = open_stretches(10, turns.iter().copied());
            let told: Vec<_> = stretches.map(|stretch| (stretch.start, stretch.end)).collect();
            assert_eq!(told, expected, "{turns:?}");
            assert_eq!(time_to_last_resolution(10, turns.iter().copied()), total, "{turns:?}");
        }
    }

    #[test]
    fn only_what_was_resolved_can_be_reopened() {
        for (turns, expected) in [
            (&[][..], false),
            (&[(1, Resolved)], false),
            (&[(1, Cancelled), (2, Reopened)], false),
            (&[(1, Cancelled), (2, Reopened), (3, Resolved)], false),
            (&[(1, Resolved), (2, Reopened)], true),
            (&[(1, Resolved), (1, Reopened), (1, Resolved)], true),
        ] {
            assert_eq!(was_reopened(turns.iter().copied()), expected, "{turns:?}");
        }
    }

    #[test]
    fn what_was_nobodys_is_not_handed_over() {
        for (before, after, expected) in [
            (["", ""], ["ana", "billing"], false),
            (["", "billing"], ["ana", "billing"], false),
            (["ana", "billing"], ["ana", "billing"], false),
            (["ana", "billing"], ["ben", "billing"], true),
            (["ana", "billing"], ["", "billing"], true),
            (["", "billing"], ["", "legal"], true),
            (["ana", ""], ["ana", "legal"], false),
            (["ana", "billing"], ["", ""], true),
        ] {
            assert_eq!(is_hand_off(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn an_age_of_whole_days_is_of_the_older_ones() {
        let told = [0, DAY - 1, DAY, 3 * DAY - 1, 3 * DAY, 7 * DAY, 30 * DAY - 1, 30 * DAY, MAX].map(age);
        assert_eq!(told, [0, 0, 1, 1, 2, 3, 3, 4, 4]);
    }

    proptest! {
        #[test]
        fn whether_it_is_open_is_what_the_last_turn_before_said(
            mut turns in prop::collection::vec((1_i64..50, prop::sample::select(vec![Resolved, Cancelled, Reopened])), 0..8),
            instant in 1_i64..60,
        ) {
            turns.sort_by_key(|(at, _)| *at);
            let last = turns.iter().rev().find(|(at, _)| *at < instant);
            let expected = last.is_none_or(|(_, turn)| *turn == Reopened);
            // What comes at that very instant has not happened yet.
            let mut stretches = open_stretches(0, turns.iter().copied());
            prop_assert_eq!(stretches.any(|stretch| stretch.start < instant && instant <= stretch.end), expected);
        }
    }
}
