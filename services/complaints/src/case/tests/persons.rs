//! What needs a person is not ended without one.

use super::*;

fn of(kind: CaseKind) -> Model {
    Model { kind: kind.into(), ..new() }
}

fn refused(result: Result<Step, Error>) -> &'static str {
    match result.expect_err("refused") {
        Error::State { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

fn merge(case: &Model, into: &Model) -> Result<(Step, Step), Error> {
    case.clone().merge(into.clone(), at(5))
}

fn amend(case: &Model, kind: CaseKind) -> Result<Step, Error> {
    Model { kind: kind.into(), ..case.clone() }.amended(case.clone(), OPENED, &PriorityTable::default())
}

#[test]
fn what_takes_it_in_needs_a_person_too() {
    let (question, loss) = (other(), of(CaseKind::Loss));
    let (merged, stays) = merge(&loss, &question).expect("merged");
    assert!(stays.case.needs_a_person() && !question.needs_a_person());
    assert_eq!(refused(stays.case.clone().self_serve(at(6))), "NEEDS_A_PERSON");
    // And so on: it is merged itself.
    let third = Model { id: Uuid::from_u128(8), ..new() };
    assert!(merge(&stays.case, &third).expect("merged").1.case.needs_a_person());
    // One that self-service has resolved is not closed by that any more.
    let served = done(question.clone(), Verb::SelfServe, 1);
    let joined = merge(&loss, &served).expect("merged").1.case;
    assert_eq!(refused(joined.close(at(6))), "NEEDS_A_PERSON");
    assert!(merged.case.unmerge(stays.case, at(7)).expect("undone").1.case.needs_a_person(), "it stays so");
    // Among equals nothing but the history changes.
    let question_too = merge(&new(), &question).expect("merged").1;
    assert_eq!(question_too.case, question);
    let other_loss = Model { id: question.id, ..loss.clone() };
    assert_eq!(merge(&loss, &other_loss).expect("merged").1.case, other_loss);
}

#[test]
fn what_is_closed_takes_in_only_what_is_resolved() {
    let closed = done(done(Model { kind: CaseKind::Loss.into(), ..other() }, Verb::Resolve, 1), Verb::Close, 2);
    let into_closed = |case: &Model| merge(case, &closed).map(|(merged, _)| merged);
    assert_eq!(refused(into_closed(&of(CaseKind::Complaint))), "WRONG_STATE");
    assert_eq!(refused(into_closed(&done(new(), Verb::Respond, 1))), "WRONG_STATE");
    assert!(into_closed(&done(of(CaseKind::Complaint), Verb::Resolve, 1)).is_ok());
    let served = done(new(), Verb::SelfServe, 1);
    assert!(into_closed(&served).is_ok());
    let complaint = amend(&served, CaseKind::Complaint).expect("it can still be reopened").case;
    assert_eq!(refused(into_closed(&complaint)), "WRONG_STATE");
}

#[test]
fn another_name_makes_it_no_question() {
    let named = amend(&of(CaseKind::Complaint), CaseKind::Question).expect("amended").case;
    assert_eq!(named.kind(), CaseKind::Question);
    assert_eq!(refused(named.clone().self_serve(at(1))), "NEEDS_A_PERSON");
    assert!(done(named, Verb::Resolve, 1).close(at(2)).is_ok());
    assert!(amend(&of(CaseKind::Complaint), CaseKind::Loss).expect("amended").case.needs_a_person());

    let closed = done(done(new(), Verb::SelfServe, 1), Verb::Close, 2);
    let merged = done(new(), Verb::Merge, 2);
    for ended in [closed, merged] {
        assert_eq!(refused(amend(&ended, CaseKind::Complaint)), "NEEDS_A_PERSON");
    }
    let answered = done(done(new(), Verb::Resolve, 1), Verb::Close, 2);
    assert!(amend(&answered, CaseKind::Complaint).is_ok(), "a person has answered");
}
