//! Generated answers: the same on every machine, spread as real ones are.

use barometer_proto::{common::v1::ExternalId, surveys::v1 as wire};
use prost_types::Timestamp;
use uuid::Uuid;

/// The survey that all answers are to.
pub const SURVEY: &str = "benchmark";
/// The declared dimension.
pub const MARKET: &str = "market";
/// The system whose keys customers have.
pub const SYSTEM: &str = "shop";

/// 2024-01-01T00:00:00Z, in seconds.
pub const START: i64 = 1_704_067_200;
/// Two years.
pub const DAYS: i64 = 730;
/// Who answers.
pub const CUSTOMERS: u64 = 1_000_000;

/// The first is the most common one.
pub const CHANNELS: [&str; 10] = ["email", "web", "app", "sms", "phone", "shop", "chat", "letter", "social", "kiosk"];
const MARKETS: [&str; 30] = [
    "DE", "FR", "GB", "IT", "ES", "PL", "RO", "NL", "BE", "GR", "CZ", "PT", "SE", "HU", "AT", "BG", "DK", "FI", "SK",
    "IE", "HR", "MD", "LT", "SI", "LV", "EE", "CY", "LU", "MT", "IS",
];
const LANGUAGES: [&str; 7] = ["en", "de", "fr", "es", "ro", "pt", "ru"];
/// Of 100 answers so many have the score of their place; the two that are left have none.
const SCORES: [u64; 11] = [3, 1, 1, 2, 2, 6, 6, 13, 21, 18, 25];

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Which one, from 0.
    pub index: u64,
    /// When, in microseconds; grows with the index.
    pub time: i64,
    /// 0 to 10, if it has one.
    pub score: Option<i32>,
    /// How it was asked.
    pub channel: &'static str,
    /// Where.
    pub market: &'static str,
    /// Its language.
    pub language: &'static str,
    /// Who, below a million.
    pub customer: u64,
}

impl Answer {
    /// The answer of this index among so many, which fill two years.
    pub fn new(index: u64, of: u64) -> Self {
        let mut bits = Bits(mix(index));
        let span = i128::from(DAYS) * 86_400_000_000;
        let place = i128::from(index) * span / i128::from(of.max(1));
        Answer {
            index,
            time: START * 1_000_000 + i64::try_from(place).unwrap_or_default(),
            score: bits.score(),
            channel: bits.skewed(&CHANNELS),
            market: bits.skewed(&MARKETS),
            language: bits.skewed(&LANGUAGES),
            customer: bits.next() % CUSTOMERS,
        }
    }

    /// As a line of a table: when, score, channel, market and customer.
    pub fn line(&self) -> String {
        let Answer { time, channel, market, customer, .. } = self;
        let score = self.score.map_or_else(String::new, |score| score.to_string());
        format!("{time},{score},{channel},{market},{customer}")
    }

    /// Number of its fact: that of the survey is 1.
    pub fn number(&self) -> u64 {
        self.index + 2
    }

    /// As it is submitted, by a customer whose id is known, to a survey by its id.
    pub fn message(&self, survey: &str) -> wire::Response {
        wire::Response {
            survey: Some(wire::response::Survey::SurveyId(survey.to_owned())),
            customer: Some(wire::response::Customer::CustomerId(id(self.customer).to_string())),
            score: self.score,
            answer_time: Some(timestamp(self.time)),
            channel: self.channel.to_owned(),
            language: self.language.to_owned(),
            dimensions: [(MARKET.to_owned(), self.market.to_owned())].into(),
            ..wire::Response::default()
        }
    }

    /// As it is watched, from a customer of its own id.
    pub fn fact(&self, survey: &str) -> wire::Fact {
        let fact = wire::ResponseFact {
            survey_id: survey.to_owned(),
            customer_id: id(self.customer).to_string(),
            score: self.score,
            disposition: if self.score.is_none() { wire::Disposition::NoAnswer.into() } else { 0 },
            language: self.language.to_owned(),
            channel: self.channel.to_owned(),
            time: Some(timestamp(self.time)),
            weight_trillionths: 1_000_000_000_000,
            dimensions: [(MARKET.to_owned(), self.market.to_owned())].into(),
            ..wire::ResponseFact::default()
        };
        let number = i64::try_from(self.number()).unwrap_or(i64::MAX);
        let id = id(1 << 40 | self.index).to_string();
        wire::Fact { id, number, version: 1, fact: Some(wire::fact::Fact::Response(fact)), ..wire::Fact::default() }
    }
}

/// The survey as a fact, at number 1.
pub fn survey_fact(id: &str) -> wire::Fact {
    let fact = wire::SurveyFact {
        name: SURVEY.to_owned(),
        kind: wire::SurveyKind::Nps.into(),
        r#type: wire::SurveyType::Transactional.into(),
    };
    wire::Fact {
        id: id.to_owned(),
        number: 1,
        version: 1,
        fact: Some(wire::fact::Fact::Survey(fact)),
        ..wire::Fact::default()
    }
}

/// The survey as it is created.
pub fn survey() -> wire::Survey {
    wire::Survey {
        name: SURVEY.to_owned(),
        kind: wire::SurveyKind::Nps.into(),
        r#type: wire::SurveyType::Transactional.into(),
        dimensions: vec![MARKET.to_owned()],
        ..wire::Survey::default()
    }
}

/// The key of a customer.
pub fn key(customer: u64) -> ExternalId {
    ExternalId { system: SYSTEM.to_owned(), value: format!("c-{customer}") }
}

/// The id of the thing of this number.
pub fn id(number: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000 << 48 | u128::from(number))
}

/// Of microseconds.
pub fn timestamp(micros: i64) -> Timestamp {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

/// Numbers that look random, drawn one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Bits(pub u64);

impl Bits {
    /// The next one.
    pub fn next(&mut self) -> u64 {
        self.0 = mix(self.0);
        self.0
    }

    fn score(&mut self) -> Option<i32> {
        let mut left = self.next() % 100;
        for (score, share) in (0..).zip(SCORES) {
            if left < share {
                return Some(score);
            }
            left -= share;
        }
        None
    }

    /// The first texts are much more common than the last.
    fn skewed(&mut self, texts: &[&'static str]) -> &'static str {
        let room = |bits: u64| usize::try_from(bits % texts.len() as u64).unwrap_or_default();
        texts[room(self.next()).min(room(self.next()))]
    }
}

/// SplitMix64's step: neighbours come out unlike.
pub fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}
