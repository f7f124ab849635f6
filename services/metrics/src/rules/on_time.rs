//! Whether something was done within a limit, as far as can be said by now.

/// How a limit came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done in time.
    OnTime,
    /// Done too late, or not done although the time is up.
    Late,
    /// Not done, and there is time left.
    Waiting,
}

/// How the limit came out of what began at `start`. All instants and the limit are microseconds.
///
/// Due is the instant at which the limit is reached. Met iff done at that instant or before; what is not done is late
/// from the first instant after it, whether or not anybody ever does it.
pub fn outcome(start: i64, done: Option<i64>, limit: i64, now: i64) -> Outcome {
    let due = start.saturating_add(limit);
    match done {
        Some(done) if done <= due => Outcome::OnTime,
        None if now <= due => Outcome::Waiting,
        Some(_) | None => Outcome::Late,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_instant_of_the_limit_is_within_it() {
        for (done, now, expected) in [
            (Some(110), 110, Outcome::OnTime),
            (Some(111), 111, Outcome::Late),
            (None, 110, Outcome::Waiting),
            (None, 111, Outcome::Late),
            // Done in time stays so, whenever it is asked.
            (Some(105), 1_000, Outcome::OnTime),
        ] {
            assert_eq!(outcome(100, done, 10, now), expected, "{done:?} {now}");
        }
        assert_eq!(outcome(i64::MAX - 5, None, 10, i64::MAX), Outcome::Waiting);
    }

    proptest! {
        #[test]
        fn time_only_ends_waiting(start in 0_i64..100, done in prop::option::of(0_i64..200), limit in 1_i64..50, now in 0_i64..200) {
            let (before, after) = (outcome(start, done, limit, now), outcome(start, done, limit, now + 1));
            prop_assert!(before == after || (before, after) == (Outcome::Waiting, Outcome::Late));
            prop_assert_eq!(done.is_some() && before == Outcome::Waiting, false);
        }
    }
}
