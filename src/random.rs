//! Random numbers for unit tests, and how many cases a test plays.

use std::ops::Range;

/// xorshift64*: the same seed gives the same case.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// The seeds of so many cases. With `WSTAIL_ROUNDS` in the environment it is that many times as many; with `WSTAIL_SEED`
/// it is one case.
pub(crate) fn seeds(cases: u64) -> Range<u64> {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    match (variable("WSTAIL_SEED"), variable("WSTAIL_ROUNDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, rounds) => 0..cases * rounds.unwrap_or(1),
    }
}
