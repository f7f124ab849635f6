//! A series of figures, by what it is tested.

use barometer_proto::metrics::v1::trend::Method;
use barometer_statistics::{
    Interval, Level,
    trend::{MAX_PAIRED, MannKendall, Pettitt, Point, SenSlope, TrendError, WeightedChange, WeightedTrend},
};

use crate::{
    catalogue::Metric,
    query::{Figure, evidence::Evidence},
    rules::period::Periods,
};

/// A change of level is looked for in series of so many points or more.
const FEWEST_FOR_TURN: usize = 4;

/// The points of a series that count.
#[derive(Debug)]
pub(super) struct Series {
    /// Which figure each of them is.
    indices: Vec<usize>,
    /// The number of its period, and its value.
    values: Vec<(f64, f64)>,
    /// With the variance of each, where it is known of all.
    weighted: Option<Vec<Point>>,
}

/// By how much a figure rises from period to period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slope {
    pub(crate) slope: f64,
    pub(crate) interval: Interval,
    pub(crate) p_value: Option<f64>,
    pub(crate) fit: Option<f64>,
}

impl Series {
    /// The most points of one without variances, of which all pairs are looked at.
    pub(super) const MAX_RANKED: usize = MAX_PAIRED;

    /// Of figures in the order of time. Partial ones and those without a value are passed over.
    pub(super) fn of(metric: &Metric, figures: &[Figure], periods: &Periods) -> Self {
        let (mut indices, mut values, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
        for (index, figure) in figures.iter().enumerate().filter(|(_, figure)| !figure.partial) {
            let place = periods.index_of(figure.start).and_then(|place| u32::try_from(place).ok());
            let Some((place, value)) = place.zip(figure.measured.value) else { continue };
            indices.push(index);
            values.push((f64::from(place), value));
            evidence.push(figure.measured.evidence);
        }
        let variances = if metric.stands { None } else { variances(&evidence) };
        let points = variances.and_then(|variances| {
            let points = values.iter().zip(variances);
            points.map(|((time, value), variance)| Point::new(*time, *value, variance)).collect::<Option<Vec<_>>>()
        });
        Series { indices, values, weighted: points.filter(|points| !points.is_empty()) }
    }

    /// How many points count.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are more than can be looked at in pairs.
    pub(super) fn is_too_long(&self) -> bool {
        self.weighted.is_none() && self.len() > Self::MAX_RANKED
    }

    /// By what its slope is found.
    pub(super) fn method(&self) -> Method {
        if self.weighted.is_some() { Method::Weighted } else { Method::Sen }
    }

    /// Its slope; `None` below two points.
    pub(super) fn slope(&self, level: Level) -> Option<Slope> {
        if let Some(points) = &self.weighted {
            let WeightedTrend { slope, interval, p_value, fit, .. } = WeightedTrend::of(points, level).ok()?;
            return Some(Slope { slope, interval, p_value: Some(p_value), fit });
        }
        let SenSlope { slope, interval, .. } = SenSlope::of(&self.values, level).ok()?;
        let p_value = match MannKendall::of(&self.plain()) {
            Ok(test) => Some(test.p_value),
            // It stands still.
            Err(TrendError::NoSpread) => Some(1.0),
            Err(_) => None,
        };
        Some(Slope { slope, interval, p_value, fit: None })
    }

    /// The change of level that explains it best: which figure is the first after it, by how much it changed, and the chance
    /// of that.
    pub(super) fn turn(&self) -> Option<(usize, f64, f64)> {
        if self.len() < FEWEST_FOR_TURN {
            return None;
        }
        if let Some(points) = &self.weighted {
            let WeightedChange { before, difference, p_value, .. } = WeightedChange::of(points).ok()?;
            return Some((self.indices[before], difference, p_value.min(1.0)));
        }
        let mut values = self.plain();
        let Pettitt { before, p_value, .. } = Pettitt::of(&values).ok()?;
        let (before_it, after_it) = values.split_at_mut(before);
        let difference = median(after_it)? - median(before_it)?;
        Some((self.indices[before], difference, p_value))
    }

    fn plain(&self) -> Vec<f64> {
        self.values.iter().map(|(_, value)| *value).collect()
    }
}

/// How far each figure may be off by chance, squared. Of scores and shares the variance of one answer is that of all points
/// together: of few answers their own says little, and where these are alike it would say that they are sure. Of times every
/// point has enough to tell its own. `None` where one has none, and where nothing varies.
fn variances(evidence: &[Evidence]) -> Option<Vec<f64>> {
    let of_one = match evidence.iter().copied().reduce(Evidence::merged)? {
        Evidence::None => return None,
        Evidence::Times(_) => {
            let own = |evidence: &Evidence| match evidence {
                Evidence::Times(moments) => moments.squared_error(),
                _ => None,
            };
            return evidence.iter().map(own).collect();
        }
        Evidence::Nps(tally) => {
            let counts = tally.effective()?;
            counts.standard_error().powi(2) * counts.size()
        }
        Evidence::Share(tally) => {
            let share = tally.rate()?;
            share * (100.0 - share)
        }
        Evidence::Scores(tally) => tally.variance()?,
    };
    let size = |evidence: &Evidence| match evidence {
        Evidence::Nps(tally) => tally.effective_size(),
        Evidence::Share(tally) => tally.effective_size(),
        Evidence::Scores(tally) => tally.effective_size(),
        Evidence::Times(_) | Evidence::None => 0.0,
    };
    Some(evidence.iter().map(|evidence| of_one / size(evidence)).collect())
}

/// The middle value, or the mean of the two middle ones. `None` over nothing.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    let above = *values.get(half)?;
    Some(if values.len() % 2 == 1 { above } else { f64::midpoint(values[half - 1], above) })
}
