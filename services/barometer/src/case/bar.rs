//! A clock as a bar: time goes from left to right, and each place shows what most of it was.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{Clock, ClockStretch, clock_amount::Amount, clock_stretch::Reason};

/// Counted, before it was due.
pub(super) const COUNTED: char = '█';
/// Counted, past due.
pub(super) const OVER: char = '▓';
/// Not counted: the case waited, was resolved, or cancelled.
pub(super) const PAUSED: char = '░';
/// Not counted: nobody works then, or a day that is not over.
pub(super) const OFF: char = '·';
/// Still to come.
pub(super) const AHEAD: char = '─';
/// When it is due.
pub(super) const DUE: char = '┃';

/// What each mark means.
pub(super) const LEGEND: [(char, &str); 6] = [
    (COUNTED, "counted"),
    (OVER, "counted past due"),
    (PAUSED, "paused"),
    (OFF, "not counted"),
    (AHEAD, "to come"),
    (DUE, "due"),
];

/// A clock drawn, and what time the bar begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    /// One mark for each place.
    pub(super) marks: String,
    /// When it begins.
    pub(super) from: Micros,
    /// When it ends.
    pub(super) until: Micros,
}

/// How much a stretch in which nobody works counts against others at the same place: of a week, nights would else cover the
/// days.
const OFF_WEIGHT: i64 = 1;
const WEIGHT: i64 = 4;

/// A clock as it stands at an instant, in so many places.
pub(super) fn draw(clock: &Clock, at: Micros, places: usize) -> Bar {
    let instant = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(Micros::from_wire);
    let from = instant(&clock.start_time).unwrap_or(at);
    let (stop, due) = (instant(&clock.stop_time), instant(&clock.due_time));
    let reached = stop.unwrap_or(at).max(from);
    let until = due.map_or(reached, |due| due.max(reached)).max(Micros(from.0 + 1));
    let tiles = tiles(clock, due);
    let length = i128::from(until.0 - from.0);
    let width = i128::try_from(places).unwrap_or(1).max(1);
    let edge = |place: usize| {
        let along = i128::try_from(place).unwrap_or(0) * length / width;
        from.0 + i64::try_from(along).unwrap_or(0)
    };
    let due_place = due.map(|due| {
        let along = i128::from(due.0 - from.0) * width / length;
        usize::try_from(along).unwrap_or(0).min(places.saturating_sub(1))
    });
    let mark = |place: usize| {
        if due_place == Some(place) {
            return DUE;
        }
        let (start, end) = (edge(place), edge(place + 1).max(edge(place) + 1));
        most(&tiles, start, end).unwrap_or(if start >= reached.0 && stop.is_none() { AHEAD } else { ' ' })
    };
    Bar { marks: (0..places).map(mark).collect(), from, until }
}

/// A part of a bar with its mark.
struct Tile {
    from: i64,
    until: i64,
    mark: char,
}

/// The stretches of a clock, cut where it was due.
fn tiles(clock: &Clock, due: Option<Micros>) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for stretch in &clock.stretches {
        let instant = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(Micros::from_wire);
        let (Some(from), Some(until)) = (instant(&stretch.start_time), instant(&stretch.end_time)) else { continue };
        let mark = mark(stretch);
        let due = due.map_or(until.0, |due| due.0.clamp(from.0, until.0));
        tiles.push(Tile { from: from.0, until: due, mark });
        tiles.push(Tile { from: due, until: until.0, mark: if mark == COUNTED { OVER } else { mark } });
    }
    tiles
}

fn mark(stretch: &ClockStretch) -> char {
    let counted = stretch.counted.as_ref().and_then(|counted| counted.amount.as_ref());
    let nothing = match counted {
        Some(Amount::Time(time)) => time.seconds == 0 && time.nanos == 0,
        Some(Amount::Days(days)) => *days == 0,
        None => true,
    };
    match stretch.reason() {
        _ if !nothing => COUNTED,
        Reason::WaitingForCustomer | Reason::WaitingForThirdParty | Reason::Resolved | Reason::Cancelled => PAUSED,
        _ => OFF,
    }
}

/// What most of a place is.
fn most(tiles: &[Tile], start: i64, end: i64) -> Option<char> {
    let begin = tiles.partition_point(|tile| tile.until <= start);
    let mut weights: Vec<(char, i64)> = Vec::new();
    for tile in tiles[begin..].iter().take_while(|tile| tile.from < end) {
        let overlap = tile.until.min(end) - tile.from.max(start);
        if overlap <= 0 {
            continue;
        }
        // Half a microsecond's worth of precision is lost to the division, and nobody sees it.
        let weight = overlap / WEIGHT * if tile.mark == OFF { OFF_WEIGHT } else { WEIGHT } + 1;
        match weights.iter_mut().find(|(mark, _)| *mark == tile.mark) {
            Some((_, sum)) => *sum += weight,
            None => weights.push((tile.mark, weight)),
        }
    }
    weights.into_iter().max_by_key(|(_, weight)| *weight).map(|(mark, _)| mark)
}

#[cfg(test)]
mod tests {
    use barometer_proto::complaints::v1::ClockAmount;
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60 * Micros::SECOND;

    fn at(minute: i64) -> Micros {
        Micros(minute * MINUTE)
    }

    fn stretch(from: i64, until: i64, reason: Reason) -> ClockStretch {
        let counted = if matches!(reason, Reason::WorkingTime | Reason::Elapsed) { (until - from) * 60 } else { 0 };
        let time = prost_types::Duration { seconds: counted, nanos: 0 };
        ClockStretch {
            start_time: Some(at(from).to_wire()),
            end_time: Some(at(until).to_wire()),
            reason: reason.into(),
            counted: Some(ClockAmount { amount: Some(Amount::Time(time)) }),
            ..ClockStretch::default()
        }
    }

    fn clock(due: Option<i64>, stop: Option<i64>, stretches: Vec<ClockStretch>) -> Clock {
        Clock {
            start_time: Some(at(0).to_wire()),
            due_time: due.map(|due| at(due).to_wire()),
            stop_time: stop.map(|stop| at(stop).to_wire()),
            stretches,
            ..Clock::default()
        }
    }

    #[test]
    fn each_place_shows_what_most_of_it_was() {
        use Reason::{OutsideWorkingTime, WaitingForCustomer, WorkingTime};
        let worked = vec![
            stretch(0, 40, WorkingTime),
            stretch(40, 60, WaitingForCustomer),
            stretch(60, 80, OutsideWorkingTime),
            stretch(80, 120, WorkingTime),
        ];
        let answered_late = draw(&clock(Some(100), Some(120), worked), at(500), 12);
        assert_eq!(answered_late.marks, "████░░··██┃▓");
        assert_eq!((answered_late.from, answered_late.until), (at(0), at(120)));

        let in_time = draw(&clock(Some(60), Some(20), vec![stretch(0, 20, WorkingTime)]), at(500), 6);
        assert_eq!(in_time.marks, "██   ┃");
        let running = draw(&clock(Some(60), None, vec![stretch(0, 20, WorkingTime)]), at(20), 6);
        assert_eq!(running.marks, "██───┃");
        let paused =
            draw(&clock(None, None, vec![stretch(0, 20, WorkingTime), stretch(20, 60, WaitingForCustomer)]), at(60), 6);
        assert_eq!(paused.marks, "██░░░░");
    }

    #[test]
    fn days_are_seen_beside_longer_nights() {
        use Reason::{OutsideWorkingTime, WorkingTime};
        let day = |day: i64| {
            [stretch(day * 24, day * 24 + 16, OutsideWorkingTime), stretch(day * 24 + 16, day * 24 + 24, WorkingTime)]
        };
        let week = draw(&clock(None, Some(96), (0..4).flat_map(day).collect()), at(96), 4);
        assert_eq!(week.marks, "████");
    }

    #[test]
    fn a_clock_that_just_began_is_drawn_too() {
        assert_eq!(draw(&clock(None, None, Vec::new()), at(0), 4).marks.chars().count(), 4);
        assert_eq!(draw(&Clock::default(), at(7), 4).marks.chars().count(), 4);
    }

    proptest! {
        #[test]
        fn a_bar_has_its_places_and_one_due_mark(
            cuts in proptest::collection::vec(1_i64..5_000, 0..40), due in proptest::option::of(-10_i64..200_000), places in 1_usize..80,
        ) {
            let mut reached = 0;
            let stretches: Vec<_> = cuts.iter().enumerate().map(|(index, length)| {
                let from = reached;
                reached += length;
                let reasons = [Reason::WorkingTime, Reason::OutsideWorkingTime, Reason::WaitingForCustomer];
                stretch(from, reached, reasons[index % 3])
            }).collect();
            let bar = draw(&clock(due, None, stretches), at(reached), places);
            prop_assert_eq!(bar.marks.chars().count(), places);
            prop_assert_eq!(bar.marks.chars().filter(|mark| *mark == DUE).count(), usize::from(due.is_some()));
            prop_assert!(bar.marks.chars().all(|mark| mark == ' ' || LEGEND.iter().any(|(known, _)| *known == mark)));
        }
    }
}
