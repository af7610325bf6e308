//! What a filter costs: `cargo bench --bench select`. `WSTAIL_ROUNDS` (5) and `WSTAIL_MB` (1000) change how much is done.
//!
//! The commands of a row alternate. A row shows the median and the range of the rounds, and the median of the ratios of each
//! round. The logs lie in /dev/shm, so that no disk is measured.

use std::path::Path;

use stage::Stage;

mod figures;
mod limits;
mod log;
mod search;
mod stage;

fn main() {
    let (rounds, megabytes) = (setting("WSTAIL_ROUNDS", 5), setting("WSTAIL_MB", 1000));
    let base = if Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    let directory = tempfile::tempdir_in(base).unwrap();
    let size = log::write(&directory.path().join("app.log"), megabytes as u64 * 1_000_000);
    log::write_sparse(&directory.path().join("sparse.log"));
    let stage = Stage::new(directory.path(), rounds, size);
    search::run(&stage);
    limits::run(&stage);
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}
