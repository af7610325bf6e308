//! The service scripts in `contrib/` and the command of the container start the server. What the service managers provide
//! is replaced by a few lines of shell.

use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::read;
use crate::support::{Log, Process, wstail};

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

/// Starts a server, and returns it with the address that it prints.
fn start(mut command: Command) -> (Process, String) {
    let process = Process::start({
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    });
    let line = process.line();
    let address = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("not an address: {line}")).to_owned();
    (process, address)
}

/// Asserts that SIGTERM ends a server well.
fn end(server: &Process) {
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, 0);
}

#[test]
fn service_scripts_start_the_server() {
    for (script, manager) in [("contrib/openrc/wstail", OPENRC), ("contrib/openwrt/wstail", PROCD)] {
        let log = Log::with("a\n");
        let script = read(script).replace("/usr/bin/wstail", env!("CARGO_BIN_EXE_wstail"));
        let directory = log.directory().to_str().unwrap().to_owned();
        let path = log.beside("script");
        std::fs::write(&path, script.replace("/var/log", &directory)).unwrap();
        let mut command = Command::new("sh");
        command.arg("-euc").arg(manager).arg("sh").arg(&path).env_clear();
        end(&start(command).0);
    }
}

#[test]
fn the_container_starts_the_server() {
    let log = Log::with("a\n");
    let file = read("Containerfile");
    let words = |instruction: &str| -> Vec<String> {
        let line = file.lines().find_map(|line| line.strip_prefix(instruction)).unwrap();
        serde_json::from_str(line).unwrap()
    };
    assert_eq!(words("ENTRYPOINT "), ["/wstail"]);
    let directory = log.directory().to_str().unwrap().to_owned();
    let arguments = words("CMD ").into_iter().map(|word| match &word[..] {
        "/logs" => directory.clone(),
        "0.0.0.0" => "127.0.0.1".to_owned(),
        _ => word,
    });
    let mut command = wstail();
    command.args(arguments).args(["--port", "0"]);
    let (server, address) = start(command);
    let mut command = wstail();
    command.args(&words("HEALTHCHECK CMD ")[1..]).arg(format!("{address}-/healthz"));
    assert!(command.status().unwrap().success());
    end(&server);
}
