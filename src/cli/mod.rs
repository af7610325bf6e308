//! The command line: one file a command, from options to what is printed.

mod demo;
mod follow;
mod healthcheck;
mod json;
mod names;
mod printer;
mod produce;
mod progress;
mod record;
mod serve;
mod stdout;
mod tail;
mod tokens;
mod trust;
mod values;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argh::{EarlyExit, FromArgs};
use wstail::{Error, Result, Shutdown};

/// Serves logs over WebSocket and follows them through rotation, truncation and restart.
#[derive(FromArgs)]
#[argh(help_triggers("-h", "--help"))]
struct Arguments {
    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,

    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    Serve(serve::Serve),
    Tail(tail::Tail),
    Produce(produce::Produce),
    Demo(demo::Demo),
    Healthcheck(healthcheck::Healthcheck),
}

/// How the process ends, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Done,
    Interrupted,
    Failed,
    Usage,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Runs the command that the arguments name.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<Exit> {
    let arguments = values::split(arguments.into_iter().map(values::text).collect())?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let parsed = match Arguments::from_args(&["wstail"], &values::reorder(&words)) {
        Ok(parsed) => parsed,
        Err(EarlyExit { output, status: Ok(()) }) => return print_line(output.trim_end()),
        Err(EarlyExit { output, status: Err(()) }) => return Err(usage(values::one_line(&output))),
    };
    if parsed.version {
        return print_line(concat!("wstail ", env!("CARGO_PKG_VERSION")));
    }
    match parsed.command {
        Some(Command::Serve(serve)) => serve.run(),
        Some(Command::Tail(tail)) => tail.run(),
        Some(Command::Produce(produce)) => produce.run(),
        Some(Command::Demo(demo)) => demo.run(),
        Some(Command::Healthcheck(healthcheck)) => healthcheck.run(),
        None => Err(usage("no command was given: serve, tail, produce, demo or healthcheck")),
    }
}

fn usage(message: impl Display) -> Error {
    Error::usage(format!("{message} (see `wstail --help`)"))
}

/// One line on stderr; that stderr is closed is no reason to fail.
pub(crate) fn print_error(message: &dyn Display) {
    let _ = writeln!(io::stderr(), "wstail: {message}");
}

/// Prints to stdout; a reader that has left has seen enough.
fn print_line(text: &str) -> Result<Exit> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("cannot write to stdout", error)),
        _ => Ok(Exit::Done),
    }
}

/// The log goes to stderr; `RUST_LOG` says how much of it.
fn set_up_log(default: &str) {
    let environment = env_logger::Env::default().default_filter_or(default);
    let mut builder = env_logger::Builder::from_env(environment);
    // tungstenite logs what clients send, as they send it.
    builder.filter_module("tungstenite", log::LevelFilter::Off).format_target(false).init();
}

/// A second signal that comes sooner is the first, told twice: timeout(1) signals a process and its group.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// Gives the order to stop, from wherever it is taken out of here.
type Trigger = Arc<Mutex<Option<wstail::Trigger>>>;

/// The first of SIGINT, SIGTERM and SIGHUP gives the order to stop, the second ends the process at once.
fn stop_on_signal() -> Result<(Trigger, Shutdown)> {
    let failed = |error: io::Error| Error::io("cannot set up the order to stop", error);
    let (trigger, shutdown) = wstail::shutdown().map_err(failed)?;
    let trigger = Arc::new(Mutex::new(Some(trigger)));
    let held = trigger.clone();
    let mut first = None;
    let handler = move || {
        let is_again = first.get_or_insert_with(Instant::now).elapsed() >= SAME_SIGNAL;
        if lock(&held).take().is_none() && is_again {
            std::process::exit(Exit::Interrupted.code().into());
        }
    };
    ctrlc::set_handler(handler).map_err(|error| failed(io::Error::other(error)))?;
    Ok((trigger, shutdown))
}

/// What a panicked thread left behind is whole: nothing here is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
