//! What cohorts, curves and the other analyses have in common on the command line: which facts they look at, and how the answer looks.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};

use barometer_proto::metrics::v1::{Filter, Scope};
use clap::{Args, builder::FalseyValueParser};
use jiff::tz::TimeZone;

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::instant;
use crate::query::{Condition, Format, condition, filters};
use crate::suite::Suite;

/// Which facts, and how the answer looks.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// Start of the time: a year, month or date (its first moment), a local time, or an instant with offset. From the
    /// first fact on when absent
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// End of the time, itself excluded. Up to now when absent
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Only customers with this value of a dimension; repeat it for other values and dimensions. `!=` excludes; an empty
    /// value stands for those without the dimension
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = condition)]
    conditions: Vec<Condition>,

    /// Time zone that decides where days begin, those of --from and --to too; the server's when absent
    #[arg(long, value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: Option<TimeZone>,

    /// Position that a write or an import gave: the answer waits until the figures include it; repeat it for each service
    #[arg(long, value_name = "POSITION")]
    at_least: Vec<String>,

    /// How the answer looks
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,

    /// Without colours, also on a terminal
    #[arg(long, env = "NO_COLOR", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    no_color: bool,

    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

impl ScopeArgs {
    /// The scope; its days are those of the zone asked for, or the server's.
    pub(crate) async fn scope(&self, suite: &Suite) -> Result<Scope, Failure> {
        let names_days =
            [&self.from, &self.to].into_iter().flatten().any(|text| text.parse::<jiff::Timestamp>().is_err());
        let zone = match &self.time_zone {
            None if names_days => Some(instant::time_zone(&suite.time_zone().await?).map_err(Failure::internal)?),
            zone => zone.clone(),
        };
        let time = |flag: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let at = instant::boundary(text, zone.as_ref().unwrap_or(&TimeZone::UTC));
            let examples = "2017, 2017-05, 2017-05-13, 2017-05-13T09:00 or 2017-05-13T09:00:00Z";
            at.map(|at| Some(at.to_wire())).ok_or_else(|| format!("{flag}: {text:?} is not a time such as {examples}"))
        };
        let (start_time, end_time) = match (time("--from", &self.from), time("--to", &self.to)) {
            (Ok(start), Ok(end)) => (start, end),
            (start, end) => {
                let wrong: Vec<_> = [start.err(), end.err()].into_iter().flatten().collect();
                return Err(Failure::usage(wrong.join("; ")));
            }
        };
        let filters: Vec<Filter> = filters(&self.conditions);
        let time_zone = zone.as_ref().and_then(TimeZone::iana_name).unwrap_or_default().to_owned();
        Ok(Scope { start_time, end_time, time_zone, filters, at_least: self.at_least.clone() })
    }

    /// Whether there are colours.
    pub(crate) fn colours(&self) -> bool {
        !self.no_color && io::stdout().is_terminal()
    }
}

/// The flag behind a field of the request, given those that are its own.
pub(crate) fn flag_of(field: &str, own: &[(&str, &str)]) -> String {
    const FLAGS: [(&str, &str); 5] = [
        ("start_time", "--from"),
        ("end_time", "--to"),
        ("time_zone", "--time-zone"),
        ("filters", "--where"),
        ("at_least", "--at-least"),
    ];
    let name = field.strip_prefix("scope.").unwrap_or(field);
    let head = &name[..name.find(['[', '.']).unwrap_or(name.len())];
    let known = own.iter().chain(&FLAGS).find(|(name, _)| *name == head);
    known.map_or(field, |(_, flag)| flag).to_owned()
}

/// The values of a group, for each dimension asked for.
pub(crate) fn values(group: &BTreeMap<String, String>, by: &[String]) -> Vec<String> {
    by.iter().map(|name| group.get(name).cloned().unwrap_or_default()).collect()
}

/// The dimensions of groups: those that nobody asked for first.
pub(crate) fn dimensions<'g>(groups: impl Iterator<Item = &'g BTreeMap<String, String>>, by: &[String]) -> Vec<String> {
    let implied: BTreeSet<&String> = groups.flat_map(BTreeMap::keys).filter(|name| !by.contains(name)).collect();
    implied.into_iter().chain(by).cloned().collect()
}

/// The same for people.
pub(crate) fn shown(group: &BTreeMap<String, String>, by: &[String]) -> Vec<String> {
    let shown = |value: String| if value.is_empty() { "(none)".to_owned() } else { value };
    values(group, by).into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_by_their_flags() {
        let own = [("group_by", "--by")];
        for (field, flag) in [
            ("scope.filters[0].dimension", "--where"),
            ("scope.start_time", "--from"),
            ("group_by[1]", "--by"),
            ("other", "other"),
        ] {
            assert_eq!(flag_of(field, &own), flag);
        }
    }
}
