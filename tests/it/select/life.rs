use std::fs;

use crate::support::{EventClient, Log, Server, serve_with};

const HEAD: &str = "the first line of the log is long enough to tell it from any other log that there is\n";

fn quick(log: &Log) -> Server {
    serve_with(log, &["--rotate-wait", "0"])
}

fn follow(log: &Log, server: &Server, filter: &str) -> EventClient {
    let mut client = server.events(&format!("app.log?tail=1&lines=all&{filter}"));
    client.story("<open>");
    log.append("start hit\n");
    client.story("start hit\n");
    client
}

#[test]
fn an_unfinished_line_is_judged_where_its_file_is_left() {
    let log = Log::with(HEAD);
    let server = quick(&log);
    let mut client = follow(&log, &server, "grep=hit&context=1");
    log.append("before\nunfinished hit");
    log.rotate("app.log.1", "after\nhit\n");
    assert_eq!(client.story("<rotated>after\nhit\n"), "before\nunfinished hit<rotated>after\nhit\n");
    log.append("last");
    log.rotate("app.log.2", "none\n");
    assert_eq!(client.story("<rotated>"), "last<rotated>");
}

#[test]
fn context_does_not_reach_into_another_file() {
    let log = Log::with(HEAD);
    let server = quick(&log);
    let mut client = follow(&log, &server, "grep=hit&context=2");
    log.append("one\n");
    client.story("one\n");
    log.rotate("app.log.1", "two\nthree\nfour\nhit\n");
    assert_eq!(client.story("hit\n"), "<rotated><skip 4>three\nfour\nhit\n");
}

#[test]
fn max_ends_with_the_file_that_held_the_last_match() {
    let log = Log::with(HEAD);
    let server = quick(&log);
    let mut client = follow(&log, &server, "grep=hit&context=0,5&max=2");
    log.append("a\nhit\nb\n");
    client.story("hit\nb\n");
    log.rotate("app.log.1", "c\n");
    assert_eq!(client.story("<1000>"), "<rotated><end><1000>");
}

#[test]
fn a_copy_that_is_truncated_holds_the_unfinished_line() {
    let log = Log::with(HEAD.repeat(4));
    let server = quick(&log);
    let mut client = follow(&log, &server, "grep=hit&context=1,0");
    log.append("before\nhalf of a ");
    client.cursor();
    std::thread::sleep(std::time::Duration::from_millis(50));
    log.append("hit");
    fs::copy(log.path(), log.beside("app.log.1")).unwrap();
    log.writer().set_len(0).unwrap();
    assert_eq!(client.story("<truncated>"), "before\nhalf of a hit<truncated>");
    log.append("none\nnew hit\n");
    assert_eq!(client.story("new hit\n"), "none\nnew hit\n");
}

#[test]
fn what_is_lost_is_told_although_nothing_matches() {
    let log = Log::with(HEAD);
    let server = quick(&log);
    let mut client = follow(&log, &server, "grep=hit");
    log.append("none\nunfinished");
    client.cursor();
    fs::write(log.path(), "new\n").unwrap();
    assert_eq!(client.story("<truncated>"), "<gap truncated><truncated>");
    log.append("hit\n");
    assert_eq!(client.story("hit\n"), "hit\n");
}

#[test]
fn context_goes_on_after_a_gap_for_a_late_line() {
    let log = Log::with("old\n");
    let server = serve_with(&log, &["--rotate-wait", "0", "--poll", "50"]);
    let mut client = server.events("app.log?tail=1&lines=0&grep=hit&context=0,5");
    client.story("<open>");
    log.rotate("app.log.1", "hit\n1\n");
    assert!(client.story("1\n").ends_with("hit\n1\n"));
    let mut old = std::fs::OpenOptions::new().append(true).open(log.beside("app.log.1")).unwrap();
    std::io::Write::write_all(&mut old, b"late\n").unwrap();
    client.story("<gap replaced 5>");
    log.append("2\n");
    assert_eq!(client.story("2\n"), "2\n");
}
