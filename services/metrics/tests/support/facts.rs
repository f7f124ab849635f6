//! Facts for tests.

use barometer_chassis::clock::Micros;
use barometer_proto::{
    common::v1::Money, complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys,
};
use prost_types::Timestamp;
use uuid::Uuid;

/// Some instant of 2024, so many days after its start.
pub fn day(days: i64) -> Timestamp {
    const START_OF_2024: i64 = 1_704_067_200;
    Micros((START_OF_2024 + days * 86_400) * Micros::SECOND).to_wire()
}

/// The id of the thing of this number.
pub fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

/// A survey of its own number; the number is its id too.
pub fn survey(number: u128, kind: surveys::SurveyKind) -> surveys::Fact {
    let fact = surveys::SurveyFact {
        name: format!("survey {number}"),
        kind: kind.into(),
        r#type: surveys::SurveyType::Transactional.into(),
    };
    surveys::Fact {
        id: id(number),
        number: 0,
        version: 1,
        fact: Some(surveys::fact::Fact::Survey(fact)),
        ..Default::default()
    }
}

/// An answer to a survey.
pub fn answer(survey: u128, score: i32) -> surveys::ResponseFact {
    surveys::ResponseFact {
        survey_id: id(survey),
        score: Some(score),
        time: Some(day(1)),
        weight_trillionths: 1_000_000_000_000,
        ..Default::default()
    }
}

/// A version of an answer; number 0 for a new one.
pub fn response(number: i64, version: i64, fact: surveys::ResponseFact) -> surveys::Fact {
    surveys::Fact {
        id: String::new(),
        number,
        version,
        fact: Some(surveys::fact::Fact::Response(fact)),
        ..Default::default()
    }
}

/// The end of an answer.
pub fn withdrawn(number: i64, version: i64) -> surveys::Fact {
    let tombstone = surveys::Tombstone { kind: surveys::FactKind::Response.into() };
    surveys::Fact {
        id: String::new(),
        number,
        version,
        fact: Some(surveys::fact::Fact::Tombstone(tombstone)),
        ..Default::default()
    }
}

/// A purchase of so many euros.
pub fn purchase(customer: u128, time: Timestamp, euros: i64) -> customers::Fact {
    let fact = customers::PurchaseFact {
        customer_id: id(customer),
        time: Some(time),
        amount: Some(Money { currency_code: "EUR".to_owned(), units: euros, nanos: 0 }),
        ..Default::default()
    };
    customers::Fact {
        id: String::new(),
        number: 0,
        version: 1,
        fact: Some(customers::fact::Fact::Purchase(fact)),
        ..Default::default()
    }
}

/// A version of a case opened at the start of 2024 and answered so many days later; number 0 for a new one.
pub fn case(number: i64, version: i64, channel: &str, answered: Option<i64>) -> complaints::Fact {
    let fact = complaints::CaseFact {
        state: complaints::case::State::Received.into(),
        channel: channel.to_owned(),
        open_time: Some(day(0)),
        first_response_time: answered.map(day),
        ..Default::default()
    };
    complaints::Fact {
        id: String::new(),
        number,
        version,
        fact: Some(complaints::fact::Fact::Case(fact)),
        ..Default::default()
    }
}
