//! Zstandard: frames one after the other, some of which are to be skipped.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::input::PackedInput;
use super::{Following, Unpack, Unpacked, damaged};

/// The largest window that is accepted, as by `zstd -d`: that of `zstd --long`. It is what an archive demands in memory;
/// `zstd -19` asks for 8 MiB.
const MAX_WINDOW: u64 = 128 << 20;
/// The largest window for which the crate uses a decoder again.
const MAX_WINDOW_AGAIN: u64 = 100 << 20;

/// What a block costs of which nothing is yielded yet: 128 KiB, mostly copied.
const BLOCK: u64 = 16 * 1024;

/// Not `Debug` in the crate.
pub struct Frames {
    input: PackedInput,
    decoder: FrameDecoder,
    state: ZstState,
}

#[derive(Debug)]
enum ZstState {
    Between(Following),
    Within,
    /// This happened in a frame; what was unpacked before is still to be yielded.
    Failed(io::Error),
    /// So many bytes are to be passed over.
    Skipping(u64),
    Over,
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Frames {
    pub fn new(input: PackedInput) -> Frames {
        Frames { input, decoder: FrameDecoder::new(), state: ZstState::Between(Following::First) }
    }

    fn begin(&mut self, following: Following) -> io::Result<Unpacked> {
        let bytes = self.input.fill_buf()?;
        if following != Following::First {
            if bytes.is_empty() {
                return Ok(Unpacked::End);
            }
            let nuls = bytes.iter().take_while(|&&byte| byte == 0).count();
            if nuls > 0 {
                self.input.consume(nuls);
                self.state = ZstState::Between(Following::Padding);
                return Ok(Unpacked::Nothing);
            }
        }
        if following == Following::Padding {
            return Err(damaged("what follows the last frame is not one"));
        }
        let mut head = FrameHead::default();
        head.read(&mut self.input)?;
        if let Some(length) = head.skipped() {
            self.state = ZstState::Skipping(length.into());
            return Ok(Unpacked::Nothing);
        }
        let window = head.window()?;
        if window > MAX_WINDOW {
            return Err(damaged("the window is too large"));
        }
        if window > MAX_WINDOW_AGAIN {
            self.decoder = FrameDecoder::new();
        }
        self.decoder.init(head.bytes().chain(&mut self.input)).map_err(cause)?;
        self.state = ZstState::Within;
        Ok(Unpacked::Nothing)
    }

    fn go_on(&mut self, buffer: &mut [u8]) -> io::Result<Unpacked> {
        if self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            match self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)).map_err(cause) {
                Ok(_) => {}
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(error) => return self.fail(error),
            }
        }
        let read = self.decoder.read(buffer)?;
        if read > 0 {
            return Ok(Unpacked::Bytes(read));
        }
        if self.decoder.is_finished() {
            let wanted = self.decoder.get_checksum_from_data();
            if wanted.is_some() && wanted != self.decoder.get_calculated_checksum() {
                return Err(damaged("the checksum is wrong"));
            }
            self.state = ZstState::Between(Following::Another);
        }
        // A block fills the window.
        Ok(Unpacked::Prepared(BLOCK))
    }

    /// The frame is damaged behind what was unpacked. The decoder holds that back in its window until the frame is over: it
    /// gets an empty last block.
    fn fail(&mut self, error: io::Error) -> io::Result<Unpacked> {
        const LAST_BLOCK: &[u8] = &[1, 0, 0];
        // It misses a checksum.
        let _ = self.decoder.decode_blocks(LAST_BLOCK, BlockDecodingStrategy::UptoBlocks(1));
        self.state = ZstState::Failed(error);
        Ok(Unpacked::Nothing)
    }

    fn drain(&mut self, buffer: &mut [u8], error: io::Error) -> io::Result<Unpacked> {
        let read = self.decoder.read(buffer)?;
        if read == 0 {
            return Err(error);
        }
        self.state = ZstState::Failed(error);
        Ok(Unpacked::Bytes(read))
    }

    fn skip(&mut self, left: u64) -> io::Result<Unpacked> {
        if left == 0 {
            self.state = ZstState::Between(Following::Another);
            return Ok(Unpacked::Nothing);
        }
        let ready = self.input.fill_buf()?.len() as u64;
        if ready == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let passed = ready.min(left);
        self.input.consume(passed as usize);
        self.state = ZstState::Skipping(left - passed);
        Ok(Unpacked::Nothing)
    }
}

impl Unpack for Frames {
    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<Unpacked> {
        match std::mem::replace(&mut self.state, ZstState::Over) {
            ZstState::Between(following) => self.begin(following),
            ZstState::Within => {
                self.state = ZstState::Within;
                self.go_on(buffer)
            }
            ZstState::Failed(error) => self.drain(buffer, error),
            ZstState::Skipping(left) => self.skip(left),
            ZstState::Over => Ok(Unpacked::End),
        }
    }
}

/// The error of the system that a failure comes from, if it comes from one.
fn cause(failure: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&failure);
    while let Some(error) = source {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        source = error.source();
    }
    io::Error::other(failure)
}

/// What a frame begins with, as far as it tells the size of its window.
#[derive(Debug, Default)]
struct FrameHead {
    bytes: [u8; 14],
    length: usize,
}

impl FrameHead {
    /// Reads what is needed: the magic number, the descriptor, and what stands for the window.
    fn read(&mut self, input: &mut PackedInput) -> io::Result<()> {
        self.take(input, 5)?;
        let more = if self.is_skipped() { 3 } else { self.after_descriptor() };
        self.take(input, more)
    }

    fn take(&mut self, input: &mut PackedInput, length: usize) -> io::Result<()> {
        input.read_exact(&mut self.bytes[self.length..self.length + length])?;
        self.length += length;
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn is_skipped(&self) -> bool {
        matches!(self.bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
    }

    /// How long the rest of a frame is that is to be skipped.
    fn skipped(&self) -> Option<u32> {
        let length = self.bytes[4..8].first_chunk().map(|length| u32::from_le_bytes(*length));
        length.filter(|_| self.is_skipped())
    }

    /// A frame of one segment has no window, but the size of its content: this is the number of its bytes, and of those
    /// that name a dictionary.
    fn sizes(&self) -> (bool, usize, usize) {
        let descriptor = self.bytes[4];
        let is_single = descriptor & 0x20 != 0;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let content = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
        (is_single, dictionary, content)
    }

    fn after_descriptor(&self) -> usize {
        match self.sizes() {
            // No more than nine bytes are kept, so the rest of a longer name of a dictionary is not read: nobody has one.
            (true, dictionary, content) => (dictionary + content).min(9),
            (false, ..) => 1,
        }
    }

    fn window(&self) -> io::Result<u64> {
        let (is_single, dictionary, content) = self.sizes();
        if dictionary > 0 {
            return Err(damaged("it needs a dictionary"));
        }
        if !is_single {
            let (exponent, mantissa) = (self.bytes[5] >> 3, u64::from(self.bytes[5] & 7));
            let base = 1_u64 << (10 + exponent);
            return Ok(base + base / 8 * mantissa);
        }
        let mut size = [0; 8];
        size[..content].copy_from_slice(&self.bytes[5..5 + content]);
        let surplus = if content == 2 { 256 } else { 0 };
        Ok(u64::from_le_bytes(size).saturating_add(surplus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_damaged() {
        let error = FrameDecoder::new().init(Broken).map_err(cause).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(5));
    }
}
