//! What is counted of which metric.

use barometer_proto::surveys::v1::SurveyKind;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::{Answer, Cell, Item, Keeps, Purchase, Recount, Survey, Tally};

/// How a metric is counted.
pub(super) struct Definition {
    pub(super) metric: &'static str,
    /// What it is always grouped by; empty when it is not.
    pub(super) dimension: &'static str,
    pub(super) keeps: Keeps,
    /// The facts that count.
    pub(super) items: fn(&Recount, &mut dyn FnMut(Item)),
    /// What they come to.
    pub(super) told: fn(&Tally) -> Cell,
}

/// How the metric of this name is counted, if it is.
pub(super) fn find(metric: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.metric == metric)
}

const NOTHING: Keeps = Keeps { answers: false, purchases: false, contacts: false, referrals: false, cases: false };
const ANSWERS: Keeps = Keeps { answers: true, ..NOTHING };
const PURCHASES: Keeps = Keeps { purchases: true, ..NOTHING };

static DEFINITIONS: [Definition; 10] = [
    Definition { metric: "nps", dimension: "survey_type", keeps: ANSWERS, items: recommending, told: nps },
    Definition { metric: "csat", dimension: "survey_type", keeps: ANSWERS, items: satisfied, told: csat },
    Definition { metric: "ces", dimension: "survey_type", keeps: ANSWERS, items: efforts, told: ces },
    Definition { metric: "responses", dimension: "", keeps: ANSWERS, items: all_answers, told: responses },
    Definition { metric: "purchases", dimension: "", keeps: PURCHASES, items: all_purchases, told: purchases },
    Definition { metric: "revenue", dimension: "currency", keeps: PURCHASES, items: by_currency, told: revenue },
    Definition { metric: "average_order", dimension: "currency", keeps: PURCHASES, items: sales, told: average_order },
    Definition {
        metric: "contacts",
        dimension: "",
        keeps: Keeps { contacts: true, ..NOTHING },
        items: all_contacts,
        told: contacts,
    },
    Definition {
        metric: "referrals",
        dimension: "",
        keeps: Keeps { referrals: true, ..NOTHING },
        items: all_referrals,
        told: referrals,
    },
    Definition {
        metric: "complaints_opened",
        dimension: "",
        keeps: Keeps { cases: true, ..NOTHING },
        items: all_cases,
        told: complaints_opened,
    },
];

/// The answers to known surveys, each with its survey.
fn answers(recount: &Recount) -> impl Iterator<Item = (&Answer, &Survey)> {
    let surveys: FxHashMap<Uuid, &Survey> = recount.surveys.iter().map(|survey| (survey.id, survey)).collect();
    recount.answers.iter().filter_map(move |answer| Some((answer, *surveys.get(&answer.survey)?)))
}

/// The scores of surveys of a kind, within its scale.
fn scores(recount: &Recount, kind: SurveyKind, lowest: i32, highest: i32, mut add: impl FnMut(i32, Item)) {
    for (answer, survey) in answers(recount).filter(|(_, survey)| survey.kind == kind) {
        if let Some(score) = answer.score.filter(|score| (lowest..=highest).contains(score)) {
            add(score, Item { at: answer.at, group: survey.group.to_owned(), ..Item::default() });
        }
    }
}

fn recommending(recount: &Recount, add: &mut dyn FnMut(Item)) {
    scores(recount, SurveyKind::Nps, 0, 10, |score, item| {
        let (promotes, detracts) = (u64::from(score >= 9), u64::from(score <= 6));
        add(Item { counts: [promotes, 1 - promotes - detracts, detracts, 1], ..item });
    });
}

fn nps(tally: &Tally) -> Cell {
    let [promoters, passives, detractors, answers] = tally.counts;
    let value = share(100.0 * (real(promoters) - real(detractors)), answers);
    let counts = [("promoters", promoters), ("passives", passives), ("detractors", detractors), ("answers", answers)];
    cell(value, &counts)
}

fn satisfied(recount: &Recount, add: &mut dyn FnMut(Item)) {
    scores(recount, SurveyKind::Csat, 1, 5, |score, item| {
        add(Item { counts: [u64::from(score >= 4), 1, 0, 0], ..item });
    });
}

fn csat(tally: &Tally) -> Cell {
    let [satisfied, answers, ..] = tally.counts;
    cell(share(100.0 * real(satisfied), answers), &[("satisfied", satisfied), ("answers", answers)])
}

fn efforts(recount: &Recount, add: &mut dyn FnMut(Item)) {
    scores(recount, SurveyKind::Ces, 1, 7, |score, item| {
        add(Item { counts: [u64::from(score.unsigned_abs()), 1, 0, 0], ..item });
    });
}

fn ces(tally: &Tally) -> Cell {
    let [points, answers, ..] = tally.counts;
    cell(share(real(points), answers), &[("answers", answers)])
}

fn all_answers(recount: &Recount, add: &mut dyn FnMut(Item)) {
    for (answer, _) in answers(recount) {
        let scored = u64::from(answer.score.is_some());
        add(Item { at: answer.at, counts: [1, scored, 1 - scored, 0], ..Item::default() });
    }
}

fn responses(tally: &Tally) -> Cell {
    let [all, scored, unscored, _] = tally.counts;
    cell(some(all, all), &[("responses", all), ("scored", scored), ("unscored", unscored)])
}

/// A purchase of 0 or more is a sale, one below 0 is a return.
fn item(purchase: &Purchase) -> Item {
    let Purchase { customer, at, amount, currency: _ } = purchase;
    let is_sale = *amount >= 0;
    let (sold, returned) = if is_sale { (*amount, 0) } else { (0, *amount) };
    Item {
        at: *at,
        counts: [u64::from(is_sale), u64::from(!is_sale), 0, 0],
        sums: [sold.into(), returned.into()],
        buyer: is_sale.then_some(*customer),
        ..Item::default()
    }
}

fn all_purchases(recount: &Recount, add: &mut dyn FnMut(Item)) {
    recount.purchases.iter().map(item).for_each(add);
}

fn by_currency(recount: &Recount, add: &mut dyn FnMut(Item)) {
    let currency = |purchase: &Purchase| String::from_utf8_lossy(&purchase.currency).into_owned();
    recount.purchases.iter().map(|purchase| Item { group: currency(purchase), ..item(purchase) }).for_each(add);
}

fn sales(recount: &Recount, add: &mut dyn FnMut(Item)) {
    by_currency(recount, &mut |item| {
        if item.counts[0] > 0 {
            add(item);
        }
    });
}

fn purchases(tally: &Tally) -> Cell {
    let [sales, returns, ..] = tally.counts;
    let customers = tally.buyers.len() as u64;
    cell(some(sales, sales + returns), &[("sales", sales), ("returns", returns), ("customers", customers)])
}

fn revenue(tally: &Tally) -> Cell {
    let ([sales, returns, ..], [gross, returned]) = (tally.counts, tally.sums);
    let net = gross + returned;
    Cell {
        value: (sales + returns > 0).then(|| units(net)),
        amounts: vec![("gross", gross), ("returns", returned), ("net", net)],
        ..purchases(tally)
    }
}

fn average_order(tally: &Tally) -> Cell {
    let ([sales, ..], [gross, _]) = (tally.counts, tally.sums);
    Cell { amounts: vec![("gross", gross)], ..cell(share(units(gross), sales), &[("sales", sales)]) }
}

fn all_contacts(recount: &Recount, add: &mut dyn FnMut(Item)) {
    for contact in recount.contacts.iter() {
        let inbound = u64::from(contact.inbound);
        add(Item { at: contact.at, counts: [inbound, 1 - inbound, 0, 0], ..Item::default() });
    }
}

fn contacts(tally: &Tally) -> Cell {
    let [inbound, outbound, ..] = tally.counts;
    let all = inbound + outbound;
    cell(some(all, all), &[("inbound", inbound), ("outbound", outbound)])
}

fn all_referrals(recount: &Recount, add: &mut dyn FnMut(Item)) {
    recount.referrals.iter().for_each(|at| add(Item { at: *at, counts: [1, 0, 0, 0], ..Item::default() }));
}

fn referrals(tally: &Tally) -> Cell {
    let [all, ..] = tally.counts;
    cell(some(all, all), &[("referrals", all)])
}

fn all_cases(recount: &Recount, add: &mut dyn FnMut(Item)) {
    for case in recount.cases.iter() {
        let counts = [1, u64::from(case.responded), u64::from(case.resolved), 0];
        add(Item { at: case.at, counts, ..Item::default() });
    }
}

fn complaints_opened(tally: &Tally) -> Cell {
    let [opened, responded, resolved, _] = tally.counts;
    cell(some(opened, opened), &[("opened", opened), ("responded", responded), ("resolved", resolved)])
}

fn cell(value: Option<f64>, counts: &[(&'static str, u64)]) -> Cell {
    let counts = counts.iter().map(|(name, count)| (*name, real(*count))).collect();
    Cell { value, counts, ..Cell::default() }
}

/// A number of things; no figure over no facts.
fn some(value: u64, facts: u64) -> Option<f64> {
    (facts > 0).then(|| real(value))
}

fn share(of: f64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| of / real(whole))
}

#[allow(clippy::cast_precision_loss, reason = "nothing is counted so far")]
fn real(count: u64) -> f64 {
    count as f64
}

/// Micro-units as whole units.
#[allow(clippy::cast_precision_loss, reason = "compared to 12 digits")]
fn units(micros: i128) -> f64 {
    micros as f64 / 1e6
}
