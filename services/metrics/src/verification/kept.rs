//! What came of the last verifications, for as long as the process lives.

use std::collections::VecDeque;

use barometer_chassis::door::{Page, PageToken};
use barometer_proto::metrics::v1 as wire;
use prost::Message;
use uuid::Uuid;

/// How many are kept.
const MOST: usize = 100;
/// Of how many bytes, together.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The last verifications.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The latest last, each with its number.
    verifications: VecDeque<(i64, wire::Verification)>,
    bytes: usize,
    numbered: i64,
}

impl Kept {
    /// Keeps one more, and forgets what is too old then.
    pub(crate) fn add(&mut self, verification: wire::Verification) {
        self.numbered += 1;
        self.bytes += verification.encoded_len();
        self.verifications.push_back((self.numbered, verification));
        while self.verifications.len() > MOST || self.verifications.len() > 1 && self.bytes > MOST_BYTES {
            let Some((_, oldest)) = self.verifications.pop_front() else { return };
            self.bytes -= oldest.encoded_len();
        }
    }

    /// The one of this id.
    pub(crate) fn find(&self, id: Uuid) -> Option<wire::Verification> {
        let id = id.to_string();
        let found = self.verifications.iter().find(|(_, verification)| verification.verification_id == id);
        found.map(|(_, verification)| verification.clone())
    }

    /// A page of them, the latest first, without the differences; and the token of the next one.
    pub(crate) fn page(&self, page: &Page) -> (Vec<wire::Verification>, String) {
        let before = |number: i64| page.after.is_none_or(|after| number < after.key);
        let older = self.verifications.iter().rev().filter(|(number, _)| before(*number)).collect();
        let (some, next) = page.cut(older, |(number, _)| PageToken { key: *number, id: Uuid::nil() });
        (some.into_iter().map(|(_, verification)| without_differences(verification)).collect(), next)
    }
}

fn without_differences(verification: &wire::Verification) -> wire::Verification {
    let metric = |metric: &wire::MetricVerification| wire::MetricVerification {
        metric: metric.metric.clone(),
        error: metric.error.clone(),
        ways: metric.ways.clone(),
        differences: Vec::new(),
        ..*metric
    };
    wire::Verification {
        verification_id: verification.verification_id.clone(),
        error: verification.error.clone(),
        sources: verification.sources.clone(),
        metrics: verification.metrics.iter().map(metric).collect(),
        ..*verification
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verification(number: u128, error: String) -> wire::Verification {
        let metric = wire::MetricVerification { differences: vec![Default::default()], ..Default::default() };
        wire::Verification {
            verification_id: Uuid::from_u128(number).to_string(),
            error,
            metrics: vec![metric],
            ..Default::default()
        }
    }

    #[test]
    fn the_last_are_kept_and_told_in_pages_the_latest_first() {
        let mut kept = Kept::default();
        (0..250).for_each(|number| kept.add(verification(number, String::new())));
        assert!(kept.find(Uuid::from_u128(149)).is_none());
        assert_eq!(kept.find(Uuid::from_u128(150)), Some(verification(150, String::new())));
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let (some, next) = kept.page(&Page { size: 30, after });
            assert!(some.iter().all(|one| one.metrics[0].differences.is_empty()));
            ids.extend(some.into_iter().map(|one| one.verification_id));
            after = barometer_chassis::door::Door::open(|door| door.page(30, &next)).expect("a page").after;
            if next.is_empty() {
                break;
            }
        }
        let expected: Vec<_> = (150..250).rev().map(|number| Uuid::from_u128(number).to_string()).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn what_is_too_large_is_forgotten_but_for_the_latest() {
        let mut kept = Kept::default();
        (0..3).for_each(|number| kept.add(verification(number, "x".repeat(MOST_BYTES / 2))));
        assert_eq!(kept.verifications.len(), 1);
        kept.add(verification(3, "x".repeat(MOST_BYTES * 2)));
        assert_eq!(kept.page(&Page { size: 9, after: None }).0.len(), 1);
        kept.add(verification(4, String::new()));
        assert_eq!((kept.verifications.len(), kept.bytes), (1, verification(4, String::new()).encoded_len()));
    }
}
