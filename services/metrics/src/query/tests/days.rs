//! Figures of answers by sums of days, against going through every answer.

use barometer_chassis::clock::Micros;
use barometer_proto::surveys::v1 as surveys;
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::{Condition, figures, only, query, script::DAY};
use crate::{
    catalogue,
    columns::Facts,
    query::{Query, Table, cut::Cutter},
    rules::{granularity::Granularity, zone::LocalDays},
};

/// Answers are given in so many days: many in each, so that days are counted.
const DAYS: i64 = 9;
const WORDS: [&str; 3] = ["", "a", "b"];

/// A version of an answer.
#[derive(Clone, Debug)]
struct Given {
    survey: u128,
    score: Option<i32>,
    /// Channel, language, touchpoint and area.
    words: [&'static str; 4],
    /// Since the beginning.
    minute: i64,
}

fn given() -> impl Strategy<Value = Given> {
    let words = [(); 4].map(|()| select(&WORDS[..]));
    // The last of the surveys is never known.
    (0_u128..4, option::of(0..=10), words, 0..DAYS * 1_440).prop_map(|(survey, score, words, minute)| Given {
        survey,
        score,
        words,
        minute,
    })
}

fn put(facts: &mut Facts, number: i64, version: i64, fact: surveys::fact::Fact) {
    let id = Uuid::from_u128(1_000 + u128::from(number.unsigned_abs())).to_string();
    facts
        .put_surveys(surveys::Fact { id, number, version, fact: Some(fact), ..Default::default() })
        .expect("a readable fact");
}

/// Writes a version of an answer; or withdraws it.
fn write(facts: &mut Facts, number: i64, version: i64, given: Option<Given>) {
    let fact = match given {
        Some(Given { survey, score, words: [channel, language, touchpoint, area], minute }) => {
            let dimensions = [("area".to_owned(), area.to_owned())];
            surveys::fact::Fact::Response(surveys::ResponseFact {
                survey_id: Uuid::from_u128(survey).to_string(),
                score,
                channel: channel.to_owned(),
                language: language.to_owned(),
                touchpoint: touchpoint.to_owned(),
                time: Some(Micros(minute * 60_000_000).to_wire()),
                weight_trillionths: 1_000_000_000_000,
                dimensions: dimensions.into_iter().filter(|(_, area)| !area.is_empty()).collect(),
                ..Default::default()
            })
        }
        None => surveys::fact::Fact::Tombstone(surveys::Tombstone { kind: surveys::FactKind::Response.into() }),
    };
    put(facts, number, version, fact);
}

fn asked(metric: &str) -> Vec<Query> {
    let span = |start: i64, end: i64, granularity: Granularity, group_by: &[&str]| Query {
        start: Some(start),
        end: Some(end),
        ..query(metric, granularity, group_by)
    };
    let third = DAY / 3;
    let mut all = Vec::new();
    let groups: [&[&str]; 8] = [
        &[],
        &["channel"],
        &["survey", "channel"],
        &["channel", "language"],
        &["area", "survey_type"],
        &["area"],
        &["channel", "language", "touchpoint", "area"],
        &["nothing"],
    ];
    for group_by in groups {
        all.push(span(0, DAYS * DAY, Granularity::Day, group_by));
        all.push(span(third, DAYS * DAY + third, Granularity::All, group_by));
        all.push(Query { start: None, end: None, ..span(0, 1, Granularity::Week, group_by) });
        all.push(only(span(0, DAYS * DAY - third, Granularity::All, group_by), "channel", "a", true));
        let by_survey = only(span(DAY, DAYS * DAY, Granularity::Week, group_by), "language", "b", false);
        all.push(only(by_survey, "survey", "1", true));
    }
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    all.push(Query {
        days: std::sync::Arc::new(LocalDays::new(&zone)),
        ..span(0, DAYS * DAY, Granularity::Week, &["channel"])
    });
    all
}

/// The same query with a condition that every answer meets, and that no sum by day knows about.
fn one_by_one(query: &Query) -> Query {
    only(query.clone(), "score", "none of them", true)
}

fn check(facts: &Facts) -> Result<(), TestCaseError> {
    for metric in ["nps", "csat", "ces", "responses"] {
        for query in asked(metric) {
            let expected = figures(&one_by_one(&query), facts);
            prop_assert_eq!(figures(&query, facts), expected, "{} by {:?}", metric, query.group_by);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn sums_of_days_are_those_of_going_through_every_answer(
        answers in vec(given(), 0..1_500),
        changes in vec((0_usize..1_500, option::weighted(0.7, given())), 0..200),
    ) {
        let mut facts = Facts::default();
        for (index, kind) in (0_i64..3).zip(1..) {
            let survey = surveys::SurveyFact { name: index.to_string(), kind, r#type: 1 + kind % 2 };
            let id = Uuid::from_u128(u128::from(index.unsigned_abs())).to_string();
            let fact = Some(surveys::fact::Fact::Survey(survey));
            let fact = surveys::Fact { id, number: index + 1, version: 1, fact, ..Default::default() };
            facts.put_surveys(fact).expect("a survey");
        }
        for (number, given) in (100..).zip(&answers) {
            write(&mut facts, number, 1, Some(given.clone()));
        }
        check(&facts)?;
        // Some are changed several times, and some come back.
        for (version, (index, given)) in (2..).zip(changes) {
            write(&mut facts, 100 + i64::try_from(index).expect("small"), version, given);
        }
        check(&facts)?;
    }
}

#[test]
fn only_what_columns_and_surveys_tell_is_summed_by_day() {
    let facts = Facts::default();
    let cutter = |filters: &[Condition], group_by: &[&str]| {
        let group_by: Vec<String> = group_by.iter().map(|name| (*name).to_owned()).collect();
        Cutter::new(&facts, Table::Responses, filters, &group_by, 10)
    };
    for name in catalogue::find("nps").expect("a metric").table.dimensions() {
        let of_columns = ["language", "channel", "touchpoint", "journey_stage", "disposition"];
        let is_summed = of_columns.contains(name) || name.starts_with("survey");
        assert_eq!(cutter(&[], &[name]).combination().is_some(), is_summed, "{name}");
        let query = only(query("nps", Granularity::All, &[]), name, "a", false);
        assert_eq!(cutter(&query.filters, &["channel"]).combination().is_some(), is_summed, "{name}");
    }
}
