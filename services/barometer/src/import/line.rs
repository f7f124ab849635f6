//! One record of the file, read field by field; everything that is wrong with it is noted.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use barometer_proto::common::v1::{ExternalId, Money};
use csv::StringRecord;
use prost_types::Timestamp;

use super::field::{Rule, Shape};
use super::key::Keys;
use super::plan::Plan;
use super::value::{self, Problem};

/// One record of the file.
///
/// Each reading function gives a value even when it has noted a problem; a line with problems is never sent.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    plan: &'a Plan,
    record: &'a StringRecord,
    keys: &'a mut Keys,
    problems: Vec<(&'static str, Problem)>,
}

impl<'a> Line<'a> {
    /// A record to be read as `plan` says.
    pub(crate) fn new(plan: &'a Plan, record: &'a StringRecord, keys: &'a mut Keys) -> Self {
        Self { plan, record, keys, problems: Vec::new() }
    }

    /// What is wrong, by field.
    pub(crate) fn into_problems(self) -> Vec<(&'static str, Problem)> {
        self.problems
    }

    /// The customer by the caller's key; none when the field is empty.
    pub(crate) fn customer(&mut self) -> Option<ExternalId> {
        self.customer_in("customer")
    }

    /// The same of another field.
    pub(crate) fn customer_in(&mut self, name: &'static str) -> Option<ExternalId> {
        let value = self.text(name);
        (!value.is_empty()).then(|| ExternalId { system: self.plan.customer_system.clone(), value })
    }

    /// The row's own key, or one derived from the record.
    pub(crate) fn external_id(&mut self) -> Option<ExternalId> {
        self.reference("external_id").or_else(|| {
            let value = self.keys.derive(self.record);
            Some(ExternalId { system: self.plan.source.clone(), value })
        })
    }

    /// The key of another row of this source; none when the field is empty.
    pub(crate) fn reference(&mut self, name: &'static str) -> Option<ExternalId> {
        let value = self.text(name);
        (!value.is_empty()).then(|| ExternalId { system: self.plan.source.clone(), value })
    }

    /// Text, empty when there is none.
    pub(crate) fn text(&mut self, name: &'static str) -> String {
        self.cell(name).to_owned()
    }

    /// Texts set apart by semicolons.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<String> {
        value::list(self.cell(name))
    }

    /// An instant.
    pub(crate) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let plan = self.plan;
        self.parse(name, |text| value::time(text, &plan.time_zone)).map(|at| at.to_wire())
    }

    /// A length of time.
    pub(crate) fn span(&mut self, name: &'static str) -> Option<Duration> {
        self.parse(name, value::span)
    }

    /// An amount in the row's `currency`.
    pub(crate) fn money(&mut self, name: &'static str) -> Option<Money> {
        let amount = self.parse(name, value::decimal);
        let currency = self.parse("currency", value::currency);
        if amount.is_some() && currency.is_none() && self.problems.iter().all(|(field, _)| *field != "currency") {
            self.note("currency", Problem::required());
        }
        Some(amount?.of(&currency?))
    }

    /// A whole number.
    pub(crate) fn integer<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        self.parse(name, value::integer)
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &'static str) -> Option<f64> {
        self.parse(name, value::number)
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.parse(name, value::flag)
    }

    /// The value of an enum of the contract; 0 when the field is empty.
    pub(crate) fn word(&mut self, name: &'static str) -> i32 {
        let (field, _) = self.plan.value(name, self.record);
        let Shape::Word(words) = field.shape else {
            debug_assert!(false, "{name} is no word");
            return 0;
        };
        self.parse(name, |text| value::word(text, words)).unwrap_or_default()
    }

    /// The dimensions whose cells are not empty.
    pub(crate) fn dimensions(&self) -> BTreeMap<String, String> {
        let cells =
            self.plan.dimensions.iter().map(|(name, column)| (name, self.record.get(*column).unwrap_or_default()));
        cells.filter(|(_, cell)| !cell.is_empty()).map(|(name, cell)| (name.clone(), cell.to_owned())).collect()
    }

    /// Notes what is wrong with a field, once: amounts share their currency.
    pub(crate) fn note(&mut self, name: &'static str, problem: Problem) {
        if !self.problems.iter().any(|(field, noted)| *field == name && *noted == problem) {
            self.problems.push((name, problem));
        }
    }

    fn parse<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        let text = self.cell(name);
        if text.is_empty() {
            return None;
        }
        parse(text).map_err(|problem| self.note(name, problem)).ok()
    }

    fn cell(&mut self, name: &'static str) -> &'a str {
        let (field, text) = self.plan.value(name, self.record);
        if text.is_empty() && field.rule == Rule::Required {
            self.note(name, Problem::required());
        }
        text
    }
}
