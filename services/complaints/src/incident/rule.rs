//! Rules of incidents: which cases belong to one.

use std::collections::BTreeSet;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use crate::case::{self, within};

/// What a case must be to belong to an incident: every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Rule {
    /// About one of these.
    pub products: BTreeSet<String>,
    /// Of one of these, or below.
    pub categories: BTreeSet<String>,
    /// Its customer is at home in one of these.
    pub countries: BTreeSet<String>,
    /// One of these stands in its text; in small letters.
    pub words: BTreeSet<String>,
}

impl Rule {
    /// Whether it says nothing, and so matches nothing.
    pub fn is_empty(&self) -> bool {
        let Rule { products, categories, countries, words } = self;
        [products, categories, countries, words].iter().all(|condition| condition.is_empty())
    }

    /// Whether a case belongs to the incident.
    pub fn matches(&self, case: &case::Model) -> bool {
        let Rule { products, categories, countries, words } = self;
        let country = || case.subject().country;
        !self.is_empty()
            && (products.is_empty() || products.contains(&case.product))
            && (categories.is_empty() || categories.iter().any(|category| within(&case.category, category)))
            && (countries.is_empty() || countries.contains(&country()))
            && (words.is_empty() || [&case.subject, &case.description].into_iter().any(|text| self.is_in(text)))
    }

    /// Whether one of the words stands in a text, as a whole word.
    fn is_in(&self, text: &str) -> bool {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .any(|word| self.words.contains(&word.to_lowercase()))
    }
}

/// A word of a text, in small letters; none when it is not one whole word of 2 to 64 letters or digits.
pub fn word(text: &str) -> Option<String> {
    let length = text.chars().count();
    ((2..=64).contains(&length) && text.chars().all(char::is_alphanumeric)).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use barometer_chassis::door::Dimensions;
    use proptest::prelude::*;

    use super::*;

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn case() -> case::Model {
        case::Model {
            product: "fibre".to_owned(),
            category: "network/outage".to_owned(),
            subject: "No Internet since noon".to_owned(),
            description: "Der Router blinkt; ÎNTRERUPERE totală".to_owned(),
            dimensions: Dimensions(BTreeMap::from([("home_country".to_owned(), "MD".to_owned())])),
            ..case::Model::default()
        }
    }

    #[test]
    fn every_condition_that_is_given_must_hold() {
        let good = Rule {
            products: set(&["dsl", "fibre"]),
            categories: set(&["network"]),
            countries: set(&["MD"]),
            words: set(&["internet"]),
        };
        assert!(good.matches(&case()));
        for bad in [
            Rule { products: set(&["dsl"]), ..good.clone() },
            Rule { categories: set(&["network/slow", "net"]), ..good.clone() },
            Rule { countries: set(&["RO"]), ..good.clone() },
            Rule { words: set(&["telephone"]), ..good.clone() },
        ] {
            assert!(!bad.matches(&case()), "{bad:?}");
        }
        assert!(!Rule::default().matches(&case()), "a rule that says nothing takes nothing");
        assert!(Rule { countries: set(&["MD"]), ..Rule::default() }.matches(&case()));
    }

    #[test]
    fn words_are_whole_and_of_any_script() {
        let of = |word: &str| Rule { words: set(&[word]), ..Rule::default() };
        for there in ["internet", "router", "întrerupere", "noon"] {
            assert!(of(there).matches(&case()), "{there}");
        }
        for missing in ["inter", "rout", "intrerupere"] {
            assert!(!of(missing).matches(&case()), "{missing}");
        }
        assert_eq!((word("Întrerupere"), word("x"), word("two words")), (Some("întrerupere".to_owned()), None, None));
    }

    proptest! {
        #[test]
        fn more_conditions_never_take_more(products in any::<bool>(), words in any::<bool>(), country in "[A-Z]{2}") {
            let rule = Rule { countries: set(&[&country]), ..Rule::default() };
            let more = Rule {
                products: if products { set(&["fibre"]) } else { set(&["dsl"]) },
                words: if words { set(&["noon"]) } else { BTreeSet::new() },
                ..rule.clone()
            };
            prop_assert!(rule.matches(&case()) || !more.matches(&case()));
        }
    }
}
