//! Cohorts: of customers by when they began, how many came again so many periods later.

use std::ops::Range;

use barometer_chassis::{clock::Micros, door::Door, error::Error};
use barometer_proto::metrics::v1::{self as wire, query_retention_request::Definition};
use barometer_statistics::{
    Level,
    retention::{RetentionCell, RetentionDefinition, RetentionTable, Starts},
};

use super::{
    MAX_GROUP_BY,
    beginning::{Beginning, Begun},
    by_person::{self, Instants},
    parse_level,
    scope::Scope,
};
use crate::{
    columns::{Facts, by_person::ByPerson},
    fold::Source,
    query::{
        MAX_ROWS, Name, Table, Vocabulary, Zones,
        cut::{Cutter, Piece},
        parse_granularity, parse_group_by, refuse_periods,
    },
    rules::{granularity::Granularity, period::Periods},
};

const MAX_ROLLING_DAYS: i32 = 366;
const MAX_PERIODS: i32 = 400;
const MAX_BRACKETS: usize = 50;
const USUAL_PERIODS: u32 = 13;
/// Counters of all cohorts together: 160 MB.
const MAX_COUNTERS: usize = 20_000_000;

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    pub(crate) scope: Scope,
    beginning: Beginning,
    activity: Activity,
    granularity: Granularity,
    /// How long the periods since the beginning of each customer are, in microseconds, if they are not the calendar's.
    rolling: Option<i64>,
    together: bool,
    columns: Columns,
    recurring: bool,
    group_by: Vec<String>,
    pub(crate) level: Level,
    /// Nothing is told of fewer customers.
    pub(crate) minimum_sample: u64,
}

/// What makes a customer active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Purchase,
    Answer,
    Subscription,
    Programme,
    Contact,
}

/// The periods since the beginning of which is told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Columns {
    Periods(RetentionDefinition, u32),
    Brackets(Vec<Range<u32>>),
}

/// Cohorts and their averages, by group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cohorts {
    pub(crate) cohorts: Vec<Cohort>,
    pub(crate) averages: Vec<Cohort>,
}

/// Customers who began together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cohort {
    pub(crate) group: Name,
    pub(crate) within: Range<i64>,
    pub(crate) label: String,
    /// Nothing of fewer than the smallest sample.
    pub(crate) customers: Option<u64>,
    pub(crate) cells: Vec<Cell>,
}

/// Of a cohort, who was active in some periods since.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) periods: Range<u32>,
    /// Nothing of fewer than the smallest sample.
    pub(crate) counted: Option<RetentionCell>,
}

/// Parses a request, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QueryRetentionRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    minimum_sample: u64,
) -> Result<Retention, Error> {
    Door::open(|door| {
        let wire::QueryRetentionRequest {
            scope,
            beginning,
            activity,
            granularity,
            rolling_days,
            together,
            periods,
            brackets,
            definition,
            recurring,
            group_by,
            level,
        } = request;
        let beginning = Beginning::parse(door, beginning);
        let activity = match door.optional_choice("activity", activity) {
            wire::Activity::Unspecified | wire::Activity::Purchase => Activity::Purchase,
            wire::Activity::Answer => Activity::Answer,
            wire::Activity::Subscription => Activity::Subscription,
            wire::Activity::Programme => Activity::Programme,
            wire::Activity::Contact => Activity::Contact,
        };
        let granularity = parse_granularity(door, granularity).unwrap_or(Granularity::Month);
        if !(0..=MAX_ROLLING_DAYS).contains(&rolling_days) {
            door.refuse("rolling_days", "OUT_OF_RANGE", format!("must be from 0 to {MAX_ROLLING_DAYS}"));
        }
        for (field, given) in [("rolling_days", rolling_days != 0), ("together", together)] {
            if recurring && given {
                door.refuse(field, "NOT_TOGETHER", "does not go with recurring");
            }
        }
        let columns = parse_columns(door, periods, brackets, definition);
        let tables = [beginning.table()];
        let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &tables, vocabulary);
        let level = parse_level(door, level);
        let scope = Scope::parse(door, scope, beginning.table(), vocabulary, zones);
        let rolling = (rolling_days > 0).then(|| i64::from(rolling_days).saturating_mul(Micros::DAY));
        scope.map(|scope| Retention {
            scope,
            beginning,
            activity,
            granularity,
            rolling,
            together,
            columns,
            recurring,
            group_by,
            level,
            minimum_sample,
        })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_columns(door: &mut Door, periods: i32, brackets: Vec<wire::Bracket>, definition: i32) -> Columns {
    let of_brackets = !brackets.is_empty();
    let brackets = door.each("brackets", brackets, MAX_BRACKETS, |door, wire::Bracket { start, end }| {
        if !(0..MAX_PERIODS).contains(&start) {
            door.refuse("start", "OUT_OF_RANGE", format!("must be from 0 to {}", MAX_PERIODS - 1));
        }
        if end <= start || end > MAX_PERIODS {
            door.refuse("end", "OUT_OF_RANGE", format!("must be more than start, and at most {MAX_PERIODS}"));
        }
        u32::try_from(start).unwrap_or_default()..u32::try_from(end).unwrap_or_default()
    });
    if !(0..=MAX_PERIODS).contains(&periods) {
        door.refuse("periods", "OUT_OF_RANGE", format!("must be from 0 to {MAX_PERIODS}"));
    } else if of_brackets && periods != 0 {
        door.refuse("periods", "NOT_TOGETHER", "does not go with brackets");
    }
    let definition = match door.optional_choice("definition", definition) {
        Definition::Unspecified | Definition::OnPeriod => RetentionDefinition::OnPeriod,
        Definition::OnOrAfter => RetentionDefinition::OnOrAfter,
    };
    if of_brackets {
        if definition == RetentionDefinition::OnOrAfter {
            door.refuse("definition", "NOT_TOGETHER", "ON_OR_AFTER does not go with brackets");
        }
        return Columns::Brackets(brackets);
    }
    let periods = u32::try_from(periods).ok().filter(|periods| *periods > 0);
    Columns::Periods(definition, periods.unwrap_or(USUAL_PERIODS))
}

impl Retention {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        self.beginning.reads(source) || (source == Source::Surveys && self.activity == Activity::Answer)
    }

    /// Counts.
    ///
    /// Errors: INVALID when there are too many periods or cells.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Cohorts, Error> {
        let Scope { start, now, .. } = self.scope;
        let until = self.scope.until();
        // Recurring, the time is that of the activity.
        let since = start.filter(|_| !self.recurring).unwrap_or(i64::MIN);
        let mut begun = self.beginning.of_all(facts);
        begun.retain(|begun| since <= begun.at && begun.at < until);
        let Some(first) = begun.iter().map(|begun| begun.at).min() else { return Ok(Cohorts::default()) };
        let days = &self.scope.days;
        let first = Periods::start_of(days, self.granularity, first).unwrap_or(first);
        let periods = Periods::new(days, self.granularity, start.unwrap_or(first)..now);
        let calendar = Calendar::new(self, periods.map_err(|error| refuse_periods(&error))?);

        let lives = Lives::new(self.activity, facts, now);
        let mut groups = Groups::new(self, facts)?;
        let (mut active, mut since, mut of_customer) = (Vec::new(), Vec::new(), Vec::new());
        for begun in &begun {
            groups.find(facts, begun, &mut of_customer)?;
            if of_customer.is_empty() {
                continue;
            }
            if self.recurring {
                lives.periods(begun, |at| calendar.index(at), i64::MAX, &mut active);
                // The time may end within a period in which the customer was active only later.
                let last = lives.last(begun, until).and_then(|at| calendar.index(at)).unwrap_or(i64::MIN);
                Starts::Recurring.for_each(&active, |cohort, since| {
                    if cohort <= last {
                        groups.add(&of_customer, cohort, since, calendar.over(begun, cohort));
                    }
                });
            } else {
                lives.periods(begun, |at| calendar.since(begun, at), MAX_PERIODS.into(), &mut active);
                since.clear();
                since.extend(active.iter().filter_map(|period| u32::try_from(*period).ok()));
                let own = calendar.index(begun.at).unwrap_or_default();
                let cohort = if self.together { 0 } else { own };
                groups.add(&of_customer, cohort, &since, calendar.over(begun, own));
            }
            groups.check()?;
        }
        Ok(self.told(&groups, &calendar))
    }

    fn told(&self, groups: &Groups<'_>, calendar: &Calendar) -> Cohorts {
        let periods = calendar.periods.as_slice();
        let whole = self.scope.range(periods.first().map_or(0, |first| first.start));
        let few = |size: u64| size > 0 && size < self.minimum_sample;
        let cells = |cells: Vec<RetentionCell>| -> Vec<Cell> {
            let cells = self.columns.ranges().zip(cells);
            cells.map(|(periods, cell)| Cell { periods, counted: Some(cell).filter(|cell| !few(cell.size)) }).collect()
        };
        let mut told = Cohorts::default();
        for (group, table) in groups.in_order() {
            let mut all = 0;
            for (cohort, counted) in table.cohorts() {
                let customers = counted.first().map_or(0, |cell| cell.size);
                all += customers;
                let period = usize::try_from(cohort).ok().and_then(|cohort| periods.get(cohort));
                let (within, label) = match period.filter(|_| !self.together) {
                    Some(period) => (period.start..period.end.min(whole.end), period.label.clone()),
                    None => (whole.clone(), String::new()),
                };
                let customers = Some(customers).filter(|customers| !few(*customers));
                told.cohorts.push(Cohort { group: group.clone(), within, label, customers, cells: cells(counted) });
            }
            if !self.together && !table.is_empty() {
                let (within, cells) = (whole.clone(), cells(table.averages()));
                let customers = Some(all).filter(|all| !few(*all));
                told.averages.push(Cohort { group, within, label: String::new(), customers, cells });
            }
        }
        told
    }
}

impl Columns {
    /// A table of them; `None` without any.
    fn table(&self) -> Option<RetentionTable> {
        match self {
            Self::Periods(definition, periods) => RetentionTable::new(*definition, *periods),
            Self::Brackets(brackets) => RetentionTable::of_brackets(brackets.clone()),
        }
    }

    fn ranges(&self) -> impl Iterator<Item = Range<u32>> {
        let (periods, brackets) = match self {
            Self::Periods(_, periods) => (0..*periods, &[][..]),
            Self::Brackets(brackets) => (0..0, brackets.as_slice()),
        };
        periods.map(|period| period..period + 1).chain(brackets.iter().cloned())
    }
}

/// The periods in which customers begin, and those since.
#[derive(Debug)]
struct Calendar {
    /// From the first cohort's until now.
    periods: Periods,
    /// How many of them are over.
    over: i64,
    rolling: Option<i64>,
    now: i64,
}

impl Calendar {
    fn new(of: &Retention, periods: Periods) -> Self {
        let Scope { days, now, .. } = &of.scope;
        let ends = |at: i64| Periods::end_of(days, of.granularity, at);
        let runs = periods.as_slice().last().and_then(|last| ends(last.start)).is_none_or(|end| end > *now);
        let over = i64::try_from(periods.len()).unwrap_or(i64::MAX) - i64::from(runs);
        Calendar { periods, over, rolling: of.rolling, now: *now }
    }

    /// The period of an instant; none before the first.
    fn index(&self, at: i64) -> Option<i64> {
        self.periods.index_of(at).and_then(|index| i64::try_from(index).ok())
    }

    /// How many periods after a customer began an instant lies.
    fn since(&self, begun: &Begun, at: i64) -> Option<i64> {
        match self.rolling {
            Some(length) => Some((at - begun.at) / length),
            None => Some(self.index(at)? - self.index(begun.at)?),
        }
    }

    /// How many periods since a beginning, which lies in this one, are over.
    fn over(&self, begun: &Begun, index: i64) -> u32 {
        let over = match self.rolling {
            Some(length) => (self.now - begun.at) / length,
            None => self.over - index,
        };
        u32::try_from(over.max(0)).unwrap_or(u32::MAX)
    }
}

/// What customers did, or were.
#[derive(Debug)]
enum Lives<'f> {
    Did(Instants<'f>),
    Were(ByPerson<(i64, i64)>),
}

impl<'f> Lives<'f> {
    fn new(activity: Activity, facts: &'f Facts, now: i64) -> Self {
        match activity {
            Activity::Purchase => Self::Did(by_person::sales(facts, now)),
            Activity::Answer => Self::Did(by_person::answers(facts, now)),
            Activity::Programme => Self::Did(by_person::programme(facts, now)),
            Activity::Contact => Self::Did(by_person::contacts(facts, now)),
            Activity::Subscription => Self::Were(by_person::runs(facts, now)),
        }
    }

    /// Fills `into` with the numbers of the periods in which a customer was active since it began, ascending, each once; of
    /// those beyond `most` perhaps only the last.
    fn periods(&self, begun: &Begun, period: impl Fn(i64) -> Option<i64>, most: i64, into: &mut Vec<i64>) {
        into.clear();
        match self {
            Self::Did(instants) => {
                let of_customer = instants.of(begun.person);
                let did = &of_customer[of_customer.partition_point(|at| *at < begun.at)..];
                into.extend(did.iter().filter_map(|at| period(*at)));
            }
            Self::Were(spans) => {
                for (from, to) in spans.of(begun.person).iter().filter(|(_, to)| *to > begun.at) {
                    // Its end is not in it any more.
                    let Some(last) = period(to - 1) else { continue };
                    // Where the periods begin later, what runs then runs from their first on.
                    let first = period((*from).max(begun.at)).unwrap_or_default();
                    into.extend(first..=last.min(most));
                    into.push(last);
                }
                into.sort_unstable();
            }
        }
        into.dedup();
    }

    /// The last instant before another at which a customer that began was active.
    fn last(&self, begun: &Begun, until: i64) -> Option<i64> {
        match self {
            Self::Did(instants) => {
                let of_customer = instants.of(begun.person);
                let last = of_customer[..of_customer.partition_point(|at| *at < until)].last().copied();
                last.filter(|at| *at >= begun.at)
            }
            Self::Were(spans) => {
                let before = spans.of(begun.person).iter().filter(|(from, to)| *from < until && *to > begun.at);
                before.map(|(_, to)| (*to).min(until) - 1).max().filter(|at| *at >= begun.at)
            }
        }
    }
}

/// The cohorts of each group.
struct Groups<'q> {
    cutter: Cutter<'q>,
    /// Whether customers begin with purchases, which may be divided.
    of_purchases: bool,
    /// By group, as they appear.
    tables: Vec<RetentionTable>,
    empty: RetentionTable,
    /// Counters that a cohort takes, and cells.
    counters: usize,
    columns: usize,
    cohorts: usize,
    rows: Vec<u32>,
    of_rows: Vec<u32>,
    pieces: Vec<Piece>,
}

impl<'q> Groups<'q> {
    fn new(of: &'q Retention, facts: &'q Facts) -> Result<Self, Error> {
        let (table, _) = of.beginning.table();
        let (columns, reach) =
            of.columns.ranges().fold((0, 0), |(count, reach), column| (count + 1, reach.max(column.end as usize)));
        let empty = of.columns.table().ok_or_else(|| Error::Internal("a table without columns".to_owned()))?;
        Ok(Groups {
            cutter: Cutter::new(facts, table, &of.scope.filters, &of.group_by, MAX_ROWS),
            of_purchases: table == Table::Purchases,
            tables: Vec::new(),
            empty,
            counters: columns + reach + 1,
            columns,
            cohorts: 0,
            rows: Vec::new(),
            of_rows: Vec::new(),
            pieces: Vec::new(),
        })
    }

    /// Fills `into` with the groups that a customer was in when it began, each once; none when it does not pass.
    fn find(&mut self, facts: &Facts, begun: &Begun, into: &mut Vec<u32>) -> Result<(), Error> {
        let Groups { cutter, rows, of_rows, pieces, .. } = self;
        rows.clear();
        rows.push(begun.row);
        cutter.cut(rows, of_rows, |_| begun.at)?;
        into.clear();
        if self.of_purchases {
            cutter.divide(&facts.purchases, rows, of_rows, pieces)?;
            into.extend(pieces.iter().map(|piece| piece.group));
        } else {
            into.extend_from_slice(of_rows);
        }
        into.sort_unstable();
        into.dedup();
        Ok(())
    }

    /// Counts a member of a cohort in each of these groups.
    fn add(&mut self, groups: &[u32], cohort: i64, since: &[u32], over: u32) {
        for group in groups {
            let group = *group as usize;
            if self.tables.len() <= group {
                self.tables.resize(group + 1, self.empty.clone());
            }
            let table = &mut self.tables[group];
            self.cohorts -= table.len();
            table.add(cohort, since, over);
            self.cohorts += table.len();
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.cohorts * self.columns > MAX_ROWS || self.cohorts * self.counters > MAX_COUNTERS {
            let told = format!("the answer has more than {MAX_ROWS} cells: ask for less time, groups or periods");
            return Err(Error::invalid("group_by", "TOO_MANY", told));
        }
        Ok(())
    }

    /// The groups of which somebody was counted, by their names.
    fn in_order(&self) -> Vec<(Name, &RetentionTable)> {
        let tables = (0..).zip(&self.tables).filter(|(_, table)| !table.is_empty());
        let mut all: Vec<_> = tables.map(|(group, table)| (self.cutter.name(group), table)).collect();
        all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}
