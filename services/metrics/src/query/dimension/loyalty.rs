//! Dimensions of the loyalty programme, of referrals and of costs.

use std::borrow::Cow;

use super::{Found, column, of_customer};
use crate::columns::Facts;

pub(super) fn of_memberships<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let memberships = &facts.memberships;
    match name {
        "campaign" => column(&memberships.campaign),
        "channel" => column(&memberships.channel),
        "currency" => column(&memberships.currency),
        "programme" => column(&memberships.programme),
        "reason" => column(&memberships.reason),
        _ => of_customer(facts, Cow::Borrowed(&memberships.customers), name)
            .or_else(|| column(memberships.declared.find(name)?)),
    }
}

pub(super) fn of_referrals<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let referrals = &facts.referrals;
    match name {
        "campaign" => column(&referrals.campaign),
        "channel" => column(&referrals.channel),
        "currency" => column(&referrals.currency),
        _ => of_customer(facts, Cow::Borrowed(&referrals.customers), name)
            .or_else(|| column(referrals.declared.find(name)?)),
    }
}

pub(super) fn of_costs<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let costs = &facts.costs;
    match name {
        "campaign" => column(&costs.campaign),
        "channel" => column(&costs.channel),
        "currency" => column(&costs.currency),
        "team" => column(&costs.team),
        _ => column(costs.declared.find(name)?),
    }
}
