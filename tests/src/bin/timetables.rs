//! Counts by calendars for whoever asks, so that another program can compare: one JSON object a line comes in, one goes out.
//!
//! In: `{"calendar": …, "asks": [{"from": µs, "until": µs, "target": minutes, "days": n, "pauses": [[µs, µs], …]}, …]}`, the
//! calendar as its row keeps it. Out: an answer for each ask, `{"worked": µs, "opens": µs, "closes": µs, "due": µs,
//! "used": µs, "days": n, "days_due": µs}`; `due`, `used` and `days_due` are of clocks that start at `from` and stand in the
//! pauses, which lie between `from` and `until`, the others of the calendar alone. Instants are in microseconds since 1970.
//!
//! Or in: `{"icalendar": "…", "time_zone": "…"}`. Out: the dates of its holidays, or null when it is refused.

use std::{
    io::{BufRead as _, Write as _},
    sync::Arc,
};

use barometer_chassis::{clock::Micros, door::Door};
use barometer_complaints::{
    calendar::{Calendar, Holiday, Timetable},
    clock::{Clock, ClockTarget, Dated, Desk, Event, History, Kind, Pauses, PolicyVersion, Terms, Unit, Version, Wait},
};
use jiff::civil::Date;
use serde_json::{Value, json};

fn main() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if let Some(file) = case["icalendar"].as_str() {
            writeln!(out, "{}", dates(file, case["time_zone"].as_str().expect("a zone"))).expect("somebody reads it");
            continue;
        }
        let calendar: Calendar = serde_json::from_value(case["calendar"].clone()).expect("a calendar");
        let timetable = Arc::new(Timetable::new(&calendar).expect("a known zone"));
        let asks = case["asks"].as_array().expect("asks");
        let answers: Vec<Value> = asks.iter().map(|ask| answer(&timetable, ask)).collect();
        writeln!(out, "{}", json!(answers)).expect("somebody reads it");
    }
}

fn dates(file: &str, zone: &str) -> Value {
    let endless = Date::constant(2020, 1, 1)..=Date::constant(2040, 12, 31);
    let parsed = Door::open(|door| Holiday::parse_icalendar(door, "icalendar", file.as_bytes(), zone, endless));
    parsed.map_or(Value::Null, |days| days.iter().map(|day| day.date.to_string()).collect())
}

fn answer(timetable: &Arc<Timetable>, ask: &Value) -> Value {
    let number = |name: &str| ask[name].as_i64().expect("a whole number");
    let (from, until) = (Micros(number("from")), Micros(number("until")));
    let amount = |name: &str| u32::try_from(number(name)).expect("a small number");
    let minutes = clock(timetable, ask, ClockTarget::new(Kind::FinalResponse, amount("target"), Unit::WorkingMinutes));
    let days = clock(timetable, ask, ClockTarget::new(Kind::FinalResponse, amount("days"), Unit::WorkingDays));
    json!({
        "worked": timetable.worked(from, until),
        "opens": timetable.opens(from).map(|at| at.0),
        "closes": timetable.closes(from).map(|at| at.0),
        "due": minutes.due.map(|at| at.0),
        "used": minutes.used.count(),
        "days": days.used.count(),
        "days_due": days.due.map(|at| at.0),
    })
}

/// A clock of a case that was opened at `from`, as it is at `until`.
fn clock(timetable: &Arc<Timetable>, ask: &Value, target: ClockTarget) -> Clock {
    let target = ClockTarget { pauses: Pauses { customer: true, third_party: false }, ..target };
    let instant = |value: &Value| Micros(value.as_i64().expect("an instant"));
    let mut events = vec![Dated { at: instant(&ask["from"]), event: Event::Opened }];
    for pause in ask["pauses"].as_array().expect("pauses") {
        events.push(Dated { at: instant(&pause[0]), event: Event::WaitBegan(Wait::Customer) });
        events.push(Dated { at: instant(&pause[1]), event: Event::WaitEnded(Wait::Customer) });
    }
    let terms = [Terms::new(PolicyVersion::default(), [target])];
    let desks = [Desk { calendar: Version::default(), timetable: Arc::clone(timetable) }];
    let history = History::new(&events, &terms, &desks).expect("pauses in their order");
    history.clocks(instant(&ask["until"])).pop().expect("one clock")
}
