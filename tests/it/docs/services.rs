//! The service scripts and the container of `docs/deploy.md` start the server. What the service managers provide is
//! replaced by a few lines of shell.

use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::{blocks, read};
use crate::support::{Log, Process};

/// What OpenRC does with a script of variables.
const OPENRC: &str = r#"
checkpath() { :; }
. "$1"
start_pre
exec $command $command_args --port 0
"#;

/// What procd does with the command of an instance.
const PROCD: &str = r#"
procd_open_instance() { :; }
procd_close_instance() { :; }
procd_set_param() { [ "$1" != command ] || { shift; command="$*"; }; }
. "$1"
start_service
exec $command --port 0
"#;

/// The one block of the page about deployment that holds this.
fn block(part: &str) -> String {
    let mut found =
        blocks(&read("docs/deploy.md")).into_iter().map(|(_, block)| block).filter(|block| block.contains(part));
    let block = found.next().unwrap_or_else(|| panic!("no block with {part}"));
    assert!(found.next().is_none(), "{part}");
    block
}

/// Whether the command starts a server that ends well.
fn assert_serves(mut command: Command) {
    let process = Process::start({
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    });
    let line = process.line();
    assert!(line.starts_with("listening on http://"), "{line}");
    process.signal(Signal::TERM);
    assert_eq!(process.end().0, 0);
}

#[test]
fn service_scripts_start_the_server() {
    for (part, manager) in [("openrc-run", OPENRC), ("procd_open_instance", PROCD)] {
        let log = Log::with("a\n");
        let script = block(part).replace("/usr/bin/wstail", env!("CARGO_BIN_EXE_wstail"));
        let directory = log.directory().to_str().unwrap().to_owned();
        let path = log.beside("script");
        std::fs::write(&path, script.replace("/var/log", &directory)).unwrap();
        let mut command = Command::new("sh");
        command.arg("-euc").arg(manager).arg("sh").arg(&path);
        assert_serves(command);
    }
}

#[test]
fn the_container_starts_the_server() {
    let log = Log::with("a\n");
    let file = block("FROM scratch");
    let words = |instruction: &str| -> Vec<String> {
        let line = file.lines().find_map(|line| line.strip_prefix(instruction)).unwrap();
        serde_json::from_str(line).unwrap()
    };
    assert_eq!(words("ENTRYPOINT "), ["/wstail"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
    let directory = log.directory().to_str().unwrap().to_owned();
    command.args(words("CMD ").iter().map(|word| word.replace("/logs", &directory))).args(["--port", "0"]);
    assert_serves(command);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
    command.args(&words("HEALTHCHECK CMD ")[1..]).arg("--help").stdout(Stdio::null());
    assert!(command.status().unwrap().success());
}
