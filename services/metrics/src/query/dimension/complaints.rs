//! Dimensions of complaints, and of what belongs to them.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Found, Labels, Reader, column, of_customer, own, own_code};
use crate::columns::{
    Facts,
    cases::{ACCEPTANCES, FINDINGS, KINDS, PRIORITIES, SEVERITIES, STATES},
    choice::Choice,
    clocks::CLOCKS,
    dictionary::{Column, EMPTY},
    escalations::CLIMBERS,
    redresses::REMEDIES,
};

pub(super) fn of_cases<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let cases = &facts.cases;
    match name {
        "acceptance" => choice(&cases.acceptance, &ACCEPTANCES),
        "case_state" => choice(&cases.state, &STATES),
        "category" => column(&cases.category),
        "category_1" => path(&cases.category, 1),
        "category_2" => path(&cases.category, 2),
        "channel" => column(&cases.channel),
        "employee" => column(&cases.employee),
        "finding" => choice(&cases.finding, &FINDINGS),
        "journey_stage" => column(&cases.journey_stage),
        "kind" => choice(&cases.kind, &KINDS),
        "policy" => column(&cases.policy),
        "priority" => choice(&cases.priority, &PRIORITIES),
        "product" => column(&cases.product),
        "remedy_sought" => choice(&cases.remedy_sought, &REMEDIES),
        "root_cause" => column(&cases.root_cause),
        "root_cause_1" => path(&cases.root_cause, 1),
        "root_cause_2" => path(&cases.root_cause, 2),
        "severity" => choice(&cases.severity, &SEVERITIES),
        "team" => column(&cases.team),
        "touchpoint" => column(&cases.touchpoint),
        "value_band" => column(&cases.value_band),
        _ => of_customer(facts, Cow::Borrowed(&cases.customers), name).or_else(|| column(cases.declared.find(name)?)),
    }
}

pub(super) fn of_hand_offs<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let hand_offs = &facts.cases.hand_offs;
    match name {
        "employee" => column(&hand_offs.employee),
        "team" => column(&hand_offs.team),
        "to_employee" => column(&hand_offs.to_employee),
        "to_team" => column(&hand_offs.to_team),
        _ => of_case(facts, &hand_offs.cases, name),
    }
}

pub(super) fn of_redresses<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let redresses = &facts.cases.redresses;
    match name {
        "currency" => column(&redresses.currency),
        "remedy" => choice(&redresses.remedy, &REMEDIES),
        _ => of_case(facts, &redresses.cases, name),
    }
}

pub(super) fn of_clocks<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let clocks = &facts.clocks;
    match name {
        "clock" => choice(&clocks.kind, &CLOCKS),
        "policy" => column(&clocks.policy),
        _ => of_case(facts, &clocks.cases, name),
    }
}

pub(super) fn of_promises<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let promises = &facts.promises;
    match name {
        "employee" => column(&promises.employee),
        "team" => column(&promises.team),
        _ => of_customer(facts, Cow::Borrowed(&promises.customers), name),
    }
}

pub(super) fn of_follow_ups<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let follow_ups = &facts.follow_ups;
    match name {
        "survey" => {
            let mut texts = vec![String::new()];
            let surveys = follow_ups.survey_ids.as_slice().iter().map(|id| facts.surveys.find(*id));
            let codes = surveys.map(|survey| survey.map_or(EMPTY, |survey| own_code(&mut texts, survey.name.clone())));
            let reader = Reader::Through { numbers: Cow::Borrowed(&follow_ups.surveys), codes: codes.collect() };
            Some((reader, Labels::Own(texts)))
        }
        _ => of_customer(facts, Cow::Borrowed(&follow_ups.customers), name),
    }
}

pub(super) fn of_claims<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let claims = &facts.claims;
    match name {
        "employee" => column(&claims.employee),
        "team" => column(&claims.team),
        _ => of_case(facts, &claims.cases, name),
    }
}

pub(super) fn of_escalations<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let escalations = &facts.escalations;
    match name {
        "clock" => choice(&escalations.clock, &CLIMBERS),
        "policy" => column(&escalations.policy),
        _ => of_case(facts, &escalations.cases, name),
    }
}

/// What the case of each row has.
fn of_case<'f>(facts: &'f Facts, cases: &'f [u32], name: &str) -> Found<'f> {
    let (reader, labels) = of_cases(facts, name)?;
    Some((Reader::OfCase { cases, reader: Box::new(reader) }, labels))
}

fn choice<'f>(choice: &'f Choice, names: &[&str]) -> Found<'f> {
    Some((Reader::Choice(choice.codes()), own(names)))
}

/// The first parts of paths in a tree: of `carrier/strike/rail` the first two are `carrier/strike`.
fn path(column: &Column, parts: usize) -> Found<'_> {
    let (mut texts, mut known) = (vec![String::new()], BTreeMap::from([("", EMPTY)]));
    let dictionary = &column.dictionary;
    let codes = (0..u32::try_from(dictionary.len()).unwrap_or(u32::MAX)).map(|code| {
        let text = dictionary.text(code);
        let end = text.match_indices('/').nth(parts - 1).map_or(text.len(), |(at, _)| at);
        *known.entry(&text[..end]).or_insert_with(|| {
            texts.push(text[..end].to_owned());
            u32::try_from(texts.len() - 1).unwrap_or(EMPTY)
        })
    });
    let codes = codes.collect();
    Some((Reader::Through { numbers: Cow::Borrowed(column.codes()), codes }, Labels::Own(texts)))
}
