//! What all companies have in common, and that the dip of one of them shows in every figure.

use std::collections::BTreeSet;

use barometer_simulator::{
    Company, Life, Parameters, Truth,
    company::Survey,
    life::{Course, Given, Referral},
    rows,
    timeline::{DIP, HOUR, MONTHS},
};
use prost::Message;

/// 2026-10-20T12:00:00Z.
const UNTIL: i64 = 1_792_497_600_000_000;

fn company(customers: u32, seed: u64) -> Company {
    Company::new(Parameters { customers, seed, until: UNTIL }).expect("an end of time")
}

/// Everything that is sent of a life.
fn bytes(life: &Life) -> Vec<u8> {
    let mut bytes = rows::customer(life).encode_to_vec();
    rows::attribute_changes(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    rows::purchases(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    rows::interactions(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    rows::subscription_events(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    rows::responses(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    rows::cases(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    bytes
}

/// What came later, by a chance of its own, and left the rest as it was.
fn bytes_of_loyalty(life: &Life) -> Vec<u8> {
    let mut bytes = Vec::new();
    rows::membership_events(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    rows::referrals(life).for_each(|row| bytes.extend(row.encode_to_vec()));
    bytes
}

/// FNV-1a.
fn digest(lives: impl Iterator<Item = Life>) -> u64 {
    digest_of(lives, bytes)
}

fn digest_of(lives: impl Iterator<Item = Life>, bytes: fn(&Life) -> Vec<u8>) -> u64 {
    let all = lives.flat_map(|life| bytes(&life));
    all.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_same_seed_makes_the_same_bytes_on_every_machine() {
    assert_eq!(digest(company(200, 1).lives()), 4_676_651_989_277_191_446);
    assert_eq!(digest_of(company(200, 1).lives(), bytes_of_loyalty), 16_207_949_025_731_084_426);
    assert_ne!(digest(company(200, 1).lives()), digest(company(200, 2).lives()));
    // A larger company begins with the customers of a smaller one.
    assert_eq!(digest(company(500, 1).lives().take(200)), digest(company(200, 1).lives()));
}

#[test]
fn lives_keep_to_what_is_possible() {
    for life in company(400, 3).lives() {
        let within = |at: i64| (life.since..UNTIL).contains(&at);
        assert!(life.sales.is_sorted_by_key(|sale| sale.at) && life.sales.iter().all(|sale| within(sale.at)));
        assert!(life.sales.iter().all(|sale| sale.amount() > 0 && !sale.lines.is_empty()));
        for taken_back in &life.returns {
            assert!(within(taken_back.at) && taken_back.at > life.sales[taken_back.sale].at);
            assert!(taken_back.from_line < life.sales[taken_back.sale].lines.len());
        }
        assert!(life.contacts.iter().all(|contact| within(contact.at)));
        for answer in &life.answers {
            let (low, high) = answer.survey.scale();
            assert!(within(answer.at) && answer.score.is_none_or(|score| (low..=high).contains(&score)), "{answer:?}");
            assert!(answer.score.is_some() || answer.comment.is_empty());
        }
        for case in &life.cases {
            let course =
                [Some(case.opened), case.acknowledged, case.responded, case.resolved, case.reopened, case.closed];
            let course: Vec<i64> = course.into_iter().flatten().collect();
            assert!(course.is_sorted() && course.iter().all(|at| within(*at)), "{case:?}");
            assert!(case.reopened.is_none() || case.closed.is_none());
        }
        let steps = &life.subscription;
        assert!(steps.is_sorted_by_key(|step| step.at) && steps.iter().all(|step| within(step.at)));
        assert!(steps.first().is_none_or(|step| matches!(step.what, Course::Start(..))));
        let ends = steps.iter().position(|step| matches!(step.what, Course::Cancel(..)));
        assert!(ends.is_none_or(|last| last + 1 == steps.len()), "{steps:?}");
        assert!(rows::responses(&life).all(|row| row.response.is_some_and(|answer| answer.comment.len() < 200)));
        keeps_to_the_programme(&life);
    }
}

/// A member joins once and first, redeems no more than it has, and a voucher ends once, after it was granted.
fn keeps_to_the_programme(life: &Life) {
    let (mut points, mut vouchers) = (0, BTreeSet::new());
    assert!(life.perks.is_sorted_by_key(|perk| perk.at));
    for (index, perk) in life.perks.iter().enumerate() {
        assert!((life.since..UNTIL).contains(&perk.at), "{perk:?}");
        assert_eq!(index == 0, perk.what == Given::Join);
        match perk.what {
            Given::Join => {}
            Given::Points(earned, sale) => {
                assert!(earned > 0 && life.sales[sale].at == perk.at);
                points += earned;
            }
            Given::Redeemed(redeemed) => points -= redeemed,
            Given::Voucher(ordinal, until) => assert!(until > perk.at && vouchers.insert(ordinal)),
            Given::VoucherUsed(ordinal) | Given::VoucherLost(ordinal) => assert!(vouchers.remove(&ordinal)),
        }
        assert!(points >= 0, "{life:?}");
    }
    assert_eq!(life.perks.is_empty(), life.joined().is_none());
    for referral in &life.referrals {
        match *referral {
            Referral::By(other, at) => {
                assert!(other < life.number && at < life.since);
                assert!(company(life.number + 1, 3).life(other).since <= at, "who recommends is a customer");
            }
            Referral::InVain(at) => assert!((life.since..UNTIL).contains(&at)),
        }
    }
}

#[test]
fn what_is_told_of_loyalty_and_costs_is_some_of_it_all() {
    let lives: Vec<Life> = company(400, 3).lives().collect();
    let count = |is: fn(&Life) -> bool| lives.iter().filter(|life| is(life)).count();
    let brought = count(|life| life.referrals.iter().any(|referral| matches!(referral, Referral::By(..))));
    assert!((20..120).contains(&brought), "{brought}");
    assert!((60..250).contains(&count(|life| !life.perks.is_empty())));
    assert!(count(|life| life.perks.iter().any(|perk| matches!(perk.what, Given::VoucherUsed(_)))) > 5);
    assert!(count(|life| life.perks.iter().any(|perk| matches!(perk.what, Given::Redeemed(_)))) > 5);
    assert_eq!(rows::costs(&company(400, 3)).count(), 1 + 3 * MONTHS);
}

#[test]
fn keys_are_of_one_fact_each() {
    let mut keys = BTreeSet::new();
    for life in company(100, 3).lives() {
        let purchases = rows::purchases(&life).filter_map(|row| row.purchase?.external_id);
        let responses = rows::responses(&life).filter_map(|row| row.response?.external_id);
        let cases = rows::cases(&life).filter_map(|row| row.case?.external_id);
        let perks = rows::membership_events(&life).filter_map(|row| row.membership_event?.external_id);
        let referrals = rows::referrals(&life).filter_map(|row| row.referral?.external_id);
        for key in purchases.chain(responses).chain(cases).chain(perks).chain(referrals) {
            assert!(keys.insert(key.value.clone()), "{key:?}");
        }
    }
    assert!(keys.len() > 1_000);
}

/// What a figure is over some months.
type Figure = fn(&Truth, &[usize]) -> f64;

fn nps(truth: &Truth, survey: Survey, months: &[usize]) -> f64 {
    let of_months = months.iter().map(|month| truth.answers_of(survey, *month).recommend());
    let (p, a, d) = of_months.fold((0, 0, 0), |all, of| (all.0 + of.0, all.1 + of.1, all.2 + of.2));
    100.0 * (p as f64 - d as f64) / (p + a + d) as f64
}

fn mean(truth: &Truth, survey: Survey, months: &[usize]) -> f64 {
    let scores: Vec<_> = months.iter().map(|month| truth.answers_of(survey, *month)).collect();
    let sum: i64 = scores.iter().map(|scores| scores.sum()).sum();
    sum as f64 / scores.iter().map(|scores| scores.scored()).sum::<u64>() as f64
}

fn hours(truth: &Truth, months: &[usize]) -> f64 {
    let mut waits: Vec<i64> = months.iter().flat_map(|month| truth.cases_of(*month).responses).collect();
    waits.sort_unstable();
    waits[waits.len() / 2] as f64 / HOUR as f64
}

fn complaints(truth: &Truth, months: &[usize]) -> f64 {
    let opened = |month: &usize| truth.cases_of(*month).opened as f64 / truth.months[*month].active_at_end as f64;
    100.0 * months.iter().map(opened).sum::<f64>() / months.len() as f64
}

fn in_time(truth: &Truth, months: &[usize]) -> f64 {
    let cases = || months.iter().map(|month| truth.cases_of(*month));
    100.0 * cases().map(|of| of.in_time).sum::<u64>() as f64 / cases().map(|of| of.opened).sum::<u64>() as f64
}

fn churn(truth: &Truth, months: &[usize]) -> f64 {
    let of = |count: fn(&barometer_simulator::truth::Month) -> u64| {
        months.iter().map(|month| count(&truth.months[*month])).sum::<u64>() as f64
    };
    100.0 * of(|month| month.churned) / of(|month| month.active_at_start)
}

/// The figures lie far apart, some several times: many standard errors, whatever the seed.
#[test]
fn the_dip_shows_in_every_figure_and_passes() {
    let before: Vec<usize> = (4..10).collect();
    let dip: Vec<usize> = DIP.collect();
    // Who leaves is missed 90 days later.
    let later: Vec<usize> = DIP.map(|month| month + 3).collect();
    let after: Vec<usize> = (20..MONTHS - 1).collect();
    let figures: [(&str, Figure, &[usize], f64); 8] = [
        ("NPS of the relation", |truth, months| nps(truth, Survey::Relationship, months), &dip, -40.0),
        ("NPS after deliveries", |truth, months| nps(truth, Survey::Delivery, months), &dip, -50.0),
        ("satisfaction with the service desk", |truth, months| mean(truth, Survey::Support, months), &dip, -0.8),
        ("ease of the checkout", |truth, months| mean(truth, Survey::Checkout, months), &dip, -0.4),
        ("complaints per 100 active customers", complaints, &dip, 5.0),
        ("hours to the first response", hours, &dip, 20.0),
        ("answered in time, per cent", in_time, &dip, -40.0),
        ("churn, per cent", churn, &later, 2.0),
    ];
    for seed in 1..=3 {
        let truth = company(3_000, seed).truth();
        for (name, figure, bad, change) in figures {
            let [good, worst, again] = [&before, bad, &after].map(|months| figure(&truth, months));
            let said = format!("{name}, seed {seed}: {good} {worst} {again}");
            assert!((worst - good) / change >= 1.0, "{said}");
            assert!((again - good).abs() < change.abs() / 2.0, "{said}");
        }
    }
}
