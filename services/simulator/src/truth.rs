//! The true figures of a company, counted life by life. Nothing here is shared with the suite: it counts what happened,
//! in the simplest way, so that the suite's figures can be held against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
};

use crate::{
    Life, Micros, Timeline,
    company::Survey,
    life::{Answer, Case},
    timeline::{DAY, MONTHS},
};

/// Days after a sale for which a customer counts as active.
pub const ACTIVE_DAYS: i64 = 90;
/// How soon a complaint is to be answered.
pub const ANSWER_WITHIN: Micros = DAY;

/// The true figures. Months are ordinals of the [`Timeline`].
#[derive(Clone, Debug)]
pub struct Truth {
    timeline: Timeline,
    /// Answers by survey, month and channel.
    pub answers: BTreeMap<(Survey, usize, &'static str), Scores>,
    /// Answers by survey and the tier at that time; empty for those in none and for the anonymous.
    pub answers_of_tiers: BTreeMap<(Survey, &'static str), Scores>,
    /// Deliveries that were asked about, by whether they were late.
    pub deliveries: BTreeMap<bool, Scores>,
    /// Sales and returns by month and currency.
    pub revenue: BTreeMap<(usize, &'static str), Revenue>,
    /// What was sold and taken back in cents, by category and currency.
    pub categories: BTreeMap<(&'static str, &'static str), i64>,
    /// Customers and what they do, by month.
    pub months: Vec<Month>,
    /// Customers who bought in a month, by the month of their first sale and the months since.
    pub cohorts: BTreeMap<(usize, usize), u64>,
    /// Complaints by month and category.
    pub cases: BTreeMap<(usize, &'static str), Cases>,
    /// Facts by kind, as they are imported.
    pub facts: BTreeMap<&'static str, u64>,
}

/// Answers by score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// How many there are of each score.
    pub scores: BTreeMap<i64, u64>,
    /// How many have none.
    pub blank: u64,
}

/// What was sold and taken back in a month. Amounts are cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revenue {
    /// Number of sales.
    pub sales: u64,
    /// Number of returns.
    pub returns: u64,
    /// What was sold.
    pub gross: i64,
    /// What was taken back; negative.
    pub returned: i64,
}

/// Customers in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Known at its end.
    pub customers: u64,
    /// Customers since this month.
    pub new: u64,
    /// Who bought in it.
    pub buyers: u64,
    /// Who bought on two days of it.
    pub repeaters: u64,
    /// Who ever bought before its end.
    pub ever: u64,
    /// Active when it begins.
    pub active_at_start: u64,
    /// Active when it ends.
    pub active_at_end: u64,
    /// Active when it begins and not when it ends.
    pub churned: u64,
}

/// Complaints that came in in a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// How many.
    pub opened: u64,
    /// How many were answered within [`ANSWER_WITHIN`].
    pub in_time: u64,
    /// How long those waited that were answered; not in order.
    pub responses: Vec<Micros>,
    /// How long those took that were resolved, the first time; not in order.
    pub resolutions: Vec<Micros>,
}

impl Truth {
    /// Before anybody is counted.
    pub fn new(timeline: &Timeline) -> Self {
        Self {
            timeline: timeline.clone(),
            answers: BTreeMap::new(),
            answers_of_tiers: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            revenue: BTreeMap::new(),
            categories: BTreeMap::new(),
            months: vec![Month::default(); MONTHS],
            cohorts: BTreeMap::new(),
            cases: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }

    /// Counts a life, once.
    pub fn count(&mut self, life: &Life) {
        for (kind, facts) in [
            ("attribute_change", life.changes.len()),
            ("case", life.cases.len()),
            ("customer", 1),
            ("interaction", life.contacts.len()),
            ("membership_event", life.perks.len()),
            ("purchase", life.sales.len() + life.returns.len()),
            ("referral", life.referrals.len()),
            ("response", life.answers.len()),
            ("subscription_event", life.subscription.len()),
        ] {
            self.facts.entry(kind).or_default().add_assign(facts as u64);
        }
        self.count_money(life);
        self.count_months(life);
        life.answers.iter().for_each(|answer| self.count_answer(life, answer));
        life.cases.iter().for_each(|case| self.count_case(case));
    }

    /// Complaints of a month, of every category.
    pub fn cases_of(&self, month: usize) -> Cases {
        let mut all = Cases::default();
        for (_, cases) in self.cases.iter().filter(|((of, _), _)| *of == month) {
            all.opened += cases.opened;
            all.in_time += cases.in_time;
            all.responses.extend(&cases.responses);
            all.resolutions.extend(&cases.resolutions);
        }
        all
    }

    /// Answers of a month, by every channel.
    pub fn answers_of(&self, survey: Survey, month: usize) -> Scores {
        let mut all = Scores::default();
        for ((_, _, _), scores) in self.answers.iter().filter(|((of, in_, _), _)| (*of, *in_) == (survey, month)) {
            all.add(scores);
        }
        all
    }

    fn count_answer(&mut self, life: &Life, answer: &Answer) {
        let Some(month) = self.timeline.month(answer.at) else { return };
        let tier = if answer.anonymous { "" } else { life.tier(answer.at) };
        let deliveries = answer.late.map(|late| self.deliveries.entry(late).or_default());
        let counted = [
            self.answers.entry((answer.survey, month, answer.channel)).or_default(),
            self.answers_of_tiers.entry((answer.survey, tier)).or_default(),
        ];
        for scores in counted.into_iter().chain(deliveries) {
            match answer.score {
                Some(score) => *scores.scores.entry(score).or_default() += 1,
                None => scores.blank += 1,
            }
        }
    }

    fn count_money(&mut self, life: &Life) {
        for sale in &life.sales {
            let Some(month) = self.timeline.month(sale.at) else { continue };
            let revenue = self.revenue.entry((month, life.currency)).or_default();
            revenue.sales += 1;
            revenue.gross += sale.amount();
            for line in &sale.lines {
                *self.categories.entry((line.category, life.currency)).or_default() += line.amount();
            }
        }
        for taken_back in &life.returns {
            let Some(month) = self.timeline.month(taken_back.at) else { continue };
            let revenue = self.revenue.entry((month, life.currency)).or_default();
            revenue.returns += 1;
            for line in &life.sales[taken_back.sale].lines[taken_back.from_line..] {
                revenue.returned -= line.amount();
                *self.categories.entry((line.category, life.currency)).or_default() -= line.amount();
            }
        }
    }

    fn count_months(&mut self, life: &Life) {
        let sales: Vec<Micros> = life.sales.iter().map(|sale| sale.at).collect();
        let active = |at: Micros| sales.iter().any(|sale| (at - ACTIVE_DAYS * DAY..at).contains(sale));
        let first = sales.iter().min().and_then(|sale| self.timeline.month(*sale));
        for (month, counts) in self.months.iter_mut().enumerate() {
            let bounds = self.timeline.bounds(month);
            // Days since 1970, in UTC.
            let days: BTreeSet<i64> =
                sales.iter().filter(|sale| bounds.contains(sale)).map(|sale| sale.div_euclid(DAY)).collect();
            let (before, after) = (active(bounds.start), active(bounds.end));
            counts.customers += u64::from(life.since < bounds.end);
            counts.new += u64::from(bounds.contains(&life.since));
            counts.buyers += u64::from(!days.is_empty());
            counts.repeaters += u64::from(days.len() > 1);
            counts.ever += u64::from(sales.iter().any(|sale| *sale < bounds.end));
            counts.active_at_start += u64::from(before);
            counts.active_at_end += u64::from(after);
            counts.churned += u64::from(before && !after);
            if let Some(first) = first.filter(|_| !days.is_empty()) {
                *self.cohorts.entry((first, month - first)).or_default() += 1;
            }
        }
    }

    fn count_case(&mut self, case: &Case) {
        let Some(month) = self.timeline.month(case.opened) else { return };
        let cases = self.cases.entry((month, case.category)).or_default();
        cases.opened += 1;
        cases.in_time += u64::from(case.responded.is_some_and(|at| at - case.opened <= ANSWER_WITHIN));
        cases.responses.extend(case.responded.map(|at| at - case.opened));
        cases.resolutions.extend(case.resolved.map(|at| at - case.opened));
    }
}

impl Scores {
    /// How many have a score.
    pub fn scored(&self) -> u64 {
        self.scores.values().sum()
    }

    /// How many have a score from one to another, both included.
    pub fn from_to(&self, low: i64, high: i64) -> u64 {
        self.scores.range(low..=high).map(|(_, number)| number).sum()
    }

    /// Promoters, passives and detractors of the recommend question.
    pub fn recommend(&self) -> (u64, u64, u64) {
        (self.from_to(9, 10), self.from_to(7, 8), self.from_to(0, 6))
    }

    /// The sum of all scores.
    pub fn sum(&self) -> i64 {
        self.scores.iter().map(|(score, number)| score * number.cast_signed()).sum()
    }

    /// Adds others to these.
    pub fn add(&mut self, others: &Scores) {
        self.blank += others.blank;
        for (score, number) in &others.scores {
            *self.scores.entry(*score).or_default() += number;
        }
    }
}
