//! Moves, states, journeys and drivers against facts in any order, and against plain recomputation.

use barometer_chassis::clock::Micros;
use barometer_proto::{
    complaints::v1 as complaints,
    customers::v1 as customers,
    metrics::v1::{self as wire, Granularity, KeyDriversState},
    surveys::v1 as surveys,
};
use barometer_statistics::{Level, drivers::Drivers};
use proptest::{collection::vec, option, prelude::*, sample::select, strategy::ValueTree};
use prost::Message;

use super::{
    asked::{
        NOW, drivers, drivers_at, filters, id, journeys, journeys_at, lists, matrices_at, moves_at, names, scope,
        states_at, states_by_page, states_of, transitions, zones,
    },
    figures, fold,
    script::{DAY, History, Write, history},
    twin,
};
use crate::{columns::Facts, query::Vocabulary, rules::granularity::Granularity as Every, wire as render};

/// Everything in several ways, as it is sent.
fn everything(facts: &Facts) -> Vec<Vec<u8>> {
    let level = Level::P95;
    let mut all = Vec::new();
    for request in transitions() {
        all.push(render::transition::transitions(matrices_at(NOW, &request, facts), Vec::new()).encode_to_vec());
    }
    for request in journeys() {
        let journeys = journeys_at(NOW, &request, facts);
        all.push(render::journey::journeys(journeys, level, 0, Vec::new()).encode_to_vec());
    }
    for request in drivers() {
        let asked = crate::analysis::drivers::parse(request.clone(), &Vocabulary::of(facts), &zones(), 0)
            .expect("a good request");
        let found = drivers_at(NOW, &request, facts, 0);
        all.push(render::driver::drivers(found, &asked.drivers, Vec::new()).encode_to_vec());
    }
    for request in lists() {
        all.push(render::transition::moves(moves_at(NOW, &request, facts)).encode_to_vec());
    }
    for filter in filters() {
        let states = states_at(NOW, &filter, facts);
        all.push(render::state::these((states, String::new()), Vec::new()).encode_to_vec());
    }
    all
}

/// A history, and more of what these look at.
#[derive(Clone, Debug)]
struct Past {
    history: History,
    more: Vec<Write>,
}

impl Past {
    fn writes(&self, of: Vec<Write>) -> Vec<Write> {
        [of, self.more.clone()].concat()
    }

    fn facts(&self) -> Facts {
        fold(&self.writes(self.history.shuffled.clone()))
    }

    fn model(&self) -> twin::Model {
        twin::Model::of(&self.writes(self.history.last_versions()))
    }
}

/// The id of a fact.
fn numbered(number: i64) -> String {
    id(number.unsigned_abs().into())
}

/// Answers to one survey of each kind and type, payments, and cases of somebody.
fn past() -> impl Strategy<Value = Past> {
    let at = || (0_i64..400).prop_map(|quarters| Some(Micros(quarters * DAY / 4).to_wire()));
    let who = || prop_oneof![8 => (0_u128..3).prop_map(id), 1 => Just(String::new())];
    let said = (
        select(vec![0_u128, 0, 0, 0, 1, 1, 1, 2, 3, 4, 5]),
        0..=10,
        select(vec!["", "a", "b", "c"]),
        select(vec!["a", "b"]),
        option::of(select(vec!["1", "2.5", "-3", "x"])),
    );
    let answer = (who(), at(), said).prop_map(|(customer_id, time, (survey, score, stage, language, wait))| {
        let score = match survey / 2 {
            0 => score,
            1 => 1 + score % 5,
            _ => 1 + score % 7,
        };
        surveys::ResponseFact {
            survey_id: id(900 + survey),
            customer_id,
            time,
            score: Some(score),
            journey_stage: stage.to_owned(),
            language: language.to_owned(),
            weight_trillionths: 1_000_000_000_000,
            dimensions: wait.map(|wait| ("wait".to_owned(), wait.to_owned())).into_iter().collect(),
            ..Default::default()
        }
    });
    let sale = ((0_u128..5).prop_map(id), at(), option::of(at()), option::of(at())).prop_map(
        |(customer_id, time, due, paid)| customers::PurchaseFact {
            customer_id,
            time,
            amount: Some(barometer_proto::common::v1::Money { currency_code: "EUR".to_owned(), units: 7, nanos: 0 }),
            due_time: due.flatten(),
            paid_time: paid.flatten(),
            ..Default::default()
        },
    );
    let case = ((0_u128..5).prop_map(id), at(), option::of(0_i64..90)).prop_map(|(customer_id, open_time, took)| {
        let opened = twin::micros(open_time);
        complaints::CaseFact {
            customer_id,
            open_time,
            first_response_time: took.map(|took| Micros(opened + took * DAY / 8).to_wire()),
            state: 3,
            ..Default::default()
        }
    });
    let more = (vec(answer, 0..60), vec(sale, 0..10), vec(case, 0..10));
    (history(), more).prop_map(|(history, (answers, sales, cases))| {
        let put = |number, id, fact| {
            Write::Surveys(surveys::Fact { number, version: 1, id, fact: Some(fact), ..Default::default() })
        };
        let kinds = (0_u128..6).map(|survey| {
            let kind = 1 + i32::try_from(survey / 2).expect("small");
            let (name, r#type) = (format!("s{survey}"), 1 + i32::try_from(survey % 2).expect("small"));
            let fact = surveys::fact::Fact::Survey(surveys::SurveyFact { name, kind, r#type });
            put(40_000 + i64::try_from(survey).expect("small"), id(900 + survey), fact)
        });
        let answers = (30_000..).zip(answers);
        let answers = answers.map(|(number, fact)| put(number, numbered(number), surveys::fact::Fact::Response(fact)));
        let sales = (30_000..).zip(sales).map(|(number, fact)| {
            let fact = Some(customers::fact::Fact::Purchase(fact));
            Write::Customers(customers::Fact { id: numbered(number), number, version: 1, fact, ..Default::default() })
        });
        let cases = (30_000..).zip(cases).map(|(number, fact)| {
            let fact = Some(complaints::fact::Fact::Case(fact));
            Write::Complaints(complaints::Fact { id: numbered(number), number, version: 1, fact, ..Default::default() })
        });
        Past { history, more: kinds.chain(answers).chain(sales).chain(cases).collect() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_order_nor_repetition_matters_to_what_follows_answers(past in past()) {
        let plain = everything(&fold(&past.writes(past.history.last_versions())));
        prop_assert_eq!(&everything(&past.facts()), &plain, "in any order, some of it twice");
        let mut backwards = past.writes(past.history.in_order());
        backwards.reverse();
        let again = [backwards, past.more.clone()].concat();
        prop_assert_eq!(&everything(&fold(&again)), &plain, "backwards, and again");
        let shuffled = past.writes(past.history.shuffled.clone());
        let (before, after) = shuffled.split_at(shuffled.len() / 2);
        let bytes = postcard::to_allocvec(&fold(before)).expect("bytes");
        let mut facts: Facts = postcard::from_bytes(&bytes).expect("facts");
        facts.restore();
        after.iter().for_each(|write| write.apply(&mut facts));
        prop_assert_eq!(&everything(&facts), &plain, "from a snapshot");
    }

    #[test]
    fn matrices_are_those_of_plain_recomputation(past in past()) {
        let (facts, model) = (past.facts(), past.model());
        for request in transitions() {
            let found = twin::moves::shape(&matrices_at(NOW, &request, &facts));
            prop_assert_eq!(found, model.transitions(&request), "{:?}", request);
        }
    }

    #[test]
    fn who_is_counted_is_whom_nps_counts(past in past()) {
        let facts = past.facts();
        for by in [&["language"][..], &["tier"], &["segment"]] {
            let request = wire::QueryTransitionsRequest {
                scope: scope(Some(0), Some(360)),
                granularity: Granularity::Week.into(),
                group_by: names(by),
                ..Default::default()
            };
            let mut query = super::query("nps", Every::Week, by);
            (query.end, query.parameters.latest_per_customer) = (Some(NOW), true);
            // Anonymous answers are left out by their customers.
            let rows = figures(&query, &facts);
            for matrix in matrices_at(NOW, &request, &facts) {
                let moved = matrix.told.as_ref().expect("told");
                let row = rows.iter().find(|row| {
                    row.start == matrix.before.start && twin::sorted(&row.group) == twin::sorted(&matrix.group)
                });
                let anonymous = past.model().anonymous(&matrix);
                let before: Vec<u64> = (0..3).map(|of| moved.matrix.before(of) + moved.lost[of] + anonymous[of]).collect();
                let count = |name| row.map_or(0.0, |row| super::total(std::slice::from_ref(row), name));
                let told = ["detractors", "passives", "promoters"].map(count);
                prop_assert_eq!(before.iter().map(|count| *count as f64).collect::<Vec<_>>(), told, "{:?}", matrix);
            }
        }
    }

    #[test]
    fn moves_and_states_are_those_of_plain_recomputation(past in past()) {
        let (facts, model) = (past.facts(), past.model());
        for request in lists() {
            let (found, token) = moves_at(NOW, &request, &facts);
            prop_assert_eq!(&found, &model.moves(&request), "{:?}", request);
            prop_assert!(token.is_empty());
            let mut paged = Vec::new();
            let mut page = wire::ListCategoryMovesRequest { page_size: 2, ..request };
            loop {
                let (more, next) = moves_at(NOW, &page, &facts);
                paged.extend(more);
                if next.is_empty() {
                    break;
                }
                page.page_token = next;
            }
            prop_assert_eq!(paged, found, "page by page");
        }
        for at in [NOW, 50 * DAY, 0] {
            let all = states_at(at, &wire::CustomerStateFilter::default(), &facts);
            prop_assert_eq!(&all, &model.states(at), "at {}", at);
            for filter in filters() {
                let of_filter = states_at(at, &filter, &facts);
                prop_assert_eq!(&of_filter, &model.filtered(at, &filter), "{:?}", filter);
            }
        }
    }

    #[test]
    fn moves_and_states_follow_every_change(past in past(), parts in 1_usize..6) {
        let writes = past.writes(past.history.shuffled.clone());
        let (mut facts, mut applied) = (Facts::default(), 0);
        for some in writes.chunks(writes.len() / parts + 1) {
            some.iter().for_each(|write| write.apply(&mut facts));
            applied += some.len();
            let again = fold(&writes[..applied]);
            for request in lists() {
                prop_assert_eq!(moves_at(NOW, &request, &facts), moves_at(NOW, &request, &again), "{:?}", request);
            }
            for filter in filters() {
                let all = states_at(NOW, &filter, &facts);
                prop_assert_eq!(&all, &states_at(NOW, &filter, &again), "{:?}", filter);
                prop_assert_eq!(states_by_page(NOW, &filter, &facts), all.clone(), "page by page, {:?}", filter);
                let mut ids: Vec<_> = all.iter().map(|state| state.customer.to_string()).chain([id(77)]).collect();
                ids.reverse();
                let these = states_of(NOW, ids, &facts);
                prop_assert_eq!(these[0].last_activity, None);
                prop_assert!(these[1..].iter().eq(all.iter().rev()));
            }
        }
    }

    #[test]
    fn journeys_are_those_of_plain_recomputation(past in past()) {
        let (facts, model) = (past.facts(), past.model());
        for request in journeys() {
            let found = journeys_at(NOW, &request, &facts);
            prop_assert_eq!(twin::moves::journeys_of(&found), model.journeys(&request), "{:?}", request);
            for of_group in &found {
                let reached: u64 = of_group.stages.iter().map(|stage| stage.began).sum();
                let ended: u64 = of_group.stages.iter().map(|stage| stage.ended).sum();
                let whole = of_group.whole.total().answers();
                prop_assert_eq!((reached, ended), (whole, whole), "each begins and ends once");
                for stage in &of_group.stages {
                    let entered: u64 = of_group.stages.iter().flat_map(|of| &of.next).filter(|(to, _)| *to == stage.name).map(|(_, count)| count).sum();
                    prop_assert_eq!(stage.began + entered, stage.reached);
                }
                prop_assert!(of_group.other.is_none());
            }
            // What is not told by itself is told together.
            let short = wire::QueryJourneysRequest { max_length: 1, max_paths: 1, ..request };
            for (of_group, short) in found.iter().zip(journeys_at(NOW, &short, &facts)) {
                let told = short.paths.iter().chain(&short.other).map(|path| path.last.total().answers());
                prop_assert_eq!(told.sum::<u64>(), of_group.whole.total().answers());
                prop_assert!(short.paths.len() <= 1 && short.whole == of_group.whole);
            }
        }
    }

    #[test]
    fn stages_are_the_rows_of_nps(past in past()) {
        let facts = past.facts();
        let request = wire::QueryJourneysRequest { scope: scope(Some(0), Some(360)), ..Default::default() };
        let mut query = super::query("nps", Every::All, &["journey_stage"]);
        query.end = Some(NOW);
        let mut rows: Vec<_> = figures(&query, &facts).into_iter().filter(|row| row.is_counted()).map(|row| {
            let value = |name: &str| row.group.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone()).unwrap_or_default();
            (value("survey_type"), value("journey_stage"), row.measured.value)
        }).collect();
        rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let mut told: Vec<_> = journeys_at(NOW, &request, &facts).into_iter().flat_map(|of| {
            let of_type = of.group[0].1.clone();
            of.stages.into_iter().filter(|stage| stage.answers.total().answers() > 0).map(move |stage| (of_type.clone(), stage.name, stage.answers.nps()))
        }).collect();
        told.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        prop_assert_eq!(told, rows);
    }

    #[test]
    fn drivers_are_those_of_plain_recomputation(past in past()) {
        let (facts, model) = (past.facts(), past.model());
        for request in drivers() {
            let mut found = drivers_at(NOW, &request, &facts, 0);
            found.sort_by_key(|of| twin::sorted(&of.group));
            let expected = model.drivers(&request);
            let groups: Vec<_> = found.iter().map(|of| twin::sorted(&of.group)).collect();
            prop_assert_eq!(groups, expected.keys().cloned().collect::<Vec<_>>(), "{:?}", request);
            for (found, (answers, anonymous, rows)) in found.iter().zip(expected.values()) {
                prop_assert_eq!((found.answers, found.anonymous), (*answers, *anonymous));
                for (index, share) in found.shares.iter().enumerate() {
                    prop_assert_eq!(share.missing, rows.iter().filter(|row| row.0[index].is_none()).count() as u64);
                }
                let complete: Vec<(Vec<f64>, f64)> = rows.iter().filter_map(|(row, score)| Some((row.iter().copied().collect::<Option<Vec<f64>>>()?, *score))).collect();
                prop_assert_eq!(found.complete, complete.len() as u64);
                let scores: Vec<f64> = complete.iter().map(|(_, score)| *score).collect();
                let columns: Vec<Vec<f64>> = (0..found.shares.len()).map(|index| complete.iter().map(|(row, _)| row[index]).collect()).collect();
                for (share, column) in found.shares.iter().zip(&columns) {
                    let mean = (!column.is_empty()).then(|| column.iter().sum::<f64>() / column.len() as f64);
                    prop_assert!(near(share.mean, mean, 1e-6), "{:?} {:?}", share, mean);
                }
                match Drivers::of(&scores, &columns) {
                    Ok(plain) => {
                        prop_assert_eq!(found.state, KeyDriversState::Ok);
                        prop_assert!(near(found.r_squared, Some(plain.r_squared()), 1e-7), "{:?}", request);
                        prop_assert_eq!(found.rank, plain.rank());
                        let divided = if request.method == 2 { plain.shapley().expect("few") } else { plain.relative_weights() };
                        for (share, part) in found.shares.iter().zip(divided) {
                            prop_assert!(near(share.share, Some(part), 1e-7), "{:?} {} {:?}", share, part, request);
                        }
                        let sum: f64 = found.shares.iter().filter_map(|share| share.share).sum();
                        prop_assert!(near(Some(sum), found.r_squared, 1e-8), "shares add up");
                    }
                    Err(_) => prop_assert!([KeyDriversState::TooFew, KeyDriversState::NoSpread].contains(&found.state)),
                }
                let few = drivers_at(NOW, &request, &facts, found.complete + 1);
                let few = few.iter().find(|of| of.group == found.group).expect("it has a row");
                let is_silent = few.shares.iter().all(|share| (share.share, share.mean, share.correlation) == (None, None, None));
                prop_assert!(few.state == KeyDriversState::Suppressed && few.outcome_mean.is_none() && is_silent);
            }
        }
    }
}

fn near(one: Option<f64>, other: Option<f64>, tolerance: f64) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= tolerance * other.abs().max(1.0),
        (one, other) => one == other,
    }
}

#[test]
fn every_kind_of_request_is_met() {
    // The histories are of little use when hardly anybody moves.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut explained, mut moved, mut long, mut facts_met) = (0, 0, 0, std::collections::BTreeSet::new());
    for _ in 0..120 {
        let past = past().new_tree(&mut runner).expect("a history").current();
        let facts = past.facts();
        for request in drivers() {
            for found in drivers_at(NOW, &request, &facts, 0) {
                explained += usize::from(found.state == KeyDriversState::Ok);
                let met = request
                    .drivers
                    .iter()
                    .zip(&found.shares)
                    .filter(|(_, share)| share.mean.is_some_and(|mean| mean != 0.0));
                facts_met.extend(met.map(|(driver, _)| format!("{driver:?}")));
            }
        }
        for request in transitions() {
            let moves = matrices_at(NOW, &request, &facts);
            moved += moves.iter().filter_map(|of| of.told.as_ref()).filter(|of| of.matrix.raised() > 0).count();
        }
        for request in journeys() {
            let paths = journeys_at(NOW, &request, &facts).into_iter().flat_map(|of| of.paths);
            long += paths.filter(|path| path.stages.len() > 2).count();
        }
    }
    assert!(explained > 100 && moved > 100 && long > 30, "{explained} {moved} {long}");
    assert_eq!(facts_met.len(), 13, "{facts_met:?}");
}
