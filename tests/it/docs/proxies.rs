//! The settings of nginx and Caddy in docs/deploy.md, with the real programs.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Answer, Log, Process, Server, serve_with, until, wstail};

/// A block of docs/deploy.md in this language.
fn documented(language: &str) -> String {
    let text = deploy_text();
    let (_, block) = text.split_once(&format!("```{language}\n")).expect("a block of that language");
    block.split_once("\n```").unwrap().0.to_owned()
}

/// The options that docs/deploy.md gives to a server behind a proxy.
const BEHIND: [&str; 5] =
    ["--base-path=/logs", "--allow-host", "logs.example.com", "--allow-origin", "https://logs.example.com"];

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What arrives through a proxy is the same as without one.
fn check_behind(log: &Log, server: &Server, proxy: Command, port: u16) {
    assert!(deploy_text().contains(&BEHIND.join(" ")));
    let process = std::sync::Arc::new(Process::start(proxy));
    let front = Server { process, address: format!("127.0.0.1:{port}") };
    until("the proxy listens", || std::net::TcpStream::connect(&front.address).is_ok());
    let host = "Host: logs.example.com\r\nConnection: close\r\n";
    assert_eq!(ask(&front, "/logs/app.log", host).text(), "a\n");
    assert_eq!(ask(&front, "/logs/app.log", &format!("{host}Origin: https://logs.example.com\r\n")).status, 200);
    assert_eq!(ask(&front, "/logs/app.log", &format!("{host}Origin: https://evil.example\r\n")).status, 403);
    assert!([301, 308].contains(&ask(&front, "/logs", host).status));
    // Followed as text and as a stream. What is appended must arrive at once, not when a buffer is full.
    let mut text = Command::new("curl");
    let url = format!("http://{}/logs/app.log?tail=1", front.address);
    text.args(["-sN", "-H", "Host: logs.example.com", &url]).stdin(Stdio::null()).stdout(Stdio::piped());
    let text = Process::start(text);
    assert_eq!(text.line(), "a");
    let mut tail = wstail();
    tail.args(["tail", &format!("{}/logs/app.log", front.address), "-q"]).stdout(Stdio::piped());
    let tail = Process::start(tail);
    assert_eq!(tail.line(), "a");
    log.append("b\n");
    assert_eq!((text.line(), tail.line()), ("b".to_owned(), "b".to_owned()));
    assert!(server.connections() >= 2);
}

fn deploy_text() -> String {
    super::read("docs/deploy.md")
}

fn ask(server: &Server, target: &str, fields: &str) -> Answer {
    server.ask(format!("GET {target} HTTP/1.1\r\n{fields}\r\n"))
}

#[test]
#[ignore = "needs nginx and curl"]
fn the_documented_nginx_configuration_works() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &BEHIND);
    let (place, port) = (tempfile::tempdir().unwrap(), free_port());
    let inner = documented("nginx").replace("127.0.0.1:8765", &server.address);
    let temps: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", place.path().display()))
        .concat();
    let text = format!(
        "daemon off; master_process off; pid {0}/pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off; {temps}\
         server {{ listen 127.0.0.1:{port}; server_name _;\n{inner}\n}} }}\n",
        place.path().display()
    );
    let file = place.path().join("nginx.conf");
    fs::write(&file, text).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(place.path()).arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null());
    check_behind(&log, &server, nginx, port);
}

#[test]
#[ignore = "needs caddy and curl"]
fn the_documented_caddy_configuration_works() {
    let log = Log::with("a\n");
    let server = serve_with(&log, &BEHIND);
    let (place, port) = (tempfile::tempdir().unwrap(), free_port());
    let inner = documented("caddyfile").replace("127.0.0.1:8765", &server.address);
    let inner = inner.replacen("logs.example.com", &format!("http://:{port}"), 1);
    let file = place.path().join("Caddyfile");
    fs::write(&file, format!("{{\nadmin off\n}}\n{inner}\n")).unwrap();
    let mut caddy = Command::new("caddy");
    caddy.arg("run").arg("--config").arg(file).env("HOME", place.path()).env("XDG_DATA_HOME", place.path());
    caddy.stdin(Stdio::null()).stdout(Stdio::null());
    check_behind(&log, &server, caddy, port);
}
