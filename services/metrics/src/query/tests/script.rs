//! Histories of facts: written, amended, withdrawn; told in any order.

use std::collections::BTreeMap;

use barometer_proto::{
    common::v1::Money, complaints::v1 as complaints, customers::v1 as customers, surveys::v1 as surveys,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use crate::columns::Facts;

mod desk;
mod loyalty;

/// Microseconds.
pub(crate) const DAY: i64 = barometer_chassis::clock::Micros::DAY;

/// A version of a fact, as its source tells it.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Customers(customers::Fact),
    Surveys(surveys::Fact),
    Complaints(complaints::Fact),
}

/// Facts with all of their versions.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// By fact: its versions, the oldest first.
    facts: Vec<Vec<Write>>,
    /// All versions in some order, some of them several times.
    pub(crate) shuffled: Vec<Write>,
}

impl Write {
    pub(crate) fn apply(&self, facts: &mut Facts) {
        match self.clone() {
            Write::Customers(fact) => facts.put_customers(fact).expect("readable"),
            Write::Surveys(fact) => facts.put_surveys(fact).expect("readable"),
            Write::Complaints(fact) => facts.put_complaints(fact).expect("readable"),
        }
    }
}

impl History {
    pub(crate) fn in_order(&self) -> Vec<Write> {
        self.facts.concat()
    }

    /// What is so in the end, withdrawn facts left out.
    pub(crate) fn last_versions(&self) -> Vec<Write> {
        let last = self.facts.iter().filter_map(|versions| versions.last());
        last.filter(|write| !write.is_tombstone()).cloned().collect()
    }
}

impl Write {
    fn is_tombstone(&self) -> bool {
        match self {
            Write::Customers(fact) => matches!(fact.fact, Some(customers::fact::Fact::Tombstone(_))),
            Write::Surveys(fact) => matches!(fact.fact, Some(surveys::fact::Fact::Tombstone(_))),
            Write::Complaints(fact) => matches!(fact.fact, Some(complaints::fact::Fact::Tombstone(_))),
        }
    }
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    use complaints::{FactKind, fact::Fact};
    let customers = vec((vec(customer_fact(), 1..3), any::<bool>()), 0..60);
    let surveys =
        (vec((vec(response(), 1..3), any::<bool>()), 0..30), vec((vec(invitation(), 1..3), any::<bool>()), 0..12));
    let people = vec(known(), 4);
    let promises = vec((vec(desk::promise(), 1..3), any::<bool>()), 0..15);
    let follow_ups = vec((vec(desk::follow_up(), 1..3), any::<bool>()), 0..15);
    let escalations = vec((vec(desk::escalation(), 1), any::<bool>()), 0..40);
    let claims = vec((vec(desk::claim(), 1..3), any::<bool>()), 0..40);
    let clocks = vec((vec(desk::clock(), 1..3), any::<bool>()), 0..40);
    let cases = (
        vec((vec(desk::case(), 1..3), any::<bool>()), 0..30),
        vec(desk::entry(), 0..60),
        (promises, follow_ups),
        (clocks, claims, escalations),
    );
    (customers, surveys, people, vec(survey(), 3), cases).prop_flat_map(|(customers, surveys, people, kinds, cases)| {
        let mut facts = number(customers, surveys, people, kinds);
        let (cases, entries, (promises, follow_ups), (clocks, claims, escalations)) = cases;
        facts.extend(desk::number(100, FactKind::Case, cases, Fact::Case));
        facts.extend(desk::number_entries(entries));
        facts.extend(desk::number(3_000, FactKind::Promise, promises, Fact::Promise));
        facts.extend(desk::number(5_000, FactKind::CaseClock, clocks, Fact::CaseClock));
        facts.extend(desk::number(9_000, FactKind::Claim, claims, Fact::Claim));
        facts.extend(desk::number(8_000, FactKind::Escalation, escalations, Fact::Escalation));
        facts.extend(desk::number(7_000, FactKind::FollowUp, follow_ups, Fact::FollowUp));
        let all = facts.concat();
        let twice = vec(select(all.clone()), 0..20);
        twice.prop_flat_map(move |twice| {
            let facts = facts.clone();
            let all = [all.clone(), twice].concat();
            Just(all).prop_shuffle().prop_map(move |shuffled| History { facts: facts.clone(), shuffled })
        })
    })
}

/// Versions of answers and of invitations, and whether they are withdrawn in the end.
type Surveyed = (Vec<(Vec<surveys::ResponseFact>, bool)>, Vec<(Vec<surveys::InvitationFact>, bool)>);

/// Gives facts their numbers and versions; withdraws those of which it is said.
fn number(
    customer_facts: Vec<(Vec<customers::fact::Fact>, bool)>,
    (responses, invitations): Surveyed,
    people: Vec<customers::CustomerFact>,
    kinds: Vec<surveys::SurveyFact>,
) -> Vec<Vec<Write>> {
    let mut facts = Vec::new();
    for ((index, number), fact) in (0..).zip(10..).zip(people) {
        let fact = Some(customers::fact::Fact::Customer(fact));
        facts.push(vec![Write::Customers(customers::Fact {
            id: id(index),
            number,
            version: 1,
            fact,
            ..Default::default()
        })]);
    }
    for ((index, number), fact) in (0..).zip(10..).zip(kinds) {
        let fact = Some(surveys::fact::Fact::Survey(fact));
        facts.push(vec![Write::Surveys(surveys::Fact {
            id: id(index),
            number,
            version: 1,
            fact,
            ..Default::default()
        })]);
    }
    for (number, (versions, withdrawn)) in (100..).zip(customer_facts) {
        let kind = kind_of(&versions[0]);
        let end = customers::fact::Fact::Tombstone(customers::Tombstone { kind: kind.into() });
        // A fact never changes its kind.
        let versions = versions.into_iter().filter(|fact| kind_of(fact) == kind).chain(withdrawn.then_some(end));
        let write = |(version, fact)| {
            Write::Customers(customers::Fact {
                id: fact_id(number),
                number,
                version,
                fact: Some(fact),
                ..Default::default()
            })
        };
        facts.push((1..).zip(versions).map(write).collect());
    }
    for (number, (versions, withdrawn)) in (100..).zip(responses) {
        let end = surveys::Tombstone { kind: surveys::FactKind::Response.into() };
        let versions = versions.into_iter().map(surveys::fact::Fact::Response);
        let versions = versions.chain(withdrawn.then_some(surveys::fact::Fact::Tombstone(end)));
        let write = |(version, fact)| {
            Write::Surveys(surveys::Fact {
                id: fact_id(number),
                number,
                version,
                fact: Some(fact),
                ..Default::default()
            })
        };
        facts.push((1..).zip(versions).map(write).collect());
    }
    for ((index, number), (versions, withdrawn)) in (0..).zip(200..).zip(invitations) {
        let end = surveys::Tombstone { kind: surveys::FactKind::Invitation.into() };
        let versions = versions.into_iter().map(surveys::fact::Fact::Invitation);
        let versions = versions.chain(withdrawn.then_some(surveys::fact::Fact::Tombstone(end)));
        let write = |(version, fact)| {
            let fact = Some(fact);
            Write::Surveys(surveys::Fact { id: id(index), number, version, fact, ..Default::default() })
        };
        facts.push((1..).zip(versions).map(write).collect());
    }
    facts
}

fn kind_of(fact: &customers::fact::Fact) -> customers::FactKind {
    use customers::{FactKind, fact::Fact};
    match fact {
        Fact::Customer(_) => FactKind::Customer,
        Fact::AttributeChange(_) => FactKind::AttributeChange,
        Fact::Purchase(_) => FactKind::Purchase,
        Fact::Interaction(_) => FactKind::Interaction,
        Fact::SubscriptionEvent(_) => FactKind::SubscriptionEvent,
        Fact::MembershipEvent(_) => FactKind::MembershipEvent,
        Fact::Referral(_) => FactKind::Referral,
        Fact::Cost(_) => FactKind::Cost,
        Fact::Tombstone(tombstone) => tombstone.kind(),
    }
}

fn id(index: u128) -> String {
    Uuid::from_u128(index).to_string()
}

/// The id of a fact that nobody names.
fn fact_id(number: i64) -> String {
    id(1_000_000 + u128::from(number.unsigned_abs()))
}

fn person() -> impl Strategy<Value = String> {
    (0_u128..4).prop_map(id)
}

/// Within a hundred days, often the same instant.
fn time() -> impl Strategy<Value = Option<prost_types::Timestamp>> {
    (0_i64..400).prop_map(|quarters| Some(barometer_chassis::clock::Micros(quarters * DAY / 4).to_wire()))
}

/// A text of few.
fn word() -> impl Strategy<Value = String> {
    select(vec!["", "a", "b", "c"]).prop_map(str::to_owned)
}

fn area() -> impl Strategy<Value = BTreeMap<String, String>> {
    option::of(select(vec!["a", "b"]))
        .prop_map(|area| area.map(|area| ("area".to_owned(), area.to_owned())).into_iter().collect())
}

fn known() -> impl Strategy<Value = customers::CustomerFact> {
    (option::of(time()), time(), area()).prop_map(|(since, create_time, dimensions)| customers::CustomerFact {
        since: since.flatten(),
        create_time,
        dimensions,
    })
}

fn survey() -> impl Strategy<Value = surveys::SurveyFact> {
    (word(), 1..=3, 1..=2).prop_map(|(name, kind, r#type)| surveys::SurveyFact { name, kind, r#type })
}

fn response() -> impl Strategy<Value = surveys::ResponseFact> {
    // Often of an invitation, also of one that is never there.
    let who = (0_u128..4, option::of(person()), option::of((0_u128..14).prop_map(id)));
    let weight = select(vec![1_000_000_000_000, 250_000_000_000, 1]);
    (who, option::of(0..=10), word(), time(), weight, area()).prop_map(
        |((survey, customer, invitation), score, language, time, weight_trillionths, dimensions)| {
            surveys::ResponseFact {
                // The last of the surveys is never known.
                survey_id: id(survey),
                customer_id: customer.unwrap_or_default(),
                score,
                // Left blank, or broken off.
                disposition: if score.is_some() {
                    0
                } else if language == "a" {
                    4
                } else {
                    1
                },
                invitation_id: invitation.unwrap_or_default(),
                channel: language.clone(),
                language,
                time,
                weight_trillionths,
                dimensions,
                ..Default::default()
            }
        },
    )
}

/// Sent at any of a hundred days, to be answered for up to fifty.
fn invitation() -> impl Strategy<Value = surveys::InvitationFact> {
    let said = (any::<bool>(), any::<bool>(), select(vec![0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]), 0..3);
    (0_u128..4, option::of(person()), time(), 1_i64..200, said, word(), area()).prop_map(
        |(survey, customer, time, quarters, (arrived, begun, told_outcome, reminders), channel, dimensions)| {
            let sent = time.as_ref().and_then(barometer_chassis::clock::Micros::from_wire).expect("an instant");
            surveys::InvitationFact {
                survey_id: id(survey),
                customer_id: customer.unwrap_or_default(),
                deliver_time: time.filter(|_| arrived),
                begin_time: time.filter(|_| begun),
                time,
                expire_time: Some(barometer_chassis::clock::Micros(sent.0 + quarters * DAY / 4).to_wire()),
                reminders,
                told_outcome,
                channel,
                dimensions,
                ..Default::default()
            }
        },
    )
}

fn customer_fact() -> impl Strategy<Value = customers::fact::Fact> {
    use customers::fact::Fact;
    prop_oneof![
        6 => purchase().prop_map(Fact::Purchase),
        4 => attribute_change().prop_map(Fact::AttributeChange),
        4 => interaction().prop_map(Fact::Interaction),
        4 => loyalty::membership_event().prop_map(Fact::MembershipEvent),
        2 => loyalty::referral().prop_map(Fact::Referral),
        2 => loyalty::cost().prop_map(Fact::Cost),
        8 => subscription_event().prop_map(Fact::SubscriptionEvent),
    ]
}

fn interaction() -> impl Strategy<Value = customers::InteractionFact> {
    let outcome = select(vec![
        "",
        "delivered",
        "bounced",
        "opened",
        "clicked",
        "answered",
        "converted",
        "solved",
        "unsubscribed",
    ]);
    let said = (select(vec!["a", "email", "shop", "web"]), outcome, word(), word(), word());
    let spent = (option::of(0_i64..5_000), option::weighted(0.2, loyalty::price()));
    (person(), time(), 1..=2, spent, said, area()).prop_map(
        |(
            customer_id,
            time,
            direction,
            (seconds, cost),
            (channel, outcome, campaign, landing_page, team),
            dimensions,
        )| {
            customers::InteractionFact {
                customer_id,
                time,
                direction,
                channel: channel.to_owned(),
                outcome: outcome.to_owned(),
                campaign,
                exit_page: landing_page.clone(),
                landing_page,
                employee: team.clone(),
                journey_stage: team.clone(),
                touchpoint: team.clone(),
                team,
                cost,
                handling_time: seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
                dimensions,
            }
        },
    )
}

/// Of one of the two subscriptions of one of two customers; often several at the same instant.
fn subscription_event() -> impl Strategy<Value = customers::SubscriptionEventFact> {
    use customers::SubscriptionEventType::{Cancel, Change, Start};
    let which = (0_u128..2, 0_u128..2, select(vec![Start, Start, Change, Cancel, Cancel]));
    let times = (0_i64..100, -8_i64..24);
    let said = (word(), word(), option::of(any::<bool>()), area());
    (which, times, (0_i64..4, select(vec!["EUR", "USD"])), said).prop_map(
        |((customer, subscription, of), (at, after), (units, currency), (plan, reason, voluntary, dimensions))| {
            let instant = |days: i64| Some(barometer_chassis::clock::Micros(days * DAY).to_wire());
            let cancels = of == Cancel;
            let amount = Money { currency_code: currency.to_owned(), units: 10 * units, nanos: 0 };
            customers::SubscriptionEventFact {
                customer_id: id(customer),
                subscription_id: id(1_000 + 10 * customer + subscription),
                r#type: of.into(),
                time: instant(at),
                effective_time: instant(at + if cancels { after.abs() } else { after }),
                plan,
                monthly_amount: (!cancels).then_some(amount),
                reason,
                voluntary: voluntary.filter(|_| cancels),
                dimensions,
            }
        },
    )
}

fn purchase() -> impl Strategy<Value = customers::PurchaseFact> {
    let lines = vec((word(), -20_i64..50), 0..4);
    let texts = (word(), word(), any::<bool>(), select(vec!["EUR", "USD"]));
    let payment = (option::of(time()), option::of(time()));
    (person(), time(), lines, -30_i64..100, (texts, payment), area()).prop_map(
        |(customer_id, time, lines, amount, ((channel, country, voucher, currency), (due, paid)), dimensions)| {
            let money = |units| Some(Money { currency_code: currency.to_owned(), units, nanos: 0 });
            let amount = if lines.is_empty() { amount } else { lines.iter().map(|(_, amount)| amount).sum() };
            let line = |(category, amount)| customers::PurchaseLineFact {
                category,
                quantity: 1,
                discount: None,
                amount: money(amount),
            };
            customers::PurchaseFact {
                customer_id,
                time,
                amount: money(amount),
                lines: lines.into_iter().map(line).collect(),
                channel,
                country,
                voucher,
                due_time: due.flatten(),
                paid_time: paid.flatten(),
                dimensions,
            }
        },
    )
}

fn attribute_change() -> impl Strategy<Value = customers::AttributeChangeFact> {
    (person(), time(), 1..=4, word(), any::<bool>()).prop_map(|(customer_id, time, attribute, value, leaves)| {
        let value = match (attribute, value.as_str()) {
            (4, "a" | "b") => "true".to_owned(),
            (4, "c") => "false".to_owned(),
            _ => value,
        };
        customers::AttributeChangeFact { customer_id, time, attribute, value, leaves, dimensions: BTreeMap::new() }
    })
}
