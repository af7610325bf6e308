//! The parts without a socket: where the last lines begin, reading a log, cutting it into messages.
//! `cargo bench --bench pure`

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use wstail::follow::backfill::{Backfill, SearchProgress};
use wstail::follow::follower::{Follower, Step};
use wstail::follow::root::Roots;
use wstail::protocol::address::Address;
use wstail::protocol::request::Lines;
use wstail::text::html::Html;
use wstail::text::lines::LineBuffer;

/// 150 bytes with colours and a few characters beyond ASCII, as loggers write them.
const LINE: &str = "2026-11-23 01:32:27.123 | \x1b[32mINFO\x1b[0m     | service.module:function:123 - 你好 request <42> \
                    took 12.3 ms and answered 200 to client 10.0.0.1\n";

fn log(directory: &Path, hole: u64, lines: usize) {
    let mut file = File::create(directory.join("app.log")).unwrap();
    file.set_len(hole).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(LINE.repeat(lines).as_bytes()).unwrap();
}

fn main() {
    backfill();
    follow();
    framing();
}

/// How long each is measured.
const MEASURED: Duration = Duration::from_secs(3);

/// Runs it again and again, prints the median and the best time of a run, and what that makes of `bytes` a run.
fn measure(name: &str, bytes: usize, mut run: impl FnMut()) {
    // Caches and branch predictors warm up first.
    run();
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < MEASURED {
        let begin = Instant::now();
        run();
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let (median, best) = (times[times.len() / 2], times[0]);
    let rate =
        if bytes == 0 { String::new() } else { format!(", {:.0} MB/s", bytes as f64 / 1e6 / median.as_secs_f64()) };
    println!("{name}: {median:.1?} (best {best:.1?}, {} runs){rate}", times.len());
}

/// The last 1000 lines of 1 MB and of 2 GB: the same time.
fn backfill() {
    for (name, hole) in [("1 MB", 0), ("2 GB", 2_000_000_000)] {
        let directory = tempfile::tempdir().unwrap();
        log(directory.path(), hole, 7000);
        let file = wstail::follow::File::from(File::open(directory.path().join("app.log")).unwrap());
        let size = file.size().unwrap();
        measure(&format!("last 1000 lines of {name}"), 0, || {
            let mut backfill = Backfill::new(Lines::Last(1000), size);
            while black_box(backfill.step(&file).unwrap()) == SearchProgress::Busy {}
        });
    }
}

/// A whole log through the follower.
fn follow() {
    const LINES: usize = 100_000;
    let directory = tempfile::tempdir().unwrap();
    log(directory.path(), 0, LINES);
    let roots = Roots::open([directory.path()], false).unwrap();
    let address = Address::parse("/app.log").unwrap();
    let mut buffer = vec![0; 256 * 1024];
    measure("follow a whole log", LINE.len() * LINES, || {
        let (log, file) = roots.find(&address).unwrap().unwrap();
        let mut follower = Follower::new(log, file, Lines::All, false, Duration::ZERO).unwrap();
        while black_box(follower.poll(&mut buffer, Instant::now()).unwrap()) != Step::Ended {}
    });
}

/// One read of 256 KiB cut into messages.
fn framing() {
    let bytes = LINE.repeat(256 * 1024 / LINE.len());
    for (name, html) in [("text", None), ("html", Some(Html::default()))] {
        let now = Instant::now();
        let mut messages = LineBuffer::new(html, false);
        measure(&format!("messages, {name}"), bytes.len(), || {
            messages.push(bytes.as_bytes(), false, now);
            while let Some(message) = messages.next(now) {
                black_box(message);
            }
        });
    }
}
