//! Dimensions of surveys: of answers, and of invitations to give them.

use std::borrow::Cow;

use super::{Found, Labels, Reader, column, of_customer, own, own_code};
use crate::{
    columns::{Facts, dictionary::EMPTY, surveys::Survey},
    rules::scale::Scale,
};

pub(super) fn of_responses<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let responses = &facts.responses;
    match name {
        "language" => column(&responses.language),
        "channel" => column(&responses.channel),
        "touchpoint" => column(&responses.touchpoint),
        "journey_stage" => column(&responses.journey_stage),
        "disposition" => column(&responses.disposition),
        "score" => {
            let texts = std::iter::once(String::new()).chain((0..=10).map(|score: u8| score.to_string()));
            Some((Reader::Score(&responses.scores), Labels::Own(texts.collect())))
        }
        "category" => {
            let is_recommend =
                |survey: &Option<Survey>| survey.as_ref().is_some_and(|survey| survey.scale() == Scale::Nps);
            let recommend = facts.surveys.as_slice().iter().map(is_recommend).collect();
            let reader = Reader::Category { scores: &responses.scores, surveys: &responses.surveys, recommend };
            Some((reader, own(&["", "promoter", "passive", "detractor"])))
        }
        _ => of_survey(facts, &responses.surveys, name)
            .or_else(|| of_customer(facts, Cow::Borrowed(&responses.customers), name))
            .or_else(|| column(responses.declared.find(name)?)),
    }
}

pub(super) fn of_invitations<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let invitations = &facts.invitations;
    match name {
        "language" => column(&invitations.language),
        "channel" => column(&invitations.channel),
        "touchpoint" => column(&invitations.touchpoint),
        "journey_stage" => column(&invitations.journey_stage),
        _ => of_survey(facts, &invitations.surveys, name)
            .or_else(|| of_customer(facts, Cow::Borrowed(&invitations.customers), name))
            .or_else(|| column(invitations.declared.find(name)?)),
    }
}

/// What the survey of each row is.
fn of_survey<'f>(facts: &'f Facts, surveys: &'f [u32], name: &str) -> Found<'f> {
    let text: fn(&Survey) -> &str = match name {
        "survey" => |survey| &survey.name,
        "survey_type" => |survey| if survey.transactional { "transactional" } else { "relational" },
        "survey_kind" => |survey| match survey.scale() {
            Scale::Nps => "nps",
            Scale::Csat => "csat",
            Scale::Ces => "ces",
        },
        _ => return None,
    };
    let mut texts = vec![String::new()];
    let known = facts.surveys.as_slice().iter();
    let codes =
        known.map(|survey| survey.as_ref().map_or(EMPTY, |survey| own_code(&mut texts, text(survey).to_owned())));
    let reader = Reader::OfSurvey { codes: codes.collect(), surveys };
    Some((reader, Labels::Own(texts)))
}
