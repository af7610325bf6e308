//! Whether and when to make another attempt: after a longer pause each time, and a random one, so that the clients of a
//! restarted server do not all return at once. It does not wait itself.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::error::Error;

/// Statuses (RFC 9110, 8470, 6585) after which the same request may succeed later.
const REQUEST_TIMEOUT: u16 = 408;
const TOO_EARLY: u16 = 425;
const TOO_MANY_REQUESTS: u16 = 429;

/// Whether the same request will not succeed later, either.
pub(super) fn is_final(status: u16) -> bool {
    status < 500 && !matches!(status, REQUEST_TIMEOUT | TOO_EARLY | TOO_MANY_REQUESTS)
}

/// The longest pause that `Retry-After` can ask for.
const LONGEST_REQUESTED: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// Pauses from 0.25 s to 15 s, each drawn at random up to a bound that doubles.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
    random: RandomState,
}

impl Backoff {
    /// The pause before the next try.
    pub(super) fn pause(&mut self) -> Duration {
        let bound = SHORTEST.saturating_mul(2 << self.tries.min(16)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        let draw = f64::from(self.random.hash_one(self.tries) as u32) / f64::from(u32::MAX);
        SHORTEST + (bound - SHORTEST).mul_f64(draw)
    }

    /// The pause before the next try, which may be longer if the server asked for that.
    pub(super) fn pause_after(&mut self, error: &Error) -> Duration {
        self.pause().max(error.retry_after().unwrap_or_default().min(LONGEST_REQUESTED))
    }

    /// The connection worked: the next pause is short again.
    pub(super) fn reset(&mut self) {
        *self = Backoff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_within_their_bounds_and_differ() {
        let pauses = |mut backoff: Backoff| (0..20).map(|_| backoff.pause()).collect::<Vec<_>>();
        let (one, other) = (pauses(Backoff::default()), pauses(Backoff::default()));
        assert!(one.iter().all(|pause| (SHORTEST..=LONGEST).contains(pause)));
        assert!(one[0] <= 2 * SHORTEST);
        assert_ne!(one, other);
    }
}
