//! Clocks against facts.
