//! The clocks of a case, each as a bar.

use std::io::{self, Write};

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{Clock, ClockKind, clock::State};
use jiff::tz::TimeZone;

use super::bar::{self, Bar};
use super::words;

/// Of clocks that start anew again and again, how many of the latest are shown.
pub(super) const LATEST: usize = 3;
/// Places of a bar: with its two times a line of 80 characters.
const PLACES: usize = 50;

/// What is shown of the clocks of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    /// One of them.
    Clock(Box<Clock>),
    /// Earlier ones of a kind: how many, and how many of these were breached.
    Earlier(ClockKind, usize, usize),
}

impl Shown {
    /// The clock, if it is one.
    pub(super) fn clock(&self) -> Option<&Clock> {
        match self {
            Shown::Clock(clock) => Some(clock),
            Shown::Earlier(..) => None,
        }
    }

    /// The same for changing it.
    pub(super) fn clock_mut(&mut self) -> Option<&mut Clock> {
        match self {
            Shown::Clock(clock) => Some(clock),
            Shown::Earlier(..) => None,
        }
    }
}

/// The latest clocks of each kind, and how many there were before them.
pub(super) fn chosen(clocks: Vec<Clock>, latest: usize) -> Vec<Shown> {
    let mut shown = Vec::new();
    for of_kind in clocks.chunk_by(|a, b| a.kind == b.kind) {
        let earlier = of_kind.len().saturating_sub(latest);
        let (before, rest) = of_kind.split_at(earlier);
        if let Some(first) = before.first() {
            let breached = before.iter().filter(|clock| clock.state() == State::Breached).count();
            shown.push(Shown::Earlier(first.kind(), earlier, breached));
        }
        shown.extend(rest.iter().cloned().map(|clock| Shown::Clock(Box::new(clock))));
    }
    shown
}

/// Writes clocks as they stand at an instant, with what their marks mean.
pub(super) fn write(
    clocks: &[Shown],
    at: Micros,
    zone: &TimeZone,
    colours: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut used = String::new();
    for shown in clocks {
        match shown {
            Shown::Clock(clock) => {
                let bar = bar::draw(clock, at, PLACES);
                writeln!(out, "{}", title(clock, zone, colours))?;
                let Bar { marks, from, until } = &bar;
                let (from, until) = (words::short(*from, zone), words::short(*until, zone));
                writeln!(out, "  {from} {} {until}", painted(marks, colours))?;
                used.push_str(marks);
            }
            Shown::Earlier(kind, count, breached) => {
                let name = words::plain(kind.as_str_name(), "CLOCK_KIND_");
                writeln!(out, "{name}: {count} earlier, {breached} of them breached; --all-clocks shows them")?;
            }
        }
    }
    let meant = bar::LEGEND.iter().filter(|(mark, _)| used.contains(*mark));
    let meant: Vec<String> = meant.map(|(mark, meaning)| format!("{mark} {meaning}")).collect();
    writeln!(out, "  {}", meant.join("  "))
}

/// `first response   breached  3:30 over 1:00 working h           due 2013-03-21 11:30`.
fn title(clock: &Clock, zone: &TimeZone, colours: bool) -> String {
    let name = words::clock(clock.kind(), clock.instance);
    let state = words::plain(clock.state().as_str_name(), "STATE_");
    let due = clock.due_time.as_ref().and_then(Micros::from_wire);
    let due = due.map_or_else(String::new, |due| format!("due {}", words::minute(due, zone)));
    let state = format!("{state:<9}");
    let state = if colours { coloured(&state, clock.state()) } else { state };
    format!("{name:<17}{state} {:<33}{due:>20}", standing(clock)).trim_end().to_owned()
}

/// How much is left or over of what.
fn standing(clock: &Clock) -> String {
    let unit = clock.target.unwrap_or_default().unit();
    let [allowed, used, left] =
        [&clock.allowed, &clock.used, &clock.remaining].map(|amount| words::span(amount.as_ref(), unit));
    match clock.state() {
        _ if words::is_over(clock.remaining.as_ref()) => left.beside("over", &allowed),
        // Days are counted when they end: on the last of them it is late.
        State::Breached => format!("over {allowed}"),
        State::Running | State::Paused => left.beside("left of", &allowed),
        _ => used.beside("of", &allowed),
    }
}

const RED: &str = "\u{1b}[1;31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

fn coloured(text: &str, state: State) -> String {
    match state {
        State::Breached => format!("{RED}{text}{PLAIN}"),
        State::Met => format!("{GREEN}{text}{PLAIN}"),
        State::Paused => format!("{YELLOW}{text}{PLAIN}"),
        _ => text.to_owned(),
    }
}

/// The marks, those that matter in colour.
fn painted(marks: &str, colours: bool) -> String {
    if !colours {
        return marks.to_owned();
    }
    let mut painted = String::new();
    let marks: Vec<char> = marks.chars().collect();
    for same in marks.chunk_by(|a, b| a == b) {
        let text: String = same.iter().collect();
        let colour = match same.first() {
            Some(&bar::OVER) => RED,
            Some(&bar::COUNTED) => GREEN,
            Some(&bar::PAUSED) => YELLOW,
            _ => "",
        };
        painted.push_str(colour);
        painted.push_str(&text);
        painted.push_str(if colour.is_empty() { "" } else { PLAIN });
    }
    painted
}

#[cfg(test)]
mod tests {
    use barometer_proto::complaints::v1::{ClockAmount, ClockDuration, DurationUnit, clock_amount::Amount};

    use super::*;

    fn minutes(minutes: i64) -> Option<ClockAmount> {
        let time = prost_types::Duration { seconds: minutes * 60, nanos: 0 };
        Some(ClockAmount { amount: Some(Amount::Time(time)) })
    }

    fn clock(state: State, used: i64, allowed: i64) -> Clock {
        Clock {
            kind: ClockKind::FirstResponse.into(),
            instance: 1,
            state: state.into(),
            start_time: Some(Micros(0).to_wire()),
            due_time: Some(Micros(allowed * 60 * Micros::SECOND).to_wire()),
            target: Some(ClockDuration { amount: 60, unit: DurationUnit::WorkingMinutes.into() }),
            allowed: minutes(allowed),
            used: minutes(used),
            remaining: minutes(allowed - used),
            ..Clock::default()
        }
    }

    #[test]
    fn a_line_says_how_a_clock_stands() {
        let told = |state, used| title(&clock(state, used, 60), &TimeZone::UTC, false);
        let line = |state: &str, stands: &str| format!("first response   {state:<9} {stands:<33}due 1970-01-01 01:00");
        assert_eq!(told(State::Met, 28), line("met", "0:28 of 1:00 working h"));
        assert_eq!(told(State::Running, 28), line("running", "0:32 left of 1:00 working h"));
        assert_eq!(told(State::Breached, 60), line("breached", "over 1:00 working h"));
        let late = line("breached", "3:30 over 1:00 working h");
        assert_eq!((told(State::Breached, 270), late.chars().count()), (late, 80));
        assert!(title(&clock(State::Breached, 270, 60), &TimeZone::UTC, true).contains("\u{1b}[1;31mbreached"));
    }

    #[test]
    fn of_clocks_that_come_again_the_latest_are_shown() {
        let update = |instance, state: State| Clock {
            kind: ClockKind::PeriodicUpdate.into(),
            instance,
            state: state.into(),
            ..Clock::default()
        };
        let mut clocks = vec![clock(State::Met, 1, 60)];
        clocks
            .extend((1..=5).map(|instance| update(instance, if instance == 2 { State::Breached } else { State::Met })));
        let shown = chosen(clocks.clone(), 3);
        assert_eq!(shown[1], Shown::Earlier(ClockKind::PeriodicUpdate, 2, 1));
        let instances: Vec<_> = shown.iter().filter_map(|shown| Some(shown.clock()?.instance)).collect();
        assert_eq!(instances, [1, 3, 4, 5]);
        assert_eq!(chosen(clocks, usize::MAX).len(), 6);
    }

    #[test]
    fn no_line_is_wider_than_80() {
        let mut out = Vec::new();
        let late = Clock { kind: ClockKind::NextResponse.into(), instance: 12, ..clock(State::Breached, 99_999, 600) };
        let shown = chosen(vec![clock(State::Met, 28, 60), late], 3);
        write(&shown, Micros(1_000_000 * 60 * Micros::SECOND), &TimeZone::UTC, false, &mut out).expect("a vector");
        let text = String::from_utf8(out).expect("text");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(text.ends_with("┃ due\n"), "{text}");
    }
}
