//! Clocks of cases, evaluated by one core, beside counting day by day as libraries for business hours do.

use std::{sync::Arc, time::Instant};

use barometer_chassis::{clock::Micros, door::Door};
use barometer_complaints::{
    calendar::{Calendar, Holiday, Timetable, WorkingTime},
    clock::{ClockTarget, Dated, Desk, Event, History, Kind, Message, PolicyVersion, Terms, Unit, Version, Wait},
};
use jiff::{Timestamp, civil::Weekday, tz::TimeZone};

use crate::{
    Settings, changes,
    load::Effort,
    report::{Aim, Line, Measured, Report, Unit as In},
};

const PART: &str = "clocks";
const ZONE: &str = "Europe/Berlin";
/// Work begins and ends, by the local clock.
const HOURS: (i8, i8) = (8, 18);
/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000_000;
const HOUR: i64 = 3_600 * Micros::SECOND;
const WEEK: i64 = 7 * Micros::DAY;
/// Histories that take turns.
const CASES: usize = 1_024;
/// Minutes of working time that an answer may take.
const TARGET: u32 = 2_400;

/// Evaluates clocks of cases that were only opened, and of cases with a year of history.
pub fn measure(settings: &Settings, report: &mut Report) {
    fastrand::seed(1);
    let desks = [Desk { calendar: Version::default(), timetable: Arc::new(timetable()) }];
    let opened: Vec<Vec<Dated>> = (0..CASES).map(|_| vec![Dated { at: any_instant(), event: Event::Opened }]).collect();
    let terms =
        [Terms::new(PolicyVersion::default(), [ClockTarget::new(Kind::FirstResponse, TARGET, Unit::WorkingMinutes)])];
    let rate = clocks(settings.effort, &opened, &terms, &desks, Micros::DAY);
    let naive = naive(settings.effort, &opened);
    let line = Line::new(PART, "a case that was opened: used and due", rate, In::PerSecond("clocks"));
    report.lines.push(line.against("day by day", naive).aim(Aim::Value(1_000_000.0)));

    let years: Vec<Vec<Dated>> = (0..CASES).map(|_| a_year()).collect();
    let resolution =
        [Terms::new(PolicyVersion::default(), [ClockTarget::new(Kind::Resolution, 100_000, Unit::WorkingMinutes)])];
    let rate = clocks(settings.effort, &years, &resolution, &desks, 52 * WEEK);
    let line = Line::new(PART, "a year of weekly pauses and messages: resolution", rate, In::PerSecond("clocks"));
    report.lines.push(line.aim(Aim::Value(100_000.0)));

    let all = Kind::ALL.map(|kind| ClockTarget::new(kind, TARGET, Unit::WorkingMinutes));
    let rate = clocks(settings.effort, &years, &[Terms::new(PolicyVersion::default(), all)], &desks, 52 * WEEK);
    report.lines.push(Line::new(PART, "the same year: all kinds, each instance", rate, In::PerSecond("clocks")));
    changes::measure(settings, PART, &desks[0], START, report);
}

fn timetable() -> Timetable {
    let calendar = Door::open(|door| {
        let times = (1..=5).map(|day| WorkingTime::parse(door, day, i32::from(HOURS.0) * 60, i32::from(HOURS.1) * 60));
        let times = times.collect();
        let holidays = ["2025-04-18", "2025-04-21", "2025-05-01", "2025-12-25", "2025-12-26", "2026-01-01"];
        let holidays = holidays.map(|date| Holiday::parse(door, date, 0, 0, "off".to_owned())).to_vec();
        Calendar::parse(door, ZONE.to_owned(), times, holidays)
    });
    Timetable::new(&calendar.expect("a calendar")).expect("a zone")
}

fn any_instant() -> Micros {
    Micros(START + fastrand::i64(0..52 * WEEK))
}

/// Each week the customer writes, gets an answer, and is waited for.
fn a_year() -> Vec<Dated> {
    let opened = any_instant();
    let mut events = vec![Dated { at: opened, event: Event::Opened }];
    for week in 0..52 {
        let mut at = opened.0 + week * WEEK;
        for event in [
            Event::FromCustomer,
            Event::ToCustomer(Message::Answer),
            Event::WaitBegan(Wait::Customer),
            Event::WaitEnded(Wait::Customer),
        ] {
            at += HOUR * fastrand::i64(1..40);
            events.push(Dated { at: Micros(at), event });
        }
    }
    events
}

/// Clocks a second, of each case so long after it was opened.
fn clocks(effort: Effort, cases: &[Vec<Dated>], terms: &[Terms], desks: &[Desk], after: i64) -> Measured {
    let evaluate = |events: &Vec<Dated>| {
        let history = History::new(events, terms, desks).expect("a history");
        let mut told = 0u32;
        history.each_clock(Micros(events[0].at.0 + after), |clock| {
            std::hint::black_box(clock);
            told += 1;
        });
        told
    };
    rate(effort, cases, evaluate)
}

/// What a library does that has no tables: it goes from day to day, and asks the zone for each beginning and end.
fn naive(effort: Effort, cases: &[Vec<Dated>]) -> Measured {
    let zone = TimeZone::get(ZONE).expect("a zone");
    rate(effort, cases, |events| {
        std::hint::black_box(day_by_day(&zone, events[0].at));
        1
    })
}

fn day_by_day(zone: &TimeZone, from: Micros) -> i64 {
    let mut left = i64::from(TARGET) * 60 * Micros::SECOND;
    let mut day = zone.to_datetime(Timestamp::from_microsecond(from.0).expect("in range")).date();
    loop {
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            let at = |hour: i8| zone.to_timestamp(day.at(hour, 0, 0, 0)).expect("in range").as_microsecond();
            let (start, end) = (at(HOURS.0).max(from.0), at(HOURS.1));
            if end > start {
                if left <= end - start {
                    return start + left;
                }
                left -= end - start;
            }
        }
        day = day.tomorrow().expect("in range");
    }
}

/// How many a second one core makes, going round the cases.
fn rate(effort: Effort, cases: &[Vec<Dated>], mut evaluate: impl FnMut(&Vec<Dated>) -> u32) -> Measured {
    let mut once = || {
        let (begun, mut told) = (Instant::now(), 0u64);
        while begun.elapsed() < effort.time {
            told += cases.iter().map(|events| u64::from(evaluate(events))).sum::<u64>();
        }
        #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
        let told = told as f64;
        told / begun.elapsed().as_secs_f64()
    };
    // The first round compiles the years that are asked for.
    once();
    Measured::of((0..effort.repetitions).map(|_| once()).collect())
}
