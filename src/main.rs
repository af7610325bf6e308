//! The `wstail` command: arguments, signals, exit code.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod cli;

#[cfg(target_os = "linux")]
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

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("wstail: cannot run on {}: only Linux is supported", std::env::consts::OS);
    ExitCode::FAILURE
}
