//! Moves, states, journeys and drivers whose numbers are known by hand.

use barometer_chassis::clock::Micros;
use barometer_proto::{
    customers::v1 as customers,
    metrics::v1::{self as wire, DriverFact, DriverState, Granularity, KeyDriversState, Span, TestState},
    surveys::v1 as surveys,
};

use super::{
    asked::{driver, drivers_at, id, journeys_at, matrices_at, moves_at, states_at},
    script::DAY,
};
use crate::{
    analysis::{drivers::KeyDrivers, journey::Path, transition::Matrix},
    columns::Facts,
    rules::scale::NpsGroup,
    wire as render,
};

/// 2024-01-01T00:00Z.
const START: i64 = 1_704_067_200_000_000;
const NOW: i64 = START + 200 * DAY;

/// Facts as they come.
#[derive(Default)]
struct Log {
    facts: Facts,
    number: i64,
}

impl Log {
    fn new() -> Self {
        let mut log = Log::default();
        for (survey, r#type) in [(1, 1), (2, 2)] {
            let fact = surveys::SurveyFact { name: format!("s{survey}"), kind: 1, r#type };
            log.put(id(survey), surveys::fact::Fact::Survey(fact));
        }
        log
    }

    fn put(&mut self, id: String, fact: surveys::fact::Fact) {
        self.number += 1;
        let fact = surveys::Fact { id, number: self.number, version: 1, fact: Some(fact), ..Default::default() };
        self.facts.put_surveys(fact).expect("readable");
    }

    /// An answer to the relational survey so many days after the start.
    fn answer(&mut self, customer: u128, day: i64, score: i32) {
        self.answer_at(1, customer, day, score, "");
    }

    fn answer_at(&mut self, survey: u128, customer: u128, day: i64, score: i32, stage: &str) {
        let fact = surveys::ResponseFact {
            survey_id: id(survey),
            customer_id: id(customer),
            time: Some(Micros(START + day * DAY).to_wire()),
            score: Some(score),
            journey_stage: stage.to_owned(),
            weight_trillionths: 1_000_000_000_000,
            ..Default::default()
        };
        self.put(id((1_000 + self.number).unsigned_abs().into()), surveys::fact::Fact::Response(fact));
    }

    fn put_customers(&mut self, fact: customers::fact::Fact) {
        self.number += 1;
        let id = id(self.number.unsigned_abs().into());
        let fact = customers::Fact { id, number: self.number, version: 1, fact: Some(fact), ..Default::default() };
        self.facts.put_customers(fact).expect("readable");
    }

    fn sale(&mut self, customer: u128, day: i64) {
        let at = Some(Micros(START + day * DAY).to_wire());
        let amount = Some(barometer_proto::common::v1::Money { currency_code: "EUR".to_owned(), units: 5, nanos: 0 });
        let sale =
            customers::PurchaseFact { customer_id: id(customer), time: at, amount, due_time: at, ..Default::default() };
        self.put_customers(customers::fact::Fact::Purchase(sale));
    }

    fn contact(&mut self, customer: u128, day: i64) {
        let time = Some(Micros(START + day * DAY).to_wire());
        let contact =
            customers::InteractionFact { customer_id: id(customer), time, direction: 1, ..Default::default() };
        self.put_customers(customers::fact::Fact::Interaction(contact));
    }

    fn matrices(&self, request: &wire::QueryTransitionsRequest) -> Vec<Matrix> {
        matrices_at(NOW, request, &self.facts)
    }

    fn drivers(&self, facts: &[DriverFact], minimum: u64) -> KeyDrivers {
        let drivers = facts.iter().copied().map(driver).collect();
        let request = wire::QueryDriversRequest { drivers, window_days: 10, method: 2, ..Default::default() };
        drivers_at(NOW, &request, &self.facts, minimum).remove(0)
    }
}

fn span(start: Option<i64>, end: Option<i64>) -> Option<Span> {
    let at = |day: i64| Micros(START + day * DAY).to_wire();
    Some(Span { start_time: start.map(at), end_time: end.map(at) })
}

/// Five customers in January and February: two are raised, one is lowered, one is lost, one joins.
fn two_months() -> Log {
    let mut log = Log::new();
    for (customer, day, score) in [
        (1, 3, 2),
        (1, 20, 6),
        (1, 40, 9), // detractor, at last, then promoter
        (2, 5, 7),
        (2, 45, 9), // passive, then promoter
        (3, 6, 10),
        (3, 46, 0), // promoter, then detractor
        (4, 7, 8),  // passive, then nothing
        (5, 50, 3), // nothing, then detractor
    ] {
        log.answer(customer, day, score);
    }
    log
}

#[test]
fn customers_move_from_month_to_month() {
    let log = two_months();
    let mut request = wire::QueryTransitionsRequest { granularity: Granularity::Month.into(), ..Default::default() };
    let matrices = log.matrices(&request);
    let moved = matrices[0].told.as_ref().expect("told");
    let counts = [0, 1, 2].map(|from| [0, 1, 2].map(|to| moved.matrix.count(from, to)));
    assert_eq!(counts, [[0, 0, 1], [0, 0, 1], [1, 0, 0]]);
    assert_eq!((moved.joined, moved.lost), ([1, 0, 0], [0, 1, 0]));
    assert_eq!((matrices[0].before.label.as_str(), matrices[0].after.label.as_str()), ("2024-01", "2024-02"));
    assert_eq!((moved.matrix.raised(), moved.matrix.lowered(), moved.matrix.stayed()), (2, 1, 0));
    // Those of February are lost in March.
    let lost = matrices[1].told.as_ref().expect("told");
    assert_eq!((matrices.len(), lost.lost, lost.matrix.total()), (2, [2, 0, 2], 0));
    let told = render::transition::transitions(matrices, Vec::new()).matrices;
    assert_eq!((told[0].test_state(), told[1].test_state()), (TestState::Ok, TestState::Nobody));
    // One of each pair that moved: (1 - 1)²/2 + 1²/1 of two pairs.
    let symmetry = told[0].symmetry.expect("a test");
    assert!((symmetry.statistic - 1.0).abs() < 1e-12 && symmetry.degrees_of_freedom == 2);
    assert_eq!((told[0].cells.len(), told[0].cells[2].percent, told[0].cells[0].percent), (9, Some(100.0), Some(0.0)));

    request.carry = true;
    let matrices = log.matrices(&request);
    let moved = matrices[0].told.as_ref().expect("told");
    assert_eq!((moved.matrix.count(1, 1), moved.lost, moved.joined), (1, [0; 3], [1, 0, 0]));
    // Nobody moves any more: until July all stay where they are.
    assert_eq!(matrices.len(), 6);
    for matrix in &matrices[1..] {
        let matrix = &matrix.told.as_ref().expect("told").matrix;
        assert_eq!((matrix.stayed(), matrix.total(), matrix.before(0)), (5, 5, 2));
    }
    let told = render::transition::transitions(matrices, Vec::new()).matrices;
    assert_eq!(told[2].test_state(), TestState::NobodyMoved);
    assert!(told[2].symmetry.is_none() && told[2].homogeneity.is_none());
}

#[test]
fn two_times_need_not_follow_each_other() {
    let log = two_months();
    let mut request = wire::QueryTransitionsRequest {
        before: span(None, Some(15)),
        after: span(Some(45), None),
        ..Default::default()
    };
    let moved = log.matrices(&request).remove(0).told.expect("told");
    // The first is lost, as its last answer lies between.
    assert_eq!((moved.matrix.total(), moved.lost, moved.joined), (2, [1, 1, 0], [1, 0, 0]));
    request.carry = true;
    let moved = log.matrices(&request).remove(0).told.expect("told");
    assert_eq!((moved.matrix.total(), moved.matrix.count(0, 2), moved.lost), (4, 1, [0; 3]));
}

#[test]
fn relational_and_transactional_answers_make_no_common_move() {
    let mut log = Log::new();
    log.answer_at(1, 1, 3, 2, "");
    log.answer_at(2, 1, 40, 9, "");
    let request = wire::QueryTransitionsRequest::default();
    let totals: Vec<_> =
        log.matrices(&request).iter().map(|of| of.told.as_ref().expect("told").matrix.total()).collect();
    assert!(totals.iter().all(|total| *total == 0), "{totals:?}");
    assert!(moves_at(NOW, &wire::ListCategoryMovesRequest::default(), &log.facts).0.is_empty());
    let blended = wire::QueryTransitionsRequest { group_by: vec!["survey".to_owned()], ..request };
    assert_eq!(log.matrices(&blended).len(), 3, "each survey by itself");
}

#[test]
fn moves_are_listed_with_what_made_them() {
    let log = two_months();
    let (moves, _) = moves_at(NOW, &wire::ListCategoryMovesRequest::default(), &log.facts);
    let told: Vec<_> = moves.iter().map(|of| (of.customer.to_string(), of.from.score, of.to.score)).collect();
    assert_eq!(told, [(id(3), 10, 0), (id(2), 7, 9), (id(1), 6, 9)], "the newest first");
    assert_eq!((moves[0].to.at, moves[0].to.number, moves[0].survey.as_str()), (START + 46 * DAY, 9, "s1"));
}

#[test]
fn where_customers_stand_and_since_when() {
    let mut log = two_months();
    log.answer(1, 60, 10);
    log.sale(1, 195);
    log.sale(2, 50);
    let states = states_at(NOW, &wire::CustomerStateFilter::default(), &log.facts);
    let first = states[0].loyalty[0].expect("an answer");
    assert_eq!((first.last.score, first.answers, first.since), (10, 4, START + 40 * DAY));
    assert_eq!(first.former, Some(NpsGroup::Detractor));
    assert_eq!(states[0].last_activity, Some(START + 195 * DAY));
    assert_eq!((states[3].loyalty[0].expect("an answer").former, states[3].loyalty[1]), (None, None));
    let told = render::state::these((states, String::new()), Vec::new()).customer_states;
    assert_eq!((told[0].lifecycle(), told[1].lifecycle()), (wire::LifecycleStage::New, wire::LifecycleStage::Gone));
    assert_eq!((told[2].lifecycle(), told[2].loyalty.len()), (wire::LifecycleStage::Unspecified, 1));
    let of_nobody = states_at(START, &wire::CustomerStateFilter::default(), &log.facts);
    assert!(of_nobody.is_empty(), "nothing had happened yet");
}

#[test]
fn journeys_end_with_a_pause_or_begin_again() {
    let mut log = Log::new();
    for (customer, day, score, stage) in [
        (1, 1, 9, "buy"),
        (1, 5, 7, "deliver"),
        (1, 9, 9, "deliver"),
        (1, 20, 3, "help"), // buy, deliver, help
        (1, 22, 9, "buy"),
        (1, 25, 8, ""),
        (1, 60, 2, "help"), // buy; help, too late
        (2, 1, 10, "buy"),
        (2, 30, 10, "deliver"), // buy, deliver: a day earlier than too late
        (3, 195, 0, "buy"),     // may go on
    ] {
        log.answer_at(1, customer, day, score, stage);
    }
    let request = wire::QueryJourneysRequest::default();
    let found = journeys_at(NOW, &request, &log.facts).remove(0);
    let told: Vec<_> = found.paths.iter().map(|path| (path.stages.join(" "), path.last.nps())).collect();
    let expected =
        [("buy", Some(0.0)), ("buy deliver", Some(100.0)), ("buy deliver help", Some(-100.0)), ("help", Some(-100.0))];
    assert_eq!(told, expected.map(|(path, nps)| (path.to_owned(), nps)));
    assert_eq!((found.whole.total().answers(), found.whole.nps(), found.unfinished), (5, Some(-20.0), 1));
    let stages: Vec<_> = found.stages.iter().map(|of| (of.name.as_str(), of.reached, of.began, of.ended)).collect();
    assert_eq!(stages, [("buy", 4, 4, 2), ("deliver", 2, 0, 1), ("help", 2, 1, 2), ("", 0, 0, 0)]);
    assert_eq!(found.stages[0].next, [("deliver".to_owned(), 2)]);
    assert_eq!(found.stages[0].answers.total().answers(), 4);
    let short = wire::QueryJourneysRequest { max_length: 2, max_paths: 1, ..request };
    let Path { stages, last } = journeys_at(NOW, &short, &log.facts).remove(0).other.expect("others");
    assert_eq!((stages.len(), last.total().answers()), (0, 3));
}

#[test]
fn what_cannot_be_divided_is_told_as_it_is() {
    let mut log = Log::new();
    let counts = [DriverFact::Purchases, DriverFact::LatePayments, DriverFact::Contacts, DriverFact::Complaints];
    for customer in 1..=5 {
        log.answer(customer, 100, 5);
    }
    assert_eq!(log.drivers(&counts, 0).state, KeyDriversState::TooFew);
    log.answer(6, 100, 5);
    let none = log.drivers(&counts, 0);
    assert_eq!((none.state, none.complete, none.outcome_mean), (KeyDriversState::NoSpread, 6, Some(5.0)));
    assert!(none.shares.iter().all(|share| share.state == DriverState::NoSpread && share.mean == Some(0.0)));

    // Who buys does not pay: one follows from the other. Contacts go the other way, nobody complains.
    for (customer, score, sales, contacts) in [(11, 9, 0, 0), (12, 3, 3, 0), (13, 6, 1, 1), (14, 1, 2, 4)] {
        log.answer(customer, 100, score);
        (0..sales).for_each(|_| log.sale(customer, 95));
        (0..contacts).for_each(|_| log.contact(customer, 99));
        // What comes too early or too late does not count.
        log.contact(customer, 89);
        log.contact(customer, 100);
    }
    let found = log.drivers(&counts, 0);
    assert_eq!((found.state, found.rank, found.complete, found.answers), (KeyDriversState::Ok, 2, 10, 10));
    let states: Vec<_> = found.shares.iter().map(|share| share.state).collect();
    assert_eq!(states, [DriverState::Redundant, DriverState::Redundant, DriverState::Ok, DriverState::NoSpread]);
    let share = |index: usize| found.shares[index].share.expect("a share");
    assert!((share(0) - share(1)).abs() < 1e-9 && share(2) > 0.0 && share(3).abs() < 1e-12, "{found:?}");
    let sum: f64 = (0..4).map(share).sum();
    assert!((sum - found.r_squared.expect("some")).abs() < 1e-9);
    assert!(found.shares[2].correlation.is_some_and(|correlation| correlation < 0.0));
    assert_eq!((found.shares[0].mean, found.shares[2].mean, found.shares[3].correlation), (Some(0.6), Some(0.5), None));
    let few = log.drivers(&counts, 11);
    assert_eq!((few.state, few.shares[0].mean, few.complete), (KeyDriversState::Suppressed, None, 10));
    // Nobody had a case.
    let unknown = log.drivers(&[DriverFact::FirstResponse, DriverFact::Contacts], 0);
    assert_eq!((unknown.state, unknown.complete, unknown.shares[0].missing), (KeyDriversState::TooFew, 0, 10));
}

#[test]
fn of_nothing_there_is_nothing() {
    let facts = Facts::default();
    assert!(matrices_at(NOW, &wire::QueryTransitionsRequest::default(), &facts).is_empty());
    let two =
        wire::QueryTransitionsRequest { before: span(None, Some(1)), after: span(Some(2), None), ..Default::default() };
    assert!(matrices_at(NOW, &two, &facts).is_empty());
    assert!(moves_at(NOW, &wire::ListCategoryMovesRequest::default(), &facts).0.is_empty());
    assert!(states_at(NOW, &wire::CustomerStateFilter::default(), &facts).is_empty());
    assert!(journeys_at(NOW, &wire::QueryJourneysRequest::default(), &facts).is_empty());
    let drivers = vec![driver(DriverFact::Contacts)];
    assert!(drivers_at(NOW, &wire::QueryDriversRequest { drivers, ..Default::default() }, &facts, 0).is_empty());
}
