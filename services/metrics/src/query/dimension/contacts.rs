//! Dimensions of contacts with customers.

use std::borrow::Cow;

use super::{Found, Reader, column, of_customer, own};
use crate::columns::{Facts, interactions::DIRECTIONS};

pub(super) fn of_contacts<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let contacts = &facts.interactions;
    match name {
        "campaign" => column(&contacts.campaign),
        "channel" => column(&contacts.channel),
        "direction" => Some((Reader::Choice(contacts.direction.codes()), own(&DIRECTIONS))),
        "employee" => column(&contacts.employee),
        "exit_page" => column(&contacts.exit_page),
        "journey_stage" => column(&contacts.journey_stage),
        "landing_page" => column(&contacts.landing_page),
        "outcome" => column(&contacts.outcome),
        "team" => column(&contacts.team),
        "touchpoint" => column(&contacts.touchpoint),
        _ => of_customer(facts, Cow::Borrowed(&contacts.customers), name)
            .or_else(|| column(contacts.declared.find(name)?)),
    }
}
