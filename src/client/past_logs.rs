//! The logs that a list had until a moment ago. The time comes from the caller. Pure.

use std::time::{Duration, Instant};

use super::paths::Paths;

/// For how long a path is remembered at least; at most for twice as long.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Paths that are forgotten after half a minute to a minute.
#[derive(Debug)]
pub(super) struct PastLogs {
    recent: Paths,
    /// When the first of the recent ones may have come.
    since: Instant,
    earlier: Paths,
}

impl PastLogs {
    pub(super) fn new(now: Instant) -> PastLogs {
        PastLogs { recent: Paths::default(), since: now, earlier: Paths::default() }
    }

    pub(super) fn insert(&mut self, path: &str, now: Instant) {
        self.forget(now);
        if self.recent.insert(path).is_err() {
            self.recent = Paths::default();
        }
    }

    /// Forgets what came a minute ago.
    pub(super) fn forget(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.since);
        if age < REMEMBERED {
            return;
        }
        self.earlier = std::mem::take(&mut self.recent);
        self.since += REMEMBERED;
        if age >= 2 * REMEMBERED {
            (self.earlier, self.since) = (Paths::default(), now);
        }
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        self.recent.contains(path) || self.earlier.contains(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_remembered_for_half_a_minute_and_forgotten_after_a_minute() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut late = PastLogs::new(begun);
        late.insert("a", begun);
        late.forget(after(59));
        late.forget(after(61));
        assert!(!late.contains("a"));
        let mut past = PastLogs::new(begun);
        past.insert("a", after(29));
        past.forget(after(58));
        assert!(past.contains("a"));
        past.insert("b", after(70));
        past.forget(after(89));
        assert!(past.contains("b") && !past.contains("a"));
        past.forget(after(130));
        assert!(!past.contains("b"));
        past.insert("c", after(130));
        past.forget(after(999));
        assert!(!past.contains("c"));
    }
}
