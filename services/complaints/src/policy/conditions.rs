//! Conditions of a policy: which cases it is for. Each is a set of values, so that whether one policy takes all that
//! another would is decided exactly, condition by condition.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What policies ask of a case. What is not known is unspecified or empty, and meets empty conditions only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// As `CaseKind`.
    pub kind: i32,
    /// A path: `delivery/late`.
    pub category: String,
    /// As `Severity`.
    pub severity: i32,
    /// As `Priority`.
    pub priority: i32,
    /// How it came in.
    pub channel: String,
    /// Of its customer.
    pub customer_tier: String,
    /// Of its customer.
    pub value_band: String,
    /// What it is about.
    pub product: String,
    /// Of its customer.
    pub country: String,
}

/// Which cases a policy is for: those that meet every condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// As `CaseKind`.
    pub kinds: AnyOf<i32, 5>,
    /// These and all below them.
    pub categories: Subtrees,
    /// As `Severity`.
    pub severities: AnyOf<i32, 4>,
    /// As `Priority`.
    pub priorities: AnyOf<i32, 4>,
    /// How they came in.
    pub channels: AnyOf<String>,
    /// Of their customers.
    pub customer_tiers: AnyOf<String>,
    /// Of their customers.
    pub value_bands: AnyOf<String>,
    /// What they are about.
    pub products: AnyOf<String>,
    /// Of their customers.
    pub countries: AnyOf<String>,
}

/// A condition on a value: one of these. An empty set is no condition, and neither is one of all the values that there
/// are, `ALL` of them; 0 when there is no end of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyOf<T: Ord, const ALL: usize = 0>(BTreeSet<T>);

/// A condition on a path: one of these or anything below; an empty set is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subtrees(BTreeSet<String>);

impl Conditions {
    /// Whether a case meets them all.
    pub fn matches(&self, subject: &Subject) -> bool {
        let Conditions {
            kinds,
            categories,
            severities,
            priorities,
            channels,
            customer_tiers,
            value_bands,
            products,
            countries,
        } = self;
        kinds.matches(&subject.kind)
            && severities.matches(&subject.severity)
            && priorities.matches(&subject.priority)
            && categories.matches(&subject.category)
            && channels.matches(&subject.channel)
            && customer_tiers.matches(&subject.customer_tier)
            && value_bands.matches(&subject.value_band)
            && products.matches(&subject.product)
            && countries.matches(&subject.country)
    }

    /// Whether every case that meets `other` meets these too: exactly when each condition includes its counterpart, as there
    /// is a case for every choice of values.
    pub fn include(&self, other: &Conditions) -> bool {
        let Conditions {
            kinds,
            categories,
            severities,
            priorities,
            channels,
            customer_tiers,
            value_bands,
            products,
            countries,
        } = self;
        kinds.includes(&other.kinds)
            && severities.includes(&other.severities)
            && priorities.includes(&other.priorities)
            && categories.includes(&other.categories)
            && channels.includes(&other.channels)
            && customer_tiers.includes(&other.customer_tiers)
            && value_bands.includes(&other.value_bands)
            && products.includes(&other.products)
            && countries.includes(&other.countries)
    }

    /// Whether they hold for every case.
    pub fn are_none(&self) -> bool {
        self.include(&Conditions::default())
    }
}

impl<T: Ord, const ALL: usize> AnyOf<T, ALL> {
    fn matches(&self, value: &T) -> bool {
        self.is_none() || self.0.contains(value)
    }

    fn includes(&self, other: &Self) -> bool {
        self.is_none() || (!other.is_none() && self.0.is_superset(&other.0))
    }

    /// Whether every value meets it.
    fn is_none(&self) -> bool {
        self.0.is_empty() || self.0.len() == ALL
    }

    /// The values, in their order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl<T: Ord, const ALL: usize> Default for AnyOf<T, ALL> {
    fn default() -> Self {
        AnyOf(BTreeSet::new())
    }
}

impl<T: Ord, const ALL: usize> FromIterator<T> for AnyOf<T, ALL> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        AnyOf(values.into_iter().collect())
    }
}

impl Subtrees {
    fn matches(&self, path: &str) -> bool {
        self.0.is_empty() || self.hold(path)
    }

    fn includes(&self, other: &Self) -> bool {
        self.0.is_empty() || (!other.0.is_empty() && other.0.iter().all(|path| self.hold(path)))
    }

    /// Whether a path or one above it is named.
    fn hold(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(end, _)| &path[..end]);
        above.chain([path]).any(|path| self.0.contains(path))
    }

    /// The paths, in their order.
    pub fn values(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

impl FromIterator<String> for Subtrees {
    fn from_iter<I: IntoIterator<Item = String>>(paths: I) -> Self {
        Subtrees(paths.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::case::within;

    fn below(paths: &[&str]) -> Subtrees {
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_category_holds_what_is_below_it_and_not_what_begins_alike() {
        let delivery = below(&["delivery"]);
        for (path, holds) in [
            ("delivery", true),
            ("delivery/late", true),
            ("delivery/late/lost", true),
            ("delivery-abroad", false),
            ("", false),
            ("late/delivery", false),
        ] {
            assert_eq!(delivery.matches(path), holds, "{path}");
        }
        assert!(below(&[]).matches(""));
        assert!(delivery.includes(&below(&["delivery/late", "delivery"])));
        assert!(!below(&["delivery/late", "delivery/damaged"]).includes(&delivery));
        assert!(!delivery.includes(&below(&[])));
    }

    proptest! {
        #[test]
        fn categories_are_held_as_lists_filter_them(paths in vec("[ab]{1,2}(/[ab]{1,2}){0,2}", 1..4), path in "([ab]{1,2}(/[ab]{1,2}){0,3})?") {
            let held = paths.iter().any(|ancestor| within(&path, ancestor));
            prop_assert_eq!(paths.into_iter().collect::<Subtrees>().matches(&path), held);
        }
    }

    #[test]
    fn what_is_not_known_meets_no_condition() {
        let unknown = Subject::default();
        assert!(Conditions::default().matches(&unknown));
        let gold = Conditions { customer_tiers: ["gold".to_owned()].into_iter().collect(), ..Default::default() };
        assert!(!gold.matches(&unknown));
        assert!(gold.matches(&Subject { customer_tier: "gold".to_owned(), ..unknown }));
    }
}
