//! Chance that is the same everywhere: whole numbers from a seed, and streams that do not disturb each other.

/// A stream of chance (SplitMix64: Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

/// All of a probability: chances are given in millionths.
pub const CERTAIN: i64 = 1_000_000;

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chance {
    /// The stream of one purpose of one customer. Streams of different numbers or purposes have nothing in common.
    pub fn new(seed: u64, number: u32, purpose: u64) -> Self {
        Self { state: mix(mix(mix(seed).wrapping_add(u64::from(number)).wrapping_add(STEP)) ^ purpose) }
    }

    /// A whole number of `0..end`; 0 when there is none.
    pub fn below(&mut self, end: i64) -> i64 {
        self.state = self.state.wrapping_add(STEP);
        // What modulo prefers is less than one in a billion, as long as ranges lie below 2^33.
        (mix(self.state) >> 1).cast_signed().checked_rem(end).unwrap_or(0)
    }

    /// A whole number of `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// A whole number of `low..=high`, more often from the middle than from the ends.
    pub fn around(&mut self, low: i64, high: i64) -> i64 {
        (self.between(low, high) + self.between(low, high) + self.between(low, high)) / 3
    }

    /// Whether something of this probability, in millionths, happens.
    pub fn happens(&mut self, millionths: i64) -> bool {
        self.below(CERTAIN) < millionths
    }

    /// One of several, each as likely as its weight.
    pub fn weighted<T: Copy>(&mut self, choices: &[(i64, T)]) -> Option<T> {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        choices.iter().find_map(|(weight, choice)| {
            left -= weight;
            (left < 0).then_some(*choice)
        })
    }

    /// One of several texts, all as likely; empty when there are none.
    pub fn pick(&mut self, texts: &[&'static str]) -> &'static str {
        let index = self.below(i64::try_from(texts.len()).unwrap_or(i64::MAX));
        usize::try_from(index).ok().and_then(|index| texts.get(index)).copied().unwrap_or_default()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_on_every_machine() {
        let mut chance = Chance::new(1, 42, 7);
        let drawn: Vec<i64> = (0..4).map(|_| chance.below(1_000)).collect();
        assert_eq!(drawn, [143, 511, 284, 341]);
        assert_ne!(Chance::new(1, 43, 7).below(CERTAIN), Chance::new(1, 42, 7).below(CERTAIN));
        assert_ne!(Chance::new(2, 42, 7).below(CERTAIN), Chance::new(1, 42, 7).below(CERTAIN));
        assert_ne!(Chance::new(1, 42, 8).below(CERTAIN), Chance::new(1, 42, 7).below(CERTAIN));
    }

    #[test]
    fn what_is_likely_happens_as_often() {
        let mut chance = Chance::new(0, 0, 0);
        let happened = (0..100_000).filter(|_| chance.happens(300_000)).count();
        assert!((29_000..31_000).contains(&happened), "{happened}");
        let heavy = (0..100_000).filter(|_| chance.weighted(&[(1, 'a'), (3, 'b')]) == Some('b')).count();
        assert!((74_000..76_000).contains(&heavy), "{heavy}");
        assert!((0..1_000).all(|_| (-5..=5).contains(&chance.around(-5, 5))));
        assert_eq!((chance.below(0), chance.weighted::<()>(&[]), chance.pick(&[])), (0, None, ""));
    }
}
