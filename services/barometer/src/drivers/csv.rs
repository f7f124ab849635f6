//! Key drivers for spreadsheets: a line for each driver.

use std::io::{self, Write};

use barometer_proto::metrics::v1::QueryDriversResponse;

use super::{name, state, state_of_driver};
use crate::query::number;
use crate::scope::values;

const COLUMNS: [&str; 12] = [
    "driver",
    "share",
    "correlation",
    "mean",
    "missing",
    "driver_state",
    "state",
    "r_squared",
    "outcome_mean",
    "answers",
    "anonymous",
    "complete",
];

/// Writes the answer.
pub(super) fn write(answer: &QueryDriversResponse, by: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(by.iter().map(String::as_str).chain(COLUMNS))?;
    for of in &answer.key_drivers {
        for share in &of.drivers {
            let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
            let mut line = values(&of.group, by);
            line.push(name(share.driver.as_ref()).0);
            line.extend([share.share, share.correlation, share.mean].map(text));
            line.push(share.missing.to_string());
            line.extend([state_of_driver(share.state()), state(of.state())].map(str::to_owned));
            line.extend([of.r_squared, of.outcome_mean].map(text));
            line.extend([of.answers, of.anonymous, of.complete].map(|count| count.to_string()));
            csv.write_record(line)?;
        }
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::tests::answer;

    #[test]
    fn a_driver_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &["survey_type".to_owned()], &mut out).expect("a vector takes everything");
        let lines = [
            "survey_type,driver,share,correlation,mean,missing,driver_state,state,r_squared,outcome_mean,answers,anonymous,complete",
            "transactional,contacts,0.05,-0.2,1.5,0,ok,ok,0.25,7.25,1200,150,1000",
            "transactional,first-response,0.2,-0.5,7200,0,ok,ok,0.25,7.25,1200,150,1000",
            "transactional,wait,0,,3,0,no_spread,ok,0.25,7.25,1200,150,1000",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }
}
