//! Any bytes as a compressed file: read to the end, and from any place, it has one text.

#![no_main]

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use wstail::follow::packed::format::{ArchiveFormat, SIGNATURE};
use wstail::follow::packed::text::PackedText;

/// Texts that are longer are not read to their end.
const MOST: usize = 8 << 20;

static FILE: LazyLock<Arc<File>> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("wstail-fuzz-{}", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    fs::remove_file(path).unwrap();
    Arc::new(file)
});

fn read(text: &mut PackedText, buffer: &mut [u8], offset: usize) -> usize {
    loop {
        match text.read_at(&FILE, buffer, offset as u64) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read.unwrap(),
        }
    }
}

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (place, size, archive) = input;
    let Some(format) = ArchiveFormat::of(&archive[..archive.len().min(SIGNATURE)]).filter(|format| format.is_built_in()) else {
        return;
    };
    FILE.set_len(0).unwrap();
    FILE.write_all_at(archive, 0).unwrap();
    let (mut whole, mut buffer) = (Vec::new(), vec![0; 1 + usize::from(size)]);
    let mut text = PackedText::new(format, None, Arc::default());
    while whole.len() < MOST {
        let read = read(&mut text, &mut buffer, whole.len());
        if read == 0 {
            break;
        }
        whole.extend_from_slice(&buffer[..read]);
    }
    if whole.len() < MOST {
        assert_eq!(text.end().unwrap().size, whole.len() as u64);
    }
    assert!(text.head().is_none_or(|head| whole.starts_with(head)));
    // The same reader goes back, and another one comes from the start.
    let place = usize::from(place) * whole.len() / 65_536;
    for mut text in [text, PackedText::new(format, None, Arc::default())] {
        let read = read(&mut text, &mut buffer, place);
        assert!(whole[place..].starts_with(&buffer[..read.min(whole.len() - place)]));
        assert!(read > 0 || place == whole.len());
    }
});
