//! xz: streams one after the other, each of blocks with a checksum, and an index of these. NULs after a stream are padding.
//!
//! The crate unpacks what is in a block (LZMA2). The frame around it is read here, so that each step is limited, and what
//! each block demands in memory, too.

use std::io::{self, BufRead, Read};

use lzma_rust2::Lzma2Reader;

use self::check::{Check, Sum};
use super::input::PackedInput;
use super::{Unpack, Unpacked, damaged};

mod check;

/// The largest dictionary that is accepted. It is what an archive demands in memory: `xz -9` asks for 64 MiB.
const MAX_DICTIONARY: u64 = 128 << 20;
/// A step ends after so many bytes of the file, or a few more.
const MOST: u64 = 16 * 1024;
/// So many bytes are unpacked before it is checked how many of the file they took, which are up to 64 KiB for each.
const PIECE: usize = 128;
/// How many records of an index are read in a step.
const RECORDS: usize = 1024;

const MAGIC: &[u8] = b"\xfd7zXZ\0";
const LZMA2: u64 = 0x21;

/// Not `Debug` in the crate.
pub struct Streams(XzState);

enum XzState {
    /// Before a stream, or the end: after so many NULs, or at the start of the file.
    Between {
        input: PackedInput,
        nuls: Option<u64>,
    },
    /// Before a block, or the index.
    XzStream(PackedInput, XzStream),
    Block(Box<Block>),
    Index(PackedInput, Index),
    /// What was unpacked before this happened was yielded.
    Failed(io::Error),
    /// The file was read to its end, or is damaged.
    Over,
}

/// What is known of a stream when some of its blocks were read.
struct XzStream {
    flags: [u8; 2],
    check: Check,
    /// What its index must say.
    records: Records,
}

/// The sizes of blocks, as an index lists them.
#[derive(Default)]
struct Records {
    count: u64,
    sum: crc32fast::Hasher,
}

struct Block {
    reader: Lzma2Reader<PackedInput>,
    stream: XzStream,
    /// Where the block begins in the file, and what is unpacked.
    start: u64,
    data: u64,
    /// Sizes that its header names.
    packed: Option<u64>,
    size: Option<u64>,
    unpacked: u64,
    sum: Sum,
}

/// An index that is being read.
struct Index {
    stream: XzStream,
    records: Records,
    left: u64,
    summed: Summed,
}

/// The bytes of a part of the file that ends with their checksum.
#[derive(Default)]
struct Summed {
    length: u64,
    sum: crc32fast::Hasher,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Streams {
    pub fn new(input: PackedInput) -> Streams {
        Streams(XzState::Between { input, nuls: None })
    }
}

impl Unpack for Streams {
    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<Unpacked> {
        let (state, unpacked) = match std::mem::replace(&mut self.0, XzState::Over) {
            XzState::Between { input, nuls } => begin(input, nuls)?,
            XzState::XzStream(input, stream) => begin_block(input, stream)?,
            XzState::Block(block) => block.unpack(buffer)?,
            XzState::Index(input, index) => index.read(input)?,
            XzState::Failed(error) => return Err(error),
            XzState::Over => (XzState::Over, Unpacked::End),
        };
        self.0 = state;
        Ok(unpacked)
    }
}

type XzStep = io::Result<(XzState, Unpacked)>;

/// Passes over padding, and begins a stream.
fn begin(mut input: PackedInput, nuls: Option<u64>) -> XzStep {
    let bytes = input.fill_buf()?;
    if let Some(nuls) = nuls {
        let more = bytes.iter().take_while(|&&byte| byte == 0).count();
        if bytes.is_empty() {
            return Ok((XzState::Over, Unpacked::End));
        }
        if more > 0 {
            input.consume(more);
            return Ok((XzState::Between { input, nuls: Some(nuls + more as u64) }, Unpacked::Nothing));
        }
        if nuls % 4 != 0 {
            return Err(damaged("what follows the last stream is not one"));
        }
    }
    let header: [u8; 12] = take(&mut input)?;
    let flags = [header[6], header[7]];
    if !header.starts_with(MAGIC) || header[8..] != crc32fast::hash(&flags).to_le_bytes() {
        return Err(damaged("a stream does not begin as one"));
    }
    let check = Check::of(flags).ok_or_else(|| damaged("a stream has flags that are not known"))?;
    let stream = XzStream { flags, check, records: Records::default() };
    Ok((XzState::XzStream(input, stream), Unpacked::Nothing))
}

/// Reads the header of a block, or the beginning of the index.
fn begin_block(mut input: PackedInput, stream: XzStream) -> XzStep {
    let start = input.position();
    let [first] = take(&mut input)?;
    if first == 0 {
        let mut summed = Summed::default();
        summed.add(&[first]);
        let left = summed.number(&mut input)?;
        let index = Index { stream, records: Records::default(), left, summed };
        return Ok((XzState::Index(input, index), Unpacked::Nothing));
    }
    let mut header = vec![first; 4 * (usize::from(first) + 1)];
    input.read_exact(&mut header[1..])?;
    let (fields, sum) = header.split_at(header.len() - 4);
    if *sum != crc32fast::hash(fields).to_le_bytes() {
        return Err(damaged("the checksum of a block's header is wrong"));
    }
    let Some((packed, size, dictionary)) = read_header(&fields[1..]) else {
        return Err(damaged("a block's header cannot be read"));
    };
    if dictionary > MAX_DICTIONARY {
        return Err(damaged("the dictionary is too large"));
    }
    let (data, sum) = (input.position(), Sum::new(stream.check));
    let reader = Lzma2Reader::new(input, dictionary as u32, None);
    let block = Block { reader, stream, start, data, packed, size, unpacked: 0, sum };
    // The dictionary is filled with NULs.
    Ok((XzState::Block(Box::new(block)), Unpacked::Prepared(dictionary / 32)))
}

/// The packed size and the size, if the header names them, and the size of the dictionary. Logs are not packed with other
/// filters.
fn read_header(fields: &[u8]) -> Option<(Option<u64>, Option<u64>, u64)> {
    let mut bytes = fields.iter().copied();
    let flags = bytes.next()?;
    // One filter.
    if flags & 0x3f != 0 {
        return None;
    }
    let mut named = |flag: u8| if flags & flag != 0 { number(&mut bytes).map(Some) } else { Some(None) };
    let (packed, size) = (named(0x40)?, named(0x80)?);
    if number(&mut bytes)? != LZMA2 || number(&mut bytes)? != 1 {
        return None;
    }
    let bits = bytes.next()?;
    let is_padded = bytes.all(|byte| byte == 0);
    let dictionary = match bits {
        0..40 => (2 | u64::from(bits & 1)) << (bits / 2 + 11),
        _ => u64::MAX,
    };
    is_padded.then_some((packed, size, dictionary))
}

impl Block {
    fn unpack(mut self: Box<Self>, buffer: &mut [u8]) -> XzStep {
        let (begun, mut filled, mut failed) = (self.reader.inner().position(), 0, None);
        while filled < buffer.len() && self.reader.inner().position() - begun < MOST {
            let most = buffer.len().min(filled + PIECE);
            match self.reader.read(&mut buffer[filled..most]) {
                Ok(0) if filled == 0 => return self.end(),
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        self.sum.add(&buffer[..filled]);
        self.unpacked += filled as u64;
        let state = failed.map_or_else(|| XzState::Block(self), XzState::Failed);
        Ok((state, Unpacked::Bytes(filled)))
    }

    fn end(self: Box<Self>) -> XzStep {
        let Block { reader, mut stream, start, data, packed, size, unpacked, sum } = *self;
        let mut input = reader.into_inner();
        let read = input.position() - data;
        let is_as_said = |said: Option<u64>, is: u64| said.is_none_or(|said| said == is);
        if !is_as_said(packed, read) || !is_as_said(size, unpacked) {
            return Err(damaged("a block has another size than its header says"));
        }
        while !(input.position() - start).is_multiple_of(4) {
            if take(&mut input)? != [0] {
                return Err(damaged("a block is not padded with NULs"));
            }
        }
        let mut wanted = [0; 64];
        let wanted = &mut wanted[..stream.check.size()];
        let length = input.position() - start + wanted.len() as u64;
        // What pads the block does not count.
        let unpadded = length - (input.position() - data - read);
        input.read_exact(wanted)?;
        if !sum.is(wanted) {
            return Err(damaged("the checksum is wrong"));
        }
        stream.records.add(unpadded, unpacked);
        Ok((XzState::XzStream(input, stream), Unpacked::Nothing))
    }
}

impl Records {
    fn add(&mut self, packed: u64, unpacked: u64) {
        self.count += 1;
        self.sum.update(&packed.to_le_bytes());
        self.sum.update(&unpacked.to_le_bytes());
    }

    fn are(self, others: Records) -> bool {
        self.count == others.count && self.sum.finalize() == others.sum.finalize()
    }
}

impl Index {
    fn read(mut self, mut input: PackedInput) -> XzStep {
        for _ in 0..self.left.min(RECORDS as u64) {
            let (packed, unpacked) = (self.summed.number(&mut input)?, self.summed.number(&mut input)?);
            self.records.add(packed, unpacked);
            self.left -= 1;
        }
        if self.left > 0 {
            return Ok((XzState::Index(input, self), Unpacked::Nothing));
        }
        let Index { stream, records, mut summed, .. } = self;
        while !summed.length.is_multiple_of(4) {
            let byte = take(&mut input)?;
            summed.add(&byte);
            if byte != [0] {
                return Err(damaged("an index is not padded with NULs"));
            }
        }
        let words = summed.length / 4;
        if take(&mut input)? != summed.sum.finalize().to_le_bytes() || !stream.records.are(records) {
            return Err(damaged("an index is wrong"));
        }
        end_stream(&mut input, stream.flags, words)?;
        Ok((XzState::Between { input, nuls: Some(0) }, Unpacked::Nothing))
    }
}

/// Reads the end of a stream, whose index has so many words of four bytes.
fn end_stream(input: &mut PackedInput, flags: [u8; 2], words: u64) -> io::Result<()> {
    let sum: [u8; 4] = take(input)?;
    let fields: [u8; 6] = take(input)?;
    let magic: [u8; 2] = take(input)?;
    let size = u32::from_le_bytes([fields[0], fields[1], fields[2], fields[3]]);
    let is_sound = sum == crc32fast::hash(&fields).to_le_bytes()
        && u64::from(size) == words
        && fields[4..] == flags
        && magic == *b"YZ";
    if is_sound { Ok(()) } else { Err(damaged("a stream does not end as one")) }
}

impl Summed {
    fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.sum.update(bytes);
    }

    fn number(&mut self, input: &mut PackedInput) -> io::Result<u64> {
        let (mut bytes, mut length) = ([0; 9], 0);
        while length < bytes.len() {
            [bytes[length]] = take(input)?;
            length += 1;
            if bytes[length - 1] & 0x80 == 0 {
                break;
            }
        }
        self.add(&bytes[..length]);
        number(&mut bytes[..length].iter().copied()).ok_or_else(|| damaged("a number is too long"))
    }
}

/// The next bytes, so many of them.
fn take<const N: usize>(input: &mut PackedInput) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A number of seven bits a byte, the lowest first.
fn number(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
