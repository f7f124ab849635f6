//! What holds of a case between two events, as far as counting cares.

use barometer_chassis::clock::Micros;

use super::{ClockTarget, Dated, Event, Kind, Message, Wait};

/// What holds for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scene {
    /// It waits for the customer.
    customer: bool,
    /// It waits for a third party.
    third_party: bool,
    /// It is resolved.
    pub(super) resolved: bool,
    /// It was cancelled.
    pub(super) cancelled: bool,
    /// Index of the calendar in force.
    pub(super) desk: u16,
    /// Index of the terms in force.
    pub(super) terms: u16,
}

/// Why a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The case is resolved.
    Resolved,
    /// The case is cancelled.
    Cancelled,
    /// It waits.
    Waiting(Wait),
}

impl Scene {
    /// What holds after an event.
    pub(super) fn after(mut self, event: Event) -> Scene {
        match event {
            Event::WaitBegan(wait) if !self.resolved && !self.cancelled => *self.wait(wait) = true,
            Event::WaitEnded(wait) => *self.wait(wait) = false,
            Event::Resolved | Event::Closed if !self.cancelled => {
                (self.resolved, self.customer, self.third_party) = (true, false, false)
            }
            Event::Cancelled => (self.cancelled, self.customer, self.third_party) = (true, false, false),
            Event::Reopened => (self.resolved, self.cancelled) = (false, false),
            Event::HandedOver { desk } => self.desk = desk,
            Event::Rebased { terms, desk } => (self.terms, self.desk) = (terms, desk),
            Event::Opened | Event::Acknowledged | Event::FromCustomer | Event::ToCustomer(_) => {}
            Event::WaitBegan(_) | Event::Resolved | Event::Closed => {}
        }
        self
    }

    fn wait(&mut self, wait: Wait) -> &mut bool {
        match wait {
            Wait::Customer => &mut self.customer,
            Wait::ThirdParty => &mut self.third_party,
        }
    }

    /// Why a clock of this target stands now, if it does. The law knows nothing of a case that was cancelled, or merged into
    /// another, by mistake.
    pub(super) fn standing(&self, target: &ClockTarget) -> Option<Standing> {
        let pauses = target.pauses;
        if self.cancelled && target.kind != Kind::FinalResponse {
            Some(Standing::Cancelled)
        } else if self.resolved {
            Some(Standing::Resolved)
        } else if self.customer && pauses.customer {
            Some(Standing::Waiting(Wait::Customer))
        } else if self.third_party && pauses.third_party {
            Some(Standing::Waiting(Wait::ThirdParty))
        } else {
            None
        }
    }

    /// Whether counting goes on as before.
    fn counts_like(&self, other: &Scene) -> bool {
        Scene { terms: 0, ..*self } == Scene { terms: 0, ..*other }
    }
}

/// A stretch of time in which the same holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) from: Micros,
    pub(super) until: Micros,
    pub(super) scene: Scene,
    /// Whether it ends with a holding response; one that is sent while the case is cancelled holds nothing.
    pub(super) holding: bool,
}

/// The stretches from an instant until another, without gaps; the last one always comes, however short.
#[derive(Clone, Debug)]
pub(super) struct Segments<'h> {
    events: std::slice::Iter<'h, Dated>,
    scene: Scene,
    from: Micros,
    until: Micros,
    over: bool,
}

impl<'h> Segments<'h> {
    /// Of what happens in between; `scene` is what holds first.
    pub(super) fn new(between: &'h [Dated], scene: Scene, from: Micros, until: Micros) -> Self {
        Segments { events: between.iter(), scene, from, until, over: false }
    }
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        if self.over {
            return None;
        }
        let (from, scene) = (self.from, self.scene);
        for dated in self.events.by_ref() {
            self.scene = self.scene.after(dated.event);
            let holding = dated.event == Event::ToCustomer(Message::Holding) && !scene.cancelled;
            if holding || !self.scene.counts_like(&scene) {
                self.from = dated.at;
                return Some(Segment { from, until: dated.at, scene, holding });
            }
        }
        self.over = true;
        Some(Segment { from, until: self.until, scene, holding: false })
    }
}
