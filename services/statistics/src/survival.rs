//! How long customers stay, when many of them are still here: Kaplan–Meier curves, Aalen–Johansen curves of what they go for, and
//! the log-rank test.
//!
//! Time is counted from each customer's own start, in any whole unit; the answers are in the same unit. A customer who
//! has not left yet is *censored*: known to have stayed so long, and not counted on beyond.
//!
//! ```
//! use barometer_statistics::{Level, survival::{KaplanMeier, Observation}};
//!
//! let lives = [(6, true), (7, true), (9, false), (10, true)].map(|(time, left)| Observation::new(time, left));
//! let curve = KaplanMeier::of(&lives).expect("somebody");
//! assert_eq!(curve.at(7).map(|share| (100.0 * share).round()), Some(50.0));
//! assert_eq!(curve.median(), Some(7));
//! assert_eq!(curve.steps()[0].interval(Level::P95).map(|limits| limits.upper < 1.0), Some(true));
//! ```

mod aalen_johansen;
mod kaplan_meier;
mod log_rank;

pub use aalen_johansen::{AalenJohansen, Competing, Incidence};
pub use kaplan_meier::{KaplanMeier, Step};
pub use log_rank::{LogRank, LogRankError, MAX_GROUPS, OfGroup};

/// How long one customer was watched, and whether that ended with the event, such as churn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Watched only after this time; from the start when there is none.
    entry: Option<u64>,
    exit: u64,
    event: bool,
}

impl Observation {
    /// Watched from the start to `exit`, when the event happened or, without it, was still to come.
    pub fn new(exit: u64, event: bool) -> Self {
        Self { entry: None, exit, event }
    }

    /// Watched from `entry` to `exit` only: whoever had the event before `entry` would not be known of (late entry, or
    /// left truncation). At risk of what happens after `entry`, up to and including `exit`. `None` unless entry < exit.
    pub fn entered_late(entry: u64, exit: u64, event: bool) -> Option<Self> {
        (entry < exit).then_some(Self { entry: Some(entry), exit, event })
    }

    /// Whether the event happened.
    pub fn is_event(&self) -> bool {
        self.event
    }
}

/// Visits the times at which events happened, ascending, each with how many of each group had entered before and had not
/// left before, and how many had the event. Who is censored at that very time is still at risk.
fn walk(groups: &[&[Observation]], mut visit: impl FnMut(u64, &[u64], &[u64])) {
    let mut entries = Vec::new();
    let mut exits = Vec::with_capacity(groups.iter().map(|group| group.len()).sum());
    let mut at_risk = vec![0; groups.len()];
    for (group, observations) in groups.iter().enumerate() {
        for Observation { entry, exit, event } in *observations {
            match entry {
                Some(entry) => entries.push((*entry, group)),
                None => at_risk[group] += 1,
            }
            exits.push((*exit, group, *event));
        }
    }
    entries.sort_unstable();
    exits.sort_unstable();

    let mut events = vec![0; groups.len()];
    let mut entries = entries.into_iter().peekable();
    for together in exits.chunk_by(|a, b| a.0 == b.0) {
        let time = together[0].0;
        while let Some((_, group)) = entries.next_if(|(entry, _)| *entry < time) {
            at_risk[group] += 1;
        }
        events.fill(0);
        together.iter().filter(|(_, _, event)| *event).for_each(|(_, group, _)| events[*group] += 1);
        if events.iter().any(|count| *count > 0) {
            visit(time, &at_risk, &events);
        }
        together.iter().for_each(|(_, group, _)| at_risk[*group] -= 1);
    }
}

#[cfg(test)]
mod samples {
    use super::Observation;

    /// Weeks of remission of 21 patients with 6-MP and of 21 with a placebo.
    ///
    /// Source: E. J. Freireich et al., "The Effect of 6-Mercaptopurine on the Duration of Steroid-Induced Remissions in
    /// Acute Leukemia", Blood 21 (1963), 699–716.
    pub(super) fn freireich() -> [Vec<Observation>; 2] {
        let with = [
            (6, true),
            (6, true),
            (6, true),
            (6, false),
            (7, true),
            (9, false),
            (10, true),
            (10, false),
            (11, false),
            (13, true),
            (16, true),
            (17, false),
            (19, false),
            (20, false),
            (22, true),
            (23, true),
            (25, false),
            (32, false),
            (32, false),
            (34, false),
            (35, false),
        ];
        let without = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23];
        [
            with.map(|(time, event)| Observation::new(time, event)).to_vec(),
            without.map(|time| Observation::new(time, true)).to_vec(),
        ]
    }
}
