//! With what a figure is compared: `--against`.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{
    Adjustment, QueryComparisonsRequest, QueryMetricsRequest, Reference, Rest, Side, query_comparisons_request,
};
use jiff::{Timestamp, ToSpan, Unit, Zoned, civil::Time, tz::TimeZone};

use crate::{failure::Failure, instant};

/// With what figures are compared, as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Against {
    /// The time before, as long as the one asked for.
    Previous,
    /// Another time.
    Time { from: String, to: String },
    /// Everything that is not in the group.
    Rest,
    /// The group of this value, where there is one dimension.
    Group(String),
    /// The group of these values of these dimensions.
    Groups(Vec<(String, String)>),
}

/// As it is said on the command line.
pub(super) fn parse(text: &str) -> Result<Against, String> {
    if let Some((from, to)) = text.split_once("..") {
        return Ok(Against::Time { from: from.to_owned(), to: to.to_owned() });
    }
    match text {
        "previous" => Ok(Against::Previous),
        "rest" => Ok(Against::Rest),
        text if text.contains('=') => {
            let pair = |part: &str| {
                let (name, value) = part.split_once('=').filter(|(name, _)| !name.is_empty())?;
                Some((name.to_owned(), value.to_owned()))
            };
            let pairs: Option<_> = text.split(',').map(pair).collect();
            pairs.map(Against::Groups).ok_or_else(|| "expected DIMENSION=VALUE,…".to_owned())
        }
        text => Ok(Against::Group(text.to_owned())),
    }
}

impl Against {
    /// Whether the days of some zone decide what it means.
    pub(super) fn names_days(&self) -> bool {
        match self {
            Against::Previous => true,
            Against::Time { from, to } => [from, to].into_iter().any(|text| text.parse::<Timestamp>().is_err()),
            Against::Rest | Against::Group(_) | Against::Groups(_) => false,
        }
    }

    /// The comparison of what a query asks for.
    pub(super) fn to_request(
        &self,
        query: QueryMetricsRequest,
        zone: &TimeZone,
    ) -> Result<QueryComparisonsRequest, Failure> {
        let QueryMetricsRequest {
            metrics,
            start_time,
            end_time,
            granularity: _,
            time_zone,
            group_by,
            filters,
            parameters,
            at_least,
        } = query;
        let side = Side { start_time, end_time, filters: Vec::new() };
        let other = |start: Option<Micros>, end: Option<Micros>| {
            let (start_time, end_time) = (start.map(Micros::to_wire), end.map(Micros::to_wire));
            query_comparisons_request::Against::Other(Side { start_time, end_time, filters: Vec::new() })
        };
        let against = match self {
            Against::Rest => query_comparisons_request::Against::Rest(Rest {}),
            Against::Previous => {
                let times = [&side.start_time, &side.end_time].map(|at| at.as_ref().and_then(Micros::from_wire));
                let [Some(start), Some(end)] = times else {
                    return Err(Failure::usage("--against previous needs --from and --to"));
                };
                let before = previous(start, end, zone);
                other(Some(before.ok_or_else(|| Failure::usage("there is no time before"))?), Some(start))
            }
            Against::Time { from, to } => {
                let time = |text: &str| match text {
                    "" => Ok(None),
                    text => instant::boundary(text, zone).map(Some).ok_or_else(|| {
                        Failure::usage(format!("--against: {text:?} is not a time such as 2017, 2017-05 or 2017-05-13"))
                    }),
                };
                other(time(from)?, time(to)?)
            }
            Against::Group(value) => {
                let [dimension] = group_by.as_slice() else {
                    let told = format!(
                        "--against {value} is a group of one dimension of --by; of others say --against DIMENSION=VALUE,…"
                    );
                    return Err(Failure::usage(told));
                };
                let group = [(dimension.clone(), value.clone())].into();
                query_comparisons_request::Against::Reference(Reference { group })
            }
            Against::Groups(pairs) => {
                let group = pairs.iter().cloned().collect();
                query_comparisons_request::Against::Reference(Reference { group })
            }
        };
        Ok(QueryComparisonsRequest {
            metrics,
            side: Some(side),
            against: Some(against),
            time_zone,
            group_by,
            filters,
            parameters,
            at_least,
            adjustment: Adjustment::FalseDiscoveryRate.into(),
        })
    }
}

/// Where the time before begins: as many months before as there are between the firsts of months, as many days as between days,
/// else as long before.
fn previous(start: Micros, end: Micros, zone: &TimeZone) -> Option<Micros> {
    let zoned = |at: Micros| Some(Timestamp::from_microsecond(at.0).ok()?.to_zoned(zone.clone()));
    let (from, to) = (zoned(start)?, zoned(end)?);
    let is_day = |at: &Zoned| at.start_of_day().is_ok_and(|first| first == *at) || at.time() == Time::midnight();
    if !is_day(&from) || !is_day(&to) {
        return start.0.checked_sub(end.0.checked_sub(start.0)?).map(Micros);
    }
    let span = if from.day() == 1 && to.day() == 1 {
        let months =
            12 * (i32::from(to.year()) - i32::from(from.year())) + i32::from(to.month()) - i32::from(from.month());
        months.months()
    } else {
        from.date().until((Unit::Day, to.date())).ok()?
    };
    let first = from.date().checked_sub(span).ok()?.to_zoned(zone.clone()).ok()?;
    Some(Micros(first.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_before_is_as_long_by_the_calendar() {
        let zone = instant::time_zone("Europe/Chisinau").expect("a zone");
        let at = |text: &str| instant::boundary(text, &zone).expect("a time");
        for (from, to, before) in [
            ("2017-03", "2017-04", "2017-02"),
            ("2024", "2025", "2023"),
            ("2017-05", "2017-08", "2017-02"),
            // A week with the day on which clocks change.
            ("2024-03-27", "2024-04-03", "2024-03-20"),
            ("2024-03-31T12:00", "2024-04-01T12:00", "2024-03-30T11:00"),
        ] {
            assert_eq!(previous(at(from), at(to), &zone), Some(at(before)), "{from} to {to}");
        }
    }

    #[test]
    fn what_is_said_is_understood() {
        assert_eq!(parse("previous"), Ok(Against::Previous));
        assert_eq!(parse("2016..2017"), Ok(Against::Time { from: "2016".into(), to: "2017".into() }));
        assert_eq!(parse("rest"), Ok(Against::Rest));
        assert_eq!(parse("web"), Ok(Against::Group("web".into())));
        let pairs = vec![("channel".into(), "rest".into()), ("tier".into(), String::new())];
        assert_eq!(parse("channel=rest,tier="), Ok(Against::Groups(pairs)));
        assert!(parse("=x").is_err());
    }

    #[test]
    fn a_group_alone_is_one_of_the_only_dimension() {
        let query = |group_by: &[&str]| QueryMetricsRequest {
            group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        };
        let web = Against::Group("web".into());
        let request = web.to_request(query(&["channel"]), &TimeZone::UTC).expect("a request");
        let group = [("channel".to_owned(), "web".to_owned())].into();
        assert_eq!(request.against, Some(query_comparisons_request::Against::Reference(Reference { group })));
        assert!(web.to_request(query(&["channel", "tier"]), &TimeZone::UTC).is_err());
        assert!(Against::Previous.to_request(query(&[]), &TimeZone::UTC).is_err(), "of which time?");
    }
}
