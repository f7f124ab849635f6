//! Percentiles of any number of values: exact for as many as can be kept, bounded in their error beyond.
//!
//! Up to [`MAX_EXACT`] values are kept, and percentiles of them are exact. More are counted by buckets: whole numbers
//! up to 1,023 have one each, larger ones share it with those that agree in their ten leading binary digits. So the
//! order statistics are known to within half a bucket, less than 0.1 % of their value, and each answer says between
//! which limits the exact one lies. Minimum and maximum stay exact.
//!
//! What is told depends on the values alone, not on the order or the batches in which they came or were merged, to the
//! last digit. The sketches that spend fewer bytes, KLL and t-digest, cannot say that; those of the same idea count
//! logarithms, which machines may round differently, or take no negative numbers.
//!
//! Sources: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
//! Guarantees", Proceedings of the VLDB Endowment 12 (2019), 2195–2205; the buckets are those of G. Tene's
//! HdrHistogram.
//!
//! ```
//! use barometer_statistics::percentile::Percentiles;
//!
//! let durations: Percentiles = [50, 15, 40, 20, 35].into_iter().collect();
//! let median = &durations.at(&[0.5]).expect("values")[0];
//! assert_eq!((median.value, median.lowest, median.highest), (35.0, 35.0, 35.0));
//! ```

use std::collections::BTreeMap;

use crate::number::floor;

/// The most values that are kept one by one, in 0.8 MB. Buckets take up to about as much, whatever they count, and
/// twice that when half the values are negative.
pub const MAX_EXACT: usize = 100_000;

/// The part of its value by which an order statistic of more than [`MAX_EXACT`] values is off at most: 2⁻¹⁰.
pub const RELATIVE_ERROR: f64 = 1.0 / 1_024.0;

/// Binary digits behind the leading one by which buckets differ.
const DIGITS: u32 = 9;

/// Values of which percentiles are wanted, in any whole unit, such as durations in microseconds.
#[derive(Debug, Clone)]
pub struct Percentiles {
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    /// In any order.
    Values(Vec<i64>),
    Buckets(Buckets),
}

#[derive(Debug, Clone)]
struct Buckets {
    size: u64,
    smallest: i64,
    largest: i64,
    counts: BTreeMap<i32, u64>,
}

/// A percentile, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// The percentile, or what is told in its place.
    pub value: f64,
    /// The exact percentile is not below this.
    pub lowest: f64,
    /// The exact percentile is not above this.
    pub highest: f64,
}

impl Percentiles {
    /// Of no values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub fn add(&mut self, value: i64) {
        match &mut self.kept {
            Kept::Values(values) if values.len() < MAX_EXACT => values.push(value),
            Kept::Values(values) => {
                let mut buckets = Buckets::of(value);
                values.iter().for_each(|value| buckets.add(*value));
                self.kept = Kept::Buckets(buckets);
            }
            Kept::Buckets(buckets) => buckets.add(value),
        }
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.kept, &other.kept) {
            (_, Kept::Values(values)) => values.iter().for_each(|value| self.add(*value)),
            (Kept::Buckets(buckets), Kept::Buckets(others)) => buckets.merge(others),
            (Kept::Values(values), Kept::Buckets(others)) => {
                let mut buckets = others.clone();
                values.iter().for_each(|value| buckets.add(*value));
                self.kept = Kept::Buckets(buckets);
            }
        }
    }

    /// How many values there are.
    pub fn size(&self) -> u64 {
        match &self.kept {
            Kept::Values(values) => values.len() as u64,
            Kept::Buckets(buckets) => buckets.size,
        }
    }

    /// Whether percentiles are exact.
    pub fn is_exact(&self) -> bool {
        matches!(self.kept, Kept::Values(_))
    }

    /// All values in ascending order, as long as they are kept one by one.
    pub fn sorted(&self) -> Option<Vec<i64>> {
        let Kept::Values(values) = &self.kept else { return None };
        let mut sorted = values.clone();
        sorted.sort_unstable();
        Some(sorted)
    }

    /// The percentiles at these shares, 0 to 1: of n values x₀ ≤ x₁ ≤ … the one at (n − 1)·share, and between two of
    /// them in proportion (type 7 of Hyndman and Fan). `None` over nothing, and when a share is none.
    ///
    /// Source: R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996),
    /// 361–365.
    pub fn at(&self, shares: &[f64]) -> Option<Vec<Percentile>> {
        let last = self.size().checked_sub(1)?;
        if !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
            return None;
        }
        let between = |share: f64, order: &dyn Fn(u64) -> Percentile| {
            let place = share * last as f64;
            let index = floor(place).min(last);
            let (below, above) = (order(index), order((index + 1).min(last)));
            let part = place - index as f64;
            let mix = |below: f64, above: f64| if part == 0.0 { below } else { below + (above - below) * part };
            Percentile {
                value: mix(below.value, above.value),
                lowest: mix(below.lowest, above.lowest),
                highest: mix(below.highest, above.highest),
            }
        };
        match &self.kept {
            Kept::Values(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                let exact = |index: u64| {
                    let value = sorted[usize::try_from(index).unwrap_or(usize::MAX)] as f64;
                    Percentile { value, lowest: value, highest: value }
                };
                Some(shares.iter().map(|share| between(*share, &exact)).collect())
            }
            Kept::Buckets(buckets) => {
                Some(shares.iter().map(|share| between(*share, &|index| buckets.order_statistic(index))).collect())
            }
        }
    }
}

impl Default for Percentiles {
    fn default() -> Self {
        Self { kept: Kept::Values(Vec::new()) }
    }
}

impl Extend<i64> for Percentiles {
    fn extend<I: IntoIterator<Item = i64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

impl FromIterator<i64> for Percentiles {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Self {
        let mut percentiles = Self::new();
        percentiles.extend(values);
        percentiles
    }
}

impl Buckets {
    fn of(value: i64) -> Self {
        Self { size: 1, smallest: value, largest: value, counts: BTreeMap::from([(bucket(value), 1)]) }
    }

    fn add(&mut self, value: i64) {
        self.size += 1;
        self.smallest = self.smallest.min(value);
        self.largest = self.largest.max(value);
        *self.counts.entry(bucket(value)).or_default() += 1;
    }

    fn merge(&mut self, other: &Self) {
        let Self { size, smallest, largest, counts } = other;
        self.size += size;
        self.smallest = self.smallest.min(*smallest);
        self.largest = self.largest.max(*largest);
        counts.iter().for_each(|(bucket, count)| *self.counts.entry(*bucket).or_default() += count);
    }

    /// The value at an index of all in ascending order, to within its bucket.
    fn order_statistic(&self, index: u64) -> Percentile {
        let mut below = 0;
        let holds = |(_, count): &(&i32, &u64)| {
            below += **count;
            below > index
        };
        let (smallest, largest) = (i128::from(self.smallest), i128::from(self.largest));
        let (mut lowest, mut highest) =
            self.counts.iter().find(holds).map_or((largest, largest), |(of, _)| limits(*of));
        if index == 0 {
            highest = smallest;
        }
        if index + 1 == self.size {
            lowest = largest;
        }
        let (lowest, highest) = (lowest.max(smallest) as f64, highest.min(largest) as f64);
        Percentile { value: f64::midpoint(lowest, highest), lowest, highest }
    }
}

/// The bucket of a value. Buckets ascend with the values.
fn bucket(value: i64) -> i32 {
    let magnitude = value.unsigned_abs();
    let shift = (u64::BITS - magnitude.leading_zeros()).saturating_sub(DIGITS + 1);
    // At most 54·2⁹ + 2¹⁰.
    let index = i32::try_from((u64::from(shift) << DIGITS) + (magnitude >> shift)).unwrap_or(i32::MAX);
    if value < 0 { -index } else { index }
}

/// The smallest and the largest value of a bucket.
fn limits(bucket: i32) -> (i128, i128) {
    let index = bucket.unsigned_abs();
    let shift = (index >> DIGITS).saturating_sub(1);
    let leading = i128::from(index - (shift << DIGITS));
    let (nearest, furthest) = (leading << shift, ((leading + 1) << shift) - 1);
    if bucket < 0 { (-furthest, -nearest) } else { (nearest, furthest) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn many(values: impl IntoIterator<Item = i64>) -> Percentiles {
        let mut buckets: Option<Buckets> = None;
        for value in values {
            match &mut buckets {
                Some(buckets) => buckets.add(value),
                None => buckets = Some(Buckets::of(value)),
            }
        }
        Percentiles { kept: Kept::Buckets(buckets.unwrap()) }
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        let few: Percentiles = [50, 15, 40, 20, 35].into_iter().collect();
        let found = few.at(&[0.0, 0.05, 0.3, 0.4, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0]).unwrap();
        for (found, expected) in found.iter().zip([15.0, 16.0, 23.0, 29.0, 35.0, 40.0, 46.0, 48.0, 49.6, 50.0]) {
            assert!((found.value - expected).abs() < 1e-12, "{found:?}, not {expected}");
        }
    }

    #[test]
    fn nothing_one_equal_values_and_no_shares() {
        assert_eq!(Percentiles::new().at(&[0.5]), None);
        let one: Percentiles = [7].into_iter().collect();
        let seven = Percentile { value: 7.0, lowest: 7.0, highest: 7.0 };
        assert_eq!((one.at(&[0.0, 0.3, 1.0]), one.at(&[])), (Some(vec![seven; 3]), Some(vec![])));
        for share in [-0.1, 1.1, f64::NAN] {
            assert_eq!(one.at(&[share]), None);
        }
        let equal = many([123_456_789; 9]).at(&[0.0, 0.5, 1.0]).unwrap();
        assert!(equal.iter().all(|of| of.lowest == 123_456_789.0 && of.highest == of.lowest), "{equal:?}");
    }

    #[test]
    fn the_ends_are_exact_also_where_others_share_their_bucket() {
        let found = many([5_000_001, 5_000_900, 8_999_999_990, 9_000_000_001]).at(&[0.0, 1.0]).unwrap();
        for (found, exact) in found.iter().zip([5_000_001.0, 9_000_000_001.0]) {
            assert_eq!((found.value, found.lowest, found.highest), (exact, exact, exact));
        }
    }

    #[test]
    fn buckets_follow_one_another_without_gap() {
        let most = bucket(i64::MAX);
        assert!((27_000..29_000).contains(&most), "{most}");
        for bucket in -most..most {
            assert_eq!(limits(bucket).1 + 1, limits(bucket + 1).0, "{bucket}");
        }
        assert_eq!((limits(0), limits(1_023), limits(1_024)), ((0, 0), (1_023, 1_023), (1_024, 1_025)));
        assert_eq!(limits(most).1, i128::from(i64::MAX));
    }

    #[test]
    fn one_more_than_can_be_kept() {
        let mut percentiles: Percentiles = (0..100_000).collect();
        assert!(percentiles.is_exact());
        percentiles.add(100_000);
        assert!(!percentiles.is_exact() && percentiles.size() == 100_001);
        let found = percentiles.at(&[0.0, 0.25, 0.999, 1.0]).unwrap();
        assert_eq!((found[0].value, found[3].value), (0.0, 100_000.0));
        assert!((found[1].value / 25_000.0 - 1.0).abs() <= RELATIVE_ERROR, "{found:?}");
        assert!(found[1].lowest <= 25_000.0 && found[1].highest >= 25_000.0, "{found:?}");
        assert!((found[2].value / 99_900.0 - 1.0).abs() <= RELATIVE_ERROR, "{found:?}");
    }

    fn value() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -3_000_i64..3_000, 0_i64..10_000_000_000, Just(i64::MIN), Just(i64::MAX)]
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket(value in value()) {
            let (lowest, highest) = limits(bucket(value));
            let of = i128::from(value);
            prop_assert!(lowest <= of && of <= highest);
            let nearest = lowest.unsigned_abs().min(highest.unsigned_abs());
            prop_assert!((highest - lowest).unsigned_abs() * 512 <= nearest);
        }

        #[test]
        fn the_exact_percentile_lies_within_the_limits(
            values in prop::collection::vec(value(), 1..80), share in 0.0..=1.0,
        ) {
            let exact = values.iter().copied().collect::<Percentiles>().at(&[share]).unwrap()[0].value;
            let found = many(values.iter().copied()).at(&[share]).unwrap()[0];
            let rounding = 1e-12 * exact.abs().max(found.value.abs());
            prop_assert!(found.lowest <= exact + rounding && exact <= found.highest + rounding, "{found:?} {exact}");
            prop_assert!(found.lowest <= found.value && found.value <= found.highest);
            if values.iter().all(|value| *value >= 0) {
                prop_assert!((found.value - exact).abs() <= RELATIVE_ERROR * exact + rounding);
            }
        }

        #[test]
        fn neither_order_nor_batches_matter(
            values in prop::collection::vec(value(), 3..60).prop_shuffle(), cut in 0_usize..60, kept in any::<bool>(),
        ) {
            let of = |values: &[i64]| {
                if kept || values.is_empty() { values.iter().copied().collect() } else { many(values.iter().copied()) }
            };
            let merged = |mut one: Percentiles, other: &Percentiles| { one.merge(other); one };
            let shares = [0.0, 0.1, 0.5, 0.99, 1.0];
            let cut = cut.min(values.len());
            let (left, right) = values.split_at(cut);
            let whole = of(&values);
            prop_assert_eq!(merged(of(left), &of(right)).at(&shares), whole.at(&shares));
            prop_assert_eq!(merged(of(right), &of(left)).at(&shares), whole.at(&shares));
            let (middle, end) = right.split_at(right.len() / 2);
            let one = merged(merged(of(left), &of(middle)), &of(end));
            let other = merged(of(left), &merged(of(middle), &of(end)));
            prop_assert_eq!(one.at(&shares), other.at(&shares));
        }
    }
}
