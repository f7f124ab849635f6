//! What other policies would change for open cases, in one process, on one core.

use std::time::Instant;

use barometer_chassis::clock::Micros;
use barometer_complaints::{
    calendar_version::CalendarId,
    clock::{ClockTarget, Dated, Desk, Event, History, Kind, Message, PolicyVersion, Terms, Unit, Wait},
    policy::{Conditions, Policy, PolicyList, Subject, choose, effects},
};

use crate::{
    Settings,
    report::{Line, Measured, Report, Unit as In},
};

/// Open cases.
const OPEN: usize = 100_000;
/// Policies of the list that is tried, each for one category, and a last one for the rest.
const POLICIES: usize = 20;
const HOUR: i64 = 3_600 * Micros::SECOND;

/// A case that is open: what policies ask of it, and what happened to it.
struct Case {
    subject: Subject,
    events: Vec<Dated>,
}

/// Chooses the policy of each of 100,000 open cases by another list, and tells which of its clocks would stand otherwise.
pub fn measure(settings: &Settings, part: &'static str, desk: &Desk, start: i64, report: &mut Report) {
    let list = list();
    let terms: Vec<Terms> = list.0.iter().map(|policy| terms(&policy.targets)).collect();
    let before = terms_of(&[(Kind::FirstResponse, 600), (Kind::NextResponse, 600), (Kind::Resolution, 6_000)]);
    let now = start + 30 * Micros::DAY;
    let cases: Vec<Case> = (0..OPEN).map(|index| case(index, start)).collect();
    let once = || {
        let (begun, mut changed) = (Instant::now(), 0_usize);
        for Case { subject, events } in &cases {
            let (place, _) = choose(&list, subject).expect("the last takes all");
            let rebased = Dated { at: Micros(now), event: Event::Rebased { terms: 1, desk: 1 } };
            let then: Vec<Dated> = events.iter().copied().chain([rebased]).collect();
            let (all, desks) = ([before.clone(), terms[place].clone()], [desk.clone(), desk.clone()]);
            let old = History::new(events, &all, &desks).expect("a history");
            let new = History::new(&then, &all, &desks).expect("a history");
            changed += usize::from(!effects(Some(&old), &new, Micros(now)).is_empty());
        }
        assert!(changed > 0, "other targets change something");
        begun.elapsed().as_secs_f64() * 1_000.0
    };
    let taken = Measured::of((0..settings.effort.repetitions).map(|_| once()).collect());
    let what = format!("{OPEN} open cases: what other policies would change");
    report.lines.push(Line::new(part, what, taken, In::Milliseconds));
}

fn case(index: usize, start: i64) -> Case {
    let subject = Subject { category: format!("category {}", index % (POLICIES + 5)), ..Subject::default() };
    let mut at = start + fastrand::i64(0..14 * 24) * HOUR;
    let mut events = vec![Dated { at: Micros(at), event: Event::Opened }];
    for event in [
        Event::Acknowledged,
        Event::ToCustomer(Message::Answer),
        Event::WaitBegan(Wait::Customer),
        Event::WaitEnded(Wait::Customer),
        Event::FromCustomer,
    ] {
        at += HOUR * fastrand::i64(1..30);
        events.push(Dated { at: Micros(at), event });
    }
    Case { subject, events }
}

fn list() -> PolicyList {
    let policy = |index: usize| {
        let category = (index < POLICIES).then(|| format!("category {index}"));
        let minutes = u32::try_from(index * 60 + 60).unwrap_or(60);
        let targets = [(Kind::FirstResponse, minutes), (Kind::NextResponse, minutes), (Kind::Resolution, 10 * minutes)];
        Policy {
            name: format!("policy {index}"),
            conditions: Conditions { categories: category.into_iter().collect(), ..Conditions::default() },
            calendar_id: CalendarId::default(),
            targets: targets.map(|(kind, minutes)| ClockTarget::new(kind, minutes, Unit::WorkingMinutes)).to_vec(),
            ..Policy::default()
        }
    };
    PolicyList((0..=POLICIES).map(policy).collect())
}

fn terms_of(targets: &[(Kind, u32)]) -> Terms {
    let target = |(kind, minutes): &(Kind, u32)| ClockTarget::new(*kind, *minutes, Unit::WorkingMinutes);
    terms(&targets.iter().map(target).collect::<Vec<_>>())
}

fn terms(targets: &[ClockTarget]) -> Terms {
    Terms::new(PolicyVersion::default(), targets.iter().copied())
}
