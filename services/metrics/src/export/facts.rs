//! The rows of facts: read anew from the feed of their service, from its beginning until it was caught up with.

use std::{collections::VecDeque, ops::Range, time::Duration};

use barometer_chassis::{clock::Micros, error::Error, position::Position};
use barometer_proto::metrics::v1 as wire;
use futures_util::StreamExt;
use prost::Message;
use prost_reflect::DynamicMessage;
use rustc_hash::FxHashMap;
use tokio::time::Instant;
use tonic::Status;

use super::{Cell, CellKind, Column, Row, Rows, fields::time_of, kinds::FactKind};
use crate::fold::{Batches, Feed, Reached, Standing};

/// A feed says something every second, also when nothing happens. One that is silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(15);
/// Longest time that is waited for the writes that are to be included, once all others were read.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What every fact has.
const HEAD: [(&str, CellKind); 4] =
    [("id", CellKind::Text), ("number", CellKind::Whole), ("version", CellKind::Whole), ("write_time", CellKind::Time)];

/// Which facts are asked for, checked.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) kind: &'static FactKind,
    /// When they happened, in microseconds; all of them when there is none.
    pub(crate) time: Option<Range<i64>>,
    /// What is to be included.
    pub(crate) at_least: Option<Position>,
}

/// Facts of a feed.
pub(crate) struct FactRows<F: Feed> {
    wanted: Wanted,
    columns: Vec<Column>,
    batches: Batches<F::Fact>,
    reached: Reached,
    read_time: Option<Micros>,
    /// Away while a batch is turned into rows.
    held: Held,
    /// Until when the writes that are to be included are waited for.
    until: Option<Instant>,
    is_over: bool,
}

impl<F: Feed> FactRows<F> {
    /// Opens the feed.
    ///
    /// Errors: UNAVAILABLE when it can not be opened.
    pub(crate) async fn open(mut feed: F, wanted: Wanted) -> Result<Self, Error> {
        let opened = tokio::time::timeout(SILENCE, feed.open(vec![wanted.kind.tag], String::new())).await;
        let batches = opened.map_err(|_| lost::<F>(None))?.map_err(|status| lost::<F>(Some(&status)))?;
        let head = HEAD.map(|(name, kind)| Column::new(name, kind));
        let columns = head.into_iter().chain(wanted.kind.fields.columns()).collect();
        Ok(FactRows {
            wanted,
            columns,
            batches,
            reached: Reached::default(),
            read_time: None,
            held: Held::default(),
            until: None,
            is_over: false,
        })
    }

    /// Whether all was read that was there and is to be included.
    fn is_whole(&mut self, caught_up: bool) -> Result<bool, Error> {
        let standing = self.wanted.at_least.map_or(Standing::Included, |position| self.reached.standing(position));
        match standing {
            _ if !caught_up => Ok(false),
            Standing::Included => Ok(true),
            Standing::Gone => Err(Error::Gone),
            Standing::Ahead => {
                let until = *self.until.get_or_insert_with(|| Instant::now() + LONGEST_WAIT);
                if Instant::now() < until {
                    return Ok(false);
                }
                Err(Error::Unavailable {
                    reason: "NOT_YET_INCLUDED",
                    message: "the facts do not include the position of `at_least` yet: try again".to_owned(),
                })
            }
        }
    }
}

impl<F: Feed> Rows for FactRows<F> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Option<Vec<Row>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let batch = match tokio::time::timeout(SILENCE, self.batches.next()).await {
            Ok(Some(Ok(batch))) => batch,
            Ok(Some(Err(status))) => return Err(lost::<F>(Some(&status))),
            Ok(None) | Err(_) => return Err(lost::<F>(None)),
        };
        let Some((_, position)) = Position::decode(&batch.position) else { return Err(lost::<F>(None)) };
        let (read_time, caught_up) = (batch.read_time, batch.caught_up);
        self.reached.advance(position, read_time.filter(|_| caught_up));
        let (kind, time, mut held) = (self.wanted.kind, self.wanted.time.clone(), std::mem::take(&mut self.held));
        // Away from the threads that serve calls: facts may be large.
        let made = tokio::task::spawn_blocking(move || {
            let told = batch.facts.iter().map(|fact| row(kind, time.as_ref(), fact));
            told.collect::<Result<Vec<Told>, Error>>().map(|told| held.add(told)).map(|rows| (held, rows))
        });
        let (held, mut rows) = made.await.map_err(|error| Error::Internal(error.to_string()))??;
        self.held = held;
        self.read_time = read_time;
        self.is_over = self.is_whole(caught_up)?;
        if self.is_over {
            rows.extend(self.held.end());
        }
        Ok(Some(rows))
    }

    fn freshness(&self) -> Vec<wire::Freshness> {
        vec![wire::Freshness {
            source: F::SOURCE.name().to_owned(),
            position: self.reached.position.encode(F::SOURCE.name()),
            complete_until: self.read_time.map(Micros::to_wire),
            connected: true,
        }]
    }
}

/// A fact by its number, and its row; none of what is not wanted or was withdrawn.
type Told = (i64, Option<Row>);

fn row(kind: &FactKind, time: Option<&Range<i64>>, fact: &impl Message) -> Result<Told, Error> {
    let unreadable = |error: prost_reflect::prost::DecodeError| Error::Internal(format!("a fact: {error}"));
    let fact = DynamicMessage::decode(kind.fact.clone(), fact.encode_to_vec().as_slice()).map_err(unreadable)?;
    let value = |name: &str| fact.get_field_by_name(name);
    let whole = |name: &str| value(name).and_then(|value| value.as_i64()).unwrap_or_default();
    let number = whole("number");
    if !fact.has_field(&kind.field) {
        return Ok((number, None));
    }
    let of_kind = fact.get_field(&kind.field);
    let Some(message) = of_kind.as_message() else { return Ok((number, None)) };
    let happened = || kind.instant_of(message);
    if time.is_some_and(|time| happened().is_none_or(|at| !time.contains(&at))) {
        return Ok((number, None));
    }
    let id = value("id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
    let write_time = kind.fact.get_field_by_name("write_time").and_then(|field| time_of(&fact, &field));
    let version = Cell::Whole(whole("version"));
    let mut row = vec![Cell::text(id), Cell::Whole(number), version, write_time.map_or(Cell::Absent, Cell::Time)];
    kind.fields.cells(Some(message), &mut row);
    Ok((number, Some(row)))
}

/// Rows of the latest batches. A feed tells what was written last as it was told at once, so that a fact which was changed just
/// before it was opened comes as it was, and soon after as it is.
#[derive(Debug, Default)]
struct Held {
    batches: VecDeque<Vec<Option<(i64, Row)>>>,
    /// How many batches went before them.
    gone: usize,
    /// Where the rows are that can still be another's: batch and place in it.
    places: FxHashMap<i64, (usize, usize)>,
    /// What has its row.
    seen: Seen,
}

impl Held {
    /// How many batches are held: twice those that a feed tells from memory.
    const BATCHES: usize = 8;

    /// Takes in a batch; gives the rows of the one that is old enough to stay as it is.
    fn add(&mut self, told: Vec<Told>) -> Vec<Row> {
        let index = self.gone + self.batches.len();
        let mut batch = Vec::with_capacity(told.len());
        for (number, row) in told {
            if self.seen.has(number) {
                continue;
            }
            match self.places.remove(&number) {
                Some((of, place)) if of == index => batch[place] = None,
                Some((of, place)) => self.batches[of - self.gone][place] = None,
                None => {}
            }
            if let Some(row) = row {
                self.places.insert(number, (index, batch.len()));
                batch.push(Some((number, row)));
            }
        }
        self.batches.push_back(batch);
        if self.batches.len() > Self::BATCHES { self.first() } else { Vec::new() }
    }

    /// Gives all rows that are left.
    fn end(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        while !self.batches.is_empty() {
            rows.extend(self.first());
        }
        rows
    }

    fn first(&mut self) -> Vec<Row> {
        let first = self.batches.pop_front().unwrap_or_default();
        self.gone += 1;
        let mut rows = Vec::with_capacity(first.len());
        for (number, row) in first.into_iter().flatten() {
            self.places.remove(&number);
            self.seen.add(number);
            rows.push(row);
        }
        rows
    }
}

/// What of a feed that can not be read is told. The service's own words stay here.
fn lost<F: Feed>(status: Option<&Status>) -> Error {
    let source = F::SOURCE.name();
    tracing::debug!(
        source,
        code = status.map(|status| tracing::field::debug(status.code())),
        "an export lost the feed"
    );
    let message = format!("the facts of {source} can not be read: its service can not be reached, or stops");
    Error::Unavailable { reason: "SOURCE_UNREACHABLE", message }
}

/// The numbers of facts that have a row: a bit for each, and little more where they are dense. A fact that is changed while it is
/// exported comes again.
#[derive(Debug, Default)]
struct Seen(FxHashMap<i64, u64>);

impl Seen {
    fn add(&mut self, number: i64) {
        *self.0.entry(number.div_euclid(64)).or_default() |= 1 << number.rem_euclid(64);
    }

    fn has(&self, number: i64) -> bool {
        self.0.get(&number.div_euclid(64)).is_some_and(|bits| bits & (1 << number.rem_euclid(64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(rows: &[Row]) -> Vec<&Cell> {
        rows.iter().map(|row| &row[0]).collect()
    }

    proptest! {
        /// However it is cut into batches: each fact once, as it was told last within so many batches, in the order of that.
        #[test]
        fn each_fact_comes_once_as_it_was_told_last(
            told in prop::collection::vec(prop::collection::vec((0_i64..30, prop::option::of(0_i64..9)), 0..12), 0..8),
        ) {
            let mut held = Held::default();
            let mut rows = Vec::new();
            for batch in &told {
                let row = |value: i64, number: i64| vec![Cell::Whole(number), Cell::Whole(value)];
                let batch = batch.iter().map(|(number, value)| (*number, value.map(|value| row(value, *number))));
                rows.extend(held.add(batch.collect()));
            }
            prop_assert!(rows.is_empty(), "all may still change");
            rows.extend(held.end());
            let all = told.concat();
            let last = all.iter().enumerate().filter(|(at, (number, _))| all[at + 1..].iter().all(|(other, _)| other != number));
            let expected: Vec<Row> = last
                .filter_map(|(_, (number, value))| Some(vec![Cell::Whole(*number), Cell::Whole((*value)?)]))
                .collect();
            prop_assert_eq!(rows, expected);
        }
    }

    #[test]
    fn what_has_its_row_stays_as_it_is() {
        let mut held = Held::default();
        let row = |number: i64| (number, Some(vec![Cell::Whole(number)]));
        held.add(vec![row(1), row(2)]);
        for number in 10..17 {
            assert!(held.add(vec![row(number)]).is_empty());
        }
        assert_eq!(numbers(&held.add(vec![row(17), (2, None)])), [&Cell::Whole(1)], "one was withdrawn in time");
        assert!(held.end().len() == 8 && held.add(vec![row(1), (10, None)]).is_empty() && held.end().is_empty());
    }
}
