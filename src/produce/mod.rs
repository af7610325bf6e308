//! Writes a log that rotates, for demonstrations and tests.

mod time;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::shutdown::Shutdown;
use time::Time;

/// What is written, how fast, and into how large files.
#[derive(Clone, Debug)]
pub struct Config {
    /// Lines a second; 0 for as fast as it can. Default: 1.
    pub rate: f64,
    /// How many lines; `None` for no end. Default: none.
    pub count: Option<u64>,
    /// What each line says. Default: `你好aaa`.
    pub message: String,
    /// The size in bytes at which a new file is started; 0 for never. Default: 100 MB.
    pub rotate: u64,
    /// How many rotated files are kept. Default: 5.
    pub keep: usize,
    /// Whether a line says its number and a checksum: `seq=N crc=HHHHHHHH TEXT`. Default: no.
    pub stamp: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config { rate: 1.0, count: None, message: "你好aaa".into(), rotate: 100_000_000, keep: 5, stamp: false }
    }
}

/// A log writer at work.
#[derive(Debug)]
pub struct Producer {
    path: PathBuf,
    config: Config,
    file: File,
    size: u64,
    line: Vec<u8>,
}

impl Producer {
    /// Opens the log, to append to it.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn open(path: impl Into<PathBuf>, config: Config) -> Result<Producer> {
        let path = path.into();
        let (file, size) = open(&path).map_err(|error| failed("open", &path, error))?;
        Ok(Producer { path, config, file, size, line: Vec::new() })
    }

    /// Writes until `count` lines are written or the order to stop is given; says whether all were written.
    ///
    /// # Errors
    /// When the log cannot be written or rotated.
    pub fn run(&mut self, shutdown: &Shutdown) -> Result<bool> {
        let mut pace = Pace::new(self.config.rate);
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
        if self.config.rotate > 0 && self.size > 0 && self.size + self.line.len() as u64 > self.config.rotate {
            self.rotate().map_err(|error| failed("rotate", &self.path, error))?;
        }
        self.file.write_all(&self.line).map_err(|error| failed("write", &self.path, error))?;
        self.size += self.line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let mut now = Time::now();
        let mut rotated = self.rotated(now);
        while rotated.exists() {
            now.0 += Duration::from_micros(1);
            rotated = self.rotated(now);
        }
        fs::rename(&self.path, rotated)?;
        (self.file, self.size) = open(&self.path)?;
        self.prune()
    }

    /// `app.log` becomes `app.2026-11-23_01-32-27_123456.log`.
    fn rotated(&self, time: Time) -> PathBuf {
        let (stem, extension) = self.name();
        self.path.with_file_name(format!("{stem}.{}{extension}", time.stamp()))
    }

    fn name(&self) -> (String, String) {
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let extension = self.path.extension().map(|extension| format!(".{}", part(Some(extension))));
        (part(self.path.file_stem()), extension.unwrap_or_default())
    }

    fn prune(&self) -> io::Result<()> {
        let (stem, extension) = self.name();
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut rotated = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let stamp = name.strip_prefix(&format!("{stem}.")).and_then(|rest| rest.strip_suffix(&extension));
            if stamp.is_some_and(is_stamp) {
                rotated.push(name);
            }
        }
        rotated.sort_unstable();
        let surplus = rotated.len().saturating_sub(self.config.keep);
        rotated[..surplus].iter().try_for_each(|name| fs::remove_file(directory.join(name)))
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {what} `{}`", path.display()), error)
}

/// `2026-11-23 01:32:27.123 | INFO     | wstail:produce:1 - MESSAGE`
fn write_line(out: &mut Vec<u8>, time: Time, number: u64, message: &str, stamp: bool) -> io::Result<()> {
    write!(out, "{} | INFO     | wstail:produce:1 - ", time.clock())?;
    if stamp {
        let text = format!("{number} {message}");
        write!(out, "seq={number} crc={:08x} ", crc32fast::hash(text.as_bytes()))?;
    }
    writeln!(out, "{message}")
}

fn is_stamp(text: &str) -> bool {
    const SHAPE: &str = "0000-00-00_00-00-00_000000";
    let fits = |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    text.len() == SHAPE.len() && text.bytes().zip(SHAPE.bytes()).all(fits)
}

/// Lines a second, kept on the average; what was missed for more than a second is not caught up with.
struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    fn new(rate: f64) -> Pace {
        let interval = if rate > 0.0 { Duration::try_from_secs_f64(1.0 / rate) } else { Ok(Duration::ZERO) };
        Pace { interval: interval.unwrap_or(Duration::MAX), next: Instant::now() }
    }

    /// Waits until the next line is due; whether the order to stop came instead.
    fn wait(&mut self, shutdown: &Shutdown) -> bool {
        if self.interval.is_zero() {
            return shutdown.is_ordered();
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
    use super::*;

    fn produce(config: Config) -> (tempfile::TempDir, Vec<(String, String)>) {
        let directory = tempfile::tempdir().unwrap();
        let (_trigger, shutdown) = crate::shutdown().unwrap();
        let mut producer = Producer::open(directory.path().join("app.log"), config).unwrap();
        assert!(producer.run(&shutdown).unwrap());
        let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
            .collect();
        files.sort();
        (directory, files)
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
    fn a_stamp_is_a_number_and_a_checksum() {
        let mut line = Vec::new();
        write_line(&mut line, Time(Duration::ZERO), 1, "x", true).unwrap();
        let line = String::from_utf8(line).unwrap();
        let expected = format!("1970-01-01 00:00:00.000 | INFO     | wstail:produce:1 - seq=1 crc={:08x} x\n", {
            crc32fast::hash(b"1 x")
        });
        assert_eq!(line, expected);
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
    }

    #[test]
    fn files_rotate_at_the_size_and_only_some_are_kept() {
        let config = Config { rate: 0.0, count: Some(100), rotate: 1000, keep: 3, ..Config::default() };
        let (_directory, files) = produce(config);
        let names: Vec<&str> = files.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(
            names.iter().filter(|name| is_stamp(name.trim_start_matches("app.").trim_end_matches(".log"))).count(),
            3
        );
        assert!(files.iter().all(|(_, text)| text.len() <= 1000 && text.ends_with('\n')));
    }

    #[test]
    fn no_line_is_lost_at_a_rotation() {
        let config = Config { rate: 0.0, count: Some(200), rotate: 500, keep: 1000, stamp: true, ..Config::default() };
        let (_directory, files) = produce(config);
        let text: String = files.into_iter().map(|(_, text)| text).collect();
        let numbers: Vec<u64> = text
            .lines()
            .map(|line| line.split("seq=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap())
            .collect();
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (1..=200).collect::<Vec<u64>>());
    }
}
