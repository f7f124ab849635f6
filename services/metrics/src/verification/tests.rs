//! What a verification finds, of any history of facts.

use barometer_chassis::{client::Channel, clock::Micros};
use barometer_proto::{complaints::v1 as complaints, customers::v1 as customers, metrics::v1::VerificationWay};
use proptest::prelude::*;

use super::{
    answers, compare_all,
    comparing::Compared,
    reading::Anew,
    recount::{Countable, Recount},
};
use crate::{
    catalogue::METRICS,
    columns::Facts,
    fold::{Feed, complaints_feed, customers_feed, surveys_feed},
    query::{
        Query,
        tests::{
            fold, query,
            script::{Write, history},
        },
    },
    rules::granularity::Granularity,
};

/// What the feeds tell, read anew.
fn anew(told: &[Write]) -> Anew {
    let metrics: Vec<_> = METRICS.iter().map(|metric| metric.id).collect();
    let mut anew = Anew { facts: Facts::default(), recount: Recount::of(&metrics) };
    for write in told.iter().cloned() {
        match write {
            Write::Customers(fact) => put(customers_feed, &mut anew, fact),
            Write::Surveys(fact) => put(surveys_feed, &mut anew, fact),
            Write::Complaints(fact) => put(complaints_feed, &mut anew, fact),
        }
    }
    anew
}

/// Puts in a fact of the feed that the function would open.
fn put<F: Feed<Fact: Countable>>(_feed: fn(Channel) -> F, anew: &mut Anew, fact: F::Fact) {
    anew.put::<F>(vec![fact]);
}

/// Every metric over the whole time, by month, by tier, and over a time that is open.
fn queries() -> Vec<Query> {
    let of = |metric: &str| {
        let open = Query { start: None, end: None, ..query(metric, Granularity::Month, &[]) };
        let some = Query { end: Some(40 * Micros::DAY), ..query(metric, Granularity::Week, &[]) };
        [query(metric, Granularity::All, &[]), query(metric, Granularity::Month, &[]), open, some]
    };
    METRICS.iter().flat_map(|metric| of(metric.id)).collect()
}

fn compare(live: &Facts, anew: &Anew) -> Vec<Compared> {
    let queries = queries();
    compare_all(&queries, answers(&queries, live), anew)
}

fn found<'c>(compared: &'c [Compared], metric: &'c str) -> impl Iterator<Item = &'c Compared> {
    compared.iter().filter(move |of| of.metric.id == metric)
}

/// The metric that a fact moves for sure, which is counted one by one.
fn moved_by(write: &Write) -> Option<&'static str> {
    match write {
        Write::Customers(fact) => match fact.fact {
            Some(customers::fact::Fact::Purchase(_)) => Some("purchases"),
            Some(customers::fact::Fact::Interaction(_)) => Some("contacts"),
            Some(customers::fact::Fact::Referral(_)) => Some("referrals"),
            _ => None,
        },
        Write::Complaints(fact) => match &fact.fact {
            Some(complaints::fact::Fact::Case(case)) if case.state() != complaints::case::State::Merged => {
                Some("complaints_opened")
            }
            _ => None,
        },
        Write::Surveys(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However facts came to the fold, amended, withdrawn and repeated, nothing differs from what their last versions come to.
    #[test]
    fn figures_of_all_facts_are_the_same(history in history()) {
        let compared = compare(&fold(&history.shuffled), &anew(&history.last_versions()));
        for Compared { metric, ways, differences, error, .. } in &compared {
            prop_assert_eq!((differences.first(), error.as_str()), (&[][..], ""), "{}", metric.id);
            prop_assert!(ways.contains(&VerificationWay::Folded));
        }
        for metric in ["nps", "csat", "ces", "responses", "purchases", "revenue", "average_order", "contacts", "referrals", "complaints_opened"] {
            prop_assert!(found(&compared, metric).all(|of| of.ways.contains(&VerificationWay::Counted)), "{}", metric);
        }
    }

    /// The same of facts as they are counted, in whatever order they come.
    #[test]
    fn the_order_of_facts_does_not_matter_for_counting(history in history()) {
        let compared = compare(&fold(&history.in_order()), &anew(&history.shuffled));
        prop_assert!(compared.iter().all(|of| of.differences.count() == 0));
    }

    /// A fact that the fold does not have is found, in both ways, by the metric that counts it.
    #[test]
    fn a_fact_that_is_missing_is_found(history in history(), which in any::<prop::sample::Index>()) {
        let told = history.last_versions();
        let counted: Vec<_> = (0..told.len()).filter_map(|at| Some((at, moved_by(&told[at])?))).collect();
        prop_assume!(!counted.is_empty());
        let (missing, metric) = counted[which.index(counted.len())];
        let but_one = [&told[..missing], &told[missing + 1..]].concat();
        let compared = compare(&fold(&but_one), &anew(&told));
        let whole = found(&compared, metric).next().expect("it is verified");
        for way in [VerificationWay::Folded, VerificationWay::Counted] {
            prop_assert!(whole.differences.count_of(way) > 0, "{} {:?}", metric, way);
        }
        // And one that the facts do not have.
        let compared = compare(&fold(&told), &anew(&but_one));
        let whole = found(&compared, metric).next().expect("it is verified");
        for way in [VerificationWay::Folded, VerificationWay::Counted] {
            prop_assert!(whole.differences.count_of(way) > 0, "{} {:?}", metric, way);
        }
    }
}
