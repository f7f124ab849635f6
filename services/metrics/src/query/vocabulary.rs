//! What can be asked for: the dimensions of the facts, and metrics.

use std::collections::BTreeMap;

use barometer_chassis::door::Door;

use super::{Table, parse::MAX_NAME};
use crate::{
    catalogue::{self, Metric},
    columns::Facts,
    definition,
};

/// Names that a violation tells at most.
const MAX_TOLD: usize = 50;
/// From what likeness on, of 1, one name may be meant by another.
const ALIKE: f64 = 0.6;

/// The dimensions that facts have at the moment, by table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    responses: Vec<String>,
    invitations: Vec<String>,
    purchases: Vec<String>,
    contacts: Vec<String>,
    customers: Vec<String>,
    subscriptions: Vec<String>,
    cases: Vec<String>,
    memberships: Vec<String>,
    referrals: Vec<String>,
    costs: Vec<String>,
    served: Vec<String>,
    /// Metrics that users defined, as far as they were looked up, by the ids that they are asked for by.
    defined: BTreeMap<String, Looked>,
}

/// What became of looking up a metric that users defined.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Looked {
    Found(&'static Metric),
    /// It is there, but retired.
    Retired,
    /// It is of metrics in versions that this program does not have.
    Outdated,
}

impl Vocabulary {
    /// Of these facts.
    pub(crate) fn of(facts: &Facts) -> Self {
        Vocabulary {
            responses: Table::Responses.declared(facts),
            invitations: Table::Invitations.declared(facts),
            purchases: Table::Purchases.declared(facts),
            contacts: Table::Contacts.declared(facts),
            customers: Table::Customers.declared(facts),
            subscriptions: Table::Subscriptions.declared(facts),
            cases: Table::Cases.declared(facts),
            memberships: Table::Memberships.declared(facts),
            referrals: Table::Referrals.declared(facts),
            costs: Table::Costs.declared(facts),
            served: Table::Served.declared(facts),
            defined: BTreeMap::new(),
        }
    }

    /// With metrics that users defined.
    pub(crate) fn with(self, defined: BTreeMap<String, Looked>) -> Self {
        Vocabulary { defined, ..self }
    }

    /// The metric of a name, if there is one that can be asked for.
    pub(crate) fn find(&self, name: &str) -> Option<&'static Metric> {
        let defined = || match self.defined.get(name) {
            Some(Looked::Found(metric)) => Some(*metric),
            Some(Looked::Retired | Looked::Outdated) | None => None,
        };
        catalogue::find(name).or_else(defined)
    }

    /// The metric of a name; refused when there is none.
    pub(crate) fn metric(&self, door: &mut Door, field: &str, name: &str) -> Option<&'static Metric> {
        let found = self.find(name);
        match self.defined.get(name) {
            _ if found.is_some() => {}
            Some(Looked::Outdated) => {
                let told = "is made of built-in metrics as they are not defined here: ask for another version of it";
                door.refuse(field, "OUTDATED_METRIC", told);
            }
            Some(_) => door.refuse(field, "RETIRED_METRIC", "was retired: nobody can ask for it"),
            None => door.refuse(field, "UNKNOWN_METRIC", unknown_metric(name)),
        }
        found
    }

    pub(super) fn has(&self, table: Table, name: &str) -> bool {
        table.dimensions().contains(&name) || self.declared(table).iter().any(|declared| declared == name)
    }

    pub(super) fn tell(&self, table: Table) -> String {
        let declared = self.declared(table).iter().map(String::as_str);
        let names: Vec<_> = table.dimensions().iter().copied().chain(declared).collect();
        let more = if names.len() > MAX_TOLD { ", …" } else { "" };
        format!("{}{more}", names[..names.len().min(MAX_TOLD)].join(", "))
    }

    fn declared(&self, table: Table) -> &[String] {
        match table {
            Table::Responses => &self.responses,
            Table::Invitations => &self.invitations,
            Table::Purchases => &self.purchases,
            Table::Contacts => &self.contacts,
            Table::Customers | Table::Recoveries | Table::RecoverySpend => &self.customers,
            Table::Subscriptions | Table::Endings => &self.subscriptions,
            Table::Cases | Table::HandOffs | Table::Redresses | Table::Clocks | Table::Claims | Table::Escalations => {
                &self.cases
            }
            Table::Memberships => &self.memberships,
            Table::Referrals => &self.referrals,
            Table::Costs => &self.costs,
            Table::Served => &self.served,
            Table::Promises | Table::FollowUps => &[],
        }
    }
}

/// What is wrong with the name of a metric that there is not.
fn unknown_metric(name: &str) -> String {
    let is_long = name.chars().nth(MAX_NAME).is_some();
    let told: String = if is_long { name.chars().take(MAX_NAME).chain(['…']).collect() } else { name.to_owned() };
    if is_long || name.starts_with(definition::PREFIX) {
        return match definition::split(&told) {
            Some((name, Some(version))) => {
                format!("there is no version {version} of `{name}`; ListDefinitionVersions tells which there are")
            }
            _ => format!("`{told}` is no metric; ListMetrics tells which there are"),
        };
    }
    let lower = name.to_lowercase();
    let by_likeness =
        catalogue::METRICS.iter().map(|metric| (strsim::normalized_damerau_levenshtein(metric.id, &lower), metric.id));
    match by_likeness.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(likeness, _)| *likeness >= ALIKE) {
        Some((_, meant)) => format!("`{told}` is no metric; did you mean `{meant}`?"),
        None => format!("`{told}` is no metric; ListMetrics tells which there are"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metric_that_may_be_meant_is_told() {
        assert_eq!(unknown_metric("NPZ"), "`NPZ` is no metric; did you mean `nps`?");
        assert_eq!(unknown_metric("nsp"), "`nsp` is no metric; did you mean `nps`?");
        assert_eq!(unknown_metric("churnrate"), "`churnrate` is no metric; did you mean `churn_rate`?");
        assert_eq!(unknown_metric("weather"), "`weather` is no metric; ListMetrics tells which there are");
        assert_eq!(unknown_metric("custom.x"), "`custom.x` is no metric; ListMetrics tells which there are");
        assert_eq!(
            unknown_metric("custom.customers@01"),
            "`custom.customers@01` is no metric; ListMetrics tells which there are"
        );
        assert!(unknown_metric("custom.x@9").starts_with("there is no version 9 of `custom.x`"));
    }

    #[test]
    fn a_long_name_is_told_short() {
        let long = "x".repeat(1_000_000);
        for name in [long.clone(), format!("custom.{long}@9"), format!("custom.x@{}", "9".repeat(100))] {
            assert!(unknown_metric(&name).len() < 150);
        }
    }
}
