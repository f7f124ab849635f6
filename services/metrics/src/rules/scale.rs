//! Which scores a kind of survey accepts, and where each of them counts.

use std::ops::RangeInclusive;

/// The scale of a survey. Scales are never mixed in one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scale {
    /// The recommend question, 0 to 10.
    Nps,
    /// Satisfaction, 1 to 5.
    Csat,
    /// Effort or ease, 1 to 7.
    Ces,
}

impl Scale {
    /// Every scale.
    pub const ALL: [Self; 3] = [Self::Nps, Self::Csat, Self::Ces];

    /// The whole numbers that the scale accepts.
    pub fn range(self) -> RangeInclusive<u8> {
        match self {
            Self::Nps => 0..=10,
            Self::Csat => 1..=5,
            Self::Ces => 1..=7,
        }
    }

    /// `value` as a score on this scale, or `None` when the scale does not have it.
    pub fn score(self, value: i64) -> Option<Score> {
        let value = u8::try_from(value).ok().filter(|value| self.range().contains(value))?;
        Some(Score { scale: self, value })
    }

    /// A score written in digits. A sign, a fraction (`6.5`, `7.0`) and blanks are refused: they are no answer of the
    /// scale, and none may get lost between its groups.
    pub fn parse(self, text: &str) -> Option<Score> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.score(text.parse().ok().filter(|_| digits)?)
    }
}

/// A valid answer on its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Score {
    scale: Scale,
    value: u8,
}

impl Score {
    /// The scale it was given on.
    pub fn scale(self) -> Scale {
        self.scale
    }

    /// The number that was answered, within [`Scale::range`].
    pub fn value(self) -> u8 {
        self.value
    }

    /// Promoter, passive or detractor: every answer on the recommend scale is exactly one of them. `None` on others.
    ///
    /// Source: F. Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003.
    pub fn nps_group(self) -> Option<NpsGroup> {
        (self.scale == Scale::Nps).then_some(match self.value {
            9.. => NpsGroup::Promoter,
            7..=8 => NpsGroup::Passive,
            0..=6 => NpsGroup::Detractor,
        })
    }

    /// Whether a satisfaction score is one of the top two, 4 or 5. `None` on other scales.
    pub fn is_top_two(self) -> Option<bool> {
        (self.scale == Scale::Csat).then_some(self.value >= 4)
    }
}

/// Where an answer to the recommend question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NpsGroup {
    /// 9 or 10.
    Promoter,
    /// 7 or 8.
    Passive,
    /// 0 to 6.
    Detractor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_accepts_its_range_and_nothing_else() {
        for (scale, low, high) in [(Scale::Nps, 0, 10), (Scale::Csat, 1, 5), (Scale::Ces, 1, 7)] {
            for value in -300..=300 {
                let score = scale.score(value);
                assert_eq!(score.is_some(), (low..=high).contains(&value), "{scale:?} {value}");
                assert!(score.is_none_or(|score| i64::from(score.value()) == value && score.scale() == scale));
            }
            assert_eq!(scale.score(i64::MIN), None);
            assert_eq!(scale.score(i64::MAX), None);
        }
    }

    #[test]
    fn text_is_a_score_only_in_plain_digits() {
        assert_eq!(Scale::Nps.parse("10"), Scale::Nps.score(10));
        assert_eq!(Scale::Nps.parse("0"), Scale::Nps.score(0));
        for text in ["", " ", "6.5", "7.0", "-1", "+7", "11", "7 ", "١", "1e1", "99999999999999999999"] {
            assert_eq!(Scale::Nps.parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_groups_partition_the_recommend_scale() {
        let groups: Vec<_> = (0..=10).filter_map(|value| Scale::Nps.score(value)?.nps_group()).collect();
        assert_eq!(groups[..7], [NpsGroup::Detractor; 7]);
        assert_eq!(groups[7..9], [NpsGroup::Passive; 2]);
        assert_eq!(groups[9..], [NpsGroup::Promoter; 2]);
    }

    #[test]
    fn the_top_two_are_four_and_five() {
        let top: Vec<_> = (1..=5).filter_map(|value| Scale::Csat.score(value)?.is_top_two()).collect();
        assert_eq!(top, [false, false, false, true, true]);
    }

    #[test]
    fn groups_belong_to_their_own_scale() {
        let effort = Scale::Ces.score(7).expect("in range");
        assert_eq!((effort.nps_group(), effort.is_top_two()), (None, None));
        assert_eq!(Scale::Csat.score(5).expect("in range").nps_group(), None);
        assert_eq!(Scale::Nps.score(5).expect("in range").is_top_two(), None);
    }
}
