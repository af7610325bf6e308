//! The command line: one file a command, from its options to what it prints. Everything else is in the library, which
//! neither prints nor exits.

mod arguments;
mod cursor_dir;
mod cursor_file;
mod demo;
mod descriptors;
#[cfg_attr(windows, path = "device/windows.rs")]
mod device;
mod environment;
mod filter;
mod follow;
#[cfg(test)]
mod generated;
mod healthcheck;
mod help;
mod json;
#[cfg_attr(windows, path = "locked/windows.rs")]
mod locked;
mod ls;
mod merge;
mod names;
mod nearest;
mod notices;
#[cfg(target_os = "linux")]
mod notify;
mod printed_places;
mod printer;
mod produce;
mod refusal;
mod schema;
mod search_report;
mod serve;
mod several;
mod signals;
mod sink;
mod source;
mod stdout;
mod style;
mod tail;
mod tokens;
mod trust;
mod values;
mod words;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argh::{ArgsInfo, EarlyExit, FromArgs};
use wstail::{Error, Result, Shutdown};

use self::arguments::Prepared;

/// Serve logs over WebSocket and HTTP, and follow them through rotation and bad networks.
#[derive(FromArgs, ArgsInfo)]
#[argh(help_triggers("-h", "--help"))]
struct Arguments {
    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,

    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Serve(serve::Serve),
    Tail(tail::Tail),
    Ls(ls::Ls),
    Produce(produce::Produce),
    Demo(demo::Demo),
    Healthcheck(healthcheck::Healthcheck),
}

/// How the process ends, best first.
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

/// Ends the help of the program.
const MORE_HELP: &str = "
`wstail help COMMAND` lists the options of a command. Each long option can also be
set by an environment variable: WSTAIL_SERVE_PORT=8080, for example.";

/// Runs the command that the arguments name.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<Exit> {
    let command = arguments.first().and_then(|word| schema::known(word.to_str()?));
    run_words(arguments).map_err(|error| match (error.is_usage(), command) {
        // The help of the command is more useful than that of the program.
        (true, Some(command)) => {
            Error::usage(error.to_string().replace("`wstail --help`", &format!("`wstail {command} --help`")))
        }
        _ => error,
    })
}

fn run_words(arguments: Vec<OsString>) -> Result<Exit> {
    let Prepared { words, variables } = arguments::prepare(arguments)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let parsed = match Arguments::from_args(&["wstail"], &words) {
        Ok(parsed) => parsed,
        Err(EarlyExit { output, status: Ok(()) }) => {
            let help = match words[..] {
                [command, "--help"] => help::of(&schema::CommandSchema::find(command)?),
                _ => {
                    let output = output.replace("display usage information", "print this help");
                    let (_, rest) = output.split_once('\n').unwrap_or_default();
                    format!("Usage: wstail COMMAND [ARGS]...\n{rest}{MORE_HELP}")
                }
            };
            return print_line(help.trim_end());
        }
        Err(EarlyExit { output, status: Err(()) }) => {
            let message = environment::explain(arguments::one_line(&output), &variables);
            return Err(usage(arguments::plain(message)));
        }
    };
    if parsed.version {
        return print_line(&format!("wstail {}\nfeatures: {}", env!("CARGO_PKG_VERSION"), features().join(" ")));
    }
    execute(parsed.command).map_err(|error| match error.is_usage() {
        true => Error::usage(environment::explain(error.to_string(), &variables)),
        false => error,
    })
}

/// The crate features that this program was built with, but for the program itself.
fn features() -> Vec<&'static str> {
    let all = [
        ("tls", cfg!(feature = "tls")),
        ("regex", cfg!(feature = "regex")),
        ("gz", cfg!(feature = "gz")),
        ("zstd", cfg!(feature = "zstd")),
        ("xz", cfg!(feature = "xz")),
    ];
    let built_in: Vec<_> = all.into_iter().filter(|(_, is_built_in)| *is_built_in).map(|(name, _)| name).collect();
    if built_in.is_empty() { vec!["none"] } else { built_in }
}

fn execute(command: Option<Command>) -> Result<Exit> {
    match command {
        Some(Command::Serve(serve)) => serve.run(),
        Some(Command::Tail(tail)) => tail.run(),
        Some(Command::Ls(ls)) => ls.run(),
        Some(Command::Produce(produce)) => produce.run(),
        Some(Command::Demo(demo)) => demo.run(),
        Some(Command::Healthcheck(healthcheck)) => healthcheck.run(),
        None => Err(usage(format!("no command was given, expected one of {}", schema::names().join(", ")))),
    }
}

/// The error of a command, or of a use of it, that there is only on Linux.
#[cfg(not(target_os = "linux"))]
fn needs_linux(what: &str) -> Error {
    Error::failed(format!("{what} needs Linux; `tail`, `ls HOST`, `healthcheck` and `produce` run here, too"))
}

/// Sets a field if its option was given, and otherwise leaves the default.
fn set<T>(field: &mut T, option: Option<T>) {
    if let Some(value) = option {
        *field = value;
    }
}

fn usage(message: impl Display) -> Error {
    Error::usage(format!("{message} (see `wstail --help`)"))
}

/// Prints one line on stderr. A closed stderr is not an error.
pub(crate) fn print_error(message: &dyn Display) {
    let _ = writeln!(io::stderr(), "wstail: {message}");
}

/// Prints to stdout. A closed pipe is not an error.
fn print_line(text: &str) -> Result<Exit> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("cannot write to stdout", error)),
        _ => Ok(Exit::Done),
    }
}

/// Sends the log to stderr, at the level set by `RUST_LOG`.
fn set_up_log(default: &str) {
    let environment = env_logger::Env::default().default_filter_or(default);
    let mut builder = env_logger::Builder::from_env(environment);
    // tungstenite logs what clients send, as they send it.
    builder.filter_module("tungstenite", log::LevelFilter::Off).format_target(false).init();
}

/// A second signal within this time counts as the first one: timeout(1) signals both a process and its group.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// Triggers the shutdown when it is taken out, from whichever thread.
type SharedTrigger = Arc<Mutex<Option<wstail::Trigger>>>;

/// The first SIGINT, SIGTERM or SIGHUP triggers the shutdown; the second ends the process at once. Signals that were
/// ignored when the program was started stay ignored.
fn stop_on_signal() -> Result<(SharedTrigger, Shutdown)> {
    let failed = |error: io::Error| Error::io("cannot set up signal handling", error);
    let (trigger, shutdown) = wstail::shutdown().map_err(failed)?;
    signals::keep_ignored().map_err(failed)?;
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

/// Ignores poisoning: no value here is changed in two steps, so a panic leaves it consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
