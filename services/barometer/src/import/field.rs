//! The kinds of things that can be imported, and the fields of each: names, values, rules.

use clap::ValueEnum;

use super::value::{self, Problem, Words};
use crate::output::wrap;

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Customers with their names, addresses and attributes.
    Customers,
    /// Purchases and returns.
    Purchases,
    /// Contacts on every channel.
    Interactions,
    /// Starts, changes and ends of subscriptions.
    Subscriptions,
    /// Joining and leaving the loyalty programme, points, vouchers, gestures.
    Memberships,
    /// Who recommended whom.
    Referrals,
    /// What it costs to win customers, to be in touch with them, and to run the programme.
    Costs,
    /// Answers to surveys.
    Responses,
    /// Who was asked to answer a survey, and what came of it.
    Invitations,
    /// Complaints of the past, as far as they have come.
    Complaints,
    /// Cases of the past with everything that happened to them, one event a line.
    Histories,
}

/// One field that a column or a value can be given to.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) shape: Shape,
    /// Where its value comes from.
    pub(crate) rule: Rule,
    /// Whether figures can be grouped by it: then it is a built-in dimension of this name.
    pub(crate) groups: bool,
}

/// How often a field must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It may be left out.
    Optional,
    /// It must be given, and no row may leave it empty.
    Required,
    /// It must be given; rows may leave it empty.
    Named,
    /// It must be given when that other field is.
    With(&'static str),
    /// It is the same for the whole file: `--set` only.
    Constant,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// Texts set apart by semicolons.
    List,
    /// An instant, or a date or time in the file's time zone.
    Time,
    /// A length of time.
    Span,
    /// An exact decimal number.
    Decimal,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// Three letters.
    Currency,
    /// One of a few words.
    Word(Words),
}

impl Kind {
    /// The fields of this kind.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Customers => &CUSTOMERS,
            Self::Purchases => &PURCHASES,
            Self::Interactions => &INTERACTIONS,
            Self::Subscriptions => &SUBSCRIPTIONS,
            Self::Memberships => &MEMBERSHIPS,
            Self::Referrals => &REFERRALS,
            Self::Costs => &COSTS,
            Self::Responses => &RESPONSES,
            Self::Invitations => &INVITATIONS,
            Self::Complaints => &COMPLAINTS,
            Self::Histories => &HISTORIES,
        }
    }

    /// The field of this name, or of its other spelling.
    pub(crate) fn field(self, name: &str) -> Option<usize> {
        let name = if self == Self::Customers && name == "external_id" { "customer" } else { name };
        self.fields().iter().position(|field| field.name == name)
    }

    /// In the plural, as on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Purchases => "purchases",
            Self::Interactions => "interactions",
            Self::Subscriptions => "subscriptions",
            Self::Memberships => "memberships",
            Self::Referrals => "referrals",
            Self::Costs => "costs",
            Self::Responses => "responses",
            Self::Invitations => "invitations",
            Self::Complaints => "complaints",
            Self::Histories => "histories",
        }
    }
}

impl Shape {
    /// Whether a value that holds for every row can be read.
    pub(crate) fn check(self, text: &str, zone: &jiff::tz::TimeZone) -> Result<(), Problem> {
        if text.is_empty() {
            return Ok(());
        }
        match self {
            Self::Text | Self::List => Ok(()),
            Self::Time => value::time(text, zone).map(drop),
            Self::Span => value::span(text).map(drop),
            Self::Decimal => value::decimal(text).map(drop),
            Self::Integer => value::integer::<i64>(text).map(drop),
            Self::Number => value::number(text).map(drop),
            Self::Flag => value::flag(text).map(drop),
            Self::Currency => value::currency(text).map(drop),
            Self::Word(words) => value::word(text, words).map(drop),
        }
    }
}

/// The fields by kind, for `--help`; an asterisk marks what is required.
pub(crate) fn help() -> String {
    let mut help = String::new();
    for kind in Kind::value_variants() {
        let names = kind.fields().iter().map(|field| match field.rule {
            Rule::Required | Rule::Named => format!("{}*", field.name),
            _ => field.name.to_owned(),
        });
        let names = names.collect::<Vec<_>>().join(" ");
        for (index, line) in wrap(&names, WIDTH).into_iter().enumerate() {
            let kind = if index == 0 { kind.name() } else { "" };
            help.push_str(&format!("  {kind:<15}{line}\n"));
        }
    }
    help
}

/// Widest list of fields in `--help`.
const WIDTH: usize = 80;

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, rule: Rule::Optional, groups: false }
}

impl Field {
    const fn required(mut self) -> Self {
        self.rule = Rule::Required;
        self
    }

    const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    const fn groups(mut self) -> Self {
        self.groups = true;
        self
    }
}

const CUSTOMERS: [Field; 12] = [
    field("customer", Shape::Text).required(),
    field("display_name", Shape::Text),
    field("email", Shape::Text),
    field("phone", Shape::Text),
    field("language", Shape::Text).groups(),
    field("tags", Shape::List),
    field("since", Shape::Time),
    field("tier", Shape::Text).groups(),
    field("country", Shape::Text).groups(),
    field("member", Shape::Flag).groups(),
    field("segments", Shape::List),
    field("value_band", Shape::Text),
];

const PURCHASES: [Field; 12] = [
    field("customer", Shape::Text).required(),
    field("time", Shape::Time).required(),
    field("amount", Shape::Decimal).required(),
    field("currency", Shape::Currency).required().groups(),
    field("external_id", Shape::Text),
    field("return_of", Shape::Text),
    field("channel", Shape::Text).groups(),
    field("country", Shape::Text).groups(),
    field("category", Shape::Text).groups(),
    field("voucher", Shape::Text),
    field("due_time", Shape::Time),
    field("paid_time", Shape::Time),
];

const INTERACTIONS: [Field; 20] = [
    field("customer", Shape::Text).required(),
    field("time", Shape::Time).required(),
    field("channel", Shape::Text).required().groups(),
    field("direction", Shape::Word(value::DIRECTION)).required().groups(),
    field("external_id", Shape::Text),
    field("touchpoint", Shape::Text).groups(),
    field("journey_id", Shape::Text),
    field("session_id", Shape::Text),
    field("journey_stage", Shape::Text).groups(),
    field("landing_page", Shape::Text).groups(),
    field("exit_page", Shape::Text).groups(),
    field("campaign", Shape::Text).groups(),
    field("in_answer_to", Shape::Text),
    field("text", Shape::Text),
    field("handling_time", Shape::Span),
    field("cost", Shape::Decimal),
    field("currency", Shape::Currency).rule(Rule::With("cost")),
    field("employee", Shape::Text).groups(),
    field("team", Shape::Text).groups(),
    field("outcome", Shape::Text).groups(),
];

const SUBSCRIPTIONS: [Field; 11] = [
    field("customer", Shape::Text).required(),
    field("subscription", Shape::Text).required(),
    field("type", Shape::Word(value::EVENT_TYPE)).required(),
    field("time", Shape::Time).required(),
    field("external_id", Shape::Text),
    field("effective_time", Shape::Time),
    field("plan", Shape::Text).groups(),
    field("monthly_amount", Shape::Decimal),
    field("currency", Shape::Currency).rule(Rule::With("monthly_amount")).groups(),
    field("reason", Shape::Text).groups(),
    field("voluntary", Shape::Flag),
];

const MEMBERSHIPS: [Field; 15] = [
    field("customer", Shape::Text).required(),
    field("type", Shape::Word(value::MEMBERSHIP_EVENT_TYPE)).required(),
    field("time", Shape::Time).required(),
    field("external_id", Shape::Text),
    field("programme", Shape::Text),
    field("points", Shape::Integer),
    field("voucher", Shape::Text),
    field("value", Shape::Decimal),
    field("cost", Shape::Decimal),
    field("currency", Shape::Currency).rule(Rule::With("value")).groups(),
    field("reason", Shape::Text).groups(),
    field("channel", Shape::Text).groups(),
    field("campaign", Shape::Text).groups(),
    field("expire_time", Shape::Time),
    field("purchase", Shape::Text),
];

const REFERRALS: [Field; 9] = [
    field("customer", Shape::Text).required(),
    field("time", Shape::Time).required(),
    field("external_id", Shape::Text),
    field("referred", Shape::Text),
    field("join_time", Shape::Time),
    field("channel", Shape::Text).groups(),
    field("campaign", Shape::Text).groups(),
    field("reward", Shape::Decimal),
    field("currency", Shape::Currency).rule(Rule::With("reward")).groups(),
];

const COSTS: [Field; 12] = [
    field("kind", Shape::Word(value::COST_KIND)).required(),
    field("time", Shape::Time).required(),
    field("currency", Shape::Currency).required().groups(),
    field("amount", Shape::Decimal),
    field("per_contact", Shape::Decimal),
    field("per_hour", Shape::Decimal),
    field("external_id", Shape::Text),
    field("end_time", Shape::Time),
    field("customer", Shape::Text),
    field("channel", Shape::Text).groups(),
    field("team", Shape::Text).groups(),
    field("campaign", Shape::Text).groups(),
];

const RESPONSES: [Field; 15] = [
    field("survey", Shape::Text).required().groups(),
    field("score", Shape::Integer).rule(Rule::Named),
    field("time", Shape::Time).required(),
    field("external_id", Shape::Text),
    field("customer", Shape::Text),
    field("disposition", Shape::Word(value::DISPOSITION)).groups(),
    field("comment", Shape::Text),
    field("language", Shape::Text).groups(),
    field("channel", Shape::Text).groups(),
    field("touchpoint", Shape::Text).groups(),
    field("journey_stage", Shape::Text).groups(),
    field("weight", Shape::Number),
    field("invitation", Shape::Text),
    field("kind", Shape::Word(value::SURVEY_KIND)).rule(Rule::Constant),
    field("type", Shape::Word(value::SURVEY_TYPE)).rule(Rule::Constant),
];

const INVITATIONS: [Field; 14] = [
    field("survey", Shape::Text).required().groups(),
    field("time", Shape::Time).required(),
    field("external_id", Shape::Text),
    field("customer", Shape::Text),
    field("delivered", Shape::Time),
    field("opened", Shape::Time),
    field("begun", Shape::Time),
    field("expires", Shape::Time),
    field("reminders", Shape::Integer),
    field("outcome", Shape::Word(value::INVITATION_OUTCOME)),
    field("channel", Shape::Text).groups(),
    field("touchpoint", Shape::Text).groups(),
    field("journey_stage", Shape::Text).groups(),
    field("language", Shape::Text).groups(),
];

const COMPLAINTS: [Field; 26] = [
    field("opened", Shape::Time).required(),
    field("customer", Shape::Text),
    field("external_id", Shape::Text),
    field("acknowledged", Shape::Time),
    field("first_response", Shape::Time),
    field("resolved", Shape::Time),
    field("closed", Shape::Time),
    field("kind", Shape::Word(value::CASE_KIND)),
    field("severity", Shape::Word(value::SEVERITY)),
    field("category", Shape::Text).groups(),
    field("product", Shape::Text).groups(),
    field("remedy_sought", Shape::Word(value::REMEDY)),
    field("tags", Shape::List),
    field("channel", Shape::Text).groups(),
    field("touchpoint", Shape::Text).groups(),
    field("journey_stage", Shape::Text).groups(),
    field("employee", Shape::Text).groups(),
    field("team", Shape::Text).groups(),
    field("subject", Shape::Text),
    field("description", Shape::Text),
    field("finding", Shape::Word(value::FINDING)),
    field("redress", Shape::Word(value::REMEDY)),
    field("redress_amount", Shape::Decimal),
    field("currency", Shape::Currency).rule(Rule::With("redress_amount")),
    field("root_cause", Shape::Text),
    field("lesson", Shape::Text),
];

const HISTORIES: [Field; 30] = [
    field("case", Shape::Text).required(),
    field("time", Shape::Time).required(),
    field("event", Shape::Word(value::CASE_EVENT)).required(),
    field("actor", Shape::Text),
    field("text", Shape::Text),
    field("employee", Shape::Text).groups(),
    field("team", Shape::Text).groups(),
    field("reply", Shape::Word(value::REPLY)),
    field("needs_no_answer", Shape::Flag),
    field("priority", Shape::Word(value::PRIORITY)),
    field("finding", Shape::Word(value::FINDING)),
    field("redress", Shape::Word(value::REMEDY)),
    field("redress_amount", Shape::Decimal),
    field("currency", Shape::Currency).rule(Rule::With("redress_amount")),
    field("root_cause", Shape::Text),
    field("lesson", Shape::Text),
    field("acceptance", Shape::Word(value::ACCEPTANCE)),
    field("satisfaction", Shape::Integer),
    field("customer", Shape::Text),
    field("kind", Shape::Word(value::CASE_KIND)),
    field("severity", Shape::Word(value::SEVERITY)),
    field("category", Shape::Text).groups(),
    field("product", Shape::Text).groups(),
    field("remedy_sought", Shape::Word(value::REMEDY)),
    field("tags", Shape::List),
    field("channel", Shape::Text).groups(),
    field("touchpoint", Shape::Text).groups(),
    field("journey_stage", Shape::Text).groups(),
    field("subject", Shape::Text),
    field("description", Shape::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_groups_is_a_name_that_no_declared_dimension_can_have() {
        use barometer_chassis::door::Door;
        for kind in Kind::value_variants() {
            for field in kind.fields().iter().filter(|field| field.groups) {
                let declared = Door::open(|door| door.dimension_key("name", field.name));
                assert!(declared.is_err(), "{}", field.name);
            }
        }
    }

    #[test]
    fn every_kind_says_what_it_needs() {
        assert!(help().contains("responses      survey* score* time* external_id customer"), "{}", help());
        assert_eq!(Kind::Customers.field("external_id"), Kind::Customers.field("customer"));
        assert_eq!(Kind::Purchases.field("score"), None);
    }
}
