//! Small plots made of characters: a point with its interval on an axis, and bars.

/// The characters of a plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    zero: char,
    line: char,
    left: char,
    right: char,
    point: char,
    /// From an eighth to a whole; only the whole in ASCII.
    bars: &'static [char],
    /// Points at what happened.
    pub(super) mark: &'static str,
    /// For what there is none of.
    pub(super) none: &'static str,
}

/// For terminals of today.
pub(super) const UNICODE: Ink = Ink {
    zero: '┊',
    line: '─',
    left: '├',
    right: '┤',
    point: '●',
    bars: &['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    mark: "◂",
    none: "—",
};

/// For files, and terminals that know no others.
pub(super) const ASCII: Ink =
    Ink { zero: ':', line: '-', left: '|', right: '|', point: 'o', bars: &['#'], mark: "<", none: "-" };

/// An axis of whole numbers over a number of columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    columns: usize,
}

impl Axis {
    /// An axis on which all of the values have room, and zero; it ends at multiples of 20.
    pub(super) fn around(values: impl Iterator<Item = f64>, columns: usize) -> Self {
        const STEP: f64 = 20.0;
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        Self { low: (low / STEP).floor() * STEP, high: ((high / STEP).ceil() * STEP).max(STEP), columns }
    }

    fn column(&self, value: f64) -> usize {
        let last = self.columns.saturating_sub(1);
        let share = (value - self.low) / (self.high - self.low);
        let distance = |column: &usize| (*column as f64 / last.max(1) as f64 - share).abs();
        (0..=last).min_by(|one, other| distance(one).total_cmp(&distance(other))).unwrap_or(0)
    }

    /// The numbers at its ends and at zero.
    pub(super) fn scale(&self) -> String {
        let mut line = vec![' '; self.columns];
        for value in [self.low, 0.0, self.high] {
            let text = if value == 0.0 { "0".to_owned() } else { format!("{value:+.0}") };
            let at = self.column(value).min(self.columns.saturating_sub(text.len()));
            text.chars().zip(at..).for_each(|(c, column)| line[column] = c);
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }

    /// A value with its interval.
    pub(super) fn point(&self, ink: &Ink, value: Option<f64>, interval: Option<(f64, f64)>) -> String {
        let mut line = vec![' '; self.columns];
        line[self.column(0.0)] = ink.zero;
        if let Some((low, high)) = interval {
            let (low, high) = (self.column(low), self.column(high));
            line[low..=high].fill(ink.line);
            (line[low], line[high]) = (ink.left, ink.right);
        }
        if let Some(value) = value {
            line[self.column(value)] = ink.point;
        }
        line.into_iter().collect()
    }
}

/// A bar for a part of the most, over so many columns; as wide as it is long.
pub(super) fn bar(ink: &Ink, value: f64, most: f64, columns: usize) -> String {
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    let (steps, whole) = (ink.bars.len(), ink.bars.last().copied().unwrap_or('#'));
    let all = columns * steps;
    // How many of the steps are reached, half ones rounded up.
    let filled = (1..=all).filter(|step| (*step as f64 - 0.5) / all as f64 <= share).count();
    let mut bar: String = std::iter::repeat_n(whole, filled / steps).collect();
    if let Some(rest) = (filled % steps).checked_sub(1) {
        bar.push(ink.bars[rest]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_they_belong() {
        let axis = Axis::around([-31.0, 18.0].into_iter(), 31);
        assert_eq!(axis.scale(), "-40                 0       +20");
        assert_eq!(axis.point(&UNICODE, Some(0.0), Some((-10.0, 10.0))), "               ├────●────┤     ");
        assert_eq!(axis.point(&ASCII, Some(-30.0), Some((-40.0, -20.0))), "|----o----|         :          ");
        assert_eq!(axis.point(&ASCII, None, None).trim(), ":");
        assert_eq!(Axis::around(std::iter::empty(), 9).scale(), "0     +20");
    }

    #[test]
    fn bars_are_as_long_as_their_part() {
        assert_eq!(bar(&UNICODE, 10.0, 10.0, 4), "████");
        assert_eq!(bar(&UNICODE, 5.0, 10.0, 4), "██");
        assert_eq!(bar(&UNICODE, 1.0, 32.0, 4), "▏");
        assert_eq!(bar(&ASCII, 5.0, 10.0, 4), "##");
        assert_eq!((bar(&UNICODE, 0.0, 10.0, 4), bar(&UNICODE, 1.0, 0.0, 4)), (String::new(), String::new()));
    }
}
