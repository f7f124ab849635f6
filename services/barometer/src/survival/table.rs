//! Curves for people: a plot, what there is to say of each group, and whether they differ.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{Interval, LogRankTest, QuerySurvivalResponse, ReasonCurve, SurvivalCurve};

use super::plot::{self, tenth};
use crate::decimal::rounded;
use crate::output::{Align, Table};
use crate::query::table::{dim, footer, trimmed};
use crate::scope::shown;

/// Below this chance groups are said to differ.
const ALPHA: f64 = 0.05;

/// Writes the answer.
pub(super) fn write(
    answer: &QuerySurvivalResponse,
    title: &str,
    by: &[String],
    zone: &str,
    colours: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{title}\n")?;
    let told: Vec<&SurvivalCurve> = answer.curves.iter().filter(|curve| !curve.suppressed).collect();
    let drawn = &told[..told.len().min(plot::MOST)];
    if told.is_empty() {
        writeln!(out, "{}", if answer.curves.is_empty() { "no customers" } else { "too few to tell" })?;
    } else {
        for line in plot::draw(drawn, colours) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
        groups(answer, by, drawn).write(out)?;
        if told.len() > drawn.len() {
            writeln!(out, "{}", dim(&format!("drawn are the first {} groups", drawn.len())))?;
        }
        if told.iter().any(|curve| !curve.reasons.is_empty()) {
            writeln!(out)?;
            reasons(&told, by, plot::until(drawn)).write(out)?;
        }
    }
    writeln!(out)?;
    if let Some(test) = &answer.test {
        writeln!(out, "{}\n", verdict(test))?;
    } else if told.len() > 1 {
        writeln!(out, "nothing to compare: no end while two groups could have had it, or groups overlap\n")?;
    }
    for line in footer(&answer.freshness, zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

fn groups(answer: &QuerySurvivalResponse, by: &[String], drawn: &[&SurvivalCurve]) -> Table {
    let until = plot::until(drawn);
    let level = answer.curves.iter().flat_map(|curve| &curve.steps).find_map(|step| Some(step.interval?.level));
    let several = answer.curves.len() > 1;
    let mut table = Table::default();
    if several {
        table.column("", Align::Left);
    }
    by.iter().for_each(|name| table.column(name, Align::Left));
    table.column("customers", Align::Right);
    table.column("ended", Align::Right);
    if answer.test.is_some() {
        table.column("expected", Align::Right);
    }
    let interval = level.map_or_else(String::new, |level| format!(" ({} % interval)", trimmed(level * 100.0)));
    table.column(format!("median days{interval}"), Align::Right);
    table.column("mean days", Align::Right);
    let instants = [1.0, 2.0, 4.0].map(|quarters| until * quarters / 4.0);
    for days in instants {
        table.column(format!("left after {}", tenth(days)), Align::Right);
    }
    let mut index = 0;
    for (place, curve) in answer.curves.iter().enumerate() {
        let mut cells = Vec::new();
        if several {
            let is_drawn = !curve.suppressed && index < drawn.len();
            cells.push(if is_drawn { plot::letter(index).to_string() } else { String::new() });
            index += usize::from(!curve.suppressed);
        }
        cells.extend(shown(&curve.group, by));
        if curve.suppressed {
            cells.push("too few to tell".to_owned());
            table.row(cells);
            continue;
        }
        cells.extend([curve.customers, curve.events].map(|count| trimmed(count as f64)));
        cells.extend(
            answer
                .test
                .as_ref()
                .map(|test| test.groups.get(place).map_or_else(String::new, |of| rounded(of.expected, 1))),
        );
        cells.push(median(curve));
        cells.push(curve.restricted_mean_days.map_or_else(none, tenth));
        cells.extend(instants.map(|days| left(curve, days)));
        table.row(cells);
    }
    table
}

/// How many went for which reason, in the face of all others.
fn reasons(told: &[&SurvivalCurve], by: &[String], until: f64) -> Table {
    let mut table = Table::default();
    by.iter().for_each(|name| table.column(name, Align::Left));
    table.column("reason", Align::Left);
    table.column("went", Align::Right);
    let instants = [1.0, 2.0, 4.0].map(|quarters| until * quarters / 4.0);
    for days in instants {
        table.column(format!("gone after {}", tenth(days)), Align::Right);
    }
    for (curve, of) in told.iter().flat_map(|curve| curve.reasons.iter().map(move |of| (*curve, of))) {
        let mut cells = shown(&curve.group, by);
        cells.push(if of.reason.is_empty() { "(none)".to_owned() } else { of.reason.clone() });
        cells.push(trimmed(of.events as f64));
        cells.extend(instants.map(|days| gone(curve, of, days)));
        table.row(cells);
    }
    table
}

fn gone(curve: &SurvivalCurve, of: &ReasonCurve, days: f64) -> String {
    if plot::left(curve, days).is_none() {
        return none();
    }
    let step = of.steps[..of.steps.partition_point(|step| step.days <= days)].last();
    share_of(step.map_or(0.0, |step| step.share), step.and_then(|step| step.interval))
}

fn median(curve: &SurvivalCurve) -> String {
    let limit = |days: Option<f64>| days.map_or_else(|| "∞".to_owned(), tenth);
    let median = limit(curve.median_days);
    match (curve.median_low_days, curve.median_high_days) {
        (None, None) => median,
        (low, high) => format!("{median} ({} to {})", limit(low), limit(high)),
    }
}

fn left(curve: &SurvivalCurve, days: f64) -> String {
    let Some(left) = plot::left(curve, days) else { return none() };
    share_of(left, plot::step(curve, days).and_then(|step| step.interval))
}

fn share_of(share: f64, interval: Option<Interval>) -> String {
    let percent = |share: f64| rounded(100.0 * share, 1);
    match interval {
        Some(limits) => format!("{} % ({} to {})", percent(share), percent(limits.low), percent(limits.high)),
        None => format!("{} %", percent(share)),
    }
}

fn verdict(test: &LogRankTest) -> String {
    let LogRankTest { statistic, degrees_of_freedom, p_value, groups: _ } = test;
    let p = if *p_value < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {}", rounded(*p_value, 4)) };
    let degrees =
        if *degrees_of_freedom == 1 { "1 degree".to_owned() } else { format!("{degrees_of_freedom} degrees") };
    let told =
        if *p_value < ALPHA { "the groups differ by more than chance" } else { "no more difference than by chance" };
    format!("log-rank test: χ² {} with {degrees} of freedom, {p}: {told}", rounded(*statistic, 2))
}

fn none() -> String {
    "—".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::tests::{answer, answer_by_reason};

    #[test]
    fn groups_are_told_below_the_plot() {
        let mut out = Vec::new();
        write(&answer(), "Customers", &["tier".to_owned()], "", false, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        let from = text.find("tier").expect("a table");
        let expected = "\
tier          customers  ended  expected  median days (95 % interval)  mean days          left after 25          left after 50         left after 100
   basic   too few to tell
A  gold              1,020     10      19.2                 50 (20 to ∞)       61.2  75.0 % (65.0 to 85.0)  50.0 % (40.0 to 60.0)  50.0 % (40.0 to 60.0)
B  (none)            1,020     10      10.8                 10 (20 to ∞)       61.2  50.0 % (40.0 to 60.0)  50.0 % (40.0 to 60.0)                  0.0 %

log-rank test: χ² 16.79 with 1 degree of freedom, p < 0.0001: the groups differ by more than chance

not complete yet: the first facts are still being read
";
        assert_eq!(&text[from..], expected, "\n{text}");
    }

    #[test]
    fn reasons_are_told_below_the_groups() {
        let mut out = Vec::new();
        let by = ["tier".to_owned()];
        write(&answer_by_reason(), "Customers", &by, "", false, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        let from = text.find("tier  reason").expect("a table of reasons");
        let expected = "\
tier  reason  went          gone after 25          gone after 50         gone after 100
gold  price      5  25.0 % (15.0 to 35.0)  25.0 % (15.0 to 35.0)  25.0 % (15.0 to 35.0)
gold  (none)     5                  0.0 %  25.0 % (15.0 to 35.0)  25.0 % (15.0 to 35.0)
";
        assert!(text[from..].starts_with(expected), "\n{text}");
    }

    #[test]
    fn of_nobody_there_is_no_plot() {
        let mut out = Vec::new();
        write(&QuerySurvivalResponse::default(), "T", &[], "", false, &mut out).expect("a vector takes everything");
        assert!(String::from_utf8_lossy(&out).starts_with("T\n\nno customers\n"));
    }
}
