//! Dimensions of subscriptions, and of how they end.

use std::borrow::Cow;

use super::{Found, Labels, Reader, column, of_customer, own};
use crate::columns::{Facts, dictionary::Column, subscriptions::VOLUNTARY};

/// Of the events that subscriptions run on after.
pub(super) fn of_subscriptions<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let subscriptions = &facts.subscriptions;
    let carried = |column: &'f Column| {
        let codes = 0..u32::try_from(column.dictionary.len()).unwrap_or(u32::MAX);
        let reader = Reader::Through { numbers: Cow::Owned(subscriptions.carried(column)), codes: codes.collect() };
        Some((reader, Labels::Dictionary(&column.dictionary)))
    };
    match name {
        "currency" => column(&subscriptions.currency),
        "plan" => carried(&subscriptions.plan),
        _ => of_customer(facts, Cow::Borrowed(&subscriptions.customers), name)
            .or_else(|| carried(subscriptions.declared.find(name)?)),
    }
}

/// Of cancellations.
pub(super) fn of_endings<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let subscriptions = &facts.subscriptions;
    match name {
        "reason" => column(&subscriptions.reason),
        "voluntary" => Some((Reader::Choice(subscriptions.voluntary.codes()), own(&VOLUNTARY))),
        _ => of_subscriptions(facts, name),
    }
}
