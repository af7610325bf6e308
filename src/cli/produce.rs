//! `wstail produce`: turns its options into a configuration for the log writer in the library.

use std::io;
use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use wstail::Result;
use wstail::produce::{Producer, ProducerConfig, RotateHow, RotateName};

use super::values::{path, size};
use super::{Exit, set, set_up_log, stop_on_signal};

/// Write a log that rotates, for demonstrations and tests.
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "produce", help_triggers("-h", "--help"))]
pub(super) struct Produce {
    /// the log to append to
    #[argh(positional, arg_name = "FILE", from_str_fn(path))]
    file: PathBuf,

    /// lines per second; 0: as fast as possible [default: 1]
    #[argh(option, arg_name = "N", from_str_fn(rate))]
    rate: Option<f64>,

    /// stop after N lines
    #[argh(option, arg_name = "N")]
    count: Option<u64>,

    /// text of each line [default: 你好aaa]
    #[argh(option, arg_name = "TEXT", from_str_fn(message))]
    message: Option<String>,

    /// rotate at this size; 0: never [default: 100MB]
    #[argh(option, arg_name = "SIZE", from_str_fn(size))]
    rotate: Option<u64>,

    /// how to rotate: rename or copytruncate [default: rename]
    #[argh(option, arg_name = "HOW")]
    rotate_how: Option<RotateHow>,

    /// name of rotated files, with {n} or {time}
    #[argh(option, arg_name = "PATTERN")]
    rotate_name: Option<RotateName>,

    /// number of rotated files to keep [default: 5]
    #[argh(option, arg_name = "N")]
    keep: Option<usize>,

    /// number the lines and add checksums, for `tail --verify`
    #[argh(switch)]
    stamp: bool,
}

impl Produce {
    pub(super) fn run(self) -> Result<Exit> {
        set_up_log("warn");
        let mut config = ProducerConfig::default();
        set(&mut config.rate, self.rate);
        config.count = self.count;
        set(&mut config.message, self.message);
        set(&mut config.rotate, self.rotate);
        set(&mut config.rotate_how, self.rotate_how);
        config.rotate_name = self.rotate_name;
        set(&mut config.keep, self.keep);
        config.stamp = self.stamp;
        let (_trigger, shutdown) = stop_on_signal()?;
        match Producer::open(self.file, config)?.run(&shutdown) {
            Ok(true) => Ok(Exit::Done),
            Ok(false) => Ok(Exit::Interrupted),
            // FILE may be /dev/stdout, and its reader may leave.
            Err(error) if error.io_kind() == Some(io::ErrorKind::BrokenPipe) => Ok(Exit::Done),
            Err(error) => Err(error),
        }
    }
}

/// Checks that the text is a single line.
fn message(text: &str) -> Result<String, String> {
    if text.contains('\n') { Err("expected a text without a newline".to_owned()) } else { Ok(text.to_owned()) }
}

fn rate(text: &str) -> Result<f64, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let rate = text.parse::<f64>().ok().filter(|rate| plain && rate.is_finite());
    rate.ok_or_else(|| "expected lines a second, for example 10 or 0.5".to_owned())
}
