//! Archives as they are, as they are cut off, and as they should not be.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::budget::TurnBudget;
use super::format::{ArchiveFormat, SIGNATURE};
use super::text::{PackedText, TextEnd};

fn gz(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Lines that differ.
fn lines(bytes: usize) -> Vec<u8> {
    let mut text: Vec<u8> = (0..).flat_map(|at| format!("line {at} of a log\n").into_bytes()).take(bytes).collect();
    if let Some(last) = text.last_mut() {
        *last = b'\n';
    }
    text
}

fn file(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.into()
}

fn open(archive: &[u8]) -> (Arc<File>, PackedText) {
    let format = ArchiveFormat::of(&archive[..archive.len().min(SIGNATURE)]).expect("it is compressed");
    (file(archive), PackedText::new(format, None, Arc::default()))
}

/// Reads, however often it has to be tried.
fn read(file: &Arc<File>, text: &mut PackedText, buffer: &mut [u8], offset: u64) -> usize {
    loop {
        match text.read_at(file, buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read.unwrap(),
        }
    }
}

/// All of the text, and how it ends.
fn unpack(archive: &[u8]) -> (Vec<u8>, TextEnd) {
    let (file, mut text) = open(archive);
    let (mut all, mut buffer) = (Vec::new(), [0; 5000]);
    loop {
        let read = read(&file, &mut text, &mut buffer, all.len() as u64);
        if read == 0 {
            return (all, text.end().expect("the end was reached"));
        }
        all.extend_from_slice(&buffer[..read]);
    }
}

fn assert_sound(archive: &[u8], expected: &[u8]) {
    let (text, end) = unpack(archive);
    assert!(text == expected, "{} bytes instead of {}", text.len(), expected.len());
    assert_eq!(end, TextEnd { size: expected.len() as u64, is_damaged: false });
}

fn assert_damaged(archive: &[u8], expected: &[u8]) {
    let (text, end) = unpack(archive);
    assert!(text == expected, "{} bytes instead of {}", text.len(), expected.len());
    assert_eq!(end, TextEnd { size: expected.len() as u64, is_damaged: true });
}

#[test]
fn all_members_are_one_text() {
    let (one, two) = (lines(100_000), b"the second\n".to_vec());
    assert_sound(&gz(&one), &one);
    assert_sound(&[gz(&one), gz(b""), gz(&two)].concat(), &[one, two].concat());
    assert_sound(&gz(b""), b"");
    assert_sound(&[gz(b""), gz(b""), gz(b"x")].concat(), b"x");
}

#[test]
fn nuls_behind_the_last_member_are_ignored_and_other_bytes_are_damage() {
    let text = lines(50_000);
    let behind = |bytes: &[u8]| [&gz(&text)[..], bytes].concat();
    assert_sound(&behind(&[0; 3]), &text);
    assert_sound(&behind(&[0; 100_000]), &text);
    for garbage in [&b"x"[..], b"\x1f", b"\x1f\x8b", b"\0\0x", &[&[0][..], &gz(b"more")].concat()] {
        assert_damaged(&behind(garbage), &text);
    }
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_damaged_and_what_is_there_is_read() {
    let text = lines(3000);
    let archive = gz(&text);
    for length in SIGNATURE..archive.len() {
        let (read, end) = unpack(&archive[..length]);
        assert!(end.is_damaged && text.starts_with(&read), "cut off at {length} of {}", archive.len());
        // The table of the only block's codes comes before the text, and the checksum behind it.
        let least = text.len() * length.saturating_sub(300) / archive.len();
        assert!(read.len() >= least, "{} bytes, cut off at {length} of {}", read.len(), archive.len());
        assert!(length < archive.len() - 8 || read == text, "cut off at {length} of {}", archive.len());
    }
}

#[test]
fn a_wrong_checksum_or_length_is_damage_at_the_end() {
    let text = lines(20_000);
    let archive = gz(&text);
    for at in 1..=8 {
        let mut wrong = archive.clone();
        let place = wrong.len() - at;
        wrong[place] ^= 1;
        assert_damaged(&wrong, &text);
    }
}

#[test]
fn a_flipped_bit_is_never_taken_for_the_text() {
    let text = lines(2000);
    let archive = gz(&text);
    for bit in 8 * SIGNATURE..8 * archive.len() {
        let mut wrong = archive.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        let (read, end) = unpack(&wrong);
        assert!(end.is_damaged || read == text, "bit {bit}");
    }
}

#[test]
fn any_place_can_be_read_in_any_order() {
    let text = lines(400_000);
    let (file, mut reader) = open(&gz(&text));
    for (offset, length) in [(0, 10), (399_000, 5000), (100, 2000), (200_000, 512), (1000, 100), (399_500, 500)] {
        let mut buffer = vec![0; length];
        let mut filled = 0;
        while filled < length {
            let more = read(&file, &mut reader, &mut buffer[filled..], (offset + filled) as u64);
            filled += more;
            if more == 0 {
                break;
            }
        }
        assert!(buffer[..filled] == text[offset..text.len().min(offset + length)], "at {offset}");
    }
    assert_eq!(read(&file, &mut reader, &mut [0; 10], 400_000), 0);
    assert_eq!(read(&file, &mut reader, &mut [0; 10], u64::MAX - 10), 0);
}

#[test]
fn a_place_far_ahead_is_reached_in_steps_and_found_again() {
    let text = lines(20 << 20);
    let (file, mut reader) = open(&gz(&text));
    let place = text.len() - 1000;
    let mut buffer = [0; 512];
    let mut steps = 0;
    while reader.read_at(&file, &mut buffer, place as u64).is_err() {
        steps += 1;
        assert!(steps < 100, "it makes no progress");
    }
    assert!(steps > 10 && buffer == text[place..place + 512], "{steps}");
    // What was asked for last is still known when another place was read, and the head is always.
    reader.read_at(&file, &mut [0; 512], 0).unwrap();
    reader.rest();
    assert_eq!(reader.read_at(&file, &mut buffer, place as u64).unwrap(), 512);
    assert!(buffer == text[place..place + 512]);
}

#[test]
fn empty_members_take_limited_steps() {
    let archive = [gz(b"").repeat(10_000), gz(b"x")].concat();
    let (file, mut reader) = open(&archive);
    let mut steps = 0;
    while reader.read_at(&file, &mut [0; 1], 0).is_err() {
        steps += 1;
    }
    assert!(steps > 0, "{steps}");
}

/// How many turns it takes to read all of a text.
fn turns(archive: &[u8]) -> usize {
    let (file, mut text) = open(archive);
    let mut turns = 1;
    while let Err(error) = text.find_end(&file) {
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        turns += 1;
    }
    turns
}

#[test]
fn many_small_members_take_few_turns() {
    let archive: Vec<u8> = (0..20_000).flat_map(|at| gz(format!("{at}\n").as_bytes())).collect();
    let turns = turns(&archive);
    assert!(turns < 100, "{turns} turns");
}

/// Empty blocks yield nothing, however many there are.
#[test]
fn what_yields_nothing_takes_a_turn_for_each_128_kilobytes() {
    let header = &gz(b"")[..10];
    let empty = [0, 0, 0, 0xff, 0xff].repeat(2 << 20);
    let archive = [header, &empty, &[1, 0, 0, 0xff, 0xff], &[0; 8]].concat();
    let turns = turns(&archive);
    assert!(turns * 160 * 1024 > archive.len(), "{turns} turns for {} bytes", archive.len());
}

#[test]
fn all_that_is_read_in_a_turn_is_limited() {
    let (text, budget) = (lines(40_000), Arc::new(TurnBudget::default()));
    let archive = gz(&text);
    let mut texts: Vec<_> =
        (0..100).map(|_| (file(&archive), PackedText::new(ArchiveFormat::Gz, None, budget.clone()))).collect();
    let mut turns = 0;
    for (file, text) in &mut texts {
        turns += usize::from(text.read_at(file, &mut [0; 512], 30_000).is_err());
    }
    assert!((2..=6).contains(&turns), "{turns} turns for four megabytes");
}

#[test]
fn the_answers_to_several_questions_are_remembered() {
    let text = lines(8 << 20);
    let (file, mut reader) = open(&gz(&text));
    let places = [7 << 20, 1 << 20, 5 << 20, 3 << 20];
    for place in places {
        read(&file, &mut reader, &mut [0; 512], place);
    }
    reader.rest();
    for place in places {
        let mut buffer = [0; 512];
        assert_eq!(reader.read_at(&file, &mut buffer, place).unwrap(), 512);
        assert!(buffer == text[place as usize..place as usize + 512], "at {place}");
    }
}

#[test]
fn reading_on_goes_on_though_the_file_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gz");
    let text = lines(300_000);
    std::fs::write(&path, gz(&text)).unwrap();
    let (file, mut reader) =
        (Arc::new(File::open(&path).unwrap()), PackedText::new(ArchiveFormat::Gz, None, Arc::default()));
    let mut buffer = vec![0; 1000];
    assert_eq!(read(&file, &mut reader, &mut buffer, 0), 1000);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read(&file, &mut reader, &mut buffer, 250_000), 1000);
    assert!(buffer == text[250_000..251_000]);
}

#[cfg(feature = "zstd")]
#[test]
fn zstandard_frames_are_one_text() {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let zst = |text: &[u8]| compress_to_vec(text, CompressionLevel::Fastest);
    let text = lines(500_000);
    let skipped = b"\x52\x2a\x4d\x18\x05\0\0\0hello";
    assert_sound(&zst(&text), &text);
    assert_sound(&[&zst(&text)[..], skipped, &zst(b"more"), &[0; 9]].concat(), &[&text[..], b"more"].concat());
    assert_damaged(&[&zst(b"one\n")[..], b"x"].concat(), b"one\n");
}

/// A frame whose window is 1 MiB, of blocks that are stored as they are. Behind it there is to be a checksum.
#[cfg(feature = "zstd")]
fn stored(text: &[u8], block: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 4, 10 << 3];
    let last = text.len().div_ceil(block) - 1;
    for (at, chunk) in text.chunks(block).enumerate() {
        frame.extend_from_slice(&((chunk.len() << 3 | usize::from(at == last)) as u32).to_le_bytes()[..3]);
        frame.extend_from_slice(chunk);
    }
    frame
}

/// Whether or not it is larger than the window, which the decoder holds back.
#[cfg(feature = "zstd")]
#[test]
fn all_whole_blocks_of_a_zstandard_frame_that_is_damaged_are_read() {
    const BLOCK: usize = 10_000;
    for text in [lines(9 * BLOCK), lines(200 * BLOCK)] {
        let (frame, header) = (stored(&text, BLOCK), 6);
        for blocks in (0..text.len() / BLOCK).step_by(if text.len() > 1 << 20 { 37 } else { 1 }) {
            let end = header + blocks * (BLOCK + 3);
            for length in [end, end + 2, end + 3, end + BLOCK + 2].into_iter().filter(|&length| length >= SIGNATURE) {
                assert_damaged(&frame[..length], &text[..blocks * BLOCK]);
            }
            // A block of a kind that does not exist.
            let mut wrong = frame.clone();
            wrong[end] |= 6;
            assert_damaged(&wrong, &text[..blocks * BLOCK]);
        }
        for checksum in [&b""[..], b"x", b"wron", b"wrong"] {
            assert_damaged(&[&frame[..], checksum].concat(), &text);
        }
    }
}

/// Of blocks of 128 KiB.
#[cfg(feature = "zstd")]
#[test]
fn a_zstandard_frame_that_is_cut_off_anywhere_is_damaged_and_what_is_there_is_read() {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let text = lines(500_000);
    let archive = compress_to_vec(&text[..], CompressionLevel::Fastest);
    for length in (SIGNATURE..archive.len()).step_by(97) {
        let (read, end) = unpack(&archive[..length]);
        assert!(end.is_damaged && text.starts_with(&read), "cut off at {length}");
        let least = (text.len() * length / archive.len()).saturating_sub(160 * 1024);
        assert!(read.len() >= least, "{} bytes, cut off at {length} of {}", read.len(), archive.len());
    }
    assert_damaged(&archive[..archive.len() - 1], &text);
}

/// A window of 32 MiB, and blocks of a few bytes that fill it.
#[cfg(feature = "zstd")]
#[test]
fn a_window_is_filled_in_several_turns() {
    let block = |is_last: usize| [&((128 << 10 << 3 | 2 | is_last) as u32).to_le_bytes()[..3], b"x"].concat();
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 15 << 3][..], &block(0).repeat(300), &block(1)].concat();
    let (file, mut reader) = open(&frame);
    let mut turns = 1;
    while reader.read_at(&file, &mut [0; 1], 0).is_err() {
        turns += 1;
    }
    assert!((4..10).contains(&turns), "{turns} turns");
}

#[cfg(feature = "zstd")]
#[test]
fn each_frame_says_what_memory_it_demands() {
    // A frame that holds three bytes as they are. The first byte says how large its window is.
    let frame = |window: u8| [&[0x28, 0xb5, 0x2f, 0xfd, 0, window][..], b"\x19\0\0abc"].concat();
    let (largest, larger, two_gigabytes) = (17 << 3, 17 << 3 | 1, 21 << 3);
    assert_sound(&[frame(0), frame(largest), frame(largest), frame(0)].concat(), b"abcabcabcabc");
    for too_large in [larger, two_gigabytes] {
        assert_damaged(&[frame(0), frame(too_large)].concat(), b"abc");
    }
}

#[cfg(feature = "xz")]
mod xz {
    use super::*;

    /// The bits of dictionaries of 1, of 128 and of 192 MiB.
    const SMALL: u8 = 16;
    const LARGEST: u8 = 30;
    const LARGER: u8 = 31;

    fn sealed(fields: &[u8]) -> Vec<u8> {
        [fields, &crc32fast::hash(fields).to_le_bytes()].concat()
    }

    fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    /// A stream with CRC-32s of blocks that are stored as they are. Each has the bits of its dictionary.
    fn stream(blocks: &[(&[u8], u8)]) -> Vec<u8> {
        let flags = [0, 1];
        let mut stream = [&b"\xfd7zXZ\0"[..], &sealed(&flags)].concat();
        let mut index = [vec![0], number(blocks.len())].concat();
        for (text, dictionary) in blocks {
            let header = sealed(&[2, 0, 0x21, 1, *dictionary, 0, 0, 0]);
            let mut data = Vec::new();
            for (at, chunk) in text.chunks(60_000).enumerate() {
                data.push(if at == 0 { 1 } else { 2 });
                data.extend_from_slice(&(chunk.len() as u16 - 1).to_be_bytes());
                data.extend_from_slice(chunk);
            }
            data.push(0);
            index.extend(number(header.len() + data.len() + 4));
            index.extend(number(text.len()));
            stream.extend([header, padded(data), crc32fast::hash(text).to_le_bytes().to_vec()].concat());
        }
        let index = sealed(&padded(index));
        let footer = [&(index.len() as u32 / 4 - 1).to_le_bytes()[..], &flags].concat();
        let sum = crc32fast::hash(&footer).to_le_bytes();
        [&stream[..], &index, &sum, &footer, b"YZ"].concat()
    }

    #[test]
    fn streams_and_blocks_are_one_text() {
        let text = lines(150_000);
        let (one, two) = text.split_at(100_000);
        let archive = stream(&[(one, SMALL), (two, SMALL)]);
        assert_sound(&archive, &text);
        assert_sound(&[&archive[..], &[0; 8], &archive, &[0; 5]].concat(), &[&text[..], &text].concat());
        assert_sound(&stream(&[]), b"");
        assert_sound(&[stream(&[]), stream(&[(b"", SMALL)]), stream(&[(b"x", SMALL)])].concat(), b"x");
        assert_damaged(&[&archive[..], b"x"].concat(), &text);
        assert_damaged(&[&archive[..], &[0; 3], &archive].concat(), &text);
    }

    #[test]
    fn what_xz_makes_is_read() {
        use std::process::{Command, Stdio};
        let text = lines(300_000);
        for check in ["none", "crc32", "crc64", "sha256"] {
            let arguments = ["-c", "--block-size=70000", "--check", check];
            let mut xz =
                Command::new("xz").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let (mut input, written) = (xz.stdin.take().unwrap(), text.clone());
            let writer = std::thread::spawn(move || input.write_all(&written).unwrap());
            let archive = xz.wait_with_output().unwrap().stdout;
            writer.join().unwrap();
            assert_sound(&archive, &text);
            let mut wrong = archive.clone();
            wrong[archive.len() / 3] ^= 1;
            // What was unpacked before the checksum was wrong was sent.
            assert!(check == "none" || unpack(&wrong).1.is_damaged, "{check}");
        }
    }

    #[test]
    fn one_that_is_cut_off_or_has_a_flipped_bit_is_damaged() {
        let text = lines(400);
        let archive = stream(&[(&text[..200], SMALL), (&text[200..], SMALL)]);
        for length in SIGNATURE..archive.len() {
            let (read, end) = unpack(&archive[..length]);
            assert!(end.is_damaged && text.starts_with(&read), "cut off at {length} of {}", archive.len());
            // It is stored as it is, between headers, checksums and the index, and unpacked in pieces of 128 bytes.
            assert!(read.len() + 128 + 60 >= length.min(text.len()), "{} bytes, cut off at {length}", read.len());
        }
        for bit in 8 * SIGNATURE..8 * archive.len() {
            let mut wrong = archive.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(unpack(&wrong).1.is_damaged, "bit {bit}");
        }
    }

    #[test]
    fn each_block_says_what_memory_it_demands() {
        assert_damaged(&stream(&[(b"small\n", SMALL), (b"large\n", LARGER)]), b"small\n");
        assert_sound(&stream(&[(b"small\n", SMALL), (b"large\n", LARGEST)]), b"small\nlarge\n");
        assert_damaged(&stream(&[(b"unknown\n", 41)]), b"");
    }

    #[test]
    fn empty_streams_and_blocks_take_limited_steps() {
        let blocks: Vec<(&[u8], u8)> = vec![(b"", SMALL); 1000];
        for archive in [[stream(&[]).repeat(20_000), stream(&[(b"x", SMALL)])].concat(), stream(&blocks)] {
            let turns = turns(&archive);
            assert!(turns * 400 * 1024 > archive.len(), "{turns} turns for {} bytes", archive.len());
        }
    }
}
