//! The time between two instants, stretch by stretch.

use barometer_chassis::clock::Micros;
use barometer_complaints::calendar::Timetable;

/// A stretch of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// When it begins.
    pub(super) start: Micros,
    /// When it ends, itself excluded.
    pub(super) end: Micros,
    /// Why it is counted or not.
    pub(super) why: Why,
}

/// Why a stretch is counted or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// Counted.
    Working,
    /// Nobody works at that time of the week.
    Closed,
    /// It would be working time but for a holiday; its name.
    Holiday(String),
}

impl Why {
    /// Whether it is counted.
    pub(super) fn is_counted(&self) -> bool {
        *self == Why::Working
    }
}

impl Stretch {
    /// Its length in microseconds.
    pub(super) fn micros(&self) -> i64 {
        self.end.0 - self.start.0
    }
}

/// The time between two instants, without gaps or overlaps.
pub(super) fn stretches(timetable: &Timetable, from: Micros, to: Micros) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    let mut reached = from;
    for (start, end) in timetable.stretches(from, to) {
        add_uncounted(timetable, reached, start, &mut all);
        add(&mut all, start, end, Why::Working);
        reached = end;
    }
    add_uncounted(timetable, reached, to, &mut all);
    all
}

/// Time without work: what of it holidays take from working time, and the rest.
fn add_uncounted(timetable: &Timetable, from: Micros, to: Micros, all: &mut Vec<Stretch>) {
    if from >= to {
        return;
    }
    let mut reached = from;
    for day in timetable.day(from)..=timetable.day(to) {
        for (start, end, holiday) in timetable.days_off(day) {
            let (start, end) = (start.max(reached), end.min(to));
            if start < end {
                add(all, reached, start, Why::Closed);
                add(all, start, end, Why::Holiday(holiday.name.clone()));
                reached = end;
            }
        }
    }
    add(all, reached, to, Why::Closed);
}

/// Adds a stretch; to the one before if it is of the same kind.
fn add(all: &mut Vec<Stretch>, start: Micros, end: Micros, why: Why) {
    if start >= end {
        return;
    }
    match all.last_mut() {
        Some(last) if last.why == why && last.end == start => last.end = end,
        _ => all.push(Stretch { start, end, why }),
    }
}

#[cfg(test)]
mod tests {
    use barometer_chassis::door::Door;
    use barometer_complaints::parse_calendar;
    use barometer_proto::complaints::v1 as wire;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::instant::instant;

    /// Chisinau, Monday to Friday 8 to 12 and 13 to 17; Christmas of 2026, and the afternoon before.
    fn office() -> Timetable {
        let times = (1..=5).flat_map(|weekday| [(weekday, 480, 720), (weekday, 780, 1_020)]);
        let time = |(weekday, start_minute, end_minute)| wire::WorkingTime { weekday, start_minute, end_minute };
        let holiday = |date: &str, start_minute: i32, name: &str| wire::Holiday {
            date: date.to_owned(),
            start_minute,
            end_minute: 0,
            name: name.to_owned(),
        };
        let message = wire::Calendar {
            name: "office".to_owned(),
            time_zone: "Europe/Chisinau".to_owned(),
            working_times: times.map(time).collect(),
            holidays: vec![holiday("2026-12-24", 600, "Eve"), holiday("2026-12-25", 0, "Christmas")],
            ..wire::Calendar::default()
        };
        let (_, calendar) = Door::open(|door| parse_calendar(door, message)).expect("a good calendar");
        Timetable::new(&calendar).expect("a timetable")
    }

    fn at(text: &str) -> Micros {
        instant(text, &TimeZone::get("Europe/Chisinau").expect("a zone")).expect("a time")
    }

    #[test]
    fn every_stretch_says_why() {
        let told = stretches(&office(), at("2026-12-24T09:00"), at("2026-12-28T08:30"));
        let expected = [
            ("2026-12-24T09:00", "2026-12-24T10:00", Why::Working),
            ("2026-12-24T10:00", "2026-12-24T12:00", Why::Holiday("Eve".to_owned())),
            ("2026-12-24T12:00", "2026-12-24T13:00", Why::Closed),
            ("2026-12-24T13:00", "2026-12-24T17:00", Why::Holiday("Eve".to_owned())),
            ("2026-12-24T17:00", "2026-12-25T08:00", Why::Closed),
            ("2026-12-25T08:00", "2026-12-25T12:00", Why::Holiday("Christmas".to_owned())),
            ("2026-12-25T12:00", "2026-12-25T13:00", Why::Closed),
            ("2026-12-25T13:00", "2026-12-25T17:00", Why::Holiday("Christmas".to_owned())),
            ("2026-12-25T17:00", "2026-12-28T08:00", Why::Closed),
            ("2026-12-28T08:00", "2026-12-28T08:30", Why::Working),
        ];
        let expected = expected.map(|(start, end, why)| Stretch { start: at(start), end: at(end), why });
        assert_eq!(told, expected);
    }

    proptest! {
        /// All time is told once, and what is counted is what the timetable counts.
        #[test]
        fn nothing_is_left_out(from in 0..60_000_i64, minutes in 1..30_000_i64) {
            let timetable = office();
            let from = Micros(at("2026-12-01").0 + from * 60 * Micros::SECOND);
            let to = Micros(from.0 + minutes * 60 * Micros::SECOND);
            let told = stretches(&timetable, from, to);
            prop_assert_eq!(told.first().map(|s| s.start), Some(from));
            prop_assert_eq!(told.last().map(|s| s.end), Some(to));
            prop_assert!(told.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].why != pair[1].why));
            let counted: i64 = told.iter().filter(|s| s.why.is_counted()).map(Stretch::micros).sum();
            prop_assert_eq!(counted, timetable.worked(from, to));
        }
    }
}
