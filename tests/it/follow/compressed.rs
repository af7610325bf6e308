//! Rotated files that are compressed: before a reader comes, while it is away, and while it reads.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tungstenite::Message;
use wstail::protocol::event::Event;

use crate::support::{DEADLINE, EventClient, Log, Server, serve_with};

/// Enough to tell files apart, and more than one read takes.
fn lines(name: &str, count: usize) -> String {
    (0..count).map(|number| format!("{name} {number:06} a line of the log, as it may be written\n")).collect()
}

fn serve(log: &Log) -> Server {
    serve_with(log, &["--rotate-wait", "0.2", "--poll", "50"])
}

fn gzip(path: &Path) {
    assert!(Command::new("gzip").arg(path).status().unwrap().success());
}

/// What `gzip -c` makes of it.
fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let text = text.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&text).unwrap());
    let output = gzip.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// The cursor after all of the log.
fn cursor_at_end(server: &Server) -> String {
    let mut client = server.events("app.log?lines=all");
    client.story("<1000>");
    client.cursor()
}

/// All that follows a cursor, without the events around it.
fn rest(server: &Server, cursor: &str) -> String {
    let story = server.events(&format!("app.log?cursor={cursor}")).story("<1000>");
    story.strip_prefix("<open>").unwrap().strip_suffix("<end><1000>").unwrap().to_owned()
}

#[test]
fn a_cursor_leads_into_a_file_that_was_rotated_and_compressed_since() {
    let names: [&[&str]; 8] = [
        &["app.log.1", "app.log.2", "app.log.3"],
        &["app.log-20261121", "app.log-20261122", "app.log-20261123"],
        &["app.2026-11-21.log", "app.2026-11-22.log", "app.2026-11-23.log"],
        &["app-2026-11-23-1.log", "app-2026-11-23-2.log", "app-2026-11-23-3.log"],
        &["app-11-23-2026-1.log", "app-11-23-2026-2.log", "app-11-23-2026-3.log"],
        &["app-2026-11-23T01-32-27.123.log", "app-2026-11-23T01-32-28.123.log", "app-2026-11-23T01-32-29.123.log"],
        &["app.log.20261123-013227", "app.log.20261123-013228", "app.log.20261123-013229"],
        &["app.2026-11-23_01-32-27_123456.log", "app.2026-11-23_01-32-28_1.log", "app.2026-11-23_01-32-29_1.log"],
    ];
    for names in names {
        for compressed in [1, 2, 3] {
            let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| lines(name, 4000));
            let half = a.len() / 2;
            let log = Log::with(&a[..half]);
            let server = serve(&log);
            let cursor = cursor_at_end(&server);
            server.process.stop();
            log.append(&a[half..]);
            let mut rotated: Vec<&str> = Vec::new();
            for (at, text) in [&b, &c, &d].into_iter().enumerate() {
                if names[0] == "app.log.1" {
                    for (shift, _) in rotated.iter().enumerate() {
                        let number = rotated.len() - shift;
                        let place = |number: usize| log.beside(&format!("app.log.{number}"));
                        fs::rename(place(number), place(number + 1)).unwrap();
                    }
                    log.rotate("app.log.1", text);
                } else {
                    log.rotate(names[at], text);
                }
                rotated.push(names[at]);
            }
            // The oldest are compressed. Numbers count back.
            let oldest = |at: usize| if names[0] == "app.log.1" { names[2 - at] } else { names[at] };
            (0..compressed).for_each(|at| gzip(&log.beside(oldest(at))));
            server.process.signal(rustix::process::Signal::CONT);
            let expected = format!("{}<rotated>{b}<rotated>{c}<rotated>{d}", &a[half..]);
            for _ in 0..2 {
                let rest = rest(&server, &cursor);
                assert!(rest == expected, "{names:?}, {compressed} compressed: {}", shown(&rest));
            }
        }
    }
}

/// The beginnings of its lines.
fn shown(story: &str) -> String {
    let firsts = story.split_inclusive('\n').map(|line| line.chars().take(24).collect::<String>());
    let mut shown: Vec<String> = firsts.collect();
    if shown.len() > 12 {
        shown.drain(6..shown.len() - 6);
    }
    shown.join("\n")
}

#[test]
fn a_follower_reads_on_when_its_file_is_compressed() {
    let log = Log::with("");
    let server = serve(&log);
    let mut client = server.events("app.log?tail=1&lines=all");
    for round in 0..6 {
        let text = lines(&round.to_string(), 2000);
        log.append(&text);
        let story = client.story(text.get(text.len() - 70..).unwrap());
        let before = if round == 0 { "<open>" } else { "<rotated>" };
        assert!(story == format!("{before}{text}"), "round {round}: {}", shown(&story));
        for number in (1..round + 1).rev() {
            let place = |number: usize| log.beside(&format!("app.log.{number}.gz"));
            fs::rename(place(number), place(number + 1)).unwrap();
        }
        log.rotate("app.log.1", "");
        gzip(&log.beside("app.log.1"));
    }
    log.append("end\n");
    assert_eq!(client.story("end\n"), "<rotated>end\n");
}

#[test]
fn a_place_in_a_compressed_file_is_a_place_like_any_other() {
    let (a, b) = (lines("a", 20_000), lines("b", 10));
    let log = Log::with(&a[..1000]);
    let server = serve(&log);
    let first = cursor_at_end(&server);
    log.append(&a[1000..]);
    log.rotate("app.log.1", &b);
    gzip(&log.beside("app.log.1"));
    let mut client = server.events(&format!("app.log?cursor={first}"));
    client.story("<1000>");
    let places: Vec<_> = client.cursors.iter().map(|(cursor, at)| (cursor.clone(), *at)).collect();
    assert!(places.len() >= 3, "{places:?}");
    let all = [&a[1000..], &b].concat();
    for (cursor, at) in places {
        let rest = rest(&server, &cursor).replace("<rotated>", "");
        let same = rest.bytes().zip(all[at..].bytes()).take_while(|(one, two)| one == two).count();
        assert!(
            rest == all[at..],
            "after {at} bytes: {same} of {} and {} are alike: {}",
            rest.len(),
            all.len() - at,
            shown(&rest[same..])
        );
        if at == a.len() - 1000 {
            // Either at the end of the one or at the start of the other.
            continue;
        }
        let mut back = server.events(&format!("app.log?before={cursor}&lines=3"));
        let story = back.story("<1000>");
        let file = if at <= a.len() - 1000 { &a[..1000 + at] } else { &b[..at - (a.len() - 1000)] };
        let from = file.trim_end_matches('\n').rmatch_indices('\n').nth(2).map_or(0, |(newline, _)| newline + 1);
        assert_eq!(story, format!("<open>{}<end><1000>", &file[from..]), "before {at}");
    }
}

#[test]
fn of_a_file_and_its_archive_that_begin_alike_the_file_is_the_generation() {
    let (b, whole) = (lines("b", 3000), gzipped(lines("b", 3000).as_bytes()));
    let unfinished: [&[u8]; 6] = [b"", &whole[..5], &whole[..10], &whole[..40], &whole[..whole.len() / 2], &whole];
    for archive in unfinished {
        let log = Log::with(lines("a", 10));
        let server = serve(&log);
        let cursor = cursor_at_end(&server);
        log.rotate("app.log.2", &b);
        log.rotate("app.log.1", "c\n");
        fs::write(log.beside("app.log.1.gz"), archive).unwrap();
        let rest = rest(&server, &cursor);
        assert!(rest == format!("<rotated>{b}<rotated>c\n"), "{} bytes: {}", archive.len(), shown(&rest));
    }
}

#[test]
fn what_cannot_be_unpacked_is_a_gap_in_its_place() {
    let b = lines("b", 5000);
    let whole = gzipped(b.as_bytes());
    let mut wrong_sum = whole.clone();
    let place = wrong_sum.len() - 6;
    wrong_sum[place] ^= 1;
    let behind = [&whole[..], b"garbage"].concat();
    for (archive, is_whole) in
        [(&whole[..whole.len() / 2], false), (&whole[..whole.len() - 1], true), (&wrong_sum, true), (&behind, true)]
    {
        let log = Log::with(lines("a", 10));
        let server = serve(&log);
        let cursor = cursor_at_end(&server);
        log.rotate("app.log.2", &b);
        log.rotate("app.log.1", "c\n");
        fs::remove_file(log.beside("app.log.1")).unwrap();
        fs::write(log.beside("app.log.1.gz"), archive).unwrap();
        let rest = rest(&server, &cursor);
        let read = rest.strip_prefix("<rotated>").and_then(|rest| rest.strip_suffix("<gap damaged><rotated>c\n"));
        let read = read.unwrap_or_else(|| panic!("{}", shown(&rest)));
        assert!(b.starts_with(read) && (read == b) == is_whole, "{} of {} bytes", read.len(), b.len());
    }
}

/// A writer that does not append leaves a hole where the log was truncated.
#[test]
fn a_history_is_the_same_whether_or_not_a_file_that_begins_with_a_hole_is_compressed() {
    let log = Log::with("current\n");
    let text = lines("a", 3000);
    fs::write(log.beside("app.log.2"), lines("b", 10)).unwrap();
    fs::write(log.beside("app.log.1"), [&vec![0; 2_500_000], text.as_bytes()].concat()).unwrap();
    let server = serve(&log);
    let story = || server.events("app.log?history=1&lines=all").story("<1000>");
    let plain = story();
    let expected =
        format!("<open>{}<rotated><gap truncated 2500000>{text}<rotated>current\n<end><1000>", lines("b", 10));
    assert!(plain == expected, "{}", shown(&plain));
    gzip(&log.beside("app.log.1"));
    let packed = story();
    assert!(packed == plain, "{}", shown(&packed));
}

/// A program that has not noticed the rotation writes on, and what it writes is deleted with the file.
#[test]
fn lines_that_were_read_and_are_not_in_the_archive_are_a_gap() {
    let log = Log::with(lines("a", 100));
    let archive = gzipped(lines("a", 100).as_bytes());
    let server = serve(&log);
    log.append("a line that was written too late\n");
    let cursor = cursor_at_end(&server);
    log.append("and one more\n");
    log.rotate("app.log.1", "b\n");
    fs::remove_file(log.beside("app.log.1")).unwrap();
    fs::write(log.beside("app.log.1.gz"), archive).unwrap();
    assert_eq!(rest(&server, &cursor), "<gap expired><rotated>b\n");
}

/// The answer begins only when that is known.
#[test]
fn a_lost_place_far_within_an_archive_is_said_in_the_head_and_counted() {
    let text = lines("a", 400_000);
    let log = Log::with(&text);
    let server = serve(&log);
    let cursor = cursor_at_end(&server);
    log.append("read by nobody\n");
    log.rotate("app.log.1", "b\n");
    fs::remove_file(log.beside("app.log.1")).unwrap();
    let archive = gzipped(text.as_bytes());
    fs::write(log.beside("app.log.1.gz"), &archive[..archive.len() - archive.len() / 8]).unwrap();
    let answer = server.get(&format!("/app.log?cursor={cursor}"));
    assert!(answer.head.contains("Wstail-Gap: damaged\r\n"), "{}", answer.head);
    assert_eq!(answer.chunked(), b"b\n");
    let metrics = server.get("/-/metrics").text();
    let resumes: Vec<&str> = metrics.lines().filter(|line| line.starts_with("wstail_resumes_total")).collect();
    assert!(resumes.iter().any(|line| line.contains("miss") && line.ends_with(" 1")), "{resumes:?}");
}

#[test]
fn an_archive_is_sent_as_it_is_or_as_text() {
    let text = lines("a", 300);
    let archive = gzipped(text.as_bytes());
    let log = Log::with("");
    fs::write(log.beside("app.log.1.gz"), &archive).unwrap();
    fs::write(log.beside("packed.log"), &archive).unwrap();
    fs::write(log.beside("plain.gz"), &text).unwrap();
    let server = serve(&log);
    for name in ["app.log.1.gz", "packed.log"] {
        let answer = server.get(&format!("/{name}"));
        assert!(
            answer.body == archive && answer.head.contains("Content-Type: application/gzip\r\n"),
            "{}",
            answer.head
        );
        assert!(answer.head.contains(&format!("Content-Length: {}\r\n", archive.len())), "{}", answer.head);
        let answer = server.get(&format!("/{name}?lines=all"));
        assert!(answer.chunked() == text.as_bytes() && answer.head.contains("Content-Type: text/plain"));
        let last = text.rmatch_indices('\n').nth(2).unwrap().0 + 1;
        assert_eq!(String::from_utf8(server.get(&format!("/{name}?lines=2")).chunked()).unwrap(), text[last..]);
        assert_eq!(server.get(&format!("/{name}?from=299")).chunked(), text.as_bytes()[last..]);
        assert_eq!(server.get(&format!("/{name}?lines=0")).chunked(), b"");
        // It does not grow.
        let mut client: EventClient = server.events(&format!("{name}?tail=1&lines=all"));
        assert_eq!(client.story("<1000>"), format!("<open>{text}<end><1000>"));
    }
    let answer = server.get("/plain.gz");
    assert!(answer.text() == text && answer.head.contains("Content-Type: text/plain"), "the name does not tell");
    let grep = server.get("/app.log.1.gz?grep=0002[0-9]7%20&lines=3").chunked();
    let is_hit = |line: &&str| ["000277", "000287", "000297"].iter().any(|number| line.contains(number));
    let hits: String = text.split_inclusive('\n').filter(is_hit).collect();
    assert_eq!(String::from_utf8(grep).unwrap(), hits);
}

#[test]
fn the_last_matches_of_an_archive_are_those_that_grep_finds() {
    let text = lines("a", 50_000);
    let log = Log::with("");
    fs::write(log.beside("app.log.1.gz"), gzipped(text.as_bytes())).unwrap();
    let server = serve(&log);
    let all: Vec<&str> = text.split_inclusive('\n').filter(|line| line.contains("77")).collect();
    for count in [1, 10, 1000, all.len(), all.len() + 5] {
        let body = server.get(&format!("/app.log.1.gz?grep=77&lines={count}")).chunked();
        let expected = all[all.len().saturating_sub(count)..].concat();
        assert!(String::from_utf8(body).unwrap() == expected, "{count}");
    }
}

#[test]
fn an_archive_of_a_hundred_megabytes_of_nuls_takes_no_memory() {
    let log = Log::with("");
    let packed = log.beside("app.log.1.gz");
    let shell = format!("head -c 100000000 /dev/zero | gzip -1 > {packed:?}");
    assert!(Command::new("sh").args(["-c", &shell]).status().unwrap().success());
    let server = serve(&log);
    server.get("/app.log?lines=all");
    let before = server.process.status("VmHWM");
    let body = server.get("/app.log.1.gz?lines=all").chunked();
    assert!(body.len() == 100_000_000 && body.iter().all(|&byte| byte == 0));
    let after = server.process.status("VmHWM");
    assert!(after < before + 2048, "{before} KiB, then {after} KiB");
}

#[cfg(any(feature = "xz", feature = "zstd"))]
#[test]
fn an_archive_that_demands_too_much_memory_is_damaged() {
    let zstd = b"\x28\xb5\x2f\xfd\0\xa8\x19\0\0abc".to_vec();
    let header = |fields: &[u8]| [fields, &crc32fast::hash(fields).to_le_bytes()].concat();
    let xz =
        [&b"\xfd7zXZ\0"[..], &header(&[0, 1]), &header(&[2, 0, 0x21, 1, 38, 0, 0, 0]), b"\x01\0\x02abc\0"].concat();
    for (name, archive, is_built_in) in
        [("app.log.1.zst", zstd, cfg!(feature = "zstd")), ("app.log.1.xz", xz, cfg!(feature = "xz"))]
    {
        if !is_built_in {
            continue;
        }
        let log = Log::with("current\n");
        fs::write(log.beside(name), archive).unwrap();
        let server = serve(&log);
        server.get("/app.log?lines=all");
        let before = server.process.status("VmPeak");
        let story = server.events("app.log?history=1&lines=all").story("<1000>");
        assert_eq!(story, "<open><gap damaged><rotated>current\n<end><1000>", "{name}");
        let after = server.process.status("VmPeak");
        // Two gigabytes were demanded. A thread that is started takes addresses, too.
        assert!(after < before + 1024 * 1024, "{name}: {before} KiB, then {after} KiB");
        server.process.signal(rustix::process::Signal::TERM);
        let (_, said) = server.process.end();
        assert!(said.contains("gap in `app.log`: an unknown number of bytes missing (damaged)"), "{said}");
    }
}

#[cfg(feature = "zstd")]
#[test]
fn what_zstd_unpacks_by_default_is_read_and_what_it_refuses_is_damaged() {
    let text = lines("a", 3000);
    for (window, is_read) in [("--long=27", true), ("--long=28", false)] {
        let log = Log::with("current\n");
        let packed = log.beside("app.log.1.zst");
        fs::write(log.beside("text"), &text).unwrap();
        // Only of a file whose size it does not know it takes the window that is said.
        let shell = format!("cat {:?} | zstd -q {window} > {packed:?}", log.beside("text"));
        assert!(Command::new("sh").args(["-c", &shell]).status().unwrap().success());
        let story = serve(&log).events("app.log?history=1&lines=all").story("<1000>");
        let first = if is_read { &text } else { "<gap damaged>" };
        let expected = format!("<open>{first}<rotated>current\n<end><1000>");
        assert!(story == expected, "{window}: {}", shown(&story));
    }
}

#[test]
fn a_far_place_in_an_archive_is_found_while_heartbeats_go_on() {
    let log = Log::with("");
    let block = lines("x", 20_000);
    let mut writer = log.writer();
    (0..100).for_each(|_| writer.write_all(block.as_bytes()).unwrap());
    writer.write_all(b"last\n").unwrap();
    let server = serve_with(&log, &["--heartbeat", "0.05", "--rotate-wait", "0.2"]);
    let mut client = server.events("app.log?lines=1");
    client.story("<1000>");
    let cursor = client.cursor();
    drop(writer);
    log.append("more\n");
    log.rotate("app.log.1", "new\n");
    gzip(&log.beside("app.log.1"));
    let mut client = server.events(&format!("app.log?cursor={cursor}"));
    await_heartbeats(&mut client, 2);
    assert_eq!(client.story("<1000>"), "<open>more\n<rotated>new\n<end><1000>");
    // The server stops at once while it unpacks.
    let mut client = server.events(&format!("app.log?cursor={cursor}"));
    await_heartbeats(&mut client, 1);
    let begun = std::time::Instant::now();
    server.process.signal(rustix::process::Signal::TERM);
    client.story("<1001>");
    assert!(client.cursors.is_empty(), "it had begun to send");
    server.process.wait();
    assert!(begun.elapsed() < DEADLINE / 4);
}

/// Heartbeats that come before anything else: the place is still searched for.
fn await_heartbeats(client: &mut EventClient, count: usize) {
    for _ in 0..count {
        match client.socket.read().unwrap() {
            Message::Ping(_) => {}
            Message::Text(text) if Event::parse(&text) == Some(Event::Alive) => {}
            message => panic!("instead of a heartbeat: {message}"),
        }
    }
}
