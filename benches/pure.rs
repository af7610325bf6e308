//! The parts without a socket: where the last lines begin, reading a log, cutting it into messages.
//! `cargo bench --bench pure`

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wstail::follow::backfill::Backfill;
use wstail::follow::follower::{Follower, Step};
use wstail::follow::root::Roots;
use wstail::protocol::request::{Address, Lines};
use wstail::text::ansi::Html;
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

/// The last 1000 lines of 1 MB and of 2 GB: the same time.
fn backfill(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("last 1000 lines");
    for (name, hole) in [("1 MB", 0), ("2 GB", 2_000_000_000)] {
        let directory = tempfile::tempdir().unwrap();
        log(directory.path(), hole, 7000);
        let file = File::open(directory.path().join("app.log")).unwrap();
        let size = file.metadata().unwrap().len();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut backfill = Backfill::new(Lines::Last(1000), size);
                while black_box(backfill.step(&file).unwrap()).is_none() {}
            });
        });
    }
    group.finish();
}

/// A whole log through the follower.
fn follow(criterion: &mut Criterion) {
    const LINES: usize = 100_000;
    let directory = tempfile::tempdir().unwrap();
    log(directory.path(), 0, LINES);
    let roots = Roots::open([directory.path()], false).unwrap();
    let address = Address::parse("/app.log").unwrap();
    let mut buffer = vec![0; 256 * 1024];
    let mut group = criterion.benchmark_group("follow");
    group.throughput(Throughput::Bytes((LINE.len() * LINES) as u64));
    group.bench_function("a whole log", |bencher| {
        bencher.iter(|| {
            let (log, file) = roots.find(&address).unwrap().unwrap();
            let mut follower = Follower::new(log, file, Lines::All, false, std::time::Duration::ZERO).unwrap();
            while black_box(follower.poll(&mut buffer, Instant::now()).unwrap()) != Step::Ended {}
        });
    });
    group.finish();
}

/// One read of 256 KiB cut into messages.
fn framing(criterion: &mut Criterion) {
    let bytes = LINE.repeat(256 * 1024 / LINE.len());
    let mut group = criterion.benchmark_group("messages");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    for (name, html) in [("text", None), ("html", Some(Html::default()))] {
        group.bench_function(name, |bencher| {
            let now = Instant::now();
            let mut messages = LineBuffer::new(html.clone(), false);
            bencher.iter(|| {
                messages.push(bytes.as_bytes(), false, now);
                while let Some(message) = messages.next(now) {
                    black_box(message);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, backfill, follow, framing);
criterion_main!(benches);
