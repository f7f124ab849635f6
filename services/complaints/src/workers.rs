//! Workers: what each replica does without being asked, for as long as the process runs.

pub(crate) mod appraiser;
pub(crate) mod erasures;
pub(crate) mod incidents;
pub(crate) mod keeper;
pub(crate) mod surveys;
pub(crate) mod sweep;
pub(crate) mod watch;
