//! Ladders: message ⇄ row.

use std::collections::BTreeSet;

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1::{self as wire, Audience, Priority, ladder_step};

use crate::{
    case::Holder,
    clock::{Kind, Target, Unit},
    ladder::{Ladder, MAX_REPEATS, MAX_STEPS, Raise, Repeat, Rung, When},
};

/// More audiences than there are.
const MAX_AUDIENCES: usize = 8;

/// A ladder; what is wrong is noted under its fields.
pub(super) fn parse_ladder(door: &mut Door, message: wire::Ladder) -> Ladder {
    let wire::Ladder { kind, steps } = message;
    if steps.is_empty() {
        door.missing("steps");
    }
    Ladder {
        kind: Kind::from_wire(door.choice("kind", kind)).unwrap_or(Kind::FinalResponse),
        steps: parse_steps(door, "steps", steps),
    }
}

/// The steps of a ladder.
pub(super) fn parse_steps(door: &mut Door, field: &str, steps: Vec<wire::LadderStep>) -> Vec<Rung> {
    door.each(field, steps, MAX_STEPS, parse_step)
}

fn parse_step(door: &mut Door, message: wire::LadderStep) -> Rung {
    let wire::LadderStep { when, repeat, working_time_only, raise_to, raise_by_one, hand_over, notify } = message;
    let when = match when {
        None => {
            door.missing("percent");
            When::Due
        }
        Some(ladder_step::When::Percent(100)) => When::Due,
        Some(ladder_step::When::Percent(percent)) => match u8::try_from(percent) {
            Ok(percent @ 1..=99) => When::Percent(percent),
            _ => {
                door.refuse("percent", "OUT_OF_RANGE", "is not within 1 and 100");
                When::Due
            }
        },
        Some(ladder_step::When::AfterDue(after)) => {
            When::After(door.inside("after_due", |door| Target::parse(door, after)))
        }
    };
    let to = door.optional_choice::<Priority>("raise_to", raise_to);
    let to = Some(to).filter(|to| *to != Priority::Unspecified);
    if to.is_some() && raise_by_one {
        door.refuse("raise_by_one", "CONTRADICTION", "`raise_to` says how far already");
    }
    let raise = to.map(|to| Raise::To(to.into())).or(raise_by_one.then_some(Raise::ByOne));
    let mut seen = BTreeSet::new();
    let notify = door.each("notify", notify, MAX_AUDIENCES, |door, audience| {
        let audience: i32 = door.choice::<Audience>("", audience).into();
        if audience != 0 && !seen.insert(audience) {
            door.refuse("", "TWICE", "stands there twice");
        }
        audience
    });
    Rung {
        when,
        repeat: repeat.map(|repeat| door.inside("repeat", |door| parse_repeat(door, repeat))),
        working_time_only,
        raise,
        hand_over: hand_over.map(|to| door.inside("hand_over", |door| parse_hand_over(door, to))),
        notify,
    }
}

fn parse_repeat(door: &mut Door, message: wire::LadderRepeat) -> Repeat {
    let wire::LadderRepeat { every, times } = message;
    let every = match every {
        Some(every) => door.inside("every", |door| Target::parse(door, every)),
        None => {
            door.missing("every");
            Target { amount: 1, unit: Unit::WorkingDays }
        }
    };
    let checked = u16::try_from(times).ok().filter(|times| (1..=MAX_REPEATS).contains(times));
    if checked.is_none() {
        door.refuse("times", "OUT_OF_RANGE", format!("is not within 1 and {MAX_REPEATS}"));
    }
    Repeat { every, times: checked.unwrap_or(1) }
}

fn parse_hand_over(door: &mut Door, message: wire::LadderHandOver) -> Holder {
    let wire::LadderHandOver { employee, team } = message;
    if employee.is_empty() && team.is_empty() {
        door.missing("team");
    }
    Holder { employee: door.text("employee", employee, 64), team: door.text("team", team, 64) }
}

/// A ladder for callers.
pub(super) fn render_ladder(ladder: Ladder) -> wire::Ladder {
    let Ladder { kind, steps } = ladder;
    wire::Ladder { kind: kind.to_wire().into(), steps: render_steps(steps) }
}

/// The steps of a ladder for callers.
pub(super) fn render_steps(steps: Vec<Rung>) -> Vec<wire::LadderStep> {
    steps.into_iter().map(render_step).collect()
}

fn render_step(rung: Rung) -> wire::LadderStep {
    let Rung { when, repeat, working_time_only, raise, hand_over, notify } = rung;
    let when = match when {
        When::Percent(percent) => ladder_step::When::Percent(percent.into()),
        When::Due => ladder_step::When::Percent(100),
        When::After(after) => ladder_step::When::AfterDue(after.to_wire()),
    };
    let (raise_to, raise_by_one) = match raise {
        None => (0, false),
        Some(Raise::To(to)) => (to, false),
        Some(Raise::ByOne) => (0, true),
    };
    wire::LadderStep {
        when: Some(when),
        repeat: repeat
            .map(|Repeat { every, times }| wire::LadderRepeat { every: Some(every.to_wire()), times: times.into() }),
        working_time_only,
        raise_to,
        raise_by_one,
        hand_over: hand_over.map(|Holder { employee, team }| wire::LadderHandOver { employee, team }),
        notify,
    }
}
