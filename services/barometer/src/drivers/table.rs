//! Key drivers for people: the strongest first.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{DriverShare, DriverState, KeyDrivers, KeyDriversState, QueryDriversResponse};

use super::name;
use crate::decimal::rounded;
use crate::output::{Align, Table};
use crate::query::table::{dim, footer, trimmed};
use crate::scope::shown;

/// Letters of the longest bar.
const BAR: f64 = 24.0;

/// Writes the answer.
pub(super) fn write(answer: &QueryDriversResponse, by: &[String], zone: &str, out: &mut dyn Write) -> io::Result<()> {
    if answer.key_drivers.is_empty() {
        writeln!(out, "no answers\n")?;
    }
    for of in &answer.key_drivers {
        writeln!(out, "{}: {}", shown(&of.group, by).join(", "), told(of))?;
        if of.state() == KeyDriversState::Ok {
            drivers(of).write(out)?;
        }
        writeln!(out)?;
    }
    if answer.key_drivers.iter().any(|of| of.r_squared.is_some()) {
        writeln!(out, "{}", dim("+ goes up with the score, - goes the other way; neither tells cause from effect"))?;
    }
    for line in footer(&answer.freshness, zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

fn told(of: &KeyDrivers) -> String {
    let [answers, complete] = [of.answers, of.complete].map(|count| trimmed(count as f64));
    let used = format!("{complete} of {answers} answers have all drivers");
    match of.state() {
        KeyDriversState::Ok => {
            let explained = of.r_squared.map_or_else(String::new, |r| rounded(100.0 * r, 1));
            let mean = of.outcome_mean.map_or_else(String::new, |mean| rounded(mean, 2));
            format!("{explained} % of the variance explained, mean score {mean}; {used}")
        }
        KeyDriversState::TooFew => format!("too few answers for so many drivers; {used}"),
        KeyDriversState::NoSpread => format!("all scores are the same; {used}"),
        KeyDriversState::OutOfRange => format!("values are too large; {used}"),
        KeyDriversState::Suppressed | KeyDriversState::Unspecified => format!("too few to tell; {used}"),
    }
}

fn drivers(of: &KeyDrivers) -> Table {
    let mut table = Table::default();
    table.column("driver", Align::Left);
    table.column("share", Align::Right);
    table.column("", Align::Left);
    for title in ["correlation", "mean", "unknown"] {
        table.column(title, Align::Right);
    }
    table.column("", Align::Left);
    let share = |of: &DriverShare| of.share.unwrap_or_default();
    let mut strongest: Vec<&DriverShare> = of.drivers.iter().collect();
    strongest.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let most = strongest.first().map_or(0.0, |of| share(of));
    let whole = of.r_squared.filter(|r| *r > 0.0).unwrap_or(1.0);
    for driver in strongest {
        let (name, unit) = name(driver.driver.as_ref());
        let mean =
            driver.mean.map_or_else(String::new, |mean| format!("{} {unit}", rounded(mean, 2)).trim_end().to_owned());
        table.row(vec![
            name,
            format!("{} %", rounded(100.0 * share(driver) / whole, 1)),
            bar(share(driver), most),
            driver.correlation.map_or_else(|| "—".to_owned(), signed),
            mean,
            trimmed(driver.missing as f64),
            match driver.state() {
                DriverState::NoSpread => "the same for all",
                DriverState::Redundant => "follows from others",
                DriverState::Ok | DriverState::Unspecified => "",
            }
            .to_owned(),
        ]);
    }
    table
}

/// As long as the share is large.
fn bar(share: f64, most: f64) -> String {
    let length = if most > 0.0 { (BAR * share / most).round() } else { 0.0 };
    (1..=24).take_while(|step| f64::from(*step) <= length).map(|_| '█').collect()
}

fn signed(correlation: f64) -> String {
    let text = rounded(correlation, 3);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::tests::answer;

    #[test]
    fn the_strongest_comes_first() {
        let mut out = Vec::new();
        write(&answer(), &["survey_type".to_owned()], "", &mut out).expect("a vector takes everything");
        let found = String::from_utf8(out).expect("text");
        let expected = "\
relational: too few answers for so many drivers; 0 of 3 answers have all drivers

transactional: 25.0 % of the variance explained, mean score 7.25; 1,000 of 1,200 answers have all drivers
driver           share                            correlation              mean  unknown
first-response  80.0 %  ████████████████████████       -0.500  7,200.00 seconds        0
contacts        20.0 %  ██████                         -0.200              1.50        0
wait             0.0 %                                      —              3.00        0  the same for all

+ goes up with the score, - goes the other way; neither tells cause from effect
not complete yet: the first facts are still being read
";
        assert_eq!(found, expected, "\n{found}");
    }
}
