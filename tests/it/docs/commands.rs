//! The commands of the documentation, run as a reader would: page by page, in an empty directory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{blocks, pages, read};
use crate::support::{Log, Process, serve, until, wstail};

/// Makes the commands of a page end by themselves, and gives them their own port: `serve` runs in the background, one
/// server at a time; `tail` stops at the end of the log; an endless `produce` stops after 20 lines.
const HELPERS: &str = r#"
set -eu
trap '[ -z "${server:-}" ] || { kill $server; wait $server || true; }' EXIT
wstail() {
    case "$1" in
    serve)
        [ -z "${server:-}" ] || { kill $server; wait $server || true; }
        command wstail "$@" --port PORT > .listening & server=$!
        until grep -q listening .listening; do kill -0 $server; sleep 0.05; done ;;
    tail) command wstail "$@" --no-follow ;;
    demo) command wstail "$@" --seconds 1 ;;
    healthcheck) command wstail "$@" http://127.0.0.1:PORT/-/healthz ;;
    produce)
        case "$*" in
        *--count*) command wstail "$@" ;;
        *) command wstail "$@" --count 20 ;;
        esac ;;
    *) command wstail "$@" ;;
    esac
}
curl() { command curl --silent --show-error --fail --max-time 20 "$@"; }
"#;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The commands of a page with this machine and that port in place of those of the example.
fn adapted(commands: &str, port: u16) -> String {
    let mut text = commands.replace("\\\n", "").replace("logs.example.com:8765", "localhost:PORT");
    text = text.replace("logs.example.com/", "localhost:PORT/").replace("logs.example.com", "localhost");
    text = text.replace("127.0.0.1:8765", "127.0.0.1:PORT").replace("127.0.0.1/", "127.0.0.1:PORT/");
    // Nothing runs in the background but the server.
    let lines = text.lines().map(|line| line.trim_end_matches(" &").replace("tail=1", "tail=0"));
    let lines = lines.map(|line| if line.ends_with(" 127.0.0.1") { line + ":PORT" } else { line });
    (HELPERS.to_owned() + &lines.collect::<Vec<_>>().join("\n") + "\n").replace("PORT", &port.to_string())
}

/// Runs a script in that directory; its exit code, stdout and stderr.
fn bash(script: &str, directory: &Path) -> (i32, String, String) {
    let path = Path::new(env!("CARGO_BIN_EXE_wstail")).parent().unwrap().to_str().unwrap().to_owned();
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped());
    command.env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap())).env_remove("WSTAIL_TOKEN");
    let process = Process::start(command);
    let lines = process.lines().join("\n");
    let (code, errors) = process.end();
    (code, lines, errors)
}

#[test]
#[ignore = "needs bash, curl and openssl"]
fn every_command_runs() {
    for page in pages() {
        let of_page = blocks(&read(&page));
        let commands: Vec<_> =
            of_page.into_iter().filter(|(language, _)| language == "sh").map(|(_, block)| block).collect();
        if commands.is_empty() {
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        let script = adapted(&commands.join("\n"), free_port());
        let (code, output, errors) = bash(&script, directory.path());
        assert_eq!(code, 0, "{}: {script}\n{output}\n{errors}", page.display());
    }
}

#[test]
#[ignore = "needs bash and curl"]
fn the_proof_prints_what_it_says() {
    let page = blocks(&read("docs/promises.md"));
    let block = |wanted: &str| page.iter().find(|(language, _)| language == wanted).unwrap().1.clone();
    // Fewer lines, and a rotation after as many bytes less.
    let scaled = |text: String| text.replace("1000000", "50000").replace("1MB", "50KB");
    let script = scaled(block("bash")).replace("8766", &free_port().to_string());
    let directory = tempfile::tempdir().unwrap();
    let (_, output, errors) = bash(&script, directory.path());
    assert!(errors.contains(&scaled(block("text"))), "{output}\n{errors}");
}

#[test]
#[ignore = "needs websockets from PyPI"]
fn the_python_client_prints_the_log() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let page = blocks(&read("README.md"));
    let script = &page.iter().find(|(language, _)| language == "python").unwrap().1;
    let mut command = Command::new("python3");
    command.arg("-c").arg(script.replace("127.0.0.1:8765", &server.address));
    let client = Process::start({
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    });
    assert_eq!((client.line(), client.line()), ("a".to_owned(), "b".to_owned()));
    log.append("c\n");
    assert_eq!(client.line(), "c");
}

#[test]
#[ignore = "needs python3"]
fn the_terminal_recording_can_be_made() {
    let directory = tempfile::tempdir().unwrap();
    let picture = directory.path().join("terminal.svg");
    let mut command = Command::new("python3");
    command.arg(super::root().join("contrib/terminal-svg")).arg(env!("CARGO_BIN_EXE_wstail")).arg(&picture);
    let process = Process::start(command);
    until("the picture is drawn", || picture.exists());
    assert_eq!(process.end(), (0, String::new()));
    for text in [fs::read_to_string(&picture).unwrap(), read("docs/terminal.svg")] {
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{text}");
        assert!(text.contains("$ wstail tail") && text.contains("a request was answered"), "{text}");
    }
}

#[test]
fn commands_in_text_blocks_use_known_options() {
    for page in pages() {
        for (_, block) in blocks(&read(&page)).into_iter().filter(|(language, _)| language == "text") {
            for line in block.lines().filter_map(|line| line.strip_prefix("wstail ")) {
                // Not a message of the program, nor a synopsis.
                if line.contains(['[', ':']) && !line.contains("--") || line.contains("...") {
                    continue;
                }
                let output = wstail().args(line.split(' ')).arg("--help").output().unwrap();
                assert!(output.status.success(), "{}: {line}", page.display());
            }
        }
    }
}
