//! Conditions on facts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A condition on one dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) dimension: String,
    pub(crate) values: Vec<String>,
    pub(crate) exclude: bool,
}

impl Condition {
    /// Whether the same facts meet it as another: its values have no order, and may come twice.
    pub(crate) fn is_same(&self, other: &Condition) -> bool {
        let values = |of: &Condition| -> BTreeSet<String> { of.values.iter().cloned().collect() };
        self.dimension == other.dimension && self.exclude == other.exclude && values(self) == values(other)
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        let Condition { dimension, values, exclude } = self;
        let value = |value: &String| if value.is_empty() { "not told".to_owned() } else { format!("`{value}`") };
        let values: Vec<_> = values.iter().map(value).collect();
        match (exclude, values.len()) {
            (false, _) => format!("`{dimension}` is {}", values.join(" or ")),
            (true, 1) => format!("`{dimension}` is not {}", values.join("")),
            (true, _) => format!("`{dimension}` is neither {}", values.join(" nor ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_no_order() {
        let of = |values: &[&str], exclude| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            Condition { dimension: "channel".to_owned(), values, exclude }
        };
        assert!(of(&["web", "app"], false).is_same(&of(&["app", "web", "app"], false)));
        assert!(!of(&["web", "app"], false).is_same(&of(&["web"], false)));
        assert!(!of(&["web"], false).is_same(&of(&["web", "app"], false)));
        assert!(!of(&["web"], false).is_same(&of(&["web"], true)));
        let elsewhere = Condition { dimension: "language".to_owned(), ..of(&["web"], false) };
        assert!(!of(&["web"], false).is_same(&elsewhere));
    }

    #[test]
    fn conditions_are_told_in_words() {
        let told = |values: &[&str], exclude| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            (Condition { dimension: "channel".to_owned(), values, exclude }).describe()
        };
        assert_eq!(told(&["web"], false), "`channel` is `web`");
        assert_eq!(told(&["web", "app", ""], false), "`channel` is `web` or `app` or not told");
        assert_eq!(told(&["web"], true), "`channel` is not `web`");
        assert_eq!(told(&["web", ""], true), "`channel` is neither `web` nor not told");
    }
}
