//! Writes a log that rotates, for demonstrations and tests, and verifies what a client received of it. It serves nothing.

mod numbers;
mod rotate_name;
mod rotation;
mod stamp;
mod time;
pub mod verifier;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::shutdown::Shutdown;
use time::Time;

pub use rotate_name::RotateName;
pub use rotation::RotateHow;

/// What to write, how fast, and how to rotate. Start from the default and set the fields that should differ.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProducerConfig {
    /// Lines per second; 0 for as fast as possible. Default: 1.
    pub rate: f64,
    /// How many lines to write; `None` for no end. Default: `None`.
    pub count: Option<u64>,
    /// The text of each line, without a newline. Default: `你好aaa`.
    pub message: String,
    /// The size in bytes at which the log is rotated; 0 for never. Default: 100,000,000.
    pub rotate: u64,
    /// How the log is rotated. Default: by renaming it.
    pub rotate_how: RotateHow,
    /// The names of rotated files. Default: `app.2026-11-23_01-32-27_123456.log`, for `app.log`.
    pub rotate_name: Option<RotateName>,
    /// The number of rotated files to keep. Default: 5.
    pub keep: usize,
    /// Whether each line has its number and a checksum before its text, for a [`verifier`]: `seq=N crc=HHHHHHHH TEXT`.
    /// Default: no.
    pub stamp: bool,
}

impl Default for ProducerConfig {
    fn default() -> ProducerConfig {
        ProducerConfig {
            rate: 1.0,
            count: None,
            message: "你好aaa".into(),
            rotate: 100_000_000,
            rotate_how: RotateHow::default(),
            rotate_name: None,
            keep: 5,
            stamp: false,
        }
    }
}

/// A log writer.
#[derive(Debug)]
pub struct Producer {
    path: PathBuf,
    config: ProducerConfig,
    file: File,
    /// The size at which a new file is started; `None` for never.
    limit: Option<u64>,
    size: u64,
    line: Vec<u8>,
    names: rotation::RotatedNames,
}

impl Producer {
    /// Opens the log to append to it; creates it when it does not exist.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn open(path: impl Into<PathBuf>, config: ProducerConfig) -> Result<Producer> {
        let path = path.into();
        let file = open(&path)?;
        let metadata = file.metadata().map_err(|error| failed("open", &path, error))?;
        // A pipe or a device cannot be rotated: `/dev/null` must stay what it is.
        let limit = Some(config.rotate).filter(|&limit| limit > 0 && metadata.is_file());
        let names = rotation::RotatedNames::new(config.rotate_name.clone());
        Ok(Producer { path, config, file, limit, size: metadata.len(), line: Vec::new(), names })
    }

    /// Blocks until [`count`](ProducerConfig::count) lines are written or `shutdown` is triggered. Returns whether all lines
    /// were written.
    ///
    /// # Errors
    /// If the log cannot be written or rotated.
    pub fn run(&mut self, shutdown: &Shutdown) -> Result<bool> {
        let mut pace = LineRate::new(self.config.rate);
        let mut number = 0;
        while self.config.count.is_none_or(|count| number < count) {
            if pace.wait(shutdown) {
                return Ok(false);
            }
            number += 1;
            self.write(number)?;
        }
        Ok(true)
    }

    fn write(&mut self, number: u64) -> Result<()> {
        self.line.clear();
        let (message, stamp) = (&self.config.message, self.config.stamp);
        write_line(&mut self.line, Time::now(), number, message, stamp).expect("a vector takes all");
        let size = self.size + self.line.len() as u64;
        if self.size > 0 && self.limit.is_some_and(|limit| size > limit) {
            self.rotate()?;
        }
        self.file.write_all(&self.line).map_err(|error| failed("write", &self.path, error))?;
        self.size += self.line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> Result<()> {
        let ProducerConfig { rotate_how, keep, .. } = self.config;
        rotation::rotate(&self.path, &mut self.file, rotate_how, keep, &mut self.names)?;
        self.size = self.file.metadata().map_err(|error| failed("open", &self.path, error))?.len();
        Ok(())
    }
}

fn open(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|error| failed("open", path, error))
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {what} `{}`", path.display()), error)
}

/// `2026-11-23 01:32:27.123 | INFO     | wstail:produce:1 - MESSAGE`
fn write_line(out: &mut Vec<u8>, time: Time, number: u64, message: &str, stamp: bool) -> io::Result<()> {
    write!(out, "{} | INFO     | wstail:produce:1 - ", time.clock())?;
    if stamp {
        stamp::write(out, number, message)?;
    } else {
        out.write_all(message.as_bytes())?;
    }
    out.write_all(b"\n")
}

/// Lines per second on average. A delay of more than a second is not made up for.
struct LineRate {
    interval: Duration,
    next: Instant,
}

impl LineRate {
    fn new(rate: f64) -> LineRate {
        let interval = if rate > 0.0 { Duration::try_from_secs_f64(1.0 / rate) } else { Ok(Duration::ZERO) };
        LineRate { interval: interval.unwrap_or(Duration::MAX), next: Instant::now() }
    }

    /// Waits until the next line is due. Returns whether the shutdown was triggered instead.
    fn wait(&mut self, shutdown: &Shutdown) -> bool {
        if self.interval.is_zero() {
            return shutdown.is_triggered();
        }
        let now = Instant::now();
        if now.saturating_duration_since(self.next) > Duration::from_secs(1) {
            self.next = now;
        }
        let due = self.next;
        self.next = due.checked_add(self.interval).unwrap_or(due + Duration::from_secs(u32::MAX.into()));
        shutdown.sleep(due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    const BOTH: [RotateHow; 2] = [RotateHow::Rename, RotateHow::CopyTruncate];

    fn fast() -> ProducerConfig {
        ProducerConfig { rate: 0.0, ..ProducerConfig::default() }
    }

    fn produce(config: ProducerConfig) -> (tempfile::TempDir, Vec<(String, String)>) {
        let directory = tempfile::tempdir().unwrap();
        let (_trigger, shutdown) = crate::shutdown().unwrap();
        let mut producer = Producer::open(directory.path().join("app.log"), config).unwrap();
        assert!(producer.run(&shutdown).unwrap());
        let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
            .collect();
        // The log itself sorts after its rotated files.
        files.sort();
        (directory, files)
    }

    /// The numbers of the stamps, from the oldest file to the log.
    fn numbers(files: &[(String, String)]) -> Vec<u64> {
        let lines = files.iter().flat_map(|(_, text)| text.lines());
        lines.map(|line| line.split("seq=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn a_line_has_the_shape_of_the_contract() {
        let mut line = Vec::new();
        let time = Time(Duration::from_micros(1_795_397_547_123_456));
        write_line(&mut line, time, 7, "你好aaa", false).unwrap();
        let expected = "2026-11-23 01:32:27.123 | INFO     | wstail:produce:1 - 你好aaa\n";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
        assert_eq!(time.stamp(), "2026-11-23_01-32-27_123456");
    }

    #[test]
    fn a_stamp_takes_the_place_of_the_message() {
        let mut line = Vec::new();
        write_line(&mut line, Time(Duration::ZERO), 1, "x", true).unwrap();
        let expected = "1970-01-01 00:00:00.000 | INFO     | wstail:produce:1 - seq=1 crc=11b28b19 x\n";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn files_rotate_at_the_size_and_only_some_are_kept() {
        for rotate_how in BOTH {
            let config = ProducerConfig { count: Some(100), rotate: 1000, rotate_how, keep: 3, ..fast() };
            let (_directory, files) = produce(config);
            let names: Vec<&str> = files.iter().map(|(name, _)| &name[..]).collect();
            assert_eq!(names.len(), 4, "{names:?}");
            assert!(files.iter().all(|(_, text)| text.len() <= 1000 && text.ends_with('\n')), "{rotate_how}");
        }
    }

    #[test]
    fn the_newest_files_are_kept() {
        for rotate_how in BOTH {
            let config = ProducerConfig { count: Some(100), rotate: 500, rotate_how, keep: 3, stamp: true, ..fast() };
            let numbers = numbers(&produce(config).1);
            let oldest = 101 - numbers.len() as u64;
            assert_eq!(numbers, (oldest..=100).collect::<Vec<u64>>(), "{rotate_how}");
        }
    }

    #[test]
    fn no_line_is_lost_at_a_rotation() {
        for rotate_how in BOTH {
            let config =
                ProducerConfig { count: Some(200), rotate: 500, rotate_how, keep: 1000, stamp: true, ..fast() };
            let (_directory, files) = produce(config);
            assert!(files.len() > 10);
            assert_eq!(numbers(&files), (1..=200).collect::<Vec<u64>>(), "{rotate_how}");
        }
    }

    #[test]
    fn what_was_stamped_is_found_clean() {
        let message = "text - seq=1 crc=00000000".to_owned();
        let mut verifier = verifier::Verifier::new(false);
        let (_directory, files) = produce(ProducerConfig { count: Some(50), message, stamp: true, ..fast() });
        files.iter().for_each(|(_, text)| verifier.push(text.as_bytes()));
        assert_eq!(verifier.report().to_string(), "verify: 50 lines, 0 lost, 0 duplicated, 0 corrupt");
    }

    #[test]
    fn what_is_no_file_is_not_rotated() {
        for rotate_how in BOTH {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("app.log");
            mkfifoat(CWD, &path, Mode::RWXU).unwrap();
            let reader = std::thread::spawn({
                let path = path.clone();
                move || fs::read_to_string(path).unwrap().lines().count()
            });
            let config = ProducerConfig { count: Some(100), rotate: 200, rotate_how, ..fast() };
            let (_trigger, shutdown) = crate::shutdown().unwrap();
            assert!(Producer::open(path, config).unwrap().run(&shutdown).unwrap());
            assert_eq!((reader.join().unwrap(), fs::read_dir(directory.path()).unwrap().count()), (100, 1));
        }
    }
}
