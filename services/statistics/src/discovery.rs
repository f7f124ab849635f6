//! Which of many differences to believe: the false discovery rate of Benjamini and Hochberg.
//!
//! Of 1,000 groups in which nothing changed, 50 have a p-value below 5 %. Adjusted, all groups with a p-value of at
//! most q form a list of which on average at most the share q are false alarms:
//!
//! ```
//! use barometer_statistics::discovery::adjusted_p_values;
//!
//! let adjusted = adjusted_p_values(&[0.01, 0.04, 0.03, 0.9]).expect("p-values");
//! assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 1);
//! ```

/// The adjusted p-value of each test, in the order given: min over j ≥ i of p₍ⱼ₎·m/j, at most 1, where p₍ᵢ₎ is the i-th
/// smallest of the m. Equal p-values stay equal. Empty for no tests; `None` when one is not within 0 to 1.
///
/// The rate holds for tests that are independent or positively dependent, as those of disjoint groups are. Groups that
/// could not be tested are left out of the list, not counted as 1.
///
/// Source: Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate: a Practical and Powerful Approach to
/// Multiple Testing", Journal of the Royal Statistical Society B 57 (1995), 289–300.
pub fn adjusted_p_values(p_values: &[f64]) -> Option<Vec<f64>> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (place, index) in order.into_iter().enumerate().rev() {
        let rank = (place + 1) as f64;
        smallest = smallest.min(p_values[index] * (p_values.len() as f64 / rank));
        adjusted[index] = smallest;
    }
    Some(adjusted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fifteen tests of the paper's example, of which four are discoveries at 5 %.
    #[test]
    fn published_example() {
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let adjusted = adjusted_p_values(&p_values).unwrap();
        assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
        for (found, expected) in adjusted.iter().zip([0.0015, 0.003, 0.0095, 0.035_625, 0.0603, 0.063_857_142_857]) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
    }

    #[test]
    fn none_one_and_no_p_values() {
        assert_eq!(adjusted_p_values(&[]), Some(vec![]));
        assert_eq!(adjusted_p_values(&[0.3]), Some(vec![0.3]));
        assert_eq!(adjusted_p_values(&[0.3, f64::NAN]), None);
        assert_eq!(adjusted_p_values(&[0.3, 1.1]), None);
        assert_eq!(adjusted_p_values(&[-0.1]), None);
        assert_eq!(adjusted_p_values(&[0.5; 3]), Some(vec![0.5; 3]));
    }

    proptest! {
        #[test]
        fn the_list_is_that_of_the_step_up_procedure(
            p_values in prop::collection::vec(0.0..=1.0, 1..60), q in 0.001..1.0,
        ) {
            let adjusted = adjusted_p_values(&p_values).unwrap();
            let mut sorted = p_values.clone();
            sorted.sort_by(f64::total_cmp);
            let tests = sorted.len() as f64;
            let last = (1..=sorted.len()).rev().find(|k| sorted[k - 1] * (tests / *k as f64) <= q);
            let cut = last.map_or(-1.0, |k| sorted[k - 1]);
            for (p, adjusted) in p_values.iter().zip(&adjusted) {
                prop_assert_eq!(*adjusted <= q, *p <= cut);
                prop_assert!(p <= adjusted && *adjusted <= 1.0);
            }
        }
    }
}
