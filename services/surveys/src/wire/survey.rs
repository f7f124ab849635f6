//! Surveys: message ⇄ row.

use std::collections::HashSet;

use barometer_chassis::door::Door;
use barometer_proto::surveys::v1::{self as wire, SurveyKind, SurveyType, fact, survey::State};

use crate::survey::{Declared, Model, Question};

/// A new survey; ids, positions and times are the writer's.
pub(crate) fn parse_survey(door: &mut Door, message: wire::Survey, actor: String) -> Model {
    let wire::Survey {
        name,
        kind,
        r#type,
        question,
        dimensions,
        survey_id: _,
        state: _,
        etag: _,
        create_time: _,
        update_time: _,
        position: _,
    } = message;
    let name = door.required_text("name", name, 128);
    let kind: SurveyKind = door.choice("kind", kind);
    let survey_type: SurveyType = door.choice("type", r#type);
    if question.len() > 64 {
        door.refuse("question", "TOO_MANY", "at most 64 languages");
    }
    for (language, text) in &question {
        let field = format!("question.{language}");
        if language.is_empty() {
            door.missing("question");
        }
        door.language(&field, language.clone());
        door.required_text(&field, text.clone(), 2_000);
    }
    let mut seen = HashSet::new();
    let dimensions = door.each("dimensions", dimensions, 16, |door, key| {
        door.dimension_key("", &key);
        if !seen.insert(key.clone()) {
            door.refuse("", "REPEATED", "is named twice");
        }
        key
    });
    Model {
        id: uuid::Uuid::nil(),
        number: 0,
        position: 0,
        version: 0,
        name,
        kind: kind.into(),
        survey_type: survey_type.into(),
        state: State::Draft.into(),
        question: Question(question),
        dimensions: Declared(dimensions),
        actor,
        create_time: Default::default(),
        update_time: Default::default(),
    }
}

/// A survey for callers.
pub(crate) fn render_survey(row: Model, position: String) -> wire::Survey {
    let Model {
        id,
        number: _,
        position: _,
        version,
        name,
        kind,
        survey_type,
        state,
        question,
        dimensions,
        actor: _,
        create_time,
        update_time,
    } = row;
    wire::Survey {
        survey_id: id.to_string(),
        name,
        kind,
        r#type: survey_type,
        question: question.0,
        dimensions: dimensions.0,
        state,
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        position,
    }
}

/// A survey for watchers.
pub(crate) fn survey_fact(row: Model) -> wire::Fact {
    let survey = wire::SurveyFact { name: row.name, kind: row.kind, r#type: row.survey_type };
    super::fact(row.id, row.number, row.version, row.update_time, fact::Fact::Survey(survey))
}
