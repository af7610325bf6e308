//! gzip: members one after the other, as `cat a.gz b.gz` makes them. NULs after the last one are padding.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::input::PackedInput;
use super::{Following, Unpack, Unpacked, damaged};

/// How much of the file one call reads. Parts of it may yield nothing, though they take time.
const ALLOWANCE: usize = 8 * 1024;

#[derive(Debug)]
pub struct Members(GzState);

#[derive(Debug)]
enum GzState {
    Between(PackedInput, Following),
    Within(GzDecoder<PackedInput>),
    /// The file was read to its end, or is damaged.
    Over,
}

impl Members {
    pub fn new(input: PackedInput) -> Members {
        Members(GzState::Between(input, Following::First))
    }
}

impl Unpack for Members {
    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<Unpacked> {
        match std::mem::replace(&mut self.0, GzState::Over) {
            GzState::Over => Ok(Unpacked::End),
            GzState::Between(mut input, mut following) => {
                input.allow(ALLOWANCE);
                loop {
                    let bytes = match input.fill_buf() {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            self.0 = GzState::Between(input, following);
                            return Ok(Unpacked::Nothing);
                        }
                        result => result?,
                    };
                    let nuls = bytes.iter().take_while(|&&byte| byte == 0).count();
                    match (bytes.get(nuls), following) {
                        (None, Following::First) if nuls == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        (None, _) if nuls == 0 => return Ok(Unpacked::End),
                        (Some(0x1f), Following::First | Following::Another) if nuls == 0 => break,
                        (None, Following::Another | Following::Padding) => (),
                        _ => return Err(damaged("what follows the last member is not one")),
                    }
                    following = Following::Padding;
                    input.consume(nuls);
                }
                self.0 = GzState::Within(GzDecoder::new(input));
                Ok(Unpacked::Nothing)
            }
            GzState::Within(mut decoder) => {
                decoder.get_mut().allow(ALLOWANCE);
                match decoder.read(buffer) {
                    Ok(0) => {
                        self.0 = GzState::Between(decoder.into_inner(), Following::Another);
                        Ok(Unpacked::Nothing)
                    }
                    Ok(read) => {
                        self.0 = GzState::Within(decoder);
                        Ok(Unpacked::Bytes(read))
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.0 = GzState::Within(decoder);
                        Ok(Unpacked::Nothing)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }
}
