//! Dimensions: by what figures are grouped and filtered, and how it is read from a row.

mod complaints;
mod contacts;
mod loyalty;
mod subscriptions;
mod surveys;
mod table;

use std::borrow::Cow;

pub(crate) use self::table::Table;
use crate::{
    columns::{
        Facts,
        attributes::{Attribute, Attributes},
        dictionary::{Column, Dictionary, EMPTY},
        redresses::NO_CASE,
        responses::NO_SCORE,
    },
    rules::scale::Scale,
};

/// A dimension of a table.
#[derive(Debug)]
pub(crate) struct Dimension<'f> {
    /// Its name.
    pub(crate) name: String,
    pub(crate) reader: Reader<'f>,
    labels: Labels<'f>,
}

/// How the code of a dimension's value is found.
#[derive(Debug)]
pub(crate) enum Reader<'f> {
    /// In a column; rows beyond its end have no value.
    Column(&'f [u32]),
    /// Of the answer's survey.
    OfSurvey { surveys: &'f [u32], codes: Vec<u32> },
    /// Through another number of the row: its customer.
    Through { numbers: Cow<'f, [u32]>, codes: Vec<u32> },
    /// The score itself.
    Score(&'f [u8]),
    /// Promoter, passive or detractor, on surveys of the recommend question.
    Category { scores: &'f [u8], surveys: &'f [u32], recommend: Vec<bool> },
    /// Yes or no.
    Flag(&'f [bool]),
    /// One of few values that the contract numbers; rows beyond its end have none.
    Choice(&'f [u8]),
    /// What the case has that the row belongs to; rows of no case have nothing.
    OfCase { cases: &'f [u32], reader: Box<Reader<'f>> },
    /// What the customer had at the instant.
    Held { attributes: &'f Attributes, attribute: Attribute, customers: Cow<'f, [u32]> },
    /// The country of the sale, or else the customer's at the instant.
    SaleCountry { attributes: &'f Attributes, countries: &'f [u32], customers: &'f [u32] },
    /// The segments of the customer, at the instant or now: several.
    Segments { attributes: &'f Attributes, customers: Cow<'f, [u32]>, now: bool },
    /// The categories of the purchase's lines: it is divided by them.
    Parts,
}

#[derive(Debug)]
enum Labels<'f> {
    Dictionary(&'f Dictionary),
    Own(Vec<String>),
}

impl<'f> Dimension<'f> {
    /// The dimension of that name. When the table has none (it may have lost its last fact since the query was parsed)
    /// every fact is without it.
    pub(crate) fn find(facts: &'f Facts, table: Table, name: &str) -> Self {
        let found = match table {
            Table::Responses => surveys::of_responses(facts, name),
            Table::Invitations => surveys::of_invitations(facts, name),
            Table::Purchases => of_purchases(facts, name),
            Table::Contacts => contacts::of_contacts(facts, name),
            Table::Customers => of_customers(facts, name),
            Table::Subscriptions => subscriptions::of_subscriptions(facts, name),
            Table::Endings => subscriptions::of_endings(facts, name),
            Table::Cases => complaints::of_cases(facts, name),
            Table::HandOffs => complaints::of_hand_offs(facts, name),
            Table::Redresses => complaints::of_redresses(facts, name),
            Table::Clocks => complaints::of_clocks(facts, name),
            Table::Claims => complaints::of_claims(facts, name),
            Table::Escalations => complaints::of_escalations(facts, name),
            Table::Promises => complaints::of_promises(facts, name),
            Table::FollowUps => complaints::of_follow_ups(facts, name),
            Table::Memberships => loyalty::of_memberships(facts, name),
            Table::Referrals => loyalty::of_referrals(facts, name),
            Table::Costs => loyalty::of_costs(facts, name),
            // What is in no column of customers is found out with the figure; those served are in two tables.
            Table::Recoveries | Table::RecoverySpend => of_customers(facts, name),
            Table::Served => None,
        };
        let (reader, labels) = found.unwrap_or_else(|| (Reader::Column(&[]), own(&[""])));
        Dimension { name: name.to_owned(), reader, labels }
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: u32) -> &str {
        match &self.labels {
            Labels::Dictionary(dictionary) => dictionary.text(code),
            Labels::Own(texts) => texts.get(code as usize).map_or("", String::as_str),
        }
    }

    /// For each code whether its text is among `values`.
    pub(crate) fn among(&self, values: &[String]) -> Vec<bool> {
        match &self.labels {
            Labels::Dictionary(dictionary) => {
                let mut among = vec![false; dictionary.len()];
                values.iter().filter_map(|value| dictionary.find(value)).for_each(|code| among[code as usize] = true);
                among
            }
            Labels::Own(texts) => texts.iter().map(|text| values.contains(text)).collect(),
        }
    }
}

impl Reader<'_> {
    /// Whether a row may have several values.
    pub(crate) fn is_many(&self) -> bool {
        match self {
            Reader::Segments { .. } => true,
            Reader::OfCase { reader, .. } => reader.is_many(),
            _ => false,
        }
    }

    /// The attribute whose changes change the value of a row in the course of time.
    pub(crate) fn dated(&self) -> Option<Attribute> {
        match self {
            Reader::Held { attribute, .. } => Some(*attribute),
            Reader::Segments { now: false, .. } => Some(Attribute::Segment),
            Reader::OfCase { reader, .. } => reader.dated(),
            _ => None,
        }
    }

    /// The code of a row at an instant.
    pub(crate) fn one(&self, row: u32, at: i64) -> u32 {
        let index = row as usize;
        match self {
            Reader::Column(codes) => codes.get(index).copied().unwrap_or(EMPTY),
            Reader::OfSurvey { surveys, codes } => codes.get(surveys[index] as usize).copied().unwrap_or(EMPTY),
            Reader::Through { numbers, codes } => through(numbers, codes, index),
            Reader::Score(scores) if scores[index] == NO_SCORE => EMPTY,
            Reader::Score(scores) => u32::from(scores[index]) + 1,
            Reader::Category { scores, surveys, recommend } => {
                if recommend.get(surveys[index] as usize) == Some(&true) { category(scores[index]) } else { EMPTY }
            }
            Reader::Flag(flags) => u32::from(flags[index]) + 1,
            Reader::Choice(codes) => codes.get(index).copied().map_or(EMPTY, u32::from),
            Reader::OfCase { cases, reader } => match cases[index] {
                NO_CASE => EMPTY,
                case => reader.one(case, at),
            },
            Reader::Held { attributes, attribute, customers } => attributes.at(*attribute, customers[index], at),
            Reader::SaleCountry { attributes, countries, customers } => match countries[index] {
                EMPTY => attributes.at(Attribute::Country, customers[index], at),
                country => country,
            },
            Reader::Segments { .. } | Reader::Parts => EMPTY,
        }
    }

    /// Appends the codes of a row at an instant: the empty one when it has none.
    pub(crate) fn many(&self, row: u32, at: i64, into: &mut Vec<u32>) {
        let (attributes, customers, now) = match self {
            Reader::Segments { attributes, customers, now } => (attributes, customers, now),
            Reader::OfCase { cases, reader } if cases[row as usize] != NO_CASE => {
                return reader.many(cases[row as usize], at, into);
            }
            _ => return into.push(self.one(row, at)),
        };
        let before = into.len();
        attributes.segments(customers[row as usize], if *now { i64::MAX } else { at }, into);
        if into.len() == before {
            into.push(EMPTY);
        }
    }
}

/// The code of what a row has the number of; none beyond the last.
pub(crate) fn through(numbers: &[u32], codes: &[u32], index: usize) -> u32 {
    let number = numbers.get(index).copied().unwrap_or(EMPTY);
    codes.get(number as usize).copied().unwrap_or(EMPTY)
}

type Found<'f> = Option<(Reader<'f>, Labels<'f>)>;

fn of_purchases<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    let purchases = &facts.purchases;
    let countries = Labels::Dictionary(facts.attributes.dictionary(Attribute::Country));
    match name {
        "currency" => column(&purchases.currency),
        "channel" => column(&purchases.channel),
        "category" => Some((Reader::Parts, Labels::Dictionary(&purchases.categories))),
        "voucher" => Some((Reader::Flag(&purchases.vouchers), own(&["", "false", "true"]))),
        "country" => {
            let (countries_of, customers) = (&purchases.countries, &purchases.customers);
            let attributes = &facts.attributes;
            Some((Reader::SaleCountry { attributes, countries: countries_of, customers }, countries))
        }
        "customer_country" => of_customer(facts, Cow::Borrowed(&purchases.customers), "country"),
        _ => of_customer(facts, Cow::Borrowed(&purchases.customers), name)
            .or_else(|| column(purchases.declared.find(name)?)),
    }
}

fn of_customers<'f>(facts: &'f Facts, name: &str) -> Found<'f> {
    of_customer(facts, Cow::Owned(facts.customers.people()), name)
        .or_else(|| column(facts.customers.declared.find(name)?))
}

/// Attributes of the customer of each row.
fn of_customer<'f>(facts: &'f Facts, customers: Cow<'f, [u32]>, name: &str) -> Found<'f> {
    let attributes = &facts.attributes;
    let (name, now) = name.strip_suffix("_now").map_or((name, false), |name| (name, true));
    let attribute = match name {
        "tier" => Attribute::Tier,
        "country" => Attribute::Country,
        "segment" => Attribute::Segment,
        "member" => Attribute::Member,
        _ => return None,
    };
    let labels = Labels::Dictionary(attributes.dictionary(attribute));
    let reader = match (attribute, now) {
        (Attribute::Segment, now) => Reader::Segments { attributes, customers, now },
        (_, false) => Reader::Held { attributes, attribute, customers },
        (_, true) => {
            let people = 0..u32::try_from(facts.people.len()).unwrap_or(u32::MAX);
            let codes = people.map(|person| attributes.at(attribute, person, i64::MAX)).collect();
            Reader::Through { numbers: customers, codes }
        }
    };
    Some((reader, labels))
}

fn column(column: &Column) -> Found<'_> {
    Some((Reader::Column(column.codes()), Labels::Dictionary(&column.dictionary)))
}

fn own<'f>(texts: &[&str]) -> Labels<'f> {
    Labels::Own(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// The code of a text in a list of few, a new one if need be.
fn own_code(texts: &mut Vec<String>, text: String) -> u32 {
    let found = texts.iter().position(|other| *other == text);
    let index = found.unwrap_or_else(|| {
        texts.push(text);
        texts.len() - 1
    });
    u32::try_from(index).unwrap_or(EMPTY)
}

/// 1 promoter, 2 passive, 3 detractor.
fn category(score: u8) -> u32 {
    use crate::rules::scale::NpsGroup;
    match Scale::Nps.score(i64::from(score)).and_then(|score| score.nps_group()) {
        Some(NpsGroup::Promoter) => 1,
        Some(NpsGroup::Passive) => 2,
        Some(NpsGroup::Detractor) => 3,
        None => EMPTY,
    }
}
