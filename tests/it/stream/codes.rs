//! Close codes that no other file tests.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{DEADLINE, Log, read_frame, serve};

#[test]
#[ignore = "needs a minute"]
fn a_log_that_cannot_be_read_for_a_minute_is_closed_with_4500() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let mut stream = server.upgraded("app.log?tail=1&heartbeat=frame");
    stream.set_read_timeout(Some(Duration::from_secs(60) + DEADLINE)).unwrap();
    assert_eq!(read_frame(&mut stream).unwrap(), (0x81, b"a\n".to_vec()));
    fs::remove_file(log.path()).unwrap();
    fs::create_dir(log.path()).unwrap();
    let begun = Instant::now();
    let close = loop {
        match read_frame(&mut stream).unwrap() {
            (0x89, _) => std::io::Write::write_all(&mut stream, &crate::support::frame(0x8a, b"")).unwrap(),
            (0x88, close) => break close,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from_be_bytes([close[0], close[1]]), 4500);
    assert_eq!(&close[2..], b"the log could not be read for a minute: not a regular file");
    assert!(begun.elapsed() >= Duration::from_secs(58), "{:?}", begun.elapsed());
}
