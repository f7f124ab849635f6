//! Measures of answers, and of who was asked for one.

pub(crate) mod answers;
pub(crate) mod consistency;
pub(crate) mod invitations;
