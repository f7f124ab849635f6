//! Parameters of metrics: what is allowed, and what was chosen.

use crate::rules::{
    activity::{Basis, Window},
    level::Level,
    split::Method,
};

/// A parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name in queries.
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) default: &'static str,
    pub(crate) allowed: Allowed,
}

/// The values that a parameter may have.
#[derive(Debug)]
pub(crate) enum Allowed {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number of days.
    Days,
    /// A level.
    Level,
}

impl Allowed {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Allowed::Words(words) => words.join(", "),
            Allowed::Days => "1 to 3650".to_owned(),
            Allowed::Level => "0.5 to 0.999".to_owned(),
        }
    }
}

pub(super) static WEIGHTED: Parameter = Parameter {
    name: "weighted",
    description: "Counts each answer by its weight.",
    default: "false",
    allowed: Allowed::Words(&["true", "false"]),
};
pub(super) static LATEST_PER_CUSTOMER: Parameter = Parameter {
    name: "latest_per_customer",
    description: "Counts only the last answer of each customer in each row; anonymous answers count all.",
    default: "false",
    allowed: Allowed::Words(&["true", "false"]),
};
pub(super) static INTERVAL: Parameter = Parameter {
    name: "interval",
    description: "How the confidence interval is found.",
    default: "score",
    allowed: Allowed::Words(&["score", "adjusted_wald"]),
};
pub(super) static LEVEL: Parameter = Parameter {
    name: "level",
    description: "Level of the confidence interval.",
    default: "0.95",
    allowed: Allowed::Level,
};
pub(super) static INACTIVITY_DAYS: Parameter = Parameter {
    name: "inactivity_days",
    description: "Days of 24 hours after a sale for which a customer stays active.",
    default: "90",
    allowed: Allowed::Days,
};
pub(super) static BASIS: Parameter = Parameter {
    name: "basis",
    description: "What makes a second sale a repeat purchase: another day of the time zone, or another order.",
    default: "days",
    allowed: Allowed::Words(&["days", "orders"]),
};

const DEFAULT_DAYS: u32 = 90;
const MAX_DAYS: u32 = 3_650;

/// What a query chose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parameters {
    pub(crate) weighted: bool,
    pub(crate) latest_per_customer: bool,
    pub(crate) method: Method,
    pub(crate) level: Level,
    /// Never 0.
    pub(crate) inactivity_days: u32,
    pub(crate) basis: Basis,
}

impl Default for Parameters {
    fn default() -> Self {
        Parameters {
            weighted: false,
            latest_per_customer: false,
            method: Method::Score,
            level: Level::P95,
            inactivity_days: DEFAULT_DAYS,
            basis: Basis::DistinctDays,
        }
    }
}

impl Parameters {
    /// Sets a parameter by its text; `false` when that is not allowed.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        match (name, value) {
            ("weighted", "true" | "false") => self.weighted = value == "true",
            ("latest_per_customer", "true" | "false") => self.latest_per_customer = value == "true",
            ("interval", "score") => self.method = Method::Score,
            ("interval", "adjusted_wald") => self.method = Method::AdjustedWald,
            ("basis", "days") => self.basis = Basis::DistinctDays,
            ("basis", "orders") => self.basis = Basis::Orders,
            ("level", _) => {
                let share = value.parse().ok().filter(|share| (0.5..=0.999).contains(share));
                let Some(level) = share.and_then(Level::new) else { return false };
                self.level = level;
            }
            ("inactivity_days", _) => {
                let days = value.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
                let Some(days) = days else { return false };
                self.inactivity_days = days;
            }
            _ => return false,
        }
        true
    }

    /// How long after a sale a customer stays active.
    pub(crate) fn window(&self) -> Option<Window> {
        Window::days(self.inactivity_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_what_it_says_and_is_allowed() {
        for parameter in [&WEIGHTED, &LATEST_PER_CUSTOMER, &INTERVAL, &LEVEL, &INACTIVITY_DAYS, &BASIS] {
            let mut parameters = Parameters::default();
            assert!(parameters.set(parameter.name, parameter.default), "{}", parameter.name);
            assert_eq!(parameters, Parameters::default(), "{}", parameter.name);
            assert!(!parameters.set(parameter.name, "nonsense"), "{}", parameter.name);
        }
    }

    #[test]
    fn numbers_are_bounded() {
        let mut parameters = Parameters::default();
        for (name, value, allowed) in [
            ("level", "0.5", true),
            ("level", "0.4999", false),
            ("level", "0.9991", false),
            ("level", "NaN", false),
            ("inactivity_days", "3650", true),
            ("inactivity_days", "0", false),
            ("inactivity_days", "-1", false),
            ("inactivity_days", "4000000000", false),
        ] {
            assert_eq!(parameters.set(name, value), allowed, "{name} {value}");
        }
    }
}
