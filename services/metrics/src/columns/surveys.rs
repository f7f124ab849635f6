//! Surveys.

use barometer_proto::surveys::v1::{SurveyFact, SurveyKind, SurveyType};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Stamp, Unreadable,
    people::Ids,
    rows::{Rows, put},
    uuid,
};
use crate::rules::scale::Scale;

/// All surveys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Surveys {
    pub(super) rows: Rows,
    /// The survey of each row, as its number.
    numbers: Vec<u32>,
    ids: Ids,
    /// By number. Answers may come before their survey, which is nothing until then.
    surveys: Vec<Option<Survey>>,
}

/// What figures need of a survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Survey {
    /// Its name.
    pub(crate) name: String,
    kind: Kind,
    /// Whether it is about one event, and not about the relation.
    pub(crate) transactional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Nps,
    Csat,
    Ces,
}

impl Survey {
    /// The scale of its scores.
    pub(crate) fn scale(&self) -> Scale {
        match self.kind {
            Kind::Nps => Scale::Nps,
            Kind::Csat => Scale::Csat,
            Kind::Ces => Scale::Ces,
        }
    }
}

impl Surveys {
    /// Puts in a survey, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: SurveyFact) -> Result<(), Unreadable> {
        let SurveyFact { name, kind, r#type } = fact;
        let kind = match SurveyKind::try_from(kind) {
            Ok(SurveyKind::Nps) => Kind::Nps,
            Ok(SurveyKind::Csat) => Kind::Csat,
            Ok(SurveyKind::Ces) => Kind::Ces,
            Ok(SurveyKind::Unspecified) | Err(_) => return Err(Unreadable("kind")),
        };
        let transactional = match SurveyType::try_from(r#type) {
            Ok(SurveyType::Relational) => false,
            Ok(SurveyType::Transactional) => true,
            Ok(SurveyType::Unspecified) | Err(_) => return Err(Unreadable("type")),
        };
        let number = self.number_of(stamp.id);
        if let Some(row) = self.rows.claim(stamp) {
            put(&mut self.numbers, row, number);
            self.surveys[number as usize] = Some(Survey { name, kind, transactional });
        }
        Ok(())
    }

    /// Takes a survey out, and its answers with it.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        let number = self.number_of(stamp.id);
        if let Some(row) = self.rows.claim(stamp) {
            put(&mut self.numbers, row, number);
            self.surveys[number as usize] = None;
        }
    }

    /// The number of a survey, a new one if need be.
    pub(crate) fn number(&mut self, id: &str) -> Result<u32, Unreadable> {
        Ok(self.number_of(uuid(id).ok_or(Unreadable("survey_id"))?))
    }

    /// A survey by its id, if it is known.
    pub(crate) fn find(&self, id: Uuid) -> Option<&Survey> {
        self.surveys.get(self.ids.find(id)? as usize)?.as_ref()
    }

    /// The surveys by number; nothing where only answers are known.
    pub(crate) fn as_slice(&self) -> &[Option<Survey>] {
        &self.surveys
    }

    /// How many are known.
    pub(crate) fn live(&self) -> usize {
        self.surveys.iter().flatten().count()
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.ids.restore();
    }

    fn number_of(&mut self, id: Uuid) -> u32 {
        let number = self.ids.number(id);
        if number as usize >= self.surveys.len() {
            self.surveys.resize(number as usize + 1, None);
        }
        number
    }
}
