//! Churn of customers, by definitions that are told apart by name.
//!
//! Of 100 customers at the start of a month, 11 leave, one of whom comes back within it; one customer joins and leaves:
//!
//! ```
//! use barometer_statistics::{churn::{ChurnDefinition, ChurnTally}, presence::Presence};
//!
//! let month: Vec<i64> = (0..=30).collect(); // A unit of time is a day here.
//! let mut churn = ChurnTally::new(month).expect("days");
//! (0..89).for_each(|_| churn.add(&Presence::by_contract([(-9, None)])));
//! (0..10).for_each(|_| churn.add(&Presence::by_contract([(-9, Some(12))])));
//! churn.add(&Presence::by_contract([(-9, Some(5)), (8, None)]));
//! churn.add(&Presence::by_contract([(3, Some(20))]));
//!
//! assert_eq!(churn.rate(ChurnDefinition::Standard), Some(10.0));
//! assert_eq!(churn.rate(ChurnDefinition::AllDepartures), Some(12.0));
//! assert_eq!(churn.rate(ChurnDefinition::OverStartPlusNew), Some(100.0 * 11.0 / 101.0));
//! assert_eq!(churn.retention(), Some(90.0));
//! ```

use crate::{comparison::Proportion, number::percent, presence::Presence};

/// What is divided by what. An instant belongs to the period that ends with it: who is active at the start and not at
/// the end has left within, and who leaves at the very end has left in this period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ChurnDefinition {
    /// Of those active at the start, those not active at the end. Who joined and left within the period, or left and
    /// came back within it, is no churn. The complement of retention.
    #[default]
    Standard,
    /// All departures of the period, over those active at its start. One customer can depart twice, and who joined
    /// within the period departs too, so that it can exceed 100 %.
    AllDepartures,
    /// Of those who were active at the start or became so within the period, first or again, those not active at the
    /// end.
    OverStartPlusNew,
    /// The sum over the days of the period of departures on the day over those active at its start. It does not sink
    /// when the base grows within the period; it rises with the number of days. Days with nobody at their start add
    /// nothing.
    DailySum,
}

impl ChurnDefinition {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Standard, Self::AllDepartures, Self::OverStartPlusNew, Self::DailySum];

    /// The name by which it is selected.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "churn_standard",
            Self::AllDepartures => "churn_all_departures",
            Self::OverStartPlusNew => "churn_over_start_plus_new",
            Self::DailySum => "churn_daily_sum",
        }
    }

    /// The definition of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|definition| definition.name() == name)
    }
}

/// What customers did in a period, counted. Tallies of disjoint sets of customers add up to that of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChurnTally {
    /// The first instant of each day, and the end of the last.
    bounds: Vec<i64>,
    at_start: u64,
    lost_of_start: u64,
    joined: u64,
    lost_of_joined: u64,
    days: Vec<Day>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Day {
    at_start: u64,
    departures: u64,
}

impl ChurnTally {
    /// An empty tally of a period, given as the first instant of each of its days, and the end of the last. `None`
    /// unless there is a day and the instants ascend.
    pub fn new(bounds: Vec<i64>) -> Option<Self> {
        let days = vec![Day::default(); bounds.len().checked_sub(1)?];
        let valid = !days.is_empty() && bounds.is_sorted_by(|a, b| a < b);
        valid.then_some(Self { bounds, at_start: 0, lost_of_start: 0, joined: 0, lost_of_joined: 0, days })
    }

    /// Counts a customer.
    pub fn add(&mut self, customer: &Presence) {
        self.count(customer, |count| *count += 1);
    }

    /// Takes out a customer who was counted just so.
    pub fn remove(&mut self, customer: &Presence) {
        self.count(customer, |count| *count -= 1);
    }

    /// Counts so many customers who are active from the start to the end without a break.
    pub fn stay(&mut self, customers: u64) {
        self.at_start += customers;
        self.days.iter_mut().for_each(|day| day.at_start += customers);
    }

    /// Adds what another tally of the same days counted; false, and nothing done, when its days are others.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        let Self { bounds, at_start, lost_of_start, joined, lost_of_joined, days } = other;
        if *bounds != self.bounds {
            return false;
        }
        self.at_start += at_start;
        self.lost_of_start += lost_of_start;
        self.joined += joined;
        self.lost_of_joined += lost_of_joined;
        for (day, other) in self.days.iter_mut().zip(days) {
            day.at_start += other.at_start;
            day.departures += other.departures;
        }
        true
    }

    /// Who was active at the start.
    pub fn at_start(&self) -> u64 {
        self.at_start
    }

    /// Who was not, and became so within the period, first or again.
    pub fn joined(&self) -> u64 {
        self.joined
    }

    /// Who was active at the start and is not at the end.
    pub fn lost_of_start(&self) -> u64 {
        self.lost_of_start
    }

    /// Who became active within the period and is not at its end.
    pub fn lost_of_joined(&self) -> u64 {
        self.lost_of_joined
    }

    /// How often somebody ceased to be active within the period.
    pub fn departures(&self) -> u64 {
        self.days.iter().map(|day| day.departures).sum()
    }

    /// Churn by a definition, in percent. `None` over nobody.
    pub fn rate(&self, definition: ChurnDefinition) -> Option<f64> {
        let over_start = |count: u64| percent(count.into(), self.at_start.into());
        match definition {
            ChurnDefinition::Standard => over_start(self.lost_of_start),
            ChurnDefinition::AllDepartures => over_start(self.departures()),
            ChurnDefinition::OverStartPlusNew => {
                percent((self.lost_of_start + self.lost_of_joined).into(), (self.at_start + self.joined).into())
            }
            ChurnDefinition::DailySum => {
                let of_day = |day: &Day| percent(day.departures.into(), day.at_start.into());
                self.days.iter().filter_map(of_day).fold(None, |sum, rate| Some(sum.unwrap_or(0.0) + rate))
            }
        }
    }

    /// Churn as a share of customers, for its interval and for comparisons. `None` over nobody, and for definitions
    /// that count departures instead.
    pub fn proportion(&self, definition: ChurnDefinition) -> Option<Proportion> {
        match definition {
            ChurnDefinition::Standard => Proportion::new(self.lost_of_start, self.at_start),
            ChurnDefinition::OverStartPlusNew => {
                Proportion::new(self.lost_of_start + self.lost_of_joined, self.at_start + self.joined)
            }
            ChurnDefinition::AllDepartures | ChurnDefinition::DailySum => None,
        }
    }

    /// Of those active at the start, those active at the end too, in percent: 100 − standard churn.
    pub fn retention(&self) -> Option<f64> {
        percent((self.at_start - self.lost_of_start).into(), self.at_start.into())
    }

    fn count(&mut self, customer: &Presence, change: fn(&mut u64)) {
        let (start, end) = (self.bounds[0], self.bounds[self.days.len()]);
        let (was, is) = (customer.is_active(start), customer.is_active(end));
        let came = customer.spans().iter().any(|span| start < span.start && span.start <= end);
        if was {
            change(&mut self.at_start);
        } else if came {
            change(&mut self.joined);
        }
        match (was, came, is) {
            (true, _, false) => change(&mut self.lost_of_start),
            (false, true, false) => change(&mut self.lost_of_joined),
            _ => {}
        }
        for span in customer.spans() {
            let first = self.bounds.partition_point(|bound| *bound < span.start);
            let after = self.bounds.partition_point(|bound| *bound < span.end);
            let last = after.min(self.days.len());
            self.days[first.min(last)..last].iter_mut().for_each(|day| change(&mut day.at_start));
            // Of the day that began before the departure: the departure may be its last instant.
            if let Some(day) = after.checked_sub(1).and_then(|day| self.days.get_mut(day)) {
                change(&mut day.departures);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(bounds: impl IntoIterator<Item = i64>, customers: &[Vec<(i64, Option<i64>)>]) -> ChurnTally {
        let mut tally = ChurnTally::new(bounds.into_iter().collect()).unwrap();
        customers.iter().for_each(|customer| tally.add(&Presence::by_contract(customer.iter().copied())));
        tally
    }

    #[test]
    fn reference_example() {
        let mut customers = vec![vec![(-9, None)]; 89];
        customers.extend(vec![vec![(-9, Some(12))]; 10]);
        customers.extend([vec![(-9, Some(5)), (8, None)], vec![(3, Some(20))]]);
        let month = tally(0..=30, &customers);
        assert_eq!((month.at_start(), month.joined(), month.departures()), (100, 1, 12));
        let rates = ChurnDefinition::ALL.map(|definition| month.rate(definition).unwrap());
        assert_eq!(rates[..3], [10.0, 12.0, 100.0 * 11.0 / 101.0]);
        // 101 at the starts of the days that end at 5 (one had joined) and at 12 (one was back), 91 before 20.
        let daily = 100.0 * (11.0 / 101.0 + 1.0 / 91.0);
        assert!((rates[3] - daily).abs() < 1e-12, "{} {daily}", rates[3]);
    }

    #[test]
    fn days_are_counted_at_their_starts() {
        // Two at the start of day 0; one leaves at its last instant, one in the middle of day 1.
        let two_days = tally([0, 10, 20], &[vec![(-5, Some(10))], vec![(-5, Some(15))]]);
        assert_eq!(two_days.rate(ChurnDefinition::DailySum), Some(50.0 + 100.0));
        assert_eq!(two_days.rate(ChurnDefinition::AllDepartures), Some(100.0));
        // Who leaves at the start has left before; who leaves at the end leaves within.
        let edges = tally([0, 10], &[vec![(-5, Some(0))], vec![(-5, Some(10))], vec![(10, None)], vec![(0, None)]]);
        assert_eq!((edges.at_start(), edges.joined(), edges.departures()), (2, 1, 1));
        assert_eq!(edges.rate(ChurnDefinition::Standard), Some(50.0));
        // Joined and left within one day: nobody was there at its start.
        let hour = tally([0, 10], &[vec![(3, Some(4))]]);
        let rates = ChurnDefinition::ALL.map(|definition| hour.rate(definition));
        assert_eq!(rates, [None, None, Some(100.0), None]);
    }

    #[test]
    fn nobody_all_and_no_days() {
        for bounds in [vec![], vec![1], vec![1, 1], vec![2, 1]] {
            assert_eq!(ChurnTally::new(bounds), None);
        }
        let nobody = tally(0..=3, &[]);
        assert_eq!(ChurnDefinition::ALL.map(|definition| nobody.rate(definition)), [None; 4]);
        assert_eq!((nobody.retention(), nobody.proportion(ChurnDefinition::Standard)), (None, None));
        let all = tally(0..=1, &[vec![(-1, Some(1))], vec![(-2, Some(1))]]);
        assert_eq!(ChurnDefinition::ALL.map(|definition| all.rate(definition)), [Some(100.0); 4]);
        assert_eq!(all.retention(), Some(0.0));
    }

    #[test]
    fn who_stays_is_counted_without_being_looked_at() {
        let mut some = tally(0..=30, &[vec![(-9, Some(12))]]);
        some.stay(3);
        let all = [vec![vec![(-9, None)]; 3], vec![vec![(-9, Some(12))]]].concat();
        assert_eq!(some, tally(0..=30, &all));
        assert_eq!((some.lost_of_start(), some.lost_of_joined()), (1, 0));
    }

    #[test]
    fn definitions_are_found_by_name() {
        for definition in ChurnDefinition::ALL {
            assert_eq!(ChurnDefinition::parse(definition.name()), Some(definition));
        }
        assert_eq!(ChurnDefinition::parse("churn"), None);
    }

    fn customers() -> impl Strategy<Value = Vec<Vec<(i64, Option<i64>)>>> {
        prop::collection::vec(prop::collection::vec((-20_i64..60, prop::option::of(-20_i64..60)), 0..5), 0..30)
    }

    proptest! {
        #[test]
        fn who_was_there_and_who_came_make_up_who_is_there(customers in customers()) {
            let tally = tally((0..=40).step_by(8), &customers);
            let there = |at: i64| {
                let customers = customers.iter().map(|customer| Presence::by_contract(customer.iter().copied()));
                customers.filter(|customer| customer.is_active(at)).count() as u64
            };
            prop_assert_eq!(tally.at_start(), there(0));
            let stayed = tally.at_start() + tally.joined() - tally.lost_of_start - tally.lost_of_joined;
            prop_assert_eq!(stayed, there(40));
            for (day, bound) in tally.days.iter().zip(&tally.bounds) {
                prop_assert_eq!(day.at_start, there(*bound));
            }
            prop_assert!(tally.departures() >= tally.lost_of_start + tally.lost_of_joined);
            if let (Some(churn), Some(retention)) = (tally.rate(ChurnDefinition::Standard), tally.retention()) {
                prop_assert!((churn + retention - 100.0).abs() < 1e-12);
                let share = tally.proportion(ChurnDefinition::Standard);
                prop_assert_eq!(share.map(Proportion::size), Some(there(0) as f64));
            }
        }

        #[test]
        fn tallies_add_up_and_forget(customers in customers(), cut in 0_usize..30) {
            let (left, right) = customers.split_at(cut.min(customers.len()));
            let whole = tally(0..=40, &customers);
            let mut merged = tally(0..=40, left);
            prop_assert!(merged.merge(&tally(0..=40, right)));
            prop_assert_eq!(&merged, &whole);
            left.iter().for_each(|customer| merged.remove(&Presence::by_contract(customer.iter().copied())));
            prop_assert_eq!(&merged, &tally(0..=40, right));
            prop_assert!(!merged.merge(&tally(0..=41, right)));
            prop_assert_eq!(&merged, &tally(0..=40, right));
        }
    }
}
