//! From the history of a case to its clocks.

use barometer_chassis::clock::Micros;

use super::{
    Amount, ClockTarget, Dated, Event, History, Kind, Message, Target,
    meter::Meter,
    scene::{Scene, Segments},
};

/// One run of one clock, as it is at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What it waits for.
    pub kind: Kind,
    /// The how-manieth of its kind in this case, from 1.
    pub instance: u32,
    /// How it is.
    pub state: State,
    /// Since when it runs.
    pub start: Micros,
    /// When what it waits for happened, or the case was cancelled.
    pub stop: Option<Micros>,
    /// When it is or was due; of one that runs, if nothing pauses it from now on. Nothing while it is paused before it was
    /// due, and when that lies beyond its calendar.
    pub due: Option<Micros>,
    /// The target in force.
    pub target: Target,
    /// What the target comes to.
    pub allowed: Amount,
    /// What was counted.
    pub used: Amount,
    /// Whether the target after a holding response is in force.
    pub held: bool,
    /// Index of the terms in force.
    pub terms: u16,
    /// Index of the calendar in force.
    pub desk: u16,
    pub(super) run: Run,
}

/// How a clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs and is not past due.
    Running,
    /// It stands and was not past due.
    Paused,
    /// It stopped in time.
    Met,
    /// It is past due, or was when it stopped.
    Breached,
    /// The case was cancelled before it was past due.
    Cancelled,
}

/// From where to where a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Index of the event that starts it.
    pub(super) start: usize,
    /// What holds after that.
    pub(super) scene: Scene,
    /// Index of the event that stops it, or of the first that has not happened yet.
    pub(super) end: usize,
    /// When it stops; or the instant that was asked for.
    pub(super) until: Micros,
}

impl Clock {
    /// What is left: negative when it went over.
    pub fn remaining(&self) -> Amount {
        Amount::of(self.target.unit, self.allowed.count() - self.used.count())
    }
}

impl<'h> History<'h> {
    /// The clocks that the case has at an instant, by kind and instance.
    pub fn clocks(&self, at: Micros) -> Vec<Clock> {
        let mut clocks = Vec::new();
        self.each_clock(at, |clock| clocks.push(clock));
        clocks.sort_unstable_by_key(|clock| (clock.kind, clock.instance));
        clocks
    }

    /// Tells each clock that the case has at an instant, in any order. What happens at that very instant has happened.
    pub fn each_clock(&self, at: Micros, tell: impl FnMut(Clock)) {
        let end = self.events().partition_point(|dated| dated.at <= at);
        let past = &self.events()[..end];
        let Some(opening) = past.iter().position(|dated| dated.event == Event::Opened) else { return };
        let scene = Scene::default();
        let mut fold = Fold {
            history: self,
            tell,
            scene,
            running: [None; 7],
            counts: [0; 7],
            answered: false,
            open_question: false,
        };
        fold.start(opening, scene, &OPENING);
        for (index, dated) in past.iter().enumerate().skip(opening + 1) {
            fold.step(index, dated);
        }
        fold.finish(end, at);
    }
}

/// The clocks that start when a case is opened.
const OPENING: [Kind; 6] = [
    Kind::Acknowledgement,
    Kind::FirstResponse,
    Kind::PeriodicUpdate,
    Kind::Resolution,
    Kind::TotalResolution,
    Kind::FinalResponse,
];
/// The clocks that stop when a case is resolved, for good or until they start once more.
const RESOLVED: [Kind; 6] = [
    Kind::Acknowledgement,
    Kind::FirstResponse,
    Kind::NextResponse,
    Kind::PeriodicUpdate,
    Kind::Resolution,
    Kind::FinalResponse,
];

/// What has come of a case's events so far.
struct Fold<'f, 'h, T> {
    history: &'f History<'h>,
    tell: T,
    scene: Scene,
    /// The run of each kind that is under way: there is never more than one.
    running: [Option<Start>; 7],
    /// How many runs of each kind there were.
    counts: [u32; 7],
    /// Whether the customer has had an answer.
    answered: bool,
    /// Whether the customer wrote since the case ended and had no answer.
    open_question: bool,
}

/// Where a run started.
#[derive(Clone, Copy)]
struct Start {
    index: usize,
    scene: Scene,
    /// When it stopped for now: the total resolution when the case is resolved, whatever runs when it is cancelled.
    rest: Option<Rest>,
}

/// Where a run rests.
#[derive(Clone, Copy)]
struct Rest {
    index: usize,
    at: Micros,
    terms: u16,
    ending: Ending,
}

impl<T: FnMut(Clock)> Fold<'_, '_, T> {
    fn step(&mut self, index: usize, Dated { at, event }: &Dated) {
        let before = self.scene;
        self.scene = before.after(*event);
        let ended = before.resolved || before.cancelled;
        match event {
            Event::FromCustomer if ended => self.open_question = true,
            Event::Reopened if ended => self.reopen(index, *at),
            _ if before.cancelled => {}
            Event::Cancelled => {
                let rest = Rest { index, at: *at, terms: before.terms, ending: Ending::Cancelled };
                for start in self.running.iter_mut().flatten() {
                    start.rest.get_or_insert(rest);
                }
            }
            Event::Acknowledged => self.stop(index, *at, &[Kind::Acknowledgement]),
            Event::FromCustomer if self.answered && self.running[Kind::NextResponse.index()].is_none() => {
                self.start_anew(index, *at, Kind::NextResponse);
            }
            Event::ToCustomer(message) => {
                self.stop(index, *at, &[Kind::Acknowledgement, Kind::PeriodicUpdate]);
                if *message == Message::Answer {
                    self.stop(index, *at, &[Kind::FirstResponse, Kind::NextResponse]);
                    (self.answered, self.open_question) = (true, false);
                }
                if !ended {
                    self.start_anew(index, *at, Kind::PeriodicUpdate);
                }
            }
            Event::Resolved | Event::Closed if !ended => {
                self.stop(index, *at, &RESOLVED);
                (self.answered, self.open_question) = (true, false);
                if let Some(total) = &mut self.running[Kind::TotalResolution.index()] {
                    total.rest = Some(Rest { index, at: *at, terms: before.terms, ending: Ending::Stopped });
                }
            }
            _ => {}
        }
    }

    /// What rested goes on; what a new turn needs starts.
    fn reopen(&mut self, index: usize, at: Micros) {
        for start in self.running.iter_mut().flatten() {
            start.rest = None;
        }
        if self.running[Kind::PeriodicUpdate.index()].is_none() {
            self.start_anew(index, at, Kind::PeriodicUpdate);
        }
        let open_question = std::mem::take(&mut self.open_question);
        if open_question && self.answered && self.running[Kind::NextResponse.index()].is_none() {
            self.start_anew(index, at, Kind::NextResponse);
        }
    }

    /// A clock that starts in the course of a case takes its calendar as it is then.
    fn start_anew(&mut self, index: usize, at: Micros, kind: Kind) {
        let mut scene = self.scene;
        scene.desk = self.history.newest(scene.desk, at);
        self.start(index, scene, &[kind]);
    }

    fn start(&mut self, index: usize, scene: Scene, kinds: &[Kind]) {
        for kind in kinds {
            self.counts[kind.index()] += 1;
            self.running[kind.index()] = Some(Start { index, scene, rest: None });
        }
    }

    fn stop(&mut self, index: usize, at: Micros, kinds: &[Kind]) {
        for kind in kinds {
            if let Some(start) = self.running[kind.index()].take() {
                let end = Rest { index, at, terms: self.scene.terms, ending: Ending::Stopped };
                self.measure(*kind, start, end);
            }
        }
    }

    fn finish(&mut self, index: usize, at: Micros) {
        let now = Rest { index, at, terms: self.scene.terms, ending: Ending::None };
        for kind in Kind::ALL {
            if let Some(start) = self.running[kind.index()] {
                self.measure(kind, start, start.rest.unwrap_or(now));
            }
        }
    }

    /// Counts a run and tells its clock, if its terms keep one.
    fn measure(&mut self, kind: Kind, Start { index, scene, .. }: Start, end: Rest) {
        let ending = end.ending;
        let Some(target) = self.history.terms(end.terms).target(kind) else { return };
        let start = self.history.events()[index].at;
        let run = Run { start: index, scene, end: end.index, until: end.at };
        let (meter, last) = self.history.meter(run, target);
        let paused = ending == Ending::None && last.standing(target).is_some();
        let due = match meter.reached {
            None if paused => None,
            None => meter.due(&self.history.desk(last.desk).timetable, end.at),
            reached => reached,
        };
        let state = match ending {
            _ if due.is_some_and(|due| end.at > due) => State::Breached,
            Ending::Stopped => State::Met,
            Ending::Cancelled => State::Cancelled,
            Ending::None if paused => State::Paused,
            Ending::None => State::Running,
        };
        let unit = target.target.unit;
        (self.tell)(Clock {
            kind,
            instance: self.counts[kind.index()],
            state,
            start,
            stop: (ending != Ending::None).then_some(end.at),
            due,
            target: target.holding.filter(|_| meter.held).unwrap_or(target.target),
            allowed: Amount::of(unit, meter.allowed),
            used: Amount::of(unit, meter.used),
            held: meter.held,
            terms: end.terms,
            desk: last.desk,
            run,
        });
    }
}

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Not yet.
    None,
    /// What it waited for happened.
    Stopped,
    /// The case was cancelled.
    Cancelled,
}

impl<'h> History<'h> {
    /// When one of the clocks of this history has counted an amount of its unit, in microseconds or days, or will have if
    /// nothing pauses it from now on; also after it was due. None while it is paused or once it has stopped short of the
    /// amount, and when its calendar ends before.
    pub fn reaches(&self, clock: &Clock, amount: i64) -> Option<Micros> {
        let target = self.terms(clock.terms).target(clock.kind)?;
        let (meter, last) = self.meter_to(clock.run, target, Some(amount));
        let stands = clock.stop.is_some() || last.standing(target).is_some();
        match meter.reached {
            None if amount <= 0 => Some(clock.start),
            None if stands => None,
            None => meter.due(&self.desk(last.desk).timetable, clock.run.until),
            reached => reached,
        }
    }

    /// What a run has counted, and what holds at its end.
    fn meter(&self, run: Run, target: &ClockTarget) -> (Meter, Scene) {
        self.meter_to(run, target, None)
    }

    /// The same with another amount for a target.
    fn meter_to(&self, run: Run, target: &ClockTarget, amount: Option<i64>) -> (Meter, Scene) {
        let start = self.events()[run.start].at;
        let mut meter = Meter::new(target, &self.desk(run.scene.desk).timetable, start);
        meter.allowed = amount.unwrap_or(meter.allowed);
        let mut last = run.scene;
        for segment in self.segments(run) {
            if segment.scene.standing(target).is_none() {
                meter.count(&self.desk(segment.scene.desk).timetable, segment.from, segment.until);
            }
            if segment.holding && target.kind == Kind::FinalResponse && amount.is_none() {
                meter.hold(segment.until);
            }
            last = segment.scene;
        }
        (meter, last)
    }

    /// The stretches of a run.
    pub(super) fn segments(&self, run: Run) -> Segments<'h> {
        let events = self.events();
        let between = events.get(run.start + 1..run.end).unwrap_or_default();
        Segments::new(between, run.scene, events[run.start].at, run.until)
    }
}
