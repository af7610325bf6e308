//! What `tail` requests for the options of a filter, and what it makes of the events of a filtered stream. The servers here
//! are written by hand, and filter nothing.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use rustix::process::Signal;
use tungstenite::{Message, WebSocket};
use wstail::protocol::event::Event;
use wstail::protocol::request::{Lines, Parameters};

use crate::support::by_hand::{by_hand, end, open, send};
use crate::support::{DEADLINE, Process, wstail};

type Socket = WebSocket<TcpStream>;

fn event(socket: &mut Socket, event: Event) {
    socket.send(Message::text(event.to_string())).unwrap();
}

fn cursor(socket: &mut Socket, cursor: &str) {
    event(socket, Event::Cursor(cursor.parse().unwrap()));
}

fn skip(socket: &mut Socket) {
    event(socket, Event::Skip { bytes: 7 });
}

fn progress(socket: &mut Socket, matches: u64, done: bool) {
    event(socket, Event::Progress { bytes: 1 << 20, total: Some(4 << 20), matches, done });
}

fn announced_end(socket: &mut Socket) {
    event(socket, Event::End { reason: "2 lines have matched".into() });
    end(socket);
}

fn start(address: &str, arguments: &[&str]) -> Process {
    let mut command = wstail();
    command.args(["tail", &format!("{address}/app.log")]).args(arguments).stdout(Stdio::piped());
    Process::start(command)
}

/// Its exit code, what it prints, and its notices but for those of connections.
fn run(address: &str, arguments: &[&str]) -> (i32, Vec<String>, String) {
    ended(&start(address, arguments))
}

fn ended(tail: &Process) -> (i32, Vec<String>, String) {
    let lines = tail.lines();
    let (code, errors) = tail.end();
    let notices = errors.lines().filter(|line| !line.contains("connect") && !line.contains("lost "));
    (code, lines, notices.map(|line| format!("{line}\n")).collect())
}

/// The query of each request to a server that has nothing to send.
fn requests() -> (String, mpsc::Receiver<String>) {
    let (sender, queries) = mpsc::channel();
    let address = by_hand(move |_, target, socket| {
        sender.send(target.split_once('?').unwrap().1.to_owned()).unwrap();
        open(socket);
        end(socket);
    });
    (address, queries)
}

/// The parameters that `tail` requests.
fn requested(url_query: &str, arguments: &[&str], variables: &[(&str, &str)]) -> (String, Parameters) {
    let (address, queries) = requests();
    let mut command = wstail();
    command.args(["tail", &format!("{address}/app.log?{url_query}"), "--retry", "never", "-q"]).args(arguments);
    command.envs(variables.iter().copied());
    Process::start(command).end();
    let query = queries.recv_timeout(DEADLINE).unwrap();
    let parameters = Parameters::parse(&query).unwrap();
    (parameters.criteria.to_string(), parameters)
}

#[test]
fn patterns_go_percent_encoded_into_the_query() {
    let (address, queries) = requests();
    let arguments =
        ["--no-follow", "-q", "-g", "a+b c", "--grep=é&=%2B#?", "-g", "-x", "-v", " /health", "-sm3", "-A2"];
    assert_eq!(run(&address, &arguments).0, 0);
    let query = queries.recv_timeout(DEADLINE).unwrap();
    let expected =
        "grep=a%2Bb%20c&grep=%C3%A9%26%3D%252B%23%3F&grep=-x&exclude=%20%2Fhealth&ignore-case=0&context=0,2&max=3";
    assert!(query.contains(expected), "{query}");
    assert_eq!(Parameters::parse(&query).unwrap().criteria.grep, ["a+b c", "é&=%2B#?", "-x"]);
}

#[test]
fn a_search_without_following_starts_at_the_first_line() {
    let ten = Some(Lines::Last(10));
    for (query, arguments, lines) in [
        ("", &["--no-follow", "-g", "x"][..], Some(Lines::All)),
        ("tail=0", &["-g", "x"], Some(Lines::All)),
        ("grep=x", &["--no-follow"], Some(Lines::All)),
        ("", &["--no-follow", "-l", "warn"], Some(Lines::All)),
        ("", &["--no-follow", "-v", "x"], Some(Lines::All)),
        ("", &["--no-follow", "-m", "5"], Some(Lines::All)),
        ("", &["--no-follow"], ten),
        ("", &["-g", "x"], ten),
        ("", &["--no-follow", "-g", "x", "-n", "3"], Some(Lines::Last(3))),
        ("lines=4", &["--no-follow", "-g", "x"], Some(Lines::Last(4))),
        ("from=4", &["--no-follow", "-g", "x"], None),
    ] {
        assert_eq!(requested(query, arguments, &[]).1.lines, lines, "{query} {arguments:?}");
    }
}

#[test]
fn options_of_a_filter_may_be_variables() {
    let of = |variables: &[(&str, &str)], arguments: &[&str]| requested("", arguments, variables).0;
    let case = [("WSTAIL_TAIL_IGNORE_CASE", "1"), ("WSTAIL_TAIL_GREP", "a{1,2},b ")];
    assert_eq!(of(&case, &[]), "grep=a%7B1,2%7D,b%20&ignore-case=1");
    assert_eq!(of(&case, &["-s", "-g", "x"]), "grep=x&ignore-case=0");
    let variables = [
        ("WSTAIL_TAIL_EXCLUDE", "b,c"),
        ("WSTAIL_TAIL_ENTRY", "true"),
        ("WSTAIL_TAIL_LEVEL", "warn"),
        ("WSTAIL_TAIL_MAX", "2"),
        ("WSTAIL_TAIL_FIXED_STRINGS", "1"),
        ("WSTAIL_TAIL_ALL_MATCH", "1"),
    ];
    assert_eq!(of(&variables, &[]), "match=all&exclude=b,c&fixed=1&context=entry&level=warn&max=2");
    let expected = "grep=x&match=all&exclude=b,c&fixed=1&context=1&level=warn&max=2";
    assert_eq!(of(&variables, &["-C1", "-gx"]), expected);
}

/// Two groups of two lines, and something between them that is no reason for a separator.
fn groups(socket: &mut Socket) {
    open(socket);
    send(socket, "a\nb\n");
    skip(socket);
    cursor(socket, "c1");
    send(socket, "c\nd\n");
    progress(socket, 2, true);
    end(socket);
}

#[test]
fn a_separator_stands_between_groups_but_not_between_objects() {
    let address = by_hand(|_, _, socket| groups(socket));
    for form in ["text", "raw"] {
        let printed = run(&address, &["--no-follow", "-C1", "-g", "x", "-o", form]);
        assert_eq!(printed, (0, ["a", "b", "--", "c", "d"].map(str::to_owned).to_vec(), String::new()), "{form}");
    }
    let objects = ["a", "b", "c", "d"].map(|line| format!(r#"{{"log":"app.log","line":"{line}"}}"#));
    assert_eq!(run(&address, &["--no-follow", "-C1", "-g", "x", "-o", "json"]).1, objects);
}

#[test]
fn a_separator_has_a_line_of_its_own() {
    let address = by_hand(|_, _, socket| {
        open(socket);
        send(socket, "unfinished");
        event(socket, Event::Rotated("c1".parse().unwrap()));
        skip(socket);
        send(socket, "b\n");
        // None after the last group.
        skip(socket);
        end(socket);
    });
    for form in ["text", "raw"] {
        assert_eq!(run(&address, &["--no-follow", "-q", "-g", "x", "-o", form]).1, ["unfinished", "--", "b"], "{form}");
    }
}

#[test]
fn the_last_line_of_a_file_is_not_continued_by_the_next_match() {
    let address = by_hand(|_, _, socket| {
        open(socket);
        send(socket, "unfinished");
        event(socket, Event::Rotated("c1".parse().unwrap()));
        send(socket, "b\n");
        end(socket);
    });
    assert_eq!(run(&address, &["--no-follow", "-q", "-g", "x"]).1, ["unfinished", "b"]);
    assert_eq!(run(&address, &["--no-follow", "-q", "-g", "x", "-o", "raw"]).1, ["unfinishedb"]);
    assert_eq!(run(&address, &["--no-follow", "-q"]).1, ["unfinishedb"]);
}

#[test]
fn a_separator_beside_other_logs_has_no_prefix() {
    let address = by_hand(|_, _, socket| groups(socket));
    let other = by_hand(|_, _, socket| {
        open(socket);
        end(socket);
    });
    let mut command = wstail();
    command.args(["tail", "-q", "--no-follow", &format!("{address}/app.log"), &format!("{other}/other.log")]);
    let tail = Process::start({
        command.stdout(Stdio::piped());
        command
    });
    assert_eq!(tail.lines(), ["app.log: a", "app.log: b", "--", "app.log: c", "app.log: d"]);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn nothing_found_is_a_notice() {
    let address = by_hand(|_, _, socket| {
        progress(socket, 0, false);
        open(socket);
        progress(socket, 0, true);
        end(socket);
    });
    let nothing = |notices: &str| (0, Vec::new(), notices.to_owned());
    assert_eq!(run(&address, &["--no-follow", "-g", "x"]), nothing("wstail: no lines match\n"));
    assert_eq!(run(&address, &["--no-follow", "-g", "x", "-q"]), nothing(""));
    assert_eq!(run(&address, &["--no-follow"]), nothing(""));
    assert_eq!(run(&address, &["--no-follow", "-g", "x", "-n", "0"]), nothing(""));
}

#[test]
fn a_server_that_does_not_filter_is_reported() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        socket.send(Message::text("a\n")).unwrap();
        socket.send(Message::text("b\n")).unwrap();
        end(&mut socket);
    });
    let expected = "wstail: the server does not speak wstail.v1: lines that do not match may come, too\n";
    let printed = run(&address, &["--no-follow", "-g", "a"]);
    assert_eq!(printed, (0, vec!["a".to_owned(), "b".to_owned()], expected.to_owned()));
}

#[test]
fn max_ends_a_log_that_is_followed() {
    let address = by_hand(|number, _, socket| {
        open(socket);
        send(socket, "a\nb\n");
        // With context, only the server knows that the lines are complete.
        if number == 0 { end(socket) } else { announced_end(socket) }
    });
    for arguments in [["-m2", "-C0"], ["-m2", "-C1"]] {
        let printed = run(&address, &[&["-g", "x"], &arguments[..]].concat());
        assert_eq!(printed, (0, vec!["a".to_owned(), "b".to_owned()], String::new()));
    }
}

#[test]
fn a_close_before_max_is_reached_is_a_loss() {
    let address = by_hand(|number, _, socket| {
        open(socket);
        send(socket, ["a\n", "b\n"][number]);
        end(socket);
    });
    assert_eq!(run(&address, &["-g", "x", "-m2"]), (0, vec!["a".to_owned(), "b".to_owned()], String::new()));
}

/// What a client asks for on each of its connections: the cursor and `max`. `speak` sends what there is before each of the
/// losses.
fn after_losses(arguments: &[&str], sent: &'static [&'static [&'static str]]) -> (Vec<String>, Vec<String>) {
    let (sender, targets) = mpsc::channel();
    let address = by_hand(move |number, target, socket| {
        sender.send(target.to_owned()).unwrap();
        open(socket);
        for text in sent[number] {
            match text.strip_prefix('#').map(|matches| matches.parse().unwrap()) {
                Some(matches) => progress(socket, matches, false),
                None => send(socket, text),
            }
        }
        if number + 1 == sent.len() {
            announced_end(socket);
        }
    });
    let tail = start(&address, &[&["-q", "-g", "a b"], arguments].concat());
    let lines = tail.lines();
    assert_eq!(tail.end(), (0, String::new()));
    let asked = targets.try_iter().map(|target| {
        let parameters = Parameters::parse(target.split_once('?').unwrap().1).unwrap();
        assert_eq!(parameters.criteria.grep, ["a b"]);
        let place = parameters.cursor.map_or(String::new(), |place| place.to_string());
        format!("{place} {}", parameters.criteria.max.unwrap())
    });
    (lines, asked.collect())
}

#[test]
fn a_lost_stream_asks_for_the_matches_that_have_not_come() {
    let (lines, asked) = after_losses(&["-m5"], &[&["a1\na2\n"], &[], &["a3\n", "a4\na"], &["5\n"]]);
    assert_eq!(lines, ["a1", "a2", "a3", "a4", "a5"]);
    // The server has counted the line that it sent in part; it is the last, but nothing cannot be asked for.
    assert_eq!(asked, [" 5", "abc.6 3", "abc.6 3", "abc.13 1"]);
}

#[test]
fn what_is_beyond_max_is_cut_off_and_a_missing_close_is_no_loss() {
    let (lines, asked) = after_losses(&["-m2"], &[&["a1\na"], &["2\na3\n"]]);
    assert_eq!((lines, asked), (vec!["a1".to_owned(), "a2".to_owned()], vec![" 2".to_owned(), "abc.4 1".to_owned()]));
    let (lines, asked) = after_losses(&["-m2"], &[&["a1\na2\n"], &["never\n"]]);
    assert_eq!((lines, asked), (vec!["a1".to_owned(), "a2".to_owned()], vec![" 2".to_owned()]));
}

#[test]
fn with_context_the_matches_that_the_server_reported_are_not_asked_for_again() {
    let (_, asked) = after_losses(&["-m5", "-C1"], &[&["a\nb\nc\n", "#2", "d\n"], &["e\n", "#1"], &["f\n", "#7"], &[]]);
    assert_eq!(asked, [" 5", "abc.8 3", "abc.10 2", "abc.12 1"]);
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_cursor_file_is_of_one_filter() {
    let address = by_hand(|_, target, socket| {
        open(socket);
        if !target.contains("cursor=") {
            send(socket, "a\n");
            cursor(socket, "c1");
        }
        end(socket);
    });
    let notes = tempfile::tempdir().unwrap();
    let (plain, filtered) = (notes.path().join("plain"), notes.path().join("filtered"));
    let tail = |query: &str, file: &Path, arguments: &[&str]| {
        let mut command = wstail();
        command.args(["tail", &format!("{address}/app.log?{query}"), "-q", "--no-follow", "--cursor-file", path(file)]);
        Process::start({
            command.args(arguments);
            command
        })
        .end()
    };
    let refused =
        |file: &Path| (2, format!("wstail: cannot use `{}`: the cursor file is of another filter\n", path(file)));
    let fine = || (0, String::new());
    assert_eq!(tail("", &plain, &[]), fine());
    assert_eq!(fs::read_to_string(&plain).unwrap(), "c1\n", "the format of a place without a filter");
    assert_eq!(tail("", &filtered, &["-g", "x", "-C1"]), fine());
    let noted = fs::read_to_string(&filtered).unwrap();
    assert!(noted.starts_with("c1\nfilter "), "{noted}");

    for arguments in [&["-g", "x", "-C1"][..], &["-g", "x", "-C1", "-m3"], &["-g", "x", "-g", "x", "-C1", "-n5"]] {
        assert_eq!(tail("", &filtered, arguments), fine(), "{arguments:?}");
    }
    assert_eq!(tail("grep=x&context=1", &filtered, &[]), fine());
    for arguments in [&[][..], &["-g", "x"], &["-g", "y", "-C1"], &["-g", "x", "-C1", "-i"], &["-g", "x", "-C1", "-vy"]]
    {
        assert_eq!(tail("", &filtered, arguments), refused(&filtered), "{arguments:?}");
    }
    assert_eq!(tail("", &plain, &["-g", "x"]), refused(&plain));
    assert_eq!(tail("", &plain, &["-m3"]), fine());
    assert_eq!(
        (fs::read_to_string(&plain).unwrap(), fs::read_to_string(&filtered).unwrap()),
        ("c1\n".to_owned(), noted)
    );
}

#[test]
fn a_separator_after_the_recorded_place_does_not_repeat_lines() {
    let address = by_hand(|_, target, socket| {
        open(socket);
        if !target.contains("cursor=") {
            send(socket, "a\n");
            cursor(socket, "c1");
            skip(socket);
        }
        // A resumed stream has no separator before its first group.
        send(socket, "b\n");
        skip(socket);
        send(socket, "c\n");
        cursor(socket, "c2");
        end(socket);
    });
    let notes = tempfile::tempdir().unwrap();
    let (file, output) = (notes.path().join("cursor"), notes.path().join("output"));
    let append = || {
        let mut command = wstail();
        command
            .args(["tail", &format!("{address}/app.log"), "-q", "--no-follow", "-g", "x", "--cursor-file"])
            .arg(&file);
        command.stdout(fs::OpenOptions::new().create(true).append(true).open(&output).unwrap());
        assert_eq!(Process::start(command).end(), (0, String::new()));
    };
    append();
    assert_eq!(fs::read_to_string(&output).unwrap(), "a\n--\nb\n--\nc\n");
    // As if it had been killed before it recorded the second cursor.
    let noted = fs::read_to_string(&file).unwrap();
    let size = noted.split([' ', '\n']).nth(4).unwrap();
    fs::write(&file, noted.replacen("c2", "c1", 1).replace(&format!(" {size}\n"), " 2\n")).unwrap();
    append();
    assert_eq!(fs::read_to_string(&output).unwrap(), "a\n--\nb\n--\nc\n");
}

#[test]
fn no_status_is_shown_where_no_terminal_reads_it() {
    let address = by_hand(|_, _, socket| {
        progress(socket, 0, false);
        open(socket);
        progress(socket, 1, false);
        send(socket, "a\n");
    });
    let tail = start(&address, &["-g", "x"]);
    assert_eq!(tail.line(), "a");
    tail.signal(Signal::INT);
    let (code, errors) = tail.end();
    assert!(code == 130 && !errors.contains("searching") && !errors.contains(['\r', '\x1b']), "{errors:?}");
}

#[test]
#[ignore = "needs script(1)"]
fn a_terminal_shows_a_status_that_is_erased() {
    let address = by_hand(|_, _, socket| {
        progress(socket, 0, false);
        open(socket);
        send(socket, "a\n");
        progress(socket, 1, false);
        send(socket, "b");
        progress(socket, 1, false);
        send(socket, "\n");
        progress(socket, 2, true);
        end(socket);
    });
    let shown = |arguments: &str| {
        let command = format!("{} tail {address}/app.log --no-follow {arguments}", env!("CARGO_BIN_EXE_wstail"));
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null());
        String::from_utf8(script.output().unwrap().stdout).unwrap()
    };
    let (erase, status) = ("\r\x1b[K", "searching: 25 % of 4.2 MB");
    let connected = format!("wstail: connected to ws://{address}/app.log\r\n");
    let expected = format!("{connected}{erase}{status}, 0 matches{erase}a\r\n{erase}{status}, 1 match{erase}b\r\n");
    assert_eq!(shown("-g x"), expected);
    assert_eq!(shown("-g x -q"), "a\r\nb\r\n");
    assert_eq!(shown(""), format!("{connected}a\r\nb\r\n"));
}
