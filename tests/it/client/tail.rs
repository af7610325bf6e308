//! `wstail tail` as its user sees it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tungstenite::{Message, WebSocket, accept};

use crate::support::{DEADLINE, Log, Process, Server, serve, until, wstail};

fn tail(server: &Server, arguments: &[&str]) -> Process {
    tail_urls(&[&format!("{}/app.log", server.address)], arguments)
}

fn tail_urls(urls: &[&str], arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.arg("tail").args(urls).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

#[test]
fn the_last_ten_lines_come_first_then_what_is_appended() {
    let log = Log::with((0..20).map(|number| format!("{number}\n")).collect::<String>());
    let server = serve(&log);
    let tail = tail(&server, &[]);
    for number in 10..20 {
        assert_eq!(tail.line(), number.to_string());
    }
    log.append("more\n");
    assert_eq!(tail.line(), "more");
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!((code, errors), (130, format!("wstail: connected to ws://{}/app.log\n", server.address)));
}

#[test]
fn without_following_it_ends_with_the_log() {
    let log = Log::with("a\nb\nc");
    let server = serve(&log);
    for (arguments, expected) in [
        (&["--no-follow", "-n", "2", "-q"][..], &["b", "c"][..]),
        (&["--no-follow", "-n0", "-q"], &[]),
        (&["--no-follow", "--lines=all", "--quiet"], &["a", "b", "c"]),
    ] {
        let tail = tail(&server, arguments);
        assert_eq!(tail.lines(), expected, "{arguments:?}");
        assert_eq!(tail.end(), (0, String::new()), "{arguments:?}");
    }
}

#[test]
fn piped_output_is_byte_for_byte() {
    let text = "\x1b[31mred\x1b[0m \x1b]52;c;x\x07 \r\x08 no newline";
    let log = Log::with(text);
    let server = serve(&log);
    for form in ["text", "raw"] {
        let url = format!("http://{}/app.log", server.address);
        let output = wstail().args(["tail", &url, "--no-follow", "-o", form]).stdout(Stdio::piped()).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{form}");
    }
}

/// What the client prints to a terminal, through script(1).
fn on_a_terminal(server: &Server, arguments: &str) -> String {
    url_on_a_terminal(&format!("{}/app.log", server.address), arguments)
}

fn url_on_a_terminal(url: &str, arguments: &str) -> String {
    let command = format!("{} tail {url} --no-follow -q {arguments}", env!("CARGO_BIN_EXE_wstail"));
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs script(1)"]
fn a_terminal_gets_colours_but_no_other_controls() {
    let log = Log::with("\x1b[31mred\n\x1b]52;c;x\x07\x1b[2J\n");
    let server = serve(&log);
    assert_eq!(on_a_terminal(&server, "--color=always"), "\x1b[31mred\x1b[0m\r\n^[]52;c;x^G^[[2J\r\n");
    assert_eq!(on_a_terminal(&server, "--color=never"), "red\r\n^[]52;c;x^G^[[2J\r\n");
    assert_eq!(on_a_terminal(&server, "-o raw"), "\x1b[31mred\r\n\x1b]52;c;x\x07\x1b[2J\r\n");
}

#[test]
#[ignore = "needs script(1)"]
fn control_sequences_split_over_messages_are_cleaned() {
    // The clipboard, the title, the screen, a C1 CSI, the direction of writing, a bell, a device that would answer.
    let bad = "\x1b]52;c;eA==\x07\x1b]0;title\x1b\\\x1b[2J\u{9b}2J\u{202e}\u{2066}\x07\x08\x1b[6n\x1bc";
    let text = format!("\t\x1b[1;31mred {bad}\nplain\rover\x7f\r\n");
    let pieces: Vec<String> = text.chars().map(String::from).collect();
    let url = foreign(move |socket| pieces.into_iter().for_each(|piece| socket.send(Message::text(piece)).unwrap()));
    let bad = "^[]52;c;eA==^G^[]0;title^[\\^[[2J\\x9b2J\\u{202e}\\u{2066}^G^H^[[6n^[c";
    let expected = format!("\t\x1b[1;31mred {bad}\x1b[0m\r\nplain^Mover^?\r\n");
    assert_eq!(url_on_a_terminal(&url, "--color=always"), expected);
}

#[test]
fn lines_of_several_logs_are_prefixed_and_never_mixed() {
    let log = Log::with("");
    fs::write(log.beside("other.log"), "").unwrap();
    let server = serve(&log);
    let urls = ["app.log", "other.log"].map(|name| format!("{}/{name}", server.address));
    let tail = tail_urls(&[&urls[0], &urls[1]], &["-q"]);
    let mut writers = [log.writer(), fs::OpenOptions::new().append(true).open(log.beside("other.log")).unwrap()];
    until("both are followed", || server.connections() == 2);
    for number in 0..50 {
        for writer in &mut writers {
            write!(writer, "begin {number} ").unwrap();
        }
        thread::sleep(Duration::from_millis(5));
        for writer in &mut writers {
            writeln!(writer, "end").unwrap();
        }
    }
    let mut seen = [0, 0];
    for _ in 0..100 {
        let line = tail.line();
        let log = usize::from(line.starts_with("other.log: "));
        assert_eq!(line, format!("{}: begin {} end", ["app.log", "other.log"][log], seen[log]));
        seen[log] += 1;
    }
}

#[test]
fn a_closed_pipe_ends_tail_quietly() {
    let log = Log::with("a\nb\n");
    let server = serve(&log);
    let mut command = wstail();
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.args(["tail", &format!("{}/app.log", server.address), "-q"]).stdout(writer);
    let process = Process::start(command);
    reader.read_exact(&mut [0; 4]).unwrap();
    drop(reader);
    // It ends although no more lines arrive.
    assert_eq!(process.end(), (0, String::new()));
}

#[test]
fn a_refusal_ends_it_with_the_reason() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let url = format!("{}/missing.log", server.address);
    let hint = format!("`wstail ls {}` lists the logs", server.address);
    let expected = format!("wstail: cannot follow ws://{url}: no such log (status 404); {hint}\n");
    assert_eq!(tail_urls(&[&url], &[]).end(), (1, expected));
}

#[test]
fn without_retry_a_loss_ends_it() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let expected =
        format!("wstail: cannot connect to {unused}: connection refused (is `wstail serve` running there?)\n");
    assert_eq!(tail_urls(&[&format!("{unused}/a")], &["--retry", "never"]).end(), (1, expected));
    let log = Log::with("a\n");
    let server = serve(&log);
    let tail = tail(&server, &["--retry=never", "-q"]);
    assert_eq!(tail.line(), "a");
    server.process.signal(Signal::TERM);
    let (code, errors) = tail.end();
    assert_eq!(code, 1);
    assert!(errors.contains("server is going away (closed with 1001)"), "{errors}");
}

#[test]
fn it_waits_for_a_server_and_connects_again() {
    // Below the ports that the system assigns, so that no other program gets it meanwhile.
    let mut ports = (0..1000).map(|step| 20_000 + (std::process::id() as u16 + step) % 10_000);
    let port = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
    let tail = tail_urls(&[&format!("127.0.0.1:{port}/app.log")], &[]);
    thread::sleep(Duration::from_millis(300));
    let log = Log::with("a\n");
    for line in ["b", "c"] {
        let mut command = wstail();
        command.args(["serve", "--port", &port.to_string()]).arg(log.directory());
        let server = Process::start(command);
        if line == "b" {
            assert_eq!(tail.line(), "a");
        }
        log.append(format!("{line}\n"));
        assert_eq!(tail.line(), line);
        drop(server);
    }
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert_eq!(code, 130);
    assert!(errors.contains("running there?); reconnecting in 0."), "{errors}");
    assert!(errors.contains("resuming at the cursor"), "{errors}");
}

/// Another kind of server: one connection, handled by `speak`.
fn foreign(speak: impl FnOnce(&mut WebSocket<TcpStream>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut socket = accept(stream).unwrap();
        speak(&mut socket);
        let _ = socket.close(Some(tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() }));
        while socket.read().is_ok() {}
    });
    format!("ws://{address}/any")
}

#[test]
fn both_heartbeats_of_a_foreign_server_are_answered() {
    let url = foreign(|socket| {
        socket.send(Message::text("one\n")).unwrap();
        socket.send(Message::text("ping")).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text("pong"));
        socket.send(Message::Ping(b"x".to_vec().into())).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong(b"x".to_vec().into()));
        socket.send(Message::text("two\n")).unwrap();
    });
    let tail = tail_urls(&[&url], &["-q"]);
    assert_eq!(tail.lines(), ["one", "two"]);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn a_line_begun_before_a_loss_is_completed_after_it() {
    let log = Log::with("begun");
    let other = Log::with("other\n");
    let (server, beside) = (serve(&log), serve(&other));
    let urls = [format!("{}/app.log", server.address), format!("{}/app.log", beside.address)];
    let tail = tail_urls(&[&urls[0], &urls[1]], &["-q"]);
    assert!(tail.line().ends_with("/app.log: other"));
    until("both are followed", || server.connections() == 1);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    server.process.signal(Signal::TERM);
    server.process.wait();
    log.append(" and ended\n");
    let mut command = wstail();
    command.args(["serve", "--port", &port]).arg(log.directory()).stdout(Stdio::piped());
    let again = Process::start(command);
    again.line();
    assert!(tail.line().ends_with("/app.log: begun and ended"));
}

/// A client whose stdout nobody reads, with far more to print than fits into a pipe.
fn unread(server: &Server) -> (Process, std::io::PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log", server.address), "-n", "all", "-q"]).stdout(writer);
    (Process::start(command), reader)
}

#[test]
fn a_blocked_pipe_does_not_delay_shutdown() {
    let log = Log::with("a line that nobody reads\n".repeat(100_000));
    let server = serve(&log);
    let (tail, _reader) = unread(&server);
    until("it is being served", || server.connections() == 1);
    thread::sleep(Duration::from_millis(300));
    tail.signal(Signal::INT);
    assert_eq!(tail.end(), (130, String::new()));
}

#[test]
fn a_reader_that_pauses_for_long_loses_nothing() {
    let log = Log::with("a line\n".repeat(20_000));
    let server = crate::support::serve_with(&log, &["--heartbeat", "0.5", "--heartbeat-timeout", "1"]);
    let (tail, mut reader) = unread(&server);
    thread::sleep(Duration::from_secs(4));
    log.append("the end\n");
    let mut text = Vec::new();
    while !text.ends_with(b"the end\n") {
        let mut chunk = [0; 65_536];
        let read = reader.read(&mut chunk).unwrap();
        text.extend(&chunk[..read]);
    }
    assert!(text == ["a line\n".repeat(20_000), "the end\n".into()].concat().into_bytes());
    drop(reader);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn a_copy_that_is_cut_off_is_completed_by_the_next_server() {
    let text = "a line of some length, so that they are many bytes\n".repeat(200_000);
    let log = Log::with(&text);
    let server = serve(&log);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = wstail();
    command.args(["tail", &format!("{}/app.log", server.address), "-n", "all", "--no-follow", "-q"]).stdout(writer);
    let tail = Process::start(command);
    reader.read_exact(&mut [0; 1000]).unwrap();
    server.process.signal(Signal::KILL);
    server.process.wait();
    let mut command = wstail();
    command.args(["serve", "--port", &port]).arg(log.directory()).stdout(Stdio::piped());
    let again = Process::start(command);
    again.line();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!(rest == text.as_bytes()[1000..]);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn many_lines_in_one_message_are_printed_once_beside_another_log() {
    let text: String = (0..250_000).map(|number| format!("{number}\n")).collect();
    let url = foreign(move |socket| socket.send(Message::text(text)).unwrap());
    let other = foreign(|_| {});
    let tail = tail_urls(&[&url, &other], &["-q"]);
    for number in 0..250_000 {
        assert!(tail.line().ends_with(&format!(": {number}")));
    }
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn logs_with_the_same_path_have_names_of_their_own() {
    let (log, other) = (Log::with("a\n"), Log::with("b\n"));
    let (server, beside) = (serve(&log), serve(&other));
    let urls = [&server.address, &server.address, &beside.address].map(|address| format!("{address}/app.log"));
    for form in ["text", "json"] {
        let tail = tail_urls(&urls.each_ref().map(String::as_str), &["--no-follow", "-q", "-o", form]);
        let mut lines = tail.lines();
        lines.sort();
        let names = [format!("{} (1)", urls[0]), format!("{} (2)", urls[1]), urls[2].clone()];
        let line = |(name, line)| match form {
            "text" => format!("{name}: {line}"),
            _ => format!(r#"{{"log":"{name}","line":"{line}"}}"#),
        };
        let mut expected: Vec<_> = names.iter().zip(["a", "a", "b"]).map(line).collect();
        expected.sort();
        assert_eq!(lines, expected);
    }
}
