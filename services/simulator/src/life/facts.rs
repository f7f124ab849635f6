//! What a life is made of: plain facts.

use crate::{Micros, company::Survey};

/// A change of a dated attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// From when on.
    pub at: Micros,
    /// What it is now.
    pub to: Attribute,
}

/// A dated attribute and its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// It became a member.
    Member,
    /// Its tier.
    Tier(&'static str),
    /// A segment it entered.
    Segment(&'static str),
}

/// Something bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// When.
    pub at: Micros,
    /// Where.
    pub channel: &'static str,
    /// Voucher that was redeemed; empty when none.
    pub voucher: &'static str,
    /// What was bought; at least one line.
    pub lines: Vec<Line>,
    /// When it was to be paid.
    pub due: Micros,
    /// When it was paid.
    pub paid: Option<Micros>,
}

/// One article of a sale. Amounts are cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The article.
    pub product: String,
    /// Its category.
    pub category: &'static str,
    /// How many.
    pub quantity: i64,
    /// Price of one.
    pub price: i64,
    /// What was taken off.
    pub discount: i64,
}

/// A sale that was given back, whole or but for its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// When.
    pub at: Micros,
    /// Which of the sales.
    pub sale: usize,
    /// From which line on.
    pub from_line: usize,
}

/// A contact between customer and company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// When.
    pub at: Micros,
    /// How.
    pub channel: &'static str,
    /// Whether the customer turned to the company.
    pub inbound: bool,
    /// The point of contact.
    pub touchpoint: &'static str,
    /// The stage of the journey.
    pub stage: &'static str,
    /// The campaign it belongs to; empty when none.
    pub campaign: &'static str,
    /// The team that handled it; empty when nobody did.
    pub team: &'static str,
    /// Who of the team.
    pub employee: i64,
    /// Minutes of work.
    pub minutes: i64,
    /// What came of it.
    pub outcome: &'static str,
}

/// A step in the course of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Micros,
    /// What.
    pub what: Course,
}

/// What can happen to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It begins with a plan, for cents a month.
    Start(&'static str, i64),
    /// The plan changes.
    Change(&'static str, i64),
    /// It ends, for a reason, by the customer's choice or not.
    Cancel(&'static str, bool),
}

/// An answer to a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// To which.
    pub survey: Survey,
    /// When.
    pub at: Micros,
    /// The score; without one the question was left blank.
    pub score: Option<i64>,
    /// How it was asked.
    pub channel: &'static str,
    /// What the customer wrote; empty when nothing.
    pub comment: &'static str,
    /// Whether nobody knows whose it is.
    pub anonymous: bool,
    /// After a delivery, whether it was late.
    pub late: Option<bool>,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// When it came in.
    pub opened: Micros,
    /// What it is about.
    pub category: &'static str,
    /// The article.
    pub product: String,
    /// How it came in.
    pub channel: &'static str,
    /// Who deals with it.
    pub team: &'static str,
    /// Who of the team.
    pub employee: i64,
    /// When the customer was told that it came in.
    pub acknowledged: Option<Micros>,
    /// When the customer first got an answer.
    pub responded: Option<Micros>,
    /// When it was first resolved.
    pub resolved: Option<Micros>,
    /// When it turned out not to be resolved; then it is not closed.
    pub reopened: Option<Micros>,
    /// When it was resolved after that.
    pub resolved_again: Option<Micros>,
    /// When it was closed.
    pub closed: Option<Micros>,
}

impl Sale {
    /// What it came to, in cents.
    pub fn amount(&self) -> i64 {
        self.lines.iter().map(Line::amount).sum()
    }
}

impl Line {
    /// What it came to, in cents.
    pub fn amount(&self) -> i64 {
        self.price * self.quantity - self.discount
    }
}

impl Contact {
    /// A contact on the site of which nothing else is known, by who turned to whom.
    pub(super) fn turned(at: Micros, inbound: bool) -> Self {
        Self {
            at,
            channel: "web",
            inbound,
            touchpoint: "",
            stage: "",
            campaign: "",
            team: "",
            employee: 0,
            minutes: 0,
            outcome: "",
        }
    }
}
