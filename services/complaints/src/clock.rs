//! The clocks of a case: until when something must have happened, how much of that time is used, and why.
//!
//! Everything here is a pure fold over the history of a case: the same history gives the same clocks, at any instant that
//! is asked for, whenever it is asked. `clock.proto` is the manual of what each clock waits for and what each unit counts.

mod target;

pub use target::{ClockTarget, Kind, Pauses, Target, Unit};
