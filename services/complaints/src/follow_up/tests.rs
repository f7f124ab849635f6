use barometer_chassis::clock::Micros;
use barometer_directory::CustomerId;
use barometer_proto::{
    complaints::v1::FollowUpOutcome as Outcome,
    surveys::v1::{SurveyKind, SurveyType},
};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::{Answer, Chain, Judgement, Model, Newcomer, Rule, RuleList};

const DAY: i64 = Micros::DAY;
const SURVEY: Uuid = Uuid::from_u128(77);
const CUSTOMER: CustomerId = CustomerId(Uuid::from_u128(88));
const SINCE: Micros = Micros(0);

fn id(n: u64) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

fn day(n: i64) -> Micros {
    Micros(n * DAY)
}

fn detractors() -> Rule {
    Rule {
        name: "detractors".to_owned(),
        survey_kind: SurveyKind::Nps.into(),
        at_most: 6,
        sample_percent: 100,
        waiting_time: 30 * DAY,
        window: 90 * DAY,
        max_age: 7 * DAY,
        ..Rule::default()
    }
}

fn newcomer(n: u64, score: i32, at: i64) -> Newcomer {
    Newcomer {
        response_id: id(n),
        survey_id: SURVEY,
        survey_kind: SurveyKind::Nps,
        survey_type: SurveyType::Relational,
        score,
        time: day(at),
        imported: false,
    }
}

fn name(judgement: Judgement<'_>) -> String {
    match judgement {
        Judgement::FollowUp(rule) => rule.name.clone(),
        other => format!("{other:?}"),
    }
}

fn judged(rules: &[Rule], newcomer: Newcomer, others: &[i64], now: i64) -> String {
    let others: Vec<Micros> = others.iter().map(|other| day(*other)).collect();
    name(RuleList(rules.to_vec()).judge(&newcomer, SINCE, &others, day(now)))
}

#[test]
fn detractors_are_followed_up_and_others_are_not() {
    let rules = [detractors()];
    for (score, expected) in [(0, "detractors"), (6, "detractors"), (7, "NotMatched"), (10, "NotMatched")] {
        assert_eq!(judged(&rules, newcomer(1, score, 1), &[], 1), expected, "{score}");
    }
    let csat = Newcomer { survey_kind: SurveyKind::Csat, ..newcomer(1, 1, 1) };
    assert_eq!(judged(&rules, csat, &[], 1), "NotMatched", "another scale");
    assert_eq!(judged(&[], newcomer(1, 0, 1), &[], 1), "NotMatched");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let urgent = Rule { name: "urgent".to_owned(), at_most: 2, ..detractors() };
    let events = vec![SurveyType::Transactional.into()];
    let of_events = Rule { name: "events".to_owned(), survey_types: events, ..detractors() };
    let other = Rule { name: "other survey".to_owned(), survey_ids: vec![id(5)], ..detractors() };
    let rules = [urgent.clone(), of_events.clone(), other.clone(), detractors()];
    assert_eq!(judged(&rules, newcomer(1, 2, 1), &[], 1), "urgent");
    assert_eq!(judged(&rules, newcomer(1, 3, 1), &[], 1), "detractors");
    let event = Newcomer { survey_type: SurveyType::Transactional, ..newcomer(1, 3, 1) };
    assert_eq!(judged(&rules, event, &[], 1), "events");
    assert_eq!(judged(&rules, Newcomer { survey_id: id(5), ..newcomer(1, 3, 1) }, &[], 1), "other survey");
    assert_eq!(RuleList(rules.to_vec()).unreachable(), []);
    let hidden = RuleList(vec![detractors(), urgent, of_events, other]);
    assert_eq!(hidden.unreachable(), [(1, 0), (2, 0), (3, 0)]);
}

#[test]
fn old_imported_and_early_answers_open_nothing() {
    let rules = [detractors()];
    assert_eq!(judged(&rules, newcomer(1, 3, 1), &[], 8), "detractors", "a week old");
    assert_eq!(judged(&rules, newcomer(1, 3, 1), &[], 9), "TooOld");
    assert_eq!(judged(&rules, newcomer(1, 3, -1), &[], 1), "TooOld", "given before there were rules");
    let imported = Newcomer { imported: true, ..newcomer(1, 3, 1) };
    assert_eq!(judged(&rules, imported, &[], 1), "Imported");
    let every_day = Rule { include_imported: true, ..detractors() };
    assert_eq!(judged(&[every_day], imported, &[], 1), "detractors");
}

#[test]
fn a_customer_is_left_alone_for_a_while_whichever_answer_comes_first() {
    let rules = [detractors()];
    for (other, expected) in [(10, "detractors"), (11, "Waiting"), (69, "Waiting"), (70, "detractors")] {
        assert_eq!(judged(&rules, newcomer(1, 3, 40), &[other], 40), expected, "{other}");
    }
    let at_once = Rule { waiting_time: 0, ..detractors() };
    assert_eq!(judged(&[at_once], newcomer(1, 3, 40), &[40], 40), "detractors");
}

#[test]
fn the_sample_is_as_large_as_said_and_always_the_same() {
    let drawn = |percent| {
        let rules = [Rule { sample_percent: percent, ..detractors() }];
        (0..10_000).filter(|n| judged(&rules, newcomer(*n, 3, 1), &[], 1) == "detractors").count()
    };
    assert_eq!(drawn(100), 10_000);
    for percent in [1_usize, 25, 50, 99] {
        let (found, expected) = (drawn(i32::try_from(percent).expect("small")), percent * 100);
        assert!(found.abs_diff(expected) < 200, "{percent} %: {found} of 10,000");
    }
}

fn chain() -> Chain {
    Chain {
        response_id: id(1),
        customer_id: CUSTOMER,
        survey_id: SURVEY,
        at_most: 6,
        recovers_above: 6,
        window_end: day(90),
    }
}

fn answer(n: u64, score: i32, at: i64) -> Answer {
    Answer { response_id: id(n), survey_id: SURVEY, customer_id: CUSTOMER, score, time: day(at) }
}

fn outcome(answers: &[Answer], now: i64) -> Outcome {
    chain().standing(answers, day(now)).outcome
}

#[test]
fn the_next_answer_closes_it() {
    let opening = answer(1, 4, 0);
    let rows = [
        (10, Outcome::Recovered),
        (7, Outcome::Recovered),
        (6, Outcome::Unchanged),
        (4, Outcome::Unchanged),
        (3, Outcome::Worse),
        (0, Outcome::Worse),
    ];
    for (score, expected) in rows {
        let standing = chain().standing(&[opening, answer(2, score, 30)], day(30));
        assert_eq!(standing.outcome, expected, "{score}");
        assert_eq!((standing.closing, standing.close_time), (Some((id(2), score)), Some(day(30))));
    }
    assert_eq!(outcome(&[opening, answer(2, 3, 30), answer(3, 9, 40)], 50), Outcome::Worse, "the next, not the last");
}

#[test]
fn a_window_ends_without_an_answer() {
    let opening = answer(1, 4, 0);
    assert_eq!(outcome(&[opening], 90), Outcome::Pending);
    let ended = chain().standing(&[opening], Micros(day(90).0 + 1));
    assert_eq!((ended.outcome, ended.close_time), (Outcome::NoAnswer, Some(Micros(day(90).0 + 1))));
    assert_eq!(outcome(&[opening, answer(2, 9, 90)], 95), Outcome::Recovered, "known late, but given in time");
    assert_eq!(outcome(&[opening, answer(2, 9, 91)], 95), Outcome::NoAnswer);
}

#[test]
fn answers_before_of_others_and_to_other_surveys_say_nothing() {
    let opening = answer(1, 4, 10);
    let others = [
        answer(2, 9, 9),
        Answer { customer_id: CustomerId(id(3)), ..answer(3, 9, 20) },
        Answer { survey_id: id(3), ..answer(4, 9, 20) },
    ];
    for other in others {
        assert_eq!(outcome(&[opening, other], 30), Outcome::Pending, "{other:?}");
    }
}

#[test]
fn what_needs_no_follow_up_any_more_is_cancelled_for_good() {
    assert_eq!(outcome(&[], 1), Outcome::Cancelled, "withdrawn");
    assert_eq!(outcome(&[answer(1, 7, 0)], 1), Outcome::Cancelled, "no detractor");
    let anothers = Answer { customer_id: CustomerId(id(3)), ..answer(1, 4, 0) };
    assert_eq!(outcome(&[anothers], 1), Outcome::Cancelled, "another customer's");
    assert_eq!(chain().standing(&[answer(1, 6, 0)], day(1)).score, Some(6), "amended, and still one");

    let follow_up = Model { response_id: id(1), score: 4, outcome: Outcome::Pending.into(), ..Model::default() };
    let cancelled = follow_up.settled(chain().standing(&[], day(1)));
    assert_eq!((cancelled.outcome(), cancelled.next_time), (Outcome::Cancelled, None));
    let again = cancelled.clone().settled(chain().standing(&[answer(1, 4, 0)], day(2)));
    assert_eq!(again, cancelled);
}

#[test]
fn a_rule_that_follows_up_more_has_more_to_recover_from() {
    let wide = Model { at_most: 8, survey_kind: SurveyKind::Nps.into(), ..Model::default() };
    let csat = Model { at_most: 2, survey_kind: SurveyKind::Csat.into(), ..Model::default() };
    assert_eq!((wide.chain().recovers_above, csat.chain().recovers_above), (8, 3));
}

prop_compose! {
    /// Answers of two customers to two surveys, with ids of their own.
    fn answers()(drawn in vec((0..10_i32, 0..120_i64, any::<bool>(), any::<bool>()), 0..8)) -> Vec<Answer> {
        (1..).zip(drawn).map(|(n, (score, at, survey, customer))| Answer {
            survey_id: if survey { SURVEY } else { id(5) },
            customer_id: if customer { CUSTOMER } else { CustomerId(id(6)) },
            ..answer(n, score, at)
        }).collect()
    }
}

proptest! {
    /// Order and repetitions of the answers make no difference to what came of it.
    #[test]
    fn the_order_of_answers_does_not_matter(
        (answers, shuffled) in answers().prop_flat_map(|answers| (Just(answers.clone()), Just(answers).prop_shuffle())),
        now in 0..150_i64,
    ) {
        let standing = chain().standing(&answers, day(now));
        prop_assert_eq!(chain().standing(&shuffled, day(now)), standing);
        prop_assert_eq!(chain().standing(&[shuffled, answers].concat(), day(now)), standing);
    }

    /// What closed it is an answer of the customer to the survey within the window, and none lies between.
    #[test]
    fn it_is_closed_by_the_first_later_answer(answers in answers(), now in 0..150_i64) {
        let standing = chain().standing(&answers, day(now));
        let opening = answers.first().filter(|one| one.survey_id == SURVEY && one.customer_id == CUSTOMER && one.score <= 6);
        prop_assert_eq!(standing.outcome == Outcome::Cancelled, opening.is_none());
        let Some(opening) = opening else { return Ok(()) };
        let later = |one: &&Answer| one.survey_id == SURVEY && one.customer_id == CUSTOMER
            && (one.time, one.response_id) > (opening.time, opening.response_id) && one.time <= day(90);
        let mut later: Vec<_> = answers.iter().filter(later).collect();
        later.sort_by_key(|one| (one.time, one.response_id));
        prop_assert_eq!(standing.closing, later.first().map(|one| (one.response_id, one.score)));
    }

    /// In whatever order answers come, and however often: follow-ups keep their distance, each answer has one at most, and
    /// none is left out that none is near to.
    #[test]
    fn whatever_comes_first_each_is_followed_up_once_and_none_too_near(
        (answers, order) in vec((0..10_i32, 0..200_i64), 1..12).prop_flat_map(|drawn| {
            let answers: Vec<Newcomer> = (1..).zip(drawn).map(|(n, (score, at))| newcomer(n, score, at)).collect();
            let order: Vec<usize> = (0..answers.len()).chain(0..answers.len()).collect();
            (Just(answers), Just(order).prop_shuffle())
        }),
    ) {
        let rules = RuleList(vec![Rule { max_age: 1_000 * DAY, ..detractors() }]);
        let mut followed: Vec<Newcomer> = Vec::new();
        for place in order {
            let answer = answers[place];
            if followed.contains(&answer) {
                continue;
            }
            let others: Vec<Micros> = followed.iter().map(|one| one.time).collect();
            if let Judgement::FollowUp(_) = rules.judge(&answer, SINCE, &others, day(200)) {
                followed.push(answer);
            }
        }
        let near = |one: &Newcomer, other: &Newcomer| one.time.0.abs_diff(other.time.0) < (30 * DAY).unsigned_abs();
        for (place, one) in followed.iter().enumerate() {
            prop_assert!(one.score <= 6);
            prop_assert!(followed.iter().skip(place + 1).all(|other| !near(one, other)));
        }
        for one in answers.iter().filter(|one| one.score <= 6) {
            prop_assert!(followed.iter().any(|other| other == one || near(one, other)), "{:?} was left out", one);
        }
    }
}
