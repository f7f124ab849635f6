//! Survival: how long customers stay, and whether those of groups differ.

use barometer_chassis::{clock::Micros, door::Door, error::Error};
use barometer_proto::metrics::v1::{self as wire, query_survival_request::Ending as Wire};
use barometer_statistics::{
    Interval, Level,
    presence::Presence,
    survival::{KaplanMeier, LogRank, Observation},
};

use super::{
    MAX_GROUP_BY,
    beginning::{Beginning, Begun},
    by_person::{self, Instants, member},
    parse_level,
    reasons::{self, OfReason},
    scope::Scope,
};
use crate::{
    columns::{Facts, by_person::ByPerson, choice::Choice, dictionary::EMPTY, subscriptions::VOLUNTARY},
    fold::Source,
    query::{MAX_ROWS, Name, Table, Vocabulary, Zones, cut::Cutter, parse_group_by},
};

const MAX_GROUPS: usize = barometer_statistics::survival::MAX_GROUPS;
const MAX_STEPS: u64 = 1_000;
const MAX_REASONS: usize = 50;
const MAX_REASON: usize = 128;
const MAX_DAYS: i32 = 36_500;
const MAX_INACTIVITY_DAYS: i32 = 3_650;
const USUAL_INACTIVITY_DAYS: u32 = 90;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Survival {
    pub(crate) scope: Scope,
    beginning: Beginning,
    ending: Ending,
    group_by: Vec<String>,
    /// Whether it is told too for what customers went.
    by_reason: bool,
    /// Until when curves are told, in microseconds.
    most: Option<u64>,
    pub(crate) level: Level,
    /// Nothing is told of fewer customers.
    pub(crate) minimum_sample: u64,
}

/// With what a customer's time ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    Inactivity(u32),
    Contract { reasons: Vec<String>, voluntary: Option<bool> },
    SecondPurchase,
    FirstComplaint,
    Programme,
}

/// Curves by group, and whether they differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Curves {
    pub(crate) curves: Vec<Curve>,
    pub(crate) test: Option<LogRank>,
}

/// How long the customers of a group stay; times in microseconds since their beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    pub(crate) group: Name,
    /// Nothing of fewer than the smallest sample.
    pub(crate) told: Option<Told>,
}

/// What is told of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) customers: u64,
    pub(crate) events: u64,
    pub(crate) steps: Vec<Fall>,
    pub(crate) median: Option<u64>,
    pub(crate) median_limits: (Option<u64>, Option<u64>),
    pub(crate) restricted_mean: Option<f64>,
    pub(crate) until: u64,
    pub(crate) reasons: Vec<OfReason>,
}

/// Where a curve falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fall {
    pub(crate) time: u64,
    pub(crate) at_risk: u64,
    pub(crate) events: u64,
    pub(crate) survival: f64,
    pub(crate) interval: Option<Interval>,
}

/// Parses a request, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QuerySurvivalRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    minimum_sample: u64,
) -> Result<Survival, Error> {
    Door::open(|door| {
        let wire::QuerySurvivalRequest {
            scope,
            beginning,
            ending,
            inactivity_days,
            reasons,
            voluntary,
            group_by,
            max_days,
            level,
            by_reason,
        } = request;
        let beginning = Beginning::parse(door, beginning);
        let chooses = !reasons.is_empty() || voluntary.is_some();
        if by_reason && chooses {
            door.refuse("by_reason", "NOT_TOGETHER", "goes with neither reasons nor voluntary");
        }
        let ending = parse_ending(door, ending, inactivity_days, reasons, voluntary);
        if by_reason && !matches!(ending, Ending::Contract { .. }) {
            door.refuse("by_reason", "NOT_TOGETHER", "goes with CONTRACT only");
        }
        let of = (Table::Customers, "customers");
        let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &[of], vocabulary);
        if !(0..=MAX_DAYS).contains(&max_days) {
            door.refuse("max_days", "OUT_OF_RANGE", format!("must be from 0 to {MAX_DAYS}"));
        }
        let most = u64::try_from(i64::from(max_days) * Micros::DAY).ok().filter(|most| *most > 0);
        let level = parse_level(door, level);
        let scope = Scope::parse(door, scope, of, vocabulary, zones);
        scope.map(|scope| Survival { scope, beginning, ending, group_by, by_reason, most, level, minimum_sample })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_ending(
    door: &mut Door,
    ending: i32,
    inactivity_days: i32,
    reasons: Vec<String>,
    voluntary: Option<bool>,
) -> Ending {
    let ending = match door.optional_choice("ending", ending) {
        Wire::Unspecified => Wire::Inactivity,
        ending => ending,
    };
    let of_others = [
        ("inactivity_days", inactivity_days != 0 && ending != Wire::Inactivity, "goes with INACTIVITY only"),
        ("reasons", !reasons.is_empty() && ending != Wire::Contract, "goes with CONTRACT only"),
        ("voluntary", voluntary.is_some() && ending != Wire::Contract, "goes with CONTRACT only"),
    ];
    for (field, given, told) in of_others {
        if given {
            door.refuse(field, "NOT_TOGETHER", told);
        }
    }
    if !(0..=MAX_INACTIVITY_DAYS).contains(&inactivity_days) {
        door.refuse("inactivity_days", "OUT_OF_RANGE", format!("must be from 0 to {MAX_INACTIVITY_DAYS}"));
    }
    let reasons = door.each("reasons", reasons, MAX_REASONS, |door, reason| door.text("", reason, MAX_REASON));
    match ending {
        Wire::Unspecified | Wire::Inactivity => {
            let days = u32::try_from(inactivity_days).ok().filter(|days| *days > 0);
            Ending::Inactivity(days.unwrap_or(USUAL_INACTIVITY_DAYS))
        }
        Wire::Contract => Ending::Contract { reasons, voluntary },
        Wire::SecondPurchase => Ending::SecondPurchase,
        Wire::FirstComplaint => Ending::FirstComplaint,
        Wire::Programme => Ending::Programme,
    }
}

impl Survival {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        self.beginning.reads(source) || (source == Source::Complaints && self.ending == Ending::FirstComplaint)
    }

    /// Computes the curves and their test.
    ///
    /// Errors: INVALID when there are too many groups, or too many of them and their reasons.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Curves, Error> {
        let until = self.scope.until();
        let lives = Lives::new(&self.ending, facts, self.scope.now);
        let mut cutter = Cutter::new(facts, Table::Customers, &self.scope.filters, &self.group_by, MAX_ROWS);
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        let mut watched: Vec<(Vec<Observation>, Vec<u32>)> = Vec::new();
        let mut overlap = false;
        for begun in self.beginning.of_known(facts).iter().filter(|begun| begun.at < until) {
            let Some(life) = lives.of(facts, begun, &self.scope) else { continue };
            let Some(observation) = life.within(begun.at, self.scope.start, until) else { continue };
            let reason = lives.reason(facts, begun.person, life);
            rows.clear();
            rows.push(begun.row);
            cutter.cut(&mut rows, &mut groups, |_| begun.at)?;
            overlap |= groups.len() > 1;
            if cutter.groups() > MAX_GROUPS {
                let told = format!("there are more than {MAX_GROUPS} groups");
                return Err(Error::invalid("group_by", "TOO_MANY", told));
            }
            for group in &groups {
                let group = *group as usize;
                if watched.len() <= group {
                    watched.resize_with(group + 1, Default::default);
                }
                watched[group].0.push(observation);
                if self.by_reason {
                    watched[group].1.push(reason);
                }
            }
        }
        let mut named: Vec<(Name, Vec<Observation>, Vec<u32>)> =
            (0..).zip(watched).map(|(group, (watched, reasons))| (cutter.name(group), watched, reasons)).collect();
        named.sort_unstable_by(|(a, _, _), (b, _, _)| a.cmp(b));
        named.retain(|(_, watched, _)| !watched.is_empty());
        let is_told = |watched: &Vec<Observation>| watched.len() as u64 >= self.minimum_sample;
        let test = (!overlap).then(|| compare(&named, is_told)).flatten();
        let told = named.iter().filter(|(_, watched, _)| is_told(watched));
        let reasons = told.map(|(_, watched, codes)| reasons::of_events(watched, codes).len());
        if reasons.sum::<usize>() > reasons::MOST {
            let told = format!("there are more than {} groups and reasons", reasons::MOST);
            return Err(Error::invalid("by_reason", "TOO_MANY", told));
        }
        let curves = named.into_iter().map(|(group, watched, reasons)| {
            let told = is_told(&watched).then(|| self.told(facts, &watched, &reasons)).flatten();
            Curve { group, told }
        });
        Ok(Curves { curves: curves.collect(), test })
    }

    fn told(&self, facts: &Facts, watched: &[Observation], reasons: &[u32]) -> Option<Told> {
        let curve = KaplanMeier::of(watched)?;
        let until = self.most.map_or(curve.last(), |most| most.min(curve.last()));
        Some(Told {
            customers: watched.len() as u64,
            events: curve.steps().iter().map(|step| step.events).sum(),
            steps: self.steps(&curve, until),
            median: curve.median(),
            median_limits: curve.median_limits(self.level),
            restricted_mean: curve.restricted_mean(until),
            until,
            reasons: reasons::tell(facts, watched, reasons, until, self.level),
        })
    }

    /// The steps up to a time; of too many, the last in each of as many stretches of equal length.
    fn steps(&self, curve: &KaplanMeier, until: u64) -> Vec<Fall> {
        let steps = curve.steps();
        let fall = |steps: &[barometer_statistics::survival::Step]| {
            let last = steps.last()?;
            Some(Fall {
                time: last.time,
                at_risk: last.at_risk,
                events: steps.iter().map(|step| step.events).sum(),
                survival: last.survival,
                interval: last.interval(self.level),
            })
        };
        thinned(steps, until, |step| step.time).filter_map(fall).collect()
    }
}

/// The steps up to a time: each alone, or, of too many, those of each of as many stretches of equal length.
pub(super) fn thinned<T>(steps: &[T], until: u64, time: impl Fn(&T) -> u64) -> impl Iterator<Item = &[T]> {
    let steps = &steps[..steps.partition_point(|step| time(step) <= until)];
    let all = steps.len() as u64 <= MAX_STEPS;
    let stretch = move |step: &T| u128::from(time(step)) * u128::from(MAX_STEPS) / (u128::from(until) + 1);
    steps.chunk_by(move |a, b| !all && stretch(a) == stretch(b))
}

/// Whether the groups that are told differ; the others have nothing observed and nothing expected.
fn compare(
    named: &[(Name, Vec<Observation>, Vec<u32>)],
    is_told: impl Fn(&Vec<Observation>) -> bool,
) -> Option<LogRank> {
    let told: Vec<&[Observation]> =
        named.iter().map(|(_, watched, _)| if is_told(watched) { watched.as_slice() } else { &[] }).collect();
    // One group cannot be compared, nor several that never met: then there is no test.
    LogRank::of(&told).ok()
}

/// When a customer is at risk, and when and how that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    from: i64,
    /// When it ends, if it does, and whether that is what was asked for.
    end: Option<(i64, bool)>,
}

impl Life {
    /// What is seen of it, of a customer who began at an instant before `until`, within a time; nothing when it is over by
    /// then or comes later.
    fn within(self, begun: i64, start: Option<i64>, until: i64) -> Option<Observation> {
        let from = self.from.max(start.unwrap_or(i64::MIN));
        let (exit, event) = self.end.filter(|(at, _)| *at < until).unwrap_or((until, false));
        let since = |at: i64| u64::try_from(at.checked_sub(begun)?).ok();
        if from <= begun {
            Some(Observation::new(since(exit)?, event))
        } else {
            Observation::entered_late(since(from)?, since(exit)?, event)
        }
    }
}

/// What ends the times of customers.
enum Lives<'f> {
    Inactivity(Instants<'f>, u32),
    Contract { runs: ByPerson<(i64, i64)>, ends: ByPerson<(i64, u32)>, wanted: Wanted<'f> },
    SecondPurchase(Instants<'f>),
    FirstComplaint(Instants<'f>),
    Programme,
}

/// Which cancellations are events.
struct Wanted<'f> {
    /// By code of the reason; any when empty.
    reasons: Vec<bool>,
    codes: &'f [u32],
    voluntary: Option<bool>,
    chosen: &'f Choice,
}

impl Wanted<'_> {
    fn is(&self, row: u32) -> bool {
        let row = row as usize;
        let reason = self.codes.get(row).copied().unwrap_or(EMPTY);
        let chosen = VOLUNTARY[usize::from(self.chosen.get(row))];
        let of_reason = self.reasons.is_empty() || self.reasons.get(reason as usize) == Some(&true);
        of_reason && self.voluntary.is_none_or(|voluntary| chosen == voluntary.to_string())
    }
}

impl<'f> Lives<'f> {
    fn new(ending: &Ending, facts: &'f Facts, now: i64) -> Self {
        match ending {
            Ending::Inactivity(days) => Self::Inactivity(by_person::sales(facts, now), *days),
            Ending::Contract { reasons, voluntary } => {
                let subscriptions = &facts.subscriptions;
                let dictionary = &subscriptions.reason.dictionary;
                let mut among = vec![false; if reasons.is_empty() { 0 } else { dictionary.len().max(1) }];
                reasons
                    .iter()
                    .filter_map(|reason| dictionary.find(reason))
                    .for_each(|code| among[code as usize] = true);
                let wanted = Wanted {
                    reasons: among,
                    codes: subscriptions.reason.codes(),
                    voluntary: *voluntary,
                    chosen: &subscriptions.voluntary,
                };
                Self::Contract { runs: by_person::runs(facts, i64::MAX), ends: by_person::ends(facts), wanted }
            }
            Ending::SecondPurchase => Self::SecondPurchase(by_person::sales(facts, now)),
            Ending::FirstComplaint => Self::FirstComplaint(by_person::complaints(facts, now)),
            Ending::Programme => Self::Programme,
        }
    }

    /// The code of the reason with which a life ended, of those that end with contracts.
    fn reason(&self, facts: &Facts, person: u32, life: Life) -> u32 {
        match (self, life.end) {
            (Self::Contract { ends, .. }, Some((at, _))) => reasons::at(facts, ends.of(person), at),
            _ => EMPTY,
        }
    }

    /// The life of a customer that began; none when it is never at risk.
    fn of(&self, facts: &Facts, begun: &Begun, scope: &Scope) -> Option<Life> {
        let Begun { person, at: begun, .. } = *begun;
        match self {
            Self::Inactivity(sales, days) => {
                let presence = Presence::by_inactivity(sales.of(person).iter().copied(), *days)?;
                // Who buys is active just afterwards: these stretches are of half an instant more.
                let spans = presence.spans().iter().map(|span| (span.start - 1, span.end - 1));
                present(spans, begun)
            }
            Self::Contract { runs, ends, wanted } => {
                let of_customer = runs
                    .of(person)
                    .iter()
                    .map(|(from, until)| (*from, Some(*until).filter(|until| *until != i64::MAX)));
                let presence = Presence::by_contract(of_customer);
                let life = present(presence.spans().iter().map(|span| (span.start, span.end)), begun)?;
                let ends = ends.of(person);
                let by_this = |at: i64| {
                    let first = ends.partition_point(|(end, _)| *end < at);
                    ends[first..].iter().take_while(|(end, _)| *end == at).any(|(_, row)| wanted.is(*row))
                };
                Some(Life { end: life.end.map(|(at, _)| (at, by_this(at))), ..life })
            }
            Self::SecondPurchase(sales) => {
                let sales = sales.of(person);
                let first = *sales.first()?;
                let day = scope.days.day(first);
                let second = sales.iter().copied().find(|sale| scope.days.day(*sale) > day);
                let is_over = second.is_some_and(|second| second < begun);
                (!is_over).then(|| Life { from: first.max(begun), end: second.map(|at| (at, true)) })
            }
            Self::FirstComplaint(complaints) => {
                let first = complaints.of(person).first().copied();
                let is_over = first.is_some_and(|first| first < begun);
                (!is_over).then(|| Life { from: begun, end: first.map(|at| (at, true)) })
            }
            Self::Programme => {
                let spans = member(facts, person).into_iter();
                let presence = Presence::by_contract(
                    spans.map(|span| (span.start, Some(span.end).filter(|end| *end != i64::MAX))),
                );
                present(presence.spans().iter().map(|span| (span.start, span.end)), begun)
            }
        }
    }
}

/// The first stretch of presence that lasts beyond the beginning.
fn present(mut spans: impl Iterator<Item = (i64, i64)>, begun: i64) -> Option<Life> {
    let (start, end) = spans.find(|(_, end)| *end > begun)?;
    Some(Life { from: start.max(begun), end: (end != i64::MAX).then_some((end, true)) })
}
