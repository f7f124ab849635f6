//! Dated attributes of customers: what held at an instant, and what holds now.

use std::ops::Range;

use barometer_proto::customers::v1::{Attribute as WireAttribute, AttributeChangeFact};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable, customer,
    dictionary::{Dictionary, EMPTY},
    instant,
    people::Ids,
    rows::{Rows, put},
};

/// An attribute that is kept with dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Attribute {
    /// One at a time.
    Tier,
    /// One at a time.
    Country,
    /// Several at a time.
    Segment,
    /// `true` or `false`.
    Member,
}

const ATTRIBUTES: usize = 4;
/// The value of [`Attribute::Member`] that makes a member.
const MEMBER: &str = "true";

/// That a customer joined the loyalty programme, or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enrolment {
    pub(crate) customer: u32,
    pub(crate) at: i64,
    pub(crate) joins: bool,
}

/// One change, as it stands in a customer's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Change {
    at: i64,
    /// Number of the fact: which of two changes of the same instant came first.
    number: i64,
    value: u32,
    leaves: bool,
}

/// All changes of attributes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(super) rows: Rows,
    /// What each row says; nothing when withdrawn.
    changes: Vec<Option<(u32, Attribute, Change)>>,
    dictionaries: [Dictionary; ATTRIBUTES],
    /// What events of memberships say, by customer and in order of time: of account where nobody recorded the attribute.
    #[serde(skip)]
    memberships: Vec<Vec<Change>>,
    /// By attribute, then by customer: the changes in order of time.
    #[serde(skip)]
    histories: [Vec<Vec<Change>>; ATTRIBUTES],
}

impl Attributes {
    /// Puts in a change, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: AttributeChangeFact, people: &mut Ids) -> Result<(), Unreadable> {
        let AttributeChangeFact { customer_id, time, attribute, value, leaves, dimensions: _ } = fact;
        let customer = customer(people, &customer_id)?;
        let attribute = match WireAttribute::try_from(attribute) {
            Ok(WireAttribute::Tier) => Attribute::Tier,
            Ok(WireAttribute::Country) => Attribute::Country,
            Ok(WireAttribute::Segment) => Attribute::Segment,
            Ok(WireAttribute::Member) => Attribute::Member,
            // No figure is grouped by it.
            Ok(WireAttribute::ValueBand) => return Ok(()),
            Ok(WireAttribute::Unspecified) | Err(_) => return Err(Unreadable("attribute")),
        };
        let at = instant(time)?;
        if let Some(row) = self.rows.claim(stamp) {
            let value = self.dictionaries[attribute as usize].code(&value);
            let change = Change { at, number: stamp.number, value, leaves };
            self.replace(row, Some((customer, attribute, change)));
        }
        Ok(())
    }

    /// Takes a change out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.replace(row, None);
        }
    }

    /// Takes note of what the event of a membership says, and no more of what it said before.
    pub(crate) fn tell_membership(&mut self, number: i64, before: Option<Enrolment>, now: Option<Enrolment>) {
        if let Some(Enrolment { customer, .. }) = before {
            of_customer_mut(&mut self.memberships, customer).retain(|change| change.number != number);
        }
        if let Some(Enrolment { customer, at, joins }) = now {
            let value = self.dictionaries[Attribute::Member as usize].code(if joins { MEMBER } else { "false" });
            let change = Change { at, number, value, leaves: false };
            let history = of_customer_mut(&mut self.memberships, customer);
            let index = history.partition_point(|other| *other < change);
            history.insert(index, change);
        }
    }

    /// Appends the stretches of time in which a customer was a member.
    pub(crate) fn member(&self, customer: u32, into: &mut Vec<Range<i64>>) {
        let Some(member) = self.dictionaries[Attribute::Member as usize].find(MEMBER) else { return };
        let history = self.history(Attribute::Member, customer);
        for (index, change) in history.iter().enumerate().filter(|(_, change)| change.value == member) {
            into.push(change.at..history.get(index + 1).map_or(i64::MAX, |next| next.at));
        }
    }

    /// The code of the value that a customer had at an instant; the first history counts, for several use
    /// [`segments`](Self::segments).
    pub(crate) fn at(&self, attribute: Attribute, customer: u32, at: i64) -> u32 {
        let history = self.history(attribute, customer);
        let held = history.partition_point(|change| change.at <= at);
        held.checked_sub(1).map_or(EMPTY, |last| history[last].value)
    }

    /// Appends the codes of the segments that a customer was in at an instant, each once.
    pub(crate) fn segments(&self, customer: u32, at: i64, into: &mut Vec<u32>) {
        let first = into.len();
        for change in self.history(Attribute::Segment, customer).iter().take_while(|change| change.at <= at) {
            let position = into[first..].iter().position(|segment| *segment == change.value);
            match (position, change.leaves) {
                (None, false) => into.push(change.value),
                (Some(position), true) => drop(into.swap_remove(first + position)),
                (Some(_), false) | (None, true) => {}
            }
        }
    }

    /// The instants at which an attribute of a customer changed, ascending.
    pub(crate) fn instants(&self, attribute: Attribute, customer: u32) -> impl Iterator<Item = i64> {
        self.history(attribute, customer).iter().map(|change| change.at)
    }

    /// The values of an attribute. Those of countries serve for sales too, so that the two can stand in for each other.
    pub(crate) fn dictionary(&self, attribute: Attribute) -> &Dictionary {
        &self.dictionaries[attribute as usize]
    }

    /// The countries, to add to.
    pub(crate) fn countries(&mut self) -> &mut Dictionary {
        &mut self.dictionaries[Attribute::Country as usize]
    }

    /// How many changes there are, without those withdrawn.
    pub(crate) fn live(&self) -> usize {
        self.changes.iter().flatten().count()
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.dictionaries.iter_mut().for_each(Dictionary::restore);
        for (customer, attribute, change) in self.changes.iter().flatten() {
            history_mut(&mut self.histories, *attribute, *customer).push(*change);
        }
        self.histories.iter_mut().flatten().for_each(|history| history.sort_unstable());
    }

    fn history<'s>(&'s self, attribute: Attribute, customer: u32) -> &'s [Change] {
        let of = |histories: &'s [Vec<Change>]| histories.get(customer as usize).map_or(&[][..], Vec::as_slice);
        let recorded = of(&self.histories[attribute as usize]);
        // Of a customer for whom nobody ever recorded it the events say.
        if attribute == Attribute::Member && recorded.is_empty() { of(&self.memberships) } else { recorded }
    }

    fn replace(&mut self, row: usize, new: Option<(u32, Attribute, Change)>) {
        if let Some((customer, attribute, old)) = self.changes.get(row).copied().flatten() {
            let history = history_mut(&mut self.histories, attribute, customer);
            if let Ok(index) = history.binary_search(&old) {
                history.remove(index);
            }
        }
        if let Some((customer, attribute, change)) = new {
            let history = history_mut(&mut self.histories, attribute, customer);
            let index = history.partition_point(|other| *other < change);
            history.insert(index, change);
        }
        put(&mut self.changes, row, new);
    }
}

fn history_mut(
    histories: &mut [Vec<Vec<Change>>; ATTRIBUTES],
    attribute: Attribute,
    customer: u32,
) -> &mut Vec<Change> {
    of_customer_mut(&mut histories[attribute as usize], customer)
}

fn of_customer_mut(histories: &mut Vec<Vec<Change>>, customer: u32) -> &mut Vec<Change> {
    let index = customer as usize;
    if index >= histories.len() {
        histories.resize_with(index + 1, Vec::new);
    }
    &mut histories[index]
}
