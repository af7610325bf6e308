//! How much one reader may unpack in one turn, whichever files it unpacks.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of a turn. When it is spent, the next read that has to unpack something fails with
/// [`std::io::ErrorKind::WouldBlock`], and that begins the next turn: whoever does not give way then takes one turn more.
#[derive(Debug)]
pub struct TurnBudget {
    left: AtomicU64,
    /// All that was ever spent, which tells what was unpacked last.
    spent: AtomicU64,
}

/// Bytes of text that come from gzip: 3 ms.
const TURN: u64 = 1 << 20;

impl Default for TurnBudget {
    fn default() -> TurnBudget {
        TurnBudget { left: AtomicU64::new(TURN), spent: AtomicU64::new(0) }
    }
}

impl TurnBudget {
    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// A new turn begins.
    pub(super) fn renew(&self) {
        self.left.store(TURN, Ordering::Relaxed);
    }

    /// Returns all that was ever spent.
    pub(super) fn spend(&self, cost: u64) -> u64 {
        // Only one thread reads for a reader at a time.
        self.left.store(self.left.load(Ordering::Relaxed).saturating_sub(cost), Ordering::Relaxed);
        self.spent.fetch_add(cost, Ordering::Relaxed) + cost
    }
}
