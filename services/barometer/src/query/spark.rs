//! Series in a line of text.

/// From the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Bars of a line; of longer series each is the mean of some points.
const WIDTH: usize = 60;

/// A bar for each value, as high as it lies between the lowest and the highest of them; a blank where there is none. Equal
/// values are of middle height.
pub(super) fn bars(values: &[Option<f64>]) -> Vec<char> {
    let known = || values.iter().flatten().copied();
    let (lowest, highest) = (known().fold(f64::MAX, f64::min), known().fold(f64::MIN, f64::max));
    let bar = |value: f64| {
        // 0 to 1; halves keep sums of the greatest numbers within them.
        let height = (value / 2.0 - lowest / 2.0) / (highest / 2.0 - lowest / 2.0);
        // The highest bar of those whose share of the height is reached; none where all are equal.
        let reached = (1..8_u8).filter(|step| height * 8.0 >= f64::from(*step)).count();
        BARS[if height.is_nan() { 3 } else { reached }]
    };
    values.iter().map(|value| value.map_or(' ', bar)).collect()
}

/// The values as one line.
pub(super) fn line(values: &[Option<f64>]) -> String {
    let each = values.len().div_ceil(WIDTH).max(1);
    let mean = |some: &[Option<f64>]| {
        let (sum, count) = some.iter().flatten().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    let means: Vec<_> = values.chunks(each).map(mean).collect();
    bars(&means).into_iter().collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_values() {
        let values = |of: &[f64]| of.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(line(&values(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])), "▁▂▃▄▅▆▇█");
        assert_eq!(line(&values(&[-50.0, 100.0, 25.0])), "▁█▅");
        assert_eq!(line(&[Some(1.0), None, Some(2.0)]), "▁ █");
        assert_eq!(line(&values(&[3.0, 3.0])), "▄▄");
        assert_eq!((line(&[]), line(&[None])), (String::new(), " ".to_owned()));
        assert_eq!(line(&values(&[f64::MIN, f64::MAX])), "▁█");
        // Two hundred days in fifty bars.
        let long: Vec<_> = (0..200_u8).map(|day| Some(f64::from(day))).collect();
        assert_eq!(line(&long).chars().count(), 50);
    }
}
