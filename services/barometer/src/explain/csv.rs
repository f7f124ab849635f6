//! Explanations for spreadsheets: a line for each fact.

use std::io::{self, Write};

use barometer_proto::metrics::v1::ExplainMetricResponse;

use crate::decimal::Decimal;
use crate::query::{number, utc};

/// Writes the facts of the page: what each adds to the counts in a column for each of them.
pub(super) fn write(answer: &ExplainMetricResponse, out: &mut dyn Write) -> io::Result<()> {
    let counts: Vec<_> = answer.counts.iter().filter(|count| !count.computed).map(|count| &count.name).collect();
    let mut csv = ::csv::Writer::from_writer(out);
    let titles = ["time", "source", "kind", "id", "customer_id"].into_iter();
    csv.write_record(titles.chain(counts.iter().map(|name| name.as_str())).chain(["value", "amount", "currency"]))?;
    for fact in &answer.facts {
        let mut cells = vec![
            utc(fact.time.as_ref()),
            fact.source.clone(),
            fact.kind.clone(),
            fact.id.clone(),
            fact.customer_id.clone(),
        ];
        let text = |number: Option<f64>| number.map(number::text).unwrap_or_default();
        cells.extend(counts.iter().map(|name| text(fact.counts.get(*name).copied())));
        cells.push(text(fact.value));
        let money = fact.amount.as_ref();
        cells.push(money.map(|money| Decimal::from(money).to_string()).unwrap_or_default());
        cells.push(money.map(|money| money.currency_code.clone()).unwrap_or_default());
        csv.write_record(cells)?;
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tests::answer;

    #[test]
    fn a_fact_is_a_line() {
        let mut out = Vec::new();
        write(&answer(), &mut out).expect("a vector takes everything");
        let lines = [
            "time,source,kind,id,customer_id,promoters,detractors,answers,value,amount,currency",
            "2017-05-02T00:00:00Z,surveys,response,0198b2a0-0000-7000-8000-000000000001,,0.25,,1,9,12,EUR",
        ];
        assert_eq!(String::from_utf8_lossy(&out).lines().collect::<Vec<_>>(), lines);
    }
}
