//! Lives in the words of the contract: rows, ready to be imported. All keys are of the system [`SYSTEM`].

use std::collections::BTreeMap;

use barometer_proto::{
    common::v1::{ExternalId, Money},
    complaints::v1::{Case, CaseRow, case},
    customers::v1::{
        Attribute, AttributeChange, AttributeChangeRow, Attributes, Cost, CostKind, CostRow, Customer, CustomerRow,
        Direction, Interaction, InteractionRow, MembershipEvent, MembershipEventRow, MembershipEventType, Purchase,
        PurchaseLine, PurchaseRow, Referral, ReferralRow, SubscriptionEvent, SubscriptionEventRow,
        SubscriptionEventType, attribute_change, cost, interaction, membership_event, purchase, referral,
        subscription_event,
    },
    surveys::v1::{self as surveys, Response, ResponseRow, SurveyKind, SurveyType, response},
};
use prost_types::Timestamp;

use crate::{
    Company, Life, Micros,
    company::{ADVERTISING, CURRENCY, HOUR_OF_WORK, PROGRAMME, Survey},
    life::{self, Course, Given, Line, Return, Sale, VOUCHER},
    timeline::MONTHS,
};

/// The system whose keys they are.
pub const SYSTEM: &str = "simulator";

/// The surveys that are answered.
pub fn surveys() -> Vec<surveys::Survey> {
    let survey = |survey: Survey| {
        let (kind, r#type, question, dimensions): (_, _, _, &[&str]) = match survey {
            Survey::Relationship => {
                (SurveyKind::Nps, SurveyType::Relational, "How likely are you to recommend us?", &["region"])
            }
            Survey::Delivery => (
                SurveyKind::Nps,
                SurveyType::Transactional,
                "How likely are you to recommend us after this delivery?",
                &["region", "delivery"],
            ),
            Survey::Support => {
                (SurveyKind::Csat, SurveyType::Transactional, "How satisfied are you with our answer?", &["region"])
            }
            Survey::Checkout => (SurveyKind::Ces, SurveyType::Transactional, "How easy was it to buy?", &["region"]),
        };
        surveys::Survey {
            name: survey.name().to_owned(),
            kind: kind.into(),
            r#type: r#type.into(),
            question: BTreeMap::from([("en".to_owned(), question.to_owned())]),
            dimensions: dimensions.iter().map(ToString::to_string).collect(),
            ..surveys::Survey::default()
        }
    };
    Survey::ALL.into_iter().map(survey).collect()
}

/// Who it is.
pub fn customer(life: &Life) -> CustomerRow {
    let attributes = Attributes {
        tier: life.first_tier().to_owned(),
        country: life.country.to_owned(),
        member: Some(life.member),
        segments: life.segments.iter().map(ToString::to_string).collect(),
        value_band: String::new(),
    };
    let customer = Customer {
        external_ids: vec![key(life.key())],
        language: life.language.to_owned(),
        since: Some(wire(life.since)),
        dimensions: region(life),
        attributes: Some(attributes),
        ..Customer::default()
    };
    CustomerRow { row: number(life, 0), customer: Some(customer) }
}

/// What changed of it.
pub fn attribute_changes(life: &Life) -> impl Iterator<Item = AttributeChangeRow> {
    life.changes.iter().zip(0..).map(|(change, ordinal)| {
        let (attribute, value) = match change.to {
            life::Attribute::Member => (Attribute::Member, "true"),
            life::Attribute::Tier(tier) => (Attribute::Tier, tier),
            life::Attribute::Segment(segment) => (Attribute::Segment, segment),
        };
        let change = AttributeChange {
            customer: Some(attribute_change::Customer::CustomerKey(key(life.key()))),
            attribute: attribute.into(),
            value: value.to_owned(),
            time: Some(wire(change.at)),
            external_id: Some(own_key('a', life, ordinal)),
            ..AttributeChange::default()
        };
        AttributeChangeRow { row: number(life, ordinal), attribute_change: Some(change) }
    })
}

/// What it bought and gave back.
pub fn purchases(life: &Life) -> impl Iterator<Item = PurchaseRow> {
    let sales = life.sales.iter().zip(0..).map(|(sale, ordinal)| PurchaseRow {
        row: number(life, ordinal),
        purchase: Some(purchase_of(life, sale, ordinal)),
    });
    let after = i64::try_from(life.sales.len()).unwrap_or(i64::MAX);
    let returns = life.returns.iter().zip(0..).map(move |(taken_back, ordinal)| PurchaseRow {
        row: number(life, after + ordinal),
        purchase: Some(return_of(life, taken_back, ordinal)),
    });
    sales.chain(returns)
}

fn purchase_of(life: &Life, sale: &Sale, ordinal: i64) -> Purchase {
    Purchase {
        customer: Some(purchase::Customer::CustomerKey(key(life.key()))),
        time: Some(wire(sale.at)),
        amount: Some(money(sale.amount(), life)),
        lines: sale.lines.iter().map(|line| line_of(life, line, 1)).collect(),
        channel: sale.channel.to_owned(),
        country: life.country.to_owned(),
        voucher: sale.voucher.to_owned(),
        due_time: Some(wire(sale.due)),
        paid_time: sale.paid.map(wire),
        external_id: Some(own_key('p', life, ordinal)),
        dimensions: region(life),
        ..Purchase::default()
    }
}

fn return_of(life: &Life, taken_back: &Return, ordinal: i64) -> Purchase {
    let sale = &life.sales[taken_back.sale];
    let lines = &sale.lines[taken_back.from_line..];
    Purchase {
        customer: Some(purchase::Customer::CustomerKey(key(life.key()))),
        time: Some(wire(taken_back.at)),
        amount: Some(money(-lines.iter().map(Line::amount).sum::<i64>(), life)),
        lines: lines.iter().map(|line| line_of(life, line, -1)).collect(),
        return_of: Some(own_key('p', life, i64::try_from(taken_back.sale).unwrap_or(i64::MAX))),
        channel: sale.channel.to_owned(),
        country: life.country.to_owned(),
        external_id: Some(own_key('r', life, ordinal)),
        dimensions: region(life),
        ..Purchase::default()
    }
}

fn line_of(life: &Life, line: &Line, sign: i64) -> PurchaseLine {
    PurchaseLine {
        product: line.product.clone(),
        category: line.category.to_owned(),
        quantity: line.quantity,
        list_price: Some(money(line.price, life)),
        discount: (line.discount > 0).then(|| money(line.discount, life)),
        voucher: String::new(),
        amount: Some(money(sign * line.amount(), life)),
    }
}

/// How it was in touch.
pub fn interactions(life: &Life) -> impl Iterator<Item = InteractionRow> {
    life.contacts.iter().zip(0..).map(|(contact, ordinal)| {
        let worked = !contact.team.is_empty();
        let interaction = Interaction {
            customer: Some(interaction::Customer::CustomerKey(key(life.key()))),
            time: Some(wire(contact.at)),
            channel: contact.channel.to_owned(),
            direction: if contact.inbound { Direction::Inbound } else { Direction::Outbound }.into(),
            touchpoint: contact.touchpoint.to_owned(),
            journey_stage: contact.stage.to_owned(),
            campaign: contact.campaign.to_owned(),
            handling_time: worked.then(|| prost_types::Duration { seconds: contact.minutes * 60, nanos: 0 }),
            employee: if worked { employee(contact.team, contact.employee) } else { String::new() },
            team: contact.team.to_owned(),
            outcome: contact.outcome.to_owned(),
            external_id: Some(own_key('i', life, ordinal)),
            dimensions: region(life),
            ..Interaction::default()
        };
        InteractionRow { row: number(life, ordinal), interaction: Some(interaction) }
    })
}

/// What happened to its subscription.
pub fn subscription_events(life: &Life) -> impl Iterator<Item = SubscriptionEventRow> {
    life.subscription.iter().zip(0..).map(|(step, ordinal)| {
        let mut event = SubscriptionEvent {
            customer: Some(subscription_event::Customer::CustomerKey(key(life.key()))),
            subscription: "s-1".to_owned(),
            time: Some(wire(step.at)),
            external_id: Some(own_key('s', life, ordinal)),
            dimensions: region(life),
            ..SubscriptionEvent::default()
        };
        match step.what {
            Course::Start(plan, cents) | Course::Change(plan, cents) => {
                event.plan = plan.to_owned();
                event.monthly_amount = Some(money(cents, life));
            }
            Course::Cancel(reason, voluntary) => {
                event.reason = reason.to_owned();
                event.voluntary = Some(voluntary);
            }
        }
        event.r#type = match step.what {
            Course::Start(..) => SubscriptionEventType::Start,
            Course::Change(..) => SubscriptionEventType::Change,
            Course::Cancel(..) => SubscriptionEventType::Cancel,
        }
        .into();
        SubscriptionEventRow { row: number(life, ordinal), subscription_event: Some(event) }
    })
}

/// What happened to it in the loyalty programme.
pub fn membership_events(life: &Life) -> impl Iterator<Item = MembershipEventRow> {
    life.perks.iter().zip(0..).map(|(perk, ordinal)| {
        let event = MembershipEvent {
            customer: Some(membership_event::Customer::CustomerKey(key(life.key()))),
            time: Some(wire(perk.at)),
            channel: "app".to_owned(),
            external_id: Some(own_key('m', life, ordinal)),
            dimensions: region(life),
            ..MembershipEvent::default()
        };
        let points = |points, r#type: MembershipEventType| MembershipEvent {
            r#type: r#type.into(),
            points,
            value: Some(money(points, life)),
            ..event.clone()
        };
        let voucher = |voucher, r#type: MembershipEventType| MembershipEvent {
            r#type: r#type.into(),
            voucher: format!("v-{voucher}"),
            value: Some(money(VOUCHER, life)),
            ..event.clone()
        };
        let event = match perk.what {
            Given::Join => MembershipEvent { r#type: MembershipEventType::Join.into(), ..event },
            Given::Points(earned, sale) => MembershipEvent {
                purchase: Some(own_key('p', life, i64::try_from(sale).unwrap_or(i64::MAX))),
                ..points(earned, MembershipEventType::Earn)
            },
            Given::Redeemed(redeemed) => points(redeemed, MembershipEventType::Redeem),
            Given::Voucher(ordinal, until) => MembershipEvent {
                expire_time: Some(wire(until)),
                ..voucher(ordinal, MembershipEventType::GrantVoucher)
            },
            Given::VoucherUsed(ordinal) => voucher(ordinal, MembershipEventType::RedeemVoucher),
            Given::VoucherLost(ordinal) => voucher(ordinal, MembershipEventType::ExpireVoucher),
        };
        MembershipEventRow { row: number(life, ordinal), membership_event: Some(event) }
    })
}

/// Who recommended it, and what it recommended itself.
pub fn referrals(life: &Life) -> impl Iterator<Item = ReferralRow> {
    life.referrals.iter().zip(0..).map(|(told, ordinal)| {
        let this = || key(life.key());
        let (from, to, at) = match *told {
            life::Referral::By(other, at) => (key(life::key(other)), Some(this()), at),
            life::Referral::InVain(at) => (this(), None, at),
        };
        let referral = Referral {
            customer: Some(referral::Customer::CustomerKey(from)),
            join_time: to.is_some().then(|| wire(life.since)),
            referred: to.map(referral::Referred::ReferredCustomerKey),
            time: Some(wire(at)),
            channel: "link".to_owned(),
            external_id: Some(own_key('f', life, ordinal)),
            dimensions: region(life),
            ..Referral::default()
        };
        ReferralRow { row: number(life, ordinal), referral: Some(referral) }
    })
}

/// What the company spent: sums by month, and what work costs from the beginning on.
pub fn costs(company: &Company) -> impl Iterator<Item = CostRow> {
    let customers = i64::from(company.parameters().customers);
    let monthly = (0..MONTHS).flat_map(move |month| {
        let bounds = company.timeline().bounds(month);
        let sum = move |kind: CostKind, channel: &str, cents: i64| Cost {
            kind: kind.into(),
            time: Some(wire(bounds.start)),
            end_time: Some(wire(bounds.end)),
            basis: Some(cost::Basis::Amount(money_of(cents * customers, CURRENCY))),
            channel: channel.to_owned(),
            external_id: Some(key(format!("b-{month:02}-{channel}"))),
            ..Cost::default()
        };
        let won = ADVERTISING.map(|(channel, cents)| sum(CostKind::Acquisition, channel, cents));
        won.into_iter().chain([sum(CostKind::Programme, "", PROGRAMME)])
    });
    let work = Cost {
        kind: CostKind::Contact.into(),
        time: Some(wire(company.timeline().start())),
        basis: Some(cost::Basis::PerHour(money_of(HOUR_OF_WORK, CURRENCY))),
        external_id: Some(key("b-work".to_owned())),
        ..Cost::default()
    };
    std::iter::once(work).chain(monthly).zip(0..).map(|(cost, row)| CostRow { row, cost: Some(cost) })
}

/// What it answered.
pub fn responses(life: &Life) -> impl Iterator<Item = ResponseRow> {
    life.answers.iter().zip(0..).map(|(answer, ordinal)| {
        let (touchpoint, stage) = answer.survey.about();
        let mut dimensions = region(life);
        if let Some(late) = answer.late {
            dimensions.insert("delivery".to_owned(), if late { "late" } else { "on time" }.to_owned());
        }
        let response = Response {
            survey: Some(response::Survey::SurveyName(answer.survey.name().to_owned())),
            customer: (!answer.anonymous).then(|| response::Customer::CustomerKey(key(life.key()))),
            score: answer.score.and_then(|score| i32::try_from(score).ok()),
            comment: answer.comment.to_owned(),
            language: life.language.to_owned(),
            channel: answer.channel.to_owned(),
            touchpoint: touchpoint.to_owned(),
            journey_stage: stage.to_owned(),
            answer_time: Some(wire(answer.at)),
            external_id: Some(own_key('q', life, ordinal)),
            dimensions,
            ..Response::default()
        };
        ResponseRow { row: number(life, ordinal), response: Some(response) }
    })
}

/// A case that turned out not to be resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Reopening {
    /// The key of the case.
    pub case: ExternalId,
    /// Why.
    pub reason: &'static str,
    /// When.
    pub time: Timestamp,
    /// When it was resolved again, if it was.
    pub resolve_time: Option<Timestamp>,
}

/// Which of the cases were reopened: what [`cases`] leaves out.
pub fn reopenings(life: &Life) -> impl Iterator<Item = Reopening> {
    life.cases.iter().zip(0..).filter_map(|(case, ordinal)| {
        Some(Reopening {
            case: own_key('k', life, ordinal),
            reason: "It happened again.",
            time: wire(case.reopened?),
            resolve_time: case.resolved_again.map(wire),
        })
    })
}

/// What it complained about, up to where it was first resolved or closed; reopenings are not imported.
pub fn cases(life: &Life) -> impl Iterator<Item = CaseRow> {
    life.cases.iter().zip(0..).map(|(case, ordinal)| CaseRow {
        row: number(life, ordinal),
        case: Some(Case {
            customer: Some(case::Customer::CustomerKey(key(life.key()))),
            category: case.category.to_owned(),
            product: case.product.clone(),
            channel: case.channel.to_owned(),
            touchpoint: "service desk".to_owned(),
            journey_stage: "support".to_owned(),
            open_time: Some(wire(case.opened)),
            employee: employee(case.team, case.employee),
            team: case.team.to_owned(),
            external_id: Some(own_key('k', life, ordinal)),
            dimensions: region(life),
            ..Case::default()
        }),
        acknowledge_time: case.acknowledged.map(wire),
        first_response_time: case.responded.map(wire),
        resolve_time: case.resolved.map(wire),
        close_time: case.closed.map(wire),
        outcome: None,
    })
}

/// An instant on the wire.
pub fn wire(at: Micros) -> Timestamp {
    let nanos = i32::try_from(at.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    Timestamp { seconds: at.div_euclid(1_000_000), nanos }
}

fn key(value: String) -> ExternalId {
    ExternalId { system: SYSTEM.to_owned(), value }
}

/// The key of a fact of a customer: its kind, the customer's number, and its ordinal.
fn own_key(kind: char, life: &Life, ordinal: i64) -> ExternalId {
    key(format!("{kind}-{:06}-{ordinal}", life.number))
}

/// Number of a row: of no other row of the kind.
fn number(life: &Life, ordinal: i64) -> i64 {
    i64::from(life.number) * 10_000 + ordinal
}

fn region(life: &Life) -> BTreeMap<String, String> {
    BTreeMap::from([("region".to_owned(), life.region.to_owned())])
}

fn employee(team: &str, ordinal: i64) -> String {
    format!("{team}-{ordinal}")
}

fn money(cents: i64, life: &Life) -> Money {
    money_of(cents, life.currency)
}

fn money_of(cents: i64, currency: &str) -> Money {
    let nanos = i32::try_from(cents % 100 * 10_000_000).unwrap_or_default();
    Money { currency_code: currency.to_owned(), units: cents / 100, nanos }
}
