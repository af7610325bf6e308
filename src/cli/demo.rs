//! The options of `wstail demo`. `parts` runs it.

#[cfg(target_os = "linux")]
mod parts;

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};

use super::values::seconds;

/// Write a log, serve it and follow it until you press Ctrl-C.
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "demo", help_triggers("-h", "--help"))]
pub(super) struct Demo {
    /// stop after N seconds
    #[argh(option, arg_name = "N", from_str_fn(seconds))]
    seconds: Option<Duration>,
}

#[cfg(not(target_os = "linux"))]
impl Demo {
    pub(super) fn run(self) -> wstail::Result<super::Exit> {
        Err(super::needs_linux("`wstail demo`"))
    }
}
