//! Measures of complaints: how they went, what was promised and done, and what became of whom.

pub(crate) mod cases;
pub(crate) mod claims;
pub(crate) mod clocks;
pub(crate) mod courses;
pub(crate) mod escalations;
pub(crate) mod follow_ups;
pub(crate) mod handed;
pub(crate) mod outcomes;
pub(crate) mod promises;
pub(crate) mod rates;
pub(crate) mod recovery;
