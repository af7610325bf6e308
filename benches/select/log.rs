//! The logs that are searched.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A time in both logs: in the second of the three parts of the sparse one.
pub const TIME: &str = "2026-11-23%2001:02:30";

/// Writes lines as loguru writes them, 172 bytes each on average, and returns their size.
pub fn write(path: &Path, size: u64) -> u64 {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let (mut written, mut number, mut state) = (0, 0u64, 1u64);
    while written < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 33;
        let level = ["INFO    ", "INFO    ", "DEBUG   ", "INFO    ", "WARNING ", "INFO    ", "DEBUG   ", "INFO    "]
            [number as usize % 8];
        let level = if number % 500 == 499 { "ERROR   " } else { level };
        let needle = match number {
            _ if number % 100_000 == 77 => "Needle100k",
            _ if number % 100 == 50 => "Needle1k timeout after 3s",
            _ => "handled session and went on",
        };
        let line = format!(
            "{} | {level} | app.server:handle:{} - {needle} user={} key={} took={}ms status=200 \
             path=/api/v1/items/{random}/details\n",
            time(number),
            random % 900,
            random % 100_000,
            random % 1_000_000,
            random % 5000,
        );
        file.write_all(line.as_bytes()).unwrap();
        (written, number) = (written + line.len() as u64, number + 1);
    }
    file.flush().unwrap();
    written
}

/// Writes a log of 100 GB, nearly all of which are holes.
pub fn write_sparse(path: &Path) {
    const SIZE: u64 = 100 << 30;
    const PARTS: u64 = 3;
    const LINES: u64 = 100_000;
    let file = File::create(path).unwrap();
    file.set_len(SIZE).unwrap();
    for part in 0..PARTS {
        let lines: String = (part * LINES..(part + 1) * LINES).map(|number| time(number) + " line\n").collect();
        // What lies before a newline belongs to the hole.
        file.write_all_at(format!("\n{lines}").as_bytes(), (SIZE - (16 << 20)) / (PARTS - 1) * part).unwrap();
    }
}

/// A line each millisecond.
fn time(number: u64) -> String {
    let (hour, minute, second) = (1 + number / 3_600_000, number / 60_000 % 60, number / 1000 % 60);
    format!("2026-11-23 {hour:02}:{minute:02}:{second:02}.{:03}", number % 1000)
}
