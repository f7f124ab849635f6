//! What other policies would change for a case.

use barometer_chassis::clock::Micros;

use crate::clock::{Clock, History, Kind, State};

/// How a clock stands, and how it would stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What it waits for.
    pub kind: Kind,
    /// The how-manieth of its kind.
    pub instance: u32,
    /// How it stands; nothing of a clock that is not kept.
    pub now: Option<Standing>,
    /// How it would stand; nothing of a clock that would not be kept.
    pub then: Option<Standing>,
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// When it is due.
    pub due: Option<Micros>,
}

/// The clocks that stand otherwise in another history of the same case, at an instant; by kind and instance. A case that is
/// bound to no policy has no history by which it is counted now.
pub fn effects(now: Option<&History<'_>>, then: &History<'_>, at: Micros) -> Vec<Effect> {
    let now = now.map(|history| history.clocks(at)).unwrap_or_default();
    let then = then.clocks(at);
    let standing = |clocks: &[Clock], key: (Kind, u32)| {
        let found = clocks.iter().find(|clock| (clock.kind, clock.instance) == key)?;
        Some(Standing { state: found.state, due: found.due })
    };
    let mut keys: Vec<_> = now.iter().chain(&then).map(|clock| (clock.kind, clock.instance)).collect();
    keys.sort_unstable();
    keys.dedup();
    let effect = |key: (Kind, u32)| Effect {
        kind: key.0,
        instance: key.1,
        now: standing(&now, key),
        then: standing(&then, key),
    };
    keys.into_iter().map(effect).filter(|effect| effect.now != effect.then).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use barometer_chassis::door::Door;

    use super::*;
    use crate::{
        calendar::{Calendar, Timetable, WorkingTime},
        clock::{ClockTarget, Dated, Desk, Event, Message, PolicyVersion, Terms, Unit, Version},
    };

    fn hour(hours: i64) -> Micros {
        Micros(hours * 3_600 * Micros::SECOND)
    }

    fn desk() -> Desk {
        let calendar = Door::open(|door| {
            let always = (1..=7).map(|day| WorkingTime::parse(door, day, 0, 1_440)).collect();
            Calendar::parse(door, "UTC".to_owned(), always, Vec::new())
        });
        let timetable = Timetable::new(&calendar.expect("a good calendar")).expect("a zone");
        Desk { calendar: Version::default(), timetable: Arc::new(timetable) }
    }

    fn terms(targets: &[(Kind, u32)]) -> Terms {
        let target = |(kind, hours): &(Kind, u32)| ClockTarget::new(*kind, hours * 60, Unit::ElapsedMinutes);
        Terms::new(PolicyVersion::default(), targets.iter().map(target))
    }

    #[test]
    fn what_has_stopped_stays_and_what_runs_is_under_the_new_terms() {
        use Kind::{Acknowledgement, FirstResponse, Resolution};
        let opened = Dated { at: hour(0), event: Event::Opened };
        let answered = Dated { at: hour(2), event: Event::ToCustomer(Message::Answer) };
        let rebased = Dated { at: hour(10), event: Event::Rebased { terms: 1, desk: 1 } };
        let all = [
            terms(&[(FirstResponse, 1), (Resolution, 48)]),
            terms(&[(Acknowledgement, 1), (FirstResponse, 4), (Resolution, 8)]),
        ];
        let desks = [desk(), desk()];
        let (now, then) = ([opened, answered], [opened, answered, rebased]);
        let history = |events| History::new(events, &all, &desks).expect("a history");
        let told = effects(Some(&history(&now)), &history(&then), hour(10));
        let late = |due| Some(Standing { state: State::Breached, due: Some(hour(due)) });
        let running = |due| Some(Standing { state: State::Running, due: Some(hour(due)) });
        let expected = [Effect { kind: Resolution, instance: 1, now: running(48), then: late(8) }];
        assert_eq!(told, expected, "answered and acknowledged it was under the old ones");
        assert_eq!(effects(Some(&history(&now)), &history(&now), hour(10)), []);
        let new = effects(None, &history(&now), hour(1));
        assert_eq!(new.iter().map(|effect| effect.now).collect::<Vec<_>>(), [None, None]);
    }
}
