//! The `wstail` command: arguments, signals, exit code.

// Some commands need Linux. What only they use is unused elsewhere.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match cli::run(arguments) {
        Ok(exit) => exit.into(),
        Err(error) => {
            cli::print_error(&error);
            if error.is_usage() { cli::Exit::Usage.into() } else { cli::Exit::Failed.into() }
        }
    }
}
