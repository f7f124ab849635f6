//! A simulated company: customers who buy, complain, answer surveys, stay or go, and the true figures of all of it.
//!
//! For two years the service is good, but for some months in the middle: deliveries come late, complaints pile up and
//! wait for answers, customers are less satisfied, recommend less, and leave. Afterwards it recovers. Nothing of this is
//! written into the facts directly: there is one quality of service by day, and each customer's mood, which it moves.
//!
//! The same [`Parameters`] give the same company, byte by byte, on every machine: chance comes from [`chance`] and all
//! arithmetic is on whole numbers. A customer's life depends on nothing but the seed, its number and the end of time, so
//! that a larger company begins with the customers of a smaller one. Lives are made one at a time, in constant memory.
//!
//! A [`Life`] is made of plain facts. [`rows`] puts them into the words of the contract, ready to be imported; [`Truth`]
//! counts them, by code that has nothing in common with the suite's.

pub mod chance;
pub mod company;
pub mod histories;
pub mod life;
pub mod rows;
pub mod timeline;
pub mod truth;

pub use crate::{life::Life, timeline::Timeline, truth::Truth};

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// What a company follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// How many customers it had in the two years.
    pub customers: u32,
    /// Chooses one of the possible companies.
    pub seed: u64,
    /// The end of time; the two years are the 24 calendar months (UTC) that end with the one of this instant.
    pub until: Micros,
}

/// A company.
#[derive(Clone, Debug)]
pub struct Company {
    parameters: Parameters,
    timeline: Timeline,
}

impl Company {
    /// The company that follows from the parameters; none when the end of time is not within the years 1970 to 9998.
    pub fn new(parameters: Parameters) -> Option<Self> {
        Some(Self { timeline: Timeline::new(parameters.until)?, parameters })
    }

    /// What it follows from.
    pub fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// Its two years.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The lives of all its customers, made one after another.
    pub fn lives(&self) -> impl Iterator<Item = Life> {
        (0..self.parameters.customers).map(|number| self.life(number))
    }

    /// The life of one customer.
    pub fn life(&self, number: u32) -> Life {
        Life::new(&self.timeline, self.parameters.seed, number)
    }

    /// The true figures of the company.
    pub fn truth(&self) -> Truth {
        let mut truth = Truth::new(&self.timeline);
        self.lives().for_each(|life| truth.count(&life));
        truth.facts.insert("cost", rows::costs(self).count() as u64);
        truth
    }
}
