//! The ladders of a policy of a file.

use std::collections::BTreeMap;

use barometer_proto::complaints::v1::{
    Audience, ClockDuration, Ladder, LadderHandOver, LadderRepeat, LadderStep, Priority, ladder_step::When,
};
use serde::Deserialize;
use toml::Spanned;

use super::{super::amount, place::Places, policies};

/// The ladder of promises among those of clocks.
const PROMISE: &str = "promise";

/// Ladders as they are written, by the names of their clocks.
pub(super) type Texts = BTreeMap<String, Vec<Spanned<Step>>>;

/// A step as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    percent: Option<i32>,
    after_due: Option<String>,
    repeat: Option<Repeat>,
    #[serde(default)]
    working_time_only: bool,
    raise_to: Option<String>,
    #[serde(default)]
    raise_by_one: bool,
    hand_over: Option<HandOver>,
    #[serde(default)]
    notify: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    every: String,
    times: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOver {
    #[serde(default)]
    employee: String,
    #[serde(default)]
    team: String,
}

/// The ladders of the policy at `path`, which begins at a byte of the file; and the steps of promises.
pub(super) fn read(
    places: &mut Places<'_>,
    path: &str,
    offset: usize,
    label: &str,
    mut texts: Texts,
) -> (Vec<Ladder>, Vec<LadderStep>) {
    let begins = |steps: &[Spanned<Step>]| steps.first().map_or(offset, |step| step.span().start);
    let label = |name: &str| format!("{label}: ladder of {name}");
    let promise_steps = texts.remove(PROMISE).unwrap_or_default();
    let (begin, promises) = (begins(&promise_steps), label(PROMISE));
    let promise_steps = steps(places, &format!("{path}.promise_steps"), begin, &promises, promise_steps);
    let ladder = |(at, (name, of_clock)): (usize, (String, Vec<Spanned<Step>>))| {
        let (path, label, begins) = (format!("{path}.ladders[{at}]"), label(&name), begins(&of_clock));
        places.note(path.clone(), begins, label.clone());
        places.note(format!("{path}.kind"), begins, label.clone());
        let kind = policies::clock(places, &name);
        Ladder { kind, steps: steps(places, &format!("{path}.steps"), begins, &label, of_clock) }
    };
    (texts.into_iter().enumerate().map(ladder).collect(), promise_steps)
}

fn steps(
    places: &mut Places<'_>,
    path: &str,
    offset: usize,
    label: &str,
    texts: Vec<Spanned<Step>>,
) -> Vec<LadderStep> {
    places.note(path, offset, label);
    let texts = texts.into_iter().enumerate();
    texts.map(|(at, text)| step(places, &format!("{path}[{at}]"), &format!("{label}, step {at}"), text)).collect()
}

fn step(places: &mut Places<'_>, path: &str, label: &str, text: Spanned<Step>) -> LadderStep {
    places.note(path, text.span().start, label);
    let Step { percent, after_due, repeat, working_time_only, raise_to, raise_by_one, hand_over, notify } =
        text.into_inner();
    let amount = |places: &mut Places<'_>, text: &str| -> Option<ClockDuration> {
        amount::parse(text).map_err(|wrong| places.bad(&wrong)).ok()
    };
    let when = match (percent, after_due) {
        (Some(_), Some(_)) => {
            places.bad("is taken either at a `percent` of the target or `after_due`, not both");
            None
        }
        (Some(percent), None) => Some(When::Percent(percent)),
        (None, Some(after)) => amount(places, &after).map(When::AfterDue),
        (None, None) => None,
    };
    LadderStep {
        when,
        repeat: repeat.map(|Repeat { every, times }| LadderRepeat { every: amount(places, &every), times }),
        working_time_only,
        raise_to: raise_to.map_or(0, |word| {
            value(places, &word, |word| Priority::from_str_name(&format!("PRIORITY_{word}")).map(i32::from))
        }),
        raise_by_one,
        hand_over: hand_over.map(|HandOver { employee, team }| LadderHandOver { employee, team }),
        notify: notify
            .iter()
            .map(|word| value(places, word, |word| Audience::from_str_name(&format!("AUDIENCE_{word}")).map(i32::from)))
            .collect(),
    }
}

/// The value of an enum by the last words of its name.
fn value(places: &mut Places<'_>, word: &str, value_of: impl Fn(&str) -> Option<i32>) -> i32 {
    value_of(&word.to_uppercase()).filter(|value| *value != 0).unwrap_or_else(|| {
        places.bad(&format!("there is no `{word}`"));
        policies::UNKNOWN
    })
}
