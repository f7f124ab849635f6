//! Key drivers for programs: one object whose keys stay as they are.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{DriverShare, KeyDrivers, QueryDriversResponse};
use serde_json::{Value, json};

use super::{name, state, state_of_driver};
use crate::output;
use crate::query::json::Source;

/// Writes the answer.
pub(super) fn write(answer: &QueryDriversResponse, out: &mut dyn Write) -> io::Result<()> {
    let told = json!({
        "key_drivers": answer.key_drivers.iter().map(key_drivers).collect::<Vec<_>>(),
        "freshness": answer.freshness.iter().map(Source::from).collect::<Vec<_>>(),
    });
    output::json(&told, out)
}

fn key_drivers(of: &KeyDrivers) -> Value {
    json!({
        "group": of.group,
        "state": state(of.state()),
        "answers": of.answers,
        "anonymous": of.anonymous,
        "complete": of.complete,
        "outcome_mean": of.outcome_mean,
        "r_squared": of.r_squared,
        "rank": of.rank,
        "drivers": of.drivers.iter().map(share).collect::<Vec<_>>(),
    })
}

fn share(of: &DriverShare) -> Value {
    json!({
        "driver": name(of.driver.as_ref()).0,
        "state": state_of_driver(of.state()),
        "share": of.share,
        "correlation": of.correlation,
        "mean": of.mean,
        "missing": of.missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::tests::answer;

    #[test]
    fn keys_are_stable() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let read: Value = serde_json::from_slice(&out).expect("it is JSON");
        let keys = |value: &Value| value.as_object().into_iter().flat_map(|of| of.keys().cloned()).collect::<Vec<_>>();
        let of_group =
            ["anonymous", "answers", "complete", "drivers", "group", "outcome_mean", "r_squared", "rank", "state"];
        assert_eq!(keys(&read["key_drivers"][0]), of_group);
        let driver = &read["key_drivers"][1]["drivers"][2];
        assert_eq!(keys(driver), ["correlation", "driver", "mean", "missing", "share", "state"]);
        assert_eq!(
            (&driver["driver"], &driver["correlation"], &driver["state"]),
            (&"wait".into(), &Value::Null, &"no_spread".into())
        );
    }
}
