//! The list is read as people read it: from the top, until one matches.

use barometer_proto::complaints::v1::{CaseKind, Priority, Severity};
use proptest::prelude::*;

use super::*;

/// A case for every choice of a few values of each condition that [`any_conditions`] is made of. One value of each is
/// named by no condition: there is no end of texts.
fn universe() -> Vec<Subject> {
    let kinds = (1..).map_while(|value| CaseKind::try_from(value).ok()).map(i32::from);
    let mut all = Vec::new();
    for kind in kinds {
        for category in ["", "a", "a/b", "a/b/c", "a/d", "ab", "e"] {
            for tier in ["", "gold", "silver", "none of those"] {
                for country in ["MD", "RO", "elsewhere"] {
                    all.push(Subject {
                        kind,
                        category: category.to_owned(),
                        customer_tier: tier.to_owned(),
                        country: country.to_owned(),
                        ..Subject::default()
                    });
                }
            }
        }
    }
    all
}

fn texts(values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = proptest::sample::subsequence(values, 0..=values.len());
    some.prop_map(|values| values.into_iter().map(str::to_owned).collect())
}

fn any_conditions() -> impl Strategy<Value = Conditions> {
    let kinds = proptest::sample::subsequence(vec![1, 2, 3, 4, 5], 0..=5);
    let parts = (kinds, texts(&["a", "a/b", "a/d", "e"]), texts(&["gold", "silver"]), texts(&["MD", "RO"]));
    parts.prop_map(|(kinds, categories, tiers, countries)| Conditions {
        kinds: kinds.into_iter().collect(),
        categories: categories.into_iter().collect(),
        customer_tiers: tiers.into_iter().collect(),
        countries: countries.into_iter().collect(),
        ..Conditions::default()
    })
}

fn list(conditions: Vec<Conditions>) -> PolicyList {
    let policy =
        |(place, conditions): (usize, Conditions)| Policy { name: place.to_string(), conditions, ..Policy::default() };
    PolicyList(conditions.into_iter().enumerate().map(policy).collect())
}

fn any_list() -> impl Strategy<Value = PolicyList> {
    proptest::collection::vec(any_conditions(), 1..8).prop_map(list)
}

fn chosen(policies: &PolicyList, subject: &Subject) -> Option<usize> {
    choose(policies, subject).map(|(place, _)| place)
}

#[test]
fn every_value_of_the_enums_together_is_no_condition() {
    fn all<E: TryFrom<i32> + Into<i32>, const ALL: usize>(_: &AnyOf<i32, ALL>) -> (usize, usize) {
        ((1..).map_while(|value| E::try_from(value).ok()).count(), ALL)
    }
    let Conditions { kinds, severities, priorities, .. } = Conditions::default();
    for (values, known) in
        [all::<CaseKind, 5>(&kinds), all::<Severity, 4>(&severities), all::<Priority, 4>(&priorities)]
    {
        assert_eq!(values, known);
    }
}

#[test]
fn a_fallback_takes_what_nothing_else_takes() {
    let gold = Conditions { customer_tiers: ["gold".to_owned()].into_iter().collect(), ..Conditions::default() };
    let policies = list(vec![gold, Conditions::default()]);
    let subject = |tier: &str| Subject { customer_tier: tier.to_owned(), ..Subject::default() };
    assert_eq!(chosen(&policies, &subject("gold")), Some(0));
    assert_eq!(chosen(&policies, &subject("")), Some(1));
    assert!(unreachable(&policies).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_first_that_matches_is_chosen(policies in any_list()) {
        for subject in universe() {
            let matches = |place: usize| policies.0[place].conditions.matches(&subject);
            match chosen(&policies, &subject) {
                Some(place) => prop_assert!(matches(place) && !(0..place).any(matches)),
                None => prop_assert!(!(0..policies.0.len()).any(matches)),
            }
        }
    }

    /// One policy takes all of another's cases exactly when the rule says so; and what is called unreachable is never
    /// chosen.
    #[test]
    fn inclusion_is_what_trying_every_case_finds(policies in any_list()) {
        let (all, found) = (universe(), unreachable(&policies));
        for (place, policy) in policies.0.iter().enumerate() {
            let of = |place: usize| policies.0[place].conditions.clone();
            let takes_all = |before: &usize| {
                let (before, this) = (of(*before), &policy.conditions);
                all.iter().all(|subject| !this.matches(subject) || before.matches(subject))
            };
            let tried = (0..place).find(takes_all);
            let told = found.iter().find(|(unreachable, _)| *unreachable == place).map(|(_, by)| *by);
            prop_assert_eq!(told, tried, "policy {}", place);
            if told.is_some() {
                prop_assert!(all.iter().all(|subject| chosen(&policies, subject) != Some(place)));
            }
        }
    }

    /// Two neighbours can change places unless some case meets both.
    #[test]
    fn order_matters_only_where_conditions_overlap(policies in any_list(), at in 0..7_usize) {
        prop_assume!(at + 1 < policies.0.len());
        let mut swapped = policies.clone();
        swapped.0.swap(at, at + 1);
        for subject in universe() {
            let both = policies.0[at].conditions.matches(&subject) && policies.0[at + 1].conditions.matches(&subject);
            let name = |policies: &PolicyList| choose(policies, &subject).map(|(_, policy)| policy.name.clone());
            let same = name(&policies) == name(&swapped);
            let earlier = (0..at).any(|place| policies.0[place].conditions.matches(&subject));
            prop_assert_eq!(same, !both || earlier);
        }
    }

    #[test]
    fn a_list_comes_back_from_its_column(policies in any_list()) {
        let text = serde_json::to_string(&policies).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<PolicyList>(&text).expect("a list"), policies);
    }
}
