//! The clocks of a case: until when something must have happened, how much of that time is used, and why.
//!
//! Everything here is a pure fold over the history of a case: the same history gives the same clocks, at any instant that
//! is asked for, whenever it is asked. `clock.proto` is the manual of what each clock waits for and what each unit counts.
//!
//! A clock counts what its unit measures over every moment in which it neither stands still nor is the case resolved, each
//! by the calendar then in force. Minutes are counted as they pass. A day is counted in the one moment in which it ends, if
//! the clock runs just before; so a pause takes from a clock exactly the days whose end it covers, and moves what is due in
//! days by as many. No date is counted twice, and the date of the start not at all.

mod entries;
mod explanation;
mod fold;
mod history;
mod kept;
mod meter;
mod render;
mod scene;
mod target;
#[cfg(test)]
mod tests;

pub use self::{
    entries::{Entry, events},
    explanation::{Reason, Stretch},
    fold::{Clock, State},
    history::{Dated, Desk, Event, History, Message, PolicyVersion, Renewal, Terms, Version, Wait},
    kept::{Kept, Ran},
    meter::Amount,
    target::{ClockTarget, Kind, Pauses, Target, Unit},
};
