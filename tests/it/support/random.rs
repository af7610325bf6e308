//! Random numbers from a seed.

/// xorshift64*, so that histories can be played again.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// Text with difficult parts: long characters, invalid bytes, no newline at the end, `ping`, escapes.
    pub fn bytes(&mut self) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\n",
            b"line\n",
            "你好".as_bytes(),
            b"\xe4\xbd",
            b"\xa0",
            b"\xff",
            b"ping",
            b"\x1b[31",
            b"m<&>",
            b"\x1b[0m",
            "🦀".as_bytes(),
            b"a longer line of a log, as they are\n",
        ];
        let mut bytes = Vec::new();
        for _ in 0..self.below(12) {
            bytes.extend(PIECES[self.below(PIECES.len())]);
        }
        let cut = bytes.len() - self.below(bytes.len() / 4 + 1);
        bytes.truncate(cut);
        bytes
    }
}

/// The seeds of this many cases, or the one that `WSTAIL_SEED` names.
pub fn seeds(cases: u64) -> std::ops::Range<u64> {
    match std::env::var("WSTAIL_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..cases,
    }
}

/// How many rounds to play: `full`, or the number in `WSTAIL_ROUNDS`.
pub fn rounds(full: u64) -> u64 {
    std::env::var("WSTAIL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(full)
}
