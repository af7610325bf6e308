//! The loop, with a client in memory and a clock set by the test.

use std::time::{Duration, Instant};

use crate::bounded_stream::BoundedStream;
use crate::follow::follower::Follower;
use crate::follow::root::Roots;
use crate::protocol::MAX_MESSAGE;
use crate::protocol::address::Address;
use crate::protocol::event::OpenTimes;
use crate::protocol::log_event::LogEvent;
use crate::protocol::request::{HeartbeatKind, Lines};
use crate::server::report::Reports;
use crate::server::scans::Scans;
use crate::server::short_response::Method;
use crate::server::stream::connection::{Connection, Wait};
use crate::server::stream::encode::Encoder;
use crate::server::stream::encode::http_framing::BodyEncoder;
use crate::server::stream::encode::text::TextEncoder;
use crate::server::stream::encode::wstail::WstailEncoder;
use crate::server::stream::frame::Frame;
use crate::server::stream::reporter::Reporter;
use crate::server::stream::select::Select;
use crate::server::stream::source::{LONGEST_RETRY, LogSource, Ranges};
use crate::server::stream::transport::Transport;
use crate::server::stream::transport::heartbeat::Heartbeat;
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::CLOSE;
use crate::server::stream::transport::websocket::Pings;
use crate::text::lines::LineBuffer;
use crate::wait::Ready;
use std::cell::RefCell;
use std::fs;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Arc;

/// A client that takes everything while it is open, and sends nothing.
#[derive(Clone, Default)]
struct Memory {
    taken: Rc<RefCell<Vec<u8>>>,
    writes: Rc<RefCell<usize>>,
    shut: Rc<RefCell<bool>>,
}

impl StreamSocket for BoundedStream<Memory> {}

impl Read for Memory {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if *self.shut.borrow() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.taken.borrow_mut().extend(bytes);
        *self.writes.borrow_mut() += 1;
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.write(&slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const SECOND: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(250);
const STALL: Option<Duration> = Some(Duration::from_secs(60));

struct Place {
    directory: tempfile::TempDir,
    client: Memory,
    connection: Connection<BoundedStream<Memory>>,
    now: Instant,
}

impl Place {
    fn with(text: &str) -> Place {
        Place::to(text, |_| Box::new(TextEncoder::new(LineBuffer::new(None, true))))
    }

    fn to(text: &str, encoder: impl FnOnce(Instant) -> Box<dyn Encoder>) -> Place {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("app.log"), text).unwrap();
        let (client, now) = (Memory::default(), Instant::now());
        let roots = Roots::open([directory.path()], false).unwrap();
        let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
        let follower = Follower::new(log, file, Lines::All, true, SECOND).unwrap();
        let mut source = LogSource::new(follower, None, POLL, now);
        let select = Select::new(None, &mut source, &Arc::new(Scans::new(None)), now);
        let (heartbeat, report) = (Heartbeat::new(1000 * SECOND, SECOND, now), Reports::default());
        let (pings, socket) =
            (Pings { kind: HeartbeatKind::Text, has_alive: false }, BoundedStream::new(client.clone()));
        let transport = Transport::websocket(socket, Vec::new(), pings, heartbeat, report.metrics.clone());
        let reporter = Reporter::new("app.log".into(), false, report);
        let connection = Connection::new(source, select, encoder(now), transport.stall_after(STALL), reporter);
        Place { directory, client, connection, now }
    }

    /// Takes turns until `time` has passed. Returns whether the connection is over.
    fn pass(&mut self, time: Duration) -> bool {
        let end = self.now + time;
        loop {
            let ready = Ready { write: true, ..Ready::default() };
            let Some(Wait { until, .. }) = self.connection.turn(ready, self.now) else { return true };
            self.now = until.map_or(end, |until| until.max(self.now));
            if self.now >= end {
                self.now = end;
                return false;
            }
        }
    }

    fn taken(&self) -> String {
        String::from_utf8_lossy(&self.client.taken.borrow_mut().split_off(0)).into_owned()
    }
}

#[test]
fn lines_come_and_a_silent_log_is_looked_at_every_so_often() {
    let mut place = Place::with("a\n");
    assert!(!place.pass(SECOND));
    assert_eq!(place.taken(), "\u{fffd}\u{2}a\n");
    fs::write(place.directory.path().join("app.log"), "a\nb\n").unwrap();
    assert!(!place.pass(POLL));
    assert_eq!(place.taken(), "\u{fffd}\u{2}b\n");
}

#[test]
fn a_lone_line_is_followed_by_its_cursor_in_the_same_turn() {
    let mut place = Place::to("a\n", |now| {
        Box::new(WstailEncoder::new("/app.log".into(), OpenTimes::default(), SECOND, false, now))
    });
    assert!(!place.pass(SECOND));
    // The first cursor is due by time, and is sent together with the line. The second is not due yet.
    for (text, writes) in [("a\nb\n", 1), ("a\nb\nc\n", 2)] {
        place.taken();
        *place.client.writes.borrow_mut() = 0;
        fs::write(place.directory.path().join("app.log"), text).unwrap();
        place.now += POLL;
        place.connection.turn(Ready { write: true, ..Ready::default() }, place.now);
        let taken = place.taken();
        assert!(taken.starts_with("\u{fffd}\u{2}") && taken.contains("\"event\":\"cursor\""), "{taken}");
        assert_eq!(*place.client.writes.borrow(), writes);
    }
}

#[test]
fn a_log_unreadable_for_a_minute_is_closed_with_4500() {
    let mut place = Place::with("a\n");
    place.pass(SECOND);
    fs::remove_file(place.directory.path().join("app.log")).unwrap();
    fs::create_dir(place.directory.path().join("app.log")).unwrap();
    assert!(!place.pass(59 * SECOND));
    place.taken();
    assert!(place.pass(3 * SECOND));
    let farewell = place.taken();
    assert!(farewell.ends_with("the log could not be read for a minute: not a regular file"), "{farewell}");
}

#[test]
fn a_log_that_becomes_readable_again_goes_on() {
    let mut place = Place::with("a\n");
    place.pass(SECOND);
    place.taken();
    let path = place.directory.path().join("app.log");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(!place.pass(50 * SECOND));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "b\n").unwrap();
    assert!(!place.pass(LONGEST_RETRY));
    assert_eq!(place.taken(), "\u{fffd}\u{2}b\n");
}

#[test]
fn a_client_that_takes_nothing_is_given_up_after_the_stall_timeout_and_its_farewell() {
    let mut place = Place::with("a\n");
    *place.client.shut.borrow_mut() = true;
    assert!(!place.pass(59 * SECOND));
    assert!(!place.pass(SECOND + CLOSE / 2));
    assert!(place.pass(CLOSE));
}

#[test]
fn a_response_has_its_promised_length_when_the_log_is_copied_and_truncated_meanwhile() {
    const SIZE: usize = 2 * MAX_MESSAGE + 5;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    fs::write(&path, vec![b'x'; SIZE]).unwrap();
    let roots = Roots::open([directory.path()], false).unwrap();
    let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
    let now = Instant::now();
    let mut source = LogSource::new(Follower::new(log, file, Lines::All, false, SECOND).unwrap(), None, POLL, now);
    source.give_ranges(Ranges::IfSized);
    let mut body = BodyEncoder::new(true, None, Method::Get);
    let mut sent = Vec::new();
    loop {
        let Some(event) = source.next(now).unwrap() else { continue };
        let is_first_data = sent.len() == 1 && matches!(event.what, LogEvent::Data(_));
        let is_over = body.encode(event, now).is_break();
        sent.extend(body.next(now).map(|frame| match frame {
            Frame::Range(range) => range.length(),
            Frame::Binary(bytes) | Frame::Text(bytes) => bytes.len(),
        }));
        if is_over {
            break;
        }
        if is_first_data {
            fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&[b'y'; MAX_MESSAGE]).unwrap();
            fs::copy(&path, directory.path().join("app.log.1")).unwrap();
            fs::write(&path, "").unwrap();
        }
    }
    assert_eq!(sent[1..].iter().sum::<usize>(), SIZE, "{sent:?}");
}

#[test]
fn a_log_that_cannot_be_read_from_the_start_is_reported_to_the_operator_and_not_to_the_client() {
    let mut encoder = WstailEncoder::new("/app.log".into(), OpenTimes::default(), SECOND, false, Instant::now());
    let (log, file) = {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("app.log"), "").unwrap();
        let roots = Roots::open([directory.path()], false).unwrap();
        roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap()
    };
    let now = Instant::now();
    let mut source = LogSource::new(Follower::new(log, file, Lines::All, true, SECOND).unwrap(), None, POLL, now);
    let event = source.fail(io::ErrorKind::PermissionDenied.into(), now).unwrap();
    assert!(matches!(event.what, LogEvent::Unreadable(_)));
    assert!(encoder.encode(event, now).is_continue());
    assert!(encoder.next(now).is_none(), "`open` comes first");
}

#[cfg(feature = "gz")]
#[test]
fn who_unpacks_waits_for_a_permit() {
    use crate::server::scans::ScanPermit;
    let directory = tempfile::tempdir().unwrap();
    let file = fs::File::create(directory.path().join("app.log")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(b"a\n").unwrap();
    gzip.finish().unwrap();
    let roots = Roots::open([directory.path()], false).unwrap();
    let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
    let follower = Follower::new(log, file, Lines::All, false, SECOND).unwrap();
    let (scans, now) = (Arc::new(Scans::new(std::num::NonZeroUsize::new(1))), Instant::now());
    let mut other = ScanPermit::new(scans.clone());
    assert!(other.may_run());
    let mut source = LogSource::new(follower, None, POLL, now);
    let mut select = Select::new(None, &mut source, &scans, now);
    for _ in 0..10 {
        assert!(select.next(&mut source, now).is_ok_and(|event| event.is_none()));
        assert!(source.due() > now, "it asks again later");
    }
    drop(other);
    let mut is_data = || {
        let event = select.next(&mut source, now).ok().flatten();
        matches!(event.map(|event| event.what), Some(LogEvent::Data(_)))
    };
    assert!((0..10).any(|_| is_data()));
}
