//! Which answers to surveys are followed up. Rules that know neither the wire nor the database.

use barometer_chassis::{clock::Micros, fingerprint};
use barometer_proto::surveys::v1::{SurveyKind, SurveyType};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most rules of a list.
pub const MAX_RULES: usize = 100;

/// An ordered list of rules, as it is published: the first that matches an answer decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct RuleList(pub Vec<Rule>);

/// Which answers open a follow-up, and whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in its list.
    pub name: String,
    /// What the survey asks, as [`SurveyKind`].
    pub survey_kind: i32,
    /// Of these types, as [`SurveyType`]; all when there are none.
    pub survey_types: Vec<i32>,
    /// These; all when there are none.
    pub survey_ids: Vec<Uuid>,
    /// The highest score that is followed up.
    pub at_most: i32,
    /// How many of a hundred answers.
    pub sample_percent: i32,
    /// How far apart two follow-ups of a customer are at least, in microseconds.
    pub waiting_time: i64,
    /// How long after it was opened a later answer closes the chain, in microseconds.
    pub window: i64,
    /// The oldest answer that opens something when it comes, in microseconds.
    pub max_age: i64,
    /// Whether imported answers are followed up.
    pub include_imported: bool,
    /// The team that gets the case.
    pub team: String,
    /// The employee who gets it.
    pub employee: String,
    /// Category of the case.
    pub category: String,
    /// Severity of the case, as `Severity`.
    pub severity: i32,
}

/// An answer that comes, as a rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Its id.
    pub response_id: Uuid,
    /// The survey,
    pub survey_id: Uuid,
    /// what that asks,
    pub survey_kind: SurveyKind,
    /// and on what occasion.
    pub survey_type: SurveyType,
    /// Its score.
    pub score: i32,
    /// When it was given.
    pub time: Micros,
    /// Whether it was imported.
    pub imported: bool,
}

/// What a rule makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement<'r> {
    /// It is followed up by this rule.
    FollowUp(&'r Rule),
    /// No rule matches it.
    NotMatched,
    /// It was imported.
    Imported,
    /// It is older than any follow-up makes sense, or than the first rules.
    TooOld,
    /// It is not in the sample.
    NotDrawn,
    /// Another follow-up of the customer is too near.
    Waiting,
}

impl RuleList {
    /// What becomes of an answer that comes at `now`. `since` is when rules were first published; `others` are the instants
    /// of the customer's other answers that were followed up.
    pub fn judge(&self, answer: &Newcomer, since: Micros, others: &[Micros], now: Micros) -> Judgement<'_> {
        let Some(rule) = self.0.iter().find(|rule| rule.matches(answer)) else { return Judgement::NotMatched };
        let apart = |other: &Micros| other.0.abs_diff(answer.time.0);
        let waiting_time = rule.waiting_time.unsigned_abs();
        match answer {
            answer if answer.imported && !rule.include_imported => Judgement::Imported,
            answer if answer.time < since || now.0.saturating_sub(answer.time.0) > rule.max_age => Judgement::TooOld,
            answer if !is_drawn(answer.response_id, rule.sample_percent) => Judgement::NotDrawn,
            _ if others.iter().any(|other| apart(other) < waiting_time) => Judgement::Waiting,
            _ => Judgement::FollowUp(rule),
        }
    }

    /// The age beyond which answers are of no account, in microseconds; not less than usual, also without rules.
    pub fn longest_age(&self) -> i64 {
        self.0.iter().map(|rule| rule.max_age).max().unwrap_or_default().max(7 * Micros::DAY)
    }

    /// For each rule that is never reached, the first before it that matches all that it would; both by their places.
    /// Exact for pairs.
    pub fn unreachable(&self) -> Vec<(usize, usize)> {
        let before = |place: usize, rule: &Rule| self.0.iter().take(place).position(|earlier| earlier.includes(rule));
        self.0.iter().enumerate().filter_map(|(place, rule)| Some((place, before(place, rule)?))).collect()
    }
}

impl Rule {
    fn matches(&self, answer: &Newcomer) -> bool {
        let Newcomer { survey_id, survey_kind, survey_type, score, response_id: _, time: _, imported: _ } = answer;
        self.survey_kind == i32::from(*survey_kind)
            && (self.survey_types.is_empty() || self.survey_types.contains(&i32::from(*survey_type)))
            && (self.survey_ids.is_empty() || self.survey_ids.contains(survey_id))
            && *score <= self.at_most
    }

    /// Whether it matches all that the other one matches.
    fn includes(&self, other: &Rule) -> bool {
        fn all<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
            wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.contains(one)))
        }
        self.survey_kind == other.survey_kind
            && all(&self.survey_types, &other.survey_types)
            && all(&self.survey_ids, &other.survey_ids)
            && self.at_most >= other.at_most
    }
}

/// Whether an answer is in the sample: by a number that its id gives it once and for all, evenly spread.
fn is_drawn(response_id: Uuid, percent: i32) -> bool {
    fingerprint::of(&response_id).is_ok_and(|hash| hash.rem_euclid(100) < i64::from(percent))
}

/// The highest score on a scale that is followed up unless a rule says otherwise: those of NPS are detractors.
pub fn default_at_most(kind: SurveyKind) -> i32 {
    match kind {
        SurveyKind::Nps | SurveyKind::Unspecified => 6,
        SurveyKind::Csat => 2,
        SurveyKind::Ces => 3,
    }
}

/// The highest score of a scale.
pub fn highest(kind: SurveyKind) -> i32 {
    match kind {
        SurveyKind::Nps | SurveyKind::Unspecified => 10,
        SurveyKind::Csat => 5,
        SurveyKind::Ces => 7,
    }
}

/// The highest score of a scale with which nobody is content yet: above it a customer has recovered.
pub(super) fn dissatisfied(kind: i32) -> i32 {
    match SurveyKind::try_from(kind).unwrap_or_default() {
        SurveyKind::Nps | SurveyKind::Unspecified => 6,
        SurveyKind::Csat => 3,
        SurveyKind::Ces => 4,
    }
}
