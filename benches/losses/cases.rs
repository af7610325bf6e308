//! What is done to the log.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::stage::{Layout, Stage};

type Play = fn(&mut Stage);

pub const CASES: [(&str, Layout, Play); 10] = [
    ("rename and create, the writer keeps writing to the old file for 0.5 s", Layout::File, late_writer),
    ("100 fast rotations", Layout::File, fast_rotations),
    ("copytruncate at full speed, 10 times", Layout::File, copytruncate),
    ("truncated, then immediately longer than before", Layout::File, regrown),
    ("5 rotations while `tail`, the server and the client are paused (SIGSTOP)", Layout::File, stopped),
    ("10 rotations to `old1.txt`, `old2.txt`, …, 0.2 s apart", Layout::File, unlisted_names),
    ("10 rotations into the directory `archive` (`app.log.1`, `app.log.2`, …), 0.2 s apart", Layout::File, olddir),
    ("old archives unpacked next to the log, then two rotations", Layout::File, unpacked_archives),
    ("a symbolic link switched twice in quick succession, 5 times", Layout::Link, switched_link),
    (
        "100 lines; the last byte of each appears first, and the rest 20 ms later (as NFS may do)",
        Layout::File,
        two_step_writes,
    ),
];

/// The pause between two rotations of which a follower that polls less often sees only some.
const PAUSE: Duration = Duration::from_millis(200);

/// A program writes to the renamed file until it is told of the rotation or finds out. GNU tail loses nothing of that
/// when it polls: it looks for another file only after five looks without a change, `--max-unchanged-stats`.
fn late_writer(stage: &mut Stage) {
    stage.write(100);
    let mut late = stage.log.try_clone().unwrap();
    stage.rotate();
    let start = Instant::now();
    for millis in 0..500 {
        thread::sleep((start + Duration::from_millis(millis)).saturating_duration_since(Instant::now()));
        late.write_all(stage.line().as_bytes()).unwrap();
    }
    stage.write(500);
}

/// More generations than a timed look sees.
fn fast_rotations(stage: &mut Stage) {
    for _ in 0..100 {
        stage.write(200);
        stage.rotate();
    }
}

/// The writer itself copies and truncates, so that the copies have every byte.
fn copytruncate(stage: &mut Stage) {
    for _ in 0..10 {
        stage.write(20_000);
        stage.shift("app.log");
        fs::copy(stage.path("app.log"), stage.path("app.log.1")).unwrap();
        stage.log.set_len(0).unwrap();
    }
}

/// The size alone does not tell it from a log that was appended to.
fn regrown(stage: &mut Stage) {
    stage.write(1000);
    stage.wait_until_delivered();
    let lines: String = (0..3000).map(|_| stage.line()).collect();
    stage.log.set_len(0).unwrap();
    stage.log.write_all(lines.as_bytes()).unwrap();
}

/// As when a machine sleeps or is overloaded.
fn stopped(stage: &mut Stage) {
    stage.signal(Signal::STOP);
    stage.wait_until_stopped();
    for _ in 0..5 {
        stage.write(1000);
        stage.rotate();
    }
    stage.signal(Signal::CONT);
}

/// Names that no rotation tool is known to give: only a follower that holds the file open can still read it.
fn unlisted_names(stage: &mut Stage) {
    for number in 1..=10 {
        stage.write(1000);
        stage.rotate_to(&format!("old{number}.txt"));
        thread::sleep(PAUSE);
    }
    stage.write(1000);
}

/// As logrotate does it with `olddir archive`.
fn olddir(stage: &mut Stage) {
    fs::create_dir(stage.path("archive")).unwrap();
    for _ in 0..10 {
        stage.write(1000);
        stage.shift("archive/app.log");
        stage.rotate_to("archive/app.log.1");
        thread::sleep(PAUSE);
    }
    stage.write(1000);
}

/// The files are new, their names are those of rotated files, and their lines are from long ago.
fn unpacked_archives(stage: &mut Stage) {
    stage.write(1000);
    stage.wait_until_delivered();
    for name in ["app.log.5", "app.log-20261120", "app.2.log", "app.log.bak"] {
        fs::write(stage.path(name), stage.foreign_lines(500)).unwrap();
    }
    for _ in 0..2 {
        stage.rotate();
        stage.write(1000);
        stage.wait_until_delivered();
    }
}

/// The target in the middle is the link's for about 10 ms.
fn switched_link(stage: &mut Stage) {
    for number in 1..=5 {
        for target in [2 * number, 2 * number + 1] {
            stage.switch_to(&format!("app-{target}.log"));
            stage.write(500);
        }
        thread::sleep(Duration::from_secs(2));
    }
}

/// As it looks on NFS, or where several threads write at places of their own.
fn two_step_writes(stage: &mut Stage) {
    let file = OpenOptions::new().write(true).open(stage.path("app.log")).unwrap();
    for _ in 0..100 {
        let start = file.metadata().unwrap().len();
        let line = stage.line();
        let (rest, last) = line.as_bytes().split_at(line.len() - 1);
        file.write_all_at(last, start + rest.len() as u64).unwrap();
        thread::sleep(Duration::from_millis(20));
        file.write_all_at(rest, start).unwrap();
    }
}
