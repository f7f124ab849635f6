//! How the report looks: at most 96 columns of text.

use std::io::{self, Write};

use barometer_proto::metrics::v1::Row;
use barometer_simulator::{Company, timeline::DIP, truth::ACTIVE_DAYS};

use super::{
    DemoArgs,
    directory::Directory,
    figures::Figures,
    load::Loaded,
    plot::{self, Axis, Ink},
    running::Running,
};
use crate::{
    decimal::{grouped, rounded},
    output::{Align, Table},
};

/// Columns of the plot of NPS, and of a bar.
const PLOT: usize = 57;
const BAR: usize = 8;
/// Months before the first for which it is known who was active when it began.
const UNKNOWN: usize = 3;

/// Everything there is to tell.
pub(super) struct Report<'d> {
    pub(super) company: &'d Company,
    pub(super) loaded: &'d Loaded,
    pub(super) figures: &'d Figures,
    pub(super) running: &'d Running,
    pub(super) directory: &'d Directory,
    pub(super) args: &'d DemoArgs,
}

impl Report<'_> {
    /// Writes it.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.title(out)?;
        self.recommending(out)?;
        self.following(out)?;
        self.reasons(out)?;
        if self.args.exit { Ok(()) } else { self.next(out) }
    }

    fn ink(&self) -> &'static Ink {
        if self.args.ascii { &plot::ASCII } else { &plot::UNICODE }
    }

    fn title(&self, out: &mut dyn Write) -> io::Result<()> {
        let (parameters, timeline) = (self.company.parameters(), self.company.timeline());
        let (first, last) = (timeline.label(0), timeline.label(barometer_simulator::timeline::MONTHS - 1));
        let customers = grouped(u64::from(parameters.customers));
        let (facts, seconds) = (grouped(self.loaded.facts), self.loaded.elapsed.as_secs_f64());
        writeln!(out, "BAROMETER DEMO: a simulated company with {customers} customers, {first} to {last}\n")?;
        writeln!(out, "Customers, surveys, complaints and metrics run in this process at {}.", self.running.url())?;
        let path = self.directory.path().display();
        match self.directory.is_kept() {
            true => writeln!(out, "Their data stays in {path}.")?,
            false => writeln!(out, "Their data is in {path} and removed at the end.")?,
        }
        writeln!(
            out,
            "{facts} facts were imported over gRPC in {seconds:.1} s. All figures below are queries of metrics.\n"
        )
    }

    fn recommending(&self, out: &mut dyn Write) -> io::Result<()> {
        let ink = self.ink();
        let rows = &self.figures.nps;
        let limits =
            rows.iter().filter_map(|row| row.interval.as_ref()).flat_map(|interval| [interval.low, interval.high]);
        let axis = Axis::around(limits, PLOT);
        let mut table = Table::default();
        table.column("month", Align::Left);
        table.column("NPS", Align::Right);
        table.column("answers", Align::Right);
        table.column(axis.scale(), Align::Left);
        table.column("", Align::Left);
        for (month, row) in rows.iter().enumerate() {
            let interval = row.interval.as_ref().map(|interval| (interval.low, interval.high));
            table.row(vec![
                row.label.clone(),
                self.score(row),
                count(row, "answers"),
                axis.point(ink, row.value, interval),
                self.mark(month, row),
            ]);
        }
        writeln!(out, "WOULD THEY RECOMMEND IT?  Net promoter score by month, with its 95 % interval\n")?;
        table.write(out)?;
        writeln!(out)
    }

    fn following(&self, out: &mut dyn Write) -> io::Result<()> {
        let ink = self.ink();
        let Figures { complaints, first_response, on_time, churn, active, revenue, .. } = self.figures;
        let most = |rows: &[Row]| rows.iter().filter_map(|row| row.value).fold(0.0, f64::max);
        let most_complaints = most(complaints);
        let most_churn = most(&churn[UNKNOWN..]);
        let mut table = Table::default();
        table.column("month", Align::Left);
        table.column("complaints", Align::Right);
        table.column("", Align::Left);
        table.column("answered in", Align::Right);
        table.column("in 24 h", Align::Right);
        table.column("churn", Align::Right);
        table.column("", Align::Left);
        table.column("active", Align::Right);
        table.column("EUR", Align::Right);
        table.column("", Align::Left);
        for (month, row) in complaints.iter().enumerate() {
            let churned = churn[month].value.filter(|_| month >= UNKNOWN);
            let hours = first_response[month].value.map(|seconds| format!("{} h", rounded(seconds / 3_600.0, 1)));
            let percent = |value: Option<f64>, digits| value.map(|value| format!("{} %", rounded(value, digits)));
            let or_none = |text: Option<String>| text.unwrap_or_else(|| ink.none.to_owned());
            table.row(vec![
                row.label.clone(),
                or_none(row.value.map(whole)),
                plot::bar(ink, row.value.unwrap_or_default(), most_complaints, BAR),
                or_none(hours),
                or_none(percent(on_time[month].value, 0)),
                or_none(percent(churned, 1)),
                plot::bar(ink, churned.unwrap_or_default(), most_churn, BAR),
                or_none(active[month].value.map(whole)),
                or_none(revenue[month].value.map(whole)),
                self.mark(month, row),
            ]);
        }
        writeln!(out, "WHAT ELSE MOVED  Complaints, then customers who leave, then revenue\n")?;
        table.write(out)?;
        writeln!(
            out,
            "\nActive: bought within {ACTIVE_DAYS} days. Churn: active when the month began, not when it ended; known\n\
             from the fourth month on. Answered in: the median time to the first response.\n"
        )
    }

    fn reasons(&self, out: &mut dyn Write) -> io::Result<()> {
        let ink = self.ink();
        writeln!(out, "WHY\n")?;
        let mut categories: Vec<&Row> = self.figures.categories.iter().collect();
        let most = |row: &Row| row.value.unwrap_or_default();
        categories.sort_by(|one, other| most(other).total_cmp(&most(one)));
        let all = categories.first().map_or(0.0, |row| most(row));
        let mut table = Table::default();
        table.column("complaints about", Align::Left);
        table.column("cases", Align::Right);
        table.column("", Align::Left);
        for row in categories {
            table.row(vec![of(row, "category"), whole(most(row)), plot::bar(ink, most(row), all, 4 * BAR)]);
        }
        table.write(out)?;
        writeln!(out)?;
        let mut table = Table::default();
        table.column("after a delivery", Align::Left);
        table.column("NPS", Align::Right);
        table.column("answers", Align::Right);
        for row in &self.figures.deliveries {
            table.row(vec![of(row, "delivery"), self.score(row), count(row, "answers")]);
        }
        table.write(out)
    }

    fn next(&self, out: &mut dyn Write) -> io::Result<()> {
        let url = self.running.url();
        let address = url.trim_start_matches("http://");
        // Left out where it is the default anyway.
        let endpoint = if url == "http://127.0.0.1:7400" { String::new() } else { format!(" --endpoint {url}") };
        let program = program();
        let from = self.company.timeline().label(DIP.start);
        writeln!(out, "\nTRY NEXT, in another terminal\n")?;
        for command in [
            "query nps --where survey=Relationship --every quarter --by tier".to_owned(),
            "query nps --where survey=Delivery --by delivery,channel".to_owned(),
            format!("query time_to_first_response --from {from} --every month --by category"),
            "query cohort_retention --where currency=EUR --every quarter".to_owned(),
            "catalogue churn_rate".to_owned(),
        ] {
            writeln!(out, "  {program} {command}{endpoint}")?;
        }
        writeln!(out, "  grpcurl -plaintext {address} list\n")?;
        let gone = if self.directory.is_kept() { "" } else { " and removes its data" };
        writeln!(out, "It stays up; Ctrl-C stops it{gone}.")
    }

    fn score(&self, row: &Row) -> String {
        match row.value {
            Some(score) if score > 0.0 => format!("+{}", rounded(score, 1)),
            Some(score) => rounded(score, 1),
            None => self.ink().none.to_owned(),
        }
    }

    /// What is special about a month.
    fn mark(&self, month: usize, row: &Row) -> String {
        match DIP.contains(&month) {
            true => format!("{} late", self.ink().mark),
            false if row.partial => "so far".to_owned(),
            false => String::new(),
        }
    }
}

fn of(row: &Row, dimension: &str) -> String {
    row.group.get(dimension).cloned().unwrap_or_default()
}

fn count(row: &Row, name: &str) -> String {
    row.counts.get(name).map(|count| whole(*count)).unwrap_or_default()
}

/// Without decimals, and with its thousands set apart.
fn whole(number: f64) -> String {
    rounded(number, 0)
}

/// The program as it was called, so that commands work as they are printed.
fn program() -> String {
    let called = std::env::args().next().filter(|name| !name.contains(char::is_whitespace));
    called.unwrap_or_else(|| "barometer".to_owned())
}
