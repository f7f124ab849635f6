//! Explanations for people.

use std::io::{self, Write};

use barometer_proto::metrics::v1::{ExplainMetricResponse, FactOfFigure, Metric, Row};

use super::formula::filled;
use crate::decimal::{Decimal, grouped};
use crate::output::{Align, Table, wrap};
use crate::query::{
    table::{dim, footer, group, heading, interval, note, trimmed, value},
    utc,
};

/// Characters of a line of text.
const WIDTH: usize = 100;

/// Writes the explanation: the definition, the figure, its counts, and the facts behind them.
pub(super) fn write(answer: &ExplainMetricResponse, time_zone: &str, out: &mut dyn Write) -> io::Result<()> {
    let nothing = (Metric::default(), Row::default());
    let metric = answer.metric.as_ref().unwrap_or(&nothing.0);
    let row = answer.row.as_ref().unwrap_or(&nothing.1);
    heading(metric, &answer.parameters, out)?;
    for line in wrap(&metric.description, WIDTH) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    figure(answer, metric, row, out)?;
    writeln!(out)?;
    counts(answer, out)?;
    if !answer.facts.is_empty() {
        facts(&answer.facts).write(out)?;
        writeln!(out)?;
    }
    let total = grouped(answer.total_facts.unsigned_abs());
    match answer.next_page_token.as_str() {
        "" => writeln!(out, "{total} facts")?,
        next => writeln!(out, "{} of {total} facts; the next ones: --page {next}", answer.facts.len())?,
    }
    for line in footer(&answer.freshness, time_zone) {
        writeln!(out, "{}", dim(&line))?;
    }
    Ok(())
}

/// The formula with its numbers, the figure with its interval, and of what it is.
fn figure(answer: &ExplainMetricResponse, metric: &Metric, row: &Row, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(&metric.formula, WIDTH - 2) {
        writeln!(out, "  {line}")?;
    }
    let numbers = row.counts.iter().map(|(name, number)| (name.clone(), trimmed(*number)));
    let amounts = row.amounts.iter().map(|(name, money)| (name.clone(), Decimal::from(money).grouped()));
    // The formula is that of the definition which holds unless another is named.
    let is_usual = metric.parameters.iter().all(|of| {
        of.name != "definition" || answer.parameters.get(&of.name).is_none_or(|given| *given == of.default_value)
    });
    if let Some(filled) = filled(&metric.formula, &numbers.chain(amounts).collect()).filter(|_| is_usual) {
        writeln!(out, "  = {filled}")?;
    }
    let mut told = format!("  = {}", value(row, metric.unit()));
    if let Some(of) = &row.interval {
        told.push_str(&format!(", {} % interval {}", trimmed(of.level * 100.0), interval(row, metric.unit())));
    }
    let note = note(row);
    writeln!(out, "{told}{}\n", if note.is_empty() { String::new() } else { format!(" ({note})") })?;
    writeln!(out, "from {} to {}", utc(row.start_time.as_ref()), utc(row.end_time.as_ref()))?;
    let of_group = row.group.iter().map(|(name, value)| format!("{name} {}", group(Some(value))));
    let of_filters = answer.filters.iter().cloned();
    let words: Vec<_> = of_group.chain(of_filters).collect();
    if !words.is_empty() {
        writeln!(out, "{}", words.join("; "))?;
    }
    let parameters: Vec<_> = answer.parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !parameters.is_empty() {
        writeln!(out, "with {}", parameters.join(", "))?;
    }
    Ok(())
}

fn counts(answer: &ExplainMetricResponse, out: &mut dyn Write) -> io::Result<()> {
    if answer.counts.is_empty() {
        return Ok(());
    }
    let mut table = Table::default();
    table.column("count", Align::Left);
    table.column("number", Align::Right);
    table.column("", Align::Left);
    for count in &answer.counts {
        table.row(vec![count.name.clone(), trimmed(count.number), count.meaning.clone()]);
    }
    table.write(out)?;
    writeln!(out)
}

fn facts(facts: &[FactOfFigure]) -> Table {
    let (has_value, has_amount) =
        (facts.iter().any(|fact| fact.value.is_some()), facts.iter().any(|fact| fact.amount.is_some()));
    let mut table = Table::default();
    for title in ["time", "fact", "id", "customer", "counts"] {
        table.column(title, Align::Left);
    }
    for title in has_value.then_some("value").into_iter().chain(has_amount.then_some("amount")) {
        table.column(title, Align::Right);
    }
    for fact in facts {
        let customer = if fact.customer_id.is_empty() { "—" } else { &fact.customer_id };
        let mut cells = vec![
            utc(fact.time.as_ref()),
            fact.kind.clone(),
            fact.id.clone(),
            customer.to_owned(),
            fact.counts.iter().map(|(name, by)| added(name, *by)).collect::<Vec<_>>().join(", "),
        ];
        cells.extend(has_value.then(|| fact.value.map(trimmed).unwrap_or_default()));
        let amount = fact.amount.as_ref();
        cells.extend(has_amount.then(|| amount.map(|money| Decimal::from(money).grouped()).unwrap_or_default()));
        table.row(cells);
    }
    table
}

/// To which count a fact adds, and how much unless it is 1.
#[allow(clippy::float_cmp, reason = "who counts once adds exactly 1")]
fn added(name: &str, by: f64) -> String {
    if by == 1.0 { name.to_owned() } else { format!("{name} {}", trimmed(by)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tests::answer;

    #[test]
    fn a_figure_is_told_from_its_definition_down_to_its_facts() {
        let mut out = Vec::new();
        write(&answer(), "UTC", &mut out).expect("a vector takes everything");
        let expected = "\
Net promoter score (points)

Share of promoters minus share of detractors.

  100 * (promoters - detractors) / answers, of surveys of the kind NPS.
  = 100 * (2 - 1) / 3
  = 33.33, 95 % interval -40.00 to 80.00

from 2017-05-01T00:00:00Z to 2017-06-01T00:00:00Z
survey_type transactional; `language` is `en`
with level 0.95

count       number
promoters        2  answers with a score of 9 or 10
detractors       1  answers with a score of 0 to 6
answers          3  answers with a score

time                  fact      id                                    customer  counts                   value  amount
2017-05-02T00:00:00Z  response  0198b2a0-0000-7000-8000-000000000001  —         answers, promoters 0.25      9   12.00

1 of 3 facts; the next ones: --page more
not complete yet: the first facts are still being read, days of UTC
";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
