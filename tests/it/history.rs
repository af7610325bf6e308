//! Random histories of a log, played against the real server with several readers, and an oracle that knows every line:
//! nothing is lost silently, repeated, out of order, or from another file, and there is no gap where nothing was or may
//! have been destroyed. `world` has what people and tools do to a directory, `oracle` what is owed to a reader.
//!
//! A failure prints its seed, what was done and what arrived, shrunk to the fewest operations that still fail.
//! `WSTAIL_SEED=N` plays one history again, and `WSTAIL_CASES=N` this many. `WSTAIL_BASE=DIR` plays them on the file
//! system of DIR. With `WSTAIL_ALL=1`, all are played, and each one that failed is printed as it was.
//! `WSTAIL_THREADS=N` plays this many at once.

mod oracle;
mod player;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use self::player::{Pace, Plan, Player};
use crate::support::Birthless;
use crate::support::random::seeds;

/// The threads wait most of the time.
const THREADS: u64 = 12;
/// The number in an ordinary test run. `WSTAIL_CASES` plays more.
const CASES: u64 = 100;

fn cases(default: u64) -> u64 {
    setting("WSTAIL_CASES", default)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Plays this many histories below `base`. Each thread has its own server.
fn play(base: &Path, cases: u64, pace: Pace) {
    let goes_on = std::env::var_os("WSTAIL_ALL").is_some();
    let threads = setting("WSTAIL_THREADS", THREADS);
    let failed: Mutex<Vec<(u64, String)>> = Mutex::default();
    thread::scope(|scope| {
        for part in 0..threads {
            let failed = &failed;
            scope.spawn(move || {
                let mut player = Player::new(base);
                for seed in seeds(cases).filter(|seed| seed % threads == part) {
                    if !goes_on && !failed.lock().unwrap().is_empty() {
                        return;
                    }
                    if let Err(story) = attempt(&mut player, &Plan::of(seed), pace) {
                        failed.lock().unwrap().push((seed, story));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if goes_on {
        failed.iter().for_each(|(seed, story)| eprintln!("seed {seed}: {story}\n"));
        assert!(failed.is_empty(), "{} of {cases} histories failed", failed.len());
    }
    if let Some((seed, story)) = failed.first() {
        panic!("seed {seed}: {}\n{story}", shrink(base, *seed, pace));
    }
    eprintln!("{cases} histories: 0 bytes lost in silence, 0 repeated, 0 gaps not owed");
}

fn attempt(player: &mut Player, plan: &Plan, pace: Pace) -> Result<(), String> {
    let result = catch_unwind(AssertUnwindSafe(|| player.play(plan, pace)));
    if result.is_ok() {
        return Ok(());
    }
    let story = player.story();
    *player = Player::new(player.base());
    Err(story)
}

/// The shortest history that still fails, as the story of what happened.
fn shrink(base: &Path, seed: u64, pace: Pace) -> String {
    std::panic::set_hook(Box::new(|_| {}));
    let mut player = Player::new(base);
    let (mut plan, mut story) = (Plan::of(seed), String::from("it did not fail again"));
    let mut at = plan.len();
    while at > 0 {
        at -= 1;
        let shorter = plan.without(at);
        if let Err(shorter_story) = attempt(&mut player, &shorter, pace) {
            (plan, story) = (shorter, shorter_story);
        }
    }
    let _ = std::panic::take_hook();
    story
}

#[test]
fn every_line_comes_once_and_every_gap_is_owed() {
    play(&base(), cases(CASES), Pace::Settled);
}

#[test]
fn every_line_comes_once_on_tmpfs() {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        play(shared, cases(CASES), Pace::Settled);
    }
}

#[test]
#[ignore = "needs mount"]
fn every_line_comes_once_without_creation_times() {
    play(Birthless::mount().path(), cases(CASES), Pace::Settled);
}

/// Times in seconds cannot show the order of what happens within one second.
#[test]
#[ignore = "needs mount and half a minute for each history"]
fn every_line_comes_once_where_times_are_in_seconds() {
    play(Birthless::mount_coarse().path(), cases(THREADS), Pace::Seconds);
}

/// Several operations between two polls, in any combination.
#[test]
#[ignore = "finds faults that are still open"]
fn every_line_comes_once_however_fast_things_happen() {
    play(&base(), cases(CASES), Pace::Unsettled);
}

fn base() -> PathBuf {
    std::env::var_os("WSTAIL_BASE").map_or_else(std::env::temp_dir, PathBuf::from)
}
