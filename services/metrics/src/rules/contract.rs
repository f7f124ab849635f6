//! Contracts: what the events of a customer's subscriptions come to in the course of time.
//!
//! An event happens when it takes effect. It belongs to the period in which it happens, and how things stand at an instant is
//! how they stood just before it: a subscription that begins with the first instant of a month is new in that month, one
//! that ends then ends in it, and neither is otherwise when the month before ends.
//!
//! ```
//! # use barometer_metrics::rules::contract::*;
//! let events = [(0, What::Start(9)), (10, What::Change(12)), (20, What::Cancel)];
//! let (mut stretches, mut ends) = (Vec::new(), Vec::new());
//! live(events.into_iter().map(|(at, what)| Event { row: 0, at, what }), &mut stretches, &mut ends);
//! let contract = Contract::of(&stretches);
//! assert_eq!([0, 10, 11, 20, 21].map(|at| contract.before(at).amount), [0, 9, 12, 12, 0]);
//! assert_eq!(ends[0].at, 20);
//! ```

use barometer_statistics::presence::Presence;

/// An event of one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Which it is, to the caller.
    pub row: u32,
    /// When it takes effect.
    pub at: i64,
    /// What happens.
    pub what: What,
}

/// What happens to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It starts, or starts again, at so much a month.
    Start(u64),
    /// It brings so much a month from then on.
    Change(u64),
    /// It ends.
    Cancel,
}

/// A time in which a subscription ran at one amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The event that it began with.
    pub row: u32,
    /// When it began.
    pub from: i64,
    /// When it ended, later; `i64::MAX` while nothing has ended it.
    pub until: i64,
    /// What it brought in a month.
    pub amount: u64,
}

/// The end of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The cancellation.
    pub row: u32,
    /// When it took effect.
    pub at: i64,
}

/// Appends the stretches of one subscription, and its ends, by its events in their order: by when they take effect, of
/// several at one instant that which was agreed last is the last.
///
/// What was told last holds: a start of what runs changes its amount. A change of what never started starts it, for its
/// beginning may lie before what is told; a change of what has ended does nothing, for it may have been agreed before the
/// cancellation. A cancellation of what does not run does nothing but keep changes from starting it. What ends when it
/// starts has neither run nor ended.
pub fn live(events: impl IntoIterator<Item = Event>, stretches: &mut Vec<Stretch>, ends: &mut Vec<End>) {
    let mut running: Option<(i64, Stretch)> = None;
    let mut ended = false;
    let mut close = |stretch: Stretch, until: i64| {
        if stretch.from < until {
            stretches.push(Stretch { until, ..stretch });
        }
    };
    for Event { row, at, what } in events {
        match what {
            What::Change(_) if running.is_none() && ended => {}
            What::Start(amount) | What::Change(amount) => {
                let since = match running.take() {
                    Some((since, before)) => {
                        close(before, at);
                        since
                    }
                    None => at,
                };
                running = Some((since, Stretch { row, from: at, until: i64::MAX, amount }));
            }
            What::Cancel => {
                ended = true;
                if let Some((since, last)) = running.take() {
                    close(last, at);
                    if since < at {
                        ends.push(End { row, at });
                    }
                }
            }
        }
    }
    if let Some((_, last)) = running {
        close(last, i64::MAX);
    }
}

/// How the subscriptions of a customer stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many of them run.
    pub running: u64,
    /// What they bring in a month, in micro-units of one currency.
    pub amount: u64,
    /// Whether they ever brought anything.
    pub had_paid: bool,
}

/// Subscriptions of one customer, taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract {
    /// By instant, ascending: how things stand from then on.
    changes: Vec<(i64, Standing)>,
}

impl Contract {
    /// Of these stretches, in any order.
    pub fn of<'s>(stretches: impl IntoIterator<Item = &'s Stretch>) -> Self {
        let mut edges = Vec::new();
        for Stretch { row: _, from, until, amount } in stretches {
            edges.push((*from, 1, i128::from(*amount)));
            if *until != i64::MAX {
                edges.push((*until, -1, -i128::from(*amount)));
            }
        }
        edges.sort_unstable();
        let (mut running, mut amount, mut last) = (0_i64, 0_i128, Standing::default());
        let mut changes = Vec::with_capacity(edges.len());
        for together in edges.chunk_by(|a, b| a.0 == b.0) {
            running += together.iter().map(|edge| edge.1).sum::<i64>();
            amount += together.iter().map(|edge| edge.2).sum::<i128>();
            let standing = Standing {
                running: u64::try_from(running).unwrap_or_default(),
                amount: u64::try_from(amount).unwrap_or(u64::MAX),
                had_paid: last.had_paid || amount > 0,
            };
            if standing != last {
                changes.push((together[0].0, standing));
                last = standing;
            }
        }
        Self { changes }
    }

    /// How things stood just before an instant.
    pub fn before(&self, at: i64) -> Standing {
        let changes = self.changes.partition_point(|(change, _)| *change < at);
        self.changes[..changes].last().map_or_else(Standing::default, |(_, standing)| *standing)
    }

    /// When things changed, ascending.
    pub fn instants(&self) -> impl Iterator<Item = i64> {
        self.changes.iter().map(|(at, _)| *at)
    }

    /// When the customer had a subscription, of instants as [`Contract::before`] understands them.
    pub fn presence(&self) -> Presence {
        let after = self.changes.iter().skip(1).map(|(at, _)| Some(at.saturating_add(1))).chain([None]);
        let runs = self.changes.iter().zip(after).filter(|((_, standing), _)| standing.running > 0);
        Presence::by_contract(runs.map(|((from, _), until)| (from.saturating_add(1), until)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lived(events: &[(i64, What)]) -> (Vec<Stretch>, Vec<End>) {
        let events = (0..).zip(events).map(|(row, (at, what))| Event { row, at: *at, what: *what });
        let (mut stretches, mut ends) = (Vec::new(), Vec::new());
        live(events, &mut stretches, &mut ends);
        (stretches, ends)
    }

    /// Row, beginning, end and amount of each stretch; row and instant of each end.
    type Told = (Vec<(u32, i64, i64, u64)>, Vec<(u32, i64)>);

    fn told(events: &[(i64, What)]) -> Told {
        let (stretches, ends) = lived(events);
        let stretch = |of: &Stretch| (of.row, of.from, of.until, of.amount);
        (stretches.iter().map(stretch).collect(), ends.iter().map(|end| (end.row, end.at)).collect())
    }

    #[test]
    fn a_subscription_starts_changes_and_ends() {
        use What::{Cancel, Change, Start};
        let ever = i64::MAX;
        let (none, no_end) = (Vec::new(), Vec::new());
        assert_eq!(told(&[]), (none.clone(), no_end.clone()));
        assert_eq!(told(&[(1, Start(5))]), (vec![(0, 1, ever, 5)], no_end.clone()));
        let whole = [(1, Start(5)), (4, Change(7)), (9, Cancel)];
        assert_eq!(told(&whole), (vec![(0, 1, 4, 5), (1, 4, 9, 7)], vec![(2, 9)]));
        let again = [(1, Start(5)), (4, Cancel), (4, Start(6)), (8, Start(7))];
        assert_eq!(told(&again), (vec![(0, 1, 4, 5), (2, 4, 8, 6), (3, 8, ever, 7)], vec![(1, 4)]));
        // A change that never started, and one that came after the end.
        assert_eq!(told(&[(2, Change(5)), (3, Cancel), (6, Change(7))]), (vec![(0, 2, 3, 5)], vec![(1, 3)]));
        assert_eq!(told(&[(2, Cancel), (6, Change(7))]), (none.clone(), no_end.clone()));
        // What ends when it starts.
        assert_eq!(told(&[(2, Start(5)), (2, Cancel)]), (none, no_end));
        // A change at the very end is no stretch, but the end is one.
        assert_eq!(told(&[(2, Start(5)), (4, Change(6)), (4, Cancel)]), (vec![(0, 2, 4, 5)], vec![(2, 4)]));
    }

    #[test]
    fn an_instant_belongs_to_what_begins_with_it() {
        let (stretches, _) = lived(&[(10, What::Start(5)), (20, What::Cancel)]);
        let contract = Contract::of(&stretches);
        assert_eq!([10, 11, 20, 21].map(|at| contract.before(at).running), [0, 1, 1, 0]);
        let presence = contract.presence();
        assert_eq!([10, 11, 20, 21].map(|at| presence.is_active(at)), [false, true, true, false]);
    }

    #[test]
    fn who_never_paid_has_a_subscription_all_the_same() {
        let (stretches, _) = lived(&[(10, What::Start(0)), (20, What::Change(4)), (30, What::Change(0))]);
        let contract = Contract::of(&stretches);
        let standing = |running, amount, had_paid| Standing { running, amount, had_paid };
        assert_eq!(contract.before(15), standing(1, 0, false));
        assert_eq!(contract.before(25), standing(1, 4, true));
        assert_eq!(contract.before(i64::MAX), standing(1, 0, true));
    }

    fn what() -> impl Strategy<Value = What> {
        prop_oneof![(0_u64..3).prop_map(What::Start), (0_u64..3).prop_map(What::Change), Just(What::Cancel),]
    }

    proptest! {
        #[test]
        fn contracts_are_as_replaying_says(
            mut subscriptions in prop::collection::vec(prop::collection::vec((0_i64..30, what()), 0..8), 0..4),
            at in -1_i64..32,
        ) {
            let mut stretches = Vec::new();
            let (mut running, mut amount, mut ended) = (0, 0, 0);
            for events in &mut subscriptions {
                events.sort_by_key(|(at, _)| *at);
                let (of_one, ends) = lived(events);
                ended += ends.iter().filter(|end| end.at < at).count();
                stretches.extend(of_one);
                let mut state = None;
                let mut over = false;
                for (_, what) in events.iter().filter(|(effective, _)| *effective < at) {
                    state = match (*what, state) {
                        (What::Cancel, _) => None,
                        (What::Change(_), None) if over => None,
                        (What::Start(amount) | What::Change(amount), _) => Some(amount),
                    };
                    over |= *what == What::Cancel;
                }
                running += u64::from(state.is_some());
                amount += state.unwrap_or_default();
            }
            let contract = Contract::of(&stretches);
            let standing = contract.before(at);
            prop_assert_eq!((standing.running, standing.amount), (running, amount));
            prop_assert_eq!(contract.presence().is_active(at), running > 0);
            // Each stretch has ended with an end or with another stretch.
            let over = stretches.iter().filter(|stretch| stretch.until < at).count();
            prop_assert!(ended <= over);
            stretches.reverse();
            prop_assert_eq!(Contract::of(&stretches), contract);
        }
    }
}
