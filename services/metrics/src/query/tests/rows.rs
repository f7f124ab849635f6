//! What is said of a row beyond its figure: how complete it is, when it was revised, and that nothing has rows too.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::Completeness;

use super::{DAY, figures, query};
use crate::{
    catalogue,
    columns::Facts,
    query::{Query, Setting},
    rules::granularity::Granularity,
};

#[test]
fn a_row_says_whether_more_is_to_be_expected() {
    let facts = Facts::default();
    let until = |days: [Option<i64>; 3]| Setting {
        complete_until: days.map(|day| day.map(|day| day * DAY)),
        minimum_sample: 0,
    };
    // Weeks end on the 39th and 88th day, which are read and over.
    let all = until([Some(39), Some(60), Some(20)]);
    for (metric, setting, read) in [
        ("nps", all, 39),
        ("complaints_opened", all, 20),
        ("nps", until([Some(90), Some(89), None]), 89),
        ("nps", until([None, Some(89), Some(89)]), 0),
    ] {
        let query = Query { setting, now: 88 * DAY, ..query(metric, Granularity::Week, &[]) };
        for figure in figures(&query, &facts) {
            let expected = match figure.end / DAY {
                88.. => Completeness::Running,
                end if end > read => Completeness::Behind,
                _ => Completeness::Complete,
            };
            assert_eq!(figure.completeness, expected, "{metric} {}", figure.label);
        }
    }
}

#[test]
fn states_were_revised_by_whatever_came_before_them() {
    let mut facts = Facts::default();
    let mut put = |number: i64, at: i64, written: i64| {
        let fact = barometer_proto::customers::v1::PurchaseFact {
            customer_id: uuid::Uuid::from_u128(1).to_string(),
            time: Some(Micros(at).to_wire()),
            amount: Some(Default::default()),
            ..Default::default()
        };
        let fact = barometer_proto::customers::v1::Fact {
            id: uuid::Uuid::from_u128(number.unsigned_abs().into()).to_string(),
            number,
            version: written,
            write_time: Some(Micros(written * DAY).to_wire()),
            fact: Some(barometer_proto::customers::v1::fact::Fact::Purchase(fact)),
        };
        facts.put_customers(fact).expect("a purchase");
    };
    put(1, 2 * DAY, 30);
    put(2, 16 * DAY, 17);
    // Moved to another week.
    put(2, 9 * DAY, 50);
    let revised = |metric: &str| -> Vec<Option<i64>> {
        let query = Query { end: Some(25 * DAY), ..query(metric, Granularity::Week, &[]) };
        figures(&query, &facts).iter().map(|figure| figure.revised.map(|at| at / DAY)).collect()
    };
    // Weeks begin on the 4th, 11th and 18th day.
    assert_eq!(revised("purchases"), [Some(30), Some(50), Some(50), None]);
    assert_eq!(revised("churn_rate"), [Some(30), Some(50), Some(50), Some(50)]);
}

#[test]
fn rates_of_invitations_were_revised_by_late_answers() {
    use barometer_proto::surveys::v1::{Fact, FactKind, InvitationFact, ResponseFact, Tombstone, fact};

    let id = |number: u128| uuid::Uuid::from_u128(number).to_string();
    let mut facts = Facts::default();
    let mut put = |number: u32, written: i64, fact: fact::Fact| {
        let fact = Fact {
            id: id(number.into()),
            number: number.into(),
            version: written,
            write_time: Some(Micros(written * DAY).to_wire()),
            fact: Some(fact),
        };
        facts.put_surveys(fact).expect("a fact");
    };
    let sent = |at: i64| {
        let (time, expire_time) = (Some(Micros(at * DAY).to_wire()), Some(Micros((at + 40) * DAY).to_wire()));
        fact::Fact::Invitation(InvitationFact { survey_id: id(9), time, expire_time, ..Default::default() })
    };
    let answered = |at: i64, invitation: u128| {
        let (time, score) = (Some(Micros(at * DAY).to_wire()), Some(9));
        let (invitation_id, weight_trillionths) = (id(invitation), 1_000_000_000_000);
        fact::Fact::Response(ResponseFact {
            survey_id: id(9),
            invitation_id,
            weight_trillionths,
            time,
            score,
            ..Default::default()
        })
    };
    // Weeks begin on the 4th, 11th and 18th day.
    put(1, 3, sent(2));
    put(2, 9, sent(8));
    put(3, 16, sent(15));
    put(4, 31, answered(20, 1));
    put(5, 32, answered(20, 2));
    // It was of another invitation, and of none.
    put(5, 33, answered(20, 3));
    put(4, 34, fact::Fact::Tombstone(Tombstone { kind: FactKind::Response.into() }));
    // One that has not come is told of when it comes.
    put(6, 35, answered(20, 7));
    put(7, 36, sent(16));
    let revised = |metric: &str| -> Vec<Option<i64>> {
        let query = Query { end: Some(25 * DAY), ..query(metric, Granularity::Week, &[]) };
        figures(&query, &facts).iter().map(|figure| figure.revised.map(|at| at / DAY)).collect()
    };
    assert_eq!(revised("response_rate"), [Some(34), Some(33), Some(36), None]);
    assert_eq!(revised("invitations"), [Some(3), Some(9), Some(36), None]);
}

#[test]
fn nothing_has_a_row_for_each_period_and_no_figure() {
    let facts = Facts::default();
    for metric in catalogue::METRICS.iter() {
        let rows = figures(&query(metric.id, Granularity::Month, &[]), &facts);
        let expected = if metric.id == "cohort_retention" { 0 } else { 4 };
        assert_eq!(rows.len(), expected, "{}", metric.id);
        assert!(rows.iter().all(|row| row.measured.value.is_none()), "{}", metric.id);
        let open = Query { start: None, end: None, ..query(metric.id, Granularity::Day, &[]) };
        assert!(open.run(&facts).is_ok(), "{}", metric.id);
    }
}
