//! Follow-ups: row → message.

use barometer_chassis::{
    clock::Micros,
    door::{Door, Page},
};
use barometer_proto::{
    complaints::v1::{self as wire, FollowUpOutcome, fact, get_follow_up_request::By},
    surveys::v1::{Category, SurveyKind},
};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::{
    follow_up::{Column, Model},
    store::FollowUpRef,
};

/// The most values that a filter names of each kind.
const MAX_VALUES: usize = 16;

/// Which follow-up is asked for.
pub(crate) fn parse_follow_up_ref(door: &mut Door, by: Option<By>) -> FollowUpRef {
    match by {
        Some(By::FollowUpId(id)) => FollowUpRef::Id(door.id("follow_up_id", &id)),
        Some(By::CaseId(id)) => FollowUpRef::Case(door.id("case_id", &id)),
        Some(By::ResponseId(id)) => FollowUpRef::Response(door.id("response_id", &id)),
        None => {
            door.missing("follow_up_id");
            FollowUpRef::Id(Uuid::nil())
        }
    }
}

/// The page and the filter of a list.
pub(crate) fn parse_list_follow_ups(door: &mut Door, request: wire::ListFollowUpsRequest) -> (Page, Condition) {
    let wire::ListFollowUpsRequest { page_size, page_token, customer_id, survey_id, outcomes, start_time, end_time } =
        request;
    let page = door.page(page_size, &page_token);
    let customer: Option<Uuid> = door.optional_id("customer_id", &customer_id);
    let survey: Option<Uuid> = door.optional_id("survey_id", &survey_id);
    let outcome = |door: &mut Door, outcome| i32::from(door.choice::<FollowUpOutcome>("", outcome));
    let outcomes: Vec<i32> = door.each("outcomes", outcomes, MAX_VALUES, outcome);
    let (start, end) = door.optional_span(("start_time", start_time), ("end_time", end_time));
    let filter = Condition::all()
        .add_option(customer.map(|id| Column::CustomerId.eq(id)))
        .add_option(survey.map(|id| Column::SurveyId.eq(id)))
        .add_option((!outcomes.is_empty()).then(|| Column::Outcome.is_in(outcomes)))
        .add_option(start.map(|at| Column::OpenTime.gte(at)))
        .add_option(end.map(|at| Column::OpenTime.lt(at)));
    (page, filter)
}

/// A follow-up for callers.
pub(crate) fn render_follow_up(row: Model, position: String) -> wire::FollowUp {
    let category = category(&row);
    let Model {
        id,
        number: _,
        position: _,
        version: _,
        case_id,
        customer_id,
        survey_id,
        response_id,
        score,
        survey_kind: _,
        response_time,
        at_most: _,
        rule_set_version,
        rule_name,
        open_time,
        window_end_time,
        outcome,
        close_time,
        closing_response_id,
        closing_score,
        next_time: _,
        update_time,
    } = row;
    wire::FollowUp {
        follow_up_id: id.to_string(),
        case_id: case_id.to_string(),
        customer_id: customer_id.to_string(),
        survey_id: survey_id.to_string(),
        response_id: response_id.to_string(),
        score,
        category: category.into(),
        response_time: Some(response_time.to_wire()),
        rule_name,
        rule_set_version,
        open_time: Some(open_time.to_wire()),
        window_end_time: Some(window_end_time.to_wire()),
        outcome,
        close_time: close_time.map(Micros::to_wire),
        closing_response_id: closing_response_id.map(|id| id.to_string()).unwrap_or_default(),
        closing_score,
        update_time: Some(update_time.to_wire()),
        position,
    }
}

/// A follow-up for watchers.
pub(crate) fn follow_up_fact(row: Model) -> wire::Fact {
    let follow_up = wire::FollowUpFact {
        case_id: row.case_id.to_string(),
        customer_id: row.customer_id.to_string(),
        survey_id: row.survey_id.to_string(),
        response_id: row.response_id.to_string(),
        score: row.score,
        category: category(&row).into(),
        response_time: Some(row.response_time.to_wire()),
        open_time: Some(row.open_time.to_wire()),
        outcome: row.outcome,
        close_time: row.close_time.map(Micros::to_wire),
        closing_response_id: row.closing_response_id.map(|id| id.to_string()).unwrap_or_default(),
        closing_score: row.closing_score,
    };
    super::fact(row.id, row.number, row.version, row.update_time, fact::Fact::FollowUp(follow_up))
}

/// Where the score stands on the scale of its survey.
fn category(row: &Model) -> Category {
    match (SurveyKind::try_from(row.survey_kind).unwrap_or_default(), row.score) {
        (SurveyKind::Nps, 9..) => Category::Promoter,
        (SurveyKind::Nps, 7 | 8) => Category::Passive,
        (SurveyKind::Nps, _) => Category::Detractor,
        _ => Category::Unspecified,
    }
}
