//! `wstail produce`: options to a log writer.

use std::io;
use std::path::PathBuf;

use argh::FromArgs;
use wstail::Result;
use wstail::produce::{Config, Producer, RotateHow};

use super::values::{path, size};
use super::{Exit, set_up_log, stop_on_signal};

/// Write a log that rotates, for demonstrations and tests.
#[derive(FromArgs)]
#[argh(subcommand, name = "produce", help_triggers("-h", "--help"))]
pub(super) struct Produce {
    /// the log to append to
    #[argh(positional, arg_name = "FILE", from_str_fn(path))]
    file: PathBuf,

    /// lines a second, fractions too; 0 for as fast as it can; default 1
    #[argh(option, arg_name = "N", from_str_fn(rate))]
    rate: Option<f64>,

    /// stop after that many lines
    #[argh(option, arg_name = "N")]
    count: Option<u64>,

    /// what each line says; default 你好aaa
    #[argh(option, arg_name = "TEXT")]
    message: Option<String>,

    /// start a new file at this size, for example 100KB; 0 for never; default 100MB
    #[argh(option, arg_name = "SIZE", from_str_fn(size))]
    rotate: Option<u64>,

    /// how it is started: rename, or copytruncate, which copies the log and empties it; default rename
    #[argh(option, arg_name = "HOW")]
    rotate_how: Option<RotateHow>,

    /// rotated files kept; default 5
    #[argh(option, arg_name = "N")]
    keep: Option<usize>,

    /// number each line and add a checksum: `seq=N crc=HHHHHHHH TEXT`
    #[argh(switch)]
    stamp: bool,
}

impl Produce {
    pub(super) fn run(self) -> Result<Exit> {
        set_up_log("warn");
        let default = Config::default();
        let config = Config {
            rate: self.rate.unwrap_or(default.rate),
            count: self.count,
            message: self.message.unwrap_or(default.message),
            rotate: self.rotate.unwrap_or(default.rotate),
            rotate_how: self.rotate_how.unwrap_or(default.rotate_how),
            keep: self.keep.unwrap_or(default.keep),
            stamp: self.stamp,
        };
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

fn rate(text: &str) -> Result<f64, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let rate = text.parse::<f64>().ok().filter(|rate| plain && rate.is_finite());
    rate.ok_or_else(|| "expected lines a second, for example 10 or 0.5".to_owned())
}
