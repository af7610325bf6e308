//! Access control: hosts, origins, tokens, connection limits, and the base path.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::{Answer, Log, Process, Server, serve, serve_by, serve_with, until, wstail};

const TOKEN: &str = "s3cret-0f~this+house";
/// The same as a subprotocol.
const OFFER: &str = "bearer.czNjcmV0LTBmfnRoaXMraG91c2U";
const HANDSHAKE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The statuses of a log, the list of logs and the metrics over HTTP, and of the log over WebSocket.
fn statuses(server: &Server, fields: &str) -> [u16; 4] {
    let plain = ["/app.log", "/-/files", "/-/metrics"].map(|target| ask(server, target, fields).status);
    let stream = ask(server, "/app.log", &format!("{fields}{HANDSHAKE}")).status;
    [plain[0], plain[1], plain[2], stream]
}

fn ask(server: &Server, target: &str, fields: &str) -> Answer {
    server.ask(format!("GET {target} HTTP/1.1\r\n{fields}\r\n"))
}

fn refused(server: &Server, status: u16, fields: &str) {
    assert_eq!(statuses(server, fields), [status; 4], "{fields:?}");
}

/// Requests that are allowed get a 404 for pages that do not exist, not a refusal.
fn admitted(server: &Server, fields: &str) {
    let statuses = statuses(server, fields);
    assert!([statuses[0], statuses[3]] == [200, 101], "{fields:?}: {statuses:?}");
    assert!(statuses.iter().all(|status| ![401, 403].contains(status)), "{fields:?}: {statuses:?}");
}

fn token_file(log: &Log, text: &str) -> String {
    let path = log.beside(".tokens");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn foreign_origins_and_rebound_hosts_get_403() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let port = server.address.rsplit(':').next().unwrap();
    for fields in [
        "Host: localhost\r\n".to_owned(),
        format!("Host: LOCALHOST:{port}\r\nOrigin: http://localhost:{port}\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nOrigin: HTTP://127.0.0.1:{port}\r\n"),
        format!("Host: [::1]:{port}\r\nOrigin: http://[::1]:{port}\r\n"),
        "Host: [::1]\r\nOrigin: http://[::1]:80\r\n".to_owned(),
        format!("Host: {}\r\n", rustix::system::uname().nodename().to_str().unwrap()),
    ] {
        admitted(&server, &fields);
    }
    for fields in [
        format!("Host: localhost:{port}\r\nOrigin: https://evil.example\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: null\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: https://localhost:{port}\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost.evil.example:{port}\r\n"),
        "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://localhost\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n"),
        format!("Host: evil.example:{port}\r\n"),
        "Host: user@localhost\r\n".to_owned(),
        "Host: localhost:80@evil.example\r\n".to_owned(),
        "Host: ::1\r\n".to_owned(),
        "Host:\r\n".to_owned(),
    ] {
        refused(&server, 403, &fields);
    }
    refused(&server, 400, "");
}

#[test]
fn the_authority_of_an_absolute_target_replaces_host() {
    let log = Log::with("a\n");
    let server = serve(&log);
    for (target, host, status) in [
        ("http://localhost/app.log", "evil.example", 200),
        ("http://evil.example/app.log", "localhost", 403),
        ("http://user@localhost/app.log", "localhost", 403),
        ("http://[::1]:80/app.log", "", 200),
    ] {
        for handshake in ["", HANDSHAKE] {
            let status = if status == 200 && !handshake.is_empty() { 101 } else { status };
            let answer = ask(&server, target, &format!("Host: {host}\r\n{handshake}"));
            assert_eq!(answer.status, status, "{target} {host}");
        }
    }
}

#[test]
fn allowed_hosts_and_origins_are_accepted() {
    let log = Log::with("a\n");
    let options = ["--allow-origin", "https://logs.example.com", "--allow-origin=http://b:81", "--allow-host", "logs"];
    let server = serve_with(&log, &options);
    admitted(&server, "Host: logs:443\r\nOrigin: https://LOGS.example.com:443\r\n");
    admitted(&server, "Host: localhost\r\nOrigin: http://b:81\r\n");
    refused(&server, 403, "Host: localhost\r\nOrigin: http://b\r\n");
    refused(&server, 403, "Host: logs.example.com\r\n");
    let server = serve_with(&log, &["--allow-origin", "*"]);
    admitted(&server, "Host: localhost\r\nOrigin: https://anyone.example\r\n");
    refused(&server, 403, "Host: anyone.example\r\nOrigin: http://anyone.example\r\n");
}

#[test]
fn requests_without_a_token_get_401() {
    let log = Log::with("a\n");
    let file = token_file(&log, &format!("\r\nanother\r\n\n  {TOKEN}  \n"));
    let mut command = wstail();
    command.env("WSTAIL_TOKEN", "third");
    let server = serve_by(command, &[log.directory()], &["--token-file", &file]);
    for token in ["another", TOKEN, "third"] {
        admitted(&server, &format!("Host: logs.example.com\r\nAuthorization: Bearer {token}\r\n"));
    }
    admitted(&server, &format!("Host: x\r\nSec-WebSocket-Protocol: {OFFER}\r\n"));
    for fields in [
        "Host: localhost\r\n".to_owned(),
        "Host: evil.example\r\n".to_owned(),
        "Host: localhost\r\nOrigin: null\r\n".to_owned(),
        "Host: localhost\r\nOrigin: https://evil.example\r\n".to_owned(),
        "Host: localhost\r\nAuthorization: Bearer wrong\r\n".to_owned(),
        format!("Host: localhost\r\nAuthorization: Basic {TOKEN}\r\n"),
        format!("Host: localhost\r\nAuthorization: Digest {TOKEN}\r\n"),
        format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}x\r\n"),
        format!("Host: localhost\r\nSec-WebSocket-Protocol: bearer.{TOKEN}\r\n"),
        format!("Host: localhost\r\nCookie: token={TOKEN}\r\n"),
    ] {
        refused(&server, 401, &fields);
    }
    refused(&server, 403, &format!("Host: a\r\nOrigin: http://evil.example\r\nAuthorization: Bearer {TOKEN}\r\n"));
    for target in ["/app.log?token=third", "/app.log?access_token=third", "/missing", "/-/x", "/a/../b", "/%zz"] {
        let answer = ask(&server, target, "Host: localhost\r\n");
        assert!(answer.status == 401 && answer.head.contains("WWW-Authenticate: Bearer\r\n"), "{target}: {answer:?}");
    }
    assert_eq!(ask(&server, "/-/healthz", "Host: localhost\r\n").status, 200, "health is public");
}

#[test]
fn unauthorized_requests_get_401_before_any_other_error() {
    let log = Log::with("a\n");
    let file = token_file(&log, TOKEN);
    let beneath = ["--base-path", "/logs"];
    let servers = [
        (serve_with(&log, &beneath), "Host: evil.example\r\n", "Host: localhost\r\n", 403),
        (
            serve_with(&log, &[&beneath[..], &["--token-file", &file]].concat()),
            "Host: a\r\n",
            &format!("Host: a\r\nAuthorization: Bearer {TOKEN}\r\n"),
            401,
        ),
    ];
    let old = HANDSHAKE.replace("13", "8");
    let unkeyed = HANDSHAKE.replace("Key: dG", "Key: ");
    for (server, stranger, reader, refused) in servers {
        for (line, fields, status) in [
            ("POST /logs/app.log", "", 405),
            ("DELETE /logs/-/files", "", 405),
            ("GET /logs/app.log", old.as_str(), 426),
            ("GET /logs/", &old, 426),
            ("GET /logs/app.log", &unkeyed, 400),
            ("GET /logs/app.log?lines=x", "", 400),
            ("GET /app.log", "", 404),
            ("GET /", "Accept: text/html\r\n", 404),
        ] {
            let ask = |who| server.ask(format!("{line} HTTP/1.1\r\n{who}{fields}\r\n")).status;
            assert_eq!([ask(stranger), ask(reader)], [refused, status], "{line} {fields:?}");
        }
        let bare = server.ask(format!("GET /logs HTTP/1.1\r\n{stranger}\r\n")).status;
        assert_eq!(bare, if refused == 401 { 301 } else { 403 }, "the redirect to the page is as public as the page");
    }
}

#[test]
fn a_token_among_the_subprotocols_is_never_picked() {
    let log = Log::with("a\n");
    let file = token_file(&log, TOKEN);
    let server = serve_with(&log, &["--token-file", &file]);
    let picked = |offers: &str| {
        let head = server.upgraded_with("app.log", &format!("Sec-WebSocket-Protocol: {offers}\r\n")).1.to_lowercase();
        assert!(!head.contains("bearer"), "{head}");
        head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: ").map(str::to_owned))
    };
    assert_eq!(picked(&format!("wstail.v1, {OFFER}")).as_deref(), Some("wstail.v1"));
    assert_eq!(picked(&format!("{OFFER},wstail.v1")).as_deref(), Some("wstail.v1"));
    assert_eq!(picked(OFFER), None);
    assert_eq!(picked(&format!("chat, {OFFER}")), None);
}

#[test]
fn no_token_is_ever_logged() {
    let log = Log::with("a\n");
    let file = token_file(&log, TOKEN);
    let mut command = wstail();
    command.env("RUST_LOG", "trace,tungstenite::handshake=trace").env("WSTAIL_TOKEN", "0ther-secret");
    let server = serve_by(command, &[log.directory()], &["--token-file", &file]);
    for fields in [
        format!("Authorization: Bearer {TOKEN}\r\n"),
        format!("Authorization: Bearer {TOKEN}{TOKEN}\r\n"),
        format!("Sec-WebSocket-Protocol: {OFFER}\r\n"),
        format!("X-{TOKEN}: {TOKEN}\r\n"),
    ] {
        statuses(&server, &format!("Host: localhost\r\n{fields}"));
        statuses(&server, &format!("Host: {TOKEN}\r\nHost: {TOKEN}\r\n{fields}"));
        statuses(&server, &format!("Host: {TOKEN}\r\nOrigin: {TOKEN}\r\n{fields}"));
    }
    for query in [format!("token={TOKEN}"), format!("{TOKEN}=1"), format!("lines={TOKEN}")] {
        let answer =
            ask(&server, &format!("/app.log?{query}"), &format!("Host: x\r\nAuthorization: Bearer {TOKEN}\r\n"));
        assert_eq!(answer.status, 400);
    }
    let tail = |token: &str| {
        let mut command = wstail();
        command.args(["tail", "--no-follow", &format!("{}/app.log", server.address)]);
        command.env("RUST_LOG", "trace,tungstenite::handshake=trace").env("WSTAIL_TOKEN", token);
        Process::start(command).end()
    };
    let (code, ours) = tail(TOKEN);
    let (refused, theirs) = tail("wr0ng-secret");
    assert_eq!((code, refused), (0, 1), "{ours}{theirs}");
    server.process.signal(Signal::TERM);
    let (_, errors) = server.process.end();
    assert!(errors.contains("connected") && ours.contains("connected"), "there is a log: {errors}{ours}");
    for secret in [TOKEN, OFFER, "0ther-secret", "wr0ng-secret"] {
        for text in [&errors, &ours, &theirs] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn tail_sends_its_token_and_reports_a_wrong_one() {
    let log = Log::with("a\nb\n");
    let file = token_file(&log, TOKEN);
    let server = serve_with(&log, &["--token-file", &file]);
    let tail = |options: &[&str], variable: Option<&str>| {
        let mut command = wstail();
        command.args(["tail", "--no-follow", "-q", &format!("{}/app.log", server.address)]).args(options);
        command.envs(variable.map(|token| ("WSTAIL_TOKEN", token))).stdout(Stdio::piped());
        let process = Process::start(command);
        (process.lines(), process.end())
    };
    let good = (vec!["a".to_owned(), "b".to_owned()], (0, String::new()));
    assert_eq!(tail(&["--token-file", &file], None), good);
    assert_eq!(tail(&[], Some(TOKEN)), good);
    assert_eq!(tail(&["--token-file", &file], Some("wrong")), good, "the file's comes first");
    for (variable, reason) in
        [(None, "a token is needed"), (Some("wrong"), "the token is not one of this server's (see --token-file)")]
    {
        let (lines, (code, errors)) = tail(&[], variable);
        assert!(lines.is_empty() && code == 1 && errors.lines().count() == 1, "{errors}");
        assert!(errors.contains(reason) && errors.contains("(status 401)"), "{errors}");
    }
}

#[test]
fn a_malformed_token_is_reported_by_line_number_only() {
    let log = Log::with("a\n");
    let missing = log.beside("missing").to_str().unwrap().to_owned();
    let file = |name: &str, text: &str| {
        let path = log.beside(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cases = [
        (missing, "", "no such file or directory"),
        (file("empty", "\n  \n"), "", "it contains no token"),
        (file("spaces", "good\n\nsecret word\n"), "", "line 3: a token is"),
        ("/dev/zero".to_owned(), "", "it is larger than 1 MiB"),
        (file("letters", "geheim-ü-secret\n"), "", "line 1: a token is"),
        (file("good", "good"), "secret word", "the variable WSTAIL_TOKEN"),
    ];
    for (path, variable, expected) in cases {
        for command in [vec!["serve", "."], vec!["tail", "127.0.0.1:1/a", "--retry=never"]] {
            let mut wstail = wstail();
            wstail.args(command).args(["--token-file", &path]);
            wstail.envs((!variable.is_empty()).then_some(("WSTAIL_TOKEN", variable)));
            let (code, errors) = Process::start(wstail).end();
            assert!(code == 2 && errors.lines().count() == 1 && errors.contains(expected), "{code}: {errors}");
            assert!(!errors.contains("secret"), "{errors}");
        }
    }
    for command in [&["serve", "."][..], &["tail", "127.0.0.1:1/a", "--retry=never"]] {
        let mut empty = wstail();
        empty.args(command).env("WSTAIL_TOKEN", "");
        let expected = "wstail: cannot use the variable WSTAIL_TOKEN: it is empty: give it a token or unset it\n";
        assert_eq!(Process::start(empty).end(), (2, expected.to_owned()), "who sets it means it");
    }
}

#[test]
fn listening_beyond_loopback_without_a_token_warns_once() {
    let log = Log::with("a\n");
    let warnings = |options: &[&str]| {
        let server = serve_with(&log, options);
        server.process.signal(Signal::TERM);
        let (_, errors) = server.process.end();
        errors.lines().filter(|line| line.contains("WARN") && line.contains("no token is required")).count()
    };
    assert_eq!(warnings(&[]), 0);
    assert_eq!(warnings(&["--host", "0.0.0.0"]), 1);
    let file = token_file(&log, TOKEN);
    assert_eq!(warnings(&["--host", "0.0.0.0", "--token-file", &file]), 0);
}

#[test]
fn connections_per_address_are_limited() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &["--max-connections-per-ip", "2"]);
    let clients = [server.follow(), server.follow()];
    for _ in 0..10 {
        let answer = server.get("/app.log");
        assert!(answer.status == 503 && answer.head.contains("Retry-After: "), "{answer:?}");
    }
    drop(clients);
    until("the places are given back", || server.connections() == 0);
    let third = server.follow();
    assert_eq!(server.newest(), 3, "no thread was started for those that were refused");
    drop(third);
    until("none is left", || server.connections() == 0);
    let other = std::net::TcpStream::connect(&server.address).unwrap();
    let one = std::net::TcpStream::connect(&server.address).unwrap();
    until("both are served", || server.connections() == 2);
    // From another address of this machine.
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    let from: std::net::SocketAddr = "127.0.0.2:0".parse().unwrap();
    rustix::net::bind(&socket, &from).unwrap();
    let to: std::net::SocketAddr = server.address.parse().unwrap();
    rustix::net::connect(&socket, &to).unwrap();
    until("the third is served, too", || server.connections() == 3);
    drop((other, one));
}

#[test]
#[ignore = "needs root, unshare(1), ip(8) and curl"]
fn a_64_of_ipv6_counts_as_one_address() {
    let log = Log::with("a\n");
    // A network namespace in which this machine has these addresses.
    let own = "ip link set lo up
        for address in 2001:db8:0:1::1 2001:db8:0:1:f::2 2001:db8:0:2::1; do ip -6 addr add $address/128 dev lo; done
        exec \"$0\" serve --host :: --port 8765 --max-connections-per-ip 1 \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", own, env!("CARGO_BIN_EXE_wstail")]).arg(log.directory());
    let server = Process::start({
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    });
    server.line();
    let curl = |from: &str, to: &str, target: &str| {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &server.pid.to_string(), "curl", "-sN", "-m", "20", "--interface", from]);
        command.args(["-w", "\n%{http_code}\n", &format!("http://{to}:8765/app.log{target}")]);
        Process::start({
            command.stdin(Stdio::null()).stdout(Stdio::piped());
            command
        })
    };
    let follower = curl("2001:db8:0:1::1", "[2001:db8:0:1::1]", "?tail=1&lines=all");
    assert_eq!(follower.line(), "a");
    for (from, to, status) in [
        ("2001:db8:0:1::1", "[2001:db8:0:1::1]", "503"),
        ("2001:db8:0:1:f::2", "[2001:db8:0:1::1]", "503"),
        ("2001:db8:0:2::1", "[2001:db8:0:1::1]", "200"),
        ("127.0.0.1", "127.0.0.1", "200"),
    ] {
        assert_eq!(curl(from, to, "").lines().last().map(String::as_str), Some(status), "{from}");
    }
}

#[test]
fn everything_is_below_the_base_path() {
    let log = Log::with("a\n");
    for base in ["/my/logs", "/my/logs/"] {
        let server = serve_with(&log, &["--base-path", base]);
        let absolute = format!("/my/logs{}", log.path().display());
        for (target, status) in [
            ("/my/logs/app.log?lines=1", 200),
            (absolute.as_str(), 200),
            ("/my/logs/-/healthz", 200),
            ("/my/logs/missing", 404),
            ("/app.log", 404),
            ("/-/healthz", 404),
            ("/my", 404),
            ("/my/logsapp.log", 404),
            ("/", 404),
            ("/my/logs/../app.log", 403),
        ] {
            assert_eq!(server.get(target).status, status, "{target}");
        }
        for (target, place) in [("/my/logs", "/my/logs/"), ("/my/logs?a=b", "/my/logs/?a=b")] {
            let answer = server.get(target);
            assert_eq!(answer.status, 301, "{target}");
            assert!(answer.head.contains(&format!("Location: {place}\r\n")), "{}", answer.head);
        }
        server.client("my/logs/app.log?tail=1&lines=all").expect(["a"]);
        assert!(server.try_client("app.log?tail=1").unwrap_err().contains("404"));
    }
}

#[test]
fn healthcheck_reports_whether_a_server_is_healthy() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let check = |url: &str| {
        let mut command = wstail();
        command.args(["healthcheck", url]);
        Process::start(command).end()
    };
    assert_eq!(check(&format!("http://{}/-/healthz", server.address)), (0, String::new()));
    let (code, errors) = check(&format!("http://{}/-/nothing", server.address));
    assert!(code == 1 && errors.lines().count() == 1 && errors.contains("status 404"), "{errors}");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, errors) = check(&format!("http://{}/", silent.local_addr().unwrap()));
    assert!(code == 1 && errors.contains("no answer within 2 s"), "{errors}");
}
