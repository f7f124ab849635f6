//! How a promise goes: what falls due by itself, and what each verb makes of it. Rules that know neither the wire nor the
//! database.

use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::{CaseEntryType as Event, promise::State};

use super::Model;
use crate::{
    calendar::Timetable,
    case::{Holder, When},
    ladder::Course,
};

/// What became of a promise by a verb, or by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The promise before it.
    pub before: Model,
    /// The promise after it.
    pub promise: Model,
    /// What happened, and when, in order; nothing when all is as it was.
    pub events: Vec<(Event, Micros)>,
}

/// When a promise is due soon that is due at `due`, as of `from`: `lead` before, but when at least half of the time is over.
/// Never without a lead.
pub fn notice_time(lead: i64, from: Micros, due: Micros) -> Option<Micros> {
    let half = due.0.saturating_sub(from.0) / 2;
    (lead > 0).then(|| Micros(due.0.saturating_sub(lead.min(half))))
}

impl Model {
    /// Whether it can be promised at `now`. Errors when it is due already, or was before it was made.
    pub fn check_new(&self, now: Micros) -> Result<(), Error> {
        if self.due_time <= self.make_time {
            return Err(Error::invalid("promise.due_time", "TOO_EARLY", "is not later than `make_time`"));
        }
        check_ahead("promise.due_time", self.due_time, now)
    }

    /// It is promised from `now` on, unless [`Model::check_new`] refuses it.
    pub fn begin(&mut self, now: Micros) -> Result<(), Error> {
        self.check_new(now)?;
        self.state = State::Open.into();
        (self.original_due_time, self.run_time) = (self.due_time, self.make_time);
        self.notice_time = notice_time(self.lead, now, self.due_time);
        self.next_time = self.next();
        Ok(())
    }

    /// What happened to it by itself until `now`: it was due soon, and it was broken, each a fact of its own instant.
    pub fn fall_due(mut self, now: Micros) -> Turn {
        let (before, mut events) = (self.clone(), Vec::new());
        if self.state() == State::Open {
            let soon = self.notice_time.filter(|notice| self.due_soon_time.is_none() && *notice <= now);
            if let Some(at) = soon {
                self.due_soon_time = Some(at);
                events.push((Event::PromiseDueSoon, at));
            }
            if now > self.due_time {
                let at = self.first_late();
                self.fail(at);
                events.push((Event::PromiseBroken, at));
            }
        }
        self.turned(before, events)
    }

    /// It was kept: in time, or, after its due time, late. What is told late of the past was as it is told.
    pub fn keep(self, when: When) -> Result<Turn, Error> {
        let time = when.not_before_making(&self)?;
        // What falls due meanwhile is of no account when it was kept before.
        let turn = if time > self.due_time { self.fall_due(time.max(when.now)) } else { self.unturned() };
        let Turn { before, mut promise, mut events } = turn;
        promise.check(Verb::Keep)?;
        promise.keep_time = Some(time);
        if time <= promise.due_time {
            (promise.state, promise.break_time) = (State::Kept.into(), None);
        }
        events.push((Event::PromiseKept, time));
        Ok(promise.turned(before, events))
    }

    /// It can not be kept, as is known before it is due.
    pub fn break_early(self, when: When) -> Result<Turn, Error> {
        let time = when.not_before_making(&self)?;
        let Turn { before, mut promise, mut events } = self.fall_due(time.max(when.now));
        promise.check(Verb::Break)?;
        promise.fail(time);
        events.push((Event::PromiseBroken, time));
        Ok(promise.turned(before, events))
    }

    /// Another due time was agreed on. Nothing happens when it is that already.
    pub fn shift(self, now: Micros, due: Micros) -> Result<Turn, Error> {
        check_ahead("due_time", due, now)?;
        let Turn { before, mut promise, mut events } = self.fall_due(now);
        promise.check(Verb::Move)?;
        if due == promise.due_time {
            return Ok(before.unturned());
        }
        (promise.due_time, promise.run_time) = (due, now);
        promise.moves = promise.moves.saturating_add(1);
        (promise.due_soon_time, promise.notice_time) = (None, notice_time(promise.lead, now, due));
        events.push((Event::PromiseMoved, now));
        Ok(promise.turned(before, events))
    }

    /// What is said of it was wrong: what was promised, and how long before its due time it is due soon. Nothing happens when it
    /// reads so already.
    pub fn amend(self, now: Micros, description: String, lead: i64) -> Result<Turn, Error> {
        let Turn { before, mut promise, mut events } = self.fall_due(now);
        promise.check(Verb::Amend)?;
        if (&description, lead) == (&promise.description, promise.lead) {
            return Ok(before.unturned());
        }
        promise.description = description;
        if lead != promise.lead {
            promise.lead = lead;
            // What was told is told.
            if promise.state() == State::Open && promise.due_soon_time.is_none() {
                promise.notice_time = notice_time(lead, now, promise.due_time);
            }
        }
        events.push((Event::PromiseAmended, now));
        Ok(promise.turned(before, events))
    }

    /// Somebody else answers for it from now on. Nothing happens when they do already.
    pub fn assign(self, now: Micros, to: &Holder) -> Result<Turn, Error> {
        let Turn { before, promise, mut events } = self.fall_due(now);
        promise.check(Verb::Assign)?;
        if promise.holder() == *to {
            return Ok(before.unturned());
        }
        events.push((Event::PromiseAssigned, now));
        Ok(promise.given(to).turned(before, events))
    }

    /// It should never have been recorded, or need not be kept.
    pub fn take_back(self, now: Micros) -> Result<Turn, Error> {
        self.check(Verb::Withdraw)?;
        let Turn { before, mut promise, mut events } = self.unturned();
        (promise.state, promise.withdraw_time) = (State::Withdrawn.into(), Some(now));
        events.push((Event::PromiseWithdrawn, now));
        Ok(promise.turned(before, events))
    }

    /// How it climbs its ladder, if nothing happens; not any more once nobody owes it.
    pub fn climbs<'d>(&self, desk: &'d Timetable) -> Option<Course<'d>> {
        let owed = matches!(self.state(), State::Open | State::Broken) && self.keep_time.is_none();
        let due = self.break_time.unwrap_or(self.first_late());
        owed.then(|| Course::of_promise(desk, self.run_time, self.due_time, due))
    }

    /// The how-manieth time that it climbs, from 1: anew each time that it is moved.
    pub fn run(&self) -> i32 {
        self.moves.saturating_add(1)
    }

    /// A step of its ladder hands it over; nothing happens when they have it already.
    pub(crate) fn hand_over(self, now: Micros, to: &Holder) -> Option<Turn> {
        let before = self.clone();
        (before.holder() != *to).then(|| self.given(to).turned(before, vec![(Event::PromiseAssigned, now)]))
    }

    /// Refuses what its state does not allow, and says what it does.
    fn check(&self, verb: Verb) -> Result<(), Error> {
        let allowed = self.verbs();
        if allowed.contains(&verb) {
            return Ok(());
        }
        let state = match self.state() {
            State::Broken if self.keep_time.is_some() => "broken, and was kept late,",
            State::Open => "open",
            State::Kept => "kept",
            State::Broken => "broken",
            State::Withdrawn | State::Unspecified => "withdrawn",
        };
        let would_do: Vec<_> = allowed.iter().map(|verb| verb.done()).collect();
        let would_do = if would_do.is_empty() { "nothing more".to_owned() } else { would_do.join(", ") };
        let message = format!("the promise is {state} and can not be {}: it can be {would_do}", verb.done());
        Err(Error::State { reason: "WRONG_STATE", message })
    }

    /// The verbs that its state allows.
    fn verbs(&self) -> &'static [Verb] {
        match self.state() {
            State::Open => &[Verb::Keep, Verb::Break, Verb::Move, Verb::Assign, Verb::Amend, Verb::Withdraw],
            State::Broken if self.keep_time.is_none() => &[Verb::Keep, Verb::Assign, Verb::Amend, Verb::Withdraw],
            State::Kept | State::Broken => &[Verb::Amend, Verb::Withdraw],
            State::Withdrawn | State::Unspecified => &[],
        }
    }

    /// It is broken; whoever answers for it later, it was who does now that did not keep it.
    fn fail(&mut self, at: Micros) {
        (self.state, self.break_time) = (State::Broken.into(), Some(at));
        self.note_who_answered();
    }

    fn note_who_answered(&mut self) {
        (self.due_employee, self.due_team) = (Some(self.employee.clone()), Some(self.team.clone()));
    }

    /// Somebody answers for it from now on.
    fn given(mut self, to: &Holder) -> Self {
        // An older release broke it without a word of who answered for it.
        if self.break_time.is_some() && self.due_employee.is_none() {
            self.note_who_answered();
        }
        Model { employee: to.employee.clone(), team: to.team.clone(), ..self }
    }

    /// The first instant that is late.
    fn first_late(&self) -> Micros {
        Micros(self.due_time.0.saturating_add(1))
    }

    /// When something will happen to it by itself.
    fn next(&self) -> Option<Micros> {
        let notice = self.notice_time.filter(|_| self.due_soon_time.is_none());
        (self.state() == State::Open).then(|| notice.unwrap_or(self.first_late()))
    }

    fn unturned(self) -> Turn {
        Turn { before: self.clone(), promise: self, events: Vec::new() }
    }

    fn turned(mut self, before: Model, events: Vec<(Event, Micros)>) -> Turn {
        self.next_time = self.next();
        Turn { before, promise: self, events }
    }
}

/// What can be done with a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Keep,
    Break,
    Move,
    Assign,
    Amend,
    Withdraw,
}

impl Verb {
    /// As in "it can be …".
    fn done(self) -> &'static str {
        match self {
            Verb::Keep => "kept",
            Verb::Break => "broken",
            Verb::Move => "moved",
            Verb::Assign => "assigned",
            Verb::Amend => "amended",
            Verb::Withdraw => "withdrawn",
        }
    }
}

impl When {
    /// The instant of a verb on a promise: not before it was made.
    fn not_before_making(self, promise: &Model) -> Result<Micros, Error> {
        match self.given {
            None => Ok(self.now.max(promise.make_time)),
            Some(at) if at >= promise.make_time => Ok(at),
            Some(_) => {
                let message = format!("lies before {}, when the promise was made", promise.make_time);
                Err(Error::invalid("time", "TOO_EARLY", message))
            }
        }
    }
}

/// Refuses a due time that is not ahead of `now`.
pub fn check_ahead(field: &str, due: Micros, now: Micros) -> Result<(), Error> {
    if due > now { Ok(()) } else { Err(Error::invalid(field, "IN_THE_PAST", "is not later than now")) }
}
