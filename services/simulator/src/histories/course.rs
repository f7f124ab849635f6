//! How a case goes at a desk.

use super::{DAY, Event, HOUR, MINUTE, SECOND};
use crate::{Micros, chance::Chance};

const KINDS: [(i64, &str); 4] = [(25, "question"), (10, "suggestion"), (55, "complaint"), (10, "loss")];
const SEVERITIES: [(i64, &str); 4] = [(30, "low"), (45, "medium"), (20, "high"), (5, "critical")];
const CATEGORIES: [&str; 8] = [
    "delivery/late",
    "delivery/damaged",
    "delivery/lost/abroad",
    "billing/wrong amount",
    "billing/refund",
    "product/defect",
    "product/manual",
    "service",
];
const PRODUCTS: [&str; 5] = ["books", "garden", "kitchen", "toys", ""];
const CHANNELS: [&str; 4] = ["phone", "web", "e-mail", "shop"];
const TEAMS: [&str; 4] = ["first line", "billing", "logistics", "legal"];
const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];
const FINDINGS: [(i64, &str); 3] = [(50, "upheld"), (20, "partly_upheld"), (30, "rejected")];
const CAUSES: [&str; 6] =
    ["carrier/strike", "carrier/address", "warehouse/picking/mix-up", "warehouse", "supplier", ""];
const CURRENCIES: [&str; 2] = ["EUR", "USD"];

/// Longest stretch between two things that happen to a case: some wait over weekends.
const LONGEST: Micros = 6 * DAY;

/// A case under way.
struct Course<'c> {
    chance: &'c mut Chance,
    number: u32,
    now: Micros,
    team: &'static str,
    employee: String,
    /// Whether it waits, and so has to be resumed.
    waits: bool,
    events: Vec<Event>,
}

/// Everything that happens to a case that comes in at `opened`, in order.
pub(super) fn of(chance: &mut Chance, number: u32, opened: Micros) -> Vec<Event> {
    let kind = chance.weighted(&KINDS).unwrap_or_default();
    let customer = chance.happens(900_000).then(|| chance.below(400)).and_then(|of| u32::try_from(of).ok());
    let opening = Event {
        customer,
        kind,
        severity: chance.weighted(&SEVERITIES).unwrap_or_default(),
        category: chance.pick(&CATEGORIES),
        product: chance.pick(&PRODUCTS),
        channel: chance.pick(&CHANNELS),
        team: if chance.happens(700_000) { "first line" } else { "" },
        ..Event::default()
    };
    let mut course = Course {
        chance,
        number,
        now: opened,
        team: opening.team,
        employee: String::new(),
        waits: false,
        events: vec![],
    };
    course.add("opened", opening);
    course.run(kind);
    course.events
}

impl Course<'_> {
    fn run(&mut self, kind: &str) {
        if self.chance.happens(850_000) {
            self.later(10 * SECOND, 2 * HOUR);
            self.add("acknowledged", Event::default());
        }
        if kind == "question" && self.chance.happens(350_000) {
            self.later(SECOND, 5 * MINUTE);
            self.add("self_served", Event::default());
            return self.end(kind);
        }
        if self.chance.happens(40_000) {
            self.later(MINUTE, 2 * DAY);
            self.add("cancelled", Event::default());
            if !self.chance.happens(200_000) {
                return;
            }
            self.later(HOUR, 5 * DAY);
            self.add("reopened", Event::default());
        }
        self.later(MINUTE, 10 * HOUR);
        self.hand_to("first line");
        self.work(kind);
        self.resolve(kind);
        while self.chance.happens(140_000) {
            self.later(HOUR, 12 * DAY);
            if self.chance.happens(700_000) {
                self.add("customer_wrote", Event::default());
            }
            self.add("reopened", Event::default());
            self.work(kind);
            self.resolve(kind);
        }
        self.end(kind);
    }

    /// Replies, waits and hand-offs, in any order.
    fn work(&mut self, kind: &str) {
        let steps = self.chance.between(0, 5);
        for _ in 0..steps {
            self.later(2 * MINUTE, LONGEST);
            match self.chance.below(9) {
                0 => self.reply("holding"),
                1 => self.reply("update"),
                2 | 3 => self.reply("answer"),
                4 if !self.waits => self.ask_customer(),
                5 if !self.waits => {
                    self.add("awaited_third_party", Event::default());
                    self.waits = true;
                }
                6 => {
                    let to = self.chance.pick(&TEAMS);
                    self.hand_to(to);
                }
                7 => {
                    let needs_no_answer = self.chance.happens(200_000);
                    self.add("customer_wrote", Event { needs_no_answer, ..Event::default() });
                    // The same again: it moves nothing.
                    if self.chance.happens(300_000) {
                        self.later(MINUTE, DAY);
                        self.add("customer_wrote", Event::default());
                    }
                }
                8 if kind == "loss" => {
                    let priority = self.chance.pick(&PRIORITIES);
                    self.add("prioritized", Event { priority, ..Event::default() });
                }
                _ => self.add("annotated", Event::default()),
            }
            if self.waits && self.chance.happens(700_000) {
                self.later(HOUR, LONGEST);
                self.add("resumed", Event::default());
                self.waits = false;
            }
        }
    }

    /// The customer is asked, and writes after a while or never.
    fn ask_customer(&mut self) {
        self.add("awaited_customer", Event::default());
        if self.chance.happens(750_000) {
            self.later(10 * MINUTE, LONGEST);
            self.add("customer_wrote", Event::default());
        } else {
            self.later(DAY, LONGEST);
            self.add("resumed", Event::default());
        }
    }

    fn reply(&mut self, reply: &'static str) {
        self.add("responded", Event { reply, ..Event::default() });
    }

    /// Gives it to somebody of a team; to whoever has it already as well.
    fn hand_to(&mut self, team: &'static str) {
        let of_team = TEAMS.iter().position(|other| *other == team).unwrap_or_default();
        self.team = team;
        self.employee =
            if self.chance.happens(800_000) { format!("emp-{of_team}{}", self.chance.below(5)) } else { String::new() };
        self.add("assigned", Event { employee: self.employee.clone(), team, ..Event::default() });
    }

    /// It is resolved. What became of it is decided at that instant.
    fn resolve(&mut self, kind: &str) {
        self.later(MINUTE, 3 * DAY);
        if (kind == "complaint" || kind == "loss") && self.chance.happens(900_000) {
            let finding = self.chance.weighted(&FINDINGS).unwrap_or_default();
            let redress = match finding {
                "rejected" => "",
                _ => self.chance.pick(&["refund", "voucher", "discount", "apology", "replacement", ""]),
            };
            let worth = match redress {
                "refund" | "voucher" | "discount" => {
                    Some((self.chance.between(100, 25_000), self.chance.pick(&CURRENCIES)))
                }
                _ => None,
            };
            let root_cause = self.chance.pick(&CAUSES);
            self.add("outcome_set", Event { finding, redress, worth, root_cause, ..Event::default() });
        }
        self.add("resolved", Event::default());
        self.waits = false;
    }

    /// The customer is asked whether it is solved, and the case is closed.
    fn end(&mut self, kind: &str) {
        if kind != "suggestion" && self.chance.happens(600_000) {
            self.later(HOUR, DAY);
            self.add("acceptance_asked", Event::default());
            if self.chance.happens(600_000) {
                self.later(HOUR, 4 * DAY);
                let acceptance = if self.chance.happens(800_000) { "accepted" } else { "declined" };
                let points = if acceptance == "accepted" { (3, 5) } else { (1, 3) };
                let satisfaction = self.chance.happens(850_000).then(|| self.chance.between(points.0, points.1));
                self.add("acceptance_recorded", Event { acceptance, satisfaction, ..Event::default() });
            }
        }
        if self.chance.happens(800_000) {
            self.later(5 * DAY, 9 * DAY);
            self.add("closed", Event::default());
        }
    }

    fn later(&mut self, least: Micros, most: Micros) {
        // Short waits are more common than long ones, as at any desk.
        let seconds = (most - least) / SECOND + 1;
        self.now += least + self.chance.below(seconds).min(self.chance.below(seconds)) * SECOND;
    }

    fn add(&mut self, name: &'static str, event: Event) {
        self.events.push(Event { case: self.number, time: self.now, name, ..event });
    }
}
