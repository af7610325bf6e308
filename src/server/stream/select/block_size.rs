//! How large a block may be, so that a turn of the connection's loop takes no longer than 20 ms. The worst pattern that
//! is allowed takes 400 ms for 256 KiB.

use std::time::Duration;

use crate::protocol::MAX_MESSAGE;

/// The size of the next block, apart from the bytes that come again.
#[derive(Debug)]
pub(super) struct BlockSize {
    block: usize,
}

const SMALLEST: usize = 4 * 1024;
const FIRST: usize = 16 * 1024;
/// A turn that takes longer is too long, and one that takes less than a quarter of it is short.
const TURN: Duration = Duration::from_millis(20);

impl Default for BlockSize {
    fn default() -> BlockSize {
        BlockSize { block: FIRST }
    }
}

impl BlockSize {
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Judging a block took this long.
    pub(super) fn note(&mut self, took: Duration) {
        self.block = match took {
            _ if took > TURN => (self.block / 4).max(SMALLEST),
            _ if took > TURN / 2 => (self.block / 2).max(SMALLEST),
            _ if took < TURN / 4 => (self.block * 2).min(MAX_MESSAGE),
            _ => self.block,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_shrinks_when_it_is_slow_and_grows_when_it_is_fast() {
        let mut pace = BlockSize::default();
        let mut sizes = |took| -> Vec<usize> {
            std::iter::repeat_with(|| {
                pace.note(Duration::from_millis(took));
                pace.block() / 1024
            })
            .take(5)
            .collect()
        };
        assert_eq!(sizes(1), [32, 64, 128, 256, 256]);
        assert_eq!(sizes(8), [256; 5]);
        assert_eq!(sizes(30), [64, 16, 4, 4, 4]);
        assert_eq!(sizes(0), [8, 16, 32, 64, 128]);
    }
}
