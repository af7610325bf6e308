use std::thread;
use std::time::{Duration, Instant};

use wstail::protocol::event::Event;

use crate::support::{EventClient, Item, Log, serve, serve_with};

/// About 13 MB.
fn large() -> String {
    let line = "2026-11-23 01:32:27.123 | INFO     | app:run:1 - nothing of interest happened here today\n";
    let mut text = line.repeat(75_000);
    text += "the needle\n";
    text += &line.repeat(75_000);
    text
}

fn progress(client: &mut EventClient) -> Vec<(u64, Option<u64>, u64, bool)> {
    let mut reports = Vec::new();
    loop {
        match client.next() {
            Item::Event(Event::Progress { bytes, total, matches, done }) => {
                reports.push((bytes, total, matches, done));
                if done {
                    return reports;
                }
            }
            Item::Close(..) => return reports,
            _ => {}
        }
    }
}

#[test]
fn progress_comes_to_an_end() {
    let text = large();
    let log = Log::with(&text);
    let server = serve(&log);
    let size = text.len() as u64;
    for query in ["grep=needle&lines=all", "grep=needle&lines=5", "grep=needle", "exclude=INFO&tail=1&lines=all"] {
        let reports = progress(&mut server.events(&format!("app.log?{query}")));
        assert_eq!(reports.last(), Some(&(size, Some(size), 1, true)), "{query}");
        assert!(reports.iter().rev().skip(1).all(|report| !report.3 && report.0 <= size), "{query}: {reports:?}");
    }
    let reports = progress(&mut server.events("app.log?grep=needle&lines=1&tail=1"));
    let half = size / 2;
    assert!(
        matches!(reports[..], [.., (bytes, _, 1, true)] if (half - 300_000..half + 300_000).contains(&bytes)),
        "{reports:?}"
    );
    let reports = progress(&mut server.events("app.log?grep=needle&lines=0&tail=1"));
    assert_eq!(reports, [(0, Some(0), 0, true)]);
}

#[test]
fn progress_counts_the_bytes_of_rotated_files() {
    let text = large();
    let log = Log::with(&text);
    std::fs::write(log.beside("app.log.1"), format!("one\n{text}")).unwrap();
    std::fs::write(log.beside("app.log.2"), format!("two\n{}", &text[..1_000_000])).unwrap();
    let server = serve(&log);
    let size = 2 * text.len() as u64 + 1_000_008;
    for query in ["grep=needle&lines=all", "grep=needle&lines=5", "grep=needle&tail=1&lines=all"] {
        let reports = progress(&mut server.events(&format!("app.log?history=1&{query}")));
        assert_eq!(reports.last(), Some(&(size, Some(size), 2, true)), "{query}");
        assert!(reports.iter().rev().skip(1).all(|report| !report.3 && report.0 <= size), "{query}: {reports:?}");
    }
}

#[test]
fn heartbeats_go_on_during_a_slow_search() {
    // Every line has what the pattern needs, so that none is passed over unread.
    let log = Log::with(format!("{}\n", "aeiou0123".repeat(500) + "x").repeat(4000));
    let server = serve_with(&log, &["--heartbeat", "0.1"]);
    let mut client = server.events("app.log?lines=all&grep=%5Baeiou0-4%5D.%7B60%7D%5B%5E%20-~%5Dx");
    let (mut pings, begun) = (0, Instant::now());
    while pings < 5 {
        let message = client.socket.read().expect("the search goes on");
        assert!(!message.is_close(), "the search is over after {pings} pings");
        pings += u32::from(message.is_ping());
        assert!(begun.elapsed() < Duration::from_secs(30), "{pings} pings");
    }
}

#[test]
fn searches_take_turns_and_followers_are_not_held_up() {
    let log = Log::with(large());
    std::fs::write(log.beside("live.log"), "a\n").unwrap();
    let server = serve_with(&log, &["--max-scans", "1"]);
    let mut live = server.events("live.log?tail=1&grep=hit");
    live.story("<open>");
    thread::scope(|scope| {
        let searches: Vec<_> = (0..6)
            .map(|_| {
                let mut client = server.events("app.log?lines=all&grep=needle&grep=%5Ba-z%5D%7B7%7D%20zz");
                scope.spawn(move || client.story("<1000>"))
            })
            .collect();
        for number in 0..10 {
            let begun = Instant::now();
            let line = format!("hit {number}\n");
            std::fs::OpenOptions::new()
                .append(true)
                .open(log.beside("live.log"))
                .and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes()))
                .unwrap();
            assert_eq!(live.story(&line), line);
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
        for search in searches {
            assert_eq!(search.join().unwrap(), "<open>the needle\n<end><1000>");
        }
    });
}

#[test]
fn a_client_that_takes_nothing_does_not_hold_up_others() {
    let log = Log::with(large());
    let server = serve_with(&log, &["--max-scans", "1"]);
    let _stalled = server.upgraded("app.log?lines=all&grep=nothing");
    thread::sleep(Duration::from_millis(300));
    let mut client = server.events("app.log?lines=all&grep=needle");
    assert_eq!(client.story("<1000>"), "<open>the needle\n<end><1000>");
}

#[test]
fn what_lies_between_the_last_matches_is_passed_over() {
    let line = "2026-11-23 01:32:27.123 | INFO     | app:run:1 - nothing of interest happened here today\n";
    let many = line.repeat(20_000);
    let text =
        format!("{many}old needle\n{many}needle one\nafter\n{many}before\nneedle two\n{many}needle three\n{many}");
    let log = Log::with(&text);
    let server = serve(&log);
    let story = |query: &str| server.events(&format!("app.log?{query}")).story("<1000>");
    assert_eq!(story("grep=needle&lines=3"), "<open>needle one\nneedle two\nneedle three\n<end><1000>");
    assert_eq!(
        story("grep=needle&lines=2&context=1"),
        format!(
            "<open>before\nneedle two\n{line}<skip {}>{line}needle three\n{line}<end><1000>",
            many.len() - 2 * line.len()
        )
    );
    assert_eq!(
        story("grep=needle&lines=3&context=1&exclude=INFO"),
        "<open>needle one\nafter\nbefore\nneedle two\nneedle three\n<end><1000>"
    );
    assert_eq!(
        story("grep=needle&lines=2&context=0,1&exclude=before"),
        format!("<open>needle two\n{line}<skip {}>needle three\n{line}<end><1000>", many.len() - line.len())
    );
    // They belong to the entry of the line before.
    assert_eq!(story("grep=needle&lines=2&level=info"), "<open>needle two\nneedle three\n<end><1000>");
}
