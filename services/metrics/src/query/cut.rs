//! Filtering and grouping of rows.

use std::rc::Rc;

use barometer_chassis::error::Error;
use rustc_hash::FxHashMap;

use super::{
    Condition, Name,
    dimension::{Dimension, Reader, Table, through},
    too_many_rows,
};
use crate::columns::{Facts, attributes::Attribute, days::Combination, dictionary::EMPTY, purchases::Purchases};

const NO_GROUP: u32 = u32::MAX;

/// Filters and groups of one metric, made for one table.
///
/// Groups are numbered as they appear. The group of a row is found dimension by dimension: by the group so far and the
/// code of the next dimension.
#[derive(Debug)]
pub(crate) struct Cutter<'f> {
    filters: Vec<Filter<'f>>,
    levels: Vec<Level<'f>>,
    /// Conditions on the parts of purchases, and grouping by them, which comes last.
    part_filters: Vec<Filter<'f>>,
    part_level: Option<Level<'f>>,
    max_groups: usize,
    scratch: Vec<u32>,
    spare: (Vec<u32>, Vec<u32>),
}

/// The groups that appeared, by their numbers: the dimensions and values of each.
#[derive(Clone, Debug)]
pub(crate) struct Groups(Rc<[Name]>);

impl Groups {
    /// The names of the groups, by number.
    pub(crate) fn names(&self) -> &[Name] {
        &self.0
    }
}

impl From<&Cutter<'_>> for Groups {
    fn from(cutter: &Cutter<'_>) -> Self {
        Groups((0..u32::try_from(cutter.groups()).unwrap_or(NO_GROUP)).map(|group| cutter.name(group)).collect())
    }
}

impl From<&Groups> for Groups {
    fn from(groups: &Groups) -> Self {
        groups.clone()
    }
}

/// A row, or a part of it, in its group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) row: u32,
    pub(crate) group: u32,
    /// What the part came to, in micro-units.
    pub(crate) amount: i64,
}

#[derive(Debug)]
struct Filter<'f> {
    dimension: Dimension<'f>,
    /// By code.
    passes: Vec<bool>,
    exclude: bool,
}

impl<'f> Cutter<'f> {
    /// A cutter for a table.
    pub(crate) fn new(
        facts: &'f Facts,
        table: Table,
        filters: &[Condition],
        group_by: &[String],
        max_groups: usize,
    ) -> Self {
        let find = |name: &String| Dimension::find(facts, table, name);
        let is_part = |dimension: &Dimension<'_>| matches!(dimension.reader, Reader::Parts);
        let filters = filters.iter().map(|condition| {
            let dimension = find(&condition.dimension);
            let mut passes = dimension.among(&condition.values);
            passes.iter_mut().for_each(|passes| *passes ^= condition.exclude);
            Filter { dimension, passes, exclude: condition.exclude }
        });
        let (part_filters, filters) = filters.partition(|filter| is_part(&filter.dimension));
        let levels = group_by.iter().map(find).map(Level::new);
        let (mut part_levels, levels): (Vec<_>, Vec<_>) = levels.partition(|level| is_part(&level.dimension));
        Cutter {
            filters,
            levels,
            part_filters,
            part_level: part_levels.pop(),
            max_groups,
            scratch: Vec::new(),
            spare: Default::default(),
        }
    }

    /// How many groups have appeared. Without dimensions to group by there is the one group of everything.
    pub(crate) fn groups(&self) -> usize {
        self.part_level.as_ref().or(self.levels.last()).map_or(1, |level| level.members.len())
    }

    /// The dimensions and values of a group.
    pub(crate) fn name(&self, group: u32) -> Name {
        let mut names = Vec::new();
        let mut at = group;
        for level in self.levels.iter().chain(&self.part_level).rev() {
            let (parent, code) = level.members[at as usize];
            names.push((level.dimension.name.clone(), level.dimension.text(code).to_owned()));
            at = parent;
        }
        names.reverse();
        names
    }

    /// Whether everything passes, and is in one group.
    pub(crate) fn is_of_all(&self) -> bool {
        let Cutter { filters, levels, part_filters, part_level, .. } = self;
        filters.is_empty() && levels.is_empty() && part_filters.is_empty() && part_level.is_none()
    }

    /// The columns of answers that tell, together with the survey, whether an answer passes and in which group it is; nothing
    /// where more is needed for that.
    pub(crate) fn combination(&self) -> Option<Combination<'f>> {
        let filters = self.filters.iter().map(|filter| &filter.dimension);
        let mut columns = Vec::new();
        for dimension in filters.chain(self.levels.iter().map(|level| &level.dimension)) {
            match &dimension.reader {
                Reader::Column(codes) => columns.push((dimension.name.clone(), *codes)),
                Reader::OfSurvey { .. } => {}
                _ => return None,
            }
        }
        Some(Combination::new(columns))
    }

    /// The attributes by whose changes a row moves from group to group.
    pub(crate) fn dated(&self) -> Vec<Attribute> {
        let filters = self.filters.iter().map(|filter| &filter.dimension);
        let levels = self.levels.iter().map(|level| &level.dimension);
        filters.chain(levels).filter_map(|dimension| dimension.reader.dated()).collect()
    }

    /// Keeps the rows that pass, and gives each its group; a row of several groups comes several times.
    ///
    /// Errors: INVALID when there are more groups than an answer may have.
    pub(crate) fn cut(
        &mut self,
        rows: &mut Vec<u32>,
        groups: &mut Vec<u32>,
        at: impl Fn(u32) -> i64 + Copy,
    ) -> Result<(), Error> {
        for filter in &self.filters {
            filter.keep(rows, at, &mut self.scratch);
        }
        groups.clear();
        groups.resize(rows.len(), 0);
        for level in &mut self.levels {
            if level.dimension.reader.is_many() {
                level.spread(rows, groups, at, &mut self.scratch, &mut self.spare);
            } else {
                level.assign(rows, groups, at);
            }
        }
        self.check()
    }

    /// Divides purchases into their parts where category is asked about; else each is one piece.
    pub(crate) fn divide(
        &mut self,
        purchases: &Purchases,
        rows: &[u32],
        groups: &[u32],
        into: &mut Vec<Piece>,
    ) -> Result<(), Error> {
        into.clear();
        let whole = self.part_level.is_none() && self.part_filters.is_empty();
        for (row, group) in rows.iter().copied().zip(groups.iter().copied()) {
            if whole {
                into.push(Piece { row, group, amount: purchases.amounts[row as usize] });
                continue;
            }
            let passing = |code: u32| self.part_filters.iter().all(|filter| filter.passes_code(code));
            let parts = purchases.parts_of(row).filter(|part| passing(part.category));
            match &mut self.part_level {
                Some(level) => into.extend(parts.map(|part| {
                    let group = level.child(group, part.category);
                    Piece { row, group, amount: part.amount }
                })),
                None => {
                    let amount = parts.map(|part| part.amount).reduce(i64::saturating_add);
                    into.extend(amount.map(|amount| Piece { row, group, amount }));
                }
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        let most = self.levels.iter().chain(&self.part_level).map(|level| level.members.len()).max();
        if most.is_some_and(|most| most > self.max_groups) { Err(too_many_rows()) } else { Ok(()) }
    }
}

impl Filter<'_> {
    fn passes_code(&self, code: u32) -> bool {
        // A text that came later than the filter was made has no code in it.
        self.passes.get(code as usize).copied().unwrap_or(self.exclude)
    }

    fn keep(&self, rows: &mut Vec<u32>, at: impl Fn(u32) -> i64, scratch: &mut Vec<u32>) {
        match &self.dimension.reader {
            Reader::Column(codes) => {
                rows.retain(|row| self.passes_code(codes.get(*row as usize).copied().unwrap_or(EMPTY)));
            }
            reader if reader.is_many() => rows.retain(|row| {
                scratch.clear();
                reader.many(*row, at(*row), scratch);
                let mut codes = scratch.iter();
                // One of the values is enough to be let in, and one is enough to be kept out.
                if self.exclude {
                    codes.all(|code| self.passes_code(*code))
                } else {
                    codes.any(|code| self.passes_code(*code))
                }
            }),
            reader => rows.retain(|row| self.passes_code(reader.one(*row, at(*row)))),
        }
    }
}

/// One dimension to group by.
#[derive(Debug)]
struct Level<'f> {
    dimension: Dimension<'f>,
    /// The group of each code under parent 0, the only one of the first dimension.
    firsts: Vec<u32>,
    /// The groups under other parents, by parent and code.
    others: FxHashMap<(u32, u32), u32>,
    /// Parent and code of each group.
    members: Vec<(u32, u32)>,
}

impl<'f> Level<'f> {
    fn new(dimension: Dimension<'f>) -> Self {
        Level { dimension, firsts: Vec::new(), others: FxHashMap::default(), members: Vec::new() }
    }

    fn child(&mut self, parent: u32, code: u32) -> u32 {
        let next = u32::try_from(self.members.len()).unwrap_or(NO_GROUP);
        let group = if parent == 0 {
            let index = code as usize;
            if index >= self.firsts.len() {
                self.firsts.resize(index + 1, NO_GROUP);
            }
            let group = &mut self.firsts[index];
            if *group == NO_GROUP {
                *group = next;
            }
            *group
        } else {
            *self.others.entry((parent, code)).or_insert(next)
        };
        if group == next {
            self.members.push((parent, code));
        }
        group
    }

    fn assign(&mut self, rows: &[u32], groups: &mut [u32], at: impl Fn(u32) -> i64) {
        // The reader is borrowed while groups are added.
        let dimension = std::mem::replace(&mut self.dimension.reader, Reader::Parts);
        match &dimension {
            Reader::OfSurvey { surveys, codes } => {
                for (row, group) in rows.iter().zip(groups) {
                    let code = codes.get(surveys[*row as usize] as usize).copied().unwrap_or(EMPTY);
                    *group = self.child(*group, code);
                }
            }
            Reader::Through { numbers, codes } => {
                for (row, group) in rows.iter().zip(groups) {
                    *group = self.child(*group, through(numbers, codes, *row as usize));
                }
            }
            Reader::Column(codes) => {
                for (row, group) in rows.iter().zip(groups) {
                    *group = self.child(*group, codes.get(*row as usize).copied().unwrap_or(EMPTY));
                }
            }
            reader => {
                for (row, group) in rows.iter().zip(groups) {
                    *group = self.child(*group, reader.one(*row, at(*row)));
                }
            }
        }
        self.dimension.reader = dimension;
    }

    fn spread(
        &mut self,
        rows: &mut Vec<u32>,
        groups: &mut Vec<u32>,
        at: impl Fn(u32) -> i64,
        codes: &mut Vec<u32>,
        spare: &mut (Vec<u32>, Vec<u32>),
    ) {
        spare.0.clear();
        spare.1.clear();
        for (row, parent) in rows.iter().copied().zip(groups.iter().copied()) {
            codes.clear();
            self.dimension.reader.many(row, at(row), codes);
            for code in codes.iter() {
                spare.0.push(row);
                spare.1.push(self.child(parent, *code));
            }
        }
        std::mem::swap(rows, &mut spare.0);
        std::mem::swap(groups, &mut spare.1);
    }
}
