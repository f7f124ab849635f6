//! Contacts between customers and the company.

use barometer_proto::customers::v1::InteractionFact;
use prost_types::Duration;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    customer,
    declared::Declared,
    dictionary::Column,
    instant, micros,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    timelines::Timelines,
    times::{NEVER, Times},
};

/// Who turned to whom, as the contract numbers it.
pub(crate) const DIRECTIONS: [&str; 3] = ["", "inbound", "outbound"];
const INBOUND: u8 = 1;
const OUTBOUND: u8 = 2;
/// The working time, or the cost, of a contact of which nobody told any.
const UNTOLD: i64 = -1;

/// All contacts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Interactions {
    pub(crate) rows: Rows,
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    pub(crate) direction: Choice,
    pub(crate) channel: Column,
    pub(crate) touchpoint: Column,
    pub(crate) journey_stage: Column,
    pub(crate) landing_page: Column,
    pub(crate) exit_page: Column,
    pub(crate) campaign: Column,
    pub(crate) employee: Column,
    pub(crate) team: Column,
    pub(crate) outcome: Column,
    /// Working time in microseconds; [`UNTOLD`] where there is none, as beyond the end.
    handling: Vec<i64>,
    /// What each cost by itself, in micro-units (1e-6) of its currency; [`UNTOLD`] as above.
    costs: Vec<i64>,
    pub(crate) currency: Column,
    pub(crate) declared: Declared,
    /// Of customers to the company, and the others.
    #[serde(skip)]
    timelines: [Timelines; 2],
}

impl Interactions {
    /// Puts in a contact, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: InteractionFact, people: &mut Ids) -> Result<(), Unreadable> {
        let InteractionFact {
            customer_id,
            time,
            channel,
            direction,
            touchpoint,
            journey_stage,
            landing_page,
            exit_page,
            campaign,
            handling_time,
            cost,
            employee,
            team,
            outcome,
            dimensions,
        } = fact;
        let customer = customer(people, &customer_id)?;
        let at = instant(time)?;
        let direction = known(direction, &DIRECTIONS, "direction")?;
        let handling = handling_time.map_or(Ok(UNTOLD), |time| span(&time))?;
        let (cost, currency) = match cost {
            Some(money) => (micros(&money)?, money.currency_code),
            None => (UNTOLD, String::new()),
        };
        if let Some(row) = self.rows.claim(stamp) {
            let before = self.sides(row);
            self.times.put(row, at, stamp.written);
            put(&mut self.customers, row, customer);
            self.direction.set(row, direction);
            self.note(row, before);
            put_told(&mut self.handling, row, handling);
            put_told(&mut self.costs, row, cost);
            let texts = [
                channel,
                touchpoint,
                journey_stage,
                landing_page,
                exit_page,
                campaign,
                employee,
                team,
                outcome,
                currency,
            ];
            self.columns().into_iter().zip(texts).for_each(|(column, text)| column.set(row, &text));
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a contact out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            let before = self.sides(row);
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            self.direction.set(row, 0);
            self.note(row, before);
            put_told(&mut self.handling, row, UNTOLD);
            put_told(&mut self.costs, row, UNTOLD);
            self.columns().into_iter().for_each(|column| column.set(row, ""));
            self.declared.set(row, &Default::default());
        }
    }

    /// Whether the customer turned to the company.
    pub(crate) fn is_inbound(&self, row: u32) -> bool {
        self.direction.get(row as usize) == INBOUND
    }

    /// Whether the company turned to the customer.
    pub(crate) fn is_outbound(&self, row: u32) -> bool {
        self.direction.get(row as usize) == OUTBOUND
    }

    /// How long somebody worked on it, in microseconds.
    pub(crate) fn handling(&self, row: u32) -> Option<i64> {
        self.handling.get(row as usize).copied().filter(|time| *time != UNTOLD)
    }

    /// What it cost by itself, in micro-units of its currency, if that was told.
    pub(crate) fn cost(&self, row: u32) -> Option<i64> {
        self.costs.get(row as usize).copied().filter(|cost| *cost != UNTOLD)
    }

    /// The instants at which customers turned to the company, of so many customers.
    pub(crate) fn inbound(&self, people: usize) -> &Timelines {
        self.side(0, people)
    }

    /// The instants of all other contacts, by customer.
    pub(crate) fn others(&self, people: usize) -> &Timelines {
        self.side(1, people)
    }

    fn side(&self, side: usize, people: usize) -> &Timelines {
        self.timelines[side].get(people, || (0..self.customers.len()).map(move |row| self.sides(row)[side]))
    }

    fn note(&mut self, row: usize, before: [(u32, i64); 2]) {
        let after = self.sides(row);
        for ((timelines, before), after) in self.timelines.iter_mut().zip(before).zip(after) {
            timelines.note(before, after);
        }
    }

    /// Whose contact is in a row, and when: on the side on which it is, nobody's on the other.
    fn sides(&self, row: usize) -> [(u32, i64); 2] {
        let nothing = (NOBODY, NEVER);
        let contact = self.customers.get(row).map_or(nothing, |customer| (*customer, self.times.at(row)));
        if self.direction.get(row) == INBOUND { [contact, nothing] } else { [nothing, contact] }
    }

    /// All rows.
    pub(crate) fn rows(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.customers.len()).unwrap_or(u32::MAX)
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.columns().into_iter().for_each(Column::restore);
        self.declared.restore();
    }

    fn columns(&mut self) -> [&mut Column; 10] {
        [
            &mut self.channel,
            &mut self.touchpoint,
            &mut self.journey_stage,
            &mut self.landing_page,
            &mut self.exit_page,
            &mut self.campaign,
            &mut self.employee,
            &mut self.team,
            &mut self.outcome,
            &mut self.currency,
        ]
    }
}

/// Writes a row of a column that is as long as the last row of which anything was told.
fn put_told(column: &mut Vec<i64>, row: usize, told: i64) {
    if row >= column.len() {
        if told == UNTOLD {
            return;
        }
        column.resize(row + 1, UNTOLD);
    }
    column[row] = told;
}

/// A length of time in microseconds, what is shorter cut off.
fn span(time: &Duration) -> Result<i64, Unreadable> {
    let Duration { seconds, nanos } = *time;
    let micros = seconds.checked_mul(1_000_000).and_then(|whole| whole.checked_add(i64::from(nanos) / 1_000));
    micros.filter(|micros| *micros >= 0 && nanos >= 0).ok_or(Unreadable("handling_time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_told_in_microseconds() {
        let told = |seconds, nanos| span(&Duration { seconds, nanos });
        assert_eq!((told(0, 0), told(90, 1_999)), (Ok(0), Ok(90_000_001)));
        for (seconds, nanos) in [(-1, 0), (0, -1), (1, -1), (i64::MAX, 0)] {
            assert_eq!(told(seconds, nanos), Err(Unreadable("handling_time")));
        }
    }
}
